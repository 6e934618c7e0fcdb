/**
 * Files that show where the instructions of a lab's rows go.
 *
 * @module
 */
import { resolve } from "@std/path";
import type { MicroscopeView } from "../../../ffi/microscope/view.ts";
import { userFolder } from "./lab_command.ts";
import { OptionError, type StringOption } from "../options/options.ts";
import { plot } from "../plot/plot.ts";
import { type SeenCalls, seenCalls, systemCalls } from "../plot/seen_calls.ts";
import { requireWritable } from "../options/arguments.ts";
import { writeWhole } from "../files/whole_file.ts";

/** An option that names a file to draw to. */
export type DrawingOption = StringOption & {
  readonly local: (value: string | number) => boolean;
};

/** The files, where they are wanted. */
export interface DrawingFiles {
  /** For a flame graph of one row. */
  readonly flame?: string | undefined;
  /** For the changes between two rows. */
  readonly changes?: string | undefined;
}

const KINDS = ["flame", "changes"] as const;

/** How many rows a drawing is of. */
const ROWS = { flame: 1, changes: 2 } as const;

const COUNTS = { 1: "one row", 2: "two rows" } as const;

/** Columns of a file of text. */
const TEXT_WIDTH = 120;

function drawingOption(description: string): DrawingOption {
  return {
    kind: "string",
    description,
    placeholder: "FILE",
    check: (path) =>
      /\.(svg|txt)$/.test(path) ? undefined : `${path} ends neither in .svg nor in .txt`,
    local: () => true,
  };
}

/**
 * The declarations of `--flame` and `--changes` for a lab that looks with the microscope.
 *
 * @param flame Options that leave one row of it, such as `--link ifb --send send`.
 * @param changes Options that leave two.
 */
export function drawingOptions(
  flame: string,
  changes: string,
): { readonly flame: DrawingOption; readonly changes: DrawingOption } {
  return {
    flame: drawingOption(
      `draw where the instructions of one row go, as .svg or as .txt; choose it, as in ${flame}`,
    ),
    changes: drawingOption(
      "draw which functions execute fewer instructions in the second of two rows, and which more, " +
        `as .svg or as .txt; choose them, as in ${changes}`,
    ),
  };
}

/**
 * Draws what was seen of a lab's rows. Of the windows of a row it takes the one with the fewest
 * instructions in system calls: those of the JavaScript engine come on top of the others.
 */
export class ViewDrawings {
  readonly #files: DrawingFiles;
  readonly #rows: readonly string[];
  readonly #seen = new Map<string, { readonly calls: SeenCalls; readonly total: number }>();

  private constructor(files: DrawingFiles, rows: readonly string[]) {
    this.#files = files;
    this.#rows = rows;
  }

  /**
   * Makes sure that the files can be written, and that there are as many rows as they show.
   *
   * @param files The files, from where the user is.
   * @param rows What the rows are called, in the order of the table.
   * @throws {OptionError} If not.
   */
  static async open(files: DrawingFiles, rows: readonly string[]): Promise<ViewDrawings> {
    const paths: { flame?: string; changes?: string } = {};
    for (const kind of KINDS) {
      const file = files[kind];
      if (file === undefined) continue;
      if (rows.length !== ROWS[kind]) {
        throw new OptionError(
          `--${kind} draws ${
            COUNTS[ROWS[kind]]
          }, and these options leave ${rows.length}. What to ` +
            "do: choose with the lab's own options, as --help shows",
        );
      }
      const path = resolve(userFolder(), file);
      await requireWritable(kind, path);
      paths[kind] = path;
    }
    return new ViewDrawings(paths, rows);
  }

  /**
   * Takes what was seen of a row, and writes the files as soon as all rows were seen; again when a
   * window with fewer instructions comes.
   *
   * @param row What the row is called.
   * @param view What was seen.
   * @throws {FileError} If a file cannot be written.
   */
  async add(row: string, view: MicroscopeView | SeenCalls): Promise<void> {
    if (KINDS.every((kind) => this.#files[kind] === undefined)) return;
    const calls = { ...seenCalls(view) as SeenCalls, label: row };
    const { total } = systemCalls("flame", calls).root;
    if (total >= (this.#seen.get(row)?.total ?? Infinity)) return;
    this.#seen.set(row, { calls, total });
    const all = this.#rows.flatMap((row) => this.#seen.get(row)?.calls ?? []);
    if (all.length < this.#rows.length) return;
    for (const kind of KINDS) {
      const path = this.#files[kind];
      if (path === undefined) continue;
      const drawn = plot(all, { kind });
      await writeWhole(
        path,
        path.endsWith(".svg") ? drawn.svg() : drawn.text({ width: TEXT_WIDTH, colours: false }),
      );
    }
  }
}

/**
 * Where the drawings are, in a sentence each; or that there is none, because a row was refused or the
 * run ended before.
 *
 * @param ran What the rows that ran are called.
 * @param files The files, where they are wanted.
 */
export function drawingsText(
  ran: readonly string[],
  { flame, changes }: DrawingFiles,
): string[] {
  const count = new Set(ran).size;
  const told = (file: string | undefined, rows: number, what: string): string[] =>
    file === undefined
      ? []
      : [count === rows ? `${what} is in ${file}.` : `${file} was not drawn: not all rows ran.`];
  return [
    ...told(flame, ROWS.flame, "Where the instructions go"),
    ...told(changes, ROWS.changes, "What changes between the two rows"),
  ];
}
