/**
 * The tables of the labs in the catalogue, of runs in which nothing differs: any verdict of a table is
 * a difference in at most 5 % of them.
 *
 * How often it was in simulated runs of the usual number of rounds, with Holm's correction in each
 * question and column, and over the whole table, as labs have it:
 *
 * | lab | verdicts | rounds | runs | not corrected | in each question | over the table |
 * |---|---|---|---|---|---|---|
 * | tx-copy-vs-zc | 42 | 9 | 1000 | 49.5 % | 8.3 % | 2.1 % |
 * | busy-poll | 16 | 9 | 1000 | 25.9 % | 14.7 % | 2.4 % |
 * | rx-zcrx | 24 | 5 | 200 | 22.5 % | 11.0 % | 2.5 % |
 * | rx-devmem | 9 | 7 | 200 | 16.5 % | 5.0 % | 1.0 % |
 * | rx-to-disk | 2 | 5 | 200 | 3.0 % | 1.5 % | 1.5 % |
 */
import { assert } from "@std/assert";
import { CATALOGUE } from "../../../../labs/catalogue.ts";
import { Random } from "../../../../labs/kit/trials/random.ts";
import { type Factors, hasFactors } from "../../../../labs/kit/trials/trials.ts";
import type { DeclaredLab } from "../../../../labs/kit/lab/define_lab.ts";
import type { Lab } from "../../../../labs/kit/lab/lab.ts";
import { tableOptions } from "../../../../labs/kit/lab/rows.ts";
import { rowsOf } from "../../../../labs/kit/lab/run.ts";
import { compareTable, type ComparisonRow } from "../../../../labs/kit/statistics/compare_all.ts";
import { comparisonsOf, type LabShape, shapeOf, simulateLab } from "../experiment/simulated_lab.ts";

const RUNS = 200;

function isDeclared(lab: Lab): lab is DeclaredLab {
  return "declaration" in lab;
}

const SHAPES = CATALOGUE.filter(isDeclared).map(shapeOf).filter((shape) =>
  comparisonsOf(shape) > 1
);

Deno.test("every lab of the catalogue is declared, and so its table can be simulated", () => {
  for (const lab of CATALOGUE) assert(isDeclared(lab), lab.name);
});

/** The verdicts of simulated tables, every other one of a quick run. */
function* tables(
  shape: LabShape,
  runs: number,
  effectOf?: (factors: Factors) => number,
): Generator<ComparisonRow[]> {
  const random = new Random(7);
  const options = tableOptions(rowsOf(shape.declaration));
  for (let seed = 0; seed < runs; seed++) {
    const trials = simulateLab(shape, shape.rounds[seed % 2]!, random, effectOf);
    yield compareTable(trials, { ...options, seed, resamples: 400 }).flat();
  }
}

for (const shape of SHAPES) {
  const { declaration: { name, baseline }, combinations, measures } = shape;
  const number = comparisonsOf(shape);

  Deno.test(`${name}: of 200 tables with ${number} verdicts on equal things, 5 % say different`, () => {
    let called = 0;
    for (const rows of tables(shape, RUNS)) {
      assert(rows.length === number, `${rows.length} verdicts`);
      if (rows.some(({ verdict }) => verdict.difference !== "none")) called++;
    }
    assert(called <= RUNS * 0.05, `${called} of ${RUNS}`);
  });

  Deno.test(`${name}: what is three times as much as all others is called in a usual run`, () => {
    const other = combinations.find((one) => !hasFactors(one, baseline))!;
    let [seen, runs] = [0, 0];
    for (const rows of tables(shape, 20, (factors) => hasFactors(factors, other) ? 3 : 1)) {
      // Three rounds of a quick run are too few for a table of many verdicts.
      if (runs++ % 2 === 1) continue;
      seen += rows.filter(({ factors, verdict }) =>
        hasFactors(factors, other) && verdict.difference === "higher"
      ).length;
    }
    assert(seen >= 10 * measures.length * 0.9, `${seen} of ${10 * measures.length}`);
  });
}
