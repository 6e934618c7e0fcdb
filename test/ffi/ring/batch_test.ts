import { ERRNO } from "../../../ffi/kernel/errno.ts";
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  Area,
  Batch,
  BufferRing,
  ClosedError,
  CQE,
  Message,
  MSG,
  Notifier,
  OP,
  type OperationName,
  OwnershipError,
  POLL,
  Ring,
  type Slice,
  Socket,
  Testbed,
  UnsupportedError,
  UringError,
} from "zclab";
import { OP_SINCE } from "../../../ffi/kernel/uapi.ts";
import { unsupported } from "../../../ffi/ring/supported.ts";
import type { Engine } from "../../../ffi/ring/engine.ts";
import { ENGINE } from "../../../ffi/ring/ring_handle.ts";
import { kernelIsAtLeast } from "../../../ffi/kernel/errors.ts";
import { adopt, typeOf } from "../../../ffi/net/socket.ts";
import {
  bytesOf,
  connectTcp,
  connectUdp,
  pattern,
  reapAll,
  textOf,
  untilBlocking,
} from "../connections.ts";
import { test } from "../../needs.ts";

const ECANCELED = -ERRNO.ECANCELED;
const ETIME = -ERRNO.ETIME;
const EBADF = -9;

/** The results of completions that are not notifications, by user data. */
function resultsOf(ring: Ring): Map<number, number> {
  const results = new Map<number, number>();
  for (const [userData, result, flags] of reapAll(ring)) {
    if ((flags & CQE.NOTIF) === 0) results.set(userData, result);
  }
  return results;
}

Deno.test("Batch hands each completion to its user data, up to the largest", () => {
  using ring = Ring.open({ entries: 8 });
  const userData = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff];
  for (const value of userData) assertEquals(ring.batch.nop(value), ring.batch);
  assertEquals([ring.batch.prepared, ring.batch.inFlight], [5, 5]);
  assertEquals(ring.batch.submit(), 5);
  assertEquals(ring.batch.prepared, 0);
  const seen: number[] = [];
  assertEquals(ring.batch.reap((value) => seen.push(value)), 5);
  assertEquals(seen, userData);
  assertEquals(ring.batch.inFlight, 0);
  assertEquals(ring.batch.reap(() => {}), 0);
});

Deno.test("Batch submits by itself when the submission queue is full", () => {
  using ring = Ring.open({ entries: 4 });
  assertEquals(ring.entries, 4);
  for (let i = 0; i < 4; i++) ring.batch.nop(i);
  assertEquals(ring.batch.prepared, 4);
  for (let i = 4; i < 11; i++) ring.batch.nop(i);
  assertEquals([ring.batch.prepared, ring.batch.inFlight], [3, 11]);
  assertEquals(
    reapAll(ring).map(([userData]) => userData),
    Array.from({ length: 11 }, (_, i) => i),
  );
});

Deno.test("100 000 requests on a completion queue of 8 lose nothing", () => {
  using ring = Ring.open({ entries: 8, completionEntries: 8 });
  assertEquals(ring.completionEntries, 8);
  const count = 100_000;
  for (let i = 0; i < count; i++) ring.batch.nop(i);
  ring.batch.submit();
  assertEquals(ring.inFlight, count);
  const seen = new Uint8Array(count);
  ring.batch.reap((userData, result) => {
    assertEquals(result, 0);
    seen[userData]!++;
  });
  assertEquals(seen.findIndex((times) => times !== 1), -1);
  assertEquals(ring.inFlight, 0);
});

test("100 000 datagrams on a completion queue of 8 lose no completion", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink();
  using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
  using area = Area.map({ bytes: 4096 });
  using ring = Ring.open({ entries: 8, completionEntries: 8 });
  const slice = area.slice(0, 100);
  const count = 100_000;
  for (let i = 0; i < count; i++) ring.batch.send(socket, slice, i);
  assertEquals(slice.state, "in flight");
  const seen = new Uint8Array(count);
  ring.batch.submit();
  ring.batch.reap((userData, result) => {
    if (result !== 100) throw new Error(`${result}`);
    seen[userData]!++;
  });
  assertEquals(seen.findIndex((times) => times !== 1), -1);
  assertEquals([ring.inFlight, area.inFlight, slice.state], [0, 0, "free"]);
});

Deno.test("submitAndWait() waits for more completions than the queue has room for", () => {
  using ring = Ring.open({ entries: 4, completionEntries: 4 });
  for (let i = 0; i < 40; i++) ring.batch.timeout(1, i);
  ring.batch.submitAndWait(40);
  const seen = new Set<number>();
  ring.batch.reap((userData, result) => {
    assertEquals(result, ETIME);
    seen.add(userData);
  });
  assertEquals([seen.size, ring.inFlight], [40, 0]);
});

Deno.test("submitAndWait() refuses to wait for what may never come", () => {
  using ring = Ring.open();
  assertThrows(() => ring.batch.submitAndWait(1), RangeError, "would wait for ever");
  ring.batch.nop(1).submit();
  assertThrows(() => ring.batch.submitAndWait(2), RangeError, "1 requests are in flight and 1");
  assertThrows(() => ring.batch.submitAndWait(NaN), RangeError);
  assertEquals(ring.batch.nop(2).submitAndWait(2), 1);
  assertEquals(ring.batch.submitAndWait(0), 0);
  assertEquals(ring.batch.submitAndWait(-1), 0);
  assertEquals(reapAll(ring).length, 2);
});

