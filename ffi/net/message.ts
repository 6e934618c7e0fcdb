/**
 * A message: several slices sent or received by one operation, with an address or without.
 *
 * @module
 */
import { type Fact, showFacts } from "../kernel/inspection.ts";
import { addressHigh, addressLow, Slice } from "../memory/area.ts";
import { checkKind, checkObject, wrongKind } from "../kernel/arguments.ts";
import { type Address, decodeAddress, encodeAddress } from "../kernel/address.ts";
import { LAYOUTS, Struct } from "../kernel/layout.ts";
import { addressOf, high, low } from "../kernel/memory.ts";
import type { Place } from "./place.ts";
import { Socket } from "./socket.ts";
import { SOCKET_OPTIONS } from "./socket_options.ts";
import { MSG } from "../kernel/uapi.ts";

/** What a {@linkcode Message} has besides its slices. */
export interface MessageOptions {
  /** Where to send it, for sockets that are not connected. */
  readonly to?: Address;
  /** Where an interface that `to` names is looked up; without it, here. */
  readonly place?: Place;
}

// The ring's side. Only ffi/ uses these; they are not part of the public surface.
/** The slices of a message. */
export let messageSlices: (message: Message) => readonly Slice[];
/** The address of its `struct msghdr`, as lower and upper half. */
export let headerLow: (message: Message) => number;
/** See {@linkcode headerLow}. */
export let headerHigh: (message: Message) => number;
/** The address of its `struct iovec` array, as lower and upper half. */
export let vectorLow: (message: Message) => number;
/** See {@linkcode vectorLow}. */
export let vectorHigh: (message: Message) => number;
/** Makes the message ready to receive. */
export let prepareReceive: (message: Message) => void;
/** Makes it ready to send: what the kernel said of the last one received is not sent on. */
export let prepareSend: (message: Message) => void;

/** Bytes for any socket address: `struct sockaddr_storage`. */
const NAME_BYTES = 128;
/** Bytes for what the kernel says beside a message, such as UDP_GRO's segment size. */
const CONTROL_BYTES = 128;
/** Control messages begin at multiples of this. */
const CONTROL_ALIGNMENT = 8;

/**
 * Several slices as one message (`struct msghdr`). Built once, used as often as wanted, by one
 * request after the other or, for sending, by several at once.
 *
 * @example One datagram from two slices
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Area, Message } from "zclab";
 *
 * using area = Area.map({ bytes: 4096 });
 * const message = new Message([area.slice(0, 8), area.slice(1024, 100)]);
 * assertEquals(message.length, 108);
 * ```
 */
export class Message {
  /** Its length in bytes: the sum over its slices. */
  readonly length: number;
  readonly #slices: readonly Slice[];
  readonly #memory: ArrayBuffer;
  readonly #header: Struct<typeof LAYOUTS.msghdr.fields>;
  readonly #address: number;
  readonly #sending: boolean;
  readonly #words: Uint32Array<ArrayBuffer>;

