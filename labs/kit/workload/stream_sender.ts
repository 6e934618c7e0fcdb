/**
 * A thread that sends the stream, for experiments whose own thread receives it.
 *
 * @module
 */
import { ClosedError } from "../../../ffi/kernel/errors.ts";
import {
  CLOSED,
  type Display,
  type Fact,
  inLine,
  inTable,
} from "../../../ffi/kernel/inspection.ts";
import type { Socket } from "../../../ffi/net/socket.ts";
import type { SendReport, SendRequest, Sent } from "./stream_sender_thread.ts";

export type { Sent } from "./stream_sender_thread.ts";

/** What to send. */
export interface StreamOptions {
  /** Bytes. */
  readonly bytes: number;
  /** The processor to send on; any unless given. */
  readonly cpu?: number | undefined;
}

/**
 * A thread that sends streams, one after the other (SEND_ZC, 6.0), so that a receiver can block its
 * own thread and be measured alone. What it sends is the stream of {@linkcode matchesStream}.
 *
 * @example
 * ```ts
 * import { Area, receiveCopying, Ring, Socket, StreamSender, Testbed } from "zclab";
 * import { assertEquals } from "@std/assert";
 *
 * await using bed = await Testbed.loopback();
 * using sender = await StreamSender.start();
 * using listener = Socket.tcp(bed.far).bind(bed.far.address(0)).listen();
 * using client = Socket.tcp(bed.near).connect(listener.localAddress!);
 * using ring = Ring.open();
 * using server = await ring.accept(listener);
 * const stream = await sender.prepare(client, { bytes: 1 << 20 });
 * using area = Area.map({ bytes: 64 << 10 });
 * receiveCopying(ring, server, area, { bytes: 1 << 20, onReady: stream.begin });
 * assertEquals((await stream.sent).bytes, 1 << 20);
 * ```
 */
export class StreamSender implements Disposable {
  readonly #worker = new Worker(new URL("./stream_sender_thread.ts", import.meta.url), {
    type: "module",
  });
  #next = this.#listen();
  #closed = false;

  private constructor() {}

  /** Starts the thread; resolves when it can send. */
  static async start(): Promise<StreamSender> {
    const sender = new StreamSender();
    try {
      await sender.#next;
      return sender;
    } catch (error) {
      sender.close();
      throw error;
    }
  }

  /**
   * Prepares to send over a socket: resolves when the thread waits for nothing but `begin`.
   *
   * @param socket A connected TCP socket, to be kept open until `sent` resolves. At the end the stream
   *   is ended (`shutdown`).
   * @param options What to send.
   * @returns `begin` lets it start, and may be called by a thread that blocks afterwards; `sent`
   *   resolves when the kernel has let go of all memory, and rejects if sending failed.
   * @throws {ClosedError} After close.
   */
  async prepare(
    socket: Socket,
    { bytes, cpu }: StreamOptions,
  ): Promise<{ begin: () => void; sent: Promise<Sent> }> {
    if (this.#closed) throw new ClosedError("StreamSender");
    const go = new Int32Array(new SharedArrayBuffer(4));
    const request: SendRequest = { fd: socket.fd, bytes, cpu, go };
    this.#next = this.#listen();
    this.#worker.postMessage(request);
    await this.#next;
    const sent = this.#next = this.#listen();
    // Who never asks is told by the receiver's failure.
    sent.catch(() => {});
    return {
      begin: () => {
        Atomics.store(go, 0, 1);
        Atomics.notify(go, 0);
      },
      sent: sent.then((report) => (report as { sent: Sent }).sent),
    };
  }

  #listen(): Promise<SendReport> {
    return new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }: MessageEvent<SendReport>) => {
        if (data.kind === "failed") reject(new Error(`The sending thread: ${data.error}`));
        else resolve(data);
      };
      this.#worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(`The sending thread failed: ${event.message}`));
      };
    });
  }

  /** Ends the thread. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#worker.terminate();
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Shows the state on one line. */
  [Symbol.for("Deno.customInspect")](): string {
    return inLine("StreamSender", this.#facts());
  }

  /** A small table for notebooks. */
  [Symbol.for("Jupyter.display")](): Display {
    return inTable("StreamSender", this.#facts());
  }

  #facts(): readonly Fact[] {
    return this.#closed ? CLOSED : [["state", "open", "bare"]];
  }
}
