/**
 * What came of a run of tests, from the report that `deno test` writes.
 *
 * @module
 */

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
  /** Those that failed and then passed alone, which count as passed: why they had failed. */
  readonly unsteady?: readonly Failure[];
}

/** Lines of a failure's reason that are told again at the end. */
const REASON_LINES = 25;

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
 * The counts in a line, as in the last one of a run.
 *
 * @param counts The counts.
 * @returns The line, without a newline.
 */
export function summaryLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed.length} failed` +
    (skipped.length === 0 ? "" : `, ${skipped.length} skipped`);
}

/**
 * What came of a run whose failed tests ran once more, alone.
 *
 * @param first What came of all.
 * @param second What came of those that had failed.
 * @returns The counts of both: what passed the second time is told as unsteady.
 */
export function withSecondRun(first: Counts, second: Counts): Counts {
  const stillFails = new Set(second.failed.map(({ name }) => name));
  const unsteady = first.failed.filter(({ name }) => !stillFails.has(name));
  // What neither passed nor failed did not run, and so has not passed.
  if (second.passed !== unsteady.length) return first;
  const { skipped } = first;
  return { passed: first.passed + second.passed, failed: second.failed, skipped, unsteady };
}

/**
 * What failed, and why: the end of a long log is what is read first.
 *
 * @param failure The failure.
 * @param what What is said of it.
 * @returns Lines, each with its newline.
 */
export function failureText({ name, reason }: Failure, what = "failed"): string {
  const lines = reason.split("\n").filter((line) => line.trim() !== "").slice(0, REASON_LINES);
  return [`${what}: ${name}`, ...lines.map((line) => `  ${line}`)].join("\n") + "\n";
}
