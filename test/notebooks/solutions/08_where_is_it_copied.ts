/**
 * The solutions of notebook 08.
 *
 * @module
 */
import { whereIsItCopied as exercises } from "zclab/exercises";
import { type Solution, solution } from "./solution.ts";

/** One for each exercise. */
export const solutions: readonly Solution[] = [
  solution(exercises.said, ["send-zc + recv, loopback", "Send-ZC + recv, Loopback"], [
    { answer: "send + recv, loopback", says: "has no such bit" },
    { answer: "sendfile + recv, loopback", says: "posts no notification" },
    { answer: "send-zc, ifb", says: "says the opposite" },
    { answer: "splice + recv, loopback", says: "choose one of" },
  ]),
  solution(exercises.lent, ["nobody waits for its pages", "Nobody waits for its pages"], [
    { answer: "files are sent by DMA", says: "there is no device" },
    { answer: "it is copied where nobody sees it", says: "every load and store" },
    { answer: "the payload is smaller", says: "What does SEND_ZC have" },
  ]),
  solution(exercises.fileToArea, [1, "1", 1n, "1 copy"], [
    { answer: 0, says: "Who does the DMA of softnic" },
    { answer: 2, says: "Who would make the other" },
    { answer: 3, says: "that is `send + recv`" },
    { answer: 5, says: "take away what" },
  ]),
  solution(exercises.program, [3, "3", 3n, "3 copies"], [
    { answer: 2, says: "comes on top" },
    { answer: 1, says: "before the bytes came to it" },
    { answer: 4, says: "it is zcrx that receives" },
    { answer: 0, says: "find the row" },
  ]),
  solution(exercises.report, [
    (bit, copies) => {
      if (bit === null) return "says nothing";
      const copied = copies.some(({ of, by }) => of === "payload" && by === "kernel");
      return bit === copied ? "agrees" : "contradicts";
    },
    (bit, copies) =>
      bit === null
        ? "says nothing"
        : bit === copies.filter((copy) => copy.of + copy.by === "payloadkernel").length > 0
        ? "Agrees"
        : "Contradicts",
  ], [
    {
      answer: (bit, copies) => bit === copies.length > 0 ? "agrees" : "contradicts",
      says: "there is no notification",
    },
    {
      answer: (bit, copies) =>
        bit === null
          ? "says nothing"
          : bit === copies.some(({ by }) => by === "kernel")
          ? "agrees"
          : "contradicts",
      says: "Were the sender's own bytes ever copied by the kernel",
    },
    { answer: (bit) => bit === null ? "says nothing" : "agrees", says: "says that it did not" },
    {
      answer: (bit) => bit === null ? "says nothing" : bit ? "agrees" : "contradicts",
      says: "and the bit says so",
    },
    { answer: (bit) => String(bit), says: "is wanted, and not" },
  ]),
];
