/**
 * The file that an experiment writes to, which leaves nothing behind unless it was there before.
 *
 * @module
 */
import { UringError } from "../../../ffi/kernel/errors.ts";
import { DiskFile } from "../../../ffi/memory/disk_file.ts";
import { OptionError } from "../options/options.ts";

/** Where the guest has a disk of its own. */
const SCRATCH = "/run/zclab/scratch";

/**
 * A file on a disk that does direct I/O.
 *
 * @example
 * ```ts
 * import { DiskTarget } from "zclab/lab";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile();
 * {
 *   await using target = DiskTarget.open(path);
 *   assertEquals(target.name, path);
 *   using file = target.file({ direct: false });
 *   assertEquals(file.cachedBytes(4096), 0);
 * }
 * await Deno.remove(path);
 * ```
 */
export class DiskTarget implements AsyncDisposable {
  /** What it is called for people. */
  readonly name: string;
  readonly #path: string;
  readonly #close: () => void;

  private constructor(path: string, name: string, close: () => void) {
    this.#path = path;
    this.name = name;
    this.#close = close;
  }

  /**
   * Says what is wrong with a file to write, as the `check` of an option; whether it does direct I/O is
   * not asked yet.
   *
   * @param path The file or block device, which must be there.
   * @returns A sentence, or undefined if nothing is wrong.
   */
  static problem(path: string): string | undefined {
    try {
      const { isFile, isBlockDevice } = Deno.statSync(path);
      if (!isFile && !isBlockDevice) return `${path} is neither a file nor a block device`;
      Deno.openSync(path, { read: true, write: true }).close();
      return undefined;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) {
        return `${path} is not there: make it first, because what is there is overwritten`;
      }
      return `${path}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  /**
   * Opens the file that was asked for, which is overwritten; without one the guest's scratch disk, or
   * a file without a name in the current folder, or where there are none one in `results`.
   *
   * @param asked The path of a file or block device that is there.
   * @throws {OptionError} If what was asked for does not do direct I/O.
   * @throws {UringError} If there is no other file to be had.
   */
  static open(asked?: string): DiskTarget {
    const nothing = (): void => {};
    if (asked !== undefined) {
      try {
        DiskFile.open(asked).close();
      } catch (error) {
        if (!(error instanceof UringError)) throw error;
        throw new OptionError(`--file ${asked}: ${error.message}`, { cause: error });
      }
      return new DiskTarget(asked, asked, nothing);
    }
    try {
      Deno.statSync(SCRATCH);
      return new DiskTarget(SCRATCH, SCRATCH, nothing);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    // Without a name it is gone with the process, however that ends.
    const unnamed = DiskFile.unnamed(".");
    if (unnamed !== undefined) {
      return new DiskTarget(unnamed.path, "a file without a name", () => unnamed.close());
    }
    Deno.mkdirSync("results", { recursive: true });
    const path = "results/rx_to_disk.bin";
    DiskFile.open(path, { create: true }).close();
    return new DiskTarget(path, path, () => Deno.removeSync(path));
  }

  /**
   * Opens it for writing and reading.
   *
   * @param options Whether past the page cache (default: true).
   * @throws {UringError} If it cannot be opened.
   */
  file(options: { readonly direct?: boolean } = {}): DiskFile {
    return DiskFile.open(this.#path, options);
  }

  /**
   * Empties the page cache of it: what an earlier trial left there says nothing of this one.
   *
   * @throws {UringError} If the disk failed.
   */
  async dropCached(): Promise<void> {
    using file = this.file({ direct: false });
    await file.sync();
    file.dropCached();
  }

  /** Closes it, and removes it if it was made here. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    return Promise.resolve();
  }
}
