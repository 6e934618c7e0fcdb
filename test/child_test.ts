import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Command } from "./child.ts";
import { untilMarkedProcessesAreGone } from "./leftovers.ts";

Deno.test("a child that ends in time ends as it does without a limit", async () => {
  const args = ["-c", "echo out; echo err >&2; exit 3"];
  const command = new Command("sh", { args, seconds: 60 });
  for (const { code, stdout, stderr } of [await command.output(), command.outputSync()]) {
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assertEquals([code, out, err], [3, "out\n", "err\n"]);
  }
  const crash = new Command("sh", { args: ["-c", "ulimit -c 0; kill -SEGV $$"], seconds: 60 });
  assertEquals((await crash.output()).signal, "SIGSEGV");
});

Deno.test("a child that hangs is killed with its children, and named", async () => {
  const mark = crypto.randomUUID();
  const command = new Command("sh", {
    args: ["-c", "sleep 1000 & sleep 1000"],
    env: { ZCLAB_MARK: mark },
    seconds: 1,
  });
  const said = "Had not ended after 1 s, and was killed: sh -c sleep 1000";
  await assertRejects(() => command.output(), Error, said);
  assertThrows(() => command.outputSync(), Error, said);
  await untilMarkedProcessesAreGone(mark);
});

Deno.test("a child that was started and hangs is killed", async () => {
  const child = new Command("sleep", { args: ["1000"], seconds: 1 }).spawn();
  assertEquals((await child.status).signal, "SIGKILL");
});
