import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import {
  codeVersion,
  compare,
  compareAll,
  cross,
  crossover,
  environment,
  experiment,
  type ExperimentResult,
  noiseFloor,
  plot,
  plots,
  reportHtml,
  RUN_SCHEMA,
  verdict,
} from "zclab/experiment";

type Sizes = { readonly payload: number; readonly mode: "copy" | "zc" };
type Measured = { readonly requestsPerSecond: number; readonly cpuMilliseconds: number };

/** Copying costs an instruction for every byte, zero copy 2000 whatever there is. */
function run(clock: "instructions" | "time"): Promise<ExperimentResult<Sizes, Measured>> {
  return experiment({
    factors: cross({ payload: [1000, 4000, 8000], mode: ["copy", "zc"] }),
    control: { mode: "copy" },
    repeats: 3,
    seed: 1,
    clock,
    rest: 0,
    trial({ payload, mode }): Measured {
      const each = 2000 + (mode === "copy" ? payload - 2000 : 0);
      return { requestsPerSecond: 1e9 / each, cpuMilliseconds: each / 1e6 };
    },
  });
}

Deno.test("an experiment by a clock that counts instructions shows them, and says what they are", async () => {
  const result = await run("instructions");
  // What a trial returned stays what it is for whoever computes with it.
  assertEquals(result.trials.map(({ clock }) => clock), Array(6 + 3 * 9).fill("instructions"));
  assert(result.trials.every(({ measures }) => measures.requestsPerSecond > 0));
  const text = Deno.inspect(result);
  assertStringIncludes(text, "instructions, not time");
  assertStringIncludes(text, "instructionsPerRequest");
  assertStringIncludes(text, "cpuInstructions");
  assert(/4000\s+copy\s+4\.00 k/.test(text), text);
  assert(!/persecond|milliseconds/i.test(text), text);
});

Deno.test("its verdicts say which takes more instructions, its ratios are those of the measure", async () => {
  const { trials } = await run("instructions");
  const measure = "requestsPerSecond";
  const rows = compareAll(trials, { measure, against: { mode: "copy" } });
  assertEquals(rows.map(({ verdict }) => verdict.text), [
    "zc is 100 % higher in instructions, 95 % interval 100 to 100 %",
    "zc is 50 % lower in instructions, 95 % interval 50 to 50 %",
    "zc is 75 % lower in instructions, 95 % interval 75 to 75 %",
  ]);
  assertEquals(rows.map(({ verdict }) => verdict.difference), ["lower", "higher", "higher"]);
  assertAlmostEquals(rows[2]!.comparison.ratio, 4, 1e-9);
  const found = crossover(rows.map(({ factors: { payload }, comparison }) => {
    return { payload, comparison };
  }));
  assertEquals([found?.payload, found?.above], [4000, 1000]);

  const of = { payload: 8000, mode: "zc" } as const;
  const against = { payload: 8000, mode: "copy" } as const;
  const times = compare(trials, { measure: "cpuMilliseconds", of, against })!;
  const floor = noiseFloor(trials, { measure: "cpuMilliseconds", at: against });
  assertStringIncludes(
    verdict(times, floor, { subject: "zc" }).text,
    "zc is 75 % lower in instructions",
  );
  // Words of the caller's are the caller's: the figure stays with them.
  const words = { subject: "zc", higher: "more", lower: "less" };
  assertEquals(
    verdict(times, floor, words).text,
    "zc is 75 % less, 95 % interval 75 to 75 % (instructions, not time)",
  );
});

Deno.test("its plots and its page are of instructions, too", async () => {
  const result = await run("instructions");
  const made = plots(result);
  assertEquals(made.map(({ kind }) => kind), ["throughput", "crossover", "series"]);
  for (const one of [...made, plot(result, { measure: "cpuMilliseconds" })]) {
    const text = one.text({ width: 100, colours: false });
    assertStringIncludes(text, "instructions, not time");
    assert(!/faster|slower|shorter|per second|\/s\b|milliseconds/.test(text), text);
  }
  const crossing = plot(result, { kind: "crossover" }).text({ width: 100, colours: false });
  assertStringIncludes(crossing, "lower in instructions");
  assertStringIncludes(crossing, "zc: from 4000 bytes on");
  const page = reportHtml({
    schema: RUN_SCHEMA,
    lab: "example",
    invocation: null,
    parameters: {},
    seed: 1,
    environment: { ...environment(), clock: "instructions" },
    code: codeVersion(),
    startedAt: null,
    complete: true,
    trials: result.trials,
    summary: [],
  });
  const shown = page.replaceAll(/<(style|a )[^]*?<\/\1?/g, "");
  assertStringIncludes(shown, '<span class="badge">instructions, not time</span>');
  assert(!/faster|slower|shorter|per second|\/s\b/.test(shown), shown);
});

Deno.test("by a clock that counts time all is as it was", async () => {
  const result = await run("time");
  assert(result.trials.every((trial) => !("clock" in trial)));
  const text = [
    Deno.inspect(result),
    plot(result).text({ width: 100, colours: false }),
    ...compareAll(result.trials, { measure: "requestsPerSecond", against: { mode: "copy" } })
      .map(({ verdict }) => verdict.text),
  ].join("\n");
  assertStringIncludes(text, "requestsPerSecond");
  assertStringIncludes(text, "zc is 300 % faster");
  assert(!text.includes("instructions"), text);
});
