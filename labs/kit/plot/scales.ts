/**
 * Scales of drawings: where a value stands, and which ticks are named.
 *
 * @module
 */
import { linearTicks, roundNumbers, WIDE_RANGE } from "./axis.ts";
import { tickText } from "../text/format.ts";
import { roomyTicks, textWidth } from "./layout.ts";

/** The size of the letters of a drawing, in pixels. */
export const SIZE = 12;
/** From one line of text to the next. */
export const LINE = 15;

/** A scale: what stands where. */
export interface Scale {
  readonly type: "linear" | "log";
  readonly domain: readonly [number, number];
  readonly range: readonly [number, number];
  readonly at: (value: number) => number;
}

/** A tick and its text; empty where there is no room for it. */
export interface Tick {
  readonly value: number;
  readonly text: string;
}

/** The rectangle that the marks of a panel are drawn in. */
export interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** A scale from its domain and its range. */
export function scale(
  type: "linear" | "log",
  domain: readonly [number, number],
  range: readonly [number, number],
): Scale {
  const place = type === "log" ? Math.log : (value: number): number => value;
  const [first, last] = [place(domain[0]), place(domain[1])];
  return {
    type,
    domain,
    range,
    at: (value) => range[0] + (place(value) - first) / (last - first) * (range[1] - range[0]),
  };
}

/** A value and its interval. */
export interface Spread {
  /** The value. */
  readonly value: number;
  /** The lower end of its interval; the value itself where none is known. */
  readonly low: number;
  /** The upper end of its interval. */
  readonly high: number;
}

/** The kind of an axis of values, and its ends. */
export interface ValueDomain {
  readonly type: "linear" | "log";
  readonly ends: readonly [number, number];
}

/** From 0, or logarithmic where the values differ much. */
export function valueDomain(points: readonly Spread[]): ValueDomain {
  const values = points.map(({ value }) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const highest = Math.max(...points.map(({ high }) => high));
  if (least > 0 && most / least > WIDE_RANGE) {
    // An interval down to almost nothing shall not squeeze all others.
    const lowest = Math.max(least / 10, Math.min(...points.map(({ low }) => low)));
    return { type: "log", ends: [lowest / 1.1, highest * 1.1] };
  }
  return { type: "linear", ends: [0, highest > 0 ? highest * 1.04 : 1] };
}

/** The ticks of an axis of values. */
export function valueTicks({ type, ends }: ValueDomain, unit: string): Tick[] {
  const values = type === "log" ? roundNumbers(...ends) : linearTicks(ends[1], 5);
  return values.map((value) => ({ value, text: tickText(value, tickUnit(unit)) }));
}

/** That it is by the second, the name of the axis says. */
export function tickUnit(unit: string): string {
  return unit.startsWith("/") ? "" : unit;
}

/** Around the values, not from 0: what matters is how they differ. */
export function deviationDomain(values: readonly number[]): ValueDomain {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (least > 0 && most / least > WIDE_RANGE) {
    return { type: "log", ends: [least / 1.1, most * 1.1] };
  }
  const margin = most > least ? (most - least) * 0.08 : Math.abs(most) * 0.1 || 1;
  return { type: "linear", ends: [least - margin, most + margin] };
}

/** Around 1; an interval beyond ten times its value shall not squeeze all others. */
export function ratioDomain(points: readonly Spread[]): [number, number] {
  const least = Math.min(1, ...points.map(({ low, value }) => Math.max(low, value / 10)));
  const most = Math.max(1, ...points.map(({ high, value }) => Math.min(high, value * 10)));
  const margin = Math.max(1.03, (most / least) ** 0.06);
  return [least / margin, most * margin];
}

/** All ticks of a horizontal axis, with texts where there is room. */
export function fittingTicks(
  values: readonly number[],
  format: (value: number) => string,
  x: Scale,
): Tick[] {
  const texts = values.map(format);
  const shown = roomyTicks(
    values.map(x.at),
    texts.map((one) => textWidth(one, SIZE)),
    8,
  );
  return values.map((value, index) => ({ value, text: shown[index] ? texts[index]! : "" }));
}

/** Ticks of an upright axis that do not touch; one of them may be kept before all others. */
export function withRoom(ticks: readonly Tick[], y: Scale, first: number | undefined): Tick[] {
  const kept: Tick[] = ticks.filter(({ value }) => value === first);
  for (const tick of ticks) {
    const place = y.at(tick.value);
    if (kept.every(({ value }) => Math.abs(y.at(value) - place) >= LINE)) kept.push(tick);
  }
  return kept.sort((a, b) => a.value - b.value);
}

/** The width of the widest tick, in pixels. */
export function widest(ticks: readonly Tick[]): number {
  return Math.max(0, ...ticks.map(({ text }) => textWidth(text, SIZE)));
}
