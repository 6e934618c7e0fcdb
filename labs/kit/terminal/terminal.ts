/**
 * What the commands share: printing, exit codes and the signals that end them.
 *
 * @module
 */

export { type EndingSignal, Interruption, onEndingSignal, SIGNAL_EXIT } from "./signals.ts";

/** The exit codes of every `deno task`. */
export const EXIT = {
  /** What was asked for was done. */
  done: 0,
  /** It failed. */
  failed: 1,
  /** The arguments make no sense; nothing was changed. */
  badArguments: 2,
  /** It is not possible on this machine. */
  notPossible: 77,
} as const;

/**
 * Makes a printer that goes quiet when nobody reads any more, as after `| head`, and that waits for
 * a slow reader.
 *
 * @param stream Where to print, such as `Deno.stdout`.
 * @returns The printer.
 */
export function printer(stream: { writeSync(bytes: Uint8Array): number }): (text: string) => void {
  let closed = false;
  return (text) => {
    let bytes = new TextEncoder().encode(text);
    while (bytes.length > 0 && !closed) {
      try {
        bytes = bytes.subarray(stream.writeSync(bytes));
      } catch (error) {
        if (error instanceof Deno.errors.BrokenPipe) closed = true;
        // Somebody who shares the terminal made it nonblocking.
        else if (error instanceof Deno.errors.WouldBlock) pause();
        else throw error;
      }
    }
  };
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
}
