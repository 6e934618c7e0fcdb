/**
 * Netlink: messages between this process and the kernel, over a socket of its own.
 *
 * Set-up work, not for hot paths: every message is built and parsed as objects.
 *
 * @see https://docs.kernel.org/userspace-api/netlink/intro.html
 *
 * @module
 */
import { Descriptor } from "../../kernel/descriptor.ts";
import { ERRNO } from "../../kernel/errno.ts";
import { describeErrno, type Explanation, unwrap, UringError } from "../../kernel/errors.ts";
import { addressOf, high, low } from "../../kernel/memory.ts";
import { native } from "../../kernel/native.ts";
import { SOCK } from "../../kernel/uapi.ts";
import type { Place } from "../place.ts";
import { align, Attributes, viewOf } from "./attributes.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const MSG_TRUNC = 0x20;

/** `NETLINK_*`: what a netlink socket is for. */
export const NETLINK = { ROUTE: 0, GENERIC: 16 } as const;

/** `NLM_F_*`: flags of a message. */
export const NLM_F = {
  REQUEST: 0x1,
  MULTI: 0x2,
  ACK: 0x4,
  DUMP_INTR: 0x10,
  /** In a reply that reports an error: the request is not repeated in it. */
  CAPPED: 0x100,
  /** In a reply that reports an error: attributes follow it. */
  ACK_TLVS: 0x200,
  /** In a request: list all there are. */
  DUMP: 0x300,
} as const;

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;

/** Attributes of an extended acknowledgement: `NLMSGERR_ATTR_*`. */
const NLMSGERR_ATTR = { MSG: 1, OFFS: 2, MISS_TYPE: 5 } as const;

const HEADER_BYTES = 16;

/** The kernel sends at most 32 KiB at once. */
const BUFFER_BYTES = 64 * 1024;

/** The kernel answers within the call that asks, so this only ends what would never end. */
const TIMEOUT_SECONDS = 5n;

/** How often a listing is asked for again that changed while the kernel wrote it. */
const DUMP_ATTEMPTS = 8;

/** One message from the kernel. */
export interface NetlinkMessage {
  /** Its type: of what family, or which kind of route message. */
  readonly type: number;
  /** Its flags: {@linkcode NLM_F}. */
  readonly flags: number;
  /** What follows its header. */
  readonly body: Uint8Array;
}

/** What to ask. */
export interface NetlinkRequest {
  /** What is asked, under its kernel name, for the error if it is refused. */
  readonly operation: string;
  /** The message's type. */
  readonly type: number;
  /** What follows the header. */
  readonly body: Uint8Array;
  /** Whether all there are is to be listed (`NLM_F_DUMP`). */
  readonly dump?: boolean;
  /**
   * Says what an error means here.
   *
   * @param code The name of the errno.
   * @param said The kernel's own words, if it has any.
   */
  readonly explain?: (code: string, said: string | undefined) => Partial<Explanation> | undefined;
}

/** A message as it came, before anybody looked at what it means. */
interface RawMessage extends NetlinkMessage {
  readonly sequence: number;
}

/**
 * A netlink socket: asks the kernel, and waits for its answer, which comes at once. It belongs to
 * the network namespace in which it was made. What the kernel ties to a socket, such as the binding
 * of a dma-buf to a queue, ends with it.
 */
export class NetlinkSocket implements Disposable {
  readonly #descriptor: Descriptor;
  readonly #buffer = new ArrayBuffer(BUFFER_BYTES);
  #sequence = 0;

  private constructor(fd: number) {
    this.#descriptor = new Descriptor(fd, "NetlinkSocket");
  }

  /**
   * Opens a socket.
   *
   * @param protocol One of {@linkcode NETLINK}.
   * @param place The namespace to ask about: an end of a testbed, say; without it, this one.
   * @throws {UringError} If the kernel refuses.
   */
  static open(protocol: number, place: Place = {}): NetlinkSocket {
    const { namespace } = place;
    const fd = native().zclab_socket(
      namespace?.userFd ?? -1,
      namespace?.fd ?? -1,
      AF_NETLINK,
      SOCK_RAW | SOCK.CLOEXEC,
      protocol,
    );
    const socket = new NetlinkSocket(unwrap("socket AF_NETLINK", fd));
    try {
      socket.#set(SOL_SOCKET, SO_RCVTIMEO, BigInt64Array.of(TIMEOUT_SECONDS, 0n).buffer);
      // The kernel's own words about an error, and an error without the request that caused it.
      socket.#set(SOL_NETLINK, NETLINK_EXT_ACK, Int32Array.of(1).buffer);
      socket.#set(SOL_NETLINK, NETLINK_CAP_ACK, Int32Array.of(1).buffer);
    } catch (error) {
      socket.close();
      throw error;
    }
    return socket;
  }

