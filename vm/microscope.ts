/**
 * Builds the microscope, a plugin for the guest's emulator that looks at the guest from below, and says
 * how the emulator is given it.
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
import type { Share } from "./shares.ts";

/** Unpacks the sources from its input, compiles, and gives the plugin as its output. */
const BUILD = `set -e
rm -rf /tmp/microscope
mkdir /tmp/microscope
cd /tmp/microscope
tar -xf -
gcc -O2 -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -s -o microscope.so *.c >&2
cat microscope.so
rm -rf /tmp/microscope`;

const SOURCES = fromFileUrl(new URL("microscope", import.meta.url));

/** The microscope of one guest. */
export interface MicroscopeUse {
  /** The plugin. */
  readonly plugin: string;
  /** The folder in which it answers, which the guest must be able to write. */
  readonly folder: string;
}

/**
 * Where the plugin is kept, whether it is there or not.
 *
 * @param cache The cache.
 * @param root What it is built in.
 * @returns Its path, which says what it is made from.
 */
export function microscopeIn(cache: Cache, { key }: Pick<RootFileSystem, "key">): string {
  return cache.path(`microscope-${keyOf(key, BUILD, ...contentsOf(SOURCES))}.so`);
}

/**
 * Returns the plugin, building it if its sources or the emulator's libraries have changed: it runs
 * in the emulator's process, so it is built in the root that the emulator is from.
 *
 * @param cache Where it is kept.
 * @param root What to build it in.
 * @param options Who is told, and what ends it.
 * @returns The path of the plugin.
 */
export async function ensureMicroscope(
  cache: Cache,
  root: Pick<RootFileSystem, "key" | "folder">,
  { announce, signal }: BuildOptions,
): Promise<string> {
  const path = microscopeIn(cache, root);
  if (exists(path)) return path;
  requireRoot();
  announce("building the microscope");
  const input = await command("tar", ["-C", SOURCES, "-cf", "-", "."], { signal });
  const plugin = await inRoot(root.folder, ["sh", "-c", BUILD], { input, signal });
  await replaceFile(path, (partial) => Deno.writeFile(partial, plugin));
  return path;
}

/**
 * The emulator's options for it.
 *
 * @param use The plugin, and where it answers.
 */
export function microscopeOptions({ plugin, folder }: MicroscopeUse): readonly string[] {
  const [file, answers] = [plugin, folder].map((path) => path.replaceAll(",", ",,"));
  return ["-plugin", `file=${file},folder=${answers}`];
}

/**
 * The share by which the guest reads the answers.
 *
 * @param use Where it answers.
 */
export function microscopeShare({ folder }: MicroscopeUse): Share {
  return { tag: "microscope", path: folder, kind: "writable" };
}
