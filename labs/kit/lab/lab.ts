/**
 * What a lab is: a named experiment with declared needs and options, and one function that runs it.
 * The command line, the REPL and the notebooks all start a lab through this interface.
 *
 * @module
 */
import { UnsupportedError } from "../../../ffi/kernel/errors.ts";
import type { CodeVersion } from "../experiment/code_version.ts";
import type { RowDeclaration } from "../run/run_rows.ts";
import { type Clock, machineClock } from "../trials/clock.ts";
import { displayedAs } from "../experiment/displayed_as.ts";
import { displayOutcome } from "./display_outcome.ts";
import { type Environment, environment } from "../experiment/environment.ts";
import { type Measures, type Trial, TrialError } from "../experiment/experiment.ts";
import {
  checkOption,
  type LabOptions,
  type NumberOption,
  OptionError,
  type OptionValues,
  optionValues,
} from "../options/options.ts";
import { codeOf } from "./own_file.ts";
import { probe } from "../probe/probe.ts";
import type { Requirement } from "../probe/requirements.ts";
import type { RunTable } from "../run/run_table.ts";
import { partOf, RUN_SCHEMA, type RunDocument, type RunInvocation } from "../run/run_document.ts";
import { RunError } from "../run/run_error.ts";
import type { RunView } from "../run/run_view.ts";

/** How often a lab repeats each trial: three times at most where the clock counts instructions. */
export interface Repeats {
  /** The usual number. */
  readonly default: number;
  /** The number under `--quick`. */
  readonly quick: number;
  /** The smallest number from which the lab can say anything. */
  readonly minimum: number;
}

/** Where a lab says how far it is. */
export interface ProgressReporter {
  /**
   * Reports the state of the run.
   *
   * @param done How many steps are finished.
   * @param total How many steps there are.
   * @param label What is being done.
   */
  update(done: number, total: number, label?: string): void;
}

/** What a document says of a run that the lab need not know. */
export interface RunRecord {
  /** The lab's name. */
  readonly lab: string;
  /** What was asked for. */
  readonly invocation: RunInvocation;
  /** The code that runs. */
  readonly code: CodeVersion;
  /** When the run started: date and time in UTC, ISO 8601. */
  readonly startedAt: string;
}

/** What is looked at with the microscope when the trials have run. */
export interface LookOptions {
  /**
   * The row: values of its factors, such as `zc,8000` or `mode=zc,payload=8000`.
   *
   * @default {the first row that is no baseline}
   */
  readonly row?: string;
  /**
   * The row that it is compared with, in the same way; what is not said is as in the other row.
   *
   * @default {its baseline}
   */
  readonly against?: string;
  /**
   * Whether there must be two rows.
   *
   * @default {false}
   */
  readonly changes?: boolean;
}

/** What a lab is given to run with. */
export interface LabContext<Options extends LabOptions = LabOptions> {
  /** The lab's own options, complete and checked. */
  readonly options: OptionValues<Options>;
  /** The file that the run document will be written to by the caller, if any. */
  readonly json: string | undefined;
  /** Whether a short run was asked for. */
  readonly quick: boolean;
  /** The seed of everything random in the run. */
  readonly seed: number;
  /** How often each trial is repeated. */
  readonly repeats: number;
  /** What the clock counts by which the run is measured. */
  readonly clock: Clock;
  /**
   * Aborted when the run should stop. The lab cleans up and returns what it has measured, with
   * `complete` false; if that is nothing, it rejects with the signal's reason.
   */
  readonly signal: AbortSignal;
  /** What {@linkcode runDocument} puts into the document. */
  readonly record: RunRecord;
  /** What to look at with the microscope when the trials have run; undefined for nothing. */
  readonly look?: LookOptions | undefined;
  /** Where to say how far the run is. */
  readonly progress: ProgressReporter;
  /** Prints a piece of text while the lab runs; the result belongs in the outcome. */
  write(text: string): void;
}

/** What a lab found. */
export interface LabOutcome {
  /** The run as a document, for `--json`. */
  readonly document: RunDocument;
  /** The table, the plot and the verdict, for people. */
  readonly text: string;
}

/** What a lab found out, for {@linkcode runDocument}. */
export interface RunFindings {
  /** What the run depended on, recorded before it. */
  readonly environment: Environment;
  /**
   * What the lab chose or learned beside its options, such as what was not possible. Replaces
   * options of the same name.
   *
   * @default {{}}
   */
  readonly parameters?: Measures;
  /** False if the run was stopped before its last trial. */
  readonly complete: boolean;
  /** Every trial in the order in which it ran, warm-up and controls included. */
  readonly trials: readonly Trial[];
  /** What the trials come to: the rows of the table. */
  readonly summary: readonly Measures[];
  /** How the rows are to be read. */
  readonly table?: RunTable;
  /** What the microscope saw of a row, or of two. */
  readonly views?: readonly RunView[];
}

