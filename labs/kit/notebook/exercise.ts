/**
 * Exercises that check themselves.
 *
 * A check never throws for a wrong answer: a notebook runs from top to bottom whatever its reader has
 * filled in, and says beside each answer what it thinks of it.
 *
 * @module
 */
import { htmlOf } from "./text_as_html.ts";

/** What an {@linkcode Exercise} says about an answer. */
export type ExerciseStatus = "right" | "wrong" | "unanswered";

/** What a check decides. Make one with {@linkcode right} or {@linkcode wrong}. */
export interface Judgement {
  /** Whether the answer is accepted. */
  readonly status: "right" | "wrong";
  /** Why, in words that help. */
  readonly message: string;
}

/** How to make an {@linkcode Exercise}. */
export interface ExerciseOptions<Answer> {
  /** The exercise's name, such as `01-more-flag`; its cell in the notebook is tagged with it. */
  readonly id: string;
  /**
   * Judges an answer. What it throws makes the answer wrong, with the error as the message: that is
   * how a learner's function fails.
   */
  readonly check: (answer: Answer) => Judgement | Promise<Judgement>;
  /**
   * How long a check may take, in seconds: a learner's function may wait for what never comes.
   *
   * @default {10}
   */
  readonly seconds?: number;
}

/** An answer that a question with a number or with choices foresees. */
export interface Foreseen<Value> {
  /** The wrong answer. */
  readonly answer: Value;
  /** What to say about it. */
  readonly says: string;
}

/** How to make an exercise whose answer is a number. */
export interface NumberExerciseOptions {
  /** The exercise's name; see {@linkcode ExerciseOptions.id}. */
  readonly id: string;
  /** The right answer. */
  readonly answer: number;
  /**
   * How far from it an answer may be.
   *
   * @default {0}
   */
  readonly tolerance?: number;
  /** What is said about the right answer. */
  readonly right: string;
  /** Wrong answers that learners give, and what is said about each; the same tolerance applies. */
  readonly foreseen: readonly Foreseen<number>[];
  /** What is said about every other answer. */
  readonly otherwise: string;
}

/** How to make an exercise whose answer is one of several words. */
export interface ChoiceExerciseOptions<Choice extends string> {
  /** The exercise's name; see {@linkcode ExerciseOptions.id}. */
  readonly id: string;
  /** The right answer. */
  readonly answer: Choice;
  /** What is said about the right answer. */
  readonly right: string;
  /** Every other choice, and what is said about it. */
  readonly wrong: Readonly<Record<string, string>>;
}

const DISPLAY = Symbol.for("Jupyter.display");
const INSPECT = Symbol.for("Deno.customInspect");

const SIGNS: Readonly<Record<ExerciseStatus, string>> = {
  right: "✔ Right",
  wrong: "✘ Not yet right",
  unanswered: "… Not answered yet",
};

/** What an {@linkcode Exercise} says about an answer; shown with a sign and in words. */
export class ExerciseResult {
  /** The exercise's name. */
  readonly id: string;
  /** Whether the answer is accepted; an answer of undefined is none. */
  readonly status: ExerciseStatus;
  /** Why, or what to do. */
  readonly message: string;

  /** Made by {@linkcode Exercise.check}. @internal */
  constructor(id: string, status: ExerciseStatus, message: string) {
    this.id = id;
    this.status = status;
    this.message = message;
  }

  /** The sign and the message, for the REPL. */
  [INSPECT](): string {
    return `${SIGNS[this.status]}: ${this.message}`;
  }

  /** The sign and the message, for a notebook. */
  [DISPLAY](): Record<string, string> {
    return {
      "text/plain": this[INSPECT](),
      "text/html": `<p><strong>${SIGNS[this.status]}</strong>: ${htmlOf(this.message)}</p>`,
    };
  }
}

/** A question that judges its answers. */
export class Exercise<Answer = unknown> {
  /** The exercise's name, such as `01-more-flag`. */
  readonly id: string;
  readonly #options: ExerciseOptions<Answer>;

  /** Made by {@linkcode exercise}. @internal */
  constructor(options: ExerciseOptions<Answer>) {
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(options.id)) {
      throw new RangeError(
        `exercise: an id has small letters, digits and hyphens, got ${options.id}`,
      );
    }
    this.id = options.id;
    this.#options = options;
  }

  /**
   * Judges an answer. Does not throw, whatever the answer is.
   *
   * @param answer The answer, or undefined if there is none yet.
   * @returns Whether it is right, and why.
   */
  async check(answer: Answer | undefined): Promise<ExerciseResult> {
    if (answer === undefined) {
      return this.#result(
        "unanswered",
        "put your answer in the place of undefined, and run again.",
      );
    }
    const { check, seconds = 10 } = this.#options;
    const { promise: late, resolve } = Promise.withResolvers<Judgement>();
    const timer = setTimeout(() =>
      resolve(wrong(
        `there was no result after ${seconds} s. Does something wait for what never comes, such as ` +
          "a completion that was already reaped, or a request that was never submitted?",
      )), seconds * 1000);
    try {
      const { status, message } = await Promise.race([judge(check, answer), late]);
      return this.#result(status, message);
    } finally {
      clearTimeout(timer);
    }
  }

  #result(status: ExerciseStatus, message: string): ExerciseResult {
    return new ExerciseResult(this.id, status, message);
  }

  /** One line for the REPL. */
  [INSPECT](): string {
    return `Exercise { id: "${this.id}" }`;
  }
}

