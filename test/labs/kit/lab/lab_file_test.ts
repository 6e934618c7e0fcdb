import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { readRunDocument } from "zclab/experiment";
import { Command } from "../../../child.ts";
import { textOf } from "../../../ffi/connections.ts";

const PROJECT = fromFileUrl(new URL("../../../..", import.meta.url)).replace(/\/$/, "");

/** A folder outside the project, and `deno task lab` as a user types it there. */
class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "zclab-own-lab-" });

  lab(...args: string[]): { code: number; stdout: string; stderr: string } {
    const { code, stdout, stderr } = new Command(Deno.execPath(), {
      args: ["task", "--quiet", "--config", `${PROJECT}/deno.json`, "lab", ...args],
      cwd: this.path,
      env: { NO_COLOR: "1", INIT_CWD: this.path },
    }).outputSync();
    return { code, stdout: textOf(stdout), stderr: textOf(stderr) };
  }

  write(name: string, text: string): void {
    Deno.writeTextFileSync(`${this.path}/${name}`, text);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** A lab of known numbers. */
function labText(name: string, rest = ""): string {
  return `
    import { cross } from "zclab/experiment";
    import { defineLab } from "zclab/lab";
    export const ${name} = defineLab({
      name: "${name}",
      title: "Known numbers",
      description: "Numbers that are known.",
      needs: [],
      options: { by: { kind: "number", description: "what to add", default: 1 } },
      repeats: { default: 3, quick: 2, minimum: 2 },
      factors: () => cross({ way: ["a", "b"] }),
      baseline: { way: "a" },
      trial: ({ way }, _, { round, options }) => ({ rate: (way === "b" ? 4 : 2) + round * options.by }),
      columns: { rate: { title: "rate", better: "higher", verdict: true } },
    });
    ${rest}
  `;
}

Deno.test("lab new writes a lab that runs as it is, outside the project too", () => {
  using folder = new Folder();
  const made = folder.lab("new", "my-first-lab");
  assertEquals([made.code, made.stderr], [0, ""]);
  const task = `deno task --config ${PROJECT}/deno.json lab`;
  assertStringIncludes(made.stdout, `\n  ${task} ./my-first-lab.ts\n`);
  const text = Deno.readTextFileSync(`${folder.path}/my-first-lab.ts`);
  assertStringIncludes(text, `${task} replay run.json ./my-first-lab.ts`);
  const check = /deno check (--config .*) (\.\/my-first-lab\.ts)/.exec(text)!;
  const checked = new Command(Deno.execPath(), {
    args: ["check", ...check[1]!.split(" "), check[2]!],
    cwd: folder.path,
    env: { NO_COLOR: "1" },
  }).outputSync();
  assertEquals(checked.code, 0, textOf(checked.stderr));
  assertEquals(text.includes("template"), false);

  const again = folder.lab("new", "my-first-lab");
  assertEquals(again.code, 2);
  assertStringIncludes(again.stderr, "is there already");
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["my-first-lab.ts"]);

  const run = folder.lab("./my-first-lab.ts", "--quick", "--requests", "640", "--json", "run.json");
  // Where something that it needs is missing it says so, as every lab does.
  if (run.code === 77) {
    assertStringIncludes(run.stderr, "not possible on this machine");
    return;
  }
  assertEquals(run.code, 0, run.stderr);
  const { lab, complete, summary } = readRunDocument(
    Deno.readTextFileSync(`${folder.path}/run.json`),
  );
  assertEquals([lab, complete, summary.length], ["my-first-lab", true, 4]);
  for (const { mode, proof, sent } of summary) {
    assertEquals([proof, sent], [mode === "SEND" ? null : "not copied", 1920]);
  }
});

Deno.test("lab new takes the name of a file as well, and writes what loads whatever it is called", () => {
  using folder = new Folder();
  for (const name of ["define-lab", "cross.ts", "./performance.ts"]) {
    assertEquals(folder.lab("new", name).code, 0, name);
  }
  const files = ["cross.ts", "define-lab.ts", "performance.ts"];
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(), files);
  for (const file of files) {
    const { code, stderr } = folder.lab(`./${file}`, "--help");
    assertEquals(code, 0, stderr);
  }
  for (const name of ["", "My-Lab", "a b", "../up", "-x", "up/x.ts"]) {
    assertEquals(folder.lab("new", name).code, 2, name);
  }
  assertEquals([...Deno.readDirSync(folder.path)].length, files.length);
});

Deno.test("a file is no verb, whatever it and its lab are called", () => {
  using folder = new Folder();
  folder.write("new.ts", labText("own").replace('name: "own"', 'name: "new"'));
  folder.write("replay.ts", labText("own").replace('name: "own"', 'name: "replay"'));
  for (const file of ["./new.ts", "./replay.ts", "replay.ts"]) {
    const { code, stdout, stderr } = folder.lab(file, "--by", "0");
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "b is 100 % faster");
  }
});

