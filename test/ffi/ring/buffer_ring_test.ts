import { ERRNO } from "../../../ffi/kernel/errno.ts";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  Area,
  BufferRing,
  ClosedError,
  CQE,
  OwnershipError,
  type ReceivedPiece,
  Ring,
  type Socket,
  Testbed,
  UringError,
} from "zclab";
import { emptySlice, providedAfter, providedIn } from "../../../ffi/ring/buffer_ring.ts";
import type { Engine } from "../../../ffi/ring/engine.ts";
import { ENGINE } from "../../../ffi/ring/ring_handle.ts";
import {
  bytesOf,
  type Completion,
  connectTcp,
  connectUdp,
  pattern,
  reapAll,
  sleep,
  textOf,
  until,
  untilBlocking,
} from "../connections.ts";
import { inTime } from "../../until.ts";

const ENOBUFS = -ERRNO.ENOBUFS;
const ECANCELED = -ERRNO.ECANCELED;
const POLLPRI = 2;

/** Waits until that many completions of a user data have come. */
function reapUntil(ring: Ring, count: number, userData: number): Completion[] {
  const completions: Completion[] = [];
  const left = (): number => count - completions.filter(([value]) => value === userData).length;
  untilBlocking(`${count} completions of ${userData}`, () => {
    ring.batch.waitBlocking(1, 1000);
    ring.batch.reap((...completion) => completions.push(completion));
    return left() <= 0;
  });
  return completions.filter(([value]) => value === userData);
}

Deno.test("BufferRing refuses what the kernel would", () => {
  using ring = Ring.open();
  for (const count of [0, 3, -4, 1.5, NaN, 65536]) {
    assertThrows(() => BufferRing.open(ring, { count, bytes: 100 }), RangeError, "power of two");
  }
  for (const bytes of [0, -1, 1.5, NaN]) {
    assertThrows(() => BufferRing.open(ring, { count: 4, bytes }), RangeError, "bytes");
  }
  for (const group of [-1, 65536, 0.5]) {
    assertThrows(() => BufferRing.open(ring, { count: 4, bytes: 1, group }), RangeError, "group");
  }
  using first = BufferRing.open(ring, { count: 4, bytes: 100, group: 7 });
  assertEquals([first.group, first.count, first.held, first.closed], [7, 4, 0, false]);
  const error = assertThrows(
    () => BufferRing.open(ring, { count: 4, bytes: 100, group: 7 }),
    UringError,
  );
  assertEquals([error.operation, error.code], ["IORING_REGISTER_PBUF_RING", "EEXIST"]);
  using second = BufferRing.open(ring, { count: 32768, bytes: 1, group: 65535 });
  assertEquals(second.count, 32768);
});

Deno.test("Multishot receive, batch API: buffers run out and are released", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using area = Area.map({ bytes: 4096 });
  using ring = Ring.open();
  using buffers = BufferRing.open(ring, { count: 4, bytes: 512 });
  const { near, far } = connection;
  const send = (text: string): void => {
    const slice = area.slice(0, text.length).write(bytesOf(text));
    ring.batch.send(near, slice, 1);
    reapUntil(ring, 1, 1);
  };
  const received: string[] = [];
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 6; i++) send(`round ${round} datagram ${i}`);
    // Four fit; then the request ends and says why.
    ring.batch.recvMultishot(far, buffers, 2);
    const completions = reapUntil(ring, 5, 2);
    assertEquals(completions.map(([, , flags]) => (flags & CQE.MORE) !== 0), [
      ...[true, true, true, true],
      false,
    ]);
    assertEquals(completions[4]![1], ENOBUFS);
    const slices = completions.slice(0, 4).map(([, result, flags]) => buffers.take(flags, result)!);
    assertEquals(buffers.take(completions[4]![2], ENOBUFS), undefined);
    assertEquals(buffers.held, 4);
    received.push(...slices.map((slice) => textOf(slice.bytes)));
    buffers.release(slices[2]!);
    buffers.release(slices[0]!);
    assertEquals(buffers.held, 2);
    // Armed again it goes on with the two that came back.
    ring.batch.recvMultishot(far, buffers, 2);
    const rest = reapUntil(ring, 3, 2);
    assertEquals(rest[2]![1], ENOBUFS);
    for (const [, result, flags] of rest.slice(0, 2)) {
      const slice = buffers.take(flags, result)!;
      received.push(textOf(slice.bytes));
      buffers.release(slice);
    }
    buffers.release(slices[1]!);
    buffers.release(slices[3]!);
    assertEquals([buffers.held, ring.inFlight], [0, 0]);
  }
  const expected = [0, 1, 2].flatMap((round) =>
    [0, 1, 2, 3, 4, 5].map((i) => `round ${round} datagram ${i}`)
  );
  assertEquals(received, expected);
});

