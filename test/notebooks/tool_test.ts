import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { checkTypes, executeNotebook } from "../../notebooks/tool/execute.ts";
import { writeKernelSpec } from "../../notebooks/tool/kernel_spec.ts";
import {
  formatNotebook,
  type Notebook,
  outputProblems,
  PROJECT,
  shownText,
} from "../../notebooks/tool/notebook_file.ts";
import { Command } from "../child.ts";
import { until } from "../until.ts";
import { isMarkedProcessLeft, untilMarkedProcessesAreGone } from "../leftovers.ts";
import { test } from "../needs.ts";

function notebookOf(...sources: string[]): Notebook {
  const cells = sources.map((source) => ({ cell_type: "code", metadata: {}, source, outputs: [] }));
  return { cells, metadata: {}, nbformat: 4, nbformat_minor: 5 };
}

function showing(text: string): Notebook {
  const outputs = [{ output_type: "display_data", data: { "text/plain": text } }];
  return {
    ...notebookOf(),
    cells: [{ cell_type: "code", metadata: {}, source: "show()", outputs }],
  };
}

async function notebookCommand(...args: string[]): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Command(Deno.execPath(), {
    args: ["run", "--allow-all", `${PROJECT}/notebooks/main.ts`, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test("deno task notebook explains itself, and refuses what makes no sense", async () => {
  const help = await notebookCommand("--help");
  assertEquals(help.code, 0);
  assertStringIncludes(help.text, "--renew");
  for (
    const [args, says] of [
      [["--bogus"], "notebook has no option --bogus"],
      [["--check", "--renew"], "Either --check or --renew"],
      [["--check", "77"], "No notebook 77"],
      [["01", "02"], "one notebook or the whole folder"],
      [["--port", "0"], "is not between 1 and 65535"],
      [["--record", "nothing"], "No recorded run nothing"],
      [["--check", "--", "--debug"], "have no meaning with --check"],
    ] as const
  ) {
    const { code, text } = await notebookCommand(...args);
    assertEquals(code, 2, args.join(" "));
    assertStringIncludes(text, says);
  }
});

Deno.test("a notebook file has nothing of the moment in it, and is the same when written again", () => {
  const messy: Notebook = {
    cells: [{
      cell_type: "code",
      metadata: { tags: ["answer:00-a"], execution: { started: "now" } } as Notebook["metadata"],
      source: "1;\n2;",
      execution_count: 3,
      outputs: [
        { output_type: "stream", name: "stdout", text: "a\n" },
        { output_type: "stream", name: "stdout", text: ["b\n", "c"] },
      ],
    }],
    metadata: { kernelspec: { name: "deno" }, widgets: {} },
    nbformat: 4,
    nbformat_minor: 2,
  };
  const text = formatNotebook(messy);
  const written = JSON.parse(text);
  assertEquals(written.cells, [{
    cell_type: "code",
    id: "cell-1",
    metadata: { tags: ["answer:00-a"] },
    source: ["1;\n", "2;"],
    execution_count: 3,
    outputs: [{ output_type: "stream", name: "stdout", text: ["a\n", "b\n", "c"] }],
  }]);
  assertEquals(written.metadata.kernelspec.name, "zclab");
  assertEquals(formatNotebook(written), text);
});

Deno.test("outputs that name this machine, miss a value or are too long are not kept", () => {
  assertEquals(outputProblems(showing("4000 bytes, copied 0")), []);
  // A checkout may be in the home directory, which names the user, or among temporary files.
  const [first] = outputProblems(showing(`at file://${PROJECT}/mod.ts:1`));
  assertEquals(first, "cell 1 shows the path of the project");
  assertEquals(outputProblems(showing("/tmp/x.json")), ["cell 1 shows a path of temporary files"]);
  const svg = btoa(`<svg><text>${PROJECT}/</text></svg>`);
  const [hidden] = outputProblems(showing(`<img src="data:image/svg+xml;base64,${svg}">`));
  assertEquals(hidden, "cell 1 shows the path of the project");
  const [missing] = outputProblems(showing("The verdict: undefined"));
  assertEquals(missing, "cell 1 shows a missing value");
  assertEquals(outputProblems(showing("put it in the place of undefined, and run again")), []);
  const [long] = outputProblems(showing("x".repeat(200_000)));
  assertStringIncludes(long!, "characters of output");
});

Deno.test("mistakes in cells are found with their place, syntax errors too", async () => {
  const problems = await checkTypes(
    new Map([
      [
        "good",
        notebookOf('import { Ring } from "zclab";', "const ring: typeof Ring = Ring;\nawait 0;"),
      ],
      ["type", notebookOf("const a = 1;", '\nconst b: number = "x";')],
      ["twice", notebookOf("const a = 1;", "const a = 2;")],
      ["syntax", notebookOf("const b = = 2;")],
    ]),
  );
  assertEquals([...problems.keys()].sort(), ["syntax", "twice", "type"]);
  assertStringIncludes(problems.get("type")!, "cell 2, line 2, column 7");
  assertStringIncludes(problems.get("syntax")!, "cell 1, line 1");
  assertStringIncludes(problems.get("twice")!, "Cannot redeclare block-scoped variable 'a'");
});

Deno.test("the kernel spec finds Deno again when its place is gone", () => {
  const directory = Deno.makeTempDirSync({ prefix: "zclab-test-" });
  try {
    const spec = writeKernelSpec({ dataDirectory: directory });
    const { argv } = JSON.parse(Deno.readTextFileSync(`${spec}/kernel.json`));
    const script = Deno.readTextFileSync(argv[1]);
    assertStringIncludes(script, `'${Deno.execPath()}'`);
    // npm cleaned its cache: the Deno of PATH is taken.
    Deno.writeTextFileSync(argv[1], script.replace(Deno.execPath(), "/gone/deno"));
    Deno.mkdirSync(`${directory}/bin`);
    Deno.writeTextFileSync(`${directory}/bin/deno`, '#!/bin/sh\necho "other deno: $*"\n', {
      mode: 0o755,
    });
    const output = new Command(argv[0], {
      args: [argv[1], "connection.json"],
      env: { PATH: `${directory}/bin:/usr/bin:/bin` },
    }).outputSync();
    assertEquals(
      new TextDecoder().decode(output.stdout),
      "other deno: jupyter --kernel --conn connection.json\n",
    );
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

test(`what a cell prints stays with it, and what goes wrong is said`, {
  needs: [{ component: "nbclient" }],
}, async () => {
  const many = "for (let i = 0; i < 30; i++) console.log(`line ${i}`);";
  const [printed, thrown, hanging, dead] = await Promise.all([
    executeNotebook(notebookOf(many, "1 + 1", many)),
    executeNotebook(notebookOf("const a = 1;", 'throw new Error("boom");', "2")),
    executeNotebook(notebookOf("while (true) {}"), { cellSeconds: 3 }),
    executeNotebook(notebookOf("Deno.exit(3);")),
  ]);
  assertEquals(printed.failure, undefined);
  const shown = printed.notebook.cells.map((cell) => shownText(cell).match(/line \d+/g)?.length);
  assertEquals(shown, [30, undefined, 30]);
  assertStringIncludes(shownText(printed.notebook.cells[1]!), "2");
  assertEquals(thrown.failure?.cell, 1);
  assertStringIncludes(thrown.failure!.message, "boom");
  assertEquals(hanging.failure, { cell: 0, message: "it did not end within 3 s" });
  assertStringIncludes(dead.failure!.message, "the kernel died");
});

test("what the microscope saw is a picture in a notebook, and a list beside it", {
  needs: [{ component: "nbclient" }],
}, async () => {
  const view = { label: "send", factors: {}, work: { count: 2, unit: "request" } };
  const elsewhere = { exceptions: 0, interrupts: 3, otherThreads: 0, userSpace: 9 };
  const functions = ["entry_SYSCALL_64", "sendmsg", "rep_movs_alternative"];
  const calls = [[0, 0, 10, 0], [1, 1, 30, 0], [2, 2, 60, 4096]];
  const { failure, notebook } = await executeNotebook(notebookOf(
    'import { plot, type RunView } from "zclab/experiment";\n' +
      `const view: RunView = ${JSON.stringify({ ...view, elsewhere, functions, calls })};\n` +
      'plot([view], { kind: "flame" })',
    'plot([view, { ...view, label: "lend", calls: view.calls.slice(0, 2) }], { kind: "changes" })',
  ));
  assertEquals(failure, undefined);
  const [flame, changes] = notebook.cells.map((cell) => shownText(cell));
  assertStringIncludes(flame!, "<img ");
  assertStringIncludes(flame!, "<title>rep_movs_alternative: 30 instructions, 60.0 %;");
  assertStringIncludes(flame!, "30  60.0 %  rep_movs_alternative < sendmsg");
  assertStringIncludes(changes!, "<title>What changes from send to lend</title>");
});

test(`a notebook that is stopped leaves no process behind`, {
  needs: [{ component: "nbclient" }],
}, async () => {
  const mark = `ZCLAB_MARK=${crypto.randomUUID()}`;
  const folder = Deno.makeTempDirSync({ prefix: "zclab-test-" });
  Deno.env.set("ZCLAB_MARK", mark.split("=")[1]!);
  try {
    const controller = new AbortController();
    const running = executeNotebook(
      notebookOf(`Deno.writeTextFileSync("${folder}/started", ""); await new Promise(() => {});`),
      { signal: controller.signal },
    ).then(() => "ended", (error) => error.name);
    await until("the cell runs", () => [...Deno.readDirSync(folder)].length > 0);
    Deno.env.delete("ZCLAB_MARK");
    assert(isMarkedProcessLeft(mark), "the kernel carries the mark");
    controller.abort();
    assertEquals(await running, "AbortError");
    await untilMarkedProcessesAreGone(mark);
  } finally {
    Deno.env.delete("ZCLAB_MARK");
    Deno.removeSync(folder, { recursive: true });
  }
});

test(`what a check that was killed has left is removed by the next one`, {
  needs: [{ component: "nbclient" }],
}, async () => {
  const folder = Deno.makeTempDirSync({ prefix: "zclab-test-" });
  const mark = crypto.randomUUID();
  const before = Deno.env.get("TMPDIR");
  const rooms = (): string[] => [...Deno.readDirSync(folder)].map(({ name }) => name);
  try {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", `${PROJECT}/notebooks/main.ts`, "--check", "01"],
      env: { TMPDIR: folder, ZCLAB_MARK: mark },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    // The kernel's spec is in the room of the execution, which comes after that of the types.
    const isExecuting = (): boolean =>
      rooms().some((name) => {
        try {
          return Deno.statSync(`${folder}/${name}/data/kernels`).isDirectory;
        } catch {
          return false;
        }
      });
    await until("the check executes something", isExecuting);
    child.kill("SIGKILL");
    await child.status;
    assertEquals(rooms().length, 1);
    await untilMarkedProcessesAreGone(mark);
    Deno.env.set("TMPDIR", folder);
    assertEquals(await checkTypes(new Map()), new Map());
    assertEquals(rooms(), []);
  } finally {
    if (before === undefined) Deno.env.delete("TMPDIR");
    else Deno.env.set("TMPDIR", before);
    Deno.removeSync(folder, { recursive: true });
  }
});
