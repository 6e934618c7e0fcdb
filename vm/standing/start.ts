/**
 * Starts a guest that stays.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { Interruption, onEndingSignal } from "../../labs/kit/terminal/signals.ts";
import { type Cache, GuestError, locked } from "../cache.ts";
import { nameOfKind, OPTIONS_OF_KIND } from "../guest_kind.ts";
import { ask, findStanding, type Standing } from "./find.ts";
import type { KeeperRequest } from "./keeper.ts";
import type { KeeperAnswer } from "./keeper_process.ts";
import type { Booted, Description } from "./messages.ts";
import { together } from "./owners.ts";

const KEEPER = fromFileUrl(new URL("keeper_process.ts", import.meta.url));

/**
 * What of what is asked for a guest was not booted with.
 *
 * @param wanted What is asked for; what is left out may be anything.
 * @param booted How the guest was booted.
 * @returns One text for each, as it is told; empty if the guest will do.
 */
export function differences(wanted: Partial<Booted>, booted: Booted): readonly string[] {
  return (Object.keys(wanted) as (keyof Booted)[])
    .filter((name) => wanted[name] !== booted[name])
    .map((name) => `--${name} ${booted[name]}, not ${wanted[name]}`);
}

/**
 * The guest of a kind that stays of a project, if there is one of today's build. One of an older build
 * ends with its last command.
 *
 * @param request The project, the kind and the build.
 * @param announce Told that one ends.
 * @returns It; and one of an older build, if that is what was there.
 */
export async function currentStanding(
  { project, guestKind, build }: Pick<KeeperRequest, "project" | "guestKind" | "build">,
  announce: (text: string) => void,
): Promise<{ current: Standing | undefined; former: Description | undefined }> {
  const running = (await findStanding(project, guestKind))
    .filter(({ description }) => !description.retiring);
  const current = running.find(({ description }) => description.build === build);
  let former: Description | undefined;
  for (const standing of running) {
    if (standing === current) continue;
    announce(`the ${nameOfKind(guestKind)} that stays is of an older build, and ends`);
    former ??= standing.description;
    await ask(standing, { order: "retire" }).catch(() => {});
  }
  return { current, former };
}

/**
 * Starts a guest that stays, or keeps the one that runs for more owners.
 *
 * @param cache The cache, which has the lock: two are not started at the same time.
 * @param request What to keep.
 * @param wanted What a guest that runs must have been booted with.
 * @param announce Told what happens.
 * @returns The guest.
 * @throws {GuestError} If one runs that was booted with something else, or it does not boot.
 * @throws {Interruption} If a signal came.
 */
export async function startStanding(
  cache: Cache,
  request: KeeperRequest,
  wanted: Partial<Booted>,
  announce: (text: string) => void,
): Promise<Standing> {
  const waiting = (): void => announce("waiting for another process that starts the guest ...");
  return await locked(cache, waiting, async () => {
    const { current, former } = await currentStanding(request, announce);
    if (current === undefined) return await spawn(inherited(request, former), announce);
    const other = differences(wanted, current.description.booted);
    if (other.length > 0) {
      throw new GuestError(
        `The ${nameOfKind(request.guestKind)} that runs has ${other.join(", ")}. ` +
          `What to do: deno task vm ${OPTIONS_OF_KIND[request.guestKind]} stop, then start`,
      );
    }
    const { owners, idleSeconds } = request;
    await ask(current, { order: "adopt", owners, idleSeconds });
    announce(`the ${nameOfKind(request.guestKind)} runs already`);
    return current;
  }, "starting");
}

/** For whom one of an older build was started, the new one is, too. */
function inherited(request: KeeperRequest, former: Description | undefined): KeeperRequest {
  if (former === undefined) return request;
  return {
    ...request,
    owners: together(former.owners, request.owners),
    idleSeconds: request.idleSeconds ?? former.idleSeconds,
  };
}

async function spawn(
  request: KeeperRequest,
  announce: (text: string) => void,
): Promise<Standing> {
  announce(`booting a ${nameOfKind(request.guestKind)} that stays ...`);
  // In a session of its own, so that neither the terminal's keys nor its end reach it: whose end is the
  // guest's it finds out itself.
  const args = [Deno.execPath(), "run", "--quiet", "--allow-all", KEEPER];
  const child = new Deno.Command("setsid", {
    args,
    cwd: request.project,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let interruption: Interruption | undefined;
  using _signals = onEndingSignal((name) => {
    interruption ??= new Interruption(name);
    child.kill("SIGTERM");
  });
  const input = child.stdin.getWriter();
  // Held open until it is there: see the keeper's process.
  input.write(new TextEncoder().encode(`${JSON.stringify(request)}\n`)).catch(() => {});
  const { value: line } = await child.stdout.pipeThrough(new TextDecoderStream()).getReader()
    .read();
  if (interruption !== undefined) throw interruption;
  if (line === undefined) {
    const said = await new Response(child.stderr).text();
    throw new GuestError(`The guest's keeper ended: ${said.trim()}`);
  }
  const { failure } = JSON.parse(line) as KeeperAnswer;
  if (failure !== undefined) throw new GuestError(`The guest did not start. ${failure}`);
  const [standing] = (await findStanding(request.project))
    .filter(({ description }) => description.pid === child.pid);
  if (standing === undefined) throw new GuestError("The guest ended as soon as it had started");
  return standing;
}
