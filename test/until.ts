/**
 * Waiting in tests: for a condition, and not for ever.
 *
 * @module
 */

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
  seconds = 60,
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!await condition()) {
    if (performance.now() > end) throw new Error(`Waited for ${seconds} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
