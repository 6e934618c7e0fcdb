/**
 * Pieces that were received without copying and that the program was not told of yet, in their order.
 *
 * @module
 */
import { CQE } from "../kernel/uapi.ts";

// Under a name of this file it is folded into the code, not looked up at each piece.
const MORE = CQE.MORE;
/** More than any place of a completion queue, and than any word here: V8 then knows indices for such. */
const PLACE = 0xff_ffff;
const WORD = 0x3fff_ffff;

const FIRST_ARRIVALS = 1024;

/**
 * The words of an arrival: two of the offset, the length, and the receive's user data. They start at a
 * multiple of four, so that `at | LENGTH` is the place of its length, and no sum that could be too large.
 */
const ARRIVAL_SHIFT = 2;
const HIGH = 1;
const LENGTH = 2;
const USER_DATA = 3;
/** The length of what is no piece but the end of a receive, whose number then is the first word. */
const END = -1;

/**
 * What has come and the program was not told of yet: pieces and ends of receives, first in first out.
 * Who takes many reads their words: those of the first are at {@linkcode at}.
 */
export class ArrivalQueue {
  /** Four words for each: low and high word of the offset, length, user data. A power of two. */
  words: Int32Array = new Int32Array(FIRST_ARRIVALS << ARRIVAL_SHIFT);
  /** Where the words of the first start. */
  at = 0;
  /** How many wait. */
  count = 0;
  /** How many of them are pieces. */
  pieces = 0;
  /** How many pieces, from the first on, {@linkcode show} has shown and nobody has taken. */
  shown = 0;
  /** Bytes of the pieces that {@linkcode pushRun} added last. */
  runBytes = 0;

  /** Whether there is something that was not shown. */
  get fresh(): boolean {
    return this.count > this.shown;
  }

  /** Adds a piece. */
  push(low: number, high: number, length: number, userData: number): void {
    this.#add(low, high, length, userData);
    this.pieces++;
  }

  /** Adds the end of a receive. */
  pushEnd(number: number): void {
    this.#add(number, 0, END, 0);
  }

  #add(first: number, second: number, length: number, userData: number): void {
    this.#reserve(1);
    const { words } = this;
    const to = (this.at + (this.count << ARRIVAL_SHIFT)) & (words.length - 1);
    words[to] = first;
    words[to + HIGH] = second;
    words[to + LENGTH] = length;
    words[to + USER_DATA] = userData;
    this.count++;
  }

  /**
   * Adds the pieces of completions of 32 bytes that follow each other and are one request's.
   *
   * @param completions The words of the completions; `mask` makes a place of a number.
   * @param first The number of the first.
   * @param end The number behind the last that is in the queue.
   * @param upper The upper word of the request.
   * @param userData What comes back with the pieces.
   * @returns How many.
   */
  pushRun(
    completions: Int32Array,
    mask: number,
    first: number,
    end: number,
    upper: number,
    userData: number,
  ): number {
    this.#reserve((end - first) | 0);
    const { words } = this;
    const wrap = words.length - 1;
    let to = (this.at + (this.count << ARRIVAL_SHIFT)) & wrap & WORD;
    let number = first;
    let bytes = 0;
    while (number !== end) {
      const from = (number & mask & PLACE) << 3;
      if (completions[from | 1] !== upper || (completions[from | 3]! & MORE) === 0) break;
      const length = completions[from | 2]!;
      words[to] = completions[from | 4]!;
      words[to | HIGH] = completions[from | 5]!;
      words[to | LENGTH] = length;
      words[to | USER_DATA] = userData;
      to = (to + (1 << ARRIVAL_SHIFT)) & wrap & WORD;
      bytes += length;
      number = (number + 1) | 0;
    }
    const count = (number - first) | 0;
    this.count += count;
    this.pieces += count;
    this.runBytes = bytes;
    return count;
  }

  /** Takes pieces out, from the first on. */
  drop(count: number): void {
    this.pieces -= count;
    this.count -= count;
    this.shown = this.shown > count ? this.shown - count : 0;
    this.at = (this.at + (count << ARRIVAL_SHIFT)) & (this.words.length - 1);
  }

  /** Takes the first out, which is the end of a receive; returns its number. */
  dropEnd(): number {
    const number = this.words[this.at]!;
    this.count--;
    this.at = (this.at + (1 << ARRIVAL_SHIFT)) & (this.words.length - 1);
    return number;
  }

  /** Whether the first is the end of a receive. */
  get atEnd(): boolean {
    return this.count > 0 && this.words[this.at + LENGTH] === END;
  }

  /** Shows the pieces that come before the next end; returns how many. */
  show(): number {
    const { words, at, count } = this;
    // Most often there is no end.
    if (this.pieces === count) return this.shown = count;
    const wrap = words.length - 1;
    let shown = 0;
    while (shown < count && words[(at + (shown << ARRIVAL_SHIFT) + LENGTH) & wrap] !== END) shown++;
    return this.shown = shown;
  }

  /** Where the words of a piece that was shown start; -1 if it is none. */
  place(index: number): number {
    if (index >>> 0 !== index || index >= this.shown) return -1;
    return (this.at + (index << ARRIVAL_SHIFT)) & (this.words.length - 1);
  }

  /** Forgets everything. */
  clear(): void {
    this.count = 0;
    this.pieces = 0;
    this.shown = 0;
  }

  /** Makes room for so many more. */
  #reserve(more: number): void {
    const { length } = this.words;
    const needed = (this.count + more) << ARRIVAL_SHIFT;
    if (needed <= length) return;
    const larger = new Int32Array(2 ** Math.ceil(Math.log2(needed)));
    larger.set(this.words.subarray(this.at));
    larger.set(this.words.subarray(0, this.at), length - this.at);
    this.words = larger;
    this.at = 0;
  }
}
