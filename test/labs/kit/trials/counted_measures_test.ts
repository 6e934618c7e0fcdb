import { assertEquals } from "@std/assert";
import { asCounted, countedMeasure } from "../../../../labs/kit/trials/counted_measures.ts";
import type { Measures, Trial } from "../../../../labs/kit/trials/trials.ts";

Deno.test("what a number of the clock becomes is read off its name", () => {
  const named = (name: string): unknown => {
    const counted = countedMeasure(name);
    return counted && [counted.kind, counted.name, counted.perUnit];
  };
  for (
    const [name, ...expected] of [
      ["requestsPerSecond", "rate", "instructionsPerRequest", 1e9],
      ["bytesPerMillisecond", "rate", "instructionsPerByte", 1e6],
      ["entriesPerMicrosecond", "rate", "instructionsPerEntry", 1e3],
      ["seconds", "time", "instructions", 1e9],
      ["p50Seconds", "time", "p50Instructions", 1e9],
      ["cpuSecondsPerMiB", "time", "cpuInstructionsPerMiB", 1e9],
      ["resumedAfterMilliseconds", "time", "resumedAfterInstructions", 1e6],
      ["nanosecondsEach", "time", "instructionsEach", 1],
    ] as const
  ) assertEquals(named(name), expected, name);
  for (const name of ["rate", "copied", "instructionsPerRequest", "cpuInstructions", "secondary"]) {
    assertEquals(named(name), undefined, name);
  }
});

Deno.test("a trial by a clock that counts time stays as it is, one by the other is counted once", () => {
  const measures: Measures = {
    sendsPerSecond: 200_000,
    failuresPerSecond: 0,
    cpuSeconds: null,
    milliseconds: 2,
    copied: 5,
    list: [1, 2],
  };
  const trial: Trial = {
    round: 1,
    order: 0,
    warmUp: false,
    control: false,
    factors: {},
    measures,
    startedAt: "2026-01-01T00:00:00.000Z",
    seconds: 1,
  };
  assertEquals(asCounted(trial), trial);
  const counted = asCounted({ ...trial, clock: "instructions" });
  assertEquals(counted.measures, {
    instructionsPerSend: 5000,
    // What never happens takes no number of instructions.
    instructionsPerFailure: null,
    cpuInstructions: null,
    instructions: 2_000_000,
    copied: 5,
    list: [1, 2],
  });
  assertEquals(asCounted(counted), counted);
});
