/**
 * What a killed process could leave behind: processes, interfaces, and namespaces, which without a
 * name nobody can list; so the kernel counts them.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Command } from "./child.ts";
import { until } from "./until.ts";

/** Such a module starts and kills many programs; with a busy processor that takes minutes. */
const SECONDS = 600;

/** Runs a module as root of a new user namespace in which only so many network namespaces fit. */
export function runWithFewNamespaces(most: number, source: string, path?: string): Promise<string> {
  return run("unshare", [
    "--user",
    "--map-root-user",
    "sh",
    "-c",
    `echo ${most} > /proc/sys/user/max_net_namespaces && exec "$@"`,
    "sh",
    Deno.execPath(),
    "eval",
    source,
  ], path);
}

async function run(program: string, args: string[], path = Deno.env.get("PATH")!): Promise<string> {
  const env = { PATH: path, NO_COLOR: "1" };
  const output = await new Command(program, { args, env, seconds: SECONDS }).output();
  assertEquals(new TextDecoder().decode(output.stderr), "");
  return new TextDecoder().decode(output.stdout);
}

/** Counts namespaces by making as many as the limit still allows: the kernel counts what leaked. */
export const COUNT_FREE = `
  const { NetworkNamespace } = await import("${new URL(
  "../ffi/net/namespace.ts",
  import.meta.url,
)}");
  async function free(most) {
    const deadline = performance.now() + 30_000;
    while (performance.now() < deadline) {
      const made = [];
      try {
        while (made.length < most) made.push(NetworkNamespace.create());
      } catch (error) {
        if (error.name !== "UnsupportedError") throw error;
      }
      for (const namespace of made) namespace.close();
      if (made.length === most) return most;
      // The kernel takes namespaces down in a thread of its own.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return "fewer than before";
  }
`;

/** Whether a process of the family that carries this mark in its environment still runs. */
export function isMarkedProcessLeft(mark: string): boolean {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (Deno.readTextFileSync(`/proc/${name}/environ`).includes(mark)) return true;
    } catch {
      // It ended meanwhile, or belongs to somebody else.
    }
  }
  return false;
}

/** Waits until none runs: who ends may do so a moment after its parent. */
export function untilMarkedProcessesAreGone(mark: string): Promise<void> {
  return until("all marked processes are gone", () => !isMarkedProcessLeft(mark));
}

/** The interfaces of this namespace, by name. */
export function ownInterfaces(): string[] {
  return Deno.readTextFileSync("/proc/thread-self/net/dev").match(/^\s*[\w.@-]+(?=:)/gm)!.sort();
}
