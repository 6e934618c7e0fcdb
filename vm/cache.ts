/**
 * Where the guest's files are kept: in the cache of this user, shared by all checkouts.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { UnsupportedError } from "zclab";
import { ExplainedError } from "zclab";

/** The guest cannot be made or booted; the message says why, and what to do. */
export class GuestError extends ExplainedError {
  /** The name of the class. */
  override readonly name = "GuestError";
}

/** What is kept, by kind; the name says from what it was made. */
export interface Cache {
  /** The folder. */
  readonly folder: string;
  /** The path of what is kept under this name. */
  path(name: string): string;
}

/**
 * Opens the cache, making its folder if it is not there: `zclab/vm` under `$XDG_CACHE_HOME` or
 * `$HOME/.cache`.
 *
 * @returns The cache.
 * @throws {UnsupportedError} If neither of the two is set, or the folder cannot be written.
 */
export function openCache(): Cache {
  const xdg = Deno.env.get("XDG_CACHE_HOME") ?? "";
  const home = Deno.env.get("HOME") ?? "";
  const above = xdg.startsWith("/") ? xdg : home.startsWith("/") ? `${home}/.cache` : undefined;
  if (above === undefined) {
    throw new UnsupportedError("A folder for the guest", { advice: "Set HOME or XDG_CACHE_HOME" });
  }
  const folder = `${above}/zclab/vm`;
  try {
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
    Deno.removeSync(Deno.makeTempFileSync({ dir: folder, prefix: "probe-" }));
  } catch (error) {
    throw new UnsupportedError(`Writing to ${folder} (${(error as Error).message})`, {
      advice: "Set XDG_CACHE_HOME to a folder that can be written",
    });
  }
  return { folder, path: (name) => `${folder}/${name}` };
}

/**
 * Does some work while no other process does work under the same lock; the kernel ends the lock of
 * a process that is killed.
 *
 * @param cache The cache whose lock it is.
 * @param waiting Called when somebody else has the lock.
 * @param work What to do.
 * @param name The name of the lock.
 * @returns What the work returned.
 */
export async function locked<T>(
  cache: Cache,
  waiting: () => void,
  work: () => Promise<T>,
  name = "lock",
): Promise<T> {
  using file = Deno.openSync(cache.path(name), { create: true, write: true });
  if (!file.tryLockSync(true)) {
    waiting();
    await file.lock(true);
  }
  return await work();
}

/**
 * A short name for what something is made from.
 *
 * @param parts Text and bytes, in order.
 * @returns 16 hexadecimal digits.
 */
export function keyOf(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex").slice(0, 16);
}

/**
 * The bytes of every file under a folder, and their names, for {@linkcode keyOf}.
 *
 * @param folder The folder.
 * @returns Name and bytes of each, sorted by name.
 */
export function contentsOf(folder: string): (string | Uint8Array)[] {
  const parts: (string | Uint8Array)[] = [];
  const entries = [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory } of entries) {
    const path = `${folder}/${name}`;
    parts.push(name, ...(isDirectory ? contentsOf(path) : [Deno.readFileSync(path)]));
  }
  return parts;
}

/**
 * Whether a path exists.
 *
 * @param path The path.
 */
export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
