import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { CrossoverFigure } from "../../../../labs/kit/plot/crossover.ts";
import { plot } from "../../../../labs/kit/plot/plot.ts";
import { noisy, sampleTrials, sendTrials, textsIn } from "./samples.ts";

Deno.test("the figure says from which size on, and the drawing and the text say it too", () => {
  const picture = plot({ trials: sendTrials() }, { kind: "crossover" });
  const { panels, better } = picture.figure as CrossoverFigure;
  assertEquals(better, "faster");
  assertEquals(panels[0]!.crossings, [{ label: "zc", from: 4000, above: 1500 }]);
  assertEquals(panels[0]!.floor.length, 3);
  assertStringIncludes(
    textsIn(picture.svg()).join("\n"),
    "zc: from 4000 bytes on, not seen at 1500",
  );
  assertStringIncludes(
    picture.text({ colours: false }),
    "zc: from 4000 bytes on, not seen at 1500",
  );
});

Deno.test("of times less is better, unless told otherwise", () => {
  const trials = sampleTrials({
    factors: [64, 4096].flatMap((bytes) => ["a", "b"].map((way) => ({ bytes, way }))),
    control: ({ way }) => way === "a",
    measure: ({ way }, round) => ({
      p50Seconds: noisy(way === "a" ? 2e-5 : 1e-5, round + (way === "b" ? 0.4 : 0)),
    }),
  });
  const crossings = (better?: "higher" | "lower"): unknown => {
    const options = { kind: "crossover", ...(better === undefined ? {} : { better }) } as const;
    return (plot({ trials: trials }, options).figure as CrossoverFigure).panels[0]!.crossings;
  };
  assertEquals(crossings(), [{ label: "b", from: 64 }]);
  assertEquals(crossings("higher"), [{ label: "b" }]);
});

Deno.test("an interval that the axis cuts off is said to be, in the drawing and in the text", () => {
  const points = [{ x: 1, value: 1, low: 0.001, high: 1.1 }, { x: 2, value: 1.2 }];
  const picture = plot([{ label: "a", points }], { kind: "crossover" });
  assert(textsIn(picture.svg()).includes("Some intervals reach beyond the axis"));
  assertStringIncludes(picture.text({ colours: false }), "Some intervals reach beyond the axis.");
  const whole = plot([{ label: "a", points: points.slice(1) }], { kind: "crossover" });
  assert(!whole.svg().includes("beyond the axis") && !whole.text().includes("beyond the axis"));
});
