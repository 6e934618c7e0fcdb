/**
 * Runs a run again, from its document.
 *
 * @module
 */
import { compareRuns, ComparisonError, type RunComparison } from "../run/compare_runs.ts";
import {
  type ComparisonTextOptions,
  formatComparison,
  formatDifferences,
} from "../run/comparison_text.ts";
import { type Lab, runLab, type RunOptions } from "../lab/lab.ts";
import { type LabOption, type LabOptions, OptionError } from "../options/options.ts";
import { labTask, labWord } from "../lab/lab_command.ts";
import type { RunDocument } from "../run/run_document.ts";
import { type Clock, clockOfRun, machineClock } from "../trials/clock.ts";
import type { Measure } from "../trials/trials.ts";

/** What a replay may have of its own. Everything else is as the document says. */
export type ReplayOptions =
  & Pick<RunOptions, "repeats" | "look" | "signal" | "progress" | "write">
  & {
    /** Options that name something of this machine, such as a file: those of the other are not used. */
    readonly options?: Readonly<Record<string, unknown>>;
  };

/** A run that was run again. */
export interface Replayed {
  /** The new run. */
  readonly document: RunDocument;
  /** The new run compared with the one that was replayed. */
  readonly comparison: RunComparison;
}

/** What the runs are called in the text of a replay. */
export const REPLAY_NAMES = ["then", "now"] as const;

/** Options of where-copies once, and of every lab today: files of the other machine. */
const DRAWINGS: readonly string[] = ["flame", "changes"];

/**
 * What to run a lab with so that it repeats a run: the same options, seed and repeats.
 *
 * Options that were not given then, and that have a default, get the value that they had then, not
 * today's default. Options that name something of a machine are not taken over: those that were
 * given must be given again.
 *
 * @param document The run.
 * @param lab Its lab.
 * @param given What differs.
 * @returns Options for `labContext` and `runLab`.
 * @throws {OptionError} If the lab is another one, does not know an option of the run, or if an
 *   option must be given again; the message names them.
 * @throws {ComparisonError} If the clock of this machine counts something else.
 */
export function replayOptions(
  document: RunDocument,
  lab: Lab,
  given: ReplayOptions = {},
): RunOptions {
  if (lab.name !== document.lab) {
    throw new OptionError(`The run is one of ${document.lab}, not of ${lab.name}`);
  }
  requireClock(document, machineClock());
  const { invocation, parameters } = document;
  const recorded = Object.fromEntries(
    Object.entries(invocation?.options ?? {}).filter(([name]) => !DRAWINGS.includes(name)),
  );
  const known = new Set(
    Object.entries(lab.options as LabOptions)
      .flatMap(([name, { formerly }]) => [name, formerly?.name ?? name]),
  );
  const unknown = Object.keys(recorded).filter((name) => !known.has(name));
  if (unknown.length > 0) {
    throw new OptionError(
      `The run was made with ${unknown.map((name) => `--${name}`).join(" and ")}, which ` +
        `${lab.name} does not have in this version of zclab. What to do: use the version that ` +
        `made it${madeBy(document)}`,
    );
  }
  const own = given.options ?? {};
  const options: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(lab.options as LabOptions)) {
    const value = valueThen(name, option, recorded, parameters);
    const isLocal = option.local !== undefined &&
      (value === undefined || localValues(option, value).length > 0);
    if (Object.hasOwn(own, name)) {
      if (!isLocal) throw fixed(name, lab);
      options[name] = own[name];
    } else if (value !== undefined) {
      requireOfNoMachine(name, option, value, lab);
      options[name] = value;
    }
  }
  const [stray] = Object.keys(own).filter((name) => !Object.hasOwn(lab.options, name));
  if (stray !== undefined) throw new OptionError(`${lab.name} has no option ${stray}`);
  const repeats = given.repeats ?? invocation?.repeats ?? parameters["repeats"];
  return {
    ...given,
    options: options as NonNullable<RunOptions["options"]>,
    quick: invocation?.quick ?? parameters["quick"] === true,
    ...(document.seed === null ? {} : { seed: document.seed }),
    ...(typeof repeats === "number" ? { repeats } : {}),
  };
}

/**
 * Runs a run again on this machine, with the same options and seed, and compares the two.
 *
 * @param document The run, as `readRunDocument` gives it.
 * @param lab Its lab.
 * @param given What differs.
 * @returns The new run and the comparison; shown in a REPL as text for people.
 * @throws {OptionError} As {@linkcode replayOptions}.
 * @throws {ComparisonError} If the lab does not say how its runs are compared, or the clock of this
 *   machine counts something else than that of the run.
 * @throws {UnsupportedError} If something that the lab needs is not possible here.
 */
