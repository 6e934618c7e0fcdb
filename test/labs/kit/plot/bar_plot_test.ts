import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { stripVTControlCharacters } from "node:util";
import {
  type Bar,
  barPlot,
  formatSi,
  percentilePlot,
  type PercentileSeries,
} from "../../../../labs/kit/plot/mod.ts";
import { displayWidth } from "../../../../labs/kit/terminal/table.ts";

Deno.test("formatSi shows three digits with prefix and unit", () => {
  const cases: [number, string, string][] = [
    [0, "s", "0 s"],
    [1234567, "requests/s", "1.23 M requests/s"],
    [450, "requests/s", "450 requests/s"],
    [0.0000412, "s", "41.2 µs"],
    [0.00099996, "s", "1.00 ms"],
    [999.6, "", "1.00 k"],
    [600, "", "600"],
    [999, "B", "999 B"],
    [1500, "B", "1.50 kB"],
    [-0.25, "s", "-250 ms"],
    [99.96, "s", "100 s"],
    [9.996, "s", "10.0 s"],
    [3e-12, "s", "0.00 ns"],
    [7e15, "", "7000 T"],
    [NaN, "s", "NaN s"],
  ];
  for (const [value, unit, text] of cases) assertEquals(formatSi(value, unit), text);
});

const bars: Bar[] = [
  { group: "600 B", label: "copy", value: 400, low: 380, high: 410 },
  { group: "600 B", label: "zc", value: 300, low: 200, high: 400, note: "−25 %" },
  { group: "4000 B", label: "copy", value: 250 },
  { group: "4000 B", label: "zc + flush", value: 0 },
];

Deno.test("barPlot draws groups, bars in eighths and whiskers", () => {
  // 33 columns for 410: the whisker of zc goes from 200 (16.1) over 300 (24.1) to 400 (32.2).
  const text = barPlot(bars, { unit: "B", title: "Rates", width: 60, colours: false });
  assertEquals(
    text,
    [
      "Rates",
      "",
      "600 B",
      "  copy       │██████████████████████████████├┼┤ 400 B",
      "  zc         │████████████████├───────┼───────┤ 300 B  −25 %",
      "",
      "4000 B",
      "  copy       │████████████████████▏             250 B",
      "  zc + flush │                                    0 B",
      "",
    ].join("\n"),
  );
});

Deno.test("barPlot lengths are in proportion to the values, to an eighth of a column", () => {
  const eighths = (line: string): number => {
    const blocks = line.slice(line.indexOf("│") + 1).match(/^█*[▏▎▍▌▋▊▉]?/)![0];
    const full = blocks.match(/█/g)?.length ?? 0;
    return full * 8 + "▏▎▍▌▋▊▉".indexOf(blocks.at(full) ?? "none") + 1;
  };
  const values = [1, 0.51, 0.5, 0.333, 0.1, 0.004];
  const text = barPlot(values.map((value) => ({ label: "x", value })), {
    width: 100,
    colours: false,
  });
  const lengths = text.trimEnd().split("\n").map(eighths);
  for (const [index, length] of lengths.entries()) {
    assert(Math.abs(length - lengths[0]! * values[index]!) <= 0.5, `${lengths}`);
  }
});

Deno.test("plots stay within their width, whatever it is", () => {
  const series: PercentileSeries[] = [
    curve("a rather long name of a curve", 10e-6),
    curve("b", 12e-6),
  ];
  for (const width of [40, 80, 100, 120]) {
    const texts = [
      barPlot(bars, { unit: "requests/s", width, colours: false }),
      percentilePlot(series, { unit: "s", width, colours: false }),
    ];
    for (const line of texts.join("").split("\n")) {
      assert(displayWidth(line) <= width, line);
    }
  }
});

