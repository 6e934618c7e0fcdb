/**
 * What the kernel says of a receiver besides its data.
 *
 * @module
 */
import { ZCRX_EVENT } from "../kernel/uapi.ts";
import type { ZcrxEvent } from "./query.ts";

/** The events, by their numbers. */
export const EVENT_NAMES = Object.keys(ZCRX_EVENT) as ZcrxEvent[];

/** The events of a receiver: how many there were, those that nobody was told of, and who waits. */
export class ReceiverEvents {
  readonly #counts: Record<ZcrxEvent, number> = { ALLOC_FAIL: 0, COPY: 0 };
  readonly #untold: ZcrxEvent[] = [];
  readonly #waiters: {
    readonly resolve: (event: ZcrxEvent) => void;
    readonly reject: (error: unknown) => void;
  }[] = [];

  /** How often each has happened. */
  get counts(): Readonly<Record<ZcrxEvent, number>> {
    return { ...this.#counts };
  }

  /** Notes an event by its number; one that is not known is none. */
  happened(number: number): void {
    const event = EVENT_NAMES[number];
    if (event === undefined) return;
    this.#counts[event]++;
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#untold.push(event);
    else waiter.resolve(event);
  }

  /** Takes the first event that nobody was told of. */
  take(): ZcrxEvent | undefined {
    return this.#untold.shift();
  }

  /** Resolves to the next event. */
  next(): Promise<ZcrxEvent> {
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** Nothing happens any more: rejects whoever waits. */
  end(error: unknown): void {
    for (const { reject } of this.#waiters.splice(0)) reject(error);
  }
}
