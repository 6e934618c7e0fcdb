/**
 * A tree of calls, and how it is folded into a document and unfolded again.
 *
 * @module
 */
import type { FoldedCall } from "../run/run_view.ts";

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

/** Calls as they stand in a document. */
export interface FoldedCalls {
  /** The names of the functions. */
  readonly functions: readonly string[];
  /** Callers before what they called. */
  readonly calls: readonly FoldedCall[];
}

/** So many calls of a tree are kept by themselves: some tens of kilobytes. */
export const MOST_CALLS = 2000;

/** No kernel calls so deep: what does is no tree of calls. */
const DEEPEST = 1000;

/** What the smallest calls are called that are summed. */
const SMALLER = "(smaller ones)";

/**
 * A tree as it stands in a document.
 *
 * @param root The tree.
 * @param most How many calls are kept: the largest ones. What each of them calls beside is summed.
 */
export function folded(root: FlameBox, most: number = MOST_CALLS): FoldedCalls {
  const kept = largest(root, most);
  const numbers = new Map<string, number>();
  const calls: FoldedCall[] = [];
  const numberOf = (name: string): number => {
    const number = numbers.get(name) ?? numbers.size;
    numbers.set(name, number);
    return number;
  };
  const fold = ({ name, instructions, copied, children }: FlameBox, depth: number): void => {
    calls.push([depth, numberOf(name), instructions, copied]);
    const others = children.filter((child) => !kept.has(child));
    for (const child of children) if (kept.has(child)) fold(child, depth + 1);
    if (others.length === 0) return;
    const sum = others.reduce((sum, { total }) => sum + total, 0);
    const bytes = others.reduce((sum, other) => sum + copiedBelow(other), 0);
    calls.push([depth + 1, numberOf(SMALLER), sum, bytes]);
  };
  fold(root, 0);
  return { functions: [...numbers.keys()], calls };
}

/** The largest boxes of a tree. What calls one of them is no smaller, and stands before it. */
function largest(root: FlameBox, most: number): ReadonlySet<FlameBox> {
  const all: FlameBox[] = [];
  const add = (box: FlameBox): void => {
    all.push(box);
    box.children.forEach(add);
  };
  add(root);
  return new Set(all.sort((a, b) => b.total - a.total).slice(0, most));
}

function copiedBelow({ copied, children }: FlameBox): number {
  return children.reduce((sum, child) => sum + copiedBelow(child), copied);
}

/**
 * The tree of what stands in a document.
 *
 * @returns The tree; undefined if it is none.
 */
export function unfolded({ functions, calls }: FoldedCalls): FlameBox | undefined {
  let next = 0;
  const unfold = (depth: number): FlameBox | undefined => {
    const [, at, instructions, copied] = calls[next++]!;
    const name = functions[at];
    if (name === undefined || depth > DEEPEST) return undefined;
    const children: FlameBox[] = [];
    while ((calls[next]?.[0] ?? 0) > depth) {
      const child = calls[next]![0] === depth + 1 ? unfold(depth + 1) : undefined;
      if (child === undefined) return undefined;
      children.push(child);
    }
    children.sort((a, b) => b.total - a.total);
    const total = children.reduce((sum, child) => sum + child.total, instructions);
    return { name, instructions, total, copied, children };
  };
  if (calls[0]?.[0] !== 0) return undefined;
  const root = unfold(0);
  return next === calls.length ? root : undefined;
}

/** A tree whose numbers are those of one unit of the work that was done. */
export function forEach(box: FlameBox, count: number): FlameBox {
  return {
    name: box.name,
    instructions: box.instructions / count,
    total: box.total / count,
    copied: box.copied / count,
    children: box.children.map((child) => forEach(child, count)),
  };
}
