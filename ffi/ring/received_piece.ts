/**
 * A piece that a multishot receive got.
 *
 * @module
 */
import { OwnershipError } from "../kernel/errors.ts";
import { type Fact, showFacts } from "../kernel/inspection.ts";
import type { Slice } from "../memory/area.ts";

/** Whose the buffer of a piece is, which takes it back. */
export interface BufferOwner {
  readonly closed: boolean;
  release(slice: Slice): void;
}

/**
 * A piece of what was received into a provided buffer, which the program holds until it releases the
 * piece.
 */
export class ReceivedPiece implements Disposable {
  /** What was received; a slice of the buffer. */
  readonly slice: Slice;
  readonly #owner: BufferOwner | undefined;
  #released = false;

  /** Made by {@linkcode Ring.recvMultishot}; without an owner there is nothing to release. @internal */
  constructor(slice: Slice, owner?: BufferOwner) {
    this.slice = slice;
    this.#owner = owner;
  }

  /** Who has the buffer: `held` is the program. */
  get state(): "held" | "released" {
    return this.#released || this.#owner?.closed === true ? "released" : "held";
  }

  /**
   * The bytes. A view that was taken earlier is not revoked when the piece is released.
   *
   * @throws {OwnershipError} After {@linkcode release}, while the kernel has the buffer.
   * @throws {ClosedError} After the buffers or their ring were closed.
   */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.slice.bytes;
  }

  /**
   * Gives the buffer back to the kernel. Call it once, when the bytes are no longer needed.
   *
   * @throws {OwnershipError} If it was released already.
   * @throws {ClosedError} If the buffers were closed.
   */
  release(): void {
    if (this.#released) {
      throw new OwnershipError(
        "release: the kernel has this piece's buffer already. Release it once",
      );
    }
    this.#owner?.release(this.slice);
    this.#released = true;
  }

  /** Releases the piece, if that was not done yet. */
  [Symbol.dispose](): void {
    if (this.state === "held") this.release();
  }

  static {
    showFacts(ReceivedPiece, (shown) => shown.#facts());
  }

  #facts(): readonly Fact[] {
    return [["length", this.slice.length], ["state", this.state, "bare"]];
  }
}
