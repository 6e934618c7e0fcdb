/**
 * The processors on which the parts of a lab run.
 *
 * @module
 */
import { pinThread } from "../../../ffi/kernel/thread.ts";
import { allowedProcessors } from "../workload/processors.ts";

/** Which of this process's processors does what. */
export class Processors {
  /** Where the thread that measures runs. */
  readonly measuring: number;
  /** Where the other end runs: another one where there is one. */
  readonly peer: number;
  /** Where the interrupts of links go: with the other end, so that they cost the measuring thread nothing. */
  readonly interrupt: number;

  private constructor(measuring: number, peer: number) {
    this.measuring = measuring;
    this.peer = peer;
    this.interrupt = peer;
  }

  /**
   * Chooses from those on which the kernel lets this process run.
   *
   * @param wanted Where the measuring thread shall run; by default on the first.
   */
  static choose(wanted?: number): Processors {
    const all = allowedProcessors() ?? [0];
    const measuring = wanted ?? all[0] ?? 0;
    return new Processors(measuring, all.find((cpu) => cpu !== measuring) ?? measuring);
  }

  /** Whether the two ends have a processor each. */
  get areTwo(): boolean {
    return this.peer !== this.measuring;
  }

  /**
   * Keeps this thread on the measuring processor.
   *
   * @returns Disposed of, the thread may run where it might before.
   */
  pin(): Disposable {
    return pinThread(this.measuring);
  }
}
