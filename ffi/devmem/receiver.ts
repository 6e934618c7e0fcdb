/**
 * Receiving into a dma-buf.
 *
 * @module
 */
import { checkWhole } from "../kernel/arguments.ts";
import { ERRNO } from "../kernel/errno.ts";
import { now } from "../kernel/clock.ts";
import { ClosedError, OwnershipError, UringError } from "../kernel/errors.ts";
import { CLOSED, type Fact, showFacts, strip } from "../kernel/inspection.ts";
import { POLL } from "../kernel/uapi.ts";
import { acquire, type Area, type Holder, release, type Slice } from "../memory/area.ts";
import { Netdev } from "../net/netdev.ts";
import type { Place } from "../net/place.ts";
import type { Socket } from "../net/socket.ts";
import type { Ring } from "../ring/ring.ts";
import { Arrival } from "./arrival.ts";
import { DeviceMemory, requireDmaBuf } from "./binding.ts";
import {
  assertOurs,
  type DeviceMemoryKind,
  DeviceMemoryPiece,
  ownerOf,
  reclaim,
  socketOf,
  take,
} from "./piece.ts";
import { Tokens } from "./tokens.ts";

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
  /** Receive queues to bind. Steer only the flows you want to receive to them, and keep other traffic off. */
  readonly queues: readonly number[];
  /** Where the device is: an end of a testbed, say; without it, in the caller's namespace. */
  readonly place?: Place;
  /**
   * Bytes of each buffer (7.3): a power of two, from a page on. Needs memory in pieces as large: huge
   * pages. A page by default.
   */
  readonly pageSize?: number;
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
  readonly #arrival = new Arrival();
  readonly #tokens = new Tokens();
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
    return this.#arrival.copied;
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
  tryReceive(socket: Socket): DeviceMemoryPiece[] | undefined {
    const length = this.#take(socket);
    if (length < 0) return undefined;
    const arrival = this.#arrival;
    const pieces = new Array<DeviceMemoryPiece>(arrival.count);
    for (let i = 0; i < pieces.length; i++) {
      const kind = arrival.kind(i);
      const offset = arrival.offset(i);
      const length = arrival.length(i);
      if (kind === "dma-buf") {
        const token = arrival.token(i);
        pieces[i] = new DeviceMemoryPiece(this, socket, kind, { offset, length, token });
        this.#held.add(pieces[i]!);
      } else {
        const copy = arrival.copied.slice(offset, offset + length);
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
    const arrival = this.#arrival;
    const { count } = arrival;
    this.#busy = true;
    try {
      for (let i = 0; i < count; i++) {
        onPiece(arrival.kind(i), arrival.offset(i), arrival.length(i));
      }
    } finally {
      this.#busy = false;
      this.#returnTaken(socket, count);
    }
    return length;
  }

  /**
   * The pieces of a stream until its end, waiting without blocking. Release pieces before asking for
   * many more: the area is all the memory that the device has.
   *
   * @param socket A connected TCP socket.
   * @param ring The ring to wait with.
   * @throws {UringError} If the connection failed, or its flow comes in through a queue of others.
   * @throws {ClosedError} After {@linkcode close}, or if the socket or the ring is closed.
   */
  async *receive(socket: Socket, ring: Ring): AsyncGenerator<DeviceMemoryPiece> {
    while (true) {
      const pieces = this.tryReceive(socket);
      if (pieces === undefined) await ring.poll(socket, POLL.IN | POLL.RDHUP);
      else if (pieces.length === 0) return;
      else yield* pieces;
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
  release(pieces: Iterable<DeviceMemoryPiece>): void {
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
    this.#release(all, take);
  }

  #release(pieces: Iterable<DeviceMemoryPiece>, mark: (piece: DeviceMemoryPiece) => void): void {
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
      for (const token of own) this.#tokens.add(fd, token);
      this.#tokens.flush(fd);
    }
  }

  #forget(piece: DeviceMemoryPiece): void {
    if (this.#held.delete(piece)) this.#returned++;
  }

  /** Receives, and counts. The length, or -1 if nothing is there. */
  #take(socket: Socket): number {
    this.#assertOpen();
    if (this.#busy) throw new Error("Receiving inside of each() would overwrite what it shows");
    const arrival = this.#arrival;
    const result = arrival.receive(socket.fd);
    if (result < 0) return -1;
    const { count } = arrival;
    for (let i = 0; i < count; i++) {
      const length = arrival.length(i);
      switch (arrival.kind(i)) {
        case "dma-buf":
          if (arrival.binding(i) !== this.id) this.#refuseForeign(socket, i, count);
          this.#pieceCount++;
          this.#dmaBufBytes += length;
          break;
        case "linear":
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
    const id = this.#arrival.binding(index);
    this.#returnTaken(socket, count);
    throw new UringError("recvmsg MSG_SOCK_DEVMEM", ERRNO.EBADR, {
      meaning: `the flow comes in through a queue that the dma-buf ${id} is bound to, not ` +
        `${this.id}; what it brought was given back and is lost`,
      advice: `steer it to queue ${this.queues.join(" or ")} of ${this.interface}: ethtool -N ` +
        `${this.interface} flow-type tcp4 dst-port PORT action ${this.queues[0]}`,
    });
  }

  /** Returns the pieces that were received last. */
  #returnTaken(socket: Socket, count: number): void {
    const arrival = this.#arrival;
    // A socket that was closed meanwhile has returned them.
    const fd = socket.closed ? -1 : socket.fd;
    for (let i = 0; i < count; i++) {
      if (arrival.kind(i) !== "dma-buf") continue;
      if (fd >= 0) this.#tokens.add(fd, arrival.token(i));
      this.#returned++;
    }
    this.#tokens.flush(fd);
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
      this.#release([...this.#held], (piece) => reclaim(piece, "the receiver was closed"));
    } finally {
      super.close();
      for (const slice of this.#owned) release(slice);
      this.#arrival.close();
    }
  }

  static {
    showFacts(DeviceMemoryReceiver, (shown) => shown.#facts(), (shown) => shown.#more());
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

function checkQueues(queues: readonly number[]): void {
  if (queues.length === 0) throw new RangeError("Give at least one queue");
  for (const [index, queue] of queues.entries()) {
    checkWhole("queue", queue, 0, 0xffff_ffff);
    if (queues.indexOf(queue) !== index) throw new RangeError(`Queue ${queue} is given twice`);
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
