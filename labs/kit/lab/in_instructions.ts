/**
 * A lab in a guest whose clock counts instructions: from the same declaration, with what was a rate or a
 * time as a number of instructions.
 *
 * One rule does that for every lab: a column whose unit is a rate (`/s`, `B/s`) becomes instructions for
 * each request, byte or whatever the rate counts, of which fewer are better; a column whose unit is a
 * time (`s`) becomes the instructions that it was. Their measures get names that say so. What the lab
 * itself computes from its rows and trials, it is given in the units of its declaration.
 *
 * @module
 */
import { INSTRUCTIONS, INSTRUCTIONS_PER_SECOND, NOT_TIME } from "../trials/clock.ts";
import {
  capital,
  type ClockedKind,
  countedMeasure,
  countOf as countIn,
  singular,
} from "../trials/counted_measures.ts";
import type { Factors, Measure, Measures, Trial } from "../trials/trials.ts";
import {
  type Column,
  type ColumnBase,
  type Columns,
  isDerived,
  type MeasureColumn,
  requireMeasuresOf,
} from "./columns.ts";
import type { AnyDeclaration, Chart, Findings, TrialRun } from "./declaration.ts";
import type { LabOptions } from "../options/options.ts";

/** What becomes of a number. */
interface Count {
  readonly kind: ClockedKind;
  readonly name: string;
}

/** By the names of measures and columns. */
type Counts = ReadonlyMap<string, Count>;

/**
 * The lab as it runs by a clock that counts instructions.
 *
 * @param lab The lab.
 * @returns A declaration that is run, shown, compared and written as any other.
 */
export function inInstructions(lab: AnyDeclaration): AnyDeclaration {
  const counts = countsOf(lab.columns);
  const inSeconds = (measures: Measures): Measures => asMeasured(measures, counts);
  const trialInSeconds = (trial: Trial): Trial => {
    return { ...trial, measures: inSeconds(trial.measures) };
  };
  const findingsInSeconds = (findings: AnyFindings): AnyFindings => ({
    ...findings,
    rows: findings.rows.map((one) => ({ ...one, row: inSeconds(one.row) as typeof one.row })),
    trials: findings.trials.map(trialInSeconds),
    checks: findings.checks.map(trialInSeconds),
  });
  const { proof, checks, witness, charts, heading, conclusions } = lab;
  return {
    ...lab,
    trial: async (factors: Factors, kept: unknown, run: TrialRun) => {
      const measures = await lab.trial(factors, kept, run);
      // Under the names that the lab knows.
      requireMeasuresOf(lab.columns, measures);
      return asCounts(measures, counts);
    },
    columns: Object.fromEntries(
      Object.entries<Column>(lab.columns).map(([name, column]) => [
        counts.get(name)?.name ?? name,
        countingColumn(name, column, counts, inSeconds),
      ]),
    ),
    ...(proof === undefined ? {} : { proof: (row: Measures) => proof(inSeconds(row)) }),
    ...(checks === undefined ? {} : {
      checks: {
        factors: checks.factors,
        trial: async (factors: Factors, run: TrialRun) =>
          asCounts(await checks.trial(factors, run), counts),
        text: (trial: Trial) => checks.text(trialInSeconds(trial)),
      },
    }),
    ...(witness === undefined ? {} : {
      witness: {
        ...witness,
        reports: (measures: Measures) => witness.reports(inSeconds(measures)),
      },
    }),
    ...(charts === undefined ? {} : {
      charts: charts.map((chart: Chart<Factors>) => {
        return { ...chart, title: `${asWords(chart.title)} (${NOT_TIME})` };
      }),
    }),
    heading: (findings: AnyFindings) =>
      `${heading?.(findingsInSeconds(findings)) ?? lab.title}; ${NOT_TIME}`,
    conclusions: (findings: AnyFindings) => [
      ...(conclusions?.(findingsInSeconds(findings)) ?? []),
      ...whatIsCounted(findings.trials),
    ],
  };
}

type AnyFindings = Findings<Factors, Measures, LabOptions>;

// === Names, titles, units ===

/** What becomes of which measures and columns. */
function countsOf(columns: Columns): Counts {
  const counts = new Map<string, Count>();
  for (const [name, column] of Object.entries(columns)) {
    const kind = kindOf(column);
    if (kind === undefined || column.isRatio === true) continue;
    counts.set(name, { kind, name: countName(name, kind) });
    if (isDerived(column) || isOfDistribution(column)) continue;
    const measure = column.of ?? name;
    counts.set(measure, { kind, name: countName(measure, kind) });
  }
  return counts;
}

function kindOf({ unit = "" }: ColumnBase): ClockedKind | undefined {
  return unit.endsWith("/s") ? "rate" : unit === "s" ? "time" : undefined;
}

/** A distribution is kept as it is, in nanoseconds, which are the instructions. */
function isOfDistribution({ over }: MeasureColumn): boolean {
  return typeof over === "object";
}

/** `requestsPerSecond` is `instructionsPerRequest`, `cpuSecondsPerMiB` is `cpuInstructionsPerMiB`. */
function countName(name: string, kind: ClockedKind): string {
  const counted = countedMeasure(name);
  return counted?.kind === kind ? counted.name : `${name}Instructions`;
}

