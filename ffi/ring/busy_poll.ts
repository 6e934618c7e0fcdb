/**
 * Busy polling: a thread that waits for packets asks the network interface for them instead of
 * sleeping until an interrupt.
 *
 * @module
 */
import { checkKind, checkObject } from "../kernel/arguments.ts";
import { ClosedError } from "../kernel/errors.ts";
import { CLOSED, type Fact, showFacts } from "../kernel/inspection.ts";
import { Socket } from "../net/socket.ts";
import { pollSocket, type SocketBusyPollOptions } from "../net/socket_polling.ts";
import type { Engine } from "./engine.ts";
import { openEngineOf } from "./ring_handle.ts";
import type { Ring } from "./ring.ts";
import {
  addId,
  checkId,
  checkPolling,
  type NapiTracking,
  pollRing,
  removeId,
  type RingBusyPollOptions,
} from "./ring_polling.ts";

/**
 * The object in force for each ring and socket, so that several can be closed in any order and the
 * ids that the kernel does not tell are known to the one that puts them back.
 */
const inForce = new WeakMap<Engine | Socket, BusyPoll>();

/**
 * Busy polling of a ring or of a socket, from when it is made until it is closed. Closing it puts
 * back what was there. Several for the same ring or socket may be closed in any order.
 *
 * Busy polling trades CPU time for latency, where the interface has NAPI: {@linkcode napiIdOf}
 * tells. Without an id nothing is polled and nothing changes.
 *
 * @example A ring that polls for up to 50 µs before it sleeps
 * ```ts
 * import { BusyPoll, Ring } from "zclab";
 * import { assertEquals } from "@std/assert";
 *
 * using ring = Ring.open({ entries: 8 });
 * using polling = BusyPoll.ofRing(ring, { microseconds: 50 });
 * assertEquals(polling.tracking, "dynamic");
 * ```
 */
export class BusyPoll implements Disposable {
  readonly #target: Engine | Socket;
  readonly #kind: "ring" | "socket";
  readonly #microseconds: number;
  readonly #prefer: boolean | undefined;
  readonly #budget: number | undefined;
  readonly #tracking: NapiTracking | undefined;
  readonly #ids: Set<number>;
  #putBack: () => void;
  #below: BusyPoll | undefined;
  #above: BusyPoll | undefined;
  #closed = false;

