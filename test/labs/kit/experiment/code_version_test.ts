import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import configuration from "../../../../deno.json" with { type: "json" };
import { codeVersion } from "../../../../labs/kit/experiment/code_version.ts";
import { Command } from "../../../child.ts";
import { test } from "../../../needs.ts";
import { inFolder } from "../../../folder.ts";

const { version } = configuration;

async function git(folder: string, ...args: string[]): Promise<string> {
  const identity = ["-c", "user.name=zclab", "-c", "user.email=zclab@example.org"];
  const { success, stdout, stderr } = await new Command("git", {
    args: ["-C", folder, ...identity, ...args],
    stdin: "null",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

test(`codeVersion() tells the commit, and whether files that git knows changed`, {
  needs: [{ program: "git" }],
}, () =>
  inFolder(async (folder) => {
    await git(folder, "init", "--quiet");
    assertEquals(codeVersion(folder), { version, commit: null, dirty: null });
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "one");
    await git(folder, "add", "file");
    await git(folder, "commit", "--quiet", "--message", "one");
    const commit = await git(folder, "rev-parse", "HEAD");
    assertEquals(codeVersion(folder), { version, commit, dirty: false });
    await Deno.writeTextFile(join(folder, "unknown"), "");
    assertEquals(codeVersion(folder).dirty, false);
    await Deno.writeTextFile(file, "two");
    assertEquals(codeVersion(folder), { version, commit, dirty: true });
    await git(folder, "add", "file");
    assertEquals(codeVersion(folder).dirty, true);
  }));

test(`codeVersion() does not take a repository above for ours`, {
  needs: [{ program: "git" }],
}, () =>
  inFolder(async (folder) => {
    await git(folder, "init", "--quiet");
    await git(folder, "commit", "--quiet", "--allow-empty", "--message", "above");
    const inner = join(folder, "node_modules", "zclab");
    await Deno.mkdir(inner, { recursive: true });
    assertEquals(codeVersion(inner), { version, commit: null, dirty: null });
    // Nor one that the environment names.
    const before = Deno.env.get("GIT_DIR");
    try {
      Deno.env.set("GIT_DIR", join(folder, ".git"));
      assertEquals(codeVersion(inner).commit, null);
    } finally {
      if (before === undefined) Deno.env.delete("GIT_DIR");
      else Deno.env.set("GIT_DIR", before);
    }
  }));

Deno.test("codeVersion() never throws: without a folder, without git, without permission", () =>
  inFolder(async (folder) => {
    assertEquals(codeVersion("/nowhere/at/all"), { version, commit: null, dirty: null });
    const module = import.meta.resolve("../../../../labs/kit/experiment/code_version.ts");
    const program = join(folder, "program.ts");
    await Deno.writeTextFile(
      program,
      `import { codeVersion } from ${JSON.stringify(module)};
      console.log(JSON.stringify(codeVersion()));`,
    );
    const config = import.meta.resolve("../../../../deno.json").replace("file://", "");
    for (const flags of [["--allow-all"], ["--allow-read"], []]) {
      const { stdout, stderr, success } = await new Command(Deno.execPath(), {
        args: ["run", "--no-prompt", "--no-check", "--config", config, ...flags, program],
        env: { PATH: "/nowhere" },
        stdin: "null",
      }).output();
      assert(success, new TextDecoder().decode(stderr));
      assertEquals(JSON.parse(new TextDecoder().decode(stdout)), {
        version,
        commit: null,
        dirty: null,
      });
    }
  }));

Deno.test("codeVersion() of this checkout is a commit, or null where it is none", () => {
  const own = codeVersion();
  assertEquals(own.version, version);
  if (own.commit !== null) assertMatch(own.commit, /^[0-9a-f]{40,64}$/);
  assertEquals(own.commit === null, own.dirty === null);
});
