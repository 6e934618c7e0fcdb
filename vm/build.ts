/**
 * Makes what the guest consists of: root file system, softnic, initramfs. What is there and was made
 * from the same is not made again.
 *
 * @module
 */
import { UnsupportedError } from "zclab";
import { ensureBuiltInRoot, pathInCache } from "./built_in_root.ts";
import { type Cache, exists, locked, openCache } from "./cache.ts";
import { emulatorCommand } from "./emulator.ts";
import type { GuestFiles } from "./guest_files.ts";
import { ensureInitramfs } from "./initramfs.ts";
import { MICROSCOPE } from "./microscope.ts";
import {
  type BuildOptions,
  ensureRootFileSystem,
  removeTree,
  rootFileSystemIn,
} from "./root_file_system.ts";
import { SOFTNIC } from "./softnic.ts";

/** What is made for other versions than ours is removed when nobody has used it for so long. */
const STALE_MILLISECONDS = 14 * 24 * 3600 * 1000;

/** What making the guest is told. */
export interface GuestBuildOptions extends BuildOptions {
  /** Whether the guest will be looked at from below. */
  readonly microscope?: boolean;
}

/**
 * Returns what the guest consists of, making what is missing.
 *
 * @param cache Where it is kept.
 * @param options The mirror, who is told, what ends it, and whether it is with the microscope.
 * @returns The files to boot.
 */
export async function ensureGuest(cache: Cache, options: GuestBuildOptions): Promise<GuestFiles> {
  const { announce } = options;
  return await locked(
    cache,
    () => announce("waiting for another process that is building the guest"),
    async () => {
      const root = await ensureRootFileSystem(cache, options);
      const softnic = await ensureBuiltInRoot(cache, root, SOFTNIC, options);
      const initramfs = await ensureInitramfs(cache, root, softnic, options);
      const files = {
        kernel: root.kernel,
        image: root.image,
        initramfs,
        ...(options.microscope
          ? { microscope: await ensureBuiltInRoot(cache, root, MICROSCOPE, options) }
          : {}),
      };
      await removeStale(cache, [root.folder, softnic, ...Object.values(files)]);
      return { ...files, emulator: emulatorCommand(root) };
    },
  );
}

/**
 * Why this user cannot have the guest, programs that are missing aside.
 *
 * @param options Whether it is with the microscope.
 * @returns The reason, or undefined if the guest is there or may be made.
 */
export function guestObstacle(options: { readonly microscope?: boolean } = {}): string | undefined {
  if (Deno.build.arch !== "x86_64") return `it is for x86_64, this is ${Deno.build.arch}`;
  try {
    const cache = openCache();
    const root = rootFileSystemIn(cache);
    const parts = [
      root.image,
      ...[SOFTNIC, ...(options.microscope ? [MICROSCOPE] : [])]
        .map((recipe) => pathInCache(cache, root, recipe)),
    ];
    const isMade = parts.every(exists);
    return isMade || Deno.uid() === 0 ? undefined : "making it takes root";
  } catch (error) {
    if (error instanceof UnsupportedError) return error.message;
    throw error;
  }
}

/** The times of what is used are set anew, and what has an old one is removed. */
async function removeStale(cache: Cache, used: readonly string[]): Promise<void> {
  const now = Date.now();
  for (const path of used) await Deno.utime(path, new Date(now), new Date(now));
  for await (const { name } of Deno.readDir(cache.folder)) {
    const path = cache.path(name);
    if (
      !/^(root|image|kernel|softnic|initramfs|microscope|program)-/.test(name) ||
      used.includes(path)
    ) {
      continue;
    }
    if (!exists(path)) continue;
    const { mtime } = await Deno.stat(path);
    if (now - (mtime?.getTime() ?? now) > STALE_MILLISECONDS) await removeTree(path);
  }
}
