import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { stripVTControlCharacters } from "node:util";
import { codeVersion } from "../../../../labs/kit/experiment/code_version.ts";
import type { Outcome } from "../../../../labs/kit/run/compared_row.ts";
import {
  compareRuns,
  ComparisonError,
  isDifferent,
} from "../../../../labs/kit/run/compare_runs.ts";
import type { RowDeclaration } from "../../../../labs/kit/run/run_rows.ts";
import { formatComparison, formatDifferences } from "../../../../labs/kit/run/comparison_text.ts";
import { environment } from "../../../../labs/kit/experiment/environment.ts";
import { Random } from "../../../../labs/kit/trials/random.ts";
import {
  isSameMachine,
  runDifferences,
  type RunSurroundings,
} from "../../../../labs/kit/run/run_differences.ts";
import { RUN_SCHEMA, type RunDocument } from "../../../../labs/kit/run/run_document.ts";
import { displayWidth } from "../../../../labs/kit/text/table.ts";
import type { Trial } from "../../../../labs/kit/trials/trials.ts";

const ROWS: RowDeclaration = {
  keys: ["payload", "mode"],
  measures: [{ name: "rate", title: "requests/s", better: "higher" }],
  baseline: { mode: "copy" },
  within: ["payload"],
  proof: (trials) => {
    const copied = trials[0]!.measures["copied"];
    return copied === null ? null : copied === 0 ? "not copied" : "copied";
  },
};

const ENVIRONMENT = environment();
const CODE = { ...codeVersion(), dirty: null };

/** What a simulated run is like. */
interface Simulated {
  readonly seed: number;
  /** The effect of zc against copying by payload, as a ratio. */
  readonly effects?: Readonly<Record<string, number>>;
  /** The standard deviation of a trial's logarithm, and of what its round shares. */
  readonly noise?: number;
  readonly rounds?: number;
  readonly level?: number;
  readonly copied?: number;
}

const EFFECTS = { 600: 0.8, 1500: 1, 4000: 1.3, 8000: 2 };

function run(
  { seed, effects = EFFECTS, noise = 0.03, rounds = 5, level = 1, copied = 0 }: Simulated,
): RunDocument {
  const random = new Random(seed);
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  const trials: Trial[] = [];
  const add = (round: number, payload: number, mode: string, rate: number): void => {
    for (const [control, warmUp] of [[false, false], [true, false], [false, true]] as const) {
      // What no comparison may count is far off.
      const wrong = control || warmUp ? 1000 : 1;
      trials.push({
        round: warmUp ? round + 100 : round,
        order: trials.length,
        warmUp,
        control,
        factors: { payload, mode },
        measures: { rate: rate * wrong, copied: mode === "copy" ? null : copied },
        startedAt: "2026-01-02T03:04:05Z",
        seconds: 0.1,
      });
    }
  };
  for (let round = 0; round < rounds; round++) {
    const shared = Math.exp(noise * normal()) * 1000 * level;
    for (const [payload, effect] of random.shuffled(Object.entries(effects))) {
      add(round, Number(payload), "copy", shared * Math.exp(noise * normal()));
      add(round, Number(payload), "zc", shared * effect * Math.exp(noise * normal()));
    }
  }
  return {
    schema: RUN_SCHEMA,
    lab: "simulated",
    invocation: null,
    parameters: { payload: Object.keys(effects).map(Number), seed },
    seed,
    environment: ENVIRONMENT,
    code: CODE,
    startedAt: "2026-01-02T03:04:05Z",
    complete: true,
    trials,
    summary: [],
  };
}

function count(outcomes: readonly { outcome: Outcome }[], outcome: Outcome): number {
  return outcomes.filter((one) => one.outcome === outcome).length;
}

