import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { CATALOGUE } from "../../../../labs/catalogue.ts";
import { compareRuns } from "../../../../labs/kit/run/compare_runs.ts";
import {
  partOf,
  readRunDocument,
  type RunDocument,
} from "../../../../labs/kit/run/run_document.ts";
import type { Trial } from "../../../../labs/kit/trials/trials.ts";
import {
  isMarkedProcessLeft,
  ownInterfaces,
  untilMarkedProcessesAreGone,
} from "../../../leftovers.ts";
import { deadline } from "../../../until.ts";
import { assertUsable, stopEverywhere } from "./partial_runs.ts";
import { inFolder } from "../../../folder.ts";

const PROGRAM = fromFileUrl(new URL("./progress_lab.ts", import.meta.url));
const RECORDED = new URL("../../../../notebooks/recorded/", import.meta.url);

function labOf(name: string): typeof CATALOGUE[number] {
  return CATALOGUE.find((lab) => lab.name === name)!;
}

Deno.test("tx-copy-vs-zc that is stopped returns what it has measured", () =>
  stopEverywhere(labOf("tx-copy-vs-zc"), {
    payload: [600, 8000],
    mode: ["zc", "gso", "gso+zc-fixed"],
    seconds: 0.002,
  }));

Deno.test("busy-poll that is stopped returns what it has measured", () =>
  stopEverywhere(labOf("busy-poll"), { "round-trips": 20 }, [0, 0.35, 0.7]));

for (const name of ["tx_copy_vs_zc", "rx_zcrx", "rx_held_pieces"]) {
  Deno.test(`a part of a run of ${name} is read, drawn and compared, however long it is`, () => {
    const whole = readRunDocument(Deno.readTextFileSync(new URL(`${name}.json`, RECORDED)));
    const lab = labOf(whole.lab);
    const count = whole.trials.length;
    const lengths = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, count - 1].filter((one) => one < count);
    for (const length of lengths) {
      const trials = whole.trials.slice(0, length);
      assertUsable({ ...whole, complete: false, trials, summary: [] }, lab, whole);
    }
  });
}

Deno.test("partOf() says how far a run had come", () => {
  const whole = readRunDocument(Deno.readTextFileSync(new URL("tx_copy_vs_zc.json", RECORDED)));
  assertEquals(partOf(whole), undefined);
  const part = (trials: readonly Trial[]): string | undefined =>
    partOf({ ...whole, complete: false, trials });
  assertEquals(part([]), "Partial: the run was stopped before its first trial.");
  assertStringIncludes(part(whole.trials.slice(0, 1))!, "after 1 trial, in the warm-up.");
  const counted = whole.trials.findIndex(({ warmUp }) => !warmUp);
  assertStringIncludes(
    part(whole.trials.slice(0, counted + 1))!,
    `after ${counted + 1} trials, in round 1 of 7 after the warm-up.`,
  );
});

Deno.test("what only one of two runs has measured cannot be told, and is listed", () => {
  const whole = readRunDocument(Deno.readTextFileSync(new URL("tx_copy_vs_zc.json", RECORDED)));
  const { rows } = labOf(whole.lab);
  const warmUp = whole.trials.filter((trial) => trial.warmUp);
  const part: RunDocument = { ...whole, complete: false, trials: warmUp };
  const comparison = compareRuns(whole, part, rows!);
  assertEquals(comparison.rows, []);
  assertEquals(comparison.unmeasured.length, new Set(warmUp.map(({ factors }) => factors)).size);
  assert(comparison.unmeasured.every(({ missingIn }) => missingIn === "second"));
  assertEquals(comparison.firstPart, undefined);
  assertStringIncludes(comparison.secondPart!, "in the warm-up");
});

// === The command, as a process of its own ===

/** Starts the lab; `trials` resolves when it is about to begin its trial of that number. */
function start(args: readonly string[], env: Record<string, string> = {}): {
  process: Deno.ChildProcess;
  trial: (number: number) => Promise<void>;
  finish: () => Promise<{ out: string; errors: string; code: number }>;
} {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", PROGRAM, ...args],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(process.stderr).text();
  let text = "";
  let look = Promise.withResolvers<void>();
  const out = (async (): Promise<string> => {
    for await (const chunk of process.stdout.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      look.resolve();
      look = Promise.withResolvers<void>();
    }
    look.promise.catch(() => {});
    look.reject(new Error(`The lab ended: ${text}`));
    return text;
  })();
  return {
    process,
    trial: async (number) => {
      const begun = (): number =>
        Math.max(-1, ...[...text.matchAll(/^trial (\d+)$/gm)].map(([, count]) => Number(count)));
      while (begun() < number) await look.promise;
    },
    finish: async () => ({
      out: await out,
      errors: await errors,
      code: (await process.status).code,
    }),
  };
}

