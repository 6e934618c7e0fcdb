import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  Area,
  BufferRing,
  ClosedError,
  CQE,
  kernelIsAtLeast,
  Message,
  MSG,
  Notifier,
  OP,
  type OperationName,
  type OperationOptions,
  OwnershipError,
  POLL,
  Ring,
  Socket,
  Testbed,
  UnsupportedError,
  UringError,
} from "zclab";
import { OP_SINCE } from "../../../ffi/kernel/uapi.ts";
import {
  assertModule,
  bytesOf,
  connectTcp,
  connectUdp,
  drained,
  isMapped,
  reapAll,
  sleep,
  textOf,
  until,
} from "../connections.ts";
import { PATIENCE } from "../../until.ts";
import { test } from "../../needs.ts";

/** What a promise that must be rejected was rejected with. */
async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await assertRejects(() => promise, UringError);
  return `${error.operation} ${error.code}`;
}

Deno.test("Ring.open() refuses sizes that are none", () => {
  for (const entries of [0, -1, 1.5, NaN, 32769]) {
    assertThrows(() => Ring.open({ entries }), RangeError, "entries must be a whole number");
  }
  for (const completionEntries of [0, 7, 65537, NaN]) {
    assertThrows(() => Ring.open({ entries: 8, completionEntries }), RangeError, "from 8 to 65536");
  }
  for (const size of [0, -1, 1.5, NaN, 1e6]) {
    assertThrows(() => Ring.open({ registeredBuffers: size }), RangeError, "registeredBuffers");
    assertThrows(() => Ring.open({ registeredFiles: size }), RangeError, "registeredFiles");
  }
});

Deno.test("Ring.open() rounds sizes up to powers of two and tells what it got", () => {
  using ring = Ring.open({ entries: 5 });
  assertEquals([ring.entries, ring.completionEntries], [8, 16]);
  using large = Ring.open({ entries: 32768, completionEntries: 65536 });
  assertEquals([large.entries, large.completionEntries], [32768, 65536]);
  assertEquals([ring.closed, ring.inFlight], [false, 0]);
  assertMatch(
    Deno.inspect(ring),
    /^Ring \{ entries: 8, completion entries: 16, flags: [A-Z_ |]+, in flight: 0 \}$/,
  );
});

Deno.test("Ring.supports() knows the operations of this kernel and of older ones", async () => {
  using ring = Ring.open();
  for (const name of Object.keys(OP) as OperationName[]) {
    if (kernelIsAtLeast(OP_SINCE[name])) assertEquals(ring.supports(name), true, name);
  }
  if (!ring.supports("SOCKET")) await assertRejects(() => ring.socket("udp"), UnsupportedError);
});

for (const family of [4, 6] as const) {
  Deno.test(`A connection from socket() to closeFile(), awaited (IPv${family})`, async () => {
    using bed = await Testbed.loopback();
    using ring = Ring.open();
    using area = Area.map({ bytes: 8192 });
    using listener = Socket.tcp(bed.far, { family }).bind(bed.far.address(0, family)).listen();
    using client = Socket.tcp(bed.near, { family });
    const accepting = ring.accept(listener);
    await ring.connect(client, listener.localAddress!);
    using server = await accepting;
    assertEquals([server.protocol, server.family], ["tcp", family]);
    assertEquals(server.remoteAddress, client.localAddress);

    const outgoing = area.slice(0, 11).write(bytesOf("hello world"));
    const incoming = area.slice(4096, 100);
    const receive = async (from: Socket): Promise<string> =>
      textOf(incoming.bytes.subarray(0, await ring.recv(from, incoming)));
    assertEquals(await ring.send(client, outgoing), 11);
    assertEquals(await receive(server), "hello world");
    const { bytes, released } = await ring.sendZc(server, outgoing.slice(6));
    assertEquals([bytes, await receive(client), await released], [5, "world", { copied: true }]);
    assertEquals(await ring.write(client, outgoing.slice(0, 5)), 5);
    assertEquals(await ring.poll(server, POLL.IN), POLL.IN);
    const got = await ring.read(server, incoming);
    assertEquals(textOf(incoming.bytes.subarray(0, got)), "hello");

    await ring.shutdown(client, "write");
    assertEquals(await ring.recv(server, incoming), 0);
    assertEquals(await codeOf(ring.send(client, outgoing)), "SEND EPIPE");
    assertEquals([ring.inFlight, area.inFlight], [0, 0]);
  });
}

Deno.test("socket() makes sockets, and closeFile() closes descriptors", async () => {
  using ring = Ring.open();
  for (const [protocol, family] of [["udp", 4], ["tcp", 6]] as const) {
    using socket = await ring.socket(protocol, family);
    assertEquals([socket.protocol, socket.family], [protocol, family]);
    assert(socket.fd > 2);
  }
  assertEquals(await codeOf(ring.closeFile(1_000_000)), "CLOSE EBADF");
});

