/**
 * Figures for the terminal.
 *
 * @module
 */
import { displayWidth, styled, type TextStyle, truncated } from "../terminal/table.ts";
import { ratioTicks } from "./axis.ts";
import { type Bar, barPlot } from "./bar_plot.ts";
import type {
  CrossoverFigure,
  Figure,
  IntervalPoint,
  LatencyFigure,
  LifelinesFigure,
  SeriesFigure,
  ThroughputFigure,
} from "./figure.ts";
import { axisText } from "./names.ts";
import { formatChange, formatRatio, formatSi, tickText } from "./format.ts";
import { percentilePlot } from "./percentile_plot.ts";
import { NARROWEST, padEnd, padStart } from "./text_options.ts";

/** How to draw. */
export interface TextDrawing {
  /** Columns of the terminal. */
  readonly width: number;
  /** Whether to use colours. */
  readonly colours: boolean;
}

const STYLES: readonly TextStyle[] = ["cyan", "magenta", "green", "blue", "red", "yellow"];

/** Rows of one panel of a series. */
const SERIES_ROWS = 5;

/**
 * Draws a figure with characters.
 *
 * @returns Lines, each ended by a newline.
 */
export function renderText(figure: Figure, drawing: TextDrawing): string {
  const { width, colours } = drawing;
  const head = [
    ...folded(figure.title, width).map((line) => styled(line, "bold", colours)),
    ...(figure.subtitle === "" ? [] : folded(figure.subtitle, width)),
  ];
  const notes = figure.notes.flatMap((note) => folded(note, width));
  const body = draw(figure, drawing);
  return [...head, "", ...body, ...notes].map((line) => line.trimEnd()).join("\n").trimEnd() + "\n";
}

function draw(figure: Figure, drawing: TextDrawing): string[] {
  switch (figure.kind) {
    case "throughput":
      return throughput(figure, drawing);
    case "latency":
      return latency(figure, drawing);
    case "series":
      return overTime(figure, drawing);
    case "lifelines":
      return lifelines(figure, drawing);
    case "crossover":
      return ratios(figure, drawing);
  }
}

function throughput(figure: ThroughputFigure, drawing: TextDrawing): string[] {
  const { x, y, baseline, labels } = figure;
  return figure.panels.flatMap(({ title, series }) => {
    const sizes = [...new Set(series.flatMap(({ points }) => points.map((point) => point.x)))]
      .sort((a, b) => (a ?? 0) - (b ?? 0));
    const bars = sizes.flatMap((size): Bar[] => {
      return labels.flatMap((label): Bar[] => {
        const point = series.find((one) => one.label === label)?.points.find((one) =>
          one.x === size
        );
        if (point === undefined) return [];
        const group = size === null ? "" : `${x!.label} ${size} ${x!.unit}`.trimEnd();
        // A series that is alone needs no name: its bars have those of their groups.
        return [{
          ...(label === "" ? { label: group } : group === "" ? { label } : { label, group }),
          value: point.value,
          low: point.low,
          high: point.high,
          style: styleOf(labels, baseline, label),
        }];
      });
    });
    const text = barPlot(bars, { ...drawing, unit: y.unit, ...(title === "" ? {} : { title }) });
    return [...text.trimEnd().split("\n"), ""];
  });
}

function latency(figure: LatencyFigure, drawing: TextDrawing): string[] {
  return figure.panels.flatMap(({ title, series }) => {
    const curves = series.map(({ label, points }) => ({
      label,
      points,
      style: styleOf(figure.labels, figure.baseline, label),
    }));
    const text = percentilePlot(curves, {
      ...drawing,
      unit: figure.y.unit,
      ...(title === "" ? {} : { title }),
    });
    return [...text.trimEnd().split("\n"), ""];
  });
}

