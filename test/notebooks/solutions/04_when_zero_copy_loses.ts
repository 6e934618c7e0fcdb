/**
 * The solutions of notebook 04.
 *
 * @module
 */
import { whenZeroCopyLoses as exercises } from "zclab/exercises";
import { type Solution, solution } from "./solution.ts";

/** One for each exercise. */
export const solutions: readonly Solution[] = [
  solution(exercises.cross, [7500, "7500", "7500 bytes", 7500n, 7500.4], [
    { answer: 7.5, says: "in which unit" },
    { answer: 6000, says: "cost less, not nothing" },
    { answer: 30000, says: "what does it save" },
    { answer: 5000, says: "were added" },
    { answer: 300, says: "set the two sums equal" },
  ]),
  solution(exercises.gsoPackets, [16, "16", 16n, "16 notifications"], [
    { answer: 1000, says: "one for each datagram" },
    { answer: 64, says: "the length of a GSO packet" },
    { answer: 15, says: "the full GSO packets" },
    { answer: 15.625, says: "sent or not sent" },
    { answer: 1, says: "at most" },
    { answer: 2, says: "how many requests" },
  ]),
  solution(exercises.first, ["send GSO packets", "Send GSO packets", "send-gso-packets"], [
    { answer: "register the memory", says: "that saves looking up pages" },
    { answer: "wait for each notification", says: "it adds to it" },
    { answer: "use larger pages", says: "where a request has many" },
    { answer: "a faster machine", says: "choose one of" },
  ]),
  solution(exercises.rule, [
    (sizes, threshold, copied) =>
      sizes.map((size) => !copied && size >= threshold ? "zero copy" : "copy"),
    (sizes, threshold, copied) => {
      const ways: string[] = [];
      for (const size of sizes) ways.push(copied || size <= threshold ? "Copy" : "zero-copy");
      return ways;
    },
  ], [
    {
      answer: (sizes, threshold, copied) => {
        const isLarge = sizes.reduce((sum, size) => sum + size, 0) >= threshold;
        return sizes.map(() => !copied && isLarge ? "zero copy" : "copy");
      },
      says: "below the threshold, and one above",
    },
    {
      answer: (sizes, threshold, copied) => {
        const all = sizes.reduce((sum, size) => sum + size, 0);
        const isBatch = sizes.length > 2 && all >= threshold;
        return sizes.map((size) =>
          !copied && (isBatch || size >= threshold) ? "zero copy" : "copy"
        );
      },
      says: "each is a request of its own",
    },
    {
      answer: (sizes, _threshold, copied) =>
        sizes.map((size) => !copied && size >= 10_000 ? "zero copy" : "copy"),
      says: "here it is another one",
    },
    {
      answer: (sizes, threshold) => sizes.map((size) => size >= threshold ? "zero copy" : "copy"),
      says: "pays for both",
    },
    {
      answer: (sizes, threshold) => sizes.map((size) => size >= threshold ? "zc" : "copy"),
      says: "are the words",
    },
    {
      answer: (sizes, threshold) => [sizes[0]! >= threshold ? "zero copy" : "copy"],
      says: "one for each buffer",
    },
  ]),
];
