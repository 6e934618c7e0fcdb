import { assertEquals, assertStringIncludes } from "@std/assert";
import { Command } from "./child.ts";
import { untilMarkedProcessesAreGone } from "./leftovers.ts";
import { countTests } from "./report.ts";
import { PROGRESS } from "./progress.ts";
import { Watchdog } from "./watchdog.ts";

/** Longer than `deno test` takes to come to its first test, on a machine that is busy as well. */
const SECONDS = 8;

/** Runs tests of which one hangs, in a file of their own, until the watchdog ends them. */
async function run(hanging: string): Promise<{ hung: string | undefined; report: string }> {
  const folder = Deno.makeTempDirSync({ prefix: "zclab-test-" });
  const mark = crypto.randomUUID();
  try {
    const progress = `${folder}/progress`;
    Deno.writeTextFileSync(
      `${folder}/a_test.ts`,
      `Deno.test("first", () => {}); Deno.test("hangs", ${hanging});`,
    );
    const preload = new URL("progress.ts", import.meta.url);
    const child = new Command(Deno.execPath(), {
      args: [
        "test",
        "-A",
        "--no-config",
        "--no-check",
        "--junit-path=report",
        `--preload=${preload}`,
        "a_test.ts",
      ],
      cwd: folder,
      env: { [PROGRESS]: progress, ZCLAB_MARK: mark },
      stdout: "null",
      stderr: "null",
    }).spawn();
    using watchdog = new Watchdog(child, progress, SECONDS);
    await child.status;
    await untilMarkedProcessesAreGone(mark);
    const report = await Deno.readTextFile(`${folder}/report`).catch(() => "");
    return { hung: watchdog.hung?.slice(-"/a_test.ts".length), report };
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

for (
  const [what, hanging] of [
    [
      "waits for ever",
      `async () => { await new Deno.Command("sleep", { args: ["1000"] }).output(); }`,
    ],
    ["never gives the processor back", "() => { while (true); }"],
  ] as const
) {
  Deno.test(`a test that ${what} is ended and named, and leaves no child`, async () => {
    const { hung, report } = await run(hanging);
    assertEquals(hung, "/a_test.ts");
    assertEquals(countTests(report), {
      passed: 1,
      failed: [{ name: "hangs", reason: "Cancelled" }],
      skipped: [],
    });
  });
}

Deno.test("a run that goes on is left alone", async () => {
  const { hung, report } = await run("() => {}");
  assertEquals(hung, undefined);
  assertStringIncludes(report, 'name="hangs"');
});
