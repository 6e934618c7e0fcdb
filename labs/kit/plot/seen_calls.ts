/**
 * What the microscope saw, as plain data for figures: the system calls of the thread that looked.
 *
 * @module
 */
import { type CallPath, MicroscopeView } from "../../../ffi/microscope/view.ts";
import { PlotError, type PlotKind } from "./figure.ts";
import { formatCount } from "../text/format.ts";
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

/** A function as it was called by one path. */
export interface FlameBox {
  /** The function. */
  readonly name: string;
  /** Instructions that it executed itself. */
  readonly instructions: number;
  /** Those, and those of what it called. */
  readonly total: number;
  /** Bytes of the payload, or of a copy of it, that it copied. */
  readonly copied: number;
  /** What it called, those with the most instructions first. */
  readonly children: readonly FlameBox[];
}

/** The system calls of a window. */
export interface SystemCalls {
  /** Where system calls enter the kernel, and all below. */
  readonly root: FlameBox;
  /** What else was executed in the window, in words; empty if nothing. */
  readonly elsewhere: string;
}

/** Where system calls enter the kernel on x86_64, of which alone there is a microscope. */
const ENTRY = /^entry_SYSCALL_/;

/** Plain data of what may be a view. */
export function seenCalls(item: unknown): unknown {
  if (!(item instanceof MicroscopeView)) return item;
  return { label: item.name, threads: item.threads, copies: item.copies } satisfies SeenCalls;
}

/**
 * The system calls of a window. Exceptions of user space, interrupts, other threads and user space
 * itself are counted beside them: what they execute is the JavaScript engine's and the machine's
 * affair, and not the same in any two windows.
 *
 * @param kind The kind of the plot.
 * @param item What was given.
 * @throws {PlotError} If it is not of a microscope, or has no system call.
 */
export function systemCalls(kind: PlotKind, item: Labelled): SystemCalls {
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

/** A number of instructions, whole where it has room. */
export function countText(instructions: number): string {
  return instructions < 1e6 ? String(instructions) : formatCount(instructions);
}

function elsewhereOf(threads: readonly CallPath[], shown: number): string {
  const sums = new Map<CallPath["place"], number>();
  const add = ({ place, instructions, children }: CallPath): void => {
    sums.set(place, (sums.get(place) ?? 0) + instructions);
    children.forEach(add);
  };
  threads.forEach(add);
  sums.set("own", (sums.get("own") ?? 0) - shown);
  const parts = ([
    ["own", "in its page faults and other exceptions"],
    ["interrupts", "in interrupts"],
    ["other threads", "in the kernel for other threads"],
    ["user space", "in user space"],
  ] as const).flatMap(([place, words]) => {
    const sum = sums.get(place) ?? 0;
    return sum === 0 ? [] : [`${countText(sum)} ${words}`];
  });
  return parts.join(", ");
}
