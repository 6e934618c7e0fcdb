/**
 * Mapped memory: made by mmap, seen as one ArrayBuffer, detached before it is unmapped, because
 * touching unmapped memory would end the process.
 *
 * @module
 */
import { ERRNO } from "./errno.ts";
import { unwrap, UringError } from "./errors.ts";
import { native } from "./native.ts";

/** Size of a page, in bytes. */
export const PAGE_SIZE = 4096;

const TWO_TO_32 = 2 ** 32;
const ENOMEM = -ERRNO.ENOMEM;

/** The lower 32 bits of an address. */
export function low(address: number): number {
  return (address % TWO_TO_32) | 0;
}

/** The upper 32 bits of an address. */
export function high(address: number): number {
  return Math.floor(address / TWO_TO_32);
}

/** The address of an ArrayBuffer. The caller keeps the buffer referenced while the kernel uses it. */
export function addressOf(buffer: ArrayBuffer): number {
  return Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer)));
}

/** What to map: anonymous memory, or a region of a ring. */
export interface MappingOptions {
  /** Length in bytes. */
  readonly bytes: number;
  /** File descriptor of a ring; without it the memory is anonymous. */
  readonly fd?: number;
  /** Which region of the ring: one of `IORING_OFF_*`. */
  readonly offset?: bigint;
  /** Binary logarithm of the page size: 21 or 30 for huge pages, 0 for ordinary ones. */
  readonly hugeShift?: 0 | 21 | 30;
}

/** One mapping. */
export class Mapping {
  /** Where it lies. Addresses of user memory fit a number exactly. */
  readonly address: number;
  /** Its length in bytes. */
  readonly bytes: number;
  #buffer: ArrayBuffer;
  #closed = false;

  private constructor(address: bigint, bytes: number) {
    this.address = Number(address);
    this.bytes = bytes;
    const pointer = Deno.UnsafePointer.create(address);
    if (pointer === null) throw new Error("mmap returned a null address");
    this.#buffer = Deno.UnsafePointerView.getArrayBuffer(pointer, bytes);
  }

  /**
   * Maps memory.
   *
   * @throws {UringError} If the kernel refuses.
   */
  static map(options: MappingOptions): Mapping {
    const address = new BigUint64Array(1);
    const result = native().zclab_map(
      options.fd ?? -1,
      BigInt(options.bytes),
      options.offset ?? 0n,
      options.hugeShift ?? 0,
      address.buffer,
    );
    if (result === ENOMEM) {
      throw new UringError("mmap", -result, {
        meaning:
          `there is no room for ${options.bytes} bytes in this process's address space, or ` +
          "the kernel does not promise so much memory",
        advice: "map less; free -b says what there is, vm.overcommit_memory what is promised",
      });
    }
    unwrap("mmap", result);
    return new Mapping(address[0]!, options.bytes);
  }

  /** The memory. There is one ArrayBuffer for each mapping, so that detaching it reaches all. */
  get buffer(): ArrayBuffer {
    return this.#buffer;
  }

  /** Takes the memory away from JavaScript: views of it become empty. */
  detach(): void {
    if (!this.#buffer.detached) this.#buffer.transfer(0);
  }

  /** Detaches and unmaps. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.detach();
    unwrap("munmap", native().zclab_unmap(BigInt(this.address), BigInt(this.bytes)));
  }
}
