/**
 * Loads files of tests as one: what they have in common is loaded once, where `deno test` loads it
 * anew for each file. Under emulation that takes longer than many a test.
 *
 * `deno test test/together.ts` runs the tests of the files that {@linkcode FILES} names.
 *
 * @module
 */
import { toFileUrl } from "@std/path";

/** The environment variable with their absolute paths, as JSON. */
export const FILES = "ZCLAB_TEST_FILES";

const files: readonly string[] = JSON.parse(Deno.env.get(FILES) ?? "[]");
// It is not meant for what the tests run.
Deno.env.delete(FILES);
for (const file of files) await import(toFileUrl(file).href);
