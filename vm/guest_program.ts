/**
 * Compiles a C program of the project for the guest, with the guest's own compiler and libraries: on the
 * host, where that takes a second, and in the emulated guest a minute.
 *
 * @module
 */
import { type Cache, contentsOf, exists, keyOf } from "./cache.ts";
import { command } from "./command.ts";
import {
  type BuildOptions,
  inRoot,
  replaceFile,
  requireRoot,
  type RootFileSystem,
} from "./root_file_system.ts";

/** Unpacks the sources from its input, compiles, and gives the program as its output. */
const BUILD = `set -e
folder=$(mktemp -d)
cd "$folder"
tar -xf -
gcc -std=gnu11 -O2 -Wall -Wextra -o program *.c >&2
cat program
rm -rf "$folder"`;

/**
 * Returns a program, compiling it if its sources or the guest's root have changed.
 *
 * @param cache Where it is kept.
 * @param root The guest's root.
 * @param sources The folder with its sources.
 * @param options Who is told, and what ends it.
 * @returns The path of the program. Only in the guest it can be relied on to run.
 * @throws {UnsupportedError} If it has to be compiled and this user is not root.
 */
export async function ensureGuestProgram(
  cache: Cache,
  root: Pick<RootFileSystem, "key" | "folder">,
  sources: string,
  { announce, signal }: BuildOptions,
): Promise<string> {
  const path = cache.path(`program-${keyOf(root.key, BUILD, ...contentsOf(sources))}`);
  if (exists(path)) return path;
  requireRoot();
  announce("compiling the C program for the guest");
  const input = await command("tar", ["-C", sources, "-cf", "-", "."], { signal });
  const program = await inRoot(root.folder, ["sh", "-c", BUILD], { input, signal });
  await replaceFile(path, (partial) => Deno.writeFile(partial, program, { mode: 0o755 }));
  return path;
}
