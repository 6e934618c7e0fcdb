/**
 * The exercises of notebook 07.
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

/** How many times as long B takes as A, from what each took in each round. */
export type CompareInPairs = (b: readonly number[], a: readonly number[]) => number;

/** What A took in five rounds, of which one was far slower than the others. */
const A = [100, 104, 400, 98, 102];
/** What B took, near 1.2 times as long in each of them. */
const B = [119, 126, 482, 117, 123];
/** What may be called the middle of the ratios of the rounds. */
const [LEAST, MOST] = [1.19, 1.215];

/** Comparing in pairs. */
export const pairs: Exercise<CompareInPairs> = exercise<CompareInPairs>({
  id: "07-pairs",
  check(answer): Judgement {
    if (typeof answer !== "function") return wrong("a function is wanted: (b, a) => ...");
    const compare = (b: readonly number[], a: readonly number[]): number => {
      const value: unknown = answer([...b], [...a]);
      return typeof value === "number" ? value : NaN;
    };
    const ratio = compare(B, A);
    if (!Number.isFinite(ratio)) {
      return wrong(
        "it returns no number. One ratio is wanted, such as 1.5 for half as long again.",
      );
    }
    const isNear = (one: number, other: number): boolean => Math.abs(one / other - 1) < 1e-6;
    const said = `for [${B}] and [${A}] it returns ${Number(ratio.toFixed(3))}`;
    const turned = (list: readonly number[]): number[] => [...list.slice(1), list[0]!];
    if (!isNear(compare(turned(B), turned(A)), ratio)) {
      return wrong(`${said}, and something else when the rounds come in another order.`);
    }
    // Rounds in which the machine is slower or faster by something of their own, for both.
    const weather = [1, 10, 0.1, 3, 0.5];
    const under = (list: readonly number[]): number[] =>
      list.map((value, round) => value * weather[round]!);
    const other = compare(under(B), under(A));
    if (!isNear(other, ratio)) {
      return wrong(
        `${said}. When each round is slower or faster by a factor of its own, the same for both, it ` +
          `returns ${
            Number(other.toFixed(3))
          }: what the rounds have in common counts. Compare within ` +
          "each round first, and only then take the rounds together.",
      );
    }
    if (isNear(ratio, 1 / 1.2) || (1 / MOST <= ratio && ratio <= 1 / LEAST)) {
      return wrong(`${said}: that is A against B.`);
    }
    if (!isNear(compare(A, B) * ratio, 1)) {
      return wrong(
        `${said}, and with the two exchanged ${
          Number(compare(A, B).toFixed(6))
        }: that is not the ` +
          "inverse. Which mean of 2 and 1/2 is 1?",
      );
    }
    if (ratio < LEAST || ratio > MOST) {
      return wrong(`${said}; in every one of these rounds B takes about 1.2 times as long.`);
    }
    return right(
      `${said}. Within the rounds first, then all rounds together: that is what \`compare\` does, with ` +
        "the geometric mean, and with an interval.",
    );
  },
});

/** Rounds for an interval of a quarter of the width. */
export const rounds: Exercise<number | bigint | string> = numberExercise({
  id: "07-rounds",
  answer: 160,
  tolerance: 2,
  right:
    "a quarter of the width costs sixteen times the rounds. That is why quiet machines are worth " +
    "more than patience, and why pairs are: they take noise away instead of averaging it.",
  foreseen: [
    {
      answer: 40,
      says:
        "four times the rounds halve the interval: the root of 4 is 2. You want a quarter of it.",
    },
    { answer: 16, says: "that is a factor. How many rounds did the 4 % take?" },
    {
      answer: 20,
      says: "twice the rounds make it narrower by the root of 2: 2.8 % are left of the 4.",
    },
    { answer: 10, says: "with as many rounds as before, it stays as wide as before." },
    {
      answer: 90,
      says: "that is nine times as many rounds: the root of 9 is 3, and you need another factor.",
    },
  ],
  otherwise: "by which factor shall it be narrower? And which number has that factor as its root?",
});

/** What to do with an outlier. */
export const outlier: Exercise<string> = choiceExercise({
  id: "07-outlier",
  answer: "keep it and mark it",
  right:
    "the reader sees it, and sees what you make of it. If the middle of the nine hangs on it, nine are " +
    "too few.",
  wrong: {
    "drop it":
      "on what grounds? That it does not fit is what you would like it to tell. Perhaps your code " +
      "is slow in one of nine cases.",
    "repeat until it is gone":
      "then the rule by which you stop is: as soon as I like the result. Whoever repeats that with " +
      "your rule gets your result, whatever the truth is.",
    "report the best trial":
      "the best of nine says what happens when everything goes well. Who uses your code has all nine.",
  },
});

/** The chance of at least one false discovery among twenty. */
export const chance: Exercise<number | bigint | string> = numberExercise({
  id: "07-chance",
  answer: 64.15,
  tolerance: 1,
  right:
    "it is more likely than not that a table of twenty equal rows has something to report. In the " +
    "model above it is not quite that, since its twenty comparisons share one baseline.",
  foreseen: [
    { answer: 5, says: "that is the chance of one comparison. There are twenty tries." },
    {
      answer: 100,
      says: "20 times 5 % is what one expects on average: one. That is not yet certain.",
    },
    {
      answer: 35.85,
      says: "that is the chance that none of them misses. Asked is the opposite.",
    },
    { answer: 95, says: "that is how often one of them holds. How often do all twenty?" },
  ],
  otherwise: "how likely is it that all twenty hold? The rest is the answer.",
});
