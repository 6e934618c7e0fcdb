/**
 * All solutions, by the names of the notebooks.
 *
 * @module
 */
import { solutions as ringsAndCompletions } from "./01_rings_and_completions.ts";
import { solutions as reproducibleMeasurement } from "./07_reproducible_measurement.ts";
import { solutions as zeroCopyReceive } from "./06_zero_copy_receive.ts";
import { solutions as zeroCopySend } from "./02_zero_copy_send.ts";
import { solutions as notifiers } from "./03_notifiers.ts";
import { solutions as whenZeroCopyLoses } from "./04_when_zero_copy_loses.ts";
import { solutions as proofOfZeroCopy } from "./05_proof_of_zero_copy.ts";
import { solutions as whereIsItCopied } from "./08_where_is_it_copied.ts";
import { solutions as instructionCount } from "./09_instruction_count.ts";
import type { Solution } from "./solution.ts";

/** The solutions of each notebook. */
export const SOLUTIONS: Readonly<Record<string, readonly Solution[]>> = {
  "01-rings-and-completions": ringsAndCompletions,
  "02-zero-copy-send": zeroCopySend,
  "06-zero-copy-receive": zeroCopyReceive,
  "07-reproducible-measurement": reproducibleMeasurement,
  "03-notifiers": notifiers,
  "04-when-zero-copy-loses": whenZeroCopyLoses,
  "05-proof-of-zero-copy": proofOfZeroCopy,
  "08-where-is-it-copied": whereIsItCopied,
  "09-instruction-count": instructionCount,
};
