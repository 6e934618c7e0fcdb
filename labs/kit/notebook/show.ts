/**
 * Showing values in a notebook, where they belong.
 *
 * @module
 */

/** What Deno's notebook kernel adds to `Deno`. */
interface NotebookKernel {
  display(value: unknown, options?: { raw?: boolean }): Promise<void>;
}

/** The kernel needs this long to hand on what it was given, in milliseconds. */
const SETTLING = 20;

/**
 * Shows values, one below the other: in a notebook in their rich form, and elsewhere as
 * `console.log` does. Text is shown as it is.
 *
 * In a notebook a cell should end with it, awaited, and not with an expression or `console.log`:
 * since 2.8 Deno's kernel says that a cell is done before it has sent what the cell prints, so that
 * under "Run All" it may be shown below the next cell, or be lost.
 *
 * @param values What to show.
 * @returns Resolves when it is on its way.
 *
 * @example
 * ```ts
 * import { show } from "zclab/notebook";
 *
 * await show("one", { two: 2 });
 * ```
 */
export async function show(...values: readonly unknown[]): Promise<void> {
  const jupyter = notebookKernel();
  for (const value of values) {
    if (jupyter === undefined) console.log(value);
    else if (typeof value === "string") {
      await jupyter.display({ "text/plain": value }, { raw: true });
    } else await jupyter.display(value);
  }
  if (jupyter !== undefined) await new Promise((resolve) => setTimeout(resolve, SETTLING));
}

function notebookKernel(): NotebookKernel | undefined {
  try {
    return (Deno as { readonly jupyter?: NotebookKernel }).jupyter;
  } catch {
    // Outside of a notebook even looking at it throws.
    return undefined;
  }
}
