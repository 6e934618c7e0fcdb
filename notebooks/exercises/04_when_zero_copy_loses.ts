/**
 * The exercises of notebook 04.
 *
 * @module
 */
import {
  choiceExercise,
  type Exercise,
  exercise,
  type Judgement,
  numberExercise,
  right,
  wrong,
} from "zclab/notebook";

/** Where two lines cross. */
export const cross: Exercise<number | bigint | string> = numberExercise({
  id: "04-cross",
  answer: 7500,
  tolerance: 1,
  right: "300 ns more for the request are earned back at 40 ns for each 1000 bytes.",
  foreseen: [
    { answer: 7.5, says: "in which unit is that? The prices are for each 1000 bytes." },
    {
      answer: 6000,
      says: "that would be so if the bytes of a zero-copy send cost nothing. They cost less, not " +
        "nothing.",
    },
    { answer: 30_000, says: "10 ns is what zero copy pays for 1000 bytes; what does it save?" },
    { answer: 5000, says: "10 and 50 were added; what counts is how much less it is." },
  ],
  otherwise: "at the crossover both cost the same: set the two sums equal, with the size unknown.",
});

/** What to change first. */
export const first: Exercise<string> = choiceExercise({
  id: "04-first",
  answer: "send GSO packets",
  right:
    "small datagrams suffer from the price of a request; a GSO packet of many shares one, with one " +
    "notification, and is large enough for zero copy.",
  wrong: {
    "register the memory":
      "that saves looking up pages. How many pages does a datagram of 300 bytes have, and what " +
      "else does a request pay for?",
    "wait for each notification":
      "waiting does not make anything cheaper: it adds to it, and nothing is on its way meanwhile.",
    "use larger pages":
      "fewer pages help where a request has many. How many does a datagram of 300 bytes have?",
  },
});

/** Notifications of GSO packets. */
export const gsoPackets: Exercise<number | bigint | string> = numberExercise({
  id: "04-gso-packets",
  answer: 16,
  right: "15 full GSO packets have 960 datagrams, and the last 40 are a GSO packet of their own.",
  foreseen: [
    { answer: 1000, says: "that would be one for each datagram. What posts a notification?" },
    { answer: 64, says: "that is the length of a GSO packet. How many GSO packets are there?" },
    { answer: 15, says: "those are the full GSO packets. Have all datagrams left?" },
    { answer: 15.625, says: "that is 1000 / 64; a GSO packet is sent or not sent." },
    { answer: 1, says: "one GSO packet has 64 datagrams at most." },
  ],
  otherwise: "each request posts one notification: how many requests take 1000 datagrams?",
});

/** Decides how to send each buffer. */
export type Rule = (
  sizes: readonly number[],
  threshold: number,
  copied: boolean,
) => readonly string[];

/** Batches, and what a rule that errs there hears. */
const BATCHES: readonly {
  readonly sizes: readonly number[];
  readonly threshold: number;
  readonly copied: boolean;
  readonly says: string;
}[] = [
  {
    sizes: [200, 60_000],
    threshold: 8000,
    copied: false,
    says: "one of them lies below the threshold, and one above.",
  },
  {
    sizes: Array.from({ length: 100 }, () => 500),
    threshold: 8000,
    copied: false,
    says:
      "together they are more than the threshold, but each is a request of its own, with its own " +
      "price.",
  },
  {
    sizes: [20_000],
    threshold: 50_000,
    copied: false,
    says: "the threshold belongs to the machine: here it is another one.",
  },
  {
    sizes: [9000, 60_000],
    threshold: 8000,
    copied: true,
    says: "the kernel copies what is sent on this socket: zero copy pays for both there.",
  },
  { sizes: [], threshold: 8000, copied: false, says: "a batch may be empty." },
];

/** A rule for each buffer. */
export const rule: Exercise<Rule> = exercise<Rule>({
  id: "04-rule",
  check(answer): Judgement {
    if (typeof answer !== "function") {
      return wrong("a function is wanted: (sizes, threshold, copied) => ...");
    }
    for (const { sizes, threshold, copied, says } of BATCHES) {
      const said: unknown = answer([...sizes], threshold, copied);
      const some = sizes.length > 2
        ? `${sizes.length} buffers of ${sizes[0]} bytes`
        : `buffers of [${sizes.join(", ")}] bytes`;
      const given = `for ${some}, threshold ${threshold}, copied ${copied}`;
      if (!Array.isArray(said) || said.length !== sizes.length) {
        return wrong(
          `${given}: an array with ${sizes.length} words is wanted, one for each buffer; your ` +
            `function returned ${Deno.inspect(said, { breakLength: 60 })}.`,
        );
      }
      const words = said.map((word) => String(word).toLowerCase().replace(/[\s_-]+/g, " ").trim());
      const other = words.find((word) => word !== "copy" && word !== "zero copy");
      if (other !== undefined) {
        return wrong(`${given}: "copy" and "zero copy" are the words, and not "${other}".`);
      }
      const isRight = words.every((word, index) =>
        (word === "zero copy") === (!copied && sizes[index]! > threshold)
      );
      if (!isRight) {
        const shown = words.length > 2 ? `"${words[0]}" for the first` : words.join(", ");
        return wrong(`${given}, your function says ${shown}: ${says}`);
      }
    }
    return right(
      "each buffer by its own size, by this machine's threshold, and not where it copies.",
    );
  },
});
