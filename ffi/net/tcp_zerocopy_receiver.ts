/**
 * TCP_ZEROCOPY_RECEIVE: receiving from TCP by having the pages mapped that the network put the bytes
 * into. It needs no io_uring, no privileges and no memory of a user in the NIC; but only whole pages can
 * be mapped, and mapping costs, too.
 *
 * @module
 */
import { checkKind, checkObject, checkWhole } from "../kernel/arguments.ts";
import { ERRNO } from "../kernel/errno.ts";
import { ClosedError, OwnershipError, unwrap, UringError } from "../kernel/errors.ts";
import { CLOSED, type Fact, showFacts, strip } from "../kernel/inspection.ts";
import { addressOf, high, low, PAGE_SIZE } from "../kernel/memory.ts";
import { native } from "../kernel/native.ts";
import { MSG, POLL } from "../kernel/uapi.ts";
import { Socket } from "./socket.ts";
import { TcpZeroCopyCall } from "./tcp_zerocopy_call.ts";
import {
  assertHeld,
  detach,
  ownerOf,
  rangeOf,
  type TcpZeroCopyKind,
  TcpZeroCopyPiece,
} from "./tcp_zerocopy_piece.ts";
import { TcpWindow, type WindowRange } from "./tcp_window.ts";

const EAGAIN = -ERRNO.EAGAIN;

/** The longest window: a length is 32 bits. */
const MOST_BYTES = 1 << 30;
/** What `recv(2)` takes at once of bytes that cannot be mapped. */
const SKIP_BYTES = 1 << 18;
const NOTHING = new ArrayBuffer(0);
/** Room for a byte that is not copied. */
const ONE_BYTE = new ArrayBuffer(1);

/** How much is mapped, and what is copied. */
export interface TcpZeroCopyReceiveOptions {
  /**
   * Room for what is mapped and not released, in bytes, rounded up to whole pages.
   *
   * @default {4194304}
   */
  readonly bytes?: number;
  /**
   * Bytes that the call itself copies at most (`copybuf`, 5.11), which saves a `recv(2)` for what is too
   * little for a page. The kernel then copies all that a socket has if it is not more than this, pages
   * too, and where the room of the window ends, the beginning of the next page.
   *
   * @default {0}
   */
  readonly copyBytes?: number;
}

/** What a receiver has received. */
export interface TcpZeroCopyCounts {
  /** Bytes in pages that were mapped: not copied. */
  readonly mappedBytes: number;
  /** Bytes that the same calls copied (`copybuf`). */
  readonly copiedBytes: number;
  /** Bytes that could not be mapped (`recv_skip_hint`), and that `recv(2)` copied. */
  readonly skippedBytes: number;
}

/** What can wait for a socket, such as a {@linkcode Ring}. */
export interface SocketPoller {
  /** Waits for events of a socket. */
  poll(socket: Socket, events: number): Promise<number>;
}

/**
 * Receives from TCP sockets by mapping the pages that the network put the bytes into
 * (TCP_ZEROCOPY_RECEIVE, 4.18; this class needs 5.12). Any TCP socket of this process will do, over IPv4
 * or IPv6.
 *
 * The kernel maps a page that is full of payload from its first byte to its last, and belongs to nobody
 * else. So what arrives must be cut so:
 *
 * - A NIC that splits headers from payload, with segments of a page: an MTU of 4096 bytes and the headers,
 *   4148 for IPv4 with timestamps. softnic does it, whatever the sender does. With an MTU of 1500 or 9000
 *   it fills some pages with several segments: of 64 KiB 48 to 56 were mapped.
 * - Over loopback and veth, what is sent by SEND_ZC or MSG_ZEROCOPY: for a receiver on the same machine the
 *   kernel copies what was only lent to it, into pages of its own, and those can be mapped. Over veth with
 *   an MTU of 4148 that is all of it, otherwise most.
 * - Not over loopback or veth: what is sent by copying, which lies in memory that several pages share, and
 *   the pages of a file or of a pipe, which belong to somebody.
 *
 * What cannot be mapped is copied, and every piece says so.
 *
 * @example One page is mapped, the rest is copied
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Area, Ring, TcpZeroCopyReceiver } from "zclab";
 * import { StreamLink } from "zclab/lab";
 *
 * await using link = await StreamLink.open({ kind: "loopback" });
 * using wire = await link.connect();
 * await using ring = Ring.open({ entries: 8 });
 * using area = Area.map({ bytes: 8192 });
 * using receiver = TcpZeroCopyReceiver.open();
 * const sent = area.slice(0, 5000).write(new Uint8Array(5000).fill(7));
 * await ring.sendZc(wire.near, sent);
 * let received = 0;
 * for await (using piece of receiver.receive(wire.far, ring)) {
 *   assertEquals(piece.bytes.every((byte) => byte === 7), true);
 *   received += piece.length;
 *   if (received === 5000) break;
 * }
 * assertEquals(receiver.counts, { mappedBytes: 4096, copiedBytes: 0, skippedBytes: 904 });
 * ```
 *
 * @see tcp_zerocopy_receive() in net/ipv4/tcp.c and tools/testing/selftests/net/tcp_mmap.c of Linux 7.3;
 *   https://lwn.net/Articles/752188/
 */
