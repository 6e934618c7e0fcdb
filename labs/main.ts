/**
 * `deno task lab [NAME] [options]`: runs an experiment, repeats a run, or compares two.
 *
 * @module
 */
import { CATALOGUE } from "./catalogue.ts";
import { requireWritable } from "./kit/options/arguments.ts";
import {
  helpText,
  isText,
  labFileAmong,
  parseLabCommand,
  parseReplay,
  RUN_FILES,
  type RunFiles,
} from "./kit/commands/lab.ts";
import { loadLab, writeNewLab } from "./kit/lab/lab_file.ts";
import { codeOf } from "./kit/lab/own_file.ts";
import { labFileWord, labTask, shellWord, userFolder } from "./kit/lab/lab_command.ts";
import { compareRuns, isDifferent, type RunComparison } from "./kit/run/compare_runs.ts";
import { formatComparison, formatDifferences } from "./kit/run/comparison_text.ts";
import { toCsv } from "./kit/run/csv.ts";
import { environment } from "./kit/experiment/environment.ts";
import { guardExit, type GuardRequest, sayOnce } from "./kit/terminal/exit_guard.ts";
import {
  type Lab,
  labContext,
  type LabOutcome,
  neededBy,
  outcomeOf,
  type ProgressReporter,
  type RunOptions,
} from "./kit/lab/lab.ts";
import { OptionError } from "./kit/options/options.ts";
import { RunError } from "./kit/run/run_error.ts";
import type { RowDeclaration } from "./kit/run/run_rows.ts";
import { probe } from "./kit/probe/probe.ts";
import type { ProbeItem } from "./kit/probe/requirements.ts";
import { Progress } from "./kit/terminal/progress.ts";
import { formatReplay, REPLAY_NAMES, replayOptions, requireRows } from "./kit/commands/replay.ts";
import {
  formatRunDocument,
  readRunDocument,
  type RunDocument,
  RunDocumentError,
} from "./kit/run/run_document.ts";
import { type RunDifference, runDifferences } from "./kit/run/run_differences.ts";
import { ensureSystem } from "./kit/terminal/setup.ts";
import { styled } from "./kit/text/table.ts";
import {
  EXIT,
  Interruption,
  onEndingSignal,
  printer,
  SIGNAL_EXIT,
} from "./kit/terminal/terminal.ts";
import { describeError, exitCode, isDebugging, runProgram } from "./kit/commands/program.ts";
import { writeWhole } from "./kit/files/whole_file.ts";

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
  /** Ends the process at the second signal even while a trial blocks, until it is disposed. */
  readonly guard?: (request: GuardRequest) => Disposable;
}

/**
 * Does what the arguments ask for.
 *
 * @param line The arguments.
 * @param surroundings What the command works with.
 * @returns The exit code.
 */
export async function main(
  line: readonly string[],
  surroundings: Surroundings,
): Promise<number> {
  const { print, printError } = surroundings;
  let debug = surroundings.debug;
  using interruption = listen(printError);
  try {
    const { args, catalogue } = await withLabFile(line, surroundings.catalogue);
    const request = parseLabCommand(args, catalogue);
    if (request.kind === "new") {
      print(newLabText(await writeNewLab(request.name, userFolder())));
      return EXIT.done;
    }
    if (request.kind === "help") {
      print(helpText(request.lab, catalogue));
      return EXIT.done;
    }
    if (request.kind === "list") {
      print(await list(catalogue));
      return EXIT.done;
    }
    if (request.kind === "replay") {
      const document = await openDocument("replay", request.file);
      const lab = labOf(document, request.file, catalogue);
      const asked = parseReplay(args, lab);
      debug ||= asked.debug;
      return await replayRun(document, lab, { ...asked, typed: line }, interruption, surroundings);
    }
    debug ||= request.debug;
    if (request.kind === "compare") return await compareFiles(request.files, catalogue, print);
    const { lab, given, files } = request;
    const outcome = await run(lab, given, files, interruption, surroundings, { typed: line });
    if (outcome === undefined) return EXIT.notPossible;
    print(outcome.text.endsWith("\n") ? outcome.text : `${outcome.text}\n`);
    await writeFiles(files, outcome.document, surroundings);
    return endingOf(interruption, outcome.document, surroundings);
  } catch (error) {
    const { reason } = interruption.signal;
    // An error of what the run came to is told, whatever ended the run.
    if (reason instanceof Interruption && !(error instanceof RunError)) {
      if (debug) printError(describeError(error, debug));
      printError(`${reason.message}: cleaned up; nothing was measured, and no file was written\n`);
      return reason.exitCode;
    }
    printError(describeError(error, debug));
    return exitCode(error);
  }
}