async function judge<Answer>(
  check: (answer: Answer) => Judgement | Promise<Judgement>,
  answer: Answer,
): Promise<Judgement> {
  try {
    return await check(answer);
  } catch (error) {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : Deno.inspect(error);
    return wrong(`checking it ended with an error: ${text}`);
  }
}

/**
 * Accepts an answer.
 *
 * @param message What the learner should take away.
 */
export function right(message: string): Judgement {
  return { status: "right", message };
}

/**
 * Rejects an answer.
 *
 * @param message What helps to find the right one, without telling it.
 */
export function wrong(message: string): Judgement {
  return { status: "wrong", message };
}

/**
 * Makes an exercise with a check of its own, such as one that runs the learner's function.
 *
 * @param options Its name and its check.
 *
 * @example
 * ```ts
 * import { exercise, right, wrong } from "zclab/notebook";
 * import { assertEquals } from "@std/assert";
 *
 * const double = exercise<(value: number) => number>({
 *   id: "00-double",
 *   check(answer) {
 *     if (answer(3) === 6) return right("twice 3 is 6.");
 *     return wrong(`for 3 your function returns ${answer(3)}.`);
 *   },
 * });
 * assertEquals((await double.check(undefined)).status, "unanswered");
 * assertEquals((await double.check((value) => value * 2)).status, "right");
 * assertEquals((await double.check((value) => value ** 2)).message, "for 3 your function returns 9.");
 * ```
 */
export function exercise<Answer>(options: ExerciseOptions<Answer>): Exercise<Answer> {
  return new Exercise(options);
}

/**
 * Makes an exercise whose answer is a number. It also takes the number as text, with a unit behind
 * it or without, as a bigint, and as a sum written out.
 *
 * @param options Its name, the right answer, and what is said about wrong ones.
 *
 * @example
 * ```ts
 * import { numberExercise } from "zclab/notebook";
 * import { assertEquals } from "@std/assert";
 *
 * const bits = numberExercise({
 *   id: "00-bits",
 *   answer: 32,
 *   right: "a file descriptor of a sqe has 32 bits.",
 *   foreseen: [{ answer: 4, says: "those are bytes." }],
 *   otherwise: "count the bits of an int.",
 * });
 * assertEquals((await bits.check("32 bits")).status, "right");
 * assertEquals((await bits.check(4)).message, "those are bytes.");
 * ```
 */
export function numberExercise(options: NumberExerciseOptions): Exercise<number | bigint | string> {
  const { id, answer: wanted, tolerance = 0, foreseen, otherwise } = options;
  return exercise<number | bigint | string>({
    id,
    check(answer): Judgement {
      const value = numberFrom(answer);
      if (value === undefined) {
        return wrong(`a number is wanted here, such as 1 or 2.5; this is ${Deno.inspect(answer)}.`);
      }
      const isNear = (other: number): boolean => Math.abs(value - other) <= tolerance;
      if (isNear(wanted)) return right(options.right);
      return wrong(foreseen.find(({ answer }) => isNear(answer))?.says ?? otherwise);
    },
  });
}

/**
 * Makes an exercise whose answer is one of several words. Case, spaces, hyphens and underscores do
 * not matter.
 *
 * @param options Its name, the right word, and what is said about each of the others.
 *
 * @example
 * ```ts
 * import { choiceExercise } from "zclab/notebook";
 * import { assertEquals } from "@std/assert";
 *
 * const who = choiceExercise({
 *   id: "00-who",
 *   answer: "the kernel",
 *   right: "it posts completions.",
 *   wrong: { "the program": "the program takes completions, it does not post them." },
 * });
 * assertEquals((await who.check("The-Kernel")).status, "right");
 * assertEquals((await who.check("nobody")).message, 'choose one of "the kernel", "the program".');
 * ```
 */
export function choiceExercise<const Choice extends string>(
  options: ChoiceExerciseOptions<Choice>,
): Exercise<string> {
  const { id, answer: wanted } = options;
  const says = new Map(Object.entries(options.wrong).map(([word, text]) => [plain(word), text]));
  const choices = [wanted, ...Object.keys(options.wrong)].sort();
  return exercise<string>({
    id,
    check(answer): Judgement {
      const word = plain(String(answer));
      if (word === plain(wanted)) return right(options.right);
      return wrong(
        says.get(word) ??
          `choose one of ${choices.map((choice) => JSON.stringify(choice)).join(", ")}.`,
      );
    },
  });
}

function plain(word: string): string {
  return word.toLowerCase().replace(/[\s_-]+/g, "");
}

/**
 * The number that an answer means: a number, a bigint, or text that starts with one, such as `20 %`.
 *
 * @param answer The answer.
 * @returns The number, or undefined if it is none.
 *
 * @example
 * ```ts
 * import { numberFrom } from "./exercise.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([20, 20n, "20 %", "0x14", "20,5"].map(numberFrom), [20, 20, 20, 20, 20.5]);
 * assertEquals(numberFrom("many"), undefined);
 * ```
 */
export function numberFrom(answer: unknown): number | undefined {
  if (typeof answer === "bigint") return Number(answer);
  if (typeof answer === "number") return Number.isFinite(answer) ? answer : undefined;
  if (typeof answer !== "string") return undefined;
  const hexadecimal = /^\s*0x[0-9a-f]+\s*$/i.exec(answer)?.[0];
  if (hexadecimal !== undefined) return Number(hexadecimal);
  const [, digits] = /^\s*([+−-]?\d+(?:[.,]\d+)?(?:e[+-]?\d+)?)\s*[^\d]*$/i.exec(answer) ?? [];
  return digits === undefined ? undefined : Number(digits.replace("−", "-").replace(",", "."));
}
