/**
 * A thread that sends back what it receives, for experiments whose own thread waits for it.
 *
 * @module
 */
import { CLOSED, type Fact, showFacts } from "../../../ffi/kernel/inspection.ts";
import type { Socket } from "../../../ffi/net/socket.ts";
import type { Echoed, EchoRequest } from "./echo_thread.ts";
import { PeerError, WorkerPeer } from "./peer.ts";

export type { Echoed } from "./echo_thread.ts";

/** Bytes of the datagram that tells an echo to stop; no message is as short. */
export const STOP_BYTES = 1;

/** Milliseconds that an echo which was told to stop may take to do so. */
const PATIENCE = 5000;

/** What to echo, and where. */
export interface EchoOptions {
  /** Bytes of a message at most, more than 1. */
  readonly bytes: number;
  /** The processor to echo on; any unless given. */
  readonly cpu?: number | undefined;
}

/** An echo at work. Disposed of before it was told to stop, it is stopped by force. */
export interface Echoing extends AsyncDisposable {
  /**
   * What was echoed.
   *
   * @returns Resolves when the echo was told to stop, as {@linkcode RoundTrips.stopEcho} does.
   * @throws {PeerError} If the echo failed, or does not stop within 5 seconds.
   */
  report(): Promise<Echoed>;
}

/** A thread that echoes on one socket after another, with a ring of its own. It never busy polls. */
export class Echo implements Disposable {
  readonly #peer: WorkerPeer<EchoRequest, Echoed>;

  private constructor(peer: WorkerPeer<EchoRequest, Echoed>) {
    this.#peer = peer;
  }

  /** Starts the thread; resolves when it can echo. */
  static async start(): Promise<Echo> {
    const module = new URL("./echo_thread.ts", import.meta.url);
    return new Echo(await WorkerPeer.start(module, "The echo"));
  }

  /**
   * Echoes on a socket.
   *
   * @param socket A connected socket, to be kept open until the echo has stopped.
   * @param options How large messages are, and where to echo.
   * @returns Resolves when the echo has begun.
   * @throws {PeerError} If the thread failed, or still echoes on another socket.
   * @throws {ClosedError} After close.
   */
  async serve(socket: Socket, { bytes, cpu }: EchoOptions): Promise<Echoing> {
    const stopBytes = socket.protocol === "udp" ? STOP_BYTES : 0;
    const { begin, answer } = await this.#peer.request({ fd: socket.fd, bytes, stopBytes, cpu });
    begin();
    return {
      report: () => soon(answer),
      async [Symbol.asyncDispose](): Promise<void> {
        try {
          socket.shutdown();
        } catch {
          // The connection is gone, and the echo knows.
        }
        await soon(answer).catch(() => {});
      },
    };
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
    showFacts(Echo, (shown) => shown.#facts());
  }

  #facts(): readonly Fact[] {
    return this.#peer.isClosed ? CLOSED : [["state", "open", "bare"]];
  }
}

async function soon<T>(answer: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new PeerError("The echo does not stop")), PATIENCE);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
