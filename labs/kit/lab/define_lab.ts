/**
 * From a declaration to a lab that runs.
 *
 * @module
 */
import type { Factors, Measures } from "../trials/trials.ts";
import { processorProblem } from "../workload/processors.ts";
import { requireNeeds } from "./check_declaration.ts";
import type { AnyDeclaration, LabDeclaration } from "./declaration.ts";
import { inInstructions } from "./in_instructions.ts";
import type { Lab, LabContext } from "./lab.ts";
import type { LabOptions, NumberOption } from "../options/options.ts";
import { rowDeclarationOf } from "./rows.ts";
import { rowsOf, runDeclared } from "./run.ts";

/** The declaration of `--cpu`, which every lab has. */
export type CpuOption = NumberOption & {
  readonly kind: "number";
  readonly local: (value: string | number) => boolean;
};

/** A lab that was declared, and its declaration, for those who read, change or test it. */
export interface DeclaredLab<Options extends LabOptions = LabOptions> extends Lab<Options> {
  /** What it was made from. */
  readonly declaration: AnyDeclaration;
}

/** That declaration. */
export const CPU_OPTION: CpuOption = {
  kind: "number",
  description: "keeps the measuring thread on this processor, the other end on another",
  minimum: 0,
  maximum: 8191,
  check: processorProblem,
  local: () => true,
};

/**
 * Declares a lab: what varies, what is measured, how it is shown. The rest follows: trials in random
 * order, interleaved, with the baseline twice in each round; the table with verdicts that are corrected
 * for there being many; the document; `--compare`, `--replay`, the report and the plots.
 *
 * @example
 * ```ts
 * import { cross } from "zclab/experiment";
 * import { defineLab, runLab } from "zclab/lab";
 * import { assertEquals } from "@std/assert";
 *
 * const fill = defineLab({
 *   name: "fill",
 *   title: "Filling memory",
 *   description: "Fills memory byte by byte, and all at once.",
 *   needs: [],
 *   options: {
 *     bytes: { kind: "numbers", description: "how much", default: [4096, 65536] },
 *   },
 *   repeats: { default: 3, quick: 2, minimum: 2 },
 *   factors: ({ bytes }) => cross({ bytes, way: ["loop", "fill"] }),
 *   baseline: { way: "loop" },
 *   within: ["bytes"],
 *   trial({ bytes, way }) {
 *     const memory = new Uint8Array(bytes);
 *     const started = performance.now();
 *     if (way === "fill") memory.fill(1);
 *     else for (let i = 0; i < bytes; i++) memory[i] = 1;
 *     const seconds = Math.max(1e-9, (performance.now() - started) / 1000);
 *     return { bytesPerSecond: bytes / seconds, filled: memory.every((byte) => byte === 1) };
 *   },
 *   columns: {
 *     bytesPerSecond: { title: "bytes/s", unit: "B/s", better: "higher", verdict: true },
 *     filled: { title: "filled", evidence: true },
 *   },
 *   proof: ({ filled }) => filled ? "filled" : "not filled",
 * });
 * const { document } = await runLab(fill);
 * assertEquals(document.summary.map(({ proof }) => proof), Array(4).fill("filled"));
 * ```
 *
 * @param declaration The declaration.
 * @returns The lab.
 * @throws {ExplainedError} If it needs something that {@linkcode probe} knows nothing of.
 */
export function defineLab<
  const Options extends LabOptions,
  const F extends Factors,
  Kept,
  M extends Measures,
>(
  declaration: LabDeclaration<Options, F, Kept, M>,
): DeclaredLab<Options & { readonly cpu: CpuOption }> {
  const { name, title, description, needs, options, repeats } = declaration;
  requireNeeds({ name, needs });
  return {
    name,
    title,
    description,
    needs,
    declaration,
    options: { ...options, cpu: CPU_OPTION },
    ...(repeats === undefined ? {} : { repeats }),
    rows: {
      ...rowDeclarationOf(rowsOf(declaration)),
      counted: rowDeclarationOf(rowsOf(inInstructions(declaration))),
    },
    run: (context) => runDeclared(declaration, context as LabContext),
  };
}
