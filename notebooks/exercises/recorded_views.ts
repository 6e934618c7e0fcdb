/**
 * What the microscope saw, recorded for notebooks: they draw it, and say beside it that it was recorded.
 *
 * @module
 */
import type { CallPath, MicroscopePlace, MicroscopeView } from "zclab";
import { type SeenCalls, table } from "zclab/experiment";

/** A function by the path that called it: its name, its own instructions, and what it called. */
type Calls = readonly [name: string, instructions: number, ...children: Calls[]];

/** Who copied payload, or a copy of it. */
interface Copy {
  readonly path: readonly string[];
  readonly place: MicroscopePlace;
  /** 0 for the payload's own bytes, 1 for those of a copy, and so on. */
  readonly generation: number;
  readonly copied: number;
}

/** What was seen in one window, with what notebooks do not draw as sums. */
export interface CompactView {
  readonly payloadBytes: number;
  /** Of all bytes of the payload the least and the most. */
  readonly copiesPerByte: readonly [least: number, most: number];
  readonly copies: readonly Copy[];
  /** The thread that looked, from where its system calls enter the kernel; null if there were none. */
  readonly calls: Calls | null;
  /** Instructions beside those, by where they were executed. */
  readonly elsewhere: Readonly<Record<MicroscopePlace, number>>;
}

/** The file of recorded views. */
export interface ViewsDocument {
  /** The day. */
  readonly recordedAt: string;
  /** The kernel's release. */
  readonly kernel: string;
  /** Whether that kernel clears memory that it allocates; null if it does not say. */
  readonly clearsOnAllocation: boolean | null;
  readonly views: Readonly<Record<string, CompactView>>;
}

/** A recorded view: `plot()` draws it. */
export interface RecordedView extends SeenCalls {
  readonly payloadBytes: number;
  readonly copiesPerByte: { readonly least: number; readonly most: number };
  readonly copies: readonly Copy[];
}

/** Recorded views, and where they were made. */
export interface RecordedViews {
  /** That they are recorded, when, and on which kernel. */
  readonly source: string;
  /**
   * One of them.
   *
   * @param name Its name.
   * @param label What it is called in a drawing.
   * @throws {RangeError} If there is none of that name.
   */
  view(name: string, label?: string): RecordedView;
}

const ENTRY = /^entry_SYSCALL_/;

/**
 * What a file keeps of a view.
 *
 * @param view What the microscope saw.
 */
export function compactView(view: MicroscopeView): CompactView {
  const [own] = view.threads;
  const entry = own?.children.find(({ name, place }) => place === "own" && ENTRY.test(name));
  const calls = entry === undefined ? null : callsOf(entry);
  const { all: _, ...elsewhere } = view.instructions;
  return {
    payloadBytes: view.payloadBytes,
    copiesPerByte: [view.copiesPerByte.least, view.copiesPerByte.most],
    copies: view.copies.map(({ path, place, generation, copied }) => ({
      path,
      place,
      generation,
      copied,
    })),
    calls,
    elsewhere: { ...elsewhere, own: elsewhere.own - (calls === null ? 0 : sumOf(calls)) },
  };
}

function callsOf({ name, instructions, children }: CallPath): Calls {
  return [name, instructions, ...children.filter(({ place }) => place === "own").map(callsOf)];
}

function sumOf([, instructions, ...children]: Calls): number {
  return children.reduce((sum, child) => sum + sumOf(child), instructions);
}

function pathOf([name, instructions, ...children]: Calls): CallPath {
  const paths = children.map(pathOf);
  const total = paths.reduce((sum, path) => sum + path.total, instructions);
  return { name, place: "own", instructions, total, children: paths };
}

/** Instructions of which only the sum is known. */
function restIn(place: MicroscopePlace, instructions: number): CallPath {
  return { name: place, place, instructions, total: instructions, children: [] };
}

/**
 * Reads recorded views.
 *
 * @param file Where they are: `recording("views")`.
 * @throws {Deno.errors.NotFound} If they are not there.
 */
export async function readViews(file: URL): Promise<RecordedViews> {
  const { recordedAt, kernel, clearsOnAllocation, views }: ViewsDocument = JSON.parse(
    await Deno.readTextFile(file),
  );
  const clearing = clearsOnAllocation === false ? ", which does not clear what it allocates" : "";
  return {
    source:
      `RECORDED by the microscope in the guest, on Linux ${kernel}${clearing}, ${recordedAt}.`,
    view(name, label = name): RecordedView {
      const found = views[name];
      if (found === undefined) {
        throw new RangeError(`No recorded view "${name}". There are: ${Object.keys(views)}`);
      }
      const { payloadBytes, copiesPerByte: [least, most], copies, calls, elsewhere } = found;
      const rest = Object.entries(elsewhere) as [MicroscopePlace, number][];
      const children = [
        ...(calls === null ? [] : [pathOf(calls)]),
        ...rest.map(([place, instructions]) => restIn(place, instructions)),
      ];
      const total = children.reduce((sum, path) => sum + path.total, 0);
      return {
        label,
        payloadBytes,
        copiesPerByte: { least, most },
        copies,
        threads: [{ name: "own thread", place: "own", instructions: 0, total, children }],
      };
    },
  };
}

/** The innermost functions of a path that a table has room for. */
const FUNCTIONS_SHOWN = 4;

/**
 * Who copied what, with the functions that called it, innermost first.
 *
 * @param view A recorded view.
 * @returns Lines of text.
 */
export function copiesTable({ copies }: RecordedView): string {
  return table([
    {
      title: "copied",
      value: ({ generation }) => generation === 0 ? "the payload" : "the copy before",
    },
    { title: "bytes", value: ({ copied }) => copied },
    {
      title: "by",
      value: ({ path, place }) =>
        place === "user space"
          ? "the program, in user space"
          : path.toReversed().slice(0, FUNCTIONS_SHOWN).join(" < "),
    },
  ], copies);
}