Deno.test("waitBlocking() says whether the completions came in time", () => {
  using ring = Ring.open();
  ring.batch.timeout(60_000, 1);
  assertEquals(ring.batch.waitBlocking(1, 5), false);
  assertEquals(ring.batch.waitBlocking(1, 0), false);
  assertEquals(ring.batch.waitBlocking(0, 0), true);
  ring.batch.nop(2);
  assertEquals(ring.batch.waitBlocking(1, Infinity), true);
  assertThrows(() => ring.batch.waitBlocking(1, NaN), RangeError, "NaN");
  const seen: number[] = [];
  ring.batch.reap((userData) => seen.push(userData));
  assertEquals([seen, ring.inFlight], [[2], 1]);
});

Deno.test("A callback of reap() may prepare, submit and reap", () => {
  using ring = Ring.open({ entries: 4, completionEntries: 4 });
  const seen: number[] = [];
  const onCompletion = (userData: number): void => {
    seen.push(userData);
    if (userData >= 100) return;
    ring.batch.nop(userData + 100).submitAndWait(1);
    if (userData % 2 === 0) ring.batch.reap(onCompletion);
  };
  for (let i = 0; i < 4; i++) ring.batch.nop(i);
  ring.batch.submit();
  untilBlocking("all are reaped", () => {
    ring.batch.reap(onCompletion);
    return ring.inFlight === 0;
  });
  assertEquals(seen.toSorted((a, b) => a - b), [0, 1, 2, 3, 100, 101, 102, 103]);
});

Deno.test("A callback of reap() that throws loses no other completion", () => {
  using ring = Ring.open({ entries: 4, completionEntries: 4 });
  for (let i = 0; i < 20; i++) ring.batch.nop(i);
  ring.batch.submit();
  const seen: number[] = [];
  let thrown = 0;
  untilBlocking("all are reaped", () => {
    try {
      ring.batch.reap((userData) => {
        seen.push(userData);
        throw new Error("mine");
      });
    } catch (error) {
      assertEquals((error as Error).message, "mine");
      thrown++;
    }
    return ring.inFlight === 0;
  });
  assertEquals([seen, thrown], [Array.from({ length: 20 }, (_, i) => i), 20]);
});

Deno.test("A callback of reap() may close the ring", () => {
  const ring = Ring.open({ entries: 4, completionEntries: 4 });
  for (let i = 0; i < 20; i++) ring.batch.nop(i);
  ring.batch.submit();
  const seen: number[] = [];
  const reaped = ring.batch.reap((userData) => {
    seen.push(userData);
    if (userData === 2) ring.close();
  });
  assertEquals([ring.closed, seen.slice(0, 3)], [true, [0, 1, 2]]);
  assert(reaped >= 3);
  assertThrows(() => ring.batch.reap(() => {}), ClosedError);
});

Deno.test("A callback of reap() may use the memory of its request again", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using area = Area.map({ bytes: 4096 });
  using ring = Ring.open();
  const [outgoing, incoming] = [area.slice(0, 10), area.slice(2048, 10)];
  const received: string[] = [];
  ring.batch.recv(connection.far, incoming, 1);
  ring.batch.send(connection.near, outgoing.write(bytesOf("message 0.")), 2);
  untilBlocking("five messages", () => {
    ring.batch.submit();
    ring.batch.waitBlocking(1, 1000);
    ring.batch.reap((userData) => {
      if (userData !== 1) return;
      received.push(textOf(incoming.bytes));
      if (received.length === 5) return;
      ring.batch.recv(connection.far, incoming, 1);
      outgoing.write(bytesOf(`message ${received.length}.`));
      ring.batch.send(connection.near, outgoing, 2);
    });
    return ring.inFlight === 0;
  });
  assertEquals(received, [0, 1, 2, 3, 4].map((i) => `message ${i}.`));
});

