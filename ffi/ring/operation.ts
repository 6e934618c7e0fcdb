/**
 * The promise API's side of a request: one promise, or a stream for multishot requests.
 *
 * @module
 */
import { ERRNO } from "../kernel/errno.ts";
import { checkObject, wrongKind } from "../kernel/arguments.ts";
import type { Engine } from "./engine.ts";
import { type Explanation, UringError } from "../kernel/errors.ts";
import type { Generation } from "./generation.ts";
import { cancelRequest, linkTimeout } from "./own_requests.ts";
import type { Target } from "./target.ts";
import { timespecFor } from "./timespec.ts";
import { CQE, NOTIF_USAGE_ZC_COPIED } from "../kernel/uapi.ts";

const ECANCELED = -ERRNO.ECANCELED;
const ETIME = -ERRNO.ETIME;

/** What every awaited operation takes. */
export interface OperationOptions {
  /** Cancels the operation; the promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Milliseconds after which the kernel cancels the operation (LINK_TIMEOUT, 5.5). */
  readonly timeout?: number;
}

function ignore(): void {}

/** Runs it. A rejection that nobody awaits does not end the process; whoever awaits it gets it. */
export function quietly<T>(run: () => Promise<T>): Promise<T> {
  const promise = run();
  promise.catch(ignore);
  return promise;
}

/** A request that somebody awaits, as the methods of a batch take it in place of user data. */
export abstract class AwaitedRequest implements Target {
  /** The upper word of the request's user_data, once it is prepared. */
  upper = 0;
  protected readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** The entries that it takes in the submission queue. */
  get entries(): number {
    return 1;
  }

  abstract complete(result: number, flags: number, slot: number, final: boolean): void;
  abstract fail(error: unknown): void;
}

/** One awaited request with one result. */
export class Operation<T> extends AwaitedRequest {
  readonly promise: Promise<T>;
  /** What its caller knows about a positive errno. */
  explain: ((errno: number) => Partial<Explanation>) | undefined;
  protected resolve!: (value: T) => void;
  protected reject!: (reason: unknown) => void;
  readonly #name: string;
  readonly #convert: (result: number) => T;
  readonly #options: OperationOptions;
  readonly #startedAt: number;
  /** The time limit, which the kernel reads and JavaScript must not free. */
  #timespec: ArrayBuffer | undefined;
  #onAbort: (() => void) | undefined;
  #isOver = false;