export class TcpZeroCopyReceiver implements Disposable {
  readonly #window: TcpWindow;
  readonly #copyBytes: number;
  readonly #call = new TcpZeroCopyCall();
  readonly #held = new Set<TcpZeroCopyPiece>();
  /** Errors that the kernel told together with the last bytes of a socket. */
  readonly #errors = new WeakMap<Socket, number>();
  /** For what is copied: a piece takes it along. */
  #copies = NOTHING;
  /** Where the last call was to map to. */
  #room: WindowRange = { offset: 0, length: 0 };
  #mappedBytes = 0;
  #copiedBytes = 0;
  #skippedBytes = 0;
  #closed = false;

  private constructor(window: TcpWindow, copyBytes: number) {
    this.#window = window;
    this.#copyBytes = copyBytes;
  }

  /**
   * Makes room for what will be mapped. Takes no memory before there is something.
   *
   * @param options How much.
   * @throws {RangeError} If a length is out of bounds.
   * @throws {UnsupportedError} If this kernel does not have it.
   * @throws {UringError} If the kernel refuses.
   */
  static open(options: TcpZeroCopyReceiveOptions = {}): TcpZeroCopyReceiver {
    checkObject("options", options);
    const { bytes = 1 << 22, copyBytes = 0 } = options;
    checkWhole("TcpZeroCopyReceiver.open: bytes", bytes, 1, MOST_BYTES);
    checkWhole("TcpZeroCopyReceiver.open: copyBytes", copyBytes, 0, MOST_BYTES);
    const window = TcpWindow.open(Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE);
    return new TcpZeroCopyReceiver(window, copyBytes);
  }

  /** Room for what is mapped, in bytes. */
  get bytes(): number {
    return this.#window.bytes;
  }

  /** Whether {@linkcode close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** How many mapped pieces the program has. */
  get held(): number {
    return this.#held.size;
  }

  /** What was received so far. */
  get counts(): TcpZeroCopyCounts {
    return {
      mappedBytes: this.#mappedBytes,
      copiedBytes: this.#copiedBytes,
      skippedBytes: this.#skippedBytes,
    };
  }

  /**
   * Takes what a socket has received, without waiting. Mapped pieces must be released, each once; what was
   * copied has memory of its own.
   *
   * @param socket A connected TCP socket.
   * @returns The pieces in the order of the stream; none at its end; undefined when nothing is there.
   * @throws {OwnershipError} If all of the window is held.
   * @throws {UringError} If the connection failed.
   * @throws {TypeError} If it is no TCP socket.
   * @throws {ClosedError} After {@linkcode close}, or if the socket is closed.
   */
  tryReceive(socket: Socket): TcpZeroCopyPiece[] | undefined {
    this.#assertOpen();
    checkKind("socket", Socket, socket);
    if (socket.protocol !== "tcp") throw new TypeError("tryReceive: only TCP can be mapped");
    this.#throwError(socket);
    while (this.#ask(socket)) {
      const pieces = this.#take(socket.fd);
      if (pieces.length > 0) return pieces;
      this.#throwError(socket);
      const state = stateOf(socket.fd);
      // Otherwise something has come meanwhile.
      if (state !== "readable") return state === "empty" ? undefined : [];
    }
    return [];
  }

  /** Has the kernel map and copy; false at the end of the stream. */
  #ask(socket: Socket): boolean {
    const room = this.#window.free();
    if (room === undefined) {
      throw new OwnershipError(
        `All ${this.bytes} bytes of the window are held. Release pieces before receiving more, or open ` +
          "a longer one",
      );
    }
    this.#room = room;
    if (this.#copies.byteLength !== this.#copyBytes) {
      this.#copies = new ArrayBuffer(this.#copyBytes);
    }
    const address = this.#window.address + room.offset;
    if (!this.#call.receive(socket.fd, address, room.length, this.#copies)) return false;
    const { socketError } = this.#call;
    if (socketError > 0) this.#errors.set(socket, socketError);
    return true;
  }

