/**
 * How much is measured.
 *
 * @module
 */
import type { Progress } from "../labs/kit/terminal/progress.ts";

/** How much is measured, and who is told how far it has come. */
export interface Effort {
  /** How many rounds count. */
  readonly rounds: number;
  /** The work of a round: 1, or less for a look. */
  readonly scale: number;
  readonly progress: Pick<Progress, "update">;
}
