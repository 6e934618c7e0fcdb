/**
 * A comparison of two runs as text for the terminal.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import { NOT_TIME } from "../trials/clock.ts";
import type { Change, ComparedRow, Outcome } from "./compared_row.ts";
import type { ComparedProof, RunComparison } from "./compare_runs.ts";
import { declarationFor, type RowDeclaration } from "./run_rows.ts";
import { formatChange, formatCount, formatSi } from "../text/format.ts";
import type { RunDifference } from "./run_differences.ts";
import {
  coloursWanted,
  styled,
  table,
  type TableColumn,
  terminalWidth,
  type TextStyle,
} from "../text/table.ts";
import { describeFactors, type Factor, type Factors } from "../trials/trials.ts";
import { wrapped } from "../text/wrapped.ts";

/** How a comparison is shown. */
export interface ComparisonTextOptions {
  /**
   * What the two runs are called.
   *
   * @default {["first", "second"]}
   */
  readonly names?: readonly [first: string, second: string];
  /**
   * How many columns of the terminal the text may take.
   *
   * @default {terminalWidth()}
   */
  readonly width?: number;
  /**
   * Whether to use colours.
   *
   * @default {coloursWanted()}
   */
  readonly colours?: boolean;
}

const NAMES = ["first", "second"] as const;

/** So many settings are listed one by one; a run in a guest differs from one on its host in more. */
const MOST_DIFFERENCES = 30;

const STYLES: Readonly<Record<Outcome, TextStyle | undefined>> = {
  identical: "green",
  agrees: "green",
  differs: "red",
  "cannot tell": undefined,
};

/**
 * What two runs depended on and do not have in common, as a table.
 *
 * @param differences The differences, as `runDifferences` gives them.
 * @param options How it is shown.
 * @returns Lines, each ended by a newline; one that says so if there are no differences.
 */
export function formatDifferences(
  differences: readonly RunDifference[],
  options: ComparisonTextOptions = {},
): string {
  const { names = NAMES, width = terminalWidth(), colours = coloursWanted() } = options;
  if (differences.length === 0) {
    return "No difference in code, versions, kernel, machine, limits, settings and parameters.\n";
  }
  const shown = differences.slice(0, MOST_DIFFERENCES);
  const text = table<RunDifference>(
    [
      { title: "what differs", value: ({ name }) => name },
      { title: names[0], value: ({ first }) => first, align: "left" },
      { title: names[1], value: ({ second }) => second, align: "left" },
    ],
    shown,
    { width, colours },
  );
  const more = differences.length - shown.length;
  return more === 0 ? text : `${text}and ${more} more\n`;
}

/**
 * What two runs say, row by row: first the answer, then the table, then what it rests on.
 *
 * @param comparison The comparison.
 * @param declaration How the lab's runs are compared.
 * @param options How it is shown.
 * @returns Lines, each ended by a newline.
 */