Deno.test("a file that exports a lab has all that a lab of the project has", () => {
  using folder = new Folder();
  folder.write("own.ts", labText("own"));
  const help = folder.lab("./own.ts", "--help");
  assertEquals(help.code, 0);
  assertMatch(help.stdout, /--by N\s+what to add \(default 1\)/);
  assertMatch(
    help.stdout,
    /Options of this lab:\n +--by N [^\n]*\n\nOptions of every lab:\n[^]* --cpu N /,
  );
  const task = `deno task --config ${PROJECT}/deno.json lab`;
  assertStringIncludes(help.stdout, `Usage: ${task} ./own.ts [options]\n`);
  const mistyped = folder.lab("./own.ts", "--bye", "3");
  assertEquals(mistyped.code, 2);
  assertStringIncludes(mistyped.stderr, `${task} ./own.ts --help lists its options`);
  const unnamed = folder.lab("own", "--by", "3");
  assertEquals(unnamed.code, 2);
  assertEquals(
    unnamed.stderr,
    'error: There is no lab "own". own.ts is in this folder: did you mean ./own.ts?\n',
  );

  const run = folder.lab("./own.ts", "--by", "0", "--json", "a.json", "--html", "a.html");
  assertEquals(run.code, 0, run.stderr);
  assertStringIncludes(run.stdout, "b is 100 % faster");
  const page = Deno.readTextFileSync(`${folder.path}/a.html`);
  assert(page.includes("<p>Known numbers</p>"), "the title of the lab");
  assert(page.includes("b is 100 % faster"), "the verdict");

  const replayed = folder.lab("replay", "a.json", "./own.ts", "--json", "b.json");
  assertEquals(replayed.code, 0, replayed.stderr);
  assertStringIncludes(replayed.stdout, "agrees");
  const [a, b] = ["a", "b"].map((name) =>
    readRunDocument(Deno.readTextFileSync(`${folder.path}/${name}.json`))
  );
  assertEquals(b!.parameters, a!.parameters);

  assertEquals(a!.code.labFile?.name, "own.ts");
  assertEquals(replayed.stdout.includes("lab file"), false);
  // A file that was changed since is told, as other code would be.
  folder.write("own.ts", `${labText("own")}// Changed.\n`);
  const changed = folder.lab("replay", "a.json", "./own.ts");
  assertEquals(changed.code, 0, changed.stderr);
  assertMatch(changed.stdout, /lab file +own\.ts [0-9a-f]{10} +own\.ts [0-9a-f]{10} \(changed\)/);

  const compared = folder.lab("compare", "a.json", "b.json", "./own.ts");
  assertEquals(compared.code, 0, compared.stderr);
  assertStringIncludes(compared.stdout, "agrees");
  // Without its file nobody knows the lab of a document.
  const unknown = folder.lab("replay", "a.json");
  assertEquals(unknown.code, 2);
  assertStringIncludes(unknown.stderr, "name that besides: ./own.ts");
});

Deno.test("a file without a lab, with several, or with a mistake says what is wrong", () => {
  using folder = new Folder();
  folder.write("none.ts", "export const x = 1;");
  folder.write("two.ts", `${labText("one")}${labText("two").replaceAll(/import .*\n/g, "")}`);
  folder.write("chosen.ts", labText("one", "export default one; export const other = { ...one };"));
  folder.write("broken.ts", "throw new Error('mine');");
  const cases = [
    ["./absent.ts", 2, "there is no such file"],
    ["./none.ts", 2, "exports no lab"],
    ["./two.ts", 2, "exports 2 labs: one, two"],
    ["./broken.ts", 1, "mine"],
    ["./chosen.ts", 0, ""],
  ] as const;
  for (const [file, code, text] of cases) {
    const found = folder.lab(file);
    assertEquals(found.code, code, `${file}: ${found.stderr}`);
    assertStringIncludes(found.stderr, text);
  }
  const both = folder.lab("./none.ts", "./two.ts");
  assertEquals(both.code, 2);
  assert(both.stderr.includes("One lab at a time"));
});

Deno.test("a mistake in a trial is told once, with the line of the lab's own file", () => {
  using folder = new Folder();
  const text = labText("own").replace("({ rate:", "({ rate: round > 1 ? undefined.x :");
  folder.write("own.ts", text);
  const line = text.split("\n").findIndex((one) => one.includes("undefined.x")) + 1;
  const { code, stderr } = folder.lab("./own.ts");
  assertEquals(code, 1);
  assertMatch(
    stderr,
    new RegExp(
      "^error: Round 2, way [ab]: Cannot read properties of undefined \\(reading 'x'\\)\n" +
        ` +at .*file://${folder.path}/own\\.ts:${line}:\\d+\\)?\n` +
        "--debug shows all of where it arose\n$",
    ),
  );
  const debug = folder.lab("./own.ts", "--debug");
  assertStringIncludes(debug.stderr, "experiment.ts");
});

Deno.test("verbs are another way to say --list, --replay and --compare", () => {
  using folder = new Folder();
  const [verb, option] = [folder.lab("list"), folder.lab("--list")];
  assertEquals(verb.code, 0);
  assertEquals(verb.stdout, option.stdout);
  assertEquals(folder.lab("compare", "only.json").code, 2);
  assertEquals(folder.lab("replay").code, 2);
});

Deno.test("another project imports zclab with the two lines that the README shows", () => {
  using folder = new Folder();
  const [, lines] = /```json\n([^`]*"imports"[^`]*)```/.exec(
    Deno.readTextFileSync(`${PROJECT}/README.md`),
  )!;
  folder.write("deno.json", lines!.replaceAll("PATH/zclab", PROJECT));
  folder.write(
    "main.ts",
    `import { Ring } from "zclab";
     import { cross } from "zclab/experiment";
     import { formatBytes } from "zclab/lab";
     import { type Judgement, right } from "zclab/notebook";
     using ring = Ring.open({ entries: 8 });
     ring.batch.nop(5);
     ring.batch.submitAndWait(1);
     ring.batch.reap((userData) => console.log(userData));
     const said: Judgement = right(formatBytes(4096));
     console.log(cross({ a: [1, 2] }).length, said.message);`,
  );
  const { code, stdout, stderr } = new Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--check", "main.ts"],
    cwd: folder.path,
    env: { NO_COLOR: "1" },
  }).outputSync();
  assertEquals([code, textOf(stdout)], [0, "5\n2 4k\n"], textOf(stderr));
});
