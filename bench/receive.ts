/**
 * Receiving a TCP stream: the C programs that the bench compares with (receive.c), and our twin.
 *
 * @module
 */
import { Area, pinThread, Ring, Socket, ZcrxReceiver } from "zclab";
import type { Place } from "zclab/types";
import { receiveZeroCopy as receiveStreamZeroCopy } from "../labs/kit/workload/receive.ts";
import { Program } from "./program.ts";

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
export interface SendZcOptions extends StreamOptions {
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

const SOURCE = new URL("./receive.c", import.meta.url);

/** How long a receiver or the sender may take before it counts as stuck. */
const PATIENCE_MILLISECONDS = 300_000;

/** How long to wait for a queue that was another's a moment ago. */
const QUEUE_MILLISECONDS = 5000;

/** Entries of the submission queue: one request is all there is. */
const RING_ENTRIES = 8;

/**
 * Receives a stream without copying, on the batch face, as receive.c does. Blocks the thread from
 * the first request to the end.
 *
 * @param place Where the interface is, and where to listen.
 * @param options The same as the C program's.
 * @param onListening Told the port.
 * @returns What it took.
 * @throws {UringError} If registering or receiving failed.
 * @throws {Error} If a piece is not what was sent, or the stream is of another length.
 */
export async function receiveZeroCopy(
  place: Place,
  options: SendZcOptions,
  onListening: OnListening,
): Promise<Received> {
  const { host, port, completions, cpu } = options;
  await using ring = Ring.open({
    entries: RING_ENTRIES,
    completionEntries: completions,
    completionSize: 32,
  });
  using area = Area.map({ bytes: options.area });
  using receiver = openReceiver(ring, area, place, options);
  using listener = Socket.tcp(place).setOption("SO_REUSEADDR", true).bind({ host, port }).listen(1);
  await onListening(listener.localAddress!.port);
  using socket = await ring.accept(listener);
  using _pin = pinThread(cpu);
  return receiveStream(receiver, socket, options.bytes);
}

function openReceiver(
  ring: Ring,
  area: Area,
  place: Place,
  options: SendZcOptions,
): ZcrxReceiver {
  const { queue, refill } = options;
  if (options.interface === null) {
    return ZcrxReceiver.withoutDevice(ring, { area, refillEntries: refill });
  }
  return ZcrxReceiver.open(ring, {
    area,
    interface: options.interface,
    queue,
    place,
    refillEntries: refill,
    patience: QUEUE_MILLISECONDS,
  });
}

function receiveStream(receiver: ZcrxReceiver, socket: Socket, bytes: number): Received {
  const { pieces, seconds, cpuSeconds, copiedBytes } = receiveStreamZeroCopy(receiver, socket, {
    bytes,
  });
  const { queueFull, starved } = receiver.statistics();
  return {
    bytes,
    pieces,
    seconds,
    cpuSeconds,
    copiedBytes: copiedBytes ?? NaN,
    armed: 1 + queueFull + starved,
  };
}

/** One of the C programs, in a network namespace: it sends, or it receives. */
export class ReceiveReference implements AsyncDisposable {
  readonly #program: Program;

  private constructor(program: Program) {
    this.#program = program;
  }

  /**
   * Compiles the program and starts it.
   *
   * @param networkNamespace Path of the namespace to enter, such as `/proc/PID/fd/N`; ours by
   *   default.
   * @throws {UnsupportedError} If there is no C compiler.
   */
  static async start(networkNamespace?: string): Promise<ReceiveReference> {
    const args = networkNamespace === undefined ? [] : [networkNamespace];
    return new ReceiveReference(await Program.start(SOURCE, args));
  }

  /**
   * Starts sending a stream; {@linkcode sent} waits for its end. Returns at once, so that a receiver
   * that blocks the thread can follow.
   */
  async send(options: StreamOptions): Promise<void> {
    const { cpu, host, port, bytes } = options;
    await this.#program.command("send", cpu, host, port, bytes);
  }

  /**
   * Waits until the stream is sent and the receiver has closed.
   *
   * @throws {Error} If sending failed, with the reason.
   */
  sent(): Promise<Sent> {
    return this.#program.answer<Sent>(PATIENCE_MILLISECONDS);
  }

  /**
   * Receives a stream with recv(2).
   *
   * @throws {Error} If receiving failed, or a piece is not what was sent.
   */
  receiveCopying(options: CopyOptions, onListening: OnListening): Promise<Received> {
    const { cpu, host, port, bytes, length } = options;
    return this.#receive(["recv", cpu, host, port, bytes, length], onListening);
  }

  /**
   * Receives a stream without copying (RECV_ZC, 6.15).
   *
   * @throws {Error} If registering or receiving failed, or a piece is not what was sent.
   */
  receiveZeroCopy(options: SendZcOptions, onListening: OnListening): Promise<Received> {
    const { cpu, host, port, bytes, queue, area, refill, completions } = options;
    const what = [options.interface ?? "-", queue, area, refill, completions];
    return this.#receive(["zcrx", cpu, host, port, bytes, ...what], onListening);
  }

  async #receive(
    words: readonly (string | number)[],
    onListening: OnListening,
  ): Promise<Received> {
    await this.#program.command(...words);
    const { listening } = await this.#program.answer<{ listening: number }>(PATIENCE_MILLISECONDS);
    await onListening(listening);
    return await this.#program.answer<Received>(PATIENCE_MILLISECONDS);
  }

  /** Ends the program and waits until it is gone. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }
}
