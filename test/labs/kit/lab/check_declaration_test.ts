import { assert } from "@std/assert";
import { CATALOGUE } from "../../../../labs/catalogue.ts";
import { requireFactors } from "../../../../labs/kit/lab/check_declaration.ts";
import type { DeclaredLab } from "../../../../labs/kit/lab/define_lab.ts";
import { labContext } from "../../../../labs/kit/lab/lab.ts";
import { combinationsOf } from "../../../../labs/kit/lab/run.ts";
import { Processors } from "../../../../labs/kit/workload/processors.ts";

for (const lab of CATALOGUE as readonly DeclaredLab[]) {
  Deno.test(`${lab.name} speaks of factors that it has, on machines that have all and nothing`, () => {
    for (const quick of [false, true]) {
      for (const hasAll of [false, true]) {
        const { options, seed, repeats } = labContext(lab, { quick });
        const processors = Processors.choose();
        const run = {
          options,
          seed,
          repeats,
          quick,
          clock: "time" as const,
          processors,
          has: (): boolean => hasAll,
        };
        const planned = combinationsOf(lab.declaration, run);
        assert(planned.length > 0);
        requireFactors(lab.declaration, planned);
      }
    }
  });
}
