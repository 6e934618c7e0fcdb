import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { allowedProcessors, ExplainedError, type Requirement, UnsupportedError } from "zclab";
import {
  compareRuns,
  cross,
  type DurationMeasures,
  Durations,
  type Factor,
  formatRunDocument,
  readRunDocument,
  reportHtml,
  TrialError,
} from "zclab/experiment";
import { type AnyDeclaration, defineLab, RunError, runLab } from "zclab/lab";

/** What a lab says of itself, where nobody asks. */
const UNSAID = { title: "", description: "", needs: [], options: {} } as const;

/** A lab with nothing to compare. */
const ONE_WAY = { ...UNSAID, factors: [{ way: "one" }], baseline: { way: "one" } } as const;

type Way = "copy" | "zc" | "odd";

/** A lab whose trials take no time and whose numbers are known. */
// deno-lint-ignore explicit-function-return-type -- its type is what the declaration says
function sample(changes: { readonly refuse?: Way; readonly closed?: string[] } = {}) {
  const { refuse, closed = [] } = changes;
  return defineLab({
    name: "sample",
    title: "A sample",
    description: "Numbers that are known.",
    needs: [],
    options: {
      bytes: { kind: "numbers", description: "sizes", default: [600, 8000] },
    },
    repeats: { default: 4, quick: 2, minimum: 1 },
    factors: ({ bytes }) => cross({ bytes, way: ["copy", "zc", "odd"] as const }),
    baseline: { way: "copy" },
    within: ["bytes"],
    async setUp(_, use): Promise<{ base: number }> {
      await use({ [Symbol.dispose]: () => void closed.push("first") });
      await use(Promise.resolve({
        [Symbol.asyncDispose]: () => Promise.resolve(void closed.push("second")),
      }));
      return { base: 100 };
    },
    refusal: ({ way }) => way === refuse ? "there is none" : undefined,
    trial: ({ bytes, way }, { base }, { round, warmUp }) => ({
      rate: (way === "zc" && bytes === 8000 ? 2 : 1) * (base + round),
      sent: 10,
      copied: way === "copy" ? null : way === "zc" ? 0 : 3,
      same: warmUp ? way !== "odd" : null,
      note: way,
    }),
    checks: {
      factors: () => [{ bytes: 1, way: "zc" as const }],
      trial: () => ({ rate: 1, sent: 7, copied: 7, same: null, note: "zc" as Way }),
      text: ({ measures: { copied } }) => `copied ${copied}`,
    },
    columns: {
      rate: { title: "requests/s", unit: "/s", better: "higher", verdict: true },
      least: { title: "least", of: "rate", over: "minimum", unit: "/s" },
      sent: { title: "sent", over: "sum", evidence: true },
      copied: { title: "copied", over: "sum", evidence: true },
      same: { title: "same\npages", rounds: "warm-up", evidence: true },
      part: {
        title: "part",
        value: ({ copied, sent }) => copied === null ? null : copied / sent,
      },
    },
    proof: ({ copied, sent }) =>
      copied === null ? null : copied === 0 ? "not copied" : copied === sent ? "copied" : "partly",
    recorded: ({ base }) => ({ parameters: { base }, environment: { where: "here" } }),
    conclusions: ({ rows }) => [`Of ${rows.length} rows.`],
  });
}

Deno.test("a declared lab: rows, evidence and proofs follow from the columns", async () => {
  const { document } = await runLab(sample(), { seed: 3 });
  assertEquals(document.complete, true);
  const [copy, zc, odd] = document.summary;
  assertEquals(
    document.summary.map(({ bytes, way }) => `${bytes} ${way}`),
    ["600 copy", "600 zc", "600 odd", "8000 copy", "8000 zc", "8000 odd"],
  );
  // Rounds 1 to 4 count, the warm-up and the second runs of the baseline do not.
  assertEquals([copy!.rate, copy!.least, copy!.sent, copy!.copied], [102.5, 101, 40, null]);
  assertEquals([zc!.copied, zc!.same, zc!.part, zc!.proof], [0, true, 0, "not copied"]);
  assertEquals([odd!.copied, odd!.same, odd!.part, odd!.proof], [12, false, 0.3, "partly"]);
  assertEquals(document.parameters.base, 100);
  assertEquals(document.environment.extra.where, "here");
});

