/**
 * File descriptors that objects of zclab own. A number that was closed soon belongs to somebody else,
 * so each is closed once, by its owner, and not while a ring still has a request that names it.
 *
 * @module
 */
import { ClosedError, OwnershipError } from "./errors.ts";
import { native } from "./native.ts";

/** A ring, which may have requests on a descriptor. */
export interface DescriptorUser {
  /** Submits the requests that are prepared on a descriptor: its number is about to be free. */
  submitOn(fd: number): void;
  /** Submits them, and cancels what the kernel has not completed. */
  cancelOn(fd: number): void;
}

// Numbers belong to the process, and rings to a thread: these are what this thread has opened.
const owners = new Map<number, Descriptor>();
const users = new Set<DescriptorUser>();

/** A file descriptor and who owns it. */
export class Descriptor {
  /** The class of the object that closes it. */
  readonly name: string;
  readonly #fd: number;
  #closed = false;

  /**
   * @param fd An open descriptor that nobody else closes.
   * @param name The class of the object that closes it, such as `Socket`.
   */
  constructor(fd: number, name: string) {
    this.name = name;
    this.#fd = fd;
    owners.set(fd, this);
  }

  /**
   * The number.
   *
   * @throws {ClosedError} After close.
   */
  get fd(): number {
    if (this.#closed) throw new ClosedError(this.name);
    return this.#fd;
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Closes it, after the requests that are prepared on it were submitted. Idempotent. */
  close(): void {
    if (this.#closed) return;
    try {
      for (const user of users) user.submitOn(this.#fd);
    } finally {
      this.#release();
    }
  }

  /** Closes it, and cancels every request of this thread's rings on it. Idempotent. */
  closeAndCancel(): void {
    if (this.#closed) return;
    try {
      cancelRequestsOn(this.#fd);
    } finally {
      this.#release();
    }
  }

  #release(): void {
    this.#closed = true;
    // If another object owns the number by now, somebody else has closed ours.
    if (owners.get(this.#fd) !== this) return;
    owners.delete(this.#fd);
    native().zclab_close(this.#fd);
  }
}

/** Cancels every request of this thread's rings on a descriptor. */
export function cancelRequestsOn(fd: number): void {
  for (const user of users) user.cancelOn(fd);
}

/** Notes a ring, which is asked from now on before a descriptor is closed. */
export function addDescriptorUser(user: DescriptorUser): void {
  users.add(user);
}

/** Forgets a ring. */
export function deleteDescriptorUser(user: DescriptorUser): void {
  users.delete(user);
}

/**
 * Makes sure that nobody would close a number a second time.
 *
 * @throws {OwnershipError} If an object of this thread owns it.
 */
export function ensureUnowned(fd: number): void {
  const owner = owners.get(fd);
  if (owner === undefined) return;
  throw new OwnershipError(
    `CLOSE: descriptor ${fd} belongs to a ${owner.name}, which would close it again, whoever has that ` +
      `number then. Close the ${owner.name}`,
  );
}