Deno.test("Multishot receive, batch API: cancelled by file", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using ring = Ring.open();
  using buffers = BufferRing.open(ring, { count: 4, bytes: 512 });
  ring.batch.recvMultishot(connection.far, buffers, 3).submit();
  assertEquals(ring.inFlight, 1);
  ring.batch.cancel(connection.far, 4);
  const completions = reapAll(ring).map(([userData, result]) => [userData, result]);
  assertEquals(completions.toSorted(), [[3, ECANCELED], [4, 1]]);
});

Deno.test("Multishot receive, promise API: a TCP stream through few small buffers", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open({ entries: 8 });
  using connection = await connectTcp(ring, bed);
  using buffers = BufferRing.open(ring, { count: 2, bytes: 1000 });
  const total = 300_000;
  using area = Area.map({ bytes: total });
  const data = pattern(total, 3);
  area.slice(0, total).write(data);
  const { near, far } = connection;

  const sending = (async (): Promise<void> => {
    let sent = 0;
    while (sent < total) {
      sent += await inTime("a send", ring.send(near, area.slice(sent, total - sent)));
    }
    await ring.shutdown(near, "write");
  })();
  const received = new Uint8Array(total);
  let at = 0;
  let most = 0;
  const held: ReceivedPiece[] = [];
  for await (const piece of ring.recvMultishot(far, buffers)) {
    received.set(piece.slice.bytes, at);
    at += piece.slice.length;
    most = Math.max(most, buffers.held);
    // Keeps one for a while, so that they run out.
    held.push(piece);
    if (held.length === 2) held.shift()!.release();
  }
  await sending;
  held.shift()!.release();
  assertEquals([at, buffers.held, most], [total, 0, 2]);
  assertEquals(received, data);
  assertEquals(ring.inFlight, 0);
});

Deno.test("Multishot receive, promise API: waits until a buffer is released", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using ring = Ring.open();
  using buffers = BufferRing.open(ring, { count: 1, bytes: 100 });
  using area = Area.map({ bytes: 4096 });
  const stream = ring.recvMultishot(connection.far, buffers);
  for (let i = 0; i < 3; i++) {
    await ring.send(connection.near, area.slice(0, 1).write(bytesOf(`${i}`)));
  }
  const first = (await stream.next()).value!;
  assertEquals(textOf(first.slice.bytes), "0");
  let second: ReceivedPiece | undefined;
  const next = stream.next().then(({ value }) => second = value);
  await sleep(5);
  assertEquals(second, undefined);
  // It asks the kernel for nothing meanwhile.
  const { queues } = ring[ENGINE] as Engine;
  const submitted = queues.ring[queues.sqTail];
  await sleep(5);
  assertEquals([queues.ring[queues.sqTail], ring.inFlight], [submitted, 0]);
  first.release();
  await next;
  assertEquals(textOf(second!.slice.bytes), "1");
  second!.release();
  await stream.return(undefined);
  assertEquals([buffers.held, ring.inFlight], [0, 0]);
});

Deno.test("Multishot receive, promise API: leaving the loop cancels and gives back", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using ring = Ring.open();
  using buffers = BufferRing.open(ring, { count: 8, bytes: 100 });
  using area = Area.map({ bytes: 4096 });
  for (let i = 0; i < 5; i++) await ring.send(connection.near, area.slice(0, 10));
  for await (const piece of ring.recvMultishot(connection.far, buffers)) {
    piece.release();
    break;
  }
  assertEquals([buffers.held, ring.inFlight], [0, 0]);
  // A second receive finds all of its buffers.
  await ring.send(connection.near, area.slice(0, 10));
  for await (const piece of ring.recvMultishot(connection.far, buffers)) {
    assertEquals(piece.slice.length, 10);
    piece.release();
    break;
  }
});

Deno.test("A multishot receive names a connection that was reset", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  using buffers = BufferRing.open(ring, { count: 2, bytes: 100 });
  using connection = await connectTcp(ring, bed);
  const stream = ring.recvMultishot(connection.near, buffers);
  const next = stream.next();
  await ring.send(connection.near, area.slice());
  await ring.timeout(1);
  connection.far.close();
  const error = await assertRejects(() => next, UringError);
  assertEquals([error.operation, error.code], ["RECV", "ECONNRESET"]);
  assertEquals(ring.inFlight, 0);
});