export function formatComparison(
  comparison: RunComparison,
  declaration: RowDeclaration,
  options: ComparisonTextOptions = {},
): string {
  const rows = declarationFor(comparison.clock, declaration);
  const { names = NAMES, width = terminalWidth(), colours = coloursWanted() } = options;
  const inLines = (sentence: string): string[] => wrapped(sentence, width, "  ");
  const lines = [
    ...partLines(comparison, names).flatMap(inLines),
    ...(rows.measures.length > 0
      ? [...proofLines(comparison, names, colours), ...answerLines(comparison, colours)]
      : [...differingProofs(comparison, names, colours), ...proofAnswer(comparison)]),
    "",
    ...(rows.measures.length > 0 || comparison.proofs.length === 0
      ? []
      : [proofTable(comparison, names, width, colours)]),
    ...comparison.rows.length === 0 ? [] : [rowTable(comparison, rows, names, width, colours)],
    ...differenceNotes(comparison, rows, names).flatMap(inLines),
    ...otherNotes(comparison, rows, names).flatMap(inLines),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

/** A run that was stopped says less than it was to say. */
function partLines(
  { firstPart, secondPart }: RunComparison,
  names: readonly [string, string],
): string[] {
  return [[names[0], firstPart], [names[1], secondPart]].flatMap(([name, part]) =>
    part === undefined ? [] : [part.replace("Partial", `Partial (${name})`)]
  );
}

/** Each proof that differs, with both. */
function differingProofs(
  { proofs }: RunComparison,
  names: readonly [string, string],
  colours: boolean,
): string[] {
  return proofs.filter(({ outcome }) => outcome === "differs").map(({ key, first, second }) =>
    styled("PROOF DIFFERS: ", "red", colours) +
    `${describeFactors(key)}: ${first} ${names[0]}, ${second} ${names[1]}`
  );
}

/** Whether bytes were copied is no matter of speed: what changed there is said before all else. */
function proofLines(
  comparison: RunComparison,
  names: readonly [string, string],
  colours: boolean,
): string[] {
  const { proofs } = comparison;
  if (proofs.length === 0) return [];
  const differing = proofs.filter(({ outcome }) => outcome === "differs");
  const unclear = proofs.filter(({ outcome }) => outcome === "cannot tell");
  const agreeing = proofs.filter(({ outcome }) => outcome === "agrees");
  const lines = differingProofs(comparison, names, colours);
  if (agreeing.length > 0) {
    const counts = [...Map.groupBy(agreeing, ({ first }) => first)]
      .map(([proof, group]) => `${group.length} ${proof}`);
    const rest = differing.length === 0 ? "" : " other";
    lines.push(`Proof agrees in${rest} ${countOf(agreeing.length, "row")}: ${counts.join(", ")}.`);
  }
  for (const { key, first, second } of unclear) {
    lines.push(
      `Proof cannot tell: ${describeFactors(key)}: ${first ?? NOTHING_PROVED} ${names[0]}, ` +
        `${second ?? NOTHING_PROVED} ${names[1]}`,
    );
  }
  return lines;
}

/** What a lab says that claims no numbers. */
function proofAnswer({ lab, proofs, onlyFirst, onlySecond }: RunComparison): string[] {
  const count = (outcome: Outcome): number =>
    proofs.filter((proof) => proof.outcome === outcome).length;
  if (proofs.length === 0) {
    const alone = onlyFirst.length + onlySecond.length > 0
      ? " in the rows that both runs have"
      : "";
    return [`${lab} compares no numbers, and proves nothing${alone}: there is nothing to tell.`];
  }
  const [same, differ, open] = [count("agrees"), count("differs"), count("cannot tell")];
  return [
    `${lab} compares no numbers, but what each row proves: ${same} of ${proofs.length} identical, ` +
    `${differ === 1 ? "1 differs" : `${differ} differ`}` +
    (open === 0 ? "." : `, ${open} cannot be told.`),
  ];
}

const NOTHING_PROVED = "nothing proved";

/** What each row proves in both runs. */
function proofTable(
  { proofs }: RunComparison,
  names: readonly [string, string],
  width: number,
  colours: boolean,
): string {
  const keys = Object.keys(proofs[0]!.key).filter((name) =>
    proofs.length === 1 || new Set(proofs.map(({ key }) => key[name])).size > 1
  );
  // Of a text nothing can be closer than the same.
  const verdict = ({ outcome }: ComparedProof): Outcome =>
    outcome === "agrees" ? "identical" : outcome;
  return table<ComparedProof>(
    [
      ...keys.map((name) => ({
        title: name,
        value: ({ key }: ComparedProof): Factor => key[name] ?? null,
      })),
      { title: names[0], value: ({ first }) => first ?? NOTHING_PROVED, align: "left" },
      { title: names[1], value: ({ second }) => second ?? NOTHING_PROVED, align: "left" },
      { title: "verdict", value: verdict, style: (proof) => STYLES[verdict(proof)] },
    ],
    proofs,
    { width, colours },
  );
}

/** The effects, which are what a lab claims, and apart from them the levels of the baseline. */
function answerLines(
  { rows, isSameMachine, clock }: RunComparison,
  colours: boolean,
): string[] {
  if (rows.length === 0) return ["No row was measured in both runs."];
  if (clock === "instructions") return [countsLine(rows, colours)];
  const line = (title: string, group: readonly ComparedRow[]): string => {
    const count = (outcome: Outcome): number =>
      group.filter((row) => row.outcome === outcome).length;
    const [agree, differ, open] = [count("agrees"), count("differs"), count("cannot tell")];
    const differing = differ === 1 ? "1 differs" : `${differ} differ`;
    return `${title}: ${agree} of ${group.length} agree, ` +
      `${styled(differing, differ > 0 ? "red" : undefined, colours)}, ${open} cannot be told.`;
  };
  const effects = rows.filter(({ isBaseline }) => !isBaseline);
  const levels = rows.filter(({ isBaseline }) => isBaseline);
  return [
    ...effects.length === 0 ? [] : [line("Effects", effects)],
    ...levels.length === 0
      ? []
      : isSameMachine
      ? [line("Levels of the baseline", levels)]
      : ["Levels of the baseline: on another machine, they cannot be told."],
  ];
}

/** A count is what a lab claims where its clock counts. */
function countsLine(rows: readonly ComparedRow[], colours: boolean): string {
  const count = (outcome: Outcome): number => rows.filter((row) => row.outcome === outcome).length;
  const [same, agree, differ] = [count("identical"), count("agrees"), count("differs")];
  const differing = differ === 1 ? "1 differs" : `${differ} differ`;
  return `Rows (${NOT_TIME}): ${same} of ${rows.length} identical, ${agree} ` +
    `${agree === 1 ? "agrees" : "agree"} within 0.5 %, ` +
    `${styled(differing, differ > 0 ? "red" : undefined, colours)}.`;
}

/** One table, with a line above the rows of each baseline that says what they have in common. */
function rowTable(
  { rows, clock }: RunComparison,
  { within }: RowDeclaration,
  names: readonly [string, string],
  width: number,
  colours: boolean,
): string {
  const varying = Object.keys(rows[0]!.key).filter((name) =>
    new Set(rows.map(({ key }) => key[name])).size > 1
  );
  const keys = varying.filter((name) => !within.includes(name));
  const measures = new Set(rows.map(({ measure }) => measure.name)).size;
  const headingOf = ({ key, measure }: ComparedRow): string => {
    const common = varying.filter((name) => within.includes(name))
      .map((name) => `${name} ${key[name]}`).join(", ");
    return [...measures > 1 ? [measure.title] : [], ...common === "" ? [] : [common]].join("; ");
  };
  const effect = (one: ComparedRow["first"]): string | null =>
    one.effect === null ? null : formatChange(one.effect.ratio);
  const text = table<ComparedRow>(
    [
      ...keys.map((name) => ({
        title: name,
        value: ({ key }: ComparedRow): Factor => key[name] ?? null,
      })),
      ...(clock === "instructions" ? countColumns(names) : [
        { title: `effect\n${names[0]}`, value: ({ first }) => effect(first), align: "right" },
        { title: `effect\n${names[1]}`, value: ({ second }) => effect(second), align: "right" },
        {
          title: "change,\n95 % interval",
          value: ({ change }) => change === null ? null : interval(change),
          align: "right",
        },
      ] satisfies TableColumn<ComparedRow>[]),
      {
        title: "verdict",
        value: ({ outcome }) => outcome,
        style: ({ outcome }) => STYLES[outcome],
      },
      { title: "because", value: ({ why }) => why, dispensable: true },
      ...(clock === "instructions" ? [] : [{
        title: `level ${names[0]}\n→ ${names[1]}`,
        value: ({ first, second, measure: { unit } }) =>
          `${formatSi(first.level, unit)} → ${formatSi(second.level, unit)}`,
        dispensable: true,
      }] satisfies TableColumn<ComparedRow>[]),
    ],
    rows,
    { width, colours, groupBy: headingOf },
  );
  const headings = [...new Set(rows.map(headingOf))];
  if (headings.length === 1) return text;
  // The first line of the table's rules is under its titles, the others are between the groups.
  let rules = 0;
  return text.split("\n").flatMap((line) => {
    if (!/^[─ ]+$/.test(stripVTControlCharacters(line))) return [line];
    const heading = styled(headings[rules++] ?? "", "bold", colours);
    return rules === 1 ? [line, heading] : [heading];
  }).join("\n");
}

function countColumns(names: readonly [string, string]): TableColumn<ComparedRow>[] {
  return [
    { title: names[0], value: ({ first }) => formatCount(first.level), align: "right" },
    { title: names[1], value: ({ second }) => formatCount(second.level), align: "right" },
    { title: "change", value: ({ change }) => smallChange(change!.ratio), align: "right" },
  ];
}

/** A change in hundredths of a percent. */
function smallChange(ratio: number): string {
  const change = (ratio - 1) * 100;
  return `${change > 0 ? "+" : change < 0 ? "−" : "±"}${Math.abs(change).toFixed(2)} %`;
}

function interval({ low, high }: Pick<Change, "low" | "high">): string {
  return `${formatChange(low).replace(" %", "")} to ${formatChange(high)}`;
}

/** Each row that differs in a sentence with all its figures. */
function differenceNotes(
  { rows, clock }: RunComparison,
  { baseline }: RowDeclaration,
  names: readonly [string, string],
): string[] {
  return rows.filter(({ outcome }) => outcome === "differs").map((row) => {
    const { key, measure, isBaseline, first, second, change } = row;
    if (clock === "instructions") {
      return `Differs: ${describeFactors(key)}: ${measure.title}: ${formatCount(first.level)} ` +
        `${names[0]}, ${formatCount(second.level)} ${names[1]}: ${smallChange(change!.ratio)}.`;
    }
    const said = ({ level, effect }: ComparedRow["first"]): string =>
      isBaseline || effect === null
        ? `${formatSi(level, measure.unit)}`
        : `${formatChange(effect.ratio)} (${interval(effect)})`;
    const what = isBaseline ? "" : ` against ${valuesOf(baseline)}`;
    return `Differs: ${describeFactors(key)}: ${measure.title}${what}: ${said(first)} ` +
      `${names[0]}, ${said(second)} ${names[1]}; the change is ${formatChange(change!.ratio)}, ` +
      `${interval(change!.corrected)} with the interval widened for the number of rows.`;
  });
}

function otherNotes(
  { rows, clock, unmeasured, onlyFirst, onlySecond }: RunComparison,
  { baseline, measures }: RowDeclaration,
  names: readonly [string, string],
): string[] {
  const notes: string[] = [];
  for (const [name, missingIn] of [[names[0], "first"], [names[1], "second"]] as const) {
    const own = unmeasured.filter((row) => row.missingIn === missingIn);
    if (own.length === 0) continue;
    const said = own.map(({ key, measure }) =>
      `(${describeFactors(key)})${measures.length > 1 ? `, ${measure.title}` : ""}`
    );
    notes.push(`Cannot tell, not measured ${name}: ${said.join("; ")}.`);
  }
  const noisy = rows.filter(({ outcome, why }) => outcome === "cannot tell" && why === NOISE)
    .map(({ change }) => Math.max(change!.high, 1 / change!.low))
    .sort((a, b) => a - b);
  if (noisy.length > 0) {
    notes.push(
      "Where it cannot be told, a change of " +
        `${spanOf(noisy.map((ratio) => (ratio - 1) * 100))} % may have gone unseen; more rounds ` +
        "(--repeats N) see smaller ones.",
    );
  }
  const titles = measures.map(({ title }) => title).join(", and ");
  if (rows.length > 0 && clock === "instructions") {
    notes.push(`Compared: ${titles}, the smallest of the rounds.`);
  } else if (rows.length > 0) {
    notes.push(
      `Effect: ${titles} against ${valuesOf(baseline)} in the same round of the same run; ` +
        "the change is what it became, divided by what it was.",
    );
  }
  for (const [name, only] of [[names[0], onlyFirst], [names[1], onlySecond]] as const) {
    if (only.length > 0) {
      notes.push(`Only ${name}: ${only.map((key) => valuesOf(key)).join("; ")}.`);
    }
  }
  return notes;
}

const NOISE = "noise";

function spanOf(sorted: readonly number[]): string {
  const [least, most] = [sorted[0]!.toFixed(0), sorted.at(-1)!.toFixed(0)];
  return least === most ? least : `${least} to ${most}`;
}

function valuesOf(factors: Factors): string {
  return Object.values(factors).join(", ");
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
