import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  Area,
  BufferRing,
  ClosedError,
  kernelIsAtLeast,
  POLL,
  Ring,
  Testbed,
  UringError,
} from "zclab";
import type { Engine } from "../../../ffi/ring/engine.ts";
import { ENGINE } from "../../../ffi/ring/ring_handle.ts";
import { native } from "../../../ffi/kernel/native.ts";
import { connectUdp, reapAll, runModule, sleep, until, untilBlocking } from "../connections.ts";

/** The open descriptors of a kind, by what their links say. */
function descriptors(kind: RegExp): number {
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (kind.test(Deno.readLinkSync(`/proc/self/fd/${name}`))) count++;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return count;
}

/** The mappings of rings. */
function mappings(): number {
  return Deno.readTextFileSync("/proc/self/maps").split("\n")
    .filter((line) => line.includes("[io_uring]")).length;
}

Deno.test("Both APIs share one queue: awaiting keeps the batch API's completions", async () => {
  using ring = Ring.open({ entries: 8, completionEntries: 8 });
  const expected: number[] = [];
  for (let i = 0; i < 2000; i++) {
    ring.batch.nop(i);
    expected.push(i);
    if (i % 7 === 0) await ring.nop();
  }
  await ring.timeout(1);
  const seen: number[] = [];
  ring.batch.reap((userData) => seen.push(userData));
  assertEquals(seen, expected);
  assertEquals(ring.inFlight, 0);
});

Deno.test("Reaping the batch API completes what the promise API waits for", async () => {
  using ring = Ring.open();
  const awaited = ring.nop();
  ring.batch.nop(3).submit();
  const seen: number[] = [];
  assertEquals(ring.batch.reap((userData) => seen.push(userData)), 2);
  assertEquals([seen, ring.inFlight], [[3], 0]);
  assertEquals(await awaited, 0);
});

Deno.test("Completions set aside are reaped in part and added to in any order", async () => {
  using ring = Ring.open({ entries: 4, completionEntries: 4 });
  const seen: number[] = [];
  let next = 0;
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < 40; i++) ring.batch.nop(next++);
    await ring.nop();
    let left = 25;
    try {
      ring.batch.reap((userData) => {
        seen.push(userData);
        if (--left === 0) throw new Error("enough");
      });
    } catch (error) {
      assertEquals((error as Error).message, "enough");
    }
  }
  ring.batch.reap((userData) => seen.push(userData));
  assertEquals(seen, Array.from({ length: next }, (_, i) => i));
});

Deno.test("Reaping hands out what its function sets aside, in the order in which it came", async () => {
  await using bed = await Testbed.loopback();
  for (const without of [[], ["DEFER_TASKRUN"]] as const) {
    using ring = Ring.open({ without });
    using area = Area.map({ bytes: 4096 });
    using closing = connectUdp(bed);
    using other = connectUdp(bed);
    ring.batch.poll(closing.far, POLL.IN, 2).poll(other.far, POLL.IN, 3).nop(1).submit();
    const seen: (readonly [number, number])[] = [];
    let count = 0;
    const onCompletion = (userData: number, result: number): void => {
      seen.push([userData, result]);
      if (userData !== 1) return;
      // The first is set aside, the second comes later.
      closing.far.close();
      other.near.sendBlocking(area.slice(0, 10));
    };
    untilBlocking("nothing is in flight", () => {
      count += ring.batch.reap(onCompletion);
      return ring.inFlight === 0;
    });
    assertEquals([count, seen], [3, [[1, 0], [2, -125], [3, POLL.IN]]]);
  }
});

Deno.test("A ring tracks more requests than either of its queues has room for", async () => {
  using ring = Ring.open({ entries: 4, completionEntries: 4 });
  const waits = Array.from({ length: 500 }, () => ring.timeout(2));
  for (let i = 0; i < 500; i++) ring.batch.timeout(1, i);
  assertEquals(ring.inFlight, 1000);
  await Promise.all(waits);
  assertEquals(new Set(reapAll(ring).map(([userData]) => userData)).size, 500);
  assertEquals(ring.inFlight, 0);
});

Deno.test("A thousand awaited operations at once each get their own result", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using area = Area.map({ bytes: 1 << 16 });
  using ring = Ring.open({ entries: 16, completionEntries: 16 });
  const lengths = Array.from({ length: 1000 }, (_, i) => i);
  const sent = await Promise.all(
    lengths.map((length) => ring.send(connection.near, area.slice(0, length))),
  );
  assertEquals(sent, lengths);
});

