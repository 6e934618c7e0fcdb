import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { checkOption, OptionError } from "../../../../labs/kit/options/options.ts";
import type { SeenCalls } from "../../../../labs/kit/plot/seen_calls.ts";
import { drawingOptions, ViewDrawings } from "../../../../labs/kit/lab/view_drawings.ts";
import { inFolder } from "../../../folder.ts";
import { called, COPYING, LENDING } from "../plot/samples.ts";

/** A window in which system calls executed so many instructions. */
function windowOf(instructions: number): SeenCalls {
  const threads = [called("own thread", 0, [called("entry_SYSCALL_64", instructions)])];
  return { label: "window", threads };
}

function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("a drawing of one row is written, named for the row", () =>
  inFolder(async (folder) => {
    const path = `${folder}/flame.svg`;
    const drawings = await ViewDrawings.open({ flame: path }, ["send, ifb"]);
    assertEquals(filesIn(folder), []);
    await drawings.add("send, ifb", COPYING);
    const svg = await Deno.readTextFile(path);
    assert(svg.startsWith("<svg "));
    assertStringIncludes(svg, "Where the instructions go: send, ifb");
    assertEquals(filesIn(folder), ["flame.svg"]);
  }));

Deno.test("a drawing of two rows is in the order of the table, whichever was seen first", () =>
  inFolder(async (folder) => {
    const path = `${folder}/changes.txt`;
    const drawings = await ViewDrawings.open({ changes: path }, ["send", "send-zc"]);
    await drawings.add("send-zc", LENDING);
    assertEquals(filesIn(folder), []);
    await drawings.add("send", COPYING);
    const text = await Deno.readTextFile(path);
    assertStringIncludes(text, "What changes from send to send-zc\n1200 → 870 instructions");
    assertStringIncludes(text, "−370  memcpy");
  }));

Deno.test("of several windows the one with the fewest instructions is drawn", () =>
  inFolder(async (folder) => {
    const path = `${folder}/flame.txt`;
    const drawings = await ViewDrawings.open({ flame: path }, ["row"]);
    for (const [instructions, drawn] of [[50, 50], [70, 50], [40, 40], [60, 40]] as const) {
      await drawings.add("row", windowOf(instructions));
      assertStringIncludes(
        await Deno.readTextFile(path),
        `\n${drawn} instructions in system calls`,
      );
    }
  }));

Deno.test("where nothing is asked for, nothing is drawn, of any number of rows", async () => {
  const drawings = await ViewDrawings.open({}, ["a", "b", "c"]);
  // Not even looked at: this one has no system call.
  await drawings.add("a", { label: "idle", threads: [] });
});

Deno.test("another number of rows than a drawing shows is refused before anything runs", () =>
  inFolder(async (folder) => {
    const refused = async (
      kind: "flame" | "changes",
      rows: readonly string[],
      words: string,
    ): Promise<void> => {
      const files = { [kind]: `${folder}/drawing.svg` };
      await assertRejects(() => ViewDrawings.open(files, rows), OptionError, words);
    };
    await refused("flame", ["a", "b"], "--flame draws one row, and these options leave 2.");
    await refused("changes", ["a"], "--changes draws two rows, and these options leave 1.");
    await refused("changes", ["a", "b", "c"], "these options leave 3.");
    assertEquals(filesIn(folder), []);
  }));

Deno.test("a file that cannot be written is refused before anything runs", () =>
  inFolder(async (folder) => {
    const flame = `${folder}/absent/flame.svg`;
    await assertRejects(() => ViewDrawings.open({ flame }, ["row"]), OptionError, "--flame: ");
  }));

Deno.test("a drawing is an SVG or a text", () => {
  const { flame } = drawingOptions("--send send", "--send send,send-zc");
  assertEquals(checkOption(flame, "a.svg"), undefined);
  assertEquals(checkOption(flame, "results/a.txt"), undefined);
  assertEquals(checkOption(flame, "a.png"), "a.png ends neither in .svg nor in .txt");
});
