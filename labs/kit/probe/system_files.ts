/**
 * Files that tell what a system is, where not being there is an answer as well.
 *
 * @module
 */
import { type CAP, hasCapability } from "../../../ffi/kernel/capability.ts";

/** Whether this process has a capability; not where it cannot be found out. */
export function has(capability: keyof typeof CAP): boolean {
  return hasCapability(capability, read("/proc/self/status") ?? "");
}

/** A file of the kernel; undefined where it is not there. */
export function read(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}

/** The names in a folder; none where it is not there. */
export function list(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map(({ name }) => name);
  } catch {
    return [];
  }
}

/** What went wrong, in words. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
