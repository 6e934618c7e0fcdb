/**
 * The results of a report: what was measured, row by row.
 *
 * @module
 */
import { words } from "../plot/names.ts";
import { valueText } from "../plot/layout_of_trials.ts";
import type { RunTable } from "../run/run_table.ts";
import { type Html, markup } from "./html.ts";
import { plain, scrollTable, type TableColumn, withInterval } from "./scroll_table.ts";
import { comparisonText, type RowComparison, type SummaryRows } from "./summary_rows.ts";

/** The section with the results; undefined if there are none. */
export function results(rows: SummaryRows, table: RunTable | undefined): Html | undefined {
  if (rows.names.length === 0) return undefined;
  // A comparison is called as its column; the baseline tells them apart.
  const baseline = Object.entries(table?.baseline ?? {})
    .map(([name, value], _, all) => valueText(name, value, all.length > 1)).join(", ");
  const names = [...new Set(rows.comparisons.flatMap((own) => own.map(({ name }) => name)))];
  const compared = names.map((name) => ({
    title: words(name) + (baseline === "" ? "" : `, against ${baseline}`),
    cells: rows.comparisons.map((own) => own.find((one) => one.name === name)),
  }));
  const columns: readonly TableColumn[] = [
    ...compared.map(({ title, cells }) => ({
      title,
      cells: cells.map((cell) => cell === undefined ? undefined : comparisonCell(cell)),
      isWord: false,
    })),
    ...rows.measures.map(plain),
  ];
  return markup`<section aria-labelledby="results">
<h2 id="results">Results</h2>
${
    scrollTable(
      rows,
      columns,
      "Medians over the rounds and, in brackets, 95 % intervals. ▲ more, ▼ less, ≈ no difference seen.",
    )
  }
</section>`;
}

function comparisonCell(cell: RowComparison): Html {
  const seen = cell.difference === "higher" || cell.difference === "lower";
  return markup`<span class="${seen ? "seen" : "soft"}">${
    withInterval(comparisonText(cell))
  }</span>`;
}
