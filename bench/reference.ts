/**
 * The commands of the C program that the bench compares with, and their answers.
 *
 * @module
 */
import type { Place } from "zclab";
import type { TransmitMode } from "zclab/lab";
import { Program } from "./program.ts";
import type {
  CopyOptions,
  OnListening,
  Received,
  Sent,
  StreamOptions,
  ZcrxOptions,
} from "./stream.ts";

/** Where the reference runs. */
export interface ReferenceOptions {
  /** Path of the network namespace to send from, such as `/proc/PID/fd/N`; ours by default. */
  readonly networkNamespace?: string;
  /** Path of the user namespace that owns it, where that is not ours. */
  readonly userNamespace?: string;
}

/** What to send. */
export interface SendOptions {
  /** Bytes of a datagram, 1 to 65507. */
  readonly payload: number;
  /** Requests for each system call, 1 to 256. */
  readonly batch: number;
  /** How long to send, without warm-up. */
  readonly seconds: number;
  /** Numeric IPv4 or IPv6 address of the sink. */
  readonly address: string;
  /** UDP port of the sink. */
  readonly port: number;
  /**
   * Whether the requests of four batches each have memory of their own, or all send the same, as
   * liburing's example program send-zerocopy.c does. Default: many.
   */
  readonly buffers?: "many" | "one";
}

/** What both commands report. */
interface Measurement {
  /** Calls of io_uring_enter, send, recvmsg and poll in the timed section. */
  readonly systemCalls: number;
  /** Flags of the ring, `IORING_SETUP_*`; 0 where there was no ring. */
  readonly flags: number;
}

/** The result of {@linkcode Reference.nop}. */
export interface NopMeasurement extends Measurement {
  /** Time of one operation, in nanoseconds. */
  readonly nanoseconds: number;
  /** How many operations were run: those asked for, rounded up to whole batches. */
  readonly operations: number;
}

/** The result of {@linkcode Reference.send}. */
export interface SendMeasurement extends Measurement {
  /** Requests completed per second; with GSO a request is a packet of many datagrams. */
  readonly requestsPerSecond: number;
  /** Datagrams per second. */
  readonly datagramsPerSecond: number;
  /** How long the timed section took, in seconds. */
  readonly seconds: number;
  /** Requests sent. */
  readonly sent: number;
  /** Requests that the kernel notified: all of `sent` for zero-copy modes, else 0. */
  readonly notified: number;
  /** Of those, the requests of which the kernel says that it copied them after all. */
  readonly copied: number;
  /** CPU time of the sending thread for one request, in seconds, user and system. */
  readonly cpuSecondsPerRequest: number;
}

/** How much longer than its trial a command may take before the reference counts as stuck. */
const PATIENCE_MILLISECONDS = 60_000;

/** How long a receiver or the sender of a stream may take before it counts as stuck. */
const STREAM_MILLISECONDS = 300_000;

/**
 * Where the reference has to run to be in a place, such as an end of a testbed.
 *
 * @param place The place.
 */
export function namespacesOf({ namespace }: Place): ReferenceOptions {
  if (namespace === undefined) return {};
  const { fd, userFd } = namespace;
  const path = (descriptor: number): string => `/proc/${Deno.pid}/fd/${descriptor}`;
  return {
    networkNamespace: path(fd),
    ...(userFd < 0 ? {} : { userNamespace: path(userFd) }),
  };
}

/**
 * The C program, running and waiting for commands, so that its rounds and ours can take turns.
 *
 * @example Time a NOP
 * ```ts
 * import { assert } from "@std/assert";
 * import { Reference } from "../bench/reference.ts";
 *
 * await using reference = await Reference.start();
 * const { nanoseconds } = await reference.nop(32, 100_000);
 * assert(nanoseconds > 0);
 * ```
 */
export class Reference implements Disposable, AsyncDisposable {
  readonly #program: Program;
  #busy = false;

  private constructor(program: Program) {
    this.#program = program;
  }

  /**
   * Compiles the program and starts it. Nothing of it is left on disk, however we end: the program
   * is deleted once it runs, and it ends with its input.
   *
   * @throws {UnsupportedError} If there is no C compiler.
   * @throws {Error} If the compiler refuses the source, with what it said.
   */
  static async start(options: ReferenceOptions = {}): Promise<Reference> {
    const { networkNamespace, userNamespace } = options;
    if (networkNamespace === undefined && userNamespace !== undefined) {
      throw new TypeError("Reference.start: userNamespace needs a networkNamespace");
    }
    const args = [networkNamespace, userNamespace].filter((path) => path !== undefined);
    return new Reference(await Program.start(args));
  }