export async function replay(
  document: RunDocument,
  lab: Lab,
  given: ReplayOptions = {},
): Promise<Replayed> {
  const options = replayOptions(document, lab, given);
  const rows = requireRows(lab);
  const outcome = await runLab(lab, options);
  const comparison = compareRuns(document, outcome.document, rows);
  return Object.defineProperty(
    { document: outcome.document, comparison },
    Symbol.for("Deno.customInspect"),
    {
      value: (): string => formatReplay(comparison, lab),
      enumerable: false,
    },
  );
}

/**
 * Makes sure that a run can be repeated with this clock.
 *
 * @param document The run.
 * @param here What the clock of this machine counts.
 * @throws {ComparisonError} If that of the run counts something else.
 */
export function requireClock(document: RunDocument, here: Clock): void {
  const then = clockOfRun(document);
  if (then === here) return;
  const option = then === "instructions" ? " --clock instructions" : "";
  throw new ComparisonError(
    `The clock of the run counts ${then}, that of this machine ${here}: run again here, nothing in ` +
      `them could be compared. What to do: deno task vm${option} -- ${labTask()} replay FILE` +
      (then === "time" ? ", or without the guest if the run was made without" : ""),
  );
}

/** How the runs of a lab are compared. */
export function requireRows(lab: Lab): NonNullable<Lab["rows"]> {
  if (lab.rows !== undefined) return lab.rows;
  throw new ComparisonError(
    `${lab.name} does not say how its runs are compared: what to do: give the lab \`rows\``,
  );
}

/**
 * A whole comparison as text: what differs around the runs, then row by row.
 *
 * @param comparison The comparison.
 * @param lab The lab.
 * @param options How it is shown.
 * @returns Lines, each ended by a newline.
 */
export function formatReplay(
  comparison: RunComparison,
  lab: Lab,
  options: ComparisonTextOptions = {},
): string {
  const whole = { names: REPLAY_NAMES, ...options };
  return `${formatDifferences(comparison.differences, whole)}\n` +
    formatComparison(comparison, requireRows(lab), whole);
}

/** The value of an option in the run, under today's name and in today's unit; undefined for none. */
function valueThen(
  name: string,
  option: LabOption,
  recorded: Readonly<Record<string, Measure>>,
  parameters: Readonly<Record<string, Measure>>,
): unknown {
  const { name: before = name, unit = 1 } = option.formerly ?? {};
  const isFormer = before !== name && (Object.hasOwn(recorded, before) ||
    (!Object.hasOwn(parameters, name) && Object.hasOwn(parameters, before)));
  const value = isFormer
    ? recordedValue(before, option, recorded, parameters)
    : recordedValue(name, option, recorded, parameters);
  const { minimum = -Infinity } = option as { minimum?: number };
  const inFormerUnit = typeof value === "number" && (isFormer || value < minimum);
  return inFormerUnit ? value * unit : value;
}

function recordedValue(
  name: string,
  option: LabOption,
  recorded: Readonly<Record<string, Measure>>,
  parameters: Readonly<Record<string, Measure>>,
): unknown {
  if (Object.hasOwn(recorded, name)) return recorded[name] ?? undefined;
  // Without a default the lab chose for itself, as it does now; what it chose may be among the
  // parameters, under the same name.
  const hasDefault = option.kind === "flag" || option.default !== undefined;
  return hasDefault ? parameters[name] ?? undefined : undefined;
}

function fixed(name: string, lab: Lab): OptionError {
  return new OptionError(
    `--${name} cannot stand beside --replay: it is as in the run that is replayed. ` +
      `${labTask()} ${labWord(lab)} --${name} ... is a run of its own`,
  );
}

/** The values that name something of the machine at hand. */
function localValues(option: LabOption, value: unknown): (string | number)[] {
  const values = (Array.isArray(value) ? value : [value]) as (string | number)[];
  return values.filter((item) => option.local?.(item));
}

function requireOfNoMachine(name: string, option: LabOption, value: unknown, lab: Lab): void {
  const local = localValues(option, value);
  if (local.length === 0) return;
  throw new OptionError(
    `The run was made with --${name} ${local.join(",")}, which names something of the machine it ` +
      `ran on. What to do: say what to use here, as in ${labTask()} replay FILE ` +
      `${lab.file === undefined ? "" : `${labWord(lab)} `}--${name} ${
        local.join(",")
      } (${lab.name}: ${option.description})`,
  );
}

function madeBy({ code: { version, commit } }: RunDocument): string {
  const parts = [version, commit?.slice(0, 10)].filter((part) => typeof part === "string");
  return parts.length === 0 ? "" : `: ${parts.join(", commit ")}`;
}
