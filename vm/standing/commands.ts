/**
 * `deno task vm start`, `stop` and `status`, and commands for the guest that stays.
 *
 * @module
 */
import { EXIT } from "../../labs/kit/terminal/terminal.ts";
import type { Cache } from "../cache.ts";
import { GuestError } from "../cache.ts";
import type { GuestMachine, GuestOutcome } from "../guest.ts";
import { type GuestKind, nameOfKind, OPTIONS_OF_KIND } from "../guest_kind.ts";
import { warmUp } from "../project.ts";
import type { Share } from "../shares.ts";
import { buildKey } from "./build_key.ts";
import { ask, findStanding, type Standing } from "./find.ts";
import type { KeeperRequest } from "./keeper.ts";
import type { Booted, Description } from "./messages.ts";
import { ownerOf, sessionOwner } from "./owners.ts";
import { runStanding, type StandingCommand } from "./run.ts";
import { currentStanding, differences, startStanding } from "./start.ts";

/** What is asked for, and what would be booted for it. */
export interface StandingRequest {
  /** The project's folder. */
  readonly project: string;
  /** The kind of guest. */
  readonly guestKind: GuestKind;
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
  const { project, cache, wanted, idleSeconds, announce } = request;
  const owner = request.owner === undefined ? sessionOwner() : ownerOf(request.owner);
  const [standing] = await Promise.all([
    startStanding(
      cache,
      {
        ...stayingMachine(request),
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
  const { guestKind, wanted, announce } = request;
  const { current, former } = await currentStanding(stayingMachine(request), announce);
  const booted = (current?.description ?? former)?.booted;
  if (booted === undefined) return undefined;
  const other = differences(wanted, booted);
  if (other.length > 0) {
    announce(
      `the ${nameOfKind(guestKind)} that stays has ${other.join(", ")}: ` +
        "this command boots one of its own",
    );
    return undefined;
  }
  const standing = current ?? await restart(request, former!);
  const outcome = await runStanding(standing, command);
  if (!("refused" in outcome)) return outcome;
  announce(
    `the ${nameOfKind(guestKind)} that stays takes no command (${outcome.refused}): ` +
      "this one boots its own",
  );
  return undefined;
}

/** Starts one of today's build as the former one was started. */
async function restart(
  request: StandingRequest,
  { booted, idleSeconds, owners }: Description,
): Promise<Standing> {
  const { cache, machine, announce } = request;
  const { out, memory, processors } = booted;
  const shares = machine.shares.map((share): Share =>
    share.tag === "out" ? { ...share, path: out } : share
  );
  const again = { ...machine, shares, memory, processors };
  const staying = stayingMachine({ ...request, machine: again, out });
  return await startStanding(cache, { ...staying, idleSeconds, owners }, {}, announce);
}

/** A machine, as it is booted to stay. */
function stayingMachine(
  { project, guestKind, machine, out }: StandingRequest,
): Pick<KeeperRequest, "project" | "guestKind" | "build" | "booted" | "machine"> {
  const shares = machine.shares.map((share): Share =>
    share.kind === "read-only" ? { ...share, kind: "fresh" } : share
  );
  const staying = { ...machine, shares };
  const { memory, processors } = machine;
  return {
    project,
    guestKind,
    build: buildKey(project, staying),
    booted: { out, memory, processors },
    machine: staying,
  };
}

/**
 * Ends the guests that stay.
 *
 * @param project The project that they show.
 * @param guestKind Their kind; all kinds unless given.
 * @param tell Told if there is none.
 * @returns The exit code.
 * @throws {GuestError} If one does not end.
 */
export async function stopStanding(
  project: string,
  guestKind: GuestKind | undefined,
  tell: (text: string) => void,
): Promise<number> {
  const running = await findStanding(project, guestKind);
  if (running.length === 0) tell(`vm: no ${nameOfKind(guestKind ?? "time")} stays\n`);
  await Promise.all(running.map((standing) => ask(standing, { order: "stop" }).catch(() => {})));
  const [left] = await findStanding(project, guestKind);
  if (left === undefined) return EXIT.done;
  const { pid } = left.description;
  throw new GuestError(`The guest does not end. What to do: kill -9 ${pid}, which is its keeper`);
}

/**
 * Shows what stays.
 *
 * @param project The project that it shows.
 * @param guestKind The kind of guest; all kinds unless given.
 * @param print Prints.
 * @returns The exit code: 1 if none stays.
 */
export async function showStanding(
  project: string,
  guestKind: GuestKind | undefined,
  print: (text: string) => void,
): Promise<number> {
  const running = await findStanding(project, guestKind);
  if (running.length === 0) {
    const options = guestKind === undefined ? "" : `${OPTIONS_OF_KIND[guestKind]} `;
    print(`No ${nameOfKind(guestKind ?? "time")} stays; deno task vm ${options}start boots one.\n`);
  }
  for (const { description } of running) print(textOf(description));
  return running.length === 0 ? EXIT.failed : EXIT.done;
}

/** A description for people. */
export function textOf(
  { guestKind, booted, acceleration, since, idleSeconds, owners, commands, retiring }: Description,
): string {
  const { out, memory, processors } = booted;
  const ends = retiring ? ["with its last command"] : [
    "with deno task vm stop",
    `after ${idleSeconds} s without a command`,
    ...(owners.length === 0
      ? []
      : [`with ${owners.map(({ name, pid }) => `${name} (process ${pid})`).join(" and ")}`]),
  ];
  const start = new Date(since).toLocaleTimeString("sv");
  return [
    `A ${nameOfKind(guestKind)} stays since ${start}: ` +
    `${processors === 1 ? "1 processor" : `${processors} processors`}, ${memory} MiB, ` +
    `${acceleration}; it writes to ${out}.`,
    `${commands === 1 ? "1 command runs" : `${commands} commands run`} in it. ` +
    `It ends ${ends.join(", or ")}.`,
  ].map((line) => `${line}\n`).join("");
}
