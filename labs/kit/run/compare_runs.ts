/**
 * Two runs of the same lab, compared row by row: does the second one say what the first one said?
 *
 * The proof (copied or not copied) is no statistic: any change there is a difference.
 *
 * @module
 */
import { ExplainedError } from "../../../ffi/kernel/errors.ts";
import { type Clock, clockOfRun } from "../trials/clock.ts";
import {
  type ComparedRow,
  isMeasured,
  judged,
  judgedByCount,
  type Measured,
  measuredRow,
  type Outcome,
  type UnmeasuredRow,
} from "./compared_row.ts";
import { partOf, type RunDocument } from "./run_document.ts";
import { isSameMachine, type RunDifference, runDifferences } from "./run_differences.ts";
import { declarationFor, type Row, type RowDeclaration, type Rows, rowsOf } from "./run_rows.ts";
import { describeFactors, type Factors } from "../trials/trials.ts";

/** What a row proves, in two runs. */
export interface ComparedProof {
  /** The row. */
  readonly key: Factors;
  /** What the first run proves; null if nothing. */
  readonly first: string | null;
  /** What the second run proves; null if nothing. */
  readonly second: string | null;
  /** Whether they are the same; `cannot tell` if one of them proves nothing. */
  readonly outcome: Outcome;
}

/** Two runs of a lab, compared. */
export interface RunComparison {
  /** The lab. */
  readonly lab: string;
  /** What the clock of both counted. */
  readonly clock: Clock;
  /** What the runs depended on and do not have in common. */
  readonly differences: readonly RunDifference[];
  /** Whether both ran on the same machine, as far as their documents tell. */
  readonly isSameMachine: boolean;
  /** The proofs of the rows that prove something in at least one of the runs. */
  readonly proofs: readonly ComparedProof[];
  /** How far the first run had come, in a sentence; undefined if it is complete. */
  readonly firstPart: string | undefined;
  /** The same of the second run. */
  readonly secondPart: string | undefined;
  /** Each row that both runs have, first of the first measure, then of the next one. */
  readonly rows: readonly ComparedRow[];
  /** Rows that cannot be told because only one of the runs measured them. */
  readonly unmeasured: readonly UnmeasuredRow[];
  /** Rows that only the first run has. */
  readonly onlyFirst: readonly Factors[];
  /** Rows that only the second run has. */
  readonly onlySecond: readonly Factors[];
}

/** Two documents cannot be compared. */
export class ComparisonError extends ExplainedError {
  /** The name of the class. */
  override readonly name = "ComparisonError";
}

/**
 * Compares two runs of the same lab.
 *
 * @param first The run that the other one is compared with.
 * @param second The other one.
 * @param declaration How the lab's runs are compared.
 * @returns What differs around the runs, what they prove, and each row that both have.
 * @throws {ComparisonError} If the runs are of different labs or clocks, or have no row in common
 *   although both are complete.
 *
 * @example
 * ```ts
 * import { compareRuns } from "zclab/experiment";
 * import { defineLab, runLab } from "zclab/lab";
 * import { assertEquals } from "@std/assert";
 *
 * const lab = defineLab({
 *   name: "example",
 *   title: "An example",
 *   description: "Zero copy is 30 % faster, always.",
 *   needs: [],
 *   options: {},
 *   factors: () => [{ mode: "copy" }, { mode: "zc" }],
 *   baseline: { mode: "copy" },
 *   trial: ({ mode }, _, { round }) => ({ rate: (mode === "zc" ? 130 : 100) + round / 10 }),
 *   columns: { rate: { title: "requests/s", better: "higher", verdict: true } },
 * });
 * const [first, second] = [await runLab(lab), await runLab(lab)];
 * const { rows } = compareRuns(first.document, second.document, lab.rows!);
 * assertEquals(rows.map((row) => row.outcome), ["agrees", "agrees"]);
 * ```
 */
export function compareRuns(
  first: RunDocument,
  second: RunDocument,
  declaration: RowDeclaration,
): RunComparison {
  if (first.lab !== second.lab) {
    throw new ComparisonError(
      `One run is of ${first.lab}, the other one of ${second.lab}: only runs of the same lab can ` +
        "be compared",
    );
  }
  const clock = clockOfBoth(first, second);
  const rows = declarationFor(clock, declaration);
  const [before, after] = [rowsOf(first, rows), rowsOf(second, rows)];
  const common = [...before.keys()].filter((name) => after.has(name));
  if (common.length === 0 && first.complete && second.complete) {
    throw new ComparisonError(
      `The runs of ${first.lab} have no row in common: one has ${
        someRows(before)
      }, the other one ` +
        someRows(after),
    );
  }
  const pairs = common.map((name) => [before.get(name)!, after.get(name)!] as const);
  const isSame = isSameMachine(first.environment, second.environment);
  const measured: Measured[] = [];
  const unmeasured: UnmeasuredRow[] = [];
  for (const measure of rows.measures) {
    for (const [one, other] of pairs) {
      const row = measuredRow(one, other, measure, before, after, rows, clock !== "time");
      if (row === undefined) continue;
      if (isMeasured(row)) measured.push(row);
      else unmeasured.push(row);
    }
  }
  const comparisons =
    measured.filter(({ isBaseline, values: [first, second] }) =>
      (!isBaseline || isSame) && first.length > 1 && second.length > 1
    ).length;
  const only = (of: Rows, other: Rows): Factors[] =>
    [...of].filter(([name]) => !other.has(name)).map(([, { key }]) => key);
  return {
    lab: first.lab,
    clock,
    differences: runDifferences(first, second),
    isSameMachine: isSame,
    firstPart: partOf(first),
    secondPart: partOf(second),
    unmeasured,
    proofs: pairs.map(([one, other]) => comparedProof(one, other, first, second, rows))
      .filter(({ first, second }) => first !== null || second !== null),
    rows: measured.map((row) =>
      clock === "time" ? judged(row, comparisons, isSame) : judgedByCount(row)
    ),
    onlyFirst: only(before, after),
    onlySecond: only(after, before),
  };
}

/**
 * Whether two runs say different things: a row or a proof differs.
 *
 * @param comparison The runs, compared.
 */
export function isDifferent({ rows, proofs }: RunComparison): boolean {
  return [...rows, ...proofs].some(({ outcome }) => outcome === "differs");
}

function clockOfBoth(first: RunDocument, second: RunDocument): Clock {
  const clocks = [clockOfRun(first), clockOfRun(second)] as const;
  if (clocks[0] === clocks[1]) return clocks[0];
  throw new ComparisonError(
    `The clock of one run counts ${clocks[0]}, that of the other one ${
      clocks[1]
    }: an instruction is ` +
      "no time, so nothing in them can be compared. What to do: compare runs of one clock; deno task " +
      "vm -- COMMAND measures time in the guest, deno task vm --clock instructions -- COMMAND counts " +
      "instructions",
  );
}

function someRows(rows: Rows): string {
  const names = [...rows.values()].map(({ key }) => `(${describeFactors(key)})`);
  if (names.length === 0) return "no rows";
  return names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names
    .join(", ");
}

function comparedProof(
  one: Row,
  other: Row,
  firstRun: RunDocument,
  secondRun: RunDocument,
  { proof = (): null => null }: RowDeclaration,
): ComparedProof {
  const [first, second] = [proof(one.trials, firstRun), proof(other.trials, secondRun)];
  const outcome = first === null || second === null
    ? "cannot tell"
    : first === second
    ? "agrees"
    : "differs";
  return { key: one.key, first, second, outcome };
}
