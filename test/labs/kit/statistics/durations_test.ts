import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Durations, isDistribution } from "../../../../labs/kit/statistics/durations.ts";

/** One to `count` milliseconds. */
function upTo(count: number): Durations {
  const durations = new Durations();
  for (let i = 1; i <= count; i++) durations.record(i);
  return durations;
}

Deno.test("durations: percentiles of several taken together, in seconds", () => {
  const low = upTo(100);
  const high = new Durations();
  for (let i = 0; i < 100; i++) high.record(500);
  const merged = Durations.merged([low.encode(), high.encode()]);
  assertEquals(merged.count, 200);
  assertAlmostEquals(merged.percentile(25)!, 0.05, 1e-4);
  assertAlmostEquals(merged.percentile(75)!, 0.5, 1e-3);
  assertAlmostEquals(merged.longest, 0.5, 1e-3);
  assert(isDistribution(merged.encode()));
  assert(!isDistribution("HIST"));
});

Deno.test("durations: what too few say nothing of is null, the median never", () => {
  assertEquals(new Durations().percentile(50), null);
  assertAlmostEquals(upTo(1).percentile(50)!, 1e-3, 1e-6);
  assertEquals(upTo(99).percentile(99), null);
  assertAlmostEquals(upTo(100).percentile(99)!, 0.099, 1e-4);
  assertEquals(upTo(999).percentile(99.9), null);
  assertAlmostEquals(upTo(1000).percentile(99.9)!, 0.999, 1e-3);
});

Deno.test("durations: one longer than expected is counted, a damaged text is refused", () => {
  const durations = new Durations();
  durations.record(60_000);
  assertAlmostEquals(durations.longest, 60, 0.1);
  assertThrows(() => Durations.merged(["HISTnothing"]), RangeError, "no HdrHistogram");
});
