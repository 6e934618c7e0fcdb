/**
 * One notifier of a slot, between two flushes: it counts what became of its requests.
 *
 * @module
 */
import { now } from "../kernel/clock.ts";
import type { Engine } from "./engine.ts";
import { MOST_REQUESTS } from "./request_table.ts";
import type { CountingTarget } from "./target.ts";
import { CQE, NOTIF_USAGE_ZC_COPIED } from "../kernel/uapi.ts";

// Under a name of this file it is folded into the code, not looked up at each completion.
const NOTIF = CQE.NOTIF;

/** One notifier of a slot: from the flush before to its own. */
export class Generation implements CountingTarget {
  readonly engine: Engine;
  requests = 0;
  bytes = 0;
  sent = 0;
  failed = 0;
  notified = 0;
  copied = 0;
  firstErrno = 0;
  outstanding = 0;
  startedAt = 0;
  onReleased: (() => void) | undefined;
  onFailure: ((error: unknown) => void) | undefined;
  failure: unknown;
  /** Requests that sent nothing: the copied bit of their notification means nothing. */
  #empty: Set<number> | undefined;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Counts requests that were prepared. */
  attach(count = 1): void {
    if (this.requests === 0) this.startedAt = now();
    this.requests += count;
    this.outstanding += count;
  }

  complete(result: number, flags: number, slot: number, final: boolean, index: number): void {
    if ((flags & NOTIF) !== 0) {
      this.notified++;
      if (this.#empty !== undefined && this.#empty.delete(slot * MOST_REQUESTS + index)) {
        // Nothing was sent: the kernel sets the copied bit then as well.
        if (this.#empty.size === 0) this.#empty = undefined;
      } else if ((result & NOTIF_USAGE_ZC_COPIED) !== 0) this.copied++;
    } else if (result > 0) {
      this.sent++;
      this.bytes += result;
    } else {
      if (result === 0) this.sent++;
      else if (this.failed++ === 0) this.firstErrno = -result;
      if (!final) (this.#empty ??= new Set()).add(slot * MOST_REQUESTS + index);
    }
    if (final && --this.outstanding === 0) this.onReleased?.();
  }

  /** The copied bits mean something as long as every request has sent something. */
  get counts(): boolean {
    return this.#empty === undefined;
  }

  count(sent: number, bytes: number, notified: number, copied: number, final: number): void {
    this.sent += sent;
    this.bytes += bytes;
    this.notified += notified;
    this.copied += copied;
    this.outstanding -= final;
    if (final > 0 && this.outstanding === 0) this.onReleased?.();
  }

  fail(error: unknown): void {
    this.failure = error;
    this.onFailure?.(error);
  }
}
