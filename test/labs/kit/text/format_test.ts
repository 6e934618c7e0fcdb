import { assertEquals } from "@std/assert";
import { formatRatio, formatSi } from "../../../../labs/kit/text/format.ts";

Deno.test("formatSi shows three digits with prefix and unit", () => {
  const cases: [number, string, string][] = [
    [0, "s", "0 s"],
    [1234567, "requests/s", "1.23 M requests/s"],
    [450, "requests/s", "450 requests/s"],
    [0.0000412, "s", "41.2 µs"],
    [0.00099996, "s", "1.00 ms"],
    [999.6, "", "1.00 k"],
    [600, "", "600"],
    [999, "B", "999 B"],
    [1500, "B", "1.50 kB"],
    [-0.25, "s", "-250 ms"],
    [99.96, "s", "100 s"],
    [9.996, "s", "10.0 s"],
    [3e-12, "s", "0.00 ns"],
    [7e15, "", "7000 T"],
    [NaN, "s", "NaN s"],
  ];
  for (const [value, unit, text] of cases) assertEquals(formatSi(value, unit), text);
});

Deno.test("formatRatio shows changes in percent on a short axis, multiples on a long one", () => {
  assertEquals([0.9, 1, 1.25].map((ratio) => formatRatio(ratio, [0.9, 1.3])), [
    "−10 %",
    "0 %",
    "+25 %",
  ]);
  assertEquals(formatRatio(0.1, [0.1, 10]), "×0.1");
});
