/**
 * The refill ring of a zero-copy receiver: where buffers go back to the kernel.
 *
 * @module
 */
import { LAYOUTS } from "../kernel/layout.ts";
import { Mapping, PAGE_SIZE } from "../kernel/memory.ts";

/** More than any word of a ring of pieces: V8 then knows that an index is not negative. */
const WORD = 0x3fff_ffff;

/** Entries that the kernel takes at most. */
export const MOST_REFILL_ENTRIES = 32_768;

/** Where the kernel put the parts of a refill ring, in bytes from the start of its region. */
export interface RefillOffsets {
  /** How far the kernel has read: 32 bits. */
  readonly head: number;
  /** How far the program has written: 32 bits. */
  readonly tail: number;
  /** The entries: 16 bytes each. */
  readonly rqes: number;
}

/** The smallest power of two that is not below the number. */
export function powerOfTwo(number: number): number {
  return number <= 1 ? 1 : 2 ** Math.ceil(Math.log2(number));
}

/**
 * Memory for a refill ring, and for the kernel's statistics behind it. The kernel says only when it
 * registers the memory where in it the entries begin: there is a page of room before them.
 */
export class RefillRegion {
  /** The memory. */
  readonly mapping: Mapping;
  /** Where the statistics lie, in bytes. */
  readonly statistics: number;

  /** @param entries As many as will be asked for; the kernel rounds up to a power of two. */
  constructor(entries: number) {
    const bytes = powerOfTwo(entries) * LAYOUTS.io_uring_zcrx_rqe.size;
    this.statistics = PAGE_SIZE + Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE;
    this.mapping = Mapping.map({ bytes: this.statistics + PAGE_SIZE });
  }
}

/**
 * The program's side of a refill ring. The kernel reads entries at any time, on any processor: the
 * tail is published after the entry that it covers, and the head is read before a place is reused.
 */
export class RefillRing {
  /** Number of entries: a power of two. */
  readonly entries: number;
  readonly #words: Int32Array;
  readonly #headAt: number;
  readonly #tailAt: number;
  /** The entries alone, four words each. */
  readonly #entryWords: Int32Array;
  #tail: number;
  /** What the kernel was last told of the tail. */
  #published: number;
  /** What the head was when it was last looked at. */
  #head: number;

  /**
   * @param memory The region that was registered.
   * @param entries Their number as the kernel returned it.
   * @param offsets As the kernel returned them.
   */
  constructor(memory: ArrayBuffer, entries: number, offsets: RefillOffsets) {
    const end = offsets.rqes + entries * LAYOUTS.io_uring_zcrx_rqe.size;
    if ((entries & (entries - 1)) !== 0 || entries === 0 || end > memory.byteLength) {
      throw new RangeError(
        `A refill ring of ${entries} entries at ${offsets.rqes} is outside its ` +
          `${memory.byteLength} bytes, or not a power of two`,
      );
    }
    this.entries = entries;
    this.#words = new Int32Array(memory, 0, memory.byteLength >> 2);
    this.#headAt = offsets.head >> 2;
    this.#tailAt = offsets.tail >> 2;
    this.#entryWords = new Int32Array(memory, offsets.rqes, entries << 2);
    this.#published = this.#tail = Atomics.load(this.#words, this.#tailAt);
    this.#head = Atomics.load(this.#words, this.#headAt);
  }

  /** Entries that the kernel has not read yet. */
  get waiting(): number {
    this.#head = Atomics.load(this.#words, this.#headAt);
    return (this.#tail - this.#head) | 0;
  }

  /** Whether at least that many entries wait. Looks at the kernel's head only if that may be so. */
  holds(count: number): boolean {
    return ((this.#tail - this.#head) | 0) >= count && this.waiting >= count;
  }

  /**
   * Gives a piece of a buffer back, and tells the kernel.
   *
   * @param low The lower word of the offset that the completion had.
   * @param high The upper word, the number of the area in it.
   * @param length Its bytes.
   * @returns Whether there was room.
   */
  push(low: number, high: number, length: number): boolean {
    if (!this.add(low, high, length)) return false;
    this.publish();
    return true;
  }

  /** Like {@linkcode push}; the kernel learns of it by {@linkcode publish}, of many at once. */
  add(low: number, high: number, length: number): boolean {
    const tail = this.#tail;
    const { entries } = this;
    if (((tail - this.#head) | 0) >= entries && this.waiting >= entries) return false;
    const words = this.#entryWords;
    const at = (tail & (entries - 1)) << 2;
    words[at] = low;
    words[at | 1] = high;
    words[at | 2] = length;
    words[at | 3] = 0;
    this.#tail = (tail + 1) | 0;
    return true;
  }

  /**
   * Like {@linkcode add}, for many.
   *
   * @param from A ring of four words for each piece: the two of its offset, its length, and another.
   * @param first Where the words of the first piece start.
   * @param count How many.
   * @returns How many there was room for.
   */
  addRun(from: Int32Array, first: number, count: number): number {
    const { entries } = this;
    let room = entries - ((this.#tail - this.#head) | 0);
    if (room < count) room = entries - this.waiting;
    const added = Math.min(count, room);
    const words = this.#entryWords;
    const wrap = from.length - 1;
    const end = (this.#tail + added) | 0;
    let at = first & WORD;
    for (let tail = this.#tail; tail !== end; tail = (tail + 1) | 0) {
      const to = (tail & (entries - 1) & WORD >> 2) << 2;
      words[to] = from[at]!;
      words[to | 1] = from[at | 1]!;
      words[to | 2] = from[at | 2]!;
      words[to | 3] = 0;
      at = (at + 4) & wrap & WORD;
    }
    this.#tail = end;
    return added;
  }

  /** Tells the kernel of the entries that were added. */
  publish(): void {
    if (this.#published === this.#tail) return;
    this.#published = this.#tail;
    Atomics.store(this.#words, this.#tailAt, this.#tail);
  }
}
