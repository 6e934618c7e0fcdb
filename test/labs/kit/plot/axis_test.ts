import { assert, assertEquals } from "@std/assert";
import { linearTicks, ratioTicks, roundNumbers } from "../../../../labs/kit/plot/axis.ts";

Deno.test("ticks are round numbers within the axis", () => {
  assertEquals(linearTicks(1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assertEquals(linearTicks(0.37, 3, -0.2), [-0.2, 0, 0.2]);
  assertEquals(roundNumbers(15e-6, 450e-6), [20e-6, 50e-6, 100e-6, 200e-6]);
  assertEquals(ratioTicks(0.9, 1.3), [0.9, 1, 1.1, 1.2, 1.3]);
  assert(ratioTicks(0.02, 90).includes(1));
});