Deno.test("a declared lab: a derived object is in documents, and in no table", async () => {
  const { document, text } = await runLab(defineLab({
    ...ONE_WAY,
    name: "parts",
    repeats: { default: 2, quick: 2, minimum: 1 },
    trial: () => ({ first: 1, second: 2 }),
    columns: {
      first: { title: "first", evidence: true },
      both: { title: "both parts", value: ({ first, second }) => ({ first, second }) },
    },
  }));
  assertEquals(document.summary.map(({ both }) => both), [{ first: 1, second: 2 }]);
  assert(!text.includes("{"), text);
  const page = reportHtml(readRunDocument(formatRunDocument(document)));
  const results = page.slice(0, page.indexOf("Everything that was recorded"));
  assertStringIncludes(results, "first");
  assert(!results.includes("both parts"), results);
});

Deno.test("a declared lab: verdicts are against the baseline of the same question", async () => {
  const { document, text } = await runLab(sample(), { seed: 3 });
  const differences = document.summary.map(({ comparisons }) =>
    (comparisons as { rate: { difference: string; ratio: number } }).rate
  ).map(({ difference, ratio }) => [difference, Math.round(ratio * 100)]);
  assertEquals(differences, [
    ["baseline", 100],
    ["none", 100],
    ["none", 100],
    ["baseline", 100],
    ["higher", 200],
    ["none", 100],
  ]);
  assertStringIncludes(text, "zc is 100 % faster");
  // Of two sizes nobody can say where a crossover is.
  assertStringIncludes(text, "\nVerdict:\n  zc (bytes 600): no difference seen");
  assert(!text.includes("crossover"), text);
  assertStringIncludes(text, "Of 6 rows.");
  const more = await runLab(sample(), { options: { bytes: [600, 1500, 8000] } });
  assertStringIncludes(more.text, "faster from 8000 bytes on");
});

Deno.test("a declared lab: checks run once, stand beside the rows, and are told", async () => {
  const { document, text } = await runLab(sample());
  const checks = document.trials.filter(({ factors }) => factors.bytes === 1);
  assertEquals(checks.map(({ measures }) => measures.copied), [7]);
  assertStringIncludes(text, "Control: copied 7");
});

Deno.test("a declared lab closes what its set-up keeps, the last first", async () => {
  const closed: string[] = [];
  await runLab(sample({ closed }));
  assertEquals(closed, ["second", "first"]);
});

Deno.test("a declared lab names what is refused, and cannot do without its baseline", async () => {
  const { document, text } = await runLab(sample({ refuse: "zc" }));
  assertEquals(document.summary.map(({ way }) => way), ["copy", "odd", "copy", "odd"]);
  assertEquals(document.parameters.refused, [
    { bytes: 600, way: "zc", why: "there is none" },
    { bytes: 8000, way: "zc", why: "there is none" },
  ]);
  assertStringIncludes(text, "Not possible here: zc: there is none");
  const closed: string[] = [];
  await assertRejects(
    () => runLab(sample({ refuse: "copy", closed })),
    UnsupportedError,
    "there is none",
  );
  assertEquals(closed, ["second", "first"]);
});

Deno.test("a declared lab compares two of its runs, proofs included", async () => {
  const lab = sample();
  const [first, second] = [await runLab(lab, { seed: 1 }), await runLab(lab, { seed: 2 })];
  const { rows, proofs } = compareRuns(first.document, second.document, lab.rows!);
  assertEquals([...new Set(rows.map(({ outcome }) => outcome))], ["agrees"]);
  const own = proofs.filter(({ key }) => key.bytes === 600);
  assertEquals(own.map(({ first }) => first), ["partly", "not copied"]);
});

