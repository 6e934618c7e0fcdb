/**
 * Notebook files: reading them, and writing them so that git sees only what changed.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { ExplainedError } from "zclab";
import { Room } from "../../labs/kit/files/room.ts";

/** Where the notebooks are. */
export const NOTEBOOKS = fromFileUrl(new URL("..", import.meta.url)).replace(/\/$/, "");

/** The project. */
export const PROJECT = fromFileUrl(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** The name of the kernel in the notebooks, and of its kernel spec. */
export const KERNEL = "zclab";

/** Text as notebook files have it. */
export type Text = string | readonly string[];

/** One output of a cell. */
export interface Output {
  /** Such as `stream`, `display_data`, `execute_result`, `error`. */
  readonly output_type: string;
  /** The stream's name. */
  readonly name?: string;
  /** The stream's text. */
  readonly text?: Text;
  /** What is displayed, by MIME type. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** The name of the error. */
  readonly ename?: string;
  /** The message of the error. */
  readonly evalue?: string;
  /** Where the error arose. */
  readonly traceback?: readonly string[];
  /** The number of the execution. */
  readonly execution_count?: number | null;
}

/** One cell. */
export interface Cell {
  /** Such as `code` or `markdown`. */
  readonly cell_type: string;
  /** Unique in its notebook. */
  readonly id?: string;
  /** The tags among it matter to us: `answer:ID` marks the cell that takes an answer. */
  readonly metadata: { readonly tags?: readonly string[] };
  /** What is in it. */
  readonly source: Text;
  /** What it displayed. */
  readonly outputs?: readonly Output[];
  /** The number of the execution. */
  readonly execution_count?: number | null;
}

/** A notebook. */
export interface Notebook {
  /** The cells. */
  readonly cells: readonly Cell[];
  /** The kernel, the language. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The version of the format. */
  readonly nbformat: number;
  /** The version of the format. */
  readonly nbformat_minor: number;
}

/** A notebook is not as it must be, or is not there. */
export class NotebookError extends ExplainedError {
  /** The name of the class. */
  override readonly name = "NotebookError";
}

/** The names of the notebooks in order, without `.ipynb`. */
export function notebookNames(): string[] {
  return [...Deno.readDirSync(NOTEBOOKS)].map(({ name }) => name)
    .filter((name) => /^\d\d-.*\.ipynb$/.test(name)).map((name) => name.slice(0, -".ipynb".length))
    .sort();
}

/**
 * The notebooks that are meant by names, paths or numbers.
 *
 * @param wanted Such as `01`, `01-rings-and-completions` or a path; all of them if there is none.
 * @returns Their names.
 * @throws {NotebookError} If one is not there.
 */
export function chooseNotebooks(wanted: readonly string[]): string[] {
  const names = notebookNames();
  if (wanted.length === 0) return names;
  return wanted.map((word) => {
    const name = word.replace(/^.*\//, "").replace(/\.ipynb$/, "");
    const found = names.filter((other) => other === name || other.startsWith(`${name}-`));
    if (found.length === 1) return found[0]!;
    throw new NotebookError(`No notebook ${word || '""'}. There are: ${names.join(", ")}`);
  });
}

/** The path of a notebook. */
export function notebookPath(name: string): string {
  return `${NOTEBOOKS}/${name}.ipynb`;
}

/** Reads a notebook. */
export function readNotebook(name: string): Notebook {
  return JSON.parse(Deno.readTextFileSync(notebookPath(name)));
}

/** The text of a cell or an output. */
export function textOf(text: Text): string {
  return typeof text === "string" ? text : text.join("");
}

/** The code cells with their places among all cells, from 0. */
export function codeCells(notebook: Notebook): { index: number; cell: Cell; source: string }[] {
  return notebook.cells.map((cell, index) => ({ index, cell, source: textOf(cell.source) }))
    .filter(({ cell, source }) => cell.cell_type === "code" && source.trim() !== "");
}

/** The exercises whose answers a cell takes. */
export function answersOf(cell: Cell): string[] {
  return (cell.metadata.tags ?? []).filter((tag) => tag.startsWith("answer:"))
    .map((tag) => tag.slice("answer:".length));
}

/**
 * The text of a notebook file: keys in order, lines as Jupyter cuts them, nothing of this machine or
 * of the moment in the metadata.
 *
 * @param notebook The notebook.
 */
export function formatNotebook(notebook: Notebook): string {
  const used = new Set<string>();
  const cells = notebook.cells.map((cell, index) => {
    let id = cell.id ?? `cell-${index + 1}`;
    while (used.has(id)) id += "-again";
    used.add(id);
    const tags = cell.metadata.tags;
    return {
      cell_type: cell.cell_type,
      id,
      metadata: tags === undefined ? {} : { tags },
      source: linesOf(textOf(cell.source)),
      ...(cell.cell_type === "code"
        ? {
          execution_count: cell.execution_count ?? null,
          outputs: joinStreams(cell.outputs ?? []).map(formatOutput),
        }
        : {}),
    };
  });
  const content = {
    cells,
    metadata: {
      kernelspec: { display_name: "zclab (Deno)", language: "typescript", name: KERNEL },
      language_info: {
        file_extension: ".ts",
        mimetype: "text/x.typescript",
        name: "typescript",
        nbconvert_exporter: "script",
        pygments_lexer: "typescript",
      },
    },
    nbformat: 4,
    nbformat_minor: 5,
  };
  return `${JSON.stringify(sorted(content), null, 1)}\n`;
}

/**
 * The text of a notebook file with its code formatted by `deno fmt`, which cannot check notebooks
 * itself: `deno fmt --check` calls every notebook unformatted (Deno 2.9).
 *
 * @param notebook The notebook.
 */
export async function formatted(notebook: Notebook): Promise<string> {
  using room = Room.open("notebook");
  const path = room.path("notebook.ipynb");
  Deno.writeTextFileSync(path, formatNotebook(notebook));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "--config", `${PROJECT}/deno.json`, path],
  }).output();
  if (!success) throw new NotebookError(new TextDecoder().decode(stderr));
  return formatNotebook(JSON.parse(Deno.readTextFileSync(path)));
}

