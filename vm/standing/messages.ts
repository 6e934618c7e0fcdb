/**
 * What is said between a command on the host and the keeper of the guest that stays: frames, each with
 * its kind and its length before it.
 *
 * @module
 */
import type { GuestKind } from "../guest_kind.ts";

/** How a guest was booted, as far as somebody can ask for something else of one of its kind. */
export interface Booted {
  /** The folder that it can write. */
  readonly out: string;
  /** Memory in MiB. */
  readonly memory: number;
  /** Number of processors. */
  readonly processors: number;
}

/** A process with which the guest ends. */
export interface Owner {
  /** Its number. */
  readonly pid: number;
  /** When it started, as `/proc` counts: the number alone may be another process's later. */
  readonly started: string;
  /** Its name. */
  readonly name: string;
}

/** What the keeper says of its guest. */
export interface Description {
  /** The folder of the project that the guest shows. */
  readonly project: string;
  /** The kind of guest: of each, one can stay. */
  readonly guestKind: GuestKind;
  /** What it was booted from; see {@linkcode buildKey}. */
  readonly build: string;
  /** How. */
  readonly booted: Booted;
  /** How its instructions are executed. */
  readonly acceleration: string;
  /** The keeper. */
  readonly pid: number;
  /** When it was ready: date and time in UTC, ISO 8601. */
  readonly since: string;
  /** It ends when no command has run for so long. */
  readonly idleSeconds: number;
  /** It ends when none of these runs any more; without any that does not end it. */
  readonly owners: readonly Owner[];
  /** How many commands run. */
  readonly commands: number;
  /** Whether it takes no command any more and ends with the last one. */
  readonly retiring: boolean;
}

/** What a connection begins with. */
export type Order =
  /** Answered by a {@linkcode Description}. */
  | { readonly order: "describe" }
  /** Ends the guest. Answered by the end of the connection, when it is gone. */
  | { readonly order: "stop" }
  /** Ends the guest after its last command. Answered by a {@linkcode Description}. */
  | { readonly order: "retire" }
  /** Keeps the guest for more owners. Answered by a {@linkcode Description}. */
  | {
    readonly order: "adopt";
    readonly owners: readonly Owner[];
    readonly idleSeconds?: number | undefined;
  }
  /** Runs a script. Answered by its output, and then by an {@linkcode Ended}. */
  | { readonly order: "run"; readonly script: string; readonly timeLimit: number | undefined };

/** A signal for the command that runs; what follows a "run". */
export interface SignalOrder {
  /** Its name, such as `SIGINT`. */
  readonly signal: string;
}

/** How a command ended. */
export interface Ended {
  /** Its exit status; undefined if it did not end by itself. */
  readonly status?: number;
  /** Why it did not, as a sentence. */
  readonly failure?: string;
  /** What the guest's kernel said meanwhile. */
  readonly kernelLog: string;
}

/** The answer to a "run" for which there is no place. */
export interface Refused {
  /** Why. */
  readonly refused: string;
}

/** One thing that is said. */
export type Frame =
  /** What the command wrote to its standard output. */
  | { readonly kind: "out"; readonly bytes: Uint8Array }
  /** And to its standard error. */
  | { readonly kind: "err"; readonly bytes: Uint8Array }
  /** Anything else, as JSON. */
  | { readonly kind: "message"; readonly value: unknown };

const KINDS = ["message", "out", "err"] as const;

/** Kind and length. */
const HEADER_BYTES = 5;

/** What a connection is used for here. */
export interface Connection {
  /** Reads what is there, or waits; null at the end. */
  read(bytes: Uint8Array): Promise<number | null>;
  /** Writes some of it. */
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * Says one thing.
 *
 * @param connection Where.
 * @param frame What.
 * @throws {Deno.errors.BrokenPipe} If nobody listens any more.
 */
export async function say(connection: Connection, frame: Frame): Promise<void> {
  const body = frame.kind === "message"
    ? new TextEncoder().encode(JSON.stringify(frame.value))
    : frame.bytes;
  const bytes = new Uint8Array(HEADER_BYTES + body.length);
  bytes[0] = KINDS.indexOf(frame.kind);
  new DataView(bytes.buffer).setUint32(1, body.length);
  bytes.set(body, HEADER_BYTES);
  let rest = bytes;
  while (rest.length > 0) rest = rest.subarray(await connection.write(rest));
}

/**
 * What is said, one after the other.
 *
 * @param connection Where.
 * @returns The frames, until the connection ends: also if in the middle of one, as when somebody is
 *   killed.
 * @throws {TypeError} If what comes is no frame.
 */
export async function* listen(connection: Connection): AsyncGenerator<Frame, void> {
  while (true) {
    const header = await readWhole(connection, HEADER_BYTES);
    if (header === undefined) return;
    const kind = KINDS[header[0]!];
    if (kind === undefined) throw new TypeError(`a frame of the kind ${header[0]}`);
    const length = new DataView(header.buffer).getUint32(1);
    const body = await readWhole(connection, length);
    if (body === undefined) return;
    if (kind === "message") yield { kind, value: JSON.parse(new TextDecoder().decode(body)) };
    else yield { kind, bytes: body };
  }
}

async function readWhole(
  connection: Connection,
  length: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    // A connection that is closed here while it is read has ended as well.
    const count = await connection.read(bytes.subarray(filled)).catch(() => null);
    if (count === null) return undefined;
    filled += count;
  }
  return bytes;
}
