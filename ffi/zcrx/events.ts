/**
 * What the kernel says of a receiver besides its data.
 *
 * @module
 */
import { UnsupportedError } from "../kernel/errors.ts";
import { ZCRX_EVENT } from "../kernel/uapi.ts";
import type { Engine } from "../ring/engine.ts";
import type { ZcrxEvent } from "./query.ts";

/** The events, by their numbers. */
export const EVENT_NAMES = Object.keys(ZCRX_EVENT) as ZcrxEvent[];

/** Whom the kernel tells: this receiver, the one that it was imported from, or, before 7.2, nobody. */
export type EventsTo = "us" | "the opener" | "nobody";

/** The events of a receiver: how many there were, those that nobody was told of, and who waits. */
export class ReceiverEvents {
  readonly #to: EventsTo;
  readonly #counts: Record<ZcrxEvent, number> = { ALLOC_FAIL: 0, COPY: 0 };
  readonly #untold: ZcrxEvent[] = [];
  readonly #waiters: {
    readonly resolve: (event: ZcrxEvent) => void;
    readonly reject: (error: unknown) => void;
  }[] = [];

  constructor(to: EventsTo) {
    this.#to = to;
  }

  /**
   * Checks that there is something to wait for.
   *
   * @throws {UnsupportedError} If this receiver is told of no events.
   */
  assertTold(): void {
    if (this.#to === "the opener") {
      throw new UnsupportedError("Events of an imported receiver", {
        advice: "They go to the ring that opened it",
      });
    }
    if (this.#to === "nobody") throw new UnsupportedError("ZCRX_FEATURE_EVENT", { since: "7.2" });
  }

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

  /** Resolves to the next event, or the first that nobody was told of. */
  async next(engine: Engine): Promise<ZcrxEvent> {
    const event = this.#untold.shift();
    if (event !== undefined) return event;
    engine.watch();
    try {
      return await new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
    } finally {
      engine.unwatch();
    }
  }

  /** Nothing happens any more: rejects whoever waits. */
  end(error: unknown): void {
    for (const { reject } of this.#waiters.splice(0)) reject(error);
  }
}
