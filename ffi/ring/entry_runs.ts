/**
 * Runs of submission entries, by where they lie in the queue. Who sends the same pieces round after
 * round finds entries in the queue that say already what they are to say: the kernel only reads them.
 *
 * @module
 */
import { preparePiece } from "./prepare.ts";

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

/** A ring, as a run of pieces sees it. */
export interface RunRing {
  /** Submission entries as words. */
  readonly sqes: Int32Array;
  /** Which of them hold a run of requests. */
  readonly runs: EntryRuns;
  readonly queues: { readonly sqEntries: number };
  /** The number of the next entry. */
  readonly tail: number;
  /** How many entries can be taken now; submits first when the queue is full. */
  room(): number;
  /** Takes entries that were filled. */
  advance(count: number): void;
}

/**
 * Prepares a run of sends, one for each piece of a slice: unless those that lie in the queue say
 * already what they are to say, they are filled.
 *
 * @param low The lower half of the first piece's address, as an unsigned number.
 * @param userData Of the first; it counts up.
 */
export function prepareRun(
  ring: RunRing,
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
  const { sqes, runs } = ring;
  const start = ring.room() >= count ? ring.tail : -1;
  if (
    start >= 0 &&
    // deno-fmt-ignore
    runs.repeat(start, count, word0, fd, low, high, length, stride, flags, buffer, userData, upper)
  ) {
    ring.advance(count);
    return;
  }
  let [pieceLow, pieceHigh] = [low, high];
  let pieceData = userData;
  const mask = ring.queues.sqEntries - 1;
  for (let prepared = 0; prepared < count;) {
    const run = Math.min(ring.room(), count - prepared);
    const { tail } = ring;
    for (let i = 0; i < run; i++) {
      const at = ((tail + i) & mask) << 4;
      // deno-fmt-ignore
      preparePiece(sqes, at, word0, fd, pieceLow, pieceHigh, length, flags, buffer, pieceData, upper);
      pieceData = (pieceData + 1) | 0;
      pieceLow += stride;
      if (pieceLow >= 0x1_0000_0000) {
        pieceLow -= 0x1_0000_0000;
        pieceHigh++;
      }
    }
    ring.advance(run);
    prepared += run;
  }
  if (start >= 0) {
    // deno-fmt-ignore
    runs.note(start, count, word0, fd, low, high, length, stride, flags, buffer, userData, upper);
  }
}
