/**
 * A table of a report, which scrolls where it is wider than the screen.
 *
 * @module
 */
import { Html, type HtmlPart, markup } from "./html.ts";
import type { RowColumn, SummaryRows } from "./summary_rows.ts";

/** On a phone the interval stands below its value. */
export function withInterval(cell: string): HtmlPart {
  const [, value, interval] = cell.match(/^(.*) (\(.* to .*\))$/) ?? [];
  return value === undefined ? cell : markup`${value} <span class="interval">${interval}</span>`;
}

/** A column of the table. */
export interface TableColumn {
  readonly title: string;
  readonly cells: readonly HtmlPart[];
  readonly isWord: boolean;
}

/** A column of cells that are text. */
export function plain({ title, cells }: RowColumn): TableColumn {
  return { title, cells: cells.map(withInterval), isWord: cells.some((cell) => cell.length > 40) };
}

/** The table, a row for each name. */
export function scrollTable(
  { names, groups }: Pick<SummaryRows, "names" | "groups">,
  columns: readonly TableColumn[],
  caption: string,
): Html {
  const body = names.map((name, row) => {
    const isNew = row > 0 && groups[row] !== groups[row - 1];
    return markup`<tr${new Html(isNew ? ' class="group"' : "")}><th scope="row">${name}</th>${
      columns.map(({ cells, isWord }) =>
        markup`<td${new Html(isWord ? ' class="word"' : "")}>${
          cells[row] === "" || cells[row] === undefined ? "–" : cells[row]
        }</td>`
      )
    }</tr>\n`;
  });
  return markup`<p class="soft">${caption}</p>
<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<thead><tr><th scope="col">row</th>${
    columns.map(({ title, isWord }) =>
      markup`<th scope="col"${new Html(isWord ? ' class="word"' : "")}>${title}</th>`
    )
  }</tr></thead>
<tbody>
${body}</tbody></table></div>`;
}