Deno.test("a declared lab whose column names no measure says so in its first trial", async () => {
  const lab = defineLab({
    name: "wrong",
    ...ONE_WAY,
    trial: () => ({ rate: 1 }),
    columns: { rates: { title: "rates" } },
  });
  const error = await assertRejects(() => runLab(lab), Error, "The column rates");
  assertStringIncludes(error.message, "It has rate");
});

Deno.test("a declared lab refuses a measure that no table can show, with the name of the trial", async () => {
  for (const [rates, kind] of [[[1, 2], "a list"], [{ first: 1 }, "an object"]] as const) {
    const lab = defineLab({
      name: "nested",
      ...ONE_WAY,
      trial: () => ({ rate: 1, rates }),
      columns: { rate: { title: "rate" } },
    });
    await assertRejects(
      () => runLab(lab),
      TrialError,
      `Round 0, way one: The measure rates is ${kind}`,
    );
  }
});

for (
  const [changes, message] of [
    [{ baseline: { mode: "a" } }, "baseline: there is no factor mode, the factors are way, size"],
    [{ baseline: { way: "c" } }, "baseline: no combination has way c, they have way a; way b"],
    [{ within: ["bytes"] }, "within: there is no factor bytes, the factors are way, size"],
    [{ factorTitles: { wya: "" } }, "factorTitles: there is no factor wya, the factors are way"],
  ] as const
) {
  Deno.test(`a declared lab that speaks of a factor that is none measures nothing: ${message}`, async () => {
    let opened = 0;
    const lab = defineLab({
      name: "unknown",
      ...UNSAID,
      // A list does as well as a function.
      factors: cross({ way: ["a", "b"], size: [1] }),
      baseline: { way: "a" },
      setUp: () => void opened++,
      trial: ({ way, size }) => ({ rate: way === "a" ? size : 2 }),
      columns: { rate: { title: "rate", better: "higher", verdict: true } },
    });
    const wrong = defineLab({ ...lab.declaration, ...changes } as AnyDeclaration);
    await assertRejects(() => runLab(wrong), ExplainedError, message);
    assertEquals(opened, 0);
    const { document } = await runLab(lab, { quick: true });
    assertEquals([opened, document.summary.length], [1, 2]);
  });
}

Deno.test("a lab that needs what nobody knows says so when it is declared", () => {
  const needs = ["liburing", "io-uring"] as unknown as Requirement[];
  assertThrows(
    () => defineLab({ ...sample().declaration, needs }),
    ExplainedError,
    "needs: there is no io-uring. What to do: deno task doctor prints the names",
  );
});

Deno.test("a declared lab keeps what it measured when it is stopped", async () => {
  const stop = new AbortController();
  let trials = 0;
  const lab = defineLab({
    name: "stopped",
    ...UNSAID,
    factors: () => cross({ way: ["copy", "zc"] }),
    baseline: { way: "copy" },
    trial(): { rate: number } {
      // The warm-up and one trial of the first round.
      if (++trials === 3) stop.abort();
      return { rate: trials };
    },
    columns: { rate: { title: "rate", better: "higher", verdict: true } },
  });
  const { document, text } = await runLab(lab, { signal: stop.signal });
  assertEquals([document.complete, document.trials.length], [false, 3]);
  assertEquals(document.summary.length, 1);
  assertStringIncludes(text, "Partial");
});

/** What a lab may do wrong once its trials have run, and what its document then still has. */
const LATE_MISTAKES: readonly {
  readonly name: string;
  readonly changes: Partial<AnyDeclaration>;
  /** How many rows there are, and whether all trials ran. */
  readonly left: (number | boolean)[];
  readonly says?: string;
}[] = [
  { name: "its heading", changes: { heading: fail }, left: [2, true] },
  { name: "its conclusions", changes: { conclusions: fail }, left: [2, true] },
  { name: "a chart", changes: { charts: [{ title: "", where: fail }] }, left: [2, true] },
  { name: "its proof", changes: { proof: fail }, left: [0, true] },
  {
    name: "a column",
    changes: { columns: { rate: { title: "rate" }, part: { title: "part", value: () => NaN } } },
    left: [0, true],
    says: "summary[0].part is NaN",
  },
  {
    name: "what its set-up kept, when it is closed",
    changes: {
      setUp: (_, use) => use({ [Symbol.dispose]: fail }),
    },
    left: [0, true],
  },
  {
    name: "a check",
    changes: { checks: { factors: () => [{ way: "one" }], trial: fail, text: () => "" } },
    left: [0, false],
  },
];

