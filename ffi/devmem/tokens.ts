/**
 * The way back for pieces in a dma-buf: the kernel's numbers for them, in runs of neighbours.
 *
 * @module
 */
import { ERRNO } from "../kernel/errno.ts";
import { UringError } from "../kernel/errors.ts";
import { native } from "../kernel/native.ts";

const SOL_SOCKET = 1;
const SO_DEVMEM_DONTNEED = 80;

/** What the kernel takes back in one call at most. Source: net/core/sock.c. */
const MOST_RUNS = 128;
const MOST_RETURNED = 1024;

/**
 * Returns tokens to the kernel, as few runs as possible in as few calls as possible. The kernel gives
 * out the lowest free token, so neighbours mostly come together.
 */
export class Tokens {
  readonly #setOption = native().zclab_setsockopt;
  /** First token and length of each run. */
  readonly #runs = new Uint32Array(MOST_RUNS * 2);
  #count = 0;
  /** Tokens in all runs. */
  #waiting = 0;

  /** Adds a token of a socket. Those that were added before and wait are of the same socket. */
  add(fd: number, token: number): void {
    const runs = this.#runs;
    const last = this.#count * 2 - 2;
    if (last >= 0 && runs[last]! + runs[last + 1]! === token) runs[last + 1]!++;
    else {
      if (this.#count === MOST_RUNS) this.flush(fd);
      runs[this.#count * 2] = token;
      runs[this.#count * 2 + 1] = 1;
      this.#count++;
    }
    if (++this.#waiting === MOST_RETURNED) this.flush(fd);
  }

  /**
   * Returns those that were added.
   *
   * @throws {UringError} If the kernel took fewer back.
   */
  flush(fd: number): void {
    const tokens = this.#waiting;
    if (tokens === 0) return;
    const bytes = this.#count * 8;
    this.#count = 0;
    this.#waiting = 0;
    const freed = this.#setOption(fd, SOL_SOCKET, SO_DEVMEM_DONTNEED, this.#runs.buffer, bytes);
    if (freed === tokens) return;
    throw new UringError("setsockopt SO_DEVMEM_DONTNEED", freed < 0 ? -freed : ERRNO.EBADR, {
      meaning: `the kernel took back ${Math.max(freed, 0)} of ${tokens} pieces`,
      advice: "return the pieces of a socket only through the receiver that received them",
    });
  }
}