/** An experiment that can be listed, described and run. */
export interface Lab<Options extends LabOptions = LabOptions> {
  /** The name on the command line, such as `tx-copy-vs-zc`. */
  readonly name: string;
  /** One line for the list of labs. */
  readonly title: string;
  /** What the lab shows and how, in a few sentences. */
  readonly description: string;
  /** What {@linkcode probe} must find real for the lab to run. */
  readonly needs: readonly Requirement[];
  /** The lab's own options, beside the common ones. */
  readonly options: Options;
  /** How often trials are repeated; 5, or 3 under `--quick`, unless the lab says otherwise. */
  readonly repeats?: Repeats;
  /** How two runs are compared row by row; without it they cannot be. */
  readonly rows?: RowDeclaration;
  /**
   * The file of its own that it was loaded from: the full path, and the SHA-256 of its text. The labs
   * of zclab have none.
   */
  readonly file?: { readonly path: string; readonly sha256: string };
  /** Runs the experiment. */
  run(context: LabContext<Options>): Promise<LabOutcome>;
}

/** What to run a lab with, beside its own options; what is left out has a default. */
export interface RunOptions<Options extends LabOptions = LabOptions> {
  /** The lab's own options. */
  readonly options?: Partial<OptionValues<Options>>;
  /** The file for the run document; only told to the lab, not written here. */
  readonly json?: string;
  /** A short run. */
  readonly quick?: boolean;
  /** The seed of everything random; 1 unless given, so that a run repeats. */
  readonly seed?: number;
  /** How often each trial is repeated. */
  readonly repeats?: number;
  /**
   * What to look at with the microscope when the trials have run: where the instructions of a row go,
   * and of the row that it is compared with. The document has it as `views`; `plot()` draws it. It takes
   * a lab that `defineLab` made, in a guest with the microscope.
   */
  readonly look?: LookOptions;
  /** Stops the run, which then keeps what it has measured. */
  readonly signal?: AbortSignal;
  /** Where to say how far the run is; nowhere unless given. */
  readonly progress?: ProgressReporter;
  /** Where text goes that is printed during the run; nowhere unless given. */
  readonly write?: (text: string) => void;
}

const REPEATS: Repeats = { default: 5, quick: 3, minimum: 1 };

/** So many rounds are enough where the clock counts instructions: they are nearly the same. */
const COUNTED_REPEATS = 3;

/** The largest seed: seeds are unsigned 32-bit numbers. */
const LARGEST_SEED = 0xffff_ffff;

/**
 * Runs a lab from a program, a REPL or a notebook, after making sure that this machine can.
 *
 * @param lab The lab.
 * @param options What differs from the defaults.
 * @returns What the lab found; shown in a REPL as the text for people. If the signal stopped the
 *   run, what was measured until then: `document.complete` is false, and the text says so.
 * @throws {OptionError} If an option is unknown or has a value that the lab does not accept.
 * @throws {UnsupportedError} If something that the lab needs is not possible here.
 * @throws {RunError} If the run fails after something was measured, which is in the error.
 * @throws The signal's reason, if it was aborted before anything was measured.
 */
export async function runLab<Options extends LabOptions>(
  lab: Lab<Options>,
  options: RunOptions<Options> = {},
): Promise<LabOutcome> {
  const context = labContext(lab, options);
  const [missing] = (await probe()).missing(neededBy(lab, context));
  if (missing !== undefined) {
    throw new UnsupportedError(missing.name, {
      advice: `${missing.why}${
        missing.command ? `. What would change it: ${missing.command}` : ""
      }`,
    });
  }
  const outcome = { ...await outcomeOf(lab, context) };
  return displayedAs(outcome, () => displayOutcome(outcome), () => outcome.text);
}

/** What a run needs: what the lab does, and the microscope where something is to be looked at. */
export function neededBy(
  { needs }: Pick<Lab, "needs">,
  { look }: Pick<LabContext, "look">,
): readonly Requirement[] {
  return look === undefined || needs.includes("microscope") ? needs : [...needs, "microscope"];
}

/**
 * Runs a lab. The text of a run that was stopped says so before all else.
 *
 * @param lab The lab.
 * @param context What it runs with.
 * @throws {RunError} If it fails after something was measured.
 */
