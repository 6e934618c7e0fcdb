import { assertAlmostEquals } from "@std/assert";
import { normalQuantile, studentQuantile } from "../../../../labs/kit/statistics/distributions.ts";

Deno.test("normalQuantile() has the values of the tables", () => {
  const table = [[1, 0], [0.3173105078629142, 1], [0.1, 1.6448536269514722]] as const;
  const tails = [[0.05, 1.959963984540054], [0.01, 2.5758293035489004]] as const;
  for (const [tail, z] of [...table, ...tails, [1e-12, 7.130506838]]) {
    assertAlmostEquals(normalQuantile(tail!), z!, tail === 1e-12 ? 1e-3 : 1e-9, `${tail}`);
  }
});

Deno.test("studentQuantile() has the values of the tables, for odd and even degrees", () => {
  const table = [
    [1, 0.05, 12.706204736],
    [2, 0.05, 4.302652730],
    [3, 0.05, 3.182446305],
    [4, 0.01, 4.604094871],
    [9, 0.1, 1.833112933],
    [10, 0.05, 2.228138852],
    [29, 0.01, 2.756385904],
    [120, 0.05, 1.979930405],
  ] as const;
  for (const [degrees, tail, t] of table) {
    assertAlmostEquals(studentQuantile(degrees, tail), t, 1e-8, `${degrees}, ${tail}`);
  }
  // With many degrees it is the normal distribution.
  assertAlmostEquals(studentQuantile(100_000, 0.05), normalQuantile(0.05), 1e-4);
});
