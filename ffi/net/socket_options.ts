/**
 * Socket options under their kernel names: level and number of each, as on x86-64 and aarch64, and
 * which values it takes.
 *
 * @module
 */
import { describeErrno, type Explanation } from "../kernel/errors.ts";

/** The level of the options that every socket has. */
export const SOL_SOCKET = 1;
const IPPROTO_IP = 0;
/** The level of the options of TCP. */
export const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
const IPPROTO_IPV6 = 41;

/** The largest number of a C int. */
const INT_MAX = 0x7fff_ffff;
/** A network interface's name has so many bytes at most, in UTF-8. */
const NAME_BYTES = 15;

/** Which values an option takes. */
export interface SocketOptionKind {
  /**
   * `switch`: true, false, 1 or 0. `number`: a whole number. `name`: a text. `nothing`: it can only
   * be read.
   */
  readonly takes: "switch" | "number" | "name" | "nothing";
  /** The smallest number. */
  readonly least?: number;
  /** The largest number. */
  readonly most?: number;
  /** What the number is of, such as `bytes`. */
  readonly unit?: string;
  /** The option that says what holds, where this one can only be set, or is no number. */
  readonly readAs?: string;
}

const SWITCH = { takes: "switch" } as const;
const READ_ONLY = { takes: "nothing" } as const;
const BYTES = { takes: "number", least: 0, most: INT_MAX, unit: "bytes" } as const;
const NUMBER = { takes: "number", least: 0, most: INT_MAX } as const;

/**
 * Level, number and kind of each option.
 *
 * `SO_RCVBUF` and `SO_SNDBUF` are taken whatever they are: the kernel cuts them to
 * `net.core.rmem_max` and `net.core.wmem_max`, raises them to a minimum, and doubles what is left,
 * for its own needs. {@linkcode Socket.option} says what holds. `SO_RCVBUFFORCE` and
 * `SO_SNDBUFFORCE` set the same two without that limit; they need CAP_NET_ADMIN in the machine's own
 * user namespace, and cannot be read.
 *
 * `SO_BINDTODEVICE` takes an interface's name; `SO_BINDTOIFINDEX` (5.1) is the same as a number, 0
 * where there is none. `UDP_SEGMENT` (4.18) is the length of the datagrams into which each send is
 * cut, 0 for one datagram: one send has at most 128 of them (64 before Linux 6.9), and 65507 bytes
 * over IPv4, 65527 over IPv6.
 */
