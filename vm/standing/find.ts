/**
 * Finds the guest that stays, and speaks with its keeper.
 *
 * The keeper listens in a folder that only its user can enter, below the folder of temporary files: so
 * no other user can run anything in the guest, and none can pass a guest of his off as ours.
 *
 * @module
 */
import { sweepRooms } from "../../labs/kit/files/room.ts";
import type { GuestKind } from "../guest_kind.ts";
import { type Description, type Frame, listen, type Order, say } from "./messages.ts";

/** What the folder of a guest that stays is called; see `Room.open`. */
export const STANDING = "standing";

/** A keeper answers at once; one that is held by a debugger, or by SIGSTOP, never does. */
const ANSWER_MILLISECONDS = 10_000;

/**
 * Where the keeper listens.
 *
 * @param folder The folder of its guest.
 */
export function socketIn(folder: string): string {
  return `${folder}/keeper`;
}

/** A guest that stays. */
export interface Standing {
  /** Where its keeper listens. */
  readonly socket: string;
  /** What the keeper says of it. */
  readonly description: Description;
}

/**
 * Finds guests that stay. What killed ones have left is removed before.
 *
 * @param project The folder of the project that they show.
 * @param guestKind Their kind; all kinds unless given.
 * @returns Those that run, the newest first.
 */
export async function findStanding(
  project: string,
  guestKind?: GuestKind,
): Promise<Standing[]> {
  sweepRooms();
  const above = Deno.env.get("TMPDIR") || "/tmp";
  const names = namesIn(above).filter((name) => name.startsWith(`zclab-${STANDING}-`));
  const found = await Promise.all(names.map(async (name): Promise<Standing[]> => {
    if (!isOurs(`${above}/${name}`)) return [];
    const socket = socketIn(`${above}/${name}`);
    const description = await describe(socket);
    if (description?.project !== project) return [];
    const isWanted = guestKind === undefined || description.guestKind === guestKind;
    return isWanted ? [{ socket, description }] : [];
  }));
  return found.flat()
    .sort((left, right) => right.description.since < left.description.since ? -1 : 1);
}

/** None of a folder that may be written and not be read. */
function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch {
    return [];
  }
}

/** Whether a folder is this user's, and nobody else can enter it. */
function isOurs(folder: string): boolean {
  try {
    const { isDirectory, uid, mode } = Deno.lstatSync(folder);
    return isDirectory && uid === Deno.uid() && (mode! & 0o077) === 0;
  } catch {
    // It has just been removed.
    return false;
  }
}

async function describe(socket: string): Promise<Description | undefined> {
  try {
    return await ask({ socket }, { order: "describe" });
  } catch {
    // It boots, or ends.
    return undefined;
  }
}

/**
 * Gives a keeper an order.
 *
 * @param standing The guest.
 * @param order The order; not "run", which is more than a question.
 * @returns The keeper's answer; undefined if it ended without one, or did not answer in time.
 */
export async function ask(
  { socket }: Pick<Standing, "socket">,
  order: Exclude<Order, { order: "run" }>,
): Promise<Description | undefined> {
  const connection = await Deno.connect({ transport: "unix", path: socket });
  const timer = setTimeout(() => close(connection), ANSWER_MILLISECONDS);
  try {
    await say(connection, { kind: "message", value: order });
    const { value } = await listen(connection).next();
    return value?.kind === "message" ? value.value as Description : undefined;
  } finally {
    clearTimeout(timer);
    close(connection);
  }
}

/**
 * Closes a connection, once or more often.
 *
 * @param connection The connection.
 */
export function close(connection: Deno.UnixConn): void {
  try {
    connection.close();
  } catch {
    // It is closed.
  }
}

/**
 * Begins a command.
 *
 * @param standing The guest.
 * @param order What to run.
 * @returns The connection, and what comes through it.
 */
export async function begin(
  { socket }: Pick<Standing, "socket">,
  order: Extract<Order, { order: "run" }>,
): Promise<{ connection: Deno.UnixConn; frames: AsyncGenerator<Frame, void> }> {
  const connection = await Deno.connect({ transport: "unix", path: socket });
  await say(connection, { kind: "message", value: order });
  return { connection, frames: listen(connection) };
}
