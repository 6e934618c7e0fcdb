/**
 * Busy polling: a thread that waits for packets asks the network interface for them instead of
 * sleeping until an interrupt.
 *
 * A NAPI context is what the kernel polls: usually one for each receive queue of an interface. Each
 * has an id, and a socket remembers the one that its last packet came from.
 *
 * @module
 */
import type { Address } from "../kernel/address.ts";
import { addressHigh, addressLow, Slice } from "../memory/area.ts";
import { checkKind, checkObject } from "../kernel/arguments.ts";
import { type Engine, engineOf } from "./engine.ts";
import {
  ClosedError,
  kernelIsAtLeast,
  UnsupportedError,
  unwrap,
  UringError,
} from "../kernel/errors.ts";
import { CLOSED, type Display, type Fact, inLine, inTable } from "../kernel/inspection.ts";
import { LAYOUTS, Struct } from "../kernel/layout.ts";
import { native } from "../kernel/native.ts";
import type { Ring } from "./ring.ts";
import { Socket } from "../net/socket.ts";
import type { SocketOption } from "../net/socket_options.ts";
import { REGISTER } from "../kernel/uapi.ts";

/** How a ring learns which NAPI contexts to poll. */
export type NapiTracking = "dynamic" | "static";

/** How a ring shall busy poll. */
export interface RingBusyPollOptions {
  /** How long a wait polls before it sleeps, in microseconds: 0 to 10000. */
  readonly microseconds: number;
  /**
   * Whether polling shall have precedence over interrupts. It only has with `napi_defer_hard_irqs`
   * and `gro_flush_timeout` set on the interface. False by default.
   */
  readonly prefer?: boolean;
  /**
   * `dynamic`: the contexts that the ring's sockets get their packets from, forgotten after 60 s
   * without use. `static`: those in `ids` (6.13). The default is `static` if `ids` is given.
   */
  readonly tracking?: NapiTracking;
  /** The NAPI ids to poll, with static tracking. {@linkcode napiIdOf} tells a socket's. */
  readonly ids?: readonly number[];
}

/** How a socket shall busy poll. */
export interface SocketBusyPollOptions {
  /** How long a receive that finds nothing polls before it sleeps, in microseconds. */
  readonly microseconds: number;
  /** `SO_PREFER_BUSY_POLL` (5.11); left as it is by default. */
  readonly prefer?: boolean;
  /**
   * `SO_BUSY_POLL_BUDGET` (5.11): packets that one poll takes at most, 1 to 65535; left as it is by
   * default. The kernel does not tell the value from before: 0, its default (8 packets), is what
   * is put back.
   */
  readonly budget?: number;
}

/** The NAPI context that a socket got its last packet from. */
export interface IncomingNapi {
  /** Its id, or 0 if there is none. */
  readonly id: number;
  /** Why the id is 0 as far as that can be known, or undefined if it is not 0. */
  readonly why: string | undefined;
}

/** `IO_URING_NAPI_*`: what `IORING_REGISTER_NAPI` does. */
const OPERATION = { REGISTER_OP: 0, STATIC_ADD_ID: 1, STATIC_DEL_ID: 2 } as const;

/** `IO_URING_NAPI_TRACKING_*` */
const TRACKING = { dynamic: 0, static: 1, inactive: 255 } as const;

/** What current kernels reduce longer times to, without saying so. */
const LONGEST = 10_000;
const LARGEST_INT = 0x7fff_ffff;
const LARGEST_U32 = 0xffff_ffff;

const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_ACCEPTCONN = 30;

