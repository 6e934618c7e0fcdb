/**
 * The completion queue, as the hot paths see it: its words, and how far they were read.
 *
 * @module
 */
import type { Queues } from "./queues.ts";
import { CQE } from "../kernel/uapi.ts";

/** A completion of the batch API. */
export type OnCompletion = (userData: number, result: number, flags: number) => void;

// Of this file, and not exported, it is folded into the code, not looked up at each completion.
const MORE = CQE.MORE;
/**
 * More than any place of a queue. The mask of a queue alone would do, but what it leaves V8 takes for a
 * number that may be negative, or too large, and looks at each index and sum.
 */
const PLACE = 0xff_ffff;

/**
 * What a field for words holds until they are there. V8 knows a field by the first value that it had: if
 * that was one of its kind, the hot paths need not look at what they have loaded. For the same reason
 * numbers begin with 0.
 */
export const NO_WORDS = new Int32Array(0);

/**
 * See the module's description. Its members have no private names: V8 compiles only short functions into
 * their callers, by the length of their bytecode, and a private name takes twice as much of that.
 */
export class CompletionQueue {
  /** The words of the completions. */
  readonly words: Int32Array = NO_WORDS;
  /** Makes a place of the queue from the number of a completion. */
  readonly mask: number = 0;
  /** Whether each has 16 bytes. */
  readonly isSmall: boolean = false;
  /** Whether each has 16 bytes and the ring is open. */
  isPlain = false;
  /** The number of the first that was not seen; runs ahead of what the kernel was told. */
  head = 0;
  /** Completions, or places without one, that ended no request of this ring. */
  notFinal = 0;
  readonly #ring: Int32Array = NO_WORDS;
  readonly #headAt: number = 0;
  readonly #tailAt: number = 0;
  readonly #alone: boolean = false;
  #published = 0;

  /**
   * @param queues The queues of the ring.
   * @param alone Whether the kernel moves them only inside our own calls; see `Engine`.
   */
  constructor(queues: Queues, alone: boolean) {
    this.words = queues.completions;
    this.mask = queues.cqEntries - 1;
    this.isSmall = !queues.mixed && queues.cqeShift === 2;
    this.isPlain = this.isSmall;
    this.#ring = queues.ring;
    this.#headAt = queues.cqHead;
    this.#tailAt = queues.cqTail;
    this.#alone = alone;
  }

  /** The number behind the last that is there. */
  get tail(): number {
    return this.#alone ? this.#ring[this.#tailAt]! : Atomics.load(this.#ring, this.#tailAt);
  }

  /** Gives the places of those before the head back to the kernel. */
  publish(): void {
    const { head } = this;
    this.#published = head;
    if (this.#alone) this.#ring[this.#headAt] = head;
    else Atomics.store(this.#ring, this.#headAt, head);
  }

  /**
   * Hands out the completions from the head on that belong to the batch API and use no memory, if each
   * has 16 bytes; without giving their places back. It is short enough for V8 to compile it into who
   * reaps, and the function into it: no completion costs a call then. A call costs as much as all that
   * is done here for a completion.
   *
   * @returns How many.
   */
  handOutPlain(onCompletion: OnCompletion): number {
    if (!this.isPlain) return 0;
    const { words, mask, tail, head: from } = this;
    let head = from;
    while (head !== tail) {
      const at = (head & mask & PLACE) << 2;
      // Once the ring is closed there are no words, and so no such completion.
      if (words[at | 1] !== 0) break;
      const userData = words[at]! >>> 0;
      const result = words[at | 2]!;
      const flags = words[at | 3]!;
      if ((flags & MORE) !== 0) this.notFinal++;
      // The head moves before the function runs, so that it may reap, throw or close. When it throws,
      // the next reaping gives the places back, or the next submission that waits.
      head = (head + 1) | 0;
      this.head = head;
      onCompletion(userData, result, flags);
      // It has reaped, or set aside.
      if (this.head !== head) break;
    }
    return (head - from) | 0;
  }

  /** {@linkcode publish} unless the kernel knows. */
  publishOnce(): void {
    if (this.#published !== this.head) this.publish();
  }
}