/** `requests/s` is instructions for each request; a time keeps its title. */
function countTitle(title: string, kind: ClockedKind): string {
  if (kind === "time") return `${INSTRUCTIONS}:\n${title}`;
  const thing = /^(.+)\/s$/.exec(title)?.[1];
  return thing === undefined
    ? `${title}:\n${INSTRUCTIONS}\neach`
    : `${INSTRUCTIONS}\n/${singular(thing)}`;
}

function countUnit({ title, unit = "" }: ColumnBase, kind: ClockedKind): string {
  if (kind === "time") return INSTRUCTIONS;
  const thing = /^(.+)\/s$/.exec(title)?.[1] ?? (unit === "B/s" ? "bytes" : undefined);
  return thing === undefined ? INSTRUCTIONS : `${INSTRUCTIONS}/${singular(thing)}`;
}

/** Rates that a title speaks of: `Requests per second` are instructions per request. */
function asWords(title: string): string {
  return title.replaceAll(
    /(\w+) per second/gi,
    (_, things: string, at: number) =>
      `${at === 0 ? capital(INSTRUCTIONS) : INSTRUCTIONS} per ${singular(things.toLowerCase())}`,
  );
}

// === Columns ===

function countingColumn(
  name: string,
  column: Column,
  counts: Counts,
  inSeconds: (row: Measures) => Measures,
): Column {
  const kind = kindOf(column);
  if (isDerived(column)) {
    const { value, style } = column;
    return {
      ...(kind === undefined ? column : described(column, kind)),
      value: (row) => {
        const own = value(inSeconds(row) as typeof row);
        return kind === undefined || typeof own !== "number"
          ? own
          : column.isRatio !== true
          ? countOf(own, kind)
          // Twice as many in a second are half as many instructions for each.
          : kind === "rate"
          ? 1 / own
          : own;
      },
      ...(style === undefined ? {} : { style: (row) => style(inSeconds(row) as typeof row) }),
    };
  }
  if (kind === undefined || column.isRatio === true) return column;
  if (isOfDistribution(column)) {
    const { percentile } = column.over as { percentile: number };
    return {
      ...described(column, kind),
      of: column.of ?? name,
      over: { percentile, times: INSTRUCTIONS_PER_SECOND },
    };
  }
  const { better, words: _, ...rest } = column;
  return {
    ...described(rest, kind),
    // What V8 compiles or collects in the middle of a trial only adds to it.
    over: column.over ?? "minimum",
    of: counts.get(column.of ?? name)!.name,
    ...(better === undefined
      ? {}
      : { better: kind === "time" ? better : better === "higher" ? "lower" : "higher" }),
    // The way is what takes more or fewer of them; of a time, what the column is called.
    ...(kind === "time"
      ? {}
      : { words: { higher: `higher in ${INSTRUCTIONS}`, lower: `lower in ${INSTRUCTIONS}` } }),
  };
}

/** A column's title and unit as a number of instructions, whole or with four digits. */
function described<C extends ColumnBase>(column: C, kind: ClockedKind): C {
  const { prefix: _prefix, decimals: _decimals, unit: _unit, ...rest } = column;
  return column.isRatio === true
    ? rest as C
    : { ...rest as C, title: countTitle(column.title, kind), unit: countUnit(column, kind) };
}

// === Numbers ===

/** A column's unit is seconds, whatever its name says. */
function countOf(value: number, kind: ClockedKind): number | null {
  return countIn(value, { kind, perUnit: INSTRUCTIONS_PER_SECOND });
}

function asCounts(measures: Measures, counts: Counts): Measures {
  return Object.fromEntries(
    Object.entries(measures).map(([name, value]) => {
      const count = counts.get(name);
      if (count === undefined || (typeof value !== "number" && value !== null)) {
        return [name, value];
      }
      return [count.name, value === null ? null : countOf(value, count.kind)];
    }),
  );
}

/** The numbers as the lab declared them, beside those that they became. */
function asMeasured(measures: Measures, counts: Counts): Measures {
  const found: Record<string, Measure> = { ...measures };
  for (const [name, count] of counts) {
    const value = measures[count.name];
    if (typeof value !== "number" && value !== null) continue;
    found[name] = value === null
      ? null
      : count.kind === "time"
      ? value / INSTRUCTIONS_PER_SECOND
      : INSTRUCTIONS_PER_SECOND / value;
  }
  return found;
}

// === Words ===

/** What a reader must know of the figures. */
function whatIsCounted(trials: readonly Trial[]): string[] {
  const idle = Math.round(100 * idleShare(trials));
  return [
    "Instructions, not time: caches that miss, mispredicted branches and slow memory cost nothing here.",
    "One processor does everything: what the kernel and the other end execute meanwhile is in the",
    "figures, too, except in a column of CPU.",
    ...(idle < 1 ? [] : [
      `For ${idle} % of the trials it had nothing to do: its clock goes on then, to the next timer,`,
      "and that part of the figures is no instructions.",
    ]),
  ];
}

/** The part of the trials in which the processor had nothing to do, where the kernel tells. */
function idleShare(trials: readonly Trial[]): number {
  let [idle, all] = [0, 0];
  for (const { seconds, covariates } of trials) {
    const share = covariates?.idleShare ?? null;
    if (share === null) continue;
    idle += seconds * share;
    all += seconds;
  }
  return all === 0 ? 0 : idle / all;
}
