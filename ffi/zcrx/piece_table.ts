/**
 * Pieces that were received without copying and that the program holds.
 *
 * @module
 */
import { OwnershipError } from "../kernel/errors.ts";
import { areaOf, offsetIn } from "./offset.ts";

const SLOT_BITS = 22;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const MOST_SLOTS = 1 << SLOT_BITS;
const GENERATION_MASK = (1 << (31 - SLOT_BITS)) - 1;
const FIRST_SLOTS = 1024;
const FREE = -1;

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
