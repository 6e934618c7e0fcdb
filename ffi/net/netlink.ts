/**
 * Netlink: messages of typed attributes between this process and the kernel, over a socket of its
 * own; and generic netlink, where the kernel's families are found by name.
 *
 * Set-up work, not for hot paths: every message is built and parsed as objects.
 *
 * @see https://docs.kernel.org/userspace-api/netlink/intro.html
 *
 * @module
 */
import { Descriptor } from "../kernel/descriptor.ts";
import {
  describeErrno,
  type Explanation,
  UnsupportedError,
  unwrap,
  UringError,
} from "../kernel/errors.ts";
import { addressOf, high, low } from "../kernel/memory.ts";
import { native } from "../kernel/native.ts";
import type { Place } from "./place.ts";
import { SOCK } from "../kernel/uapi.ts";

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
const GENERIC_HEADER_BYTES = 4;
const ATTRIBUTE_HEADER_BYTES = 4;
const NLA_F_NESTED = 0x8000;
/** The two upper bits of an attribute's type are flags. */
const NLA_TYPE_MASK = 0x3fff;

/** The kernel sends at most 32 KiB at once. */
const BUFFER_BYTES = 64 * 1024;

/** The kernel answers within the call that asks, so this only ends what would never end. */
const TIMEOUT_SECONDS = 5n;

/** How often a listing is asked for again that changed while the kernel wrote it. */
const DUMP_ATTEMPTS = 8;

function align(length: number): number {
  return (length + 3) & ~3;
}

/** One attribute of a message, ready to be sent. */
export interface Attribute {
  /** Its number. */
  readonly type: number;
  /** Its bytes. */
  readonly payload: Uint8Array;
  /** Whether its bytes are attributes. */
  readonly nested?: boolean;
}

/** Makes attributes. Numbers are in the machine's byte order, as netlink wants them. */
export const attribute = {
  /** One that is there or not, and has no value. */
  flag: (type: number): Attribute => ({ type, payload: new Uint8Array(0) }),
  /** An unsigned number of 8 bits. */
  u8: (type: number, value: number): Attribute => ({ type, payload: Uint8Array.of(value) }),
  /** An unsigned number of 16 bits. */
  u16: (type: number, value: number): Attribute => ({
    type,
    payload: new Uint8Array(Uint16Array.of(value).buffer),
  }),
  /** An unsigned number of 32 bits. */
  u32: (type: number, value: number): Attribute => ({
    type,
    payload: new Uint8Array(Uint32Array.of(value).buffer),
  }),
  /** An unsigned number of 64 bits. */
  u64: (type: number, value: number | bigint): Attribute => ({
    type,
    payload: new Uint8Array(BigUint64Array.of(BigInt(value)).buffer),
  }),
  /** Text, which ends with a NUL. */
  text: (type: number, value: string): Attribute => ({
    type,
    payload: new TextEncoder().encode(`${value}\0`),
  }),
  /** Attributes inside an attribute. */
  nest: (type: number, attributes: readonly Attribute[]): Attribute => ({
    type,
    payload: encodeAttributes(attributes),
    nested: true,
  }),
} as const;

/** The bytes of attributes, one after the other, each padded to four bytes. */
export function encodeAttributes(attributes: readonly Attribute[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const { payload } of attributes) length += ATTRIBUTE_HEADER_BYTES + align(payload.length);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { type, payload, nested } of attributes) {
    if (payload.length > 0xffff - ATTRIBUTE_HEADER_BYTES) {
      throw new RangeError(`A netlink attribute has at most 65531 bytes, got ${payload.length}`);
    }
    view.setUint16(at, ATTRIBUTE_HEADER_BYTES + payload.length, true);
    view.setUint16(at + 2, type | (nested ? NLA_F_NESTED : 0), true);
    bytes.set(payload, at + ATTRIBUTE_HEADER_BYTES);
    at += ATTRIBUTE_HEADER_BYTES + align(payload.length);
  }
  return bytes;
}

