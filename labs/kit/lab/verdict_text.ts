/**
 * The verdicts of a run, in sentences.
 *
 * @module
 */
import { describeFactors, type Factors } from "../trials/trials.ts";
import { crossover } from "../statistics/crossover.ts";
import { terminalWidth } from "../text/table.ts";
import { wrapped } from "../text/wrapped.ts";
import { type ComparedColumn, verdictColumns, wordsOf } from "./columns.ts";
import type { AnyDeclaration } from "./declaration.ts";
import type { LabRow } from "./rows.ts";
import { factorText, nameOf } from "./told.ts";

/** Verdicts that are told one by one at most; the table shows them all. */
const MOST_VERDICTS = 12;

/** Values of a size from which on it can be said where a crossover is. */
const FEWEST_SIZES = 3;

/**
 * What the comparisons of each column with a verdict come to, in lines.
 *
 * @param lab The declaration.
 * @param rows The rows of the table.
 * @param width How many columns a line takes at most.
 */
export function verdictLines(
  lab: AnyDeclaration,
  rows: readonly LabRow[],
  width: number = terminalWidth(),
): string[] {
  const size = sizeAmong(lab, rows);
  const lines = verdictColumns(lab.columns)
    .flatMap((column, _, all) => {
      const { name, title } = column;
      const compared = rows.filter(({ comparisons }) => comparisons[name] !== null);
      const others = compared.filter(({ comparisons }) =>
        comparisons[name]!.difference !== "baseline"
      );
      if (others.length === 0) {
        return all.length > 1 ? [] : ["Verdict: none, without two rounds of anything."];
      }
      const of = all.length > 1 ? ` on ${title.replaceAll("\n", " ")}` : "";
      return size === undefined
        ? [`Verdict${of}:`, ...eachVerdict(lab, name, others)]
        : crossoverLines(lab, column, size, others, of);
    });
  return lines.flatMap((line) => {
    const indent = /^ */.exec(line)![0];
    return wrapped(line, width - indent.length, "  ").map((part) => indent + part);
  });
}

function eachVerdict(lab: AnyDeclaration, name: string, others: readonly LabRow[]): string[] {
  const seen = others.filter(({ comparisons }) => comparisons[name]!.difference !== "none");
  const told = others.length <= MOST_VERDICTS ? others : seen;
  const lines = told.map(({ factors, comparisons }) =>
    `  ${said(inQuestion(lab, factors, others), comparisons[name]!.verdict)}`
  );
  if (told.length < others.length) {
    lines.push(`  no difference seen in the other ${others.length - told.length} comparisons`);
  }
  return lines;
}

/** A verdict that names the way, and needs no more, says it once. */
function said(way: string, verdict: string): string {
  return verdict.startsWith(way.replace(/: $/, " ")) ? verdict : `${way}${verdict}`;
}

/** Which question a row belongs to, where there are several. */
function inQuestion(lab: AnyDeclaration, factors: Factors, rows: readonly LabRow[]): string {
  const subject = Object.keys(lab.baseline);
  const telling = Object.keys(factors).filter((name) =>
    !subject.includes(name) && factors[name] !== null &&
    new Set(rows.map((row) => row.factors[name])).size > 1
  );
  const own = Object.fromEntries(telling.map((name) => [name, factors[name] ?? null]));
  const words = nameOf(lab, factors);
  return telling.length === 0 ? `${words}: ` : `${words} (${describeFactors(own)}): `;
}

/** Each way at the largest size, and from which size on it pays. */
function crossoverLines(
  lab: AnyDeclaration,
  column: ComparedColumn,
  size: string,
  others: readonly LabRow[],
  of: string,
): string[] {
  const { name, better } = column;
  const called = wordsOf(column)[better ?? "higher"];
  const sizeOf = ({ factors }: LabRow): number => Number(factors[size]);
  const largest = Math.max(...others.map(sizeOf));
  const sized = (value: number): string => factorText(lab, size, value);
  const ways = Map.groupBy(others, ({ factors }) => {
    const { [size]: _, ...rest } = factors;
    return JSON.stringify(rest);
  });
  const lines = [`Verdict${of}, at ${sized(largest)} and where the crossover is:`];
  const withoutSize = others.map(({ factors: { [size]: _, ...factors }, ...row }) => {
    return { ...row, factors };
  });
  for (const own of ways.values()) {
    const found = crossover(own.map((row) => {
      const { ratio, low, high, difference } = row.comparisons[name]!;
      const isTurned = better === "lower";
      return {
        payload: sizeOf(row),
        comparison: isTurned
          ? { ratio: 1 / ratio, low: 1 / high, high: 1 / low, rounds: 0 }
          : { ratio, low, high, rounds: 0 },
        difference: difference === "baseline"
          ? undefined
          : difference === "none" || !isTurned
          ? difference
          : difference === "lower"
          ? "higher"
          : "lower",
      };
    }));
    const where = found === undefined
      ? "no crossover up to the largest"
      : found.above === undefined
      ? `${called} from ${sized(found.payload)}, the smallest, on`
      : `${called} from ${sized(found.payload)} on` +
        (found.estimate === undefined
          ? ` (not seen at ${found.above})`
          : ` (about ${Math.round(found.estimate)} by interpolation)`);
    const at = own.find((row) => sizeOf(row) === largest);
    const { [size]: _, ...factors } = own[0]!.factors;
    const way = inQuestion(lab, factors, withoutSize);
    const verdict = at?.comparisons[name]?.verdict ?? `not compared at ${sized(largest)}`;
    lines.push(`  ${said(way, verdict)}; ${where}`);
  }
  return lines;
}

/** Which factor is a size along which there may be a crossover: numbers above 0, enough of them. */
function sizeAmong(lab: AnyDeclaration, rows: readonly LabRow[]): string | undefined {
  return (lab.within ?? []).find((name: string) => {
    const values = new Set(rows.map(({ factors }) => factors[name]));
    return values.size >= FEWEST_SIZES &&
      [...values].every((value) => typeof value === "number" && value > 0);
  });
}
