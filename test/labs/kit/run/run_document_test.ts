import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { join } from "@std/path";
import { Ajv2020 as Ajv } from "ajv/2020";
import schema from "../../../../labs/kit/run/run_schema.json" with { type: "json" };
import { codeVersion } from "../../../../labs/kit/experiment/code_version.ts";
import { environment } from "../../../../labs/kit/experiment/environment.ts";
import { cross, experiment } from "../../../../labs/kit/experiment/experiment.ts";
import { runLab } from "../../../../labs/kit/lab/lab.ts";
import { COMPILED, compiledRunSchema } from "../../../../labs/kit/run/compile_run_schema.ts";
import {
  formatRunDocument,
  readRunDocument,
  RUN_SCHEMA,
  type RunDocument,
  RunDocumentError,
  writeRunDocument,
} from "../../../../labs/kit/run/run_document.ts";
import { checkWritable, FileError } from "../../../../labs/kit/files/whole_file.ts";
import { Command } from "../../../child.ts";
import { SAMPLE } from "../../sample_lab.ts";
import { test } from "../../../needs.ts";
import { inFolder } from "../../../folder.ts";

async function example(): Promise<RunDocument> {
  const { trials, complete, seed } = await experiment({
    factors: cross({ payload: [600, 4000], mode: ["copy", "zc"] }),
    control: { mode: "copy" },
    repeats: 2,
    seed: 3,
    trial: ({ payload }) => ({ rate: payload * 1.5, notes: ["a", null], copied: 0 }),
  });
  return {
    schema: RUN_SCHEMA,
    lab: "example",
    invocation: { options: { payload: [600, 4000] }, quick: false, seed, repeats: 2 },
    parameters: { seed, payload: [600, 4000] },
    seed,
    environment: environment({ gso: false }),
    code: codeVersion(),
    startedAt: "2026-01-02T03:04:05.678Z",
    complete,
    trials,
    summary: [{ payload: 600, versusCopy: { ratio: 1, low: 0.9, high: 1.1 } }],
  };
}

/** The same run as version 1 of the schema wrote it. */
async function olderExample(): Promise<Record<string, unknown>> {
  const { invocation: _, seed: __, code: ___, startedAt: ____, ...document } = await example();
  const trials = document.trials.map(({ covariates: _, ...trial }) => trial);
  return { ...document, trials, schema: "zclab/run/1" };
}

async function names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}

Deno.test("a run document comes back as it was written, and leaves nothing beside it", () =>
  inFolder(async (folder) => {
    const document = await example();
    const path = join(folder, "run.json");
    await checkWritable(path);
    assertEquals(await names(folder), []);
    await writeRunDocument(path, document);
    assertEquals(await names(folder), ["run.json"]);
    assertEquals(readRunDocument(await Deno.readTextFile(path)), document);
    await writeRunDocument(path, { ...document, lab: "second" });
    assertEquals(readRunDocument(await Deno.readTextFile(path)).lab, "second");
    assertEquals(await names(folder), ["run.json"]);
  }));

Deno.test("formatRunDocument gives each trial a line of its own", async () => {
  const document = await example();
  const lines = formatRunDocument(document).split("\n");
  const trials = lines.filter((line) => line.startsWith('    {"round":'));
  assertEquals(trials.length, document.trials.length);
  assertEquals(Object.keys(JSON.parse(lines.join("\n"))), [
    "schema",
    "lab",
    "invocation",
    "parameters",
    "seed",
    "environment",
    "code",
    "startedAt",
    "complete",
    "trials",
    "summary",
  ]);
  assertEquals(readRunDocument(formatRunDocument({ ...document, trials: [] })).trials, []);
});

Deno.test("writeRunDocument refuses what JSON would lose, and touches no file", () =>
  inFolder(async (folder) => {
    const document = await example();
    const path = join(folder, "run.json");
    const refused = async (change: Record<string, unknown>, message: string): Promise<void> => {
      await assertRejects(
        () => writeRunDocument(path, { ...document, ...change } as RunDocument),
        RunDocumentError,
        message,
      );
    };
    await refused({ parameters: { seed: 1n } }, "parameters.seed is a bigint");
    await refused({ summary: [{ rate: NaN }] }, "summary[0].rate is NaN");
    await refused({ lab: undefined }, "lab");
    await refused({ complete: "yes" }, "complete: expected true or false");
    assertEquals(await names(folder), []);
  }));

Deno.test("checkWritable and writeRunDocument say why a file cannot be written", () =>
  inFolder(async (folder) => {
    const document = await example();
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "kept");
    const cases: [string, string][] = [
      [join(folder, "missing", "run.json"), "mkdir -p"],
      [folder, "it is a folder"],
      [join(file, "run.json"), "is not a folder"],
      ["", "empty"],
      ["/proc/zclab-run.json", "Cannot write"],
    ];
    for (const [path, message] of cases) {
      await assertRejects(() => checkWritable(path), FileError, message);
      await assertRejects(() => writeRunDocument(path, document), FileError, message);
    }
    assertEquals(await names(folder), ["file"]);
    assertEquals(await Deno.readTextFile(file), "kept");
  }));

