/**
 * A lab's run, made in the guest for a program or a notebook of the host.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { ExplainedError, UnsupportedError } from "../../../ffi/kernel/errors.ts";
import { displayedAs } from "../experiment/displayed_as.ts";
import type { Clock } from "../trials/clock.ts";
import { displayOutcome } from "../lab/display_outcome.ts";
import { type Lab, labContext, type LabOutcome, type RunOptions } from "../lab/lab.ts";
import { type LabOptions, OptionError } from "../options/options.ts";
import { EXIT } from "../terminal/terminal.ts";
import { readRunDocument } from "../run/run_document.ts";

/** A run in the guest failed; the message ends with the last of what was said there. */
export class GuestRunError extends ExplainedError {
  /** The name of the class. */
  override readonly name = "GuestRunError";
}

/** In what kind of guest a lab runs. */
export interface GuestChoice {
  /**
   * What its clock counts: time, or each instruction as a nanosecond, so that a run gives the same
   * numbers again on any host. Time unless given.
   */
  readonly clock?: Clock;
  /**
   * Whether the microscope looks at it, where the clock counts instructions. Unless given it
   * does for a lab that needs that, and with `look`.
   */
  readonly microscope?: boolean;
}

/** Between the text for people and the run document. */
const SEPARATOR = "\x1e";

/** Runs a lab, and writes its run document behind its text, also if it was stopped. */
const SCRIPT = `deno run --allow-all labs/main.ts "$@" --json /tmp/run.json
status=$?
printf '\\036'
[ ! -e /tmp/run.json ] || cat /tmp/run.json
exit $status`;

/** How many of the last lines that were said are worth showing. */
const LINES_SHOWN = 8;

/** What came of a command. */
interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a lab in the guest, Linux 7.3 with a software NIC, and returns the result here, as `runLab`
 * does where a lab runs. If no guest of the kind stays, one is started, which ends with this process (a
 * notebook's kernel, the REPL); where it was never made, it is made first, which takes root and some
 * minutes. One guest of each kind can stay at the same time. With `look` it is the one with the microscope,
 * which counts instructions.
 *
 * @param lab The lab: one of zclab's, or one of a file in zclab's folder.
 * @param options What differs from the lab's defaults, and the kind of guest. Progress is not shown.
 * @returns What the lab found; shown in a REPL as text, in a notebook as text and a plot. If the signal
 *   stopped the run, what was measured until then.
 * @throws {OptionError} If an option is unknown or has a value that the lab does not accept.
 * @throws {UnsupportedError} If the guest is not possible here, or not made and this is not root, or if
 *   the guest lacks something that the lab needs.
 * @throws {GuestRunError} If the run fails.
 * @throws The signal's reason, if it was aborted before anything was measured.
 *
 * @example In a notebook's cells, each with a lab of `zclab/labs`
 * ```ts ignore
 * await inGuest(rxZcrx, { quick: true });
 * // Instructions for each request, the same ones on any laptop.
 * await inGuest(txCopyVsZc, { quick: true, clock: "instructions" });
 * // Who copies; the lab needs the microscope, so the guest has it.
 * await inGuest(whereCopies, { quick: true });
 * ```
 */
export async function inGuest<Options extends LabOptions>(
  lab: Lab<Options>,
  options: RunOptions<Options> & GuestChoice = {},
): Promise<LabOutcome> {
  const { signal } = options;
  const args = argumentsOf(lab, options);
  const kind = guestArguments(lab, options);
  signal?.throwIfAborted();
  requireDone(
    await vm([...kind, "--owner", String(Deno.pid), "start"], signal),
    "Starting the guest",
    signal,
  );
  const said = await vm([...kind, "--", "sh", "-c", SCRIPT, "sh", ...args], signal);
  const [text = "", document = ""] = said.stdout.split(SEPARATOR);
  // A run that was stopped has a document, too.
  if (document === "" || !signal?.aborted) requireDone(said, `${lab.name} in the guest`, signal);
  const outcome = { text, document: readRunDocument(document) };
  return displayedAs(outcome, () => displayOutcome(outcome), () => outcome.text);
}

/**
 * What `deno task vm` is told of the kind of guest.
 *
 * @param lab The lab that is to run in it.
 * @param choice What is asked for.
 * @returns The options.
 */
export function guestArguments(
  { needs }: Pick<Lab, "needs">,
  { look, clock, microscope = look !== undefined || needs.includes("microscope") }:
    & GuestChoice
    & Pick<RunOptions, "look"> = {},
): string[] {
  if (microscope) return ["--microscope", ...(clock === undefined ? [] : [`--clock=${clock}`])];
  return [`--clock=${clock ?? "time"}`];
}

/**
 * Whether a guest stays that `deno task vm start` has booted, so that a run in it begins at once.
 *
 * @param kind Which kind, as {@linkcode guestArguments} says it.
 * @returns Whether one does; never throws.
 */
export async function guestStays(kind: readonly string[]): Promise<boolean> {
  try {
    return (await vm([...kind, "status"], undefined)).code === EXIT.done;
  } catch (error) {
    if (error instanceof UnsupportedError) return false;
    throw error;
  }
}

/**
 * What `deno task lab` is told to run a lab with the same options.
 *
 * @param lab The lab.
 * @param options What differs from its defaults.
 * @returns The arguments.
 * @throws {OptionError} If an option is unknown or has a value that the lab does not accept.
 */
export function argumentsOf<Options extends LabOptions>(
  lab: Lab<Options>,
  options: RunOptions<Options>,
): string[] {
  const { record: { invocation } } = labContext(lab, options);
  const own = Object.entries(invocation.options).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : value === false ? [] : [`--${name}=${String(value)}`]
  );
  return [
    lab.file?.path ?? lab.name,
    ...own,
    ...(invocation.quick ? ["--quick"] : []),
    ...(invocation.repeats === null ? [] : [`--repeats=${invocation.repeats}`]),
    `--seed=${invocation.seed}`,
    ...lookArguments(options),
  ];
}

