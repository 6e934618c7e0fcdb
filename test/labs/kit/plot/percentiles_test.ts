import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import * as hdr from "hdr-histogram-js";
import { PlotError } from "../../../../labs/kit/plot/figure.ts";
import {
  percentilesOf,
  percentilesOfDistributions,
} from "../../../../labs/kit/plot/percentiles.ts";

/** The whole numbers from 1 on, in no order. */
function shuffled(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index * 7 % count + 1);
}

Deno.test("percentiles of values end where fewer than five lie beyond", () => {
  const points = percentilesOf(shuffled(1000));
  const at = (percentile: number): number | undefined =>
    points.find((point) => point.percentile === percentile)?.value;
  assertEquals([0, 50, 90, 99].map(at), [1, 500, 900, 990]);
  assertEquals(at(99.9), undefined);
  const last = points.at(-1)!;
  assert(last.percentile <= 99.5 && last.value <= 995, `${last.percentile}, ${last.value}`);
  assert(points.every(({ value }, index) => index === 0 || value >= points[index - 1]!.value));
  assertEquals(percentilesOf([3]).map(({ value }) => value), percentilesOf([3]).map(() => 3));
});

Deno.test("distributions of several trials are taken together, in seconds", () => {
  const encoded = [10_000, 30_000].map((value) => {
    const histogram = hdr.build({ numberOfSignificantValueDigits: 3 });
    for (let i = 0; i < 100; i++) histogram.recordValue(value);
    return hdr.encodeIntoCompressedBase64(histogram);
  });
  const { points, count } = percentilesOfDistributions(encoded);
  assertEquals(count, 200);
  const at = (percentile: number): number =>
    points.find((point) => point.percentile === percentile)!.value;
  assertAlmostEquals(at(50), 10e-6, 0.02e-6);
  assertAlmostEquals(at(90), 30e-6, 0.06e-6);
  assertThrows(() => percentilesOfDistributions(["HISTabc"]), PlotError, "no HdrHistogram");
  const empty = hdr.encodeIntoCompressedBase64(hdr.build());
  assertThrows(() => percentilesOfDistributions([empty]), PlotError, "are empty");
});
