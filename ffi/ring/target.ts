/**
 * Whoever is told of the completions of its requests, without a callback for each.
 *
 * @module
 */

/** Whoever is told of the completions of its requests. */
export interface Target {
  /**
   * @param result What the kernel returned.
   * @param flags The completion's flags.
   * @param slot The request, so that a target with several can tell them apart.
   * @param final Whether this was its last completion.
   * @param index Which request of those that share the slot.
   */
  complete(result: number, flags: number, slot: number, final: boolean, index: number): void;
  /** The ring failed or was closed: no completion will come. */
  fail(error: unknown): void;
  /**
   * Instead of `complete` for completions of 32 bytes that are not the last: takes as many at once as
   * follow each other in the queue and are its request's.
   *
   * @param first The number of the first in the queue, which is one of those.
   * @param end The number behind the last that is in the queue.
   * @param upper The upper word of the request.
   * @returns How many it has taken.
   */
  completeRun?(first: number, end: number, upper: number): number;
}

/** A target that only counts, and is told of many completions at once. */
export interface CountingTarget extends Target {
  /** Whether sums are enough for now. */
  readonly counts: boolean;
  /**
   * Told of requests that sent something, and of notifications.
   *
   * @param final How many of the completions were the last of their request.
   */
  count(sent: number, bytes: number, notified: number, copied: number, final: number): void;
}
