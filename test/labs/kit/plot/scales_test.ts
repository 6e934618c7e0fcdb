import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { textWidth } from "../../../../labs/kit/plot/layout.ts";
import {
  deviationDomain,
  fittingTicks,
  ratioDomain,
  scale,
  SIZE,
  valueDomain,
  valueTicks,
  withRoom,
} from "../../../../labs/kit/plot/scales.ts";

const spread = (value: number, low = value, high = value) => ({ value, low, high });

Deno.test("a scale has its ends where its range has them, and decades at equal distances", () => {
  const linear = scale("linear", [10, 20], [100, 0]);
  assertEquals([10, 15, 20].map(linear.at), [100, 50, 0]);
  const log = scale("log", [1, 1000], [0, 300]);
  for (const [value, place] of [[1, 0], [10, 100], [100, 200], [1000, 300]] as const) {
    assertAlmostEquals(log.at(value), place);
  }
});

Deno.test("values begin at 0, and are logarithmic where they differ more than twentyfold", () => {
  assertEquals(valueDomain([spread(5), spread(100, 90, 120)]), {
    type: "linear",
    ends: [0, 120 * 1.04],
  });
  const { type, ends } = valueDomain([spread(5), spread(101)]);
  assertEquals(type, "log");
  assert(ends[0] < 5 && ends[1] > 101, `${ends}`);
  assertEquals(valueDomain([spread(0), spread(100)]).type, "linear", "0 has no logarithm");
  assertEquals(valueDomain([spread(0)]).ends, [0, 1]);
});

Deno.test("an interval down to almost nothing does not squeeze all others", () => {
  assertEquals(valueDomain([spread(10, 1e-9, 11), spread(1000)]).ends[0], 1 / 1.1);
  const [least, most] = ratioDomain([spread(1.2, 1e-9, 1e9)]);
  assert(least > 0.05 && most < 24, `${least}, ${most}`);
  const [below, above] = ratioDomain([spread(2, 1.9, 2.1)]);
  assert(below < 1 && above > 2.1, "1 is always on the axis of ratios");
});

Deno.test("deviations stand around their values, with room, even where all are equal", () => {
  const { ends } = deviationDomain([90, 110]);
  assert(ends[0] > 80 && ends[0] < 90 && ends[1] > 110 && ends[1] < 120, `${ends}`);
  const equal = deviationDomain([5, 5]).ends;
  assert(equal[0] < 5 && equal[1] > 5);
  assertEquals(deviationDomain([1, 100]).type, "log");
});

Deno.test("ticks have round numbers with the unit, and texts only where there is room", () => {
  const ticks = valueTicks({ type: "linear", ends: [0, 0.98e6] }, "/s");
  assertEquals(ticks.map(({ text }) => text), ["0", "200 k", "400 k", "600 k", "800 k"]);
  const wide = scale("linear", [0, 10], [0, 1000]);
  const values = Array.from({ length: 11 }, (_, index) => index);
  const name = (value: number): string => `number ${value}`;
  assert(fittingTicks(values, name, wide).every(({ text }) => text !== ""));
  const narrow = scale("linear", [0, 10], [0, 300]);
  const shown = fittingTicks(values, name, narrow).filter(({ text }) => text !== "");
  assert(shown.length >= 3 && shown.length < 11, `${shown.length}`);
  for (const [index, { value, text }] of shown.slice(1).entries()) {
    const distance = narrow.at(value) - narrow.at(shown[index]!.value);
    assert(distance > textWidth(text, SIZE), text);
  }
});

Deno.test("of upright ticks that would touch the one that matters is kept", () => {
  const y = scale("linear", [0, 2], [40, 0]);
  const ticks = [0, 0.5, 1, 1.5, 2].map((value) => ({ value, text: `${value}` }));
  assertEquals(withRoom(ticks, y, 1).map(({ value }) => value), [0, 1, 2]);
  assertEquals(
    withRoom(ticks, y, 1.5).map(({ value }) => value),
    [0, 1.5],
  );
});
