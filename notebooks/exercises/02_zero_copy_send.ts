/**
 * The exercises of notebook 02.
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

/** Completions of ten zero-copy sends. */
export const completions: Exercise<number | bigint | string> = numberExercise({
  id: "02-completions",
  answer: 20,
  right: "ten results and ten notifications. A completion queue must have room for both.",
  foreseen: [
    { answer: 10, says: "those are the results. What else does each request post?" },
    {
      answer: 11,
      says: "one notification for all of them was the idea of 2022; each request of " +
        "today's kernels posts its own.",
    },
    { answer: 2, says: "that is one request. There are ten." },
  ],
  otherwise: "count the completions of the one send above, and take ten times as many.",
});

/** How to know that a notification follows. */
export const more: Exercise<string> = choiceExercise({
  id: "02-more",
  answer: "from the MORE flag",
  right: "the flag is set if and only if a notification follows, whatever the result is.",
  wrong: {
    "from the result":
      "a send can fail and still post a notification, and it can fail and post none: the result " +
      "alone does not tell.",
    "from the user data":
      "that is your own number, handed back as it was. The kernel adds nothing.",
    "it always follows":
      "a program that thinks so waits for ever when a request fails early. The " +
      "first completion says which case it is. Where?",
  },
});

/** Requests that are copied on their way to a receiver on the same machine. */
export const copied: Exercise<number | bigint | string> = numberExercise({
  id: "02-copied",
  answer: 16,
  right:
    "what a local receiver gets could wait in its queue for ever, holding the sender's pages. " +
    "So the kernel copies on loopback, always (`skb_orphan_frags_rx`).",
  foreseen: [
    {
      answer: 0,
      says: "that is the sink, which nobody reads from. Try it with a bound receiver: the " +
        "notifier's `copied` is what counts.",
    },
    { answer: 1, says: "that is one request; each of the 16 is copied or not, and says so." },
    {
      answer: 32,
      says: "32 completions, yes; but only the notification says whether it was copied.",
    },
    {
      answer: 8,
      says: "is one end reading half of them? Look at the notifier's `copied`, not at what " +
        "the receiver has read.",
    },
  ],
  otherwise: "send 16 datagrams with a `Notifier`, and look at `copied` in what `flush()` returns.",
});

/** Sends a slice, fills it anew, and sends it again. */
export type SendTwice = (
  ring: Ring,
  socket: Socket,
  slice: Slice,
  next: Uint8Array,
) => Promise<unknown>;

/** Bytes of each of the two messages: more than the receiver's buffer takes. */
const LENGTH = 128 * 1024;

/** Using a buffer twice. */
export const reuse: Exercise<SendTwice> = exercise<SendTwice>({
  id: "02-reuse",
  async check(answer): Promise<Judgement> {
    if (typeof answer !== "function") {
      return wrong("a function is wanted: async (ring, socket, slice, next) => { ... }");
    }
    await using bed = await Testbed.pair();
    using area = Area.map({ bytes: 2 * LENGTH });
    // A ring for each side: the learner's may be left in any state.
    using sending = Ring.open();
    using receiving = Ring.open();
    using listener = Socket.tcp(bed.far).setOption("SO_RCVBUF", 8192)
      .bind(bed.far.address(9000)).listen();
    using client = Socket.tcp(bed.near).connectBlocking(bed.far.address(9000))
      .setOption("SO_SNDBUF", 1 << 20);
    using server = await receiving.accept(listener);
    const [slice, incoming] = area.chunks(LENGTH) as [Slice, Slice];
    slice.write(new Uint8Array(LENGTH).fill(1));

    const received = receiveSlowly(receiving, server, incoming);
    let state: string;
    try {
      await answer(sending, client, slice, new Uint8Array(LENGTH).fill(2));
      state = slice.state;
    } finally {
      client.shutdown("write");
      await received;
    }
    return judgeReceived(await received, state);
  },
});

/** Everything that arrives until the other side is done, after a pause. */
async function receiveSlowly(ring: Ring, socket: Socket, slice: Slice): Promise<number[]> {
  await new Promise((resolve) => setTimeout(resolve, 30));
  const counts = [0, 0, 0];
  let place = 0;
  while (true) {
    const length = await ring.recv(socket, slice);
    if (length === 0) return [...counts, place];
    for (const byte of slice.bytes.subarray(0, length)) {
      // What belongs to the first message and is not of it.
      if (place++ < LENGTH && byte !== 1) counts[0]!++;
      counts[byte === 1 ? 1 : 2]!++;
    }
  }
}

function judgeReceived(
  [early = 0, first = 0, second = 0, all = 0]: readonly number[],
  state: string,
): Judgement {
  if (early > 0) {
    return wrong(
      `${early} of the first ${LENGTH} bytes that arrived are of the second message: the slice was ` +
        "changed while the kernel was still sending it.",
    );
  }
  if (all < 2 * LENGTH) {
    return wrong(`${all} bytes arrived, and two messages have ${2 * LENGTH}. Were both sent?`);
  }
  if (second !== LENGTH) {
    return wrong(
      `both messages arrived, and ${first} bytes are the first one's: the second message is the ` +
        "first one again. Fill the slice with `next` in between.",
    );
  }
  if (state !== "free") {
    return wrong(
      "both messages arrived as they should, but your function was done while the kernel still had " +
        "the slice: whoever uses it next runs into that.",
    );
  }
  return right("both messages arrived whole, and the slice is free again.");
}
