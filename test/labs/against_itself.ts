/**
 * Runs labs in which every row does what the baseline does: what their tables call a difference is
 * none. For real runs, which take too long for a test; the simulated ones are one
 * (`kit/lab/against_itself_test.ts`).
 *
 *     deno run -A test/labs/against_itself.ts busy-poll 20
 *     deno task vm -- deno run -A test/labs/against_itself.ts rx-zcrx 20 '{ "bytes": 1048576 }'
 *
 * @module
 */
import { runLab } from "zclab/lab";
import { CATALOGUE } from "../../labs/catalogue.ts";
import { type DeclaredLab, defineLab } from "../../labs/kit/lab/define_lab.ts";
import { tableOptions } from "../../labs/kit/lab/rows.ts";
import { rowsOf } from "../../labs/kit/lab/run.ts";
import { compareTable } from "../../labs/kit/statistics/compare_all.ts";

async function main([name, runs = "20", options = "{}"]: readonly string[]): Promise<number> {
  const lab = CATALOGUE.find((lab) => lab.name === name) as DeclaredLab | undefined;
  if (lab === undefined) {
    console.error(`Name a lab: ${CATALOGUE.map(({ name }) => name).join(", ")}`);
    return 2;
  }
  const { trial, proof: _proof, checks: _checks, conclusions: _conclusions, ...rest } =
    lab.declaration;
  const same = defineLab({
    ...rest,
    trial: (factors, bench, run) => trial({ ...factors, ...rest.baseline }, bench, run),
  });
  let called = 0;
  for (let seed = 1; seed <= Number(runs); seed++) {
    const { document } = await runLab(same, { seed, options: JSON.parse(options) });
    const { trials } = document;
    const rows = compareTable(trials, { ...tableOptions(rowsOf(lab.declaration)), seed }).flat();
    const different = rows.filter(({ verdict }) => verdict.difference !== "none");
    if (different.length > 0) called++;
    console.log(
      `${name} ${seed}: ${rows.length} comparisons` +
        different.map(({ factors, verdict }) => `; ${JSON.stringify(factors)}: ${verdict.text}`)
          .join(""),
    );
  }
  console.log(`${name}: ${called} of ${runs} tables call a difference`);
  return 0;
}

Deno.exit(await main(Deno.args));
