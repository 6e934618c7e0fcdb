/**
 * The solutions of notebook 09.
 *
 * @module
 */
import { instructionCount as exercises } from "zclab/exercises";
import { type Solution, solution } from "./solution.ts";

/** One for each exercise. */
export const solutions: readonly Solution[] = [
  solution(exercises.twice, [
    (first, second) => {
      if (first === second) return "identical";
      return Math.max(first, second) / Math.min(first, second) <= 1.005 ? "agrees" : "differs";
    },
    (first, second) =>
      first === second
        ? "Identical"
        : Math.abs(second - first) / first <= 0.005
        ? "Agrees"
        : "Differs",
  ], [
    { answer: () => "agrees", says: "it is the same number" },
    { answer: (first, second) => first === second ? "identical" : "differs", says: "0.4 % more" },
    { answer: (first, second) => first === second ? "identical" : "agrees", says: "0.6 % more" },
    {
      answer: (first, second) =>
        first === second ? "identical" : second / first <= 1.005 ? "agrees" : "differs",
      says: "the smaller one",
    },
    {
      answer: (first, second) =>
        first === second ? "identical" : Math.abs(first - second) <= 50 ? "agrees" : "differs",
      says: "30 instructions are few",
    },
    { answer: (first, second) => String(first === second), says: "is wanted, and not" },
  ]),
  solution(exercises.small, ["only the count", "Only the count"], [
    { answer: "only the time", says: "how much is 60 of 6000" },
    { answer: "both", says: "no difference seen" },
    { answer: "neither", says: "Is it lost in 0.5 %" },
  ]),
  solution(exercises.layout, ["no change", "No change"], [
    { answer: "fewer instructions", says: "by the same instructions" },
    { answer: "more instructions", says: "adds no load" },
    { answer: "it cannot count that", says: "every load is an instruction" },
  ]),
  solution(exercises.cold, [75, "75", "75 %", 75n], [
    { answer: 50, says: "in a cache" },
    { answer: 60, says: "in instructions" },
    { answer: 25, says: "what is left" },
    { answer: 9, says: "microseconds" },
    { answer: 300, says: "300 % more" },
    { answer: 12, says: "divided by what it was" },
  ]),
  solution(exercises.clearing, [60, "60", "60 %", 60n], [
    { answer: 40, says: "the part that remains" },
    { answer: 30, says: "not of 10 000" },
    { answer: 50, says: "where memory is cleared" },
    { answer: 3000, says: "in percent" },
    { answer: 100, says: "what has disappeared" },
  ]),
];
