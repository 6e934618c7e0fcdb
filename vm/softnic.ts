/**
 * Builds the kernel module softnic for the guest's kernel, with the guest's own compiler.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { type Cache, contentsOf, exists, keyOf } from "./cache.ts";
import { command } from "./command.ts";
import {
  type BuildOptions,
  inRoot,
  replaceFile,
  requireRoot,
  type RootFileSystem,
} from "./root_file_system.ts";

/** Unpacks the sources from its input, builds, and gives the module as its output. */
const BUILD = `set -e
rm -rf /tmp/softnic
mkdir /tmp/softnic
cd /tmp/softnic
tar -xf -
make -s -j"$(nproc)" -C "/lib/modules/$1/build" M=/tmp/softnic modules >&2
strip --strip-debug softnic.ko
cat softnic.ko
rm -rf /tmp/softnic`;

const SOURCES = fromFileUrl(new URL("softnic", import.meta.url));

/**
 * Where the module is kept, whether it is there or not.
 *
 * @param cache The cache.
 * @param root What it is built in.
 * @returns Its path, which says what it is made from.
 */
export function softnicIn(cache: Cache, { key }: Pick<RootFileSystem, "key">): string {
  return cache.path(`softnic-${keyOf(key, BUILD, ...contentsOf(SOURCES))}.ko`);
}

/**
 * Returns the module, building it if its sources or the kernel have changed.
 *
 * @param cache Where it is kept.
 * @param root What to build it in.
 * @param options Who is told, and what ends it.
 * @returns The path of the module.
 */
export async function ensureSoftnic(
  cache: Cache,
  root: RootFileSystem,
  { announce, signal }: BuildOptions,
): Promise<string> {
  const path = softnicIn(cache, root);
  if (exists(path)) return path;
  requireRoot();
  announce("building softnic");
  const input = await command("tar", ["-C", SOURCES, "-cf", "-", "."], { signal });
  const module = await inRoot(root.folder, ["sh", "-c", BUILD, "sh", root.release], {
    input,
    signal,
  });
  await replaceFile(path, (partial) => Deno.writeFile(partial, module));
  return path;
}
