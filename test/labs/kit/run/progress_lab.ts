/**
 * The lab command with its own labs, which says on its standard output before which trial it is. And
 * labs that fail: in a trial, and when all of them have run.
 *
 * @module
 */
import { CATALOGUE } from "../../../../labs/catalogue.ts";
import { environment } from "../../../../labs/kit/experiment/environment.ts";
import { experiment } from "../../../../labs/kit/experiment/experiment.ts";
import { defineLab } from "../../../../labs/kit/lab/define_lab.ts";
import { type Lab, type LabOutcome, runDocument } from "../../../../labs/kit/lab/lab.ts";
import { selfRunning } from "../../self_running.ts";
import { main, terminalSurroundings } from "../../../../labs/main.ts";

const FAILING = selfRunning({
  name: "failing-lab",
  title: "Fails",
  description: "Fails at the trial that it is told.",
  needs: [],
  options: { "fail-at": { kind: "number", description: "which trial", default: 0 } },
  async run(context): Promise<LabOutcome> {
    let count = 0;
    const found = await experiment({
      factors: [{ mode: "copy" }, { mode: "zc" }],
      repeats: 5,
      trial: () => {
        if (count++ === context.options["fail-at"]) throw new RangeError("the fifth fails");
        return { rate: count };
      },
    });
    const document = runDocument(context, { ...found, environment: environment(), summary: [] });
    return { document, text: "" };
  },
});

const MISJUDGING = defineLab({
  name: "misjudging-lab",
  title: "Fails late",
  description: "Measures, and fails at what it makes of that.",
  needs: [],
  options: {},
  factors: () => [{ mode: "copy" }, { mode: "zc" }],
  baseline: { mode: "copy" },
  trial: () => ({ rate: 1 }),
  columns: { rate: { title: "rate", better: "higher", verdict: true } },
  conclusions(): never {
    throw new RangeError("no conclusion");
  },
});

if (import.meta.main) {
  const surroundings = terminalSurroundings([...CATALOGUE, FAILING as Lab, MISJUDGING as Lab]);
  Deno.exit(
    await main(Deno.args, {
      ...surroundings,
      progress: () => ({
        update: (done) => console.log(`trial ${done}`),
        [Symbol.dispose]: () => {},
      }),
    }),
  );
}