Deno.test("acceptMultishot() accepts one connection after the other", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using listener = Socket.tcp(bed.far).bind(bed.far.address(0)).listen();
  const clients = Array.from({ length: 5 }, () => Socket.tcp(bed.near));
  let accepted = 0;
  for (const client of clients.slice(0, 2)) client.connectBlocking(listener.localAddress!);
  for await (using server of ring.acceptMultishot(listener)) {
    assertEquals(server.remoteAddress, clients[accepted]!.localAddress);
    if (++accepted === 5) break;
    if (accepted >= 2) await ring.connect(clients[accepted]!, listener.localAddress!);
  }
  assertEquals([accepted, ring.inFlight], [5, 0]);
  for (const client of clients) client.close();
});

Deno.test("acceptMultishot() closes what was accepted after the loop was left", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  using listener = Socket.tcp(bed.far).bind(bed.far.address(0)).listen();
  using first = Socket.tcp(bed.near).connectBlocking(listener.localAddress!);
  using second = Socket.tcp(bed.near).connectBlocking(listener.localAddress!);
  for await (using server of ring.acceptMultishot(listener)) {
    assertEquals(server.remoteAddress, first.localAddress);
    break;
  }
  assertEquals(ring.inFlight, 0);
  assertEquals(await ring.recv(second, area.slice(0, 10), { timeout: 5000 }), 0);
});

Deno.test("A peer that resets is ECONNRESET, wherever it is seen", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 16 << 20 });
  const [outgoing, incoming] = [area.slice(0, 1000), area.slice(4096, 100)];
  // More than the buffers of both ends take.
  const all = area.slice(8192, 15 << 20);
  /** A connection whose far end resets it, because it is closed with unread data. */
  const reset = async (): Promise<Socket> => {
    const { near, far } = await connectTcp(ring, bed);
    await ring.send(near, outgoing);
    far.close();
    return near;
  };
  {
    using near = await reset();
    assertEquals(await codeOf(ring.recv(near, incoming)), "RECV ECONNRESET");
    assertEquals(await codeOf(ring.send(near, outgoing)), "SEND EPIPE");
  }
  {
    using near = await reset();
    assertEquals(await codeOf(ring.sendZc(near, outgoing)), "SEND_ZC ECONNRESET");
  }
  {
    using near = await reset();
    const slot = new Notifier(ring);
    ring.batch.sendMsgZc(near, new Message([outgoing]), slot);
    const { sent, failed, copied, error } = await slot.flush();
    assertEquals([sent, failed, copied, error!.code], [0, 1, 0, "ECONNRESET"]);
  }
  {
    // While a receive waits.
    using connection = await connectTcp(ring, bed);
    await ring.send(connection.near, outgoing);
    const receiving = ring.recv(connection.near, incoming);
    await ring.timeout(1);
    connection.far.close();
    assertEquals(await codeOf(receiving), "RECV ECONNRESET");
  }
  {
    // While a send waits: what was sent of it counts, the next one is told.
    using connection = await connectTcp(ring, bed, { receiveBuffer: 4096 });
    const sending = ring.send(connection.near, all, { flags: MSG.WAITALL });
    await ring.timeout(1);
    connection.far.close();
    const sent = await sending;
    assert(sent > 0 && sent < all.length, `${sent}`);
    const code = await codeOf(ring.send(connection.near, outgoing));
    assert(["SEND ECONNRESET", "SEND EPIPE"].includes(code), code);
  }
  assertEquals([ring.inFlight, area.inFlight], [0, 0]);
});

Deno.test("Connecting where nobody listens is ECONNREFUSED", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using closed = Socket.tcp(bed.far).bind(bed.far.address(0));
  using client = Socket.tcp(bed.near);
  assertEquals(
    await codeOf(ring.connect(client, closed.localAddress!)),
    "CONNECT ECONNREFUSED",
  );
  await assertRejects(() => ring.connect(client, { host: "x", port: 1 }), RangeError, "numeric");
});

Deno.test("A UDP send to a port that nobody has is ECONNREFUSED the next time", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  using connection = connectUdp(bed);
  connection.far.close();
  assertEquals(await ring.send(connection.near, area.slice(0, 10)), 10);
  assertEquals(await codeOf(ring.send(connection.near, area.slice(0, 10))), "SEND ECONNREFUSED");
});

// === Timers, time limits, cancelling ===

Deno.test("Timers run while a receive is awaited", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  using connection = connectUdp(bed);
  let ticks = 0;
  const timer = setInterval(() => {
    if (++ticks === 5) ring.send(connection.near, area.slice(0, 10));
  }, 1);
  // It ends only because the timer ticks.
  assertEquals(await ring.recv(connection.far, area.slice(2048, 100)), 10);
  clearInterval(timer);
  assertEquals(ticks >= 5, true);
});

Deno.test("Timers run during a tight loop of awaited operations", async () => {
  using ring = Ring.open();
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  // It ends only because the timer ticks.
  const end = performance.now() + PATIENCE * 1000;
  while (ticks < 5 && performance.now() < end) await ring.nop();
  clearInterval(timer);
  assert(ticks >= 5);
  assertEquals(ring.inFlight, 0);
});

