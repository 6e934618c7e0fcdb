/**
 * Runs that are stopped in the middle, and what must be true of what they leave.
 *
 * @module
 */
import { Ajv2020 } from "ajv/2020";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  compareRuns,
  formatComparison,
  formatRunDocument,
  type Measures,
  PlotError,
  plots,
  readRunDocument,
  reportHtml,
  type RunDocument,
  toCsv,
} from "zclab/experiment";
import { type Lab, type LabOutcome, runLab } from "zclab/lab";
import schema from "../../../../labs/kit/run/run_schema.json" with { type: "json" };

const isValid = new Ajv2020().compile(schema);

/**
 * What must be true of every run document, however it ended.
 *
 * @param document The document.
 * @param lab Its lab.
 * @param whole A complete run of the lab, to compare it with.
 * @param isDrawn Whether its plots and its page are made, too, which takes long under emulation.
 */
export function assertUsable(
  document: RunDocument,
  lab: Lab,
  whole: RunDocument,
  isDrawn = true,
): void {
  const text = formatRunDocument(document);
  assert(isValid(JSON.parse(text)), JSON.stringify(isValid.errors));
  assertEquals(readRunDocument(text), JSON.parse(text));

  const csv = toCsv(document).trimEnd().split("\r\n");
  assertEquals(csv.length, 1 + document.trials.length);
  assertEquals(csv[0]!.endsWith(",run.complete"), !document.complete);

  if (isDrawn) assertDrawn(document);

  for (const [first, second] of [[document, document], [document, whole], [whole, document]]) {
    const comparison = compareRuns(first!, second!, lab.rows!);
    const said = formatComparison(comparison, lab.rows!, { width: 80, colours: false });
    assert(!/\bNaN\b|\bundefined\b|\bInfinity\b/.test(said), said);
    assertEquals(said.includes("Partial ("), !document.complete);
    // What has fewer than two rounds is neither equal nor different.
    for (const { change, outcome } of comparison.rows) {
      if (change === null) assertEquals(outcome, "cannot tell");
    }
  }
}

function assertDrawn(document: RunDocument): void {
  const page = reportHtml(document);
  assertEquals(page.includes("Partial: the run was stopped before its"), !document.complete);
  assert(!/\bNaN\b|\bundefined\b|\bInfinity\b/.test(page.replace(/base64,[^"]*/g, "")), page);
  try {
    for (const plot of plots(document)) assert(plot.text({ width: 80 }).length > 0);
  } catch (error) {
    assert(error instanceof PlotError, String(error));
  }
}

/** What must be true of what a lab found, until it was stopped. */
function assertPartial({ document, text }: LabOutcome): void {
  assertEquals(document.complete, false);
  assert(document.trials.length > 0);
  assertStringIncludes(text, "Partial: the run was stopped before its last trial, after ");
  assert(!/\bNaN\b|\bundefined\b|\bInfinity\b/.test(text), text);
  const counted = document.trials.filter(({ warmUp }) => !warmUp);
  // Each combination with a counted trial has its row, and no other.
  const combinations = new Set(
    counted.filter(({ control }) => !control).map(({ factors }) => JSON.stringify(factors)),
  );
  assertEquals(document.summary.length, combinations.size);
}

/** Parts of a run after which it is stopped: in the warm-up, in the first counted round, later. */
const PARTS = [0, 0.1, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9] as const;

/**
 * Stops a lab at trials of all kinds.
 *
 * @param lab The lab.
 * @param options Its options, for short trials.
 * @param parts After which parts of its trials it is stopped.
 * @param isQuick Whether to leave out what takes long under emulation: a whole run to compare with, and
 *   what is drawn.
 */
export async function stopEverywhere(
  lab: Lab,
  options: Measures,
  parts: readonly number[] = PARTS,
  isQuick = false,
): Promise<void> {
  const run = (signal: AbortSignal, update: (done: number, total: number) => void) =>
    runLab(lab, {
      options: options as never,
      quick: true,
      repeats: 2,
      signal,
      progress: {
        update: (done, total, label = "") => label.startsWith("proof") || update(done, total),
      },
    });
  const early = new AbortController();
  early.abort(new Error("before it began"));
  await assertRejects(() => run(early.signal, () => {}), Error, "before it began");

  let whole: RunDocument | undefined;
  if (!isQuick) {
    const outcome = await run(new AbortController().signal, () => {});
    assertEquals(outcome.document.complete, true);
    assert(!outcome.text.includes("Partial"));
    whole = outcome.document;
  }
  for (const part of parts) {
    const controller = new AbortController();
    let stopped: number | undefined;
    const outcome = await run(controller.signal, (done, total) => {
      if (stopped !== undefined || done < 1 + Math.floor(part * (total - 2))) return;
      stopped = done;
      controller.abort(new Error("stopped"));
    });
    assertPartial(outcome);
    // The trial that was told of ends as it likes; none begins after it.
    const { length } = outcome.document.trials;
    assert(length === stopped || length === stopped! + 1, `${length} trials, not ${stopped}`);
    assertUsable(outcome.document, lab, whole ?? outcome.document, !isQuick);
  }
}
