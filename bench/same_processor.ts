/**
 * The C program and ours on one processor, so that neither has the better one.
 *
 * @module
 */
import { pinThread } from "zclab";
import { allowedProcessors } from "../labs/kit/workload/processors.ts";
import type { Reference } from "./reference.ts";

/**
 * Keeps both on the last of the processors that this process may use: interrupts come to the first
 * most often.
 *
 * @param reference The C program; it stays there.
 * @returns Disposed of, this thread may run where it might before.
 */
export async function pinBoth(reference: Reference): Promise<Disposable> {
  const cpu = allowedProcessors()?.at(-1) ?? 0;
  await reference.pin(cpu);
  return pinThread(cpu);
}