export async function outcomeOf<Options extends LabOptions>(
  lab: Lab<Options>,
  context: LabContext<Options>,
): Promise<LabOutcome> {
  const outcome = await lab.run(context).catch((error) => {
    if (!(error instanceof TrialError) || error.result.trials.length === 0) throw error;
    const { trials, complete } = error.result;
    const found = { environment: environment(), complete, trials, summary: [] };
    throw new RunError(runDocument(context, found), error);
  });
  const part = partOf(outcome.document);
  return part === undefined ? outcome : { ...outcome, text: `${part}\n\n${outcome.text}` };
}

/**
 * Makes the document of a run: what the lab found, with what its context knows.
 *
 * @param context What the lab was given to run with.
 * @param found What it found.
 * @returns The document. Its parameters are the lab's options, null where they have no value, then
 *   what the lab adds, and the seed, the repeats and whether the run was a quick one.
 */
export function runDocument<Options extends LabOptions>(
  context: LabContext<Options>,
  { environment, parameters = {}, complete, trials, summary, table, views }: RunFindings,
): RunDocument {
  const { record: { lab, invocation, code, startedAt }, options, seed, repeats, quick } = context;
  return {
    schema: RUN_SCHEMA,
    lab,
    invocation,
    parameters: { ...withoutUndefined(options), seed, repeats, quick, ...parameters },
    seed,
    environment,
    code,
    startedAt,
    complete,
    trials,
    summary,
    ...(table === undefined ? {} : { table }),
    ...(views === undefined ? {} : { views }),
  };
}

/** JSON has null where an option without a default was not given. */
function withoutUndefined(options: Readonly<Record<string, unknown>>): Measures {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name, value ?? null]),
  ) as Measures;
}

/**
 * Completes and checks what a lab runs with.
 *
 * @param lab The lab.
 * @param given What differs from the defaults.
 * @param clock What the clock counts: few and short rounds are enough where that is instructions.
 * @returns The context for {@linkcode Lab.run}.
 * @throws {OptionError} If an option is unknown or has a value that the lab does not accept.
 */
export function labContext<Options extends LabOptions>(
  lab: Lab<Options>,
  given: RunOptions<Options> = {},
  clock: Clock = machineClock(),
): LabContext<Options> {
  const quick = given.quick ?? false;
  const repeats = given.repeats ?? usualRepeats(lab, quick, clock);
  const seed = given.seed ?? 1;
  for (
    const [name, option, value] of [
      ["repeats", repeatsOption(lab), repeats],
      ["seed", SEED_OPTION, seed],
    ] as const
  ) {
    const wrong = checkOption(option, value);
    if (wrong !== undefined) throw new OptionError(`${name}: ${wrong}`);
  }
  if (given.look !== undefined && !("declaration" in lab)) {
    throw new OptionError(
      `${lab.name}: its trials are its own affair, so nobody can look at one. What to do: make it ` +
        "with defineLab()",
    );
  }
  const options = optionValues(lab, given.options ?? {}, quick, clock);
  const own = Object.entries(given.options ?? {}).filter(([, value]) => value !== undefined);
  return {
    options,
    json: given.json,
    quick,
    seed,
    repeats,
    clock,
    record: {
      lab: lab.name,
      invocation: {
        options: Object.fromEntries(own) as Measures,
        quick,
        seed,
        repeats: given.repeats ?? null,
      },
      code: codeOf(lab),
      startedAt: new Date().toISOString(),
    },
    ...(given.look === undefined ? {} : { look: given.look }),
    signal: given.signal ?? new AbortController().signal,
    progress: given.progress ?? { update: () => {} },
    write: given.write ?? (() => {}),
  };
}

/** How often each trial is repeated unless that is said. */
function usualRepeats(lab: { readonly repeats?: Repeats }, quick: boolean, clock: Clock): number {
  const { default: usual, quick: few, minimum } = lab.repeats ?? REPEATS;
  const asTime = quick ? few : usual;
  return clock === "time" ? asTime : Math.max(minimum, Math.min(asTime, COUNTED_REPEATS));
}

/** The declaration of `--seed`, which every lab has. */
export const SEED_OPTION: NumberOption = {
  kind: "number",
  description: "the seed of everything random, so that a run repeats",
  default: 1,
  minimum: 0,
  maximum: LARGEST_SEED,
};

/** The declaration of `--repeats` for a lab. */
export function repeatsOption(lab: Lab): NumberOption {
  const { default: usual, quick, minimum } = lab.repeats ?? REPEATS;
  return {
    kind: "number",
    description: "how often each trial is repeated",
    default: usual,
    quick,
    minimum,
    maximum: 10_000,
  };
}
