/**
 * Life lines: when each zero-copy send was submitted, sent and released.
 *
 * @module
 */
import { displayWidth, styled, truncated } from "../text/table.ts";
import { linearTicks } from "./axis.ts";
import {
  axisName,
  BELOW,
  type Canvas,
  legend,
  type LegendItem,
  PADDING,
  type Piece,
  SMALL,
} from "./canvas.ts";
import { type FigureHead, PlotError } from "./figure.ts";
import { formatSi, tickText } from "../text/format.ts";
import type { FigureKind } from "./kind.ts";
import { textWidth, wrapped } from "./layout.ts";
import { isNumber, type Labelled, ofPlainDataAlone } from "./plain.ts";
import { fittingTicks, scale, SIZE } from "./scales.ts";
import { arrow, circle, diamond, line, rect, text as textAt } from "./shapes.ts";
import { folded, NARROWEST, padEnd, padStart, type TextDrawing } from "./text.ts";
import { type Colours, TERMINAL_STYLES } from "./theme.ts";
import type { FigureTexts } from "./trials.ts";

/** The life of one request or notifier. All times are seconds on one clock. */
export interface Lifeline {
  /** What stands beside it, such as `request 3`. */
  readonly label: string;
  /** When it was submitted. */
  readonly submitted: number;
  /** When its data was sent: the first completion; null if that has not come. */
  readonly sent: number | null;
  /** When the kernel released its memory: the notification; null if that has not come. */
  readonly released: number | null;
  /** Whether the kernel copied after all; null where it does not say. */
  readonly copied: boolean | null;
}

/** Life lines of zero-copy sends. */
export interface LifelinesFigure extends FigureHead {
  /** The kind. */
  readonly kind: "lifelines";
  /** From top to bottom, in seconds from the first submission. */
  readonly lines: readonly Lifeline[];
}

/** Life lines. */
export const lifelines: FigureKind<LifelinesFigure> = {
  ...ofPlainDataAlone(
    "lifelines",
    "when each request was submitted, sent and released",
    "the life lines themselves: " +
      'plot([{ label, submitted, sent, released, copied }, ...], { kind: "lifelines" })',
  ),
  ofData,
  picture,
  text,
  words,
};

function ofData(data: readonly Labelled[], texts: FigureTexts): LifelinesFigure {
  const lines = data as readonly Lifeline[];
  for (const line of lines) check(line);
  const start = Math.min(...lines.map(({ submitted }) => submitted));
  const since = (at: number | null): number | null => at === null ? null : at - start;
  const counted = lines.filter(({ copied }) => copied !== null);
  const copied = counted.filter((line) => line.copied).length;
  return {
    kind: "lifelines",
    title: texts.title ?? "When the kernel released each buffer",
    subtitle: texts.subtitle ??
      (counted.length === 0
        ? `${lines.length} life lines`
        : `${copied} of ${counted.length} copied, by the kernel's report`),
    notes: [],
    lines: lines.map((line) => ({
      ...line,
      submitted: line.submitted - start,
      sent: since(line.sent),
      released: since(line.released),
    })),
  };
}

function check({ label, submitted, sent, released, copied }: Lifeline): void {
  const require = (holds: boolean, field: string, what: string): void => {
    if (!holds) throw new PlotError(`plot, kind lifelines: ${label}: ${field} ${what}`);
  };
  require(isNumber(submitted), "submitted", "is a time in seconds");
  require(sent === null || isNumber(sent), "sent", "is a time in seconds, or null");
  require(released === null || isNumber(released), "released", "is a time in seconds, or null");
  require(copied === null || typeof copied === "boolean", "copied", "is true, false or null");
  require(sent === null || sent >= submitted, "sent", "lies before submitted");
  require(
    released === null || released >= (sent ?? submitted),
    "released",
    `lies before ${sent === null ? "submitted" : "sent"}`,
  );
}

function words({ lines }: LifelinesFigure): string[] {
  const held = lines.flatMap(({ submitted, released }) =>
    released === null ? [] : [released - submitted]
  );
  const range = `${formatSi(Math.min(...held), "s")} to ${formatSi(Math.max(...held), "s")}`;
  const lost = lines.length - held.length;
  return [
    `${lines.length} life lines` + (held.length === 0 ? "" : `, released after ${range}`) +
    (lost === 0 ? "" : `, ${lost} not released`),
  ];
}

/** When the last of everything that has come came. */
function endOf(lines: readonly Lifeline[]): number {
  return Math.max(
    ...lines.flatMap(({ submitted, sent, released }) => [submitted, sent ?? 0, released ?? 0]),
  );
}

/** How long its memory was held, and whether the kernel copied. */
function outcome({ submitted, released, copied }: Lifeline): string {
  return (released === null ? "not released" : formatSi(released - submitted, "s")) +
    (copied === true ? ", copied" : "");
}

