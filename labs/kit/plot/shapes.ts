/**
 * The shapes of drawings, as SVG.
 *
 * @module
 */
import { escapeHtml } from "../../../ffi/kernel/inspection.ts";
import type { SeriesLook } from "./theme.ts";

/** How a text looks. */
export interface TextLook {
  readonly size?: number;
  readonly weight?: number;
  readonly anchor?: "middle" | "end";
  readonly fill?: string;
}

/** A line of text; y is its baseline. */
export function text(x: number, y: number, words: string, look: TextLook = {}): string {
  const { size, weight, anchor, fill } = look;
  return `<text x="${round(x)}" y="${round(y)}"` +
    (size === undefined ? "" : ` font-size="${size}"`) +
    (weight === undefined ? "" : ` font-weight="${weight}"`) +
    (anchor === undefined ? "" : ` text-anchor="${anchor}"`) +
    (fill === undefined ? "" : ` fill="${fill}"`) +
    `>${escapeHtml(words)}</text>`;
}

/** A place on a drawing, in pixels to the right and downward. */
export type Place = readonly [x: number, y: number];

/** Parts that belong together, under a name for who edits the drawing or styles it. */
export function group(name: string, ...parts: readonly string[]): string {
  return `<g class="${name}">${parts.join("")}</g>`;
}

/** Parts that show a text where one points at them. */
export function titled(words: string, ...parts: readonly string[]): string {
  return `<g><title>${escapeHtml(words)}</title>${parts.join("")}</g>`;
}

/** A line from place to place. */
export function curve(
  places: readonly Place[],
  colour: string,
  width: number,
  dash?: string,
): string {
  return `<path d="${through(places)}" fill="none" stroke="${colour}" stroke-width="${width}" ` +
    'stroke-linejoin="round" stroke-linecap="round"' +
    (dash === undefined ? "" : ` stroke-dasharray="${dash}"`) + "/>";
}

/** What lies between two lines; each place has a y on both. */
export function area(
  places: readonly (readonly [x: number, from: number, to: number])[],
  fill: string,
): string {
  const there = places.map(([x, from]): Place => [x, from]);
  const back = places.map(([x, , to]): Place => [x, to]).reverse();
  return path(`${through([...there, ...back])}Z`, fill);
}

function through(places: readonly Place[]): string {
  return places.map(([x, y], index) => `${index === 0 ? "M" : "L"}${round(x)},${round(y)}`)
    .join("");
}

/** A straight line. */
export function line(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  colour: string,
  width = 1,
  dash?: string,
): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" ` +
    `stroke="${colour}" stroke-width="${width}"` +
    (dash === undefined ? "" : ` stroke-dasharray="${dash}"`) + "/>";
}

/** A filled rectangle. */
export function rect(
  x: number,
  y: number,
  width: number,
  height: number,
  colour: string,
  opacity?: number,
): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(Math.max(0, width))}" ` +
    `height="${round(height)}" fill="${colour}"` +
    (opacity === undefined ? "" : ` fill-opacity="${opacity}"`) + "/>";
}

/** A circle around a point. */
export function circle(
  x: number,
  y: number,
  radius: number,
  fill: string,
  stroke?: string,
): string {
  return `<circle cx="${round(x)}" cy="${round(y)}" r="${round(radius)}" fill="${fill}"` +
    (stroke === undefined ? "" : ` stroke="${stroke}" stroke-width="1.3"`) + "/>";
}

/** A square around a point. */
export function square(x: number, y: number, half: number, fill: string, stroke: string): string {
  return `<rect x="${round(x - half)}" y="${round(y - half)}" width="${2 * half}" ` +
    `height="${2 * half}" fill="${fill}" stroke="${stroke}" stroke-width="1.3"/>`;
}

/** A diamond around a point. */
export function diamond(x: number, y: number, half: number, fill: string): string {
  return path(
    `M${round(x)},${round(y - half)}l${half},${half}l${-half},${half}l${-half},${-half}Z`,
    fill,
  );
}

/** An arrowhead that points to the right, from a point on. */
export function arrow(x: number, y: number, fill: string): string {
  return path(`M${round(x)},${round(y - 4.5)}l7,4.5l-7,4.5Z`, fill);
}

function path(d: string, fill: string): string {
  return `<path d="${d}" fill="${fill}"/>`;
}

/** The point of a series, in its own shape. */
export function marker(x: number, y: number, symbol: SeriesLook["symbol"], fill: string): string {
  switch (symbol) {
    case "circle":
      return circle(x, y, 3.6, fill);
    case "square":
      return `<rect x="${round(x - 3.2)}" y="${round(y - 3.2)}" width="6.4" height="6.4" ` +
        `fill="${fill}"/>`;
    case "diamond":
      return diamond(x, y, 4.4, fill);
    case "triangle":
      return path(`M${round(x)},${round(y - 5)}l4.4,7.6l-8.8,0Z`, fill);
    case "star":
      return path(
        through(Array.from({ length: 10 }, (_, index): Place => {
          const radius = index % 2 === 0 ? 5.6 : 2.2;
          const angle = Math.PI * index / 5;
          return [x + radius * Math.sin(angle), y - radius * Math.cos(angle)];
        })) + "Z",
        fill,
      );
    case "wye":
      return [90, 210, 330].map((degrees) => {
        const angle = degrees * Math.PI / 180;
        return line(x, y, x + 5 * Math.cos(angle), y + 5 * Math.sin(angle), fill, 3);
      }).join("");
    case "cross":
      return line(x - 4.2, y, x + 4.2, y, fill, 3) + line(x, y - 4.2, x, y + 4.2, fill, 3);
  }
}

/** A number in hundredths, which no eye tells apart. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
