/**
 * Parts of streams that were received into a dma-buf, or beside it.
 *
 * @module
 */
import { ClosedError, OwnershipError } from "../kernel/errors.ts";
import { type Fact, showFacts } from "../kernel/inspection.ts";
import type { Area } from "../memory/area.ts";
import type { Socket } from "../net/socket.ts";

/**
 * Where the bytes of a piece are. `dma-buf`: the device put them there, nobody copied them.
 * `linear`: the device left them behind the packet's headers in the kernel's memory, and the kernel
 * copied them. `readable`: the packet came in through a queue that has no dma-buf, and the kernel
 * copied all of it. The last two are the sign that something is not set up.
 */
export type DeviceMemoryKind = "dma-buf" | "linear" | "readable";

/** Who has received a piece, and takes it back. */
export interface PieceOwner {
  readonly area: Area;
  readonly closed: boolean;
  release(pieces: Iterable<DeviceMemoryPiece>): void;
}

// The receiver's side of a piece. Only ffi/ uses these; they are not part of the public surface.
/** Throws an {@linkcode OwnershipError} if the piece was returned. */
export let assertOurs: (piece: DeviceMemoryPiece) => void;
/** Notes that the program returned a piece. */
export let take: (piece: DeviceMemoryPiece) => void;
/** Notes who else took a piece back, unless it was returned before. */
export let reclaim: (piece: DeviceMemoryPiece, by: string) => void;
/** The socket that a piece came from. */
export let socketOf: (piece: DeviceMemoryPiece) => Socket;
/** Who received a piece. */
export let ownerOf: (piece: DeviceMemoryPiece) => PieceOwner;

/**
 * A part of a stream that was received. One in the dma-buf must be given back with
 * {@linkcode DeviceMemoryPiece.release} exactly once: until then the device cannot use its buffer for
 * anything else, and it has no other.
 */
export class DeviceMemoryPiece implements Disposable {
  /** Where its bytes are, and so whether they were copied. */
  readonly kind: DeviceMemoryKind;
  /** Where in the area it starts, in bytes; 0 if it is not there. */
  readonly offset: number;
  /** How many bytes it has. */
  readonly length: number;
  /** The kernel's number for it, among those of the same socket; undefined if it is not there. */
  readonly token: number | undefined;
  readonly #owner: PieceOwner;
  readonly #socket: Socket;
  readonly #copy: Uint8Array<ArrayBuffer> | undefined;
  /** Who took it back, once it is not ours any more. */
  #goneBy: string | undefined;

  static {
    socketOf = (piece) => piece.#socket;
    ownerOf = (piece) => piece.#owner;
    assertOurs = (piece) => piece.#assertOurs();
    take = (piece) => piece.#goneBy = "it was returned";
    reclaim = (piece, by) => piece.#goneBy ??= by;
  }

  /** Made by {@linkcode DeviceMemoryReceiver.receive}. @internal */
  constructor(
    owner: PieceOwner,
    socket: Socket,
    kind: DeviceMemoryKind,
    place: { readonly offset: number; readonly length: number; readonly token?: number },
    copy?: Uint8Array<ArrayBuffer>,
  ) {
    this.#owner = owner;
    this.#socket = socket;
    this.kind = kind;
    this.offset = place.offset;
    this.length = place.length;
    this.token = place.token;
    this.#copy = copy;
  }

  /** Who has it: `held` is the program. */
  get state(): "held" | "released" {
    return this.#goneBy === undefined && !this.#lost ? "held" : "released";
  }

  /**
   * The bytes. A view that was taken earlier is not revoked when the piece is returned.
   *
   * @throws {OwnershipError} If it was returned, or its socket was closed, which returns it.
   * @throws {ClosedError} If its receiver or its area was closed.
   */
  get bytes(): Uint8Array<ArrayBuffer> {
    if (this.#owner.closed) throw new ClosedError("DeviceMemoryReceiver");
    this.#assertOurs();
    if (this.#lost) {
      throw new OwnershipError(
        `The device has ${this.#where} again: the socket was closed, which returned it. ` +
          "Read the pieces of a socket before closing it",
      );
    }
    return this.#copy ?? this.#owner.area.unsafeBytes(this.offset, this.length);
  }

  /**
   * Gives the piece back. Many at once cost less: {@linkcode DeviceMemoryReceiver.release}.
   *
   * @throws {OwnershipError} If it was returned already.
   * @throws {ClosedError} If its receiver was closed, which returned it.
   */
  release(): void {
    this.#owner.release([this]);
  }

  /** Releases the piece, if that was not done yet. */
  [Symbol.dispose](): void {
    if (this.state === "held" && !this.#owner.closed) this.release();
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

  static {
    showFacts(DeviceMemoryPiece, (shown) => shown.#facts());
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
