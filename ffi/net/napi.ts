/**
 * NAPI contexts: what the kernel polls, usually one for each receive queue of an interface. Each has
 * an id, and a socket remembers the one that its last packet came from.
 *
 * @module
 */
import type { Address } from "../kernel/address.ts";
import { checkKind } from "../kernel/arguments.ts";
import { unwrap } from "../kernel/errors.ts";
import { native } from "../kernel/native.ts";
import { Socket } from "./socket.ts";
import { pollingOption } from "./socket_polling.ts";

const SOL_SOCKET = 1;
const SO_ACCEPTCONN = 30;

/** The NAPI context that a socket got its last packet from. */
export interface IncomingNapi {
  /** Its id, or 0 if there is none. */
  readonly id: number;
  /** Why the id is 0 as far as that can be known, or undefined if it is not 0. */
  readonly why: string | undefined;
}

/**
 * The NAPI context that a socket got its last packet from (`SO_INCOMING_NAPI_ID`, 4.12), which is
 * what busy polling polls.
 *
 * @param socket The socket.
 * @returns The id, or 0 with the reason: the one that is certain, else all that are possible.
 * @throws {UnsupportedError} If this kernel was built without busy polling.
 * @throws {ClosedError} If the socket is closed.
 *
 * @example Loopback has no NAPI
 * ```ts
 * import { napiIdOf, Socket } from "zclab";
 * import { assertEquals, assertStringIncludes } from "@std/assert";
 *
 * using socket = Socket.udp().bind({ host: "127.0.0.1", port: 0 });
 * const { id, why } = napiIdOf(socket);
 * assertEquals(id, 0);
 * assertStringIncludes(why!, "loopback");
 * ```
 */
export function napiIdOf(socket: Socket): IncomingNapi {
  checkKind("socket", Socket, socket);
  const id = pollingOption(socket, "SO_INCOMING_NAPI_ID") >>> 0;
  return { id, why: id === 0 ? whyNone(socket) : undefined };
}

function whyNone(socket: Socket): string {
  const local = socket.localAddress;
  const remote = socket.remoteAddress;
  if (local === undefined || local.port === 0) {
    return "the socket is neither bound nor connected, so no packet can have reached it";
  }
  if (isLoopback(local) || (remote !== undefined && isLoopback(remote))) {
    return "its packets go through the loopback interface, which has no NAPI";
  }
  if (remote !== undefined && remote.host === local.host) {
    return "it talks to its own address, which goes through the loopback interface, and that " +
      "has no NAPI";
  }
  const without = "the interface hands packets over without NAPI: a veth does unless it has gro " +
    "on and its peer tso off, and so do tunnels and the virtual NICs of some clouds";
  if (socket.protocol === "udp") {
    return `one of these: no packet has arrived yet; or ${without}`;
  }
  if (remote !== undefined) return `packets have arrived (it is connected), but ${without}`;
  return isListening(socket)
    ? "a listening socket has no id: ask a connection that it has accepted"
    : "it is not connected, so no packet has arrived";
}

function isLoopback({ host }: Address): boolean {
  return host === "::1" || host.replace(/^::ffff:/, "").startsWith("127.");
}

function isListening(socket: Socket): boolean {
  const value = new Int32Array(1);
  unwrap(
    "getsockopt SO_ACCEPTCONN",
    native().zclab_getsockopt(socket.fd, SOL_SOCKET, SO_ACCEPTCONN, value.buffer, 4),
  );
  return value[0] === 1;
}
