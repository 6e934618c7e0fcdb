/**
 * Why a send on a socket was too long, or had too many segments: which limit it hit.
 *
 * @module
 */
import { describeErrno, type Explanation, kernelIsAtLeast, UringError } from "../kernel/errors.ts";
import type { Address } from "../kernel/address.ts";
import type { SocketOption } from "./socket_options.ts";

const UDP_HEADER = 8;
const IP_HEADER = { 4: 20, 6: 40 } as const;
/** Bytes in one UDP datagram: 65535 less the headers that the length field counts. */
export const DATAGRAM_BYTES = { 4: 65_507, 6: 65_527 } as const;
/** `UDP_MAX_SEGMENTS` of linux/udp.h: segments in one send with UDP_SEGMENT. */
export const MOST_SEGMENTS = 128;

/** What is asked of a socket that could not send. */
interface Sender {
  readonly protocol: "udp" | "tcp";
  readonly family: 4 | 6;
  readonly remoteAddress: Address | undefined;
  option(name: SocketOption): number;
}

/** What a socket's datagrams must fit, in bytes. */
interface Limits {
  readonly family: 4 | 6;
  /** Length of a segment, 0 where UDP_SEGMENT is off. */
  readonly segment: number;
  /** Of the path, or undefined where it is not known, as on a socket that is not connected. */
  readonly mtu: number | undefined;
  /** Payload of the longest packet that is not fragmented. */
  readonly unfragmented: number;
}

function limitsOf(socket: Sender): Limits {
  const option = (name: "UDP_SEGMENT" | "IP_MTU" | "IPV6_MTU"): number | undefined => {
    try {
      return socket.option(name);
    } catch (error) {
      if (error instanceof UringError) return undefined;
      throw error;
    }
  };
  // An IPv6 socket that sends to an IPv4 address sends IPv4.
  const mapped = socket.remoteAddress?.host.includes(".") ?? false;
  const family = socket.family === 4 || mapped ? 4 : 6;
  const mtu = option(family === 4 ? "IP_MTU" : "IPV6_MTU");
  return {
    family,
    segment: option("UDP_SEGMENT") ?? 0,
    mtu,
    unfragmented: (mtu ?? Infinity) - IP_HEADER[family] - UDP_HEADER,
  };
}

/**
 * Names the limit that a failed send hit, and what fits it.
 *
 * @param errno The positive errno.
 * @param bytes What was to be sent at once: all segments of it, where UDP_SEGMENT is in use.
 * @returns Nothing where the limits do not explain it.
 */
export function explainSend(socket: Sender, errno: number, bytes: number): Partial<Explanation> {
  if (socket.protocol !== "udp") return {};
  switch (describeErrno(errno)[0]) {
    case "EMSGSIZE":
      return explainLength(limitsOf(socket), bytes);
    case "EINVAL":
      return explainSegments(limitsOf(socket), bytes);
    case "EIO":
      return explainOffload(limitsOf(socket));
  }
  return {};
}

function explainLength(limits: Limits, bytes: number): Partial<Explanation> {
  const { family, segment, mtu, unfragmented } = limits;
  const most = DATAGRAM_BYTES[family];
  if (bytes > most) {
    const what = segment === 0 ? "a UDP datagram has" : "one send has, all its segments together,";
    return {
      meaning: `${bytes} bytes are more than ${what} over IPv${family}: at most ${most}`,
      advice: segment === 0
        ? `send at most ${most} bytes at once`
        : `send at most ${mostSegmented(segment, most)} bytes at once in segments of ${segment}`,
    };
  }
  const length = Math.min(bytes, segment);
  if (length > unfragmented) return tooLongSegment(limits, length);
  if (segment === 0 && bytes > unfragmented) {
    return {
      meaning: `${bytes} bytes do not fit a packet of the path's MTU of ${mtu} bytes, and ` +
        "IP_MTU_DISCOVER forbids fragments",
      advice: `send at most ${unfragmented} bytes at once, raise the MTU, or allow fragments`,
    };
  }
  return {};
}

/** Whole segments where more than one fits. */
function mostSegmented(segment: number, most: number): number {
  return Math.max(1, Math.min(MOST_SEGMENTS, Math.floor(most / segment))) * segment;
}

function tooLongSegment({ mtu, unfragmented }: Limits, length: number): Partial<Explanation> {
  return {
    meaning:
      `a segment of ${length} bytes, as UDP_SEGMENT cuts them, does not fit a packet of the ` +
      `path's MTU of ${mtu} bytes`,
    advice: `set UDP_SEGMENT to at most ${unfragmented}, or raise the MTU`,
  };
}

function explainSegments(limits: Limits, bytes: number): Partial<Explanation> {
  const { segment, unfragmented } = limits;
  if (segment === 0) return {};
  const segments = Math.ceil(bytes / segment);
  const exact = kernelIsAtLeast("6.9");
  if (segments > MOST_SEGMENTS || (!exact && segments > MOST_SEGMENTS / 2)) {
    const most = exact ? MOST_SEGMENTS : "64 before Linux 6.9, 128 since";
    return {
      meaning:
        `${bytes} bytes are ${segments} segments of ${segment} bytes (UDP_SEGMENT): one send ` +
        `has at most ${most}`,
      advice: `send at most ${(exact ? 1 : 0.5) * MOST_SEGMENTS * segment} bytes at once, or set ` +
        "UDP_SEGMENT to longer segments",
    };
  }
  // Older kernels say so of a segment that is too long.
  const length = Math.min(bytes, segment);
  return length > unfragmented ? tooLongSegment(limits, length) : {};
}

function explainOffload({ segment }: Limits): Partial<Explanation> {
  if (segment === 0) return {};
  return {
    meaning: "UDP_SEGMENT does not work on this route: its interface leaves checksums to the " +
      "kernel (before Linux 6.11), or it is encrypted by IPsec",
    advice: "set UDP_SEGMENT to 0, and send the datagrams one by one",
  };
}
