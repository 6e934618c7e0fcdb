/**
 * The error of a run that failed after something was measured, which keeps it.
 *
 * @module
 */
import type { RunDocument } from "./run_document.ts";

/**
 * A run failed after it had measured something: a later trial, a check, or what the lab makes of its
 * trials. What went wrong is the `cause`.
 */
export class RunError extends Error {
  /** The name of the class. */
  override readonly name = "RunError";
  /** The run, as far as it came: all trials that ran, and the rows if they could be made. */
  declare readonly document: RunDocument;

  /**
   * Wraps what was thrown.
   *
   * @param document The run, as far as it came.
   * @param cause What was thrown.
   */
  constructor(document: RunDocument, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`${document.lab}, after ${document.trials.length} trials: ${reason}`, { cause });
    // A whole run would hide what went wrong where the error is shown.
    Object.defineProperty(this, "document", { value: document });
  }
}
