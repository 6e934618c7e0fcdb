/**
 * The run of a declared lab: sets up, asks what is possible, runs the trials and the checks, and makes
 * the document and the text.
 *
 * @module
 */
import { UnsupportedError } from "../../../ffi/kernel/errors.ts";
import { environment } from "../experiment/environment.ts";
import { experiment } from "../experiment/experiment.ts";
import {
  describeFactors,
  type Factors,
  hasFactors,
  type Measures,
  type Trial,
} from "../experiment/trials.ts";
import { comparedColumns, requireMeasuresOf } from "./columns.ts";
import type { AnyDeclaration, Refused, RunContext, TrialRun, Use } from "./declaration.ts";
import { type LabContext, type LabOutcome, runDocument } from "./lab.ts";
import { probe } from "./probe.ts";
import { Processors } from "./processors.ts";
import { makeRows, type Rows, runTableOf, summaryOf } from "./rows.ts";
import { labText } from "./text.ts";

/** How the rows of a declared lab are made. */
export function rowsOf(lab: AnyDeclaration): Rows<Factors, Measures> {
  const { baseline, within = [], columns, proof, normalised, earlier, called } = lab;
  return { baseline, within, columns, proof, normalised, earlier, called };
}

/**
 * Runs a declared lab.
 *
 * @param lab The declaration.
 * @param context What it runs with.
 * @returns What it found.
 * @throws The signal's reason, if it was aborted before anything was measured.
 */
export async function runDeclared(lab: AnyDeclaration, context: LabContext): Promise<LabOutcome> {
  const { seed, repeats, signal, progress } = context;
  const run = await contextOf(context);
  await using stack = new AsyncDisposableStack();
  const use: Use = async (resource) => stack.use(await resource);

  const planned: readonly Factors[] = lab.factors(run.options, run);
  const kept = await lab.setUp?.({ ...run, factors: planned }, use);
  const { possible, refused } = await sortOut(lab, planned, kept, run);
  const recorded = await lab.recorded?.(kept, run) ?? {};
  const record = environment(recorded.environment ?? {});
  // Not before: the record says on which processors the process may run, and what the set-up starts
  // does not belong on this one.
  const isPinned = lab.pinned === true || context.options["cpu"] !== undefined;
  if (isPinned) stack.use(run.processors.pin());
  const isCompared = comparedColumns(lab.columns).some(({ verdict }) => verdict === true);

  const { trials, complete } = await experiment<Factors, Measures>({
    factors: possible,
    ...(isCompared ? { control: lab.baseline } : {}),
    repeats,
    warmUp: lab.warmUp ?? 1,
    seed,
    signal,
    onProgress: (done, total, factors) => progress.update(done, total, nameOf(factors, possible)),
    trial: async (factors, { round, warmUp, signal }) => {
      const measures = await lab.trial(factors, kept, { ...run, round, warmUp, signal });
      requireMeasuresOf(lab.columns, measures);
      return measures;
    },
  });
  if (trials.length === 0) signal.throwIfAborted();
  const checked = await runChecks(lab, possible, run, signal);

  const how = rowsOf(lab);
  const rows = makeRows(how, trials, possible, seed);
  return {
    document: runDocument(context, {
      environment: record,
      parameters: { ...recorded.parameters, refused },
      complete: complete && checked.complete,
      trials: [...trials, ...checked.trials],
      summary: summaryOf(how, rows, trials, seed),
      table: runTableOf(lab.title, lab.factorTitles ?? {}, how, possible),
    }),
    text: labText(lab, { rows, trials, checks: checked.trials, recorded, refused, context: run }),
  };
}

async function contextOf(
  { options, quick, seed, repeats }: LabContext,
): Promise<RunContext> {
  const here = await probe();
  const cpu = options["cpu"];
  return {
    options,
    quick,
    seed,
    repeats,
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
      seed: run.seed,
      signal,
      trial: (factors, { round, warmUp, signal }) => {
        const own: TrialRun = { ...run, round, warmUp, signal };
        return checks.trial(factors, own);
      },
    });
    trials.push(...result.trials);
    if (!result.complete) return { trials, complete: false };
  }
  return { trials, complete: true };
}
