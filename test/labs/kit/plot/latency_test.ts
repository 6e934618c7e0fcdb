import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { plot } from "../../../../labs/kit/plot/plot.ts";
import { latencyTrials, sampleTrials } from "./samples.ts";

Deno.test("distributions of all rounds together, in panels by what the control leaves free", () => {
  const picture = plot({ trials: latencyTrials() });
  assert(picture.figure.kind === "latency");
  assertEquals(picture.figure.panels.map(({ title }) => title), ["loopback", "pair"]);
  assertStringIncludes(picture.figure.subtitle, "16,000 values of 4 rounds");
  const [none] = picture.figure.panels[0]!.series;
  const at = (percentile: number): number =>
    none!.points.find((point) => Math.abs(point.percentile - percentile) < 1e-9)!.value;
  assert(Math.abs(at(50) - 70e-6) < 0.2e-6, `${at(50)}`);
  assert(Math.abs(at(90) - 78e-6) < 0.2e-6, `${at(90)}`);
  // 4000 values: beyond the last percentile there are at least five.
  assert(none!.points.at(-1)!.percentile <= 100 * (1 - 5 / 4000));
});

Deno.test("values themselves, percentiles, and measures named as percentiles", () => {
  const values = Array.from({ length: 200 }, (_, index) => (index + 1) * 1e-6);
  const own = plot([{ label: "a", values }], { kind: "latency" });
  assertStringIncludes(own.text({ colours: false, width: 80 }), "a ");
  assert(own.figure.kind === "latency");
  const { points } = own.figure.panels[0]!.series[0]!;
  assertAlmostEquals(points.find(({ percentile }) => percentile === 50)!.value, 100e-6);
  const trials = sampleTrials({
    factors: [{ way: "a" }, { way: "b" }],
    measure: () => ({ p50Seconds: 1e-5, p99Seconds: 3e-5, p999Seconds: 9e-5 }),
  });
  const { figure } = plot({ trials: trials }, { kind: "latency" });
  assert(figure.kind === "latency");
  assertEquals(figure.panels[0]!.series[0]!.points, [
    { percentile: 50, value: 1e-5 },
    { percentile: 99, value: 3e-5 },
    { percentile: 99.9, value: 9e-5 },
  ]);
});
