/**
 * One `plot()` for what an experiment, a lab or a run file says.
 *
 * @module
 */
import { escapeHtml } from "../../../ffi/kernel/inspection.ts";
import type { RunDocument } from "../run/run_document.ts";
import type { RunView } from "../run/run_view.ts";
import { coloursWanted, terminalWidth } from "../text/table.ts";
import type { Factor, Measures, Trial } from "../trials/trials.ts";
import { altText } from "./alt_text.ts";
import { svgDocument } from "./canvas.ts";
import { PlotError, type PlotKind } from "./figure.ts";
import {
  dataFigure,
  type Figure,
  kindNamed,
  kindsFor,
  type PlainData,
  trialsFigure,
} from "./kinds.ts";
import { textDocument } from "./text.ts";
import { coloursOf, type PlotTheme } from "./theme.ts";
import type { RunTable } from "../run/run_table.ts";
import type { TrialPosition, TrialsOptions } from "./trials.ts";

/** What {@linkcode plot} is told. All of it has defaults, except `kind` for plain data. */
export interface PlotOptions {
  /**
   * What to show: `throughput` by size and way with intervals; `latency` as percentiles, on an axis
   * with as much room for each nine; `series`, a measure trial by trial; `lifelines` of zero-copy
   * sends; `crossover`, the ratio to the baseline by size; `flame`, where the instructions of system
   * calls go, and `changes`, which functions execute fewer of them and which more.
   *
   * @default {"latency" if the trials hold distributions, else "throughput"}
   */
  readonly kind?: PlotKind;
  /**
   * The measure, or the covariate, to show: a name in the trials. Its unit is read off the name.
   *
   * @default {the measure that is a rate}
   */
  readonly measure?: string;
  /**
   * The factor along the axis, whose values are numbers; null for none.
   *
   * @default {the first factor with several sizes}
   */
  readonly x?: string | null;
  /**
   * The factors that tell the series apart.
   *
   * @default {those that the control holds fast}
   */
  readonly series?: string | readonly string[];
  /**
   * The factors of which each combination has a panel of its own.
   *
   * @default {those that are left}
   */
  readonly panels?: string | readonly string[];
  /**
   * The factor values to compare with, such as `{ mode: "copy" }`.
   *
   * @default {those of the control}
   */
  readonly baseline?: { readonly [factor: string]: Factor };
  /** Only the trials with these values, one or a list for each factor. */
  readonly where?: { readonly [factor: string]: Factor | readonly Factor[] };
  /** Whether more is better, for `crossover`; for times less is, unless given. */
  readonly better?: "higher" | "lower";
  /**
   * The trials to mark as outliers, for `series`.
   *
   * @default {those that findOutliers gives for the measure}
   */
  readonly outliers?: readonly TrialPosition[];
  /** What stands above the plot. */
  readonly title?: string;
  /** What stands below the title. */
  readonly subtitle?: string;
  /** The unit of the values, such as `s` or `B/s`. */
  readonly unit?: string;
  /** What the axis of the values is called. */
  readonly yLabel?: string;
  /** What the axis of the sizes is called. */
  readonly xLabel?: string;
  /** The unit of the sizes. */
  readonly xUnit?: string;
}

/** What has trials: a result of `experiment()`, or a run document. */
export interface HasTrials {
  /** The trials. */
  readonly trials: readonly Trial[];
  /** Of a run document: the rows, which say in which order combinations stand. */
  readonly summary?: readonly Measures[];
  /** Of a run document: how its rows are to be read, with the units. */
  readonly table?: RunTable;
  /** Of a run document: what the microscope saw of one row, or of two. */
  readonly views?: readonly RunView[];
}

/** What a lab returned: its run, and its text, which is not plotted. */
export interface HasDocument {
  /** The run. */
  readonly document: RunDocument;
  /** The text for people. */
  readonly text?: string;
}

/** What can be plotted: an experiment's result, a run document, a lab's outcome, plain data. */
export type Plottable = HasTrials | HasDocument | PlainData;

