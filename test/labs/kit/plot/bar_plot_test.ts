import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { stripVTControlCharacters } from "node:util";
import { type Bar, barPlot } from "../../../../labs/kit/plot/bar_plot.ts";
import { displayWidth } from "../../../../labs/kit/text/table.ts";

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

Deno.test("barPlot stays within its width, whatever it is", () => {
  for (const width of [40, 80, 100, 120]) {
    const text = barPlot(bars, { unit: "requests/s", width, colours: false });
    for (const line of text.split("\n")) assert(displayWidth(line) <= width, line);
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

Deno.test("barPlot with colours is the same text with escape sequences", () => {
  const [plain, coloured] = [false, true].map((colours) => barPlot(bars, { width: 80, colours }));
  assert(coloured!.includes("\x1b["));
  assertEquals(stripVTControlCharacters(coloured!), plain);
});