Deno.test("timeout() resolves, not before its time", async () => {
  using ring = Ring.open();
  const startedAt = performance.now();
  await ring.timeout(10);
  assert(performance.now() - startedAt >= 10);
  await ring.timeout(0);
  for (const milliseconds of [-1, NaN, Infinity]) {
    await assertRejects(() => ring.timeout(milliseconds), RangeError, "must be finite");
  }
});

Deno.test("The option timeout ends what does not complete, and only that", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  using connection = connectUdp(bed);
  using listener = Socket.tcp(bed.far).bind(bed.far.address(0)).listen();
  const incoming = area.slice(2048, 100);
  const late = [
    ring.recv(connection.far, incoming, { timeout: 5 }),
    ring.poll(connection.far, POLL.IN, { timeout: 5 }),
    ring.accept(listener, { timeout: 5 }),
  ];
  for (const [i, name] of ["RECV", "POLL_ADD", "ACCEPT"].entries()) {
    const error = await assertRejects(() => late[i]!, UringError);
    assertEquals([error.operation, error.code], [name, "ETIME"]);
    assertMatch(error.message, /it did not complete within 5 ms/);
  }
  assertEquals([incoming.state, ring.inFlight], ["free", 0]);

  assertEquals(await ring.nop({ timeout: 60_000 }), 0);
  const received = ring.recv(connection.far, incoming, { timeout: 60_000 });
  await ring.send(connection.near, area.slice(0, 10), { timeout: 60_000 });
  assertEquals(await received, 10);
  await assertRejects(() => ring.nop({ timeout: -1 }), RangeError, "must be finite");
  await drained(ring);
});

Deno.test("The option timeout works however full the submission queue is", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open({ entries: 4 });
  using area = Area.map({ bytes: 4096 });
  using connection = connectUdp(bed);
  for (let prepared = 0; prepared <= 4; prepared++) {
    for (let i = 0; i < prepared; i++) ring.batch.nop(i);
    const receiving = ring.recv(connection.far, area.slice(), { timeout: 2 });
    assertEquals(await codeOf(receiving), "RECV ETIME");
    assertEquals(reapAll(ring).length, prepared);
  }
});

Deno.test("The option timeout needs two entries, and says so", async () => {
  using ring = Ring.open({ entries: 1 });
  await assertRejects(() => ring.nop({ timeout: 10 }), RangeError, "takes 2 entries");
  assertEquals(await ring.nop(), 0);
});

Deno.test("A signal cancels with its reason, before and during the operation", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  using connection = connectUdp(bed);
  const incoming = area.slice(2048, 100);

  const aborted = AbortSignal.abort(new Error("never mind"));
  await assertRejects(
    () => ring.recv(connection.far, incoming, { signal: aborted }),
    Error,
    "never mind",
  );
  assertEquals([incoming.state, ring.inFlight], ["free", 0]);

  const controller = new AbortController();
  const { signal } = controller;
  const receiving = ring.recv(connection.far, incoming, { signal });
  const waiting = ring.timeout(60_000, { signal, timeout: 50_000 });
  await sleep(1);
  assertEquals(incoming.state, "in flight");
  controller.abort(new Error("enough"));
  await assertRejects(() => receiving, Error, "enough");
  await assertRejects(() => waiting, Error, "enough");
  assertEquals(incoming.state, "free");

  const timely = ring.recv(connection.far, incoming, { signal: AbortSignal.timeout(5) });
  const error = await assertRejects(() => timely, DOMException);
  assertEquals(error.name, "TimeoutError");

  // A signal that comes too late changes nothing.
  const late = new AbortController();
  assertEquals(await ring.nop({ signal: late.signal }), 0);
  late.abort();
  await drained(ring);
});

Deno.test("A signal that comes after its operation cancels no other", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  using connection = connectUdp(bed);
  const controller = new AbortController();
  // The places of requests are used again: the next one is likely to get the same.
  await ring.nop({ signal: controller.signal });
  const receives = [0, 1, 2].map((i) => ring.recv(connection.far, area.slice(i * 10, 10)));
  controller.abort();
  await ring.timeout(1);
  for (let i = 0; i < 3; i++) await ring.send(connection.near, area.slice(100, 5));
  assertEquals(await Promise.all(receives), [5, 5, 5]);
});

