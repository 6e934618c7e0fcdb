/**
 * Device memory TCP: payload that a network device puts into, or takes out of, a dma-buf, where the
 * kernel never touches it. The dma-buf may be a graphics card's memory; here it is an
 * {@linkcode Area} made by {@linkcode Area.dmaBuf}.
 *
 * Source: https://docs.kernel.org/networking/devmem.html and net/core/devmem.c of Linux 7.3.
 *
 * @module
 */
import { acquire, type Area, type Holder, release, type Slice } from "../memory/area.ts";
import { now } from "../kernel/clock.ts";
import {
  ClosedError,
  describeErrno,
  type Explanation,
  OwnershipError,
  UringError,
} from "../kernel/errors.ts";
import { CLOSED, type Display, type Fact, inLine, inTable, strip } from "../kernel/inspection.ts";
import { high, low, Mapping } from "../kernel/memory.ts";
import { MessageZeroCopy, sendThrough } from "../net/message_zerocopy.ts";
import { native } from "../kernel/native.ts";
import { Netdev } from "../net/netdev.ts";
import type { Ring } from "../ring/ring.ts";
import type { Place } from "../net/place.ts";
import type { Socket } from "../net/socket.ts";
import { MSG, POLL } from "../kernel/uapi.ts";

const EAGAIN = -11;
const EBADR = 53;
const SOL_SOCKET = 1;
const SO_DEVMEM_DONTNEED = 80;

/** Pieces that one receive takes at most: as many as the shim has room for. */
const MOST_PIECES = 256;
/** Bytes that one receive takes at most. Memory for them is touched only if they are copied. */
const MOST_BYTES = 1 << 20;

/** Words of a piece as the shim writes it, and where in it what is. */
const WORDS = 6;
const TYPE = 0;
const TOKEN = 1;
const OFFSET = 2;
const OFFSET_HIGH = 3;
const LENGTH = 4;
const ID = 5;

/** `SCM_DEVMEM_*` */
const SCM_DEVMEM_LINEAR = 78;
const SCM_DEVMEM_DMABUF = 79;

/** What the kernel takes back in one call at most. Source: net/core/sock.c. */
const MOST_RUNS = 128;
const MOST_RETURNED = 1024;

const TWO_TO_32 = 2 ** 32;

/**
 * Where the bytes of a piece are. `dma-buf`: the device put them there, nobody copied them.
 * `linear`: the device left them behind the packet's headers in the kernel's memory, and the kernel
 * copied them. `readable`: the packet came in through a queue that has no dma-buf, and the kernel
 * copied all of it. The last two are the sign that something is not set up.
 */
export type DeviceMemoryKind = "dma-buf" | "linear" | "readable";

/** A dma-buf area, and who shall receive into it. */
export interface DeviceMemoryReceiveOptions {
  /**
   * The memory, made by {@linkcode Area.dmaBuf}. While it is bound, the device owns all of it. It is
   * all that the queues have: with less than they post in advance and the program holds, frames are
   * dropped and TCP waits to send them again. The kernel does not complain of that; 512 pages, 2 MiB,
   * for each queue is a start.
   */
  readonly area: Area;
  /** The name of the network device. */
  readonly interface: string;
  /** The numbers of its receive queues; only those flows must come to them that shall. */
  readonly queues: readonly number[];
  /** Where the device is: an end of a testbed, say; without it, in the caller's namespace. */
  readonly place?: Place;
  /**
   * Bytes of each buffer (7.3): a power of two, from a page on. Needs memory in pieces as large: huge
   * pages. A page by default.
   */
  readonly pageSize?: number;
}

/** A dma-buf area, and who shall send from it. */
export interface DeviceMemoryTransmitOptions {
  /** The memory, made by {@linkcode Area.dmaBuf}. */
  readonly area: Area;
  /** The name of the network device. */
  readonly interface: string;
  /** Where the device is: an end of a testbed, say; without it, in the caller's namespace. */
  readonly place?: Place;
}

/** What a receiver has received. */
export interface DeviceMemoryCounts {
  /** Pieces in the dma-buf. */
  readonly pieces: number;
  /** Bytes in them: not copied. */
  readonly dmaBufBytes: number;
  /** Bytes that the device left in a packet's head: copied. */
  readonly linearBytes: number;
  /** Bytes of packets that came in through another queue: copied. */
  readonly readableBytes: number;
  /** Pieces that were given back to the kernel. */
  readonly returned: number;
}

/**
 * What {@linkcode DeviceMemoryReceiver.each} calls for each piece.
 *
 * @param kind Where its bytes are.
 * @param offset Of a piece in the dma-buf: where in the area. Of others: where in
 *   {@linkcode DeviceMemoryReceiver.copied}.
 * @param length How many bytes it has.
 */
