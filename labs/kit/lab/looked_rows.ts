/**
 * A row of a lab under the microscope, and the row that it is compared with: where the instructions go.
 *
 * It is looked at when the trials have run, by trials of its own, so that what was measured is what it
 * would have been.
 *
 * @module
 */
import { Microscope } from "../../../ffi/microscope/microscope.ts";
import { OptionError } from "../options/options.ts";
import { valueText } from "../plot/layout_of_trials.ts";
import { countText, instructionsOf, runView, systemCalls } from "../plot/seen_calls.ts";
import type { RunView } from "../run/run_view.ts";
import { formatChange } from "../text/format.ts";
import { notLooking } from "../trials/look.ts";
import { describeFactors, type Factors } from "../trials/trials.ts";
import { PayloadWindow, type Seen } from "../workload/payload_window.ts";
import type { AnyDeclaration, TrialRun } from "./declaration.ts";
import type { LookOptions } from "./lab.ts";
import { nameOf } from "./told.ts";

/** What a trial is given that nobody looks at. */
export const UNSEEN: Pick<TrialRun, "look" | "saw"> = { look: notLooking, saw: () => {} };

/**
 * So many windows are looked at, and the one with the fewest instructions in system calls is kept: those
 * of the JavaScript engine come on top of the others.
 */
const WINDOWS = 3;

// === Which rows ===

/**
 * The rows that are asked for: first the one to compare with, if there is one.
 *
 * @param lab The lab.
 * @param asked What was asked for.
 * @param rows The rows of the run.
 * @throws {OptionError} If there is no such row; the message says which values rows have.
 */
export function chosenRows(
  lab: AnyDeclaration,
  { row: words, against, changes = false }: LookOptions,
  rows: readonly Factors[],
): readonly Factors[] {
  const fitting = rowsWith("row", words, rows);
  const isBaseline = (row: Factors): boolean =>
    inCommon(row, lab.baseline) === sizeOf(lab.baseline);
  const row = fitting.find((one) => !isBaseline(one)) ?? fitting[0]!;
  const others = rowsWith("against", against, rows).filter((one) => one !== row);
  if (others.length === 0) {
    if (!changes && against === undefined) return [row];
    throw new OptionError(
      `--changes compares two rows, and there is only ${
        describeFactors(row)
      }. What to do: choose ` +
        "another one with --against, or options of the lab that leave more rows",
    );
  }
  const within = Object.fromEntries(
    (lab.within ?? []).map((name: string) => [name, row[name] ?? null]),
  );
  const other = against === undefined
    ? nearest(others, [{ ...lab.baseline, ...within }, within, row])
    : nearest(others, [within, row]);
  return [other, row];
}

/** The rows that have each of the values. */
function rowsWith(
  option: string,
  words: string | undefined,
  rows: readonly Factors[],
): readonly Factors[] {
  if (words === undefined) return rows;
  const wanted = words.split(",").map((word) => word.trim());
  const has = (row: Factors, word: string): boolean =>
    Object.entries(row).some(([name, value]) =>
      String(value) === word || `${name}=${String(value)}` === word
    );
  const found = rows.filter((row) => wanted.every((word) => has(row, word)));
  if (found.length > 0) return found;
  const values = Object.keys(rows[0]!).map((name) =>
    `${name}: ${[...new Set(rows.map((row) => String(row[name])))].join(", ")}`
  );
  throw new OptionError(
    `--${option} ${words}: no row has these values. What to do: give values of one row with commas ` +
      `between them. Rows have ${values.join("; ")}`,
  );
}

/** The row that has the most in common with what stands first; of several with what stands next. */
function nearest(rows: readonly Factors[], wishes: readonly Factors[]): Factors {
  return wishes.reduce((left, wish) => {
    const most = Math.max(...left.map((row) => inCommon(row, wish)));
    return left.filter((row) => inCommon(row, wish) === most);
  }, rows)[0]!;
}

