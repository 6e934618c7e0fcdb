/**
 * Flame graphs: where the instructions of system calls go, by exact paths of calls.
 *
 * @module
 */
import { NOT_TIME } from "../trials/clock.ts";
import { padStart, type TextDrawing } from "./text.ts";
import { some } from "./alt_text.ts";
import {
  type Canvas,
  legend,
  type LegendItem,
  notes,
  PADDING,
  type Piece,
  SMALL,
} from "./canvas.ts";
import type { FigureHead } from "./figure.ts";
import type { FigureKind } from "./kind.ts";
import { wrapped } from "./layout.ts";
import { type Labelled, ofPlainDataAlone, requireItems } from "./plain.ts";
import type { FlameBox } from "./flame_box.ts";
import { countText, systemCalls } from "./seen_calls.ts";
import { rect, text as textAt, titled } from "./shapes.ts";
import { type Colours, TERMINAL_STYLES } from "./theme.ts";
import type { FigureTexts } from "./trials.ts";
import { styled, truncated } from "../text/table.ts";

/** A flame graph. */
export interface FlameFigure extends FigureHead {
  /** The kind. */
  readonly kind: "flame";
  /** Where system calls enter the kernel, and all that was called below. */
  readonly root: FlameBox;
}

/** A box of the drawing. */
interface Placed {
  readonly box: FlameBox;
  /** How many callers it has. */
  readonly depth: number;
  /** Instructions to the left of it. */
  readonly before: number;
}

/** Flame graphs. */
export const flame: FigureKind<FlameFigure> = {
  ...ofPlainDataAlone(
    "flame",
    "which functions were called",
    "what Microscope.look() returns, or run the lab with { look: {} }: " +
      'plot([view], { kind: "flame" })',
  ),
  ofData,
  picture,
  text,
  words,
};

const ROW = 17;
/** In pixels; what is narrower is no box that an eye could tell from its neighbours. */
const NARROWEST_BOX = 1.5;
/** In pixels; a name that is cut to less says nothing. */
const NARROWEST_NAME = 38;
/** So many paths are told in a terminal. */
const HOTTEST = 16;

function ofData(data: readonly Labelled[], texts: FigureTexts): FlameFigure {
  requireItems("flame", data, 1, "one view at a time", "compare two with the kind changes");
  const [item] = data;
  const { root, each, elsewhere } = systemCalls("flame", item!);
  return {
    kind: "flame",
    title: texts.title ?? `Where the instructions go: ${item!.label}`,
    subtitle: texts.subtitle ??
      `${
          countText(root.total)
        } instructions${each} in system calls of the thread that looked, softirqs ` +
        `that they run included; below each function what it called; ${NOT_TIME}`,
    notes: elsewhere === "" ? [] : [`Not shown: ${elsewhere}.`],
    root,
  };
}

/** All boxes, callers before what they called. */
function placedBoxes(root: FlameBox): Placed[] {
  const placed: Placed[] = [];
  const place = (box: FlameBox, depth: number, before: number): void => {
    placed.push({ box, depth, before });
    let at = before;
    for (const child of box.children) {
      place(child, depth + 1, at);
      at += child.total;
    }
  };
  place(root, 0, 0);
  return placed;
}

function shareOf(part: number, whole: number): string {
  return `${(part / whole * 100).toFixed(1)} %`;
}

