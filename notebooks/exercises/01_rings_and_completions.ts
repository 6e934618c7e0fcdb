/**
 * The exercises of notebook 01.
 *
 * @module
 */
import { type Batch, Ring } from "zclab";
import {
  choiceExercise,
  type Exercise,
  exercise,
  type Judgement,
  numberExercise,
  right,
  wrong,
} from "zclab/notebook";

/** System calls for a hundred requests in batches of 32. */
export const systemCalls: Exercise<number | bigint | string> = numberExercise({
  id: "01-system-calls",
  answer: 4,
  right: "three full batches of 32 make 96, and one more call takes the last 4.",
  foreseen: [
    {
      answer: 100,
      says: "that is one call for each request, as with send(2). A batch shares one.",
    },
    { answer: 3, says: "three calls take 96 requests. What about the other 4?" },
    { answer: 1, says: "one call would do if all 100 fitted: the batches have 32." },
    { answer: 3.125, says: "that is 100 / 32; a call is made or not made." },
  ],
  otherwise: "count how many batches of at most 32 it takes to hand in 100 requests.",
});

/** In which order completions come. */
export const order: Exercise<string> = choiceExercise({
  id: "01-order",
  answer: "as they finish",
  right:
    "the kernel posts each completion when its request has finished; user data says whose it is.",
  wrong: {
    "as they were submitted":
      "look at the cell with the timer: it was submitted first. Which completion came first?",
    "by user data":
      "the kernel does not look at user data; it only hands it back. Which request finished first?",
    "as they were prepared":
      "preparing only writes into memory: the kernel does not see when. Look at the cell again.",
  },
});

/** What the result of a failed request is. */
export const failure: Exercise<number | bigint | string> = numberExercise({
  id: "01-failure",
  answer: -9,
  right: "EBADF is 9, and a completion carries errors as negative numbers: nothing is thrown.",
  foreseen: [
    { answer: 9, says: "9 bytes were read, that would mean. How does a completion mark an error?" },
    {
      answer: -1,
      says: "-1 with errno aside is how read(2) of the C library says it. A completion " +
        "has no errno beside it: the number itself must tell.",
    },
    { answer: 0, says: "0 would mean the end of the file, which is no error." },
  ],
  otherwise: "take the number of EBADF from errno(3), and think of the sign.",
});

/** How many timers the learner's function is given. */
const TIMERS = 5;

/** Waits for timers on a ring. */
export const waitForAll: Exercise<(ring: Ring, count: number) => readonly number[]> = exercise({
  id: "01-wait-for-all",
  check(answer): Judgement {
    if (typeof answer !== "function") return wrong("a function is wanted: (ring, count) => ...");
    // Closing cancels what the function left behind.
    using ring = Ring.open({ entries: 8 });
    let timers = 0;
    const { timeout } = ring.batch;
    ring.batch.timeout = (...given): Batch => {
      timers++;
      return timeout.apply(ring.batch, given);
    };
    const started = performance.now();
    const got: unknown = answer(ring, TIMERS);
    const milliseconds = performance.now() - started;
    const { prepared, inFlight } = ring.batch;
    if (prepared > 0) {
      return wrong(
        `${prepared} requests are prepared and were never submitted: they are only bytes in memory ` +
          "until the kernel is told.",
      );
    }
    if (!Array.isArray(got)) return wrong("an array with the user data of the timers is wanted.");
    const said = `your function returned [${got.join(", ")}]`;
    if (inFlight > 0) {
      return wrong(
        `${said}, and ${inFlight} of ${TIMERS} timers are still running. Wait for all of them before ` +
          "you reap: which method of `ring.batch` submits and waits?",
      );
    }
    if (got.length === 0) {
      return wrong(`${said}: the completions were there, but nobody took them. See \`reap\`.`);
    }
    if (got.every((value) => value === -62)) {
      return wrong(
        `${said}: that is the result of each timer, -ETIME. \`reap\` gives the user data first.`,
      );
    }
    const expected = Array.from({ length: TIMERS }, (_, index) => index);
    if ([...got].sort((left, right) => left - right).join() !== expected.join()) {
      return wrong(`${said}; the user data of ${TIMERS} timers is ${expected.join(", ")}.`);
    }
    if (timers === 0 || milliseconds < 4) {
      return wrong(`${said}, but timers of 5 ms never ran.`);
    }
    return right(
      `${said}: all timers went in with one system call, and all completions came back.`,
    );
  },
});
