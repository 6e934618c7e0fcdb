import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { doctor } from "../../../../labs/kit/commands/doctor.ts";
import type { Lab } from "../../../../labs/kit/lab/lab.ts";
import { OptionError } from "../../../../labs/kit/options/options.ts";
import { probe } from "../../../../labs/kit/probe/probe.ts";
import { REQUIREMENTS } from "../../../../labs/kit/probe/requirements.ts";
import { NEEDY, SAMPLE } from "../../sample_lab.ts";

async function run(
  args: readonly string[],
  catalogue: readonly Lab[],
): Promise<{ code: number; text: string }> {
  let text = "";
  const code = await doctor(args, catalogue, (piece) => text += piece, false);
  return { code, text };
}

Deno.test("doctor exits with 0 where the flagship lab can run, and shows everything", async () => {
  const { code, text } = await run([], [SAMPLE, NEEDY]);
  assertEquals(code, 0);
  for (const name of REQUIREMENTS) assertStringIncludes(text, name);
  assertStringIncludes(text, "Lab sample-lab can run here");
});

Deno.test("doctor exits with 77 where the flagship lab cannot run, and names why", async () => {
  const { missing } = await lacking();
  const { code, text } = await run([], [{ ...NEEDY, needs: missing }]);
  assertEquals(code, missing.length === 0 ? 0 : 77);
  for (const name of missing) assertStringIncludes(text, name);
});

Deno.test("doctor exits with 77 where there is no lab at all", async () => {
  assertEquals((await run([], [])).code, 77);
});

Deno.test("doctor --json says the same to programs", async () => {
  const { code, text } = await run(["--json"], [SAMPLE, NEEDY]);
  const here = await probe();
  const { machine, items, labs } = JSON.parse(text);
  assertEquals(code, 0);
  assertEquals(machine, { ...here.machine });
  assertEquals(items, [...here.items]);
  assertEquals(labs[0], { name: "sample-lab", state: "real", missing: [] });
  const isReal = here.item("zcrx").state === "real";
  assertEquals(labs[1].missing, isReal ? [] : ["zcrx"]);
});

Deno.test("doctor --help explains it", async () => {
  const { code, text } = await run(["--help"], [NEEDY]);
  assertEquals(code, 0);
  assertStringIncludes(text, "77");
});

Deno.test("doctor refuses arguments that it does not know", async () => {
  for (const argument of ["--jsn", "-x", "here", "--no-json"]) {
    await assertRejects(() => run([argument], [SAMPLE]), OptionError, argument);
  }
});

/** What is not real here. */
async function lacking(): Promise<{ missing: Lab["needs"] }> {
  const { items } = await probe();
  const missing = items.filter(({ state }) => state !== "real").map(({ name }) => name);
  assert(missing.every((name) => REQUIREMENTS.includes(name)));
  return { missing };
}