  private constructor(
    kind: "ring" | "socket",
    target: Engine | Socket,
    options: RingBusyPollOptions & SocketBusyPollOptions,
    putBack: () => void,
  ) {
    this.#kind = kind;
    this.#target = target;
    this.#microseconds = options.microseconds;
    this.#prefer = options.prefer;
    this.#budget = options.budget;
    this.#tracking = options.tracking;
    this.#ids = new Set(options.ids);
    this.#putBack = putBack;
    this.#below = inForce.get(target);
    if (this.#below !== undefined) this.#below.#above = this;
    inForce.set(target, this);
  }

  /**
   * Makes a ring busy poll while it waits for completions (`IORING_REGISTER_NAPI`, 6.9; static
   * tracking 6.13). Needs no privilege.
   *
   * @param ring The ring.
   * @param options How long, and which NAPI contexts.
   * @throws {RangeError} If an option is out of range, or ids are given for dynamic tracking.
   * @throws {UnsupportedError} If this kernel lacks it.
   * @throws {UringError} EINVAL, if one of the ids is none; then nothing has changed.
   * @throws {ClosedError} If the ring is closed.
   */
  static ofRing(ring: Ring, options: RingBusyPollOptions): BusyPoll {
    checkObject("options", options);
    const polling = checkPolling(options);
    const engine = openEngineOf(ring);
    const known = [...inForce.get(engine)?.ids ?? []];
    return new BusyPoll("ring", engine, polling, pollRing(engine, polling, known));
  }

  /**
   * Makes a socket busy poll (`SO_BUSY_POLL`, 3.11). It polls in receives that find nothing: for
   * the whole time in those that block, as {@linkcode Socket.receiveBlocking}, and once in those that do
   * not, which includes those of a ring.
   *
   * @param socket The socket.
   * @param options How long, and with which further options.
   * @throws {RangeError} If an option is out of range.
   * @throws {UringError} EPERM without CAP_NET_ADMIN, which `prefer` and `budget` need, and before
   *   Linux 6.4 a larger time too; then nothing has changed.
   * @throws {UnsupportedError} If this kernel lacks it.
   * @throws {ClosedError} If the socket is closed.
   */
  static ofSocket(socket: Socket, options: SocketBusyPollOptions): BusyPoll {
    checkKind("socket", Socket, socket);
    checkObject("options", options);
    const { microseconds, prefer, budget } = options;
    const putBack = pollSocket(socket, options, BusyPoll.#budgetInForce(inForce.get(socket)) ?? 0);
    return new BusyPoll("socket", socket, { microseconds, prefer, budget }, putBack);
  }

  /** What busy polls: `ring` or `socket`. */
  get kind(): "ring" | "socket" {
    return this.#kind;
  }

  /** How long a wait polls before it sleeps, in microseconds. */
  get microseconds(): number {
    return this.#microseconds;
  }

  /** Whether polling has precedence over interrupts; undefined if that was left as it was. */
  get prefer(): boolean | undefined {
    return this.#prefer;
  }

  /** Packets that one poll takes at most; undefined if that was left as it was. */
  get budget(): number | undefined {
    return this.#budget;
  }

  /** How a ring learns which NAPI contexts to poll; undefined for a socket. */
  get tracking(): NapiTracking | undefined {
    return this.#tracking;
  }

  /** The ids that a ring with static tracking polls; empty otherwise. */
  get ids(): readonly number[] {
    return [...this.#ids];
  }

  /** Whether {@linkcode close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The budget that it or one below it has set. */
  static #budgetInForce(polling: BusyPoll | undefined): number | undefined {
    return polling === undefined ? undefined : polling.#budget ??
      BusyPoll.#budgetInForce(polling.#below);
  }

  /**
   * Adds a NAPI context to those that a ring with static tracking polls
   * (`IO_URING_NAPI_STATIC_ADD_ID`, 6.13).
   *
   * @param id The id, as {@linkcode napiIdOf} tells it.
   * @throws {RangeError} If the id is not a whole number from 1, or is there already.
   * @throws {TypeError} Without static tracking, or if a later BusyPoll of the ring is in force.
   * @throws {UringError} EINVAL, if it is too small to be a NAPI id.
   * @throws {ClosedError} After close, and if the ring is closed.
   */
  addId(id: number): this {
    const engine = this.#staticEngine("addId");
    checkId(id);
    if (this.#ids.has(id)) throw new RangeError(`addId: ${id} is polled already`);
    addId(engine, id);
    this.#ids.add(id);
    return this;
  }

  /**
   * Takes a NAPI context away from those that a ring with static tracking polls
   * (`IO_URING_NAPI_STATIC_DEL_ID`, 6.13).
   *
   * @param id One of {@linkcode ids}.
   * @throws {RangeError} If the id is not there.
   * @throws {TypeError} Without static tracking, or if a later BusyPoll of the ring is in force.
   * @throws {ClosedError} After close, and if the ring is closed.
   */
  removeId(id: number): this {
    const engine = this.#staticEngine("removeId");
    if (!this.#ids.has(id)) throw new RangeError(`removeId: ${id} is not polled`);
    removeId(engine, id);
    this.#ids.delete(id);
    return this;
  }

  #staticEngine(method: string): Engine {
    if (this.#closed) throw new ClosedError("BusyPoll");
    if (this.#tracking !== "static") {
      throw new TypeError(`${method}: only a ring with static tracking has ids of its own`);
    }
    if (this.#above !== undefined) {
      throw new TypeError(`${method}: a later BusyPoll of this ring is in force; close it first`);
    }
    const engine = this.#target as Engine;
    engine.ensureOpen();
    return engine;
  }

  /**
   * Puts back what was there. Does nothing if the ring or the socket is closed, and when it is
   * called again.
   *
   * @throws {UringError} EPERM, if the old value of a socket was larger and this user may not set
   *   it again: `prefer` and `budget` without CAP_NET_ADMIN, before Linux 6.4 also the time.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const [below, above] = [this.#below, this.#above];
    if (below !== undefined) below.#above = above;
    if (above !== undefined) {
      // What is in force is the later one's; it inherits what has to be put back.
      above.#below = below;
      above.#putBack = this.#putBack;
      return;
    }
    if (below === undefined) inForce.delete(this.#target);
    else inForce.set(this.#target, below);
    this.#putBack();
  }

  /** Puts back what was there. */
  [Symbol.dispose](): void {
    this.close();
  }

  static {
    showFacts(BusyPoll, (shown) => shown.#facts());
  }

  #facts(): readonly Fact[] {
    if (this.#closed) return CLOSED;
    if (this.#target.closed) return [["state", `${this.#kind} closed`, "bare"]];
    return [
      ["target", this.#kind, "bare"],
      ["time", `${this.#microseconds} µs`, "bare"],
      ["tracking", this.#tracking, "bare"],
      ["ids", this.#ids.size > 0 ? this.ids.join(" ") : undefined],
      ["prefer", this.#prefer],
      ["budget", this.#budget],
    ];
  }
}
