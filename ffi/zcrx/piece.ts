/**
 * A piece of what was received without copying, as an object for the promise API.
 *
 * @module
 */
import { type Fact, showFacts } from "../kernel/inspection.ts";
import type { Area } from "../memory/area.ts";

/** Who has received a piece, and takes it back by its number. */
export interface PieceOwner {
  readonly closed: boolean;
  holds(piece: number): boolean;
  bytes(piece: number): Uint8Array<ArrayBuffer>;
  release(piece: number): void;
}

/**
 * A piece of what was received: a range of an area that the program holds until it gives it back.
 * Several pieces can share a buffer; each is given back on its own.
 */
export class ZcrxPiece implements Disposable {
  /** The area that it lies in. */
  readonly area: Area;
  /** Where it starts in the area, in bytes. */
  readonly offset: number;
  /** Its bytes. */
  readonly length: number;
  readonly #owner: PieceOwner;
  readonly #piece: number;

  /** Made by {@linkcode ZcrxReceiver.receive}. @internal */
  constructor(
    owner: PieceOwner,
    piece: number,
    place: { readonly area: Area; readonly offset: number; readonly length: number },
  ) {
    this.#owner = owner;
    this.#piece = piece;
    this.area = place.area;
    this.offset = place.offset;
    this.length = place.length;
  }

  /** Who has it: `held` is the program. The kernel has what was released, or whose receiver was closed. */
  get state(): "held" | "released" {
    return this.#owner.holds(this.#piece) ? "held" : "released";
  }

  /**
   * The bytes. A view that was taken earlier is not revoked when the piece is given back.
   *
   * @throws {OwnershipError} After {@linkcode release}.
   * @throws {ClosedError} After the receiver, its ring or the area was closed.
   */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#owner.bytes(this.#piece);
  }

  /**
   * Gives the piece back to the kernel.
   *
   * @throws {OwnershipError} If it was given back already.
   */
  release(): void {
    if (!this.#owner.closed) this.#owner.release(this.#piece);
  }

  /** Gives the piece back, if that was not done yet. */
  [Symbol.dispose](): void {
    if (this.state === "held") this.release();
  }

  static {
    showFacts(ZcrxPiece, (shown) => shown.#facts());
  }

  #facts(): readonly Fact[] {
    return [["offset", this.offset], ["length", this.length], ["state", this.state, "bare"]];
  }
}