function fail(): never {
  throw new RangeError("a mistake");
}

for (const { name, changes, left, says = "a mistake" } of LATE_MISTAKES) {
  Deno.test(`a declared lab keeps its trials when this fails: ${name}`, async () => {
    const lab = defineLab({
      name: "late",
      ...UNSAID,
      repeats: { default: 2, quick: 2, minimum: 1 },
      factors: () => [{ way: "one" }, { way: "other" }],
      baseline: { way: "one" },
      trial: () => ({ rate: 1 }),
      columns: { rate: { title: "rate", verdict: true, better: "higher" } },
      recorded: () => ({ parameters: { found: 7 } }),
      ...changes,
    });
    const { message, document } = await assertRejects(() => runLab(lab), RunError);
    assertStringIncludes(message, says);
    const { trials, summary, complete, parameters } = readRunDocument(formatRunDocument(document));
    assert(trials.length >= 6, `${trials.length} trials`);
    assertEquals([summary.length, complete], left);
    assertEquals(parameters.found, 7);
  });
}

Deno.test("a declared lab refuses to record what JSON cannot carry, before it measures", async () => {
  let trials = 0;
  const lab = defineLab({
    name: "unwritable",
    ...ONE_WAY,
    trial: () => ({ count: trials++ }),
    columns: { count: { title: "count" } },
    recorded: () => ({ parameters: { speed: Infinity } }),
  });
  await assertRejects(() => runLab(lab), TypeError, "recorded.parameters.speed is Infinity");
  assertEquals(trials, 0);
});

Deno.test("every lab has --cpu, which names a processor of this machine", async () => {
  const { options } = sample();
  assert(options.cpu.local(0));
  await assertRejects(() => runLab(sample(), { options: { cpu: 8000 } }), Error, "8000 is none");
});

/** A lab whose trials measure durations that are known: a tenth of those of `slow` are long. */
// deno-lint-ignore explicit-function-return-type -- its type is what the declaration says
function latencies(trips = 1000) {
  return defineLab({
    name: "latencies",
    ...UNSAID,
    repeats: { default: 4, quick: 2, minimum: 1 },
    factors: () => cross({ way: ["fast", "slow"] as const }),
    baseline: { way: "fast" },
    trial({ way }, _, { round }): DurationMeasures & { polledShare: number } {
      const durations = new Durations();
      for (let i = 0; i < trips; i++) {
        durations.record((way === "slow" ? 0.02 : 0.01) * (i % 10 === 0 && round === 1 ? 100 : 1));
      }
      return { ...durations.measures(), polledShare: way === "fast" ? 0 : 0.545 };
    },
    columns: {
      p50Seconds: {
        title: "median",
        unit: "s",
        prefix: "µ",
        better: "lower",
        verdict: true,
        words: { subject: "the median", higher: "longer", lower: "shorter" },
      },
      p99Seconds: { title: "p99", of: "distribution", over: { percentile: 99 }, unit: "s" },
      rareSeconds: { title: "rare", of: "distribution", over: { percentile: 99.99 }, unit: "s" },
      polledShare: { title: "polled", unit: "%", evidence: true },
    },
    charts: [{ kind: "percentiles", title: "All of them", of: "distribution" }],
  });
}

Deno.test("a declared lab: a percentile is one of the durations of all rounds together", async () => {
  const { document } = await runLab(latencies());
  const [fast, slow] = document.summary;
  const micro = (value: unknown): number => Number((Number(value) * 1e6).toPrecision(3));
  // One round of four has a tenth of long ones: their median is not p99, the whole has 2.5 %.
  assertEquals([micro(fast!.p50Seconds), micro(fast!.p99Seconds)], [10, 1000]);
  assertEquals([micro(slow!.p50Seconds), micro(slow!.p99Seconds)], [20, 2000]);
  // Of 4000 nobody can say what one in ten thousand exceeds.
  assertEquals(fast!.rareSeconds, null);
  assert(!("distribution" in fast!));
});

