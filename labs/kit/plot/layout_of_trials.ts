/**
 * What stands where in a plot of trials: which factor is the axis, which ones tell the series
 * apart, which ones the panels.
 *
 * The defaults are read off the experiment itself. Its control is the baseline: the factors that
 * all control trials share are what is compared, and tell the series apart; the others say under
 * which circumstances, and a size among them is the axis.
 *
 * @module
 */
import {
  describeFactors,
  type Factor,
  type Factors,
  type Measures,
  type Trial,
} from "../trials/trials.ts";
import { PlotError } from "./figure.ts";
import { words } from "./names.ts";

/** Which factors stand where. What is left out is found from the trials. */
export interface LayoutOptions {
  /** The factor along the axis; its values are numbers. Null for no axis. */
  readonly x?: string | null;
  /** The factors that tell the series apart. */
  readonly series?: string | readonly string[];
  /** The factors of which each combination has a panel of its own. */
  readonly panels?: string | readonly string[];
  /** What is compared with, such as `{ mode: "copy" }`; the control unless given. */
  readonly baseline?: { readonly [factor: string]: Factor };
  /** Only trials with these values, one or a list for each factor. */
  readonly where?: { readonly [factor: string]: Factor | readonly Factor[] };
  /** Rows that name combinations in the order in which they shall stand. */
  readonly order?: readonly Measures[];
}

/** One combination, and where it stands. */
export interface PlacedCombination {
  /** The combination. */
  readonly factors: Factors;
  /** Its place along the axis; null where there is none. */
  readonly x: number | null;
  /** The name of its series; empty if all combinations are one series. */
  readonly series: string;
  /** The name of its panel. */
  readonly panel: string;
  /** Its trials that count, the control left out. */
  readonly trials: readonly Trial[];
}

/** Where all combinations stand. */
export interface TrialsLayout {
  /** The trials that the plot is about, warm-up and controls included. */
  readonly trials: readonly Trial[];
  /** The factor along the axis. */
  readonly x: string | undefined;
  /** The combinations in the order in which the trials name them. */
  readonly combinations: readonly PlacedCombination[];
  /** The names of the series. */
  readonly labels: readonly string[];
  /** The series that is the baseline, where there is one. */
  readonly baseline: string | undefined;
  /** The factor values that make a combination the baseline, where there is one. */
  readonly baselineFactors: { readonly [factor: string]: Factor } | undefined;
  /** The names of the panels. */
  readonly panels: readonly string[];
  /** The factors that tell the panels apart. */
  readonly panelFactors: readonly string[];
  /** How many rounds count. */
  readonly rounds: number;
  /** What a reader must know. */
  readonly notes: readonly string[];
}

/** What ran once beside an experiment that was repeated, such as the check of a count. */
export function singleTrials(trials: readonly Trial[]): readonly Trial[] {
  const kept = new Set(withoutSingles(trials).kept);
  return trials.filter((trial) => !kept.has(trial));
}

/**
 * Finds out what stands where.
 *
 * @param trials All trials.
 * @param options What is not to be found from them.
 * @throws {PlotError} If there is nothing to plot, or a factor that was named is not there.
 */