  static {
    messageSlices = (message) => message.#slices;
    headerLow = (message) => low(message.#address);
    headerHigh = (message) => high(message.#address);
    vectorLow = (message) => low(message.#address + VECTOR);
    vectorHigh = (message) => high(message.#address + VECTOR);
    prepareReceive = (message) => {
      message.#header.set("msg_namelen", NAME_BYTES).set("msg_flags", 0);
      message.#words[CONTROL_LENGTH_WORD] = CONTROL_BYTES;
      // Where the kernel says nothing, the first control message has no length.
      message.#words[CONTROL / 4] = 0;
    };
    prepareSend = (message) => {
      message.#words[CONTROL_LENGTH_WORD] = 0;
    };
  }

  /**
   * Builds the message.
   *
   * @param slices What to send, or where to put what is received, in order; at most 1024.
   * @param options Where to send it.
   * @throws {RangeError} If there is no slice, or more than 1024, or if the address is none.
   */
  constructor(slices: readonly Slice[], options: MessageOptions = {}) {
    if (!Array.isArray(slices)) throw wrongKind("slices", "an array of slices", slices);
    checkObject("options", options);
    for (const slice of slices) checkKind("slice", Slice, slice);
    if (slices.length === 0 || slices.length > 1024) {
      throw new RangeError(`A message has 1 to 1024 slices, got ${slices.length}`);
    }
    this.#slices = [...slices];
    this.length = slices.reduce((sum, slice) => sum + slice.length, 0);
    this.#sending = options.to !== undefined;
    this.#memory = new ArrayBuffer(VECTOR + slices.length * LAYOUTS.iovec.size);
    this.#address = addressOf(this.#memory);
    this.#header = new Struct(LAYOUTS.msghdr, { buffer: this.#memory });
    this.#words = new Uint32Array(this.#memory);
    const name = options.to === undefined ? undefined : nameOf(options.to, options.place);
    if (name !== undefined) new Uint8Array(this.#memory, NAME).set(name);
    this.#header
      .set("msg_name", name === undefined ? 0 : this.#address + NAME)
      .set("msg_namelen", name?.length ?? 0)
      .set("msg_control", this.#address + CONTROL)
      .set("msg_iov", this.#address + VECTOR)
      .set("msg_iovlen", slices.length);
    slices.forEach((slice, i) => {
      const base = BigInt(addressHigh(slice) >>> 0) << 32n | BigInt(addressLow(slice) >>> 0);
      new Struct(LAYOUTS.iovec, {
        buffer: this.#memory,
        at: VECTOR + i * LAYOUTS.iovec.size,
      }).set("iov_base", base).set("iov_len", slice.length);
    });
  }

  /**
   * A message to receive into, which also learns who sent it. What else it tells of the message that
   * was received last: {@linkcode truncated}, {@linkcode segmentBytes}, {@linkcode dropped}.
   *
   * @param slices Where to put what is received.
   */
  static receiver(slices: readonly Slice[]): Message {
    const message = new Message(slices);
    message.#header.set("msg_name", message.#address + NAME).set("msg_namelen", NAME_BYTES);
    return message;
  }

  /** How many slices it has. */
  get slices(): number {
    return this.#slices.length;
  }

  /** Who sent the message that was received last, or where this one goes. */
  get address(): Address | undefined {
    const length = this.#header.get("msg_namelen");
    if (length === 0 || (!this.#sending && length >= NAME_BYTES)) return undefined;
    return decodeAddress(new Uint8Array(this.#memory, NAME, length));
  }

  /**
   * Whether the datagram that was received last was longer than the slices: what did not fit is lost
   * (`MSG_TRUNC`). Its whole length is the result of a recvmsg with the flag `MSG.TRUNC`.
   */
  get truncated(): boolean {
    return (this.flags & MSG.TRUNC) !== 0;
  }

  /**
   * Length of each datagram in what was received last, in bytes, where the socket has `UDP_GRO` (5.0)
   * and the kernel put several into one: the last of them may be shorter. Undefined where it is one
   * datagram, or no message was received.
   */
  get segmentBytes(): number | undefined {
    return this.#said("UDP_GRO");
  }

  /**
   * How many datagrams the socket had dropped for want of room when the one that was received last
   * came, where the socket has `SO_RXQ_OVFL`; counts up to 2^32 and begins anew. Undefined as long as
   * none was dropped.
   */
  get dropped(): number | undefined {
    return this.#said("SO_RXQ_OVFL");
  }

  /**
   * Whether there was more to tell of the message that was received last than there is room for
   * (`MSG_CTRUNC`): then the other properties may be undefined for that reason.
   */
  get controlTruncated(): boolean {
    return (this.flags & MSG.CTRUNC) !== 0;
  }

  /** The flags of the message that was received last (`msg_flags`): a sum of {@linkcode MSG}. */
  get flags(): number {
    return this.#header.get("msg_flags");
  }

  /** The 32-bit value of a control message, or undefined if the kernel sent none of this type. */
  #said(option: "UDP_GRO" | "SO_RXQ_OVFL"): number | undefined {
    const [level, type] = SOCKET_OPTIONS[option];
    const end = CONTROL + this.#words[CONTROL_LENGTH_WORD]!;
    const { size } = LAYOUTS.cmsghdr;
    for (let at = CONTROL; at + size <= end;) {
      const header = new Struct(LAYOUTS.cmsghdr, { buffer: this.#memory, at });
      const length = header.get("cmsg_len");
      if (length < size || at + length > end) return undefined;
      if (header.get("cmsg_level") === level && header.get("cmsg_type") === type) {
        return this.#words[(at + size) / 4];
      }
      at += Math.ceil(length / CONTROL_ALIGNMENT) * CONTROL_ALIGNMENT;
    }
    return undefined;
  }

  static {
    showFacts(Message, (shown) => shown.#facts());
  }

  #facts(): readonly Fact[] {
    return [
      ["slices", this.slices],
      ["length", this.length],
      ["truncated", this.truncated || undefined],
      ["segment bytes", this.segmentBytes],
      ["dropped", this.dropped],
      ["control truncated", this.controlTruncated || undefined],
    ];
  }
}

/** Where in a message's memory the address, the control messages and the vector lie. */
const NAME = LAYOUTS.msghdr.size + 8;
const CONTROL = NAME + NAME_BYTES;
const VECTOR = CONTROL + CONTROL_BYTES;
const CONTROL_LENGTH_WORD = LAYOUTS.msghdr.fields.msg_controllen[0] / 4;

function nameOf(to: Address, place: Place | undefined): Uint8Array<ArrayBuffer> {
  using lookup = new DisposableStack();
  return encodeAddress(to, place && (() => lookup.use(Socket.udp(place)).fd));
}
