/**
 * The solutions of notebook 03.
 *
 * @module
 */
import { Notifier } from "zclab";
import { notifiers as exercises } from "zclab/exercises";
import { type Solution, solution } from "./solution.ts";

/** One for each exercise. */
export const solutions: readonly Solution[] = [
  solution(exercises.sequence, [1, "1", 1n, "0x1"], [
    { answer: 4294967297, says: "needs 33 bits" },
    { answer: 0, says: "Which of the three notifications" },
    { answer: 2, says: "one too many" },
    { answer: 3, says: "how many flushes" },
    { answer: 4294967295, says: "that is the first notification" },
    { answer: -1, says: "think of 2^32" },
  ]),
  solution(exercises.notified, [3, "3", "3 notifications"], [
    { answer: 5, says: "those are the `requests`" },
    { answer: 1, says: "flush() speaks once" },
    { answer: 8, says: "every completion there is" },
    { answer: 2, says: "those are the ordinary sends" },
    { answer: 0, says: "which of the five requests" },
  ]),
  solution(exercises.noTrace, [
    "they were copied before the write",
    "They were copied before the write",
    "they-were-copied-before-the-write",
  ], [
    { answer: "UDP keeps a copy to send again", says: "it is TCP that sends again" },
    { answer: "the write waits for the kernel", says: "nothing waits" },
    { answer: "a datagram cannot be changed", says: "until it has left" },
    { answer: "luck", says: "choose one of" },
  ]),
  solution(exercises.twoHalves, [
    async (ring, socket, halves, pieces) => {
      const slots = halves.map(() => new Notifier(ring));
      const free = halves.map(() => Promise.resolve<unknown>(undefined));
      for (const [index, piece] of pieces.entries()) {
        const [half, slot] = [halves[index % 2]!, slots[index % 2]!];
        await free[index % 2];
        half.write(piece);
        await ring.sendZc(socket, half, { notifier: slot });
        free[index % 2] = slot.flush();
      }
      await Promise.all(free);
    },
    async (ring, socket, halves, pieces) => {
      const out: Promise<unknown>[] = [];
      for (const [index, piece] of pieces.entries()) {
        await out[index - 2];
        const { released } = await ring.sendZc(socket, halves[index % 2]!.write(piece));
        out.push(released);
      }
      await Promise.all(out);
    },
  ], [
    {
      answer: async (ring, socket, halves, pieces) => {
        const slot = new Notifier(ring);
        for (const [index, piece] of pieces.entries()) {
          const half = halves[index % 2]!;
          half.unsafeBytes.set(piece);
          await ring.sendZc(socket, half, { notifier: slot });
        }
        await slot.flush();
      },
      says: "a half was filled before",
    },
    {
      answer: async (ring, socket, halves, pieces) => {
        for (const [index, piece] of pieces.entries()) {
          await ring.sendZc(socket, halves[index % 2]!.write(piece));
        }
      },
      says: "OwnershipError",
    },
    {
      answer: async (ring, socket, halves, pieces) => {
        for (const [index, piece] of pieces.entries()) {
          const { released } = await ring.sendZc(socket, halves[index % 2]!.write(piece));
          await released;
        }
      },
      says: "never more than one half",
    },
    {
      answer: async (ring, socket, halves, pieces) => {
        const out: Promise<unknown>[] = [];
        for (const [index, piece] of pieces.entries()) {
          await out[index - 2];
          const { released } = await ring.sendZc(socket, halves[index % 2]!.write(piece));
          out.push(released);
        }
      },
      says: "still had memory",
    },
    {
      answer: async (ring, socket, halves, pieces) => {
        const out: Promise<unknown>[] = [];
        for (const [index, half] of halves.entries()) {
          const { released } = await ring.sendZc(socket, half.write(pieces[index]!));
          out.push(released);
        }
        await Promise.all(out);
      },
      says: "Is every piece sent",
    },
  ]),
];
