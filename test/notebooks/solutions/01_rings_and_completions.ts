/**
 * The solutions of notebook 01.
 *
 * @module
 */
import { ringsAndCompletions as exercises } from "zclab/exercises";
import { type Solution, solution } from "./solution.ts";

/** One for each exercise. */
export const solutions: readonly Solution[] = [
  solution(exercises.systemCalls, [4, "4", 4n, "4 calls"], [
    { answer: 100, says: "one call for each request" },
    { answer: 3, says: "What about the other 4?" },
    { answer: 1, says: "if all 100 fitted" },
    { answer: 3.125, says: "made or not made" },
    { answer: 32, says: "count how many batches" },
  ]),
  solution(exercises.order, ["as they finish", "As they finish", "as-they-finish"], [
    { answer: "as they were submitted", says: "it was submitted first" },
    { answer: "by user data", says: "only hands it back" },
    { answer: "as they were prepared", says: "preparing only writes into memory" },
    { answer: "at random", says: "choose one of" },
  ]),
  solution(exercises.failure, [-9, "-9", -9n], [
    { answer: 9, says: "9 bytes were read" },
    { answer: -1, says: "errno aside" },
    { answer: 0, says: "the end of the file" },
    { answer: "EBADF", says: "a number is wanted" },
  ]),
  solution(exercises.waitForAll, [
    (ring, count) => {
      const seen: number[] = [];
      for (let index = 0; index < count; index++) ring.batch.timeout(5, index);
      ring.batch.submitAndWait(count);
      ring.batch.reap((userData) => seen.push(userData));
      return seen;
    },
    (ring, count) => {
      const seen: number[] = [];
      for (let index = 0; index < count; index++) ring.batch.timeout(5, index);
      ring.batch.submit();
      while (seen.length < count) ring.batch.reap((userData) => seen.push(userData));
      return seen;
    },
  ], [
    {
      answer: (ring, count) => {
        const seen: number[] = [];
        for (let index = 0; index < count; index++) ring.batch.timeout(5, index);
        return seen;
      },
      says: "never submitted",
    },
    {
      answer: (ring, count) => {
        const seen: number[] = [];
        // Long enough that none has ended by now, however busy the machine is.
        for (let index = 0; index < count; index++) ring.batch.timeout(2000, index);
        ring.batch.submit();
        ring.batch.reap((userData) => seen.push(userData));
        return seen;
      },
      says: "still running",
    },
    {
      answer: (ring, count) => {
        const seen: number[] = [];
        for (let index = 0; index < count; index++) ring.batch.timeout(5, index);
        ring.batch.submitAndWait(count);
        ring.batch.reap((_userData, result) => seen.push(result));
        return seen;
      },
      says: "the result of each timer",
    },
    {
      answer: (ring, count) => {
        for (let index = 0; index < count; index++) ring.batch.timeout(5);
        ring.batch.submitAndWait(count);
        const seen: number[] = [];
        ring.batch.reap((userData) => seen.push(userData));
        return seen;
      },
      says: "the user data of 5 timers is",
    },
    { answer: () => [0, 1, 2, 3, 4], says: "never ran" },
  ]),
];
