/**
 * The requests of a ring that use memory or have somebody who is told of their completions: what the
 * kernel may not lose before their last.
 *
 * @module
 */
import { acquire, type Holder, release, Slice } from "../memory/area.ts";
import { now } from "../kernel/clock.ts";
import { Message, messageSlices } from "../net/message.ts";
import { MOST_PIECES } from "../memory/pieces.ts";
import type { CountingTarget, Target } from "./target.ts";

/** Memory that a request uses; an ArrayBuffer is only kept alive. */
export type Memory = Slice | Message | ArrayBuffer | null;

/** Requests that may share a slot at most. */
export const MOST_REQUESTS = MOST_PIECES;

/** How many submissions it remembers the time of. A power of two. */
const REMEMBERED = 1024;

/** See the module's description. A request, or several that share the same memory, has a slot. */
export class RequestTable implements Holder {
  /** By slot, who is told; there are as many as slots. */
  readonly targets: (Target & Partial<CountingTarget> | null)[] = [];
  readonly #memory: Memory[] = [];
  /** Requests that share the slot and have not had their last completion. */
  #sharing = new Int32Array(0);
  #free = new Int32Array(0);
  #freeCount = 0;

  // When things were submitted, for messages about ownership.
  #submission = 0;
  readonly #submissionTimes = new Float64Array(REMEMBERED);
  /** Whether memory was acquired since the last submission. */
  #stamp = false;

  /** @param capacity How many slots there are at first. */
  constructor(capacity: number) {
    this.#grow(capacity);
  }

  /**
   * Notes a request.
   *
   * @returns Its slot.
   * @throws {OwnershipError} If the memory is not free for this.
   */
  add(operation: string, memory: Memory, writing: boolean, target: Target | null): number {
    if (memory !== null) {
      if (memory instanceof Slice) acquire(memory, operation, writing, this, this.#submission);
      else if (memory instanceof Message) this.#acquireAll(operation, memory, writing);
      this.#stamp = true;
    }
    if (this.#freeCount === 0) this.#grow(this.#memory.length * 2);
    const slot = this.#free[--this.#freeCount]!;
    this.#memory[slot] = memory;
    this.targets[slot] = target;
    this.#sharing[slot] = 1;
    return slot;
  }

  /** Says how many requests share a slot, which then ends with their last. */
  share(slot: number, count: number): void {
    this.#sharing[slot] = count;
  }

  /** A request has had its last completion. With the last of its slot the memory is free. */
  end(slot: number): void {
    if (--this.#sharing[slot]! === 0) this.#release(slot);
  }

  /** {@linkcode end} for several requests of a slot. */
  endMany(slot: number, count: number): void {
    if ((this.#sharing[slot]! -= count) === 0) this.#release(slot);
  }

  /** No completion will come any more: tells everybody who waits for one. */
  fail(error: unknown): void {
    for (const target of this.targets) target?.fail(error);
  }

  #acquireAll(operation: string, message: Message, writing: boolean): void {
    const slices = messageSlices(message);
    for (let i = 0; i < slices.length; i++) {
      try {
        acquire(slices[i]!, operation, writing, this, this.#submission);
      } catch (error) {
        while (--i >= 0) release(slices[i]!);
        throw error;
      }
    }
  }

  #release(slot: number): void {
    const memory = this.#memory[slot]!;
    this.#memory[slot] = null;
    this.targets[slot] = null;
    this.#free[this.#freeCount++] = slot;
    if (memory === null) return;
    if (memory instanceof Slice) release(memory);
    else if (memory instanceof Message) {
      for (const slice of messageSlices(memory)) {
        release(slice);
      }
    }
  }

  #grow(capacity: number): void {
    const before = this.#memory.length;
    for (let slot = before; slot < capacity; slot++) {
      this.#memory.push(null);
      this.targets.push(null);
    }
    const sharing = new Int32Array(capacity);
    sharing.set(this.#sharing);
    this.#sharing = sharing;
    const free = new Int32Array(capacity);
    free.set(this.#free.subarray(0, this.#freeCount));
    for (let slot = capacity - 1; slot >= before; slot--) free[this.#freeCount++] = slot;
    this.#free = free;
  }

  // === When ===

  /** What was noted is being submitted. */
  submitted(): void {
    if (this.#stamp) this.#noteTime();
  }

  #noteTime(): void {
    this.#submissionTimes[this.#submission & (REMEMBERED - 1)] = now();
    this.#submission = (this.#submission + 1) | 0;
    this.#stamp = false;
  }

  /** When a submission was made. */
  submittedAt(submission: number): number | undefined {
    const age = (this.#submission - submission) | 0;
    if (age <= 0) return undefined;
    return age > REMEMBERED ? 0 : this.#submissionTimes[submission & (REMEMBERED - 1)];
  }
}