  #set(level: number, name: number, value: ArrayBuffer): void {
    const { byteLength } = value;
    unwrap(
      "setsockopt AF_NETLINK",
      native().zclab_setsockopt(this.fd, level, name, value, byteLength),
    );
  }

  /** The file descriptor. */
  get fd(): number {
    return this.#descriptor.fd;
  }

  /** Whether {@linkcode close} was called. */
  get closed(): boolean {
    return this.#descriptor.closed;
  }

  /**
   * Asks, and returns what is answered.
   *
   * @param request What to ask.
   * @returns The messages of the answer, without acknowledgements.
   * @throws {UringError} If the kernel refuses; its own words are the meaning, where it has any.
   * @throws {ClosedError} After {@linkcode close}.
   */
  request(request: NetlinkRequest): NetlinkMessage[] {
    for (let attempt = 1;; attempt++) {
      const messages = this.#ask(request);
      const torn = messages.some(({ flags }) => (flags & NLM_F.DUMP_INTR) !== 0);
      if (!torn || attempt === DUMP_ATTEMPTS) return messages;
    }
  }

  #ask(request: NetlinkRequest): NetlinkMessage[] {
    const sequence = this.#send(request);
    const messages: NetlinkMessage[] = [];
    while (true) {
      for (const message of this.#receive(request.operation)) {
        // An answer to an earlier request whose asker has given up.
        if (message.sequence !== sequence) continue;
        if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) {
          check(request, message);
          return messages;
        }
        messages.push(message);
      }
    }
  }

  #send({ operation, type, body, dump }: NetlinkRequest): number {
    const { fd } = this;
    const sequence = this.#sequence = (this.#sequence + 1) >>> 0;
    const bytes = new Uint8Array(HEADER_BYTES + body.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, bytes.length, true);
    view.setUint16(4, type, true);
    view.setUint16(6, NLM_F.REQUEST | (dump ? NLM_F.DUMP : NLM_F.ACK), true);
    view.setUint32(8, sequence, true);
    bytes.set(body, HEADER_BYTES);
    const address = addressOf(bytes.buffer);
    const sent = native().zclab_send(fd, low(address) >>> 0, high(address), bytes.length, 0);
    unwrap(operation, sent);
    return sequence;
  }

  /** Takes one datagram; it may hold several messages. */
  #receive(operation: string): RawMessage[] {
    const address = addressOf(this.#buffer);
    const { fd } = this;
    const length = unwrap(
      operation,
      native().zclab_recv(fd, low(address) >>> 0, high(address), BUFFER_BYTES, MSG_TRUNC),
    );
    if (length > BUFFER_BYTES) {
      throw new UringError(operation, ERRNO.EMSGSIZE, {
        meaning: `the kernel sent ${length} bytes at once, and ${BUFFER_BYTES} is what fits`,
        advice: "report it: no kernel known sends that much",
      });
    }
    return parse(new Uint8Array(this.#buffer.slice(0, length)));
  }

  /** Closes the socket; what the kernel has tied to it ends. Idempotent. */
  close(): void {
    this.#descriptor.close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** One line for the REPL. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.closed ? "NetlinkSocket { closed }" : `NetlinkSocket { fd: ${this.fd} }`;
  }
}

function parse(bytes: Uint8Array): RawMessage[] {
  const messages: RawMessage[] = [];
  const view = viewOf(bytes);
  for (let at = 0; at + HEADER_BYTES <= bytes.length;) {
    const length = view.getUint32(at, true);
    if (length < HEADER_BYTES || at + length > bytes.length) {
      throw new RangeError(
        `A netlink message at ${at} says that it has ${length} bytes, of ${bytes.length} in all`,
      );
    }
    messages.push({
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      body: bytes.subarray(at + HEADER_BYTES, at + length),
    });
    at += align(length);
  }
  return messages;
}

/** Throws what an acknowledgement, or the end of a listing, says went wrong. */
function check({ operation, explain }: NetlinkRequest, { type, flags, body }: RawMessage): void {
  const error = body.length < 4 ? 0 : viewOf(body).getInt32(0, true);
  if (error >= 0) return;
  const said = extendedAcknowledgement(type, flags, body);
  const [code] = describeErrno(-error);
  const explained = explain?.(code, said);
  const meaning = [explained?.meaning, said === undefined ? undefined : `the kernel says: ${said}`]
    .filter((text) => text !== undefined);
  throw new UringError(operation, -error, {
    ...explained,
    ...(meaning.length > 0 ? { meaning: meaning.join("; ") } : {}),
  });
}

/** The kernel's own words about an error. */
function extendedAcknowledgement(
  type: number,
  flags: number,
  body: Uint8Array,
): string | undefined {
  if ((flags & NLM_F.ACK_TLVS) === 0) return undefined;
  let at = 4;
  if (type === NLMSG_ERROR) {
    const request = viewOf(body).getUint32(at, true);
    at += (flags & NLM_F.CAPPED) !== 0 ? HEADER_BYTES : align(request);
  }
  const attributes = new Attributes(body.subarray(at));
  const missing = attributes.number(NLMSGERR_ATTR.MISS_TYPE);
  const offset = attributes.number(NLMSGERR_ATTR.OFFS);
  const words = [
    attributes.text(NLMSGERR_ATTR.MSG),
    missing === undefined ? undefined : `attribute ${missing} is missing`,
    offset === undefined ? undefined : `the attribute at byte ${offset} of the message is wrong`,
  ].filter((text) => text !== undefined);
  return words.length === 0 ? undefined : words.join(", ");
}
