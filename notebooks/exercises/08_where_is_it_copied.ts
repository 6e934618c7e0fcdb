/**
 * The exercises of notebook 08.
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

export { copiesOfPaths, predictedCopies } from "./08_tables.ts";
export { copiesTable, readViews } from "./recorded_views.ts";

/** A path on which the kernel says that it copied. */
export const said: Exercise<string> = choiceExercise({
  id: "08-said",
  answer: "send-zc + recv, loopback",
  right:
    "the notification has the copied bit, and the microscope saw the copy that it speaks of: " +
    "`skb_copy_ubufs` copied the sender's pages before the receiver got them.",
  wrong: {
    "send + recv, loopback":
      "it is copied, but who would say so? SEND has one completion, and that has no such bit.",
    "sendfile + recv, loopback":
      "`sendfile(2)` posts no notification, so nobody says anything. And what did the microscope see?",
    "send-zc, ifb":
      "the kernel says something there, and it says the opposite. What becomes of a datagram in ifb?",
  },
});

/** Why sendfile is copied once less over loopback. */
export const lent: Exercise<string> = choiceExercise({
  id: "08-lent",
  answer: "nobody waits for its pages",
  right:
    "the kernel has promised nobody to tell when the pages of the file are free. So they may " +
    "lie in the receiver's queue as long as they like. A SEND_ZC waits for its notification.",
  wrong: {
    "files are sent by DMA":
      "over loopback there is no device that could do DMA. Both paths are the same code from TCP on.",
    "it is copied where nobody sees it":
      "the microscope sees every load and store of the guest's only processor.",
    "the payload is smaller":
      "all payloads have 8192 bytes here. What does SEND_ZC have that `sendfile(2)` has not?",
  },
});

/** Copies of a file's bytes from the page cache through the NIC into a program's area. */
export const fileToArea: Exercise<number | bigint | string> = numberExercise({
  id: "08-file-to-area",
  answer: 1,
  right:
    "the NIC reads the pages of the file itself and writes into the area of the receiver. No other " +
    "copy is left, and with a real NIC that one is no work of a processor.",
  foreseen: [
    {
      answer: 0,
      says: "that would be a real NIC, whose DMA needs no processor. Who does the DMA of softnic?",
    },
    {
      answer: 2,
      says:
        "one of them is the NIC's. Who would make the other? `sendfile(2)` lends the pages that " +
        "the file has in memory, and zcrx has no copy at the receiver.",
    },
    { answer: 3, says: "that is `send + recv`. Which of its copies does `sendfile(2)` save?" },
  ],
  otherwise: "take `send + recv` over softnic, and take away what sendfile and zcrx save.",
});

/** Copies of a byte when a program copies what it was given. */
export const program: Exercise<number | bigint | string> = numberExercise({
  id: "08-program",
  answer: 3,
  right:
    "the sender's kernel, the NIC, and the program itself. The kernel had saved the receiver's copy, " +
    "and the program made it again.",
  foreseen: [
    {
      answer: 2,
      says:
        "that is what the table says of `send + zcrx` over softnic. `bytes.slice()` comes on top.",
    },
    {
      answer: 1,
      says: "that is the program's own. What happened before the bytes came to it?",
    },
    {
      answer: 4,
      says: "is there a copy by `recv` among them? Here it is zcrx that receives.",
    },
  ],
  otherwise: "find the row `send + zcrx, softnic` above, and add what the program does.",
});

/** A copy as the microscope tells it. */
export interface SeenCopy {
  /** Whose bytes were copied: the sender's own, or those of an earlier copy. */
  readonly of: "payload" | "copy";
  /** Who copied. */
  readonly by: "kernel" | "NIC" | "program";
}

/** Compares the copied bit with what was seen. */
export type CompareReport = (bit: boolean | null, copies: readonly SeenCopy[]) => string;

const WORDS = ["agrees", "contradicts", "says nothing"] as const;

/** Reports beside what was seen, and what a function that errs there hears. */
const REPORTS: readonly {
  readonly path: string;
  readonly bit: boolean | null;
  readonly copies: readonly SeenCopy[];
  readonly answer: typeof WORDS[number];
  readonly says: string;
}[] = [
  {
    path: "send + recv, loopback",
    bit: null,
    copies: [{ of: "payload", by: "kernel" }, { of: "copy", by: "kernel" }],
    answer: "says nothing",
    says: "there is no notification, so there is no bit.",
  },
  {
    path: "send-zc into ifb",
    bit: false,
    copies: [],
    answer: "agrees",
    says: "nothing was copied, and the bit says so.",
  },
  {
    path: "send-zc + recv, loopback",
    bit: true,
    copies: [{ of: "payload", by: "kernel" }, { of: "copy", by: "kernel" }],
    answer: "agrees",
    says: "the kernel copied the sender's own bytes, and the bit says so.",
  },
  {
    path: "send-zc + recv, softnic",
    bit: false,
    copies: [{ of: "payload", by: "NIC" }, { of: "copy", by: "kernel" }],
    answer: "agrees",
    says:
      "the NIC read the sender's bytes, which is what it is for. `recv` copied what the NIC had " +
      "written. Were the sender's own bytes ever copied by the kernel?",
  },
  {
    path: "a kernel that hides a copy",
    bit: false,
    copies: [{ of: "payload", by: "kernel" }],
    answer: "contradicts",
    says: "the kernel copied the sender's bytes, and its bit says that it did not.",
  },
  {
    path: "a kernel that invents a copy",
    bit: true,
    copies: [{ of: "payload", by: "NIC" }, { of: "copy", by: "kernel" }],
    answer: "contradicts",
    says: "the bit is set, but only the NIC has touched the sender's bytes.",
  },
  {
    path: "a program that copies its payload before it sends",
    bit: false,
    copies: [{ of: "payload", by: "program" }],
    answer: "agrees",
    says: "the program copied, and not the kernel: of programs the kernel says nothing.",
  },
];

/** What the copied bit speaks of. */
export const report: Exercise<CompareReport> = exercise<CompareReport>({
  id: "08-report",
  check(answer): Judgement {
    if (typeof answer !== "function") return wrong("a function is wanted: (bit, copies) => ...");
    for (const { path, bit, copies, answer: wanted, says } of REPORTS) {
      const got: unknown = answer(bit, copies.map((copy) => ({ ...copy })));
      const word = String(got).toLowerCase().trim();
      if (!WORDS.some((one) => one === word)) {
        return wrong(
          `${path}: one of ${WORDS.map((one) => `"${one}"`).join(", ")} is wanted, and not ` +
            `${Deno.inspect(got)}.`,
        );
      }
      if (word !== wanted) return wrong(`${path}: your function says "${word}": ${says}`);
    }
    return right(
      "the bit speaks of one thing: whether the kernel copied the sender's own bytes. What happens " +
        "to copies, and what NICs and programs do, it does not tell.",
    );
  },
});