Deno.test("barPlot takes all zeros and nothing, and refuses what is no interval", () => {
  assertStringIncludes(barPlot([{ label: "a", value: 0 }], { colours: false }), "a    │");
  assertStringIncludes(barPlot([], { colours: false }), "(nothing to plot)");
  const refused = (bar: Bar): void => {
    assertThrows(() => barPlot([bar]), RangeError, "Bar a");
  };
  refused({ label: "a", value: -1 });
  refused({ label: "a", value: NaN });
  refused({ label: "a", value: 1, low: 2 });
  refused({ label: "a", value: 3, high: 2 });
  refused({ label: "a", value: 3, high: Infinity });
});

Deno.test("plots with colours are the same text with escape sequences", () => {
  const series = [curve("a", 10e-6), curve("b", 300e-6)];
  const pairs = [false, true].map((colours) => [
    barPlot(bars, { width: 80, colours }),
    percentilePlot(series, { width: 80, colours }),
  ]);
  for (const [index, coloured] of pairs[1]!.entries()) {
    assert(coloured.includes("\x1b["));
    assertEquals(stripVTControlCharacters(coloured), pairs[0]![index]);
  }
});

/** Values that double with each nine. */
function curve(label: string, least: number): PercentileSeries {
  return {
    label,
    points: [99.9, 0, 50, 90, 99].map((percentile) => ({
      percentile,
      value: least * (1 - percentile / 100) ** -Math.log10(2),
    })),
  };
}

Deno.test("percentilePlot draws values that double with each nine as a line", () => {
  // From 1 to 64 in 6 nines: with both axes logarithmic a straight line from corner to corner.
  const points = [0, 50, 90, 99, 99.9, 99.99, 99.999, 99.9999].map((percentile) => ({
    percentile,
    value: (1 - percentile / 100) ** -Math.log10(2),
  }));
  const text = percentilePlot([{ label: "x", points }], { width: 70, height: 13, colours: false });
  const lines = text.split("\n").slice(0, 13);
  const starts = lines.map((line) => line.slice(line.search(/[│┤]/) + 1).search(/[─╭╯]/));
  const steps = starts.slice(0, -1).map((start, row) => start - starts[row + 1]!);
  assert(steps.slice(1, -1).every((step) => Math.abs(step - steps[1]!) <= 1), `${steps}\n${text}`);
  assertStringIncludes(lines[0]!, "x 64.0");
});

Deno.test("percentilePlot names the ticks of both axes", () => {
  const text = percentilePlot([curve("epoll", 10e-6)], { unit: "s", width: 100, colours: false });
  for (const tick of ["0 s ┤", "20 µs ┤", "40 µs ┤", "80 µs ┤", "epoll 80.0 µs"]) {
    assertStringIncludes(text, tick);
  }
  assert(/ p0 +p50 +p90 +p99 +p99\.9\n/.test(text), text);
  const wide = percentilePlot([curve("a", 1e-6), curve("b", 1e-3)], { unit: "s", colours: false });
  for (const tick of ["1 µs ┤", "10 µs ┤", "100 µs ┤", "1 ms ┤"]) assertStringIncludes(wide, tick);
});

Deno.test("percentilePlot gives every curve its own name and its own kind of line", () => {
  const series = ["a", "b", "c", "d"].map((label) => curve(label, 10e-6));
  const text = percentilePlot(series, { unit: "s", width: 80, colours: false });
  for (const { label } of series) assertStringIncludes(text, `${label} 80.0 µs`);
  const apart = series.map(({ label }, index) => curve(label, 10e-6 * (1 + index)));
  const plot = percentilePlot(apart, { width: 80, colours: false });
  for (const line of ["─", "━", "═", "┄"]) assertStringIncludes(plot, line);
});

Deno.test("percentilePlot takes a single point and nothing, and refuses what has no place", () => {
  const single = { label: "x", points: [{ percentile: 50, value: 2 }] };
  assertStringIncludes(percentilePlot([single], { colours: false }), "x 2");
  assertStringIncludes(percentilePlot([], { colours: false }), "(nothing to plot)");
  const refused = (percentile: number, value: number): void => {
    assertThrows(
      () => percentilePlot([{ label: "x", points: [{ percentile, value }] }]),
      RangeError,
      "Curve x",
    );
  };
  refused(100, 1);
  refused(-1, 1);
  refused(50, 0);
  refused(50, NaN);
});