Deno.test("Buffers are the kernel's, then the program's, then the kernel's again", async () => {
  const startedAt = performance.now();
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  using buffers = BufferRing.open(ring, { count: 2, bytes: 100, group: 5 });
  assertMatch(Deno.inspect(buffers), /^BufferRing \{ group: 5, count: 2, held: 0 \}$/);
  ring.batch.recvMultishot(connection.far, buffers, 2);
  ring.batch.send(connection.near, area.slice(0, 10), 1);
  const [[, result, flags]] = reapUntil(ring, 1, 2) as [Completion];
  const slice = buffers.take(flags, result)!;
  assertEquals([slice.length, slice.state, buffers.held], [10, "free", 1]);
  slice.write(bytesOf("mine"));

  // What is still being sent cannot be given back.
  ring.batch.send(connection.near, slice, 6);
  assertThrows(() => buffers.release(slice), OwnershipError, "in flight");
  reapUntil(ring, 1, 6);
  // What is none of its buffers neither.
  assertThrows(() => buffers.release(area.slice(0, 100)), OwnershipError, "not a buffer");
  assertThrows(() => buffers.release(slice.slice(1)), OwnershipError, "not a buffer");

  buffers.release(slice);
  assertThrows(() => buffers.release(slice), OwnershipError, "not a buffer");
  const error = assertThrows(() => slice.bytes, OwnershipError, "for buffer group 5");
  const since = Number(/since ([\d.]+) ms ago/.exec(error.message)![1]);
  assert(since <= performance.now() - startedAt, `${since}`);
  ring.batch.cancel(connection.far);
  reapAll(ring);
});

Deno.test("A receive with another ring's buffers is refused", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using ring = Ring.open();
  using other = Ring.open();
  using buffers = BufferRing.open(other, { count: 2, bytes: 100 });
  assertThrows(() => ring.batch.recvMultishot(connection.far, buffers), RangeError, "another ring");
  const stream = ring.recvMultishot(connection.far, buffers);
  await assertRejects(() => stream.next(), RangeError, "another ring");
  assertEquals([ring.inFlight, other.inFlight], [0, 0]);
});

Deno.test("BufferRing throws ClosedError after close, all of its methods", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using area = Area.map({ bytes: 4096 });
  using ring = Ring.open();
  const buffers = BufferRing.open(ring, { count: 2, bytes: 100 });
  ring.batch.recvMultishot(connection.far, buffers, 2).submit();
  ring.batch.send(connection.near, area.slice(0, 10), 1);
  const [[, result, flags]] = reapUntil(ring, 1, 2) as [Completion];
  const slice = buffers.take(flags, result)!;
  buffers.close();
  buffers.close();
  buffers[Symbol.dispose]();
  assertEquals(buffers.closed, true);
  assertThrows(() => slice.bytes, ClosedError);
  assertThrows(() => buffers.release(slice), ClosedError, "BufferRing is closed");
  assertThrows(
    () => ring.batch.recvMultishot(connection.far, buffers),
    ClosedError,
    "BufferRing is closed",
  );
  const stream = ring.recvMultishot(connection.far, buffers);
  await assertRejects(() => stream.next(), ClosedError, "BufferRing is closed");
  assertEquals(buffers.take(flags, result), undefined);
  await providedAfter(buffers, providedIn(buffers));
  assertThrows(() => emptySlice(buffers), ClosedError);
  const telling = ["close", "closed", "constructor", "count", "held", "take"];
  assertEquals(
    [...telling, "release"].sort(),
    Object.getOwnPropertyNames(BufferRing.prototype).sort(),
  );
  assertEquals(Deno.inspect(buffers), "BufferRing { closed }");
  // A receive that still wants such buffers ends.
  ring.batch.send(connection.near, area.slice(0, 10), 1);
  const rest = reapAll(ring).filter(([userData]) => userData === 2);
  assertEquals(rest.map(([, result]) => result), [ENOBUFS]);
});

Deno.test("Closing the buffers ends a receive of the promise API with ClosedError", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using area = Area.map({ bytes: 4096 });
  using ring = Ring.open();
  for (const count of [1, 2]) {
    const buffers = BufferRing.open(ring, { count, bytes: 100 });
    const stream = ring.recvMultishot(connection.far, buffers);
    await ring.send(connection.near, area.slice(0, 10));
    await stream.next();
    // With one buffer it waits for that to come back, with two for a datagram.
    const next = stream.next();
    await sleep(1);
    buffers.close();
    await ring.send(connection.near, area.slice(0, 10));
    await assertRejects(() => next, ClosedError, "BufferRing is closed");
    connection.far.tryReceive(area.slice(2048, 100));
  }
  assertEquals(ring.inFlight, 0);
});

