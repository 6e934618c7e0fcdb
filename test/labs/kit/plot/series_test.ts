import { assert, assertEquals } from "@std/assert";
import { plot } from "../../../../labs/kit/plot/plot.ts";
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

Deno.test("combinations of different size are shown against their own medians", () => {
  const { figure } = plot({ trials: sendTrials() }, { kind: "series" });
  assert(figure.kind === "series");
  assertEquals(figure.relative, true);
  assertEquals(figure.y.label, "datagrams per second, against the median");
  const counted = figure.panels.flatMap(({ points }) => points)
    .filter(({ mark }) => mark === "counted").map(({ value }) => value);
  assert(counted.every((value) => value > 0.9 && value < 1.1), `${counted}`);
});

Deno.test("plain points stand in the order of time, around the median of those that count", () => {
  const points = [
    { at: 3, value: 5 },
    { at: 0, value: 100, mark: "warm-up" as const },
    { at: 1, value: 3 },
    { at: 2, value: 4 },
  ];
  const { figure } = plot([{ label: "a", points }], { kind: "series" });
  assert(figure.kind === "series");
  assertEquals(figure.panels[0]!.points.map(({ at }) => at), [0, 1, 2, 3]);
  assertEquals(figure.panels[0]!.centre, 4);
});

Deno.test("in a terminal each point has its sign, on the row of its value", () => {
  const points = [
    { at: 0, value: 10, mark: "warm-up" as const },
    { at: 1, value: 0 },
    { at: 2, value: 10, mark: "control" as const },
    { at: 3, value: 10, outlier: true },
  ];
  const text = plot([{ label: "a", points }], { kind: "series" })
    .text({ width: 40, colours: false });
  const rows = text.split("\n").filter((line) => /[│┤]/.test(line));
  assertEquals(rows.length, 5);
  assert(/10\.0 ┤○ +□ +◉$|10 ┤○ +□ +◉$/.test(rows[0]!), text);
  assert(/ 0 ┤.*●/.test(rows[4]!), text);
  assert(text.includes("● counts  ○ warm-up"), text);
  assert(text.includes("□ control: the baseline once more"), text);
});
