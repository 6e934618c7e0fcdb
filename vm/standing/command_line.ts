/**
 * What `deno task vm` is told of the guest that stays.
 *
 * @module
 */
import type { LabOptions } from "zclab/lab";

/** The words, and what each means. */
export const STANDING_WORDS = {
  start: "boot a guest that stays: commands then go to it, and begin at once",
  stop: "end what stays, or the guest of that kind, and what runs in it",
  status: "what stays, or whether a guest of that kind does, and how long",
} as const;

/** One of the words. */
export type StandingWord = keyof typeof STANDING_WORDS;

/** Whether a word is one of them. */
export function isStandingWord(word: string): word is StandingWord {
  return Object.hasOwn(STANDING_WORDS, word);
}

/** The options of "start" alone. */
export const STANDING_OPTIONS = {
  owner: {
    kind: "number",
    description: "for start: the process with which the guest ends; the shell unless given",
    unit: "PID",
    minimum: 1,
  },
} as const satisfies LabOptions;

/** What else there is to know, for help. */
export const STANDING_NOTES = [
  "After start, commands of this checkout share the guest that stays, up to 8 at a time, each with " +
  "its own output, exit status, /tmp and named network namespaces; what else a command changes there " +
  "(interfaces, kernel settings), the next one finds. They see the project's sources as they are. " +
  "A command that is given another --out, --memory or --processors than start was, boots a guest of " +
  "its own, and says so; what is not given is as start had it. So does one with --kernel-option.",
  "There are three kinds of guest: the usual one, one with --clock instructions, one with " +
  "--microscope. One of each can stay; a command goes to that of the kind which its options ask for, " +
  "and boots its own if none stays. Where instructions are counted one command runs at a time, as " +
  "two would count each other's, and the guest is halted while none runs.",
  "The guest that stays ends with stop, with the shell or terminal in which it was started, and " +
  "when no command has run in it for the time limit of start (3600 seconds unless given). One that " +
  "is of an older build (of kernel, root file system, softnic, packages or Deno) is replaced by the " +
  "next command.",
] as const;