  /** Process id of the program. */
  get pid(): number {
    return this.#program.pid;
  }

  /**
   * Keeps the program on one processor from now on.
   *
   * @param cpu Number of the processor, from 0.
   * @throws {Error} If it is not to be had.
   */
  async pin(cpu: number): Promise<void> {
    await this.#run<unknown>(["pin", cpu], 0);
  }

  /**
   * Times NOP operations on a fresh ring.
   *
   * @param batch Operations for each system call, 1 to 256.
   * @param operations How many, in all.
   * @throws {Error} If the program refuses or fails, with its reason.
   */
  nop(batch: number, operations: number): Promise<NopMeasurement> {
    return this.#run<NopMeasurement>(["nop", batch, operations], 3600);
  }

  /**
   * Sends UDP datagrams on a fresh ring and socket.
   *
   * @param mode How to send.
   * @param options What to send, where to, how long.
   * @throws {Error} If the program refuses or a request fails, with the reason.
   */
  send(mode: TransmitMode, options: SendOptions): Promise<SendMeasurement> {
    const { payload, batch, seconds, address, port, buffers = "many" } = options;
    const words = ["send", mode, payload, batch, seconds, address, port, buffers];
    return this.#run<SendMeasurement>(words, seconds);
  }

  /**
   * Starts sending a TCP stream; {@linkcode sent} waits for its end. Returns as soon as it is told, so
   * that a receiver that blocks the thread can follow.
   */
  async stream({ cpu, host, port, bytes }: StreamOptions): Promise<void> {
    await this.pin(cpu);
    this.#begin();
    await this.#program.command("stream", host, port, bytes);
  }

  /**
   * Waits until the stream is sent and the receiver has closed.
   *
   * @throws {Error} If sending failed, with the reason.
   */
  async sent(): Promise<Sent> {
    try {
      return await this.#program.answer<Sent>(STREAM_MILLISECONDS);
    } finally {
      this.#busy = false;
    }
  }

  /**
   * Receives a TCP stream with recv(2).
   *
   * @throws {Error} If receiving failed, or a piece is not what was sent.
   */
  receiveCopying(options: CopyOptions, onListening: OnListening): Promise<Received> {
    return this.#receive("recv", options, [options.length], onListening);
  }

  /**
   * Receives a TCP stream without copying (RECV_ZC, 6.15).
   *
   * @throws {Error} If registering or receiving failed, or a piece is not what was sent.
   */
  receiveZeroCopy(options: ZcrxOptions, onListening: OnListening): Promise<Received> {
    const { interface: name, queue, area, refill, completions } = options;
    const how = [name ?? "-", queue, area, refill, completions];
    return this.#receive("zcrx", options, how, onListening);
  }

  async #receive(
    command: string,
    { cpu, host, port, bytes }: StreamOptions,
    how: readonly (string | number)[],
    onListening: OnListening,
  ): Promise<Received> {
    await this.pin(cpu);
    this.#begin();
    try {
      await this.#program.command(command, host, port, bytes, ...how);
      type Listening = { readonly listening: number };
      const { listening } = await this.#program.answer<Listening>(STREAM_MILLISECONDS);
      await onListening(listening);
      return await this.#program.answer<Received>(STREAM_MILLISECONDS);
    } finally {
      this.#busy = false;
    }
  }

  async #run<Result>(words: readonly (string | number)[], seconds: number): Promise<Result> {
    this.#begin();
    const limit = Number.isFinite(seconds) ? seconds * 1000 : 0;
    try {
      await this.#program.command(...words);
      return await this.#program.answer<Result>(limit + PATIENCE_MILLISECONDS);
    } finally {
      this.#busy = false;
    }
  }

  /** Answers come in the order of the commands, and must not be taken for those of another. */
  #begin(): void {
    if (this.#busy) throw new Error("The reference runs one command at a time: await the last one");
    this.#busy = true;
  }

  /** Ends the program at once. Idempotent. */
  [Symbol.dispose](): void {
    this.#program[Symbol.dispose]();
  }

  /** Ends the program and waits until it is gone. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }
}
