/**
 * How what a lab found is looked at.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import { type Display, escapeHtml } from "../../../ffi/kernel/inspection.ts";
import { PlotError } from "../plot/figure.ts";
import { plots } from "../plot/plot.ts";
import type { RunDocument } from "../run/run_document.ts";

/** What a lab found: its text, and its run. */
interface ShownOutcome {
  readonly text: string;
  readonly document: RunDocument;
}

/**
 * What a lab found: its text, and below it on a page the plot that suits its trials best, if any.
 *
 * @param outcome What it found.
 */
export function displayOutcome(outcome: ShownOutcome): Display {
  const plain = stripVTControlCharacters(outcome.text);
  return {
    "text/plain": outcome.text,
    "text/html": `<pre style="line-height:1.2">${escapeHtml(plain)}</pre>${picture(outcome)}`,
  };
}

/** Not everything that a lab measures can be plotted. */
function picture(outcome: ShownOutcome): string {
  try {
    return plots(outcome)[0]?.html() ?? "";
  } catch (error) {
    if (error instanceof PlotError) return "";
    throw error;
  }
}
