/**
 * Runs of a declared lab in which nothing differs: its factors and its measures, and the numbers of a
 * noisy machine.
 *
 * @module
 */
import { combinationsOf } from "../../../../labs/kit/lab/run.ts";
import type { Random } from "../../../../labs/kit/trials/random.ts";
import {
  type Factors,
  hasFactors,
  type Measures,
  type Trial,
} from "../../../../labs/kit/trials/trials.ts";
import { verdictColumns } from "../../../../labs/kit/lab/columns.ts";
import type { AnyDeclaration } from "../../../../labs/kit/lab/declaration.ts";
import { labContext } from "../../../../labs/kit/lab/lab.ts";
import type { DeclaredLab } from "../../../../labs/kit/lab/define_lab.ts";
import { Processors } from "../../../../labs/kit/workload/processors.ts";
import { normal } from "./simulated_trials.ts";

/** What a lab is, so far as its verdicts go. */
export interface LabShape {
  readonly combinations: readonly Factors[];
  readonly declaration: AnyDeclaration;
  /** The measures that its table compares. */
  readonly measures: readonly string[];
  /** How many rounds it has, in the usual run and in a quick one. */
  readonly rounds: readonly [usual: number, quick: number];
}

/** The shape of a lab on a machine that has all that it may use, with its default options. */
export function shapeOf(lab: DeclaredLab): LabShape {
  const { declaration } = lab;
  const contexts = [labContext(lab), labContext(lab, { quick: true })];
  const { options, seed, repeats, quick } = contexts[0]!;
  const run = {
    options,
    seed,
    repeats,
    quick,
    clock: "time" as const,
    processors: Processors.choose(),
    has: () => true,
  };
  return {
    combinations: combinationsOf(declaration, run),
    declaration,
    measures: verdictColumns(declaration.columns).map(({ measure }) => measure),
    rounds: [contexts[0]!.repeats, contexts[1]!.repeats],
  };
}

/** How many verdicts the table of a lab has. */
export function comparisonsOf({ combinations, declaration, measures }: LabShape): number {
  const { baseline } = declaration;
  return measures.length * combinations.filter((one) => !hasFactors(one, baseline)).length;
}

/**
 * A run in which all combinations are equal, but for the effects asked for. Trials have a noise of 3 to 15 %, and so does what
 * the trials of a round share; half as much is what drifts from round to round; 2 % of the trials are
 * hit by something, and up to three times as slow.
 */
export function simulateLab(
  { combinations, declaration, measures }: LabShape,
  rounds: number,
  random: Random,
  effectOf: (factors: Factors) => number = () => 1,
): Trial[] {
  const noise = 0.03 + 0.12 * random.next();
  const baselines = combinations.filter((one) => hasFactors(one, declaration.baseline));
  const trials: Trial[] = [];
  let drift = 0;
  for (let round = 0; round < rounds; round++) {
    drift += noise / 2 * normal(random);
    const shared = drift + noise * normal(random);
    const measured = (factors: Factors): Measures => {
      const hit = random.next() < 0.02 ? Math.log(1 + 2 * random.next()) : 0;
      return Object.fromEntries(
        measures.map((name) => [
          name,
          effectOf(factors) * Math.exp(shared + hit + noise * normal(random)),
        ]),
      );
    };
    const planned = [
      ...combinations.map((factors) => ({ factors, control: false })),
      ...baselines.map((factors) => ({ factors, control: true })),
    ];
    for (const [order, { factors, control }] of planned.entries()) {
      trials.push({
        round,
        order,
        warmUp: false,
        control,
        factors,
        measures: measured(factors),
        startedAt: "2026-01-01T00:00:00.000Z",
        seconds: 1,
      });
    }
  }
  return trials;
}