/** A file with a lab among the arguments makes it one of the labs. */
async function withLabFile(
  args: readonly string[],
  catalogue: readonly Lab[],
): Promise<{ args: readonly string[]; catalogue: readonly Lab[] }> {
  const file = labFileAmong(args, catalogue);
  if (file === undefined) return { args, catalogue };
  const lab = await loadLab(file.path);
  const others = catalogue.filter(({ name }) => name !== lab.name);
  return { args: file.rest, catalogue: [...others, lab] };
}

function newLabText(path: string): string {
  const file = path.slice(path.lastIndexOf("/") + 1);
  return `${path} is a lab that runs as it is:\n  ${labTask()} ./${file}\n`;
}

/** The exit code of a run that came to something: a signal may have ended it early. */
function endingOf(
  { signal: { reason } }: Interruptible,
  { complete }: RunDocument,
  { printError }: Surroundings,
): number {
  if (!(reason instanceof Interruption)) return EXIT.done;
  const kept = complete ? "after its last trial" : "what was measured until then is kept";
  printError(`${reason.message}: cleaned up; ${kept}\n`);
  return reason.exitCode;
}

/** Runs a lab; undefined if it is not possible here, which then has been said. */
async function run(
  lab: Lab,
  given: RunOptions,
  files: RunFiles,
  { signal, said }: Interruptible,
  surroundings: Surroundings,
  { typed, before = () => {} }: {
    /** The arguments, as they were given. */
    readonly typed: readonly string[];
    /** Called when the run is possible, before it begins. */
    readonly before?: () => void;
  },
): Promise<LabOutcome | undefined> {
  const { print, printError, progress, ensureSystem, guard } = surroundings;
  using bar = progress(signal);
  const context = labContext(lab, { ...given, signal, progress: bar, write: print });
  // A run takes a minute: that its files cannot be written should be known before.
  for (const kind of RUN_FILES) {
    const path = files[kind];
    if (path !== undefined) await requireWritable(kind, path);
  }
  await ensureSystem();
  signal.throwIfAborted();
  const here = await probe();
  const missing = here.missing(neededBy(lab, context));
  if (missing.length > 0) {
    printError(`${lab.name} is not possible on this machine:\n`);
    for (const item of missing) printError(`  ${missingLine(item, lab, typed)}\n`);
    printError("deno task doctor shows all that works here, and what does not.\n");
    return undefined;
  }
  for (const name of lab.needs) {
    const { leaves } = here.item(name);
    if (leaves !== undefined) printError(`${leaves}\n`);
  }
  before();
  using _guard = guard?.({ said, text: STOPPING });
  try {
    return await outcomeOf(lab, context);
  } catch (error) {
    if (error instanceof RunError) await keepRun(error, files, surroundings);
    throw error;
  }
}

/** Writes what was measured before a run failed. */
async function keepRun(
  { document }: RunError,
  files: RunFiles,
  surroundings: Surroundings,
): Promise<void> {
  try {
    await writeFiles(files, document, surroundings);
  } catch (error) {
    // That the run failed is what must be told last.
    surroundings.printError(describeError(error, surroundings.debug));
  }
}

