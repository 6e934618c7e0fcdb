/**
 * Runs the bench in a guest whose clock counts instructions, and returns what it measured.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { UnsupportedError } from "zclab";
import { Room } from "../../labs/kit/files/room.ts";
import { ensureSystem, GUEST_COMPONENTS } from "../../labs/kit/terminal/setup.ts";
import { EXIT, Interruption, onEndingSignal } from "../../labs/kit/terminal/terminal.ts";
import { ensureGuest } from "../../vm/build.ts";
import { GuestError, locked, openCache } from "../../vm/cache.ts";
import { ensureGuestProgram } from "../../vm/guest_program.ts";
import { rootFileSystemIn } from "../../vm/root_file_system.ts";
import { COMPILED, SOURCE_FOLDER } from "../compile.ts";
import { type Figures, MEASURED_NUMBERS, type MeasuredRow, readFigures } from "./figures.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const VM = fileURLToPath(new URL("../../vm/main.ts", import.meta.url));
const INSIDE = fileURLToPath(new URL("./inside.ts", import.meta.url));

/** A boot takes half a minute, the rows one or two: a busy host has a multiple of it. */
const LIMIT_SECONDS = 1800;

/**
 * Boots a guest and measures all rows in it.
 *
 * @returns What they cost.
 * @throws {UnsupportedError} If the guest is not possible here.
 * @throws {GuestError} If the bench failed in it; why was printed.
 */
export async function measureInGuest(): Promise<Figures<MeasuredRow>> {
  using room = Room.open("bench");
  const program = room.path("reference");
  await Deno.copyFile(await programForGuest(), program);
  const measured = room.path("measured.json");
  const command = ["deno", "run", "--quiet", "--allow-all", INSIDE, measured];
  const options = ["--clock", "instructions", "--out", room.folder]
    .concat(["--time-limit", String(LIMIT_SECONDS)]);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", VM, ...options, "--", ...command],
    cwd: PROJECT,
    env: { [COMPILED]: program },
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  // Which of the two is told, a terminal and a supervisor see differently.
  let interruption: Interruption | undefined;
  using _listener = onEndingSignal((name) => {
    interruption = new Interruption(name);
    child.kill(name);
  });
  const { code } = await child.status;
  if (interruption !== undefined) throw interruption;
  if (code === EXIT.notPossible) {
    throw new UnsupportedError("Counting instructions", { advice: "It takes the guest" });
  }
  if (code !== EXIT.done) {
    throw new GuestError(`The bench failed in the guest (exit status ${code})`);
  }
  return await readFigures<MeasuredRow>(measured, MEASURED_NUMBERS);
}

/** The path of the C program, compiled for the guest. */
async function programForGuest(): Promise<string> {
  await ensureSystem({ components: GUEST_COMPONENTS });
  const cache = openCache();
  const announce = (text: string): void => console.error(`vm: ${text} ...`);
  const options = { mirror: undefined, announce, signal: undefined };
  await ensureGuest(cache, options);
  return await locked(
    cache,
    () => announce("waiting for another process that is building the guest"),
    () => ensureGuestProgram(cache, rootFileSystemIn(cache), SOURCE_FOLDER, options),
  );
}
