/**
 * A panel of lines, each named where it ends.
 *
 * @module
 */
import { axes, axisName, BELOW, type Canvas, PADDING, panelHead, type Piece } from "./canvas.ts";
import { dodged, textWidth, wrapped } from "./layout.ts";
import { type Frame, LINE, type Scale, SIZE, type Tick, widest } from "./scales.ts";
import { marker, round, text } from "./shapes.ts";
import type { SeriesLook } from "./theme.ts";

/** What is known of a panel before there is a frame. */
export interface LinePanel {
  /** What stands above it; may be empty. */
  readonly title: string;
  /** What the upright axis shows. */
  readonly yName: string;
  /** The ticks of the upright axis. */
  readonly yTicks: readonly Tick[];
  /** What the horizontal axis shows. */
  readonly xName: string;
  /** The least height of the frame, in pixels. */
  readonly height: number;
  /** The name of each line; a single line may have an empty one. */
  readonly names: readonly string[];
  /** How each line looks. */
  readonly look: (name: string) => SeriesLook;
}

/** What is drawn into the frame. */
export interface LinesInFrame {
  readonly x: {
    readonly scale: Scale;
    readonly ticks: readonly Tick[];
    readonly hasGrid?: boolean;
  };
  readonly y: Scale;
  /** The lines. */
  readonly marks: string;
  /** Where each line ends, in the order of the names. */
  readonly ends: readonly (readonly [x: number, y: number])[];
}

/**
 * Draws the panel.
 *
 * @param panel What is known before.
 * @param draw Draws into the frame that is left between the ticks and the names.
 * @param canvas What is drawn on.
 * @returns The panel, and the scale along its horizontal axis.
 */
export function linePanel(
  panel: LinePanel,
  draw: (frame: Frame) => LinesInFrame,
  canvas: Canvas,
): Piece & { readonly x: Scale } {
  const { title, yName, yTicks, xName, names } = panel;
  const room = roomForNames(names, canvas.width);
  const head = panelHead(title, yName, canvas);
  const top = head.height + 6;
  const frame = {
    left: PADDING + widest(yTicks) + 10,
    right: canvas.width - PADDING - room.width,
    top,
    bottom: top + Math.max(panel.height, room.heights.reduce((sum, one) => sum + one, 0)),
  };
  const { x, y, marks, ends } = draw(frame);
  return {
    svg: head.svg + axes(frame, x, { scale: y, ticks: yTicks }, canvas) + marks +
      axisName(frame, xName, canvas) + namesAtEnds(panel, ends, frame, room),
    height: frame.bottom + BELOW,
    x: x.scale,
  };
}

interface Room {
  readonly width: number;
  /** The lines of text of each name. */
  readonly lines: readonly (readonly string[])[];
  readonly heights: readonly number[];
}

/** Room on the right for the names. */
function roomForNames(names: readonly string[], width: number): Room {
  const most = width * (width < 500 ? 0.36 : 0.3);
  const lines = names.map((name) => wrapped(name, most - 26, SIZE));
  return {
    width: 30 + Math.max(...lines.flat().map((one) => textWidth(one, SIZE))),
    lines,
    heights: lines.map((own) => own.length * (LINE - 1) + 2),
  };
}

/** The names at the ends of the lines, moved apart where they would overlap. */
function namesAtEnds(
  { names, look }: LinePanel,
  ends: LinesInFrame["ends"],
  frame: Frame,
  { lines, heights }: Room,
): string {
  // A series that is alone needs no name.
  if (names.every((name) => name === "")) return "";
  const places = dodged(ends.map(([, y]) => y), heights, frame.top - 8, frame.bottom + 12);
  return names.map((name, index) => {
    const { colour, symbol } = look(name);
    const [x, y] = ends[index]!;
    const middle = places[index]!;
    const at = frame.right + 14;
    const first = middle - (lines[index]!.length - 1) * (LINE - 1) / 2 + 4;
    return `<path d="M${round(x + 4)},${round(y)}L${round(at - 3)},${round(middle)}" ` +
      `stroke="${colour}" stroke-opacity="0.5" fill="none"/>` +
      marker(at + 3, middle, symbol, colour) +
      lines[index]!.map((one, row) =>
        text(at + 12, first + row * (LINE - 1), one, { fill: colour })
      ).join("");
  }).join("");
}
