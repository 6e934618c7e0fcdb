/**
 * What `deno task repl` adds to Deno's own prompt: what all entry points export, `labs`,
 * `help`, and a Ctrl-C that ends what is awaited. The task evaluates {@linkcode prepare} before the
 * first prompt.
 *
 * @module
 */
import { type Library, loadLibrary } from "./library.ts";
import type { Lab, LabOutcome, RunOptions } from "../lab/lab.ts";
import type { LabOptions } from "../options/options.ts";
import { makeHelp } from "./help.ts";
import { Interrupter } from "./interrupt.ts";
import { Progress } from "../terminal/progress.ts";
import { ensureSystem } from "../terminal/setup.ts";
import { printer, SIGNAL_EXIT } from "../terminal/terminal.ts";
import { describeError, exitCode } from "../commands/program.ts";

/** The labs by name, shown as a list with their titles. */
export type LabsByName = Readonly<Record<string, Lab>>;

/**
 * Makes sure of the system, puts everything in scope, and greets. Where the system lacks something
 * that cannot be installed, it says so and ends the process with exit code 77.
 *
 * @param scope Where the names go: the REPL's global object.
 */
export async function prepare(scope: object): Promise<void> {
  try {
    await ensureSystem();
    const [library, { CATALOGUE }] = await Promise.all([
      loadLibrary(),
      import("../../catalogue.ts"),
    ]);
    const interrupter = new Interrupter({
      print: printer(Deno.stderr),
      leave: () => Deno.exit(SIGNAL_EXIT.SIGINT),
    });
    const names = {
      ...library,
      ...interruptible(library, interrupter),
      labs: labsByName(CATALOGUE),
    };
    Object.assign(scope, names, { help: makeHelp({ names, labs: CATALOGUE }) });
    Deno.addSignalListener("SIGINT", () => void interrupter.interrupt());
    printer(Deno.stdout)(banner());
  } catch (error) {
    // Deno's prompt would go on without what failed to load, as if nothing had happened.
    printer(Deno.stderr)(describeError(error));
    Deno.exit(exitCode(error));
  }
}

function banner(): string {
  return `zclab: Linux zero-copy networking. Linux ${Deno.osRelease()}, Deno ${Deno.version.deno}\n` +
    "help() lists what is in scope, help(probe) explains one thing, labs are the\n" +
    "experiments. Ctrl-C ends what is awaited, Ctrl-D the REPL, Ctrl-\\ kills it\n";
}

/**
 * What takes part in Ctrl-C: rings are remembered from here on, and labs and experiments get a
 * signal. Labs show how far they are, too.
 */
function interruptible(
  library: Library,
  interrupter: Interrupter,
): Pick<Library, "runLab" | "runOrRecorded" | "inGuest" | "replay" | "experiment"> {
  const { Ring } = library;
  const open = Ring.open;
  Ring.open = (options): ReturnType<typeof open> => interrupter.watch(open(options));
  return {
    runLab: <Options extends LabOptions>(
      lab: Lab<Options>,
      options: RunOptions<Options> = {},
    ): Promise<LabOutcome> =>
      interrupter.run(async (signal) => {
        using progress = new Progress({ signal });
        return await library.runLab(lab, { progress, ...options, signal });
      }, options.signal),
    runOrRecorded: (lab, options, recording) =>
      interrupter.run(async (signal) => {
        using progress = new Progress({ signal });
        return await library.runOrRecorded(lab, { progress, ...options, signal }, recording);
      }, options.signal),
    inGuest: (lab, options = {}) =>
      interrupter.run(
        (signal) => library.inGuest(lab, { ...options, signal }),
        options.signal,
      ),
    replay: (document, lab, given = {}) =>
      interrupter.run(async (signal) => {
        using progress = new Progress({ signal });
        return await library.replay(document, lab, { progress, ...given, signal });
      }, given.signal),
    experiment: (options) =>
      interrupter.run(
        (signal) => library.experiment({ ...options, signal }),
        options.signal,
      ),
  };
}

/**
 * The labs by name.
 *
 * @param catalogue The labs.
 * @returns An object with a lab under each name.
 */
export function labsByName(catalogue: readonly Lab[]): LabsByName {
  const labs: Record<string, Lab> = {};
  for (const lab of catalogue) labs[lab.name] = lab;
  const lines = catalogue.map(({ name, title }) => `  ${name}: ${title}`);
  const text = [...lines, `run one: await runLab(labs["${catalogue[0]?.name}"], { quick: true })`];
  return Object.defineProperty(labs, Symbol.for("Deno.customInspect"), {
    value: (): string => text.join("\n"),
    enumerable: false,
  });
}
