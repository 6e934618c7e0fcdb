/**
 * `deno task lab [NAME] [options]`: runs an experiment.
 *
 * @module
 */
import { bold, dim, green, setColorEnabled, yellow } from "@std/fmt/colors";
import { CATALOGUE } from "./catalogue.ts";
import { helpText, parseLabCommand } from "./kit/command_line.ts";
import { type Lab, labContext, OptionError, type ProgressReporter } from "./kit/lab.ts";
import { probe, type ProbeItem } from "./kit/probe.ts";
import { Progress } from "./kit/progress.ts";
import { checkWritable, RunDocumentError, writeRunDocument } from "./kit/run_document.ts";
import { ensureSystem } from "./kit/setup.ts";
import {
  describeError,
  type EndingSignal,
  EXIT,
  exitCode,
  isDebugging,
  onEndingSignal,
  printer,
  SIGNAL_EXIT,
} from "./kit/terminal.ts";

/** What the command works with; a test gives its own. */
export interface Surroundings {
  /** The labs there are; the first one runs when none is named. */
  readonly catalogue: readonly Lab[];
  /** Where results go. */
  readonly print: (text: string) => void;
  /** Where everything else goes: progress, errors. */
  readonly printError: (text: string) => void;
  /** Makes sure that the system has what the labs use. */
  readonly ensureSystem: () => Promise<void>;
  /** Shows how far a run is, until it is disposed or the signal aborts. */
  readonly progress: (signal: AbortSignal) => ProgressReporter & Disposable;
  /** Whether errors are shown with the place where they arose. */
  readonly debug: boolean;
}

/** A signal ended the run. */
class Interruption extends Error {
  override readonly name = "Interruption";
  readonly code: number;

  constructor(signal: EndingSignal) {
    super(`interrupted by ${signal}`);
    this.code = SIGNAL_EXIT[signal];
  }
}

/**
 * Does what the arguments ask for.
 *
 * @param args The arguments.
 * @param surroundings What the command works with.
 * @returns The exit code.
 */
export async function main(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { catalogue, print, printError } = surroundings;
  let debug = surroundings.debug;
  using interruption = listen(printError);
  try {
    const request = parseLabCommand(args, catalogue);
    if (request.kind === "help") {
      print(helpText(request.lab, catalogue));
      return EXIT.done;
    }
    if (request.kind === "list") {
      print(await list(catalogue));
      return EXIT.done;
    }
    debug ||= request.debug;
    return await run(request.lab, request.given, interruption.signal, surroundings);
  } catch (error) {
    const reason = interruption.signal.reason;
    if (reason instanceof Interruption) {
      if (debug) printError(describeError(error, debug));
      printError(`${reason.message}: cleaned up; no document was written\n`);
      return reason.code;
    }
    printError(describeError(error, debug));
    return exitCode(error);
  }
}

async function run(
  lab: Lab,
  given: Parameters<typeof labContext>[1],
  signal: AbortSignal,
  { print, printError, progress, ensureSystem }: Surroundings,
): Promise<number> {
  using bar = progress(signal);
  const context = labContext(lab, { ...given, signal, progress: bar, write: print });
  if (context.json !== undefined) await requireWritable(context.json);
  await ensureSystem();
  signal.throwIfAborted();
  const missing = (await probe()).missing(lab.needs);
  if (missing.length > 0) {
    printError(`${lab.name} is not possible on this machine:\n`);
    for (const item of missing) printError(`  ${missingLine(item, lab)}\n`);
    printError("deno task doctor shows all that works here, and what does not.\n");
    return EXIT.notPossible;
  }
  const outcome = await lab.run(context);
  bar[Symbol.dispose]();
  // A lab that did not notice the interruption has still not done what was asked for.
  signal.throwIfAborted();
  print(outcome.text.endsWith("\n") ? outcome.text : `${outcome.text}\n`);
  if (context.json !== undefined) {
    await writeRunDocument(context.json, outcome.document);
    printError(`The run is in ${context.json}\n`);
  }
  return EXIT.done;
}

/** A run takes a minute: that its document cannot be written should be known before. */
async function requireWritable(path: string): Promise<void> {
  try {
    await checkWritable(path);
  } catch (error) {
    if (!(error instanceof RunDocumentError)) throw error;
    throw new OptionError(`--json: ${error.message}`);
  }
}

/** The labs, what each needs, and whether that is there. */
async function list(catalogue: readonly Lab[]): Promise<string> {
  const here = await probe();
  const lines: string[] = [];
  for (const lab of catalogue) {
    const missing = here.missing(lab.needs);
    const state = missing.length === 0
      ? green("real here")
      : missing.every((item) => item.state !== "no")
      ? yellow("real in the guest")
      : yellow("not possible here");
    lines.push(`${bold(lab.name)}  ${state}`, `  ${lab.title}`);
    lines.push(dim(`  needs: ${lab.needs.join(", ") || "nothing"}`));
    for (const item of missing) lines.push(`  ${missingLine(item, lab)}`);
  }
  return lines.join("\n") + "\n";
}

function missingLine({ name, why, command: general }: ProbeItem, lab: Lab): string {
  // What runs in the guest runs this lab there.
  const command = general?.replace(/\bCOMMAND$/, `deno task lab ${lab.name}`);
  return `${name}: ${why}` + (command === undefined ? "" : `; what would change it: ${command}`);
}

/** Turns the first signal into an abort, and lets the second one end the process at once. */
function listen(printError: (text: string) => void): Disposable & { signal: AbortSignal } {
  const controller = new AbortController();
  const listener = onEndingSignal((name, again) => {
    if (again) Deno.exit(SIGNAL_EXIT[name]);
    controller.abort(new Interruption(name));
    printError(`\n${name}: stopping and cleaning up; once more ends at once\n`);
  });
  return { signal: controller.signal, [Symbol.dispose]: () => listener[Symbol.dispose]() };
}

/**
 * The surroundings of the command on this machine.
 *
 * @param catalogue The labs there are.
 * @returns The terminal, the system's set-up and the environment's settings.
 */
export function terminalSurroundings(catalogue: readonly Lab[]): Surroundings {
  return {
    catalogue,
    print: printer(Deno.stdout),
    printError: printer(Deno.stderr),
    ensureSystem,
    progress: (signal) => new Progress({ signal }),
    debug: isDebugging(),
  };
}

if (import.meta.main) {
  setColorEnabled(Deno.stdout.isTerminal() && !Deno.noColor);
  Deno.exit(await main(Deno.args, terminalSurroundings(CATALOGUE)));
}
