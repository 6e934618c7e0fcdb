/**
 * The life of buffers after zero-copy sends: the notifier of the 2022 patch series, rebuilt on the
 * one notification per request that mainline posts.
 *
 * @module
 */
import { checkObject, checkTime, checkWhole, wrongKind } from "../kernel/arguments.ts";
import { now } from "../kernel/clock.ts";
import type { Engine } from "./engine.ts";
import { engineOf, type RingHandle } from "./ring_handle.ts";
import { ERRNO } from "../kernel/errno.ts";
import { UringError } from "../kernel/errors.ts";
import { type Fact, showFacts } from "../kernel/inspection.ts";
import { Generation } from "./generation.ts";
import { Notification } from "./notification.ts";
import { quietly } from "./operation.ts";

/** How to make a {@linkcode Notifier}. */
export interface NotifierOptions {
  /**
   * Copied into every notification of this slot: an unsigned 64-bit number as in the patch series,
   * above 2^53 - 1 as a bigint.
   *
   * @default {0}
   */
  readonly tag?: number | bigint;
  /**
   * The sequence number of the first notifier.
   *
   * @default {0}
   */
  readonly sequence?: number;
}

// The ring's side. Only ffi/ uses these; they are not part of the public surface.
/** The slot's current notifier, for a request of that ring: who is told of its completions. */
export let currentOf: (notifier: Notifier, engine: Engine) => Generation;

/**
 * A slot of notifiers. Zero-copy requests attach to the slot's current notifier;
 * {@linkcode Notifier.flush} closes it, puts a new one into the slot, and resolves when the kernel
 * has let go of every buffer of the closed one.
 *
 * In the patch series (v3, 2022-07-05) the kernel posted one notification for each flush. Mainline
 * posts one for each request; the notifier counts them. Requests with registered and with normal
 * buffers, and plain sends, may share one.
 *
 * @see https://lore.kernel.org/io-uring/cover.1640029579.git.asml.silence@gmail.com/
 *
 * @example Did the kernel copy?
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Area, Notifier, Ring, Testbed, Socket } from "zclab";
 *
 * await using bed = await Testbed.sink();
 * using ring = Ring.open();
 * using area = Area.map({ bytes: 64 * 1024 });
 * using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
 * const slot = new Notifier(ring, { tag: 7 });
 * for (const chunk of area.chunks(4000)) ring.batch.sendZc(socket, chunk, slot);
 * const { tag, sequence, requests, copied } = await slot.flush();
 * assertEquals({ tag, sequence, requests, copied }, { tag: 7, sequence: 0, requests: 16, copied: 0 });
 * ```
 */
export class Notifier {
  readonly #engine: Engine;
  readonly #tag: number | bigint;
  #sequence: number;
  #generation: Generation | undefined;

  static {
    currentOf = (notifier, engine) => {
      if (!(notifier instanceof Notifier)) {
        throw wrongKind("target", "user data or a Notifier", notifier);
      }
      if (engine !== notifier.#engine) {
        throw new RangeError("Notifier: the request is of another ring than the notifier");
      }
      return notifier.#generation ??= new Generation(engine);
    };
  }

  /**
   * Makes a slot with a fresh notifier in it.
   *
   * @param ring The ring whose requests attach.
   * @param options Tag and first sequence number.
   * @throws {RangeError} If the tag is not an unsigned 64-bit number, or the sequence not one of 32 bits.
   */
  constructor(ring: RingHandle, options: NotifierOptions = {}) {
    checkObject("options", options);
    const { tag = 0, sequence = 0 } = options;
    checkTag(tag);
    checkWhole("Notifier: sequence", sequence, 0, 0xffff_ffff);
    this.#engine = engineOf(ring);
    this.#engine.ensureOpen();
    this.#tag = tag;
    this.#sequence = sequence;
  }

  /** The tag of this slot. */
  get tag(): number | bigint {
    return this.#tag;
  }

  /** The sequence number of the slot's current notifier. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Requests attached to the current notifier. */
  get requests(): number {
    return this.#generation?.requests ?? 0;
  }

  /** Buffers of the current notifier that the kernel still has. */
  get outstanding(): number {
    return this.#generation?.outstanding ?? 0;
  }