Deno.test("What was received and not taken when the buffers are closed is no end of stream", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using area = Area.map({ bytes: 4096 });
  using ring = Ring.open();
  const buffers = BufferRing.open(ring, { count: 4, bytes: 100 });
  for (let i = 0; i < 3; i++) await ring.send(connection.near, area.slice(0, 10));
  const stream = ring.recvMultishot(connection.far, buffers);
  await stream.next();
  buffers.close();
  await assertRejects(() => stream.next(), ClosedError, "BufferRing is closed");
  assertEquals(ring.inFlight, 0);
});

Deno.test("Closing the ring before its buffers is fine", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  const ring = Ring.open();
  const buffers = BufferRing.open(ring, { count: 2, bytes: 100 });
  ring.batch.recvMultishot(connection.far, buffers, 2).submit();
  assertEquals(ring.close(), 0);
  buffers.close();
  assertThrows(() => BufferRing.open(ring, { count: 2, bytes: 100 }), ClosedError, "Ring");
});

Deno.test("A receive that waits for a buffer is told when the ring closes", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using area = Area.map({ bytes: 4096 });
  const ring = Ring.open();
  const buffers = BufferRing.open(ring, { count: 1, bytes: 100 });
  const pieces = ring.recvMultishot(connection.far, buffers);
  for (let i = 0; i < 2; i++) await ring.send(connection.near, area.slice(0, 10));
  assertEquals((await pieces.next()).value?.slice.length, 10);
  // The only buffer is held, and nobody will ever give it back.
  const waiting = pieces.next();
  await ring.timeout(20);
  ring.close();
  await assertRejects(() => waiting, ClosedError);
  buffers.close();
});

Deno.test("Datagrams without content are pieces; only a stream has an end", async () => {
  await using bed = await Testbed.loopback();
  await using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  using connection = connectUdp(bed);
  const { near, far } = connection;
  using buffers = BufferRing.open(ring, { count: 4, bytes: 64 });
  const lengths = [5, 0, 7, 0, 0, 1];
  for (const file of [far, far.fd]) {
    const got: number[] = [];
    let end = "still running";
    const loop = (async () => {
      for await (const piece of ring.recvMultishot(file, buffers)) {
        got.push(piece.slice.length);
        assertEquals(piece.slice.bytes.length, piece.slice.length);
        piece.release();
        if (got.length === lengths.length) break;
      }
    })().then(() => end = "left", (error) => end = String(error));
    for (const length of lengths) near.sendBlocking(area.slice(0, length));
    await loop;
    assertEquals([got, end, buffers.held], [lengths, "left", 0]);
  }
});

Deno.test("Multishot receive goes on after the completion queue was full", async () => {
  await using bed = await Testbed.loopback();
  await using ring = Ring.open({ entries: 4, completionEntries: 8 });
  using area = Area.map({ bytes: 4096 });
  using connection = connectUdp(bed);
  connection.far.setOption("SO_RCVBUF", 1 << 20);
  using buffers = BufferRing.open(ring, { count: 128, bytes: 64 });
  const got: number[] = [];
  const loop = (async () => {
    for await (const piece of ring.recvMultishot(connection.far, buffers)) {
      got.push(piece.slice.length);
      piece.release();
      if (got.length === 60) break;
    }
  })();
  await sleep(5);
  for (let i = 1; i <= 60; i++) connection.near.sendBlocking(area.slice(0, i));
  await loop;
  assertEquals(got, Array.from({ length: 60 }, (_, i) => i + 1));
  assertEquals(buffers.held, 0);
});

