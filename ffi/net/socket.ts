/**
 * Sockets: file descriptors with their options, made in any network namespace.
 *
 * @module
 */
import { type Address, decodeAddress, encodeAddress } from "../kernel/address.ts";
import { addressHigh, addressLow, Slice } from "../memory/area.ts";
import { checkKind, checkObject, checkWhole } from "../kernel/arguments.ts";
import { Descriptor } from "../kernel/descriptor.ts";
import { ERRNO } from "../kernel/errno.ts";
import { ClosedError, OwnershipError, unwrap, UringError } from "../kernel/errors.ts";
import { CLOSED, type Fact, showFacts } from "../kernel/inspection.ts";
import { native } from "../kernel/native.ts";
import { Registrations } from "../memory/registrations.ts";
import type { Place } from "./place.ts";
import { explainSend } from "./send_limits.ts";
import {
  decodeOption,
  encodeOption,
  explainOption,
  lookUpOption,
  type SocketOption,
} from "./socket_options.ts";
import { AF, MSG, SOCK } from "../kernel/uapi.ts";

const EAGAIN = -ERRNO.EAGAIN;

/** How to make a socket. */
export interface SocketOptions {
  /**
   * Address family.
   *
   * @default {4}
   */
  readonly family?: 4 | 6;
}

/** How to receive with {@linkcode Socket.tryReceive}. */
export interface SocketReceiveOptions {
  /**
   * `MSG.TRUNC`: say how long a datagram was, also where it was longer than the slice. `MSG.PEEK`:
   * leave what is received in the socket.
   */
  readonly flags?: number;
}

/** How to connect. */
export interface ConnectOptions {
  /**
   * How long to wait for a TCP peer, in milliseconds.
   *
   * @default {5000}
   */
  readonly timeout?: number;
}

const SOL_SOCKET = 1;
const SO_TYPE = 3;
const SO_RCVTIMEO = 20;

/** Whether receiving nothing is the end of a stream, and not a datagram without content. */
export function isStream(fd: number): boolean {
  const type = new Int32Array(1);
  const known = native().zclab_getsockopt(fd, SOL_SOCKET, SO_TYPE, type.buffer, 4) >= 0;
  return !known || type[0] !== SOCK.DGRAM;
}

const DIRECTIONS = ["read", "write", "both"] as const;

/**
 * `SHUT_*` of a direction.
 *
 * @throws {RangeError} If it is none.
 */
export function directionOf(how: typeof DIRECTIONS[number]): number {
  const number = DIRECTIONS.indexOf(how);
  if (number >= 0) return number;
  throw new RangeError(
    `shutdown: how must be "read", "write" or "both", got ${Deno.inspect(how)}`,
  );
}

/**
 * `AF_*` of a family.
 *
 * @throws {RangeError} If it is none.
 */
export function domainOf(family: 4 | 6): number {
  if (family === 4) return AF.INET;
  if (family === 6) return AF.INET6;
  throw new RangeError(`family must be 4 or 6, got ${Deno.inspect(family)}`);
}

/**
 * `SOCK_*` of a protocol.
 *
 * @throws {RangeError} If it is none.
 */
export function typeOf(protocol: "udp" | "tcp"): number {
  if (protocol === "udp") return SOCK.DGRAM;
  if (protocol === "tcp") return SOCK.STREAM;
  throw new RangeError(`protocol must be "udp" or "tcp", got ${Deno.inspect(protocol)}`);
}

// The ring's side. Only ffi/ uses these; they are not part of the public surface.
/** Which rings have a socket as a fixed file; undefined for what is none. Throws when it is closed. */
export let socketRegistrations: (file: unknown) => Registrations | undefined;
/** Makes a socket from a descriptor that the kernel returned. */
export let adopt: (fd: number, type: number, family: 4 | 6) => Socket;
/** Prepares a socket to send with MSG_ZEROCOPY. Only one can count its sends: a second call throws. */
export let claimZeroCopy: (socket: Socket) => void;
/** Whether UDP_CORK was ever on: then several sends may have gone out as one datagram. */
export let wasCorked: (socket: Socket) => boolean;

/**
 * A UDP or TCP socket over IPv4 or IPv6. The calls of this class are plain system calls and return
 * at once, except where they say otherwise; sending and receiving at speed is what a
 * {@linkcode Ring} is for.
 *
 * @example A datagram to oneself
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Socket } from "zclab";
 *
 * using receiver = Socket.udp().bind({ host: "127.0.0.1", port: 0 });
 * using sender = Socket.udp().connect(receiver.localAddress!);
 * assertEquals(sender.remoteAddress, receiver.localAddress);
 * ```
 */
