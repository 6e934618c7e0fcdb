/**
 * Compiles a C program of the project for the guest: in the emulated guest that would take a minute.
 *
 * @module
 */
import { type BuildRoot, ensureBuiltInRoot } from "./built_in_root.ts";
import type { Cache } from "./cache.ts";
import type { BuildOptions } from "./root_file_system.ts";

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
  root: BuildRoot,
  sources: string,
  options: BuildOptions,
): Promise<string> {
  const recipe = {
    name: "program",
    title: "the C program for the guest",
    sources,
    build: "gcc -std=gnu11 -O2 -Wall -Wextra -o program *.c",
    product: "program",
  };
  return await ensureBuiltInRoot(cache, root, recipe, options);
}