Deno.test("Batch performs every operation", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 8192 });
  const incoming = area.slice(4096, 100);
  const outgoing = area.slice(0, 5).write(bytesOf("hello"));
  const { batch } = ring;

  // socket, connect, accept, send, recv, shutdown, closeFile
  using listener = Socket.tcp(bed.far).bind(bed.far.address(0)).listen();
  using client = Socket.tcp(bed.near);
  batch.accept(listener, 1).connect(client, listener.localAddress!, 2);
  const opened = resultsOf(ring);
  const accepted = opened.get(1)!;
  assert(accepted > 2, `${accepted}`);
  assertEquals(opened.get(2), 0);
  batch.send(client, outgoing, 3).recv(accepted, incoming, 4);
  assertEquals(resultsOf(ring), new Map([[3, 5], [4, 5]]));
  assertEquals(textOf(incoming.bytes.subarray(0, 5)), "hello");
  batch.shutdown(client, "write", 5).recv(accepted, incoming, 6);
  assertEquals(resultsOf(ring), new Map([[5, 0], [6, 0]]));
  batch.closeFile(accepted, 7);
  assertEquals(resultsOf(ring).get(7), 0);
  batch.recv(accepted, incoming, 8).closeFile(accepted, 9);
  assertEquals(resultsOf(ring), new Map([[8, EBADF], [9, EBADF]]));

  // socket
  batch.socket("tcp", 4, 10).socket("udp", 6, 11);
  const made = resultsOf(ring);
  for (const [userData, protocol, family] of [[10, "tcp", 4], [11, "udp", 6]] as const) {
    using socket = adopt(made.get(userData)!, typeOf(protocol), family);
    const host = family === 4 ? "127.0.0.1" : "::1";
    assertEquals(socket.bind({ host, port: 0 }).localAddress!.host, host);
  }

  // sendMsg, sendMsgZc, sendZc, recvMsg, poll
  using connection = connectUdp(bed);
  const { near, far } = connection;
  const message = new Message([outgoing]);
  batch.poll(far, POLL.IN, 13).submit();
  assertEquals(batch.reap(() => {}), 0);
  batch.sendMsg(near, message, 14).sendMsgZc(near, message, 15).sendZc(near, outgoing, 16);
  assertEquals(resultsOf(ring), new Map([[13, POLL.IN], [14, 5], [15, 5], [16, 5]]));
  for (let i = 0; i < 3; i++) {
    batch.recvMsg(far, Message.receiver([incoming]), 17);
    assertEquals(resultsOf(ring).get(17), 5);
  }
  // nop, timeout, cancel
  batch.nop(18).timeout(1, 19).recv(far, incoming, 20).recv(far, area.slice(0, 1), 21).submit();
  batch.cancel(far, 22);
  assertEquals(
    resultsOf(ring),
    new Map([[18, 0], [19, ETIME], [20, ECANCELED], [21, ECANCELED], [22, 2]]),
  );
  assertEquals([ring.inFlight, area.inFlight], [0, 0]);
});

Deno.test("Batch reads and writes files, at offsets above 4 GiB too", () => {
  const path = Deno.makeTempFileSync({ prefix: "zclab-batch-" });
  using file = Deno.openSync(path, { read: true, write: true });
  try {
    // Deno gives no descriptors out, but the process can open them by number.
    const fd = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => name).find((name) => {
      try {
        return Deno.readLinkSync(`/proc/self/fd/${name}`) === path;
      } catch {
        return false;
      }
    });
    using ring = Ring.open();
    using area = Area.map({ bytes: 4096 });
    const outgoing = area.slice(0, 9).write(bytesOf("some data"));
    const incoming = area.slice(100, 9);
    const far = 5 * 2 ** 32 + 123;
    for (const offset of [0, 7, 2 ** 31, 2 ** 32 - 1, far]) {
      ring.batch.write(Number(fd), outgoing, offset, 1).link().read(
        Number(fd),
        incoming,
        offset,
        2,
      );
      assertEquals(resultsOf(ring), new Map([[1, 9], [2, 9]]));
      assertEquals(textOf(incoming.bytes), "some data");
      incoming.bytes.fill(0);
    }
    assertEquals(file.statSync().size, far + 9);
    // Without an offset, the file's own position.
    file.seekSync(7, Deno.SeekMode.Start);
    ring.batch.read(Number(fd), incoming);
    resultsOf(ring);
    assertEquals(textOf(incoming.bytes), "some data");
    assertEquals(file.seekSync(0, Deno.SeekMode.Current), 16);
  } finally {
    Deno.removeSync(path);
  }
});

Deno.test("link() starts a request when the one before has succeeded", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open({ entries: 4 });
  using area = Area.map({ bytes: 4096 });
  using connection = await connectTcp(ring, bed);
  const { near, far } = connection;
  assertThrows(() => ring.batch.link(), RangeError, "no request is prepared");

  // In order, although the first has to wait.
  ring.batch.recv(far, area.slice(0, 1), 1).link().nop(2).submit();
  assertEquals(ring.batch.reap(() => {}), 0);
  ring.batch.send(near, area.slice(100, 1), 3);
  assertEquals(reapAll(ring).map(([userData]) => userData).filter((u) => u < 3), [1, 2]);

  // The rest of a chain is cancelled with the one that failed.
  using closed = Socket.udp();
  const { fd } = closed;
  closed.close();
  ring.batch.send(fd, area.slice(0, 1), 4).link().nop(5).link().nop(6).nop(7);
  assertEquals(
    resultsOf(ring),
    new Map([[4, EBADF], [5, ECANCELED], [6, ECANCELED], [7, 0]]),
  );

  // A chain must go to the kernel in one submission.
  for (let i = 0; i < 4; i++) ring.batch.nop(i);
  assertThrows(() => ring.batch.link(), RangeError, "no room for the next of 4 requests");
  assertEquals(reapAll(ring).length, 4);
});

Deno.test("MSG_RING posts a completion into another ring", async () => {
  using sender = Ring.open();
  using receiver = Ring.open();
  sender.batch.msgRing(receiver, 0xfffffffe, -7, 1).submitAndWait(1);
  const answers: number[][] = [];
  sender.batch.reap((userData, result) => answers.push([userData, result]));
  assertEquals(answers, [[1, 0]]);
  receiver.batch.reap((userData, result) => answers.push([userData, result]));
  assertEquals(answers, [[1, 0], [0xfffffffe, -7]]);
  assertEquals([sender.inFlight, receiver.inFlight], [0, 0]);

  // What was posted does not count as a request of the receiver's.
  await sender.msgRing(receiver, 5, 6);
  receiver.batch.nop(9).submitAndWait(1);
  const seen: number[] = [];
  untilBlocking("both have come", () => {
    receiver.batch.reap((userData) => seen.push(userData));
    return seen.length >= 2;
  });
  assertEquals([seen.toSorted(), receiver.inFlight], [[5, 9], 0]);

  receiver.close();
  assertThrows(() => sender.batch.msgRing(receiver, 1, 1), ClosedError);
  await assertRejects(() => sender.msgRing(receiver, 1, 1), ClosedError);
  assertEquals(sender.inFlight, 0);
});