/** What a ring was set to. */
interface RingSettings {
  readonly microseconds: number;
  readonly prefer: boolean;
  readonly tracking: keyof typeof TRACKING;
  readonly ids: readonly number[];
}

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
    const { microseconds, prefer = false, ids = [] } = options;
    const { tracking = options.ids === undefined ? "dynamic" : "static" } = options;
    checkRange("microseconds", microseconds, 0, LONGEST);
    if (tracking !== "dynamic" && tracking !== "static") {
      throw new RangeError(`tracking is "dynamic" or "static", not ${Deno.inspect(tracking)}`);
    }
    if (tracking === "dynamic" && ids.length > 0) {
      throw new RangeError("Dynamic tracking finds its ids itself: leave out ids or tracking");
    }
    for (const id of ids) checkId(id);
    if (new Set(ids).size < ids.length) throw new RangeError(`The ids ${ids} are not distinct`);

    const engine = engineOf(ring);
    engine.ensureOpen();
    const known = [...inForce.get(engine)?.ids ?? []];
    const before = { ...register(engine, { microseconds, prefer, tracking }), ids: known };
    try {
      for (const id of ids) addId(engine, id);
    } catch (error) {
      restore(engine, before);
      throw error;
    }
    const complete = { microseconds, prefer, tracking, ids };
    return new BusyPoll("ring", engine, complete, () => restore(engine, before));
  }

  /**
   * Makes a socket busy poll (`SO_BUSY_POLL`, 3.11). It polls in receives that find nothing: for
   * the whole time in those that block, as {@linkcode receiveBlocking}, and once in those that do
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
    checkRange("microseconds", microseconds, 0, LARGEST_INT);
    if (budget !== undefined) checkRange("budget", budget, 1, 0xffff);

    const before: [name: SocketOption, value: number][] = [];
    const change = (name: SocketOption, value: number, old: number): void => {
      setSocketOption(socket, name, value);
      before.unshift([name, old]);
    };
    const putBack = (): void => {
      if (socket.closed) return;
      for (const [name, value] of before) setSocketOption(socket, name, value);
    };
    try {
      change("SO_BUSY_POLL", microseconds, socketOption(socket, "SO_BUSY_POLL"));
      if (prefer !== undefined) {
        change("SO_PREFER_BUSY_POLL", Number(prefer), socketOption(socket, "SO_PREFER_BUSY_POLL"));
      }
      // There is no getsockopt for the budget.
      if (budget !== undefined) {
        change("SO_BUSY_POLL_BUDGET", budget, inForce.get(socket)?.budgetInForce ?? 0);
      }
    } catch (error) {
      putBack();
      throw error;
    }
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

  /** The budget that this one or one below it has set. @internal */
  get budgetInForce(): number | undefined {
    return this.#budget ?? this.#below?.budgetInForce;
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
    napi(engine, "STATIC_DEL_ID", { op_param: id });
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

  /** One line for the REPL. */
  [Symbol.for("Deno.customInspect")](): string {
    return inLine("BusyPoll", this.#facts());
  }

  /** A small table for notebooks. */
  [Symbol.for("Jupyter.display")](): Display {
    return inTable("BusyPoll", this.#facts());
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

/**
 * The NAPI context that a socket got its last packet from (`SO_INCOMING_NAPI_ID`, 4.12), which is
 * what busy polling polls.
 *
 * @param socket The socket.
 * @returns The id, or 0 with the reason: the one that is certain, else all that are possible.
 * @throws {UnsupportedError} If this kernel was built without busy polling.
 * @throws {ClosedError} If the socket is closed.
 *
 * @example Loopback has no NAPI
 * ```ts
 * import { napiIdOf, Socket } from "zclab";
 * import { assertEquals, assertStringIncludes } from "@std/assert";
 *
 * using socket = Socket.udp().bind({ host: "127.0.0.1", port: 0 });
 * const { id, why } = napiIdOf(socket);
 * assertEquals(id, 0);
 * assertStringIncludes(why!, "loopback");
 * ```
 */
export function napiIdOf(socket: Socket): IncomingNapi {
  checkKind("socket", Socket, socket);
  const id = socketOption(socket, "SO_INCOMING_NAPI_ID") >>> 0;
  return { id, why: id === 0 ? whyNone(socket) : undefined };
}

function whyNone(socket: Socket): string {
  const local = socket.localAddress;
  const remote = socket.remoteAddress;
  if (local === undefined || local.port === 0) {
    return "the socket is neither bound nor connected, so no packet can have reached it";
  }
  if (isLoopback(local) || (remote !== undefined && isLoopback(remote))) {
    return "its packets go through the loopback interface, which has no NAPI";
  }
  if (remote !== undefined && remote.host === local.host) {
    return "it talks to its own address, which goes through the loopback interface, and that " +
      "has no NAPI";
  }
  const without = "the interface hands packets over without NAPI: a veth does unless it has gro " +
    "on and its peer tso off, and so do tunnels and the virtual NICs of some clouds";
  if (socket.protocol === "udp") {
    return `one of these: no packet has arrived yet; or ${without}`;
  }
  if (remote !== undefined) return `packets have arrived (it is connected), but ${without}`;
  return isListening(socket)
    ? "a listening socket has no id: ask a connection that it has accepted"
    : "it is not connected, so no packet has arrived";
}

function isLoopback({ host }: Address): boolean {
  return host === "::1" || host.replace(/^::ffff:/, "").startsWith("127.");
}

function isListening(socket: Socket): boolean {
  const value = new Int32Array(1);
  unwrap(
    "getsockopt SO_ACCEPTCONN",
    native().zclab_getsockopt(socket.fd, SOL_SOCKET, SO_ACCEPTCONN, value.buffer, 4),
  );
  return value[0] === 1;
}

/**
 * Receives into a slice with `recv(2)` and blocks the thread until something has arrived: the kind
 * of receive for which `SO_BUSY_POLL` polls its whole time.
 *
 * @param socket The socket; its `SO_RCVTIMEO` is set.
 * @param slice Where to.
 * @param milliseconds How long to wait at most, from 1.
 * @returns Bytes received, or undefined if nothing arrived in time.
 * @throws {OwnershipError} If the kernel owns the slice.
 * @throws {UringError} If the connection failed.
 *
 * @example
 * ```ts
 * import { Area, receiveBlocking, Socket } from "zclab";
 * import { assertEquals } from "@std/assert";
 *
 * using area = Area.map({ bytes: 4096 });
 * using receiver = Socket.udp().bind({ host: "127.0.0.1", port: 0 });
 * using sender = Socket.udp().connect(receiver.localAddress!);
 * sender.send(area.slice(0, 5));
 * assertEquals(receiveBlocking(receiver, area.slice(100, 100), 1000), 5);
 * assertEquals(receiveBlocking(receiver, area.slice(100, 100), 1), undefined);
 * ```
 */
export function receiveBlocking(
  socket: Socket,
  slice: Slice,
  milliseconds: number,
): number | undefined {
  checkKind("socket", Socket, socket);
  checkKind("slice", Slice, slice);
  if (!(milliseconds >= 1 && milliseconds <= LARGEST_INT)) {
    throw new RangeError(`milliseconds is at least 1, got ${milliseconds}`);
  }
  void slice.bytes;
  const seconds = Math.floor(milliseconds / 1000);
  const microseconds = Math.floor((milliseconds % 1000) * 1000);
  const time = new BigInt64Array([BigInt(seconds), BigInt(microseconds)]).buffer;
  const { fd } = socket;
  unwrap(
    "setsockopt SO_RCVTIMEO",
    native().zclab_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, time, time.byteLength),
  );
  const result = native().zclab_recv(
    fd,
    addressLow(slice) >>> 0,
    addressHigh(slice),
    slice.length,
    0,
  );
  return result === -11 ? undefined : unwrap("recv", result);
}

// === The ring's side ===

/** The fields of `struct io_uring_napi` that a call sets. */
interface NapiArgument {
  readonly busy_poll_to?: number;
  readonly prefer_busy_poll?: number;
  readonly op_param: number;
}

/** `IORING_REGISTER_NAPI`; the kernel overwrites the argument with what was set before. */
function napi(
  engine: Engine,
  operation: keyof typeof OPERATION,
  argument: NapiArgument,
): Struct<typeof LAYOUTS.io_uring_napi.fields> {
  const struct = new Struct(LAYOUTS.io_uring_napi)
    .set("opcode", OPERATION[operation])
    .set("op_param", argument.op_param)
    .set("busy_poll_to", argument.busy_poll_to ?? 0)
    .set("prefer_busy_poll", argument.prefer_busy_poll ?? 0);
  engine.register("IORING_REGISTER_NAPI", REGISTER.NAPI, struct.buffer, 1);
  return struct;
}

/** Sets a ring to busy polling without static ids, and returns what it was set to. */
function register(
  engine: Engine,
  { microseconds, prefer, tracking }: Omit<RingSettings, "ids">,
): Omit<RingSettings, "ids"> {
  let before: Struct<typeof LAYOUTS.io_uring_napi.fields>;
  try {
    before = napi(engine, "REGISTER_OP", {
      busy_poll_to: microseconds,
      prefer_busy_poll: Number(prefer),
      op_param: TRACKING[tracking],
    });
  } catch (error) {
    throw explainRefusal(error, tracking === "static");
  }
  const old = {
    microseconds: before.get("busy_poll_to"),
    prefer: before.get("prefer_busy_poll") !== 0,
  };
  const value = before.get("op_param");
  // Before 6.13 the kernel did not say whether it was active; without a time it was not.
  const wasInactive = value === TRACKING.inactive ||
    (!kernelIsAtLeast("6.13") && old.microseconds === 0 && !old.prefer);
  if (wasInactive) return { ...old, tracking: "inactive" };
  return { ...old, tracking: value === TRACKING.static ? "static" : "dynamic" };
}

function addId(engine: Engine, id: number): void {
  try {
    napi(engine, "STATIC_ADD_ID", { op_param: id });
  } catch (error) {
    if (!(error instanceof UringError) || error.code !== "EINVAL") throw error;
    throw new UringError("IO_URING_NAPI_STATIC_ADD_ID", error.errno, {
      meaning: `${id} is no NAPI id: they are larger than the number of processors that the ` +
        "kernel was built for",
      advice: "take it from napiIdOf(socket) after the socket has received a packet",
    });
  }
}

function restore(engine: Engine, before: RingSettings): void {
  if (engine.closed) return;
  if (before.tracking !== "inactive") {
    register(engine, before);
    for (const id of before.ids) addId(engine, id);
    return;
  }
  // Unregistering alone keeps the list of ids, each of which every wait would still poll once.
  register(engine, { microseconds: 0, prefer: false, tracking: "dynamic" });
  engine.register("IORING_UNREGISTER_NAPI", REGISTER.UNREGISTER_NAPI, null, 1);
}

function explainRefusal(error: unknown, isStatic: boolean): unknown {
  if (!(error instanceof UringError)) return error;
  if (error.code === "EOPNOTSUPP") return notBuilt("IORING_REGISTER_NAPI");
  if (error.code !== "EINVAL") return error;
  if (!kernelIsAtLeast("6.9")) {
    return new UnsupportedError("IORING_REGISTER_NAPI", {
      since: "6.9",
      advice: "Use BusyPoll.ofSocket",
    });
  }
  if (isStatic && !kernelIsAtLeast("6.13")) {
    return new UnsupportedError("IO_URING_NAPI_TRACKING_STATIC", {
      since: "6.13",
      advice: "Use dynamic tracking",
    });
  }
  return error;
}

// === The socket's side ===

function setSocketOption(socket: Socket, name: SocketOption, value: number): void {
  try {
    socket.setOption(name, value);
  } catch (error) {
    throw explainOption(error, name);
  }
}

function socketOption(socket: Socket, name: SocketOption): number {
  try {
    return socket.option(name);
  } catch (error) {
    throw explainOption(error, name);
  }
}

function explainOption(error: unknown, name: SocketOption): unknown {
  if (!(error instanceof UringError)) return error;
  if (error.code === "ENOPROTOOPT") {
    const isRecent = name === "SO_PREFER_BUSY_POLL" || name === "SO_BUSY_POLL_BUDGET";
    return isRecent && !kernelIsAtLeast("5.11")
      ? new UnsupportedError(name, { since: "5.11" })
      : notBuilt(name);
  }
  if (error.code !== "EPERM") return error;
  return new UringError(error.operation, error.errno, {
    meaning: `to raise ${name}, this kernel wants CAP_NET_ADMIN outside of any user namespace`,
    advice: name === "SO_BUSY_POLL"
      ? "run as root, or use Linux 6.4 or later, which lets everybody set it"
      : "run as root, or do without it: since Linux 6.4 everybody may set SO_BUSY_POLL",
  });
}

// === What they share ===

function notBuilt(feature: string): UnsupportedError {
  return new UnsupportedError(feature, {
    advice: "This kernel was built without CONFIG_NET_RX_BUSY_POLL",
  });
}

function checkRange(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} is a whole number from ${least} to ${most}, not ${value}`);
  }
}

function checkId(id: number): void {
  checkRange("A NAPI id", id, 1, LARGEST_U32);
}