export class Socket implements Disposable {
  readonly #descriptor: Descriptor;
  readonly #type: number;
  readonly #family: 4 | 6;
  readonly #registrations = new Registrations();
  #countsZeroCopy = false;
  #corked = false;
  #closed = false;

  static {
    socketRegistrations = (file) => {
      if (typeof file !== "object" || file === null || !(#registrations in file)) return undefined;
      if (file.#closed) throw new ClosedError("Socket");
      return file.#registrations;
    };
    adopt = (fd, type, family) => new Socket(fd, type, family);
    claimZeroCopy = (socket) => {
      checkKind("socket", Socket, socket);
      if (socket.#countsZeroCopy) {
        throw new OwnershipError(
          "The MSG_ZEROCOPY sends of this socket are counted already. Send with the MessageZeroCopy " +
            "or the transmitter that does so",
        );
      }
      socket.setOption("SO_ZEROCOPY", true);
      socket.#countsZeroCopy = true;
    };
    wasCorked = (socket) => socket.#corked;
  }

  private constructor(fd: number, type: number, family: 4 | 6) {
    this.#descriptor = new Descriptor(fd, "Socket");
    this.#type = type;
    this.#family = family;
  }

  /**
   * Makes a UDP socket.
   *
   * @param place Where: an end of a testbed, say; without it, here.
   * @throws {UringError} If the kernel refuses.
   */
  static udp(place: Place = {}, options: SocketOptions = {}): Socket {
    return Socket.#make(place, SOCK.DGRAM, options);
  }

  /**
   * Makes a TCP socket.
   *
   * @param place Where: an end of a testbed, say; without it, here.
   * @throws {UringError} If the kernel refuses.
   */
  static tcp(place: Place = {}, options: SocketOptions = {}): Socket {
    return Socket.#make(place, SOCK.STREAM, options);
  }

  static #make(place: Place, type: number, options: SocketOptions): Socket {
    checkObject("place", place);
    checkObject("options", options);
    const { family = 4 } = options;
    const domain = domainOf(family);
    const { namespace } = place;
    const fd = native().zclab_socket(
      namespace?.userFd ?? -1,
      namespace?.fd ?? -1,
      domain,
      type | SOCK.CLOEXEC,
      0,
    );
    return new Socket(unwrap("socket", fd), type, family);
  }

  /** The file descriptor. */
  get fd(): number {
    return this.#descriptor.fd;
  }

  /** `udp` or `tcp`. */
  get protocol(): "udp" | "tcp" {
    return this.#type === SOCK.DGRAM ? "udp" : "tcp";
  }

  /** The address family: 4 or 6. */
  get family(): 4 | 6 {
    return this.#family;
  }

  /** Whether {@linkcode close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The address that the socket is bound to. */
  get localAddress(): Address | undefined {
    const storage = new Uint8Array(128);
    const length = unwrap("getsockname", native().zclab_getsockname(this.fd, storage.buffer, 128));
    return decodeAddress(storage.subarray(0, length));
  }

  /** The address that the socket is connected to, or undefined. */
  get remoteAddress(): Address | undefined {
    const storage = new Uint8Array(128);
    const length = native().zclab_getpeername(this.fd, storage.buffer, 128);
    return length < 0 ? undefined : decodeAddress(storage.subarray(0, length));
  }

  /**
   * Binds the socket to an address; port 0 lets the kernel choose one.
   *
   * @throws {UringError} If the address is in use or not this namespace's.
   * @throws {RangeError} If it is no numeric address, or names an interface that is not there.
   */
  bind(address: Address): this {
    const name = encodeAddress(address, () => this.fd);
    unwrap("bind", native().zclab_bind(this.fd, name.buffer, name.length));
    return this;
  }

  /**
   * Connects a UDP socket: says where it sends to, and from whom it receives.
   *
   * @throws {UringError} If there is no route.
   * @throws {RangeError} If it is no numeric address, or names an interface that is not there.
   * @throws {TypeError} If it is a TCP socket, which waits for its peer: {@linkcode connectBlocking},
   *   or {@linkcode Ring.connect}, which does not block.
   */
  connect(address: Address): this {
    if (this.protocol === "tcp" && !this.#closed) {
      throw new TypeError(
        "connect: TCP waits for its peer. Use connectBlocking, or connect of a ring",
      );
    }
    return this.connectBlocking(address);
  }

  /**
   * Connects the socket, and for TCP blocks until the peer answers, at most `timeout` milliseconds;
   * {@linkcode Ring.connect} does not block.
   *
   * @throws {UringError} If there is nobody, no route, or no answer in time.
   * @throws {RangeError} If it is no numeric address, or names an interface that is not there.
   */
  connectBlocking(address: Address, options: ConnectOptions = {}): this {
    const name = encodeAddress(address, () => this.fd);
    checkObject("options", options);
    const timeout = options.timeout ?? 5000;
    checkWhole("connect: timeout", timeout, 0, 0x7fff_ffff);
    unwrap("connect", native().zclab_connect(this.fd, name.buffer, name.length, timeout));
    return this;
  }

  /**
   * Makes a TCP socket accept connections.
   *
   * @param backlog How many may wait to be accepted.
   */
  listen(backlog = 128): this {
    checkWhole("listen: backlog", backlog, 0, 0x7fff_ffff);
    unwrap("listen", native().zclab_listen(this.fd, backlog));
    return this;
  }

  /** Ends sending, receiving, or both. */
  shutdown(how: "read" | "write" | "both" = "both"): this {
    unwrap("shutdown", native().zclab_shutdown(this.fd, directionOf(how)));
    return this;
  }

  /**
   * Sets an option, under its kernel name. The kernel takes some values that it then changes, without
   * a word: {@linkcode SOCKET_OPTIONS} says which, and {@linkcode option} what holds.
   *
   * @param name Such as `SO_ZEROCOPY`, `UDP_SEGMENT`, `TCP_NODELAY`.
   * @param value A whole number; for a switch also true or false; `SO_BINDTODEVICE` takes a name.
   * @throws {TypeError} If the option takes another type of value, or can only be read.
   * @throws {RangeError} If there is no such option, or the kernel's type does not hold the value.
   * @throws {OwnershipError} If a {@linkcode MessageZeroCopy} needs SO_ZEROCOPY to stay on.
   * @throws {UringError} If the kernel refuses.
   */
  setOption(name: SocketOption, value: number | boolean | string): this {
    const [level, number, kind] = lookUpOption(name);
    const bytes = encodeOption(name, kind, value);
    const { fd } = this;
    if (name === "SO_ZEROCOPY" && this.#countsZeroCopy && !value) {
      throw new OwnershipError(
        "SO_ZEROCOPY stays on: without it the sends of the socket's MessageZeroCopy have no number",
      );
    }
    const result = native().zclab_setsockopt(fd, level, number, bytes, bytes.byteLength);
    if (result < 0) {
      throw new UringError(`setsockopt ${name}`, -result, explainOption(name, -result, value));
    }
    if (name === "UDP_CORK" && value) this.#corked = true;
    return this;
  }

  /**
   * The value of an option, under its kernel name: what holds, which may be another value than the
   * one that was set. A switch is 1 or 0.
   *
   * @throws {RangeError} If there is no such option.
   * @throws {TypeError} If it can only be set; names the one that says what holds.
   * @throws {UringError} If the kernel refuses.
   */
  option(name: SocketOption): number {
    const [level, number, kind] = lookUpOption(name);
    if (kind.readAs !== undefined) {
      throw new TypeError(`${name} can be set, not read: ${kind.readAs} says what holds`);
    }
    const value = new Uint8Array(4);
    const length = native().zclab_getsockopt(this.fd, level, number, value.buffer, value.length);
    if (length < 0) {
      throw new UringError(`getsockopt ${name}`, -length, explainOption(name, -length));
    }
    return decodeOption(kind, value.subarray(0, length));
  }

  /**
   * Sends a slice with `send(2)`, which copies it. May block while the socket's buffer is full.
   *
   * @returns Bytes sent.
   * @throws {UringError} If the kernel refuses. Where the slice is longer than one datagram, or has
   *   more segments than UDP_SEGMENT allows, the error names the limit.
   * @throws {ClosedError} If the socket or the slice's area is closed.
   */
  sendBlocking(slice: Slice): number {
    checkKind("slice", Slice, slice);
    // Where the memory was, something else may lie by now.
    if (slice.area.closed) throw new ClosedError("Area");
    const result = native().zclab_send(
      this.fd,
      addressLow(slice) >>> 0,
      addressHigh(slice),
      slice.length,
      MSG.NOSIGNAL,
    );
    if (result < 0) throw new UringError("send", -result, explainSend(this, -result, slice.length));
    return result;
  }

  /**
   * Receives into a slice without waiting.
   *
   * A datagram that is longer than the slice is cut, and what did not fit is lost. With `MSG.TRUNC`
   * the result is the whole datagram's length, so that a result above the slice's length says that;
   * so does {@linkcode Message.truncated}. With UDP_GRO several datagrams come as one:
   * {@linkcode Message.segmentBytes} says how long each is.
   *
   * @param options `flags`: MSG.TRUNC (UDP only), MSG.PEEK.
   * @returns Bytes received, or undefined when there is nothing now. 0 is the end of a TCP stream,
   *   or a datagram without bytes.
   * @throws {OwnershipError} If the kernel owns the slice.
   * @throws {UringError} If the connection failed.
   * @throws {RangeError} If the flags are others than MSG.TRUNC and MSG.PEEK.
   * @throws {TypeError} If MSG.TRUNC is given for TCP, where it throws the bytes away.
   */
  tryReceive(slice: Slice, options: SocketReceiveOptions = {}): number | undefined {
    checkKind("slice", Slice, slice);
    checkObject("options", options);
    const flags = this.#receiveFlags(options);
    void slice.bytes;
    const result = native().zclab_recv(
      this.fd,
      addressLow(slice) >>> 0,
      addressHigh(slice),
      slice.length,
      flags | MSG.DONTWAIT,
    );
    return result === EAGAIN ? undefined : unwrap("recv", result);
  }

  /**
   * Receives into a slice with `recv(2)` and blocks the thread until something has arrived: the kind
   * of receive for which `SO_BUSY_POLL` polls its whole time. Sets the socket's `SO_RCVTIMEO`.
   *
   * @param slice Where to.
   * @param milliseconds How long to wait at most, from 1.
   * @returns Bytes received, or undefined if nothing arrived in time.
   * @throws {OwnershipError} If the kernel owns the slice.
   * @throws {UringError} If the connection failed.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { Area, Socket } from "zclab";
   *
   * using area = Area.map({ bytes: 4096 });
   * using receiver = Socket.udp().bind({ host: "127.0.0.1", port: 0 });
   * using sender = Socket.udp().connect(receiver.localAddress!);
   * sender.sendBlocking(area.slice(0, 5));
   * assertEquals(receiver.receiveBlocking(area.slice(100, 100), 1000), 5);
   * assertEquals(receiver.receiveBlocking(area.slice(100, 100), 1), undefined);
   * ```
   */
  receiveBlocking(slice: Slice, milliseconds: number): number | undefined {
    checkKind("slice", Slice, slice);
    if (!(milliseconds >= 1 && milliseconds <= 0x7fff_ffff)) {
      throw new RangeError(`milliseconds is at least 1, got ${milliseconds}`);
    }
    void slice.bytes;
    const seconds = Math.floor(milliseconds / 1000);
    const microseconds = Math.floor((milliseconds % 1000) * 1000);
    const time = new BigInt64Array([BigInt(seconds), BigInt(microseconds)]).buffer;
    unwrap(
      "setsockopt SO_RCVTIMEO",
      native().zclab_setsockopt(this.fd, SOL_SOCKET, SO_RCVTIMEO, time, time.byteLength),
    );
    const result = native().zclab_recv(
      this.fd,
      addressLow(slice) >>> 0,
      addressHigh(slice),
      slice.length,
      0,
    );
    return result === EAGAIN ? undefined : unwrap("recv", result);
  }

  #receiveFlags({ flags = 0 }: SocketReceiveOptions): number {
    if (flags >>> 0 !== flags || (flags & ~(MSG.TRUNC | MSG.PEEK)) !== 0) {
      throw new RangeError(`flags: MSG.TRUNC, MSG.PEEK or both, got ${Deno.inspect(flags)}`);
    }
    if ((flags & MSG.TRUNC) !== 0 && this.protocol === "tcp") {
      throw new TypeError("MSG.TRUNC is for UDP: over TCP the kernel would throw the bytes away");
    }
    return flags;
  }

  /**
   * Closes the socket. What this thread's rings have pending on it is cancelled first, and so ends:
   * a promise is rejected with ECANCELED, a loop over a multishot request throws it, a completion of
   * the batch API has it as its result. What is prepared on it is submitted before that. A socket
   * that is registered with rings is unregistered. Idempotent.
   *
   * The peer of a TCP socket sees the end of the stream, unless another process, or a request of
   * another thread's ring, still has the socket.
   */
  close(): void {
    if (this.#closed) return;
    this.#registrations.undoAll();
    this.#closed = true;
    this.#descriptor.closeAndCancel();
  }

  /** Closes the socket. */
  [Symbol.dispose](): void {
    this.close();
  }

  static {
    showFacts(Socket, (shown) => shown.#facts());
  }

  #facts(): readonly Fact[] {
    if (this.#closed) return CLOSED;
    const show = (address: Address | undefined): string =>
      address === undefined ? "none" : `${address.host} port ${address.port}`;
    return [
      ["protocol", this.protocol, "bare"],
      ["family", `IPv${this.#family}`, "bare"],
      ["fd", this.fd],
      ["local", show(this.localAddress)],
      ["remote", show(this.remoteAddress)],
    ];
  }
}