Deno.test("Every operation takes a signal and a time limit, and leaves nothing when it is refused", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using other = Ring.open();
  using area = Area.map({ bytes: 4096 });
  using connection = connectUdp(bed);
  const { near } = connection;
  const slice = area.slice(0, 10);
  const message = new Message([slice]);
  const calls: ((options: OperationOptions) => Promise<unknown>)[] = [
    (options) => ring.nop(options),
    (options) => ring.send(near, slice, options),
    (options) => ring.sendZc(near, slice, options),
    (options) => ring.sendMsg(near, message, options),
    (options) => ring.sendMsgZc(near, message, options),
    (options) => ring.recv(near, slice, options),
    (options) => ring.recvMsg(near, message, options),
    (options) => ring.read(near, slice, -1, options),
    (options) => ring.write(near, slice, -1, options),
    (options) => ring.accept(near, options),
    (options) => ring.connect(near, bed.far.address(1), options),
    (options) => ring.socket("udp", 4, options),
    (options) => ring.shutdown(near, "both", options),
    (options) => ring.closeFile(1_000_000, options),
    (options) => ring.poll(near, POLL.IN, options),
    (options) => ring.timeout(1, options),
    (options) => ring.cancel(near, options),
    (options) => ring.msgRing(other, 1, 1, options),
  ];
  const signal = AbortSignal.abort(new Error("never mind"));
  for (const call of calls) {
    await assertRejects(() => call({ signal }), Error, "never mind", String(call));
    await assertRejects(() => call({ timeout: -1 }), RangeError, "must be finite", String(call));
    await assertRejects(() => call(null as never), TypeError, "options", String(call));
    await assertRejects(() => call({ signal: 5 as never }), TypeError, "signal", String(call));
  }
  assertEquals([ring.inFlight, slice.state, near.closed], [0, "free", false]);
});

Deno.test("What is linked to an awaited timeout starts then, unless told otherwise", async () => {
  using ring = Ring.open();
  for (const [options, result] of [[{}, 0], [{ etimeSuccess: false }, -125]] as const) {
    const waiting = ring.timeout(1, options);
    ring.batch.link().nop(7);
    await waiting;
    assertEquals(reapAll(ring).map(([userData, result]) => [userData, result]), [[7, result]]);
  }
});

Deno.test("cancel() cancels everything on a file and tells how much", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  using connection = connectUdp(bed);
  using other = connectUdp(bed);
  for (const registered of [false, true]) {
    if (registered) ring.register(connection.far);
    const receives = [0, 1, 2].map((i) => ring.recv(connection.far, area.slice(i * 100, 100)));
    const kept = ring.recv(other.far, area.slice(1000, 100));
    assertEquals(await ring.cancel(connection.far), 3);
    for (const receive of receives) assertEquals(await codeOf(receive), "RECV ECANCELED");
    await ring.send(other.near, area.slice(2000, 7));
    assertEquals(await kept, 7);
  }
  assertEquals([ring.inFlight, area.inFlight], [0, 0]);
});

Deno.test("The ring's promises are rejected for slices that are not free", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  using connection = connectUdp(bed);
  const slice = area.slice(0, 100);
  const receiving = ring.recv(connection.far, slice);
  await assertRejects(() => ring.recv(connection.far, slice), OwnershipError, "RECV: The kernel");
  await assertRejects(() => ring.send(connection.near, slice), OwnershipError, "SEND: The kernel");
  await assertRejects(() => ring.read(connection.far, slice), OwnershipError);
  await ring.send(connection.near, area.slice(200, 5));
  assertEquals(await receiving, 5);
  assertEquals(slice.state, "free");
});

Deno.test("Awaited requests use registered files and buffers", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 8192 });
  using connection = connectUdp(bed);
  ring.register(area);
  ring.register(connection.near);
  ring.register(connection.far);
  const incoming = area.slice(4096, 100);
  const received = ring.recv(connection.far, incoming);
  const outgoing = area.slice(10, 6).write(bytesOf("fixed!"));
  const { bytes, released } = await ring.sendZc(connection.near, outgoing);
  assertEquals([bytes, await received], [6, 6]);
  assertEquals(textOf(incoming.bytes.subarray(0, 6)), "fixed!");
  assertEquals(await released, { copied: true });
});

// === What nobody awaits ===

Deno.test("An operation that nobody awaits does not end the process, however it ends", () => {
  assertModule(
    `
      import { Area, BufferRing, Notifier, Ring, Socket, Testbed } from "zclab";
      const bed = await Testbed.loopback();
      const area = Area.map({ bytes: 1 << 17 });
      const udp = Socket.udp(bed.near).connect(bed.far.address(1));
      const listener = Socket.tcp(bed.far).bind(bed.far.address(0)).listen();
      const refuse = (ring) => {
        ring.send(udp, area.slice(0, 100_000));
        ring.sendZc(udp, area.slice(0, 100_000));
        ring.connect(Socket.tcp(bed.near), bed.far.address(1));
        ring.connect(udp, { host: "nowhere", port: 1 });
        ring.shutdown(listener, "never");
        ring.closeFile(1_000_000);
        ring.timeout(-1);
        ring.nop({ timeout: -1 });
        ring.nop({ signal: AbortSignal.abort() });
        ring.accept(udp);
        ring.send(udp, Area.map({ bytes: 1 }), 1);
      };
      const wait = (ring) => {
        ring.accept(listener);
        ring.accept(listener, { timeout: 1 });
        ring.recv(udp, area.slice(1000, 10));
        ring.timeout(60_000);
        ring.timeout(60_000, { signal: AbortSignal.timeout(1) });
        ring.poll(listener, 1);
      };
      const ring = Ring.open();
      refuse(ring);
      await ring.timeout(10);
      wait(ring);
      await ring.timeout(10);
      const slot = new Notifier(ring);
      slot.flush();
      ring.close();

      // Nothing of what is asked of a closed ring ends it either.
      refuse(ring);
      wait(ring);
      ring.nop();
      ring.socket("udp");
      ring.cancel(listener);
      ring.msgRing(ring, 1, 1);
      slot.flush();
      await new Promise((resolve) => setTimeout(resolve, 20));
      console.log("alive");
    `,
    "alive\n",
  );
});

