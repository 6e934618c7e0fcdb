/**
 * What the guest is shown of this project, and the scripts that it runs.
 *
 * @module
 */
import { dirname } from "@std/path";
import type { Cache } from "./cache.ts";
import { countsInstructions, type GuestKind } from "./guest_kind.ts";
import { MICROSCOPE_FOLDER } from "./microscope.ts";
import { quoted, type Share } from "./shares.ts";

/** Where the guest keeps what it compiles, so that it does so once and not at each boot. */
const GUEST_CACHE = "/run/zclab/cache";

/** What of the environment means something in the guest, too. */
const PASSED_ON = /^(TERM|COLORTERM|NO_COLOR|FORCE_COLOR|LANG|LC_\w+|TZ|ZCLAB_\w+)$/;

/** Tells a program in the guest in which folder the microscope answers. */
const MICROSCOPE = "ZCLAB_MICROSCOPE";

/** What is run in the guest most often. */
const ENTRY_POINTS = [
  "mod.ts",
  "experiment.ts",
  "lab.ts",
  "notebook.ts",
  "labs/main.ts",
  "labs/kit/commands/doctor.ts",
  "bench/main.ts",
  "bench/instructions/inside.ts",
];

/**
 * What V8 is told in a guest whose clock counts instructions: compiling and collecting garbage in the
 * thread that runs, and not in others that the kernel interleaves with it, and no chance of its own. It
 * does both at the same points of a program then. What runs often is compiled sooner than by default,
 * so that it is after one short round of a lab.
 */
const COUNTED_V8_FLAGS = [
  "--single-threaded",
  "--random-seed=1",
  "--hash-seed=1",
  "--invocation-count-for-maglev=100",
  "--invocation-count-for-maglev-osr=30",
  "--invocation-count-for-osr=100",
  "--invocation-count-for-turbofan=500",
  "--minimum-invocations-after-ic-update=50",
  // In MiB: a collection in the middle of a trial would be a part of its count.
  "--min-semi-space-size=64",
].join(",");

/** Where Deno is: outside, and at the same paths inside. */
export interface DenoPaths {
  /** Its program. */
  readonly program: string;
  /** The folder in which it keeps packages and what it has translated (`DENO_DIR`). */
  readonly cache: string;
}

/** Where a script runs. */
export interface Surroundings {
  /** The project's folder, in which it starts. */
  readonly project: string;
  /** Where Deno is. */
  readonly deno: DenoPaths;
  /** The kind of guest. */
  readonly guestKind: GuestKind;
}

/**
 * The shares of a run: the project, Deno and its cache, the folder that can be written.
 *
 * @param project The project's folder.
 * @param out The folder that the guest can write.
 * @param cache Where the guest keeps what it compiles.
 * @returns The shares in the order of mounting, and where Deno is.
 */
export async function projectShares(
  project: string,
  out: string,
  cache: Cache,
): Promise<{ shares: Share[]; deno: DenoPaths }> {
  const deno = await denoPaths();
  const compiled = cache.path("compiled");
  await Deno.mkdir(compiled, { recursive: true, mode: 0o700 });
  return {
    shares: [
      { tag: "project", path: project, kind: "read-only" },
      { tag: "deno", path: deno.program, kind: "file" },
      { tag: "denocache", path: deno.cache, kind: "overlaid" },
      { tag: "compiled", path: compiled, kind: "writable", inside: GUEST_CACHE },
      { tag: "out", path: out, kind: "writable" },
    ],
    deno,
  };
}

/** Where Deno is, and where it keeps packages. */
async function denoPaths(): Promise<DenoPaths> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
    stdin: "null",
    stderr: "null",
  }).output();
  const { denoDir } = JSON.parse(new TextDecoder().decode(stdout)) as { denoDir: string };
  await Deno.mkdir(denoDir, { recursive: true });
  return { program: await Deno.realPath(Deno.execPath()), cache: denoDir };
}

/**
 * Translates the project's programs on the host while the guest boots, where that is much faster.
 *
 * @param project The project's folder.
 */
export async function warmUp(project: string): Promise<void> {
  await new Deno.Command(Deno.execPath(), {
    args: ["cache", "--quiet", ...ENTRY_POINTS],
    cwd: project,
    stdin: "null",
    stdout: "null",
    // What cannot be had now, the command itself will complain about.
    stderr: "null",
  }).output();
}

/**
 * The script that runs a command, on a terminal of its own where ours is one.
 *
 * @param surroundings Where to run it.
 * @param command The command and its arguments.
 * @returns The script.
 */
export function commandScript(surroundings: Surroundings, command: readonly string[]): string {
  const words = command.map(quoted).join(" ");
  // The leader of the process group that signals are for.
  const inner = 'echo $$ >"${ZCLAB_FOREGROUND:-/run/zclab/foreground}"; unset ZCLAB_FOREGROUND; ' +
    `exec ${words}`;
  return preamble(surroundings) + (onTerminal() ? throughTerminal(inner) : inner) + "\n";
}

/**
 * The script of an interactive shell.
 *
 * @param surroundings Where it runs.
 * @returns The script.
 */
export function shellScript(surroundings: Surroundings): string {
  return [
    preamble(surroundings) + terminalSize(),
    "export PS1='guest:\\w# '",
    "echo 'Linux with softnic; the project is here, Deno is in PATH. exit ends the guest.'",
    "exec bash --norc -i",
  ].join("\n") + "\n";
}

function preamble({ project, deno, guestKind }: Surroundings): string {
  const environment: Record<string, string> = {
    HOME: "/root",
    USER: "root",
    SHELL: "/bin/bash",
    PATH: `${dirname(deno.program)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    XDG_CACHE_HOME: GUEST_CACHE,
    DENO_DIR: deno.cache,
    DENO_NO_UPDATE_CHECK: "1",
    ...(countsInstructions(guestKind) ? { DENO_V8_FLAGS: COUNTED_V8_FLAGS } : {}),
    ...passedOn(),
    // There is no network, so nothing can be installed.
    ZCLAB_NO_INSTALL: "1",
    ...(guestKind === "microscope" ? { [MICROSCOPE]: MICROSCOPE_FOLDER } : {}),
  };
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}=${quoted(value)}\n`).join("") +
    `cd ${quoted(project)} || exit 1\n`;
}

function passedOn(): Record<string, string> {
  const all = Object.entries(Deno.env.toObject());
  // Of a guest that is run from within one, it would name a folder of the other.
  return Object.fromEntries(
    all.filter(([name]) => PASSED_ON.test(name) && name !== MICROSCOPE),
  );
}

function onTerminal(): boolean {
  return Deno.stdout.isTerminal() && Deno.stderr.isTerminal();
}

function throughTerminal(inner: string): string {
  return `exec script -qefc ${quoted(`${terminalSize()}${inner}`)} /dev/null`;
}

function terminalSize(): string {
  try {
    const { columns, rows } = Deno.consoleSize();
    return `stty cols ${columns} rows ${rows};`;
  } catch {
    return "";
  }
}