/** What is asked to be looked at. A drawing is asked for as well: what was seen comes in the document. */
function lookArguments({ look }: Pick<RunOptions, "look">): string[] {
  if (look === undefined) return [];
  const { row, against, changes = false } = look;
  return [
    ...(row === undefined ? [] : [`--row=${row}`]),
    ...(against === undefined ? [] : [`--against=${against}`]),
    `--${changes ? "changes" : "flame"}=/tmp/view.svg`,
  ];
}

/** Runs `deno task vm`. */
async function vm(args: readonly string[], signal: AbortSignal | undefined): Promise<Said> {
  const program = new URL("../../../vm/main.ts", import.meta.url);
  if (program.protocol !== "file:") {
    throw new UnsupportedError("The guest of a zclab that was not loaded from files", {
      advice: "Use a checkout of zclab",
    });
  }
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", fromFileUrl(program), ...args],
    cwd: fromFileUrl(new URL("../../..", import.meta.url)),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  // The lab stops after its trial, and keeps what it has.
  const interrupt = (): void => child.kill("SIGINT");
  signal?.addEventListener("abort", interrupt);
  try {
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } finally {
    signal?.removeEventListener("abort", interrupt);
  }
}

function requireDone({ code, stderr }: Said, what: string, signal: AbortSignal | undefined): void {
  if (code === EXIT.done) return;
  signal?.throwIfAborted();
  const lines = stderr.trim().split("\n").slice(-LINES_SHOWN).join("\n").replace(/^error: /m, "");
  if (code === EXIT.badArguments) throw new OptionError(`${what}: ${lines}`);
  if (code === EXIT.notPossible) throw new UnsupportedError(what, { advice: lines });
  throw new GuestRunError(`${what} failed (exit status ${code}): ${lines}`);
}
