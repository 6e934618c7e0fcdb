/**
 * What the solutions of exercises look like: they are kept out of the notebooks' sight.
 *
 * @module
 */
import type { Exercise, ExerciseResult } from "zclab/notebook";

/** A wrong answer that learners give, and a part of what is said about it. */
export interface WrongAnswer<Answer> {
  /** The answer. */
  readonly answer: Answer;
  /** Words of the message, which no other answer gets. */
  readonly says: string;
}

/** The solution of an exercise. */
export interface Solution {
  /** The exercise's name. */
  readonly id: string;
  /** Answers that are right, the first one goes into the notebook. */
  readonly right: readonly unknown[];
  /** At least three typical wrong answers. */
  readonly wrong: readonly WrongAnswer<unknown>[];
  /** Judges an answer. */
  readonly check: (answer: unknown) => Promise<ExerciseResult>;
}

/**
 * Declares a solution. A function that is an answer may use its parameters and what its notebook
 * imports from `zclab`, because its text is put into the notebook.
 *
 * @param exercise The exercise.
 * @param right Answers that are right, in several forms where there are some.
 * @param wrong At least three typical wrong answers.
 */
export function solution<Answer>(
  exercise: Exercise<Answer>,
  right: readonly NoInfer<Answer>[],
  wrong: readonly WrongAnswer<NoInfer<Answer>>[],
): Solution {
  return { id: exercise.id, right, wrong, check: (answer) => exercise.check(answer as Answer) };
}

/** An answer as it is typed into a notebook. */
export function sourceOf(answer: unknown): string {
  if (typeof answer === "function") return `(${answer})`;
  if (typeof answer === "bigint") return `${answer}n`;
  return JSON.stringify(answer);
}
