/**
 * What is registered with a ring, so that its requests find it without a look-up: areas whose pages
 * are pinned, and sockets.
 *
 * @module
 */
import { Area, areaRegistrations } from "../memory/area.ts";
import { wrongKind } from "../kernel/arguments.ts";
import type { Engine } from "./engine.ts";
import { ERRNO } from "../kernel/errno.ts";
import { ClosedError, UringError } from "../kernel/errors.ts";
import { LAYOUTS, Struct } from "../kernel/layout.ts";
import { addressOf } from "../kernel/memory.ts";
import { native } from "../kernel/native.ts";
import type { Registrations } from "../memory/registrations.ts";
import { Socket, socketRegistrations } from "../net/socket.ts";
import { REGISTER, RSRC_REGISTER_SPARSE } from "../kernel/uapi.ts";

/** Bytes that a registered buffer has at most (before Linux 7.2). */
const LARGEST_BUFFER = 2 ** 30;

/** The `io_uring_rsrc_update2` argument that puts one descriptor or vector at an index. */
function rsrcUpdate(index: number, data: ArrayBuffer): ArrayBuffer {
  return new Struct(LAYOUTS.io_uring_rsrc_update2)
    .set("offset", index).set("data", addressOf(data)).set("nr", 1).buffer;
}

/** A table of registered resources: which indices are free. */
class Table {
  readonly #size: number;
  readonly #free: number[] = [];
  #registered = false;

  constructor(size: number) {
    this.#size = size;
  }