Deno.test("A batch uses registered files and buffers", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using ring = Ring.open({ registeredFiles: 2 });
  using area = Area.map({ bytes: 8192 });
  const { near, far } = connection;
  assertEquals([ring.register(near), ring.register(far), ring.register(area)], [0, 1, 0]);
  using third = Socket.udp(bed.near);
  assertThrows(() => ring.register(third), RangeError, "All 2 places for registered sockets");
  assertThrows(() => ring.register(near), RangeError, "already");

  const outgoing = area.slice(100, 8);
  const incoming = area.slice(4096, 100);
  for (let round = 0; round < 3; round++) {
    outgoing.write(bytesOf(`round ${round}.`));
    ring.batch.sendZc(near, outgoing, 1).recv(far, incoming, 2);
    assertEquals(resultsOf(ring), new Map([[1, 8], [2, 8]]));
    assertEquals(textOf(incoming.bytes.subarray(0, 8)), `round ${round}.`);
    if (round === 0) ring.unregister(near);
    if (round === 1) ring.unregister(area);
  }
  assertThrows(() => ring.unregister(near), RangeError, "not registered");
  // Cancelling finds what waits on a registered file.
  ring.batch.recv(far, incoming, 3).submit();
  ring.batch.cancel(far, 4);
  assertEquals(resultsOf(ring), new Map([[3, ECANCELED], [4, 1]]));
});

Deno.test("What is prepared keeps the registration that it was prepared with", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using other = connectUdp(bed);
  using ring = Ring.open();
  using first = Area.map({ bytes: 4096 });
  using second = Area.map({ bytes: 4096 });
  const incoming = second.slice(2048, 100);
  assertEquals([ring.register(first), ring.register(connection.near)], [0, 0]);
  ring.batch.sendZc(connection.near, first.slice(0, 5).write(bytesOf("first")), 1);
  ring.unregister(first);
  ring.unregister(connection.near);
  assertEquals([ring.register(second), ring.register(other.near)], [0, 0]);
  assertEquals(resultsOf(ring), new Map([[1, 5]]));
  assertEquals(other.far.tryReceive(incoming), undefined);
  assertEquals(connection.far.tryReceive(incoming), 5);
  assertEquals(textOf(incoming.bytes.subarray(0, 5)), "first");
});

Deno.test("A slice that is not free leaves nothing prepared", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  const slice = area.slice(0, 10);
  const slot = new Notifier(ring);
  ring.batch.recv(connection.far, slice, 1).submit();
  const prepare: (() => unknown)[] = [
    () => ring.batch.send(connection.near, slice),
    () => ring.batch.sendZc(connection.near, slice),
    () => ring.batch.sendZc(connection.near, slice, slot),
    () => ring.batch.recv(connection.near, slice),
    () => ring.batch.read(connection.near, slice),
    () => ring.batch.write(connection.near, slice),
  ];
  for (const call of prepare) assertThrows(call, OwnershipError);
  assertEquals([ring.batch.prepared, ring.inFlight, slot.requests], [0, 1, 0]);
});

Deno.test("MSG_WAITALL sends a whole slice over TCP although the peer reads slowly", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 2 << 20 });
  using connection = await connectTcp(ring, bed, { receiveBuffer: 16384 });
  const { near, far } = connection;
  const outgoing = area.slice(0, 1 << 20);
  outgoing.write(pattern(1 << 20));
  ring.batch.send(near, outgoing, 1, MSG.WAITALL);
  let received = 0;
  let sent = 0;
  const incoming = area.slice(1 << 20);
  while (received < 1 << 20) {
    ring.batch.recv(far, incoming.slice(received, Math.min(50_000, (1 << 20) - received)), 2);
    for (const [userData, result] of reapSome(ring)) {
      if (userData === 1) sent = result;
      else received += result;
    }
  }
  assertEquals([sent, received], [1 << 20, 1 << 20]);
  assertEquals(incoming.bytes, outgoing.bytes);
});

/** Waits until the receive has completed. */
function reapSome(ring: Ring): [number, number][] {
  const completions: [number, number][] = [];
  untilBlocking("the receive", () => {
    ring.batch.waitBlocking(1, 1000);
    ring.batch.reap((userData, result) => completions.push([userData, result]));
    return completions.some(([userData]) => userData === 2);
  });
  return completions;
}

