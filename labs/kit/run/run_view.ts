/**
 * What the microscope saw of a row, as a run document has it: the system calls of the thread that looked,
 * folded into little room.
 *
 * @module
 */
import type { Factors } from "../trials/trials.ts";

/** How much work was done in a window. */
export interface ViewedWork {
  /** How many units. */
  readonly count: number;
  /** What one is called, such as `request`. */
  readonly unit: string;
}

/** Instructions in a window that are not in a tree of system calls. */
export interface ElsewhereCounts {
  /** In page faults and other exceptions of the thread that looked. */
  readonly exceptions: number;
  /** In interrupts. */
  readonly interrupts: number;
  /** In the kernel for other threads. */
  readonly otherThreads: number;
  /** In user space. */
  readonly userSpace: number;
}

/**
 * A function as it was called by one path: how many callers it has, which of the functions it is,
 * instructions that it executed itself, and bytes of payload that it copied.
 */
export type FoldedCall = readonly [
  depth: number,
  function: number,
  instructions: number,
  copied: number,
];

/** What was seen of one row in one window. */
export interface RunView {
  /** What the row is called. */
  readonly label: string;
  /** The row. */
  readonly factors: Factors;
  /** How much work was done in the window; null if it was the whole trial. */
  readonly work: ViewedWork | null;
  /** What else was executed in the window. */
  readonly elsewhere: ElsewhereCounts;
  /** The names of the functions. */
  readonly functions: readonly string[];
  /**
   * The calls, callers before what they called, from where system calls enter the kernel. The first one
   * has the depth 0. Of very many the smallest are summed, in one call of each caller.
   */
  readonly calls: readonly FoldedCall[];
}
