/**
 * The answer of a report: what differs from the baseline, the largest difference first.
 *
 * @module
 */
import { whereBetter } from "../plot/crossover.ts";
import { capitalised, words } from "../plot/names.ts";
import type { Plot } from "../plot/plot.ts";
import { partOf, type RunDocument } from "../run/run_document.ts";
import { type Html, markup } from "./html.ts";
import { comparisonText, type RowComparison, type SummaryRows } from "./summary_rows.ts";

/** Differences that stand above the fold; the others are folded. */
const FIRST_VERDICTS = 8;

/** The section with the answer. */
export function verdicts(document: RunDocument, rows: SummaryRows, found: readonly Plot[]): Html {
  const told = rows.comparisons.flatMap((own, index) =>
    own.filter(({ difference }) => difference !== "baseline")
      .map((comparison) => ({ comparison, name: rows.names[index]! }))
  );
  const names = [...new Set(told.map(({ comparison }) => comparison.name))];
  const lead = names.map((name) => {
    const own = told.filter(({ comparison }) => comparison.name === name);
    const count = (difference: RowComparison["difference"]): number =>
      own.filter(({ comparison }) => comparison.difference === difference).length;
    const seen = count("higher") + count("lower");
    const title = names.length > 1 ? `${words(name)}: ` : "";
    return `${title}${seen === 0 ? "no" : seen} ${
      seen === 1 ? "difference" : "differences"
    } seen in ` +
      `${own.length} ${own.length === 1 ? "comparison" : "comparisons"}` +
      (seen === 0 ? "" : ` (${count("higher")} higher, ${count("lower")} lower)`) + ".";
  });
  const differences = told.filter(({ comparison }) =>
    comparison.difference === "higher" || comparison.difference === "lower"
  ).sort((a, b) => Math.abs(Math.log(b.comparison.ratio)) - Math.abs(Math.log(a.comparison.ratio)));
  const none = told.filter(({ comparison }) => comparison.difference === "none");
  const item = ({ comparison, name }: typeof told[number]): Html => {
    const subject = names.length > 1 ? `${name}, ${words(comparison.name)}` : name;
    return markup`<li>${mark(comparison)}<strong>${subject}</strong>: ${
      comparison.verdict ?? comparisonText(comparison)
    }</li>`;
  };
  const folded = [...differences.slice(FIRST_VERDICTS), ...none];
  const part = partOf(document);
  return markup`<section aria-labelledby="verdict">
<h2 id="verdict">Verdict</h2>
<div class="verdict">
${part === undefined ? undefined : markup`<p><strong>${part}</strong></p>`}
${
    told.length === 0
      ? markup`<p>${
        document.summary.length === 0
          ? "This run came to no result."
          : "This run compares nothing: what it measured stands in the table."
      }</p>`
      : lead.map((line) => markup`<p>${capitalised(line)}</p>`)
  }
${
    differences.length === 0
      ? undefined
      : markup`<ul>${differences.slice(0, FIRST_VERDICTS).map(item)}</ul>`
  }
${found.flatMap(crossings)}
</div>
${
    folded.length === 0
      ? undefined
      : markup`<details><summary>${`${folded.length} more in words`}</summary>
<ul>${folded.map(item)}</ul></details>`
  }
</section>`;
}

/** Where each way begins to be better, in a sentence each. */
function crossings({ figure }: Plot): Html[] {
  if (figure.kind !== "crossover") return [];
  const { better, baseline, x } = figure;
  return figure.panels.flatMap(({ title, crossings }) =>
    crossings.flatMap((crossing) => {
      const where = whereBetter(crossing, x);
      const panel = title === "" ? "" : `${title}: `;
      return where === undefined
        ? []
        : [markup`<p>${`${panel}${crossing.label} is ${better} than ${baseline} ${where}.`}</p>`];
    })
  );
}

function mark({ difference }: RowComparison): Html | undefined {
  return difference === "higher"
    ? markup`<span class="mark" aria-hidden="true">▲ </span>`
    : difference === "lower"
    ? markup`<span class="mark" aria-hidden="true">▼ </span>`
    : undefined;
}
