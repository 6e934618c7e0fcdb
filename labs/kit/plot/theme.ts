/**
 * The colours, shapes and dashes of the plots.
 *
 * Colours are those of Okabe and Ito ("Color Universal Design", 2008), made darker on white and
 * lighter on dark until text in them can be read (a contrast of 4.5 to 1, WCAG 2.2). Shapes and
 * dashes say the same once more, for print without colours and for eyes that see none.
 *
 * @module
 */

/** On what the plot stands; `page` takes its colours from the style sheet of the page around. */
export type PlotTheme = "light" | "dark" | "page";

/** What a plot is drawn with. */
export interface Colours {
  /** Behind the plot. */
  readonly background: string;
  /** Text, axes, the baseline. */
  readonly ink: string;
  /** What is less important. */
  readonly muted: string;
  /** Lines of the grid. */
  readonly grid: string;
  /** Bands, such as the noise floor. */
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
export const SYMBOLS = [
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
export const DASHES: readonly (string | undefined)[] = [
  undefined,
  "7 3",
  "2 3",
  "9 3 2 3",
  "5 2",
  "1 2.5",
  "9 3 2 3 2 3",
  "12 4",
];

const NAMES = ["background", "ink", "muted", "grid", "band"] as const;

/** The colours of a theme as they stand in an SVG. */
export function coloursOf(theme: PlotTheme): Colours {
  if (theme !== "page") return COLOURS[theme];
  const [background, ink, muted, grid, band] = NAMES.map((name) => `var(--plot-${name})`);
  return {
    background: background!,
    ink: ink!,
    muted: muted!,
    grid: grid!,
    band: band!,
    series: COLOURS.light.series.map((_, index) => `var(--plot-${index + 1})`),
  };
}

/** The declarations that a page needs for plots of the theme `page`, without a selector. */
export function themeDeclarations(theme: "light" | "dark"): string {
  const colours = COLOURS[theme];
  return [
    ...NAMES.map((name) => `--plot-${name}:${colours[name]}`),
    ...colours.series.map((colour, index) => `--plot-${index + 1}:${colour}`),
  ].join(";");
}

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
  const others = labels.filter((label) => label !== baseline);
  return (label) => {
    if (label === baseline) {
      return { colour: colours.ink, symbol: SYMBOLS[0], dash: DASHES[0] };
    }
    const index = Math.max(0, others.indexOf(label));
    const shape = baseline === undefined ? index : 1 + index % (SYMBOLS.length - 1);
    return {
      colour: colours.series[index % colours.series.length]!,
      symbol: SYMBOLS[shape % SYMBOLS.length]!,
      dash: DASHES[shape % DASHES.length],
    };
  };
}
