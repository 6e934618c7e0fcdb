/**
 * A part of the address space that pages of TCP sockets can be mapped into. Where no page is, a touch
 * ends the process, so that bytes are seen through buffers of their own, which are detached before
 * their pages go.
 *
 * @module
 */
import { ERRNO } from "../kernel/errno.ts";
import { UnsupportedError, unwrap } from "../kernel/errors.ts";
import { PAGE_SIZE } from "../kernel/memory.ts";
import { native } from "../kernel/native.ts";
import { AF, SOCK } from "../kernel/uapi.ts";

const ENODEV = -ERRNO.ENODEV;

/** A part of a window, in bytes: whole pages. */
export interface WindowRange {
  readonly offset: number;
  readonly length: number;
}

/** Pages of TCP sockets, each where it was mapped, until it is given back. */
export class TcpWindow {
  /** Where it begins. */
  readonly address: number;
  /** How long it is. */
  readonly bytes: number;
  /** For each page whether it is taken: 1 if so. */
  readonly #taken: Uint8Array;

  private constructor(address: number, bytes: number) {
    this.address = address;
    this.bytes = bytes;
    this.#taken = new Uint8Array(bytes / PAGE_SIZE);
  }

  /**
   * Maps it.
   *
   * @param bytes Whole pages.
   * @throws {UnsupportedError} If this kernel does not have it.
   * @throws {UringError} If the kernel refuses.
   */
  static open(bytes: number): TcpWindow {
    // A mapping keeps its socket open, and takes the pages of any: so it has a socket of its own.
    const fd = native().zclab_socket(-1, -1, AF.INET, SOCK.STREAM | SOCK.CLOEXEC, 0);
    unwrap("socket", fd);
    try {
      const address = new BigUint64Array(1);
      const result = native().zclab_map_tcp(fd, BigInt(bytes), address.buffer);
      if (result === ENODEV) throw new UnsupportedError("TCP_ZEROCOPY_RECEIVE", { since: "4.18" });
      unwrap("mmap of a TCP socket", result);
      return new TcpWindow(Number(address[0]!), bytes);
    } finally {
      native().zclab_close(fd);
    }
  }

  /** The most free pages in a row; undefined if all are taken. */
  free(): WindowRange | undefined {
    const taken = this.#taken;
    let [start, length] = [0, 0];
    for (let from = taken.indexOf(0); from >= 0;) {
      const next = taken.indexOf(1, from);
      const end = next < 0 ? taken.length : next;
      if (end - from > length) [start, length] = [from, end - from];
      from = next < 0 ? -1 : taken.indexOf(0, next);
    }
    return length === 0 ? undefined : { offset: start * PAGE_SIZE, length: length * PAGE_SIZE };
  }

  /** Notes that pages were mapped there. */
  take({ offset, length }: WindowRange): void {
    this.#mark(offset, length, 1);
  }

  /** A buffer of what was mapped there. */
  view({ offset, length }: WindowRange): ArrayBuffer {
    const pointer = Deno.UnsafePointer.create(BigInt(this.address + offset))!;
    return Deno.UnsafePointerView.getArrayBuffer(pointer, length);
  }

  /** Gives the pages there back to the kernel. */
  drop({ offset, length }: WindowRange): void {
    const address = BigInt(this.address + offset);
    unwrap("madvise MADV_DONTNEED", native().zclab_drop_pages(address, BigInt(length)));
    this.#mark(offset, length, 0);
  }

  #mark(offset: number, length: number, taken: 0 | 1): void {
    this.#taken.fill(taken, offset / PAGE_SIZE, (offset + length) / PAGE_SIZE);
  }

  /** Unmaps it. To be called once. */
  close(): void {
    unwrap("munmap", native().zclab_unmap(BigInt(this.address), BigInt(this.bytes)));
  }
}
