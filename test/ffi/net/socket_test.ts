import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Area, ClosedError, Ring, Socket, Testbed, UringError } from "zclab";
import { bytesOf, connectTcp, connectUdp, textOf } from "../connections.ts";
import { test } from "../../needs.ts";

for (const family of [4, 6] as const) {
  Deno.test(`Socket.udp() binds, connects, sends and receives (IPv${family})`, async () => {
    using bed = await Testbed.loopback();
    using area = Area.map({ bytes: 4096 });
    using connection = connectUdp(bed, family);
    const { near, far } = connection;
    assertEquals([near.protocol, near.family, near.closed], ["udp", family, false]);
    assertEquals(far.localAddress!.host, bed.far.address(0, family).host);
    assert(far.localAddress!.port > 0);
    assertEquals(near.remoteAddress, far.localAddress);
    assertEquals(far.remoteAddress, undefined);

    const incoming = area.slice(2048, 100);
    assertEquals(far.tryReceive(incoming), undefined);
    assertEquals(near.sendBlocking(area.slice(0, 5).write(bytesOf("hello"))), 5);
    assertEquals(far.tryReceive(incoming), 5);
    assertEquals(textOf(incoming.bytes.subarray(0, 5)), "hello");
    assertEquals(near.sendBlocking(area.slice(0, 0)), 0);
    assertEquals(far.tryReceive(incoming), 0);
    assertMatch(
      Deno.inspect(near),
      new RegExp(`^Socket \\{ udp, IPv${family}, fd: \\d+, local: .* port \\d+, remote: .* \\}$`),
    );
  });

  Deno.test(`Socket.tcp() connects, sends, receives and shuts down (IPv${family})`, async () => {
    using bed = await Testbed.loopback();
    using area = Area.map({ bytes: 4096 });
    using ring = Ring.open();
    using connection = await connectTcp(ring, bed, { family });
    const { near, far } = connection;
    assertEquals([near.protocol, far.protocol, far.family], ["tcp", "tcp", family]);
    assertEquals(near.remoteAddress, far.localAddress);
    assertEquals(far.remoteAddress, near.localAddress);

    const incoming = area.slice(2048, 100);
    near.sendBlocking(area.slice(0, 3).write(bytesOf("abc")));
    assertEquals(far.tryReceive(incoming), 3);
    near.shutdown("write");
    assertEquals(far.tryReceive(incoming), 0);
    far.sendBlocking(area.slice(0, 2));
    assertEquals(near.tryReceive(incoming), 2);
    const error = assertThrows(() => near.sendBlocking(area.slice(0, 1)), UringError);
    assertEquals([error.operation, error.code], ["send", "EPIPE"]);
  });
}

Deno.test("Socket says what is wrong with an address", async () => {
  using bed = await Testbed.loopback();
  using socket = Socket.udp(bed.near).bind(bed.near.address(0));
  using second = Socket.udp(bed.near);
  const taken = assertThrows(() => second.bind(socket.localAddress!), UringError);
  assertEquals([taken.operation, taken.code], ["bind", "EADDRINUSE"]);
  const foreign = assertThrows(() => second.bind({ host: "10.99.0.1", port: 1 }), UringError);
  assertEquals(foreign.code, "EADDRNOTAVAIL");
  const family = assertThrows(() => second.connect({ host: "::1", port: 1 }), UringError);
  assertEquals(family.code, "EAFNOSUPPORT");
  assertThrows(() => second.connect({ host: "localhost", port: 1 }), RangeError, "numeric");
  assertThrows(() => second.bind({ host: "127.0.0.1", port: 65536 }), RangeError, "65536");
  const route = assertThrows(() => second.connect({ host: "10.99.0.1", port: 1 }), UringError);
  assertEquals(route.code, "ENETUNREACH");
  assertMatch(route.advice, /namespace/);
});

