/**
 * The processors on which this process may run, and which of them does what.
 *
 * @module
 */
import { pinThread } from "../../../ffi/kernel/thread.ts";

/**
 * The processors on which the kernel lets this process run, in order.
 *
 * @param status The text of `/proc/self/status`; by default it is read.
 * @returns Their numbers, from 0; undefined if the kernel does not say.
 */
export function allowedProcessors(
  status: string = Deno.readTextFileSync("/proc/self/status"),
): number[] | undefined {
  return /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1]?.split(",").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
  });
}

/**
 * Says what is wrong with a processor that a lab shall run on, as the `check` of an option.
 *
 * @param cpu Its number.
 * @returns A sentence, or undefined if this process may run on it.
 *
 * @example
 * ```ts
 * import { processorProblem } from "./processors.ts";
 * import { assertStringIncludes } from "@std/assert";
 *
 * assertStringIncludes(processorProblem(100_000)!, "100000 is none of the processors");
 * ```
 */
export function processorProblem(cpu: number): string | undefined {
  const allowed = allowedProcessors();
  if (allowed === undefined || allowed.includes(cpu)) return undefined;
  return `${cpu} is none of the processors of this process: ${rangesOf(allowed)}`;
}

function rangesOf(sorted: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const cpu of sorted) {
    const range = ranges.at(-1);
    if (range !== undefined && range[1] === cpu - 1) range[1] = cpu;
    else ranges.push([cpu, cpu]);
  }
  return ranges.map(([first, last]) => first === last ? first : `${first}-${last}`).join(",");
}

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