export function layoutOf(trials: readonly Trial[], options: LayoutOptions): TrialsLayout {
  const chosen = select(trials, options.where ?? {});
  const { kept, notes } = withoutSingles(chosen);
  const counted = kept.filter(({ warmUp, control }) => !warmUp && !control);
  if (counted.length === 0) {
    throw new PlotError(
      trials.length === 0 ? "plot: there are no trials" : "plot: there are no trials that count: " +
        (options.where === undefined ? "all are warm-up" : "none has the values of options.where"),
    );
  }
  const names = [...new Set(counted.flatMap(({ factors }) => Object.keys(factors)))];
  const valuesOf = (name: string, of: readonly Trial[] = counted): Factor[] => [
    ...new Set(of.map(({ factors }) => factors[name] ?? null)),
  ];
  const varying = names.filter((name) => valuesOf(name).length > 1);
  for (
    const [option, given] of Object.entries({ ...options, where: undefined, order: undefined })
  ) {
    for (const name of factorsNamed(option, given)) {
      if (names.includes(name)) continue;
      throw new PlotError(
        `plot: options.${option}: no factor is called ${name}; the factors are ` +
          (names.join(", ") || "none"),
      );
    }
  }

  for (const [name, value] of Object.entries(options.baseline ?? {})) {
    const levels = valuesOf(name);
    if (levels.includes(value)) continue;
    throw new PlotError(
      `plot: options.baseline: no trial that counts has ${name} ${value}; it is one of ` +
        levels.join(", "),
    );
  }

  const controls = kept.filter(({ control }) => control);
  const baselineFactors = options.baseline ??
    (controls.length === 0 ? undefined : Object.fromEntries(
      varying.filter((name) => valuesOf(name, controls).length === 1)
        .map((name) => [name, controls[0]!.factors[name] ?? null]),
    ));
  const compared = baselineFactors === undefined
    ? varying.filter((name) => !isSize(valuesOf(name)))
    : varying.filter((name) => Object.hasOwn(baselineFactors, name));
  const circumstances = varying.filter((name) => !compared.includes(name));

  const asked = { series: list(options.series), panels: list(options.panels) };
  const free = (name: string): boolean =>
    !asked.series?.includes(name) && !asked.panels?.includes(name);
  const x = options.x === null
    ? undefined
    : options.x ?? circumstances.find((name) => free(name) && isSize(valuesOf(name))) ??
      (compared.length === 1 && free(compared[0]!) && isSize(valuesOf(compared[0]!))
        ? compared[0]
        : undefined);
  if (x !== undefined && !valuesOf(x).every((value) => typeof value === "number" && value > 0)) {
    throw new PlotError(`plot: options.x: the values of ${x} are not all numbers above 0`);
  }
  const rest = varying.filter((name) => name !== x);
  const series = asked.series ??
    rest.filter((name) => compared.includes(name) && !asked.panels?.includes(name));
  const panels = asked.panels ??
    (baselineFactors === undefined && asked.series === undefined
      ? []
      : rest.filter((name) => !series.includes(name)));
  // Without a control nothing says what is a circumstance: all that varies tells series apart.
  const telling = asked.series === undefined && baselineFactors === undefined
    ? rest.filter((name) => !panels.includes(name))
    : series;

  const combinations = ordered(group(counted), options.order ?? []).map(
    (own): PlacedCombination => {
      const { factors } = own[0]!;
      return {
        factors,
        x: x === undefined ? null : factors[x] as number,
        series: nameOf(factors, telling) || "",
        panel: nameOf(factors, panels),
        trials: own,
      };
    },
  );
  requireDistinct(combinations, varying);
  const baseline = baselineFactors === undefined
    ? undefined
    : combinations.find(({ factors }) =>
      Object.entries(baselineFactors).every(([name, value]) => factors[name] === value)
    )?.series;
  const labels = [...new Set(combinations.map((one) => one.series))];
  return {
    trials: kept,
    x,
    combinations,
    labels: baseline === undefined
      ? labels
      : [baseline, ...labels.filter((label) => label !== baseline)],
    baseline,
    baselineFactors,
    panelFactors: panels,
    panels: [...new Set(combinations.map(({ panel }) => panel))],
    rounds: new Set(counted.map(({ round }) => round)).size,
    notes,
  };
}

/**
 * The number that a trial measured under a name, or null where it has none.
 *
 * @throws {PlotError} If it is no finite number.
 */
export function measured(trial: Trial, measure: string): number | null {
  const { measures } = trial;
  const covariates: { readonly [name: string]: number | null } = { ...trial.covariates };
  const value = Object.hasOwn(measures, measure)
    ? measures[measure]
    : Object.hasOwn(covariates, measure)
    ? covariates[measure]
    : undefined;
  if (typeof value !== "number") return null;
  if (Number.isFinite(value)) return value;
  throw new PlotError(
    `plot: the measure ${measure} of ${placeOf(trial)} is ${value}; what has no value is null`,
  );
}

/** A trial in words, such as `payload 600, mode zc in round 3`. */
export function placeOf({ factors, round }: Trial): string {
  return `${describeFactors(factors) || "the only combination"} in round ${round}`;
}

/** The names of everything that the trials measured as numbers. */
export function numericMeasures(trials: readonly Trial[]): string[] {
  const names = new Set<string>();
  for (const { measures } of trials) {
    for (const [name, value] of Object.entries(measures)) {
      if (typeof value === "number") names.add(name);
    }
  }
  return [...names];
}

function select(
  trials: readonly Trial[],
  where: NonNullable<LayoutOptions["where"]>,
): readonly Trial[] {
  for (const name of Object.keys(where)) {
    if (trials.some(({ factors }) => Object.hasOwn(factors, name))) continue;
    throw new PlotError(`plot: options.where: no factor is called ${name}`);
  }
  return trials.filter(({ factors }) =>
    Object.entries(where).every(([name, wanted]) =>
      Array.isArray(wanted) ? wanted.includes(factors[name]) : factors[name] === wanted
    )
  );
}

