/**
 * The exercises of notebook 03.
 *
 * @module
 */
import { Area, Ring, type Slice, Socket, Testbed } from "zclab";
import {
  choiceExercise,
  type Exercise,
  exercise,
  type Judgement,
  numberExercise,
  right,
  wrong,
} from "zclab/notebook";

/** A sequence number that wraps. */
export const sequence: Exercise<number | bigint | string> = numberExercise({
  id: "03-sequence",
  answer: 1,
  right: "4294967295 is the last number that 32 bits hold; then come 0 and 1.",
  foreseen: [
    { answer: 4294967297, says: "that number needs 33 bits. A sequence number has 32." },
    { answer: 0, says: "that is where it wraps. Which of the three notifications has it?" },
    {
      answer: 2,
      says: "that is one too many: the first notification has the number that the slot began with.",
    },
    { answer: 3, says: "that is how many flushes there were. Where did the slot begin?" },
    {
      answer: 4294967295,
      says: "that is the first notification: each flush puts a notifier with another number into " +
        "the slot.",
    },
  ],
  otherwise: "write down the number of each notification, from the first on; think of 2^32.",
});

/** Notifications of a notifier with requests of both kinds. */
export const notified: Exercise<number | bigint | string> = numberExercise({
  id: "03-notified",
  answer: 3,
  right:
    "the kernel notifies of memory that it has kept. An ordinary send has its own copy, and its " +
    "memory is yours when it is sent; the notifier waits for that as well.",
  foreseen: [
    { answer: 5, says: "those are the `requests`. Do all of them have a second completion?" },
    { answer: 1, says: "flush() speaks once; `notified` counts what the kernel posted before." },
    { answer: 8, says: "that is every completion there is; which of them are notifications?" },
    { answer: 2, says: "those are the ordinary sends: does the kernel keep their memory?" },
  ],
  otherwise: "think of which of the five requests post a notification, as in notebook 02; or try.",
});

/** Why a wrong program seems right. */
export const noTrace: Exercise<string> = choiceExercise({
  id: "03-no-trace",
  answer: "they were copied before the write",
  right: "a receiver on the same machine makes the kernel copy, here while the request is " +
    "submitted. The same program is wrong on a real network: test it where nothing is copied.",
  wrong: {
    "UDP keeps a copy to send again": "it is TCP that sends again; UDP forgets what it has sent. " +
      "What did notebook 02 say of a receiver on the same machine?",
    "the write waits for the kernel":
      "`unsafeBytes` is plain memory: nothing waits. In the TCP experiment the same line changed " +
      "what arrived.",
    "a datagram cannot be changed":
      "until it has left, it is a reference to your pages, as with TCP. What happens on the way to " +
      "a receiver on the same machine?",
  },
});

/** Sends pieces through two slices. */
export type SendInHalves = (
  ring: Ring,
  socket: Socket,
  halves: readonly [Slice, Slice],
  pieces: readonly Uint8Array[],
) => Promise<unknown>;

const HALF = 64 * 1024;
const PIECES = 6;
/** How long the receiver waits until both halves are out, in milliseconds. */
const PATIENCE = 500;

/** Filling one buffer while the other one is out. */
export const twoHalves: Exercise<SendInHalves> = exercise<SendInHalves>({
  id: "03-two-halves",
  async check(answer): Promise<Judgement> {
    if (typeof answer !== "function") {
      return wrong("a function is wanted: async (ring, socket, halves, pieces) => { ... }");
    }
    await using bed = await Testbed.pair();
    using sentFrom = Area.map({ bytes: 2 * HALF });
    using receivedInto = Area.map({ bytes: HALF });
    // A ring for each side: the learner's may be left in any state.
    using sending = Ring.open();
    using receiving = Ring.open();
    using listener = Socket.tcp(bed.far).setOption("SO_RCVBUF", 8192)
      .bind(bed.far.address(9000)).listen();
    using client = Socket.tcp(bed.near).connectBlocking(bed.far.address(9000))
      .setOption("SO_SNDBUF", 1 << 20);
    using server = await receiving.accept(listener);
    const halves = sentFrom.chunks(HALF) as [Slice, Slice];
    const pieces = Array.from(
      { length: PIECES },
      (_, index) => new Uint8Array(HALF).fill(index + 1),
    );

    const arriving = receive(receiving, server, receivedInto.slice(), sentFrom);
    let isFree: boolean;
    try {
      await answer(sending, client, halves, pieces);
      isFree = sentFrom.inFlight === 0;
    } finally {
      client.shutdown("write");
      await arriving;
    }
    return judge(await arriving, isFree);
  },
});

/** What the receiver saw. */
interface Arrived {
  /** Bytes in all. */
  readonly bytes: number;
  /** Bytes that are not of the piece that belongs in their place. */
  readonly changed: number;
  /** The first place where one is, or -1. */
  readonly firstChanged: number;
  /** Slices that were out at the same time, at most. */
  readonly out: number;
}

/** Reads nothing until both halves are out or have had time to be; then everything. */
async function receive(ring: Ring, socket: Socket, into: Slice, from: Area): Promise<Arrived> {
  const started = performance.now();
  let [bytes, changed, firstChanged, out] = [0, 0, -1, 0];
  while (out < 2 && performance.now() - started < PATIENCE) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    out = Math.max(out, from.inFlight);
  }
  while (true) {
    const length = await ring.recv(socket, into);
    if (length === 0) return { bytes, changed, firstChanged, out };
    for (const byte of into.bytes.subarray(0, length)) {
      if (byte !== Math.floor(bytes / HALF) + 1) {
        if (changed++ === 0) firstChanged = bytes;
      }
      bytes++;
    }
  }
}

function judge({ bytes, changed, firstChanged, out }: Arrived, isFree: boolean): Judgement {
  if (bytes !== PIECES * HALF) {
    return wrong(
      `${bytes} bytes arrived, and ${PIECES} pieces have ${
        PIECES * HALF
      }. Is every piece sent, and ` +
        "once?",
    );
  }
  if (changed > 0) {
    return wrong(
      `${changed} bytes that arrived belong to another piece, the first of them at ${firstChanged}: ` +
        "a half was filled before the kernel had released it.",
    );
  }
  if (!isFree) {
    return wrong(
      "everything arrived as it should, but your function was done while the kernel still had " +
        "memory: what does it wait for at the end?",
    );
  }
  if (out < 2) {
    return wrong(
      "everything arrived as it should, but never more than one half was out: the second half waits " +
        "for the first one, although they are different memory. Wait later.",
    );
  }
  return right("every piece arrived whole, and both halves were out at the same time.");
}
