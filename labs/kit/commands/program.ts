/**
 * A command as the whole process: how its errors are shown, and how it ends.
 *
 * @module
 */
import { ExplainedError, type Remedy } from "../../../ffi/kernel/errors.ts";
import { TrialError } from "../experiment/experiment.ts";
import { RunError } from "../run/run_error.ts";
import { EXIT, Interruption, printer } from "../terminal/terminal.ts";

/** What of zclab helps, as it is typed. */
const REMEDIES: Readonly<Record<Remedy, string>> = {
  guest: "In the guest: deno task vm -- COMMAND",
  microscope: "In the guest, with the microscope: deno task vm --microscope -- COMMAND",
  doctor: "What works here: deno task doctor",
};

/**
 * The text with which an error is shown: its message alone where that explains it, with the place
 * where it arose where it is a mistake in a program, and when debugging.
 *
 * @param error What was thrown.
 * @param debug Whether to show the place in any case; by default if `ZCLAB_DEBUG=1`.
 * @returns The text, ending with a newline.
 */
export function describeError(error: unknown, debug: boolean = isDebugging()): string {
  const root = rootOf(error);
  // The run is told by its files.
  const told = error instanceof RunError ? error.cause : error;
  const text = debug || !(told instanceof Error)
    ? Deno.inspect(told)
    : isExplained(root)
    ? told.message
    : told instanceof TrialError && root instanceof Error
    ? `${told.message}\n${placeText(root)}--debug shows all of where it arose`
    : Deno.inspect(told);
  const remedy = root instanceof ExplainedError && root.remedy !== undefined
    ? `${REMEDIES[root.remedy]}\n`
    : "";
  return `${root instanceof Interruption ? "" : "error: "}${text}\n${remedy}`;
}

/** Where an error arose in a lab: the innermost line that is not zclab's own; empty if there is none. */
function placeText({ stack = "" }: Error): string {
  const own = [new URL("../", import.meta.url), new URL("../../../ffi/", import.meta.url)];
  const place = stack.split("\n").find((line) =>
    /^ +at .*\bfile:/.test(line) && !own.some(({ href }) => line.includes(href))
  );
  return place === undefined ? "" : `${place}\n`;
}

/** Whether the message says what is wrong and what to do, as those of the system's errors do. */
function isExplained(error: unknown): boolean {
  return error instanceof ExplainedError ||
    Object.values(Deno.errors).some((type) => error instanceof type);
}

/**
 * The exit code for an error.
 *
 * @param error What was thrown.
 * @returns One of {@linkcode EXIT}.
 */
export function exitCode(error: unknown): number {
  const root = rootOf(error);
  return root instanceof ExplainedError ? root.exitCode : EXIT.failed;
}

/**
 * Runs a command as the whole process: tells its error and ends with its exit code.
 *
 * @param main The command; given the arguments, it returns the exit code.
 */
export async function runProgram(
  main: (args: readonly string[]) => number | Promise<number>,
): Promise<never> {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    printer(Deno.stderr)(describeError(error));
    Deno.exit(exitCode(error));
  }
}

/** What a trial or a run failed of, or the error itself if it is neither's. */
function rootOf(error: unknown): unknown {
  const wraps = error instanceof RunError || error instanceof TrialError;
  return wraps ? rootOf(error.cause) : error;
}

/** Whether `ZCLAB_DEBUG` asks for the place of errors. */
export function isDebugging(): boolean {
  return (Deno.env.get("ZCLAB_DEBUG") ?? "0") !== "0";
}