Deno.test("sendEach sends the pieces of a slice, each as a request of its own", async () => {
  await using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using ring = Ring.open({ entries: 4 });
  using area = Area.map({ bytes: 1 << 16 });
  const outgoing = area.slice(0, 10_000).write(pattern(10_000));
  const incoming = area.slice(32_768, 4096);
  const expected = outgoing.bytes.slice();
  const receive = (): Uint8Array => incoming.bytes.slice(0, connection.far.tryReceive(incoming));

  // 100 bytes from every 1000: the last piece starts at 9000. More pieces than entries.
  assertEquals(ring.batch.sendEach(connection.near, outgoing, 100, 7, { stride: 1000 }), 10);
  assertThrows(() => outgoing.bytes, OwnershipError);
  assertEquals(reapAll(ring), Array.from({ length: 10 }, (_, i) => [7 + i, 100, 0]));
  assertEquals(outgoing.state, "free");
  for (let i = 0; i < 10; i++) {
    assertEquals(receive(), expected.subarray(i * 1000, i * 1000 + 100));
  }

  // Fewer than there are, those that overlap, and the same one again and again.
  for (const [stride, count] of [[1000, 3], [50, 6], [0, 5]] as const) {
    const options = { stride, count };
    assertEquals(ring.batch.sendEach(connection.near, outgoing, 100, 7, options), count);
    assertEquals(reapAll(ring), Array.from({ length: count }, (_, i) => [7 + i, 100, 0]));
    for (let i = 0; i < count; i++) {
      assertEquals(receive(), expected.subarray(i * stride, i * stride + 100));
    }
  }

  const slot = new Notifier(ring);
  for (const registered of [false, true]) {
    if (registered) ring.register(area);
    assertEquals(ring.batch.sendZcEach(connection.near, outgoing, 3000, slot), 3);
    const { requests, bytes, notified, copied } = await slot.flush();
    assertEquals({ requests, bytes, notified, copied }, {
      requests: 3,
      bytes: 9000,
      notified: 3,
      copied: 3,
    });
    for (let i = 0; i < 3; i++) {
      assertEquals(receive(), expected.subarray(i * 3000, (i + 1) * 3000));
    }
  }
  assertEquals([area.inFlight, ring.inFlight], [0, 0]);
});

Deno.test("sendEach tells failed pieces from sent ones, and keeps the slice until the last", async () => {
  await using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using ring = Ring.open();
  using area = Area.map({ bytes: 1 << 18 });
  const slot = new Notifier(ring);
  // No datagram is that long.
  ring.batch.sendZcEach(connection.near, area.slice(0, 210_000), 70_000, slot);
  ring.batch.sendZcEach(connection.near, area.slice(0, 300), 100, slot);
  ring.batch.submit();
  const { requests, sent, failed, copied, error } = await slot.flush();
  assertEquals({ requests, sent, failed, copied }, { requests: 6, sent: 3, failed: 3, copied: 3 });
  assertEquals(error?.code, "EMSGSIZE");
  assertEquals([area.inFlight, ring.inFlight], [0, 0]);
});

Deno.test("A notifier counts what lies across the end of the completion queue", async () => {
  await using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using ring = Ring.open({ entries: 8 });
  using area = Area.map({ bytes: 4096 });
  const slot = new Notifier(ring);
  // Rounds of 7 and 5 completions in a queue of 16 begin at each of its places.
  let bytes = 0;
  for (let round = 0; round < 40; round++) {
    const [count, length] = round % 2 === 0 ? [7, 100] : [5, 30];
    ring.batch.sendEach(connection.near, area.slice(), length, slot, { count });
    ring.batch.submitAndWait(count);
    assertEquals(ring.batch.reap(() => {}), count);
    bytes += count * length;
    assertEquals([slot.outstanding, ring.inFlight, area.inFlight], [0, 0, 0]);
  }
  const { requests, sent, failed, notified, bytes: counted } = slot.flushBlocking();
  assertEquals({ requests, sent, failed, notified }, {
    requests: 240,
    sent: 240,
    failed: 0,
    notified: 0,
  });
  assertEquals(counted, bytes);
});

Deno.test("sendEach refuses what are no pieces, before anything is prepared", () => {
  using ring = Ring.open();
  using socket = Socket.udp();
  using area = Area.map({ bytes: 1 << 20 });
  const slice = area.slice(0, 1 << 20);
  for (const length of [0, -1, 1.5, NaN, (1 << 20) + 1]) {
    assertThrows(() => ring.batch.sendEach(socket, slice, length), RangeError, "ieces");
  }
  for (const stride of [0, 9, 1.5, NaN]) {
    assertThrows(() => ring.batch.sendEach(socket, slice, 10, 0, { stride }), RangeError);
  }
  assertThrows(() => ring.batch.sendEach(socket, slice, 1), RangeError, "65536");
  for (const count of [0, -1, 1.5, NaN, 65_537, 2 ** 32]) {
    for (const [from, stride] of [[slice, 0], [slice, 1], [area.slice(0, 10), 0]] as const) {
      const options = { stride, count };
      assertThrows(() => ring.batch.sendEach(socket, from, 10, 0, options), RangeError, "ieces");
    }
  }
  // One more than fit.
  const options = { stride: 1000, count: 1049 };
  assertThrows(() => ring.batch.sendEach(socket, slice, 1000, 0, options), RangeError, "ieces");
  const backwards = { stride: -1, count: 2 };
  assertThrows(() => ring.batch.sendEach(socket, slice, 10, 0, backwards), RangeError, "ieces");
  assertEquals([slice.state, ring.batch.prepared], ["free", 0]);
});

