/**
 * `deno task vm`: the guest, with Linux 7.3 and the software NIC.
 *
 * @module
 */
import { fromFileUrl, resolve } from "@std/path";
import { UnsupportedError } from "zclab";
import { OptionError } from "zclab/lab";
import { requireWritable } from "../labs/kit/options/arguments.ts";
import { type CommandLine, helpOf, readCommandLine } from "../labs/kit/options/cli.ts";
import { runProgram } from "../labs/kit/commands/program.ts";
import { ensureSystem, GUEST_COMPONENTS } from "../labs/kit/terminal/setup.ts";
import {
  type EndingSignal,
  EXIT,
  Interruption,
  onEndingSignal,
  printer,
  SIGNAL_EXIT,
} from "../labs/kit/terminal/terminal.ts";
import { findAcceleration } from "./acceleration.ts";
import { ensureGuest } from "./build.ts";
import { type Cache, openCache } from "./cache.ts";
import { type GuestOptions, type GuestOutcome, runGuest } from "./guest.ts";
import type { GuestFiles } from "./guest_files.ts";
import { countsInstructions, type GuestKind, OPTIONS_OF_KIND } from "./guest_kind.ts";
import { kernelOptionProblem } from "./kernel_options.ts";
import { commandScript, projectShares, shellScript, type Surroundings, warmUp } from "./project.ts";
import {
  isStandingWord,
  STANDING_NOTES,
  STANDING_OPTIONS,
  STANDING_WORDS,
  type StandingWord,
} from "./standing/command_line.ts";
import { inStanding, showStanding, startForUser, stopStanding } from "./standing/commands.ts";
import type { Booted } from "./standing/messages.ts";

/** What the guest's clock can count. */
const CLOCKS = ["time", "instructions"] as const;

const COMMAND_LINE = {
  command: "deno task vm",
  usage: [
    "[options] -- COMMAND...",
    "[options] shell",
    "[options] build",
    "[options] start",
    "[--clock WHAT | --microscope] stop",
    "[--clock WHAT | --microscope] status",
  ],
  about: [
    "Runs a command in a guest with Linux 7.3 and softnic, a NIC in software that can do zero-copy " +
    "receive: boots it, runs the command in the project's folder, gives its output and its exit " +
    "status, and powers it off. The guest sees the project and Deno, read-only, at the paths that " +
    "they have outside, and one folder that it can write. It has no network.",
  ],
  words: {
    "-- COMMAND...": "what to run, such as: deno task lab rx-zcrx --quick",
    shell: "a prompt in a guest of its own",
    build: "only make what the guest consists of; each command does that, too",
    ...STANDING_WORDS,
  },
  options: {
    out: {
      kind: "string",
      description: "the folder that the guest can write",
      placeholder: "FOLDER",
      default: "results",
    },
    memory: {
      kind: "number",
      description: "memory of the guest",
      unit: "MiB",
      default: 2048,
      minimum: 384,
      maximum: 1 << 20,
    },
    processors: {
      kind: "number",
      description: "processors of the guest; 2 unless given, and 1 with --clock instructions",
      minimum: 1,
      maximum: 64,
    },
    clock: {
      kind: "string",
      description: "what the guest's clock counts: time, or each instruction as a nanosecond, so " +
        "that a run gives the same numbers again on any host",
      choices: CLOCKS,
      default: "time",
    },
    microscope: {
      kind: "flag",
      description:
        "look at the guest from below: who reads and writes each byte of a payload, and " +
        "where each instruction goes (the primitive Microscope); the clock counts instructions then",
    },
    "kernel-option": {
      kind: "strings",
      description:
        "what the guest's kernel is told beside, such as init_on_alloc=0; several with " +
        "commas, or each with the option",
      placeholder: "NAME=VALUE",
      default: [],
      check: kernelOptionProblem,
    },
    "time-limit": {
      kind: "number",
      description: "how long the command may take; 3600 unless given, and a shell has no limit. " +
        "For start: how long the guest stays without a command",
      unit: "seconds",
      minimum: 1,
      maximum: 86_400,
    },
    "kernel-log": {
      kind: "string",
      description: "keep what the guest's kernel said, at warning level and worse",
      placeholder: "FILE",
    },
    strict: {
      kind: "flag",
      description: "exit with 1 if the guest's kernel complained, whatever the command did",
    },
    ...STANDING_OPTIONS,
    mirror: {
      kind: "string",
      description: "the mirror of Debian to build from; that of this machine's apt unless given",
      placeholder: "ADDRESS",
      check: mirrorProblem,
    },
  },
  notes: [
    ...STANDING_NOTES,
    "Ctrl-C interrupts the command; twice ends it, and the guest that was booted for it.",
  ],
  exitCodes:
    "that of the command; 1 if the guest failed, or for status if none stays, 2 bad arguments, " +
    "77 not possible on this machine, 130 and 143 interrupted",
  handsOn: true,
} as const satisfies CommandLine;

