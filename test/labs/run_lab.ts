/**
 * Runs a lab as a user does, for the tests of labs.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { readRunDocument, type RunDocument } from "zclab/experiment";
import { textOf } from "../ffi/connections.ts";

/**
 * The rows of a document's summary.
 *
 * @param document The document.
 * @returns The rows, with the fields that a test reads of them.
 */
export function rowsOf<Row>(document: RunDocument): readonly Row[] {
  return document.summary as unknown as readonly Row[];
}

/**
 * Runs `deno task lab` with a document.
 *
 * @param args The name of the lab, and options.
 * @returns The document, and what it printed.
 */
export async function runLab(
  ...args: readonly string[]
): Promise<{ document: RunDocument; text: string }> {
  const path = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", "labs/main.ts", ...args, "--json", path],
      cwd: new URL("../..", import.meta.url),
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).output();
    assertEquals(code, 0, textOf(stderr));
    return {
      document: readRunDocument(await Deno.readTextFile(path)),
      text: textOf(stdout),
    };
  } finally {
    await Deno.remove(path);
  }
}
