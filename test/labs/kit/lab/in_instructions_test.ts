import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { cross, type Trial } from "../../../../labs/kit/trials/trials.ts";
import { toCsv } from "../../../../labs/kit/run/csv.ts";
import type { Columns } from "../../../../labs/kit/lab/columns.ts";
import { type DeclaredLab, defineLab } from "../../../../labs/kit/lab/define_lab.ts";
import { inInstructions } from "../../../../labs/kit/lab/in_instructions.ts";
import { labContext, type LabOutcome } from "../../../../labs/kit/lab/lab.ts";
import { plots } from "../../../../labs/kit/plot/plot.ts";
import { reportHtml } from "../../../../labs/kit/report/report.ts";
import { Durations } from "../../../../labs/kit/statistics/durations.ts";
import { CATALOGUE } from "../../../../labs/catalogue.ts";
import { txCopyVsZc } from "../../../../labs/tx_copy_vs_zc.ts";

type Measured = {
  readonly sendsPerSecond: number;
  readonly bytesPerSecond: number;
  readonly cpuSecondsPerSend: number;
  readonly distribution: string;
  readonly sent: number;
  readonly copied: number | null;
};

/** Copying costs an instruction more for every four bytes, and both need 19 rounds to be warm. */
const LAB = defineLab({
  name: "example",
  title: "An example",
  description: "A send that costs 5000 instructions.",
  needs: [],
  options: {
    payload: { kind: "numbers", description: "bytes", default: [400, 4000, 8000] },
    seconds: {
      kind: "number",
      description: "how long",
      default: 0.1,
      counted: 0.01,
      fraction: true,
    },
  },
  repeats: { default: 9, quick: 5, minimum: 2 },
  factors: ({ payload }) => cross({ payload, mode: ["copy", "zc"] }),
  baseline: { mode: "copy" },
  within: ["payload"],
  trial({ payload, mode }, _, { options: { seconds }, round }): Measured {
    // 50 of 5000 are 1 %.
    const cold = round === 0 ? 3000 : round < 19 ? 50 : 0;
    const each = 5000 + cold + (mode === "copy" ? payload / 4 : 0);
    const latencies = new Durations();
    for (let i = 0; i < 10; i++) latencies.record(each / 1e6);
    return {
      sendsPerSecond: 1e9 / each,
      bytesPerSecond: 1e9 / each * payload,
      cpuSecondsPerSend: each / 2 / 1e9,
      distribution: latencies.encode(),
      sent: Math.floor(seconds * 1e9 / each),
      copied: mode === "zc" ? 0 : null,
    };
  },
  columns: {
    sendsPerSecond: { title: "sends/s", unit: "/s", better: "higher", verdict: true },
    throughput: { title: "throughput", of: "bytesPerSecond", unit: "B/s", better: "higher" },
    cpuSecondsPerSend: { title: "CPU\n/send", unit: "s", prefix: "µ", better: "lower" },
    p50: { title: "p50", unit: "s", prefix: "µ", of: "distribution", over: { percentile: 50 } },
    twice: { title: "twice/s", unit: "/s", value: ({ sendsPerSecond }) => 2 * sendsPerSecond },
    published: { title: "published", unit: "/s", isRatio: true, value: () => 2 },
    copied: { title: "copied", over: "sum", evidence: true },
    sent: { title: "sent", over: "sum", evidence: true },
  },
  proof: ({ copied, sendsPerSecond }) =>
    copied === null ? null : copied === 0 && sendsPerSecond > 150_000 ? "not copied" : "copied",
  charts: [{ title: "Sends per second, median" }],
  conclusions: ({ rows, trials }) => [
    `The lab reads ${Math.round(rows[0]!.row.sendsPerSecond)} of a row, and ` +
    `${Math.round(trials.at(-1)!.measures.sendsPerSecond)} of a trial.`,
  ],
});

/** What readers see of a lab. */
interface Shown {
  readonly columns: Columns;
  readonly charts?: readonly { readonly title: string }[];
}

/** A run of it, as in a guest whose clock counts instructions: one for all tests, because it rests. */
let made: Promise<LabOutcome> | undefined;

function run(): Promise<LabOutcome> {
  return made ??= LAB.run(labContext(LAB, { quick: true }, "instructions"));
}

Deno.test("a rate becomes instructions for each, a time becomes those that it was", async () => {
  const { document: { summary, trials, table } } = await run();
  const row = summary.find(({ payload, mode }) => payload === 4000 && mode === "copy")!;
  assertAlmostEquals(row["instructionsPerSend"] as number, 6000, 1e-6);
  assertAlmostEquals(row["throughputInstructions"] as number, 1.5, 1e-9);
  assertAlmostEquals(row["cpuInstructionsPerSend"] as number, 3000, 1e-6);
  // Three significant digits are kept of a distribution.
  assertAlmostEquals(row["p50Instructions"] as number, 6000, 6);
  assertAlmostEquals(row["twiceInstructions"] as number, 3000, 1e-6);
  assertEquals(row["published"], 0.5);
  assertEquals(row["proof"], null);
  const names = new Set([...Object.keys(row), ...Object.keys(trials[0]!.measures)]);
  assertEquals([...names].filter((name) => /second/i.test(name)), []);
  assertEquals(
    table!.columns.map(({ title, unit, better }) => [title, unit, better]),
    [
      ["instructions /send", "instructions/send", "lower"],
      ["throughput: instructions each", "instructions/byte", "lower"],
      ["instructions: CPU /send", "instructions", "lower"],
      ["instructions: p50", "instructions", null],
      ["instructions /twice", "instructions/twice", null],
      ["published", "", null],
      ["copied", "", null],
      ["sent", "", null],
    ],
  );
});

