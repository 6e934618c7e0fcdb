/**
 * The solutions of notebook 07.
 *
 * @module
 */
import { pairedRatio } from "zclab/experiment";
import { reproducibleMeasurement as exercises } from "zclab/exercises";
import { type Solution, solution } from "./solution.ts";

function sum(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** One for each exercise. */
export const solutions: readonly Solution[] = [
  solution(exercises.pairs, [
    (b, a) => {
      const logarithms = b.map((value, round) => Math.log(value / a[round]!));
      return Math.exp(logarithms.reduce((sum, value) => sum + value, 0) / logarithms.length);
    },
    (b, a) => b.reduce((product, value, round) => product * value / a[round]!, 1) ** (1 / b.length),
    (b, a) => pairedRatio(b, a).ratio,
    (b, a) =>
      b.map((value, round) => value / a[round]!).sort((x, y) => x - y)[Math.floor(b.length / 2)]!,
  ], [
    { answer: (b, a) => sum(b) / sum(a), says: "Compare within each round first" },
    {
      answer: (b, a) => sum(b.map((value, round) => value / a[round]!)) / b.length,
      says: "Which mean of 2 and 1/2 is 1?",
    },
    { answer: (b, a) => pairedRatio(a, b).ratio, says: "that is A against B" },
    { answer: (b, a) => b[0]! / a[0]!, says: "another order" },
    { answer: (b, a) => Math.min(...b) / Math.min(...a), says: "what the rounds have in common" },
    { answer: (b, a) => pairedRatio(b, a).ratio ** 2, says: "in every one of these rounds" },
    { answer: () => NaN, says: "no number" },
  ]),
  solution(exercises.rounds, [160, "160", 160n, "160 rounds", 161], [
    { answer: 40, says: "halve the interval" },
    { answer: 20, says: "2.8 %" },
    { answer: 90, says: "nine times as many" },
    { answer: 16, says: "that is a factor" },
    { answer: 400, says: "by which factor" },
  ]),
  solution(exercises.outlier, ["keep it and mark it", "Keep it and mark it"], [
    { answer: "drop it", says: "on what grounds" },
    { answer: "repeat until it is gone", says: "as soon as I like the result" },
    { answer: "report the best trial", says: "has all nine" },
  ]),
  solution(exercises.chance, [64, "64 %", 64.15, "64.15%"], [
    { answer: 5, says: "the chance of one comparison" },
    { answer: 100, says: "not yet certain" },
    { answer: 36, says: "none of them misses" },
    { answer: 95, says: "do all twenty" },
    { answer: 50, says: "The rest is the answer" },
  ]),
];
