/**
 * The processes with which the guest that stays ends.
 *
 * @module
 */
import { OptionError } from "zclab/lab";
import type { Owner } from "./messages.ts";

/** What of `/proc/PID/stat` is used. */
interface Stat {
  readonly name: string;
  readonly state: string;
  readonly parent: number;
  readonly session: number;
  readonly started: string;
}

/**
 * A process as an owner.
 *
 * @param pid Its number.
 * @throws {OptionError} If there is no such process.
 */
export function ownerOf(pid: number): Owner {
  const stat = readStat(pid);
  if (stat === undefined) throw new OptionError(`--owner: there is no process ${pid}`);
  return { pid, started: stat.started, name: stat.name };
}

/** What a command is run by: its session, where it has one of its own, ends with the command. */
const PARTS_OF_COMMAND = /^(deno|node|npm|npx)/;

/** What runs a command for another user in a session of its own, beside that in which it was typed. */
const BETWEEN = /^(sudo|su|doas|runuser)$/;

/**
 * The leader of our session: the shell of a terminal, or what else began it.
 *
 * @returns It; undefined where that is only what runs this command, and ends with it, as under
 *   `docker exec` and `ssh HOST COMMAND`.
 */
export function sessionOwner(): Owner | undefined {
  let pid = readStat(Deno.pid)?.session ?? 0;
  let leader = readStat(pid);
  while (leader !== undefined && BETWEEN.test(leader.name)) {
    const session = readStat(leader.parent)?.session ?? 0;
    if (session === pid) return undefined;
    pid = session;
    leader = readStat(pid);
  }
  if (leader === undefined || PARTS_OF_COMMAND.test(leader.name)) return undefined;
  return { pid, started: leader.started, name: leader.name };
}

/**
 * Whether an owner still runs.
 *
 * @param owner The owner.
 */
export function isAlive({ pid, started }: Owner): boolean {
  const stat = readStat(pid);
  return stat !== undefined && stat.started === started && !/[ZX]/.test(stat.state);
}

/**
 * The owners of a guest that is wanted for some and for others.
 *
 * @param some Owners; none if the guest is to stay whoever ends.
 * @param others The same.
 * @returns All of them, each once; none if one of the two has none.
 */
export function together(some: readonly Owner[], others: readonly Owner[]): readonly Owner[] {
  if (some.length === 0 || others.length === 0) return [];
  return [...some.filter(({ pid }) => !others.some((other) => other.pid === pid)), ...others];
}

/** Undefined if there is no such process. */
function readStat(pid: number): Stat | undefined {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // The name may have spaces and brackets in it.
    const [, name, rest] = /^\d+ \((.*)\) (.*)/s.exec(text)!;
    const fields = rest!.split(" ");
    return {
      name: name!,
      state: fields[0]!,
      parent: Number(fields[1]),
      session: Number(fields[3]),
      started: fields[19]!,
    };
  } catch {
    return undefined;
  }
}
