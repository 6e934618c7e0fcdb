/**
 * Figures in words, for those who cannot see them.
 *
 * @module
 */
import type { FigureHead } from "./figure.ts";
import type { IntervalSeries } from "./intervals.ts";

/** More than so many series are counted instead of told one by one. */
const MOST_TOLD = 12;

/** What a figure shows, in a few sentences. */
export function altText({ title, subtitle }: FigureHead, told: readonly string[]): string {
  return [title, subtitle, ...told].filter((one) => one !== "")
    .map((one) => /[.!?]$/.test(one) ? one : `${one}.`).join(" ");
}

/** What is said of each series, unless there are too many. */
export function some(told: readonly string[]): string {
  const rest = told.length - MOST_TOLD;
  return told.slice(0, MOST_TOLD).join("; ") + (rest > 0 ? `; and ${rest} more` : "");
}

/** What is said of a panel. */
export function ofPanel(title: string, told: string): string {
  return title === "" ? told : `${title}: ${told}`;
}

/** The values of series at the largest size, or their only ones where there is no axis. */
export function lastValues(
  series: readonly IntervalSeries[],
  format: (value: number) => string,
  axis: string | undefined,
): string {
  const largest = Math.max(...series.flatMap(({ points }) => points.map(({ x }) => x ?? 0)));
  const told = series.flatMap(({ label, points }) => {
    const last = points.at(-1);
    return last === undefined ? [] : [`${label} ${format(last.value)}`.trimStart()];
  });
  return (axis === undefined ? "" : `at ${axis} ${largest}: `) + some(told);
}
