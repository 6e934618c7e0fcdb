/**
 * The trials of a report: how many there were, and which of them stand out.
 *
 * @module
 */
import { clockOfRun, INSTRUCTIONS_PER_SECOND } from "../trials/clock.ts";
import { formatSi } from "../text/format.ts";
import { describeMeasure } from "../plot/names.ts";
import { findMeasure } from "../plot/trials.ts";
import type { RunDocument } from "../run/run_document.ts";
import { explainOutlier, findOutliers, type Outlier } from "../statistics/statistics.ts";
import { describeFactors, type Trial } from "../trials/trials.ts";
import { attempt } from "./attempt.ts";
import { type Html, markup } from "./html.ts";
import { scrollTable } from "./scroll_table.ts";
import { count } from "./words.ts";

/** Outliers that are told one by one. */
const MOST_OUTLIERS = 12;

/** The section with the trials. */
export function trialsSection(document: RunDocument): Html {
  const { trials, complete, table } = document;
  const warmUp = trials.filter((trial) => trial.warmUp).length;
  const control = trials.filter((trial) => trial.control).length;
  const counted = trials.length - warmUp - control;
  const seconds = trials.reduce((sum, trial) => sum + trial.seconds, 0);
  const measure = findMeasure(trials, table);
  const outliers = measure === undefined
    ? undefined
    : attempt(() => findOutliers(trials, { measure }));
  return markup`<section aria-labelledby="trials">
<h2 id="trials">Trials</h2>
<p>${
    `${count(trials.length)} trials, every one of them in the run file: ${count(counted)} that ` +
    `count, ${count(control)} second runs of the baseline, ${
      count(warmUp)
    } to warm up. They took ` +
    (clockOfRun(document) === "instructions"
      ? `${formatSi(seconds * INSTRUCTIONS_PER_SECOND)} instructions.`
      : `${formatSi(seconds, "s")}.`) +
    (complete ? "" : " The run was stopped before its last trial.")
  }</p>
${
    measure === undefined || outliers === undefined
      ? undefined
      : outliers.length === 0
      ? markup`<p>No trial stands out in ${describeMeasure(measure).label}.</p>`
      : outlierTable(outliers, trials, describeMeasure(measure).label)
  }
</section>`;
}

function outlierTable(
  outliers: readonly Outlier[],
  trials: readonly Trial[],
  label: string,
): Html {
  const sorted = outliers.toSorted((a, b) => Math.abs(b.deviations) - Math.abs(a.deviations));
  const shown = sorted.slice(0, MOST_OUTLIERS);
  const cells = (of: (outlier: Outlier) => string): string[] => shown.map(of);
  const more = outliers.length - shown.length;
  const said =
    `${outliers.length} ${outliers.length === 1 ? "trial stands" : "trials stand"} out in ` +
    `${label}. They are kept: every figure above counts them.`;
  return markup`<p>${said}</p>${
    scrollTable(
      {
        names: cells(({ trial }) => `round ${trial.round}, ${describeFactors(trial.factors)}`),
        groups: shown.map(() => ""),
      },
      [
        {
          title: "of what was expected",
          cells: cells(({ ratio }) => `${Number((ratio * 100).toPrecision(3))} %`),
          isWord: false,
        },
        {
          title: "what else was unusual",
          cells: cells(({ trial }) => explainOutlier(trial, trials) ?? "nothing that was read"),
          isWord: true,
        },
      ],
      more > 0
        ? `The ${shown.length} that stand out most; ${more} more are in the run file.`
        : "Outliers, those that stand out most first.",
    )
  }`;
}