/** Points in a grid of characters: the time to the right, the value upward. */
function overTime(figure: SeriesFigure, { width, colours }: TextDrawing): string[] {
  const all = figure.panels.flatMap(({ points }) => points);
  const values = all.map(({ value }) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const until = Math.max(...all.map(({ at }) => at), 0);
  const name = (value: number): string =>
    figure.relative ? `${Math.round(value * 100)} %` : formatSi(value, figure.y.unit);
  const labelWidth = Math.max(...[least, most].map((value) => displayWidth(name(value))));
  const columns = Math.max(NARROWEST, width - labelWidth - 2);
  const rowOf = (value: number): number =>
    most > least ? Math.round((value - least) / (most - least) * (SERIES_ROWS - 1)) : 2;
  const columnOf = (at: number): number => until > 0 ? Math.round(at / until * (columns - 1)) : 0;
  const lines: string[] = axisText(figure.y) === "" ? [] : [axisText(figure.y)];
  for (const [index, { title, points, centre }] of figure.panels.entries()) {
    const style = STYLES[index % STYLES.length];
    const grid = Array.from({ length: SERIES_ROWS }, () => new Array<string>(columns).fill(" "));
    if (centre >= least && centre <= most) grid[rowOf(centre)]!.fill(styled("·", "dim", colours));
    for (const { at, value, mark, outlier } of points) {
      const character = outlier ? "◉" : mark === "warm-up" ? "○" : mark === "control" ? "□" : "●";
      grid[rowOf(value)]![columnOf(at)] = styled(
        character,
        outlier ? "red" : mark === "counted" ? style : "dim",
        colours,
      );
    }
    if (title !== "") lines.push(styled(truncated(title, width), "bold", colours));
    for (let row = SERIES_ROWS - 1; row >= 0; row--) {
      const tick = row === SERIES_ROWS - 1
        ? name(most)
        : row === 0 && most > least
        ? name(least)
        : "";
      lines.push(`${padStart(tick, labelWidth)} ${tick === "" ? "│" : "┤"}${grid[row]!.join("")}`);
    }
  }
  const end = `${tickText(Number(until.toPrecision(2)), "s")}`;
  lines.push(`${" ".repeat(labelWidth + 1)}└${"─".repeat(columns)}`);
  lines.push(`${" ".repeat(labelWidth + 2)}0 s${padStart(end, columns - 3)}`);
  const key = [
    ["●", "counts", all.some(({ mark }) => mark === "counted")],
    ["○", "warm-up", all.some(({ mark }) => mark === "warm-up")],
    ["□", "control", all.some(({ mark }) => mark === "control")],
    ["◉", "outlier, kept", all.some(({ outlier }) => outlier)],
  ].filter(([, , isThere]) => isThere).map(([character, word]) => `${character} ${word}`);
  return [...lines, ...folded(key, width), ""];
}

/** From submitted over sent to let go: a thin line, then a thick one. */
function lifelines({ lines }: LifelinesFigure, { width, colours }: TextDrawing): string[] {
  const end = Math.max(
    ...lines.flatMap(({ submitted, sent, released }) => [submitted, sent ?? 0, released ?? 0]),
  );
  const notes = lines.map(({ submitted, released, copied }) =>
    (released === null ? "not let go" : formatSi(released - submitted, "s")) +
    (copied === true ? " copied" : "")
  );
  const noteWidth = Math.max(...notes.map(displayWidth));
  const labelWidth = Math.min(
    Math.max(...lines.map(({ label }) => displayWidth(label))),
    Math.max(4, width - noteWidth - 3 - NARROWEST),
  );
  const columns = Math.max(NARROWEST, width - labelWidth - noteWidth - 3);
  const columnOf = (at: number): number => end > 0 ? Math.round(at / end * (columns - 1)) : 0;
  const rows = lines.map(({ label, submitted, sent, released, copied }, index) => {
    const cells = new Array<string>(columns).fill(" ");
    const [first, middle] = [columnOf(submitted), columnOf(sent ?? released ?? end)];
    const last = columnOf(released ?? end);
    for (let column = first; column <= middle; column++) cells[column] = "─";
    if (sent !== null) {
      for (let column = middle; column <= last; column++) cells[column] = copied ? "▒" : "━";
    }
    cells[first] = "●";
    if (sent !== null && middle > first) cells[middle] = "┿";
    if (last > first) cells[last] = released === null ? "▶" : "◆";
    const drawn = styled(cells.join(""), copied ? "yellow" : "cyan", colours);
    const name = padEnd(truncated(label, labelWidth), labelWidth);
    return `${name} │${drawn} ${notes[index]}`;
  });
  const space = " ".repeat(labelWidth + 2);
  const marks = ["● submitted", "┿ sent", "◆ let go", "━ held"];
  if (lines.some(({ copied }) => copied)) marks.push("▒ held, copied");
  if (lines.some(({ released }) => released === null)) marks.push("▶ not let go");
  return [
    ...rows,
    `${" ".repeat(labelWidth + 1)}└${"─".repeat(columns)}`,
    `${space}0 s${padStart(formatSi(end, "s"), columns - 3)}`,
    ...folded(marks, width),
    "",
  ];
}

/** Intervals of ratios beside the line of 1, on a logarithmic axis. */
function ratios(figure: CrossoverFigure, { width, colours }: TextDrawing): string[] {
  const points = figure.panels.flatMap(({ series, floor }) => [
    ...series.flatMap(({ points }) => points),
    ...floor,
  ]);
  const least = Math.min(1, ...points.map(({ low, value }) => Math.max(low, value / 10))) / 1.03;
  const most = Math.max(1, ...points.map(({ high, value }) => Math.min(high, value * 10))) * 1.03;
  const notes = points.map(({ value }) => formatChange(value));
  const noteWidth = Math.max(...notes.map(displayWidth));
  const names = [...figure.labels];
  const labelWidth = Math.min(
    Math.max(...names.map(displayWidth)),
    Math.max(4, width - noteWidth - 5 - NARROWEST),
  );
  const columns = Math.max(NARROWEST, width - labelWidth - noteWidth - 5);
  const columnOf = (ratio: number): number => {
    const part = Math.log(Math.min(most, Math.max(least, ratio)) / least) / Math.log(most / least);
    return Math.round(part * (columns - 1));
  };
  const row = (label: string, point: IntervalPoint, style: TextStyle | undefined): string => {
    const cells = new Array<string>(columns).fill(" ");
    cells[columnOf(1)] = "│";
    const [low, middle, high] = [point.low, point.value, point.high].map(columnOf);
    for (let column = low!; column <= high!; column++) cells[column] = "─";
    if (low! < middle!) cells[low!] = "├";
    if (high! > middle!) cells[high!] = "┤";
    cells[middle!] = "●";
    const drawn = cells.map((cell) => styled(cell, cell === "│" ? "dim" : style, colours)).join("");
    const name = padEnd(truncated(label, labelWidth), labelWidth);
    return `  ${name} ${drawn} ${padStart(formatChange(point.value), noteWidth)}`;
  };
  const lines = figure.panels.flatMap(({ title, series, floor, crossings }) => {
    const sizes = [...new Set(series.flatMap(({ points }) => points.map(({ x }) => x!)))]
      .sort((a, b) => a - b);
    const own = title === "" ? [] : [styled(title, "bold", colours)];
    for (const size of sizes) {
      const group = `${figure.x.label} ${size} ${figure.x.unit}`.trimEnd();
      own.push(styled(group, "bold", colours));
      const itself = floor.find(({ x }) => x === size);
      if (itself !== undefined) own.push(row(figure.baseline, itself, "dim"));
      for (const { label, points } of series) {
        const point = points.find(({ x }) => x === size);
        if (point === undefined) continue;
        own.push(row(label, point, styleOf(figure.labels, figure.baseline, label)));
      }
    }
    own.push(...axis(columns, labelWidth + 3, least, most, columnOf));
    if (points.some(({ low, high }) => low < least || high > most)) {
      own.push(...folded("Some intervals reach beyond the axis.", width));
    }
    own.push("");
    own.push(`Where it is ${figure.better} than ${figure.baseline}, at every size from there:`);
    for (const { label, from, above, estimate } of crossings) {
      own.push(
        `  ${label}: ` +
          (from === undefined
            ? `nowhere up to ${sizes.at(-1)}`
            : above === undefined
            ? `from ${from} on, the smallest measured`
            : `from ${from} on, not seen at ${above}` +
              (estimate === undefined ? "" : `; about ${Math.round(estimate)} by interpolation`)),
      );
    }
    return [...own.flatMap((line) => line.startsWith("Where") ? folded(line, width) : [line]), ""];
  });
  return lines;
}

function axis(
  columns: number,
  indent: number,
  least: number,
  most: number,
  columnOf: (ratio: number) => number,
): string[] {
  const rule = new Array<string>(columns).fill("─");
  let names = "";
  for (const tick of ratioTicks(least, most)) {
    const word = formatRatio(tick, [least, most]);
    const column = columnOf(tick);
    const start = Math.max(0, column - (word.length >> 1));
    if (start < names.length + (names === "" ? 0 : 2) || start + word.length > columns) continue;
    rule[column] = "┴";
    names = names.padEnd(start) + word;
  }
  return [`${" ".repeat(indent)}${rule.join("")}`, `${" ".repeat(indent)}${names}`];
}

function styleOf(
  labels: readonly string[],
  baseline: string | undefined,
  label: string,
): TextStyle {
  if (label === baseline) return "yellow";
  const others = labels.filter((one) => one !== baseline);
  const styles = STYLES.filter((style) => baseline === undefined || style !== "yellow");
  return styles[Math.max(0, others.indexOf(label)) % styles.length]!;
}

/** Words, or whole items, in lines of a width. */
function folded(text: string | readonly string[], width: number): string[] {
  const [items, gap] = typeof text === "string" ? [text.split(" "), " "] : [text, "  "];
  const lines: string[] = [];
  let line = "";
  for (const item of items) {
    const longer = line === "" ? item : line + gap + item;
    if (line !== "" && displayWidth(longer) > width) {
      lines.push(line);
      line = item;
    } else {
      line = longer;
    }
  }
  return [...lines, line].map((one) => truncated(one, width));
}
