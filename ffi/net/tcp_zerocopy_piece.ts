/**
 * Parts of streams whose pages were mapped into this process, or that were copied.
 *
 * @module
 */
import { ClosedError, OwnershipError } from "../kernel/errors.ts";
import { type Fact, showFacts } from "../kernel/inspection.ts";
import type { TcpWindow, WindowRange } from "./tcp_window.ts";

/**
 * How the bytes of a piece came here. `mapped`: the pages that the network put them into are part of
 * this process now, nobody copied them. `copied`: they were too few for a page, and the same call
 * copied them (`copybuf`). `skipped`: the kernel could not map them and said so (`recv_skip_hint`), and
 * `recv(2)` copied them.
 */
export type TcpZeroCopyKind = "mapped" | "copied" | "skipped";

/** Who has received a piece, and takes it back. */
export interface PieceOwner {
  readonly closed: boolean;
  release(pieces: Iterable<TcpZeroCopyPiece>): void;
}

// The receiver's side of a piece. Only ffi/ uses these; they are not part of the public surface.
/** Throws an {@linkcode OwnershipError} if the piece was released. */
export let assertHeld: (piece: TcpZeroCopyPiece) => void;
/** Takes the bytes away from JavaScript, before their pages go. */
export let detach: (piece: TcpZeroCopyPiece) => void;
/** Where in the window a piece is; undefined if it was copied. */
export let rangeOf: (piece: TcpZeroCopyPiece) => WindowRange | undefined;
/** Who received a piece. */
export let ownerOf: (piece: TcpZeroCopyPiece) => PieceOwner;

/**
 * A part of a stream that was received. One that was mapped must be given back with
 * {@linkcode TcpZeroCopyPiece.release}: until then its pages and their room in the receiver's window are
 * taken.
 */
export class TcpZeroCopyPiece implements Disposable {
  /** How its bytes came here, and so whether they were copied. */
  readonly kind: TcpZeroCopyKind;
  /** How many bytes it has; one that was mapped has whole pages. */
  readonly length: number;
  readonly #owner: PieceOwner;
  readonly #window: TcpWindow;
  readonly #range: WindowRange | undefined;
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  #released = false;

  static {
    assertHeld = (piece) => piece.#assertHeld();
    detach = (piece) => piece.#detach();
    rangeOf = (piece) => piece.#range;
    ownerOf = (piece) => piece.#owner;
  }

  /** Made by {@linkcode TcpZeroCopyReceiver.tryReceive}. @internal */
  constructor(
    owner: PieceOwner,
    window: TcpWindow,
    kind: TcpZeroCopyKind,
    content: WindowRange | Uint8Array<ArrayBuffer>,
  ) {
    this.#owner = owner;
    this.#window = window;
    this.kind = kind;
    this.length = content.length;
    if (content instanceof Uint8Array) this.#bytes = content;
    else this.#range = content;
  }

  /** Who has it: `held` is the program. */
  get state(): "held" | "released" {
    return this.#released || this.#owner.closed ? "released" : "held";
  }

  /**
   * The bytes, to be read only: the kernel maps its pages without permission to write, and a write to
   * them ends the process. Once the piece is released, every view of them is empty.
   *
   * @throws {OwnershipError} If it was released.
   * @throws {ClosedError} If its receiver was closed.
   */
  get bytes(): Readonly<Uint8Array<ArrayBuffer>> {
    if (this.#owner.closed) throw new ClosedError("TcpZeroCopyReceiver");
    this.#assertHeld();
    return this.#bytes ??= new Uint8Array(this.#window.view(this.#range!));
  }

  /**
   * Gives the piece back. Many at once cost less: {@linkcode TcpZeroCopyReceiver.release}.
   *
   * @throws {OwnershipError} If it was released already.
   * @throws {ClosedError} If its receiver was closed, which released it.
   */
  release(): void {
    this.#owner.release([this]);
  }

  /** Releases the piece, if that was not done yet. */
  [Symbol.dispose](): void {
    if (this.state === "held") this.release();
  }

  #assertHeld(): void {
    if (!this.#released) return;
    throw new OwnershipError(
      `The kernel has these ${this.length} bytes again: they were released. Release a piece once, ` +
        "after reading it",
    );
  }

  #detach(): void {
    this.#released = true;
    const buffer = this.#bytes?.buffer;
    this.#bytes = undefined;
    if (this.#range !== undefined && buffer?.detached === false) buffer.transfer(0);
  }

  static {
    showFacts(TcpZeroCopyPiece, (shown) => shown.#facts());
  }

  #facts(): readonly Fact[] {
    return [
      ["kind", this.kind, "bare"],
      ["length", this.length],
      ["state", this.state, "bare"],
    ];
  }
}