function picture({ root }: FlameFigure, canvas: Canvas): Piece[] {
  const { width, colours } = canvas;
  const perInstruction = (width - 2 * PADDING) / root.total;
  const wide = ({ total }: FlameBox): boolean => total * perInstruction >= NARROWEST_BOX;
  const shown = placedBoxes(root).filter(({ box }) => wide(box));
  // What is below a narrow box is narrower, and is in its total.
  const left = shown.flatMap(({ box }) => box.children).filter((box) => !wide(box));
  const hidden = left.reduce((sum, { total }) => sum + total, 0);
  const rows = 1 + Math.max(...shown.map(({ depth }) => depth));
  const svg = shown.map(({ box, depth, before }) => {
    const x = PADDING + before * perInstruction;
    const room = box.total * perInstruction;
    return titled(
      titleOf(box, root),
      // A gap tells neighbours apart.
      rect(x, depth * ROW, Math.max(1, room - 0.7), ROW - 1, colourOf(box, depth, colours), 0.38),
      room < NARROWEST_NAME
        ? ""
        : textAt(x + 3, depth * ROW + 12, wrapped(box.name, room - 6, SMALL)[0]!, { size: SMALL }),
    );
  });
  const hiddenText = `Left out for lack of room: ${left.length} boxes and what they called, ` +
    `${countText(hidden)} instructions, ${shareOf(hidden, root.total)}.`;
  const marks = legendItems(shown, colours);
  return [
    ...(marks.length === 0 ? [] : [legend(marks, canvas)]),
    { svg: svg.join(""), height: rows * ROW + 4 },
    ...(left.length === 0 ? [] : [notes([hiddenText], canvas)]),
  ];
}

function titleOf({ name, total, instructions, copied }: FlameBox, root: FlameBox): string {
  return `${name}: ${countText(total)} instructions, ${shareOf(total, root.total)}; ` +
    `${countText(instructions)} of its own` +
    (copied === 0 ? "" : `; copies ${countText(copied)} bytes of the payload`);
}

function colourOf({ copied }: FlameBox, depth: number, { series, muted }: Colours): string {
  // Rows are told apart by turns.
  return copied > 0 ? series[1]! : depth % 2 === 0 ? series[0]! : muted;
}

function legendItems(shown: readonly Placed[], { series }: Colours): LegendItem[] {
  if (!shown.some(({ box }) => box.copied > 0)) return [];
  return [{
    mark: (x, y) => rect(x - 6, y - 5, 12, 10, series[1]!, 0.38),
    text: "copies payload",
  }];
}

/** A path, and what the function at its end executed itself. */
interface HotPath {
  readonly names: readonly string[];
  readonly box: FlameBox;
}

/** The paths whose last function executed the most itself. */
function hottest(root: FlameBox): HotPath[] {
  const found: HotPath[] = [];
  const add = (box: FlameBox, callers: readonly string[]): void => {
    const names = [...callers, box.name];
    if (box.instructions > 0) found.push({ names, box });
    for (const child of box.children) add(child, names);
  };
  add(root, []);
  return found.sort((a, b) => b.box.instructions - a.box.instructions);
}

/** The hottest paths, each from the function that executed to its callers. */
function text({ root }: FlameFigure, { width, colours }: TextDrawing): string[] {
  const paths = hottest(root);
  const told = paths.slice(0, HOTTEST);
  const most = countText(told[0]?.box.instructions ?? 0).length;
  const lines = told.map(({ names, box }) => {
    const { instructions, copied } = box;
    const count = padStart(countText(instructions), most);
    const share = padStart(shareOf(instructions, root.total), 7);
    const line = truncated(`${count} ${share}  ${names.toReversed().join(" < ")}`, width);
    return copied > 0 ? styled(line, TERMINAL_STYLES[1]!, colours) : line;
  });
  const rest = paths.slice(HOTTEST);
  const sum = rest.reduce((sum, { box }) => sum + box.instructions, 0);
  return [
    ...lines,
    ...(rest.length === 0 ? [] : [
      `${padStart(countText(sum), most)} ${padStart(shareOf(sum, root.total), 7)}  ` +
      `on ${rest.length} other paths`,
    ]),
    "",
  ];
}

/** How many functions are told in words. */
const TOLD = 5;

function words({ root }: FlameFigure): string[] {
  const told = hottest(root).slice(0, TOLD).map(({ names, box }) =>
    `${box.name}${names.length < 2 ? "" : ` called by ${names.at(-2)}`} ` +
    shareOf(box.instructions, root.total)
  );
  const copying = placedBoxes(root).filter(({ box }) => box.copied > 0);
  return [
    `Most instructions of their own: ${some(told)}`,
    copying.length === 0
      ? "No function in it copies payload"
      : `Payload is copied by ${some(copying.map(({ box }) => box.name))}`,
  ];
}
