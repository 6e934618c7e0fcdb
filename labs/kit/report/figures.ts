/**
 * The plots of a report, each in two widths.
 *
 * @module
 */
import { PlotError } from "../plot/figure.ts";
import { type Plot, plots } from "../plot/plot.ts";
import type { RunDocument } from "../run/run_document.ts";
import { Html, markup } from "./html.ts";

/** Widths of the plots, in pixels: for desktops and paper, and for phones. */
const WIDE = 720;
const NARROW = 350;

/** The plots of a run. */
export interface FoundPlots {
  readonly plots: readonly Plot[];
  /** Why there are none. */
  readonly problem?: string;
}

/** The plots of a run, or why there are none. */
export function plotsOf(document: RunDocument): FoundPlots {
  try {
    return { plots: plots(document) };
  } catch (error) {
    if (!(error instanceof PlotError)) throw error;
    return { plots: [], problem: error.message };
  }
}

/** The section with the plots. */
export function figures({ plots, problem }: FoundPlots): Html {
  return markup`<section aria-labelledby="plots">
<h2 id="plots">Plots</h2>
${problem === undefined ? undefined : markup`<p>Nothing to plot: ${problem}</p>`}
${plots.map(inTwoWidths)}
</section>`;
}

/** A plot for desktops and paper, and the same for phones. */
export function inTwoWidths(plot: Plot): Html {
  return markup`<figure>
<div class="wide">${new Html(plot.svg({ theme: "page", width: WIDE }))}</div>
<div class="narrow">${new Html(plot.svg({ theme: "page", width: NARROW }))}</div>
</figure>\n`;
}
