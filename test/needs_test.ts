import { assert, assertEquals, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { Command } from "./child.ts";
import type { Listed } from "./listing.ts";
import { type Lack, missing, type Need, test, testsNeeding } from "./needs.ts";

const namesOf = (lacks: readonly Lack[]): string[] => lacks.map(({ name }) => name);

/** What registering tests tells Deno. */
function registered(register: () => void): { name: string; ignore: boolean }[] {
  const definitions: { name: string; ignore: boolean }[] = [];
  const before = Deno.test;
  const note = ({ name, ignore }: { name: string; ignore: boolean }): void => {
    definitions.push({ name, ignore });
  };
  Object.assign(Deno, { test: note });
  try {
    register();
  } finally {
    Object.assign(Deno, { test: before });
  }
  return definitions;
}

Deno.test("a test that has what it needs is registered as it is", () => {
  const definitions = registered(() => {
    test("a", () => {});
    test("b", { needs: ["liburing", { memlock: 0 }, { kernel: "5.1" }] }, () => {});
  });
  assertEquals(definitions, [{ name: "a", ignore: false }, { name: "b", ignore: false }]);
});

Deno.test("a test that lacks something is skipped, and its name says what", () => {
  const definitions = registered(() => {
    test("a", { needs: ["io_uring", { before: "5.1" }, { program: "no-such-program" }] }, () => {});
    testsNeeding({ without: "io_uring" })("b", { needs: [{ kernel: "99.0" }] }, () => {});
  });
  assertEquals(definitions, [
    { name: "a: needs Linux before 5.1, no-such-program", ignore: true },
    { name: "b: needs a machine or user without io_uring, Linux 99.0", ignore: true },
  ]);
});

Deno.test("what is missing is named once, with the reason", () => {
  assertEquals(missing([]), []);
  const wanted: Need = { name: "a moon of cheese", here: false };
  assertEquals(missing([wanted, { kernel: "5.1" }, wanted]), [{ name: wanted.name, why: "" }]);
});

Deno.test("root is needed, or must be missing", () => {
  const isRoot = Deno.uid() === 0;
  assertEquals(namesOf(missing(["root"])), isRoot ? [] : ["root"]);
  const other = "a machine or user without root";
  assertEquals(namesOf(missing([{ without: "root" }])), isRoot ? [other] : []);
});

Deno.test("a need that probe() does not know is a type error", () => {
  // @ts-expect-error: it is called zcrx
  const wrong: readonly Need[] = ["zcrxx"];
  assertThrows(() => missing(wrong), RangeError, "zcrxx");
});

test("what the guest has is to be had there, or it is said why not", {
  needs: [{ without: "softnic" }],
}, () => {
  const headers: Need = { name: "headers", here: false, inGuest: true };
  const lacks = missing(["softnic", { kernel: "7.3" }, headers]);
  for (const { obtain, why } of lacks) {
    assertEquals(obtain, lacks[0]!.obtain);
    assert(obtain === "guest" || why.includes("the guest has it"), why);
  }
  assertEquals(missing([{ kernel: "99.0" }, { ...headers, inGuest: false }]), [
    { name: "Linux 99.0", why: "" },
    { name: "headers", why: "" },
  ]);
});

Deno.test("tests are listed without running them, with their names and what they lack", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "zclab-test-" });
  try {
    const needs = new URL("needs.ts", import.meta.url);
    Deno.writeTextFileSync(
      `${folder}/a_test.ts`,
      `import { test } from "${needs}";
      console.log("loaded");
      const never = () => { throw new Error("run"); };
      Deno.test("one", never);
      Deno.test({ name: "two", fn: never });
      Deno.test("three", { permissions: "none" }, never);
      Deno.test(function four() { never(); });
      test("five", { needs: [{ program: "no-such-program" }] }, never);
      Deno.test.beforeEach(never);`,
    );
    Deno.writeTextFileSync(`${folder}/b_test.ts`, `throw new Error("not loaded");`);
    const files = [`${folder}/a_test.ts`, `${folder}/b_test.ts`];
    const { code, stdout, stderr } = await new Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "test/listing.ts", `${folder}/list.json`, ...files],
      cwd: fromFileUrl(new URL("..", import.meta.url)),
    }).output();
    const decoder = new TextDecoder();
    assertEquals([code, decoder.decode(stdout), decoder.decode(stderr)], [0, "", ""]);
    const listed: Listed[] = JSON.parse(Deno.readTextFileSync(`${folder}/list.json`));
    assertEquals(listed.map(({ file, name }) => [file, name]), [
      ...["one", "two", "three", "four", "five"].map((name) => [files[0], name]),
      [files[1], undefined],
    ]);
    assertEquals(listed[4]!.registered, "five: needs no-such-program");
    assertEquals(listed[4]!.lacks, [{ name: "no-such-program", why: "" }]);
    assertEquals(listed.map(({ lacks }) => lacks.length), [0, 0, 0, 0, 1, 0]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
