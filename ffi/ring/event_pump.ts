/**
 * What ties a ring to the event loop: it submits what one turn prepares, and looks for completions as
 * long as somebody awaits one, without blocking.
 *
 * @module
 */
import { EventSource } from "./event_waiter.ts";

/** How many turns without the event loop it takes at most, so that timers run. */
const TURNS = 32;

/** A ring, as its pump sees it. */
export interface Pumped {
  readonly closed: boolean;
  /** Entries that are not submitted yet. */
  readonly prepared: number;
  submit(waitFor: number): number;
  /** Hands completions out; returns how many there were. */
  settle(): number;
  /** Whether completions signal the eventfd. */
  signalEvents(enabled: boolean): void;
  /** Makes them signal this eventfd. */
  registerEvents(fd: number): void;
  /** The ring itself failed: whoever awaits something of it is told, nobody waits for ever. */
  fail(error: unknown): void;
}

/** See the module's description. */
export class EventPump {
  readonly #ring: Pumped;
  #events: EventSource | undefined;
  #awaited = 0;
  /** Whether completions signal the eventfd. */
  #watching = false;
  #pumping = false;
  #turns = 0;
  #submitScheduled = false;

  constructor(ring: Pumped) {
    this.#ring = ring;
  }

  /**
   * Gets ready to watch the ring.
   *
   * @throws {UringError} EMFILE, when the process has no descriptor left.
   */
  open(): void {
    if (this.#events !== undefined) return;
    const events = EventSource.open();
    try {
      this.#ring.registerEvents(events.fd);
      this.#ring.signalEvents(false);
    } catch (error) {
      events.close();
      throw error;
    }
    this.#events = events;
  }

  /** Submits what this turn of the event loop prepares, together, at its end. */
  submitSoon(): void {
    if (this.#submitScheduled) return;
    this.#submitScheduled = true;
    queueMicrotask(() => {
      this.#submitScheduled = false;
      const ring = this.#ring;
      if (ring.closed) return;
      try {
        if (ring.prepared > 0) ring.submit(0);
        // What the kernel completed at once needs no trip through the event loop.
        if (++this.#turns < TURNS) ring.settle();
        if (this.#awaited > 0 && !ring.closed) this.#begin();
      } catch (error) {
        ring.fail(error);
      }
    });
  }

  /** Says that somebody awaits completions; the event loop watches the ring until told otherwise. */
  watch(): void {
    this.open();
    this.#awaited++;
    // What is about to be submitted may complete at once; then there is nothing to watch for.
    if (!this.#submitScheduled) this.#begin();
  }

  #begin(): void {
    if (this.#watching) return;
    this.#watching = true;
    this.#ring.signalEvents(true);
    // One that waits already has missed what came before the signals did.
    if (this.#pumping) this.#events?.wake();
    else {
      this.#pumping = true;
      this.#pump();
    }
  }

  /** The other half of {@linkcode watch}. */
  unwatch(): void {
    if (--this.#awaited > 0 || !this.#watching || this.#ring.closed) return;
    this.#watching = false;
    this.#ring.signalEvents(false);
    this.#events?.wake();
  }

  /**
   * Watches the ring without blocking the event loop. A poll of the ring's own descriptor would
   * miss deferred task work; a registered eventfd is signalled for it.
   */
  async #pump(): Promise<void> {
    const ring = this.#ring;
    try {
      // The microtask that submits this turn's entries was scheduled before this one continues.
      await Promise.resolve();
      while (!ring.closed && this.#awaited > 0) {
        if (++this.#turns > TURNS) {
          await new Promise((resolve) => setImmediate(resolve));
          this.#turns = 0;
        } else if (ring.settle() > 0 || this.#events!.takeSignal()) {
          await Promise.resolve();
        } else {
          if (await this.#events!.wait()) this.#turns = 0;
        }
      }
    } catch (error) {
      ring.fail(error);
    } finally {
      this.#pumping = false;
      if (!ring.closed && this.#awaited > 0) {
        this.#pumping = true;
        this.#pump();
      }
    }
  }

  /** Ends it, with the ring. */
  close(): void {
    this.#events?.close();
  }
}
