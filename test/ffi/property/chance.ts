/**
 * What the property test draws, all of it from one sequence of random numbers: the same seed makes the
 * same choices.
 *
 * @module
 */
import type { Random } from "../../../labs/kit/trials/random.ts";

/** See the module's description. */
export class Chance {
  /** Objects that are garbage where others are expected: one list for each kind. */
  readonly lists: (() => readonly unknown[])[] = [];
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return this.#random.below(limit);
  }

  /** Whether something happens that does so in so many cases of 100. */
  percent(percent: number): boolean {
    return this.#random.below(100) < percent;
  }

  /** One of some things, or undefined if there is none. */
  pick<T>(items: readonly T[]): T | undefined {
    return items.length === 0 ? undefined : items[this.#random.below(items.length)];
  }

  /** A thing that the API does not expect there. Never a number that could be a descriptor. */
  garbage(): unknown {
    const simple = [undefined, null, -1, -(2 ** 31), NaN, Infinity, 2 ** 32, 2 ** 53, 0.5, "", "x"];
    const things = [
      ...simple,
      {},
      [],
      new ArrayBuffer(8),
      new Uint8Array(3),
      () => {},
      Symbol(),
      1n,
    ];
    const chosen = this.below(things.length + this.lists.length);
    if (chosen < things.length) return things[chosen];
    return this.pick(this.lists[chosen - things.length]!());
  }

  /** A number for a parameter that takes one. */
  number(): number {
    return this.pick([0, 1, 2, 7, 64, 4096, -1, 0.5, NaN, Infinity, 2 ** 31, 2 ** 32, 2 ** 53])!;
  }
}

/** Keeps some of the things that were made, to draw from; the oldest goes. */
export function keep<T>(items: T[], item: T, limit = 4): void {
  items.push(item);
  if (items.length > limit) items.shift();
}
