/**
 * `deno task test [FILTER]`: the tests of this machine and of the guest, at once.
 *
 * @module
 */
import { fromFileUrl, toFileUrl } from "@std/path";
import { homedir } from "node:os";
import { OptionError } from "../labs/kit/options/options.ts";
import { type CommandLine, helpOf, readCommandLine } from "../labs/kit/options/cli.ts";
import { Room } from "../labs/kit/files/room.ts";
import {
  type Component,
  ensureSystem,
  GUEST_COMPONENTS,
  SetupError,
  TEST_COMPONENTS,
} from "../labs/kit/terminal/setup.ts";
import {
  type EndingSignal,
  EXIT,
  onEndingSignal,
  printer,
  SIGNAL_EXIT,
} from "../labs/kit/terminal/terminal.ts";
import { describeError, exitCode } from "../labs/kit/commands/program.ts";
import { guestObstacle } from "../vm/build.ts";
import { kernelComplaints } from "../vm/kernel_log.ts";
import { exactly, matcher } from "./filter.ts";
import { HeldOutput } from "./held_output.ts";
import type { Listed } from "./listing.ts";
import type { Lack } from "./needs.ts";
import { PROGRESS } from "./progress.ts";
import {
  type Counts,
  countTests,
  type Failure,
  failureText,
  summaryLine,
  withSecondRun,
} from "./report.ts";
import { FILES } from "./together.ts";
import { Watchdog } from "./watchdog.ts";

const PROJECT = fromFileUrl(new URL("..", import.meta.url)).replace(/\/$/, "");

/** What is searched for tests and for examples. */
const SOURCES = [
  "test",
  "mod.ts",
  "experiment.ts",
  "lab.ts",
  "notebook.ts",
  "ffi",
  "labs",
  "notebooks",
  "vm",
];

/** Seconds that all of the guest's tests may take; with software emulation they take some minutes. */
const GUEST_SECONDS = 3600;

/** A test that takes so many seconds hangs; the first one that needs the guest makes that. */
const TEST_SECONDS = 900;

/** The reason that a report gives for a test that was running when the run was interrupted. */
const CANCELLED = "Cancelled";

/** So many failures may come of what else the machine did; more are no chance. */
const MOST_AGAIN = 3;

const COMMAND_LINE = {
  command: "deno task test",
  usage: ["[FILTER] [--on host|guest] [--again]"],
  about: [
    "Runs every test that this machine can run, in the guest those for which it lacks something " +
    "that the guest has, and the examples of the documentation. The guest runs meanwhile, and what " +
    "it says comes after what is said here.",
    "The last line is N passed, N failed, with N skipped if some were.",
  ],
  words: { FILTER: "a part of the names of those that are to run, or a /regular expression/" },
  options: {
    on: {
      kind: "string",
      description: "only those that run there",
      choices: ["host", "guest"],
    },
    again: {
      kind: "flag",
      description: `run what failed once more, alone, unless it is more than ${MOST_AGAIN}: ` +
        "what passes then counts, and is told as unsteady",
    },
  },
  exitCodes: "1 if a test failed or none ran, 2 bad arguments, 130 and 143 interrupted",
} as const satisfies CommandLine;

/** What of all tests is wanted. */
interface Wanted {
  readonly filter: string | undefined;
  /** Where those run that are; everywhere unless given. */
  readonly on: string | undefined;
  /** Whether what failed runs once more. */
  readonly again: boolean;
}

/**
 * Reads the arguments of `deno task test`.
 *
 * @param args The arguments.
 * @returns What of all tests is wanted; nothing if help is.
 * @throws {OptionError} If they make no sense.
 */
export function parseTestCommand(args: readonly string[]): Wanted | undefined {
  const { help, words: [filter, ...more], options: { on, again } } = readCommandLine(
    COMMAND_LINE,
    args,
  );
  if (help) return undefined;
  if (more.length > 0 || filter?.trim() === "") {
    throw new OptionError(
      `One filter that is not empty: ${COMMAND_LINE.command} ${COMMAND_LINE.usage[0]}`,
    );
  }
  return { filter, on, again };
}