/** What the arguments ask for. */
interface Request {
  readonly kind: "help" | "build" | "shell" | "run" | StandingWord;
  readonly command: readonly string[];
  readonly out: string;
  readonly memory: number;
  readonly processors: number;
  readonly guestKind: GuestKind;
  /** Whether that kind is asked for, or only the default. */
  readonly asksForKind: boolean;
  readonly kernelOptions: readonly string[];
  readonly timeLimit: number | undefined;
  readonly kernelLog: string | undefined;
  readonly strict: boolean;
  readonly mirror: string | undefined;
  readonly owner: number | undefined;
  readonly idleSeconds: number | undefined;
  /** What a guest that runs must have been booted with, to be taken. */
  readonly wanted: Partial<Booted>;
}

/**
 * Reads the arguments of `deno task vm`.
 *
 * @param args The arguments.
 * @returns What they ask for.
 * @throws {OptionError} If they make no sense.
 */
export function parseVmCommand(args: readonly string[]): Request {
  const { help, words, options, given, handedOn: command } = readCommandLine(COMMAND_LINE, args);
  const isShell = words[0] === "shell";
  if (options.microscope && given.has("clock") && options.clock === "time") {
    throw new OptionError(
      "With --microscope the clock counts instructions, and --clock asks for time. Leave one away",
    );
  }
  const guestKind = options.microscope ? "microscope" : options.clock;
  const seconds = options["time-limit"] ?? (isShell ? undefined : 3600);
  const booted: Booted = {
    out: resolve(options.out),
    memory: options.memory,
    processors: countsInstructions(guestKind)
      ? oneProcessor(guestKind, options.processors)
      : options.processors ?? 2,
  };
  const kind = help ? "help" : kindOf(words, command);
  const kernelOptions = options["kernel-option"];
  if (kind === "start" && kernelOptions.length > 0) {
    throw new OptionError(
      "A guest that stays has the kernel's usual options. Leave start away: a command with " +
        "--kernel-option boots its own",
    );
  }
  return {
    kind,
    command,
    ...booted,
    guestKind,
    asksForKind: options.microscope || given.has("clock"),
    kernelOptions,
    timeLimit: seconds === undefined ? undefined : seconds * 1000,
    kernelLog: options["kernel-log"],
    strict: options.strict,
    mirror: options.mirror,
    owner: options.owner,
    idleSeconds: options["time-limit"],
    wanted: Object.fromEntries(Object.entries(booted).filter(([name]) => given.has(name))),
  };
}

/** One, unless more are asked for together with an option that excludes it. */
function oneProcessor(guestKind: GuestKind, given: number | undefined): number {
  if (given === undefined || given === 1) return 1;
  throw new OptionError(
    `${
      OPTIONS_OF_KIND[guestKind]
    } has one processor, and --processors asks for ${given}: several would ` +
      "share one clock, in an order that depends on the host. Leave --processors away",
  );
}

function kindOf(words: readonly string[], command: readonly string[]): Request["kind"] {
  const [word, ...more] = words;
  if (word === undefined && command.length > 0) return "run";
  if (word === undefined) throw new OptionError("Which command? deno task vm -- COMMAND...");
  if (more.length === 0 && command.length === 0) {
    if (word === "build" || word === "shell") return word;
    if (isStandingWord(word)) return word;
  }
  throw new OptionError(
    `The command comes after two dashes: deno task vm -- ${[...words, ...command].join(" ")}`,
  );
}

/** What apt takes for a mirror; anything else it would refuse only after minutes. */
function mirrorProblem(address: string): string | undefined {
  return /^((https?|ftp):\/\/[^\s/]\S*|(file|copy|cdrom):\/\S*)$/.test(address)
    ? undefined
    : `${JSON.stringify(address)} is no address such as http://deb.debian.org/debian`;
}

