/**
 * What the microscope saw of a row, and of the one that it is compared with, on the page of a run.
 *
 * @module
 */
import { PlotError } from "../plot/figure.ts";
import { type Plot, plot } from "../plot/plot.ts";
import type { RunDocument } from "../run/run_document.ts";
import type { RunView } from "../run/run_view.ts";
import { inTwoWidths } from "./figures.ts";
import { type Html, markup } from "./html.ts";

/** Columns of a list: a phone shows so many. */
const LIST_WIDTH = 44;

/** The section with what was seen; undefined if nobody looked. */
export function viewsSection({ views = [] }: RunDocument): Html | undefined {
  if (views.length === 0) return undefined;
  return markup`<section aria-labelledby="instructions">
<h2 id="instructions">Where the instructions go</h2>
<p>Seen by the microscope once the trials had run, in trials of its own. Instructions are no time: a copy
that misses the processor's caches costs more than its instructions say.</p>
${views.length === 2 ? drawn(() => plot(views, { kind: "changes" })) : undefined}
${views.toReversed().map((view: RunView) => drawn(() => plot([view], { kind: "flame" })))}
</section>`;
}

/** A drawing, and the same as a list, which a narrow page has more room for. */
function drawn(make: () => Plot): Html {
  try {
    const made = make();
    return markup`${inTwoWidths(made)}<details><summary>The same as a list</summary>
<pre>${made.text({ width: LIST_WIDTH, colours: false })}</pre></details>\n`;
  } catch (error) {
    // A document may come from anywhere.
    if (!(error instanceof PlotError)) throw error;
    return markup`<p>Nothing to draw: ${error.message}</p>`;
  }
}
