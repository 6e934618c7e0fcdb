/**
 * `deno task notebook`: opens the notebooks in Jupyter, and executes them without.
 *
 * @module
 */
import { OptionError } from "zclab/lab";
import { type CommandLine, helpOf, readCommandLine } from "../labs/kit/options/cli.ts";
import { Room, sweepRooms } from "../labs/kit/files/room.ts";
import {
  ensureSystem,
  findProgram,
  JUPYTER_COMPONENTS,
  NOTEBOOK_COMPONENTS,
} from "../labs/kit/terminal/setup.ts";
import {
  type EndingSignal,
  EXIT,
  onEndingSignal,
  printer,
  SIGNAL_EXIT,
} from "../labs/kit/terminal/terminal.ts";
import { runProgram } from "../labs/kit/commands/program.ts";
import { checkTypes, executeNotebook } from "./tool/execute.ts";
import { userDataDirectory, writeKernelSpec } from "./tool/kernel_spec.ts";
import {
  chooseNotebooks,
  formatted,
  NotebookError,
  notebookPath,
  NOTEBOOKS,
  outputProblems,
  PROJECT,
  readNotebook,
} from "./tool/notebook_file.ts";
import { RECORDINGS } from "./tool/recordings.ts";

const COMMAND_LINE = {
  command: "deno task notebook",
  usage: [
    "[NAME] [--no-browser] [--port N] [-- OPTION...]",
    "--check | --renew [NAME...] [--cell-seconds N]",
    "--record [RUN...]",
    "--install",
  ],
  about: ["Opens the notebooks in JupyterLab, or else in the classic Notebook."],
  words: {
    NAME: "a notebook, such as 01 or 01-rings-and-completions; all of them if there is none",
    RUN: "a recorded run; all of them if there is none",
    OPTION: "goes to Jupyter as it is",
  },
  options: {
    "no-browser": { kind: "flag", description: "opens no browser, and prints the address instead" },
    port: {
      kind: "number",
      description: "the port of Jupyter's server",
      minimum: 1,
      maximum: 65_535,
    },
    check: {
      kind: "flag",
      description:
        "executes notebooks without a browser, their types checked before, and changes " +
        "nothing",
    },
    renew: {
      kind: "flag",
      description: "executes notebooks and keeps their outputs, as they are in git",
    },
    "cell-seconds": {
      kind: "number",
      description: "how long one cell may take under --check and --renew",
      default: 120,
      minimum: 1,
      maximum: 86_400,
    },
    record: {
      kind: "flag",
      description: "records the runs that notebooks show where their own are not possible",
    },
    install: {
      kind: "flag",
      description: "only tells Jupyter about the kernel; --check and --renew do without",
    },
  },
  exitCodes: "0 done, 1 failed, 2 bad arguments, 77 not possible on this machine",
  handsOn: true,
} as const satisfies CommandLine;

const ACTIONS = ["check", "renew", "record", "install"] as const;

/** What the arguments ask for. */
interface Request {
  readonly action: typeof ACTIONS[number] | "open" | "help";
  readonly names: readonly string[];
  readonly browser: boolean;
  readonly port: number | undefined;
  readonly cellSeconds: number;
  readonly further: readonly string[];
}

function parse(args: readonly string[]): Request {
  const { help, words: names, options, handedOn: further } = readCommandLine(COMMAND_LINE, args);
  const actions = ACTIONS.filter((action) => options[action]);
  if (actions.length > 1) throw new OptionError(`Either --${actions.join(" or --")}`);
  const action: Request["action"] = help ? "help" : actions.at(0) ?? "open";
  if (action === "open" && names.length > 1) {
    throw new OptionError("Jupyter opens one notebook or the whole folder");
  }
  if (action === "install" && names.length > 0) throw new OptionError("--install takes no names");
  if (further.length > 0 && action !== "open") {
    throw new OptionError(`Options of Jupyter after -- have no meaning with --${action}`);
  }
  return {
    action,
    names,
    browser: !options["no-browser"],
    port: options.port,
    cellSeconds: options["cell-seconds"],
    further,
  };
}

async function main(args: readonly string[]): Promise<number> {
  const request = parse(args);
  switch (request.action) {
    case "help":
      print(helpOf(COMMAND_LINE));
      return EXIT.done;
    case "install":
      print(`Jupyter's kernel for zclab is in ${installKernel()}\n`);
      return EXIT.done;
    case "open":
      return await open(request);
    case "record":
      return await record(request.names);
    default:
      return await execute(request, request.action === "renew");
  }
}

