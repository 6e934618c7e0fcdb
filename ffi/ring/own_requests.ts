/**
 * Requests that a ring makes for itself: cancellations and time limits.
 *
 * @module
 */
import { addressOf, high, low } from "../kernel/memory.ts";
import { INTERNAL, KIND_SHIFT } from "./user_data.ts";
import { ASYNC_CANCEL, OP, SQE } from "../kernel/uapi.ts";

/** A ring, as its own requests see it. */
export interface RequestingRing {
  readonly closed: boolean;
  /** Submission entries as words. */
  readonly sqes: Int32Array;
  /** Entries that are not submitted yet. */
  readonly prepared: number;
  /** Where the entry that was prepared last starts. */
  readonly last: number;
  /** Takes the next entry; returns where it starts. */
  next(): number;
  submit(waitFor: number): number;
  /** Submits what this turn of the event loop prepares, together, at its end. */
  submitSoon(): void;
}

/** Asks the kernel to cancel every request that it can still cancel. */
export function cancelAll(ring: RequestingRing): void {
  const at = next(ring, OP.ASYNC_CANCEL);
  ring.sqes[at + 7] = ASYNC_CANCEL.ANY | ASYNC_CANCEL.ALL;
  ring.submit(0);
}

/** Asks it to cancel the requests on a file. */
export function cancelFile(ring: RequestingRing, fd: number, flags: number): void {
  const at = next(ring, OP.ASYNC_CANCEL);
  ring.sqes[at + 1] = fd;
  ring.sqes[at + 7] = flags;
  ring.submit(0);
}

/** Cancels one tracked request, if it can still be cancelled. */
export function cancelRequest(ring: RequestingRing, upper: number): void {
  if (ring.closed) return;
  const at = next(ring, OP.ASYNC_CANCEL);
  ring.sqes[at + 5] = upper;
  ring.submitSoon();
}

/** Limits the time of the request prepared last; there must be room for one entry more. */
export function linkTimeout(ring: RequestingRing, timespec: ArrayBuffer): void {
  ring.sqes[ring.last]! |= SQE.IO_LINK << 8;
  const at = nextOfChain(ring, OP.LINK_TIMEOUT);
  const address = addressOf(timespec);
  ring.sqes[at + 4] = low(address);
  ring.sqes[at + 5] = high(address);
  ring.sqes[at + 6] = 1;
}

/**
 * Ends a chain of requests at the one that was prepared last: what should have followed is not
 * to come.
 */
export function breakChain(ring: RequestingRing): void {
  if (!ring.closed && ring.prepared > 0) ring.sqes[ring.last]! &= ~(SQE.IO_LINK << 8);
}

/** Prepares a request whose completion nobody needs; returns where its words start. */
function next(ring: RequestingRing, opcode: number): number {
  breakChain(ring);
  return nextOfChain(ring, opcode);
}

function nextOfChain(ring: RequestingRing, opcode: number): number {
  const at = ring.next();
  ring.sqes.fill(0, at, at + 16);
  ring.sqes[at] = opcode;
  ring.sqes[at + 1] = -1;
  ring.sqes[at + 9] = INTERNAL << KIND_SHIFT;
  return at;
}
