import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import * as zclab from "zclab";
import { CATALOGUE } from "../../labs/catalogue.ts";
import { labsByName, makeHelp } from "../../labs/kit/repl.ts";
import { NEEDY, SAMPLE } from "./sample_lab.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));

/** Types lines into `deno task repl`. */
async function type(
  lines: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number; out: string; errors: string }> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "repl"],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [output] = await Promise.all([
    process.output(),
    new Blob([lines.map((line) => `${line}\n`).join("")]).stream().pipeTo(process.stdin)
      // A prompt that never came does not read.
      .catch(() => {}),
  ]);
  const decoder = new TextDecoder();
  return {
    code: output.code,
    out: decoder.decode(output.stdout),
    errors: decoder.decode(output.stderr),
  };
}

function helpWith(names: Record<string, unknown>, what?: unknown): string {
  let text = "";
  const help = makeHelp(names, (piece) => text += piece);
  if (what === undefined) help();
  else help(what);
  return text;
}

Deno.test("the REPL has everything of the library in scope, and ends with its input", async () => {
  const names = [...Object.keys(zclab), "labs", "help"];
  const { code, out, errors } = await type([
    `[${names.map((name) => `typeof ${name}`).join(", ")}].includes("undefined")`,
    `Object.keys(labs).join()`,
  ]);
  assertEquals([code, errors], [0, ""]);
  const [first = "", second = "", ...answers] = out.trimEnd().split("\n");
  assertStringIncludes(first, Deno.osRelease());
  assertStringIncludes(second, "help()");
  assertEquals(answers, ["false", `"${CATALOGUE.map(({ name }) => name).join()}"`]);
});

Deno.test("the REPL passes the exit code on", async () => {
  assertEquals((await type(["Deno.exit(5)"])).code, 5);
});

Deno.test("the REPL ends with 77 and the command where the system lacks something", async () => {
  const { code, out, errors } = await type(["1 + 1"], {
    CC: "no-such-compiler",
    ZCLAB_NO_INSTALL: "1",
  });
  assertEquals([code, out], [77, ""]);
  assertMatch(errors, /C compiler[\s\S]*apt-get install -y gcc libc6-dev/);
});

Deno.test("labsByName() shows the labs as a list", () => {
  const labs = labsByName([SAMPLE, NEEDY]);
  assertEquals(Object.keys(labs), ["sample-lab", "needy-lab"]);
  assertStringIncludes(Deno.inspect(labs), "needy-lab: Needs what is not there");
});

Deno.test("help() lists each exported value with what it is", () => {
  const text = helpWith({ ...zclab });
  const lines = text.split("\n");
  for (const name of Object.keys(zclab)) {
    const line = lines.find((line) => line.startsWith(`${name} `));
    assert(line !== undefined, name);
    assertMatch(line, /^\S+ {2,}\S.*/, `${name} has no documentation`);
  }
});

Deno.test("help() explains classes, instances, names and types", () => {
  const names = { ...zclab };
  using area = zclab.Area.map({ bytes: 4096 });
  for (const what of [zclab.Area, area, "Area"]) {
    assertStringIncludes(helpWith(names, what), "class Area");
  }
  assertStringIncludes(helpWith(names, "AreaOptions"), "interface AreaOptions");
});

Deno.test("help() says what it does not know", () => {
  for (const what of [42, "NoSuchThing", "--help", "", null, { a: 1 }, () => {}]) {
    assertStringIncludes(helpWith({ ...zclab }, what), "help() lists all there is", String(what));
  }
});