  /**
   * Closes the current notifier and resolves when the kernel has let go of every buffer. Submits
   * what is prepared.
   *
   * @throws {ClosedError} If the ring is closed, or closes before that.
   */
  flush(): Promise<Notification> {
    return quietly(() => this.#flush());
  }

  async #flush(): Promise<Notification> {
    const engine = this.#engine;
    const { generation, sequence } = this.#closeCurrent();
    if (generation !== undefined && generation.outstanding > 0) {
      engine.watch();
      try {
        await new Promise<void>((resolve, reject) => {
          generation.onReleased = resolve;
          generation.onFailure = reject;
          if (generation.failure !== undefined) reject(generation.failure);
        });
      } finally {
        engine.unwatch();
      }
    }
    return this.#report(generation, sequence);
  }

  /**
   * Like {@linkcode flush}, and blocks the thread until the kernel has let go, at most `timeout`
   * milliseconds.
   *
   * @param timeout In milliseconds; 10 000 by default.
   * @throws {UringError} ETIME, if the kernel has not let go by then. The requests stay attached
   *   to a notifier that nobody can flush any more; their memory stays in flight.
   */
  flushBlocking(timeout = 10_000): Notification {
    checkTime("Notifier.flushBlocking: timeout", timeout);
    const engine = this.#engine;
    const { generation, sequence } = this.#closeCurrent();
    if (generation !== undefined && generation.outstanding > 0) {
      const deadline = performance.now() + timeout;
      engine.settle();
      while (generation.outstanding > 0) {
        // Every request that is out still has at least one completion to come.
        if (!engine.waitBlocking(1, deadline - performance.now())) {
          throw new UringError("Notifier.flushBlocking", ERRNO.ETIME, {
            meaning: `the kernel still has ${generation.outstanding} buffers`,
          });
        }
        engine.settle();
      }
    }
    return this.#report(generation, sequence);
  }

  /** Closes the current notifier; its requests are submitted. */
  #closeCurrent(): { generation: Generation | undefined; sequence: number } {
    const engine = this.#engine;
    engine.ensureOpen();
    if (engine.prepared > 0) engine.submit(0);
    const closing = { generation: this.#generation, sequence: this.#sequence };
    this.#generation = undefined;
    this.#sequence = (this.#sequence + 1) >>> 0;
    return closing;
  }

  #report(generation: Generation | undefined, sequence: number): Notification {
    const errno = generation?.firstErrno ?? 0;
    return new Notification({
      tag: this.#tag,
      sequence,
      requests: generation?.requests ?? 0,
      bytes: generation?.bytes ?? 0,
      sent: generation?.sent ?? 0,
      failed: generation?.failed ?? 0,
      error: errno === 0 ? undefined : new UringError("SEND_ZC", errno),
      notified: generation?.notified ?? 0,
      copied: this.#engine.reportsUsage ? generation?.copied ?? 0 : undefined,
      latencyMilliseconds: generation === undefined || generation.requests === 0
        ? 0
        : now() - generation.startedAt,
    });
  }

  static {
    showFacts(Notifier, (shown) => shown.#facts(), (shown) => shown.#more());
  }

  #facts(): readonly Fact[] {
    return [
      ["tag", this.#tag],
      ["sequence", this.#sequence],
      ["requests", this.requests],
      ["outstanding", this.outstanding],
      ["state", this.#engine.closed ? "ring closed" : undefined, "bare"],
    ];
  }

  /** What only a table has room for. */
  #more(): readonly Fact[] {
    const { sent = 0, failed = 0, notified = 0, copied = 0 } = this.#generation ?? {};
    return [
      ["sent", sent],
      ["failed", failed],
      ["notified", notified],
      ["copied", this.#engine.reportsUsage ? copied : "not reported by this kernel"],
    ];
  }
}

function checkTag(tag: number | bigint): void {
  const isWhole = typeof tag === "bigint" || Number.isSafeInteger(tag);
  if (isWhole && tag >= 0 && tag < 2n ** 64n) return;
  throw new RangeError(
    "Notifier: tag must be an unsigned 64-bit number, above 2^53 - 1 as a bigint, got " +
      Deno.inspect(tag),
  );
}
