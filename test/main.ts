/**
 * `deno task test [FILTER]`: runs every test that this machine can run, those that need Linux 7.3 or
 * softnic in the guest, and the examples of the documentation. Its last line is `N passed, N failed`,
 * with `, N skipped` if some were.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { homedir } from "node:os";
import { Room } from "../labs/kit/terminal/room.ts";
import {
  type Component,
  ensureSystem,
  GUEST_COMPONENTS,
  NOTEBOOK_COMPONENTS,
  SetupError,
  TEST_COMPONENTS,
} from "../labs/kit/terminal/setup.ts";
import {
  describeError,
  type EndingSignal,
  EXIT,
  exitCode,
  onEndingSignal,
  printer,
  SIGNAL_EXIT,
} from "../labs/kit/terminal/terminal.ts";
import { guestObstacle } from "../vm/build.ts";
import { kernelComplaints } from "../vm/kernel_log.ts";
import { PROGRESS } from "./progress.ts";
import { Watchdog } from "./watchdog.ts";

/** What is searched for tests and for examples. */
const SOURCES = ["test", "mod.ts", "ffi", "labs", "notebooks", "vm"];

/** The tests that run in the guest. */
const GUEST_SOURCES = "test/guest";

/** Seconds that the guest's tests may take; with software emulation they take some minutes. */
const GUEST_SECONDS = 2400;

/** A test of the host that takes so many seconds hangs; the first one in the guest makes that. */
const TEST_SECONDS = 900;

/** Lines of a failure's reason that are told again at the end. */
const REASON_LINES = 25;

/** The reason that a report gives for a test that was running when the run was interrupted. */
const CANCELLED = "Cancelled";

/** A test that failed, or something else that should not have been. */
export interface Failure {
  /** The test's name. */
  readonly name: string;
  /** What it said, a step that failed included; empty if there is no more to say. */
  readonly reason: string;
}

/** The counts of a report. */
export interface Counts {
  /** Tests that passed. */
  readonly passed: number;
  /** Those that failed. */
  readonly failed: readonly Failure[];
  /** The names of those that this machine cannot run, steps of tests included. */
  readonly skipped: readonly string[];
}

/**
 * Counts the tests of a JUnit report as `deno test` writes it. Steps count with their test; those
 * that a filter left out do not count.
 *
 * @param report The report's text.
 * @returns The counts.
 */
export function countTests(report: string): Counts {
  let passed = 0;
  const failed: { name: string; reason: string }[] = [];
  const skipped: string[] = [];
  let suite = "";
  let test = "";
  const cases = /<testcase\s([^>]*?)\/?>((?:(?!<\/testcase>|<testcase\s)[\s\S])*)/g;
  for (const [, attributes = "", body = ""] of report.matchAll(cases)) {
    const name = attribute(attributes, "name");
    const isSkipped = /<skipped\b/.test(body);
    // What a filter left out never ran, and so has no time.
    if (isSkipped && attribute(attributes, "time") === "") continue;
    const isStep = suite === attribute(attributes, "classname") && name.startsWith(`${test} > `);
    if (isSkipped) skipped.push(name);
    const reason = reasonIn(body);
    if (isStep) {
      if (reason !== undefined && failed.at(-1)?.name === test) {
        failed.at(-1)!.reason += `\n${name}: ${unescaped(reason)}`;
      }
      continue;
    }
    suite = attribute(attributes, "classname");
    test = name;
    if (reason !== undefined) failed.push({ name, reason: unescaped(reason) });
    else if (!isSkipped) passed++;
  }
  return { passed, failed, skipped };
}

/** Why a test failed: a text, or where there is none, as of a cancelled test, its title. */
function reasonIn(body: string): string | undefined {
  const found = /<(?:failure|error)\b([^>]*?)(?:\/>|>([\s\S]*?)<\/(?:failure|error)>)/.exec(body);
  return found === null ? undefined : found[2] ?? attribute(found[1]!, "message");
}

function attribute(attributes: string, name: string): string {
  return unescaped(new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1] ?? "");
}

function unescaped(text: string): string {
  const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replace(/&(\w+);/g, (whole, entity) => entities[entity] ?? whole);
}

/**
 * The last line of a run.
 *
 * @param counts The counts.
 * @returns The line, without a newline.
 */
