/**
 * Numbers of bytes as people write them: `64k`, `16M`.
 *
 * @module
 */

/** The prefixes, each 1024 of the one before. */
const PREFIXES = ["", "k", "M", "G", "T"] as const;

/**
 * Reads a number of bytes: digits, and a prefix that stands for a power of 1024, as in `64k`, `16M`,
 * `1.5G` or `4 KiB`.
 *
 * @param text The text.
 * @returns How many bytes; undefined if that is no number, or no whole one.
 *
 * @example
 * ```ts
 * import { parseBytes } from "./byte_size.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(["64k", "1.5M", "4 KiB", "600"].map(parseBytes), [65536, 1572864, 4096, 600]);
 * assertEquals(["", "k", "0.3k", "64x"].map(parseBytes), [undefined, undefined, undefined, undefined]);
 * ```
 */
export function parseBytes(text: string): number | undefined {
  const found = /^(\d+\.?\d*|\.\d+) ?(?:([kmgt])i?)?b?$/i.exec(text.trim());
  if (found === null) return undefined;
  const [, digits, prefix = ""] = found;
  const power = PREFIXES.findIndex((one) => one.toLowerCase() === prefix.toLowerCase());
  const bytes = Number(digits) * 1024 ** power;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/**
 * Writes a number of bytes so that {@linkcode parseBytes} reads the same one: with the largest prefix
 * that leaves a whole number.
 *
 * @param bytes How many, a whole number.
 *
 * @example
 * ```ts
 * import { formatBytes } from "zclab/lab";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([65536, 1572864, 600, 0].map(formatBytes), ["64k", "1536k", "600", "0"]);
 * ```
 */
export function formatBytes(bytes: number): string {
  let [value, power] = [bytes, 0];
  while (value !== 0 && value % 1024 === 0 && power + 1 < PREFIXES.length) {
    value /= 1024;
    power++;
  }
  return `${value}${PREFIXES[power]}`;
}