/** What ran once where all else was repeated is a check beside the experiment. */
function withoutSingles(trials: readonly Trial[]): { kept: readonly Trial[]; notes: string[] } {
  const groups = group(trials.filter(({ warmUp, control }) => !warmUp && !control));
  const most = Math.max(0, ...groups.map((own) => own.length));
  // In the second round of a run that was stopped some have had two turns and the others one.
  const shared = new Set(
    groups.filter((own) => own.length > 1).flatMap((own) => own.map(({ round }) => round)),
  );
  const singles = groups.filter((own) =>
    own.length === 1 && (most > 2 || !shared.has(own[0]!.round))
  );
  if (most < 2 || singles.length === 0) return { kept: trials, notes: [] };
  const keys = new Set(singles.map((own) => keyOf(own[0]!.factors)));
  return {
    kept: trials.filter(({ factors }) => !keys.has(keyOf(factors))),
    notes: [
      `Left out, because measured only once: ${
        singles.map((own) => describeFactors(own[0]!.factors)).join("; ")
      }`,
    ],
  };
}

function group(trials: readonly Trial[]): Trial[][] {
  return [...Map.groupBy(trials, ({ factors }) => keyOf(factors)).values()];
}

/** Trials run in random order: as the rows have it, or by their names where they do not tell. */
function ordered(groups: Trial[][], rows: readonly Measures[]): Trial[][] {
  const rank = ({ factors }: Trial): number => {
    const found = rows.findIndex((row) => {
      const shared = Object.keys(factors).filter((name) => Object.hasOwn(row, name));
      return shared.length > 0 && shared.every((name) => row[name] === factors[name]);
    });
    return found < 0 ? rows.length : found;
  };
  const natural = new Intl.Collator("en", { numeric: true });
  return groups.map((own) => ({ own, rank: rank(own[0]!), name: keyOf(own[0]!.factors) }))
    .sort((a, b) => a.rank - b.rank || natural.compare(a.name, b.name))
    .map(({ own }) => own);
}

/** The same text for the same combination, in whatever order its factors are written. */
export function keyOf(factors: Factors): string {
  return JSON.stringify(Object.entries(factors).sort(([a], [b]) => a < b ? -1 : 1));
}

function isSize(values: readonly Factor[]): boolean {
  return values.length > 1 && values.every((value) => typeof value === "number" && value > 0);
}

function list(given: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof given === "string" ? [given] : given;
}

function factorsNamed(option: string, given: unknown): readonly string[] {
  if (given === undefined || given === null) return [];
  if (option === "baseline") return Object.keys(given);
  return ["x", "series", "panels"].includes(option)
    ? list(given as string | readonly string[])!
    : [];
}

/** The values of a combination in words, such as `pair, processors: two, ring`. */
function nameOf(factors: Factors, names: readonly string[]): string {
  return names.map((name) => valueText(name, factors[name] ?? null, names.length > 1))
    .filter((part) => part !== "").join(", ");
}

/**
 * A value in words. Most words speak for themselves; a number, yes or no only with the factor, and so
 * do words such as `one` or `same` where they stand among others.
 *
 * @param name The factor.
 * @param value Its value.
 * @param amongOthers Whether values of other factors stand beside it.
 */
export function valueText(name: string, value: Factor, amongOthers: boolean): string {
  if (value === null) return "";
  if (typeof value === "boolean") return `${words(name)}: ${value ? "yes" : "no"}`;
  if (typeof value === "number") {
    return /^mtu$/i.test(name)
      ? `MTU ${value}`
      : /payload|bytes/i.test(name)
      ? `${value} bytes`
      : `${words(name)} ${value}`;
  }
  const isVague = /^(yes|no)$/.test(value) ||
    (amongOthers && /^(one|two|three|four|same|other|on|off|none)$/.test(value));
  return isVague ? `${words(name)}: ${value}` : value;
}

function requireDistinct(
  combinations: readonly PlacedCombination[],
  varying: readonly string[],
): void {
  const seen = new Set<string>();
  for (const { x, series, panel } of combinations) {
    const place = JSON.stringify([x, series, panel]);
    if (seen.has(place)) {
      throw new PlotError(
        `plot: several combinations stand at the same place (${
          [panel, series, x].filter((part) => part !== "" && part !== null).join(", ")
        }). What to do: name more factors in options.series or options.panels, or fewer trials in ` +
          `options.where; the factors that vary are ${varying.join(", ")}`,
      );
    }
    seen.add(place);
  }
}
