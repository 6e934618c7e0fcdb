/**
 * What some tests need, and not every user and machine has. A test that lacks something is skipped,
 * and its name says what: `deno task test` prints the names of those that did not run.
 *
 * @module
 */
import { statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { kernelIsAtLeast } from "../ffi/kernel/errors.ts";
import { type Component, GUEST_COMPONENTS, missingComponents } from "../labs/kit/terminal/setup.ts";
import { guestObstacle } from "../vm/build.ts";

/** A thing that a test can need. */
export type Need =
  /** To be root: to become other users, to change devices, to make namespaces without an owner. */
  | "root"
  /** A guest that is built, or can be. */
  | "guest"
  /** A temporary directory that is on a disk, and not in memory as a tmpfs is. */
  | "disk"
  /** A version of Linux, or a later one. */
  | { readonly kernel: string }
  /** So many bytes that may be registered at a time, in all that runs as this user. */
  | { readonly memlock: number }
  /** A program or library. */
  | Component;

/** What the kernel lets each user lock, unless somebody has changed it. */
export const USUAL_MEMLOCK: Need = { memlock: 8 << 20 };

/**
 * The name of a test, and whether it is skipped: what `Deno.test` takes before the function, or
 * a part of what it takes as one object.
 *
 * @param name The test's name.
 * @param needs What it needs.
 * @returns The name, with what is missing if something is, and `ignore`.
 */
export function needing(
  name: string,
  ...needs: readonly Need[]
): { name: string; ignore: boolean } {
  const missing = needs.map(missingPart).filter((text) => text !== undefined);
  const ignore = missing.length > 0;
  return { name: ignore ? `${name}: needs ${missing.join(", ")}` : name, ignore };
}

function missingPart(need: Need): string | undefined {
  if (typeof need === "object") {
    if ("memlock" in need) return missingMemlock(need.memlock);
    return kernelIsAtLeast(need.kernel) ? undefined : `Linux ${need.kernel}`;
  }
  switch (need) {
    case "root":
      return Deno.uid() === 0 ? undefined : "root";
    case "guest": {
      const obstacle = guestObstacle() ?? missingComponents(GUEST_COMPONENTS).join(", ");
      return obstacle === "" ? undefined : `the guest (${obstacle})`;
    }
    case "disk":
      return isInMemory(tmpdir()) ? "a temporary directory on a disk (TMPDIR)" : undefined;
    default:
      return missingComponents([need])[0];
  }
}

/** The number of a tmpfs in `statfs(2)`. */
const TMPFS_MAGIC = 0x0102_1994;

function isInMemory(path: string): boolean {
  return statfsSync(path).type === TMPFS_MAGIC;
}

const CAP_IPC_LOCK = 14;

function missingMemlock(bytes: number): string | undefined {
  const status = Deno.readTextFileSync("/proc/self/status");
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)![1]}`);
  if (((effective >> BigInt(CAP_IPC_LOCK)) & 1n) === 1n) return undefined;
  const limits = Deno.readTextFileSync("/proc/self/limits");
  const soft = Number(/^Max locked memory\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
  if (soft >= bytes) return undefined;
  return `${bytes / 1024} KiB of locked memory (ulimit -l is ${soft / 1024})`;
}
