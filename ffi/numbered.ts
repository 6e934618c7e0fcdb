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

  /** @param first The first number; 0 unless a test wants to see it wrap. */
  constructor(first = 0) {
    this.#oldest = this.#next = first >>> 0;
  }

  /** The number of what is added next. */
  get next(): number {
    return this.#next;
  }

  /** Adds a thing under the next number. */
  add(thing: T): void {
    if (((this.#next - this.#oldest) >>> 0) >= this.#things.length) this.#grow();
    this.#things[this.#next & (this.#things.length - 1)] = thing;
    this.#next = (this.#next + 1) >>> 0;
  }

  /**
   * Takes what has this number.
   *
   * @returns The thing, or undefined if nothing with this number is out.
   */
  take(number: number): T | undefined {
    if (((number - this.#oldest) >>> 0) >= ((this.#next - this.#oldest) >>> 0)) return undefined;
    const mask = this.#things.length - 1;
    const thing = this.#things[number & mask]!;
    if (thing === null) return undefined;
    this.#things[number & mask] = null;
    // What was taken out of order before is skipped when its turn comes.
    while (this.#oldest !== this.#next && this.#things[this.#oldest & mask] === null) {
      this.#oldest = (this.#oldest + 1) >>> 0;
    }
    return thing;
  }

  #grow(): void {
    const larger: (T | null)[] = new Array(this.#things.length * 2).fill(null);
    for (let number = this.#oldest; number !== this.#next; number = (number + 1) >>> 0) {
      larger[number & (larger.length - 1)] = this.#things[number & (this.#things.length - 1)]!;
    }
    this.#things = larger;
  }
}