Deno.test("A pending operation keeps the process alive, a closed ring does not", () => {
  assertModule(
    `
      import { Ring } from "zclab";
      const ring = Ring.open();
      ring.timeout(20).then(() => {
        console.log("done");
        ring.timeout(3_600_000);
        ring.close();
      });
    `,
    "done\n",
  );
});

// === Closing ===

Deno.test("Ring throws or rejects with ClosedError after close, all of its methods", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using area = Area.map({ bytes: 4096 });
  using other = Ring.open();
  const slice = area.slice(0, 10);
  const message = new Message([slice]);
  const { near, far } = connection;
  const ring = Ring.open();
  const buffers = BufferRing.open(ring, { count: 1, bytes: 100 });
  ring.register(near);
  assertEquals([ring.close(), ring.close(), ring.closed], [0, 0, true]);
  ring[Symbol.dispose]();
  await ring[Symbol.asyncDispose]();

  const throwing: Record<string, () => unknown> = {
    register: () => ring.register(area),
    unregister: () => ring.unregister(near),
  };
  const rejecting: Record<string, () => Promise<unknown>> = {
    nop: () => ring.nop(),
    send: () => ring.send(near, slice),
    sendZc: () => ring.sendZc(near, slice),
    sendMsg: () => ring.sendMsg(near, message),
    sendMsgZc: () => ring.sendMsgZc(near, message),
    recv: () => ring.recv(far, slice),
    recvMsg: () => ring.recvMsg(far, message),
    recvMultishot: () => ring.recvMultishot(far, buffers).next(),
    accept: () => ring.accept(near),
    acceptMultishot: () => ring.acceptMultishot(near).next(),
    connect: () => ring.connect(near, bed.far.address(1)),
    socket: () => ring.socket("udp"),
    shutdown: () => ring.shutdown(near),
    closeFile: () => ring.closeFile(99),
    read: () => ring.read(near, slice),
    write: () => ring.write(near, slice),
    poll: () => ring.poll(near, 1),
    timeout: () => ring.timeout(1),
    cancel: () => ring.cancel(near),
    msgRing: () => ring.msgRing(other, 1, 1),
  };
  const vectorized: typeof rejecting = {
    sendVectorized: () => ring.sendVectorized(near, message),
    sendVectorizedZc: () => ring.sendVectorizedZc(near, message),
  };
  if (kernelIsAtLeast("6.17")) Object.assign(rejecting, vectorized);
  for (const [name, call] of Object.entries(throwing)) {
    assertThrows(call, ClosedError, "Ring is closed", name);
  }
  for (const [name, call] of Object.entries(rejecting)) {
    await assertRejects(call, ClosedError, "Ring is closed", name);
  }
  assertThrows(() => new Notifier(ring), ClosedError, "Ring is closed");
  const telling = ["close", "closed", "completionEntries", "constructor", "entries", "flags"]
    .concat("inFlight", "supports");
  assertEquals(
    Object.keys({ ...throwing, ...rejecting, ...vectorized }).concat(telling).sort(),
    Object.getOwnPropertyNames(Ring.prototype).sort(),
  );
  assertEquals([area.inFlight, slice.state], [0, "free"]);
  assertEquals(Deno.inspect(ring), "Ring { closed }");
  buffers.close();
});

Deno.test("close() ends what waits and gives its memory back", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using area = Area.map({ bytes: 4096 });
  const [first, second] = [area.slice(0, 100), area.slice(100, 100)];
  const ring = Ring.open();
  const receiving = ring.recv(connection.far, first);
  const waiting = ring.timeout(60_000);
  ring.batch.recv(connection.far, second, 1);
  assertEquals(ring.inFlight, 3);
  assertEquals(ring.close(), 0);
  assertEquals(await codeOf(receiving), "RECV ECANCELED");
  assertEquals(await codeOf(waiting), "TIMEOUT ECANCELED");
  assertEquals([first.state, second.state, area.inFlight, ring.inFlight], ["free", "free", 0, 0]);
});

