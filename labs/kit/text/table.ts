/**
 * Tables for the terminal.
 *
 * @module
 */
import { stripVTControlCharacters, styleText } from "node:util";

/** How a text stands out where colours are shown. */
export type TextStyle = "bold" | "dim" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan";

/** What a cell can hold; null and undefined show as a dash. */
export type Cell = string | number | boolean | null | undefined;

/** One column of a table. */
export interface TableColumn<Row> {
  /** The heading; may have several lines. */
  readonly title: string;
  /** The cell of a row. */
  readonly value: (row: Row) => Cell;
  /**
   * Which side the column is aligned to.
   *
   * @default {"right" if all its cells are numbers, else "left"}
   */
  readonly align?: "left" | "right";
  /**
   * The text of a cell that is neither null nor undefined.
   *
   * @default {String}
   */
  readonly format?: (value: string | number | boolean, row: Row) => string;
  /** How the cell stands out. It must not be the only carrier of a meaning: colours may be off. */
  readonly style?: (row: Row) => TextStyle | undefined;
  /**
   * Whether the column may be left out where the table is too wide; a line below then says so.
   *
   * @default {false}
   */
  readonly dispensable?: boolean;
}

/** Options of {@linkcode table}. */
export interface TableOptions<Row> {
  /**
   * How many columns of the terminal the table may take.
   *
   * @default {terminalWidth()}
   */
  readonly width?: number;
  /**
   * Whether to use colours.
   *
   * @default {coloursWanted()}
   */
  readonly colours?: boolean;
  /** Rows with the same group stand together; a line separates them from the next. */
  readonly groupBy?: (row: Row) => Cell;
}

/** Between two columns. */
const GAP = "  ";

/** A column of text is not cut below this width. */
const NARROWEST = 8;

const DASH = "–";

const graphemes = new Intl.Segmenter();

/** Characters of two columns: East Asian scripts, fullwidth forms, emoji. */
const WIDE =
  /^(?:\p{Script=Han}|\p{Script=Hangul}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Emoji_Presentation}|[\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]|.\ufe0f)/u;

/** Characters of no column: marks without a base, joiners, controls. */
const EMPTY = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u;

/**
 * How many columns of a terminal a text takes. Escape sequences take none, East Asian characters
 * and emoji two.
 *
 * @param text One line of text.
 */
export function displayWidth(text: string): number {
  const plain = stripVTControlCharacters(text);
  if (/^[\x20-\x7e]*$/.test(plain)) return plain.length;
  let width = 0;
  for (const { segment } of graphemes.segment(plain)) {
    width += EMPTY.test(segment) ? 0 : WIDE.test(segment) ? 2 : 1;
  }
  return width;
}

/**
 * A text cut to a number of columns, with an ellipsis where something was cut off.
 *
 * @param text One line of text without escape sequences.
 * @param width At least 1.
 */
