/**
 * Completions of the batch API that were seen while looking for others, until they are reaped.
 *
 * @module
 */

/** Words of a completion: user data, result, flags. */
const WORDS = 3;
/** Completions that there is room for at first. */
const FIRST_ROOM = 256;

/** See the module's description: first in, first out. */
export class SpilledCompletions {
  #words = new Int32Array(0);
  #head = 0;
  #tail = 0;

  /** Whether there are none. */
  get isEmpty(): boolean {
    return this.#head === this.#tail;
  }

  /** How many there are. */
  get count(): number {
    return this.isEmpty ? 0 : (this.#tail - this.#head) / WORDS;
  }

  /** Sets one aside. */
  push(userData: number, result: number, flags: number): void {
    if (this.#tail + WORDS > this.#words.length) {
      const kept = this.#words.subarray(this.#head, this.#tail);
      const larger = new Int32Array(Math.max(WORDS * FIRST_ROOM, kept.length * 2));
      larger.set(kept);
      this.#words = larger;
      this.#head = 0;
      this.#tail = kept.length;
    }
    this.#words[this.#tail] = userData;
    this.#words[this.#tail + 1] = result;
    this.#words[this.#tail + 2] = flags;
    this.#tail += WORDS;
  }

  /** Hands the oldest out, which is gone before the function runs: it may reap, throw or close. */
  shift(onCompletion: (userData: number, result: number, flags: number) => void): void {
    const at = this.#head;
    const userData = this.#words[at]! >>> 0;
    const result = this.#words[at + 1]!;
    const flags = this.#words[at + 2]!;
    this.#head = at + WORDS;
    if (this.isEmpty) this.#head = this.#tail = 0;
    onCompletion(userData, result, flags);
  }
}
