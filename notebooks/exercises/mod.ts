/**
 * The exercises of the notebooks, one module for each notebook, and the recorded runs.
 *
 * @module
 */
export * as ringsAndCompletions from "./01_rings_and_completions.ts";
export * as zeroCopySend from "./02_zero_copy_send.ts";
export * as zeroCopyReceive from "./06_zero_copy_receive.ts";
export * as reproducibleMeasurement from "./07_reproducible_measurement.ts";
export * as notifiers from "./03_notifiers.ts";
export * as whenZeroCopyLoses from "./04_when_zero_copy_loses.ts";
export * as proofOfZeroCopy from "./05_proof_of_zero_copy.ts";
export * as whereIsItCopied from "./08_where_is_it_copied.ts";
export * as instructionCount from "./09_instruction_count.ts";

/**
 * Where a recorded run is.
 *
 * @param name Its name, such as `rx_zcrx`.
 * @returns The address of its file, for `runOrRecorded` or `recordedRun`.
 */
export function recording(name: string): URL {
  return new URL(`../recorded/${name}.json`, import.meta.url);
}
