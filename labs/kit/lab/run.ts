/**
 * The run of a declared lab: sets up, asks what is possible, runs the trials and the checks, and makes
 * the document and the text.
 *
 * @module
 */
import { UnsupportedError } from "../../../ffi/kernel/errors.ts";
import { type Environment, environment } from "../experiment/environment.ts";
import { experiment, TrialError } from "../experiment/experiment.ts";
import {
  describeFactors,
  type Factors,
  hasFactors,
  jsonProblem,
  type Measures,
  type Trial,
} from "../trials/trials.ts";
import type { WarmUpUntilSame } from "../experiment/warm_up.ts";
import { requireFactors } from "./check_declaration.ts";
import { isInstructions } from "../trials/clock.ts";
import { comparedColumns, requireMeasuresOf } from "./columns.ts";
import type {
  AnyDeclaration,
  Recorded,
  Refused,
  RunContext,
  TrialRun,
  Use,
} from "./declaration.ts";
import { type LabContext, type LabOutcome, runDocument, type RunFindings } from "./lab.ts";
import { RunError } from "../run/run_error.ts";
import { probe } from "../probe/probe.ts";
import { Processors } from "../workload/processors.ts";
import { inInstructions } from "./in_instructions.ts";
import { chosenRows, lookAtRows, lookedText, UNSEEN } from "./looked_rows.ts";
import { type LabRow, makeRows, type Rows, runTableOf, summaryOf } from "./rows.ts";
import { labText } from "./text.ts";
import { nameOf as wayOf } from "./told.ts";
import { askMicroscope } from "./witness.ts";
import { disagreementLines, witnessLines } from "./witness_text.ts";
import type { Witnessed } from "./witnessed.ts";

/** How the rows of a declared lab are made. */
export function rowsOf(lab: AnyDeclaration): Rows<Factors, Measures> {
  const { baseline, within = [], columns, proof, normalised, earlier } = lab;
  const called = (factors: Factors): string => wayOf(lab, factors);
  return { baseline, within, columns, proof, normalised, earlier, called };
}

/**
 * Runs a declared lab.
 *
 * @param declared The declaration.
 * @param context What it runs with.
 * @returns What it found.
 * @throws {RunError} If anything fails after the first trial; what was measured is in the error.
 * @throws The signal's reason, if it was aborted before anything was measured.
 */
export async function runDeclared(
  declared: AnyDeclaration,
  context: LabContext,
): Promise<LabOutcome> {
  const lab = context.clock === "instructions" ? inInstructions(declared) : declared;
  const run = await contextOf(context);
  let found: RunFindings | undefined;
  const keep: Keep = (more) =>
    found = { complete: false, trials: [], summary: [], ...found, ...more };
  try {
    const measured = await measure(lab, context, run, keep);
    const rows = rowsFrom(lab, run, measured, keep);
    const document = runDocument(context, found!);
    const looked = document.views === undefined ? "" : lookedText(document.views);
    return { document, text: labText(lab, { ...measured, rows, context: run }) + looked };
  } catch (error) {
    if (found === undefined || found.trials.length === 0) throw error;
    throw new RunError(runDocument(context, found), error);
  }
}

/** The combinations that a lab measures. */
export function combinationsOf(lab: AnyDeclaration, run: RunContext): readonly Factors[] {
  return typeof lab.factors === "function" ? lab.factors(run.options, run) : lab.factors;
}

/** Keeps what a run has found so far, for its document, whatever fails later. */
type Keep = (more: Pick<RunFindings, "environment"> & Partial<RunFindings>) => void;

/** What was measured, and what was not possible. */
interface Measured {
  readonly record: Environment;
  readonly recorded: Recorded;
  readonly possible: readonly Factors[];
  readonly refused: readonly Refused[];
  readonly trials: readonly Trial[];
  readonly checks: readonly Trial[];
  readonly witnessed: readonly Witnessed[];
}