Deno.test("checkWritable leaves an existing file as it is", () =>
  inFolder(async (folder) => {
    const path = join(folder, "run.json");
    await Deno.writeTextFile(path, "before");
    await checkWritable(path);
    assertEquals(await Deno.readTextFile(path), "before");
  }));

test(
  "checkWritable refuses a folder without permission",
  { needs: [{ without: "root" }] },
  () =>
    inFolder(async (folder) => {
      await Deno.chmod(folder, 0o500);
      await assertRejects(
        () => checkWritable(join(folder, "run.json")),
        FileError,
        "permission denied",
      );
      await Deno.chmod(folder, 0o700);
    }),
);

Deno.test("writeRunDocument follows a symbolic link", () =>
  inFolder(async (folder) => {
    const document = await example();
    const path = join(folder, "run.json");
    const link = join(folder, "link.json");
    await Deno.writeTextFile(path, "before");
    await Deno.symlink(path, link);
    await checkWritable(link);
    await writeRunDocument(link, document);
    assert((await Deno.lstat(link)).isSymlink);
    assertEquals(readRunDocument(await Deno.readTextFile(path)).lab, "example");
  }));

Deno.test("writeRunDocument writes into a pipe instead of replacing it", () =>
  inFolder(async (folder) => {
    // A pipe of the test's own: with a device of the machine, a mistake would cost the device.
    const pipe = join(folder, "pipe");
    assert((await new Command("mkfifo", { args: [pipe] }).output()).success);
    // Opening a pipe that nobody reads would wait, so that this returns shows it was not opened.
    await checkWritable(pipe);
    const reader = new Command("cat", { args: [pipe], stdout: "piped" }).spawn();
    const document = await example();
    await writeRunDocument(pipe, document);
    const { stdout } = await reader.output();
    assertEquals(readRunDocument(new TextDecoder().decode(stdout)), document);
    assert((await Deno.lstat(pipe)).isFifo);
    assertEquals(await names(folder), ["pipe"]);
  }));

Deno.test("readRunDocument says where a text is not a run document", async () => {
  const document = await example();
  const trial = document.trials[0]!;
  const refused = (change: Record<string, unknown>, message: string): void => {
    assertThrows(
      () => readRunDocument(JSON.stringify({ ...document, ...change })),
      RunDocumentError,
      message,
    );
  };
  assertThrows(() => readRunDocument("<html>"), RunDocumentError, "it is not JSON");
  assertThrows(() => readRunDocument(" \n"), RunDocumentError, "it is empty");
  assertThrows(() => readRunDocument("[]"), RunDocumentError, "expected an object, got []");
  assertThrows(() => readRunDocument("{}"), RunDocumentError, "schema: expected");
  refused({ schema: "zclab/run/3" }, "use the version of zclab that wrote it");
  refused({ schema: "zclab/run/3" }, "this version of zclab reads zclab/run/1 and zclab/run/2");
  refused({ schema: "other/1" }, 'got "other/1"');
  refused({ lab: 5 }, "lab: expected a string, got 5");
  refused({ environment: {} }, "environment.versions: expected an object, it is missing");
  refused({ parameters: null }, "parameters: expected an object, got null");
  refused({ invocation: [] }, "invocation: expected an object, got []");
  refused({ invocation: { options: {} } }, "invocation.quick: expected true or false");
  refused({ seed: -1 }, "seed: expected a whole number from 0 to 4294967295, got -1");
  refused({ code: {} }, "code.version: expected a string, it is missing");
  refused({ startedAt: "yesterday" }, "startedAt: expected a date and time");
  refused({ complete: 1 }, "complete: expected true or false, got 1");
  refused({ trials: {} }, "trials: expected an array, got {}");
  refused({ summary: [1] }, "summary[0]: expected an object, got 1");
  const second = (change: Record<string, unknown>): Record<string, unknown> => ({
    trials: [trial, { ...trial, ...change }],
  });
  refused(second({ round: -1 }), "trials[1].round: expected a whole number");
  refused(second({ order: undefined }), "trials[1].order: expected a whole number");
  refused(second({ warmUp: "x" }), 'trials[1].warmUp: expected true or false, got "x"');
  refused(second({ control: null }), "trials[1].control");
  refused(second({ factors: { a: [1] } }), "trials[1].factors.a: expected a string, a number");
  refused(second({ factors: { constructor: {} } }), "factors.constructor: expected a string, a n");
  refused(second({ measures: [] }), "trials[1].measures: expected an object");
  refused(second({ startedAt: "noon" }), "trials[1].startedAt: expected a date");
  refused(second({ seconds: "1" }), "trials[1].seconds: expected a number that is not negative");
  refused(second({ covariates: { a: "x" } }), 'trials[1].covariates.a: expected a number, got "x"');
  const table = (change: Record<string, unknown>): Record<string, unknown> => ({
    table: { title: "", factors: [], baseline: {}, within: [], columns: [], ...change },
  });
  refused(table({ within: [1] }), "table.within[0]: expected a string, got 1");
  refused(
    table({ columns: [{ name: "x" }] }),
    "table.columns[0].measure: expected a string, it is",
  );
  const column = { name: "", measure: null, title: "", unit: "", better: "more" };
  refused(
    table({ columns: [{ ...column, evidence: true, verdict: true, ratio: true }] }),
    'table.columns[0].better: expected "higher", "lower" or null, got "more"',
  );
});

