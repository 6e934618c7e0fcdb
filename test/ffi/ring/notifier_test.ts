import { ERRNO } from "../../../ffi/kernel/errno.ts";
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  Area,
  ClosedError,
  Message,
  Notifier,
  OwnershipError,
  Ring,
  Socket,
  Testbed,
  UringError,
} from "zclab";
import type { Engine } from "../../../ffi/ring/engine.ts";
import { ENGINE } from "../../../ffi/ring/ring_handle.ts";
import { Generation } from "../../../ffi/ring/generation.ts";
import { CQE, NOTIF_USAGE_ZC_COPIED } from "../../../ffi/kernel/uapi.ts";
import { connectTcp, connectUdp, pattern, reapAll, sleep } from "../connections.ts";
import { inTime } from "../../until.ts";
import { test } from "../../needs.ts";

/** More than a receive buffer of 4096 takes, and little of what an ordinary user may lock. */
const UNREAD = 1 << 20;

test("Into the sink nothing is copied: normal and registered buffers on one notifier", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink();
  using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
  using ring = Ring.open({ entries: 16 });
  using normal = Area.map({ bytes: 1 << 18 });
  using registered = Area.map({ bytes: 1 << 18 });
  ring.register(registered);
  const slot = new Notifier(ring, { tag: 7 });
  for (const area of [normal, registered, normal]) {
    for (const chunk of area.chunks(4000)) ring.batch.sendZc(socket, chunk, slot);
  }
  const requests = 3 * 65;
  assertEquals([slot.requests, slot.tag, slot.sequence], [requests, 7, 0]);
  const { latencyMilliseconds: latency, ...notification } = await slot.flush();
  assertEquals({ ...notification }, {
    tag: 7,
    sequence: 0,
    requests,
    bytes: requests * 4000,
    sent: requests,
    failed: 0,
    error: undefined,
    notified: requests,
    copied: 0,
  });
  assert(latency > 0, `${latency}`);
  assertEquals([normal.inFlight, registered.inFlight, ring.inFlight], [0, 0, 0]);
});

for (const family of [4, 6] as const) {
  Deno.test(`Over loopback everything is copied (IPv${family})`, async () => {
    using bed = await Testbed.loopback();
    using connection = connectUdp(bed, family);
    using ring = Ring.open();
    using area = Area.map({ bytes: 64 * 1024 });
    const slot = new Notifier(ring);
    for (const chunk of area.chunks(1000)) ring.batch.sendZc(connection.near, chunk, slot);
    const { requests, sent, notified, copied, bytes } = await slot.flush();
    assertEquals(
      { requests, sent, notified, copied, bytes },
      { requests: 65, sent: 65, notified: 65, copied: 65, bytes: 65_000 },
    );
  });
}

test("Messages notify like single slices", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink();
  using ring = Ring.open();
  using area = Area.map({ bytes: 1 << 16 });
  using socket = Socket.udp(bed.near);
  const message = new Message(area.chunks(1000).slice(0, 4), { to: bed.far.address(9000) });
  const slot = new Notifier(ring);
  for (let i = 0; i < 10; i++) ring.batch.sendMsgZc(socket, message, slot);
  const { sent, bytes, notified, copied } = slot.flushBlocking();
  assertEquals({ sent, bytes, notified, copied }, {
    sent: 10,
    bytes: 40_000,
    notified: 10,
    copied: 0,
  });
});

test("Plain sends may share a notifier, and are not notified", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink();
  using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
  using ring = Ring.open();
  using area = Area.map({ bytes: 1 << 16 });
  const [first, second] = area.chunks(4000);
  const message = new Message([second!]);
  const slot = new Notifier(ring);
  ring.batch.send(socket, first!, slot).sendZc(socket, first!, slot).sendMsg(socket, message, slot);
  const { requests, sent, notified, copied, bytes } = await slot.flush();
  assertEquals(
    { requests, sent, notified, copied, bytes },
    { requests: 3, sent: 3, notified: 1, copied: 0, bytes: 12_000 },
  );
});

test("Failed sends are counted, their error is told, and their copied bit ignored", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink();
  using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
  using ring = Ring.open();
  using area = Area.map({ bytes: 1 << 17 });
  const slot = new Notifier(ring);
  const [small, large] = [area.slice(0, 1000), area.slice(0, 70_000)];
  ring.batch.sendZc(socket, small, slot).sendZc(socket, large, slot).send(socket, large, slot);
  ring.batch.sendZc(socket, large, slot).sendZc(socket, small, slot);
  const { requests, sent, failed, error, copied, bytes, notified } = await slot.flush();
  // On failure too, a notification follows if and only if the first completion said so.
  assertEquals(
    { requests, sent, failed, copied, bytes, notified },
    { requests: 5, sent: 2, failed: 3, copied: 0, bytes: 2000, notified: 4 },
  );
  assertEquals([error!.code, error!.errno], ["EMSGSIZE", ERRNO.EMSGSIZE]);

  // The next notifier of the slot has forgotten all that.
  ring.batch.sendZc(socket, small, slot);
  const next = await slot.flush();
  assertEquals([next.sequence, next.failed, next.error, next.sent], [1, 0, undefined, 1]);
});