/** Options of {@linkcode Plot.svg}. */
export interface PlotSvgOptions {
  /**
   * The colours. `page` takes them from the style sheet of the page that the SVG is part of.
   *
   * @default {"light"}
   */
  readonly theme?: PlotTheme;
  /**
   * The width in pixels, at least 280; the height follows from it.
   *
   * @default {720}
   */
  readonly width?: number;
}

/** Options of {@linkcode Plot.text}. */
export interface PlotTextOptions {
  /**
   * Columns of the terminal, at least 40.
   *
   * @default {terminalWidth()}
   */
  readonly width?: number;
  /**
   * Whether to use colours.
   *
   * @default {coloursWanted()}
   */
  readonly colours?: boolean;
}

const WIDTH = 720;
const NARROWEST_SVG = 280;
const NARROWEST_TEXT = 40;

/**
 * Plots an experiment, a lab's outcome, a run file, or plain data.
 *
 * What stands where is found from the experiment: its control is the baseline, what the control
 * holds fast tells the series apart, and a factor with several sizes is the axis. Warm-up rounds
 * and second runs of the baseline count nowhere; only the kind `series` shows them.
 *
 * @param what A result of {@linkcode experiment}, what a lab returned, a run document, or, with
 *   `options.kind`, plain data: `{ label, points }` for each series, `{ label, values }` for
 *   latencies, `{ label, submitted, sent, released, copied }` in seconds for life lines, what
 *   {@linkcode Microscope.look} returned: one view for `flame`, two for `changes`. Of a lab that was
 *   run with `look` those of its document.
 * @param options What to show, and how.
 * @returns The plot: text in a terminal or a REPL, a picture in a notebook.
 * @throws {PlotError} If what was given does not have what the plot needs. The message says what.
 *
 * @example An experiment
 * ```ts
 * import { cross, experiment, plot } from "zclab/experiment";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const result = await experiment({
 *   factors: cross({ payload: [600, 4000], mode: ["copy", "zc"] }),
 *   control: { mode: "copy" },
 *   trial: ({ payload, mode }, { round }) => ({
 *     requestsPerSecond: (mode === "zc" ? 4e5 : 2e9 / (payload + 4000)) + round,
 *   }),
 * });
 * const picture = plot(result, { kind: "crossover" });
 * assertStringIncludes(picture.text({ width: 80, colours: false }), "zc: from 4000 bytes on");
 * assertStringIncludes(picture.svg(), "<svg xmlns=");
 * ```
 *
 * @example Life lines
 * ```ts
 * import { plot } from "zclab/experiment";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const lines = [
 *   { label: "request 1", submitted: 0, sent: 4e-6, released: 40e-6, copied: false },
 *   { label: "request 2", submitted: 2e-6, sent: 7e-6, released: 41e-6, copied: false },
 * ];
 * assertStringIncludes(plot(lines, { kind: "lifelines" }).text({ colours: false }), "40.0 µs");
 * ```
 */
export function plot(what: Plottable, options: PlotOptions = {}): Plot {
  const { kind } = options;
  if (kind !== undefined) kindNamed(kind);
  const data = isPlain(what) ? what : viewsFor(kind, what);
  return new Plot(
    isPlain(what) || data !== undefined
      ? dataFigure(data!, kind, options)
      : trialsFigure(trialsOf(what), kind, trialsOptions(what, options)),
  );
}

/**
 * The plots that an experiment, a lab's outcome or a run file is good for without being told
 * anything, the best one first.
 *
 * @param what A result of {@linkcode experiment}, what a lab returned, or a run document.
 * @param options As {@linkcode plot} takes them, without the kind.
 * @throws {PlotError} If there are no trials, or none of the plots can be made of them.
 */
export function plots(
  what: Exclude<Plottable, PlainData>,
  options: Omit<PlotOptions, "kind"> = {},
): Plot[] {
  const trials = trialsOf(what);
  const whole = trialsOptions(what, options);
  const problems: PlotError[] = [];
  const made = kindsFor(trials, whole).flatMap((kind) => {
    try {
      return [new Plot(trialsFigure(trials, kind, whole))];
    } catch (error) {
      // What the trials are good for as a whole may still lack its values, as after few rounds.
      if (!(error instanceof PlotError)) throw error;
      problems.push(error);
      return [];
    }
  });
  if (made.length === 0 && problems.length > 0) throw problems[0];
  return made;
}

