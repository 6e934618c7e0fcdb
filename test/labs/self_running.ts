/**
 * Labs that run themselves, for the tests of what surrounds labs.
 *
 * @module
 */
import type { Lab } from "../../labs/kit/lab/lab.ts";
import type { LabOptions } from "../../labs/kit/options/options.ts";

/** A lab with a run of its own, with the types of its options. */
export function selfRunning<const Options extends LabOptions>(lab: Lab<Options>): Lab<Options> {
  return lab;
}