export function truncated(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = "";
  let used = 1;
  for (const { segment } of graphemes.segment(text)) {
    used += displayWidth(segment);
    if (used > width) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** A text in a style where colours are used, and as it is where they are not. */
export function styled(
  text: string,
  style: TextStyle | undefined,
  colours = coloursWanted(),
): string {
  if (!colours || style === undefined || text === "") return text;
  return styleText(style, text, { validateStream: false });
}

/** Whether to use colours on stdout: it is a terminal and NO_COLOR is not set. */
export function coloursWanted(): boolean {
  return Deno.stdout.isTerminal() && !Deno.noColor;
}

/** The columns of the terminal, from 80 to 120; 100 where stdout is no terminal. */
export function terminalWidth(): number {
  if (!Deno.stdout.isTerminal()) return 100;
  try {
    return Math.min(120, Math.max(80, Deno.consoleSize().columns));
  } catch {
    return 100;
  }
}

/**
 * An aligned table as text.
 *
 * Where it is too wide, first the dispensable columns go, from the right, then texts are cut.
 * Columns that are aligned right are never cut: a number without its end is another number.
 *
 * @typeParam Row What a row is.
 * @param columns The columns from left to right.
 * @param rows The rows from top to bottom.
 * @param options Width, colours and groups.
 * @returns Lines, each ended by a newline.
 *
 * @example
 * ```ts
 * import { table } from "zclab/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * const rows = [{ mode: "copy", rate: 450 }, { mode: "zc", rate: null }];
 * const text = table([
 *   { title: "mode", value: (row) => row.mode },
 *   { title: "requests/s", value: (row) => row.rate },
 * ], rows, { colours: false, width: 80 });
 * assertEquals(
 *   text,
 *   "mode  requests/s\n" +
 *     "────  ──────────\n" +
 *     "copy         450\n" +
 *     "zc             –\n",
 * );
 * ```
 */
export function table<Row>(
  columns: readonly TableColumn<Row>[],
  rows: readonly Row[],
  options: TableOptions<Row> = {},
): string {
  const { width = terminalWidth(), colours = coloursWanted(), groupBy } = options;
  const { kept, leftOut } = fit(columns.map((column) => layOut(column, rows)), width);
  const lines: string[] = [];
  const add = (cells: string[]): void => void lines.push(cells.join(GAP).trimEnd());

  const height = Math.max(1, ...kept.map(({ title }) => title.length));
  for (let i = 0; i < height; i++) {
    add(kept.map((column) => {
      const text = column.title[i - height + column.title.length] ?? "";
      return aligned(text, column, styled(text, "bold", colours));
    }));
  }
  const rule = styled(
    kept.map((column) => "─".repeat(column.width)).join(GAP),
    "dim",
    colours,
  );
  lines.push(rule);
  for (const [index, row] of rows.entries()) {
    const previous = rows[index - 1];
    if (groupBy && previous !== undefined && groupBy(previous) !== groupBy(row)) lines.push(rule);
    add(kept.map((column) => {
      const text = column.cells[index]!;
      const fitting = column.alignment === "left" ? truncated(text, column.width) : text;
      return aligned(fitting, column, styled(fitting, column.style?.(row), colours));
    }));
  }
  if (rows.length === 0) lines.push("(no rows)");
  if (leftOut.length > 0) {
    const note = `(left out to fit ${width} columns: ${leftOut.join(", ")})`;
    lines.push(styled(note, "dim", colours));
  }
  return lines.map((line) => `${line}\n`).join("");
}

interface LaidOut<Row> {
  readonly title: readonly string[];
  readonly cells: readonly string[];
  readonly alignment: "left" | "right";
  readonly style: TableColumn<Row>["style"];
  readonly dispensable: boolean;
  width: number;
}

function layOut<Row>(column: TableColumn<Row>, rows: readonly Row[]): LaidOut<Row> {
  const { format = String, dispensable = false, style } = column;
  const values = rows.map((row) => column.value(row));
  const given = values.filter((value) => value !== null && value !== undefined);
  const numbers = given.length > 0 && given.every((value) => typeof value === "number");
  const cells = values.map((value, index) =>
    value === null || value === undefined ? DASH : format(value, rows[index]!)
  );
  const title = column.title.split("\n");
  return {
    title,
    cells,
    alignment: column.align ?? (numbers ? "right" : "left"),
    style,
    dispensable,
    width: Math.max(0, ...[...title, ...cells].map(displayWidth)),
  };
}

function fit<Row>(
  columns: LaidOut<Row>[],
  width: number,
): { kept: LaidOut<Row>[]; leftOut: string[] } {
  const kept = [...columns];
  const leftOut: string[] = [];
  const excess = (): number =>
    kept.reduce((sum, column) => sum + column.width, GAP.length * (kept.length - 1)) - width;
  while (excess() > 0) {
    const index = kept.findLastIndex((column) => column.dispensable);
    if (index < 0) break;
    leftOut.unshift(kept[index]!.title.join(" "));
    kept.splice(index, 1);
  }
  while (excess() > 0) {
    const texts = kept.filter((column) =>
      column.alignment === "left" &&
      column.width > Math.max(NARROWEST, ...column.title.map(displayWidth))
    );
    const widest = texts.sort((a, b) => b.width - a.width)[0];
    if (widest === undefined) break;
    widest.width--;
  }
  return { kept, leftOut };
}

/** The shown text is the plain one with escape sequences, which padding must not count. */
function aligned<Row>(plain: string, column: LaidOut<Row>, shown: string): string {
  const padding = " ".repeat(Math.max(0, column.width - displayWidth(plain)));
  return column.alignment === "left" ? shown + padding : padding + shown;
}
