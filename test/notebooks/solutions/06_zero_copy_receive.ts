/**
 * The solutions of notebook 06.
 *
 * @module
 */
import { zeroCopyReceive as exercises } from "zclab/exercises";
import { type Solution, solution } from "./solution.ts";

/** One for each exercise. */
export const solutions: readonly Solution[] = [
  solution(exercises.giveBack, [
    async (ring, socket, buffers) => {
      const parts: number[] = [];
      for await (const piece of ring.recvMultishot(socket, buffers)) {
        parts.push(...piece.slice.bytes);
        piece.release();
      }
      return new Uint8Array(parts);
    },
    async (ring, socket, buffers) => {
      const parts: Uint8Array<ArrayBuffer>[] = [];
      for await (const piece of ring.recvMultishot(socket, buffers)) {
        parts.push(piece.slice.bytes.slice());
        piece.release();
      }
      return new Uint8Array(await new Blob(parts).arrayBuffer());
    },
    async (ring, socket, buffers) => {
      const whole = new Uint8Array(1 << 20);
      let length = 0;
      for await (const piece of ring.recvMultishot(socket, buffers)) {
        whole.set(piece.slice.bytes, length);
        length += piece.slice.length;
        piece.release();
      }
      return whole.subarray(0, length);
    },
  ], [
    {
      answer: async (ring, socket, buffers) => {
        const parts: number[] = [];
        for await (const piece of ring.recvMultishot(socket, buffers)) {
          parts.push(...piece.slice.bytes);
        }
        return new Uint8Array(parts);
      },
      says: "your program holds all 4 buffers",
    },
    {
      answer: async (ring, socket, buffers) => {
        const views: Uint8Array<ArrayBuffer>[] = [];
        for await (const piece of ring.recvMultishot(socket, buffers)) {
          views.push(piece.slice.bytes);
          piece.release();
        }
        return new Uint8Array(await new Blob(views).arrayBuffer());
      },
      says: "you have kept a view of it",
    },
    {
      answer: async (ring, socket, buffers) => {
        const parts: number[] = [];
        for await (const piece of ring.recvMultishot(socket, buffers)) {
          piece.release();
          parts.push(...piece.slice.bytes);
        }
        return new Uint8Array(parts);
      },
      says: "OwnershipError",
    },
    {
      answer: async (ring, socket, buffers) => {
        const parts: number[] = [];
        for await (const piece of ring.recvMultishot(socket, buffers)) {
          parts.push(...piece.slice.bytes);
          piece.release();
          piece.release();
        }
        return new Uint8Array(parts);
      },
      says: "release: ",
    },
    {
      answer: async (ring, socket, buffers) => {
        for await (const piece of ring.recvMultishot(socket, buffers)) {
          const copy = piece.slice.bytes.slice();
          piece.release();
          return copy;
        }
        return new Uint8Array();
      },
      says: "and the stream has 65536.",
    },
  ]),
  solution(exercises.otherQueue, ["it is copied, silently", "It is copied, silently"], [
    { answer: "it is lost", says: "TCP loses nothing for good" },
    { answer: "the receive fails", says: "which error would say that?" },
    { answer: "it lands in the area as well", says: "Who would carry the bytes over?" },
  ]),
  solution(exercises.witnesses, ["it was copied", "It was copied"], [
    { answer: "it was not copied", says: "its own counter" },
    { answer: "it was not received", says: "has read and compared it" },
    { answer: "the two contradict each other", says: "a second kind" },
  ]),
  solution(exercises.twoLeft, [1024, "1024", "1024 KiB", 1024n], [
    { answer: 120, says: "the 30 pieces that it keeps" },
    { answer: 128, says: "filled once" },
    { answer: 8, says: "at one time" },
    { answer: 0, says: "holding does not stop" },
    { answer: 64, says: "look at the row" },
  ]),
];