Deno.test("Socket.connectBlocking() says ECONNREFUSED where nobody listens", async () => {
  using bed = await Testbed.loopback();
  using closed = Socket.tcp(bed.far).bind(bed.far.address(0));
  using socket = Socket.tcp(bed.near);
  const error = assertThrows(() => socket.connectBlocking(closed.localAddress!), UringError);
  assertEquals([error.operation, error.code], ["connect", "ECONNREFUSED"]);
  assertThrows(() => socket.connect(closed.localAddress!), TypeError, "connectBlocking");
  // The socket can try again.
  closed.listen();
  socket.connectBlocking(closed.localAddress!);
  assertEquals(socket.remoteAddress, closed.localAddress);
});

test("Socket.connectBlocking() gives up when nobody answers in time", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink();
  using socket = Socket.tcp(bed.near);
  const error = assertThrows(
    () => socket.connectBlocking(bed.far.address(9000), { timeout: 20 }),
    UringError,
  );
  assertEquals([error.operation, error.code], ["connect", "ETIMEDOUT"]);
});

Deno.test("Socket.receive() says ECONNRESET when the peer resets", async () => {
  using bed = await Testbed.loopback();
  using area = Area.map({ bytes: 4096 });
  using ring = Ring.open();
  using connection = await connectTcp(ring, bed);
  // Closing a socket with unread data resets the connection.
  connection.near.sendBlocking(area.slice(0, 100));
  connection.far.close();
  const error = assertThrows(() => connection.near.tryReceive(area.slice()), UringError);
  assertEquals([error.operation, error.code], ["recv", "ECONNRESET"]);
});

Deno.test("Socket options have their kernel names", async () => {
  using bed = await Testbed.loopback();
  using socket = Socket.tcp(bed.near);
  assertEquals(socket.option("TCP_NODELAY"), 0);
  assertEquals(socket.setOption("TCP_NODELAY", true), socket);
  assertEquals(socket.option("TCP_NODELAY"), 1);
  socket.setOption("SO_ZEROCOPY", 1).setOption("SO_RCVBUF", 10_000);
  // The kernel doubles it, for its own needs.
  assertEquals([socket.option("SO_ZEROCOPY"), socket.option("SO_RCVBUF")], [1, 20_000]);
  assertEquals(socket.option("SO_ERROR"), 0);
  socket.setOption("SO_BINDTODEVICE", "lo");

  using udp = Socket.udp(bed.near);
  const error = assertThrows(() => udp.setOption("TCP_NODELAY", true), UringError);
  assertEquals([error.operation, error.code], ["setsockopt TCP_NODELAY", "ENOPROTOOPT"]);
  const absent = assertThrows(() => udp.setOption("SO_BINDTODEVICE", "nowhere0"), UringError);
  assertEquals(absent.code, "ENODEV");
});

Deno.test("A socket belongs to the namespace in which it was made", async () => {
  using first = await Testbed.loopback();
  using second = await Testbed.loopback();
  const address = first.near.address(9000);
  using a = Socket.udp(first.near).bind(address);
  using b = Socket.udp(second.near).bind(address);
  assertEquals(a.localAddress, b.localAddress);
});

Deno.test("Socket.udp() in a closed testbed throws ClosedError", async () => {
  const bed = await Testbed.loopback();
  bed.close();
  assertThrows(() => Socket.udp(bed.near), ClosedError, "Testbed");
});