/** Names that are not there are bad arguments. */
function choose(names: readonly string[]): string[] {
  try {
    return chooseNotebooks(names);
  } catch (error) {
    throw error instanceof NotebookError ? new OptionError(error.message) : error;
  }
}

async function execute(
  { names, cellSeconds }: Request,
  keep: boolean,
): Promise<number> {
  const chosen = choose(names);
  await ensureSystem();
  await ensureSystem({ components: NOTEBOOK_COMPONENTS });
  const controller = new AbortController();
  let received: EndingSignal | undefined;
  using _listener = onEndingSignal((signal, again) => {
    if (again) Deno.exit(SIGNAL_EXIT[signal]);
    received = signal;
    controller.abort();
  });
  const notebooks = new Map(chosen.map((name) => [name, readNotebook(name)]));
  const badTypes = await checkTypes(notebooks);
  let failed = 0;
  for (const [name, notebook] of notebooks) {
    const problems: string[] = [];
    const started = performance.now();
    const wrong = badTypes.get(name);
    if (wrong !== undefined) problems.push(wrong);
    else {
      try {
        const options = { cellSeconds, signal: controller.signal };
        const { notebook: executed, failure } = await executeNotebook(notebook, options);
        if (failure === undefined) {
          problems.push(...outputProblems(executed));
          if (keep && problems.length === 0) {
            Deno.writeTextFileSync(notebookPath(name), await formatted(executed));
          }
        } else {
          const where = failure.cell === null ? "" : `cell ${failure.cell + 1}: `;
          problems.push(`${where}${failure.message}`);
        }
      } catch (error) {
        if (received !== undefined) {
          printError(`\n${received}: stopped, and the kernel with it\n`);
          return SIGNAL_EXIT[received];
        }
        throw error;
      }
    }
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    if (problems.length === 0) print(`ok      ${name} (${seconds} s)\n`);
    else {
      failed++;
      print(`failed  ${name} (${seconds} s)\n`);
      for (const problem of problems) print(`${problem.replace(/^/gm, "        ")}\n`);
    }
  }
  print(`${notebooks.size - failed} ok, ${failed} failed\n`);
  return failed === 0 ? EXIT.done : EXIT.failed;
}

function installKernel(): string {
  return writeKernelSpec({ dataDirectory: userDataDirectory() });
}

async function open({ names, browser, port, further }: Request): Promise<number> {
  sweepRooms();
  const target = names.length === 0 ? NOTEBOOKS : notebookPath(choose(names)[0]!);
  await ensureSystem();
  let program = findProgram("jupyter-lab") ?? findProgram("jupyter-notebook");
  if (program === undefined) {
    await ensureSystem({ components: JUPYTER_COMPONENTS });
    program = findProgram("jupyter-notebook")!;
  }
  installKernel();
  const args = [
    ...(browser ? [] : ["--no-browser"]),
    ...(port === undefined ? [] : [`--port=${port}`]),
    // Jupyter refuses root otherwise, and without root there is less that can be tried.
    ...(Deno.uid() === 0 ? ["--allow-root"] : []),
    ...further,
    target,
  ];
  const child = new Deno.Command(program, { args, cwd: PROJECT }).spawn();
  let received: EndingSignal | undefined;
  using _listener = onEndingSignal((signal) => {
    received = signal;
    // At SIGINT Jupyter asks whether it shall end; at SIGTERM it ends, and its kernels with it.
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended.
    }
  });
  const { code } = await child.status;
  if (received !== undefined) return SIGNAL_EXIT[received];
  return code === 0 ? EXIT.done : EXIT.failed;
}

async function record(names: readonly string[]): Promise<number> {
  for (const name of names) {
    if (!Object.hasOwn(RECORDINGS, name)) {
      throw new OptionError(
        `No recorded run ${name || '""'}. There are: ${Object.keys(RECORDINGS)}`,
      );
    }
  }
  for (const [name, { command, guest }] of Object.entries(RECORDINGS)) {
    if (names.length > 0 && !names.includes(name)) continue;
    const file = `${name}.json`;
    using room = Room.open("recording");
    print(`Recording ${name}\n`);
    const run = [...command, "--json", room.path(file)];
    const args = guest === undefined
      ? run
      : ["task", "vm", "--out", room.folder, ...guest, "--", "deno", ...run];
    const child = new Deno.Command(Deno.execPath(), { args, cwd: PROJECT, stdin: "null" }).spawn();
    const { code } = await child.status;
    if (code !== 0) return code;
    Deno.copyFileSync(room.path(file), `${NOTEBOOKS}/recorded/${file}`);
  }
  return EXIT.done;
}

const print = printer(Deno.stdout);
const printError = printer(Deno.stderr);

if (import.meta.main) await runProgram(main);