/** What of a run document is drawn as calls: of a flame graph's views the last one, that of the row. */
function viewsFor(
  kind: PlotKind | undefined,
  what: Exclude<Plottable, PlainData>,
): PlainData | undefined {
  if (kind !== "flame" && kind !== "changes") return undefined;
  const { views } = "document" in what ? what.document : what;
  if (views === undefined || views.length === 0) return undefined;
  return kind === "flame" ? views.slice(-1) : views;
}

function isPlain(what: Plottable): what is PlainData {
  return Array.isArray(what);
}

function trialsOf(what: Exclude<Plottable, PlainData>): readonly Trial[] {
  const trials = (what as { trials?: unknown } | null)?.trials ??
    (what as { document?: { trials?: unknown } } | null)?.document?.trials;
  if (!Array.isArray(trials)) {
    throw new PlotError(
      "plot: this is neither a result of experiment(), nor what a lab returned, nor a run document, " +
        "all of which have trials, nor an array of plain data",
    );
  }
  return trials;
}

/** What was asked for, and what a run document says of how its trials are to be read. */
function trialsOptions(
  what: Exclude<Plottable, PlainData>,
  options: Omit<PlotOptions, "kind">,
): TrialsOptions {
  const { summary, table } = "document" in what ? what.document : what;
  // The rows name the combinations in the order that the lab gave them.
  return { ...options, order: Array.isArray(summary) ? summary : [], table };
}

/** A plot. Made by {@linkcode plot}. */
export class Plot {
  /** What it shows, as plain data. */
  readonly figure: Figure;

  /** Made by {@linkcode plot}. @internal */
  constructor(figure: Figure) {
    this.figure = figure;
  }

  /** What it shows, as one of {@linkcode PlotOptions.kind}. */
  get kind(): PlotKind {
    return this.figure.kind;
  }

  /** What it shows, in words, for those who cannot see it. */
  get alt(): string {
    return altText(this.figure, kindNamed(this.kind).words(this.figure));
  }

  /**
   * The plot as an SVG document that needs nothing else, for a file or a page.
   *
   * @param options Colours and width.
   * @throws {RangeError} If the width is less than 280.
   */
  svg(options: PlotSvgOptions = {}): string {
    const { theme = "light", width = WIDTH } = options;
    if (!(width >= NARROWEST_SVG && width < Infinity)) {
      throw new RangeError(`The width of a plot is at least ${NARROWEST_SVG} pixels, not ${width}`);
    }
    const canvas = { width, colours: coloursOf(theme) };
    const pieces = kindNamed(this.kind).picture(this.figure, canvas);
    return svgDocument(this.figure, pieces, this.alt, canvas);
  }

  /**
   * The plot as an `<img>` that holds the SVG: the one form that JupyterLab, the classic Notebook,
   * notebooks that are not trusted and nbconvert all show.
   *
   * @param options Colours and width.
   */
  html(options: PlotSvgOptions = {}): string {
    const bytes = new TextEncoder().encode(this.svg(options));
    return `<img src="data:image/svg+xml;base64,${bytes.toBase64()}" alt="${
      escapeHtml(this.alt)
    }" ` +
      `width="${options.width ?? WIDTH}" style="max-width:100%;height:auto">`;
  }

  /**
   * The plot for a terminal.
   *
   * @param options Width and colours.
   * @returns Lines, each ended by a newline.
   */
  text(options: PlotTextOptions = {}): string {
    const { width = terminalWidth(), colours = coloursWanted() } = options;
    const drawing = { width: Math.max(NARROWEST_TEXT, width), colours };
    return textDocument(this.figure, kindNamed(this.kind).text(this.figure, drawing), drawing);
  }

  /** In a REPL: the text. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.text().trimEnd();
  }

  /** In a notebook: the picture, and the text where pictures cannot be shown. */
  [Symbol.for("Jupyter.display")](): { "text/html": string; "text/plain": string } {
    return { "text/html": this.html(), "text/plain": this.text({ colours: false }) };
  }
}
