/**
 * Notebooks: what they show, what they ask before they show it, and how they judge an answer.
 *
 * @example A question and its judgement
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { numberExercise } from "zclab/notebook";
 *
 * const bits = numberExercise({
 *   id: "00-bits",
 *   answer: 32,
 *   right: "a file descriptor in an sqe has 32 bits.",
 *   foreseen: [{ answer: 4, says: "those are bytes." }],
 *   otherwise: "count the bits of an int.",
 * });
 * assertEquals((await bits.check("32 bits")).status, "right");
 * ```
 *
 * @module
 */

// What a notebook shows.
export { show } from "./labs/kit/notebook/show.ts";
export { NotebookRun, recordedRun, runOrRecorded } from "./labs/kit/notebook/recorded_run.ts";

// What runs in the guest, and is shown here.
export { type GuestChoice, GuestRunError, inGuest } from "./labs/kit/notebook/in_guest.ts";

// What it asks, and how answers are judged.
export {
  choiceExercise,
  Exercise,
  exercise,
  ExerciseResult,
  numberExercise,
  right,
  wrong,
} from "./labs/kit/notebook/exercise.ts";
export { Prediction, prediction, PredictionResult } from "./labs/kit/notebook/prediction.ts";

// The types of what these take and return.
export type {
  ChoiceExerciseOptions,
  ExerciseOptions,
  ExerciseStatus,
  Foreseen,
  Judgement,
  NumberExerciseOptions,
} from "./labs/kit/notebook/exercise.ts";
export type { MeasuredQuantity, PredictionOptions } from "./labs/kit/notebook/prediction.ts";
