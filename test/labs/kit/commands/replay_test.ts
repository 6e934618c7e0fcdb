import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { ComparisonError } from "../../../../labs/kit/run/compare_runs.ts";
import { type Lab, runLab, type RunOptions } from "../../../../labs/kit/lab/lab.ts";
import { OptionError } from "../../../../labs/kit/options/options.ts";
import { selfRunning } from "../../self_running.ts";
import { replay, replayOptions, requireClock } from "../../../../labs/kit/commands/replay.ts";
import { readRunDocument, type RunDocument } from "../../../../labs/kit/run/run_document.ts";
import { SAMPLE } from "../../sample_lab.ts";

type Options = NonNullable<RunOptions["options"]>;

async function recorded(options: Options, quick = false): Promise<RunDocument> {
  const { document } = await runLab(SAMPLE as Lab, { options, quick, seed: 5 });
  return readRunDocument(JSON.stringify(document));
}

Deno.test("replayOptions() gives what was given, and the defaults that there were then", async () => {
  const document = await recorded({ mode: ["copy"] }, true);
  assertEquals(document.invocation, {
    options: { mode: ["copy"] },
    quick: true,
    seed: 5,
    repeats: null,
  });
  // Since then the lab has got other defaults.
  const lab: Lab = {
    ...SAMPLE,
    options: { ...SAMPLE.options, payload: { kind: "numbers", description: "", default: [9] } },
  };
  assertEquals(replayOptions(document, lab), {
    options: { payload: [600], mode: ["copy"], fail: "not", seconds: 0.5, wait: 0, verify: false },
    quick: true,
    seed: 5,
    repeats: 2,
  });
});

Deno.test("a run is not repeated by another clock", async () => {
  const time = await recorded({});
  const environment = { ...time.environment, clock: "instructions" as const };
  const counted: RunDocument = { ...time, environment };
  assertThrows(
    () => replayOptions(counted, SAMPLE as Lab),
    ComparisonError,
    "deno task vm --clock instructions -- deno task lab replay FILE",
  );
  requireClock(counted, "instructions");
  assertThrows(
    () => requireClock(time, "instructions"),
    ComparisonError,
    "The clock of the run counts time, that of this machine instructions",
  );
});

Deno.test("replayOptions() reads options that had another name or unit", async () => {
  const MIB = 1 << 20;
  const now: Lab = {
    ...SAMPLE,
    options: {
      bytes: {
        kind: "bytes",
        description: "was --wait, in MiB",
        default: 64 * MIB,
        formerly: { name: "wait", unit: MIB },
      },
      area: {
        kind: "bytes",
        description: "was in MiB",
        default: 16 * MIB,
        minimum: 8 * MIB,
        formerly: { unit: MIB },
      },
    },
  };
  const run = await recorded({});
  const then = (options: RunDocument["parameters"], given = {}): unknown =>
    replayOptions({
      ...run,
      parameters: options,
      invocation: { ...run.invocation!, options: given },
    }, now).options;
  assertEquals(then({ wait: 4, area: 32 }, { wait: 4 }), { bytes: 4 * MIB, area: 32 * MIB });
  // Defaults of then stand among the parameters only.
  assertEquals(then({ wait: 64, area: 16 }), { bytes: 64 * MIB, area: 16 * MIB });
  const today = { bytes: 5 * MIB, area: 8 * MIB };
  assertEquals(then(today, today), today);
});

Deno.test("replayOptions() takes nothing that names a machine from a document", async () => {
  const pinned = await recorded({ cpu: 3 });
  assertThrows(() => replayOptions(pinned, SAMPLE as Lab), OptionError, "--cpu 3, which names");
  assertEquals(replayOptions(pinned, SAMPLE as Lab, { options: { cpu: 0 } }).options, {
    payload: [600, 1500],
    mode: ["copy", "zc"],
    fail: "not",
    seconds: 0.5,
    cpu: 0,
    wait: 0,
    verify: false,
  } as Options);
  // A path that an attacker wrote into a document is not written to, also not as a parameter.
  const document = await recorded({});
  const forged = { ...document, parameters: { ...document.parameters, cpu: 7 } };
  assertEquals("cpu" in replayOptions(forged, SAMPLE as Lab).options!, false);
  // Drawings were options of a lab once.
  const drawn = {
    ...document.invocation!,
    options: { flame: "/tmp/a.svg", changes: "/tmp/b.svg" },
  };
  const { options, look } = replayOptions({ ...document, invocation: drawn }, SAMPLE as Lab);
  assertEquals(["flame" in options!, "changes" in options!, look], [false, false, undefined]);
  const again = replayOptions(document, SAMPLE as Lab, { look: { row: "zc" } });
  assertEquals(again.look, { row: "zc" });
});

Deno.test("replayOptions() refuses another lab, unknown options, and other parameters", async () => {
  const document = await recorded({});
  const refused = (changed: RunDocument, message: string): void => {
    assertThrows(() => replayOptions(changed, SAMPLE as Lab), OptionError, message);
  };
  refused({ ...document, lab: "other" }, "The run is one of other, not of sample-lab");
  refused(
    { ...document, invocation: { ...document.invocation!, options: { a: 1, b: 2 } } },
    "The run was made with --a and --b, which sample-lab does not have in this version",
  );
  assertThrows(
    () => replayOptions(document, SAMPLE as Lab, { options: { payload: [1] } }),
    OptionError,
    "--payload cannot stand beside --replay",
  );
});

Deno.test("replay() runs a run again, and is shown as text", async () => {
  const document = await recorded({ payload: [600] });
  const replayed = await replay(document, SAMPLE as Lab, { repeats: 6 });
  assertEquals(replayed.document.parameters["repeats"], 6);
  assertEquals(replayed.document.seed, 5);
  assertEquals(replayed.comparison.rows.map(({ outcome }) => outcome), ["agrees", "agrees"]);
  const text = Deno.inspect(replayed);
  assertStringIncludes(text, "what differs  then");
  assertStringIncludes(text, "Effects: 1 of 1 agree");
});

Deno.test("replay() of a lab that does not say how its runs are compared is refused first", async () => {
  const document = await recorded({});
  const { rows: _, ...rest } = SAMPLE;
  const lab = selfRunning({
    ...rest,
    run: () => Promise.reject(new Error("not to be reached")),
  });
  await assertRejects(
    () => replay(document, lab as Lab),
    ComparisonError,
    "sample-lab does not say how its runs are compared",
  );
});