Deno.test("An empty send over TCP says nothing about copying", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  using connection = await connectTcp(ring, bed);
  const slot = new Notifier(ring);
  ring.batch.sendZc(connection.near, area.slice(0, 0), slot);
  const { sent, bytes, notified, copied } = await slot.flush();
  assertEquals({ sent, bytes, notified, copied }, { sent: 1, bytes: 0, notified: 1, copied: 0 });
  const { bytes: none, released } = await ring.sendZc(connection.near, area.slice(0, 0));
  assertEquals([none, await released], [0, { copied: false }]);
});

Deno.test("A notification follows if and only if F_MORE is set, whatever the result", () => {
  using ring = Ring.open();
  const engine = ring[ENGINE] as Engine;
  const cases: readonly (readonly [result: number, more: boolean])[] = [
    [100, true],
    [100, false],
    [-90, true],
    [-90, false],
    [0, true],
  ];
  for (const [result, more] of cases) {
    const generation = new Generation(engine);
    generation.requests = generation.outstanding = 1;
    generation.complete(result, more ? CQE.MORE : 0, 5, !more, 0);
    assertEquals(generation.outstanding, more ? 1 : 0, `${result} ${more}`);
    if (more) generation.complete(NOTIF_USAGE_ZC_COPIED, CQE.NOTIF, 5, true, 0);
    assertEquals(
      [generation.outstanding, generation.notified, generation.copied],
      [0, more ? 1 : 0, more && result > 0 ? 1 : 0],
      `${result} ${more}`,
    );
  }
});

Deno.test("Notifications that come out of order find their own request", () => {
  using ring = Ring.open();
  const generation = new Generation(ring[ENGINE] as Engine);
  generation.requests = generation.outstanding = 3;
  generation.complete(10, CQE.MORE, 1, false, 0);
  generation.complete(-90, CQE.MORE, 2, false, 0);
  generation.complete(10, CQE.MORE, 3, false, 0);
  generation.complete(0, CQE.NOTIF, 3, true, 0);
  generation.complete(NOTIF_USAGE_ZC_COPIED, CQE.NOTIF, 2, true, 0);
  generation.complete(NOTIF_USAGE_ZC_COPIED, CQE.NOTIF, 1, true, 0);
  const { sent, failed, copied, notified, outstanding } = generation;
  assertEquals([sent, failed, copied, notified, outstanding], [2, 1, 1, 3, 0]);
});

Deno.test("copied is undefined where the kernel does not report it (before 6.2, simulated)", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  Object.defineProperty(ring[ENGINE], "reportsUsage", { value: false });
  const slot = new Notifier(ring);
  ring.batch.sendZc(connection.near, area.slice(0, 10), slot);
  assertEquals((await slot.flush()).copied, undefined);
  const { released } = await ring.sendZc(connection.near, area.slice(0, 10));
  assertEquals(await released, { copied: undefined });
});

Deno.test("The sequence counts notifiers and wraps at 2^32", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  const slot = new Notifier(ring, { tag: 2n ** 64n - 1n, sequence: 0xfffffffe });
  const seen: number[] = [];
  for (let i = 0; i < 4; i++) {
    ring.batch.sendZc(connection.near, area.slice(0, 10), slot);
    const { tag, sequence, requests } = i % 2 === 0 ? await slot.flush() : slot.flushBlocking();
    assertEquals([tag, requests], [2n ** 64n - 1n, 1]);
    seen.push(sequence);
  }
  assertEquals(seen, [0xfffffffe, 0xffffffff, 0, 1]);
  assertEquals(slot.sequence, 2);
});

Deno.test("Notifier refuses a tag or a sequence that does not fit", () => {
  using ring = Ring.open();
  for (const tag of [-1, 2 ** 53, 1.5, NaN, -1n, 2n ** 64n, "7" as never]) {
    assertThrows(() => new Notifier(ring, { tag }), RangeError, "tag must be");
  }
  for (const sequence of [-1, 2 ** 32, 1.5, NaN]) {
    assertThrows(() => new Notifier(ring, { sequence }), RangeError, "sequence must be");
  }
});

