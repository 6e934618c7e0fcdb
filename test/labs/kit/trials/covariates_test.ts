import { assert, assertEquals, assertGreater } from "@std/assert";
import {
  type CovariateReading,
  covariatesBetween,
  readCovariates,
} from "../../../../labs/kit/trials/covariates.ts";
import { experiment } from "../../../../labs/kit/experiment/experiment.ts";
import { jsonProblem } from "../../../../labs/kit/trials/trials.ts";
import { Command } from "../../../child.ts";
import { type Need, test } from "../../../needs.ts";

const SCHEDSTAT: Need = {
  name: "/proc/thread-self/schedstat",
  here: readCovariates().waitingSeconds !== null,
};

Deno.test("readCovariates finds what every Linux has, and says null for the rest", () => {
  const reading = readCovariates();
  for (
    const name of [
      "cpuTicks",
      "idleTicks",
      "stealTicks",
      "voluntarySwitches",
      "involuntarySwitches",
      "systemSwitches",
      "receiveSoftirqs",
      "transmitSoftirqs",
      "loadAverage",
    ] as const
  ) {
    assert(typeof reading[name] === "number" && reading[name] >= 0, `${name} is ${reading[name]}`);
  }
  for (const value of Object.values(reading)) {
    assert(value === null || Number.isFinite(value));
  }
  assertGreater(reading.systemSwitches!, reading.voluntarySwitches!);
  assertGreater(reading.cpuTicks!, reading.idleTicks!);
});

Deno.test("readCovariates never throws where nothing may be read", async () => {
  const module = new URL("../../../../labs/kit/trials/covariates.ts", import.meta.url);
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      path,
      `import { readCovariates } from "${module}";
       console.log(JSON.stringify(readCovariates()));`,
    );
    const { stdout, stderr, success } = await new Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-check", "--no-config", "--quiet", path],
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    const { milliseconds, ...counters } = JSON.parse(new TextDecoder().decode(stdout));
    assert(milliseconds > 0);
    assertEquals([...new Set(Object.values(counters))], [null]);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("covariates see that this thread waited, and how often", async () => {
  const before = readCovariates();
  // On a busy machine some of these are over before the thread can wait for them.
  for (let i = 0; i < 25; i++) await new Promise((resolve) => setTimeout(resolve, 5));
  const { voluntarySwitches, systemSwitches } = covariatesBetween(before, readCovariates());
  assert(voluntarySwitches! >= 5, `${voluntarySwitches} voluntary switches in 25 waits`);
  assert(systemSwitches! >= voluntarySwitches!);
});

test(
  "covariates see that other programs took the processor",
  { needs: [SCHEDSTAT] },
  async () => {
    const cpus = navigator.hardwareConcurrency;
    // More that want to run than there are processors, each for a moment only.
    const busy = Array.from({ length: 2 * cpus }, () =>
      new Deno.Command("timeout", {
        args: ["0.6", "sh", "-c", "while :; do :; done"],
        stdout: "null",
        stderr: "null",
      }).spawn());
    await new Promise((resolve) => setTimeout(resolve, 100));
    const before = readCovariates();
    const end = performance.now() + 300;
    while (performance.now() < end);
    const between = covariatesBetween(before, readCovariates());
    await Promise.all(busy.map((child) => child.status));
    assert(between.waitingShare! > 0.05, `waited for ${between.waitingShare} of the time`);
    assert(between.involuntarySwitches! >= 1);
    assert(between.idleShare! <= 0.9);
  },
);

const READING: CovariateReading = {
  milliseconds: 1000,
  cpuMegahertz: 3000,
  cpuTicks: 10_000,
  idleTicks: 4000,
  stealTicks: 100,
  waitingSeconds: 2,
  voluntarySwitches: 10,
  involuntarySwitches: 3,
  systemSwitches: 5000,
  receiveSoftirqs: 70,
  transmitSoftirqs: 20,
  backlogDrops: 0,
  timeSqueezes: 1,
  tcpRetransmits: null,
  loadAverage: 0.5,
};

Deno.test("covariatesBetween makes differences, shares and states", () => {
  const later = {
    ...READING,
    milliseconds: 1500,
    cpuMegahertz: 2900,
    cpuTicks: 10_200,
    idleTicks: 4050,
    stealTicks: 110,
    waitingSeconds: 2.1,
    voluntarySwitches: 14,
    systemSwitches: 5100,
    receiveSoftirqs: 75,
    backlogDrops: 2,
    tcpRetransmits: 4,
    loadAverage: 0.7,
  };
  const between = covariatesBetween(READING, later);
  assert(Math.abs(between.waitingShare! - 0.2) < 1e-9);
  assertEquals({ ...between, waitingShare: 0.2 }, {
    cpuMegahertz: 2900,
    idleShare: 0.25,
    stealShare: 0.05,
    waitingShare: 0.2,
    voluntarySwitches: 4,
    involuntarySwitches: 0,
    systemSwitches: 100,
    receiveSoftirqs: 5,
    transmitSoftirqs: 0,
    backlogDrops: 2,
    timeSqueezes: 0,
    // Known only once: no difference.
    tcpRetransmits: null,
    loadAverage: 0.7,
  });
});

Deno.test("covariatesBetween says null where no tick passed or a counter went back", () => {
  const between = covariatesBetween(READING, { ...READING, backlogDrops: 0, timeSqueezes: 0 });
  assertEquals([between.idleShare, between.stealShare, between.waitingShare], [null, null, null]);
  assertEquals([between.backlogDrops, between.timeSqueezes], [0, null]);
});

Deno.test("experiment keeps covariates with each trial, unless told not to", async () => {
  const options = {
    factors: [{ mode: "a" }],
    repeats: 2,
    trial: async () => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      return { rate: 1 };
    },
  };
  const { trials } = await experiment(options);
  for (const { covariates } of trials) {
    assert(covariates!.voluntarySwitches! >= 1);
    assertEquals(jsonProblem(covariates, ""), undefined);
  }
  assertEquals(trials.length, 3);
  for (const trial of (await experiment({ ...options, covariates: false })).trials) {
    assertEquals("covariates" in trial, false);
  }
});
