/**
 * Sending pages without a copy, as it was done before there was MSG_ZEROCOPY: `sendfile(2)`,
 * `splice(2)` and `vmsplice(2)`.
 *
 * @module
 */
import { checkKind } from "../kernel/arguments.ts";
import { Descriptor } from "../kernel/descriptor.ts";
import { ClosedError, ExplainedError, unwrap } from "../kernel/errors.ts";
import { type Fact, showFacts } from "../kernel/inspection.ts";
import { native } from "../kernel/native.ts";
import { addressHigh, addressLow, Slice } from "../memory/area.ts";
import { Socket } from "./socket.ts";

/**
 * Sends a part of a file in memory with `sendfile(2)`: the socket is given the file's pages, and not a
 * copy of them. Nobody says when it has let go of them: bytes that are changed before the peer has them
 * may arrive changed. May block while the socket's buffer is full.
 *
 * @param socket A connected TCP socket.
 * @param slice A slice of an area that is a file: {@linkcode Area.file}.
 * @returns Bytes sent, which may be fewer than the slice has.
 * @throws {UringError} If the kernel refuses.
 * @throws {ExplainedError} If the area is no file.
 * @throws {ClosedError} If the socket or the area is closed.
 *
 * @example
 * ```ts
 * import { Area, Ring, sendFileBlocking } from "zclab";
 * import { StreamLink } from "zclab/lab";
 * import { assertEquals } from "@std/assert";
 *
 * await using link = await StreamLink.open({ kind: "loopback" });
 * using wire = await link.connect();
 * using file = Area.file({ bytes: 4096 });
 * using room = Area.map({ bytes: 4096 });
 * assertEquals(sendFileBlocking(wire.near, file.slice(0, 100)), 100);
 * await using ring = Ring.open({ entries: 4 });
 * assertEquals(await ring.recv(wire.far, room.slice()), 100);
 * ```
 *
 * @see https://man7.org/linux/man-pages/man2/sendfile.2.html
 */
export function sendFileBlocking(socket: Socket, slice: Slice): number {
  checkKind("socket", Socket, socket);
  const file = fileOf("sendFileBlocking", slice);
  return unwrap(
    "sendfile",
    native().zclab_sendfile(socket.fd, file, BigInt(slice.offset), slice.length),
  );
}

/** The descriptor of the file that a slice lies in. */
function fileOf(what: string, slice: Slice): number {
  checkKind("slice", Slice, slice);
  const { fileFd } = slice.area;
  if (fileFd !== undefined) return fileFd;
  throw new ExplainedError(
    `${what}: the slice's area is no file. What to do: make it with Area.file()`,
  );
}

/**
 * A pipe that carries pages: from a file or from memory into a socket. It holds references to the pages,
 * 16 of them, and no bytes; so no end may change them before the peer has them, and nobody says when.
 *
 * @example
 * ```ts
 * import { Area, Pipe, Ring } from "zclab";
 * import { StreamLink } from "zclab/lab";
 * import { assertEquals } from "@std/assert";
 *
 * await using link = await StreamLink.open({ kind: "loopback" });
 * using wire = await link.connect();
 * using pipe = Pipe.open();
 * using area = Area.map({ bytes: 8192 });
 * const held = pipe.lend(area.slice(0, 100).write(new Uint8Array(100)));
 * assertEquals(pipe.send(wire.near, held), 100);
 * await using ring = Ring.open({ entries: 4 });
 * assertEquals(await ring.recv(wire.far, area.slice(4096)), 100);
 * ```
 *
 * @see https://man7.org/linux/man-pages/man2/splice.2.html
 */
export class Pipe implements Disposable {
  readonly #out: Descriptor;
  readonly #in: Descriptor;

  private constructor(out: number, into: number) {
    this.#out = new Descriptor(out, "Pipe");
    this.#in = new Descriptor(into, "Pipe");
  }

  /**
   * Makes a pipe.
   *
   * @throws {UringError} If this process has too many open files.
   */
  static open(): Pipe {
    const ends = new Int32Array(2);
    unwrap("pipe2", native().zclab_pipe(ends.buffer));
    return new Pipe(ends[0]!, ends[1]!);
  }

  /** Whether {@linkcode close} was called. */
  get closed(): boolean {
    return this.#in.closed;
  }

  /**
   * Puts a part of a file in memory into the pipe (`splice(2)`).
   *
   * @param slice A slice of an area that is a file: {@linkcode Area.file}.
   * @returns Bytes that the pipe has taken, which may be fewer than the slice has.
   * @throws {UringError} EAGAIN if the pipe is full.
   * @throws {ExplainedError} If the area is no file.
   * @throws {ClosedError} If the pipe or the area is closed.
   */
  splice(slice: Slice): number {
    const file = fileOf("Pipe.splice", slice);
    const result = native().zclab_splice(file, BigInt(slice.offset), this.#in.fd, slice.length);
    return unwrap("splice", result);
  }

  /**
   * Puts the pages of a slice into the pipe (`vmsplice(2)`).
   *
   * @returns Bytes that the pipe has taken, which may be fewer than the slice has.
   * @throws {UringError} EAGAIN if the pipe is full.
   * @throws {ClosedError} If the pipe or the slice's area is closed.
   */
  lend(slice: Slice): number {
    checkKind("slice", Slice, slice);
    if (slice.area.closed) throw new ClosedError("Area");
    const [lower, upper] = [addressLow(slice) >>> 0, addressHigh(slice) >>> 0];
    return unwrap("vmsplice", native().zclab_vmsplice(this.#in.fd, lower, upper, slice.length));
  }

  /**
   * Sends what is in the pipe (`splice(2)`).
   *
   * @param socket A connected socket.
   * @param length Bytes to send at most.
   * @returns Bytes sent.
   * @throws {UringError} EAGAIN if the pipe is empty, or the socket's buffer full.
   * @throws {ClosedError} If the pipe or the socket is closed.
   */
  send(socket: Socket, length: number): number {
    checkKind("socket", Socket, socket);
    return unwrap("splice", native().zclab_splice(this.#out.fd, -1n, socket.fd, length));
  }

  /** Closes both ends; what is in it is lost. Idempotent. */
  close(): void {
    this.#in.close();
    this.#out.close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  static {
    showFacts(Pipe, (shown) => shown.#facts());
  }

  #facts(): readonly Fact[] {
    return [["state", this.closed ? "closed" : "open", "bare"]];
  }
}