  /**
   * @param convert Makes of the kernel's result what the promise resolves to.
   * @throws {TypeError} If the options are none.
   * @throws {RangeError} If the time limit is none.
   * @throws If the signal was aborted: its reason.
   */
  constructor(
    engine: Engine,
    name: string,
    options: OperationOptions,
    convert: (result: number) => T,
  ) {
    super(engine);
    checkObject("options", options);
    const { signal, timeout } = options;
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw wrongKind("signal", "an AbortSignal", signal);
    }
    signal?.throwIfAborted();
    this.#timespec = timeout === undefined ? undefined : timespecFor(timeout);
    this.#name = name;
    this.#convert = convert;
    this.#options = options;
    this.#startedAt = timeout === undefined ? 0 : performance.now();
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.promise.catch(ignore);
  }

  /** One for the request, and one for its time limit. */
  override get entries(): number {
    return this.#timespec === undefined ? 1 : 2;
  }

  /**
   * Begins, once the request is prepared: limits its time, sees that it is submitted, and watches for
   * completions and for the signal.
   */
  start(): void {
    const { engine } = this;
    const { signal } = this.#options;
    if (this.#timespec !== undefined) linkTimeout(engine, this.#timespec);
    // In this order: what completes at once is seen before anybody waits for the eventfd.
    engine.submitSoon();
    if (signal !== undefined) {
      this.#onAbort = () => cancelRequest(engine, this.upper);
      signal.addEventListener("abort", this.#onAbort, { once: true });
    }
    engine.watch();
  }

  complete(result: number, _flags: number, _slot: number, final: boolean): void {
    this.settle(result);
    if (final) this.finish();
  }

  fail(error: unknown): void {
    this.reject(error);
    this.finish();
  }

  protected settle(result: number): void {
    if (result < 0 && !(this.#name === "TIMEOUT" && result === ETIME)) {
      this.reject(this.#reason(result));
      return;
    }
    try {
      this.resolve(this.#convert(result));
    } catch (error) {
      this.reject(error);
    }
  }

  protected finish(): void {
    this.#timespec = undefined;
    if (this.#onAbort !== undefined) {
      this.#options.signal!.removeEventListener("abort", this.#onAbort);
    }
    // Of a ring that failed for a moment, a request may complete after it was told of that.
    if (this.#isOver) return;
    this.#isOver = true;
    this.engine.unwatch();
  }

  #reason(result: number): unknown {
    const { signal, timeout } = this.#options;
    if (result === ECANCELED) {
      if (signal?.aborted) return signal.reason;
      if (timeout !== undefined && performance.now() - this.#startedAt >= timeout) {
        return new UringError(this.#name, -ETIME, {
          meaning: `it did not complete within ${timeout} ms`,
        });
      }
    }
    return new UringError(this.#name, -result, this.explain?.(-result));
  }
}

/** A zero-copy send that the kernel has accepted. */
export interface SendZcResult {
  /** Bytes sent. */
  readonly bytes: number;
  /**
   * Resolves when the kernel has let go of the memory: whether it copied the data all the same, or
   * undefined when this kernel does not say (before 6.2).
   */
  readonly released: Promise<{ readonly copied: boolean | undefined }>;
}

/** An awaited zero-copy send: its promise is about the first completion, `released` the second. */
export class ZeroCopyOperation extends Operation<SendZcResult> {
  /** The notifier that counts it as well. */
  generation: Generation | undefined;
  readonly #released = Promise.withResolvers<{ copied: boolean | undefined }>();
  #sent = false;

  constructor(engine: Engine, name: string, options: OperationOptions) {
    super(engine, name, options, (bytes) => ({ bytes, released: this.#released.promise }));
    this.#released.promise.catch(ignore);
  }

  override start(): void {
    this.generation?.attach();
    super.start();
  }

  override complete(result: number, flags: number, slot: number, final: boolean): void {
    this.generation?.complete(result, flags, slot, final, 0);
    if ((flags & CQE.NOTIF) === 0) {
      this.#sent = result > 0;
      this.settle(result);
      // Without a notification nothing was handed to the network.
      if (final) this.#released.resolve({ copied: undefined });
    } else {
      // Where nothing was sent the kernel sets the bit as well.
      const copied = this.#sent && (result & NOTIF_USAGE_ZC_COPIED) !== 0;
      this.#released.resolve({ copied: this.engine.reportsUsage ? copied : undefined });
    }
    if (final) this.finish();
  }

  override fail(error: unknown): void {
    this.generation?.fail(error);
    this.#released.reject(error);
    super.fail(error);
  }
}

/** The completions of a multishot request, one after the other. */
export class CompletionStream extends AwaitedRequest {
  readonly #name: string;
  readonly #queue: { result: number; flags: number }[] = [];
  #ended = false;
  #failure: unknown;
  #onLeft: ((result: number, flags: number) => void) | undefined;
  #wake: (() => void) | undefined;

  constructor(engine: Engine, name: string) {
    super(engine);
    this.#name = name;
  }

  /** Whether the request has had its last completion. */
  get ended(): boolean {
    return this.#ended;
  }

  complete(result: number, flags: number, _slot: number, final: boolean): void {
    this.#ended = final;
    if (this.#onLeft !== undefined) this.#onLeft(result, flags);
    else this.#queue.push({ result, flags });
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#failure = error;
    this.#wake?.();
  }

  /** The next completion, or undefined after the last. */
  async next(): Promise<{ result: number; flags: number } | undefined> {
    if (this.#queue.length === 0 && !this.#ended && this.#failure === undefined) {
      this.engine.watch();
      try {
        await new Promise<void>((resolve) => this.#wake = resolve);
      } finally {
        this.#wake = undefined;
        this.engine.unwatch();
      }
    }
    const completion = this.#queue.shift();
    if (completion === undefined && this.#failure !== undefined) throw this.#failure;
    return completion;
  }

  /** Cancels the request, if it still runs, and takes what is left. */
  async cancel(onLeft: (result: number, flags: number) => void): Promise<void> {
    if (this.engine.closed) return;
    if (!this.#ended) cancelRequest(this.engine, this.upper);
    if (this.#failure !== undefined) {
      // Nobody knows whether a ring that failed goes on: what is left is taken when it comes.
      for (const { result, flags } of this.#queue.splice(0)) onLeft(result, flags);
      this.#onLeft = onLeft;
      return;
    }
    while (this.#queue.length > 0 || !this.#ended) {
      const completion = await this.next();
      if (completion === undefined) break;
      onLeft(completion.result, completion.flags);
    }
  }

  /** The error for a failed completion. */
  error(result: number): UringError {
    return new UringError(this.#name, -result);
  }
}