function picture({ lines }: LifelinesFigure, canvas: Canvas): Piece[] {
  const { width, colours } = canvas;
  const { muted, grid } = colours;
  const end = endOf(lines);
  const rowHeight = lines.length > 150 ? 6 : lines.length > 60 ? 10 : lines.length > 24 ? 15 : 22;
  const thickness = Math.min(9, rowHeight - 3);
  // Where rows are too low for letters, not every one has its texts.
  const every = Math.ceil(14 / rowHeight);
  const labelRoom = Math.min(
    width * 0.3,
    Math.max(...lines.map(({ label }) => textWidth(label, SIZE))),
  );
  const outcomes = lines.map(outcome);
  const outcomeRoom = Math.max(...outcomes.map((one) => textWidth(one, SMALL)));
  const frame = {
    left: PADDING + labelRoom + 10,
    right: width - PADDING - outcomeRoom - 10,
    top: 4,
    bottom: 8 + lines.length * rowHeight,
  };
  const until = end > 0 ? end * 1.02 : 1e-6;
  const x = scale("linear", [0, until], [frame.left, frame.right]);
  const ticks = fittingTicks(
    linearTicks(until, (frame.right - frame.left) / 80),
    (value) => tickText(value, "s"),
    x,
  );
  const axis = ticks.map(({ value, text: words }) =>
    line(x.at(value), frame.top, x.at(value), frame.bottom, grid) +
    textAt(x.at(value), frame.bottom + 16, words, { anchor: "middle" })
  );
  const rows = lines.map((one, index) => {
    const { label, submitted, sent, released } = one;
    const y = frame.top + 2 + (index + 0.5) * rowHeight;
    const colour = colourOf(one.copied, colours);
    const [sentAt, held] = [sent ?? released ?? end, released ?? end];
    const isHeld = sent !== null && (held > sent || released === null);
    const texts = textAt(frame.left - 8, y + 4, wrapped(label, labelRoom + 1, SIZE)[0]!, {
      anchor: "end",
    }) +
      textAt(x.at(Math.max(held, sentAt)) + (released === null ? 12 : 9), y + 4, outcomes[index]!, {
        size: SMALL,
        fill: muted,
      });
    return line(x.at(submitted), y, x.at(sentAt), y, colour, 2) +
      (isHeld
        ? rect(
          x.at(sent),
          y - thickness / 2,
          Math.max(1, x.at(held) - x.at(sent)),
          thickness,
          colour,
          0.45,
        )
        : "") +
      circle(x.at(submitted), y, Math.min(3.2, thickness / 2), colour) +
      (sent === null
        ? ""
        : line(x.at(sent), y - thickness / 2 - 1, x.at(sent), y + thickness / 2 + 1, colour, 2)) +
      (released === null
        ? arrow(x.at(held), y, colour)
        : diamond(x.at(released), y, Math.min(4.5, thickness / 2 + 0.5), colour)) +
      (index % every === 0 ? texts : "");
  });
  return [legend(legendItems(lines, colours), canvas), {
    svg: axis.join("") + line(frame.left, frame.bottom, frame.right, frame.bottom, muted) +
      rows.join("") + axisName(frame, "time since the first submission", canvas),
    height: frame.bottom + BELOW,
  }];
}

function colourOf(copied: Lifeline["copied"], { muted, series }: Colours): string {
  return copied === null ? muted : series[copied ? 1 : 0]!;
}

function legendItems(lines: readonly Lifeline[], colours: Colours): LegendItem[] {
  const { ink } = colours;
  const held = ([
    [false, "held, not copied"],
    [true, "held, copied"],
    [null, "held, copied or not is not told"],
  ] as const).filter(([copied]) => lines.some((line) => line.copied === copied));
  return [
    { mark: (x, y) => circle(x, y, 3.2, ink), text: "submitted" },
    { mark: (x, y) => line(x, y - 5, x, y + 5, ink, 2), text: "sent (first completion)" },
    { mark: (x, y) => diamond(x, y, 4.5, ink), text: "released (notification)" },
    ...held.map(([copied, words]): LegendItem => {
      const colour = colourOf(copied, colours);
      return {
        mark: (x, y) =>
          rect(x - 6, y - 4, 12, 8, colour, 0.45) + line(x - 6, y - 4, x - 6, y + 4, colour, 2),
        text: words,
      };
    }),
  ];
}

/** From submitted over sent to released: a thin line, then a thick one. */
function text({ lines }: LifelinesFigure, { width, colours }: TextDrawing): string[] {
  const end = endOf(lines);
  const outcomes = lines.map(outcome);
  const outcomeWidth = Math.max(...outcomes.map(displayWidth));
  const labelWidth = Math.min(
    Math.max(...lines.map(({ label }) => displayWidth(label))),
    Math.max(4, width - outcomeWidth - 3 - NARROWEST),
  );
  const columns = Math.max(NARROWEST, width - labelWidth - outcomeWidth - 3);
  const columnOf = (at: number): number => end > 0 ? Math.round(at / end * (columns - 1)) : 0;
  const rows = lines.map(({ label, submitted, sent, released, copied }, index) => {
    const cells = new Array<string>(columns).fill(" ");
    const [first, middle] = [columnOf(submitted), columnOf(sent ?? released ?? end)];
    const last = columnOf(released ?? end);
    cells.fill("─", first, middle + 1);
    if (sent !== null) cells.fill(copied ? "▒" : "━", middle, last + 1);
    cells[first] = "●";
    if (sent !== null && middle > first) cells[middle] = "┿";
    if (last > first) cells[last] = released === null ? "▶" : "◆";
    const drawn = styled(cells.join(""), TERMINAL_STYLES[copied ? 1 : 0], colours);
    const name = padEnd(truncated(label, labelWidth), labelWidth);
    return `${name} │${drawn} ${outcomes[index]}`;
  });
  const space = " ".repeat(labelWidth + 2);
  const marks = ["● submitted", "┿ sent", "◆ released", "━ held"];
  if (lines.some(({ copied }) => copied)) marks.push("▒ held, copied");
  if (lines.some(({ released }) => released === null)) marks.push("▶ not released");
  return [
    ...rows,
    `${" ".repeat(labelWidth + 1)}└${"─".repeat(columns)}`,
    `${space}0 s${padStart(formatSi(end, "s"), columns - 3)}`,
    ...folded(marks, width),
    "",
  ];
}
