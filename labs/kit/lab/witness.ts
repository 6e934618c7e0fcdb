/**
 * The microscope as one more witness of what a lab proves: each combination once more, with little
 * payload and under the microscope, in a guest that has it. What it saw stands beside what the kernel and
 * the NIC report of the same.
 *
 * @module
 */
import { Microscope } from "../../../ffi/microscope/microscope.ts";
import type { Factors } from "../trials/trials.ts";
import { copiesByRole, copiesText } from "../workload/copy_roles.ts";
import { contradictionsOf, NO_REPORTS } from "../workload/copy_reports.ts";
import { PayloadWindow } from "../workload/payload_window.ts";
import type { AnyDeclaration, RunContext } from "./declaration.ts";
import { UNSEEN } from "./looked_rows.ts";
import type { Witnessed } from "./witnessed.ts";

/**
 * Asks the witness.
 *
 * @param lab The lab, whose declaration names it.
 * @param combinations What to look at.
 * @param kept What the set-up keeps open.
 * @param run The run.
 * @param signal Stops it after the combination that it is at.
 * @returns What it saw; nothing where there is no microscope, or the lab does not name it.
 * @throws {TypeError} If a trial of the lab does not show its payload.
 */
export async function askMicroscope(
  lab: AnyDeclaration,
  combinations: readonly Factors[],
  kept: unknown,
  run: RunContext,
  signal: AbortSignal,
): Promise<readonly Witnessed[]> {
  const { witness } = lab;
  if (witness === undefined || !run.has("microscope") || signal.aborted) return [];
  using microscope = Microscope.open();
  const options = { ...run.options, ...witness.options };
  const witnessed: Witnessed[] = [];
  for (const factors of combinations) {
    if (signal.aborted) break;
    const window = new PayloadWindow("payload", () => microscope);
    // As a round that counts, and not as the first one.
    const own = { ...run, ...UNSEEN, options, round: 1, warmUp: false, signal };
    const measures = await lab.trial(factors, kept, { ...own, look: window.look });
    const reports = { ...NO_REPORTS, ...witness.reports(measures) };
    const { seen } = window;
    if (seen === undefined) {
      throw new TypeError(`${lab.name}: its trial does not use run.look`);
    }
    const { view } = seen;
    witnessed.push({
      factors,
      payloadBytes: view.payloadBytes,
      copiedBy: copiesText(copiesByRole(view)),
      reports,
      contradictions: contradictionsOf({ view, reports }),
    });
  }
  return witnessed;
}