export type OnDeviceMemoryPiece = (kind: DeviceMemoryKind, offset: number, length: number) => void;

// The receiver's side of a piece.
let assertOurs: (piece: DeviceMemoryPiece) => void;
let take: (piece: DeviceMemoryPiece) => void;
let reclaim: (piece: DeviceMemoryPiece, by: string) => void;
let socketOf: (piece: DeviceMemoryPiece) => Socket;
let ownerOf: (piece: DeviceMemoryPiece) => DeviceMemoryReceiver;

/**
 * A dma-buf that is bound to a network device: {@linkcode DeviceMemoryReceiver.open} to receive into
 * it, {@linkcode DeviceMemoryTransmitter.open} to send from it. It is bound until it is closed, or
 * the process ends.
 *
 * @example From a dma-buf into a dma-buf, over a device that can
 * ```ts ignore
 * import { Area, DeviceMemoryReceiver, DeviceMemoryTransmitter, Testbed } from "zclab";
 *
 * await using bed = await Testbed.softnic();
 * using target = Area.dmaBuf({ bytes: 8 << 20 });
 * using receiver = DeviceMemoryReceiver.open({
 *   area: target,
 *   interface: bed.far.interface,
 *   queues: [1],
 *   place: bed.far,
 * });
 * using source = Area.dmaBuf({ bytes: 1 << 20 });
 * using transmitter = DeviceMemoryTransmitter.open({
 *   area: source,
 *   interface: bed.near.interface,
 *   place: bed.near,
 * });
 * // With a TCP connection between the two, whose flow is steered to queue 1:
 * //   transmitter.send(client, source.slice(0, 4096));
 * //   for (const piece of receiver.receive(server) ?? []) {
 * //     console.log(piece.kind, piece.bytes);
 * //     piece.return();
 * //   }
 * ```
 */
export abstract class DeviceMemory implements Disposable {
  /** The kernel's number for the binding: what `ynl` and {@linkcode Netdev.queues} call `dmabuf`. */
  readonly id: number;
  /** The memory. */
  readonly area: Area;
  /** The name of the network device. */
  readonly interface: string;
  readonly #netdev: Netdev;
  #closed = false;

  /** Made by `open` of the receiver and of the transmitter. @internal */
  protected constructor(netdev: Netdev, id: number, area: Area, name: string) {
    this.#netdev = netdev;
    this.id = id;
    this.area = area;
    this.interface = name;
  }

  /** Whether {@linkcode close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Unbinds the area, by closing the netlink socket that it was bound through. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#netdev.close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function requireDmaBuf(area: Area): number {
  const { dmaBufFd } = area;
  if (dmaBufFd === undefined) {
    throw new TypeError("The area is no dma-buf. Make it with Area.dmaBuf({ bytes })");
  }
  return dmaBufFd;
}

function checkQueues(queues: readonly number[]): void {
  if (queues.length === 0) throw new RangeError("Give at least one queue");
  for (const [index, queue] of queues.entries()) {
    if (!Number.isInteger(queue) || queue < 0 || queue > 0xffff_ffff) {
      throw new RangeError(`A queue is a whole number from 0, got ${queue}`);
    }
    if (queues.indexOf(queue) !== index) throw new RangeError(`Queue ${queue} is given twice`);
  }
}

// === Receiving ===

/**
 * A part of a stream that was received. One in the dma-buf must be given back with
 * {@linkcode DeviceMemoryPiece.return} exactly once: until then the device cannot use its buffer for
 * anything else, and it has no other.
 */
export class DeviceMemoryPiece {
  /** Where its bytes are, and so whether they were copied. */
  readonly kind: DeviceMemoryKind;
  /** Where in the area it starts, in bytes; 0 if it is not there. */
  readonly offset: number;
  /** How many bytes it has. */
  readonly length: number;
  /** The kernel's number for it, among those of the same socket; undefined if it is not there. */
  readonly token: number | undefined;
  readonly #receiver: DeviceMemoryReceiver;
  readonly #socket: Socket;
  readonly #copy: Uint8Array<ArrayBuffer> | undefined;
  /** Who took it back, once it is not ours any more. */
  #goneBy: string | undefined;

  static {
    socketOf = (piece) => piece.#socket;
    ownerOf = (piece) => piece.#receiver;
    assertOurs = (piece) => piece.#assertOurs();
    take = (piece) => piece.#goneBy = "it was returned";
    reclaim = (piece, by) => piece.#goneBy ??= by;
  }

  /** Made by {@linkcode DeviceMemoryReceiver.receive}. @internal */
  constructor(
    receiver: DeviceMemoryReceiver,
    socket: Socket,
    kind: DeviceMemoryKind,
    place: { readonly offset: number; readonly length: number; readonly token?: number },
    copy?: Uint8Array<ArrayBuffer>,
  ) {
    this.#receiver = receiver;
    this.#socket = socket;
    this.kind = kind;
    this.offset = place.offset;
    this.length = place.length;
    this.token = place.token;
    this.#copy = copy;
  }

