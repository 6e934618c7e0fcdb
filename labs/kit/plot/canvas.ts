/**
 * What the drawings of all kinds of figures share: the document, headings, axes and legends.
 *
 * @module
 */
import { escapeHtml } from "../../../ffi/kernel/inspection.ts";
import type { FigureHead } from "./figure.ts";
import { textWidth, wrapped } from "./layout.ts";
import { type Frame, LINE, type Scale, SIZE, type Tick } from "./scales.ts";
import { group, line, rect, round, text } from "./shapes.ts";
import type { Colours } from "./theme.ts";

/** What is drawn on. */
export interface Canvas {
  /** In pixels; the height follows from what is drawn. */
  readonly width: number;
  /** The colours. */
  readonly colours: Colours;
}

/** A piece of drawing, from 0 downward, and the room it takes. */
export interface Piece {
  readonly svg: string;
  readonly height: number;
}

/** A mark and the word for it, in a legend. */
export interface LegendItem {
  /** Draws the mark around a place. */
  readonly mark: (x: number, y: number) => string;
  readonly text: string;
}

/** Around everything. */
export const PADDING = 14;

/** The size of the letters of what is less important. */
export const SMALL = 11;

const TITLE_SIZE = 16;
const PANEL_TITLE_SIZE = 13;
const FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";

/**
 * A whole drawing.
 *
 * @param head The figure.
 * @param pieces What stands between its title and its notes.
 * @param alt What it shows, in words.
 * @returns An SVG document that needs nothing else.
 */
export function svgDocument(
  head: FigureHead,
  pieces: readonly Piece[],
  alt: string,
  canvas: Canvas,
): string {
  const { width, colours } = canvas;
  let y = PADDING;
  const placed = [title(head, canvas), ...pieces, notes(head.notes, canvas)]
    .map(({ svg, height }) => {
      const piece = svg === "" ? "" : `<g transform="translate(0,${round(y)})">${svg}</g>`;
      y += height;
      return piece;
    });
  const height = Math.ceil(y + PADDING);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(alt)}" ` +
    `color="${colours.ink}" fill="currentColor" font-family="${FONT}" font-size="${SIZE}">` +
    `<title>${escapeHtml(head.title)}</title><desc>${escapeHtml(alt)}</desc>` +
    `${rect(0, 0, width, height, colours.background)}${placed.join("")}</svg>`;
}

function title({ title, subtitle }: FigureHead, { width, colours }: Canvas): Piece {
  const room = width - 2 * PADDING;
  let y = 0;
  const lines = wrapped(title, room, TITLE_SIZE, 600).map((line) =>
    text(PADDING, y += 20, line, { size: TITLE_SIZE, weight: 600 })
  );
  for (const line of subtitle === "" ? [] : wrapped(subtitle, room, SIZE)) {
    lines.push(text(PADDING, y += LINE + 2, line, { fill: colours.muted }));
  }
  return { svg: lines.join(""), height: y + 12 };
}

/** Small lines that a reader must know of. */
export function notes(notes: readonly string[], { width, colours }: Canvas): Piece {
  const lines = notes.flatMap((note) => wrapped(note, width - 2 * PADDING, SMALL));
  let y = 0;
  const svg = lines.map((line) =>
    text(PADDING, y += LINE, line, { size: SMALL, fill: colours.muted })
  );
  return { svg: svg.join(""), height: y };
}

/** What stands above a panel: its title, and what its upright axis shows; either may be empty. */
export function panelHead(title: string, axis: string, { width, colours }: Canvas): Piece {
  let y = 0;
  const parts: string[] = [];
  if (title !== "") {
    for (const line of wrapped(title, width - 2 * PADDING, PANEL_TITLE_SIZE, 600)) {
      parts.push(text(PADDING, y += 17, line, { size: PANEL_TITLE_SIZE, weight: 600 }));
    }
    y += 2;
  }
  if (axis !== "") {
    parts.push(text(PADDING, y += 14, axis, { size: SMALL, fill: colours.muted }));
  }
  return { svg: parts.join(""), height: y + 4 };
}

/** What a panel's horizontal axis shows, below its ticks. */
export function axisName(
  { left, right, bottom }: Frame,
  name: string,
  { colours }: Canvas,
): string {
  return text((left + right) / 2, bottom + 34, name, {
    size: SMALL,
    anchor: "middle",
    fill: colours.muted,
  });
}

/** Room below a panel for its ticks and for what its axis shows. */
export const BELOW = 46;

/** The ticks of both axes with their texts, the grid, and the line at the bottom. */
export function axes(
  { left, right, top, bottom }: Frame,
  x: { readonly scale: Scale; readonly ticks: readonly Tick[]; readonly hasGrid?: boolean },
  y: { readonly scale: Scale; readonly ticks: readonly Tick[] },
  { colours: { grid, muted } }: Canvas,
): string {
  return group(
    "axes",
    ...y.ticks.map(({ value, text: words }) => {
      const at = y.scale.at(value);
      return line(left, at, right, at, grid) + text(left - 9, at + 4, words, { anchor: "end" });
    }),
    ...x.ticks.map(({ value, text: words }) => {
      const at = x.scale.at(value);
      return (x.hasGrid === true ? line(at, top, at, bottom, grid) : "") +
        line(at, bottom, at, bottom + 4, muted) +
        (words === "" ? "" : text(at, bottom + 17, words, { anchor: "middle" }));
    }),
    line(left, bottom, right, bottom, muted),
  );
}

/** The marks that have a meaning of their own, each beside its word. */
export function legend(items: readonly LegendItem[], { width }: Canvas): Piece {
  let x = PADDING;
  let y = 8;
  const parts = items.map(({ mark, text: words }) => {
    const room = 18 + textWidth(words, SMALL);
    if (x > PADDING && x + room > width - PADDING) {
      x = PADDING;
      y += 17;
    }
    const part = mark(x + 6, y) + text(x + 18, y + 4, words, { size: SMALL });
    x += room + 14;
    return part;
  });
  return { svg: parts.join(""), height: y + 14 };
}