Deno.test("flush() with nothing attached resolves at once", async () => {
  using ring = Ring.open();
  const slot = new Notifier(ring, { tag: 3 });
  const expected = {
    tag: 3,
    requests: 0,
    bytes: 0,
    sent: 0,
    failed: 0,
    error: undefined,
    notified: 0,
    copied: 0,
    latencyMilliseconds: 0,
  };
  assertEquals({ ...await slot.flush() }, { ...expected, sequence: 0 });
  assertEquals({ ...slot.flushBlocking() }, { ...expected, sequence: 1 });
});

test("The latency runs from the first request to the last buffer", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink();
  using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
  using ring = Ring.open();
  using area = Area.map({ bytes: 1 << 16 });
  const slot = new Notifier(ring);
  ring.batch.sendZc(socket, area.slice(0, 100), slot).submit();
  ring.batch.reap(() => {});
  await ring.timeout(5);
  ring.batch.sendZc(socket, area.slice(100, 100), slot);
  const { latencyMilliseconds: latency, requests } = await slot.flush();
  assertEquals(requests, 2);
  assert(latency >= 5, `${latency}`);
});

test("Two flushes at once resolve each with its own requests", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink();
  using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
  using ring = Ring.open();
  using area = Area.map({ bytes: 1 << 16 });
  const chunks = area.chunks(1000);
  const slot = new Notifier(ring);
  for (const chunk of chunks.slice(0, 3)) ring.batch.sendZc(socket, chunk, slot);
  const first = slot.flush();
  for (const chunk of chunks.slice(3, 8)) ring.batch.sendZc(socket, chunk, slot);
  const second = slot.flush();
  const third = slot.flush();
  const notifications = await Promise.all([first, second, third]);
  assertEquals(
    notifications.map(({ sequence, requests, notified }) => [sequence, requests, notified]),
    [[0, 3, 3], [1, 5, 5], [2, 0, 0]],
  );
});

test("Several notifiers and plain requests share one ring", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink();
  using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
  using ring = Ring.open({ entries: 8 });
  using area = Area.map({ bytes: 1 << 16 });
  const chunks = area.chunks(1000);
  const slots = [0, 1, 2].map((tag) => new Notifier(ring, { tag }));
  for (let i = 0; i < 60; i++) {
    ring.batch.sendZc(socket, chunks[i]!, slots[i % 3]!);
    if (i % 10 === 0) ring.batch.nop(i);
  }
  const notifications = await Promise.all(slots.map((slot) => slot.flush()));
  assertEquals(
    notifications.map(({ tag, requests, notified }) => [tag, requests, notified]),
    [[0, 20, 20], [1, 20, 20], [2, 20, 20]],
  );
  // Awaiting kept the completions of the batch API for it.
  const seen: number[] = [];
  ring.batch.reap((userData) => seen.push(userData));
  assertEquals(seen, [0, 10, 20, 30, 40, 50]);
});

Deno.test("A request that could not be prepared is not attached", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using ring = Ring.open();
  using other = Ring.open();
  using area = Area.map({ bytes: 4096 });
  const slice = area.slice(0, 10);
  const slot = new Notifier(ring);
  ring.batch.recv(connection.far, slice, 1).submit();
  assertThrows(() => ring.batch.sendZc(connection.near, slice, slot), OwnershipError);
  await assertRejects(
    () => ring.sendZc(connection.near, slice, { notifier: slot }),
    OwnershipError,
  );
  const free = area.slice(100, 10);
  assertThrows(() => other.batch.sendZc(connection.near, free, slot), RangeError, "ring");
  await assertRejects(
    () => other.sendZc(connection.near, free, { notifier: slot }),
    RangeError,
    "ring",
  );
  assertEquals([slot.requests, slot.outstanding, free.state], [0, 0, "free"]);
  const { requests, latencyMilliseconds: latency } = await slot.flush();
  assertEquals([requests, latency], [0, 0]);
  ring.batch.sendZc(connection.near, free, 2);
  reapAll(ring);

  // The latency is that of what was attached, not of what was tried before.
  ring.batch.recv(connection.far, slice, 1).submit();
  assertThrows(() => ring.batch.sendZc(connection.near, slice, slot), OwnershipError);
  await sleep(20);
  const startedAt = performance.now();
  ring.batch.sendZc(connection.near, free, slot);
  const notification = await slot.flush();
  assertEquals(notification.requests, 1);
  assert(
    notification.latencyMilliseconds <= performance.now() - startedAt,
    `${notification.latencyMilliseconds}`,
  );
});

test("The promise API attaches as well, and tells of copying for each send", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink();
  using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
  using ring = Ring.open();
  using area = Area.map({ bytes: 1 << 16 });
  const [first, second, third] = area.chunks(8000);
  const slot = new Notifier(ring, { tag: 1 });
  const sends = await Promise.all([
    ring.sendZc(socket, first!, { notifier: slot }),
    ring.sendZc(socket, second!, { notifier: slot }),
    ring.sendMsgZc(socket, new Message([third!]), { notifier: slot }),
  ]);
  assertEquals(sends.map(({ bytes }) => bytes), [8000, 8000, 8000]);
  const { requests, sent, copied, notified } = await slot.flush();
  assertEquals({ requests, sent, copied, notified }, {
    requests: 3,
    sent: 3,
    copied: 0,
    notified: 3,
  });
  for (const { released } of sends) assertEquals(await released, { copied: false });
});

