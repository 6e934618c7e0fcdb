import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Covariates } from "../../../../labs/kit/trials/covariates.ts";
import { Random } from "../../../../labs/kit/trials/random.ts";
import {
  compare,
  describeOutliers,
  explainOutlier,
  findOutliers,
} from "../../../../labs/kit/statistics/statistics.ts";
import type { Trial } from "../../../../labs/kit/trials/trials.ts";
import { type Noise, NoisyMachine, simulate, trialOf } from "../experiment/simulated_trials.ts";

const MODES = [{ mode: "copy" }, { mode: "zc" }] as const;
const STEADY: Noise = { trial: 0.05, round: 0.2, drift: 0.1, bursts: 0 };

const USUAL: Covariates = {
  cpuMegahertz: 3000,
  idleShare: 0.5,
  stealShare: 0.001,
  waitingShare: 0,
  voluntarySwitches: 4,
  involuntarySwitches: 1,
  systemSwitches: 200,
  receiveSoftirqs: 10,
  transmitSoftirqs: 0,
  backlogDrops: 0,
  timeSqueezes: 0,
  tcpRetransmits: null,
  loadAverage: 0.4,
};

Deno.test("findOutliers finds what was put there, and nothing else", () => {
  const trials = simulate(new NoisyMachine(new Random(5), STEADY), 9, MODES);
  assertEquals(findOutliers(trials, { measure: "rate" }), []);
  const slow = trials.findIndex((trial) => trial.round === 6 && trial.factors.mode === "zc");
  const odd = trials.with(slow, trialOf(6, MODES[1], 1e5 / 3));
  const outliers = findOutliers(odd, { measure: "rate" });
  assertEquals(outliers.length, 1);
  assert(outliers[0]!.trial === odd[slow]);
  assert(outliers[0]!.deviations < -4 && outliers[0]!.ratio < 0.6);
  // Nothing is dropped: the comparison rests on all nine rounds.
  const options = { measure: "rate", of: { mode: "zc" }, against: { mode: "copy" } } as const;
  assertEquals(compare(odd, options)!.rounds, 9);
});

Deno.test("findOutliers does not mark a round that is slow as a whole", () => {
  const trials = simulate(new NoisyMachine(new Random(6), STEADY), 9, MODES).map((trial) =>
    trial.round === 3
      ? trialOf(3, trial.factors, Number(trial.measures["rate"]) / 4, { control: trial.control })
      : trial
  );
  assertEquals(findOutliers(trials, { measure: "rate" }), []);
});

Deno.test("findOutliers marks few trials where there is only normal noise", () => {
  const random = new Random(7);
  for (const [rounds, most] of [[5, 0.01], [9, 0.008], [20, 0.004]] as const) {
    let [marked, all] = [0, 0];
    for (let i = 0; i < 300; i++) {
      const trials = simulate(new NoisyMachine(random, STEADY), rounds, MODES);
      marked += findOutliers(trials, { measure: "rate" }).length;
      all += trials.length;
    }
    assert(marked / all <= most, `${rounds} rounds: ${marked} of ${all}`);
  }
});

Deno.test("findOutliers looks at counted trials with a value, in rounds of any size", () => {
  const single = Array.from({ length: 7 }, (_, round) => trialOf(round, MODES[0], 100 + round));
  const with9 = [...single, trialOf(7, MODES[0], 900), trialOf(8, MODES[0], null)];
  assertEquals(findOutliers(with9, { measure: "rate" }).map(({ trial }) => trial.round), [7]);
  const warm = single.with(0, trialOf(0, MODES[0], 900, { warmUp: true }));
  assertEquals(findOutliers(warm, { measure: "rate" }), []);
  assertEquals(findOutliers([], { measure: "rate" }), []);
  const equal = Array.from({ length: 5 }, (_, round) => trialOf(round, MODES[0], 100));
  assertEquals(findOutliers(equal, { measure: "rate" }), []);
  assertThrows(() => findOutliers(single, { measure: "speed" }), TypeError, "no measure speed");
  assertThrows(() => findOutliers(single, { measure: "rate", threshold: 0 }), RangeError, "0");
});

Deno.test("explainOutlier names the covariates that were unusual, and no others", () => {
  const trials: Trial[] = Array.from(
    { length: 8 },
    (_, round) => trialOf(round, MODES[0], 100, { covariates: USUAL }),
  );
  const explain = (change: Partial<Covariates>, seconds = 1): string | undefined => {
    const trial = trialOf(8, MODES[0], 30, { covariates: { ...USUAL, ...change }, seconds });
    return explainOutlier(trial, [...trials, trial]);
  };
  assertEquals(explain({}), undefined);
  assertEquals(explain({ stealShare: 0.12 }), "steal time 12 % against 0.1 % median");
  // Half a percent of steal is above the usual too, but explains nothing.
  assertEquals(explain({ stealShare: 0.005 }), undefined);
  assertEquals(
    explain({ involuntarySwitches: 400, cpuMegahertz: 1200 }),
    "processor frequency 1200 MHz against 3000 MHz median; " +
      "involuntary context switches 400/s against 1/s median",
  );
  // Fewer switches, a higher frequency, less load: no reason to be slow.
  assertEquals(
    explain({ involuntarySwitches: 0, cpuMegahertz: 3500, loadAverage: 0, systemSwitches: 0 }),
    undefined,
  );
  // Ten times as many in ten times the time is as many as ever.
  assertEquals(
    explain({
      systemSwitches: 2000,
      receiveSoftirqs: 100,
      voluntarySwitches: 40,
      involuntarySwitches: 10,
    }, 10),
    undefined,
  );
  assertEquals(explain({ stealShare: null, backlogDrops: null }), undefined);
});

Deno.test("explainOutlier has nothing to say of trials without covariates", () => {
  const trials = Array.from({ length: 5 }, (_, round) => trialOf(round, MODES[0], 100));
  assertEquals(explainOutlier(trials[0]!, trials), undefined);
  const one = trialOf(5, MODES[0], 1, { covariates: { ...USUAL, stealShare: 0.9 } });
  assertEquals(explainOutlier(one, [...trials, one]), undefined);
});

Deno.test("describeOutliers says how many were kept", () => {
  assertEquals([0, 1, 2].map(describeOutliers), [undefined, "1 outlier kept", "2 outliers kept"]);
});