Deno.test("Batch throws ClosedError after close, all of its methods", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using area = Area.map({ bytes: 4096 });
  const slice = area.slice(0, 10);
  const message = new Message([slice]);
  const { near, far } = connection;
  const ring = Ring.open();
  const other = Ring.open();
  const slot = new Notifier(ring);
  const buffers = BufferRing.open(ring, { count: 1, bytes: 100 });
  ring.close();
  const { batch } = ring;
  const calls: Record<string, () => unknown> = {
    submit: () => batch.submit(),
    submitAndWait: () => batch.submitAndWait(1),
    waitBlocking: () => batch.waitBlocking(1, 1),
    reap: () => batch.reap(() => {}),
    link: () => batch.link(),
    nop: () => batch.nop(),
    send: () => batch.send(near, slice),
    sendZc: () => batch.sendZc(near, slice, slot),
    sendEach: () => batch.sendEach(near, slice, 5),
    sendZcEach: () => batch.sendZcEach(near, slice, 5, slot),
    sendMsg: () => batch.sendMsg(near, message),
    sendMsgZc: () => batch.sendMsgZc(near, message),
    recv: () => batch.recv(far, slice),
    recvMsg: () => batch.recvMsg(far, message),
    recvMultishot: () => batch.recvMultishot(far, buffers),
    read: () => batch.read(near, slice),
    write: () => batch.write(near, slice),
    accept: () => batch.accept(near),
    acceptMultishot: () => batch.acceptMultishot(near),
    connect: () => batch.connect(near, bed.far.address(1)),
    socket: () => batch.socket("tcp"),
    shutdown: () => batch.shutdown(near, "read"),
    closeFile: () => batch.closeFile(99),
    poll: () => batch.poll(near, 1),
    timeout: () => batch.timeout(1),
    cancel: () => batch.cancel(near),
    msgRing: () => batch.msgRing(other, 1, 1),
  };
  if (kernelIsAtLeast("6.17")) {
    calls.sendVectorized = () => batch.sendVectorized(near, message);
    calls.sendVectorizedZc = () => batch.sendVectorizedZc(near, message);
  }
  for (const [name, call] of Object.entries(calls)) {
    assertThrows(call, ClosedError, "Ring is closed", name);
  }
  const telling = ["constructor", "inFlight", "prepared"];
  const rest = kernelIsAtLeast("6.17") ? [] : ["sendVectorized", "sendVectorizedZc"];
  assertEquals(
    [...Object.keys(calls), ...telling, ...rest].sort(),
    Object.getOwnPropertyNames(Batch.prototype).sort(),
  );
  assertEquals([area.inFlight, slot.requests, batch.prepared, batch.inFlight], [0, 0, 0, 0]);
  buffers.close();
  other.close();
});

Deno.test("unsupported() names the operation and the version that has it", () => {
  for (const name of Object.keys(OP) as OperationName[]) {
    const error = unsupported(name);
    assertEquals([error.feature, error.since], [`IORING_OP_${name}`, OP_SINCE[name]]);
    assertMatch(error.message, new RegExp(`it came with Linux ${OP_SINCE[name]}, this is `));
  }
});

Deno.test("Batch throws UnsupportedError for what a kernel lacks (simulated)", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using area = Area.map({ bytes: 4096 });
  using ring = Ring.open();
  const slice = area.slice(0, 10);
  const message = new Message([slice]);
  const old = new Batch(ring[ENGINE] as Engine, ring, new Uint8Array(256));
  const calls: readonly (readonly [OperationName, () => unknown])[] = [
    ["SEND_ZC", () => old.sendZc(connection.near, slice)],
    ["SENDMSG_ZC", () => old.sendMsgZc(connection.near, message)],
    ["SEND_ZC", () => old.sendVectorizedZc(connection.near, message)],
    ["SOCKET", () => old.socket("udp")],
    ["MSG_RING", () => old.msgRing(ring, 1, 1)],
  ];
  for (const [name, call] of calls) {
    const error = assertThrows(call, UnsupportedError, `IORING_OP_${name} is not available here`);
    assertEquals(error.since, OP_SINCE[name]);
  }
  assertEquals([ring.batch.prepared, area.inFlight], [0, 0]);
});

Deno.test("Vectorized sends name 6.17 on older kernels (simulated)", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using area = Area.map({ bytes: 4096 });
  using ring = Ring.open();
  Object.defineProperty(ring[ENGINE], "sendsVectors", { value: false });
  const { near } = connection;
  const message = new Message([area.slice(0, 10)]);
  const calls: (() => unknown)[] = [
    () => ring.batch.sendVectorized(near, message),
    () => ring.batch.sendVectorizedZc(near, message),
  ];
  for (const call of calls) {
    assertThrows(call, UnsupportedError, "it came with Linux 6.17");
  }
  for (const send of [ring.sendVectorized(near, message), ring.sendVectorizedZc(near, message)]) {
    const error = await assertRejects(() => send, UnsupportedError, "IORING_SEND_VECTORIZED");
    assertEquals(error.since, "6.17");
  }
  assertEquals([ring.inFlight, area.inFlight], [0, 0]);
});

