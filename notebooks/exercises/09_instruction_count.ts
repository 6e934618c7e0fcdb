/**
 * The exercises of notebook 09.
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

export { memoryComparisons, memoryCosts, memoryTable, savings, savingsTable } from "./09_tables.ts";
export { readViews } from "./recorded_views.ts";

/** Compares two counts. */
export type CompareCounts = (first: number, second: number) => string;

const WORDS = ["identical", "agrees", "differs"] as const;

/** Pairs of counts, and what a function that errs there hears. */
const COUNTS: readonly {
  readonly first: number;
  readonly second: number;
  readonly answer: typeof WORDS[number];
  readonly says: string;
}[] = [
  { first: 6858, second: 6858, answer: "identical", says: "it is the same number." },
  {
    first: 10_000,
    second: 10_040,
    answer: "agrees",
    says: "that is 0.4 % more, which is within 0.5 %.",
  },
  {
    first: 10_000,
    second: 10_060,
    answer: "differs",
    says: "that is 0.6 % more, and so outside of 0.5 %.",
  },
  {
    first: 10_060,
    second: 10_000,
    answer: "differs",
    says: "the second may also be the smaller one.",
  },
  {
    first: 300,
    second: 330,
    answer: "differs",
    says: "30 instructions are few, but here they are 10 %: what counts is the ratio.",
  },
  {
    first: 2_000_000,
    second: 2_000_900,
    answer: "agrees",
    says: "900 instructions are many, but here they are 0.045 %: what counts is the ratio.",
  },
];

/** When two counts are the same result. */
export const twice: Exercise<CompareCounts> = exercise<CompareCounts>({
  id: "09-twice",
  check(answer): Judgement {
    if (typeof answer !== "function") return wrong("a function is wanted: (first, second) => ...");
    for (const { first, second, answer: wanted, says } of COUNTS) {
      const got: unknown = answer(first, second);
      const word = String(got).toLowerCase().trim();
      const given = `for ${first} and ${second}`;
      if (!WORDS.some((one) => one === word)) {
        return wrong(
          `${given}: one of ${WORDS.map((one) => `"${one}"`).join(", ")} is wanted, and not ` +
            `${Deno.inspect(got)}.`,
        );
      }
      if (word !== wanted) return wrong(`${given} your function says "${word}": ${says}`);
    }
    return right("no interval and no statistics: two numbers, and how far apart they are.");
  },
});

/** Which clock sees a small change. */
export const small: Exercise<string> = choiceExercise({
  id: "09-small",
  answer: "only the count",
  right:
    "the change is 1 %. It disappears in an interval of ±4 %, and is twice as much as the 0.5 % within " +
    "which counts agree. This project watches its own speed in that way.",
  wrong: {
    "only the time": "how much is 60 of 6000, in percent? Compare that with ±4 %, and with 0.5 %.",
    "both": 'a change of 1 % lies well within ±4 %: such a run says "no difference seen".',
    "neither": "a change of 1 % is lost in ±4 %, that is right. Is it lost in 0.5 %, too?",
  },
});

/** What the clock says of a change that only caches see. */
export const layout: Exercise<string> = choiceExercise({
  id: "09-layout",
  answer: "no change",
  right:
    "the same loads are executed, so the count is the same. How many cache lines they touch is what " +
    "the change is about, and that costs time, not instructions.",
  wrong: {
    "fewer instructions":
      "the same fields are loaded by the same instructions. Only their addresses are others.",
    "more instructions":
      "moving the fields of a structure adds no load. What is different about the loads?",
    "it cannot count that":
      "it counts: every load is an instruction. Are there more of them, fewer, or as many as before?",
  },
});

/** How much zero copy saves of the time from cold memory. */
export const cold: Exercise<number | bigint | string> = numberExercise({
  id: "09-cold",
  answer: 75,
  tolerance: 0.5,
  right:
    "three quarters. From a cache it is half, and in instructions it is 60 %. Three numbers for one " +
    "question: so say which memory, and which clock.",
  foreseen: [
    { answer: 50, says: "that is the saving when the payload is in a cache." },
    {
      answer: 60,
      says:
        "that is the saving in instructions. The program waits for main memory, and waiting is none.",
    },
    { answer: 25, says: "that is what is left. How much is saved?" },
    { answer: 9, says: "those are microseconds. How many percent of 12 are they?" },
    {
      answer: 300,
      says: "the copying send takes 300 % more than the other. How much is saved of it?",
    },
  ],
  otherwise: "take the two times from main memory: what is saved, divided by what it was.",
});

/** How much of the saving is clearing. */
export const clearing: Exercise<number | bigint | string> = numberExercise({
  id: "09-clearing",
  answer: 60,
  tolerance: 0.5,
  right:
    "of 5000 instructions that were saved, 2000 are left when nothing is cleared: 3000 of 5000 were the " +
    "clearing.",
  foreseen: [
    {
      answer: 40,
      says: "that is the part that remains, which is the copy and what belongs to it.",
    },
    {
      answer: 30,
      says: "3000 is the clearing, but as a part of the 5000 that are saved, not of 10 000.",
    },
    { answer: 50, says: "that is what zero copy saves where memory is cleared." },
    {
      answer: 3000,
      says: "those are the instructions. Which part of the saving are they, in percent?",
    },
  ],
  otherwise: "compute the saving with clearing and the saving without; what has disappeared?",
});
