import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { checkTypes, executeNotebook } from "../../notebooks/tool/execute.ts";
import {
  answersOf,
  type Cell,
  codeCells,
  formatted,
  type Notebook,
  notebookNames,
  notebookPath,
  outputProblems,
  readNotebook,
  shownText,
  textOf,
} from "../../notebooks/tool/notebook_file.ts";
import { type Solution, sourceOf } from "./solutions/solution.ts";
import { SOLUTIONS } from "./solutions/mod.ts";
import { test } from "../needs.ts";

/** The notebook with each answer in its place. */
function solved(notebook: Notebook, solutions: readonly Solution[]): Notebook {
  const cells = notebook.cells.map((cell): Cell => {
    const [id] = answersOf(cell);
    if (id === undefined) return cell;
    const answer = solutions.find((solution) => solution.id === id)!.right[0];
    const parts = textOf(cell.source).split(/\bundefined\b/);
    assertEquals(parts.length, 2, `the cell of ${id} has one place for the answer`);
    return { ...cell, source: parts.join(sourceOf(answer)) };
  });
  return { ...notebook, cells };
}

function shownFor(notebook: Notebook, id: string): string {
  return shownText(notebook.cells.find((cell) => answersOf(cell).includes(id))!);
}

Deno.test("the code of all notebooks passes deno check", async () => {
  const notebooks = new Map(notebookNames().map((name) => [name, readNotebook(name)]));
  assertEquals(Object.fromEntries(await checkTypes(notebooks)), {});
});

for (const name of notebookNames()) {
  Deno.test(`${name} is kept as --renew keeps it`, async () => {
    const notebook = readNotebook(name);
    assertEquals(Deno.readTextFileSync(notebookPath(name)), await formatted(notebook));
    assertEquals(outputProblems(notebook), []);
    const shown = codeCells(notebook).filter(({ cell }) => (cell.outputs ?? []).length > 0);
    assert(shown.length > 0, "it has the outputs of a run");
    for (const { index, cell, source } of codeCells(notebook)) {
      const where = `cell ${index + 1}`;
      assert(
        !/^(await )?using /m.test(source),
        `${where}: the kernel never disposes of a cell's using`,
      );
      assert((cell.outputs ?? []).length <= 3, `${where} shows few things`);
      assert(!(cell.outputs ?? []).some(({ output_type }) => output_type === "error"), where);
    }
  });

  test(`${name} runs as it is, and with the solutions`, {
    needs: [{ component: "nbclient" }],
  }, async () => {
    const [notebook, solutions] = [readNotebook(name), SOLUTIONS[name] ?? []];
    const withAnswers = solved(notebook, solutions);
    const [asIs, answered] = await Promise.all([
      executeNotebook(notebook),
      executeNotebook(withAnswers),
    ]);
    assertEquals(asIs.failure, undefined);
    assertEquals(answered.failure, undefined);
    for (const { id } of solutions) {
      assertStringIncludes(shownFor(asIs.notebook, id), "Not answered yet");
      assertStringIncludes(shownFor(answered.notebook, id), "✔ Right");
    }
    // What it shows is below the cells that show it.
    for (const { index, cell, source } of codeCells(asIs.notebook)) {
      assertEquals((cell.outputs ?? []).length > 0, /\bshow\(/.test(source), `cell ${index + 1}`);
    }
  });
}