Deno.test("readRunDocument keeps fields that it does not know", async () => {
  const text = JSON.stringify({ ...await example(), further: { a: 1 } });
  assertEquals((readRunDocument(text) as unknown as { further: unknown }).further, { a: 1 });
});

Deno.test("readRunDocument says that a file was cut off, wherever it was", async () => {
  const text = formatRunDocument(await example());
  for (let length = 2; length < text.length - 2; length += Math.ceil(text.length / 200)) {
    assertThrows(
      () => readRunDocument(text.slice(0, length)),
      RunDocumentError,
      "the file ends too early",
    );
  }
});

Deno.test("a document of zclab/run/1 opens in today's shape, with nulls, and is written as 2", async () => {
  const older = await olderExample();
  const document = readRunDocument(JSON.stringify(older));
  assertEquals(document.schema, RUN_SCHEMA);
  assertEquals(document.invocation, null);
  assertEquals(document.startedAt, null);
  assertEquals(document.seed, 3);
  assertEquals(document.code, {
    version: document.environment.versions.zclab,
    commit: null,
    dirty: null,
  });
  assertEquals(document.trials as unknown, older["trials"]);
  assertEquals(document.parameters as unknown, older["parameters"]);
  const again = JSON.parse(formatRunDocument(document));
  assertEquals(again.schema, RUN_SCHEMA);
  assertEquals(readRunDocument(JSON.stringify(again)), document);
  assertThrows(
    () => readRunDocument(JSON.stringify({ ...older, complete: 1 })),
    RunDocumentError,
    "complete: expected true or false, got 1",
  );
});

const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(schema);

function errorsOf(value: unknown): string {
  validate(value);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
    .join("; ");
}

Deno.test("what documents are checked by is made of run_schema.json", () => {
  assertEquals(
    Deno.readTextFileSync(COMPILED) === compiledRunSchema(),
    true,
    "What to do: deno run -A labs/kit/run/compile_run_schema.ts",
  );
});

Deno.test("run_schema.json is a JSON Schema (2020-12) that our documents fulfil", async () => {
  assertEquals(new Ajv().validateSchema(schema), true);
  const { document } = await runLab(SAMPLE, { options: { payload: [5] }, seed: 9 });
  for (
    const one of [await example(), document, readRunDocument(JSON.stringify(await olderExample()))]
  ) assertEquals(errorsOf(JSON.parse(formatRunDocument(one))), "");
});

/** What each part of a document may be replaced by, the part left out included. */
const REPLACEMENTS = [undefined, null, true, 0, -1, 1.5, 2 ** 32, "", "text", [], [1], {}, {
  a: {},
}];

Deno.test("run_schema.json and readRunDocument refuse the same documents", async () => {
  const { trials, ...rest } = JSON.parse(formatRunDocument(await example()));
  const base = { ...rest, trials: trials.slice(0, 1) };
  const paths = [
    ...Object.keys(base).map((name) => [name]),
    ...Object.keys(base.invocation).map((name) => ["invocation", name]),
    ...Object.keys(base.code).map((name) => ["code", name]),
    ...Object.keys(base.environment).map((name) => ["environment", name]),
    ["trials", 0],
    ...Object.keys(base.trials[0]).map((name) => ["trials", 0, name]),
    ["trials", 0, "factors", "mode"],
    ["trials", 0, "covariates", "x"],
    ["summary", 0],
  ].filter((path) => path[0] !== "schema");
  let refused = 0;
  let accepted = 0;
  for (const path of paths) {
    for (const replacement of REPLACEMENTS) {
      const document = structuredClone({
        ...base,
        trials: [{ covariates: {}, ...base.trials[0] }],
      });
      let place = document;
      for (const step of path.slice(0, -1)) place = place[step];
      if (replacement === undefined) delete place[path.at(-1)!];
      else place[path.at(-1)!] = replacement;
      let ours = "";
      try {
        readRunDocument(JSON.stringify(document));
        accepted++;
      } catch (error) {
        assert(error instanceof RunDocumentError);
        ours = error.message;
        refused++;
      }
      const theirs = errorsOf(JSON.parse(JSON.stringify(document)));
      const what = `${path.join(".")} = ${JSON.stringify(replacement)}`;
      assertEquals(ours === "", theirs === "", `${what}: ours: ${ours}; schema: ${theirs}`);
      // The place is the part itself, or one in it that is missing.
      const where = path.map((step) => typeof step === "number" ? `[${step}]` : `.${step}`).join(
        "",
      );
      if (ours !== "") assertStringIncludes(ours, `document: ${where.slice(1)}`);
    }
  }
  // Neither side says yes or no to everything.
  assert(refused > 100 && accepted > 50, `${refused} refused, ${accepted} accepted`);
});