function inCommon(row: Factors, wish: Factors): number {
  return Object.entries(wish).filter(([name, value]) => row[name] === value).length;
}

function sizeOf(factors: Factors): number {
  return Object.keys(factors).length;
}

/** What a row is called in a drawing: what it is compared by, and what it has in common with others. */
function labelOf(lab: AnyDeclaration, row: Factors): string {
  const within = (lab.within ?? []).map((name: string) => valueText(name, row[name] ?? null, true));
  return [nameOf(lab, row), ...within].filter((text) => text !== "").join(", ");
}

// === Looking ===

/** What rows are looked at with. */
export interface RowsLook {
  /** What the set-up keeps open for all trials. */
  readonly kept: unknown;
  /** What each trial is given. */
  readonly run: TrialRun;
  /** Called before a row is looked at. */
  onRow(label: string): void;
}

/**
 * Looks at trials of rows.
 *
 * @param lab The lab.
 * @param rows The rows.
 * @param look What they are looked at with.
 * @returns What was seen of each; of fewer if the signal aborted it.
 * @throws What a trial throws.
 */
export async function lookAtRows(
  lab: AnyDeclaration,
  rows: readonly Factors[],
  { kept, run, onRow }: RowsLook,
): Promise<readonly RunView[]> {
  using eye = new Eye();
  const views: RunView[] = [];
  for (const row of rows) {
    const label = labelOf(lab, row);
    onRow(label);
    const trial = (own: Pick<TrialRun, "look" | "saw">): unknown =>
      lab.trial(row, kept, { ...run, ...own });
    let best: Seen | undefined;
    for (let window = 0; window < WINDOWS; window++) {
      if (run.signal.aborted) return views;
      try {
        const seen = await eye.seeTrial(label, trial);
        if (best === undefined || systemInstructions(seen) < systemInstructions(best)) best = seen;
      } catch (error) {
        if (run.signal.aborted) return views;
        throw error;
      }
    }
    views.push(runView(best!.view, { label, factors: row, work: best!.work }));
  }
  return views;
}

function systemInstructions({ view, work }: Seen): number {
  return instructionsOf(view, work);
}

/** The microscope, opened when it is needed: some trials look by themselves. */
class Eye implements Disposable {
  #microscope: Microscope | undefined;
  /** Whether trials say themselves what is to be seen of them; undefined before the first one. */
  #isTold: boolean | undefined;

  /** Looks at one trial: at the part that it names, or at the whole. */
  async seeTrial(
    label: string,
    trial: (own: Pick<TrialRun, "look" | "saw">) => unknown,
  ): Promise<Seen> {
    if (this.#isTold !== false) {
      const window = new PayloadWindow(label, () => this.#open());
      await trial({ look: window.look, saw: window.saw });
      this.#isTold = window.seen !== undefined;
      if (window.seen !== undefined) return window.seen;
    }
    const microscope = this.#open().watch();
    const view = await microscope.look(label, async () => {
      await trial(UNSEEN);
    });
    return { view, work: null };
  }

  #open(): Microscope {
    return this.#microscope ??= Microscope.open();
  }

  [Symbol.dispose](): void {
    this.#microscope?.close();
  }
}

// === Words ===

/** What was looked at, in a sentence, and how many instructions it took. */
export function lookedText(views: readonly RunView[]): string {
  const told = views.map((view) => ({ view, calls: systemCalls("flame", view) }));
  const [first, second] = told;
  if (first === undefined) return "";
  const { each, root } = first.calls;
  const before = `Under the microscope, once the trials had run: ${first.view.label}`;
  const thing = `instructions${each} in system calls`;
  if (second === undefined) return `${before}: ${countText(root.total)} ${thing}.\n`;
  const after = second.calls.root.total;
  return `${before}: ${countText(root.total)} ${thing}; ${second.view.label}: ${
    countText(after)
  }, ` +
    `${formatChange(after / root.total)}.\n`;
}
