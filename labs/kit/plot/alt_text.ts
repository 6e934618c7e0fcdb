/**
 * Figures in words, for those who cannot see them.
 *
 * @module
 */
import type { Figure, IntervalSeries } from "./figure.ts";
import { axisText } from "./names.ts";
import { formatChange, formatSi } from "./format.ts";

/** More than so many series are counted instead of told one by one. */
const MOST_TOLD = 12;

/** What a figure shows, in a few sentences. */
export function describeFigure(figure: Figure): string {
  const sentences = [figure.title, figure.subtitle, ...tell(figure)].filter((one) => one !== "");
  return sentences.map((one) => /[.!?]$/.test(one) ? one : `${one}.`).join(" ");
}

function tell(figure: Figure): string[] {
  switch (figure.kind) {
    case "throughput":
      return figure.panels.map(({ title, series }) =>
        under(title, ends(series, (value) => formatSi(value, figure.y.unit), figure.x?.label))
      );
    case "crossover":
      return figure.panels.map(({ title, series }) =>
        under(title, ends(series, formatChange, figure.x.label))
      );
    case "latency":
      return figure.panels.map(({ title, series }) =>
        under(
          title,
          some(series.map(({ label, points }) => {
            const middle = points.find(({ percentile }) => percentile >= 50);
            const last = points.at(-1)!;
            return `${label} ${
              middle === undefined ? "" : `p50 ${formatSi(middle.value, figure.y.unit)}, `
            }` +
              `p${Number(last.percentile.toPrecision(6))} ${formatSi(last.value, figure.y.unit)}`;
          })),
        )
      );
    case "series":
      return [
        `${figure.panels.reduce((sum, { points }) => sum + points.length, 0)} values of ` +
        axisText(figure.y),
      ];
    case "lifelines": {
      const held = figure.lines.flatMap(({ submitted, released }) =>
        released === null ? [] : [released - submitted]
      );
      const lost = figure.lines.length - held.length;
      return [
        `${figure.lines.length} life lines` +
        (held.length === 0
          ? ""
          : `, let go after ${formatSi(Math.min(...held), "s")} to ${
            formatSi(Math.max(...held), "s")
          }`) +
        (lost === 0 ? "" : `, ${lost} not let go`),
      ];
    }
  }
}

function ends(
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

function some(told: readonly string[]): string {
  const rest = told.length - MOST_TOLD;
  return told.slice(0, MOST_TOLD).join("; ") + (rest > 0 ? `; and ${rest} more` : "");
}

function under(title: string, told: string): string {
  return title === "" ? told : `${title}: ${told}`;
}
