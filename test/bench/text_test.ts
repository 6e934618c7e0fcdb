import { assertEquals } from "@std/assert";
import type { Bar, Compared } from "../../bench/comparison.ts";
import { receiveText } from "../../bench/text.ts";

function compared(low: number, high: number, bar: Bar): Compared {
  const ratio = { ratio: Math.sqrt(low * high), low, high, rounds: 7 };
  const noiseFloor = { ratio: 1, low: 0.99, high: 1.01, rounds: 7 };
  return { name: "zcrx", unit: "ms", c: 8.4, zclab: 11.2, ratio, noiseFloor, bar };
}

function linesOf(speed: Compared, cpu: Compared): string[] {
  return receiveText({ bytes: 1, rows: [], speed, cpu, seed: 1, trials: [] }).split("\n");
}

Deno.test("The bench shows each ratio with its interval and the noise floor", () => {
  const row = compared(1.2, 1.4, { most: 1.5 });
  const line = linesOf(row, row).find((line) => line.startsWith("zcrx"))!;
  assertEquals(
    line.split(/\s{2,}/),
    ["zcrx", "8.40 ms", "11.20 ms", "1.296", "1.200 to 1.400", "0.990 to 1.010"],
  );
});

Deno.test("A figure is met or missed only if the whole interval says so", () => {
  const cases: readonly [low: number, high: number, bar: Bar, says: string][] = [
    [0.91, 0.95, { least: 0.9 }, "meets its figure   zcrx: 0.930 (0.910 to 0.950), at least 0.9"],
    [0.85, 0.95, { least: 0.9 }, "cannot be told     zcrx: 0.899 (0.850 to 0.950), at least 0.9"],
    [0.80, 0.85, { least: 0.9 }, "MISSES its figure  zcrx: 0.825 (0.800 to 0.850), at least 0.9"],
    [1.02, 1.08, { most: 1.1 }, "meets its figure   zcrx: 1.050 (1.020 to 1.080), at most 1.1"],
    [1.05, 1.15, { most: 1.1 }, "cannot be told     zcrx: 1.099 (1.050 to 1.150), at most 1.1"],
    [1.12, 1.15, { most: 1.1 }, "MISSES its figure  zcrx: 1.135 (1.120 to 1.150), at most 1.1"],
  ];
  for (const [low, high, bar, says] of cases) {
    const row = compared(low, high, bar);
    assertEquals(linesOf(row, row).slice(-2), [says, says]);
  }
});