async function measure(
  lab: AnyDeclaration,
  context: LabContext,
  run: RunContext,
  keep: Keep,
): Promise<Measured> {
  const { seed, repeats, signal, progress } = context;
  await using stack = new AsyncDisposableStack();
  const use: Use = async (resource) => stack.use(await resource);

  const planned = combinationsOf(lab, run);
  requireFactors(lab, planned);
  const kept = await lab.setUp?.({ ...run, factors: planned }, use);
  const { possible, refused } = await sortOut(lab, planned, kept, run);
  // That a row is not there should be known before a minute of trials.
  const chosen = context.look === undefined ? [] : chosenRows(lab, context.look, possible);
  const recorded = await lab.recorded?.(kept, run) ?? {};
  requireJson(recorded, "recorded");
  const record = environment(recorded.environment ?? {});
  const parameters: Measures = { ...recorded.parameters, refused };
  // Not before: the record says on which processors the process may run, and what the set-up starts
  // does not belong on this one.
  const isPinned = lab.pinned === true || context.options["cpu"] !== undefined;
  if (isPinned) stack.use(run.processors.pin());
  const isCompared = comparedColumns(lab.columns).some(({ verdict }) => verdict === true);

  const keepTrials = (trials: readonly Trial[], complete: boolean): void =>
    keep({ environment: record, parameters, trials, complete });
  const { trials, complete } = await experiment<Factors, Measures>({
    factors: possible,
    ...(isCompared ? { control: lab.baseline } : {}),
    repeats,
    warmUp: warmUpOf(lab, run, possible.length),
    clock: run.clock,
    seed,
    signal,
    onProgress: (done, total, factors) => progress.update(done, total, nameOf(factors, possible)),
    trial: async (factors, { round, warmUp, signal }) => {
      const measures = await lab.trial(factors, kept, {
        ...run,
        ...UNSEEN,
        round,
        warmUp,
        signal,
      });
      requireMeasuresOf(lab.columns, measures);
      return measures;
    },
  }).catch((error) => {
    if (error instanceof TrialError) keepTrials(error.result.trials, false);
    throw error;
  });
  if (trials.length === 0) signal.throwIfAborted();
  keepTrials(trials, complete && lab.checks === undefined);
  const checked = await runChecks(lab, possible, run, signal);
  keepTrials([...trials, ...checked.trials], complete && checked.complete);
  const witnessed = await askMicroscope(lab, possible, kept, run, signal);
  if (witnessed.length > 0) {
    const microscope = [...disagreementLines(lab, witnessed), ...witnessLines(lab, witnessed)];
    keep({ environment: record, parameters: { ...parameters, microscope } });
  }
  if (chosen.length > 0 && !signal.aborted) {
    const round = Math.max(...trials.map((trial) => trial.round)) + 1;
    const views = await lookAtRows(lab, chosen, {
      kept,
      run: { ...run, ...UNSEEN, round, warmUp: false, signal },
      onRow: (label) => progress.update(trials.length, trials.length, `looking at ${label}`),
    });
    keep({ environment: record, ...(views.length < chosen.length ? {} : { views }) });
  }
  return { record, recorded, possible, refused, trials, checks: checked.trials, witnessed };
}

/**
 * So many trials warm up at least where the clock counts instructions. Before V8 compiles a function
 * once more, rounds of few combinations are the same for a while.
 */
const WARM_UP_TRIALS = 120;

/** What goes before the rounds that count. */
function warmUpOf(
  { columns, warmUp = 1 }: AnyDeclaration,
  { clock }: RunContext,
  combinations: number,
): number | WarmUpUntilSame {
  const same = comparedColumns(columns).filter(({ unit = "" }) => isInstructions(unit))
    .map(({ measure }) => measure);
  if (clock === "time" || same.length === 0) return warmUp;
  return { same, least: Math.max(2, Math.ceil(WARM_UP_TRIALS / combinations)) };
}

/** Makes the rows of what was measured. */
function rowsFrom(
  lab: AnyDeclaration,
  { seed }: RunContext,
  { record, possible, trials }: Measured,
  keep: Keep,
): readonly LabRow[] {
  const how = rowsOf(lab);
  const rows = makeRows(how, trials, possible, seed);
  const summary = summaryOf(how, rows, trials, seed);
  requireJson(summary, "summary");
  const table = runTableOf(lab.title, lab.factorTitles ?? {}, how, possible);
  keep({ environment: record, summary, table });
  return rows;
}

/** A document that cannot be written is found out where the lab that made it can be told. */
function requireJson(value: unknown, name: string): void {
  const problem = jsonProblem(value, name);
  if (problem !== undefined) throw new TypeError(`What the lab returns as ${problem}`);
}

async function contextOf(
  { options, quick, seed, repeats, clock }: LabContext,
): Promise<RunContext> {
  const here = await probe();
  const cpu = options["cpu"];
  return {
    options,
    quick,
    seed,
    repeats,
    clock,
    processors: Processors.choose(typeof cpu === "number" ? cpu : undefined),
    has: (name) => here.item(name).state === "real",
  };
}

/** What varies of a combination, in words. */
function nameOf(factors: Factors, all: readonly Factors[]): string {
  const varying = Object.entries(factors).filter(([name, value]) =>
    all.some((other) => other[name] !== value)
  );
  return describeFactors(Object.fromEntries(varying));
}

async function sortOut(
  lab: AnyDeclaration,
  planned: readonly Factors[],
  kept: unknown,
  run: RunContext,
): Promise<{ possible: Factors[]; refused: Refused[] }> {
  const possible: Factors[] = [];
  const refused: Refused[] = [];
  for (const factors of planned) {
    const why = await lab.refusal?.(factors, kept, run);
    if (why === undefined) possible.push(factors);
    else refused.push({ ...factors, why });
  }
  const baseline = refused.find((one) => hasFactors(one, lab.baseline));
  if (baseline !== undefined) {
    const { why, ...factors } = baseline;
    throw new UnsupportedError(`${lab.name}: ${describeFactors(factors)}`, { advice: why });
  }
  return { possible, refused };
}

async function runChecks(
  lab: AnyDeclaration,
  measured: readonly Factors[],
  run: RunContext,
  signal: AbortSignal,
): Promise<{ trials: readonly Trial[]; complete: boolean }> {
  const { checks } = lab;
  const trials: Trial[] = [];
  if (checks === undefined) return { trials, complete: true };
  for (const factors of checks.factors(run.options, measured)) {
    if (signal.aborted) return { trials, complete: false };
    const result = await experiment<Factors, Measures>({
      factors: [factors],
      repeats: 1,
      warmUp: 0,
      clock: run.clock,
      seed: run.seed,
      signal,
      trial: (factors, { round, warmUp, signal }) => {
        const own: TrialRun = { ...run, ...UNSEEN, round, warmUp, signal };
        return checks.trial(factors, own);
      },
    });
    trials.push(...result.trials);
    if (!result.complete) return { trials, complete: false };
  }
  return { trials, complete: true };
}
