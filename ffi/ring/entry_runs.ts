/**
 * Runs of submission entries, by where they lie in the queue. Who sends the same pieces round after
 * round finds entries in the queue that say already what they are to say: the kernel only reads them.
 *
 * @module
 */

/** Words that describe a run. */
const WORDS = 13;
/** The word of an entry that names its request: the upper half of its user_data. */
const UPPER = 9;

/** See the module's description. */
export class EntryRuns {
  readonly #sqes: Int32Array;
  readonly #entries: number;
  /** For each entry the run that began there last; the first word is its tail. */
  readonly #runs: Int32Array;
  /** How often all were forgotten. */
  #epoch = 0;

  /** @param sqes The entries of the queue, 16 words each. */
  constructor(sqes: Int32Array) {
    this.#sqes = sqes;
    this.#entries = sqes.length >> 4;
    this.#runs = new Int32Array(this.#entries * WORDS);
  }

  /**
   * Whether the entries from `tail` on are those of the same run one round ago, so that they need not
   * be filled. What was prepared in between lies in other places.
   */
  repeat(
    tail: number,
    count: number,
    word0: number,
    fd: number,
    low: number,
    high: number,
    length: number,
    stride: number,
    flags: number,
    buffer: number,
    userData: number,
    upper: number,
  ): boolean {
    const runs = this.#runs;
    const at = (tail & this.#entries - 1) * WORDS;
    const isSame = runs[at] === ((tail - this.#entries) | 0) && runs[at + 1] === count &&
      runs[at + 2] === word0 && runs[at + 3] === fd && runs[at + 4] === (low | 0) &&
      runs[at + 5] === high && runs[at + 6] === length && runs[at + 7] === stride &&
      runs[at + 8] === (flags | 0) && runs[at + 9] === buffer && runs[at + 10] === (userData | 0) &&
      runs[at + 12] === this.#epoch;
    if (!isSame) return false;
    runs[at] = tail;
    if (runs[at + 11] !== upper) {
      runs[at + 11] = upper;
      const sqes = this.#sqes;
      const mask = this.#entries - 1;
      for (let i = 0; i < count; i++) sqes[(((tail + i) & mask) << 4) + UPPER] = upper;
    }
    return true;
  }

  /** Notes a run that was filled. */
  note(
    tail: number,
    count: number,
    word0: number,
    fd: number,
    low: number,
    high: number,
    length: number,
    stride: number,
    flags: number,
    buffer: number,
    userData: number,
    upper: number,
  ): void {
    const runs = this.#runs;
    const at = (tail & this.#entries - 1) * WORDS;
    runs[at] = tail;
    runs[at + 1] = count;
    runs[at + 2] = word0;
    runs[at + 3] = fd;
    runs[at + 4] = low;
    runs[at + 5] = high;
    runs[at + 6] = length;
    runs[at + 7] = stride;
    runs[at + 8] = flags;
    runs[at + 9] = buffer;
    runs[at + 10] = userData;
    runs[at + 11] = upper;
    runs[at + 12] = this.#epoch;
  }

  /** Forgets all of them: an entry was changed after it was filled. */
  clear(): void {
    this.#epoch = (this.#epoch + 1) | 0;
  }
}