Deno.test("flushBlocking() gives up in time, and the memory stays in flight", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: UNREAD });
  using connection = await connectTcp(ring, bed, { receiveBuffer: 4096 });
  const slice = area.slice();
  const slot = new Notifier(ring);
  ring.batch.sendZc(connection.near, slice, slot);
  const error = assertThrows(() => slot.flushBlocking(20), UringError);
  assertEquals([error.operation, error.code], ["Notifier.flushBlocking", "ETIME"]);
  assertMatch(error.message, /the kernel still has 1 buffers/);
  assertThrows(() => slice.bytes, OwnershipError, "for SEND_ZC");
  assertEquals([slot.sequence, slot.requests], [1, 0]);
  // It comes back when the peer is gone.
  connection.far.close();
  reapAll(ring);
  assertEquals(slice.state, "free");
});

Deno.test("Notifier throws ClosedError after its ring was closed, all of its methods", async () => {
  const ring = Ring.open();
  const slot = new Notifier(ring, { tag: 9 });
  ring.close();
  const calls: Record<string, () => unknown> = {
    flush: () => slot.flush(),
    flushBlocking: () => slot.flushBlocking(),
  };
  await assertRejects(() => slot.flush(), ClosedError, "Ring is closed");
  assertThrows(() => slot.flushBlocking(), ClosedError, "Ring is closed");
  assertThrows(() => new Notifier(ring), ClosedError, "Ring is closed");
  const telling = ["constructor", "outstanding", "requests", "sequence", "tag"];
  assertEquals(
    [...Object.keys(calls), ...telling].sort(),
    Object.getOwnPropertyNames(Notifier.prototype).sort(),
  );
  assertEquals(
    Deno.inspect(slot),
    "Notifier { tag: 9, sequence: 0, requests: 0, outstanding: 0, ring closed }",
  );
});

Deno.test("flush() is rejected when the ring closes before the kernel has let go", async () => {
  using bed = await Testbed.loopback();
  const ring = Ring.open();
  const area = Area.map({ bytes: UNREAD });
  using connection = await connectTcp(ring, bed, { receiveBuffer: 4096 });
  const slot = new Notifier(ring);
  ring.batch.sendZc(connection.near, area.slice(), slot);
  const flushed = slot.flush();
  await sleep(1);
  assertEquals(ring.close(20) > 0, true);
  await assertRejects(() => flushed, ClosedError, "Ring is closed");
  area.close();
});

for (const registered of [false, true]) {
  const buffers = registered ? "registered" : "normal";
  Deno.test(`TCP over a veth pair delivers every byte, from ${buffers} buffers`, async () => {
    await using bed = await Testbed.pair();
    using ring = Ring.open({ entries: 64 });
    const total = 4 << 20;
    using outgoing = Area.map({ bytes: total });
    using incoming = Area.map({ bytes: total });
    using connection = await connectTcp(ring, bed);
    const { near, far } = connection;
    outgoing.slice().write(pattern(total, 1));
    if (registered) ring.register(outgoing);

    const slot = new Notifier(ring, { tag: 5 });
    let received = 0;
    const receiving = (async (): Promise<void> => {
      while (received < total) {
        received += await inTime("data", ring.recv(far, incoming.slice(received)));
      }
    })();
    let sent = 0;
    const notifications = [];
    while (sent < total) {
      // One request in flight on a TCP socket: several may be reordered.
      const piece = outgoing.slice(sent, Math.min(100_003, total - sent));
      const sending = ring.sendZc(near, piece, { notifier: slot });
      sent += (await inTime("a send", sending)).bytes;
      if (slot.requests === 8) notifications.push(slot.flush());
    }
    notifications.push(slot.flush());
    await receiving;
    assertEquals(received, total);
    assert(
      incoming.slice().bytes.every((byte, i) => byte === outgoing.unsafeBytes()[i] || fail(i)),
    );
    const all = await Promise.all(notifications);
    const sum = (key: "bytes" | "sent" | "copied" | "notified"): number =>
      all.reduce((sum, notification) => sum + notification[key]!, 0);
    assertEquals(sum("bytes"), total);
    assertEquals(sum("notified"), sum("sent"));
    // What a local receiver gets was copied.
    assertEquals(sum("copied"), sum("sent"));
    assertEquals(outgoing.inFlight, 0);
  });
}

function fail(at: number): never {
  throw new Error(`The byte at ${at} differs`);
}
