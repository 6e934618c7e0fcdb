/**
 * The solutions of notebook 02.
 *
 * @module
 */
import { zeroCopySend as exercises } from "zclab/exercises";
import { type Solution, solution } from "./solution.ts";

/** One for each exercise. */
export const solutions: readonly Solution[] = [
  solution(exercises.completions, [20, "20", "20 completions"], [
    { answer: 10, says: "those are the results" },
    { answer: 11, says: "the idea of 2022" },
    { answer: 2, says: "that is one request" },
    { answer: 30, says: "ten times as many" },
  ]),
  solution(exercises.more, ["from the MORE flag", "from the more flag"], [
    { answer: "from the result", says: "the result alone does not tell" },
    { answer: "it always follows", says: "waits for ever" },
    { answer: "from the user data", says: "your own number" },
  ]),
  solution(exercises.reuse, [
    async (ring, socket, slice, next) => {
      const first = await ring.sendZc(socket, slice);
      await first.released;
      slice.write(next);
      const second = await ring.sendZc(socket, slice);
      await second.released;
    },
    async (ring, socket, slice, next) => {
      await (await ring.sendZc(socket, slice)).released;
      await (await ring.sendZc(socket, slice.write(next))).released;
    },
  ], [
    {
      answer: async (ring, socket, slice, next) => {
        const first = await ring.sendZc(socket, slice);
        slice.unsafeBytes.set(next);
        const second = await ring.sendZc(socket, slice);
        await Promise.all([first.released, second.released]);
      },
      says: "changed while the kernel was still sending it",
    },
    {
      answer: async (ring, socket, slice, next) => {
        await ring.sendZc(socket, slice);
        slice.write(next);
        await (await ring.sendZc(socket, slice)).released;
      },
      says: "OwnershipError",
    },
    {
      answer: async (ring, socket, slice) => {
        await (await ring.sendZc(socket, slice)).released;
        await (await ring.sendZc(socket, slice)).released;
      },
      says: "the first one again",
    },
    {
      answer: async (ring, socket, slice, next) => {
        await (await ring.sendZc(socket, slice)).released;
        slice.write(next);
      },
      says: "Were both sent?",
    },
    {
      answer: async (ring, socket, slice, next) => {
        await (await ring.sendZc(socket, slice)).released;
        slice.write(next);
        await ring.sendZc(socket, slice);
      },
      says: "was done while the kernel still had the slice",
    },
  ]),
  solution(exercises.copied, [16, "16", "16 copied", 16n], [
    { answer: 0, says: "that is the sink" },
    { answer: 1, says: "that is one request" },
    { answer: 32, says: "only the notification says" },
    { answer: 8, says: "half of them" },
  ]),
];
