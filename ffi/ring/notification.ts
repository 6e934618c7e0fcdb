/**
 * What a notifier reports.
 *
 * @module
 */
import type { UringError } from "../kernel/errors.ts";
import { type Fact, showFacts } from "../kernel/inspection.ts";

/** What a {@linkcode Notification} says, by name. */
export type NotificationFields = {
  readonly [Name in keyof Notification as Name extends string ? Name : never]: Notification[Name];
};

/** What became of the requests that were attached to one notifier. */
export class Notification {
  /** The tag of the slot. */
  readonly tag: number | bigint;
  /** Which notifier of the slot this was: counts from 0 and wraps at 2^32. */
  readonly sequence: number;
  /** Requests that were attached. */
  readonly requests: number;
  /** Bytes that were sent. */
  readonly bytes: number;
  /** Requests that were sent. */
  readonly sent: number;
  /** Requests that failed. */
  readonly failed: number;
  /** The error of the first request that failed. */
  readonly error: UringError | undefined;
  /** Notifications that the kernel posted: one for each zero-copy request that got that far. */
  readonly notified: number;
  /**
   * Sent requests whose data the kernel copied all the same, or undefined when this kernel does
   * not report it (before 6.2).
   */
  readonly copied: number | undefined;
  /**
   * Milliseconds from the attaching of the first request to the moment when the flush saw that the
   * kernel had let go of every buffer.
   */
  readonly latencyMilliseconds: number;

  /** Made by {@linkcode Notifier.flush}. @internal */
  constructor(fields: NotificationFields) {
    this.tag = fields.tag;
    this.sequence = fields.sequence;
    this.requests = fields.requests;
    this.bytes = fields.bytes;
    this.sent = fields.sent;
    this.failed = fields.failed;
    this.error = fields.error;
    this.notified = fields.notified;
    this.copied = fields.copied;
    this.latencyMilliseconds = fields.latencyMilliseconds;
  }

  static {
    showFacts(Notification, (shown) => shown.#facts(), (shown) => shown.#more());
  }

  #facts(): readonly Fact[] {
    const { latencyMilliseconds: latency, error } = this;
    const time = latency < 1 ? `${Math.round(latency * 1000)} µs` : `${latency.toFixed(1)} ms`;
    return [
      ["tag", this.tag],
      ["sequence", this.sequence],
      ["requests", this.requests],
      ["copied", this.copied ?? "not reported"],
      ["latency", `"${time}"`],
      ["failed", error === undefined ? undefined : this.failed],
      ["error", error?.message],
    ];
  }

  /** What only a table has room for. */
  #more(): readonly Fact[] {
    return [["bytes", this.bytes], ["sent", this.sent], ["notified", this.notified]];
  }
}
