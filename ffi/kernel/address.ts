/**
 * Socket addresses as text and as the kernel has them.
 *
 * @module
 */
import { checkWhole, wrongKind } from "./arguments.ts";
import { native } from "./native.ts";
import { unwrap } from "./errors.ts";
import { AF, SOCK } from "./uapi.ts";

/** A numeric IPv4 or IPv6 address and a port. Names are not looked up. */
export interface Address {
  /**
   * Such as `10.1.0.2` or `fd00::2`. A link-local address has its interface behind it, by name or by
   * number: `fe80::2%eth0`, `fe80::2%3`. A name is looked up in the namespace of the socket that the
   * address is for.
   */
  readonly host: string;
  /** 0 to 65535; 0 lets the kernel choose, where that makes sense. */
  readonly port: number;
}

/** Bytes of `struct sockaddr_storage`. */
const STORAGE = 128;

/**
 * An address as `struct sockaddr_in` or `sockaddr_in6`.
 *
 * @param address The address.
 * @param socket The descriptor of a socket in the namespace in which an interface that is named in
 *   the address is looked up; without it, the caller's namespace. Asked for only when it is needed.
 * @throws {RangeError} If it is not a numeric address, its interface is not there, or the port is out
 *   of range.
 * @throws {TypeError} If it is no address at all.
 */
export function encodeAddress(address: Address, socket?: () => number): Uint8Array<ArrayBuffer> {
  if (typeof address !== "object" || address === null || typeof address.host !== "string") {
    throw wrongKind("address", "{ host, port } with a text as host", address);
  }
  const { host, port } = address;
  checkWhole("port", port, 0, 65535);
  const percent = host.indexOf("%");
  const [numeric, zone] = percent < 0
    ? [host, undefined]
    : [host.slice(0, percent), host.slice(percent + 1)];
  // Before the interface is looked up: that the address is none is the worse mistake.
  const bytes = parse(host, numeric, port);
  if (zone === undefined) return bytes;
  if (!isLinkLocal(bytes)) {
    throw new RangeError(
      `${JSON.stringify(host)} names an interface, which only link-local IPv6 addresses have`,
    );
  }
  return parse(host, `${numeric}%${scopeOf(host, zone, socket)}`, port);
}

/** What it is called in errors, the text that is parsed, and the port. */
function parse(host: string, text: string, port: number): Uint8Array<ArrayBuffer> {
  const storage = new ArrayBuffer(STORAGE);
  const length = native().zclab_parse_address(terminated(text), port, storage);
  // For C the text ends at the first zero byte.
  if (length < 0 || text.includes("\0")) {
    throw new RangeError(`${JSON.stringify(host)} is not a numeric IPv4 or IPv6 address`);
  }
  return new Uint8Array(storage, 0, length);
}

/** Unicast fe80::/10, and multicast whose scope is the interface or the link (RFC 4291, 2.7). */
function isLinkLocal(bytes: Uint8Array): boolean {
  if (bytes.length < 28) return false;
  const [first, second] = [bytes[8]!, bytes[9]!];
  if (first === 0xff) return (second & 0xf) === 1 || (second & 0xf) === 2;
  return first === 0xfe && (second & 0xc0) === 0x80;
}

/** The number of an interface that is given by name or by number. */
function scopeOf(host: string, zone: string, socket: (() => number) | undefined): number {
  if (/^\d+$/.test(zone)) {
    const number = Number(zone);
    if (number >= 1 && number <= 0x7fff_ffff) return number;
    throw new RangeError(`${JSON.stringify(host)}: interfaces are numbered from 1 to 2147483647`);
  }
  const index = zone === "" || zone.includes("\0") ? -1 : indexOf(zone, socket);
  if (index > 0) return index;
  throw new RangeError(
    zone === ""
      ? `${JSON.stringify(host)} is not a numeric address: the interface behind % is missing`
      : `${JSON.stringify(host)} is not a numeric address there: that network namespace has no ` +
        `interface ${JSON.stringify(zone)}. What to do: look at ip link`,
  );
}

function indexOf(name: string, socket: (() => number) | undefined): number {
  const text = terminated(name);
  if (socket !== undefined) return native().zclab_interface_index(socket(), text);
  const fd = unwrap(
    "socket",
    native().zclab_socket(-1, -1, AF.INET, SOCK.DGRAM | SOCK.CLOEXEC, 0),
  );
  try {
    return native().zclab_interface_index(fd, text);
  } finally {
    native().zclab_close(fd);
  }
}

function terminated(text: string): ArrayBuffer {
  return new TextEncoder().encode(`${text}\0`).buffer;
}

/**
 * The address in a `struct sockaddr_in` or `sockaddr_in6`, or undefined for other families. The
 * interface of a link-local address is given by its number.
 */
export function decodeAddress(storage: Uint8Array<ArrayBuffer>): Address | undefined {
  const copy = storage.slice();
  const view = new DataView(copy.buffer);
  const family = copy.length < 4 ? 0 : view.getUint16(0, true);
  if (family !== AF.INET && family !== AF.INET6) return undefined;
  const text = new Uint8Array(64);
  const length = unwrap(
    "inet_ntop",
    native().zclab_format_address(copy.buffer, copy.length, text.buffer, text.length),
  );
  return {
    host: new TextDecoder().decode(text.subarray(0, length)),
    port: view.getUint16(2, false),
  };
}
