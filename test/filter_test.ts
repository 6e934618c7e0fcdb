import { assert, assertEquals } from "@std/assert";
import { Command } from "./child.ts";
import { exactly, matcher } from "./filter.ts";

Deno.test("a filter is a part of a name, or an expression between slashes", () => {
  const names = ["Ring.open() opens", "Area.map() maps", "a/b/c"];
  const matching = (filter: string): string[] => names.filter(matcher(filter));
  assertEquals(matching("()"), names.slice(0, 2));
  assertEquals(matching("ring"), []);
  assertEquals(matching("/^[AR].*s$/"), names.slice(0, 2));
  assertEquals(matching("/b/"), ["a/b/c"]);
  assertEquals(matching("/"), names);
  assertEquals(matching("/b"), ["a/b/c"]);
});

Deno.test("exactly() is matched by the names, and by no others, as deno test understands it", () => {
  const names = ["a.b (c) [d] {e} ^f$ |g| h*+? \\i /j/ \"k\" 'l' ü <m> & #n-o~p", "q", "r: s, t"];
  const others = ["a-b", "qq", "", " q", "r: s", names[0]!.slice(1)];
  const isMatch = matcher(exactly(names));
  for (const name of names) assert(isMatch(name), name);
  for (const name of others) assert(!isMatch(name), name);

  const folder = Deno.makeTempDirSync({ prefix: "zclab-test-" });
  try {
    const tests = [...names, ...others.filter((name) => name !== "")]
      .map((name) => `Deno.test(${JSON.stringify(name)}, () => {});`);
    Deno.writeTextFileSync(`${folder}/a_test.ts`, tests.join("\n"));
    const { stdout } = new Command(Deno.execPath(), {
      args: ["test", "--no-config", "--no-check", "--filter", exactly(names), "a_test.ts"],
      cwd: folder,
      env: { NO_COLOR: "1" },
    }).outputSync();
    const text = new TextDecoder().decode(stdout);
    assert(text.includes("3 passed | 0 failed | 5 filtered out"), text);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
