/**
 * Zero-copy receive (zcrx): a network device puts what arrives on one of its queues into memory of
 * the program, and the kernel says where.
 *
 * The kernel's own document of this interface (Documentation/networking/iou-zcrx.rst, Linux 7.3) has
 * an example that does not work as it stands. What this module does instead:
 *
 * 1. Head and tail of the refill ring are two places, each taken from the offsets that the kernel
 *    returns. (The example assigns the head twice and the tail never.)
 * 2. The number of refill entries is what the kernel returns, which rounds up. (It is never set.)
 * 3. A request names its receiver: `zcrx_ifq_idx`. (Left out, that is the first of the ring.)
 * 4. The tail is published with release ordering, after the entry. (A plain store may come before.)
 * 5. A full refill ring is noticed, by an acquire load of its head. (Entries would be overwritten.)
 * 6. A completion is read before its place is given back. (It is used after `io_uring_cq_advance`.)
 * 7. Results that are no data, completions without `IORING_CQE_F_MORE`, the end of the request when
 *    the completion queue was full (`-ENOSPC`: start again, nothing is lost), and completions of
 *    other requests are told apart. (There is no test of any.)
 * 8. The offset goes back as it came, with the number of the area in it. (It is masked and joined to
 *    one token, which is wrong with a second area.)
 * 9. One entry goes back for each completion, also where several share a buffer. (It is not said.)
 * 10. A queue of completions of both sizes is stepped through by their sizes. (It steps by one.)
 * 11. What must be set before, and what a refusal means, is said by the error: see
 *    {@linkcode ZeroCopyReceiver.open}. (`hds-thresh` 0, CAP_NET_ADMIN, RLIMIT_MEMLOCK and the size of
 *    the completion queue are not mentioned.)
 *
 * @see https://docs.kernel.org/networking/iou-zcrx.html
 *
 * @module
 */
import { Area } from "../memory/area.ts";
import { checkKind, checkObject } from "../kernel/arguments.ts";
import { fdOf, type File } from "../ring/batch.ts";
import { napiIdOf } from "../net/napi.ts";
import { now } from "../kernel/clock.ts";
import { Descriptor } from "../kernel/descriptor.ts";
import {
  type Engine,
  engineOf,
  openEngineOf,
  SLOT_MASK,
  TARGET,
  type Target,
} from "../ring/engine.ts";
import {
  ClosedError,
  describeErrno,
  OwnershipError,
  UnsupportedError,
  unwrap,
  UringError,
} from "../kernel/errors.ts";
import { CLOSED, type Display, type Fact, inLine, inTable, strip } from "../kernel/inspection.ts";
import { LAYOUTS, Struct } from "../kernel/layout.ts";
import { addressOf, PAGE_SIZE } from "../kernel/memory.ts";
import { native } from "../kernel/native.ts";
import { prepareReceiveZeroCopy } from "../ring/prepare.ts";
import { interfaceName, type QueueAddress } from "../net/queue_facts.ts";
import { MOST_REFILL_ENTRIES, powerOfTwo, RefillRegion } from "./refill_ring.ts";
import type { Ring } from "../ring/ring.ts";
import type { Place } from "../net/place.ts";
import { Socket, socketRegistrations } from "../net/socket.ts";
import { REGISTER, SQE, ZCRX_CTRL, ZCRX_EVENT, ZCRX_REG } from "../kernel/uapi.ts";
import { areaOf, ArrivalQueue, offsetIn, PieceTable } from "./pieces.ts";
import { type ZeroCopyEvent, zeroCopyReceiveFeatures } from "./query.ts";
import { areaArgument, checkRing, explainArea, explainEnd, register } from "./registration.ts";
import { claim, control, SharedReceiver } from "./shared.ts";

const EINTR = -4;
const EAGAIN = -11;
const ENOMEM = -12;
const ENOSPC = -28;
const ECANCELED = -125;
/** Bytes of one request at most; a longer limit takes several. */
const LARGEST_PART = 0xffff_f000;
/** Milliseconds after which a receive gives up that gets no buffer although the program holds none. */
const STARVED_FOR = 1000;
const EVENT_NAMES = Object.keys(ZCRX_EVENT) as ZeroCopyEvent[];

/** What a {@linkcode ZeroCopyReceiver} stands on, with a device or without. */
export interface ZeroCopyMemoryOptions {
  /** The memory to receive into: `Area.map`, or with a device also `Area.dmaBuf`. */
  readonly area: Area;
  /**
   * Entries of the refill ring, 1 to 32768; rounded up to a power of two. As many as the area has
   * buffers by default.
   */
  readonly refillEntries?: number;
  /** Events to be told of (7.2); all that the kernel has by default. */
  readonly events?: readonly ZeroCopyEvent[];
}

/** How to open a {@linkcode ZeroCopyReceiver} on a queue of a network device. */
export interface ZeroCopyReceiverOptions extends ZeroCopyMemoryOptions {
  /** The name of the network device, or its index. */
  readonly interface: string | number;
  /** The number of its receive queue, from 0. */
  readonly queue: number;
  /** The namespace of the device: an end of a testbed, say; without it, this one. */
  readonly place?: Place;
  /**
   * Bytes of a buffer: a power of two from 4096 on (7.0, if the driver can). More than 4096 need an
   * area of huge pages. 4096 by default.
   */
  readonly bufferBytes?: number;
  /**
   * How long to wait, in milliseconds, for a queue that is taken: a ring that was closed or whose
   * process was killed lets go of its queue a moment later. Blocks the thread. 1000 by default.
   */
  readonly patience?: number;
}

/** How to receive. */
export interface ZeroCopyReceiveOptions {
  /** Bytes after which it ends; no limit by default. */
  readonly bytes?: number;
}