async function main(args: readonly string[]): Promise<number> {
  const wanted = parseTestCommand(args);
  if (wanted === undefined) {
    print(helpOf(COMMAND_LINE));
    return EXIT.done;
  }
  const { filter, on, again } = wanted;
  await ensureSystem({ components: TEST_COMPONENTS });
  using own = Room.open("test");
  const room = own.folder;
  const selection = await select(room, filter);
  if (selection === undefined) {
    printError(`No test matches ${filter}.\n`);
    return EXIT.failed;
  }

  const elsewhere = selection.listed.filter((test) => placeOf(test) !== "host");
  const here = {
    ...selection,
    listed: selection.listed.filter((test) => placeOf(test) === "host"),
  };
  const { host, guest } = await runBoth(
    room,
    on === "guest" ? undefined : here,
    on === "host" ? [] : elsewhere,
    again,
  );
  const counts = sum([host, guest].filter((each) => each !== undefined));
  for (const name of counts.skipped) print(`skipped: ${name}\n`);
  for (const line of reasons(selection.listed, counts.skipped)) print(`${line}\n`);
  for (const failure of counts.unsteady ?? []) {
    print(failureText(failure, "unsteady, failed once and passed alone"));
  }
  for (const failure of counts.failed) print(failureText(failure));
  if (counts.passed + counts.failed.length === 0) printError("No test ran.\n");
  if (host !== undefined) print(`host: ${summaryLine(host)}\n`);
  if (guest !== undefined) print(`guest: ${summaryLine(guest)}\n`);
  print(`${summaryLine(counts)}\n`);
  return counts.failed.length > 0 || counts.passed === 0 ? EXIT.failed : EXIT.done;
}

// === What is to run ===

/** The tests that are to run, and how Deno is told. */
interface Selection {
  /** The tests, those of the examples aside. */
  readonly listed: readonly Listed[];
  /** The arguments of `deno test` that select those that run here; empty if none does. */
  readonly args: readonly string[];
}

/**
 * Finds out what is to run, and installs what only that needs.
 *
 * @returns The tests; nothing if there are none.
 */
async function select(room: string, filter: string | undefined): Promise<Selection | undefined> {
  const files = SOURCES.flatMap((path) => [...modulesIn(path)]).sort();
  const tests = files.filter((file) => file.endsWith("_test.ts"));
  const isMatch = filter === undefined ? () => true : matcher(filter);
  // What cannot be loaded is not left out: the run will say why.
  const find = async (): Promise<Listed[]> =>
    (await list(room, tests)).filter(({ name }) => name === undefined || isMatch(name));
  let listed = await find();
  if (await installFor(listed)) listed = await find();
  // Loading a module takes long, so those without a test that runs here are not even looked at.
  const selected = new Set(
    listed.filter(({ lacks }) => lacks.length === 0).map(({ file }) => file),
  );
  if (filter === undefined) {
    const left = tests.filter((file) => !selected.has(file));
    return { listed, args: [`--ignore=${left.join(",")}`, ...SOURCES] };
  }
  for (const file of files) if (isMatch(exampleName(file)) && hasExample(file)) selected.add(file);
  if (listed.length + selected.size === 0) return undefined;
  return { listed, args: selected.size === 0 ? [] : ["--filter", filter, ...selected] };
}

/** All modules in a folder, or the one that a path names. */
function* modulesIn(path: string): Generator<string> {
  if (Deno.statSync(`${PROJECT}/${path}`).isFile) {
    if (path.endsWith(".ts")) yield path;
    return;
  }
  for (const { name } of Deno.readDirSync(`${PROJECT}/${path}`)) {
    yield* modulesIn(`${path}/${name}`);
  }
}

/** What Deno calls the examples of a module, the lines aside, which follow. */
function exampleName(file: string): string {
  return `${toFileUrl(`${PROJECT}/${file}`).href}#`;
}

function hasExample(file: string): boolean {
  return Deno.readTextFileSync(`${PROJECT}/${file}`).includes(" * ```ts\n");
}