  /** Registers the empty table at its first use, then hands out an index. */
  take(what: string, register: (size: number) => void): number {
    if (!this.#registered) {
      register(this.#size);
      this.#registered = true;
      for (let index = this.#size - 1; index >= 0; index--) this.#free.push(index);
    }
    const index = this.#free.pop();
    if (index === undefined) {
      throw new RangeError(
        `All ${this.#size} places for registered ${what} are taken: unregister one, or open the ` +
          `ring with room for more`,
      );
    }
    return index;
  }

  give(index: number): void {
    this.#free.push(index);
  }
}

/** The areas and sockets of one ring. See {@linkcode Ring.register}. */
export class RegisteredResources {
  readonly #engine: Engine;
  readonly #owner: object;
  readonly #buffers: Table;
  readonly #files: Table;

  /**
   * @param owner Under what areas and sockets know the ring.
   * @param buffers Room for areas.
   * @param files Room for sockets.
   */
  constructor(engine: Engine, owner: object, buffers: number, files: number) {
    this.#engine = engine;
    this.#owner = owner;
    this.#buffers = new Table(buffers);
    this.#files = new Table(files);
  }

  /** See {@linkcode Ring.register}. */
  add(what: Area | Socket): number {
    this.#engine.ensureOpen();
    if (what instanceof Area && what.closed) throw new ClosedError("Area");
    const registrations = registrationsOf(what);
    if (registrations.indexIn(this.#owner) >= 0) {
      throw new RangeError("register: it is registered with this ring already");
    }
    const index = what instanceof Area ? this.#registerArea(what) : this.#registerFile(what.fd);
    registrations.add(this.#owner, index, () => {
      if (!this.#engine.closed) this.delete(what);
    });
    return index;
  }

  /** See {@linkcode Ring.unregister}. */
  delete(what: Area | Socket): void {
    this.#engine.ensureOpen();
    const isArea = what instanceof Area;
    if (what instanceof Socket && what.closed) return;
    const registrations = registrationsOf(what);
    const index = registrations.indexIn(this.#owner);
    if (index < 0) throw new RangeError("unregister: it is not registered with this ring");
    // What is prepared names it by its index, which may be another's from now on.
    if (this.#engine.prepared > 0) this.#engine.submit(0);
    registrations.delete(this.#owner);
    if (isArea) {
      const empty = new ArrayBuffer(LAYOUTS.iovec.size);
      const update = rsrcUpdate(index, empty);
      this.#engine.register("IORING_REGISTER_BUFFERS_UPDATE", REGISTER.BUFFERS_UPDATE, update, 32);
      this.#buffers.give(index);
    } else {
      const update = rsrcUpdate(index, new Int32Array([-1]).buffer);
      this.#engine.register("IORING_REGISTER_FILES_UPDATE2", REGISTER.FILES_UPDATE2, update, 32);
      this.#files.give(index);
    }
  }

  #registerArea(area: Area): number {
    const index = this.#buffers.take("areas", (size) => this.#sparse(REGISTER.BUFFERS2, size));
    const vector = new Struct(LAYOUTS.iovec)
      .set("iov_base", area.address).set("iov_len", area.bytes).buffer;
    try {
      this.#engine.register(
        "IORING_REGISTER_BUFFERS_UPDATE",
        REGISTER.BUFFERS_UPDATE,
        rsrcUpdate(index, vector),
        32,
      );
    } catch (error) {
      this.#buffers.give(index);
      if (error instanceof UringError && error.code === "ENOMEM") {
        throw memlockError(error, area.bytes);
      }
      if (error instanceof UringError && error.code === "EFAULT" && area.bytes > LARGEST_BUFFER) {
        throw new UringError(error.operation, error.errno, {
          meaning:
            `the area has ${area.bytes} bytes; before Linux 7.2 a registered buffer has at ` +
            `most ${LARGEST_BUFFER}`,
          advice: "register several smaller areas",
        });
      }
      throw error;
    }
    return index;
  }

  #registerFile(fd: number): number {
    const index = this.#files.take("sockets", (size) => this.#sparse(REGISTER.FILES2, size));
    try {
      this.#engine.register(
        "IORING_REGISTER_FILES_UPDATE2",
        REGISTER.FILES_UPDATE2,
        rsrcUpdate(index, new Int32Array([fd]).buffer),
        32,
      );
    } catch (error) {
      this.#files.give(index);
      throw error;
    }
    return index;
  }

  /** Registers a table without entries (5.19). */
  #sparse(opcode: number, size: number): void {
    const table = new Struct(LAYOUTS.io_uring_rsrc_register)
      .set("nr", size).set("flags", RSRC_REGISTER_SPARSE).buffer;
    const name = opcode === REGISTER.FILES2 ? "FILES2" : "BUFFERS2";
    this.#engine.register(`IORING_REGISTER_${name}`, opcode, table, table.byteLength);
  }
}

/** Which rings know it, and under which index. */
function registrationsOf(what: Area | Socket): Registrations {
  const registrations = what instanceof Area ? areaRegistrations(what) : socketRegistrations(what);
  if (registrations === undefined) throw wrongKind("register", "given an Area or a Socket", what);
  return registrations;
}

/** What RLIMIT_MEMLOCK has to do with it; where there is no limit, memory is short. */
function memlockError(error: UringError, bytes: number): UringError {
  const limits = new BigUint64Array(2);
  native().zclab_memlock_limit(limits.buffer);
  if (limits[0] === 0xffffffffffffffffn) return error;
  const show = (limit: bigint): string =>
    limit === 0xffffffffffffffffn ? "unlimited" : `${Number(limit) / 1024} KiB`;
  return new UringError("IORING_REGISTER_BUFFERS_UPDATE", ERRNO.ENOMEM, {
    meaning: `the area needs ${bytes / 1024} KiB of locked memory and RLIMIT_MEMLOCK is ` +
      `${show(limits[0]!)} for everything that this user has registered (hard limit ` +
      `${show(limits[1]!)})`,
    advice:
      `ulimit -l ${
        Math.ceil((Number(limits[0]!) + bytes) / 1024)
      } or more, as root or in /etc/security/limits.conf ` +
      `(memlock), or run with CAP_IPC_LOCK`,
  });
}