  /** Who has it: `held` is the program. */
  get state(): "held" | "returned" {
    return this.#goneBy === undefined && !this.#lost ? "held" : "returned";
  }

  /**
   * The bytes. A view that was taken earlier is not revoked when the piece is returned.
   *
   * @throws {OwnershipError} If it was returned, or its socket was closed, which returns it.
   * @throws {ClosedError} If its receiver or its area was closed.
   */
  get bytes(): Uint8Array<ArrayBuffer> {
    if (this.#receiver.closed) throw new ClosedError("DeviceMemoryReceiver");
    this.#assertOurs();
    if (this.#lost) {
      throw new OwnershipError(
        `The device has ${this.#where} again: the socket was closed, which returned it. ` +
          "Read the pieces of a socket before closing it",
      );
    }
    return this.#copy ?? this.#receiver.area.unsafeBytes(this.offset, this.length);
  }

  /**
   * Gives the piece back. Many at once cost less: {@linkcode DeviceMemoryReceiver.return}.
   *
   * @throws {OwnershipError} If it was returned already.
   * @throws {ClosedError} If its receiver was closed, which returned it.
   */
  return(): void {
    this.#receiver.return([this]);
  }

  /** The kernel takes the pieces of a socket back when that is closed. */
  get #lost(): boolean {
    return this.token !== undefined && this.#socket.closed;
  }

  get #where(): string {
    return `${this.length} bytes at ${this.offset}`;
  }

  #assertOurs(): void {
    if (this.#goneBy === undefined) return;
    throw new OwnershipError(
      `The device has ${this.#where} again: ${this.#goneBy}. Return a piece once, after reading it`,
    );
  }

  /** One line for the REPL. */
  [Symbol.for("Deno.customInspect")](): string {
    return inLine("DeviceMemoryPiece", this.#facts());
  }

  /** A small table for notebooks. */
  [Symbol.for("Jupyter.display")](): Display {
    return inTable("DeviceMemoryPiece", this.#facts());
  }

  #facts(): readonly Fact[] {
    return [
      ["kind", this.kind, "bare"],
      ["offset", this.kind === "dma-buf" ? this.offset : undefined],
      ["length", this.length],
      ["token", this.token],
      ["state", this.state, "bare"],
    ];
  }
}

/**
 * Receives from TCP sockets what a network device has put into an area. Made by
 * {@linkcode DeviceMemoryReceiver.open}.
 *
 * A socket's flow must come in through a queue that the area is bound to. A plain receive of such a
 * flow fails with EFAULT: the kernel has no bytes to copy.
 */
export class DeviceMemoryReceiver extends DeviceMemory {
  /** The receive queues that the area is bound to. */
  readonly queues: readonly number[];
  readonly #receive = native().zclab_recv_devmem;
  readonly #setOption = native().zclab_setsockopt;
  /** Where the kernel copies what is not in the dma-buf. */
  readonly #copies = Mapping.map({ bytes: MOST_BYTES });
  readonly #copied = new Uint8Array(this.#copies.buffer);
  readonly #copiesLow = low(this.#copies.address) >>> 0;
  readonly #copiesHigh = high(this.#copies.address);
  readonly #pieces = new Uint32Array(MOST_PIECES * WORDS);
  readonly #count = new Uint32Array(1);
  readonly #runs = new Uint32Array(MOST_RUNS * 2);
  #runCount = 0;
  #runTokens = 0;
  /** The whole area: the device may write anywhere in it. */
  readonly #owned: Slice[];
  readonly #boundAt = now();
  readonly #holder: Holder = { submittedAt: () => this.#boundAt };
  readonly #held = new Set<DeviceMemoryPiece>();
  /** Whether the pieces that were received last are being looked at. */
  #busy = false;
  #pieceCount = 0;
  #dmaBufBytes = 0;
  #linearBytes = 0;
  #readableBytes = 0;
  #returned = 0;

