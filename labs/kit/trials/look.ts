/**
 * How a trial says which part of it is worth looking at with the microscope.
 *
 * @module
 */
import type { MicroscopePayload } from "../../../ffi/microscope/microscope.ts";

/** A part of a trial that does the work, without what sets it up. */
export interface LookedPart {
  /**
   * The payload, whose copies are followed.
   *
   * @default {nothing: only instructions are counted}
   */
  readonly watch?: readonly MicroscopePayload[];
  /** What a unit of the work is called, such as `request`. */
  readonly unit: string;
  /** How many units were done; asked when the work is done. */
  count(): number;
}

/**
 * Does the work of a trial, and looks at it meanwhile if somebody wants to.
 *
 * @param part What the work is.
 * @param work The work; what it returns is returned.
 */
export type Look = <T>(part: LookedPart, work: () => T) => T;

/** Nobody looks. */
export function notLooking<T>(_part: LookedPart, work: () => T): T {
  return work();
}
