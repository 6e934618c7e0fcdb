/**
 * What the names of measures and factors say: words and units.
 *
 * @module
 */
import { INSTRUCTIONS, isInstructions } from "../trials/clock.ts";
import type { PlotAxis } from "./figure.ts";

/** The words of a name in camel case: `cpuSecondsPerMiB` is `cpu seconds per MiB`. */
export function words(name: string): string {
  return name.replaceAll(
    /([a-z\d])([A-Z])/g,
    (_, before: string, after: string) => `${before} ${after.toLowerCase()}`,
  )
    .replaceAll(/\bmi b\b/gi, "MiB").replaceAll(/\bcpu\b/gi, "CPU").replaceAll(/\bnapi\b/gi, "NAPI")
    .replaceAll(/\bmtu\b/gi, "MTU")
    .replaceAll("-", " ");
}

/** What a measure is: in words, its unit, and what its numbers are multiplied with to be in it. */
export interface MeasureDescription extends PlotAxis {
  /** Microseconds have 1e-6 and the unit `s`. */
  readonly scale: number;
}

/** Units in names, as in `cpuSecondsPerRequest` and `p50Microseconds`. */
const TIMES: readonly (readonly [RegExp, number])[] = [
  [/microseconds/i, 1e-6],
  [/milliseconds/i, 1e-3],
  [/nanoseconds/i, 1e-9],
  [/(?<!per)seconds/i, 1],
];

/**
 * Reads the unit of a measure off its name, where zclab's labs put it.
 *
 * @param name The name, such as `bytesPerSecond`, `p50Seconds` or `cpuMicrosecondsPerMiB`.
 */
export function describeMeasure(name: string): MeasureDescription {
  const rate = name.match(/^(.*?)PerSecond$/);
  if (rate !== null) {
    const what = words(rate[1]!);
    return /^bytes$/i.test(what)
      ? { label: "bytes per second", unit: "B/s", scale: 1 }
      : { label: `${what} per second`, unit: "/s", scale: 1 };
  }
  if (/instructions/i.test(name)) {
    const thing = /^instructionsPer(.+)$/.exec(name)?.[1];
    const unit = thing === undefined
      ? INSTRUCTIONS
      : `${INSTRUCTIONS}/${words(thing).toLowerCase()}`;
    return { label: words(name), unit, scale: 1 };
  }
  const percentile = name.match(/^p(\d+)(\w*)$/);
  const readable = percentile === null
    ? name
    : `p${percentile[1]!.replace(/^(\d\d)(\d+)$/, "$1.$2")}${percentile[2]}`;
  for (const [pattern, scale] of TIMES) {
    if (!pattern.test(name)) continue;
    const what = percentile !== null ? " latency" : /cpu/i.test(name) ? "Time" : "";
    return { label: words(readable.replace(pattern, what)) || "time", unit: "s", scale };
  }
  if (/bytes$/i.test(name)) return { label: words(name), unit: "B", scale: 1 };
  return { label: words(readable), unit: "", scale: 1 };
}

/** Sizes are bytes; other numbers are what their name says. */
export function describeFactor(name: string): PlotAxis {
  const isSize = /payload|size|bytes|mtu|buffer|length/i.test(name);
  const label = /^mtu$/i.test(name) ? "MTU" : words(name);
  return { label, unit: isSize && !/bytes/i.test(name) ? "bytes" : "" };
}

/** An axis in words with its unit: `payload (bytes)`. */
export function axisText({ label, unit }: PlotAxis): string {
  // A rate says its unit in words, and a symbol stands at each tick, with its prefix.
  const isSaid = isInstructions(unit) && label.includes(INSTRUCTIONS);
  return isSaid || unit === "" || unit.startsWith("/") || unit.length <= 3
    ? label
    : `${label} (${unit})`;
}

/** A sentence begins with a capital, unless its first word is a symbol such as p50. */
export function capitalised(text: string): string {
  return /^[a-z][a-z]/.test(text) ? text[0]!.toUpperCase() + text.slice(1) : text;
}