/** What is found out only after the guest has run, or been built, costs minutes. */
async function requireFiles({ kind, out, kernelLog }: Request): Promise<void> {
  if (kind === "build") return;
  try {
    await Deno.mkdir(out, { recursive: true });
  } catch (error) {
    throw new OptionError(`--out ${out}: it cannot be made: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (kernelLog !== undefined) await requireWritable("kernel-log", kernelLog);
}

async function main(args: readonly string[]): Promise<number> {
  const request = parseVmCommand(args);
  if (request.kind === "help") {
    print(helpOf(COMMAND_LINE));
    return EXIT.done;
  }
  if (Deno.build.arch !== "x86_64") {
    throw new UnsupportedError(`A guest on ${Deno.build.arch}`, {
      advice: "softnic and the guest were only made to run on x86_64 so far",
    });
  }
  const asked = request.asksForKind ? request.guestKind : undefined;
  if (request.kind === "stop") return await stopStanding(PROJECT, asked, printError);
  if (request.kind === "status") return await showStanding(PROJECT, asked, print);
  await requireFiles(request);
  await ensureSystem({ components: GUEST_COMPONENTS });
  const cache = openCache();
  const files = await build(cache, request);
  if (request.kind === "build") return EXIT.done;
  return await run(cache, files, request);
}

/** Builds what is missing; the first signal ends that. */
async function build(cache: Cache, { mirror, guestKind, kind }: Request): Promise<GuestFiles> {
  const controller = new AbortController();
  using _listener = onEndingSignal((name) => controller.abort(new Interruption(name)));
  return await ensureGuest(cache, {
    mirror,
    microscope: guestKind === "microscope" || kind === "build",
    signal: controller.signal,
    announce: (text) => printError(`vm: ${text} ...\n`),
  });
}

async function run(cache: Cache, files: GuestFiles, request: Request): Promise<number> {
  const { out, memory, processors, timeLimit, kind, command, guestKind, kernelOptions } = request;
  const acceleration = countsInstructions(guestKind)
    ? "instruction clock"
    : await findAcceleration(cache, files, announce);
  const { shares, deno } = await projectShares(PROJECT, out, cache);
  const machine = { files, acceleration, shares, memory, processors, kernelOptions };
  const standing = { ...request, project: PROJECT, cache, machine, announce };
  if (kind === "start") return await startForUser(standing, print);
  let interrupted: EndingSignal | undefined;
  const onSignal: GuestOptions["onSignal"] = (handler) =>
    onEndingSignal((name, again) => {
      interrupted = name;
      handler(name, again);
    });
  const surroundings: Surroundings = { project: PROJECT, deno, guestKind };
  const script = kind === "shell"
    ? shellScript(surroundings)
    : commandScript(surroundings, command);
  const runOwn = async (): Promise<GuestOutcome> => {
    if (guestKind === "microscope") {
      announce("with the microscope: one processor, emulated, whose clock counts instructions");
    }
    const interactive = kind === "shell";
    const options = { ...machine, script, interactive, timeLimit, onSignal };
    const [outcome] = await Promise.all([runGuest(options), warmUp(PROJECT)]);
    return outcome;
  };
  const isForStanding = kind === "run" && kernelOptions.length === 0;
  const outcome =
    (isForStanding ? await inStanding(standing, { script, timeLimit, onSignal }) : undefined) ??
      await runOwn();
  await report(outcome, request);
  if (outcome.status === undefined) {
    return interrupted === undefined ? EXIT.failed : SIGNAL_EXIT[interrupted];
  }
  return request.strict && outcome.complaints.length > 0 ? EXIT.failed : outcome.status;
}

async function report(outcome: GuestOutcome, { kernelLog }: Request): Promise<void> {
  if (kernelLog !== undefined) await Deno.writeTextFile(kernelLog, outcome.kernelLog);
  if (outcome.failure !== undefined) printError(`error: ${outcome.failure}\n`);
  if (outcome.complaints.length === 0) return;
  printError(
    `vm: the guest's kernel complained${kernelLog ? ` (all of it: ${kernelLog})` : ""}:\n`,
  );
  for (const line of outcome.complaints) printError(`  ${line}\n`);
}

const PROJECT = fromFileUrl(new URL("..", import.meta.url)).replace(/\/$/, "");

function announce(text: string): void {
  printError(`vm: ${text}\n`);
}

const print = printer(Deno.stdout);
const printError = printer(Deno.stderr);

if (import.meta.main) await runProgram(main);
