/**
 * A tiny lab, for the tests of what surrounds labs. Run as a program, it is the whole catalogue of
 * the lab command.
 *
 * @module
 */
import { UnsupportedError, UringError } from "../../ffi/kernel/errors.ts";
import { environment } from "../../labs/kit/experiment/environment.ts";
import { cross, experiment } from "../../labs/kit/experiment/experiment.ts";
import { type Lab, type LabOutcome, runDocument } from "../../labs/kit/lab/lab.ts";
import { selfRunning } from "./self_running.ts";
import { Random } from "../../labs/kit/trials/random.ts";
import { main, terminalSurroundings } from "../../labs/main.ts";

/** Has an option of each kind, can wait and can fail. */
export const SAMPLE = selfRunning({
  name: "sample-lab",
  title: "Does nothing, in several ways",
  description: "Waits for a while and returns its options, or fails in the way it is asked to.",
  needs: [],
  repeats: { default: 4, quick: 2, minimum: 2 },
  options: {
    payload: {
      kind: "numbers",
      description: "what to send",
      unit: "bytes",
      default: [600, 1500],
      quick: [600],
      minimum: 1,
      maximum: 65_507,
    },
    mode: {
      kind: "strings",
      description: "how to send",
      choices: ["copy", "zc", "zc+flush"],
      default: ["copy", "zc"],
    },
    fail: {
      kind: "string",
      description: "how to fail",
      choices: ["not", "uring", "unsupported", "mistake"],
      default: "not",
    },
    seconds: { kind: "number", description: "a time", fraction: true, default: 0.5, minimum: 0.01 },
    cpu: {
      kind: "number",
      description: "a CPU",
      minimum: 0,
      maximum: 1023,
      local: (): boolean => true,
    },
    wait: { kind: "number", description: "how long to wait", unit: "ms", default: 0, minimum: 0 },
    verify: { kind: "flag", description: "look twice" },
  },
  rows: {
    keys: ["payload", "mode"],
    measures: [{ name: "rate", title: "requests/s", better: "higher" }],
    baseline: { mode: "copy" },
    within: ["payload"],
    proof: (trials) =>
      trials.every(({ measures }) => measures["copied"] === null)
        ? null
        : trials.every(({ measures }) => measures["copied"] === 0)
        ? "not copied"
        : "copied",
  },
  async run(context): Promise<LabOutcome> {
    const { options, seed, repeats, signal, progress, write } = context;
    if (options.fail === "uring") throw new UringError("SEND_ZC", 95);
    if (options.fail === "unsupported") throw new UnsupportedError("SAMPLE", { since: "99.1" });
    if (options.fail === "mistake") throw new TypeError("a mistake in the lab");
    if (options.wait > 0) {
      write("waiting\n");
      signal.throwIfAborted();
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(resolve, options.wait);
        signal.addEventListener("abort", () => {
          clearTimeout(timer);
          write("aborted\n");
          reject(signal.reason);
        });
      });
    }
    const random = new Random(seed);
    const { trials, complete } = await experiment({
      factors: cross({ payload: options.payload, mode: options.mode }),
      repeats,
      seed,
      trial: ({ mode, payload }) => ({
        rate: payload * (mode === "copy" ? 100 : 150) * (1 + random.next() / 100),
        copied: mode === "copy" ? null : 0,
      }),
    });
    progress.update(1, 1, "done");
    return {
      text: `payload ${options.payload}`,
      document: runDocument(context, {
        environment: environment(),
        complete,
        trials,
        summary: options.mode.map((mode) => ({ mode })),
      }),
    };
  },
});

/** Needs a NIC that no test machine has and says so through the probe. */
export const NEEDY: Lab = {
  ...SAMPLE,
  name: "needy-lab",
  title: "Needs what is not there",
  needs: ["zcrx"],
};

if (import.meta.main) {
  Deno.exit(await main(Deno.args, terminalSurroundings([SAMPLE, NEEDY])));
}
