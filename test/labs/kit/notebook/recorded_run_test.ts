import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { UnsupportedError } from "zclab";
import {
  codeVersion,
  environment,
  formatRunDocument,
  RUN_SCHEMA,
  type RunDocument,
  RunDocumentError,
} from "zclab/experiment";
import type { Lab, LabOutcome } from "zclab/lab";
import { recordedRun, runOrRecorded } from "zclab/notebook";

function document(lab: string, sum: number): RunDocument {
  const here = environment();
  return {
    schema: RUN_SCHEMA,
    lab,
    invocation: { options: {}, quick: false, seed: 1, repeats: null },
    seed: 1,
    code: codeVersion(),
    startedAt: null,
    environment: { ...here, kernel: { ...here.kernel, release: "9.9.9 <test>" } },
    parameters: { seed: 1 },
    complete: true,
    trials: [{
      round: 0,
      order: 0,
      warmUp: false,
      control: false,
      factors: {},
      measures: { sum },
      startedAt: "2026-01-02T03:04:05.000Z",
      seconds: 1,
    }],
    summary: [{ sum }],
  };
}

function lab(needs: Lab["needs"], run: () => Promise<LabOutcome>): Lab {
  return { name: "sum", title: "Adds", description: "Adds.", needs, options: {}, run };
}

/** A file with a recorded run, until it is disposed. */
function recorded(name: string): Disposable & { path: string } {
  const path = Deno.makeTempFileSync({ suffix: ".json" });
  Deno.writeTextFileSync(path, formatRunDocument(document(name, 7)));
  return { path, [Symbol.dispose]: () => Deno.removeSync(path) };
}

Deno.test("a lab that is possible here runs here, and nothing is read", async () => {
  const real = lab([], () => Promise.resolve({ document: document("sum", 3), text: "" }));
  const run = await runOrRecorded(real, {}, "/nowhere/at/all.json");
  assertEquals(run.document.summary, [{ sum: 3 }]);
  assertEquals([run.recorded, run.why], [false, ""]);
  assertEquals(run.source, "Measured here, on Linux 9.9.9 <test>.");
  const stopped = { ...document("sum", 3), complete: false };
  const partial = await runOrRecorded(
    lab([], () => Promise.resolve({ document: stopped, text: "" })),
    {},
    "/nowhere/at/all.json",
  );
  assertStringIncludes(partial.source, "<test>. Partial: the run was stopped before its");
});

Deno.test("what cannot run here is a recorded run that says so", async () => {
  using recording = recorded("sum");
  const impossible = lab(
    [],
    () => Promise.reject(new UnsupportedError("A NIC", { advice: "buy" })),
  );
  const run = await runOrRecorded(impossible, {}, recording.path);
  assertEquals(run.document.summary, [{ sum: 7 }]);
  assert(run.recorded);
  assertStringIncludes(run.why, "A NIC");
  assertStringIncludes(
    run.source,
    "RECORDED RUN, not measured here. Recorded on Linux 9.9.9 <test>, 2026-01-02, because",
  );
  const shown = (run as unknown as Record<symbol, () => Record<string, string>>)[
    Symbol.for("Jupyter.display")
  ]!.call(run);
  assertStringIncludes(shown["text/html"]!, "<strong>⚠ RECORDED RUN, not measured here.</strong>");
  assertStringIncludes(shown["text/html"]!, "9.9.9 &#60;test&#62;");
});

Deno.test("a failing lab fails, and a recording of another lab is refused", async () => {
  using recording = recorded("other");
  const failing = lab([], () => Promise.reject(new TypeError("a mistake")));
  await assertRejects(() => runOrRecorded(failing, {}, recording.path), TypeError, "a mistake");
  const impossible = lab([], () => Promise.reject(new UnsupportedError("A NIC")));
  await assertRejects(
    () => runOrRecorded(impossible, {}, "/nowhere/at/all.json"),
    RunDocumentError,
    "deno task notebook --record",
  );
  await assertRejects(
    () => runOrRecorded(impossible, {}, recording.path),
    RunDocumentError,
    "is one of other, not of sum",
  );
});

Deno.test("a recorded run of another clock or kernel says so, and why it is not made here", async () => {
  using recording = recorded("sum");
  const run = await recordedRun({ name: "sum" }, recording.path, "it takes another clock");
  assertEquals([run.document.summary, run.recorded], [[{ sum: 7 }], true]);
  assertStringIncludes(run.source, "RECORDED RUN, not measured here.");
  assertStringIncludes(run.source, "not possible: it takes another clock");
  await assertRejects(
    () => recordedRun({ name: "other" }, recording.path, "it takes another clock"),
    RunDocumentError,
    "is one of sum, not of other",
  );
});
