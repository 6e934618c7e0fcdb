/**
 * What the microscope saw, as plain data for figures: the system calls of the thread that looked.
 *
 * @module
 */
import { type CallPath, MicroscopeView } from "../../../ffi/microscope/view.ts";
import { PlotError, type PlotKind } from "./figure.ts";
import { formatCount } from "../text/format.ts";
import type { ElsewhereCounts, RunView, ViewedWork } from "../run/run_view.ts";
import { type FlameBox, folded, forEach, unfolded } from "./flame_box.ts";
import type { Labelled } from "./plain.ts";

/** What was seen in a window: a {@linkcode MicroscopeView} under a label. */
export interface SeenCalls {
  /** What the work is called, such as `send`. */
  readonly label: string;
  /** The paths of calls, as {@linkcode MicroscopeView.threads}: the first thread is the one that looked. */
  readonly threads: readonly CallPath[];
  /** Who copied payload, as {@linkcode MicroscopeView.copies}. */
  readonly copies?: readonly {
    readonly path: readonly string[];
    readonly place: string;
    readonly copied: number;
  }[];
}

/** The system calls of a window. */
export interface SystemCalls {
  /** Where system calls enter the kernel, and all below. */
  readonly root: FlameBox;
  /** What a number of instructions is for, such as ` for each request`; empty for all of them. */
  readonly each: string;
  /** What else was executed in the window, in words; empty if nothing. */
  readonly elsewhere: string;
}

/** What was counted in a window, not divided by anything. */
interface Counted {
  readonly root: FlameBox;
  readonly elsewhere: ElsewhereCounts;
}

/** Where system calls enter the kernel on x86_64, of which alone there is a microscope. */
const ENTRY = /^entry_SYSCALL_/;

/** Plain data of what may be a view. */
export function seenCalls(item: unknown): unknown {
  if (!(item instanceof MicroscopeView)) return item;
  return { label: item.name, threads: item.threads, copies: item.copies } satisfies SeenCalls;
}

/** What is kept of a window beside what was seen. */
export interface Viewed extends Pick<RunView, "label" | "factors" | "work"> {}

/**
 * What was seen in a window as a run document has it.
 *
 * @param view What was seen.
 * @param viewed What it is of.
 * @throws {PlotError} If it has no system call.
 */
export function runView(view: MicroscopeView | SeenCalls, viewed: Viewed): RunView {
  const { root, elsewhere } = counted("flame", seenCalls(view) as SeenCalls);
  return { ...viewed, elsewhere, ...folded(root) };
}

/**
 * Instructions in the system calls of a window, for each unit of its work.
 *
 * @param view What was seen.
 * @param work How much was done; null for one unit.
 * @throws {PlotError} If it has no system call.
 */
export function instructionsOf(
  view: MicroscopeView | SeenCalls,
  work: ViewedWork | null,
): number {
  return counted("flame", seenCalls(view) as SeenCalls).root.total / (work?.count ?? 1);
}

/**
 * The system calls of a window. Exceptions of user space, interrupts, other threads and user space
 * itself are counted beside them: what they execute is the JavaScript engine's and the machine's
 * affair, and not the same in any two windows.
 *
 * @param kind The kind of the plot.
 * @param item What was given: what was seen, or what a document has of it.
 * @throws {PlotError} If it is not of a microscope, or has no system call.
 */
export function systemCalls(kind: PlotKind, item: Labelled): SystemCalls {
  const { root, elsewhere } = isFolded(item) ? unfold(kind, item) : counted(kind, item);
  const work = isFolded(item) ? item.work : null;
  const count = work?.count ?? 1;
  return {
    root: count === 1 ? root : forEach(root, count),
    each: work === null ? "" : ` for each ${work.unit}`,
    elsewhere: elsewhereText(elsewhere, count),
  };
}

function isFolded(item: Labelled): item is RunView {
  const { functions, calls } = item as Partial<RunView>;
  return Array.isArray(functions) && Array.isArray(calls);
}

function unfold(kind: PlotKind, view: RunView): Counted {
  const root = unfolded(view);
  if (root !== undefined && root.total > 0 && !(Number(view.work?.count) <= 0)) {
    return { root, elsewhere: view.elsewhere };
  }
  throw new PlotError(
    `plot, kind ${kind}: ${view.label}: what the document has of its calls is no tree`,
  );
}

function counted(kind: PlotKind, item: Labelled): Counted {
  const { label, threads, copies = [] } = item as SeenCalls;
  const own = Array.isArray(threads) ? threads[0] as CallPath | undefined : undefined;
  if (own === undefined) {
    throw new PlotError(
      `plot, kind ${kind}: ${label} has no threads. What to do: give what Microscope.look() returns`,
    );
  }
  const entry = own.children.find(({ name, place }) => place === "own" && ENTRY.test(name));
  if (entry === undefined) {
    throw new PlotError(`plot, kind ${kind}: ${label} has no system call in its first thread`);
  }
  const copied = new Map<string, number>();
  for (const { path, place, copied: bytes } of copies) {
    if (place !== "own") continue;
    const key = path.join("\n");
    copied.set(key, (copied.get(key) ?? 0) + bytes);
  }
  const root = boxOf(entry, [], copied);
  return { root, elsewhere: elsewhereOf(threads, root.total) };
}

/** Without what came in between, such as interrupts. */
function boxOf(
  { name, instructions, children }: CallPath,
  callers: readonly string[],
  copied: ReadonlyMap<string, number>,
): FlameBox {
  const path = [...callers, name];
  const boxes = children.filter(({ place }) => place === "own")
    .map((child) => boxOf(child, path, copied))
    .sort((a, b) => b.total - a.total);
  const total = boxes.reduce((sum, box) => sum + box.total, instructions);
  return {
    name,
    instructions,
    total,
    copied: copied.get(path.join("\n")) ?? 0,
    children: boxes,
  };
}

/** A number of instructions, whole where it has room and is not small. */
export function countText(instructions: number): string {
  if (instructions >= 1e6) return formatCount(instructions);
  const isWhole = Number.isInteger(instructions) || instructions >= 10;
  return isWhole ? String(Math.round(instructions)) : instructions.toFixed(1);
}

function elsewhereOf(threads: readonly CallPath[], shown: number): ElsewhereCounts {
  const sums = { "own": 0, "interrupts": 0, "other threads": 0, "user space": 0 };
  const add = ({ place, instructions, children }: CallPath): void => {
    sums[place] += instructions;
    children.forEach(add);
  };
  threads.forEach(add);
  return {
    exceptions: sums.own - shown,
    interrupts: sums.interrupts,
    otherThreads: sums["other threads"],
    userSpace: sums["user space"],
  };
}

function elsewhereText(counts: ElsewhereCounts, count: number): string {
  const parts = ([
    ["exceptions", "in its page faults and other exceptions"],
    ["interrupts", "in interrupts"],
    ["otherThreads", "in the kernel for other threads"],
    ["userSpace", "in user space"],
  ] as const).flatMap(([place, words]) => {
    const sum = counts[place] / count;
    // What is too little to be told for each unit is told of none.
    return sum < 0.05 ? [] : [`${countText(sum)} ${words}`];
  });
  return parts.join(", ");
}