  private constructor(
    netdev: Netdev,
    id: number,
    area: Area,
    name: string,
    queues: readonly number[],
  ) {
    super(netdev, id, area, name);
    this.queues = [...queues];
    this.#owned = cut(area);
    for (const slice of this.#owned) acquire(slice, "NETDEV_CMD_BIND_RX", true, this.#holder, 0);
  }

  /**
   * Makes queues of a network device receive into an area (6.12). The device must split headers from
   * data (`ethtool -G NAME tcp-data-split on`), and the flows that shall be received so must be
   * steered to those queues, all others away from them. Needs CAP_NET_ADMIN.
   *
   * @param options The memory, the device and its queues.
   * @throws {TypeError} If the area is no dma-buf.
   * @throws {RangeError} If no queue is given, or one twice, or one that is no whole number.
   * @throws {UringError} If the kernel or the driver refuses; says why, and what to do.
   * @throws {UnsupportedError} If this kernel cannot do it at all.
   * @throws {OwnershipError} If the kernel owns a part of the area.
   * @throws {ClosedError} If the area is closed.
   */
  static open(options: DeviceMemoryReceiveOptions): DeviceMemoryReceiver {
    const { area, interface: name, queues, place, pageSize } = options;
    checkQueues(queues);
    const dmaBufFd = requireDmaBuf(area);
    if (area.inFlight > 0) {
      throw new OwnershipError(
        `The kernel owns ${area.inFlight} slices of the area. Wait for their completion first`,
      );
    }
    const netdev = Netdev.open(place);
    try {
      const id = netdev.bindReceive({
        interface: name,
        queues,
        dmaBufFd,
        ...(pageSize === undefined ? {} : { pageSize }),
      });
      return new DeviceMemoryReceiver(netdev, id, area, name, queues);
    } catch (error) {
      netdev.close();
      throw error;
    }
  }

  /** How many pieces in the dma-buf the program has, which the device cannot use. */
  get held(): number {
    for (const piece of this.#held) {
      if (socketOf(piece).closed) this.#forget(piece);
    }
    return this.#held.size;
  }

  /** What was received so far. */
  get counts(): DeviceMemoryCounts {
    return {
      pieces: this.#pieceCount,
      dmaBufBytes: this.#dmaBufBytes,
      linearBytes: this.#linearBytes,
      readableBytes: this.#readableBytes,
      returned: this.#returned,
    };
  }

  /**
   * The memory in which {@linkcode each} finds what was copied. What it holds changes with the next
   * receive.
   *
   * @throws {ClosedError} After {@linkcode close}.
   */
  get copied(): Uint8Array<ArrayBuffer> {
    this.#assertOpen();
    return this.#copied;
  }

  /**
   * Takes what a socket has received, without waiting: up to 256 pieces or 1 MiB. Pieces in the
   * dma-buf must be returned, each once; what was copied comes with bytes of its own.
   *
   * @param socket A connected TCP socket.
   * @returns The pieces in the order of the stream; none at its end; undefined when nothing is there.
   * @throws {UringError} If the connection failed, or its flow comes in through a queue of others.
   * @throws {ClosedError} After {@linkcode close}, or if the socket is closed.
   */
  receive(socket: Socket): DeviceMemoryPiece[] | undefined {
    const length = this.#take(socket);
    if (length < 0) return undefined;
    const pieces = new Array<DeviceMemoryPiece>(this.#count[0]!);
    for (let i = 0; i < pieces.length; i++) {
      const kind = this.#kind(i);
      const offset = this.#offset(i);
      const length = this.#pieces[i * WORDS + LENGTH]!;
      if (kind === "dma-buf") {
        const token = this.#pieces[i * WORDS + TOKEN]!;
        pieces[i] = new DeviceMemoryPiece(this, socket, kind, { offset, length, token });
        this.#held.add(pieces[i]!);
      } else {
        const copy = this.#copied.slice(offset, offset + length);
        pieces[i] = new DeviceMemoryPiece(this, socket, kind, { offset: 0, length }, copy);
      }
    }
    return pieces;
  }

  /**
   * Takes what a socket has received, without waiting, shows each piece, and returns them all: up to
   * 256 pieces or 1 MiB. Allocates nothing, so it is the one for measuring. Read what is in the
   * dma-buf through `area.unsafeBytes()`, taken once, and only while it is shown.
   *
   * @param socket A connected TCP socket.
   * @param onPiece Called for each piece in the order of the stream; it must not receive. If it
   *   throws, the pieces are returned all the same, and those not shown are lost.
   * @returns How many bytes; 0 at the end of the stream; undefined when nothing is there.
   * @throws {UringError} If the connection failed, or its flow comes in through a queue of others.
   * @throws {ClosedError} After {@linkcode close}, or if the socket is closed.
   */
  each(socket: Socket, onPiece: OnDeviceMemoryPiece): number | undefined {
    const length = this.#take(socket);
    if (length < 0) return undefined;
    const pieces = this.#pieces;
    const count = this.#count[0]!;
    this.#busy = true;
    try {
      for (let i = 0; i < count; i++) {
        onPiece(this.#kind(i), this.#offset(i), pieces[i * WORDS + LENGTH]!);
      }
    } finally {
      this.#busy = false;
      this.#returnTaken(socket, count);
    }
    return length;
  }

  /**
   * The pieces of a stream until its end, waiting without blocking. Return each batch before asking
   * for many more: the area is all the memory that the device has.
   *
   * @param ring The ring to wait with.
   * @param socket A connected TCP socket.
   * @throws {UringError} If the connection failed, or its flow comes in through a queue of others.
   * @throws {ClosedError} After {@linkcode close}, or if the socket or the ring is closed.
   */
  async *stream(ring: Ring, socket: Socket): AsyncGenerator<DeviceMemoryPiece[]> {
    while (true) {
      const pieces = this.receive(socket);
      if (pieces === undefined) await ring.poll(socket, POLL.IN | POLL.RDHUP);
      else if (pieces.length === 0) return;
      else yield pieces;
    }
  }

  /**
   * Gives pieces back, with one system call for every 128 runs of neighbouring tokens.
   *
   * @param pieces Pieces of this receiver, of any kind and any of its sockets. Nothing is returned
   *   unless all of them can be.
   * @throws {OwnershipError} If one was returned already, is there twice, or is another receiver's.
   * @throws {ClosedError} After {@linkcode close}, which has returned them.
   */
  return(pieces: Iterable<DeviceMemoryPiece>): void {
    this.#assertOpen();
    const all = [...pieces];
    const seen = new Set<DeviceMemoryPiece>();
    for (const piece of all) {
      if (ownerOf(piece) !== this) {
        throw new OwnershipError("The piece belongs to another receiver. Return it there");
      }
      if (seen.has(piece)) {
        throw new OwnershipError(`The piece at ${piece.offset} is there twice. Return it once`);
      }
      assertOurs(piece);
      seen.add(piece);
    }
    this.#giveBack(all, take);
  }

  #giveBack(pieces: Iterable<DeviceMemoryPiece>, mark: (piece: DeviceMemoryPiece) => void): void {
    const tokens = new Map<Socket, number[]>();
    for (const piece of pieces) {
      mark(piece);
      if (piece.token === undefined) continue;
      this.#forget(piece);
      const socket = socketOf(piece);
      if (socket.closed) continue;
      const own = tokens.get(socket);
      if (own === undefined) tokens.set(socket, [piece.token]);
      else own.push(piece.token);
    }
    for (const [socket, own] of tokens) {
      const { fd } = socket;
      for (const token of own) this.#addToken(fd, token);
      this.#flushTokens(fd);
    }
  }

  #forget(piece: DeviceMemoryPiece): void {
    if (this.#held.delete(piece)) this.#returned++;
  }

  /** Receives into the scratch arrays. The length, or -1 if nothing is there. */
  #take(socket: Socket): number {
    this.#assertOpen();
    if (this.#busy) throw new Error("Receiving inside of each() would overwrite what it shows");
    const result = this.#receive(
      socket.fd,
      this.#copiesLow,
      this.#copiesHigh,
      MOST_BYTES,
      MSG.DONTWAIT,
      this.#pieces.buffer,
      this.#count.buffer,
    );
    if (result < 0) {
      if (result === EAGAIN) return -1;
      throw refusedReceive(result);
    }
    const pieces = this.#pieces;
    const count = this.#count[0]!;
    for (let i = 0; i < count; i++) {
      const length = pieces[i * WORDS + LENGTH]!;
      switch (pieces[i * WORDS + TYPE]) {
        case SCM_DEVMEM_DMABUF:
          if (pieces[i * WORDS + ID] !== this.id) this.#refuseForeign(socket, i, count);
          this.#pieceCount++;
          this.#dmaBufBytes += length;
          break;
        case SCM_DEVMEM_LINEAR:
          this.#linearBytes += length;
          break;
        default:
          this.#readableBytes += length;
      }
    }
    return result;
  }

  /** Pieces in somebody else's dma-buf are of no use here, and nobody else can return them. */
  #refuseForeign(socket: Socket, index: number, count: number): never {
    const id = this.#pieces[index * WORDS + ID];
    this.#returnTaken(socket, count);
    throw new UringError("recvmsg MSG_SOCK_DEVMEM", EBADR, {
      meaning: `the flow comes in through a queue that the dma-buf ${id} is bound to, not ` +
        `${this.id}; what it brought was given back and is lost`,
      advice: `steer it to queue ${this.queues.join(" or ")} of ${this.interface}: ethtool -N ` +
        `${this.interface} flow-type tcp4 dst-port PORT action ${this.queues[0]}`,
    });
  }

