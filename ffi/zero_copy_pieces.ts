/**
 * Pieces that were received without copying: who holds which, in which order they came.
 *
 * @module
 */
import { OwnershipError } from "./errors.ts";

const SLOT_BITS = 22;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const MOST_SLOTS = 1 << SLOT_BITS;
const GENERATION_MASK = (1 << (31 - SLOT_BITS)) - 1;
const FIRST_SLOTS = 1024;
const FREE = -1;
const TWO_TO_32 = 2 ** 32;

/**
 * The pieces that the program holds. A piece is a number: its slot, and how often the slot was used
 * before, so that a piece that was returned is not taken for the next one in its slot. A slot that is
 * free is used again after all the others; a number comes again when its slot was used 512 times.
 */
export class PieceTable {
  #low = new Int32Array(FIRST_SLOTS);
  #high = new Int32Array(FIRST_SLOTS);
  /** Bytes of a piece that is held. */
  #length = new Int32Array(FIRST_SLOTS).fill(FREE);
  #generation = new Int32Array(FIRST_SLOTS);
  /** Free slots, first in first out. */
  #free = Int32Array.from({ length: FIRST_SLOTS }, (_, slot) => slot);
  #freeHead = 0;
  #freeCount = FIRST_SLOTS;

  /** Pieces that are held. */
  get held(): number {
    return this.#length.length - this.#freeCount;
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
    const slot = this.#free[this.#freeHead]!;
    this.#freeHead = (this.#freeHead + 1) & (this.#free.length - 1);
    this.#freeCount--;
    this.#low[slot] = low;
    this.#high[slot] = high;
    this.#length[slot] = length;
    return this.#generation[slot]! << SLOT_BITS | slot;
  }

  /**
   * The slot of a piece.
   *
   * @throws {OwnershipError} If the program does not hold it.
   */
  slotOf(piece: number): number {
    const slot = piece & SLOT_MASK;
    if (!this.holds(piece)) {
      throw new OwnershipError(
        `${piece} is no piece that the program holds: each is returned once, and not used after that`,
      );
    }
    return slot;
  }

  /** Whether the program holds a piece. */
  holds(piece: number): boolean {
    const slot = piece & SLOT_MASK;
    // What is no number from 0 to 2³¹ - 1 is no piece, whatever its lower bits are.
    return piece >>> SLOT_BITS === this.#generation[slot] && (piece | 0) === piece &&
      this.#length[slot] !== FREE;
  }

  /** Frees a slot. */
  free(slot: number): void {
    this.#length[slot] = FREE;
    this.#generation[slot] = (this.#generation[slot]! + 1) & GENERATION_MASK;
    this.#free[(this.#freeHead + this.#freeCount) & (this.#free.length - 1)] = slot;
    this.#freeCount++;
  }

  /** The lower word of the offset, as it came. */
  low(slot: number): number {
    return this.#low[slot]!;
  }

  /** The upper word of the offset, as it came. */
  high(slot: number): number {
    return this.#high[slot]!;
  }

  /** Bytes of the piece. */
  length(slot: number): number {
    return this.#length[slot]!;
  }

  /** Where the piece starts in its area, in bytes. */
  offset(slot: number): number {
    return (this.#high[slot]! & 0xffff) * TWO_TO_32 + (this.#low[slot]! >>> 0);
  }

  /** The number of the area. */
  area(slot: number): number {
    return this.#high[slot]! >>> 16;
  }

  /** The slots of all pieces that are held. */
  *slots(): Generator<number> {
    for (let slot = 0; slot < this.#length.length; slot++) {
      if (this.#length[slot] !== FREE) yield slot;
    }
  }

  /** Doubles the table. Called when no slot is free. */
  #grow(): void {
    const before = this.#length.length;
    if (before === MOST_SLOTS) {
      throw new RangeError(`The program holds ${before} pieces: return some`);
    }
    this.#low = grown(this.#low, 0);
    this.#high = grown(this.#high, 0);
    this.#length = grown(this.#length, FREE);
    this.#generation = grown(this.#generation, 0);
    this.#free = grown(this.#free, 0);
    for (let i = 0; i < before; i++) this.#free[i] = before + i;
    this.#freeHead = 0;
    this.#freeCount = before;
  }
}

/** Pairs of numbers, first in first out. */
export class PairQueue {
  #pairs = new Int32Array(2 * FIRST_SLOTS);
  #head = 0;
  #count = 0;

  /** How many pairs wait. */
  get count(): number {
    return this.#count;
  }

  /** The first number of the pair that is next. */
  get first(): number {
    return this.#pairs[this.#head]!;
  }

  /** Its second number. */
  get second(): number {
    return this.#pairs[this.#head + 1]!;
  }

  /** Takes the next pair out. */
  drop(): void {
    this.#head = (this.#head + 2) & (this.#pairs.length - 1);
    this.#count--;
  }

  /** Adds a pair. */
  push(first: number, second: number): void {
    if (2 * this.#count === this.#pairs.length) this.#grow();
    const at = (this.#head + 2 * this.#count) & (this.#pairs.length - 1);
    this.#pairs[at] = first;
    this.#pairs[at + 1] = second;
    this.#count++;
  }

  #grow(): void {
    const { length } = this.#pairs;
    const larger = new Int32Array(2 * length);
    larger.set(this.#pairs.subarray(this.#head));
    larger.set(this.#pairs.subarray(0, this.#head), length - this.#head);
    this.#pairs = larger;
    this.#head = 0;
  }
}

function grown(array: Int32Array<ArrayBuffer>, fill: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * array.length).fill(fill, array.length);
  larger.set(array);
  return larger;
}
