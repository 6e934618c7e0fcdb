/**
 * Random numbers that are the same for the same seed, on every machine.
 *
 * @module
 */
import { checkWhole } from "../../../ffi/kernel/arguments.ts";

/** Numbers thrown away after seeding, so that the 32 bits of the seed reach the whole state. */
const DISCARDED = 12;

/**
 * A seeded generator of pseudo-random numbers: sfc32 of Chris Doty-Humphrey's PractRand, with
 * 128 bits of state filled from a 32-bit seed.
 *
 * It computes with 32-bit integers alone, so that a seed gives the same numbers everywhere. It
 * serves to order trials and to resample; it is not for secrets.
 *
 * @example
 * ```ts
 * import { Random } from "zclab/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new Random(1).uint32(), 2012149540);
 * assertEquals(new Random(7).shuffled(["a", "b", "c"]), new Random(7).shuffled(["a", "b", "c"]));
 * ```
 */
export class Random {
  /** The seed that this generator started from. */
  readonly seed: number;
  #a = 0;
  #b: number;
  #c = 0;
  #counter = 1;

  /**
   * Starts a generator.
   *
   * @param seed A whole number from 0 to 2^32 - 1.
   * @throws {RangeError} If the seed is anything else.
   */
  constructor(seed: number) {
    checkWhole("seed", seed, 0, 0xffff_ffff);
    this.seed = seed;
    this.#b = seed | 0;
    for (let i = 0; i < DISCARDED; i++) this.uint32();
  }

  /** The next number, whole, from 0 to 2^32 - 1. */
  uint32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** The next number, at least 0 and less than 1, a multiple of 2^-32. */
  next(): number {
    return this.uint32() / 0x100000000;
  }

  /**
   * The next whole number from 0 to `limit` - 1, each equally likely.
   *
   * @param limit From 1 to 2^32.
   * @throws {RangeError} If the limit is anything else.
   */
  below(limit: number): number {
    checkWhole("limit", limit, 1, 2 ** 32);
    // What is left over at the top would make the small numbers likelier: draw again.
    const fair = 0x100000000 - (0x100000000 % limit);
    let drawn = this.uint32();
    while (drawn >= fair) drawn = this.uint32();
    return drawn % limit;
  }

  /** A copy of `items` in random order, each order equally likely (Fisher and Yates). */
  shuffled<T>(items: readonly T[]): T[] {
    const result = [...items];
    for (let last = result.length - 1; last > 0; last--) {
      const chosen = this.below(last + 1);
      const item = result[last]!;
      result[last] = result[chosen]!;
      result[chosen] = item;
    }
    return result;
  }
}

/** A fresh seed from the system's random source, for a run that was given none. */
export function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}