export const SOCKET_OPTIONS = {
  SO_REUSEADDR: [SOL_SOCKET, 2, SWITCH],
  SO_ERROR: [SOL_SOCKET, 4, READ_ONLY],
  SO_SNDBUF: [SOL_SOCKET, 7, BYTES],
  SO_RCVBUF: [SOL_SOCKET, 8, BYTES],
  SO_KEEPALIVE: [SOL_SOCKET, 9, SWITCH],
  SO_PRIORITY: [SOL_SOCKET, 12, NUMBER],
  SO_REUSEPORT: [SOL_SOCKET, 15, SWITCH],
  SO_BINDTODEVICE: [SOL_SOCKET, 25, { takes: "name", readAs: "SO_BINDTOIFINDEX" }],
  SO_SNDBUFFORCE: [SOL_SOCKET, 32, { ...BYTES, readAs: "SO_SNDBUF" }],
  SO_RCVBUFFORCE: [SOL_SOCKET, 33, { ...BYTES, readAs: "SO_RCVBUF" }],
  SO_MARK: [SOL_SOCKET, 36, { takes: "number", least: 0, most: 0xffff_ffff }],
  SO_RXQ_OVFL: [SOL_SOCKET, 40, SWITCH],
  SO_BUSY_POLL: [SOL_SOCKET, 46, { takes: "number", least: 0, most: INT_MAX, unit: "µs" }],
  SO_INCOMING_CPU: [SOL_SOCKET, 49, { takes: "number", least: -1, most: INT_MAX }],
  SO_INCOMING_NAPI_ID: [SOL_SOCKET, 56, READ_ONLY],
  SO_ZEROCOPY: [SOL_SOCKET, 60, SWITCH],
  SO_BINDTOIFINDEX: [SOL_SOCKET, 62, NUMBER],
  SO_PREFER_BUSY_POLL: [SOL_SOCKET, 69, SWITCH],
  SO_BUSY_POLL_BUDGET: [SOL_SOCKET, 70, { takes: "number", least: 0, most: 65535 }],
  IP_MTU_DISCOVER: [IPPROTO_IP, 10, { takes: "number", least: 0, most: 5 }],
  IP_RECVERR: [IPPROTO_IP, 11, SWITCH],
  IP_MTU: [IPPROTO_IP, 14, READ_ONLY],
  IPV6_MTU: [IPPROTO_IPV6, 24, READ_ONLY],
  IPV6_RECVERR: [IPPROTO_IPV6, 25, SWITCH],
  IPV6_V6ONLY: [IPPROTO_IPV6, 26, SWITCH],
  TCP_NODELAY: [IPPROTO_TCP, 1, SWITCH],
  TCP_MAXSEG: [IPPROTO_TCP, 2, { takes: "number", least: 0, most: 32767, unit: "bytes" }],
  TCP_CORK: [IPPROTO_TCP, 3, SWITCH],
  TCP_QUICKACK: [IPPROTO_TCP, 12, SWITCH],
  TCP_USER_TIMEOUT: [IPPROTO_TCP, 18, { takes: "number", least: 0, most: INT_MAX, unit: "ms" }],
  UDP_CORK: [IPPROTO_UDP, 1, SWITCH],
  UDP_SEGMENT: [IPPROTO_UDP, 103, { takes: "number", least: 0, most: 65535, unit: "bytes" }],
  UDP_GRO: [IPPROTO_UDP, 104, SWITCH],
} as const satisfies Record<
  string,
  readonly [level: number, name: number, kind: SocketOptionKind]
>;

/** The name of a socket option. */
export type SocketOption = keyof typeof SOCKET_OPTIONS;

/**
 * Level, number and kind of an option.
 *
 * @throws {TypeError} If the name is not a text.
 * @throws {RangeError} If there is no such option; names the one that was probably meant.
 */
export function lookUpOption(
  name: SocketOption,
): readonly [level: number, name: number, kind: SocketOptionKind] {
  if (typeof name !== "string") {
    throw new TypeError(`The name of a socket option is a text, got ${typeof name}`);
  }
  if (!Object.hasOwn(SOCKET_OPTIONS, name)) {
    const what = `There is no socket option ${Deno.inspect(name)} here${suggestion(name)}`;
    throw new RangeError(`${what}. SOCKET_OPTIONS has all that there are`);
  }
  return SOCKET_OPTIONS[name];
}

/** Names the option with the most pairs of neighbouring letters in common, if those are enough. */
function suggestion(wanted: string): string {
  const pairs = pairsOf(wanted.slice(0, 64).toUpperCase());
  const likeness = (name: string): number => {
    const others = pairsOf(name);
    return 2 * pairs.intersection(others).size / (pairs.size + others.size);
  };
  const nearest = Object.keys(SOCKET_OPTIONS).reduce((best, name) =>
    likeness(name) > likeness(best) ? name : best
  );
  return likeness(nearest) < 0.4 ? "" : ` (did you mean ${nearest}?)`;
}

function pairsOf(text: string): Set<string> {
  return new Set(Array.from({ length: text.length - 1 }, (_, i) => text.slice(i, i + 2)));
}

/**
 * The bytes of an option's value, as `setsockopt(2)` takes them.
 *
 * @throws {TypeError} If the option takes another type of value, or none.
 * @throws {RangeError} If the value is not one of those that it takes.
 */
