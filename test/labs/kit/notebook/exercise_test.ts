import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  choiceExercise,
  Exercise,
  exercise,
  numberExercise,
  prediction,
  right,
  wrong,
} from "zclab/notebook";
import { numberFrom } from "../../../../labs/kit/notebook/exercise.ts";

/** What a notebook shows of a value. */
function displayed(value: object): Record<string, string> {
  const { [Symbol.for("Jupyter.display")]: display } = value as Record<
    symbol,
    () => Record<string, string>
  >;
  return display!.call(value);
}

Deno.test("an answer is unanswered, right or wrong, in words and with a sign", async () => {
  const even = exercise<number>({
    id: "00-even",
    check: (answer) => answer % 2 === 0 ? right("it is `even`.") : wrong("1 < 2 & odd."),
  });
  const results = [await even.check(undefined), await even.check(2), await even.check(3)];
  assertEquals(results.map(({ status }) => status), ["unanswered", "right", "wrong"]);
  assertEquals(results.map((result) => Deno.inspect(result)), [
    "… Not answered yet: put your answer in the place of undefined, and run again.",
    "✔ Right: it is `even`.",
    "✘ Not yet right: 1 < 2 & odd.",
  ]);
  assertEquals(displayed(results[1]!), {
    "text/plain": "✔ Right: it is `even`.",
    "text/html": "<p><strong>✔ Right</strong>: it is <code>even</code>.</p>",
  });
  assertStringIncludes(displayed(results[2]!)["text/html"]!, "1 &lt; 2 &amp; odd.");
});

Deno.test("what a learner's function throws or never returns is wrong, not an error", async () => {
  const runs = exercise<() => unknown>({
    id: "00-runs",
    seconds: 0.05,
    check: async (answer) => (await answer(), right("it ran.")),
  });
  const thrown = await runs.check(() => {
    throw new RangeError("no such slice");
  });
  assertEquals(thrown.status, "wrong");
  assertStringIncludes(thrown.message, "RangeError: no such slice");
  const odd = await runs.check(() => Promise.reject("text"));
  assertStringIncludes(odd.message, "text");
  const late = await runs.check(() => new Promise(() => {}));
  assertEquals(late.status, "wrong");
  assertStringIncludes(late.message, "no result after 0.05 s");
  assertEquals((await runs.check(() => 1)).status, "right");
});

Deno.test("an exercise needs an id that can be a tag", () => {
  assertThrows(() => exercise({ id: "Not good", check: () => right("") }), RangeError, "Not good");
  assertEquals(
    Deno.inspect(exercise({ id: "00-a", check: () => right("") })),
    'Exercise { id: "00-a" }',
  );
  assertEquals(exercise({ id: "00-a", check: () => right("") }) instanceof Exercise, true);
});

Deno.test("a number is taken in every form that means it", async () => {
  assertEquals(
    [-9, "−9", "- 9", "-9 (EBADF)", 9n, "1e3", "0x10", "1,5 ms", " 7 "].map(numberFrom),
    [-9, -9, undefined, -9, 9, 1000, 16, 1.5, 7],
  );
  assertEquals([NaN, Infinity, "", "1 or 2", true, null, {}].map(numberFrom), [
    ...new Array(7).fill(undefined),
  ]);
  const about = numberExercise({
    id: "00-about",
    answer: 100,
    tolerance: 10,
    right: "yes.",
    foreseen: [{ answer: 200, says: "twice that." }],
    otherwise: "no.",
  });
  const messages = await Promise.all(
    [95, 110, "205", 111, "some"].map(async (answer) => (await about.check(answer)).message),
  );
  assertEquals(messages.slice(0, 4), ["yes.", "yes.", "twice that.", "no."]);
  assertStringIncludes(messages[4]!, "a number is wanted");
});

Deno.test("a choice is taken however it is spelt", async () => {
  const flag = choiceExercise({
    id: "00-flag",
    answer: "F_MORE",
    right: "yes.",
    wrong: { "F NOTIF": "that is the second one's." },
  });
  const check = async (answer: string): Promise<string> => (await flag.check(answer)).message;
  assertEquals(await check("f-more"), "yes.");
  assertEquals(await check("f_notif"), "that is the second one's.");
  assertEquals(await check("?"), 'choose one of "F NOTIF", "F_MORE".');
  assertEquals((await flag.check(3 as unknown as string)).status, "wrong");
});

Deno.test("a prediction is kept, and stands beside what was measured", () => {
  const what = "how much faster it is";
  const none = prediction(undefined, { what, unit: "%" });
  assertEquals(Deno.inspect(none), "… Not predicted yet: how much faster it is");
  assertEquals(
    none.beside(-3.21).text,
    "How much faster it is: measured −3.21 %. You wrote no prediction down.",
  );
  const some = prediction(20, { what, unit: "%" });
  assertEquals(some.predicted, 20);
  assertEquals(displayed(some)["text/html"], "<p>You predict 20 %: how much faster it is</p>");
  const verdict = (low: number, high: number): string =>
    some.beside({ value: (low + high) / 2, low, high }).text.split(". ").at(-1)!;
  assertEquals(verdict(24, 31), "Your prediction is below what was measured.");
  assertEquals(verdict(10, 19), "Your prediction is above what was measured.");
  assertEquals(verdict(15, 25), "Your prediction agrees with it.");
  assertThrows(() => prediction(NaN, { what }), RangeError, "a number is wanted");
});
