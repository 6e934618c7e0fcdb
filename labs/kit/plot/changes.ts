/**
 * Changes: which functions execute fewer instructions in one window of the microscope than in another,
 * and which more.
 *
 * @module
 */
import { NOT_TIME } from "../trials/clock.ts";
import { displayWidth, styled, truncated } from "../text/table.ts";
import { some } from "./alt_text.ts";
import { type Canvas, legend, notes, PADDING, type Piece, SMALL } from "./canvas.ts";
import { type FigureHead, PlotError } from "./figure.ts";
import { formatChange } from "../text/format.ts";
import type { FigureKind } from "./kind.ts";
import { textWidth, wrapped } from "./layout.ts";
import { type Labelled, ofPlainDataAlone, requireItems } from "./plain.ts";
import type { FlameBox } from "./flame_box.ts";
import { countText, systemCalls } from "./seen_calls.ts";
import { line, rect, text as textAt, titled } from "./shapes.ts";
import { NARROWEST, padEnd, padStart, type TextDrawing } from "./text.ts";
import { TERMINAL_STYLES } from "./theme.ts";
import type { FigureTexts } from "./trials.ts";

/** What a function executed itself in two windows. */
export interface FunctionChange {
  /** The function. */
  readonly name: string;
  /** Instructions in the first window. */
  readonly before: number;
  /** Instructions in the second one. */
  readonly after: number;
  /** Whether it copied payload in the first one, and in the second one. */
  readonly copies: readonly [before: boolean, after: boolean];
}

/** Changes by function. */
export interface ChangesFigure extends FigureHead {
  /** The kind. */
  readonly kind: "changes";
  /** What the two windows are called. */
  readonly labels: readonly [before: string, after: string];
  /** The functions that changed: from those with the most fewer to those with the most more. */
  readonly functions: readonly FunctionChange[];
}

/** Changes. */
export const changes: FigureKind<ChangesFigure> = {
  ...ofPlainDataAlone(
    "changes",
    "which functions were called",
    "what Microscope.look() returns, twice, or run the lab with { look: {} }: " +
      'plot([copying, zeroCopy], { kind: "changes" })',
  ),
  ofData,
  picture,
  text,
  words,
};

/** So many functions are shown by themselves. */
const SHOWN = 24;
const ROW = 19;

function ofData(data: readonly Labelled[], texts: FigureTexts): ChangesFigure {
  requireItems("changes", data, 2, "two views are compared");
  const [first, second] = data as readonly [Labelled, Labelled];
  const [before, after] = [systemCalls("changes", first), systemCalls("changes", second)];
  if (before.each !== after.each) {
    throw new PlotError(
      `plot, kind changes: ${first.label} counts instructions${
        before.each || " of a whole trial"
      }, ` +
        `${second.label}${after.each || " those of a whole trial"}: compare two of one kind`,
    );
  }
  const { each } = after;
  const [from, to] = [before.root.total, after.root.total];
  const elsewhere = [[first, before] as const, [second, after] as const].flatMap((
    [{ label }, { elsewhere }],
  ) => elsewhere === "" ? [] : [`Not shown of ${label}: ${elsewhere}.`]);
  return {
    kind: "changes",
    title: texts.title ?? `What changes from ${first.label} to ${second.label}`,
    subtitle: texts.subtitle ??
      `${countText(from)} → ${countText(to)} instructions${each} in system calls of the thread ` +
        `that looked: ${signed(to - from)}, ${formatChange(to / from)}; by function; ${NOT_TIME}`,
    notes: elsewhere,
    labels: [first.label, second.label],
    functions: changed(sums(before.root), sums(after.root)),
  };
}

/** What a function executed itself, on all paths. */
interface Sum {
  instructions: number;
  copies: boolean;
}

function sums(root: FlameBox): Map<string, Sum> {
  const found = new Map<string, Sum>();
  const add = ({ name, instructions, copied, children }: FlameBox): void => {
    const sum = found.get(name) ?? { instructions: 0, copies: false };
    sum.instructions += instructions;
    sum.copies ||= copied > 0;
    found.set(name, sum);
    children.forEach(add);
  };
  add(root);
  return found;
}

function changed(before: Map<string, Sum>, after: Map<string, Sum>): FunctionChange[] {
  return [...new Set([...before.keys(), ...after.keys()])].map((name): FunctionChange => ({
    name,
    before: before.get(name)?.instructions ?? 0,
    after: after.get(name)?.instructions ?? 0,
    copies: [before.get(name)?.copies ?? false, after.get(name)?.copies ?? false],
  })).filter(({ before, after }) => before !== after)
    .sort((a, b) => changeOf(a) - changeOf(b) || (a.name < b.name ? -1 : 1));
}

function changeOf({ before, after }: FunctionChange): number {
  return after - before;
}

/** A number with its sign. */
function signed(value: number): string {
  const sign = value > 0 ? "+" : value < 0 ? "−" : "±";
  return `${sign}${countText(Math.abs(value))}`;
}

/** The functions with the largest changes in their order, and what the others come to. */
function shownOf(
  { functions }: ChangesFigure,
): { readonly rows: readonly FunctionChange[]; readonly rest: string } {
  const size = (one: FunctionChange): number => Math.abs(changeOf(one));
  const largest = new Set(functions.toSorted((a, b) => size(b) - size(a)).slice(0, SHOWN));
  const rows = functions.filter((one) => largest.has(one));
  const others = functions.filter((one) => !largest.has(one)).map(changeOf);
  const sumOf = (is: (value: number) => boolean): number =>
    others.filter(is).reduce((sum, value) => sum + value, 0);
  const [fewer, more] = [sumOf((value) => value < 0), sumOf((value) => value > 0)];
  const rest = `${others.length} other functions: ${signed(fewer)} and ${signed(more)}.`;
  return { rows, rest: others.length === 0 ? "" : rest };
}