/** How to receive in a loop. */
export interface ZeroCopyLoopOptions extends ZeroCopyReceiveOptions {
  /** Ends it; the loop then throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What a {@linkcode ZeroCopyReceiver} has counted. */
export interface ZeroCopyStatistics {
  /** Pieces received. */
  readonly pieces: number;
  /** Their bytes. */
  readonly bytes: number;
  /** Pieces that the program holds. */
  readonly held: number;
  /** Receives that were started again because the completion queue was full. */
  readonly queueFull: number;
  /** Receives that were started again because no buffer was free to copy into. */
  readonly starved: number;
  /** How often the refill ring was flushed. */
  readonly flushes: number;
  /**
   * Chunks that the kernel copied, or undefined where it does not say (before 7.2). See
   * {@linkcode ZeroCopyReceiver.statistics} for what it leaves out.
   */
  readonly copiedChunks: number | undefined;
  /** Their bytes. */
  readonly copiedBytes: number | undefined;
}

/**
 * Told of a piece. The program holds it until {@linkcode ZeroCopyReceiver.giveBack}.
 *
 * @param userData What the receive was started with.
 * @param piece The piece.
 * @param offset Where it starts in its area, in bytes.
 * @param length Its bytes.
 */
export type OnPiece = (userData: number, piece: number, offset: number, length: number) => void;

/**
 * Told of the end of a receive, after its last piece.
 *
 * @param userData What the receive was started with.
 * @param bytes How many were received: the limit if that was reached, less at the end of a stream.
 * @param error Why it failed, or undefined.
 */
export type OnEnd = (userData: number, bytes: number, error: unknown) => void;

/** One receive: from its start to its end, over all requests that it takes. */
class Reception {
  readonly number: number;
  readonly file: File;
  readonly userData: number;
  /** Pieces that the loop has not had yet, or undefined on the batch face. */
  readonly stream: number[] | undefined;
  /** Bytes that may still come, and those of them that the request may bring. */
  left: number;
  part = 0;
  received = 0;
  /** The upper word of the request that runs, and whether one runs. */
  upper = 0;
  armed = false;
  /** Whether the program has cancelled it; and whether its pieces interest nobody any more. */
  stopping = false;
  discarding = false;
  ended = false;
  error: unknown;
  /** When it ran out of buffers first, after how many bytes; and what had come back by then. */
  starved = false;
  starvedSince = 0;
  starvedAfter = -1;
  returned = -1;
  wake: (() => void) | undefined;

  constructor(number: number, file: File, userData: number, left: number, stream?: number[]) {
    this.number = number;
    this.file = file;
    this.userData = userData;
    this.left = left;
    this.stream = stream;
  }
}

/**
 * A piece of what was received: a range of an area that the program holds until it gives it back.
 * Several pieces can share a buffer; each is given back on its own.
 */
export class ZeroCopyPiece implements Disposable {
  /** The area that it lies in. */
  readonly area: Area;
  /** Where it starts in the area, in bytes. */
  readonly offset: number;
  /** Its bytes. */
  readonly length: number;
  readonly #receiver: ZeroCopyReceiver;
  readonly #piece: number;

  /** Made by {@linkcode ZeroCopyReceiver.receive}. @internal */
  constructor(
    receiver: ZeroCopyReceiver,
    piece: number,
    place: { readonly area: Area; readonly offset: number; readonly length: number },
  ) {
    this.#receiver = receiver;
    this.#piece = piece;
    this.area = place.area;
    this.offset = place.offset;
    this.length = place.length;
  }

  /** Whether it was given back, or the receiver was closed. */
  get released(): boolean {
    return !this.#receiver.holds(this.#piece);
  }

  /**
   * The bytes. A view that was taken earlier is not revoked when the piece is given back.
   *
   * @throws {OwnershipError} After {@linkcode release}.
   * @throws {ClosedError} After the receiver, its ring or the area was closed.
   */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#receiver.bytes(this.#piece);
  }

