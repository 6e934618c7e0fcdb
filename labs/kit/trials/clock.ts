/**
 * What the clock of this machine counts. In a guest with the instruction clock (`deno task vm --clock
 * instructions`) each instruction that the guest executes is one nanosecond of its clock. A duration is
 * a number of instructions then, and a rate says how many of them one thing takes.
 *
 * That is no time: cache misses, mispredicted branches and memory that is slow cost nothing there.
 *
 * @module
 */

/** What a clock counts. */
export type Clock = "time" | "instructions";

/** Instructions in a second of a clock that counts them: each is a nanosecond. */
export const INSTRUCTIONS_PER_SECOND = 1e9;

/** What every figure of such a clock needs beside it. */
export const NOT_TIME = "instructions, not time";

/** The unit of a number of instructions; what they are for follows behind a slash. */
export const INSTRUCTIONS = "instructions";

/** Whether a unit is that of a number of instructions. */
export function isInstructions(unit: string): boolean {
  return unit === INSTRUCTIONS || unit.startsWith(`${INSTRUCTIONS}/`);
}

/**
 * What the clock of a kernel counts. `vm/acceleration.ts` gives the guest's kernel a word about it.
 *
 * @param commandLine The kernel's command line; null where it cannot be read.
 */
export function clockOf(commandLine: string | null): Clock {
  const words = commandLine?.trim().split(/\s+/) ?? [];
  return words.includes("zclab.clock=instructions") ? "instructions" : "time";
}

/** What the clock of this machine counts. */
export function machineClock(): Clock {
  try {
    return clockOf(Deno.readTextFileSync("/proc/cmdline"));
  } catch {
    // Where it cannot be read, no guest of ours made it.
    return "time";
  }
}

/**
 * What the clock of a run counted.
 *
 * @param document The run; one of a version that knew no other clock was by one that counts time.
 */
export function clockOfRun(
  { environment: { clock } }: { readonly environment: { readonly clock?: Clock } },
): Clock {
  return clock ?? "time";
}
