/**
 * What a witness of a lab says.
 *
 * @module
 */
import type { Factors } from "../trials/trials.ts";
import type { CopyReports } from "../workload/copy_reports.ts";

/** What the microscope saw of one combination, beside what was reported. */
export type Witnessed = {
  /** The combination. */
  readonly factors: Factors;
  /** Bytes that it followed. */
  readonly payloadBytes: number;
  /** Who made copies of each byte, such as `nic: 1 softnic_read`; `nobody` if there was none. */
  readonly copiedBy: string;
  /** What was reported. */
  readonly reports: CopyReports;
  /** Where that contradicts what was seen: a sentence each. */
  readonly contradictions: readonly string[];
};