Deno.test("Batch passes on what the kernel says of bad requests", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using area = Area.map({ bytes: 1 << 17 });
  using ring = Ring.open();
  const slice = area.slice(0, 70_000);
  ring.batch.send(connection.near, slice, 1).sendZc(connection.near, slice, 2);
  ring.batch.send(-1, slice, 3).accept(connection.far, 4).closeFile(-1, 5);
  const results = resultsOf(ring);
  assertEquals([results.get(1), results.get(2), results.get(3)], [-90, -90, EBADF]);
  assertEquals([results.get(4), results.get(5)], [-95, EBADF]);
  assertThrows(() => ring.batch.timeout(-1), RangeError, "must be finite and not negative");
  assertThrows(() => ring.batch.timeout(NaN), RangeError);
  assertThrows(() => ring.batch.timeout(Infinity), RangeError);
  assertThrows(() => ring.batch.connect(connection.near, { host: "x", port: 1 }), RangeError);
  assertEquals([ring.inFlight, area.inFlight], [0, 0]);
  assertEquals(new UringError("SEND", -results.get(1)!).code, "EMSGSIZE");
});

Deno.test("User data that does not fit 32 bits is refused, and nothing is prepared", async () => {
  await using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  using connection = connectUdp(bed);
  const { near } = connection;
  const slice = area.slice(0, 1000);
  const { batch } = ring;
  for (const value of [2 ** 32, -1, 1.5, NaN, Infinity, "7", 5n, null] as unknown as number[]) {
    const calls: (() => unknown)[] = [
      () => batch.nop(value),
      () => batch.recv(near, slice, value),
      () => batch.recvMsg(near, Message.receiver([slice]), value),
      () => batch.read(near, slice, -1, value),
      () => batch.write(near, slice, -1, value),
      () => batch.accept(near, value),
      () => batch.acceptMultishot(near, value),
      () => batch.connect(near, near.localAddress!, value),
      () => batch.socket("udp", 4, value),
      () => batch.shutdown(near, "both", value),
      () => batch.closeFile(1_000_000, value),
      () => batch.poll(near, 1, value),
      () => batch.timeout(1, value),
      () => batch.cancel(near, value),
      () => batch.msgRing(ring, 0, 0, value),
      () => batch.msgRing(ring, value, 0),
    ];
    if (typeof value === "number") {
      calls.push(
        () => batch.send(near, slice, value),
        () => batch.sendZc(near, slice, value),
        () => batch.sendEach(near, slice, 100, value),
        () => batch.sendMsg(near, new Message([slice]), value),
      );
    }
    for (const call of calls) assertThrows(call, RangeError, "userData", String(call));
  }
  // The last of ten would be the first numbers again.
  assertThrows(() => batch.sendEach(near, slice, 100, 2 ** 32 - 9), RangeError, "10 requests");
  assertEquals([ring.inFlight, area.inFlight], [0, 0]);
  assertEquals(batch.sendEach(near, slice, 100, 2 ** 32 - 10), 10);
  batch.nop(0xffff_ffff).nop(0);
  const seen = reapAll(ring).map(([userData]) => userData).sort((a, b) => a - b);
  assertEquals(seen.slice(0, 2), [0, 2 ** 32 - 10]);
  assertEquals(seen.slice(-2), [2 ** 32 - 1, 2 ** 32 - 1]);
});

Deno.test("A request that is refused ends the chain before it", async () => {
  await using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 8192 });
  using connection = connectUdp(bed);
  using closed = Socket.udp();
  closed.close();
  const { near, far } = connection;
  const { batch } = ring;
  const [waiting, other] = area.chunks(4096) as [Slice, Slice];
  const stranger = Ring.open();
  const refused: (() => unknown)[] = [
    () => batch.send(near, waiting, 2),
    () => batch.send(near, other, -1),
    () => batch.send(near, other, 2, MSG.ZEROCOPY),
    () => batch.send(near, other, new Notifier(stranger)),
    () => batch.sendZc(near, waiting, 2),
    () => batch.sendEach(near, other, 0, 2),
    () => batch.sendEach(near, waiting, 10, 2),
    () => batch.sendMsg(near, new Message([waiting]), 2),
    () => batch.recv(closed, other, 2),
    () => batch.recv(near, waiting, 2),
    () => batch.recvMsg(near, Message.receiver([waiting]), 2),
    () => batch.read(near, other, -2),
    () => batch.accept(closed),
    () => batch.connect(near, { host: "nobody", port: 1 }),
    () => batch.socket("sctp" as never),
    () => batch.socket("tcp", 5 as never),
    () => batch.shutdown(closed),
    () => batch.shutdown(near, "all" as never),
    () => batch.closeFile(near.fd),
    () => batch.closeFile(1.5),
    () => batch.poll(near, NaN),
    () => batch.timeout(-1),
    () => batch.cancel(closed),
    () => batch.nop(NaN),
    () => batch.msgRing(ring, NaN, 0),
  ];
  for (const call of refused) {
    batch.recv(far, waiting, 1).link();
    assertThrows(call, Error, "", String(call));
    batch.nop(3).submit();
    const seen: number[] = [];
    batch.reap((userData) => seen.push(userData));
    assertEquals(seen, [3], String(call));
    batch.cancel(far, 4);
    assertEquals(reapAll(ring).map(([userData]) => userData).sort(), [1, 4]);
  }
  stranger.close();
  const rejected: (() => Promise<unknown>)[] = [
    () => ring.send(near, waiting),
    () => ring.nop({ timeout: -1 }),
    () => ring.recv(closed, other),
    () => ring.accept(closed),
    () => ring.connect(near, { host: "nobody", port: 1 }),
    () => ring.socket("sctp" as never),
    () => ring.socket("tcp", 5 as never),
    () => ring.shutdown(near, "all" as never),
    () => ring.closeFile(near.fd),
    () => ring.closeFile(NaN),
    () => ring.poll(near, -1.5),
    () => ring.timeout(NaN),
    () => ring.cancel(closed),
    () => ring.msgRing(stranger, 1, 0),
    () => ring.msgRing(ring, NaN, 0),
    () => ring.recvMultishot(closed, undefined as never).next(),
    () => ring.acceptMultishot(closed).next(),
  ];
  for (const call of rejected) {
    batch.recv(far, waiting, 1).link();
    await assertRejects(call, Error, "", String(call));
    batch.nop(3).submit();
    const seen: number[] = [];
    batch.reap((userData) => seen.push(userData));
    assertEquals(seen, [3], String(call));
    batch.cancel(far, 4);
    assertEquals(reapAll(ring).map(([userData]) => userData).sort(), [1, 4]);
  }
});