for (const family of [4, 6] as const) {
  Deno.test(`UDP_SEGMENT sends one buffer as separate datagrams (IPv${family})`, async () => {
    using bed = await Testbed.loopback();
    using connection = connectUdp(bed, family);
    using ring = Ring.open();
    using area = Area.map({ bytes: 16384 });
    const { near, far } = connection;
    near.setOption("UDP_SEGMENT", 1000);
    assertEquals(near.option("UDP_SEGMENT"), 1000);
    const outgoing = area.slice(0, 3500);
    outgoing.bytes.forEach((_, i, bytes) => bytes[i] = Math.floor(i / 1000) * 16 + i % 7);
    const incoming = area.slice(8192, 2000);

    const sends = [
      (): Promise<number> => Promise.resolve(near.sendBlocking(outgoing)),
      (): Promise<number> => ring.send(near, outgoing),
      async (): Promise<number> => {
        const { bytes, released } = await ring.sendZc(near, outgoing);
        await released;
        return bytes;
      },
    ];
    for (const send of sends) {
      assertEquals(await send(), 3500);
      for (const [at, length] of [[0, 1000], [1000, 1000], [2000, 1000], [3000, 500]] as const) {
        assertEquals(far.tryReceive(incoming), length);
        assertEquals(
          incoming.bytes.subarray(0, length),
          outgoing.bytes.subarray(at, at + length),
        );
      }
      assertEquals(far.tryReceive(incoming), undefined);
    }
    // A GSO packet has at most so many segments that its headers' length fields can say.
    near.setOption("UDP_SEGMENT", 1);
    const error = assertThrows(() => near.sendBlocking(outgoing), UringError);
    assert(["EINVAL", "EMSGSIZE"].includes(error.code), error.code);
  });
}

Deno.test("Socket throws ClosedError after close, all of its methods", () => {
  const socket = Socket.udp();
  using area = Area.map({ bytes: 4096 });
  const { fd } = socket;
  const isOpen = (): boolean => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  };
  assert(isOpen());
  socket.close();
  assert(!isOpen());
  // Another file may have the number by now: a second close must not close that.
  using other = Socket.udp();
  assertEquals(other.fd, fd);
  socket.close();
  socket[Symbol.dispose]();
  assert(isOpen());

  const address = { host: "127.0.0.1", port: 1 };
  const calls: Record<string, () => unknown> = {
    fd: () => socket.fd,
    localAddress: () => socket.localAddress,
    remoteAddress: () => socket.remoteAddress,
    bind: () => socket.bind(address),
    connect: () => socket.connect(address),
    connectBlocking: () => socket.connectBlocking(address),
    listen: () => socket.listen(),
    shutdown: () => socket.shutdown(),
    setOption: () => socket.setOption("SO_RCVBUF", 1),
    option: () => socket.option("SO_RCVBUF"),
    receiveBlocking: () => socket.receiveBlocking(area.slice(), 1),
    sendBlocking: () => socket.sendBlocking(area.slice()),
    tryReceive: () => socket.tryReceive(area.slice()),
  };
  for (const call of Object.values(calls)) assertThrows(call, ClosedError, "Socket is closed");
  const telling = ["close", "closed", "constructor", "family", "protocol"];
  assertEquals(
    [...Object.keys(calls), ...telling].sort(),
    Object.getOwnPropertyNames(Socket.prototype).sort(),
  );
  assertEquals(Deno.inspect(socket), "Socket { closed }");
});

Deno.test("Requests with a closed socket throw ClosedError, registered or not", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  for (const registered of [false, true]) {
    const socket = Socket.udp(bed.near).bind(bed.near.address(0));
    const address = socket.localAddress!;
    if (registered) ring.register(socket);
    socket.close();
    assertThrows(() => ring.batch.send(socket, area.slice(0, 1)), ClosedError, "Socket");
    assertThrows(() => ring.batch.recv(socket, area.slice(0, 1)), ClosedError, "Socket");
    assertThrows(() => ring.batch.poll(socket, 1), ClosedError, "Socket");
    assertThrows(() => ring.register(socket), ClosedError, "Socket");
    assertEquals([ring.inFlight, area.inFlight], [0, 0]);
    // Closing has unregistered it, or the kernel would keep the file open, and with it the port.
    ring.unregister(socket);
    using successor = Socket.udp(bed.near);
    successor.bind(address);
    assertEquals(ring.register(successor), 0);
  }
});