/** Whether a function is only in one of the windows, and in which it copied. */
function noteOf({ before, after, copies: [copied, copies] }: FunctionChange): string {
  const parts = [
    after === 0 ? "gone" : before === 0 ? "new" : "",
    copied && copies
      ? "copies payload"
      : copied
      ? "copied payload"
      : copies
      ? "now copies payload"
      : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

function picture(figure: ChangesFigure, canvas: Canvas): Piece[] {
  const { width, colours } = canvas;
  const { series, muted } = colours;
  const { rows, rest } = shownOf(figure);
  if (rows.length === 0) return [{ svg: textAt(PADDING, 12, NO_CHANGE), height: 20 }];
  const values = rows.map((row) => signed(changeOf(row)));
  const labelRoom = Math.min(
    width * 0.42,
    Math.max(...rows.map(({ name }) => textWidth(name, SMALL))),
  );
  const valueRoom = Math.max(...values.map((value) => textWidth(value, SMALL)));
  const left = PADDING + labelRoom + 8;
  const right = width - PADDING - valueRoom - 8;
  const least = Math.min(0, ...rows.map(changeOf));
  const most = Math.max(0, ...rows.map(changeOf));
  const at = (value: number): number => left + (value - least) / (most - least) * (right - left);
  const bars = rows.map((row, index) => {
    const change = changeOf(row);
    const y = index * ROW;
    const [from, to] = [at(Math.min(0, change)), at(Math.max(0, change))];
    return titled(
      `${row.name}: ${countText(row.before)} → ${countText(row.after)} instructions, ${
        values[index]
      }` +
        (noteOf(row) === "" ? "" : `; ${noteOf(row)}`),
      textAt(left - 8, y + 13, wrapped(row.name, labelRoom + 1, SMALL)[0]!, {
        size: SMALL,
        anchor: "end",
        ...(row.copies.includes(true) ? { weight: 600 } : {}),
      }),
      rect(from, y + 3, Math.max(1, to - from), ROW - 6, series[change < 0 ? 0 : 1]!),
      textAt(width - PADDING, y + 13, values[index]!, { size: SMALL, anchor: "end" }),
    );
  });
  const height = rows.length * ROW;
  const items = [
    { mark: mark(series[0]!), text: `fewer in ${figure.labels[1]}` },
    { mark: mark(series[1]!), text: `more in ${figure.labels[1]}` },
  ];
  const bold = rows.some(({ copies }) => copies.includes(true)) ? "Bold: copies payload." : "";
  const below = [rest, bold].filter((words) => words !== "");
  return [
    legend(items, canvas),
    { svg: bars.join("") + line(at(0), 0, at(0), height, muted), height: height + 4 },
    notes(below, canvas),
  ];
}

const NO_CHANGE = "No function executes more instructions, or fewer.";

function mark(colour: string): (x: number, y: number) => string {
  return (x, y) => rect(x - 6, y - 4, 12, 8, colour);
}

/** A signed list, with bars to both sides. */
function text(figure: ChangesFigure, { width, colours }: TextDrawing): string[] {
  const { rows, rest } = shownOf(figure);
  if (rows.length === 0) return [NO_CHANGE, ""];
  const values = rows.map((row) => signed(changeOf(row)));
  const remarks = rows.map(noteOf);
  const widest = (texts: readonly string[]): number => Math.max(...texts.map(displayWidth));
  const [valueWidth, noteWidth] = [widest(values), widest(remarks)];
  const others = valueWidth + noteWidth + 6;
  const names = rows.map(({ name }) => name);
  const nameWidth = Math.min(widest(names), Math.max(12, width - others - NARROWEST));
  const cells = Math.max(0, width - nameWidth - others);
  const largest = Math.max(...rows.map((row) => Math.abs(changeOf(row))));
  const lines = rows.map((row, index) => {
    const change = changeOf(row);
    const length = Math.max(1, Math.round(Math.abs(change) / largest * cells));
    const bar = cells < 4 ? "" : (change < 0 ? "━" : "▓").repeat(length);
    const drawn = styled(bar, TERMINAL_STYLES[change < 0 ? 0 : 1]!, colours);
    const name = padEnd(truncated(row.name, nameWidth), nameWidth);
    const note = padEnd(remarks[index]!, noteWidth);
    return `${padStart(values[index]!, valueWidth)}  ${name}  ${note}  ${drawn}`;
  });
  return [...lines, "", ...(rest === "" ? [] : [rest])];
}

function words(figure: ChangesFigure): string[] {
  const { functions } = figure;
  if (functions.length === 0) return [NO_CHANGE];
  const told = (rows: readonly FunctionChange[]): string =>
    some(rows.map((row) => `${row.name} ${signed(changeOf(row))}`));
  const fewer = functions.filter((row) => changeOf(row) < 0);
  const more = functions.filter((row) => changeOf(row) > 0).toReversed();
  return [
    ...(fewer.length === 0 ? [] : [`Fewer in ${figure.labels[1]}: ${told(fewer)}`]),
    ...(more.length === 0 ? [] : [`More in ${figure.labels[1]}: ${told(more)}`]),
  ];
}
