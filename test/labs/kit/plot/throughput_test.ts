import { assert, assertEquals } from "@std/assert";
import { plot } from "../../../../labs/kit/plot/plot.ts";
import type { ThroughputFigure } from "../../../../labs/kit/plot/throughput.ts";
import { elementsOf } from "../../../elements.ts";
import { sendTrials } from "./samples.ts";

Deno.test("the control is the baseline, the size the axis, warm-up and control uncounted", () => {
  const { figure } = plot({ trials: sendTrials() });
  assertEquals(figure.kind, "throughput");
  const { baseline, labels, panels, x, y } = figure as ThroughputFigure;
  assertEquals({ baseline, labels }, { baseline: "copy", labels: ["copy", "zc"] });
  assertEquals(x, { label: "payload", unit: "bytes" });
  assertEquals(y.label, "datagrams per second");
  assertEquals(panels.length, 1);
  for (const { points } of panels[0]!.series) {
    assertEquals(points.map((point) => point.x), [600, 1500, 4000]);
    assert(points.every(({ low, value, high }) => low <= value && value <= high && low < high));
  }
  const drawn = elementsOf(plot({ trials: sendTrials() }).svg()).having("class", "series");
  // A circle for each value of copying, a square for each of zero copy.
  assertEquals(drawn.map((one) => one.all("circle", "rect").map(({ name }) => name)), [
    ["circle", "circle", "circle"],
    ["rect", "rect", "rect"],
  ]);
});

Deno.test("the factors can be placed by hand", () => {
  const { figure } = plot({ trials: sendTrials() }, { x: null, series: "mode", panels: "payload" });
  assert(figure.kind === "throughput");
  assertEquals(figure.x, undefined);
  assertEquals(figure.panels.map(({ title }) => title), ["600 bytes", "1500 bytes", "4000 bytes"]);
  const swapped = plot({ trials: sendTrials() }, { series: "payload", x: null, panels: ["mode"] });
  assertEquals((swapped.figure as ThroughputFigure).labels.length, 3);
});
