/**
 * Things that carry consecutive unsigned 32-bit numbers and leave in ranges, in any order: what the
 * kernel's numbering of MSG_ZEROCOPY sends needs.
 *
 * @module
 */

/** Room at first. A power of two, as the numbers wrap at one. */
const FEW = 256;

/** What is out, by its number. Neither adding nor taking allocates, unless there is no room. */
export class Numbered<T extends object> {
  #things: (T | null)[] = new Array(FEW).fill(null);
  #oldest: number;
  #next: number;
  #size = 0;
  /** What {@linkcode takeRun} took last. */
  taken: T | undefined;

  /** @param first The first number; 0 unless a test wants to see it wrap. */
  constructor(first = 0) {
    this.#oldest = this.#next = first >>> 0;
  }

  /** The number of what is added next. */
  get next(): number {
    return this.#next;
  }

  /** How many numbers are out. */
  get size(): number {
    return this.#size;
  }

  /** Adds a thing under the next number, or under as many as given. */
  add(thing: T, count = 1): void {
    while (((this.#next - this.#oldest) >>> 0) + count > this.#things.length) this.#grow();
    const things = this.#things;
    const mask = things.length - 1;
    for (let i = 0; i < count; i++) things[(this.#next + i) & mask] = thing;
    this.#next = (this.#next + count) >>> 0;
    this.#size += count;
  }

  /**
   * Takes what has a number, and the numbers behind it as long as the same thing has them.
   *
   * @param most How many at most.
   * @returns How many were taken; their thing is in {@linkcode taken}. 0 if nothing is out there.
   */
  takeRun(first: number, most: number): number {
    const out = (this.#next - this.#oldest) >>> 0;
    const from = (first - this.#oldest) >>> 0;
    const things = this.#things;
    const mask = things.length - 1;
    const thing = from < out ? things[first & mask]! : null;
    this.taken = thing ?? undefined;
    if (thing === null) return 0;
    const limit = Math.min(most, out - from);
    let count = 0;
    while (count < limit && things[(first + count) & mask] === thing) {
      things[(first + count) & mask] = null;
      count++;
    }
    this.#size -= count;
    if (from === 0) this.#oldest = (this.#oldest + count) >>> 0;
    // What was taken out of order before is skipped when its turn comes.
    while (this.#oldest !== this.#next && things[this.#oldest & mask] === null) {
      this.#oldest = (this.#oldest + 1) >>> 0;
    }
    return count;
  }

  #grow(): void {
    const larger: (T | null)[] = new Array(this.#things.length * 2).fill(null);
    for (let number = this.#oldest; number !== this.#next; number = (number + 1) >>> 0) {
      larger[number & (larger.length - 1)] = this.#things[number & (this.#things.length - 1)]!;
    }
    this.#things = larger;
  }
}