Deno.test("compareRuns() takes rows in order, and counts no warm-up and no control", () => {
  const first = run({ seed: 1, noise: 0 });
  const { rows, proofs } = compareRuns(first, run({ seed: 2, noise: 0, level: 3 }), ROWS);
  assertEquals(
    rows.map(({ key, isBaseline }) => `${key["payload"]} ${key["mode"]} ${isBaseline}`),
    Object.keys(EFFECTS).flatMap((payload) => [`${payload} copy true`, `${payload} zc false`]),
  );
  for (const { key, isBaseline, first, second, outcome, change } of rows) {
    const effect = EFFECTS[key["payload"] as 600];
    assertEquals(Math.round(first.level), Math.round(isBaseline ? 1000 : effect * 1000));
    assertEquals(Math.round(second.level), Math.round(isBaseline ? 3000 : effect * 3000));
    // The level is three times what it was; the effect is the same.
    assertEquals(outcome, isBaseline ? "differs" : "agrees");
    assertEquals(Math.round(change!.ratio * 1000), isBaseline ? 3000 : 1000);
  }
  assertEquals(proofs.map(({ first, outcome }) => [first, outcome]), [
    ["not copied", "agrees"],
    ["not copied", "agrees"],
    ["not copied", "agrees"],
    ["not copied", "agrees"],
  ]);
});

Deno.test("compareRuns() compares no run of one clock with one of another", () => {
  const time = run({ seed: 1 });
  const counted = { ...time, environment: { ...ENVIRONMENT, clock: "instructions" as const } };
  const { clock: _, ...silent } = ENVIRONMENT;
  for (const [first, second] of [[time, counted], [counted, { ...time, environment: silent }]]) {
    const error = assertThrows(() => compareRuns(first!, second!, ROWS), ComparisonError);
    assertStringIncludes(error.message, "an instruction is no time");
  }
  // A document that does not say was by a clock that counts time.
  assert(compareRuns(time, { ...time, environment: silent }, ROWS).rows.length > 0);
});

/** A run by a clock that counts instructions: fewer are better. */
function counted(effects: Readonly<Record<string, number>>, copied = 0): RunDocument {
  const document = run({ seed: 1, noise: 0, effects, copied });
  return { ...document, environment: { ...ENVIRONMENT, clock: "instructions" } };
}

const COUNTED: RowDeclaration = {
  ...ROWS,
  counted: { ...ROWS, measures: [{ name: "rate", title: "instructions /send", better: "lower" }] },
};

Deno.test("counts of instructions are identical, agree within 0.5 %, or differ", () => {
  const first = counted({ 600: 2, 1500: 2, 4000: 2, 8000: 2 });
  const second = counted({ 600: 2, 1500: 2 * 1.0049, 4000: 2 * 1.0051, 8000: 2 * 0.99 });
  const comparison = compareRuns(first, second, COUNTED);
  assertEquals(
    comparison.rows.filter(({ isBaseline }) => !isBaseline).map((
      { outcome, why },
    ) => [outcome, why]),
    [
      ["identical", "same number"],
      ["agrees", "within 0.5 %"],
      ["differs", "worse"],
      ["differs", "better"],
    ],
  );
  // The level of the baseline is no matter of the machine.
  assertEquals(count(comparison.rows.filter(({ isBaseline }) => isBaseline), "identical"), 4);
  assert(isDifferent(comparison));
  assert(!isDifferent(compareRuns(first, first, COUNTED)));
  const text = formatComparison(comparison, COUNTED, { width: 100, colours: false });
  assertStringIncludes(
    text,
    "Rows (instructions, not time): 5 of 8 identical, 1 agrees within 0.5 %, 2 differ.",
  );
  assertStringIncludes(
    text,
    "Differs: payload 4000, mode zc: instructions /send: 2000 first, 2010 second: +0.51 %.",
  );
  assert(!/95 %|effect/i.test(text), text);
});

Deno.test("a proof that changed is a difference of runs that counted instructions, too", () => {
  assert(isDifferent(compareRuns(counted(EFFECTS), counted(EFFECTS, 5), COUNTED)));
});