/** The attributes of a message that was received, by number. */
export class Attributes {
  readonly #attributes: readonly (readonly [type: number, payload: Uint8Array])[];

  /**
   * Parses attributes.
   *
   * @param bytes The bytes after a message's headers, or those of a nesting attribute.
   * @throws {RangeError} If an attribute is longer than what is there.
   */
  constructor(bytes: Uint8Array) {
    const attributes: [number, Uint8Array][] = [];
    const view = viewOf(bytes);
    for (let at = 0; at + ATTRIBUTE_HEADER_BYTES <= bytes.length;) {
      const length = view.getUint16(at, true);
      if (length < ATTRIBUTE_HEADER_BYTES || at + length > bytes.length) {
        throw new RangeError(
          `A netlink attribute at ${at} says that it has ${length} bytes, of ${bytes.length} in all`,
        );
      }
      attributes.push([
        view.getUint16(at + 2, true) & NLA_TYPE_MASK,
        bytes.subarray(at + ATTRIBUTE_HEADER_BYTES, at + length),
      ]);
      at += align(length);
    }
    this.#attributes = attributes;
  }

  /** How many there are. */
  get size(): number {
    return this.#attributes.length;
  }

  /** Number and bytes of each, in order. */
  [Symbol.iterator](): Iterator<readonly [type: number, payload: Uint8Array]> {
    return this.#attributes[Symbol.iterator]();
  }

  /** Whether there is one of this number. */
  has(type: number): boolean {
    return this.bytes(type) !== undefined;
  }

  /** The bytes of the first of this number. */
  bytes(type: number): Uint8Array | undefined {
    return this.#attributes.find(([own]) => own === type)?.[1];
  }

  /**
   * An unsigned number of whatever width the kernel chose: 1, 2, 4 or 8 bytes.
   *
   * @throws {RangeError} If it has another width.
   */
  number(type: number): number | undefined {
    const bytes = this.bytes(type);
    if (bytes === undefined) return undefined;
    const view = viewOf(bytes);
    switch (bytes.length) {
      case 1:
        return view.getUint8(0);
      case 2:
        return view.getUint16(0, true);
      case 4:
        return view.getUint32(0, true);
      case 8:
        return Number(view.getBigUint64(0, true));
    }
    throw new RangeError(`The netlink attribute ${type} has ${bytes.length} bytes, not a number's`);
  }

  /** Text, without the NUL at its end. */
  text(type: number): string | undefined {
    const bytes = this.bytes(type);
    return bytes === undefined
      ? undefined
      : new TextDecoder().decode(bytes[bytes.length - 1] === 0 ? bytes.subarray(0, -1) : bytes);
  }

  /** The attributes inside the first of this number. */
  nest(type: number): Attributes | undefined {
    const bytes = this.bytes(type);
    return bytes === undefined ? undefined : new Attributes(bytes);
  }

