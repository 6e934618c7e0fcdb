/**
 * Figures as SVG.
 *
 * @module
 */
import { linearTicks, nines, PERCENTILE_TICKS, ratioTicks, roundNumbers } from "./axis.ts";
import type {
  CrossoverFigure,
  CrossoverMark,
  Figure,
  IntervalPoint,
  LatencyFigure,
  Lifeline,
  LifelinesFigure,
  PlotAxis,
  SeriesFigure,
  ThroughputFigure,
} from "./figure.ts";
import { axisText } from "./names.ts";
import { formatRatio, formatSi, tickText } from "./format.ts";
import { dodged, roomyTicks, textWidth, wrapped } from "./layout.ts";
import { escaped } from "./markup.ts";
import {
  deviationDomain,
  dodge,
  fittingTicks,
  type Frame,
  LINE,
  ratioDomain,
  type Scale,
  scale,
  SIZE,
  sizeScale,
  sizeTicks,
  type Tick,
  tickUnit,
  valueDomain,
  valueTicks,
  widest,
  withRoom,
} from "./scales.ts";
import {
  area,
  arrow,
  circle,
  curve,
  diamond,
  group,
  line,
  marker,
  type Place,
  rect,
  round,
  square,
  text,
} from "./shapes.ts";
import { type Colours, coloursOf, looks, type PlotTheme, type SeriesLook } from "./theme.ts";

/** How to draw. */
export interface DrawingOptions {
  /** The colours. */
  readonly theme: PlotTheme;
  /** The width in pixels; the height follows from it. */
  readonly width: number;
  /** What the plot shows, in words. */
  readonly alt: string;
}

const FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";
const TITLE_SIZE = 16;
const SMALL = 11;
/** Around everything. */
const PADDING = 14;

/** A piece of drawing and the room it takes. */
interface Piece {
  readonly svg: string;
  readonly height: number;
}

/**
 * Draws a figure.
 *
 * @param figure What to show.
 * @param options How.
 * @returns An SVG document that needs nothing else.
 */
export function renderSvg(figure: Figure, options: DrawingOptions): string {
  const colours = coloursOf(options.theme);
  const drawing = new Drawing(colours, options.width);
  const pieces = [drawing.header(figure), ...drawing.body(figure), drawing.notes(figure.notes)];
  let y = PADDING;
  const placed = pieces.map(({ svg, height }) => {
    const text = svg === "" ? "" : `<g transform="translate(0,${round(y)})">${svg}</g>`;
    y += height;
    return text;
  });
  const height = Math.ceil(y + PADDING);
  const { width } = options;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(options.alt)}" ` +
    `color="${colours.ink}" fill="currentColor" font-family="${FONT}" font-size="${SIZE}">` +
    `<title>${escaped(figure.title)}</title><desc>${escaped(options.alt)}</desc>` +
    `<rect width="${width}" height="${height}" fill="${colours.background}"/>` +
    `${placed.join("")}</svg>`;
}

/** Draws the parts of a figure, each from 0 downward. */
class Drawing {
  readonly #colours: Colours;
  readonly #width: number;
  #beyond = false;

  constructor(colours: Colours, width: number) {
    this.#colours = colours;
    this.#width = width;
  }

