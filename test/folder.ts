/**
 * A folder that is there for one test.
 *
 * @module
 */

/** Runs a test with a new folder, which is removed afterwards with what is in it. */
export async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "zclab-test-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
