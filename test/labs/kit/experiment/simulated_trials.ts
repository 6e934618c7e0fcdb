/**
 * Simulated measurements of a noisy machine, seeded, so that a test sees the same ones each time.
 *
 * @module
 */
import type { Random } from "../../../../labs/kit/trials/random.ts";
import type { Factors, Trial } from "../../../../labs/kit/trials/trials.ts";

/** A normal number (Box and Muller). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** What a machine does to what is measured. All are standard deviations of logarithms. */
export interface Noise {
  /** Of each trial. */
  readonly trial: number;
  /** Of what the trials of a round share. */
  readonly round: number;
  /** Of the step of a drift from round to round. */
  readonly drift: number;
  /** How many of the trials a burst hits, which then are up to three times as slow. */
  readonly bursts: number;
}

/** As on a shared virtual machine with busy neighbours. */
export const NOISY: Noise = { trial: 0.12, round: 0.1, drift: 0.05, bursts: 0.08 };
/** As on a machine of one's own. */
export const QUIET: Noise = { trial: 0.02, round: 0.03, drift: 0.01, bursts: 0.01 };

/** A machine that measures rates. */
export class NoisyMachine {
  readonly #random: Random;
  readonly #noise: Noise;
  #round = -1;
  #drift = 0;
  #shared = 0;

  constructor(random: Random, noise: Noise) {
    this.#random = random;
    this.#noise = noise;
  }

  /** A rate measured in a round; `effect` is the true one, as a ratio to the usual. */
  rate(round: number, effect = 1): number {
    const { trial, round: shared, drift, bursts } = this.#noise;
    if (round !== this.#round) {
      this.#round = round;
      this.#drift += drift * normal(this.#random);
      this.#shared = shared * normal(this.#random);
    }
    const burst = this.#random.next() < bursts ? Math.log(1 + 2 * this.#random.next()) : 0;
    const noise = this.#drift + this.#shared + trial * normal(this.#random) - burst;
    return 1e5 * effect * Math.exp(noise);
  }
}

/** A trial with one measure, `rate`, as if it had run. */
export function trialOf<F extends Factors>(
  round: number,
  factors: F,
  rate: number | null,
  rest: Partial<Trial<F>> = {},
): Trial<F> {
  return {
    round,
    order: 0,
    warmUp: false,
    control: false,
    factors,
    measures: { rate },
    startedAt: "2026-01-01T00:00:00.000Z",
    seconds: 1,
    ...rest,
  };
}

/** Rounds of every combination, the first one twice: the second time as the control. */
export function simulate<F extends Factors>(
  machine: NoisyMachine,
  rounds: number,
  combinations: readonly F[],
  effects: readonly number[] = [],
): Trial<F>[] {
  return Array.from({ length: rounds }, (_, round) => [
    ...combinations.map((one, i) => trialOf(round, one, machine.rate(round, effects[i]))),
    trialOf(round, combinations[0]!, machine.rate(round, effects[0]), { control: true }),
  ]).flat();
}