Deno.test("a declared lab: a chart of percentiles, words of its own, one prefix, percent", async () => {
  const { text } = await runLab(latencies());
  assertStringIncludes(text, "slow: the median is 100 % longer, 95 % interval 100 to 100 %");
  assert(/^All of them$/m.test(text) && /slow 2\.00 ms/.test(text) && /p90 +p99/.test(text), text);
  const rows = text.split("\n").filter((line) => /^(fast|slow) /.test(line));
  assertEquals(rows.map((row) => row.trim().split(/  +/).slice(0, 2)), [
    ["fast", "10.0"],
    ["slow", "20.0"],
  ]);
  assert(/^way +µs/m.test(text), text);
  assert(/ 0 %$/.test(rows[0]!) && /5[45] %$/.test(rows[1]!), text);
});

/** Two devices for one way of receiving, at two MTUs: sizes whose name stands before the number. */
// deno-lint-ignore explicit-function-return-type -- its type is what the declaration says
function receiving() {
  return defineLab({
    name: "receiving",
    ...UNSAID,
    title: "Receiving",
    repeats: { default: 4, quick: 2, minimum: 1 },
    factors: () =>
      [1500, 4000, 9000].flatMap((mtu) => [
        { mtu, engine: "recv", device: "nic", buffer: null, cores: "same" },
        { mtu, engine: "zcrx", device: "none", buffer: null, cores: "same" },
        { mtu, engine: "zcrx", device: "nic", buffer: 4096, cores: "same" },
      ]),
    baseline: { engine: "recv" },
    within: ["mtu"],
    earlier: (trials, { parameters }) =>
      trials.map((trial) => ({
        ...trial,
        measures: { same: parameters["same"] ?? null, ...trial.measures },
      })),
    trial: ({ mtu, device, engine }, _, { round }) => ({
      rate: (engine === "zcrx" && device === "nic" && mtu === 9000 ? 2 : 1) * (100 + round),
      same: true,
    }),
    columns: {
      rate: { title: "rate", better: "higher", verdict: true },
      same: { title: "same", evidence: true },
    },
    proof: ({ same }) => same === null ? null : same ? "the same" : "others",
    factorTitles: {
      engine: {
        title: "received by",
        value: ({ engine, device }) => engine === "zcrx" ? `zcrx, ${device}` : engine,
      },
      device: { shown: "never" },
      buffer: { shown: "where there is room" },
    },
    called: ({ engine }) => engine === "zcrx" ? "zero copy" : "copying",
    heading: () => "One flow",
  });
}

Deno.test("a declared lab says what was done, what did not vary, and which way a verdict is of", async () => {
  const { text } = await runLab(receiving(), { seed: 3 });
  assertEquals(
    text.split("\n")[0],
    "One flow; 4 rounds; cores same; percent is against copying",
  );
  assert(/^ MTU +received by +buffer +rate/m.test(text), text);
  assert(/^9000 +zcrx, nic +4096 /m.test(text), text);
  assertStringIncludes(text, "at MTU 9000 and where the crossover is:");
  assertStringIncludes(text, "  zero copy (device none): no difference seen");
  assertStringIncludes(text, "  zero copy (device nic, buffer 4096): zero copy is 100 % faster");
  assertStringIncludes(text, "; faster\n    from MTU 9000 on (not seen at 4000)");
});

Deno.test("a declared lab compares a run of an earlier version by what its document says", async () => {
  const lab = receiving();
  const { document } = await runLab(lab, { seed: 3 });
  const before = {
    ...document,
    parameters: { ...document.parameters, same: false },
    trials: document.trials.map((trial) => ({
      ...trial,
      measures: { rate: trial.measures.rate! },
    })),
  };
  const { proofs } = compareRuns(before, document, lab.rows!);
  assertEquals(
    [...new Set(proofs.map(({ first, second }) => `${first}, ${second}`))],
    ["others, the same"],
  );
});