Deno.test("await using waits for what is in flight without blocking the event loop", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using area = Area.map({ bytes: 4096 });
  const slice = area.slice(0, 100);
  let waiting: Promise<void>;
  let receiving: Promise<number>;
  {
    await using ring = Ring.open();
    receiving = ring.recv(connection.far, slice);
    waiting = ring.timeout(60_000);
    ring.batch.recv(connection.far, area.slice(200, 10));
    for (let i = 0; i < 500; i++) ring.batch.nop(i);
  }
  assertEquals(await codeOf(receiving), "RECV ECANCELED");
  assertEquals(await codeOf(waiting), "TIMEOUT ECANCELED");
  assertEquals(area.inFlight, 0);
});

/** How a ring is left with zero-copy sends that a peer does not read. */
const WAYS = ["close()", "using", "await using"] as const;

for (const way of WAYS) {
  Deno.test(`Closing with zero-copy sends in flight to a peer that does not read: ${way}`, async () => {
    using bed = await Testbed.loopback();
    // Little of what an ordinary user may lock, and more than both ends take.
    const area = Area.map({ bytes: 2 << 20 });
    const slice = area.slice(0, 1 << 20);
    using helper = Ring.open();
    using connection = await connectTcp(helper, bed, { receiveBuffer: 4096 });
    connection.near.setOption("SO_SNDBUF", 65536);

    const send = (ring: Ring): void => {
      ring.batch.sendZc(connection.near, slice, 1).submit();
      ring.batch.sendZc(connection.near, slice, 2).submit();
      ring.sendZc(connection.near, slice);
      assert(ring.inFlight >= 3);
    };
    if (way === "close()") {
      const ring = Ring.open();
      send(ring);
      const startedAt = performance.now();
      const left = ring.close(50);
      assert(left > 0, `${left}`);
      assert(performance.now() - startedAt >= 50);
      assertEquals(ring.inFlight, left);
    } else if (way === "using") {
      using ring = Ring.open();
      send(ring);
    } else {
      await using ring = Ring.open();
      send(ring);
      let ticks = 0;
      const timer = setInterval(() => ticks++, 1);
      await ring[Symbol.asyncDispose]();
      clearInterval(timer);
      assert(ticks > 1, "the event loop stood still");
    }
    // The kernel may still read the memory: it stays in flight, and mapped whatever happens.
    assertEquals([slice.state, area.inFlight], ["in flight", 1]);
    assertThrows(() => slice.bytes, OwnershipError, "SEND_ZC");
    area.close();
    assertEquals(isMapped(area.address), true);
  });
}

Deno.test("A ring may be closed while its promises are being awaited", async () => {
  for (let turn = 0; turn < 20; turn++) {
    const ring = Ring.open();
    const waits = [ring.timeout(60_000), ring.nop(), ring.timeout(0)];
    for (let i = 0; i < turn; i++) await Promise.resolve();
    if (turn % 4 === 0) await sleep(1);
    ring.close();
    const results = await Promise.allSettled(waits);
    assertEquals(results[0]!.status, "rejected");
    assertEquals(ring.inFlight, 0);
  }
});

test("Both completions of a zero-copy send come to the batch API", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink();
  using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
  using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  ring.batch.sendZc(socket, area.slice(), 77);
  const [sent, notification, ...more] = reapAll(ring);
  assertEquals(sent!.slice(0, 2), [77, 4096]);
  assertEquals((sent![2] & CQE.MORE) !== 0, true);
  assertEquals(notification!.slice(0, 2), [77, 0]);
  assertEquals((notification![2] & CQE.NOTIF) !== 0, true);
  assertEquals(more, []);
});

Deno.test("acceptMultishot() goes on after the completion queue was full", async () => {
  await using bed = await Testbed.loopback();
  using listener = Socket.tcp(bed.far).bind(bed.far.address(0)).listen(128);
  await using ring = Ring.open({ entries: 4, completionEntries: 8 });
  const accepted: Socket[] = [];
  let end = "still running";
  const loop = (async () => {
    for await (const socket of ring.acceptMultishot(listener)) accepted.push(socket);
  })().catch((error) => end = error.code);
  await sleep(5);
  // All of them come while this thread does not look.
  const clients = Array.from(
    { length: 40 },
    () => Socket.tcp(bed.near).connectBlocking(listener.localAddress!),
  );
  await until("all are accepted", () => accepted.length === clients.length);
  assertEquals(end, "still running");
  const ports = (sockets: Socket[], which: "localAddress" | "remoteAddress"): number[] =>
    sockets.map((socket) => socket[which]!.port).sort();
  assertEquals(ports(accepted, "remoteAddress"), ports(clients, "localAddress"));
  listener.close();
  await loop;
  assertEquals(end, "ECANCELED");
  for (const socket of [...clients, ...accepted]) socket.close();
});