/** Runs a run again: first what differs around it, then the run, then row by row. */
async function replayRun(
  document: RunDocument,
  lab: Lab,
  { given, files, typed }: ReturnType<typeof parseReplay> & { readonly typed: readonly string[] },
  interruption: Interruptible,
  surroundings: Surroundings,
): Promise<number> {
  const { print } = surroundings;
  const rows = requireRows(lab);
  const options = replayOptions(document, lab, given);
  const shown = { names: REPLAY_NAMES };
  let known: readonly RunDifference[] = [];
  const before = (): void => {
    const { environment: then, parameters } = document;
    // What the lab adds to its environment and its parameters is not known before it runs.
    const now = { environment: environment(then.extra), code: codeOf(lab), parameters };
    known = runDifferences(document, now);
    print(`${titleOf(document)}, again:\n\n${formatDifferences(known, shown)}\n`);
  };
  const outcome = await run(lab, options, files, interruption, surroundings, { typed, before });
  if (outcome === undefined) return EXIT.notPossible;
  await writeFiles(files, outcome.document, surroundings);
  const comparison = compareRuns(document, outcome.document, rows);
  const names = new Set(known.map(({ name }) => name));
  const more = comparison.differences.filter(({ name }) => !names.has(name));
  if (more.length > 0) print(`${formatDifferences(more, shown)}\n`);
  print(formatComparison(comparison, rows, shown));
  const ending = endingOf(interruption, outcome.document, surroundings);
  return ending === EXIT.done ? answerOf(comparison, rows) : ending;
}

async function compareFiles(
  files: readonly [first: string, second: string],
  catalogue: readonly Lab[],
  print: (text: string) => void,
): Promise<number> {
  const first = await openDocument("compare", files[0]);
  const second = await openDocument("compare", files[1]);
  const lab = labOf(first, files[0], catalogue);
  const rows = requireRows(lab);
  const comparison = compareRuns(first, second, rows);
  print(`first:  ${titleOf(first)}\nsecond: ${titleOf(second)}\n\n`);
  if (formatRunDocument(first) === formatRunDocument(second)) {
    print("Both files hold the same run: this compares it with itself.\n\n");
  }
  print(formatReplay(comparison, lab, { names: ["first", "second"] }));
  return answerOf(comparison, rows);
}

/**
 * Times differ by themselves. A number of instructions that differs is a failure, and so is a proof
 * where a lab compares nothing else.
 */
function answerOf(comparison: RunComparison, { measures }: RowDeclaration): number {
  const isExact = comparison.clock === "instructions" || measures.length === 0;
  return isExact && isDifferent(comparison) ? EXIT.failed : EXIT.done;
}

/** A run in one line: the lab, when it ran, and how much of it there is. */
function titleOf({ lab, startedAt, seed, trials, complete }: RunDocument): string {
  // Documents of older schemas say only when each trial started.
  const started = startedAt ?? trials[0]?.startedAt;
  const when = started === undefined ? "" : ` of ${started.slice(0, 16).replace("T", " ")} UTC`;
  return `${lab}${when}, ${trials.length} trials, seed ${seed ?? "unknown"}` +
    (complete ? "" : ", stopped before its end");
}

async function openDocument(option: string, path: string): Promise<RunDocument> {
  try {
    return readRunDocument(await Deno.readTextFile(path));
  } catch (error) {
    const reason = error instanceof RunDocumentError
      ? error.message
      : error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : error instanceof Deno.errors.IsADirectory
      ? "it is a folder, not a file"
      : error instanceof Error
      ? error.message
      : String(error);
    throw new OptionError(`--${option} ${path}: ${reason}`, { cause: error });
  }
}

function labOf(
  { lab: name, code: { labFile } }: RunDocument,
  path: string,
  catalogue: readonly Lab[],
): Lab {
  const lab = catalogue.find((lab) => lab.name === name);
  if (lab !== undefined) return lab;
  throw new OptionError(
    `${path} is a run of the lab ${JSON.stringify(name)}, which this version of zclab does not ` +
      (labFile === undefined
        ? `have. If it is in a file of its own, name that besides: ./FILE.ts. The labs are: ` +
          catalogue.map((lab) => lab.name).join(", ")
        : `have: it is in a file of its own. What to do: name that besides: ${
          labFileWord(labFile)
        }`),
  );
}