export function encodeOption(
  name: string,
  kind: SocketOptionKind,
  value: unknown,
): ArrayBuffer {
  switch (kind.takes) {
    case "nothing":
      throw new TypeError(`${name} can be read, not set`);
    case "name":
      return encodeName(name, value);
    case "switch":
      return Int32Array.of(Number(checkSwitch(name, value))).buffer;
    case "number":
      return Int32Array.of(checkNumber(name, kind, value)).buffer;
  }
}

function encodeName(name: string, value: unknown): ArrayBuffer {
  if (typeof value !== "string") {
    throw new TypeError(
      `${name} takes the name of an interface, or "" for none, got ${got(value)}`,
    );
  }
  const bytes = new TextEncoder().encode(`${value}\0`);
  if (bytes.length > NAME_BYTES + 1 || value.includes("\0")) {
    throw new RangeError(
      `${name} takes the name of an interface, at most ${NAME_BYTES} bytes without NUL, ` +
        `got ${got(value)}`,
    );
  }
  return bytes.buffer;
}

function checkSwitch(name: string, value: unknown): boolean | number {
  if (typeof value === "boolean" || value === 0 || value === 1) return value;
  const message = `${name} is a switch: true, false, 1 or 0, got ${got(value)}`;
  throw typeof value === "number" ? new RangeError(message) : new TypeError(message);
}

function checkNumber(name: string, kind: SocketOptionKind, value: unknown): number {
  const { least = 0, most = INT_MAX, unit } = kind;
  if (
    typeof value === "number" && Number.isInteger(value) && value >= least && value <= most
  ) return value;
  const what = `a whole number${unit === undefined ? "" : ` of ${unit}`} from ${least} to ${most}`;
  const message = `${name} takes ${what}, got ${got(value)}`;
  throw typeof value === "number" ? new RangeError(message) : new TypeError(message);
}

function got(value: unknown): string {
  const text = Deno.inspect(value, { depth: 0, strAbbreviateSize: 40 });
  return typeof value === "string" ? `the text ${text}` : text;
}

/**
 * An option's value, from the bytes that `getsockopt(2)` returned: fewer than four for some switches.
 */
export function decodeOption(kind: SocketOptionKind, bytes: Uint8Array<ArrayBuffer>): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const value = bytes.length < 4 ? view.getUint8(0) : view.getInt32(0, true);
  return (kind.most ?? 0) > INT_MAX ? value >>> 0 : value;
}

/**
 * Why the kernel refuses an option, as far as the option says.
 *
 * @param value What it was to be set to; left out when it was read.
 */
export function explainOption(
  name: SocketOption,
  errno: number,
  value?: unknown,
): Partial<Explanation> {
  switch (describeErrno(errno)[0]) {
    case "ENOPROTOOPT":
    case "EOPNOTSUPP":
      return {
        meaning: value === undefined
          ? "this kind of socket has no such option, or it can only be set"
          : "this kind of socket has no such option, or this kernel was built without it",
        advice:
          "use TCP_ options on TCP sockets, UDP_ options on UDP sockets, IPV6_ options on IPv6",
      };
    case "EPERM":
      return {
        meaning: "the kernel lets only privileged users set it to that",
        advice: name.endsWith("BUFFORCE")
          ? `run as root, or set ${name.replace("FORCE", "")}, which the kernel limits`
          : "run as root, or as a user with CAP_NET_ADMIN",
      };
    case "ENODEV":
      return {
        meaning: `there is no interface ${Deno.inspect(value)} in the socket's network namespace`,
        advice: "make the socket in the interface's namespace, or check the name",
      };
    case "EINVAL":
      return {
        meaning: value === undefined
          ? "the socket cannot tell it in its present state"
          : `the kernel does not take ${got(value)} for it, or not in the socket's present state`,
        advice: name === "TCP_MAXSEG"
          ? "use 88 to 32767 bytes, or 0 for the kernel's own choice"
          : "see man 7 socket, tcp, udp and ip for what it takes and when",
      };
  }
  return {};
}