Deno.test("A receive that finds no buffer waits for one, and asks the kernel no more", async () => {
  await using bed = await Testbed.loopback();
  await using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  using busy = connectUdp(bed);
  using idle = connectUdp(bed);
  using buffers = BufferRing.open(ring, { count: 4, bytes: 64 });
  const first = ring.recvMultishot(busy.far, buffers);
  const taking = first.next();
  await sleep(5);
  for (let i = 0; i < 4; i++) busy.near.sendBlocking(area.slice(0, 10));
  const piece = (await taking).value!;
  await sleep(20);
  // One buffer is held, three lie in completions that nobody has asked for.
  assertEquals(buffers.held, 1);
  const submitted = (): number => ring.inFlight;
  const second = ring.recvMultishot(idle.far, buffers);
  const waiting = second.next();
  idle.near.sendBlocking(area.slice(0, 20));
  await sleep(20);
  const before = { inFlight: submitted(), provided: providedIn(buffers) };
  let turns = 0;
  for (let i = 0; i < 50; i++) {
    await sleep(2);
    // While it waits it has no request in the kernel.
    if (submitted() !== before.inFlight) turns++;
  }
  assertEquals([turns, providedIn(buffers)], [0, before.provided]);
  piece.release();
  assertEquals((await waiting).value!.slice.length, 20);
  await first.return(undefined);
  await second.return(undefined);
});

Deno.test("A receive that waits for a buffer ends when its socket is closed or cancelled", async () => {
  await using bed = await Testbed.loopback();
  const ends: Record<string, (ring: Ring, far: Socket) => unknown> = {
    "Socket.close": (_, far) => far.close(),
    "Ring.cancel": async (ring, far) => assertEquals(await ring.cancel(far), 1),
    "Ring.cancel, of a request as well": async (ring, far) => {
      const poll = ring.poll(far, POLLPRI);
      assertEquals(await ring.cancel(far), 2);
      await assertRejects(() => poll, UringError, "ECANCELED");
    },
    "Ring.close": (ring) => ring.close(),
  };
  for (const [name, end] of Object.entries(ends)) {
    for (const registered of [false, true]) {
      await using ring = Ring.open();
      using area = Area.map({ bytes: 4096 });
      using buffers = BufferRing.open(ring, { count: 1, bytes: 64 });
      using busy = connectUdp(bed);
      using idle = connectUdp(bed);
      if (registered) ring.register(idle.far);
      busy.near.sendBlocking(area.slice(0, 10));
      const holder = ring.recvMultishot(busy.far, buffers);
      const { value: piece } = await holder.next();
      assertEquals(buffers.held, 1);
      idle.near.sendBlocking(area.slice(0, 20));
      let ended: unknown;
      ring.recvMultishot(idle.far, buffers).next().then((v) => ended = v, (error) => ended = error);
      // Both receives have found that there is no buffer: the kernel has neither.
      await until("nothing is in flight", () => ring.inFlight === 0);
      await sleep(5);
      assertEquals(ended, undefined);
      await end(ring, idle.far);
      await until(`the receive has ended after ${name}`, () => ended !== undefined);
      if (name === "Ring.close") {
        assertInstanceOf(ended, ClosedError);
        continue;
      }
      assertInstanceOf(ended, UringError);
      assertEquals([ended.operation, ended.code], ["RECV", "ECANCELED"]);
      // Nobody waits any more, and giving it back is quiet.
      piece!.release();
      await holder.return(undefined);
    }
  }
});

Deno.test("A receive that waits for a buffer ends when the batch API cancels what is on its file", async () => {
  await using bed = await Testbed.loopback();
  await using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  using connection = connectUdp(bed);
  using buffers = BufferRing.open(ring, { count: 1, bytes: 64 });
  const stream = ring.recvMultishot(connection.far, buffers);
  const first = stream.next();
  connection.near.sendBlocking(area.slice(0, 10));
  connection.near.sendBlocking(area.slice(0, 10));
  const piece = (await first).value!;
  const waiting = stream.next();
  await sleep(20);
  assertEquals(ring.inFlight, 0);
  ring.batch.cancel(connection.far, 1).submit();
  const error = await assertRejects(() => waiting, UringError);
  assertEquals(error.code, "ECANCELED");
  piece.release();
  assertEquals(buffers.held, 0);
});

Deno.test("touched buffers have memory behind them before anything is received", async () => {
  const bytes = 1 << 20;
  const count = 32;
  /** How many more pages this process has in memory once the buffers are there. */
  const pagesOf = async (touched: boolean): Promise<number> => {
    await using ring = Ring.open({ entries: 4 });
    const before = residentPages();
    using _buffers = BufferRing.open(ring, { count, bytes, touched });
    return residentPages() - before;
  };
  const pages = count * bytes / 4096;
  // What else the process does takes some, and gives some back.
  assert(await pagesOf(false) < pages / 4);
  assert(await pagesOf(true) > pages * 3 / 4);
});

function residentPages(): number {
  return Number(Deno.readTextFileSync("/proc/self/statm").split(" ")[1]);
}
