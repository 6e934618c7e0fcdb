/**
 * Two sockets that are connected with each other, one at each end of a testbed.
 *
 * @module
 */
import { Socket } from "../../../ffi/net/socket.ts";
import type { Ring } from "../../../ffi/ring/ring.ts";
import type { Testbed } from "../testbed/testbed.ts";

/** Two connected sockets, which are closed together. */
export interface ConnectedSockets extends Disposable {
  /** At the near end; of TCP the client. */
  readonly near: Socket;
  /** At the far end; of TCP the server. */
  readonly far: Socket;
}

/** How to connect. */
export interface ConnectedOptions {
  /** What carries the data. TCP sends small messages at once (`TCP_NODELAY`). */
  readonly protocol: "udp" | "tcp";
  /** The port at the far end; the near end of UDP has the next one. */
  readonly port: number;
}

/**
 * Connects two sockets.
 *
 * @param bed Where.
 * @param ring A ring that accepts the connection.
 * @param options How.
 * @throws {UringError} If the kernel refuses, as when the port is taken.
 */
export async function connectEnds(
  bed: Testbed,
  ring: Ring,
  { protocol, port }: ConnectedOptions,
): Promise<ConnectedSockets> {
  using stack = new DisposableStack();
  let near: Socket;
  let far: Socket;
  if (protocol === "udp") {
    near = stack.use(Socket.udp(bed.near)).bind(bed.near.address(port + 1));
    far = stack.use(Socket.udp(bed.far)).bind(bed.far.address(port));
    far.connect(near.localAddress!);
    near.connect(far.localAddress!);
  } else {
    using listener = Socket.tcp(bed.far).setOption("SO_REUSEADDR", true)
      .bind(bed.far.address(port)).listen();
    near = stack.use(Socket.tcp(bed.near)).connectBlocking(listener.localAddress!);
    far = stack.use(await ring.accept(listener));
    for (const socket of [near, far]) socket.setOption("TCP_NODELAY", true);
  }
  const held = stack.move();
  return { near, far, [Symbol.dispose]: () => held.dispose() };
}
