/**
 * How a workload shows its payload to what looks at it.
 *
 * @module
 */
import type { Microscope, MicroscopePayload } from "../../../ffi/microscope/microscope.ts";
import type { MicroscopeView } from "../../../ffi/microscope/view.ts";

/**
 * Looks at a payload while it is sent and received. A workload that is given one calls it once, around
 * what moves the payload.
 *
 * @param payload Where the payload is.
 * @param work Moves it.
 * @returns What the work returns.
 */
export type PayloadLook = <T>(payload: readonly MicroscopePayload[], work: () => T) => T;

/** Looks with a microscope, and keeps what it saw last. */
export class PayloadWindow {
  readonly #microscope: Microscope;
  #view: MicroscopeView | undefined;

  /**
   * @param microscope What looks.
   */
  constructor(microscope: Microscope) {
    this.#microscope = microscope;
  }

  /** What was seen; undefined if the workload did not show its payload. */
  get view(): MicroscopeView | undefined {
    return this.#view;
  }

  /** What a workload is given. */
  readonly look: PayloadLook = <T>(payload: readonly MicroscopePayload[], work: () => T): T => {
    this.#microscope.watch(...payload);
    let result: T | undefined;
    const seen: unknown = this.#microscope.look("payload", () => result = work());
    if (!(seen instanceof Promise)) {
      this.#view = seen as MicroscopeView;
      return result as T;
    }
    return seen.then((view: MicroscopeView) => {
      this.#view = view;
      return result;
    }) as T;
  };
}
