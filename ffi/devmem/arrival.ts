/**
 * What one call has received: where its pieces are, as the kernel says.
 *
 * @module
 */
import { ERRNO } from "../kernel/errno.ts";
import { describeErrno, type Explanation, UringError } from "../kernel/errors.ts";
import { high, low, Mapping } from "../kernel/memory.ts";
import { native } from "../kernel/native.ts";
import { MSG } from "../kernel/uapi.ts";
import type { DeviceMemoryKind } from "./piece.ts";

const EAGAIN = -ERRNO.EAGAIN;

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

const TWO_TO_32 = 2 ** 32;

/** The pieces of the last call, until the next. */
export class Arrival {
  readonly #receive = native().zclab_recv_devmem;
  readonly #copies = Mapping.map({ bytes: MOST_BYTES });
  readonly #copiesLow = low(this.#copies.address) >>> 0;
  readonly #copiesHigh = high(this.#copies.address);
  readonly #pieces = new Uint32Array(MOST_PIECES * WORDS);
  readonly #count = new Uint32Array(1);
  /** Where the kernel copies what is not in the dma-buf. */
  readonly copied: Uint8Array<ArrayBuffer> = new Uint8Array(this.#copies.buffer);

  /**
   * Receives from a socket, without waiting.
   *
   * @returns How many bytes, or -1 if nothing is there.
   * @throws {UringError} If the kernel refuses.
   */
  receive(fd: number): number {
    const result = this.#receive(
      fd,
      this.#copiesLow,
      this.#copiesHigh,
      MOST_BYTES,
      MSG.DONTWAIT,
      this.#pieces.buffer,
      this.#count.buffer,
    );
    if (result >= 0) return result;
    if (result === EAGAIN) return -1;
    throw refusedReceive(result);
  }

  /** How many pieces there are. */
  get count(): number {
    return this.#count[0]!;
  }

  /** Where the bytes of a piece are. */
  kind(index: number): DeviceMemoryKind {
    const type = this.#pieces[index * WORDS + TYPE];
    return type === SCM_DEVMEM_DMABUF
      ? "dma-buf"
      : type === SCM_DEVMEM_LINEAR
      ? "linear"
      : "readable";
  }

  /** Where a piece starts in the dma-buf, or else in {@linkcode copied}. */
  offset(index: number): number {
    const at = index * WORDS;
    return this.#pieces[at + OFFSET_HIGH]! * TWO_TO_32 + this.#pieces[at + OFFSET]!;
  }

  /** Its bytes. */
  length(index: number): number {
    return this.#pieces[index * WORDS + LENGTH]!;
  }

  /** The kernel's number for a piece in a dma-buf. */
  token(index: number): number {
    return this.#pieces[index * WORDS + TOKEN]!;
  }

  /** The number of the binding whose dma-buf it is in. */
  binding(index: number): number {
    return this.#pieces[index * WORDS + ID]!;
  }

  /** Gives the memory for copies back. */
  close(): void {
    this.#copies.close();
  }
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
