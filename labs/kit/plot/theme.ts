/**
 * The colours of drawings, pages and terminals, and the shapes and dashes of series.
 *
 * Colours are those of Okabe and Ito ("Color Universal Design", 2008), made darker on white and
 * lighter on dark until text in them can be read (a contrast of 4.5 to 1, WCAG 2.2). Shapes and
 * dashes say the same once more, for print without colours and for eyes that see none.
 *
 * @module
 */
import type { TextStyle } from "../text/table.ts";

/** On what the plot stands; `page` takes its colours from the style sheet of the page around. */
export type PlotTheme = "light" | "dark" | "page";

/** What drawings and pages are drawn with. */
export interface Colours {
  /** Behind everything. */
  readonly background: string;
  /** Text, the baseline. */
  readonly ink: string;
  /** What is less important, axes. */
  readonly muted: string;
  /** Lines of the grid, edges. */
  readonly grid: string;
  /** Bands, such as the noise floor, and panels. */
  readonly band: string;
  /** One for each series after the baseline. */
  readonly series: readonly string[];
}

/** The colours of both themes. */
export const COLOURS: Readonly<Record<"light" | "dark", Colours>> = {
  light: {
    background: "#ffffff",
    ink: "#1b1f24",
    muted: "#57606a",
    grid: "#e3e7eb",
    band: "#eceff2",
    series: ["#0065a8", "#b8460b", "#00734f", "#983f7a", "#7a5c00", "#4a4fb0", "#00707d"],
  },
  dark: {
    background: "#14181d",
    ink: "#e8ecf0",
    muted: "#a3adb8",
    grid: "#2c333b",
    band: "#232a32",
    series: ["#5bb8ee", "#f5874f", "#35c79b", "#e59bc8", "#e3b93c", "#a9a6ff", "#57cad6"],
  },
};

/** The shapes of points: the baseline's first. */
const SYMBOLS = [
  "circle",
  "square",
  "triangle",
  "diamond",
  "star",
  "wye",
  "cross",
  "circle",
] as const;

/** The dashes of lines, as `stroke-dasharray` takes them: the baseline's first. */
const DASHES: readonly (string | undefined)[] = [
  undefined,
  "7 3",
  "2 3",
  "9 3 2 3",
  "5 2",
  "1 2.5",
  "9 3 2 3 2 3",
  "12 4",
];

/** The colour of a series on a page of the theme `page`. */
const seriesName = (index: number): string => `--series-${index + 1}`;

/** The colours of a theme as they stand in an SVG. */
export function coloursOf(theme: PlotTheme): Colours {
  if (theme !== "page") return COLOURS[theme];
  return {
    background: "var(--background)",
    ink: "var(--ink)",
    muted: "var(--muted)",
    grid: "var(--grid)",
    band: "var(--band)",
    series: COLOURS.light.series.map((_, index) => `var(${seriesName(index)})`),
  };
}

/** What a page declares for drawings of the theme `page`, and may use itself; without a selector. */
export function themeDeclarations(theme: "light" | "dark"): string {
  const { series, ...named } = COLOURS[theme];
  return [
    ...Object.entries(named).map(([name, colour]) => `--${name}:${colour}`),
    ...series.map((colour, index) => `${seriesName(index)}:${colour}`),
  ].join(";");
}

/**
 * The styles of series in a terminal: of its few colours those that are nearest to the colours of
 * drawings. Its blue is hard to read on black, and comes last.
 */
export const TERMINAL_STYLES: readonly TextStyle[] = [
  "cyan",
  "yellow",
  "green",
  "magenta",
  "red",
  "blue",
];

/** The style of the baseline in a terminal: the colour of its text. */
export const BASELINE_STYLE: TextStyle = "bold";

/** How a series looks. */
export interface SeriesLook {
  readonly colour: string;
  readonly symbol: typeof SYMBOLS[number];
  readonly dash: string | undefined;
}

/**
 * How each series looks: the baseline in the colour of the text, the others in one of their own.
 *
 * @param labels All series.
 * @param baseline Which of them is the baseline.
 * @param colours The theme.
 */
export function looks(
  labels: readonly string[],
  baseline: string | undefined,
  colours: Colours,
): (label: string) => SeriesLook {
  return (label) => {
    const index = placeOf(label, labels, baseline);
    if (index === undefined) {
      return { colour: colours.ink, symbol: SYMBOLS[0], dash: DASHES[0] };
    }
    const shape = baseline === undefined ? index : 1 + index % (SYMBOLS.length - 1);
    return {
      colour: colours.series[index % colours.series.length]!,
      symbol: SYMBOLS[shape % SYMBOLS.length]!,
      dash: DASHES[shape % DASHES.length],
    };
  };
}

/**
 * The style of a series in a terminal.
 *
 * @param label The series.
 * @param labels All series.
 * @param baseline Which of them is the baseline.
 */
export function terminalStyle(
  label: string,
  labels: readonly string[],
  baseline: string | undefined,
): TextStyle {
  const index = placeOf(label, labels, baseline);
  return index === undefined ? BASELINE_STYLE : TERMINAL_STYLES[index % TERMINAL_STYLES.length]!;
}

/** Which colour a series has; undefined for the baseline. */
function placeOf(
  label: string,
  labels: readonly string[],
  baseline: string | undefined,
): number | undefined {
  if (label === baseline) return undefined;
  return Math.max(0, labels.filter((one) => one !== baseline).indexOf(label));
}