Deno.test("Flags that would change who owns memory are refused, on every path", async () => {
  await using bed = await Testbed.loopback();
  await using ring = Ring.open();
  using area = Area.map({ bytes: 65536 });
  using connection = await connectTcp(ring, bed);
  const { near } = connection;
  near.setOption("SO_ZEROCOPY", true);
  const slice = area.slice(0, 4096);
  const message = new Message([slice]);
  const flags = MSG.ZEROCOPY | MSG.WAITALL;
  const { batch } = ring;
  const sends: (() => unknown)[] = [
    () => ring.send(near, slice, { flags }),
    () => ring.sendMsg(near, message, { flags }),
    () => batch.send(near, slice, 1, flags),
    () => batch.send(near, slice, new Notifier(ring), flags),
    () => batch.sendEach(near, slice, 100, 1, { flags }),
    () => batch.sendMsg(near, message, 1, flags),
    () => batch.send(near, slice, 1, -1),
  ];
  if (kernelIsAtLeast("6.17")) {
    sends.push(() => ring.sendVectorized(near, message, { flags }));
    sends.push(() => batch.sendVectorized(near, message, 1, flags));
  }
  for (const send of sends) {
    const error = await assertRejects(async () => await send(), OwnershipError, "MSG_ZEROCOPY");
    assertMatch(error.message, /sendZc.*MessageZeroCopy/);
  }
  const receiver = Message.receiver([slice]);
  for (const flags of [MSG.ERRQUEUE, MSG.SOCK_DEVMEM]) {
    const receives: (() => unknown)[] = [
      () => ring.recv(near, slice, { flags }),
      () => ring.recvMsg(near, receiver, { flags }),
      () => batch.recv(near, slice, 1, flags),
      () => batch.recvMsg(near, receiver, 1, flags),
    ];
    for (const receive of receives) {
      await assertRejects(async () => await receive(), OwnershipError, "would take");
    }
  }
  assertEquals([ring.inFlight, area.inFlight, slice.state], [0, 0, "free"]);
  // What sends without copying anyway may have the flag.
  const { bytes, released } = await ring.sendZc(near, slice, { flags: MSG.ZEROCOPY });
  assertEquals(bytes, 4096);
  await released;
  assertEquals(slice.state, "free");
});

Deno.test("Numbers that the kernel would take for others are refused", async () => {
  await using bed = await Testbed.loopback();
  await using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  using connection = connectUdp(bed);
  const { near } = connection;
  const slice = area.slice(0, 100);
  for (const value of [2 ** 32, 2 ** 53, 1.5, NaN, "7", 5n, null] as unknown as number[]) {
    const calls: (() => unknown)[] = [
      () => ring.send(near, slice, { flags: value }),
      () => ring.sendZc(near, slice, { flags: value }),
      () => ring.recv(near, slice, { flags: value }),
      () => ring.poll(near, value),
      () => ring.closeFile(value),
      () => ring.msgRing(ring, value, 0),
      () => ring.msgRing(ring, 0, value),
    ];
    if (value === null) calls.splice(0, 3);
    if (typeof value === "number") calls.push(() => ring.cancel(value));
    if (!(value > 0) || typeof value !== "number") calls.push(() => ring.timeout(value));
    if (value !== 2 ** 32) calls.push(() => ring.read(near, slice, value));
    for (const call of calls) {
      await assertRejects(
        async () => {
          await call();
        },
        RangeError,
        "",
        String(call),
      );
    }
  }
  assertEquals([ring.inFlight, area.inFlight], [0, 0]);
});

Deno.test("An argument of a wrong kind is named", async () => {
  await using ring = Ring.open();
  using socket = Socket.udp();
  using area = Area.map({ bytes: 4096 });
  using buffers = BufferRing.open(ring, { count: 1, bytes: 64 });
  const slice = area.slice();
  const message = new Message([slice]);
  const { batch } = ring;
  for (const junk of [null, undefined, {}, "x", Symbol("s"), area] as unknown[]) {
    // deno-lint-ignore no-explicit-any
    const wrong = junk as any;
    const calls: readonly (readonly [name: string, call: () => unknown])[] = [
      ["file", () => ring.send(wrong, slice)],
      ["file", () => ring.sendZc(wrong, slice)],
      ["file", () => ring.sendMsg(wrong, message)],
      ["file", () => ring.recv(wrong, slice)],
      ["file", () => ring.recvMultishot(wrong, buffers).next()],
      ["file", () => ring.accept(wrong)],
      ["file", () => ring.acceptMultishot(wrong).next()],
      ["file", () => ring.connect(wrong, { host: "127.0.0.1", port: 1 })],
      ["file", () => ring.shutdown(wrong)],
      ["file", () => ring.poll(wrong, 1)],
      ["file", () => ring.cancel(wrong)],
      ["slice", () => ring.send(socket, wrong)],
      ["slice", () => ring.sendZc(socket, wrong)],
      ["slice", () => ring.recv(socket, wrong)],
      ["slice", () => ring.read(socket, wrong)],
      ["message", () => ring.sendMsg(socket, wrong)],
      ["message", () => ring.recvMsg(socket, wrong)],
      ["message", () => ring.sendMsgZc(socket, wrong)],
      ["buffers", () => ring.recvMultishot(socket, wrong).next()],
      ["ring", () => ring.msgRing(wrong, 1, 1)],
      ["ring", () => new Notifier(wrong)],
      ["ring", () => BufferRing.open(wrong, { count: 1, bytes: 1 })],
      ["file", () => batch.send(wrong, slice)],
      ["file", () => batch.recv(wrong, slice)],
      ["file", () => batch.sendEach(wrong, slice, 10)],
      ["slice", () => batch.send(socket, wrong)],
      ["slice", () => batch.sendZc(socket, wrong)],
      ["slice", () => batch.sendEach(socket, wrong, 10)],
      ["slice", () => batch.recv(socket, wrong)],
      ["slice", () => batch.write(socket, wrong)],
      ["message", () => batch.sendMsg(socket, wrong)],
      ["message", () => batch.recvMsg(socket, wrong)],
      ["buffers", () => batch.recvMultishot(socket, wrong)],
      ["ring", () => batch.msgRing(wrong, 1, 1)],
    ];
    for (const [name, call] of calls) {
      const error = await assertRejects(async () => {
        await call();
      }, TypeError);
      assertMatch(error.message, new RegExp(`^${name} must be an? `), String(call));
    }
    if (junk === undefined) continue;
    const error = assertThrows(() => batch.send(socket, slice, wrong), TypeError);
    assertMatch(error.message, /^target must be user data or a Notifier/);
  }
  assertEquals([ring.inFlight, area.inFlight], [0, 0]);
});

