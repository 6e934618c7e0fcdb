/**
 * The entry points of the library: what a prompt has in scope, and what `help` explains.
 *
 * @module
 */

/** An entry point. */
export interface EntryPoint {
  /** The name to import it by. */
  readonly name: string;
  /** What it is about. */
  readonly title: string;
  /** Where it is. */
  readonly url: URL;
}

function entryPoint(name: string, file: string, title: string): EntryPoint {
  return { name, title, url: new URL(`../../../${file}`, import.meta.url) };
}

/** All of them, in the order in which one learns them. */
export const ENTRY_POINTS: readonly EntryPoint[] = [
  entryPoint("zclab", "mod.ts", "Memory, rings, sockets, testbeds, receivers"),
  entryPoint("zclab/experiment", "experiment.ts", "Experiments, statistics, plots, documents"),
  entryPoint("zclab/lab", "lab.ts", "Labs, and what they are made of"),
  entryPoint("zclab/notebook", "notebook.ts", "Notebooks"),
];

/** Everything that has a value. */
export type Library =
  & typeof import("zclab")
  & typeof import("zclab/experiment")
  & typeof import("zclab/lab")
  & typeof import("zclab/notebook");

/** Loads all of it. */
export async function loadLibrary(): Promise<Library> {
  const [main, experiment, lab, notebook] = await Promise.all([
    import("zclab"),
    import("zclab/experiment"),
    import("zclab/lab"),
    import("zclab/notebook"),
  ]);
  return { ...main, ...experiment, ...lab, ...notebook };
}
