/**
 * Executes notebooks without a browser, and checks the types of their cells.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { Room } from "../../labs/kit/files/room.ts";
import { findProgram } from "../../labs/kit/terminal/setup.ts";
import { writeKernelSpec } from "./kernel_spec.ts";
import {
  codeCells,
  KERNEL,
  type Notebook,
  NotebookError,
  NOTEBOOKS,
  PROJECT,
  shownText,
} from "./notebook_file.ts";

/** The system's Python has the Jupyter that Debian's packages bring; another one in PATH has not. */
const PYTHON = "/usr/bin/python3";

const EXECUTE = fromFileUrl(new URL("execute.py", import.meta.url));

/** Why a notebook stopped. */
export interface Failure {
  /** The cell among all cells, from 0; null if none ran. */
  readonly cell: number | null;
  /** What happened. */
  readonly message: string;
}

/** What came of a notebook. */
export interface Executed {
  /** The notebook with its outputs, up to where it stopped. */
  readonly notebook: Notebook;
  /** Why it stopped, if it did. */
  readonly failure: Failure | undefined;
}

/** How to execute. */
export interface ExecuteOptions {
  /**
   * How long one cell may take, in seconds.
   *
   * @default {120}
   */
  readonly cellSeconds?: number;
  /** Ends it; the kernel is ended too. */
  readonly signal?: AbortSignal;
}

/**
 * Executes a notebook from top to bottom with a kernel of its own, in the folder of the notebooks.
 *
 * @param notebook The notebook.
 * @param options How long it may take, and what ends it.
 * @returns The notebook with its outputs, and why it stopped if it did.
 * @throws {NotebookError} If Jupyter could not be started.
 */
export async function executeNotebook(
  notebook: Notebook,
  options: ExecuteOptions = {},
): Promise<Executed> {
  const { cellSeconds = 120, signal } = options;
  signal?.throwIfAborted();
  using own = Room.open("notebook");
  const room = own.folder;
  // A kernel spec of its own, so that nothing is left behind in the user's home.
  writeKernelSpec({ dataDirectory: `${room}/data`, bound: true });
  const request = {
    notebook,
    room,
    kernel: KERNEL,
    folder: NOTEBOOKS,
    cellSeconds,
    startSeconds: 60,
  };
  const reply = await runPython(JSON.stringify(request), {
    JUPYTER_PATH: `${room}/data`,
    JUPYTER_RUNTIME_DIR: `${room}/runtime`,
    JUPYTER_CONFIG_DIR: `${room}/config`,
    IPYTHONDIR: `${room}/ipython`,
  }, signal);
  const { notebook: executed, failure } = JSON.parse(reply);
  return {
    notebook: executed,
    failure: failure === null ? undefined : {
      cell: failure.cell,
      message: describeFailure(executed, failure, cellSeconds),
    },
  };
}

async function runPython(
  input: string,
  env: Record<string, string>,
  signal: AbortSignal | undefined,
): Promise<string> {
  // Should we be killed, it ends too, and the kernel with it.
  const setpriv = findProgram("setpriv");
  const [program, ...args] = [
    ...(setpriv === undefined ? [] : [setpriv, "--pdeathsig", "TERM"]),
    ...[PYTHON, EXECUTE],
  ] as [string, ...string[]];
  const child = new Deno.Command(program, {
    args,
    cwd: NOTEBOOKS,
    env: { ...env, PYTHONDONTWRITEBYTECODE: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  // It ends the kernel first; and if it does not get to that, the kernel ends with it.
  let last: ReturnType<typeof setTimeout> | undefined;
  const stop = (): void => {
    kill(child, "SIGTERM");
    last = setTimeout(() => kill(child, "SIGKILL"), 3000);
  };
  signal?.addEventListener("abort", stop);
  try {
    const writer = child.stdin.getWriter();
    const write = writer.write(new TextEncoder().encode(input)).then(() => writer.close())
      // That it ended early is told by its exit code.
      .catch(() => {});
    const [{ code, stdout, stderr }] = await Promise.all([child.output(), write]);
    signal?.throwIfAborted();
    if (code !== 0) {
      const text = new TextDecoder().decode(stderr).trim().split("\n").slice(-5).join("\n");
      throw new NotebookError(`${PYTHON} could not execute the notebook:\n${text}`);
    }
    return new TextDecoder().decode(stdout);
  } finally {
    clearTimeout(last);
    signal?.removeEventListener("abort", stop);
  }
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended.
  }
}

function describeFailure(
  notebook: Notebook,
  { kind, name, message, cell }: {
    kind: string;
    name: string;
    message: string;
    cell: number | null;
  },
  cellSeconds: number,
): string {
  if (kind === "timeout") return `it did not end within ${cellSeconds} s`;
  if (kind === "dead") return `the kernel died: ${message}`;
  const shown = cell === null
    ? ""
    : shownText({ ...notebook.cells[cell]!, outputs: notebook.cells[cell]!.outputs?.slice(-1) });
  // deno-lint-ignore no-control-regex -- colours of a terminal
  const text = (shown.trim() || `${name}: ${message}`).replace(/\x1b\[[\d;]*m/g, "");
  return text.replaceAll(`file://${PROJECT}/`, "");
}

/**
 * Checks the types of all code of notebooks, which the kernel does not. What a syntax error is, of
 * which the kernel says nothing, is told here too.
 *
 * @param notebooks The notebooks by name.
 * @returns What is wrong, by name of the notebook; those without mistakes are not there.
 */
export async function checkTypes(
  notebooks: ReadonlyMap<string, Notebook>,
): Promise<Map<string, string>> {
  using own = Room.open("notebook");
  const room = own.folder;
  const problems = new Map<string, string>();
  const scripts = new Map([...notebooks].map(([name, notebook]) => {
    const script = scriptOf(notebook);
    Deno.writeTextFileSync(`${room}/${name}.ts`, script.text);
    return [name, script];
  }));
  const all = await denoCheck([...scripts.keys()].map((name) => `${room}/${name}.ts`));
  if (all === "") return problems;
  for (const [name, { places }] of scripts) {
    const path = `${room}/${name}.ts`;
    const text = await denoCheck([path]);
    if (text === "") continue;
    const location = new RegExp(`${RegExp.escape(`file://${path}`)}:(\\d+):(\\d+)`, "g");
    problems.set(
      name,
      text.replace(location, (_, line, column) => {
        const place = places.findLast(({ from }) => from <= Number(line));
        return place === undefined
          ? `line ${line}`
          : `cell ${place.index + 1}, line ${Number(line) - place.from + 1}, column ${column}`;
      }),
    );
  }
  return problems;
}

/** All code of a notebook as one module, and the line at which each cell begins, from 1. */
function scriptOf(notebook: Notebook): { text: string; places: { from: number; index: number }[] } {
  const places: { from: number; index: number }[] = [];
  // A module, even without an import: only there may one await.
  let text = "export {};\n";
  for (const { index, source } of codeCells(notebook)) {
    places.push({ from: text.split("\n").length, index });
    text += `${source}\n;\n`;
  }
  return { text, places };
}

async function denoCheck(paths: readonly string[]): Promise<string> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", "--config", `${PROJECT}/deno.json`, ...paths],
    cwd: PROJECT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  if (success) return "";
  // What Deno says at the end is about itself.
  return new TextDecoder().decode(stderr)
    .replace(/\n+(error: Type checking failed|Stack backtrace:)[\s\S]*/, "").trim();
}