  /** The kernel tells an error once, maybe together with the last bytes. */
  #throwError(socket: Socket): void {
    const errno = this.#errors.get(socket);
    if (errno === undefined) return;
    this.#errors.delete(socket);
    throw new UringError("getsockopt TCP_ZEROCOPY_RECEIVE", errno);
  }

  /** What the call has mapped, what it has copied, and what it could not map. */
  #take(fd: number): TcpZeroCopyPiece[] {
    const { mapped, copied, toSkip } = this.#call;
    const pieces: TcpZeroCopyPiece[] = [];
    if (mapped > 0) {
      const range = { offset: this.#room.offset, length: mapped };
      this.#window.take(range);
      this.#mappedBytes += mapped;
      const piece = this.#piece("mapped", range);
      this.#held.add(piece);
      pieces.push(piece);
    }
    if (copied > 0) {
      pieces.push(this.#piece("copied", new Uint8Array(this.#copies, 0, copied)));
      this.#copies = NOTHING;
      this.#copiedBytes += copied;
    }
    if (toSkip > 0) this.#skip(fd, toSkip, pieces);
    return pieces;
  }

  /** Receives what cannot be mapped. */
  #skip(fd: number, most: number, pieces: TcpZeroCopyPiece[]): void {
    const bytes = new ArrayBuffer(Math.min(most, SKIP_BYTES));
    const length = receiveNow(fd, bytes, 0);
    if (length <= 0) {
      // An error must not take along what was received before; the next call tells it.
      if (length < 0 && length !== EAGAIN && pieces.length === 0) unwrap("recv", length);
      return;
    }
    this.#skippedBytes += length;
    pieces.push(this.#piece("skipped", new Uint8Array(bytes, 0, length)));
  }

  #piece(
    kind: TcpZeroCopyKind,
    content: WindowRange | Uint8Array<ArrayBuffer>,
  ): TcpZeroCopyPiece {
    return new TcpZeroCopyPiece(this, this.#window, kind, content);
  }

  /**
   * The pieces of a stream until its end, waiting without blocking. Release mapped pieces before asking
   * for many more: the window has no more room than it was opened with.
   *
   * @param socket A connected TCP socket.
   * @param poller What waits: a {@linkcode Ring}.
   * @throws {OwnershipError} If all of the window is held.
   * @throws {UringError} If the connection failed.
   * @throws {ClosedError} After {@linkcode close}, or if the socket or the ring is closed.
   */
  async *receive(socket: Socket, poller: SocketPoller): AsyncGenerator<TcpZeroCopyPiece> {
    while (true) {
      const pieces = this.tryReceive(socket);
      if (pieces === undefined) await poller.poll(socket, POLL.IN | POLL.RDHUP);
      else if (pieces.length === 0) return;
      else yield* pieces;
    }
  }

  /**
   * Gives pieces back: their views become empty, and their pages go. Those that lie in a row in the window
   * cost one system call.
   *
   * @param pieces Pieces of this receiver, of any kind and any socket. Nothing is released unless all of
   *   them can be.
   * @throws {OwnershipError} If one was released already, is there twice, or is another receiver's.
   * @throws {ClosedError} After {@linkcode close}, which has released them.
   */
  release(pieces: Iterable<TcpZeroCopyPiece>): void {
    this.#assertOpen();
    const all = new Set<TcpZeroCopyPiece>();
    for (const piece of pieces) {
      checkKind("piece", TcpZeroCopyPiece, piece);
      if (ownerOf(piece) !== this) {
        throw new OwnershipError("The piece belongs to another receiver. Release it there");
      }
      if (all.has(piece)) throw new OwnershipError("A piece is there twice. Release it once");
      assertHeld(piece);
      all.add(piece);
    }
    const ranges: WindowRange[] = [];
    for (const piece of all) {
      detach(piece);
      this.#held.delete(piece);
      const range = rangeOf(piece);
      if (range !== undefined) ranges.push(range);
    }
    for (const range of joined(ranges)) this.#window.drop(range);
  }

  #assertOpen(): void {
    if (this.#closed) throw new ClosedError("TcpZeroCopyReceiver");
  }

  /** Releases every piece that is held, and gives the room back. The sockets go on. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const piece of this.#held) detach(piece);
    this.#held.clear();
    this.#window.close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  static {
    showFacts(TcpZeroCopyReceiver, (shown) => shown.#facts(), (shown) => shown.#more());
  }

  #facts(): readonly Fact[] {
    if (this.#closed) return CLOSED;
    return [
      ["bytes", this.bytes],
      ["mapped", this.#mappedBytes],
      ["copied", this.#copiedBytes],
      ["skipped", this.#skippedBytes],
      ["held", this.held],
    ];
  }

  /** What only a table has room for. */
  #more(): readonly Fact[] {
    if (this.#closed) return [];
    const held = [...this.#held].map((piece) => rangeOf(piece)!);
    return [["window (░ free, █ held)", strip(this.bytes, held)]];
  }
}

/** Ranges in order, those in a row as one. */
function joined(ranges: readonly WindowRange[]): WindowRange[] {
  const rows: { offset: number; length: number }[] = [];
  for (const { offset, length } of ranges.toSorted((a, b) => a.offset - b.offset)) {
    const last = rows.at(-1);
    if (last !== undefined && last.offset + last.length === offset) last.length += length;
    else rows.push({ offset, length });
  }
  return rows;
}

/** `recv(2)` without waiting: bytes, or a negative errno. */
function receiveNow(fd: number, to: ArrayBuffer, flags: number): number {
  const address = addressOf(to);
  const { zclab_recv } = native();
  return zclab_recv(fd, low(address) >>> 0, high(address), to.byteLength, flags | MSG.DONTWAIT);
}

/** What is in a socket, without taking or copying it. */
function stateOf(fd: number): "readable" | "empty" | "ended" {
  const result = receiveNow(fd, ONE_BYTE, MSG.PEEK | MSG.TRUNC);
  if (result === EAGAIN) return "empty";
  return unwrap("recv", result) > 0 ? "readable" : "ended";
}
