import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { stripVTControlCharacters } from "node:util";
import { percentilePlot } from "../../../../labs/kit/plot/percentile_plot.ts";
import { displayWidth } from "../../../../labs/kit/text/table.ts";
import { percentileCurve } from "./samples.ts";

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
  const text = percentilePlot([percentileCurve("epoll", 10e-6)], {
    unit: "s",
    width: 100,
    colours: false,
  });
  for (const tick of ["0 s ┤", "20 µs ┤", "40 µs ┤", "80 µs ┤", "epoll 80.0 µs"]) {
    assertStringIncludes(text, tick);
  }
  assert(/ p0 +p50 +p90 +p99 +p99\.9\n/.test(text), text);
  const wide = percentilePlot([percentileCurve("a", 1e-6), percentileCurve("b", 1e-3)], {
    unit: "s",
    colours: false,
  });
  for (const tick of ["1 µs ┤", "10 µs ┤", "100 µs ┤", "1 ms ┤"]) assertStringIncludes(wide, tick);
});

Deno.test("percentilePlot gives every curve its own name and its own kind of line", () => {
  const series = ["a", "b", "c", "d"].map((label) => percentileCurve(label, 10e-6));
  const text = percentilePlot(series, { unit: "s", width: 80, colours: false });
  for (const { label } of series) assertStringIncludes(text, `${label} 80.0 µs`);
  const apart = series.map(({ label }, index) => percentileCurve(label, 10e-6 * (1 + index)));
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

Deno.test("percentilePlot stays within its width, whatever it is", () => {
  const series = [
    percentileCurve("a rather long name of a curve", 10e-6),
    percentileCurve("b", 12e-6),
  ];
  for (const width of [40, 80, 100, 120]) {
    const text = percentilePlot(series, { unit: "s", width, colours: false });
    for (const line of text.split("\n")) assert(displayWidth(line) <= width, line);
  }
});

Deno.test("percentilePlot with colours is the same text with escape sequences", () => {
  const series = [percentileCurve("a", 10e-6), percentileCurve("b", 300e-6)];
  const [plain, coloured] = [false, true]
    .map((colours) => percentilePlot(series, { width: 80, colours }));
  assert(coloured!.includes("\x1b["));
  assertEquals(stripVTControlCharacters(coloured!), plain);
});
