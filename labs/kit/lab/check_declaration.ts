/**
 * What is wrong with a declaration, found out before anything is measured.
 *
 * @module
 */
import { ExplainedError } from "../../../ffi/kernel/errors.ts";
import { describeFactors, type Factors, hasFactors } from "../trials/trials.ts";
import { type Requirement, REQUIREMENTS } from "../probe/requirements.ts";
import { verdictColumns } from "./columns.ts";
import type { AnyDeclaration } from "./declaration.ts";

/**
 * Makes sure that what a lab needs is something that can be found out.
 *
 * @throws {ExplainedError} If it is not.
 */
export function requireNeeds(
  { name, needs }: { readonly name: string; readonly needs: readonly Requirement[] },
): void {
  const unknown = needs.find((need) => !REQUIREMENTS.includes(need));
  if (unknown === undefined) return;
  throw new ExplainedError(
    `${name}: needs: there is no ${unknown}. What to do: deno task doctor prints the names`,
  );
}

/**
 * Makes sure that a lab speaks of factors that it has.
 *
 * @param lab The declaration.
 * @param planned The combinations that it will measure.
 * @throws {ExplainedError} If it does not; the message says where, and which factors there are.
 */
export function requireFactors(lab: AnyDeclaration, planned: readonly Factors[]): void {
  if (planned.length === 0) return;
  const known = [...new Set(planned.flatMap((factors) => Object.keys(factors)))];
  const named = {
    baseline: Object.keys(lab.baseline),
    within: lab.within ?? [],
    factorTitles: Object.keys(lab.factorTitles ?? {}),
  };
  for (const [where, names] of Object.entries<readonly string[]>(named)) {
    const unknown = names.find((name) => !known.includes(name));
    if (unknown === undefined) continue;
    throw new ExplainedError(
      `${lab.name}: ${where}: there is no factor ${unknown}, the factors are ${known.join(", ")}`,
    );
  }
  // Where nothing is compared, none need be there.
  const isCompared = verdictColumns(lab.columns).length > 0;
  if (!isCompared || planned.some((factors) => hasFactors(factors, lab.baseline))) return;
  const there = planned.map((factors) =>
    describeFactors(
      Object.fromEntries(
        Object.entries(factors).filter(([name]) => Object.hasOwn(lab.baseline, name)),
      ),
    )
  );
  throw new ExplainedError(
    `${lab.name}: baseline: no combination has ${describeFactors(lab.baseline)}, they have ` +
      [...new Set(there)].join("; "),
  );
}
