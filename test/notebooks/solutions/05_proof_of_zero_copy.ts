/**
 * The solutions of notebook 05.
 *
 * @module
 */
import { proofOfZeroCopy as exercises } from "zclab/exercises";
import { type Solution, solution } from "./solution.ts";

/** One for each exercise. */
export const solutions: readonly Solution[] = [
  solution(exercises.evidence, [
    "copied is 0 and full over loopback",
    "Copied is 0 and full over loopback",
  ], [
    { answer: "it is faster than with send", says: "faster for another reason" },
    { answer: "no send failed", says: "without an error" },
    { answer: "copied is 0", says: "the witness is not blind" },
    { answer: "strace", says: "choose one of" },
  ]),
  solution(exercises.bit, [
    (result) => (result & 0x80000000) !== 0,
    (result) => result < 0,
    (result) => result >>> 31 === 1,
    (result) => (result >>> 0) >= 2 ** 31,
    (result) => (BigInt.asUintN(32, BigInt(result)) & 0x80000000n) > 0n,
    (result) => result & (1 << 31),
  ], [
    { answer: (result) => (result & (1 << 31)) > 0, says: "negative after any bit operation" },
    { answer: (result) => result === -2147483648, says: "a later kernel may set them" },
    { answer: (result) => result !== 0, says: "bit 31 is not set in it" },
    { answer: (result) => result >= 0, says: "a send that was not copied" },
    { answer: (result) => result < -1, says: "every bit, with 31 among them" },
  ]),
  solution(exercises.verdict, [
    (counts, control) => {
      if (counts.copied === undefined || counts.sent === 0) return "cannot tell";
      if (control.sent === 0 || control.copied !== control.sent) return "cannot tell";
      if (counts.copied === 0) return "not copied";
      return counts.copied === counts.sent ? "copied" : "partly copied";
    },
    ({ sent, copied }, control) => {
      const isBlind = !control.copied || control.copied < control.sent;
      return isBlind || !(sent > 0) || copied === undefined
        ? "Cannot tell"
        : copied > 0 && copied < sent
        ? "Partly copied"
        : copied > 0
        ? "Copied"
        : "Not copied";
    },
  ], [
    {
      answer: ({ copied }) => copied === 0 ? "not copied" : "copied",
      says: "some of the sends were copied, and some were not",
    },
    {
      answer: ({ sent, copied }) =>
        copied === undefined
          ? "cannot tell"
          : copied === 0
          ? "not copied"
          : copied === sent
          ? "copied"
          : "partly copied",
      says: "the count does not show it",
    },
    {
      answer: ({ sent, copied }, control) =>
        control.copied !== control.sent
          ? "cannot tell"
          : copied === 0
          ? "not copied"
          : copied === sent
          ? "copied"
          : "partly copied",
      says: "is no evidence",
    },
    {
      answer: ({ sent, failed, copied }, control) => {
        if (!control.copied || sent === 0) return "cannot tell";
        if (copied === 0) return "not copied";
        return copied === sent + failed ? "copied" : "partly copied";
      },
      says: "compare with what was sent",
    },
    {
      answer: ({ sent, copied }, control) => {
        if (copied === undefined || sent === 0 || control.copied !== control.sent) {
          return "cannot tell";
        }
        if (copied === 0) return "not copied";
        return copied === sent ? "copied" : "partly copied";
      },
      says: "seen the witness see",
    },
    { answer: () => "yes", says: "there are these verdicts" },
  ]),
];