const SHORT = ["--payload", "600,8000", "--mode", "zc", "--seconds", "0.02", "--repeats", "50"];

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test(`${signal} ends the lab after its trial, and keeps what was measured`, () =>
    inFolder(async (folder) => {
      const before = ownInterfaces();
      const mark = crypto.randomUUID();
      const [json, csv, html] = ["json", "csv", "html"].map((kind) => `${folder}/run.${kind}`);
      const files = ["--json", json!, "--csv", csv!, "--html", html!];
      const lab = start([...SHORT, ...files], { ZCLAB_MARK: mark });
      await lab.trial(20);
      lab.process.kill(signal);
      const { out, errors, code: ended } = await lab.finish();
      assertEquals(ended, code, errors);
      assertStringIncludes(out, "Partial: the run was stopped before its last trial, after ");
      assertStringIncludes(out, "against");
      assertStringIncludes(errors, `${signal}: stopping after this trial`);
      assertStringIncludes(errors, `The run is in ${json}, stopped before its last trial`);
      assertStringIncludes(errors, `interrupted by ${signal}: cleaned up; what was measured`);
      const document = readRunDocument(Deno.readTextFileSync(json!));
      assertEquals(document.complete, false);
      assert(document.trials.length >= 20);
      assertUsable(document, labOf(document.lab), document);
      assertStringIncludes(Deno.readTextFileSync(csv!), "run.complete");
      assertStringIncludes(Deno.readTextFileSync(html!), "Partial: the run was stopped");
      assertEquals([...Deno.readDirSync(folder)].length, 3);
      assertEquals(ownInterfaces(), before);
      assert(!isMarkedProcessLeft(mark));

      // What is left replays, whole, and compares.
      const again = `${folder}/again.json`;
      const replay = start(["--replay", json!, "--repeats", "2", "--json", again]);
      const replayed = await replay.finish();
      assertEquals(replayed.code, 0, replayed.errors);
      assertStringIncludes(replayed.out, "stopped before its end, again:");
      assertStringIncludes(replayed.out, "Partial (then): the run was stopped");
      assertEquals(readRunDocument(Deno.readTextFileSync(again)).complete, true);
      const compared = await start(["--compare", json!, again]).finish();
      assertEquals(compared.code, 0, compared.errors);
      assertStringIncludes(compared.out, "Partial (first): the run was stopped");
    }));
}

Deno.test("a replay that is interrupted compares what there is", () =>
  inFolder(async (folder) => {
    const [json, again] = [`${folder}/run.json`, `${folder}/again.json`];
    const options = ["--payload", "600", "--mode", "zc", "--seconds", "0.02", "--json", json];
    const whole = await start([...options, "--repeats", "3"]).finish();
    assertEquals(whole.code, 0, whole.errors);
    const lab = start(["--replay", json, "--repeats", "200", "--json", again]);
    await lab.trial(12);
    lab.process.kill("SIGINT");
    const { out, code, errors } = await lab.finish();
    assertEquals(code, 130, errors);
    assertStringIncludes(out, "Partial (now): the run was stopped");
    assertStringIncludes(out, "Effects: ");
    assertEquals(readRunDocument(Deno.readTextFileSync(again)).complete, false);
  }));

Deno.test("a signal before the first trial leaves no file, and the one there was as it is", () =>
  inFolder(async (folder) => {
    Deno.writeTextFileSync(`${folder}/run.json`, "before");
    // Its first trial of all is the one that is interrupted, and that heeds the signal.
    const lab = start(["busy-poll", "--round-trips", "10000000", "--json", `${folder}/run.json`]);
    await lab.trial(0);
    lab.process.kill("SIGINT");
    const { code, errors } = await lab.finish();
    assertEquals(code, 130, errors);
    assertStringIncludes(errors, "nothing was measured, and no file was written");
    assertEquals(Deno.readTextFileSync(`${folder}/run.json`), "before");
    assertEquals([...Deno.readDirSync(folder)].length, 1);
  }));

Deno.test("a second signal ends the lab at once, in the middle of a trial that blocks", () =>
  inFolder(async (folder) => {
    const before = ownInterfaces();
    const mark = crypto.randomUUID();
    const args = ["--payload", "600", "--seconds", "3600", "--json", `${folder}/run.json`];
    const lab = start(args, { ZCLAB_MARK: mark, TMPDIR: folder });
    await lab.trial(0);
    let ended = false;
    const finished = lab.finish().finally(() => ended = true);
    // The trial takes a quarter of an hour; so soon after each other two signals are one.
    const check = deadline("the lab ends");
    while (!ended) {
      check();
      lab.process.kill("SIGINT");
      await new Promise((resolve) => setTimeout(resolve, 600));
    }
    const { code, errors } = await finished;
    assertEquals(code, 130, errors);
    assertStringIncludes(errors, "SIGINT: stopping after this trial");
    assertEquals([...Deno.readDirSync(folder)], []);
    assertEquals(ownInterfaces(), before);
    await untilMarkedProcessesAreGone(mark);
  }));

Deno.test("a trial that fails keeps those before it", () =>
  inFolder(async (folder) => {
    const json = `${folder}/run.json`;
    const failed = await start(["failing-lab", "--fail-at", "5", "--json", json]).finish();
    assertEquals(failed.code, 1);
    assertStringIncludes(failed.errors, `The run is in ${json}, stopped before its last trial`);
    assertStringIncludes(failed.errors, "the fifth fails");
    const document = readRunDocument(Deno.readTextFileSync(json));
    assertEquals([document.complete, document.trials.length], [false, 5]);
    Deno.removeSync(json);
    const first = await start(["failing-lab", "--fail-at", "0", "--json", json]).finish();
    assertEquals(first.code, 1);
    assertEquals([...Deno.readDirSync(folder)], []);
  }));

Deno.test("a run whose conclusions fail is written, and the failure told", () =>
  inFolder(async (folder) => {
    const files = ["json", "csv", "html"].map((kind) => `${folder}/run.${kind}`);
    const args = files.flatMap((file) => [`--${file.slice(file.lastIndexOf(".") + 1)}`, file]);
    const { code, errors } = await start(["misjudging-lab", ...args]).finish();
    assertEquals(code, 1);
    assertStringIncludes(errors, `The run is in ${files[0]}\n`);
    assertStringIncludes(errors, "error: RangeError: no conclusion");
    assertStringIncludes(errors, "progress_lab.ts");
    const document = readRunDocument(Deno.readTextFileSync(files[0]!));
    assertEquals([document.complete, document.summary.length], [true, 2]);
    for (const file of files) assert(Deno.statSync(file).size > 0);
  }));
