/**
 * Files that have no name until they are whole.
 *
 * @module
 */
import { Descriptor } from "../kernel/descriptor.ts";
import { unwrap } from "../kernel/errors.ts";
import { native } from "../kernel/native.ts";

/** What file systems say that have no such files, and kernels that know none. */
const NOT_POSSIBLE: ReadonlySet<number> = new Set([-95, -21, -22, -2]);

/**
 * A file without a name (`O_TMPFILE`, Linux 3.11). It gets one when all of it has been written; until
 * then it is gone with the process, however that ends.
 */
export class UnnamedFile implements Disposable {
  readonly #descriptor: Descriptor;

  private constructor(fd: number) {
    this.#descriptor = new Descriptor(fd, "UnnamedFile");
  }

  /**
   * Makes a file.
   *
   * @param folder A folder of the file system that it shall be on.
   * @param mode Its permission bits, before the process's umask.
   * @returns The file, or undefined where there are no files without a name: the file system has none,
   *   or the folder is not there.
   * @throws {UringError} If it cannot be made for another reason, such as missing permission.
   */
  static create(folder: string, mode = 0o666): UnnamedFile | undefined {
    const fd = openUnnamed(folder, mode);
    return fd === undefined ? undefined : new UnnamedFile(fd);
  }

  /**
   * A path by which this process can open it.
   *
   * @throws {ClosedError} After close.
   */
  get path(): string {
    return `/proc/self/fd/${this.#descriptor.fd}`;
  }

  /**
   * Gives it a name.
   *
   * @param path The name; nothing may be there.
   * @throws {UringError} EEXIST if something is there; or the reason why it cannot have that name.
   * @throws {ClosedError} After close.
   */
  giveName(path: string): void {
    unwrap(`link ${path}`, native().zclab_name_unnamed(this.#descriptor.fd, text(path)));
  }

  /** Closes it. Without a name it is gone. Idempotent. */
  close(): void {
    this.#descriptor.close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** The descriptor of a new file; see {@linkcode UnnamedFile.create}. */
export function openUnnamed(folder: string, mode: number): number | undefined {
  const result = native().zclab_create_unnamed(text(folder), mode);
  return NOT_POSSIBLE.has(result) ? undefined : unwrap(`open ${folder} with O_TMPFILE`, result);
}

function text(path: string): ArrayBuffer {
  return new TextEncoder().encode(`${path}\0`).buffer;
}