Deno.test("of two runs of the same thing at most 5 % of the documents have a row that differs", () => {
  for (const noise of [0.03, 0.2]) {
    let differing = 0;
    for (let pair = 0; pair < 60; pair++) {
      const [first, second] = [run({ seed: 2 * pair, noise }), run({ seed: 2 * pair + 1, noise })];
      if (count(compareRuns(first, second, ROWS).rows, "differs") > 0) differing++;
    }
    assert(differing <= 3, `${differing} of 60 at a noise of ${noise}`);
  }
});

Deno.test("a change of an effect by 30 % is found at low noise, and nothing else is", () => {
  const changed = { ...EFFECTS, 4000: 1.3 * 1.3 };
  let [found, called] = [0, 0];
  for (let pair = 0; pair < 30; pair++) {
    const first = run({ seed: 1000 + pair, noise: 0.02, rounds: 7 });
    const second = run({ seed: 2000 + pair, noise: 0.02, rounds: 7, effects: changed });
    for (const { key, outcome, why } of compareRuns(first, second, ROWS).rows) {
      if (key["payload"] === 4000 && key["mode"] === "zc") {
        assert(outcome !== "agrees", why);
        if (outcome === "differs" && why === "better") found++;
      } else if (outcome === "differs") called++;
    }
  }
  assert(found >= 28, `found ${found} of 30`);
  assert(called <= 2, `${called} other rows in 30 documents`);
});

Deno.test("a large effect that is seen both times agrees although it is not known exactly", () => {
  const effects = { 4000: 8 };
  const comparison = compareRuns(
    run({ seed: 5, noise: 0.15, effects }),
    run({ seed: 6, noise: 0.15, effects }),
    ROWS,
  );
  const row = comparison.rows.find(({ isBaseline }) => !isBaseline)!;
  assertEquals([row.outcome, row.why], ["agrees", "same direction"]);
});

Deno.test("noise, one round, or a measure without values cannot be told", () => {
  const noisy = compareRuns(run({ seed: 1, noise: 0.5 }), run({ seed: 2, noise: 0.5 }), ROWS);
  assert(count(noisy.rows, "cannot tell") > 0);
  const once = compareRuns(run({ seed: 1, rounds: 1 }), run({ seed: 2 }), ROWS);
  assertEquals(count(once.rows, "cannot tell"), once.rows.length);
  assertEquals(once.rows[0]!.why, "one round");
  const other = { ...ROWS, measures: [{ name: "copied", title: "", better: "lower" as const }] };
  assertEquals(compareRuns(run({ seed: 1 }), run({ seed: 2 }), other).rows, []);
});

Deno.test("copied instead of not copied differs, and is said before all else", () => {
  const comparison = compareRuns(run({ seed: 1 }), run({ seed: 2, copied: 5 }), ROWS);
  assertEquals(count(comparison.proofs, "differs"), 4);
  const text = formatComparison(comparison, ROWS, { width: 80, colours: false });
  assert(text.startsWith("PROOF DIFFERS: payload 600, mode zc: not copied first, copied second"));
});

