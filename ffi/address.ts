/**
 * Socket addresses as text and as the kernel has them.
 *
 * @module
 */
import { checkObject, wrongKind } from "./arguments.ts";
import { native } from "./native.ts";
import { unwrap } from "./errors.ts";
import { AF } from "./uapi.ts";

/** A numeric IPv4 or IPv6 address and a port. Names are not looked up. */
export interface Address {
  /** Such as `10.1.0.2` or `fd00::2`. */
  readonly host: string;
  /** 0 to 65535; 0 lets the kernel choose, where that makes sense. */
  readonly port: number;
}

/** Bytes of `struct sockaddr_storage`. */
const STORAGE = 128;

/**
 * An address as `struct sockaddr_in` or `sockaddr_in6`.
 *
 * @throws {RangeError} If it is not a numeric address or the port is out of range.
 */
export function encodeAddress(address: Address): Uint8Array<ArrayBuffer> {
  checkObject("address", address);
  const { host, port } = address;
  if (typeof host !== "string") throw wrongKind("host", "a numeric address as text", host);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new RangeError(`Port ${port} is not a whole number from 0 to 65535`);
  }
  const text = new TextEncoder().encode(`${host}\0`);
  const storage = new ArrayBuffer(STORAGE);
  const length = native().zclab_parse_address(text.buffer, port, storage);
  // For C the text ends at the first zero byte.
  if (length < 0 || host.includes("\0")) {
    throw new RangeError(`${JSON.stringify(host)} is not a numeric IPv4 or IPv6 address`);
  }
  return new Uint8Array(storage, 0, length);
}

/** The address in a `struct sockaddr_in` or `sockaddr_in6`, or undefined for other families. */
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
