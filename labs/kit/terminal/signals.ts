/**
 * The signals that end a run.
 *
 * @module
 */
import { ExplainedError } from "../../../ffi/kernel/errors.ts";

/** Signals that end a run, with the exit codes that shells use for them. */
export const SIGNAL_EXIT = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** A signal that ends a run. */
export type EndingSignal = keyof typeof SIGNAL_EXIT;

/** A signal ended what was being done. */
export class Interruption extends ExplainedError {
  /** The name of the class. */
  override readonly name = "Interruption";
  /** The signal. */
  readonly signal: EndingSignal;

  /**
   * Says which signal it was.
   *
   * @param signal The signal.
   */
  constructor(signal: EndingSignal) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }

  /** The code of {@linkcode SIGNAL_EXIT}. */
  override get exitCode(): number {
    return SIGNAL_EXIT[this.signal];
  }
}

/**
 * `deno task` and npx hand on the signal that the terminal has already sent to everybody: what comes
 * so soon, in milliseconds, is the same key press.
 */
const SAME_SIGNAL_MILLISECONDS = 500;

/**
 * Listens for the signals that end a run, until disposed.
 *
 * @param onSignal Called with each signal, and with whether it is not the first one.
 * @returns What stops listening.
 */
export function onEndingSignal(
  onSignal: (signal: EndingSignal, again: boolean) => void,
): Disposable {
  let first: number | undefined;
  const handlers = (Object.keys(SIGNAL_EXIT) as EndingSignal[]).map((name) => {
    const handler = (): void => {
      const now = performance.now();
      if (first !== undefined && now - first < SAME_SIGNAL_MILLISECONDS) return;
      const again = first !== undefined;
      first ??= now;
      onSignal(name, again);
    };
    Deno.addSignalListener(name, handler);
    return { name, handler };
  });
  return {
    [Symbol.dispose]: () => {
      for (const { name, handler } of handlers) Deno.removeSignalListener(name, handler);
    },
  };
}