Deno.test("a lab that compares no numbers is compared by what each row proves", () => {
  const rows = { ...ROWS, measures: [] };
  const told = (second: RunDocument, declared: RowDeclaration = rows): string[] => {
    const comparison = compareRuns(run({ seed: 1 }), second, declared);
    return formatComparison(comparison, declared, { width: 80, colours: false })
      .split("\n").map((line) => line.trimEnd());
  };
  assert(!isDifferent(compareRuns(run({ seed: 1 }), run({ seed: 2 }), rows)));
  assertEquals(told(run({ seed: 2 })), [
    "simulated compares no numbers, but what each row proves: 4 of 4 identical, 0 differ.",
    "",
    "payload  first       second      verdict",
    "───────  ──────────  ──────────  ─────────",
    "    600  not copied  not copied  identical",
    "   1500  not copied  not copied  identical",
    "   4000  not copied  not copied  identical",
    "   8000  not copied  not copied  identical",
    "",
  ]);
  const only = run({ seed: 2, copied: 5, effects: { 600: 1 } });
  assert(isDifferent(compareRuns(run({ seed: 1 }), only, rows)));
  const changed = told(only);
  assertEquals(
    changed[0],
    "PROOF DIFFERS: payload 600, mode zc: not copied first, copied second",
  );
  assertEquals(
    changed[1],
    "simulated compares no numbers, but what each row proves: 0 of 1 identical, 1 differs.",
  );
  assert(changed.includes("    600  zc    not copied  copied  differs"), changed.join("\n"));
  const { proof: _, ...unproved } = rows;
  assertEquals(told(run({ seed: 2 }), unproved), [
    "simulated compares no numbers, and proves nothing: there is nothing to tell.",
    "",
  ]);
});

Deno.test("a baseline's level says nothing on another machine", () => {
  const first = run({ seed: 1 });
  const machine = { ...ENVIRONMENT.machine, cpuModel: "another" };
  const second = {
    ...run({ seed: 2, level: 4 }),
    environment: { ...ENVIRONMENT, machine },
  };
  const { rows, isSameMachine, differences } = compareRuns(first, second, ROWS);
  assertEquals(isSameMachine, false);
  for (const { isBaseline, outcome, why } of rows) {
    if (isBaseline) assertEquals([outcome, why], ["cannot tell", "other machine"]);
  }
  assert(differences.some(({ name, second }) => name === "processor" && second === "another"));
});

Deno.test("rows of one run alone are listed; runs without a common row are refused", () => {
  const first = run({ seed: 1, effects: { 600: 1, 1500: 1 } });
  const second = run({ seed: 2, effects: { 1500: 1, 4000: 1 } });
  const { onlyFirst, onlySecond, rows } = compareRuns(first, second, ROWS);
  assertEquals(rows.map(({ key }) => key["payload"]), [1500, 1500]);
  assertEquals(onlyFirst, [{ payload: 600, mode: "copy" }, { payload: 600, mode: "zc" }]);
  assertEquals(onlySecond.length, 2);
  assertThrows(
    () => compareRuns(first, run({ seed: 2, effects: { 8000: 1 } }), ROWS),
    ComparisonError,
    "have no row in common: one has (payload 600, mode copy)",
  );
  assertThrows(
    () => compareRuns(first, { ...second, lab: "other" }, ROWS),
    ComparisonError,
    "One run is of simulated, the other one of other",
  );
});

Deno.test("the text of a comparison fits 80 columns and says the answer before the table", () => {
  const changed = { ...EFFECTS, 4000: 3 };
  const comparison = compareRuns(run({ seed: 1 }), run({ seed: 2, effects: changed }), ROWS);
  const text = formatComparison(comparison, ROWS, {
    names: ["then", "now"],
    width: 80,
    colours: false,
  });
  const lines = text.split("\n");
  assertStringIncludes(lines[0]!, "Proof agrees in 4 rows: 4 not copied.");
  assertStringIncludes(lines[1]!, "of 4 agree, 1 differs,");
  assertStringIncludes(text, "Differs: payload 4000, mode zc: requests/s against copy: +");
  for (const line of lines) assert(displayWidth(line) <= 80, line);
  // A line above the rows of each payload says which it is.
  for (const payload of Object.keys(EFFECTS)) assert(lines.includes(`payload ${payload}`), text);
  const coloured = formatComparison(comparison, ROWS, { width: 80, colours: true });
  assertEquals(
    stripVTControlCharacters(coloured),
    formatComparison(comparison, ROWS, { width: 80, colours: false }),
  );
});

