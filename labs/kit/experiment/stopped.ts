/**
 * Why an experiment ended.
 *
 * @module
 */

/**
 * Why an experiment ended: all `"repeats"` have run; or the intervals had the `"width"` asked for,
 * or the `"most"` repeats have run, or the `"seconds"` were spent; or it was told to by its
 * `"signal"`; or a trial failed, an `"error"`.
 */
export type Stopped = "repeats" | "width" | "most" | "seconds" | "signal" | "error";