async function list(room: string, files: readonly string[]): Promise<Listed[]> {
  const path = `${room}/tests.json`;
  const { code } = await runDeno([
    ...["run", "--allow-all", "--no-check", "test/listing.ts", path],
    ...files,
  ]);
  if (code !== 0) throw new Error("The tests could not be listed: see above");
  return JSON.parse(await Deno.readTextFile(path));
}

/** Installs what some tests would run with; without it they skip themselves. */
async function installFor(listed: readonly Listed[]): Promise<boolean> {
  const wanted = new Map<string, readonly Component[]>();
  for (const { lacks } of listed) {
    if (!lacks.every(isInstallable)) continue;
    for (const { name, obtain } of lacks.filter(isInstallable)) wanted.set(name, obtain);
  }
  for (const components of wanted.values()) await obstacleOf(components);
  return wanted.size > 0;
}

function isInstallable(lack: Lack): lack is Lack & { readonly obtain: readonly Component[] } {
  return typeof lack.obtain === "object";
}

/** Where a test is run, or, if nowhere has what it needs, where it is said to be skipped. */
type TestPlace = "host" | GuestKind;

/** Both are the same system; one is looked at from below, which takes one processor and is slow. */
type GuestKind = "guest" | "guest with the microscope";

/** Where a test runs: in the guest if it can run there, and only there. */
function placeOf({ lacks }: Listed): TestPlace {
  const inGuest = lacks.every(({ obtain }) => obtain === "guest" || obtain === "microscope");
  if (lacks.length === 0 || !inGuest) return "host";
  return lacks.some(({ obtain }) => obtain === "microscope")
    ? "guest with the microscope"
    : "guest";
}

/** Makes sure of components, and says why they cannot be had here if they cannot. */
async function obstacleOf(components: readonly Component[]): Promise<string | undefined> {
  try {
    await ensureSystem({ components });
    return undefined;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return error.message;
  }
}

// === Both at once ===

/**
 * Most tests here wait or run in one thread, so that the guest has a processor meanwhile.
 *
 * @param room Where reports are written.
 * @param selection What runs here; nothing unless that is wanted.
 * @param elsewhere What runs in the guest.
 * @param again Whether what failed runs once more, when all else has ended.
 */
async function runBoth(
  room: string,
  selection: Selection | undefined,
  elsewhere: readonly Listed[],
  again: boolean,
): Promise<{ host: Counts | undefined; guest: Counts | undefined }> {
  const output = new HeldOutput(print);
  const guest = elsewhere.length === 0 ? undefined : guestCounts(room, elsewhere, output);
  const host = selection === undefined ? undefined : runOnHost(room, selection);
  // A signal ends both; the room is theirs until they have.
  await Promise.allSettled([guest, Promise.resolve(host).finally(() => output.release())]);
  const first = { host: await host, guest: await guest };
  if (!again) return first;
  const runGuest = (names: readonly string[]): Promise<Counts> =>
    guestCounts(room, elsewhere.filter(({ name = "" }) => names.includes(name)), output);
  return {
    host: await onceMore(first.host, (names) => runOnHost(room, only(names, selection!))),
    guest: await onceMore(first.guest, runGuest),
  };
}

/** Runs what failed once more, unless it is too much, and tells both runs as one. */
async function onceMore(
  first: Counts | undefined,
  run: (names: readonly string[]) => Promise<Counts>,
): Promise<Counts | undefined> {
  const names = first?.failed.map(({ name }) => name) ?? [];
  if (names.length === 0 || names.length > MOST_AGAIN) return first;
  print(`once more, alone: ${names.join(", ")}\n`);
  return withSecondRun(first!, await run(names));
}

