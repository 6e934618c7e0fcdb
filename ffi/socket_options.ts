/**
 * Socket options under their kernel names: level and number of each, as on x86-64 and aarch64.
 *
 * @module
 */

const SOL_SOCKET = 1;
const IPPROTO_IP = 0;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
const IPPROTO_IPV6 = 41;

/** Level and number of each option. */
export const SOCKET_OPTIONS = {
  SO_REUSEADDR: [SOL_SOCKET, 2],
  SO_ERROR: [SOL_SOCKET, 4],
  SO_SNDBUF: [SOL_SOCKET, 7],
  SO_RCVBUF: [SOL_SOCKET, 8],
  SO_KEEPALIVE: [SOL_SOCKET, 9],
  SO_PRIORITY: [SOL_SOCKET, 12],
  SO_REUSEPORT: [SOL_SOCKET, 15],
  SO_BINDTODEVICE: [SOL_SOCKET, 25],
  SO_SNDBUFFORCE: [SOL_SOCKET, 32],
  SO_RCVBUFFORCE: [SOL_SOCKET, 33],
  SO_MARK: [SOL_SOCKET, 36],
  SO_RXQ_OVFL: [SOL_SOCKET, 40],
  SO_BUSY_POLL: [SOL_SOCKET, 46],
  SO_INCOMING_CPU: [SOL_SOCKET, 49],
  SO_INCOMING_NAPI_ID: [SOL_SOCKET, 56],
  SO_ZEROCOPY: [SOL_SOCKET, 60],
  SO_PREFER_BUSY_POLL: [SOL_SOCKET, 69],
  SO_BUSY_POLL_BUDGET: [SOL_SOCKET, 70],
  IP_MTU_DISCOVER: [IPPROTO_IP, 10],
  IP_RECVERR: [IPPROTO_IP, 11],
  IPV6_RECVERR: [IPPROTO_IPV6, 25],
  IPV6_V6ONLY: [IPPROTO_IPV6, 26],
  TCP_NODELAY: [IPPROTO_TCP, 1],
  TCP_MAXSEG: [IPPROTO_TCP, 2],
  TCP_CORK: [IPPROTO_TCP, 3],
  TCP_QUICKACK: [IPPROTO_TCP, 12],
  TCP_USER_TIMEOUT: [IPPROTO_TCP, 18],
  UDP_CORK: [IPPROTO_UDP, 1],
  UDP_SEGMENT: [IPPROTO_UDP, 103],
  UDP_GRO: [IPPROTO_UDP, 104],
} as const satisfies Record<string, readonly [level: number, name: number]>;

/** The name of a socket option. */
export type SocketOption = keyof typeof SOCKET_OPTIONS;
