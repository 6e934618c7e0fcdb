import { assertEquals, assertThrows } from "@std/assert";
import { OptionError } from "zclab/lab";
import { isAlive, ownerOf, together } from "../../../vm/standing/owners.ts";
import { Command } from "../../child.ts";

const OWNERS = new URL("../../../vm/standing/owners.ts", import.meta.url).href;

Deno.test("an owner is alive until its process ends", async () => {
  const child = new Command("sleep", { args: ["100"] }).spawn();
  const owner = ownerOf(child.pid);
  assertEquals(owner.name, "sleep");
  assertEquals(isAlive(owner), true);
  child.kill("SIGKILL");
  await child.status;
  assertEquals(isAlive(owner), false);
});

Deno.test("another process that got the number is not the owner", () => {
  const owner = ownerOf(Deno.pid);
  assertEquals(isAlive(owner), true);
  assertEquals(isAlive({ ...owner, started: "1" }), false);
});

Deno.test("an owner that is not there is refused", () => {
  assertThrows(() => ownerOf(2 ** 22 + 1), OptionError, "--owner: there is no process 4194305");
});

Deno.test("the session's leader is the owner, unless it is only the command", async () => {
  const program = `console.log(JSON.stringify((await import("${OWNERS}")).sessionOwner()?.name))`;
  const shown = async (program: string, args: readonly string[]): Promise<string> => {
    const { stdout } = await new Command(program, { args: [...args] }).output();
    return new TextDecoder().decode(stdout).trim();
  };
  const deno = [Deno.execPath(), "eval", program];
  // A shell that has more to do stays, and is the leader.
  assertEquals(await shown("setsid", ["sh", "-c", '"$@"; true', "sh", ...deno]), '"sh"');
  assertEquals(await shown("setsid", deno), "undefined");
});

Deno.test("together() is everybody once, and nobody where the guest is to stay for somebody", () => {
  const [one, other] = [
    { pid: 1, started: "1", name: "a" },
    { pid: 2, started: "2", name: "b" },
  ];
  assertEquals(together([one], [other]), [one, other]);
  assertEquals(together([one, other], [one]), [other, one]);
  assertEquals([together([], [one]), together([one], [])], [[], []]);
});