/** Of what runs here, the tests and examples of these names. */
function only(names: readonly string[], { listed }: Selection): Selection {
  const files = listed.filter(({ registered }) => names.includes(registered))
    .map(({ file }) => file);
  const examples = names.filter((name) => name.startsWith("file:"))
    .map((name) => fromFileUrl(name.replace(/#.*/, "")));
  const found = [...new Set([...files, ...examples])];
  return {
    listed: [],
    args: found.length === 0 ? [] : ["--filter", exactly(names), ...found],
  };
}

async function guestCounts(
  room: string,
  tests: readonly Listed[],
  output: HeldOutput,
): Promise<Counts> {
  const missing = await obstacleOf(GUEST_COMPONENTS);
  const counts: Counts[] = [];
  // One after the other: each has a processor of the host's then.
  for (const kind of ["guest", "guest with the microscope"] as const) {
    const own = tests.filter((test) => placeOf(test) === kind);
    if (own.length === 0) continue;
    const obstacle = guestObstacle({ microscope: kind !== "guest" }) ?? missing;
    counts.push(
      obstacle === undefined
        ? await runInGuest(room, kind, own, output)
        : withoutGuest(own, obstacle),
    );
  }
  return sum(counts);
}

function withoutGuest(tests: readonly Listed[], obstacle: string): Counts {
  const skipped = tests.map(({ registered }) => `${registered} (the guest: ${obstacle})`);
  return { passed: 0, failed: [], skipped };
}

// === What came of it ===

function sum(counts: readonly Counts[]): Counts {
  return {
    passed: counts.reduce((passed, each) => passed + each.passed, 0),
    failed: counts.flatMap(({ failed }) => failed),
    skipped: counts.flatMap(({ skipped }) => skipped),
    unsteady: counts.flatMap(({ unsteady = [] }) => unsteady),
  };
}

/** Why what some tests lack is not here, in a line for each thing. */
function reasons(listed: readonly Listed[], skipped: readonly string[]): readonly string[] {
  const names = new Set(skipped);
  const lacks = listed.filter(({ registered }) => names.has(registered))
    .flatMap(({ lacks }) => lacks).filter(({ why }) => why !== "");
  return [...new Set(lacks.map(({ name, why }) => `without ${name}: ${why}`))];
}

async function runOnHost(room: string, { listed, args }: Selection): Promise<Counts> {
  const skipped = listed.filter(({ lacks }) => lacks.length > 0).map(({ registered }) =>
    registered
  );
  if (args.length === 0) return { passed: 0, failed: [], skipped };
  const report = `${room}/host.xml`;
  const { code, hung } = await runDeno([
    ...["test", "--allow-all", "--doc", `--junit-path=${report}`, "--preload=./test/progress.ts"],
    ...args,
  ], { progress: `${room}/progress` });
  const counts = countsOf(report, code, hung, "deno test");
  // What is missing is a part of the name of a test that is skipped, and not meant by a filter.
  const isMeant = (name: string): boolean =>
    listed.some(({ registered }) => name === registered || name.startsWith(`${registered} > `));
  return { ...counts, skipped: [...new Set([...skipped, ...counts.skipped.filter(isMeant)])] };
}

/** The counts of a run that was ended because a test hung, in a file that is known if one began. */
function withHanging({ passed, failed, skipped }: Counts, file: string): Counts {
  const reason = `It had not ended after ${TEST_SECONDS} s. What comes after it did not run.`;
  const name = file === "" ? "deno test, before the first test" : `a test of ${file}`;
  const others = failed.filter((failure) => failure.reason !== CANCELLED);
  const [hanging = { name }] = failed.filter((failure) => failure.reason === CANCELLED);
  return { passed, failed: [...others, { ...hanging, reason }], skipped };
}

/** Runs tests in the guest, which is built when it is first needed. */
async function runInGuest(
  room: string,
  kind: GuestKind,
  tests: readonly Listed[],
  output: HeldOutput,
): Promise<Counts> {
  const files = new Set(tests.map(({ file }) => file));
  // Types are checked outside, where that is much faster.
  const { code: badTypes } = await runDeno(["check", "--quiet", ...files], { output });
  if (badTypes !== 0) {
    return { passed: 0, failed: [{ name: "deno check, see above", reason: "" }], skipped: [] };
  }
  const name = kind.replaceAll(" ", "-");
  const report = `${room}/${name}.xml`;
  const kernelLog = `${room}/${name}.log`;
  const { code, hung } = await runDeno([
    ...["run", "--allow-all", "vm/main.ts", "--out", room, "--time-limit", String(GUEST_SECONDS)],
    ...(kind === "guest" ? [] : ["--microscope"]),
    ...["--kernel-log", kernelLog, "--"],
    ...["deno", "test", "--allow-all", "--no-check", `--junit-path=${report}`],
    ...["--preload=./test/progress.ts", "--filter", exactly(tests.map(({ name }) => name!))],
    "test/together.ts",
  ], {
    progress: `${room}/progress-in-${name}`,
    output,
    env: { [FILES]: JSON.stringify([...files].map((file) => `${PROJECT}/${file}`)) },
  });
  const { passed, failed, skipped } = countsOf(report, code, hung, `deno test in the ${kind}`);
  const complaints = kernelComplaints(readIfThere(kernelLog));
  const ran = passed + failed.length + skipped.length;
  const others: Failure[] = [
    ...ran >= tests.length || failed.length > 0 ? [] : [{
      name: `of ${tests.length} tests the ${kind} ran ${ran}`,
      reason: "",
    }],
    ...complaints.map((line) => ({
      name: `the kernel of the ${kind} complained: ${line}`,
      reason: "",
    })),
    // probe() has said that the guest has it.
    ...skipped.map((name) => ({ name: `the ${kind} cannot run ${name}`, reason: "" })),
  ];
  return { passed, failed: [...failed, ...others], skipped: [] };
}

/** Types that do not fit, a module that throws and a crash fail outside of any test. */
function countsOf(report: string, code: number, hung: string | undefined, what: string): Counts {
  const counts = countTests(readIfThere(report));
  if (hung !== undefined) return withHanging(counts, hung);
  if (code === 0 || counts.failed.length > 0) return counts;
  return { ...counts, failed: [{ name: `${what} (exit code ${code}, see above)`, reason: "" }] };
}

function readIfThere(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** How Deno is run. */
interface RunOptions {
  /** The file in which tests tell that they began, if they do. */
  readonly progress?: string;
  /** Where its output goes; to ours by default. */
  readonly output?: HeldOutput;
  /** What its environment has besides. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs Deno, and ends it when we are to end, or when it makes no progress.
 *
 * @param args Its arguments.
 * @param options What is done with what it tells.
 * @returns How it ended; `hung` is the file in which it made no progress, if it did not.
 * @throws {Interruption} If a signal has ended it.
 */
async function runDeno(
  args: readonly string[],
  { progress, output, env = {} }: RunOptions = {},
): Promise<{ code: number; hung: string | undefined }> {
  const stream = output === undefined ? "inherit" : "piped";
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: PROJECT,
    env: {
      // Tests that become root of a user namespace would look for another home, where none is set.
      HOME: Deno.env.get("HOME") || homedir(),
      ...(progress === undefined ? {} : { [PROGRESS]: progress }),
      ...env,
    },
    stdin: "null",
    stdout: stream,
    stderr: stream,
  }).spawn();
  using watchdog = progress === undefined ? null : new Watchdog(child, progress, TEST_SECONDS);
  let received: EndingSignal | undefined;
  using _listener = onEndingSignal((name, again) => {
    received = name;
    end(child, again ? "SIGKILL" : "SIGTERM");
  });
  const taken = output && Promise.all([output.take(child.stdout), output.take(child.stderr)]);
  const { code } = await child.status;
  await taken;
  if (received !== undefined) throw new Interruption(received);
  return { code, hung: watchdog?.hung };
}

class Interruption extends Error {
  override readonly name = "Interruption";
  readonly code: number;

  constructor(signal: EndingSignal) {
    super(`interrupted by ${signal}`);
    this.code = SIGNAL_EXIT[signal];
  }
}

function end(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended.
  }
}

const print = printer(Deno.stdout);
const printError = printer(Deno.stderr);

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    if (error instanceof Interruption) Deno.exit(error.code);
    printError(describeError(error));
    Deno.exit(exitCode(error));
  }
}
