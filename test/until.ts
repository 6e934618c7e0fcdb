/**
 * Waiting in tests: for a condition, a value or a promise, and never for ever.
 *
 * @module
 */

/** How long anything may take that a healthy machine does at once, in seconds. */
export const PATIENCE = 180;

/**
 * Looks again and again until there is something.
 *
 * @param what What is waited for, for the error.
 * @param look Looks.
 * @param seconds How long at most.
 * @returns What it has found.
 * @throws {Error} If there is nothing in time.
 */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  seconds: number = PATIENCE,
): Promise<T> {
  const check = deadline(what, seconds);
  while (true) {
    const found = await look();
    if (found !== undefined) return found;
    check();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/**
 * Looks again and again until a condition holds.
 *
 * @param what What is waited for, for the error.
 * @param condition The condition.
 * @param seconds How long at most.
 * @throws {Error} If it does not hold in time.
 */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  seconds: number = PATIENCE,
): Promise<void> {
  await eventually(what, async () => await condition() ? true : undefined, seconds);
}

/**
 * Looks again and again until a condition holds, without the event loop, and without a pause.
 *
 * @param what What is waited for, for the error.
 * @param condition The condition.
 * @param seconds How long at most.
 * @throws {Error} If it does not hold in time.
 */
export function untilBlocking(
  what: string,
  condition: () => boolean,
  seconds: number = PATIENCE,
): void {
  const check = deadline(what, seconds);
  while (!condition()) check();
}

/**
 * For loops that wait by themselves.
 *
 * @param what What the loop waits for, for the error.
 * @param seconds How long it may take.
 * @returns A function that throws an `Error` when the time is over.
 */
export function deadline(what: string, seconds: number = PATIENCE): () => void {
  const end = performance.now() + seconds * 1000;
  return () => {
    if (performance.now() > end) throw inVain(what, seconds);
  };
}

/**
 * Waits for a promise.
 *
 * @param what What is waited for, for the error.
 * @param promise The promise.
 * @param seconds How long at most.
 * @returns What it resolves to.
 * @throws {Error} If it does not settle in time; what it stands for goes on.
 */
export async function inTime<T>(
  what: string,
  promise: Promise<T>,
  seconds: number = PATIENCE,
): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(inVain(what, seconds)), seconds * 1000);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function inVain(what: string, seconds: number): Error {
  return new Error(`Waited for ${seconds} s in vain: ${what}`);
}
