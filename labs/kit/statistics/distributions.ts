/**
 * Quantiles of the normal distribution and of Student's t.
 *
 * @module
 */

/**
 * How far from the middle, in standard deviations, a normal number is with a chance of `tails`.
 *
 * @param tails The chance of both tails together, from 1e-12 to 1.
 */
export function normalQuantile(tails: number): number {
  return bisect((z) => normalCentral(z) >= 1 - tails, 0, 8);
}

/**
 * The same for Student's t distribution.
 *
 * @param degrees Degrees of freedom, whole, at least 1.
 * @param tails The chance of both tails together, from 1e-12 to 1.
 */
export function studentQuantile(degrees: number, tails: number): number {
  const angle = bisect((angle) => studentCentral(angle, degrees) >= 1 - tails, 0, Math.PI / 2);
  return Math.tan(angle) * Math.sqrt(degrees);
}

/** The chance that a normal number is within z of the middle (Abramowitz and Stegun, 26.2.11). */
function normalCentral(z: number): number {
  let term = z;
  let sum = z;
  for (let k = 3; term > sum * Number.EPSILON; k += 2) {
    term *= z * z / k;
    sum += term;
  }
  return Math.sqrt(2 / Math.PI) * Math.exp(-z * z / 2) * sum;
}

/**
 * The chance that |t| is below sqrt(degrees) tan(angle), by the finite series of Abramowitz and
 * Stegun, 26.7.3 and 26.7.4.
 */
function studentCentral(angle: number, degrees: number): number {
  const odd = degrees % 2 === 1;
  const square = Math.cos(angle) ** 2;
  let term = odd ? Math.cos(angle) : 1;
  let sum = degrees === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k < degrees; k += 2) {
    term *= square * (k - 1) / k;
    sum += term;
  }
  const series = Math.sin(angle) * sum;
  return odd ? (2 / Math.PI) * (angle + series) : series;
}

/** Where a condition that is false below and true above begins to be true. */
function bisect(isAbove: (value: number) => boolean, low: number, high: number): number {
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (isAbove(middle)) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}
