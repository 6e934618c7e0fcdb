/**
 * A thread that sends the stream, for experiments whose own thread receives it.
 *
 * @module
 */
import { CLOSED, type Fact, showFacts } from "../../../ffi/kernel/inspection.ts";
import type { Socket } from "../../../ffi/net/socket.ts";
import { type Look, notLooking } from "../trials/look.ts";
import { WorkerPeer } from "./peer.ts";
import type { PagesRequest, SenderAnswer, SendRequest, Sent } from "./stream_sender_thread.ts";

export type { Sent } from "./stream_sender_thread.ts";

/** What to send. */
export interface StreamOptions {
  /** Bytes. */
  readonly bytes: number;
  /** The processor to send on; any unless given. */
  readonly cpu?: number | undefined;
  /** Looks at the stream from its first byte to its last, which fills a page. */
  readonly look?: Look;
}

/**
 * A thread that sends streams, one after the other (SEND_ZC, 6.0), so that a receiver can block its
 * own thread and be measured alone. What it sends is the stream of {@linkcode matchesStream}.
 *
 * @example
 * ```ts
 * import { Area, Ring } from "zclab";
 * import { receiveCopying, StreamLink, StreamSender } from "zclab/lab";
 * import { assertEquals } from "@std/assert";
 *
 * await using link = await StreamLink.open({ kind: "loopback" });
 * using sender = await StreamSender.start();
 * using wire = await link.connect();
 * await using ring = Ring.open();
 * using area = Area.map({ bytes: 64 << 10 });
 * const bytes = 1 << 20;
 * const received = await sender.stream(
 *   wire.near,
 *   { bytes },
 *   (begin) => receiveCopying(ring, wire.far, area, { bytes, onReady: begin }),
 * );
 * assertEquals(received.bytes, bytes);
 * ```
 */
export class StreamSender implements Disposable {
  readonly #peer: WorkerPeer<SendRequest | PagesRequest, SenderAnswer>;

  private constructor(peer: WorkerPeer<SendRequest | PagesRequest, SenderAnswer>) {
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
   *   resolves when the kernel has released all memory, and rejects if sending failed.
   * @throws {PeerError} If the thread failed, or still sends the stream before.
   * @throws {ClosedError} After close.
   */
  async prepare(
    socket: Socket,
    { bytes, cpu }: StreamOptions,
  ): Promise<{ begin: () => void; sent: Promise<Sent> }> {
    const { begin, answer } = await this.#peer.request({ fd: socket.fd, bytes, cpu });
    return { begin, sent: answer as Promise<Sent> };
  }

  /** Where in physical memory the thread has so much of the stream. */
  async #pagesOf(bytes: number): Promise<Float64Array> {
    const { begin, answer } = await this.#peer.request({ pagesOf: bytes });
    begin();
    return await answer as Float64Array;
  }

  /**
   * Sends while the calling thread receives.
   *
   * @param socket A connected TCP socket, as for {@linkcode StreamSender.prepare}.
   * @param options What to send.
   * @param receive Receives it, and may block the thread; `begin` lets the sender start.
   * @returns What `receive` returned, once the kernel has released all memory.
   * @throws {ClosedError} After close.
   * @throws {Error} If sending failed, or what `receive` throws.
   */
  async stream<T>(
    socket: Socket,
    options: StreamOptions,
    receive: (begin: () => void) => T | Promise<T>,
  ): Promise<T> {
    const { look = notLooking, bytes } = options;
    const stream = (): Promise<T> => this.#stream(socket, options, receive);
    // Where its pages lie costs a message to the thread.
    if (look === notLooking) return await stream();
    const watch = [await this.#pagesOf(bytes)];
    return await look({ watch, unit: "byte", count: () => bytes }, stream);
  }

  async #stream<T>(
    socket: Socket,
    options: StreamOptions,
    receive: (begin: () => void) => T | Promise<T>,
  ): Promise<T> {
    const { begin, sent } = await this.prepare(socket, options);
    // Where receiving fails as well, its failure is what is told.
    sent.catch(() => {});
    const received = await receive(begin);
    await sent;
    return received;
  }

  /** Ends the thread. Idempotent. */
  close(): void {
    this.#peer.close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  static {
    showFacts(StreamSender, (shown) => shown.#facts());
  }

  #facts(): readonly Fact[] {
    return this.#peer.isClosed ? CLOSED : [["state", "open", "bare"]];
  }
}
