/**
 * Files on a disk, written through the page cache or past it.
 *
 * @module
 */
import { checkObject, wrongKind } from "../kernel/arguments.ts";
import { Descriptor } from "../kernel/descriptor.ts";
import { ERRNO } from "../kernel/errno.ts";
import { UnsupportedError, unwrap, UringError } from "../kernel/errors.ts";
import { type Fact, showFacts } from "../kernel/inspection.ts";
import { PAGE_SIZE } from "../kernel/memory.ts";
import { native } from "../kernel/native.ts";
import { openUnnamed } from "./unnamed_file.ts";

const O_RDWR = 2;
const O_CREAT = 0o100;
const ENOSYS = 38;

/** How to open a {@linkcode DiskFile}. */
export interface DiskFileOptions {
  /**
   * Whether to go past the page cache (O_DIRECT).
   *
   * @default {true}
   */
  readonly direct?: boolean;
  /**
   * Whether to make the file if it is not there.
   *
   * @default {false}
   */
  readonly create?: boolean;
}

/**
 * A file or block device. Opened with O_DIRECT, as it is unless asked otherwise, what is written goes
 * from the program's memory to the device without a copy in the page cache; offsets, lengths and memory
 * must then be multiples of 4096 (of the device's block size, to be exact, which is that or less).
 *
 * @example
 * ```ts
 * import { Area, DiskFile, Ring } from "zclab";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile();
 * {
 *   using file = DiskFile.open(path);
 *   await using ring = Ring.open();
 *   using area = Area.map({ bytes: 4096 });
 *   ring.register(area); // its pages are pinned once, and not for each request
 *   assertEquals(await ring.write(file, area.slice(0, 4096), 0), 4096);
 * }
 * await Deno.remove(path);
 * ```
 */
export class DiskFile implements Disposable {
  /** Its path. */
  readonly path: string;
  /** Whether it is open with O_DIRECT. */
  readonly direct: boolean;
  readonly #descriptor: Descriptor;

  private constructor(path: string, direct: boolean, fd: number) {
    this.path = path;
    this.direct = direct;
    this.#descriptor = new Descriptor(fd, "DiskFile");
  }

  /**
   * Opens a file for reading and writing.
   *
   * @param path The file, or a block device.
   * @throws {UringError} If it cannot be opened; EINVAL where the file system has no O_DIRECT.
   */
  static open(path: string, options: DiskFileOptions = {}): DiskFile {
    if (typeof path !== "string") throw wrongKind("path", "a text", path);
    checkObject("options", options);
    const { direct = true, create = false } = options;
    const name = new TextEncoder().encode(`${path}\0`);
    const flags = O_RDWR | (direct ? native().zclab_o_direct() : 0) | (create ? O_CREAT : 0);
    const result = native().zclab_open(name.buffer, flags, 0o644);
    if (result === -ERRNO.EINVAL && direct) {
      throw new UringError(`open ${path}`, ERRNO.EINVAL, {
        meaning: "its file system does not do direct I/O",
        advice: "choose a file on a disk (ext4, XFS, Btrfs) or a block device",
      });
    }
    return new DiskFile(path, direct, unwrap(`open ${path}`, result));
  }

  /**
   * Makes a file without a name (`O_TMPFILE`), through the page cache. It is gone when it is closed,
   * and with the process, however that ends. {@linkcode open} takes its path as long as it is open.
   *
   * @param folder A folder of the file system that it shall be on.
   * @returns The file, or undefined where there are none: the file system has none, or the folder is
   *   not there.
   * @throws {UringError} If it cannot be made for another reason, such as missing permission.
   */
  static unnamed(folder: string): DiskFile | undefined {
    const fd = openUnnamed(folder, 0o600);
    return fd === undefined ? undefined : new DiskFile(`/proc/self/fd/${fd}`, false, fd);
  }

  /**
   * The file descriptor. The methods of a ring take the file itself as well.
   *
   * @throws {ClosedError} After close.
   */
  get fd(): number {
    return this.#descriptor.fd;
  }

  /** Whether {@linkcode close} was called. */
  get closed(): boolean {
    return this.#descriptor.closed;
  }

  /**
   * How much of the file is in the page cache (`cachestat(2)`, 6.5): 0 after direct writes, which
   * proves that they went past it.
   *
   * @param bytes How much of the file to look at, from its start.
   * @returns Bytes in whole pages.
   * @throws {UnsupportedError} Before Linux 6.5.
   * @throws {ClosedError} After close.
   */
  cachedBytes(bytes: number): number {
    const pages = Number(native().zclab_cached_pages(this.fd, BigInt(bytes)));
    if (pages === -ENOSYS) throw new UnsupportedError("cachestat(2)", { since: "6.5" });
    return unwrap("cachestat", pages) * PAGE_SIZE;
  }

  /**
   * Waits until what was written is on the disk (`fdatasync(2)`).
   *
   * @throws {UringError} If the disk failed, or is full.
   * @throws {ClosedError} After close.
   */
  async sync(): Promise<void> {
    unwrap(`fdatasync ${this.path}`, await native().zclab_fdatasync(this.fd));
  }

  /**
   * Makes the kernel forget what it has of the file in the page cache (`POSIX_FADV_DONTNEED`), but for
   * what is not on the disk yet: see {@linkcode sync}.
   *
   * @throws {ClosedError} After close.
   */
  dropCached(): void {
    unwrap("posix_fadvise", native().zclab_drop_cached(this.fd));
  }

  /** Closes it. Requests on it that are prepared are submitted before, and go on. Idempotent. */
  close(): void {
    this.#descriptor.close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  static {
    showFacts(DiskFile, (shown) => shown.#facts());
  }

  #facts(): readonly Fact[] {
    const state = this.closed ? "closed" : this.direct ? "direct" : undefined;
    return [["path", this.path, "bare"], ["state", state, "bare"]];
  }
}