  /** The attributes inside each one, whatever its number: the kernel's nested arrays. */
  nests(): Attributes[] {
    return this.#attributes.map(([, payload]) => new Attributes(payload));
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

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
      throw new UringError(operation, 90, {
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

// === Generic netlink ===

const GENL_ID_CTRL = 16;
const CTRL_CMD_GETFAMILY = 3;
const CTRL_ATTR = {
  FAMILY_ID: 1,
  FAMILY_NAME: 2,
  VERSION: 3,
  OPS: 6,
  MCAST_GROUPS: 7,
} as const;
const CTRL_ATTR_OP_ID = 1;
const CTRL_ATTR_MCAST_GRP = { NAME: 1, ID: 2 } as const;

/** A family of generic netlink, as this kernel has it. */
export interface NetlinkFamily {
  /** Its name, such as `netdev`. */
  readonly name: string;
  /** The type of its messages on this boot. */
  readonly id: number;
  /** The version of its interface. */
  readonly version: number;
  /** The commands that this kernel knows. */
  readonly commands: ReadonlySet<number>;
  /** The multicast groups, by name. */
  readonly groups: ReadonlyMap<string, number>;
}

/** A command of a family. */
export interface FamilyRequest extends Omit<NetlinkRequest, "type" | "body"> {
  /** The number of the command. */
  readonly command: number;
  /** Its attributes; none by default. */
  readonly attributes?: readonly Attribute[];
}

/**
 * A generic netlink socket.
 */
export class GenericNetlink implements Disposable {
  readonly #socket: NetlinkSocket;

  private constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  /**
   * Opens a socket.
   *
   * @param place The namespace to ask about; without it, this one.
   * @throws {UringError} If the kernel refuses.
   */
  static open(place: Place = {}): GenericNetlink {
    return new GenericNetlink(NetlinkSocket.open(NETLINK.GENERIC, place));
  }

  /** The file descriptor. */
  get fd(): number {
    return this.#socket.fd;
  }

  /** Whether {@linkcode close} was called. */
  get closed(): boolean {
    return this.#socket.closed;
  }

  /**
   * Looks a family up by its name.
   *
   * @param name Such as `netdev` or `ethtool`.
   * @param since The kernel version that brought it, for the error.
   * @throws {UnsupportedError} If this kernel does not have it.
   */
  family(name: string, since?: string): NetlinkFamily {
    let reply: NetlinkMessage | undefined;
    try {
      [reply] = this.#socket.request({
        operation: `CTRL_CMD_GETFAMILY ${name}`,
        type: GENL_ID_CTRL,
        body: generic(CTRL_CMD_GETFAMILY, 1, [attribute.text(CTRL_ATTR.FAMILY_NAME, name)]),
      });
    } catch (error) {
      if (!(error instanceof UringError) || error.code !== "ENOENT") throw error;
      throw new UnsupportedError(`The generic netlink family ${name}`, { since });
    }
    const attributes = attributesOf(reply!);
    const commands = attributes.nest(CTRL_ATTR.OPS)?.nests() ?? [];
    const groups = attributes.nest(CTRL_ATTR.MCAST_GROUPS)?.nests() ?? [];
    return {
      name,
      id: attributes.number(CTRL_ATTR.FAMILY_ID)!,
      version: attributes.number(CTRL_ATTR.VERSION)!,
      commands: new Set(commands.map((command) => command.number(CTRL_ATTR_OP_ID)!)),
      groups: new Map(
        groups.map((group) =>
          [group.text(CTRL_ATTR_MCAST_GRP.NAME)!, group.number(CTRL_ATTR_MCAST_GRP.ID)!] as const
        ),
      ),
    };
  }

  /**
   * Gives a family a command.
   *
   * @param family Who shall do it.
   * @param request What it shall do.
   * @returns The attributes of each message of the answer.
   * @throws {UringError} If the kernel refuses.
   * @throws {ClosedError} After {@linkcode close}.
   */
  request(family: NetlinkFamily, request: FamilyRequest): Attributes[] {
    const { command, attributes = [], ...rest } = request;
    return this.#socket.request({
      ...rest,
      type: family.id,
      body: generic(command, family.version, attributes),
    }).map(attributesOf);
  }

  /** Closes the socket; what the kernel has tied to it ends. Idempotent. */
  close(): void {
    this.#socket.close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** One line for the REPL. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.closed ? "GenericNetlink { closed }" : `GenericNetlink { fd: ${this.fd} }`;
  }
}

function generic(
  command: number,
  version: number,
  attributes: readonly Attribute[],
): Uint8Array {
  const encoded = encodeAttributes(attributes);
  const body = new Uint8Array(GENERIC_HEADER_BYTES + encoded.length);
  body[0] = command;
  body[1] = version;
  body.set(encoded, GENERIC_HEADER_BYTES);
  return body;
}

function attributesOf({ body }: NetlinkMessage): Attributes {
  return new Attributes(body.subarray(GENERIC_HEADER_BYTES));
}