Deno.test("Rings give back every descriptor and every mapping", async () => {
  native();
  const rings = /^anon_inode:\[io_uring\]/;
  const events = /^anon_inode:\[eventfd\]/;
  const before = [descriptors(rings), descriptors(events), mappings()];
  for (let i = 0; i < 30; i++) {
    const ring = Ring.open();
    ring.batch.nop();
    if (i % 3 === 0) await ring.timeout(1);
    if (i % 3 === 1) void ring.timeout(60_000);
    ring.close();
  }
  for (let i = 0; i < 3; i++) {
    await using ring = Ring.open();
    void ring.timeout(60_000);
    await ring.nop();
  }
  // The thread that waits for an eventfd has to notice.
  for (let look = 0; look < 100 && descriptors(events) > before[1]!; look++) await sleep(5);
  assertEquals([descriptors(rings), descriptors(events), mappings()], before);
});

/** The counts of all eventfds, by descriptor. */
function eventCounts(): Map<string, string> {
  const counts = new Map<string, string>();
  for (const { name } of Deno.readDirSync("/proc/self/fdinfo")) {
    try {
      const text = Deno.readTextFileSync(`/proc/self/fdinfo/${name}`);
      const count = /eventfd-count:\s*(\w+)/.exec(text);
      if (count !== null) counts.set(name, count[1]!);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return counts;
}

Deno.test("Completions signal nobody while nobody awaits", async () => {
  // What Deno opens when something is awaited for the first time stays.
  using first = Ring.open();
  await first.timeout(1);
  const others = eventCounts();
  using ring = Ring.open();
  await ring.timeout(1);
  const [name, ...more] = [...eventCounts().keys()].filter((name) => !others.has(name));
  assertEquals(more, []);
  // One signal may be left over: draining a ring signals once more. Let it settle.
  await sleep(20);
  const before = eventCounts().get(name!);
  for (let i = 0; i < 100; i++) ring.batch.nop(i);
  assertEquals(reapAll(ring).length, 100);
  assertEquals(eventCounts().get(name!), before);
  await ring.timeout(1);
});

Deno.test("A ring works with its descriptor registered, and without", async () => {
  // The kernel has room for 16 registered ring descriptors of a thread.
  const rings = Array.from({ length: 20 }, () => Ring.open({ entries: 1 }));
  const registered = rings.map((ring) => (ring[ENGINE] as Engine).ringFdRegistered);
  assertEquals([registered[0], registered.at(-1)], [kernelIsAtLeast("5.18"), false]);
  for (const [i, ring] of rings.entries()) {
    ring.batch.nop(i).submitAndWait(1);
    assertEquals(reapAll(ring)[0]![0], i);
    await ring.timeout(1);
  }
  for (const ring of rings) ring.close();
  // Closing made room again.
  using ring = Ring.open({ entries: 1 });
  assertEquals((ring[ENGINE] as Engine).ringFdRegistered, registered[0]);
});

Deno.test("Who awaits something of a ring that fails is told", async () => {
  const others = Array.from({ length: 16 }, () => Ring.open({ entries: 1 }));
  const ring = Ring.open({ entries: 1 });
  const engine = ring[ENGINE] as Engine;
  assertEquals(engine.ringFdRegistered, false);
  assertEquals(await ring.nop(), 0);
  // As when somebody closes descriptors that are not theirs. The number is taken again at once, or
  // closing the ring might close what another thread of the runtime has opened meanwhile.
  assertEquals(native().zclab_close(engine.fd), 0);
  const taken = [native().zclab_eventfd()];
  while (taken.at(-1)! < engine.fd) taken.push(native().zclab_eventfd());
  assertEquals(taken.pop(), engine.fd);
  for (const fd of taken) native().zclab_close(fd);
  const error = await assertRejects(() => ring.nop(), UringError);
  assertEquals([error.operation, error.code], ["io_uring_enter", "EOPNOTSUPP"]);
  assertThrows(() => ring.batch.submit(), UringError, "EOPNOTSUPP");
  try {
    ring.close();
  } catch (error) {
    assert(error instanceof UringError);
  }
  assertEquals(ring.closed, true);
  assertThrows(() => ring.batch.nop(), ClosedError);
  for (const other of others) other.close();
});

Deno.test("A ring that failed once is awaited as before: who was told of it counts no more", async () => {
  await using ring = Ring.open();
  const engine = ring[ENGINE] as Engine;
  const { submit } = engine;
  const [slow, quick] = [ring.timeout(20), ring.timeout(60_000)];
  await sleep(1);
  // As when the kernel has no memory for a moment.
  engine.submit = () => {
    throw new UringError("io_uring_enter", 11);
  };
  const failed = ring.nop();
  for (const promise of [slow, quick, failed]) {
    await assertRejects(() => promise, UringError, "EAGAIN");
  }
  engine.submit = submit;
  // The requests go on, or go out now, and their completions are for nobody.
  assertEquals(ring.inFlight, 3);
  let done = false;
  ring.timeout(1).then(() => done = true);
  await until("a request after the failure", () => done);
  await sleep(25);
  done = false;
  ring.timeout(1).then(() => done = true);
  await until("a request after the completions of those that failed", () => done);
  assertEquals(ring.inFlight, 1);
});

Deno.test("What a stream gets after its ring failed once is given back", async () => {
  await using bed = await Testbed.loopback();
  await using ring = Ring.open();
  const engine = ring[ENGINE] as Engine;
  const { submit } = engine;
  using area = Area.map({ bytes: 4096 });
  using connection = connectUdp(bed);
  using buffers = BufferRing.open(ring, { count: 4, bytes: 64 });
  const next = ring.recvMultishot(connection.far, buffers).next();
  await sleep(1);
  // It arrives, and nobody has seen it, when the ring fails.
  connection.near.sendBlocking(area.slice(0, 10));
  engine.submit = () => {
    throw new UringError("io_uring_enter", 11);
  };
  const failed = ring.nop();
  for (const promise of [next, failed]) await assertRejects(() => promise, UringError, "EAGAIN");
  engine.submit = submit;
  // Each datagram that comes before the receive is cancelled takes a buffer.
  for (let i = 0; i < 10; i++) {
    connection.near.sendBlocking(area.slice(0, 10));
    await ring.timeout(1);
  }
  await until("the receive is cancelled", () => ring.inFlight === 0);
  assertEquals(buffers.held, 0);
  const { value } = await ring.recvMultishot(connection.far, buffers).next();
  assertEquals(value!.slice.length, 10);
});

Deno.test("A process without free descriptors is told, and may go on when it has some", () => {
  const { code, stdout, stderr } = runModule(
    `
      import { Ring } from "zclab";
      import { native } from "${new URL("../../../ffi/kernel/native.ts", import.meta.url)}";
      const ring = Ring.open();
      const taken = [];
      for (let fd = native().zclab_eventfd(); fd >= 0; fd = native().zclab_eventfd()) taken.push(fd);
      for (const attempt of [() => ring.timeout(1), () => ring.nop(), async () => Ring.open()]) {
        await attempt().catch((error) => console.log(error.operation, error.code));
      }
      console.log(ring.inFlight);
      for (const fd of taken) native().zclab_close(fd);
      await ring.timeout(1);
      console.log(await ring.nop(), ring.inFlight);
    `,
    { prefix: ["sh", "-c", 'ulimit -n 100 && exec "$@"', "sh"] },
  );
  assertEquals(
    { code, stdout, stderr },
    {
      code: 0,
      stdout: "eventfd EMFILE\neventfd EMFILE\nio_uring_setup EMFILE\n0\n0 0\n",
      stderr: "",
    },
  );
});

Deno.test("The views of a closed ring are empty, never dangling", () => {
  const ring = Ring.open();
  const { queues, sqes } = ring[ENGINE] as Engine;
  const { ring: memory } = queues;
  assert(memory.length > 0 && sqes.length > 0);
  ring.close();
  assertEquals([memory.length, sqes.length, queues.ring.length, queues.sqes.length], [0, 0, 0, 0]);
  sqes[0] = 1;
  assertEquals<number | undefined>(sqes[0], undefined);
});

Deno.test("Many short requests keep the counts of a ring straight", async () => {
  using ring = Ring.open({ entries: 32 });
  let reaped = 0;
  for (let round = 0; round < 1000; round++) {
    for (let i = 0; i < 100; i++) ring.batch.nop(i);
    ring.batch.submit();
    ring.batch.reap(() => reaped++);
  }
  assertEquals([reaped, ring.inFlight, ring.batch.prepared], [100_000, 0, 0]);
  assertEquals(await ring.nop(), 0);
});