/** The kernel sends a stream in pieces: they are one output. */
function joinStreams(outputs: readonly Output[]): Output[] {
  const joined: Output[] = [];
  for (const output of outputs) {
    const last = joined.at(-1);
    if (
      output.output_type === "stream" && last?.output_type === "stream" && last.name === output.name
    ) {
      joined[joined.length - 1] = {
        ...last,
        text: textOf(last.text ?? "") + textOf(output.text ?? ""),
      };
    } else joined.push(output);
  }
  return joined;
}

function formatOutput(output: Output): unknown {
  const { output_type, name, text, data, ename, evalue, traceback, execution_count } = output;
  switch (output_type) {
    case "stream":
      return { output_type, name, text: linesOf(textOf(text ?? "")) };
    case "error":
      return { output_type, ename, evalue, traceback };
    default: {
      const entries = Object.entries(data ?? {}).map(([type, value]) => [
        type,
        type.startsWith("text/") || type === "image/svg+xml"
          ? linesOf(textOf(value as Text))
          : value,
      ]);
      return {
        output_type,
        data: Object.fromEntries(entries),
        metadata: {},
        ...(output_type === "execute_result" ? { execution_count: execution_count ?? null } : {}),
      };
    }
  }
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.split(/(?<=\n)/);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, part]) => part !== undefined)
    .sort(([left], [right]) => left < right ? -1 : left > right ? 1 : 0);
  return Object.fromEntries(entries.map(([key, part]) => [key, sorted(part)]));
}

/** Characters of output that a cell may have in git. */
const MOST_OF_CELL = 150_000;

/** Characters of output that a notebook may have in git. */
const MOST_OF_NOTEBOOK = 600_000;

/**
 * What must not be in the outputs that git keeps: this machine's paths and names, values that are
 * missing, and too much.
 *
 * @param notebook The executed notebook.
 * @returns A sentence for each thing that is wrong.
 */
export function outputProblems(notebook: Notebook): string[] {
  const problems: string[] = [];
  const user = Deno.env.get("USER") ?? Deno.env.get("LOGNAME");
  const secrets = [
    { what: "the path of the project", text: PROJECT },
    { what: "the path of the home directory", text: `${Deno.env.get("HOME") ?? "/root"}/` },
    { what: "the name of this machine", text: Deno.hostname() },
    { what: "the name of the user", text: user === "root" ? "" : user ?? "" },
    { what: "a path of temporary files", text: "/tmp/" },
  ].filter(({ text }) => text.length > 3);
  let all = 0;
  for (const { index, cell } of codeCells(notebook)) {
    const text = shownText(cell);
    const size = JSON.stringify(cell.outputs ?? []).length;
    all += size;
    for (const { what, text: secret } of secrets) {
      if (new RegExp(`(?<!\\w)${RegExp.escape(secret)}(?!\\w(?<=\\w\\w))`).test(text)) {
        problems.push(`cell ${index + 1} shows ${what}`);
      }
    }
    if (/: (?:undefined|NaN)\b/.test(text)) {
      problems.push(`cell ${index + 1} shows a missing value`);
    }
    if (size > MOST_OF_CELL) {
      problems.push(
        `cell ${index + 1} has ${size} characters of output, ${MOST_OF_CELL} are allowed`,
      );
    }
  }
  if (all > MOST_OF_NOTEBOOK) {
    problems.push(`there are ${all} characters of output, ${MOST_OF_NOTEBOOK} are allowed`);
  }
  return problems;
}

/** All text that a cell's outputs show, that in plots included. */
export function shownText(cell: Cell): string {
  return (cell.outputs ?? []).map((output) => {
    const parts = Object.values(output.data ?? {}).map((value) =>
      typeof value === "string" || Array.isArray(value)
        ? textOf(value as Text)
        : JSON.stringify(value)
    );
    parts.push(textOf(output.text ?? ""), output.evalue ?? "", ...(output.traceback ?? []));
    return parts.join("\n").replace(
      /data:image\/svg\+xml;base64,([A-Za-z0-9+/=]+)/g,
      (_, code) => new TextDecoder().decode(Uint8Array.fromBase64(code)),
    );
  }).join("\n");
}
