/**
 * The exercises of notebook 06, and the tables that it shows.
 *
 * @module
 */
import { Area, BufferRing, Ring, Socket, Testbed } from "zclab";
import { fillStream, matchesWhole } from "zclab/lab";
import {
  choiceExercise,
  type Exercise,
  exercise,
  type Judgement,
  numberExercise,
  right,
  wrong,
} from "zclab/notebook";

export { heldTable, witnessTable } from "./06_tables.ts";

/** What becomes of a connection that was led to another queue. */
export const otherQueue: Exercise<string> = choiceExercise({
  id: "06-other-queue",
  answer: "it is copied, silently",
  right:
    "the receive works, the bytes are right, and each of them was copied. Nothing fails, which is why " +
    "one has to ask: the kernel's statistics, or the event `COPY`.",
  wrong: {
    "it is lost":
      "TCP loses nothing for good, and queue 0 has memory of its own: the kernel's. So the data " +
      "is there. How does it get from there to where your program reads?",
    "the receive fails":
      "which error would say that? The kernel has the data and knows the socket, and `RECV_ZC` " +
      "promises bytes in your area. It can keep that promise at a price.",
    "it lands in the area as well":
      "the NIC fills the memory of the queue that a packet arrives on, and only queue 1 was given " +
      "yours. Who would carry the bytes over?",
  },
});

/** What two of the witnesses together say. */
export const witnesses: Exercise<string> = choiceExercise({
  id: "06-witnesses",
  answer: "it was copied",
  right:
    "what the NIC did not place in the area came there by a copy. It lay together with the headers, " +
    "and of that the kernel's statistics count nothing: 0 of the one witness proves little.",
  wrong: {
    "it was not copied":
      "then the NIC must have put it into your pages. What does its own counter say?",
    "it was not received":
      "the program has read and compared it. It is in the area; the question is who put it there.",
    "the two contradict each other":
      "each counts something else: one what it placed, the other one kind of copy. Is there a " +
      "second kind, that neither of them counts? Think of where the headers go.",
  },
});

/** How far a receive gets whose pieces are held, all but two buffers. */
export const twoLeft: Exercise<number | bigint | string> = numberExercise({
  id: "06-two-left",
  answer: 1024,
  right:
    "two buffers that come back are enough for a stream of any length. What stops a receive is the " +
    "last buffer that does not come back.",
  foreseen: [
    {
      answer: 120,
      says:
        "those are the 30 pieces that it keeps. And what comes after them, and goes back at once?",
    },
    {
      answer: 128,
      says: "that is each of the 32 buffers filled once. Two of them are given back: what then?",
    },
    {
      answer: 8,
      says: "that is what the two other buffers hold at one time. They are filled more than once.",
    },
    { answer: 904, says: "and do the pieces that it keeps not arrive?" },
    { answer: 0, says: "holding does not stop a receive as long as a buffer is free." },
  ],
  otherwise:
    "look at the row of the run above that held all buffers but one: how much of the stream arrived?",
});

/** Receives a stream to its end, and returns it. */
export type ReceiveWhole = (
  ring: Ring,
  socket: Socket,
  buffers: BufferRing,
) => Promise<Uint8Array>;

/** Bytes of the stream, and the buffers that it comes in. */
const STREAM = 64 * 1024;
const BUFFERS = { count: 4, bytes: 4096 } as const;
/** Milliseconds after which all buffers held mean that none comes back. */
const PATIENCE = 1500;

/** Reading and giving back. */
export const giveBack: Exercise<ReceiveWhole> = exercise<ReceiveWhole>({
  id: "06-give-back",
  async check(answer): Promise<Judgement> {
    if (typeof answer !== "function") {
      return wrong("a function is wanted: async (ring, socket, buffers) => { ... }");
    }
    await using bed = await Testbed.loopback();
    using data = Area.map({ bytes: STREAM });
    fillStream(data.unsafeBytes());
    // A ring for each side: the learner's may be left in any state.
    await using sending = Ring.open();
    await using receiving = Ring.open();
    using buffers = BufferRing.open(receiving, BUFFERS);
    using listener = Socket.tcp(bed.far).bind(bed.far.address(9000)).listen();
    using client = Socket.tcp(bed.near).connectBlocking(bed.far.address(9000));
    using server = await sending.accept(listener);
    const sent = sendAll(sending, client, data);
    const { promise: late, resolve } = Promise.withResolvers<"late">();
    const timer = setTimeout(() => resolve("late"), PATIENCE);
    try {
      const got: unknown = await Promise.race([answer(receiving, server, buffers), late]);
      return judgeReceived(got, buffers);
    } finally {
      clearTimeout(timer);
      client.close();
      await sent;
    }
  },
});

async function sendAll(ring: Ring, socket: Socket, data: Area): Promise<void> {
  try {
    for (let at = 0; at < data.bytes;) {
      at += await ring.send(socket, data.slice(at, Math.min(16_384, data.bytes - at)));
    }
    await ring.shutdown(socket, "write");
  } catch {
    // The check is over, and the receiver gone.
  }
}

function judgeReceived(got: unknown, buffers: BufferRing): Judgement {
  const { held, count } = buffers;
  if (got === "late") {
    return wrong(
      held === count
        ? `your program holds all ${count} buffers, the kernel has none, and the stream is not at its ` +
          "end: it waits for you, and you wait for it. Which call gives a buffer back?"
        : `there was no result after ${
          PATIENCE / 1000
        } s, and ${held} of ${count} buffers are held. ` +
          "Does your function wait for something beside the pieces?",
    );
  }
  if (!(got instanceof Uint8Array)) {
    return wrong("one Uint8Array with all bytes is wanted, in the order in which they came.");
  }
  const view = new DataView(got.buffer, got.byteOffset, got.byteLength);
  const rightBytes = matchesUntil(view);
  if (rightBytes < got.length) {
    return wrong(
      `what you return is right up to byte ${rightBytes} and then is not: a buffer was given back, ` +
        "the kernel has filled it again, and you have kept a view of it, not its bytes.",
    );
  }
  if (got.length < STREAM) {
    return wrong(`${got.length} bytes were returned, and the stream has ${STREAM}.`);
  }
  if (got.length > STREAM) {
    return wrong(`${got.length} bytes were returned, and the stream has only ${STREAM}.`);
  }
  if (held > 0) {
    return wrong(
      `the bytes are right, and ${held} of ${count} buffers have not come back: the next stream ` +
        "finds so many fewer.",
    );
  }
  return right(
    `${STREAM} bytes through ${count} buffers of ${BUFFERS.bytes}: each was read first and then given ` +
      "back, once. With zcrx it is the same, and the copy that you made here is yours to leave out.",
  );
}

/** How many bytes are those of the stream. */
function matchesUntil(view: DataView): number {
  const length = Math.min(view.byteLength, STREAM);
  for (let at = 0; at < length; at += 512) {
    const part = Math.min(512, length - at);
    if (!matchesWhole(view, at, part, at)) return at;
  }
  return length;
}
