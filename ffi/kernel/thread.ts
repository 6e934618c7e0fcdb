/**
 * The thread that runs JavaScript: its processor and its CPU time.
 *
 * @module
 */
import { checkWhole } from "./arguments.ts";
import { unwrap, UringError } from "./errors.ts";
import { native } from "./native.ts";

/** Bytes of a processor mask: room for 8192 processors. */
const MASK_BYTES = 1024;

/**
 * CPU time that this thread has used, user and system, in seconds. What the kernel does for a send
 * within the sending call counts; what interrupts and other threads do does not.
 */
export function threadCpuSeconds(): number {
  return native().zclab_thread_cpu_seconds();
}

/**
 * Keeps this thread on one processor until the returned object is disposed. Other threads of the
 * runtime (garbage collection, compilation) stay where they are.
 *
 * @param cpu Number of the processor, from 0.
 * @throws {RangeError} If it is not a whole number from 0.
 * @throws {UringError} EINVAL, if this machine or its control group does not have that processor.
 */
export function pinThread(cpu: number): Disposable {
  checkWhole("cpu", cpu, 0, MASK_BYTES * 8 - 1);
  const before = new Uint8Array(MASK_BYTES);
  const length = unwrap(
    "sched_getaffinity",
    native().zclab_affinity_get(before.buffer, MASK_BYTES),
  );
  const mask = new Uint8Array(MASK_BYTES);
  mask[cpu >> 3] = 1 << (cpu & 7);
  const result = native().zclab_affinity_set(mask.buffer, MASK_BYTES);
  if (result < 0) {
    throw new UringError("sched_setaffinity", -result, {
      meaning: `processor ${cpu} is not to be had`,
      advice: `choose one of those in: grep Cpus_allowed_list /proc/self/status`,
    });
  }
  let pinned = true;
  return {
    [Symbol.dispose](): void {
      if (!pinned) return;
      pinned = false;
      native().zclab_affinity_set(before.buffer, length);
    },
  };
}