Deno.test("what the lab itself says of its rows and trials, it says in its own units", async () => {
  const { document: { summary }, text } = await run();
  assertStringIncludes(text, "The lab reads 196078 of a row");
  assertEquals(
    summary.map(({ mode, proof }) => `${mode} ${proof}`),
    Array(3).fill(["copy null", "zc not copied"]).flat(),
  );
});

Deno.test("rounds are thrown away until V8 has compiled and two are the same, and few are counted", async () => {
  const { document: { trials, parameters } } = await run();
  const of = (isWarmUp: boolean): number[] => [
    ...new Set(trials.filter(({ warmUp }) => warmUp === isWarmUp).map(({ round }) => round)),
  ];
  // 120 trials of 6 combinations; of one round that is late the next one is looked at, too.
  assertEquals(of(true).length, 21);
  assertEquals(of(false), [21, 22, 23]);
  assertEquals([parameters["seconds"], parameters["repeats"]], [0.01, 3]);
  const asTime = labContext(LAB, { quick: true }, "time");
  assertEquals([asTime.options.seconds, asTime.repeats], [0.1, 5]);
});

Deno.test("table, chart, verdicts, page, CSV and pictures say that it is no time", async () => {
  const { document, text } = await run();
  const [heading] = text.split("\n");
  assertStringIncludes(heading!, "; instructions, not time; 3 rounds");
  assertStringIncludes(text, "Instructions per send, median (instructions, not time)");
  assertStringIncludes(text, "zc is 29 % lower in instructions");
  assertStringIncludes(text, "lower in instructions from 400");
  assertStringIncludes(text, "cost nothing here.");
  assert(!/ [kMG]?\/s\b|faster|slower|µs/.test(text), text);
  const counted = {
    ...document,
    environment: { ...document.environment, clock: "instructions" as const },
  };
  const page = reportHtml(counted);
  assertStringIncludes(page, '<span class="badge">instructions, not time</span>');
  assert(!/faster|slower|[kMG]\/s\b|µs/.test(page.replaceAll(/<(style|svg|a )[^]*?<\/\1?/g, "")));
  for (const plot of plots(counted)) {
    assertStringIncludes(plot.svg(), "instructions, not time");
    assertStringIncludes(plot.text(), "instructions, not time");
  }
  const [names, first] = toCsv(counted).split("\r\n");
  assertStringIncludes(names!, ",instructionsPerSend,");
  assert(names!.endsWith(",run.clock"));
  assert(first!.endsWith(",instructions"));
});

Deno.test("what a clock that counts time measures, is as it was", async () => {
  const { document, text } = await LAB.run(labContext(LAB, { quick: true }, "time"));
  assertEquals(document.summary[0]!["sendsPerSecond"], 1e9 / 5150);
  assertStringIncludes(text, "faster");
  assert(!text.includes("instructions"), text);
});

Deno.test("every lab of the catalogue can be told in instructions", () => {
  for (const lab of CATALOGUE as readonly DeclaredLab[]) {
    const { columns, charts = [] }: Shown = inInstructions(lab.declaration);
    for (const [name, { title, unit = "" }] of Object.entries(columns)) {
      const said = `${lab.name}: ${name}: ${title.replaceAll("\n", " ")} in ${unit}`;
      assert(!/\/s\b|per ?second|(?<!milli)seconds/i.test(`${name} ${title}`), said);
      assert(unit !== "s" && !unit.endsWith("/s"), said);
    }
    for (const { title } of charts) assert(!/per second/i.test(title), `${lab.name}: ${title}`);
  }
});

Deno.test("tx-copy-vs-zc compares GSO packets among themselves, in instructions as well", () => {
  const { conclusions } = inInstructions(txCopyVsZc.declaration);
  const trials = [0, 1, 2].flatMap((round) =>
    [["non-zc", 9000], ["gso", 500], ["gso+zc-fixed", 100]].map(([mode, each], order): Trial => ({
      round,
      order,
      warmUp: false,
      control: false,
      factors: { sink: "ifb", payload: 8000, mode: mode! },
      measures: { instructionsPerDatagram: each! },
      startedAt: "2026-01-01T00:00:00.000Z",
      seconds: 1,
      clock: "instructions",
    }))
  );
  const context = { options: { sink: "ifb" } };
  const found = { rows: [], trials, checks: [], recorded: {}, context };
  const lines = conclusions!(found as unknown as Parameters<NonNullable<typeof conclusions>>[0]);
  assertStringIncludes(
    lines.join("\n"),
    "of two GSO packets at 8000 bytes, against gso that copies: gso+zc-fixed is 80 % lower in instructions",
  );
});
