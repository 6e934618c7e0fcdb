/**
 * Pieces that were received without copying: who holds which, in which order they came.
 *
 * @module
 */
import { OwnershipError } from "../kernel/errors.ts";
import { CQE } from "../kernel/uapi.ts";

const SLOT_BITS = 22;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const MOST_SLOTS = 1 << SLOT_BITS;
const GENERATION_MASK = (1 << (31 - SLOT_BITS)) - 1;
const FIRST_SLOTS = 1024;
const FREE = -1;
const TWO_TO_32 = 2 ** 32;

/** Where in its area the two words of an offset point, in bytes. */
export function offsetIn(low: number, high: number): number {
  return (high & 0xffff) * TWO_TO_32 + (low >>> 0);
}

/** The number of the area in the upper word of an offset. */
export function areaOf(high: number): number {
  return high >>> 16;
}

/** The four words of a slot: two of the offset, the length, and how often the slot was used. */
const SLOT_SHIFT = 2;
const HIGH = 1;
const LENGTH = 2;
const GENERATION = 3;

/**
 * The pieces that the program holds. A piece is a number: its slot, and how often the slot was used
 * before, so that a piece that was returned is not taken for the next one in its slot. A slot that is
 * free is used again after all the others; a number comes again when its slot was used 512 times.
 */
export class PieceTable {
  /** The slots; the length of one that is free is {@linkcode FREE}. */
  #words = emptySlots(FIRST_SLOTS);
  /** Free slots, first in first out. */
  #free = Int32Array.from({ length: FIRST_SLOTS }, (_, slot) => slot);
  #freeHead = 0;
  #freeCount = FIRST_SLOTS;

  /** Pieces that are held. */
  get held(): number {
    return this.#free.length - this.#freeCount;
  }

  /**
   * Notes a piece.
   *
   * @param low The lower word of its offset.
   * @param high The upper word, with the number of the area.
   * @param length Its bytes.
   * @returns The piece: a number from 0 to 2³¹ - 1.
   */
  take(low: number, high: number, length: number): number {
    if (this.#freeCount === 0) this.#grow();
    const free = this.#free;
    const words = this.#words;
    const slot = free[this.#freeHead]!;
    const at = slot << SLOT_SHIFT;
    this.#freeHead = (this.#freeHead + 1) & (free.length - 1);
    this.#freeCount--;
    words[at] = low;
    words[at + HIGH] = high;
    words[at + LENGTH] = length;
    return words[at + GENERATION]! << SLOT_BITS | slot;
  }

  /**
   * The slot of a piece.
   *
   * @throws {OwnershipError} If the program does not hold it.
   */
  slotOf(piece: number): number {
    if (!this.holds(piece)) {
      throw new OwnershipError(
        `${piece} is no piece that the program holds: each is returned once, and not used after that`,
      );
    }
    return piece & SLOT_MASK;
  }

  /** Whether the program holds a piece. */
  holds(piece: number): boolean {
    const words = this.#words;
    const at = (piece & SLOT_MASK) << SLOT_SHIFT;
    // What is no number from 0 to 2³¹ - 1 is no piece, whatever its lower bits are.
    return piece >>> SLOT_BITS === words[at + GENERATION] && (piece | 0) === piece &&
      words[at + LENGTH] !== FREE;
  }

  /** Frees a slot. */
  free(slot: number): void {
    const words = this.#words;
    const free = this.#free;
    const at = slot << SLOT_SHIFT;
    words[at + LENGTH] = FREE;
    words[at + GENERATION] = (words[at + GENERATION]! + 1) & GENERATION_MASK;
    free[(this.#freeHead + this.#freeCount) & (free.length - 1)] = slot;
    this.#freeCount++;
  }

  /** The lower word of the offset, as it came. */
  low(slot: number): number {
    return this.#words[slot << SLOT_SHIFT]!;
  }

  /** The upper word of the offset, as it came. */
  high(slot: number): number {
    return this.#words[(slot << SLOT_SHIFT) + HIGH]!;
  }

  /** Bytes of the piece. */
  length(slot: number): number {
    return this.#words[(slot << SLOT_SHIFT) + LENGTH]!;
  }

  /** Where the piece starts in its area, in bytes. */
  offset(slot: number): number {
    return offsetIn(this.low(slot), this.high(slot));
  }

  /** The number of the area. */
  area(slot: number): number {
    return areaOf(this.high(slot));
  }

  /** The slots of all pieces that are held. */
  *slots(): Generator<number> {
    for (let slot = 0; slot < this.#free.length; slot++) {
      if (this.length(slot) !== FREE) yield slot;
    }
  }

  /** Doubles the table. Called when no slot is free. */
  #grow(): void {
    const before = this.#free.length;
    if (before === MOST_SLOTS) {
      throw new RangeError(`The program holds ${before} pieces: return some`);
    }
    const words = emptySlots(2 * before);
    words.set(this.#words);
    this.#words = words;
    // None was free: those that are new follow each other.
    this.#free = Int32Array.from({ length: 2 * before }, (_, i) => before + i);
    this.#freeHead = 0;
    this.#freeCount = before;
  }
}

function emptySlots(count: number): Int32Array<ArrayBuffer> {
  const words = new Int32Array(count << SLOT_SHIFT);
  for (let slot = 0; slot < count; slot++) words[(slot << SLOT_SHIFT) + LENGTH] = FREE;
  return words;
}

/** The words of an arrival: two of the offset, the length, and the receive's user data. */
const ARRIVAL_SHIFT = 2;
const USER_DATA = 3;
/** The length of what is no piece but the end of a receive, whose number then is the first word. */
const END = -1;

/**
 * What has come and the program was not told of yet: pieces and ends of receives, first in first out.
 * Who takes many reads their words: those of the first are at {@linkcode at}.
 */
export class ArrivalQueue {
  /** Four words for each: low and high word of the offset, length, user data. A power of two. */
  words: Int32Array = new Int32Array(FIRST_SLOTS << ARRIVAL_SHIFT);
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
   * @param ring The words of the completion queue, whose places start at `cqes`; `mask` makes a place
   *   of a number.
   * @param first The number of the first.
   * @param end The number behind the last that is in the queue.
   * @param upper The upper word of the request.
   * @param userData What comes back with the pieces.
   * @returns How many.
   */
  pushRun(
    ring: Int32Array,
    cqes: number,
    mask: number,
    first: number,
    end: number,
    upper: number,
    userData: number,
  ): number {
    this.#reserve((end - first) | 0);
    const { words } = this;
    const wrap = words.length - 1;
    let to = (this.at + (this.count << ARRIVAL_SHIFT)) & wrap;
    let number = first;
    let bytes = 0;
    while (number !== end) {
      const from = cqes + ((number & mask) << 3);
      if (ring[from + 1] !== upper || (ring[from + 3]! & CQE.MORE) === 0) break;
      const length = ring[from + 2]!;
      words[to] = ring[from + 4]!;
      words[to + HIGH] = ring[from + 5]!;
      words[to + LENGTH] = length;
      words[to + USER_DATA] = userData;
      to = (to + (1 << ARRIVAL_SHIFT)) & wrap;
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