Deno.test("What is linked to a timeout starts when the time has run out, unless told otherwise", () => {
  using ring = Ring.open();
  const { batch } = ring;
  const started = performance.now();
  batch.timeout(30, 1).link().nop(2);
  assertEquals(reapAll(ring).map(([userData, result]) => [userData, result]), [[1, -62], [2, 0]]);
  assert(performance.now() - started >= 30);
  batch.timeout(1, 1, { etimeSuccess: false }).link().nop(2);
  assertEquals(reapAll(ring).map(([userData, result]) => [userData, result]), [[1, -62], [
    2,
    -125,
  ]]);
});

Deno.test("A request of our own never takes the place of the next one in a chain", async () => {
  await using bed = await Testbed.loopback();
  await using ring = Ring.open();
  using area = Area.map({ bytes: 8192 });
  using connection = connectUdp(bed);
  const controller = new AbortController();
  const slow = ring.timeout(60_000, { signal: controller.signal });
  await Promise.resolve();
  ring.batch.submit();
  ring.batch.recv(connection.far, area.slice(0, 10), 1).link();
  controller.abort(); // is cancelled at once, and not when something was received
  await assertRejects(() => slow, DOMException);
  ring.batch.cancel(connection.far, 2);
  reapAll(ring);
});

Deno.test("A request whose entry finds no room gives its memory back", () => {
  using ring = Ring.open({ entries: 2 });
  using area = Area.map({ bytes: 4096 });
  using socket = Socket.udp();
  const slice = area.slice(0, 100);
  const message = new Message([slice]);
  const slot = new Notifier(ring);
  const engine = ring[ENGINE] as Engine;
  const { submit } = engine;
  ring.batch.nop(1).nop(2);
  engine.submit = () => {
    throw new UringError("io_uring_enter", 12);
  };
  const calls: (() => unknown)[] = [
    () => ring.batch.send(socket, slice, 3),
    () => ring.batch.sendZc(socket, slice, slot),
    () => ring.batch.sendMsg(socket, message, 3),
    () => ring.batch.recv(socket, slice, 3),
    () => ring.batch.write(socket, slice, 0, 3),
  ];
  for (const call of calls) {
    const error = assertThrows(call, UringError, "", String(call));
    assertEquals([error.code, slice.state, slot.requests], ["ENOMEM", "free", 0]);
  }
  engine.submit = submit;
  assertEquals(reapAll(ring).map(([userData]) => userData), [1, 2]);
});

Deno.test("A request with a time limit is refused where it would tear a chain apart", async () => {
  using ring = Ring.open({ entries: 4 });
  const { batch } = ring;
  batch.nop(1).nop(2).timeout(60_000, 3).link();
  await assertRejects(() => ring.nop({ timeout: 5 }), RangeError, "no room for 2 entries more");
  // The chain has ended, and there is room for what needs one entry.
  assertEquals(batch.prepared, 3);
  batch.nop(4).submit();
  const seen: number[] = [];
  batch.reap((userData) => seen.push(userData));
  assertEquals(seen, [1, 2, 4]);
});

/** The names of a method's parameters, without the ones that say who is told and with what flags. */
function parameters(method: unknown): string {
  const [, list] = /^(?:async )?\*?\w+\(([^{]*?)\) \{/s.exec(
    String(method).replaceAll("= {}", ""),
  )!;
  return list!.split(",").map((parameter) => parameter.replace(/=.*/s, "").trim())
    .filter((name) => !["", "userData", "target", "flags", "options"].includes(name)).join(", ");
}

Deno.test("Each operation has one name and the same arguments on both APIs", () => {
  const batch = Batch.prototype as unknown as Record<string, unknown>;
  const ring = Ring.prototype as unknown as Record<string, unknown>;
  const own = Object.getOwnPropertyNames(Ring.prototype).filter((name) =>
    typeof Object.getOwnPropertyDescriptor(ring, name)!.value === "function"
  );
  const operations = own.filter((name) => name in batch && name !== "constructor");
  assertEquals(
    own.filter((name) => !operations.includes(name)).sort(),
    ["close", "constructor", "register", "supports", "unregister"],
  );
  const listOf = (from: Record<string, unknown>): string[] =>
    operations.map((name) => `${name}(${parameters(from[name])})`);
  assertEquals(listOf(ring), listOf(batch));
  assertEquals(listOf(ring).includes("accept(listener)"), true);
  assertEquals(listOf(ring).includes("socket(protocol, family)"), true);
});