  /**
   * Gives the piece back to the kernel.
   *
   * @throws {OwnershipError} If it was given back already.
   */
  release(): void {
    if (!this.#receiver.closed) this.#receiver.giveBack(this.#piece);
  }

  /** Gives the piece back, if that was not done yet. */
  [Symbol.dispose](): void {
    if (!this.released) this.release();
  }

  /** One line for the REPL. */
  [Symbol.for("Deno.customInspect")](): string {
    return inLine("ZeroCopyPiece", this.#facts());
  }

  /** A small table for notebooks. */
  [Symbol.for("Jupyter.display")](): Display {
    return inTable("ZeroCopyPiece", this.#facts());
  }

  #facts(): readonly Fact[] {
    const state = this.released ? "released" : undefined;
    return [["offset", this.offset], ["length", this.length], ["state", state, "bare"]];
  }
}

/** An exported receiver: {@linkcode ZeroCopyReceiver.import} takes it into another ring (6.19). */
export class ZeroCopyReceiverHandle implements Disposable {
  /** @internal */
  readonly shared: object;
  readonly #descriptor: Descriptor;

  /** Made by {@linkcode ZeroCopyReceiver.export}. @internal */
  constructor(fd: number, shared: SharedReceiver) {
    this.#descriptor = new Descriptor(fd, "ZeroCopyReceiverHandle");
    this.shared = shared;
    shared.retain();
  }

  /** The file descriptor that keeps the registration alive. */
  get fd(): number {
    return this.#descriptor.fd;
  }

  /** Whether {@linkcode close} was called. */
  get closed(): boolean {
    return this.#descriptor.closed;
  }

  /** Lets go of the registration. Idempotent. */
  close(): void {
    if (this.closed) return;
    this.#descriptor.close();
    (this.shared as SharedReceiver).release();
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** One line for the REPL. */
  [Symbol.for("Deno.customInspect")](): string {
    return inLine("ZeroCopyReceiverHandle", this.#facts());
  }

  /** A small table for notebooks. */
  [Symbol.for("Jupyter.display")](): Display {
    return inTable("ZeroCopyReceiverHandle", this.#facts());
  }

  #facts(): readonly Fact[] {
    return this.closed ? CLOSED : [["fd", this.fd]];
  }
}

/** How a receiver came to be. */
interface Origin {
  readonly id: number;
  readonly shared: SharedReceiver;
  readonly queue: QueueAddress | undefined;
  readonly imported: boolean;
}

/**
 * Receives TCP data without copying it (zcrx, 6.15): a network device puts the data that arrives on
 * one queue into an {@linkcode Area}, and every completion says where a piece of it lies. The
 * program holds a piece until it gives it back. It needs a NIC that splits headers from data and
 * whose queues can be given other memory, and connections that are steered to that queue; or the
 * guest's softnic; or {@linkcode withoutDevice}, which works anywhere and copies (7.1).
 *
 * Two faces. {@linkcode receive} is a loop, for the REPL and notebooks. {@linkcode start},
 * {@linkcode reap} and {@linkcode giveBack} allocate nothing for a piece, for experiments.
 *
 * What does not arrive on the queue is copied by the kernel into the area, silently: see
 * {@linkcode statistics} and {@linkcode nextEvent}.
 *
 * The registration cannot be undone alone: the queue stays bound, and the area's memory the
 * kernel's, until the ring is closed. Closing the receiver ends what it does.
 *
 * @example Without a device
 * ```ts ignore
 * import { Area, Ring, Socket, ZeroCopyReceiver } from "zclab";
 * import { assertEquals } from "@std/assert";
 *
 * await using ring = Ring.open({ completionSize: 32 });
 * using area = Area.map({ bytes: 1 << 20 });
 * using receiver = ZeroCopyReceiver.withoutDevice(ring, { area });
 * using listener = Socket.tcp().bind({ host: "127.0.0.1", port: 0 }).listen();
 * using sender = Socket.tcp().connect(listener.localAddress!);
 * using socket = await ring.accept(listener);
 *
 * using data = Area.map({ bytes: 4096 });
 * sender.send(data.slice(0, 5).write(new TextEncoder().encode("hello")));
 * sender.shutdown("write");
 * const pieces: string[] = [];
 * for await (using piece of receiver.receive(socket)) {
 *   pieces.push(new TextDecoder().decode(piece.bytes));
 * }
 * assertEquals(pieces, ["hello"]);
 * ```
 */
export class ZeroCopyReceiver implements Disposable {
  readonly #ring: Ring;
  readonly #engine: Engine;
  readonly #shared: SharedReceiver;
  readonly #id: number;
  readonly #queueAddress: QueueAddress | undefined;
  readonly #imported: boolean;
  /** The ring's memory, where the offsets of completions are. */
  readonly #words: Int32Array;

  /** Who is told of the completions of our requests. */
  readonly #target: Target = {
    complete: (result, _flags, slot, final) => this.#complete(result, slot, final),
    completeRun: (first, end, upper) => this.#completeRun(first, end, upper),
    fail: (error) => this.#fail(error),
  };
  readonly #pieces = new PieceTable();
  /** What the batch face has not had yet. */
  readonly #arrived = new ArrivalQueue();
  /** Receives by the slots of their requests, and all that have not ended. */
  readonly #bySlot: (Reception | undefined)[] = [];
  readonly #live = new Map<number, Reception>();
  /** Receives of the batch face that must be started again. */
  #again: Reception[] = [];
  #numbers = 0;
  /** The socket that was received from last. */
  #socket: Socket | undefined;

  #count = 0;
  #bytes = 0;
  #queueFull = 0;
  #starved = 0;
  readonly #events: ZeroCopyEvent[] = [];
  #eventWaiters: { resolve: (event: ZeroCopyEvent) => void; reject: (error: unknown) => void }[] =
    [];
  readonly #eventCounts: Record<ZeroCopyEvent, number> = { ALLOC_FAIL: 0, COPY: 0 };
  #closed = false;

  private constructor(ring: Ring, origin: Origin) {
    this.#ring = ring;
    this.#engine = engineOf(ring);
    this.#shared = origin.shared;
    this.#id = origin.id;
    this.#queueAddress = origin.queue;
    this.#imported = origin.imported;
    this.#words = this.#engine.queues.ring;
    this.#shared.attach({ engine: this.#engine, id: this.#id });
    this.#shared.opened();
    this.#engine.afterClose(() => this.#afterRing());
  }

  // === Opening ===

  /**
   * Takes a queue of a network device (`IORING_REGISTER_ZCRX_IFQ`, 6.15). The thread enters the
   * namespace of the device for the call, where it is another.
   *
   * @param ring A ring with `completionSize` 32 or `"mixed"`.
   * @throws {UringError} If the kernel refuses. The error says which of these it is, as far as it
   *   can be found out: no CAP_NET_ADMIN over the machine (EPERM); no such interface (ENODEV); no such
   *   queue, or an area that is not contiguous enough for the buffers (ERANGE); tcp-data-split not
   *   on, or hds-thresh not 0 (EINVAL); the queue taken, and by what, or XDP (EEXIST); AF_XDP or
   *   leased (EBUSY); a device without queue operations or DMA, or buffers that it cannot have
   *   (EOPNOTSUPP); a driver that does not use the memory (ENODATA); RLIMIT_MEMLOCK (ENOMEM).
   * @throws {UnsupportedError} If this kernel lacks what is asked for.
   * @throws {RangeError} If a number is out of range.
   * @throws {OwnershipError} If the area is another receiver's.
   * @throws {ClosedError} If the ring or the area is closed.
   */
  static open(ring: Ring, options: ZeroCopyReceiverOptions): ZeroCopyReceiver {
    openEngineOf(ring);
    checkObject("options", options);
    const { interface: device, queue, place = {}, bufferBytes = 0, patience = 1000 } = options;
    check("queue", queue, 0, 0xffff_fffe);
    check("patience", patience, 0, 0x7fff_ffff);
    if (bufferBytes !== 0) {
      check("bufferBytes", bufferBytes, PAGE_SIZE, 1 << 30);
      if (powerOfTwo(bufferBytes) !== bufferBytes) {
        throw new RangeError(`bufferBytes must be a power of two, got ${bufferBytes}`);
      }
      if (!zeroCopyReceiveFeatures().bufferBytes) {
        throw new UnsupportedError("ZCRX_FEATURE_RX_PAGE_SIZE", {
          since: "7.0",
          advice: "Leave bufferBytes out",
        });
      }
    }
    const index = typeof device === "number" ? device : interfaceIndex(place, device);
    check("interface", index, 1, 0x7fff_ffff);
    const name = typeof device === "string" ? device : interfaceName(place, device);
    const address = { place, name, index, queue };
    return ZeroCopyReceiver.#register(ring, options, address, bufferBytes, patience);
  }

  /**
   * Makes a receiver that belongs to no device (`ZCRX_REG_NODEV`, 7.1). It is the real interface,
   * for any TCP socket on any machine; the kernel copies every byte. Needs CAP_NET_ADMIN as well.
   *
   * @param ring A ring with `completionSize` 32 or `"mixed"`.
   * @throws {UringError} If the kernel refuses; see {@linkcode open}.
   * @throws {UnsupportedError} Before Linux 7.1.
   * @throws {OwnershipError} If the area is another receiver's.
   * @throws {ClosedError} If the ring or the area is closed.
   */
  static withoutDevice(ring: Ring, options: ZeroCopyMemoryOptions): ZeroCopyReceiver {
    return ZeroCopyReceiver.#register(ring, options, undefined, 0, 0);
  }

  static #register(
    ring: Ring,
    options: ZeroCopyMemoryOptions,
    queue: QueueAddress | undefined,
    bufferBytes: number,
    patience: number,
  ): ZeroCopyReceiver {
    const engine = engineOf(ring);
    engine.ensureOpen();
    checkObject("options", options);
    const { area } = options;
    checkKind("area", Area, area);
    if (area.closed) throw new ClosedError("Area");
    const features = zeroCopyReceiveFeatures();
    checkRing(ring, features);
    if (queue === undefined && !features.withoutDevice) {
      throw new UnsupportedError("ZCRX_REG_NODEV", {
        since: "7.1",
        advice: "deno task vm runs a kernel that has it",
      });
    }
    const buffers = Math.floor(area.bytes / (bufferBytes || PAGE_SIZE));
    if (buffers === 0) {
      throw new RangeError(`An area of ${area.bytes} bytes has no buffer of ${bufferBytes}`);
    }
    const { refillEntries = Math.min(MOST_REFILL_ENTRIES, Math.max(64, buffers)) } = options;
    check("refillEntries", refillEntries, 1, MOST_REFILL_ENTRIES);
    const wanted = options.events ?? features.events;
    for (const event of wanted) {
      if (!features.events.includes(event)) {
        throw new UnsupportedError(`ZCRX_EVENT_${event}`, { since: "7.2" });
      }
    }
    // The receiver is told of events that the kernel may post as soon as it is registered.
    const made: { receiver?: ZeroCopyReceiver } = {};
    const userDataHigh = engine.listen({
      complete: (event) => {
        if (made.receiver !== undefined) made.receiver.#happened(event);
      },
      fail: () => {},
    });
    const mask = wanted.reduce((bits, event) => bits | 1 << ZCRX_EVENT[event], 0);
    const release = claim(area);
    let region: RefillRegion | undefined;
    try {
      region = new RefillRegion(refillEntries);
      const registration = register(engine, {
        area,
        queue,
        region,
        refillEntries,
        bufferBytes,
        events: features.statistics ? { userDataLow: 0, userDataHigh, mask } : undefined,
        patience,
      });
      const shared = new SharedReceiver(region, registration, {
        hasDevice: queue !== undefined,
        isDmaBuf: area.dmaBufFd !== undefined,
        canFlush: features.flush,
        statistics: features.statistics,
      });
      shared.addArea(area, release);
      const { id } = registration;
      return made.receiver = new ZeroCopyReceiver(ring, { id, shared, queue, imported: false });
    } catch (error) {
      release();
      region?.mapping.close();
      throw error;
    }
  }

  /**
   * Takes an exported receiver into another ring of this thread (`ZCRX_REG_IMPORT`, 6.19). Both
   * receive into the same areas from the same queue, and give back through the same refill ring.
   * Events go to the ring that opened it.
   *
   * @param ring A ring with `completionSize` 32 or `"mixed"`.
   * @param handle What {@linkcode export} returned.
   * @throws {UringError} If the kernel refuses.
   * @throws {UnsupportedError} Before Linux 6.19.
   * @throws {ClosedError} If the ring or the handle is closed.
   */
  static import(ring: Ring, handle: ZeroCopyReceiverHandle): ZeroCopyReceiver {
    const engine = engineOf(ring);
    engine.ensureOpen();
    const features = zeroCopyReceiveFeatures();
    checkRing(ring, features);
    if (!features.share) throw new UnsupportedError("ZCRX_REG_IMPORT", { since: "6.19" });
    const argument = new Struct(LAYOUTS.io_uring_zcrx_ifq_reg)
      .set("if_idx", handle.fd)
      .set("flags", ZCRX_REG.IMPORT);
    engine.register("IORING_REGISTER_ZCRX_IFQ", REGISTER.ZCRX_IFQ, argument.buffer, 1);
    const shared = handle.shared as SharedReceiver;
    const id = argument.get("zcrx_id");
    return new ZeroCopyReceiver(ring, { id, shared, queue: undefined, imported: true });
  }

  // === What it is ===

  /** The number of the receiver in its ring: `zcrx_id`. */
  get id(): number {
    return this.#id;
  }

  /** The name of the network device, or undefined: without a device, and after an import. */
  get interface(): string | undefined {
    return this.#queueAddress?.name;
  }

  /** The number of the receive queue, or undefined. */
  get queue(): number | undefined {
    return this.#queueAddress?.queue;
  }

  /** Bytes of a buffer: no piece is larger. */
  get bufferBytes(): number {
    return this.#shared.bufferBytes;
  }

  /** Entries of the refill ring. */
  get refillEntries(): number {
    return this.#shared.refill.entries;
  }

  /** The areas that it receives into. */
  get areas(): readonly Area[] {
    return this.#shared.areas;
  }

  /** Pieces that the program holds, those included that it was not told of yet. */
  get held(): number {
    return this.#pieces.held + this.#arrived.pieces;
  }

  /** Whether {@linkcode close} was called, or the ring was closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * The NAPI context that the socket it receives from got its last packet from, which is what busy
   * polling polls; 0 before that, and where there is none. See {@linkcode napiIdOf}.
   */
  get napiId(): number {
    const socket = this.#socket;
    return socket === undefined || socket.closed ? 0 : napiIdOf(socket).id;
  }

  /**
   * What was counted. `copiedBytes` is the kernel's: the fragments of packets that it copied. It does
   * not count data that the device left with the headers, which is copied too. So 0 does not prove
   * that nothing was copied: compare the device's counters, or {@linkcode physicalPages} with where
   * the device put the data.
   *
   * @throws {ClosedError} After close.
   */
  statistics(): ZeroCopyStatistics {
    this.#ensureOpen();
    const counts = this.#shared.counts;
    return {
      pieces: this.#count,
      bytes: this.#bytes,
      held: this.held,
      queueFull: this.#queueFull,
      starved: this.#starved,
      flushes: this.#shared.flushes,
      copiedChunks: counts === undefined ? undefined : Number(counts[0]),
      copiedBytes: counts === undefined ? undefined : Number(counts[1]),
    };
  }

  // === The await face ===

  /**
   * Receives piece after piece with one request (RECV_ZC, 6.15), until the end of the stream, or
   * the limit, or until the loop is left; then the request is cancelled, and what it had received
   * already and the loop has not had is given back, and so lost.
   *
   * A piece that is never given back is a buffer less. When all are held the receive waits.
   *
   * The kernel takes what has come all at once, and a sender may be faster than the loop: then the
   * buffers run out, and a NIC drops frames, which TCP sends again later. What bounds it is an area
   * larger than the sender's window and the NIC's descriptors together, or a ring with few
   * `completionEntries`.
   *
   * @param file A connected TCP socket.
   * @throws {UringError} If the connection failed (ECONNRESET), the socket is no TCP socket
   *   (EPROTONOSUPPORT), or data is elsewhere (EFAULT, ENOMEM).
   * @throws {RangeError} If the limit is not a positive whole number.
   * @throws {ClosedError} If the receiver or its ring is closed, or closes meanwhile.
   */
  async *receive(file: File, options: ZeroCopyLoopOptions = {}): AsyncGenerator<ZeroCopyPiece> {
    const { signal } = options;
    signal?.throwIfAborted();
    const stream: number[] = [];
    const reception = this.#begin(file, 0, options.bytes, stream);
    const onAbort = (): void => this.#stop(reception);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      this.#engine.submitSoon();
      while (true) {
        signal?.throwIfAborted();
        if (this.#closed) this.#ensureOpen();
        const piece = stream.shift();
        if (piece !== undefined) {
          // Held by the program from here on, also when the loop is left with it.
          yield this.#piece(piece);
        } else if (reception.ended) {
          if (reception.error !== undefined) throw reception.error;
          return;
        } else if (!reception.armed) {
          if (this.#resume(reception)) this.#engine.submitSoon();
          else await this.#mayResume(reception);
        } else await this.#arrival(reception);
      }
    } finally {
      signal?.removeEventListener("abort", onAbort);
      await this.#abandon(reception, stream);
    }
  }

  #piece(piece: number): ZeroCopyPiece {
    const slot = this.#pieces.slotOf(piece);
    return new ZeroCopyPiece(this, piece, {
      area: this.#shared.area(this.#pieces.area(slot)),
      offset: this.#pieces.offset(slot),
      length: this.#pieces.length(slot),
    });
  }

  /** Waits for the next completion of a receive. */
  async #arrival(reception: Reception): Promise<void> {
    this.#engine.watch();
    try {
      await new Promise<void>((resolve) => reception.wake = resolve);
    } finally {
      reception.wake = undefined;
      this.#engine.unwatch();
    }
  }

  /** Waits until a receive that ran out of buffers may find one, or ends. */
  async #mayResume(reception: Reception): Promise<void> {
    // While the program holds pieces only those can help; else the NIC may let go of some.
    const chance = this.#shared.held > 0
      ? this.#shared.whenReturned()
      : new Promise((resolve) => setTimeout(resolve, 1));
    try {
      await Promise.race([chance, new Promise<void>((resolve) => reception.wake = resolve)]);
    } finally {
      reception.wake = undefined;
    }
  }

