import { assert, assertEquals } from "@std/assert";
import { plot } from "../../../../labs/kit/plot/mod.ts";
import { noisy, sampleTrials, sendTrials } from "./samples.ts";

Deno.test("every trial is there, with its mark; outliers are marked and kept", () => {
  const trials = sampleTrials({
    factors: [{ mode: "copy" }, { mode: "zc" }, { mode: "other" }],
    control: ({ mode }) => mode === "copy",
    rounds: 8,
    measure: ({ mode }, round) => ({
      rate: mode === "zc" && round === 5 ? 10 : noisy(100, round + mode.length),
    }),
  });
  const { figure } = plot({ trials: trials }, { kind: "series", measure: "rate" });
  assert(figure.kind === "series");
  const points = figure.panels.flatMap((panel) => panel.points);
  assertEquals(points.length, trials.length);
  const count = (mark: string): number => points.filter((point) => point.mark === mark).length;
  assertEquals([count("warm-up"), count("control"), count("counted")], [3, 8, 24]);
  assertEquals(points.filter(({ outlier }) => outlier).map(({ value }) => value), [10]);
  const none = plot({ trials: trials }, { kind: "series", measure: "rate", outliers: [] }).figure;
  assert(none.kind === "series");
  assert(none.panels.every((panel) => panel.points.every(({ outlier }) => !outlier)));
  const own = plot({ trials: trials }, {
    kind: "series",
    measure: "rate",
    outliers: [{ round: 2, order: 1 }, { trial: trials.at(-1)! }],
  });
  assertEquals(own.text({ colours: false }).match(/◉/g)!.length, 3, "two points and the key");
});

Deno.test("a covariate can be plotted as well", () => {
  const trials = sendTrials().map((trial, index) => ({
    ...trial,
    covariates: { stealShare: index / 100 } as never,
  }));
  const { figure } = plot({ trials: trials }, {
    kind: "series",
    measure: "stealShare",
    where: { mode: "zc", payload: 600 },
  });
  assert(figure.kind === "series");
  assertEquals(figure.panels[0]!.points.length, 5);
});