export function summaryLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed.length} failed` +
    (skipped.length === 0 ? "" : `, ${skipped.length} skipped`);
}

/** The end of a long log is what is read first: what failed says there why. */
function failureText({ name, reason }: Failure): string {
  const lines = reason.split("\n").filter((line) => line.trim() !== "").slice(0, REASON_LINES);
  return [`failed: ${name}`, ...lines.map((line) => `  ${line}`)].join("\n") + "\n";
}

async function main(args: readonly string[]): Promise<number> {
  const filters = args[0] === "--" ? args.slice(1) : args;
  const [filter] = filters;
  if (filters.length > 1 || filter?.startsWith("-") || filter?.trim() === "") {
    printError(`Usage: deno task test [FILTER], not ${filters.join(" ").trim() || '""'}\n`);
    return EXIT.badArguments;
  }
  await ensureSystem({ components: TEST_COMPONENTS });
  // Without these the tests that need them skip themselves by name.
  await obstacleOf(NOTEBOOK_COMPONENTS);
  if (guestObstacle() === undefined) await obstacleOf(GUEST_COMPONENTS);

  using own = Room.open("test");
  const room = own.folder;
  const runs: Run[] = [await runOnHost(room, filter)];
  if (runs[0]!.signal === undefined) runs.push(await runInGuest(room, filter));
  const signal = runs.find((run) => run.signal !== undefined)?.signal;
  if (signal !== undefined) return SIGNAL_EXIT[signal];
  const counts = sum(runs.map((run) => run.counts));
  for (const name of counts.skipped) print(`skipped: ${name}\n`);
  for (const failure of counts.failed) print(failureText(failure));
  if (counts.passed + counts.failed.length === 0) printError("No test ran.\n");
  print(`${summaryLine(counts)}\n`);
  return counts.failed.length > 0 || counts.passed === 0 ? EXIT.failed : EXIT.done;
}

/** What came of some tests. */
interface Run {
  readonly counts: Counts;
  /** The signal that ended them, if one did. */
  readonly signal: EndingSignal | undefined;
}

const NOTHING: Counts = { passed: 0, failed: [], skipped: [] };

function sum(all: readonly Counts[]): Counts {
  return {
    passed: all.reduce((passed, counts) => passed + counts.passed, 0),
    failed: all.flatMap((counts) => counts.failed),
    skipped: all.flatMap((counts) => counts.skipped),
  };
}

async function runOnHost(room: string, filter: string | undefined): Promise<Run> {
  const report = `${room}/host.xml`;
  const { code, signal, hung } = await runDeno([
    ...["test", "--allow-all", "--doc", `--ignore=${GUEST_SOURCES}`, `--junit-path=${report}`],
    "--preload=./test/progress.ts",
    ...filtering(filter),
    ...SOURCES,
  ], `${room}/progress`);
  if (hung === undefined) return { counts: countsOf(report, code, "deno test"), signal };
  return { counts: withHanging(countTests(readIfThere(report)), hung), signal };
}

/** The counts of a run that was ended because a test hung, in a file that is known if one began. */
function withHanging({ passed, failed, skipped }: Counts, file: string): Counts {
  const reason = `It had not ended after ${TEST_SECONDS} s. What comes after it did not run.`;
  const name = file === "" ? "deno test, before the first test" : `a test of ${file}`;
  const others = failed.filter((failure) => failure.reason !== CANCELLED);
  const [hanging = { name }] = failed.filter((failure) => failure.reason === CANCELLED);
  return { passed, failed: [...others, { ...hanging, reason }], skipped };
}

/** Where the guest cannot be made, its tests are skipped, and said to be. */
async function runInGuest(room: string, filter: string | undefined): Promise<Run> {
  const obstacle = guestObstacle() ?? await obstacleOf(GUEST_COMPONENTS);
  if (obstacle !== undefined) {
    const skipped = [`all of ${GUEST_SOURCES}, which run in the guest: ${obstacle}`];
    return { counts: { ...NOTHING, skipped }, signal: undefined };
  }
  // Types are checked outside, where that is much faster.
  const { code: badTypes } = await runDeno(["check", "--quiet", GUEST_SOURCES]);
  if (badTypes !== 0) {
    return {
      counts: { ...NOTHING, failed: [{ name: `deno check ${GUEST_SOURCES}`, reason: "" }] },
      signal: undefined,
    };
  }
  const report = `${room}/guest.xml`;
  const kernelLog = `${room}/kernel.log`;
  const { code, signal } = await runDeno([
    ...["task", "vm", "--out", room, "--time-limit", String(GUEST_SECONDS)],
    ...[
      "--kernel-log",
      kernelLog,
      "--",
      "deno",
      "test",
      "--allow-all",
      "--no-check",
      `--junit-path=${report}`,
    ],
    ...filtering(filter),
    GUEST_SOURCES,
  ]);
  const counts = countsOf(report, code, "deno test in the guest");
  const complaints = kernelComplaints(readIfThere(kernelLog));
  const failed = complaints.map((line) => ({
    name: `the guest's kernel complained: ${line}`,
    reason: "",
  }));
  return { counts: { ...counts, failed: [...counts.failed, ...failed] }, signal };
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

function filtering(filter: string | undefined): string[] {
  return filter === undefined ? [] : ["--filter", filter];
}

/** Types that do not fit, a module that throws and a crash fail outside of any test. */
function countsOf(report: string, code: number, what: string): Counts {
  const counts = countTests(readIfThere(report));
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

/**
 * Runs Deno with its output on ours, and ends it when we are to end, or when it makes no progress.
 *
 * @param args Its arguments.
 * @param progress The file in which tests tell that they began, if they do.
 */
async function runDeno(
  args: readonly string[],
  progress?: string,
): Promise<{ code: number; signal: EndingSignal | undefined; hung: string | undefined }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: fromFileUrl(new URL("..", import.meta.url)),
    env: {
      // Tests that become root of a user namespace would look for another home, where none is set.
      HOME: Deno.env.get("HOME") || homedir(),
      ...(progress === undefined ? {} : { [PROGRESS]: progress }),
    },
    stdin: "null",
  }).spawn();
  using watchdog = progress === undefined ? null : new Watchdog(child, progress, TEST_SECONDS);
  let received: EndingSignal | undefined;
  using _listener = onEndingSignal((name, again) => {
    received = name;
    end(child, again ? "SIGKILL" : "SIGTERM");
  });
  const { code } = await child.status;
  return { code, signal: received, hung: watchdog?.hung };
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
    printError(describeError(error));
    Deno.exit(exitCode(error));
  }
}
