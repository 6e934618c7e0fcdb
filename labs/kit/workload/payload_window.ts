/**
 * The part of a trial that is looked at with the microscope.
 *
 * @module
 */
import type { Microscope } from "../../../ffi/microscope/microscope.ts";
import type { MicroscopeView } from "../../../ffi/microscope/view.ts";
import type { ViewedWork } from "../run/run_view.ts";
import type { Look, LookedPart } from "../trials/look.ts";

/** What was seen of a trial. */
export interface Seen {
  /** The window. */
  readonly view: MicroscopeView;
  /** What was done meanwhile; null if the trial does not say. */
  readonly work: ViewedWork | null;
}

/** Looks with a microscope while a trial does its work, and keeps what was seen last. */
export class PayloadWindow {
  readonly #name: string;
  readonly #open: () => Microscope;
  #seen: Seen | undefined;

  /**
   * @param name What the window is called.
   * @param open Gives the microscope when something is to be seen: some trials have one of their own.
   */
  constructor(name: string, open: () => Microscope) {
    this.#name = name;
    this.#open = open;
  }

  /** What was seen; undefined if the trial showed nothing. */
  get seen(): Seen | undefined {
    return this.#seen;
  }

  /**
   * Keeps what a trial has seen by itself.
   *
   * @param view What it saw.
   */
  readonly saw = (view: MicroscopeView): void => {
    this.#seen = { view, work: null };
  };

  /** What a trial is given. */
  readonly look: Look = <T>({ watch = [], unit, count }: LookedPart, work: () => T): T => {
    const microscope = this.#open().watch(...watch);
    const keep = (view: MicroscopeView): void => {
      const done = count();
      this.#seen = { view, work: done > 0 ? { count: done, unit } : null };
    };
    let result: T | undefined;
    // What returns a promise is looked at until that is fulfilled.
    const view: MicroscopeView | Promise<MicroscopeView> = microscope.look(
      this.#name,
      () => result = work(),
    );
    if (!(view instanceof Promise)) {
      keep(view);
      return result as T;
    }
    return view.then((view) => {
      keep(view);
      return result;
    }) as T;
  };
}
