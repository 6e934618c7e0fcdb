/**
 * What requests name: open files of every kind, by an object or by their number.
 *
 * @module
 */
import { wrongKind } from "../kernel/arguments.ts";
import { DiskFile } from "../memory/disk_file.ts";
import { type Socket, socketRegistrations } from "../net/socket.ts";

/** A socket, a file on a disk, or the number of any other open file. */
export type Descriptor = Socket | DiskFile | number;

/**
 * The number of an open file.
 *
 * @throws {RangeError} If it is a number, and none of a file.
 * @throws {ClosedError} If the object is closed.
 */
export function fdOf(file: Descriptor): number {
  return typeof file === "number" ? checkDescriptor(file) : file.fd;
}

/**
 * Makes sure that an entry names the file that was meant: it would turn what is no number of a file
 * into 0, somebody else's.
 *
 * @throws {RangeError} If it is none.
 */
export function checkDescriptor(fd: number): number {
  if (typeof fd !== "number" || (fd | 0) !== fd) {
    throw new RangeError(`A file descriptor is a whole number, got ${Deno.inspect(fd)}`);
  }
  return fd;
}

/**
 * Where a ring has an open file among its registered ones, or -1.
 *
 * @param owner The ring.
 * @throws {TypeError} If it is no open file.
 * @throws {ClosedError} If it is a socket that is closed.
 */
export function indexIn(owner: object, file: Descriptor): number {
  if (typeof file === "number") return -1;
  const registrations = socketRegistrations(file);
  if (registrations !== undefined) return registrations.indexIn(owner);
  if (file instanceof DiskFile) return -1;
  throw wrongKind("file", "a Socket, a DiskFile or a file descriptor", file);
}