Deno.test("A send that is too long names the limit, and a message that was received can be sent", async () => {
  await using bed = await Testbed.loopback();
  await using ring = Ring.open();
  using area = Area.map({ bytes: 1 << 18 });
  using connection = connectUdp(bed);
  const { near, far } = connection;
  const long = area.slice(0, 70_000);
  for (const send of [ring.send(near, long), ring.sendMsg(near, new Message([long]))]) {
    const error = await assertRejects(() => send, UringError, "65507");
    assertEquals(error.code, "EMSGSIZE");
  }
  near.setOption("UDP_SEGMENT", 100);
  far.setOption("UDP_GRO", true);
  const segments = ring.send(near, area.slice(0, 12_900));
  await assertRejects(() => segments, UringError, "128");
  await ring.send(near, area.slice(0, 350));
  const message = Message.receiver([area.slice(1 << 17, 4096)]);
  assertEquals(await ring.recvMsg(far, message, { timeout: 5000 }), 350);
  assertEquals(message.segmentBytes, 100);
  using back = connectUdp(bed);
  assertEquals(await ring.sendMsg(back.near, message), 4096);
  ring.batch.sendMsg(back.near, message, 1);
  assertEquals(reapAll(ring).map(([, result]) => result), [4096]);
});

Deno.test("Junk in the place of any argument is a TypeError or RangeError in our words", async () => {
  await using ring = Ring.open();
  using area = Area.map({ bytes: 8192 });
  const slice = area.slice(0, 100);
  using socket = Socket.udp();
  // deno-lint-ignore no-explicit-any
  const calls: Record<string, (junk: any) => unknown> = {
    "Ring.open": (junk) => Ring.open(junk),
    "Ring.open without": (without) => Ring.open({ without }),
    "Area.map": (junk) => Area.map(junk),
    "Area.slice": (junk) => area.slice(junk),
    "Slice.write": (junk) => slice.write(junk),
    "Socket.udp": (junk) => Socket.udp(junk),
    "Socket.bind": (junk) => socket.bind(junk),
    "Socket.bind host": (host) => socket.bind({ host, port: 0 }),
    "Socket.send": (junk) => socket.sendBlocking(junk),
    "Socket.receive": (junk) => socket.tryReceive(junk),
    BufferRing: (junk) => BufferRing.open(ring, junk),
    Notifier: (junk) => new Notifier(ring, junk),
    Message: (junk) => new Message(junk),
    "Message slice": (junk) => new Message([junk]),
    "Message to": (to) => new Message([slice], { to }),
    "Ring.register": (junk) => ring.register(junk),
    "Ring.connect": (junk) => ring.connect(socket, junk),
    "Batch.sendEach": (junk) => ring.batch.sendEach(socket, slice, 10, 0, junk),
    "Batch.timeout": (junk) => ring.batch.timeout(1, 0, junk),
  };
  for (const [name, call] of Object.entries(calls)) {
    for (const junk of [null, 5, "x", 7n, NaN]) {
      if (name === "Area.slice" && (junk === null || junk === 5)) continue;
      if (name === "Ring.open without" && junk === null) continue;
      const error = await assertRejects(async () => {
        await call(junk);
      }, Error);
      const known = error instanceof TypeError || error instanceof RangeError;
      assert(known, `${name}(${String(junk)}): ${error}`);
      assert(
        !/Cannot (read|destructure|mix|convert)|is not (iterable|a function)/.test(error.message),
        `${name}(${String(junk)}): ${error}`,
      );
    }
  }
});
