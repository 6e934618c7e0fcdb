/**
 * Ends the process at the second signal even while a trial blocks the thread that runs JavaScript: a
 * thread of its own listens as well.
 *
 * @module
 */

/** What the thread is told. */
export interface GuardRequest {
  /** One number: 1 once somebody has said that the run is stopping. */
  readonly said: Int32Array;
  /** What to say at the first signal, after its name. */
  readonly text: string;
}

/**
 * Starts the thread.
 *
 * @param request What it is told.
 * @returns What ends it.
 */
export function guardExit(request: GuardRequest): Disposable {
  const worker = new Worker(new URL("./exit_guard_thread.ts", import.meta.url), {
    type: "module",
  });
  // Without it the run goes on as it would have: the second signal then waits for the trial's end.
  worker.onerror = (event): void => event.preventDefault();
  worker.postMessage(request);
  return { [Symbol.dispose]: () => worker.terminate() };
}

/**
 * Says something once, whichever thread comes first.
 *
 * @param said See {@linkcode GuardRequest}.
 * @param say Called if nobody has said it yet.
 */
export function sayOnce(said: Int32Array, say: () => void): void {
  if (Atomics.exchange(said, 0, 1) === 0) say();
}