async function writeFiles(
  files: RunFiles,
  document: RunDocument,
  { printError }: Surroundings,
): Promise<void> {
  for (const kind of RUN_FILES) {
    const path = files[kind];
    if (path === undefined) continue;
    const isView = kind === "flame" || kind === "changes";
    if (isView && (document.views ?? []).length < ROWS_DRAWN[kind]) {
      printError(`${path} was not drawn: the run ended before the microscope had looked\n`);
      continue;
    }
    await writeWhole(path, await textOf(kind, document, path));
    const partial = document.complete ? "" : ", stopped before its last trial";
    printError(`${WRITTEN[kind]} in ${path}${partial}\n`);
  }
}

const WRITTEN = {
  json: "The run is",
  csv: "The trials are",
  html: "The report is",
  flame: "Where the instructions go is",
  changes: "What changes between the two rows is",
} as const;

/** How many rows a drawing is of. */
const ROWS_DRAWN = { flame: 1, changes: 2 } as const;

/** Columns of a drawing that is a text. */
const TEXT_WIDTH = 120;

async function textOf(
  kind: keyof RunFiles,
  document: RunDocument,
  path: string,
): Promise<string> {
  switch (kind) {
    case "json":
      return formatRunDocument(document);
    case "csv":
      return toCsv(document);
    case "html": {
      // Few runs want a page.
      const { reportHtml } = await import("./kit/report/report.ts");
      return reportHtml(document);
    }
    case "flame":
    case "changes": {
      const { plot } = await import("./kit/plot/plot.ts");
      const drawn = plot(document, { kind });
      return isText(path) ? drawn.text({ width: TEXT_WIDTH, colours: false }) : drawn.svg();
    }
  }
}

/** The labs, what each needs, and whether that is there. */
async function list(catalogue: readonly Lab[]): Promise<string> {
  const here = await probe();
  const lines: string[] = [];
  for (const lab of catalogue) {
    const missing = here.missing(lab.needs);
    const state = missing.length === 0
      ? styled("real here", "green")
      : missing.every((item) => item.state !== "no")
      ? styled("real in the guest", "yellow")
      : styled("not possible here", "yellow");
    lines.push(`${styled(lab.name, "bold")}  ${state}`, `  ${lab.title}`);
    lines.push(styled(`  needs: ${lab.needs.join(", ") || "nothing"}`, "dim"));
    for (const item of missing) lines.push(`  ${missingLine(item, lab)}`);
  }
  return lines.join("\n") + "\n";
}

function missingLine(
  { name, why, command: general }: ProbeItem,
  lab: Lab,
  typed: readonly string[] = [lab.name],
): string {
  // What runs in the guest runs this lab there.
  const words = typed.length === 0 ? [lab.name] : typed.map(shellWord);
  const command = general?.replace(/\bCOMMAND$/, () => `deno task lab ${words.join(" ")}`);
  return `${name}: ${why}` + (command === undefined ? "" : `; what would change it: ${command}`);
}

/** What a signal ends. */
interface Interruptible {
  /** Aborted by the first signal, with an {@linkcode Interruption}. */
  readonly signal: AbortSignal;
  /** See {@linkcode GuardRequest}. */
  readonly said: Int32Array;
}

const STOPPING = "stopping after this trial; what is measured is kept. Once more ends at once";

/** Turns the first signal into an abort, and lets the second one end the process at once. */
function listen(printError: (text: string) => void): Disposable & Interruptible {
  const controller = new AbortController();
  const said = new Int32Array(new SharedArrayBuffer(4));
  const listener = onEndingSignal((name, again) => {
    if (again) Deno.exit(SIGNAL_EXIT[name]);
    controller.abort(new Interruption(name));
    sayOnce(said, () => printError(`\n${name}: ${STOPPING}\n`));
  });
  const { signal } = controller;
  return { signal, said, [Symbol.dispose]: () => listener[Symbol.dispose]() };
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
    guard: guardExit,
  };
}

if (import.meta.main) await runProgram((args) => main(args, terminalSurroundings(CATALOGUE)));
