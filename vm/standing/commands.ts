/**
 * `deno task vm start`, `stop` and `status`, and commands for the guest that stays.
 *
 * @module
 */
import { EXIT } from "../../labs/kit/terminal/terminal.ts";
import type { Cache } from "../cache.ts";
import { GuestError } from "../cache.ts";
import type { GuestMachine, GuestOutcome } from "../guest.ts";
import { warmUp } from "../project.ts";
import type { Share } from "../shares.ts";
import { buildKey } from "./build_key.ts";
import { ask, findStanding, type Standing } from "./find.ts";
import type { Booted, Description } from "./messages.ts";
import { ownerOf, sessionOwner } from "./owners.ts";
import { runStanding, type StandingCommand } from "./run.ts";
import { currentStanding, differences, startStanding } from "./start.ts";

/** What is asked for, and what would be booted for it. */
export interface StandingRequest {
  /** The project's folder. */
  readonly project: string;
  /** The cache of the guest. */
  readonly cache: Cache;
  /** What would be booted. */
  readonly machine: GuestMachine;
  /** Its folder that can be written. */
  readonly out: string;
  /** What a guest that runs must have been booted with. */
  readonly wanted: Partial<Booted>;
  /** How long the guest stays without a command, if that is asked for. */
  readonly idleSeconds: number | undefined;
  /** The number of a process with which the guest ends. */
  readonly owner: number | undefined;
  /** Told what happens. */
  readonly announce: (text: string) => void;
}

/**
 * Starts a guest that stays, and says how long it does.
 *
 * @param request What is asked for.
 * @param print Prints.
 * @returns The exit code.
 */
export async function startForUser(
  request: StandingRequest,
  print: (text: string) => void,
): Promise<number> {
  const { project, cache, machine, out, wanted, idleSeconds, announce } = request;
  const owner = request.owner === undefined ? sessionOwner() : ownerOf(request.owner);
  const [standing] = await Promise.all([
    startStanding(
      cache,
      {
        ...stayingMachine(project, machine, out),
        idleSeconds,
        owners: owner === undefined ? [] : [owner],
      },
      wanted,
      announce,
    ),
    warmUp(project),
  ]);
  print(textOf((await ask(standing, { order: "describe" })) ?? standing.description));
  return EXIT.done;
}

/**
 * Runs a command in the guest that stays.
 *
 * @param request What is asked for.
 * @param command The command.
 * @returns How it ended; undefined if it needs a guest of its own, which has been said then, or none
 *   stays.
 */
export async function inStanding(
  request: StandingRequest,
  command: StandingCommand,
): Promise<GuestOutcome | undefined> {
  const { project, machine, out, wanted, announce } = request;
  const { build } = stayingMachine(project, machine, out);
  const { current, former } = await currentStanding({ project, build }, announce);
  const booted = (current?.description ?? former)?.booted;
  if (booted === undefined) return undefined;
  const other = differences(wanted, booted);
  if (other.length > 0) {
    announce(`the guest that stays has ${other.join(", ")}: this command boots one of its own`);
    return undefined;
  }
  const standing = current ?? await restart(request, former!);
  const outcome = await runStanding(standing, command);
  if (!("refused" in outcome)) return outcome;
  announce(`the guest that stays takes no command (${outcome.refused}): this one boots its own`);
  return undefined;
}

/** Starts one of today's build as the former one was started. */
async function restart(
  { project, cache, machine, announce }: StandingRequest,
  { booted, idleSeconds, owners }: Description,
): Promise<Standing> {
  const { out, memory, processors } = booted;
  const shares = machine.shares.map((share): Share =>
    share.tag === "out" ? { ...share, path: out } : share
  );
  const again = { ...machine, shares, memory, processors };
  const request = { ...stayingMachine(project, again, out), idleSeconds, owners };
  return await startStanding(cache, request, {}, announce);
}

/** A machine, as it is booted to stay. */
function stayingMachine(project: string, machine: GuestMachine, out: string): {
  readonly project: string;
  readonly build: string;
  readonly booted: Booted;
  readonly machine: GuestMachine;
} {
  const shares = machine.shares.map((share): Share =>
    share.kind === "read-only" ? { ...share, kind: "fresh" } : share
  );
  const staying = { ...machine, shares };
  const { memory, processors } = machine;
  return {
    project,
    build: buildKey(project, staying),
    booted: { out, memory, processors },
    machine: staying,
  };
}

/**
 * Ends the guests that stay.
 *
 * @param project The project that they show.
 * @param tell Told if there is none.
 * @returns The exit code.
 * @throws {GuestError} If one does not end.
 */
export async function stopStanding(
  project: string,
  tell: (text: string) => void,
): Promise<number> {
  const running = await findStanding(project);
  if (running.length === 0) tell("vm: no guest stays\n");
  for (const standing of running) await ask(standing, { order: "stop" }).catch(() => {});
  const [left] = await findStanding(project);
  if (left === undefined) return EXIT.done;
  const { pid } = left.description;
  throw new GuestError(`The guest does not end. What to do: kill -9 ${pid}, which is its keeper`);
}

/**
 * Shows what stays.
 *
 * @param project The project that it shows.
 * @param print Prints.
 * @returns The exit code: 1 if none stays.
 */
export async function showStanding(
  project: string,
  print: (text: string) => void,
): Promise<number> {
  const running = await findStanding(project);
  if (running.length === 0) print("No guest stays; deno task vm start boots one.\n");
  for (const { description } of running) print(textOf(description));
  return running.length === 0 ? EXIT.failed : EXIT.done;
}

/** A description for people. */
export function textOf(
  { booted, acceleration, since, idleSeconds, owners, commands, retiring }: Description,
): string {
  const { out, memory, processors } = booted;
  const ends = retiring ? ["with its last command"] : [
    "with deno task vm stop",
    `after ${idleSeconds} s without a command`,
    ...(owners.length === 0
      ? []
      : [`with ${owners.map(({ name, pid }) => `${name} (process ${pid})`).join(" and ")}`]),
  ];
  return [
    `A guest stays since ${new Date(since).toLocaleTimeString("sv")}: ${processors} processors, ` +
    `${memory} MiB, ${acceleration}; it writes to ${out}.`,
    `${commands === 1 ? "1 command runs" : `${commands} commands run`} in it. ` +
    `It ends ${ends.join(", or ")}.`,
  ].map((line) => `${line}\n`).join("");
}
