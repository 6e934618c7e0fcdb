/**
 * What Ctrl-C does in the REPL while something is awaited. At an empty prompt it is Deno's: twice
 * ends the REPL.
 *
 * JavaScript cannot leave an `await` from outside. But what zclab waits for can be ended: requests
 * in flight can be cancelled, and a lab or an experiment can be told to stop. Then the `await` ends
 * by itself, with an error that says so.
 *
 * @module
 */
import type { Engine } from "../../../ffi/ring/engine.ts";
import { engineOf } from "../../../ffi/ring/ring_handle.ts";
import type { Ring } from "../../../ffi/ring/ring.ts";

/** How long to wait for cancelled requests to end, in milliseconds. */
const CANCEL_MILLISECONDS = 500;

/** A second Ctrl-C within this time, in milliseconds, leaves if the first had nothing to end. */
const AGAIN_MILLISECONDS = 10_000;

/** `deno task` hands on the signal that the terminal has sent already; so soon it is the same one. */
const SAME_SIGNAL_MILLISECONDS = 150;

/** What was running was ended by Ctrl-C. */
export class InterruptedError extends Error {
  /** The name of the class, as `error.name` has it. */
  override readonly name = "InterruptedError";

  /** Makes the error. */
  constructor() {
    super("Interrupted by Ctrl-C");
    // Where the key was handled tells nobody anything.
    this.stack = `${this.name}: ${this.message}`;
  }
}

/** What an {@linkcode Interrupter} needs. */
export interface InterrupterOptions {
  /** Where it says what it did. */
  readonly print: (text: string) => void;
  /** Ends the process. */
  readonly leave: () => void;
  /** The time in milliseconds; by default `performance.now`. */
  readonly now?: () => number;
}

/** Knows what runs, and ends it at Ctrl-C. */
export class Interrupter {
  readonly #options: InterrupterOptions;
  readonly #now: () => number;
  /** Weak, so that a ring that nobody uses any more is not kept. */
  readonly #engines = new Set<WeakRef<Engine>>();
  readonly #running = new Set<AbortController>();
  #lastSignal = -Infinity;
  #lastInVain = -Infinity;

  /**
   * Starts with nothing to end.
   *
   * @param options Where it prints, how it leaves.
   */
  constructor(options: InterrupterOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Remembers a ring, whose requests shall be cancelled. */
  watch(ring: Ring): Ring {
    for (const known of this.#engines) {
      if (known.deref()?.closed ?? true) this.#engines.delete(known);
    }
    this.#engines.add(new WeakRef(engineOf(ring)));
    return ring;
  }

  /**
   * Runs something that heeds a signal.
   *
   * @param run Is given the signal, which is aborted by Ctrl-C, and by another one if given.
   * @param other The signal that the caller has.
   */
  async run<T>(run: (signal: AbortSignal) => Promise<T>, other?: AbortSignal): Promise<T> {
    const controller = new AbortController();
    this.#running.add(controller);
    try {
      const { signal } = controller;
      return await run(other === undefined ? signal : AbortSignal.any([signal, other]));
    } finally {
      this.#running.delete(controller);
    }
  }

  /** Ends what runs, and says what that was. For a SIGINT. */
  async interrupt(): Promise<void> {
    const now = this.#now();
    if (now - this.#lastSignal < SAME_SIGNAL_MILLISECONDS) return;
    this.#lastSignal = now;
    const done = [...this.#stopRuns(), ...await this.#cancelRequests()];
    const { print, leave } = this.#options;
    if (done.length > 0) {
      this.#lastInVain = -Infinity;
      print(`\nCtrl-C: ${done.join(", ")}\n`);
      return;
    }
    if (now - this.#lastInVain < AGAIN_MILLISECONDS) {
      print("\n");
      leave();
      return;
    }
    this.#lastInVain = now;
    const why = this.#running.size > 0
      ? "what was told to stop has not ended yet: it ends after its trial."
      : "no ring has a request to cancel, and nothing of zclab runs:\nwhat is awaited goes on.";
    print(`\nCtrl-C: ${why} Once more leaves the REPL.\nWithout await the prompt stays free.\n`);
  }

  #stopRuns(): string[] {
    const running = [...this.#running].filter(({ signal }) => !signal.aborted);
    for (const controller of running) {
      controller.abort(new InterruptedError());
    }
    if (running.length === 0) return [];
    return [running.length === 1 ? "what runs is told to stop" : `${running.length} runs stop`];
  }

  async #cancelRequests(): Promise<string[]> {
    const engines = [...this.#engines].map((known) => known.deref())
      .filter((engine) => engine !== undefined && !engine.closed && engine.inFlight > 0);
    const ended = await Promise.all(engines.map(async (engine) => {
      const before = engine!.inFlight;
      await engine!.drain(CANCEL_MILLISECONDS);
      return { ended: Math.max(0, before - engine!.inFlight), left: engine!.inFlight };
    }));
    const count = ended.reduce((sum, each) => sum + each.ended, 0);
    const left = ended.reduce((sum, each) => sum + each.left, 0);
    if (count === 0) return [];
    const requests = (number: number): string => `${number} request${number === 1 ? "" : "s"}`;
    return [
      `${requests(count)} in flight cancelled`,
      ...left > 0 ? [`${requests(left)} cannot be: the kernel still has their memory`] : [],
    ];
  }
}
