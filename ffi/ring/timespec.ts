/**
 * Durations as the kernel takes them.
 *
 * @module
 */
import { LAYOUTS, Struct } from "../kernel/layout.ts";

/**
 * A `struct __kernel_timespec` for a duration.
 *
 * @throws {RangeError} If it is negative, or no finite number.
 */
export function timespecFor(milliseconds: number): ArrayBuffer {
  if (!Number.isFinite(milliseconds) || milliseconds < 0) {
    throw new RangeError(
      `A time in milliseconds must be finite and not negative, got ${milliseconds}`,
    );
  }
  return new Struct(LAYOUTS.__kernel_timespec)
    .set("tv_sec", Math.floor(milliseconds / 1000))
    .set("tv_nsec", Math.floor((milliseconds % 1000) * 1e6)).buffer;
}