Deno.test("a declared lab that is pinned measures on its processor, and sets up on any", async () => {
  const own = (): string =>
    allowedProcessors(Deno.readTextFileSync("/proc/thread-self/status"))!.join();
  const before = own();
  const seen: string[] = [];
  const lab = defineLab({
    name: "pinned",
    ...ONE_WAY,
    pinned: true,
    // What is started here, and the record, know of all processors.
    setUp: () => void seen.push(own()),
    recorded(): Record<string, never> {
      seen.push(own());
      return {};
    },
    trial: (_, __, { processors }) => ({ here: own() === String(processors.measuring) }),
    columns: { here: { title: "here" } },
  });
  const { document } = await runLab(lab);
  assertEquals(document.summary.map(({ here }) => here), [true]);
  assertEquals([...seen, own()], [before, before, before]);
});

/** Sending from registered memory or not, said in a way that says nothing without the factor. */
// deno-lint-ignore explicit-function-return-type -- its type is what the declaration says
function registering<const V extends Factor>(no: V, yes: V) {
  return defineLab({
    name: "registering",
    ...UNSAID,
    title: "Registering",
    repeats: { default: 4, quick: 2, minimum: 1 },
    factors: () => cross({ registered: [no, yes] }),
    baseline: { registered: no } as { registered: V },
    trial: ({ registered }, _, { round }) => ({
      rate: (registered === yes ? 2 : 1) * (100 + round),
      cpu: registered === yes ? 1 : 2,
      drops: 3,
    }),
    columns: {
      rate: { title: "rate", better: "higher", verdict: true },
      cpu: { title: "CPU\nshare", better: "lower", verdict: true },
      drops: { title: "drops", better: "lower", verdict: true },
    },
  });
}

Deno.test("a declared lab: every column with a verdict is told along a size, in lines that fit", async () => {
  const { text } = await runLab(defineLab({
    name: "sized",
    ...UNSAID,
    repeats: { default: 4, quick: 2, minimum: 1 },
    factors: cross({ payload: [600, 1500, 8000], way: ["copying", "without copying"] }),
    baseline: { way: "copying" },
    within: ["payload"],
    trial: ({ payload, way }) => ({
      rate: way === "copying" || payload < 1500 ? 1 : 2,
      cpu: way === "copying" ? 4 : payload > 1500 ? 2 : 8,
    }),
    columns: {
      rate: { title: "rate", better: "higher", verdict: true },
      cpu: { title: "CPU", better: "lower", verdict: true },
    },
  }));
  assertStringIncludes(
    text,
    "Verdict on rate, at 8000 bytes and where the crossover is:\n" +
      "  without copying is 100 % faster, 95 % interval 100 to 100 %; faster from 1500 bytes on (not seen\n" +
      "    at 600)\n" +
      "Verdict on CPU, at 8000 bytes and where the crossover is:\n" +
      "  without copying: CPU is 50 % lower, 95 % interval 50 to 50 %; lower from 8000 bytes on (about 3464\n" +
      "    by interpolation)\n",
  );
});

for (
  const [no, yes, baseline, way] of [
    [false, true, "registered: no", "registered: yes"],
    ["no", "yes", "registered: no", "registered: yes"],
    [1, 8, "registered 1", "registered 8"],
  ] as const
) {
  Deno.test(`a declared lab names the factor of a value such as ${yes}`, async () => {
    const { text, document } = await runLab(registering<Factor>(no, yes));
    assertStringIncludes(text, `percent is against ${baseline}\n`);
    assertStringIncludes(text, `\n  ${way} is 100 % faster, 95 % interval 100 to 100 %\n`);
    // What should be low is not faster for it.
    assertStringIncludes(text, `\n  ${way}: CPU share is 50 % lower, 95 % interval 50 to 50 %\n`);
    assertStringIncludes(text, `\n  ${way}: no difference seen; this run could have seen 0 %\n`);
    const page = reportHtml(document);
    for (const name of [baseline, way]) assertStringIncludes(page, `>${name}</`);
    assertStringIncludes(page, `against ${baseline}`);
  });
}