Deno.test("of a measure where lower is better, a longer time is worse", () => {
  const rows = {
    ...ROWS,
    measures: [
      { name: "rate", title: "time", unit: "s", better: "lower" },
      { name: "rate", title: "requests/s", better: "higher" },
    ],
  } as const;
  const comparison = compareRuns(
    run({ seed: 1, effects: { 600: 1 } }),
    run({ seed: 2, effects: { 600: 3 } }),
    rows,
  );
  assertEquals(
    comparison.rows.filter(({ isBaseline }) => !isBaseline).map(({ why }) => why),
    ["worse", "better"],
  );
});

Deno.test("runDifferences() names what matters, and leaves out what cannot matter", () => {
  const first = {
    environment: ENVIRONMENT,
    code: CODE,
    parameters: { list: [1, 2], deep: [{ a: 1 }] },
  };
  assertEquals(runDifferences(first, structuredClone(first)), []);
  assertEquals(
    formatDifferences([]),
    "No difference in code, versions, kernel, machine, limits, settings and parameters.\n",
  );
  const { machine, kernel, versions, sysctls, user } = ENVIRONMENT;
  const second = {
    code: { version: "9.9.9", commit: "0123456789abcdef", dirty: true },
    parameters: { list: [1, 3], deep: [{ a: 2 }] },
    environment: {
      ...ENVIRONMENT,
      kernel: { ...kernel, release: "7.3.0" },
      versions: { ...versions, v8: "0.0", liburing: null },
      machine: { ...machine, memoryBytes: machine.memoryBytes! * 1.01 },
      user: { ...user, capabilities: [] },
      limits: { memlockBytes: { soft: 65536, hard: null }, openFiles: null },
      sysctls: { ...sysctls, "net.core.optmem_max": 1 },
    },
  };
  const differences = runDifferences(
    {
      ...first,
      environment: {
        ...ENVIRONMENT,
        user: { ...user, capabilities: ["CAP_NET_ADMIN"] },
        limits: { memlockBytes: { soft: null, hard: null }, openFiles: null },
      },
    },
    second,
  );
  const of = (wanted: string): string[] =>
    differences.filter(({ name }) => name === wanted).flatMap((
      { first, second },
    ) => [first, second]);
  assertEquals(of("kernel")[1], "7.3.0");
  assertEquals(of("zclab")[1], "9.9.9, 0123456789 with changes");
  assertEquals(of("list"), ["1, 2", "1, 3"]);
  assertEquals(of("deep.0.a"), ["1", "2"]);
  assertEquals(of("CAP_NET_ADMIN"), ["yes", "no"]);
  assertEquals(of("ulimit -l"), ["unlimited", "64 KiB"]);
  assertEquals(of("net.core.optmem_max")[1], "1");
  for (const name of ["v8", "memory"]) assertEquals(of(name), []);
  assert(isSameMachine(ENVIRONMENT, second.environment));
});

Deno.test("runDifferences() names that one kernel clears memory on allocation, and the other one not", () => {
  const of = (clearsOnAllocation: boolean | null): RunSurroundings => ({
    environment: { ...ENVIRONMENT, kernel: { ...ENVIRONMENT.kernel, clearsOnAllocation } },
    code: { ...CODE, dirty: false },
    parameters: {},
  });
  const name = "clears memory on allocation";
  assertEquals(runDifferences(of(true), of(false)), [{ name, first: "yes", second: "no" }]);
  assertEquals(runDifferences(of(true), of(null)), [{ name, first: "yes", second: "–" }]);
  assertEquals(runDifferences(of(true), of(true)), []);
});

Deno.test("of two changed working trees nobody knows whether they are the same", () => {
  const code = { version: "1.0.0", commit: "0123456789abcdef", dirty: true };
  const one = { environment: ENVIRONMENT, code, parameters: {} };
  assertEquals(runDifferences(one, one), [{
    name: "zclab",
    first: "1.0.0, 0123456789 with changes",
    second: "1.0.0, 0123456789 with changes, maybe others",
  }]);
});
