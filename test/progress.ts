/**
 * Loaded before the tests by `deno task test`: tells it that a test began, and of which file. A run
 * in which none begins for long hangs in one.
 *
 * @module
 */

/** The environment variable that names the file to write to. */
export const PROGRESS = "ZCLAB_TEST_PROGRESS";

const path = Deno.env.get(PROGRESS);
if (path !== undefined) {
  Deno.test.beforeEach(() => Deno.writeTextFileSync(path, Deno.mainModule));
}
