/**
 * `deno task test [FILTER]`: runs every test that this machine can run, and the examples of the
 * documentation. Its last line is `N passed, N failed`, with `, N skipped` if some were.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { ensureSystem, TEST_COMPONENTS } from "../labs/kit/setup.ts";
import {
  describeError,
  type EndingSignal,
  EXIT,
  exitCode,
  onEndingSignal,
  printer,
  SIGNAL_EXIT,
} from "../labs/kit/terminal.ts";

/** What is searched for tests and for examples. */
const SOURCES = ["test", "mod.ts", "ffi", "labs"];

/** The counts of a report. */
export interface Counts {
  /** Tests that passed. */
  readonly passed: number;
  /** The names of those that failed. */
  readonly failed: readonly string[];
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
  const failed: string[] = [];
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
    if (isStep) continue;
    suite = attribute(attributes, "classname");
    test = name;
    if (/<(failure|error)\b/.test(body)) failed.push(name);
    else if (!isSkipped) passed++;
  }
  return { passed, failed, skipped };
}

function attribute(attributes: string, name: string): string {
  const value = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
  const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return value.replace(/&(\w+);/g, (whole, entity) => entities[entity] ?? whole);
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

async function main(args: readonly string[]): Promise<number> {
  const filters = args[0] === "--" ? args.slice(1) : args;
  const [filter] = filters;
  if (filters.length > 1 || filter?.startsWith("-")) {
    printError(`Usage: deno task test [FILTER], not ${filters.join(" ")}\n`);
    return EXIT.badArguments;
  }
  await ensureSystem({ components: TEST_COMPONENTS });

  const report = Deno.makeTempFileSync({ prefix: "zclab-test-", suffix: ".xml" });
  try {
    const { code, signal } = await runTests(report, filter);
    if (signal !== undefined) return SIGNAL_EXIT[signal];
    const counts = countTests(Deno.readTextFileSync(report));
    // Types that do not fit, a module that throws and a crash fail outside of any test.
    const failed = code !== 0 && counts.failed.length === 0
      ? [`deno test (exit code ${code}, see above)`]
      : counts.failed;
    for (const name of counts.skipped) print(`skipped: ${name}\n`);
    for (const name of failed) print(`failed: ${name}\n`);
    if (counts.passed + failed.length === 0) printError("No test ran.\n");
    print(`${summaryLine({ ...counts, failed })}\n`);
    return failed.length > 0 || counts.passed === 0 ? EXIT.failed : EXIT.done;
  } finally {
    Deno.removeSync(report);
  }
}

/** Runs `deno test` with its output on ours, and ends it when we are to end. */
async function runTests(
  report: string,
  filter: string | undefined,
): Promise<{ code: number; signal: EndingSignal | undefined }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "test",
      "--allow-all",
      "--doc",
      `--junit-path=${report}`,
      ...(filter === undefined ? [] : ["--filter", filter]),
      ...SOURCES,
    ],
    cwd: fromFileUrl(new URL("..", import.meta.url)),
    stdin: "null",
  }).spawn();
  let received: EndingSignal | undefined;
  using _listener = onEndingSignal((name, again) => {
    received = name;
    end(child, again ? "SIGKILL" : "SIGTERM");
  });
  const { code } = await child.status;
  return { code, signal: received };
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
