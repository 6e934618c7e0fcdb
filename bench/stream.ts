/**
 * A TCP stream that is received: what both sides are told, and what they report.
 *
 * @module
 */

/** Where a stream comes in, and how long it is. */
export interface StreamOptions {
  /** Numeric address of the receiver. */
  readonly host: string;
  /** TCP port of the receiver; 0 lets the kernel choose, where a receiver listens. */
  readonly port: number;
  /** Length of the stream in bytes, 1 to 2147483647. */
  readonly bytes: number;
  /** The processor that the thread stays on, from 0. */
  readonly cpu: number;
}

/** How to receive without copying. */
export interface ZcrxOptions extends StreamOptions {
  /** The interface; null for none (`ZCRX_REG_NODEV`). */
  readonly interface: string | null;
  /** Which of its receive queues. */
  readonly queue: number;
  /** Length of the area in bytes, whole pages. */
  readonly area: number;
  /** Entries of the refill ring, a power of two. */
  readonly refill: number;
  /** Entries of the completion queue, a power of two. */
  readonly completions: number;
}

/** How to receive with recv(2). */
export interface CopyOptions extends StreamOptions {
  /** Bytes for each call at most. */
  readonly length: number;
}

/** What receiving a stream took. */
export interface Received {
  /** Length of the stream. */
  readonly bytes: number;
  /** How many pieces it came in. */
  readonly pieces: number;
  /** From the first request to the last byte. */
  readonly seconds: number;
  /** CPU time of the receiving thread in that time, user and system. */
  readonly cpuSeconds: number;
  /** Bytes that the kernel says it copied into the area; 0 for recv(2), where it does not say. */
  readonly copiedBytes: number;
  /** How often the request was armed; 0 for recv(2). */
  readonly armed: number;
}

/** What sending a stream took. */
export interface Sent {
  /** Length of the stream. */
  readonly bytes: number;
  /** CPU time of the sending thread. */
  readonly cpuSeconds: number;
}

/** Told the port as soon as a receiver listens: time to send. */
export type OnListening = (port: number) => void | Promise<void>;