  header({ title, subtitle, kind }: Figure): Piece {
    const room = this.#width - 2 * PADDING;
    const titles = wrapped(title, room, TITLE_SIZE);
    const subtitles = subtitle === "" ? [] : wrapped(subtitle, room, SIZE);
    let y = 0;
    const lines = titles.map((line) =>
      text(PADDING, y += 20, line, { size: TITLE_SIZE, weight: 600 })
    );
    for (const line of subtitles) {
      lines.push(text(PADDING, y += LINE + 2, line, { fill: this.#colours.muted }));
    }
    return { svg: lines.join(""), height: y + (kind === "lifelines" ? 6 : 12) };
  }

  /** The notes of a figure whose body has been drawn. */
  notes(notes: readonly string[]): Piece {
    const all = this.#beyond ? [...notes, "Some intervals reach beyond the axis"] : notes;
    const lines = all.flatMap((note) => wrapped(note, this.#width - 2 * PADDING, SMALL));
    let y = 0;
    const svg = lines.map((line) =>
      text(PADDING, y += LINE, line, { size: SMALL, fill: this.#colours.muted })
    );
    return { svg: svg.join(""), height: y };
  }

  body(figure: Figure): Piece[] {
    switch (figure.kind) {
      case "throughput":
        return figure.x === undefined ? this.#bars(figure) : this.#throughput(figure, figure.x);
      case "latency":
        return this.#latency(figure);
      case "series":
        return this.#series(figure);
      case "lifelines":
        return this.#lifelines(figure);
      case "crossover":
        return this.#crossover(figure);
    }
  }

  // === The kinds ===

  #throughput(figure: ThroughputFigure, xAxis: PlotAxis): Piece[] {
    const points = figure.panels.flatMap(({ series }) => series.flatMap(({ points }) => points));
    const domain = valueDomain(points);
    const ticks = valueTicks(domain, figure.y.unit);
    const look = looks(figure.labels, figure.baseline, this.#colours);
    return figure.panels.map(({ title, series }) => {
      const room = this.#endRoom(series.map(({ label }) => label));
      const left = PADDING + widest(ticks) + 10;
      const head = this.#panelHead(title, axisText(figure.y));
      const height = Math.max(
        figure.panels.length > 1 ? 180 : 250,
        room.heights.reduce((sum, one) => sum + one, 0),
      );
      const frame = {
        left,
        right: this.#width - PADDING - room.width,
        top: head.height + 6,
        bottom: head.height + 6 + height,
      };
      const x = sizeScale(points, frame, figure.labels.length);
      const y = scale(domain.type, domain.ends, [frame.bottom, frame.top]);
      const xTicks = sizeTicks(points, x);
      const shift = dodge(series.length, points, x);
      const marks = series.map(({ label, points }, index) =>
        this.#intervals(points, look(label), shift(index), x, y)
      ).join("");
      const ends = series.map(({ label, points }, index) => ({
        label,
        x: x.at(points.at(-1)!.x!) + shift(index),
        y: y.at(points.at(-1)!.value),
      }));
      const foot = frame.bottom + 38;
      return {
        svg: head.svg + this.#axes(frame, x, y, { x: xTicks, y: ticks }) + marks +
          this.#axisName(frame, axisText(xAxis)) + this.#ends(ends, frame, room, look),
        height: foot + 8,
      };
    });
  }

  /** One value for each series, from zero: a bar, its interval, and the number. */
  #bars(figure: ThroughputFigure): Piece[] {
    const points = figure.panels.flatMap(({ series }) => series.flatMap(({ points }) => points));
    const most = Math.max(...points.map(({ high }) => high));
    const look = looks(figure.labels, figure.baseline, this.#colours);
    const values = points.map(({ value }) => formatSi(value, figure.y.unit));
    const room = 10 + Math.max(...values.map((value) => textWidth(value, SIZE)));
    const rowHeight = 36;
    return figure.panels.map(({ title, series }, index) => {
      const isLast = index === figure.panels.length - 1;
      const head = this.#panelHead(title, index === 0 ? axisText(figure.y) : "");
      const frame = {
        left: PADDING + 1,
        right: this.#width - PADDING - room,
        top: head.height,
        bottom: head.height + series.length * rowHeight + 4,
      };
      const x = scale("linear", [0, most > 0 ? most * 1.02 : 1], [frame.left, frame.right]);
      const ticks = linearTicks(x.domain[1], 5)
        .map((value) => ({ value, text: tickText(value, tickUnit(figure.y.unit)) }));
      const shown = roomyTicks(
        ticks.map(({ value }) => x.at(value)),
        ticks.map(({ text }) => textWidth(text, SMALL)),
        10,
      );
      const lines = ticks.map(({ value }) =>
        line(x.at(value), frame.top, x.at(value), frame.bottom, this.#colours.grid)
      );
      const names = isLast
        ? ticks.filter((_, i) => shown[i]).map(({ value, text: words }) =>
          text(
            Math.max(x.at(value), frame.left + textWidth(words, SMALL) / 2),
            frame.bottom + 16,
            words,
            {
              size: SMALL,
              anchor: "middle",
              fill: this.#colours.muted,
            },
          )
        )
        : [];
      const rows = series.map(({ label, points: [point] }, row) => {
        const { value, low, high } = point!;
        const { colour, symbol } = look(label);
        const top = frame.top + row * rowHeight;
        const middle = top + 25;
        const name = wrapped(label, frame.right - frame.left, SIZE)[0]!;
        return rect(frame.left, middle - 6, x.at(value) - frame.left, 12, colour, 0.22) +
          text(frame.left + 4, top + 14, name, { weight: label === figure.baseline ? 600 : 500 }) +
          (high > low
            ? line(x.at(low), middle, x.at(high), middle, colour, 2) +
              line(x.at(low), middle - 4, x.at(low), middle + 4, colour, 1.5) +
              line(x.at(high), middle - 4, x.at(high), middle + 4, colour, 1.5)
            : "") +
          marker(x.at(value), middle, symbol, colour) +
          text(Math.max(x.at(high), x.at(value)) + 8, middle + 4, formatSi(value, figure.y.unit));
      });
      return {
        svg: head.svg + lines.join("") +
          line(frame.left, frame.top, frame.left, frame.bottom, this.#colours.muted) +
          rows.join("") + names.join(""),
        height: frame.bottom + (isLast ? 28 : 12),
      };
    });
  }

  #latency(figure: LatencyFigure): Piece[] {
    const points = figure.panels.flatMap(({ series }) => series.flatMap(({ points }) => points));
    const values = points.map(({ value }) => value);
    const domain = valueDomain(
      values.map((value) => ({ x: null, value, low: value, high: value })),
    );
    const ticks = valueTicks(domain, figure.y.unit);
    const farthest = Math.max(nines(50), ...points.map(({ percentile }) => nines(percentile)));
    const look = looks(figure.labels, figure.baseline, this.#colours);
    return figure.panels.map(({ title, series }) => {
      const labels = series.map(({ label }) => label);
      const room = this.#endRoom(labels);
      const head = this.#panelHead(title, axisText(figure.y));
      const height = Math.max(
        figure.panels.length > 1 ? 190 : 270,
        room.heights.reduce((sum, one) => sum + one, 0),
      );
      const frame = {
        left: PADDING + widest(ticks) + 10,
        right: this.#width - PADDING - room.width,
        top: head.height + 6,
        bottom: head.height + 6 + height,
      };
      const x = scale("linear", [0, farthest], [frame.left, frame.right]);
      const y = scale(domain.type, domain.ends, [frame.bottom, frame.top]);
      const hasRoom = x.at(nines(50)) - x.at(0) > textWidth("p0p50", SIZE);
      const named = PERCENTILE_TICKS.filter((percentile) =>
        nines(percentile) <= farthest * 1.0001 && (percentile > 0 || hasRoom)
      );
      const texts = named.map((percentile) => `p${percentile}`);
      const shown = roomyTicks(
        named.map((percentile) => x.at(nines(percentile))),
        texts.map((one) => textWidth(one, SIZE)),
        6,
      );
      const xTicks = named.map((percentile, index) => ({
        value: nines(percentile),
        text: shown[index] ? texts[index]! : "",
      }));
      const marks = series.map(({ label, points }) => {
        const { colour, dash, symbol } = look(label);
        const places = points.map(({ percentile, value }): Place => [
          x.at(nines(percentile)),
          y.at(value),
        ]);
        const isNamed = (_: Place, index: number): boolean =>
          named.some((percentile) =>
            Math.abs(nines(percentile) - nines(points[index]!.percentile)) < 1e-6
          );
        return group(
          "series",
          curve(places, colour, 2, dash),
          ...places.filter(isNamed).map((place) => marker(...place, symbol, colour)),
        );
      }).join("");
      const ends = series.map(({ label, points }) => ({
        label,
        x: x.at(nines(points.at(-1)!.percentile)),
        y: y.at(points.at(-1)!.value),
      }));
      return {
        svg: head.svg + this.#axes(frame, x, y, { x: xTicks, y: ticks }, true) + marks +
          this.#axisName(frame, "percentile, on a scale of nines") +
          this.#ends(ends, frame, room, look),
        height: frame.bottom + 46,
      };
    });
  }

  #series(figure: SeriesFigure): Piece[] {
    const all = figure.panels.flatMap(({ points }) => points);
    const values = all.map(({ value }) => value);
    const domain = deviationDomain([...values, ...figure.panels.map(({ centre }) => centre)]);
    const ticks =
      (domain.type === "log"
        ? roundNumbers(...domain.ends)
        : linearTicks(domain.ends[1], 3, domain.ends[0])).map((value) => ({
          value,
          text: figure.relative
            ? `${Number((value * 100).toPrecision(6))} %`
            : tickText(value, figure.y.unit),
        }));
    const until = Math.max(...all.map(({ at }) => at), 0);
    const key: { svg: (x: number, y: number) => string; text: string }[] = [];
    const { ink, muted, band } = this.#colours;
    const look = looks(
      figure.panels.map(({ title }) => title),
      figure.baseline,
      this.#colours,
    );
    const shapes = {
      "counted": { text: "counts" },
      "warm-up": { text: "warm-up" },
      "control": { text: "control: the baseline once more" },
    } as const;
    const drawPoint = (
      x: number,
      y: number,
      mark: keyof typeof shapes,
      colour: string,
      outlier: boolean,
    ): string =>
      (mark === "counted"
        ? circle(x, y, 3, colour)
        : mark === "warm-up"
        ? circle(x, y, 2.7, this.#colours.background, muted)
        : square(x, y, 3, this.#colours.background, colour)) +
      (outlier ? circle(x, y, 7, "none", ink) : "");
    for (const mark of ["counted", "warm-up", "control"] as const) {
      if (all.every((point) => point.mark !== mark)) continue;
      key.push({ svg: (x, y) => drawPoint(x, y, mark, ink, false), text: shapes[mark].text });
    }
    if (all.some(({ outlier }) => outlier)) {
      key.push({ svg: (x, y) => drawPoint(x, y, "counted", ink, true), text: "outlier, kept" });
    }
    const left = PADDING + widest(ticks) + 10;
    const right = this.#width - PADDING - 8;
    const panels = figure.panels.map(({ title, points, centre }, index): Piece => {
      const isLast = index === figure.panels.length - 1;
      const head = this.#panelHead(title, index === 0 ? axisText(figure.y) : "");
      const height = figure.panels.length > 1 ? 74 : 230;
      const frame = { left, right, top: head.height + 4, bottom: head.height + 4 + height };
      const x = scale("linear", [0, until > 0 ? until : 1], [frame.left + 6, frame.right - 6]);
      const y = scale(domain.type, domain.ends, [frame.bottom, frame.top]);
      const yTicks = withRoom(ticks, y, figure.relative ? 1 : undefined);
      const xTicks = fittingTicks(
        linearTicks(x.domain[1], this.#width / 110),
        (value) => tickText(value, "s"),
        x,
      );
      const warm = points.filter(({ mark }) => mark === "warm-up");
      const warmUntil = Math.max(...warm.map(({ at }) => at));
      const isBefore = warm.length > 0 &&
        points.every(({ mark, at }) => mark === "warm-up" || at >= warmUntil);
      const shade = isBefore
        ? rect(frame.left, frame.top, x.at(warmUntil) + 5 - frame.left, height, band, 1)
        : "";
      const { colour } = look(title);
      const dots = points.map(({ at, value, mark, outlier }) =>
        drawPoint(x.at(at), y.at(value), mark, colour, outlier)
      );
      const centreLine = line(frame.left, y.at(centre), frame.right, y.at(centre), colour, 1);
      return {
        svg: head.svg + shade +
          this.#axes(frame, x, y, { x: isLast ? xTicks : [], y: yTicks }) + centreLine +
          dots.join("") + (isLast ? this.#axisName(frame, "time since the first trial") : ""),
        height: frame.bottom + (isLast ? 46 : 8),
      };
    });
    return key.length > 1 ? [this.#key(key), ...panels] : panels;
  }

  #lifelines(figure: LifelinesFigure): Piece[] {
    const { lines } = figure;
    const { muted, ink, series } = this.#colours;
    const [notCopied, copied] = [series[0]!, series[1]!];
    const colourOf = (line: Lifeline): string =>
      line.copied === null ? muted : line.copied ? copied : notCopied;
    const end = Math.max(
      ...lines.flatMap(({ submitted, sent, released }) => [submitted, sent ?? 0, released ?? 0]),
    );
    const until = end > 0 ? end * 1.02 : 1e-6;
    const rowHeight = lines.length > 150 ? 6 : lines.length > 60 ? 10 : lines.length > 24 ? 15 : 22;
    const thickness = Math.min(9, rowHeight - 3);
    const every = Math.ceil(14 / rowHeight);
    const labelRoom = Math.min(
      this.#width * 0.3,
      Math.max(...lines.map(({ label }) => textWidth(label, SIZE))),
    );
    const totals = lines.map(({ submitted, released, copied }) =>
      released === null
        ? "not let go"
        : formatSi(released - submitted, "s") + (copied === true ? ", copied" : "")
    );
    const totalRoom = Math.max(...totals.map((total) => textWidth(total, SMALL)));
    const frame = {
      left: PADDING + labelRoom + 10,
      right: this.#width - PADDING - totalRoom - 10,
      top: 4,
      bottom: 8 + lines.length * rowHeight,
    };
    const x = scale("linear", [0, until], [frame.left, frame.right]);
    const ticks = fittingTicks(
      linearTicks(until, (frame.right - frame.left) / 80),
      (value) => tickText(value, "s"),
      x,
    );
    const grid = ticks.map(({ value }) =>
      line(x.at(value), frame.top, x.at(value), frame.bottom, this.#colours.grid)
    );
    const names = ticks.filter(({ text }) => text !== "").map(({ value, text: words }) =>
      text(x.at(value), frame.bottom + 16, words, { anchor: "middle" })
    );
    const rows = lines.map((one, index) => {
      const { submitted, sent, released } = one;
      const y = frame.top + 2 + (index + 0.5) * rowHeight;
      const colour = colourOf(one);
      const sentAt = sent ?? released ?? end;
      const held = released ?? end;
      const parts = [
        line(x.at(submitted), y, x.at(sentAt), y, colour, 2),
        sent === null ? "" : held > sent || released === null
          ? rect(
            x.at(sent),
            y - thickness / 2,
            Math.max(1, x.at(held) - x.at(sent)),
            thickness,
            colour,
            0.45,
          )
          : "",
        circle(x.at(submitted), y, Math.min(3.2, thickness / 2), colour),
        sent === null
          ? ""
          : line(x.at(sent), y - thickness / 2 - 1, x.at(sent), y + thickness / 2 + 1, colour, 2),
        released === null
          ? arrow(x.at(held), y, colour)
          : diamond(x.at(released), y, Math.min(4.5, thickness / 2 + 0.5), colour),
      ];
      if (index % every === 0) {
        parts.push(
          text(frame.left - 8, y + 4, wrapped(one.label, labelRoom + 1, SIZE)[0]!, {
            anchor: "end",
          }),
          text(Math.max(x.at(held), x.at(sentAt)) + 9, y + 4, totals[index]!, {
            size: SMALL,
            fill: muted,
          }),
        );
      }
      return parts.join("");
    });
    const key = [
      { svg: (x: number, y: number) => circle(x, y, 3.2, ink), text: "submitted" },
      {
        svg: (x: number, y: number) => line(x, y - 5, x, y + 5, ink, 2),
        text: "sent (first completion)",
      },
      {
        svg: (x: number, y: number) => diamond(x, y, 4.5, ink),
        text: "let go (notification)",
      },
    ];
    const states = new Set(lines.map((line) => line.copied));
    const block = (colour: string) => (x: number, y: number) =>
      rect(x - 6, y - 4, 12, 8, colour, 0.45) + line(x - 6, y - 4, x - 6, y + 4, colour, 2);
    if (states.has(false)) key.push({ svg: block(notCopied), text: "held, not copied" });
    if (states.has(true)) key.push({ svg: block(copied), text: "held, copied" });
    if (states.has(null)) key.push({ svg: block(muted), text: "held, copied or not is not told" });
    return [this.#key(key), {
      svg: grid.join("") + line(frame.left, frame.bottom, frame.right, frame.bottom, muted) +
        rows.join("") + names.join("") +
        this.#axisName(frame, "time since the first submission"),
      height: frame.bottom + 46,
    }];
  }

  #crossover(figure: CrossoverFigure): Piece[] {
    const points = figure.panels.flatMap(({ series }) => series.flatMap(({ points }) => points));
    const floors = figure.panels.flatMap(({ floor }) => floor);
    const domain = ratioDomain([...points, ...floors]);
    const ticks = ratioTicks(...domain).map((value) => ({
      value,
      text: formatRatio(value, domain),
    }));
    const look = looks(figure.labels, figure.baseline, this.#colours);
    return figure.panels.map(({ title, series, floor, crossings }) => {
      const room = this.#endRoom([...series.map(({ label }) => label), figure.baseline]);
      const head = this.#panelHead(title, figure.y.label);
      const height = Math.max(
        figure.panels.length > 1 ? 190 : 250,
        room.heights.reduce((sum, one) => sum + one, 0),
      );
      const frame = {
        left: PADDING + widest(ticks) + 10,
        right: this.#width - PADDING - room.width,
        top: head.height + 6,
        bottom: head.height + 6 + height,
      };
      const x = sizeScale(points, frame, figure.labels.length);
      const y = scale("log", domain, [frame.bottom, frame.top]);
      const shift = dodge(series.length, points, x);
      const marks = series.map(({ label, points }, index) =>
        this.#intervals(points, look(label), shift(index), x, y)
      ).join("");
      // Where the baseline was measured once there is no band, only its line.
      const band = floor.length < 2 ? "" : area(
        floor.map(({ x: size, low, high }) => [x.at(size!), y.at(low), y.at(high)]),
        this.#colours.band,
      );
      const rule = line(frame.left, y.at(1), frame.right, y.at(1), this.#colours.ink, 1.5);
      const ends = [
        ...series.map(({ label, points }, index) => ({
          label,
          x: x.at(points.at(-1)!.x!) + shift(index),
          y: y.at(points.at(-1)!.value),
        })),
        { label: figure.baseline, x: frame.right, y: y.at(1) },
      ];
      const strip = this.#crossings(figure, crossings, x, look);
      return {
        svg: head.svg +
          this.#axes(frame, x, y, { x: sizeTicks(points, x), y: ticks }) + band + rule + marks +
          this.#axisName(frame, axisText(figure.x)) +
          this.#ends(ends, frame, room, look) +
          `<g transform="translate(0,${round(frame.bottom + 42)})">${strip.svg}</g>`,
        height: frame.bottom + 46 + strip.height,
      };
    });
  }

  /** Below the plot, along the same axis: from where on each series is better. */
  #crossings(
    { better, baseline, x: xAxis }: CrossoverFigure,
    crossings: readonly CrossoverMark[],
    x: Scale,
    look: (label: string) => SeriesLook,
  ): Piece {
    const parts: string[] = [];
    const room = this.#width - 2 * PADDING;
    let y = 0;
    const write = (words: string, size: number, weight?: number): void => {
      for (const line of wrapped(words, room, size)) {
        y += size + 4;
        parts.push(text(PADDING, y, line, { size, ...(weight === undefined ? {} : { weight }) }));
      }
    };
    const [least, most] = x.domain;
    const sized = (size: number): string => `${size} ${xAxis.unit}`.trimEnd();
    write(`Where it is ${better} than ${baseline}, at every size from there`, SIZE, 600);
    for (const { label, from, above, estimate } of crossings) {
      if (from === undefined) continue;
      const { colour } = look(label);
      y += 4;
      write(
        above === undefined
          ? `${label}: from ${sized(from)}, the smallest measured`
          : `${label}: from ${sized(from)}, not seen at ${above}` +
            (estimate === undefined ? "" : `; about ${Math.round(estimate)} by interpolation`),
        SMALL,
      );
      y += 11;
      parts.push(line(x.at(least), y, x.at(most), y, this.#colours.grid, 2));
      parts.push(line(x.at(from), y, Math.max(x.at(most), x.at(from) + 5), y, colour, 4));
      if (above !== undefined) parts.push(line(x.at(above), y, x.at(from), y, colour, 2, "3 3"));
      parts.push(diamond(x.at(estimate ?? from), y, 5, colour));
      y += 4;
    }
    const nowhere = crossings.filter(({ from }) => from === undefined);
    if (nowhere.length > 0) {
      y += 4;
      write(`Nowhere up to ${sized(most)}: ${nowhere.map(({ label }) => label).join(", ")}`, SMALL);
    }
    return { svg: parts.join(""), height: y + 10 };
  }

  // === What the kinds share ===

  /** A line through the values, their intervals and their points, moved sideways by some pixels. */
  #intervals(
    points: readonly IntervalPoint[],
    { colour, dash, symbol }: SeriesLook,
    dx: number,
    x: Scale,
    y: Scale,
  ): string {
    const [least, most] = y.domain;
    this.#beyond ||= points.some(({ low, high }) => low < least || high > most);
    const places = points.map(({ x: size, value }): Place => [x.at(size!) + dx, y.at(value)]);
    const whiskers = points.map(({ low, high }, index) => {
      const [at] = places[index]!;
      const [from, to] = [y.at(Math.max(least, low)), y.at(Math.min(most, high))];
      return line(at, from, at, to, colour, 1.3);
    });
    return group(
      "series",
      curve(places, colour, 1.8, dash),
      ...whiskers,
      ...places.map((place) => marker(...place, symbol, colour)),
    );
  }

  /** The grid, the ticks and their texts. */
  #axes(
    { left, right, top, bottom }: Frame,
    x: Scale,
    y: Scale,
    ticks: { readonly x: readonly Tick[]; readonly y: readonly Tick[] },
    hasGridX = false,
  ): string {
    const { grid, muted } = this.#colours;
    return group(
      "axes",
      ...ticks.y.map(({ value, text: words }) =>
        line(left, y.at(value), right, y.at(value), grid) +
        text(left - 9, y.at(value) + 4, words, { anchor: "end" })
      ),
      ...ticks.x.map(({ value, text: words }) =>
        (hasGridX ? line(x.at(value), top, x.at(value), bottom, grid) : "") +
        line(x.at(value), bottom, x.at(value), bottom + 4, muted) +
        text(x.at(value), bottom + 17, words, { anchor: "middle" })
      ),
      line(left, bottom, right, bottom, muted),
    );
  }

  #panelHead(title: string, axis: string): Piece {
    let y = 0;
    const parts: string[] = [];
    if (title !== "") {
      for (const line of wrapped(title, this.#width - 2 * PADDING, 13)) {
        parts.push(text(PADDING, y += 17, line, { size: 13, weight: 600 }));
      }
      y += 2;
    }
    if (axis !== "") {
      parts.push(text(PADDING, y += 14, axis, { size: SMALL, fill: this.#colours.muted }));
    }
    return { svg: parts.join(""), height: y + 4 };
  }

  #axisName({ left, right, bottom }: Frame, name: string): string {
    return text((left + right) / 2, bottom + 34, name, {
      size: SMALL,
      anchor: "middle",
      fill: this.#colours.muted,
    });
  }

  /** The marks that have a meaning of their own, each beside its word. */
  #key(items: readonly { svg: (x: number, y: number) => string; text: string }[]): Piece {
    let x = PADDING;
    let y = 8;
    const parts = items.map(({ svg, text: words }) => {
      const width = 18 + textWidth(words, SMALL);
      if (x > PADDING && x + width > this.#width - PADDING) {
        x = PADDING;
        y += 17;
      }
      const part = svg(x + 6, y) + text(x + 18, y + 4, words, { size: SMALL });
      x += width + 14;
      return part;
    });
    return { svg: parts.join(""), height: y + 14 };
  }

  /** Room on the right for the names of the series. */
  #endRoom(labels: readonly string[]): EndRoom {
    const most = this.#width * (this.#width < 500 ? 0.36 : 0.3);
    const lines = new Map(labels.map((label) => [label, wrapped(label, most - 26, SIZE)]));
    const all = [...lines.values()];
    const width = 30 + Math.max(...all.flat().map((one) => textWidth(one, SIZE)));
    return { width, lines, heights: all.map((one) => one.length * (LINE - 1) + 2) };
  }

  /** The names of the series at the ends of their lines, moved apart where they would overlap. */
  #ends(
    ends: readonly { readonly label: string; readonly x: number; readonly y: number }[],
    frame: Frame,
    { lines, heights }: EndRoom,
    look: (label: string) => SeriesLook,
  ): string {
    // A series that is alone needs no name.
    if (ends.every(({ label }) => label === "")) return "";
    const places = dodged(ends.map(({ y }) => y), heights, frame.top - 8, frame.bottom + 12);
    return ends.map(({ label, x, y }, index) => {
      const { colour, symbol } = look(label);
      const at = frame.right + 14;
      const middle = places[index]!;
      const own = lines.get(label)!;
      const first = middle - (own.length - 1) * (LINE - 1) / 2;
      const leader = `<path d="M${round(x + 4)},${round(y)}L${round(at - 3)},${round(middle)}" ` +
        `stroke="${colour}" stroke-opacity="0.5" fill="none"/>`;
      return leader + marker(at + 3, middle, symbol, colour) +
        own.map((one, row) => text(at + 12, first + row * (LINE - 1) + 4, one, { fill: colour }))
          .join("");
    }).join("");
  }
}

interface EndRoom {
  readonly width: number;
  readonly lines: ReadonlyMap<string, readonly string[]>;
  readonly heights: readonly number[];
}