  async #abandon(reception: Reception, stream: number[]): Promise<void> {
    if (this.#closed) return;
    reception.discarding = true;
    this.#stop(reception);
    while (reception.armed && !this.#closed) await this.#arrival(reception);
    if (!this.#closed) { for (const piece of stream.splice(0)) this.giveBack(piece); }
  }

  // === The batch face ===

  /**
   * Prepares a receive from a socket (RECV_ZC, 6.15): its pieces and its end come from
   * {@linkcode reap}. Submitted by the ring's `batch.submit()`, or when something is waited for.
   *
   * @param file A connected TCP socket.
   * @param userData An unsigned 32-bit number that comes back with the pieces.
   * @returns The number of the receive, for {@linkcode stop}.
   * @throws {RangeError} If the limit is not a positive whole number.
   * @throws {ClosedError} If the receiver, its ring or the socket is closed.
   */
  start(file: File, userData = 0, options: ZeroCopyReceiveOptions = {}): number {
    return this.#begin(file, userData, options.bytes, undefined).number;
  }

  /** Cancels a receive. Pieces may still come; its end comes from {@linkcode reap}, without error. */
  stop(number: number): void {
    this.#ensureOpen();
    const reception = this.#live.get(number);
    if (reception === undefined) return;
    this.#stop(reception);
    if (this.#engine.prepared > 0) this.#engine.submit(0);
  }

  /**
   * Hands out pieces and ends that have come, and starts receives again that were interrupted
   * because the completion queue was full or no buffer was free. Never waits. More may have come
   * when it returns: 0 means that nothing is left. Completions of other requests of the ring's batch
   * face are kept for `batch.reap`.
   *
   * @param onPiece Told of each piece.
   * @param onEnd Told of each end.
   * @returns How many pieces were handed out.
   * @throws {ClosedError} After close.
   */
  reap(onPiece: OnPiece, onEnd?: OnEnd): number {
    this.#ensureOpen();
    if (typeof onPiece !== "function") {
      throw new TypeError("reap: the first argument must be a function");
    }
    const arrived = this.#arrived;
    const pieces = this.#pieces;
    const shared = this.#shared;
    let count = 0;
    this.#settleUntilArrived();
    shared.gather();
    try {
      while (arrived.count > 0) {
        const { words, at } = arrived;
        const low = words[at]!;
        const high = words[at + 1]!;
        const length = words[at + 2]!;
        const userData = words[at + 3]! >>> 0;
        if (length < 0) this.#handEnd(arrived.dropEnd(), onEnd);
        else {
          const piece = pieces.take(low, high, length);
          arrived.drop(1);
          count++;
          onPiece(userData, piece, offsetIn(low, high), length);
        }
        if (this.#closed) return count;
      }
    } finally {
      shared.publish();
    }
    if (this.#again.length > 0) this.#resumeAll();
    return count;
  }

  /**
   * Looks at the pieces that have come, in their order, without taking them: for who reads each once.
   * They have no numbers, and cost a fraction of those that {@linkcode reap} hands out.
   * {@linkcode offsetAt} and the like say what each is, until {@linkcode consume} gives them back.
   * Never waits. Receives that were interrupted are started again, as `reap` does.
   *
   * @param onEnd Told of each end, once all pieces before it were consumed.
   * @returns How many there are, those included that were shown before; 0 means that nothing is left.
   * @throws {ClosedError} After close.
   *
   * @example Count the bytes of a stream
   * ```ts ignore
   * let bytes = 0;
   * let ended = false;
   * receiver.start(socket);
   * while (!ended && receiver.waitBlocking(1000)) {
   *   const count = receiver.peek(() => ended = true);
   *   for (let i = 0; i < count; i++) bytes += receiver.lengthAt(i);
   *   receiver.consume(count);
   * }
   * ```
   */
  peek(onEnd?: OnEnd): number {
    this.#ensureOpen();
    const arrived = this.#arrived;
    this.#settleUntilArrived();
    while (arrived.atEnd) {
      this.#handEnd(arrived.dropEnd(), onEnd);
      if (this.#closed) return 0;
    }
    if (arrived.count === 0 && this.#again.length > 0) this.#resumeAll();
    return arrived.show();
  }

  /**
   * Where a piece that {@linkcode peek} has shown starts in its area, in bytes.
   *
   * @param index Which of them, from 0; those that were consumed are not counted any more.
   * @throws {OwnershipError} If it was not shown, or was consumed or reaped.
   * @throws {ClosedError} After close.
   */
  offsetAt(index: number): number {
    const at = this.#arrived.place(index);
    if (at < 0) throw this.#notShown(index);
    const { words } = this.#arrived;
    return offsetIn(words[at]!, words[at + 1]!);
  }

  /** Bytes of a piece that {@linkcode peek} has shown. Fails as {@linkcode offsetAt} does. */
  lengthAt(index: number): number {
    const at = this.#arrived.place(index);
    if (at < 0) throw this.#notShown(index);
    return this.#arrived.words[at + 2]!;
  }

  /** What the receive of such a piece was started with. Fails as {@linkcode offsetAt} does. */
  userDataAt(index: number): number {
    const at = this.#arrived.place(index);
    if (at < 0) throw this.#notShown(index);
    return this.#arrived.words[at + 3]! >>> 0;
  }

  /** The area of such a piece. Fails as {@linkcode offsetAt} does. */
  areaAt(index: number): Area {
    const at = this.#arrived.place(index);
    if (at < 0) throw this.#notShown(index);
    return this.#shared.area(areaOf(this.#arrived.words[at + 1]!));
  }

  /**
   * Gives pieces that {@linkcode peek} has shown back to the kernel.
   *
   * @param count How many, from the first on.
   * @throws {OwnershipError} If so many are not shown: they were consumed or reaped already.
   * @throws {ClosedError} After close.
   */
  consume(count: number): void {
    if (this.#closed) this.#ensureOpen();
    const arrived = this.#arrived;
    if (count >>> 0 !== count || count > arrived.shown) throw this.#notShown(count - 1);
    this.#shared.giveBackRun(arrived, count);
  }

  #notShown(index: number): Error {
    this.#ensureOpen();
    const { shown } = this.#arrived;
    return new OwnershipError(
      `Of the ${shown} pieces that are shown none has the index ${index}: peek shows what has come, ` +
        "and each is consumed or reaped once",
    );
  }

  /**
   * Blocks the thread until there is something to reap that {@linkcode peek} has not shown, or the time
   * has run out. Submits what is prepared.
   *
   * @returns Whether there is something.
   * @throws {ClosedError} After close.
   */
  waitBlocking(milliseconds: number): boolean {
    this.#ensureOpen();
    const engine = this.#engine;
    const arrived = this.#arrived;
    if (Number.isNaN(milliseconds)) throw new RangeError("A time in milliseconds is not NaN");
    if (engine.prepared > 0) engine.submit(0);
    // A wait has the kernel do what it has put off, too.
    if (milliseconds > 0) engine.settleQueued();
    else this.#settleUntilArrived();
    if (arrived.fresh) return true;
    const deadline = now() + milliseconds;
    for (let left = milliseconds;; left = deadline - now()) {
      if (this.#again.length > 0) this.#resumeAll();
      if (arrived.fresh) return true;
      if (left <= 0) return false;
      // What finds no buffer is tried again now and then; but while the program holds pieces only those
      // can help, and it gives none back while it waits here.
      const waits = this.#again.length === 0 || this.#shared.held > 0;
      if (waits) engine.waitUntil(1, left, deadline);
      else engine.waitBlocking(1, Math.min(1, left));
      this.#settleUntilArrived();
    }
  }

  /**
   * Takes completions until there is something to reap, and no more: the kernel shall not fill more
   * buffers while pieces wait that could be given back. A sender that is faster than this thread
   * would use the area up, and the NIC would drop.
   */
  #settleUntilArrived(): void {
    while (!this.#arrived.fresh && this.#engine.settleStep() > 0);
  }

  /**
   * Gives a piece back to the kernel. Each is given back once; nobody else needs to be told.
   *
   * @throws {OwnershipError} If the program does not hold it: it was given back already.
   * @throws {ClosedError} After close.
   */
  giveBack(piece: number): void {
    if (this.#closed) this.#ensureOpen();
    const pieces = this.#pieces;
    const slot = pieces.slotOf(piece);
    const low = pieces.low(slot);
    const high = pieces.high(slot);
    const length = pieces.length(slot);
    pieces.free(slot);
    this.#shared.giveBack(low, high, length);
  }

  /** Whether the program holds a piece. */
  holds(piece: number): boolean {
    return !this.#closed && this.#pieces.holds(piece);
  }

  /**
   * The bytes of a piece, as a new view.
   *
   * @throws {OwnershipError} If the program does not hold it.
   * @throws {ClosedError} After close.
   */
  bytes(piece: number): Uint8Array<ArrayBuffer> {
    this.#ensureOpen();
    const slot = this.#pieces.slotOf(piece);
    const area = this.#shared.area(this.#pieces.area(slot));
    return area.unsafeBytes(this.#pieces.offset(slot), this.#pieces.length(slot));
  }

  /**
   * The area of a piece: which of {@linkcode areas} its offset is about.
   *
   * @throws {OwnershipError} If the program does not hold it.
   * @throws {ClosedError} After close.
   */
  areaOf(piece: number): Area {
    this.#ensureOpen();
    return this.#shared.area(this.#pieces.area(this.#pieces.slotOf(piece)));
  }

  #handEnd(number: number, onEnd: OnEnd | undefined): void {
    const reception = this.#live.get(number)!;
    this.#live.delete(number);
    onEnd?.(reception.userData, reception.received, reception.error);
  }

  // === What both faces share ===

  #begin(
    file: File,
    userData: number,
    bytes: number | undefined,
    stream: number[] | undefined,
  ): Reception {
    this.#ensureOpen();
    if (bytes !== undefined && (!Number.isSafeInteger(bytes) || bytes <= 0)) {
      throw new RangeError(`A limit of bytes is a positive whole number, got ${bytes}`);
    }
    const number = this.#numbers = (this.#numbers + 1) & 0x7fff_ffff;
    const reception = new Reception(number, file, userData, bytes ?? Infinity, stream);
    this.#arm(reception);
    this.#live.set(number, reception);
    if (file instanceof Socket) this.#socket = file;
    return reception;
  }

  #arm(reception: Reception): void {
    const { file } = reception;
    const engine = this.#engine;
    const fixed = typeof file === "number" ? -1 : socketRegistrations(file).indexIn(this.#ring);
    const fd = fixed < 0 ? fdOf(file) : fixed;
    const flag = fixed < 0 ? 0 : SQE.FIXED_FILE;
    const upper = engine.track("RECV_ZC", null, false, TARGET, this.#target);
    reception.part = Math.min(
      reception.left,
      reception.left === Infinity ? Infinity : LARGEST_PART,
    );
    reception.upper = upper;
    reception.armed = true;
    reception.starved = false;
    this.#bySlot[upper & SLOT_MASK] = reception;
    const limit = reception.part === Infinity ? 0 : reception.part;
    const at = engine.next();
    prepareReceiveZeroCopy(engine.sqes, at, fd, flag, limit, this.#id, 0, upper);
  }

  #stop(reception: Reception): void {
    if (reception.ended) return;
    reception.stopping = true;
    if (reception.armed) this.#engine.cancel(reception.upper);
    else this.#finish(reception, undefined);
  }

  /** A completion of one of our requests. */
  #complete(result: number, slot: number, final: boolean): void {
    const reception = this.#bySlot[slot]!;
    if (final) {
      this.#bySlot[slot] = undefined;
      reception.armed = false;
      this.#ended(reception, result);
      return;
    }
    const at = this.#engine.extra;
    const low = this.#words[at]!;
    const high = this.#words[at + 1]!;
    this.#took(reception, 1, result);
    if (this.#closed || reception.discarding) this.#shared.giveBack(low, high, result);
    else if (reception.stream === undefined) {
      this.#arrived.push(low, high, result, reception.userData);
    } else {
      reception.stream.push(this.#pieces.take(low, high, result));
      reception.wake?.();
    }
  }

  /** Completions of one of our requests that are pieces; returns how many. */
  #completeRun(first: number, end: number, upper: number): number {
    const { cqes, cqEntries } = this.#engine.queues;
    const words = this.#words;
    const mask = cqEntries - 1;
    const slot = upper & SLOT_MASK;
    const reception = this.#bySlot[slot]!;
    if (this.#closed || reception.discarding || reception.stream !== undefined) {
      this.#complete(words[cqes + ((first & mask) << 3) + 2]!, slot, false);
      return 1;
    }
    const { userData } = reception;
    const count = this.#arrived.pushRun(words, cqes, mask, first, end, upper, userData);
    this.#took(reception, count, this.#arrived.runBytes);
    return count;
  }

  /** Counts pieces. */
  #took(reception: Reception, count: number, bytes: number): void {
    reception.received += bytes;
    reception.left -= bytes;
    reception.part -= bytes;
    this.#count += count;
    this.#bytes += bytes;
    this.#shared.taken += count;
  }

  /** A request has had its last completion: it is over, or has to be started again. */
  #ended(reception: Reception, result: number): void {
    if (this.#closed || reception.discarding || reception.stopping) {
      this.#finish(reception, undefined);
      return;
    }
    switch (result) {
      case 0:
        // Only the limit of this request, or the end of the stream?
        if (reception.part > 0 || reception.left === 0) this.#finish(reception, undefined);
        else this.#startAgain(reception);
        return;
      case ENOSPC:
        this.#queueFull++;
        this.#startAgain(reception);
        return;
      case ENOMEM:
        // Into a dma-buf the kernel cannot copy: this data will never find a place.
        if (this.#shared.isDmaBuf) break;
        this.#starve(reception);
        return;
      case EINTR:
      case EAGAIN:
        this.#startAgain(reception);
        return;
      case ECANCELED:
        break;
    }
    this.#finish(reception, explainEnd(-result, this.#shared.isDmaBuf));
  }

  #starve(reception: Reception): void {
    this.#starved++;
    this.#shared.flushEarly();
    reception.starved = true;
    reception.returned = this.#shared.returned;
    if (reception.starvedAfter !== reception.received) {
      reception.starvedAfter = reception.received;
      reception.starvedSince = performance.now();
    }
    this.#startAgain(reception);
  }

  #startAgain(reception: Reception): void {
    if (reception.stream === undefined) this.#again.push(reception);
    else reception.wake?.();
  }

  #finish(reception: Reception, error: unknown): void {
    if (reception.ended) return;
    reception.ended = true;
    reception.error = error;
    if (reception.stream === undefined) this.#arrived.pushEnd(reception.number);
    else {
      this.#live.delete(reception.number);
      reception.wake?.();
    }
  }

  #resumeAll(): void {
    const waiting = this.#again;
    this.#again = [];
    for (const reception of waiting) {
      if (!reception.ended && !this.#resume(reception)) this.#again.push(reception);
    }
    if (this.#engine.prepared > 0) this.#engine.submit(0);
  }

  /** Starts a receive again, unless it would find no buffer; returns whether anything changed. */
  #resume(reception: Reception): boolean {
    try {
      this.#shared.drain();
      if (reception.starved && !this.#mayFindBuffer(reception)) return reception.ended;
      this.#arm(reception);
    } catch (error) {
      this.#finish(reception, error);
    }
    return true;
  }

  #mayFindBuffer(reception: Reception): boolean {
    const shared = this.#shared;
    const freed = shared.flush() > 0;
    if (freed || shared.returned !== reception.returned) return true;
    if (shared.held > 0) return false;
    if (performance.now() - reception.starvedSince < STARVED_FOR) return true;
    this.#finish(reception, explainEnd(-ENOMEM, false));
    return false;
  }

  /** The ring failed or was closed. */
  #fail(error: unknown): void {
    for (const reception of this.#live.values()) {
      reception.armed = false;
      this.#finish(reception, error);
    }
  }

  // === Controls ===

  /**
   * Makes the kernel take back everything that was given back (`ZCRX_CTRL_FLUSH_RQ`, 6.19). It is
   * done without asking where it is needed: when the refill ring is full, and before a receiver that
   * copies runs out of buffers.
   *
   * @returns How many pieces it took.
   * @throws {UnsupportedError} Before Linux 6.19.
   * @throws {ClosedError} After close.
   */
  flush(): number {
    this.#ensureOpen();
    if (!zeroCopyReceiveFeatures().flush) {
      throw new UnsupportedError("ZCRX_CTRL_FLUSH_RQ", { since: "6.19" });
    }
    return this.#shared.flush();
  }

  /** How often each event has happened (7.2). */
  get events(): Readonly<Record<ZeroCopyEvent, number>> {
    return { ...this.#eventCounts };
  }

  /**
   * Resolves to the next event (7.2): `ALLOC_FAIL`, the NIC found no free buffer and dropped a packet;
   * `COPY`, data did not arrive in the area and was copied. Each is told once, until {@linkcode arm}.
   * An event that came before somebody asked is told first.
   *
   * @throws {UnsupportedError} Before Linux 7.2, and for an imported receiver.
   * @throws {ClosedError} If the receiver or its ring is closed, or closes before that.
   */
  async nextEvent(): Promise<ZeroCopyEvent> {
    this.#ensureOpen();
    this.#requireEvents();
    const event = this.#events.shift();
    if (event !== undefined) return event;
    this.#engine.watch();
    try {
      return await new Promise<ZeroCopyEvent>((resolve, reject) => {
        this.#eventWaiters.push({ resolve, reject });
      });
    } finally {
      this.#engine.unwatch();
    }
  }

  /**
   * Has the next event of a kind told again (`ZCRX_CTRL_ARM_EVENT`, 7.2).
   *
   * @throws {UringError} EINVAL, if it has not happened since it was armed.
   * @throws {UnsupportedError} Before Linux 7.2, and for an imported receiver.
   * @throws {ClosedError} After close.
   */
  arm(event: ZeroCopyEvent): void {
    this.#ensureOpen();
    this.#requireEvents();
    if (ZCRX_EVENT[event] === undefined) {
      throw new RangeError(`An event is one of ${EVENT_NAMES.join(", ")}, got ${event}`);
    }
    const argument = control(this.#id, ZCRX_CTRL.ARM_EVENT);
    this.#union(argument, LAYOUTS.zcrx_ctrl_arm_event).set("event_type", ZCRX_EVENT[event]);
    const result = this.#control(argument);
    if (result === -22) {
      throw new UringError("ZCRX_CTRL_ARM_EVENT", 22, {
        meaning: `${event} is armed: it has not happened since`,
        advice: "arm an event after nextEvent has told of it",
      });
    }
    unwrap("ZCRX_CTRL_ARM_EVENT", result);
  }

  #requireEvents(): void {
    if (this.#imported) {
      throw new UnsupportedError("Events of an imported receiver", {
        advice: "They go to the ring that opened it",
      });
    }
    if (this.#shared.counts === undefined) {
      throw new UnsupportedError("ZCRX_FEATURE_EVENT", { since: "7.2" });
    }
  }

  #happened(number: number): void {
    const event = EVENT_NAMES[number];
    if (event === undefined) return;
    this.#eventCounts[event]++;
    const waiter = this.#eventWaiters.shift();
    if (waiter === undefined) this.#events.push(event);
    else waiter.resolve(event);
  }

  /**
   * Makes a handle for {@linkcode import} (`ZCRX_CTRL_EXPORT`, 6.19). The registration lives until
   * the handle and every ring that has it are closed.
   *
   * @throws {UnsupportedError} Before Linux 6.19.
   * @throws {ClosedError} After close.
   */
  export(): ZeroCopyReceiverHandle {
    this.#ensureOpen();
    if (!zeroCopyReceiveFeatures().share) {
      throw new UnsupportedError("ZCRX_CTRL_EXPORT", { since: "6.19" });
    }
    const argument = control(this.#id, ZCRX_CTRL.EXPORT);
    unwrap("ZCRX_CTRL_EXPORT", this.#control(argument));
    const fd = this.#union(argument, LAYOUTS.zcrx_ctrl_export).get("zcrx_fd");
    return new ZeroCopyReceiverHandle(fd, this.#shared);
  }

  /**
   * Adds an area of the same kind to receive into (`ZCRX_CTRL_ADD_AREA`, 7.3).
   *
   * @throws {UringError} If it is of another kind (EINVAL), not contiguous enough (ERANGE), or there is
   *   not enough memory that may be locked (ENOMEM).
   * @throws {UnsupportedError} Before Linux 7.3.
   * @throws {OwnershipError} If it is another receiver's.
   * @throws {ClosedError} After close, or if the area is closed.
   */
  addArea(area: Area): void {
    this.#ensureOpen();
    if (area.closed) throw new ClosedError("Area");
    if (!zeroCopyReceiveFeatures().addArea) {
      throw new UnsupportedError("ZCRX_CTRL_ADD_AREA", { since: "7.3" });
    }
    const release = claim(area);
    const description = areaArgument(area);
    const argument = control(this.#id, ZCRX_CTRL.ADD_AREA);
    this.#union(argument, LAYOUTS.zcrx_ctrl_add_area)
      .set("area_ptr", addressOf(description.buffer));
    const result = this.#control(argument);
    if (result < 0) {
      release();
      const { bufferBytes, areas } = this.#shared;
      throw explainArea(-result, { area, bufferBytes, areas: areas.length });
    }
    this.#shared.addArea(area, release);
  }

  /** The part of the argument that differs from control to control. */
  #union(argument: Struct, layout: ConstructorParameters<typeof Struct>[0]): Struct {
    const [at] = LAYOUTS.zcrx_ctrl.fields.zc_export;
    return new Struct(layout, { buffer: argument.buffer, at });
  }

  #control(argument: Struct): number {
    const { fd } = this.#engine;
    return native().io_uring_register(fd, REGISTER.ZCRX_CTRL, argument.buffer, 0);
  }

  // === Closing ===

  #ensureOpen(): void {
    if (this.#engine.closed) throw new ClosedError("Ring");
    if (this.#closed) throw new ClosedError("ZeroCopyReceiver");
  }

  /**
   * Cancels every receive, gives back every piece, also those that the program holds, and so takes
   * them away from it. The queue stays bound and the area's memory the kernel's until the ring is
   * closed: the kernel has no way to undo that alone. Blocks the thread until the receives have
   * ended. Idempotent.
   *
   * @param timeout How long to wait for them at most, in milliseconds; 1000 by default.
   */
  close(timeout = 1000): void {
    if (this.#closed) return;
    const receptions = [...this.#live.values()];
    this.#closed = true;
    try {
      this.#cancelAll(receptions, timeout);
    } finally {
      for (const reception of receptions) {
        this.#finish(reception, new ClosedError("ZeroCopyReceiver"));
      }
      this.#returnArrived();
      for (const slot of this.#pieces.slots()) {
        const low = this.#pieces.low(slot);
        this.#shared.giveBack(low, this.#pieces.high(slot), this.#pieces.length(slot));
      }
      this.#end(new ClosedError("ZeroCopyReceiver"));
    }
  }

  /** Gives back what has come and the program was not told of. */
  #returnArrived(): void {
    const arrived = this.#arrived;
    while (arrived.count > 0) {
      if (arrived.atEnd) arrived.dropEnd();
      else this.#shared.giveBackRun(arrived, arrived.show());
    }
  }

  #cancelAll(receptions: readonly Reception[], timeout: number): void {
    const engine = this.#engine;
    const deadline = performance.now() + timeout;
    for (const reception of receptions) {
      reception.discarding = true;
      if (reception.armed) engine.cancel(reception.upper);
    }
    if (engine.prepared > 0) engine.submit(0);
    engine.settle();
    while (receptions.some(({ armed }) => armed) && !engine.closed) {
      const left = deadline - performance.now();
      if (left <= 0 || !engine.waitBlocking(1, left)) return;
      engine.settle();
    }
  }

  /** The ring was closed: nothing comes any more, and nothing can be given back. */
  #afterRing(): void {
    if (this.#closed) return;
    this.#closed = true;
    const error = new ClosedError("Ring");
    this.#fail(error);
    this.#end(error);
  }

  #end(error: ClosedError): void {
    this.#live.clear();
    this.#arrived.clear();
    this.#again = [];
    for (const { reject } of this.#eventWaiters.splice(0)) reject(error);
    this.#shared.closed();
  }

  /** Closes the receiver. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** One line for the REPL. */
  [Symbol.for("Deno.customInspect")](): string {
    return inLine("ZeroCopyReceiver", this.#facts());
  }

  /** A small table for notebooks. */
  [Symbol.for("Jupyter.display")](): Display {
    return inTable("ZeroCopyReceiver", this.#facts(), this.#more());
  }

  #facts(): readonly Fact[] {
    if (this.#closed) return CLOSED;
    const where = this.#queueAddress === undefined
      ? this.#imported ? "imported" : "no device"
      : `${this.interface} queue ${this.queue}`;
    const areas = this.areas.reduce((sum, { bytes }) => sum + bytes, 0);
    return [
      ["id", this.#id],
      ["source", where, "bare"],
      ["area", `${areas} bytes`],
      ["buffers", `buffers of ${this.bufferBytes}`, "bare"],
      ["held", this.held],
    ];
  }

  /** What only a table has room for. */
  #more(): readonly Fact[] {
    if (this.#closed) return [];
    const held = [...this.#pieces.slots()];
    return this.areas.map(({ bytes }, number) => [
      `map of area ${number} (░ not held, █ held)`,
      strip(
        bytes,
        held.filter((slot) => this.#pieces.area(slot) === number).map((slot) => ({
          offset: this.#pieces.offset(slot),
          length: this.#pieces.length(slot),
        })),
      ),
    ]);
  }
}

function interfaceIndex(place: Place, name: string): number {
  using socket = Socket.udp(place);
  const text = new TextEncoder().encode(`${name}\0`);
  const result = native().zclab_interface_index(socket.fd, text.buffer);
  if (describeErrno(-result)[0] === "ENODEV") {
    throw new UringError("IORING_REGISTER_ZCRX_IFQ", -result, {
      meaning: `there is no interface ${name} in that namespace`,
      advice: "look at: ip link; and pass place where the interface is in another namespace",
    });
  }
  return unwrap(`SIOCGIFINDEX ${name}`, result);
}

function check(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(
    `ZeroCopyReceiver: ${name} must be a whole number from ${least} to ${most}, got ${value}`,
  );
}
