/**
 * The exercises of notebook 05.
 *
 * @module
 */
import type { NotificationFields } from "zclab";
import {
  choiceExercise,
  type Exercise,
  exercise,
  type Judgement,
  right,
  wrong,
} from "zclab/notebook";

/** What shows that nothing is copied. */
export const evidence: Exercise<string> = choiceExercise({
  id: "05-evidence",
  answer: "copied is 0 and full over loopback",
  right: "the count is 0 here, and it is known to see a copy where there must be one.",
  wrong: {
    "it is faster than with send":
      "it may be faster for another reason, such as larger batches, and zero copy can be slower.",
    "no send failed": "where zero copy is not possible the kernel copies, without an error.",
    "copied is 0":
      "what would a kernel say that does not report at all? Something else is needed " +
      "to know that the witness is not blind.",
  },
});

const BIT = -2147483648;

/** Results of notifications, whether they say "copied", and what a function that errs there hears. */
const RESULTS: readonly (readonly [result: number, copied: boolean, says: string])[] = [
  [0, false, "that is a send that was not copied."],
  [
    BIT,
    true,
    "that is bit 31 alone, the send that was copied. In JavaScript a number with bit 31 is negative " +
    "after any bit operation.",
  ],
  [
    BIT + 1,
    true,
    "that is bit 31 and another one. The others are reserved: a later kernel may set them.",
  ],
  [4, false, "bit 31 is not set in it. The other bits are reserved: what they say is not known."],
  [0x7fffffff, false, "that is every bit but 31."],
  [-1, true, "that is every bit, with 31 among them; it is not an errno."],
];

/** Reading the report out of a notification. */
export const bit: Exercise<(result: number) => unknown> = exercise<(result: number) => unknown>({
  id: "05-bit",
  check(answer): Judgement {
    if (typeof answer !== "function") return wrong("a function is wanted: (result) => ...");
    for (const [result, copied, says] of RESULTS) {
      const said = Boolean(answer(result));
      if (said !== copied) return wrong(`for ${result} your function says ${said}: ${says}`);
    }
    return right("bit 31 says it, whatever the other bits are.");
  },
});

/** What a verdict rests on. */
export type Counts = Pick<NotificationFields, "sent" | "failed" | "copied">;

/** Judges an experiment by its counts and those of its control. */
export type Verdict = (counts: Counts, control: Counts) => string;

const SEES: Counts = { sent: 100, failed: 0, copied: 100 };

/** Experiments, what is to be said of them, and what a function that errs there hears. */
const CASES: readonly {
  readonly counts: Counts;
  readonly control: Counts;
  readonly verdict: string;
  readonly says: string;
}[] = [
  {
    counts: { sent: 1000, failed: 0, copied: 0 },
    control: SEES,
    verdict: "not copied",
    says: "everything was sent, nothing copied, and the control was seen.",
  },
  {
    counts: { sent: 1000, failed: 0, copied: 1000 },
    control: SEES,
    verdict: "copied",
    says: "every send that was sent was copied.",
  },
  {
    counts: { sent: 1000, failed: 0, copied: 300 },
    control: SEES,
    verdict: "partly copied",
    says: "some of the sends were copied, and some were not.",
  },
  {
    counts: { sent: 1000, failed: 0, copied: 0 },
    control: { sent: 100, failed: 0, copied: 0 },
    verdict: "cannot tell",
    says: "in the control the kernel must copy, and the count does not show it.",
  },
  {
    counts: { sent: 0, failed: 1000, copied: 0 },
    control: SEES,
    verdict: "cannot tell",
    says: "what was never sent was never copied, and is no evidence.",
  },
  {
    counts: { sent: 1000, failed: 0, copied: undefined },
    control: { sent: 100, failed: 0, copied: undefined },
    verdict: "cannot tell",
    says: "this kernel does not report.",
  },
  {
    counts: { sent: 1000, failed: 0, copied: 0 },
    control: { sent: 0, failed: 100, copied: 0 },
    verdict: "cannot tell",
    says: "the control has not sent anything: has anybody seen the witness see?",
  },
  {
    counts: { sent: 600, failed: 400, copied: 600 },
    control: SEES,
    verdict: "copied",
    says: "failed sends do not count: compare with what was sent.",
  },
];

/** A verdict on counts. */
export const verdict: Exercise<Verdict> = exercise<Verdict>({
  id: "05-verdict",
  check(answer): Judgement {
    if (typeof answer !== "function") {
      return wrong("a function is wanted: (counts, control) => ...");
    }
    const verdicts = new Set(CASES.map(({ verdict }) => verdict));
    for (const { counts, control, verdict, says } of CASES) {
      const said: unknown = answer({ ...counts }, { ...control });
      const given = `for ${Deno.inspect(counts)} with the control ${Deno.inspect(control)}`;
      const plain = String(said).toLowerCase().trim();
      if (!verdicts.has(plain)) {
        return wrong(
          `${given} your function says ${Deno.inspect(said)}, and there are these verdicts: ` +
            `${[...verdicts].map((word) => JSON.stringify(word)).join(", ")}.`,
        );
      }
      if (plain !== verdict) {
        return wrong(`${given} your function says ${JSON.stringify(said)}: ${says}`);
      }
    }
    return right(`${CASES.length} cases, and no verdict without evidence.`);
  },
});
