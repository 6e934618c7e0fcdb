/**
 * Who waits for something that is no request of the kernel's, and on behalf of which file.
 *
 * @module
 */

/** One of them. */
interface Wait {
  readonly fd: number;
  readonly end: (cancelled: boolean) => void;
}

/** The waits of a ring. */
export class FileWaits {
  readonly #waits = new Set<Wait>();
  #closed = false;

  /**
   * Waits for an event between two requests on a file, when the kernel has none that could be
   * cancelled: whoever cancels what is pending on the file ends this as well, and so does closing
   * the ring.
   *
   * @returns Whether it was cancelled.
   */
  async waitFor(event: Promise<void>, fd: number): Promise<boolean> {
    if (this.#closed) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const wait = { fd, end: resolve };
    this.#waits.add(wait);
    event.then(() => resolve(false));
    try {
      return await promise;
    } finally {
      this.#waits.delete(wait);
    }
  }

  /**
   * Cancels the waits on behalf of a file.
   *
   * @returns How many there were.
   */
  cancel(fd: number): number {
    let count = 0;
    for (const wait of this.#waits) {
      if (wait.fd !== fd) continue;
      this.#waits.delete(wait);
      wait.end(true);
      count++;
    }
    return count;
  }

  /** Ends all of them: the ring was closed. */
  close(): void {
    this.#closed = true;
    for (const wait of this.#waits) wait.end(false);
  }
}
