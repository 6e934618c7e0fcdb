/**
 * The call behind TCP_ZEROCOPY_RECEIVE: a `getsockopt(2)` whose value is an order and its answer.
 *
 * @module
 */
import { ERRNO } from "../kernel/errno.ts";
import { UringError } from "../kernel/errors.ts";
import { LAYOUTS } from "../kernel/layout.ts";
import { addressOf, high, low } from "../kernel/memory.ts";
import { native } from "../kernel/native.ts";
import { TCP_RECEIVE_ZEROCOPY_FLAG_TLB_CLEAN_HINT, TCP_ZEROCOPY_RECEIVE } from "../kernel/uapi.ts";
import { IPPROTO_TCP } from "./socket_options.ts";

const EIO = -ERRNO.EIO;

const { size: BYTES, fields } = LAYOUTS.tcp_zerocopy_receive;

/** Where in the structure a field is, in 32-bit words. */
function word(field: keyof typeof fields): number {
  return fields[field][0] / 4;
}

const ADDRESS = word("address");
const LENGTH = word("length");
const SKIP = word("recv_skip_hint");
const ERR = word("err");
const COPY_ADDRESS = word("copybuf_address");
const COPY_LENGTH = word("copybuf_len");
const FLAGS = word("flags");

/** One call after the other; the fields are the answer to the last one. */
export class TcpZeroCopyCall {
  readonly #words = new Int32Array(BYTES / 4);

  /**
   * Asks the kernel to map what a socket has received.
   *
   * @param fd The socket.
   * @param address Where to, in a mapping of a TCP socket. No page may be there.
   * @param length How many bytes at most: whole pages.
   * @param copies Memory for what is too little for a page.
   * @returns Whether there is an answer; false at the end of the stream.
   * @throws {UringError} If the kernel refuses.
   */
  receive(fd: number, address: number, length: number, copies: ArrayBuffer): boolean {
    const words = this.#words;
    words.fill(0);
    words[ADDRESS] = low(address);
    words[ADDRESS + 1] = high(address);
    words[LENGTH] = length;
    if (copies.byteLength > 0) {
      const to = addressOf(copies);
      words[COPY_ADDRESS] = low(to);
      words[COPY_ADDRESS + 1] = high(to);
      words[COPY_LENGTH] = copies.byteLength;
    }
    words[FLAGS] = TCP_RECEIVE_ZEROCOPY_FLAG_TLB_CLEAN_HINT;
    const result = native().zclab_getsockopt(
      fd,
      IPPROTO_TCP,
      TCP_ZEROCOPY_RECEIVE,
      words.buffer,
      BYTES,
    );
    if (result === EIO) return false;
    if (result < 0) throw refused(-result);
    if (this.copied < 0) throw refused(-this.copied);
    return true;
  }

  /** Bytes that were mapped: the first ones. */
  get mapped(): number {
    return this.#words[LENGTH]!;
  }

  /** Bytes that were copied: those after them (`copybuf_len`). */
  get copied(): number {
    return this.#words[COPY_LENGTH]!;
  }

  /** Bytes after these that cannot be mapped, and are to be received by `recv(2)`: `recv_skip_hint`. */
  get toSkip(): number {
    return this.#words[SKIP]!;
  }

  /** The socket's error as a positive errno, which the kernel tells once; 0 if there is none. */
  get socketError(): number {
    return Math.abs(this.#words[ERR]!);
  }
}

function refused(errno: number): UringError {
  const isArgument = errno === ERRNO.EINVAL;
  return new UringError(
    "getsockopt TCP_ZEROCOPY_RECEIVE",
    errno,
    isArgument
      ? {
        meaning: "the kernel is older than 5.12, or a filter of the control group refuses it",
        advice: "use Linux 5.12 or later",
      }
      : errno === ERRNO.ENOTCONN
      ? { meaning: "the socket listens", advice: "receive from a socket that was accepted" }
      : {},
  );
}
