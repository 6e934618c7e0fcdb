/**
 * A thread that sends the stream, for experiments whose own thread receives it.
 *
 * @module
 */
import {
  CLOSED,
  type Display,
  type Fact,
  inLine,
  inTable,
} from "../../../ffi/kernel/inspection.ts";
import type { Socket } from "../../../ffi/net/socket.ts";
import { WorkerPeer } from "./peer.ts";
import type { SendRequest, Sent } from "./stream_sender_thread.ts";

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
  readonly #peer: WorkerPeer<SendRequest, Sent>;

  private constructor(peer: WorkerPeer<SendRequest, Sent>) {
    this.#peer = peer;
  }

  /** Starts the thread; resolves when it can send. */
  static async start(): Promise<StreamSender> {
    const module = new URL("./stream_sender_thread.ts", import.meta.url);
    return new StreamSender(await WorkerPeer.start(module, "The sender of the stream"));
  }

  /**
   * Prepares to send over a socket: resolves when the thread waits for nothing but `begin`.
   *
   * @param socket A connected TCP socket, to be kept open until `sent` resolves. At the end the stream
   *   is ended (`shutdown`).
   * @param options What to send.
   * @returns `begin` lets it start, and may be called by a thread that blocks afterwards; `sent`
   *   resolves when the kernel has let go of all memory, and rejects if sending failed.
   * @throws {PeerError} If the thread failed, or still sends the stream before.
   * @throws {ClosedError} After close.
   */
  async prepare(
    socket: Socket,
    { bytes, cpu }: StreamOptions,
  ): Promise<{ begin: () => void; sent: Promise<Sent> }> {
    const { begin, answer } = await this.#peer.request({ fd: socket.fd, bytes, cpu });
    return { begin, sent: answer };
  }

  /** Ends the thread. Idempotent. */
  close(): void {
    this.#peer.close();
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
    return this.#peer.isClosed ? CLOSED : [["state", "open", "bare"]];
  }
}
