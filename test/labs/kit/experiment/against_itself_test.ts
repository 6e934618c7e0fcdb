/**
 * A thing compared with itself, on noisy machines, simulated and real: a difference is called in
 * at most 5 % of the runs.
 */
import { assert } from "@std/assert";
import { Socket, Testbed } from "zclab";
import { compareAll, cross, experiment } from "zclab/experiment";
import { transmit } from "zclab/lab";
import { Random } from "../../../../labs/kit/trials/random.ts";
import { type Noise, NOISY, NoisyMachine, QUIET, simulate } from "./simulated_trials.ts";
import { test } from "../../../needs.ts";

/** The baseline, and what is compared with it. */
const MODES = cross({ mode: ["a", "b"] });
const A = { mode: "a" } as const;

/** What so many simulated experiments say of `b`: `effect` is the true ratio. */
function countCalls(
  runs: number,
  noise: Noise,
  effect: number,
): { higher: number; lower: number } {
  const random = new Random(20);
  const called = { higher: 0, lower: 0, none: 0 };
  for (let seed = 0; seed < runs; seed++) {
    const machine = new NoisyMachine(random, noise);
    const trials = simulate(machine, [5, 7, 9][seed % 3]!, MODES, [1, effect]);
    const [row] = compareAll(trials, { measure: "rate", against: A, seed });
    called[row!.verdict.difference]++;
  }
  return called;
}

Deno.test("of 200 simulated runs of a thing against itself at most 5 % call a difference", () => {
  const { higher, lower } = countCalls(200, NOISY, 1);
  assert(higher + lower <= 10, `${higher} higher and ${lower} lower of 200`);
});

Deno.test("a difference of 20 % is called where the noise is low, and in its direction", () => {
  const { higher, lower } = countCalls(50, QUIET, 1.2);
  assert(higher >= 40 && lower === 0, `${higher} higher and ${lower} lower of 50`);
  const other = countCalls(50, QUIET, 1 / 1.2);
  assert(other.lower >= 40 && other.higher === 0, `${other.lower} lower of 50`);
});

Deno.test("of 100 runs that end when their intervals are narrow at most 5 % call a difference", async () => {
  const random = new Random(21);
  let [called, rounds] = [0, 0];
  for (let seed = 0; seed < 100; seed++) {
    const machine = new NoisyMachine(random, NOISY);
    const { trials } = await experiment({
      factors: MODES,
      control: A,
      seed,
      covariates: false,
      warmUp: 0,
      repeats: { measure: "rate", width: 0.3, least: 5, most: 20 },
      trial: (_, { round }) => ({ rate: machine.rate(round) }),
    });
    const [row] = compareAll(trials, { measure: "rate", against: A, seed });
    rounds += row!.comparison.rounds;
    if (row!.verdict.difference !== "none") called++;
  }
  assert(called <= 5, `${called} of 100`);
  assert(rounds > 100 * 6 && rounds < 100 * 18, `${rounds} rounds: the width did not decide`);
});

/** If each of 20 runs calls one with a chance of 5 %, more than five do with a chance of 0.03 %. */
const MOST_OF_20 = 5;

test("of 20 real runs of one way of sending against itself hardly any calls a difference", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink();
  const calls: string[] = [];
  for (let seed = 0; seed < 20; seed++) {
    const { trials } = await experiment({
      factors: cross({ name: ["one", "other"] }),
      control: { name: "one" },
      seed,
      trial: () => {
        using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
        return transmit(socket, { mode: "zc", payload: 600, batch: 32, seconds: 0.002 });
      },
    });
    const measure = "datagramsPerSecond";
    const [row] = compareAll(trials, { measure, against: { name: "one" }, seed });
    if (row!.verdict.difference !== "none") calls.push(row!.verdict.text);
  }
  assert(calls.length <= MOST_OF_20, calls.join("\n"));
});