  #kind(index: number): DeviceMemoryKind {
    const type = this.#pieces[index * WORDS + TYPE];
    return type === SCM_DEVMEM_DMABUF
      ? "dma-buf"
      : type === SCM_DEVMEM_LINEAR
      ? "linear"
      : "readable";
  }

  #offset(index: number): number {
    const at = index * WORDS;
    return this.#pieces[at + OFFSET_HIGH]! * TWO_TO_32 + this.#pieces[at + OFFSET]!;
  }

  /** Returns the pieces in the scratch array. */
  #returnTaken(socket: Socket, count: number): void {
    const pieces = this.#pieces;
    // A socket that was closed meanwhile has returned them.
    const fd = socket.closed ? -1 : socket.fd;
    for (let i = 0; i < count; i++) {
      if (pieces[i * WORDS + TYPE] !== SCM_DEVMEM_DMABUF) continue;
      if (fd >= 0) this.#addToken(fd, pieces[i * WORDS + TOKEN]!);
      this.#returned++;
    }
    this.#flushTokens(fd);
  }

  /** The kernel gives out the lowest free token, so neighbours mostly come together. */
  #addToken(fd: number, token: number): void {
    const runs = this.#runs;
    const last = this.#runCount * 2 - 2;
    if (last >= 0 && runs[last]! + runs[last + 1]! === token) runs[last + 1]!++;
    else {
      if (this.#runCount === MOST_RUNS) this.#flushTokens(fd);
      runs[this.#runCount * 2] = token;
      runs[this.#runCount * 2 + 1] = 1;
      this.#runCount++;
    }
    if (++this.#runTokens === MOST_RETURNED) this.#flushTokens(fd);
  }

  #flushTokens(fd: number): void {
    const tokens = this.#runTokens;
    if (tokens === 0) return;
    const bytes = this.#runCount * 8;
    this.#runCount = 0;
    this.#runTokens = 0;
    const freed = this.#setOption(fd, SOL_SOCKET, SO_DEVMEM_DONTNEED, this.#runs.buffer, bytes);
    if (freed === tokens) return;
    throw new UringError("setsockopt SO_DEVMEM_DONTNEED", freed < 0 ? -freed : EBADR, {
      meaning: `the kernel took back ${Math.max(freed, 0)} of ${tokens} pieces`,
      advice: "return the pieces of a socket only through the receiver that received them",
    });
  }

  #assertOpen(): void {
    if (this.closed) throw new ClosedError("DeviceMemoryReceiver");
  }

  /**
   * Returns every piece that is held, and unbinds the area. What the sockets have received and
   * nobody has taken stays with them: close them too. Idempotent.
   */
  override close(): void {
    if (this.closed) return;
    try {
      this.#giveBack([...this.#held], (piece) => reclaim(piece, "the receiver was closed"));
    } finally {
      super.close();
      for (const slice of this.#owned) release(slice);
      this.#copies.close();
    }
  }

  /** One line for the REPL. */
  [Symbol.for("Deno.customInspect")](): string {
    return inLine("DeviceMemoryReceiver", this.#facts());
  }

  /** A small table for notebooks. */
  [Symbol.for("Jupyter.display")](): Display {
    return inTable("DeviceMemoryReceiver", this.#facts(), this.#more());
  }

  #facts(): readonly Fact[] {
    if (this.closed) return CLOSED;
    return [
      ["id", this.id],
      ["source", `${this.interface} queue ${this.queues.join(", ")}`, "bare"],
      ["dma-buf", `${this.#dmaBufBytes} bytes`],
      ["linear", this.#linearBytes],
      ["readable", this.#readableBytes],
      ["held", this.held],
    ];
  }

  /** What only a table has room for. */
  #more(): readonly Fact[] {
    if (this.closed) return [];
    const held = [...this.#held].filter(({ kind }) => kind === "dma-buf");
    return [["map (░ not held, █ held)", strip(this.area.bytes, held)]];
  }
}

/** Slices that cover an area: one has at most 2 GiB. */
function cut(area: Area): Slice[] {
  const most = 1 << 30;
  const slices: Slice[] = [];
  for (let offset = 0; offset < area.bytes; offset += most) {
    slices.push(area.slice(offset, Math.min(most, area.bytes - offset)));
  }
  return slices;
}

function refusedReceive(result: number): UringError {
  const explanations: Readonly<Record<string, Explanation>> = {
    ENODEV: {
      meaning: "the packets are in memory of another kind: that of an io_uring zero-copy receiver",
      advice: "steer the flow to a queue that the dma-buf is bound to",
    },
    ENOTCONN: { meaning: "the socket is not connected", advice: "connect or accept first" },
  };
  return new UringError(
    "recvmsg MSG_SOCK_DEVMEM",
    -result,
    explanations[describeErrno(-result)[0]] ?? {},
  );
}

// === Sending ===

/** A range of a transmitter's area. */
export interface DeviceMemoryRange {
  /** Where in the area it starts, in bytes. */
  readonly offset: number;
  /** How many bytes it has. */
  readonly length: number;
}

/** What a transmitter has sent. */
export interface DeviceMemoryTransmitCounts {
  /** Sends that succeeded. */
  readonly sent: number;
  /** Bytes in them. */
  readonly bytes: number;
  /** Sends whose memory the kernel has let go of. */
  readonly notified: number;
  /** Those of them of which the kernel says that it copied their data: none, because it cannot. */
  readonly copied: number;
}

/** How a socket sends from the area. */
interface Sending {
  readonly zeroCopy: MessageZeroCopy;
  readonly send: (slice: Slice) => number;
  readonly trySend: (slice: Slice) => number;
}

/**
 * Sends from an area over TCP sockets whose route leaves through the network device that the area is
 * bound to. Made by {@linkcode DeviceMemoryTransmitter.open}. The kernel cannot copy what is in a
 * dma-buf, so a flow that cannot be sent without copying is not sent at all.
 *
 * Sending is MSG_ZEROCOPY with an offset in place of an address: the memory is in flight until the
 * peer has acknowledged it and {@linkcode reap} has seen the kernel's word.
 */
export class DeviceMemoryTransmitter extends DeviceMemory {
  readonly #sockets = new Map<Socket, Sending>();
  #bytes = 0;
  /** Of sockets that are closed and have nothing in flight. */
  #past = { sent: 0, notified: 0, copied: 0 };

  /**
   * Lets a network device send from an area (6.16).
   *
   * Close it before the device is removed (its driver unloaded, `ip link del`). A namespace that goes
   * away is no danger, because the binding keeps it. But Linux 7.3 forgets to tell a binding for
   * sending that its device is gone, and crashes when that binding is closed afterwards
   * (`netdev_nl_sock_priv_destroy()` in net/core/netdev-genl.c); what is bound for receiving is told.
   *
   * @param options The memory and the device.
   * @throws {TypeError} If the area is no dma-buf.
   * @throws {UringError} If the kernel or the driver refuses; says why, and what to do.
   * @throws {UnsupportedError} If this kernel cannot do it at all.
   * @throws {ClosedError} If the area is closed.
   */
  static open(options: DeviceMemoryTransmitOptions): DeviceMemoryTransmitter {
    const { area, interface: name, place } = options;
    const dmaBufFd = requireDmaBuf(area);
    const netdev = Netdev.open(place);
    try {
      const id = netdev.bindTransmit({ interface: name, dmaBufFd });
      return new DeviceMemoryTransmitter(netdev, id, area, name);
    } catch (error) {
      netdev.close();
      throw error;
    }
  }

  /** Sends whose memory the kernel still has. */
  get outstanding(): number {
    let sum = 0;
    for (const { zeroCopy } of this.#sockets.values()) sum += zeroCopy.outstanding;
    return sum;
  }

  /** What was sent so far. */
  get counts(): DeviceMemoryTransmitCounts {
    const counts = { bytes: this.#bytes, ...this.#past };
    for (const { zeroCopy } of this.#sockets.values()) {
      counts.sent += zeroCopy.counts.sent;
      counts.notified += zeroCopy.counts.notified;
      counts.copied += zeroCopy.counts.copied;
    }
    return counts;
  }

  /**
   * Sends a part of the area. Blocks while the socket's buffer is full.
   *
   * @param socket A connected TCP socket that sends with MSG_ZEROCOPY only through this transmitter.
   * @param part A slice of the area, or where in it the data is.
   * @returns Bytes sent; it may be less than the part.
   * @throws {UringError} If the connection failed, or its route leaves through another device.
   * @throws {TypeError} If the slice is of another area.
   * @throws {RangeError} If the part is empty, or not in the area.
   * @throws {OwnershipError} If the kernel is writing into the part.
   * @throws {ClosedError} After {@linkcode close}, or if the socket or the area is closed.
   */
  send(socket: Socket, part: Slice | DeviceMemoryRange): number {
    const sent = this.#sendPart(socket, part, true);
    if (sent < 0) throw this.#refusedSend(sent);
    return sent;
  }

  /**
   * Sends a part of the area, or as much of it as the socket's buffer has room for now.
   *
   * @param socket See {@linkcode send}.
   * @param part See {@linkcode send}.
   * @returns Bytes sent, or undefined when there is no room.
   * @throws {UringError} See {@linkcode send}, and for the others.
   */
  trySend(socket: Socket, part: Slice | DeviceMemoryRange): number | undefined {
    const sent = this.#sendPart(socket, part, false);
    if (sent === EAGAIN) return undefined;
    if (sent < 0) throw this.#refusedSend(sent);
    return sent;
  }

  #sendPart(socket: Socket, part: Slice | DeviceMemoryRange, wait: boolean): number {
    this.#assertOpen();
    const slice = this.#slice(part);
    const sending = this.#sockets.get(socket) ?? this.#add(socket);
    const sent = sendThrough(sending.zeroCopy, slice, wait ? sending.send : sending.trySend);
    if (sent > 0) this.#bytes += sent;
    return sent;
  }

  #slice(part: Slice | DeviceMemoryRange): Slice {
    if (part.length === 0) throw new RangeError("There is nothing to send");
    if (!("area" in part)) return this.area.slice(part.offset, part.length);
    if (part.area !== this.area) throw new TypeError("The slice is of another area");
    if (part.area.closed) throw new ClosedError("Area");
    return part;
  }

  #add(socket: Socket): Sending {
    if (socket.protocol !== "tcp") throw new TypeError("Device memory is sent over TCP");
    const { zclab_send_devmem } = native();
    const through = (flags: number) => ({ offset, length }: Slice): number =>
      zclab_send_devmem(socket.fd, low(offset) >>> 0, high(offset), length, this.id, flags);
    const sending = {
      zeroCopy: new MessageZeroCopy(socket),
      send: through(0),
      trySend: through(MSG.DONTWAIT),
    };
    this.#sockets.set(socket, sending);
    return sending;
  }

  #refusedSend(result: number): UringError {
    return new UringError(
      "sendmsg SCM_DEVMEM_DMABUF",
      -result,
      explainSend(describeErrno(-result)[0], this.interface),
    );
  }

  /**
   * Takes what the error queues of the sockets say now: which memory the kernel has let go of. Never
   * waits. Sockets that were closed cannot tell any more: what they had in flight stays in flight.
   *
   * @returns How many sends were let go of.
   * @throws {ClosedError} After {@linkcode close}.
   */
  reap(): number {
    this.#assertOpen();
    return this.#reap();
  }

  #reap(): number {
    let sum = 0;
    for (const [socket, { zeroCopy }] of this.#sockets) {
      if (zeroCopy.outstanding > 0) {
        if (!socket.closed) sum += zeroCopy.reap();
      } else if (socket.closed) {
        const { sent, notified, copied } = zeroCopy.counts;
        this.#past.sent += sent;
        this.#past.notified += notified;
        this.#past.copied += copied;
        this.#sockets.delete(socket);
      }
    }
    return sum;
  }

  /**
   * Waits, without blocking, until the kernel has let go of all that was sent: until the peers have
   * acknowledged it.
   *
   * @param ring The ring to wait with.
   * @throws {OwnershipError} If a socket was closed before, so that nobody can tell any more.
   * @throws {ClosedError} After {@linkcode close}, or if the ring is closed.
   */
  async drained(ring: Ring): Promise<void> {
    while (true) {
      this.reap();
      const waiting = [...this.#sockets].find(([, { zeroCopy }]) => zeroCopy.outstanding > 0);
      if (waiting === undefined) return;
      const [socket, { zeroCopy }] = waiting;
      if (socket.closed) {
        throw new OwnershipError(
          `The socket was closed with ${zeroCopy.outstanding} sends in flight. ` +
            "Wait for a socket's sends before closing it",
        );
      }
      await ring.poll(socket, POLL.ERR);
    }
  }

  #assertOpen(): void {
    if (this.closed) throw new ClosedError("DeviceMemoryTransmitter");
  }

  /**
   * Looks at the error queues once more and unbinds the area. What is still in flight is sent all
   * the same, and its slices stay in flight. Idempotent.
   */
  override close(): void {
    if (this.closed) return;
    try {
      this.#reap();
    } finally {
      super.close();
    }
  }

  /** One line for the REPL. */
  [Symbol.for("Deno.customInspect")](): string {
    return inLine("DeviceMemoryTransmitter", this.#facts());
  }

  /** A small table for notebooks. */
  [Symbol.for("Jupyter.display")](): Display {
    return inTable("DeviceMemoryTransmitter", this.#facts());
  }

  #facts(): readonly Fact[] {
    if (this.closed) return CLOSED;
    return [
      ["id", this.id],
      ["interface", this.interface, "bare"],
      ["sent", `${this.#bytes} bytes`],
      ["outstanding", this.outstanding],
    ];
  }
}

/** What a refused send means. Source: net_devmem_get_binding() in net/core/devmem.c. */
function explainSend(code: string, name: string): Partial<Explanation> {
  switch (code) {
    case "ENODEV":
      return {
        meaning: `the route to the peer leaves through another device than ${name}`,
        advice:
          `before connecting: socket.setOption("SO_BINDTODEVICE", "${name}"), or change the ` +
          "route; look at: ip route get ADDRESS",
      };
    case "EHOSTUNREACH":
      return { meaning: "no route leads to the peer any more", advice: "look at: ip route" };
    case "EINVAL":
      return {
        meaning: `the binding is gone, or ${name} cannot gather what it sends`,
        advice: `look at: ip link show ${name}; ethtool -K ${name} sg on`,
      };
    case "EFAULT":
      return { meaning: "the part is not in the dma-buf", advice: "report it" };
  }
  return {};
}
