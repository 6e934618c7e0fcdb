/**
 * How the microscope is spoken to: an instruction that only it has a meaning for, and files in a folder
 * that the guest and the emulator share.
 *
 * @module
 */
import { ExplainedError, unwrap } from "../kernel/errors.ts";
import { native } from "../kernel/native.ts";

/** Under this name the guest's environment has the folder in which the microscope answers. */
const FOLDER = "ZCLAB_MICROSCOPE";

/** What vm/microscope/microscope.c takes. */
const COMMAND = { arm: 1, open: 2, close: 3 } as const;

/**
 * How often the folder is looked at for an answer. A time would be none: the guest's clock goes on by
 * itself while the guest waits.
 */
const LOOKS = 100_000;

/** Where a thread is answered. */
export interface Channel {
  /** The folder. */
  readonly folder: string;
  /** What tells its answers from those of others: the thread's number. */
  readonly number: number;
}

/** Payload that lies in a row in physical memory. */
export interface Piece {
  /** Where, in bytes. */
  readonly address: number;
  /** How long it is, in bytes. */
  readonly length: number;
}

/** An answer, as vm/microscope/report.c writes it. */
export interface Answer {
  /** Why there is none. */
  readonly problem?: string;
}

/** What was seen in a window. */
export interface Report extends Answer {
  /** Length of the payload. */
  readonly payloadBytes: number;
  /** How often a byte was loaded: least and most. */
  readonly reads: readonly [least: number, most: number];
  /** How often a byte was copied: least and most. */
  readonly copies: readonly [least: number, most: number];
  /** Names of functions. */
  readonly functions: readonly string[];
  /** Paths of calls: the caller and the function, as places in these lists from 1, 0 for none. */
  readonly nodes: readonly (readonly [parent: number, name: number, instructions: number])[];
  /** What they did with the payload. */
  readonly touches: readonly (readonly [
    node: number,
    generation: number,
    read: number,
    moved: number,
    copied: number,
    overwritten: number,
  ])[];
  /** The node of the thread that looked. */
  readonly own: number;
}

/** The folder in which the microscope answers; undefined where there is none. */
export function microscopeFolder(): string | undefined {
  return Deno.env.get(FOLDER) || undefined;
}

/**
 * Where this thread is answered. Not to be asked while a window is open, in which it would be seen.
 *
 * @param folder The folder in which the microscope answers.
 */
export function channelIn(folder: string): Channel {
  return { folder, number: unwrap("gettid", native().zclab_thread_id()) };
}

/**
 * Shows the microscope the kernel's symbols, and makes it look at every instruction from then on.
 *
 * @param channel Where it answers.
 * @throws {ExplainedError} If it cannot, or does not answer.
 */
export function arm(channel: Channel): void {
  const { folder, number } = channel;
  // Files of /proc have no length, so they are read and not copied.
  for (const name of ["kallsyms", "modules"]) {
    Deno.writeFileSync(`${folder}/${name}`, Deno.readFileSync(`/proc/${name}`));
  }
  // One that was killed may have left an answer.
  remove(channel);
  unwrap("microscope", native().zclab_microscope(COMMAND.arm, null, 0n, BigInt(number)));
  waitFor(channel);
  checked(take(channel));
}

/**
 * The list of pieces as {@linkcode openWindow} takes it.
 *
 * @param pieces The pieces of the payload, in order.
 */
export function encodePieces(pieces: readonly Piece[]): BigUint64Array<ArrayBuffer> {
  const words = new BigUint64Array(3 * pieces.length);
  let offset = 0;
  pieces.forEach(({ address, length }, index) => {
    words.set([BigInt(address), BigInt(length), BigInt(offset)], 3 * index);
    offset += length;
  });
  return words;
}

/**
 * Begins to count; after this nothing is done that is not the work that is looked at.
 *
 * @param pieces What {@linkcode encodePieces} made.
 */
export function openWindow(pieces: BigUint64Array<ArrayBuffer>): void {
  native().zclab_microscope(COMMAND.open, pieces, BigInt(pieces.length / 3), 0n);
}

/**
 * Ends the counting.
 *
 * @param channel Where the microscope answers.
 * @returns What was seen.
 * @throws {ExplainedError} If nothing could be.
 */
export function closeWindow(channel: Channel): Report {
  native().zclab_microscope(COMMAND.close, null, 0n, BigInt(channel.number));
  return checked(take(channel)) as Report;
}

function fileOf({ folder, number }: Channel): string {
  return `${folder}/answer-${number}.json`;
}

/** The microscope begins anew between two instructions, some time after it was told to. */
function waitFor(channel: Channel): void {
  for (let look = 0; look < LOOKS; look++) {
    try {
      Deno.statSync(fileOf(channel));
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

function take(channel: Channel): Answer {
  try {
    const answer = JSON.parse(Deno.readTextFileSync(fileOf(channel))) as Answer;
    remove(channel);
    return answer;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { problem: `it does not answer in ${channel.folder}` };
  }
}

function remove(channel: Channel): void {
  try {
    Deno.removeSync(fileOf(channel));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function checked(answer: Answer): Answer {
  if (answer.problem === undefined) return answer;
  throw new ExplainedError(
    `The microscope cannot look: ${answer.problem}. There is one in a guest, for one program at a time`,
  );
}
