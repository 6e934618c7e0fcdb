import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  Area,
  ClosedError,
  OwnershipError,
  Ring,
  Slice,
  Testbed,
  UnsupportedError,
  UringError,
} from "zclab";
import { PAGE_SIZE } from "../../../ffi/kernel/memory.ts";
import { Unprivileged } from "../../unprivileged.ts";
import { bytesOf, connectUdp, isMapped, reapAll, sleep, textOf } from "../connections.ts";
import { test } from "../../needs.ts";

Deno.test("Area.map() maps zeroed, page-aligned memory in whole pages", () => {
  for (const [bytes, expected] of [[1, PAGE_SIZE], [PAGE_SIZE, PAGE_SIZE], [PAGE_SIZE + 1, 8192]]) {
    using area = Area.map({ bytes: bytes! });
    assertEquals(area.bytes, expected);
    assertEquals(area.address % PAGE_SIZE, 0);
    assertEquals(area.inFlight, 0);
    assert(area.slice().bytes.every((byte) => byte === 0));
  }
});

Deno.test("Area.map() refuses a length that is none", () => {
  for (const bytes of [0, -1, 1.5, NaN, Infinity, 2 ** 53]) {
    assertThrows(() => Area.map({ bytes }), RangeError, "positive integer");
  }
});

Deno.test("Area.map() says ENOMEM for more memory than there are addresses", () => {
  const error = assertThrows(() => Area.map({ bytes: 2 ** 52 }), UringError);
  assertEquals([error.operation, error.code], ["mmap", "ENOMEM"]);
  const other = assertThrows(() => Area.map({ bytes: 10 ** 15 }), UringError);
  assertStringIncludes(other.message, "no room for 1000000000000000 bytes");
  // Nothing is locked here.
  assertEquals(/memlock|ulimit/i.test(other.message), false);
});

function hasHugePages(kilobytes: number): boolean {
  const sizes = [...Deno.readDirSync("/sys/kernel/mm/hugepages")].map(({ name }) => name);
  return sizes.includes(`hugepages-${kilobytes}kB`);
}

function freeHugePages(kilobytes: number): number {
  try {
    const directory = `/sys/kernel/mm/hugepages/hugepages-${kilobytes}kB`;
    return Number(Deno.readTextFileSync(`${directory}/free_hugepages`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

test("Area.map() names the setting when no huge pages are free", {
  needs: [{
    name: "a machine without free huge pages",
    here: freeHugePages(2048) + freeHugePages(1048576) === 0,
  }],
}, () => {
  const small = assertThrows(
    () => Area.map({ bytes: 5 << 20, hugePages: "2MiB" }),
    UringError,
    "3 free huge pages of 2MiB are needed",
  );
  assertEquals(small.code, "ENOMEM");
  assertMatch(small.advice, /sysctl vm\.nr_hugepages=3/);
  const large = assertThrows(() => Area.map({ bytes: 1, hugePages: "1GiB" }), Error);
  // Not every processor has pages of that size.
  if (hasHugePages(1048576)) {
    assertMatch(large.message, /1 free huge pages of 1GiB.*hugepagesz=1G/);
  } else {
    assert(large instanceof UnsupportedError, large.message);
    assertMatch(large.message, /huge page of 1GiB is not available.*Use "2MiB"/);
  }
});

test("Area.map() rounds to whole huge pages", {
  needs: [{ name: "two free huge pages of 2 MiB", here: freeHugePages(2048) >= 2, inGuest: true }],
}, () => {
  using area = Area.map({ bytes: (2 << 20) + 1, hugePages: "2MiB" });
  assertEquals(area.bytes, 4 << 20);
  area.slice((4 << 20) - 1).write(bytesOf("x"));
});

Deno.test("Area.slice() refuses what does not lie inside", () => {
  using area = Area.map({ bytes: 8192 });
  const outside: [number, number][] = [
    [0, 8193],
    [8192, 1],
    [8193, 0],
    [-1, 1],
    [0, -1],
    [1, 8192],
    [0.5, 1],
    [0, 0.5],
    [NaN, 1],
    [0, NaN],
    [Infinity, 1],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ];
  for (const [offset, length] of outside) {
    assertThrows(() => area.slice(offset, length), RangeError, `${length} bytes at ${offset}`);
    assertThrows(() => area.slice().slice(offset, length), RangeError);
  }
  assertThrows(() => area.slice(8193), RangeError);
  assertEquals(area.slice(8192).length, 0);
});

Deno.test("Area.slice() refuses more than one operation can take", () => {
  using area = Area.map({ bytes: 2 ** 31 });
  assertThrows(() => area.slice(), RangeError, "at most 2147483647");
  assertEquals(area.slice(1).length, 2 ** 31 - 1);
});

Deno.test("Area.chunks() leaves out what does not fill a chunk", () => {
  using area = Area.map({ bytes: 8192 });
  const chunks = area.chunks(3000);
  assertEquals(chunks.map(({ offset, length }) => [offset, length]), [[0, 3000], [3000, 3000]]);
  for (const length of [0, -1, 1.5, NaN, 8193]) {
    assertThrows(() => area.chunks(length), RangeError, `Chunks of ${length} bytes`);
  }
});

Deno.test("Slice.write() writes where it says and refuses what does not fit", () => {
  using area = Area.map({ bytes: 4096 });
  const slice = area.slice(10, 5);
  assertEquals(slice.write(bytesOf("lo"), 3), slice);
  slice.write(bytesOf("hel"));
  assertEquals(textOf(area.slice(10, 5).bytes), "hello");
  assertEquals(area.slice(15, 1).bytes[0], 0);
  assertThrows(() => slice.write(bytesOf("hello!")), RangeError, "6 bytes at 0 do not fit");
  assertThrows(() => slice.write(bytesOf("x"), 5), RangeError);
  for (const at of [-1, 0.5, NaN]) assertThrows(() => slice.write(bytesOf("x"), at), RangeError);
  assertEquals(textOf(slice.bytes), "hello");
});

Deno.test("Slice.slice() is a range of the same area", () => {
  using area = Area.map({ bytes: 4096 });
  const inner = area.slice(100, 50).slice(10, 20);
  assertEquals([inner.area, inner.offset, inner.length], [area, 110, 20]);
  assertEquals(area.slice(100, 50).slice(45).length, 5);
});

/** Each public method and property of a prototype, by name. */
function publicNames(prototype: object): string[] {
  return Object.getOwnPropertyNames(prototype).filter((name) => name !== "constructor").sort();
}

Deno.test("Area and Slice throw ClosedError after close, all of their methods", () => {
  const area = Area.map({ bytes: 4096 });
  const slice = area.slice(0, 100);
  const view = slice.bytes;
  area.close();
  area.close();
  area[Symbol.dispose]();
  assertEquals(area.closed, true);
  assertEquals(view.length, 0);
  view[0] = 1;
  const calls: Record<string, () => unknown> = {
    "Area.slice": () => area.slice(0, 1),
    "Area.chunks": () => area.chunks(100),
    "Area.unsafeBytes": () => area.unsafeBytes(0, 1),
    "Area.dmaBufFd": () => area.dmaBufFd,
    "Area.fileFd": () => area.fileFd,
    "Slice.bytes": () => slice.bytes,
    "Slice.unsafeBytes": () => slice.unsafeBytes,
    "Slice.write": () => slice.write(bytesOf("x")),
    "Slice.slice": () => slice.slice(0, 1),
  };
  for (const call of Object.values(calls)) assertThrows(call, ClosedError, "Area is closed");
  // What only tells, and close itself, work as before.
  const telling = ["Area.address", "Area.bytes", "Area.close", "Area.closed"]
    .concat("Area.inFlight", "Slice.state");
  assertEquals(
    [...Object.keys(calls), ...telling].sort(),
    [
      ...publicNames(Area.prototype).map((name) => `Area.${name}`),
      ...publicNames(Slice.prototype).map((name) => `Slice.${name}`),
    ].sort(),
  );
  assertEquals([area.bytes, area.inFlight, slice.state], [4096, 0, "free"]);
  assertEquals(Deno.inspect(area), "Area { closed }");
  assertEquals(Deno.inspect(slice), "Slice { offset: 0, length: 100, closed }");
});

Deno.test("Requests with slices of a closed area throw ClosedError", async () => {
  using ring = Ring.open();
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  const area = Area.map({ bytes: 4096 });
  const slice = area.slice();
  area.close();
  const { near, far } = connection;
  assertThrows(() => ring.batch.send(near, slice), ClosedError, "Area");
  assertThrows(() => ring.batch.sendZc(near, slice), ClosedError, "Area");
  assertThrows(() => ring.batch.recv(far, slice), ClosedError, "Area");
  assertThrows(() => near.sendBlocking(slice), ClosedError, "Area");
  assertThrows(() => far.tryReceive(slice), ClosedError, "Area");
  await assertRejects(() => ring.send(near, slice), ClosedError, "Area");
  await assertRejects(() => ring.recv(far, slice), ClosedError, "Area");
  assertThrows(() => ring.register(area), ClosedError, "Area");
  assertEquals(ring.inFlight, 0);
});

Deno.test("A slice in flight says since when the kernel owns it, and why", async () => {
  using ring = Ring.open();
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using area = Area.map({ bytes: 4096 });
  const slice = area.slice(64, 100);

  ring.batch.recv(connection.far, slice, 1);
  assertEquals([slice.state, area.inFlight], ["in flight", 1]);
  assertThrows(
    () => slice.bytes,
    OwnershipError,
    "The kernel owns 100 bytes at 64 for RECV (prepared, not yet submitted). Wait for its " +
      "completion or notification first",
  );
  ring.batch.submit();
  await sleep(5);
  const error = assertThrows(() => slice.write(bytesOf("x")), OwnershipError);
  const since = /^The kernel owns 100 bytes at 64 for RECV \(since ([\d.]+) ms ago\)/;
  assertMatch(error.message, since);
  const milliseconds = Number(since.exec(error.message)![1]);
  assert(milliseconds >= 4 && milliseconds < performance.now(), error.message);
  assertMatch(Deno.inspect(slice), /^Slice \{ offset: 64, .*The kernel owns .* for RECV/);
  assertMatch(Deno.inspect(area), /in flight: 1/);

  // Whoever insists gets the bytes.
  assertEquals(slice.unsafeBytes.length, 100);

  ring.batch.send(connection.near, area.slice(1000, 3));
  reapAll(ring);
  assertEquals([slice.state, area.inFlight, slice.bytes.length], ["free", 0, 100]);
});

Deno.test("What was submitted longer ago than the ring remembers says so", async () => {
  using ring = Ring.open();
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using area = Area.map({ bytes: 8192 });
  const waiting = area.slice(0, 10);
  ring.batch.recv(connection.far, waiting).submit();
  using silent = connectUdp(bed);
  for (let i = 0; i < 1100; i++) {
    ring.batch.send(silent.near, area.slice(4096, 1)).submit();
    ring.batch.reap(() => {});
  }
  assertThrows(() => waiting.bytes, OwnershipError, "more submissions ago than the ring remembers");
});

Deno.test("Overlapping slices share the kernel's ownership of their bytes", async () => {
  using ring = Ring.open();
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using area = Area.map({ bytes: 4096 });
  const before = area.slice(0, 100);
  const after = area.slice(200, 100);
  const overlapping = [area.slice(), area.slice(50, 51), area.slice(199, 1), area.slice(120, 10)];
  ring.batch.recv(connection.far, area.slice(100, 100)).submit();

  for (const slice of overlapping) {
    assertThrows(() => slice.bytes, OwnershipError, "The kernel owns 100 bytes at 100 for RECV");
    assertThrows(() => slice.write(new Uint8Array(1)), OwnershipError);
  }
  before.write(bytesOf("x"));
  after.write(bytesOf("y"));
  ring.batch.send(connection.near, before);
  reapAll(ring);
  for (const slice of overlapping) assertEquals(slice.bytes.length, slice.length);
});

Deno.test("What the kernel owns is found among thousands of slices that came back", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using other = connectUdp(bed);
  using ring = Ring.open();
  using area = Area.map({ bytes: 1 << 16 });
  const waiting = area.slice(0, 10);
  ring.batch.recv(connection.far, waiting).submit();
  const slices = Array.from({ length: 5000 }, (_, i) => area.slice(100 + 10 * i, 10));
  for (let round = 0; round < 2; round++) {
    for (const slice of slices) ring.batch.send(other.near, slice);
    assertEquals(area.inFlight, 5001);
    for (const slice of [slices[0]!, slices[4999]!]) {
      assertThrows(() => slice.slice(3, 1).bytes, OwnershipError, "for SEND");
    }
    ring.batch.submit();
    ring.batch.reap(() => {});
    assertEquals(area.inFlight, 1);
    assertThrows(() => area.slice(5, 1).bytes, OwnershipError, "for RECV");
    for (const slice of slices) assertEquals(slice.bytes.length, 10);
  }
  ring.batch.send(connection.near, slices[0]!);
  reapAll(ring);
  assertEquals(area.slice().bytes.length, 1 << 16);
});

Deno.test("A slice may be sent by several requests at once, but received into by one", async () => {
  using ring = Ring.open();
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using area = Area.map({ bytes: 4096 });
  const slice = area.slice(0, 10);

  ring.batch.send(connection.near, slice).send(connection.near, slice);
  assertEquals(area.inFlight, 1);
  assertThrows(() => ring.batch.recv(connection.far, slice), OwnershipError, "RECV: The kernel");
  reapAll(ring);
  assertEquals(slice.state, "free");

  ring.batch.recv(connection.far, slice).submitAndWait(1);
  assertThrows(() => ring.batch.send(connection.near, slice), OwnershipError, "SEND: The kernel");
  assertThrows(() => ring.batch.recv(connection.far, slice), OwnershipError);
  assertThrows(() => connection.far.tryReceive(slice), OwnershipError);
  await assertRejects(() => ring.send(connection.near, slice), OwnershipError);
  ring.batch.reap(() => {});
  assertEquals([slice.state, ring.inFlight], ["free", 0]);
});

Deno.test("An area closed in flight is unmapped after its last completion", async () => {
  using ring = Ring.open();
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  const area = Area.map({ bytes: 4096 });
  ring.batch.recv(connection.far, area.slice(0, 10), 7).submit();
  area.close();
  assertEquals([area.closed, area.inFlight, isMapped(area.address)], [true, 1, true]);

  using other = Area.map({ bytes: 4096 });
  ring.batch.send(connection.near, other.slice(0, 5), 8);
  const results = reapAll(ring).map(([userData, result]) => [userData, result]);
  assertEquals(results.toSorted(), [[7, 5], [8, 5]]);
  assertEquals([area.inFlight, isMapped(area.address)], [0, false]);
});

Deno.test("Ring.register() registers an area, once, and unregister() undoes it", () => {
  using ring = Ring.open({ registeredBuffers: 2 });
  using first = Area.map({ bytes: 4096 });
  using second = Area.map({ bytes: 4096 });
  using third = Area.map({ bytes: 4096 });
  assertEquals([ring.register(first), ring.register(second)], [0, 1]);
  assertThrows(() => ring.register(first), RangeError, "already");
  assertThrows(() => ring.register(third), RangeError, "All 2 places for registered areas");
  assertThrows(() => ring.unregister(third), RangeError, "not registered");
  ring.unregister(first);
  assertThrows(() => ring.unregister(first), RangeError, "not registered");
  assertEquals(ring.register(third), 0);
  // Another ring has a table of its own, and a closed area can still be taken out of it.
  using other = Ring.open();
  assertEquals(other.register(third), 0);
  third.close();
  ring.unregister(third);
  assertEquals(ring.register(first), 0);
});

test(
  "Ring.register() says how large a registered area may be",
  { needs: [{ before: "7.2" }] },
  () => {
    using ring = Ring.open();
    using area = Area.map({ bytes: 2 ** 31 });
    const error = assertThrows(() => ring.register(area), UringError, "2147483648 bytes");
    assertEquals(error.code, "EFAULT");
    assertMatch(error.message, /at most 1073741824\. What to do: register several smaller/);
  },
);

test(
  "Ring.register() prints the limit, the need and the way to raise it",
  { needs: ["root"] },
  () => {
    using nobody = new Unprivileged();
    const source = `
      import { Area } from "file://${nobody.directory}/ffi/memory/area.ts";
      import { Ring } from "file://${nobody.directory}/ffi/ring/ring.ts";
      const ring = Ring.open();
      const area = Area.map({ bytes: 1 << 20 });
      try {
        ring.register(area);
      } catch (error) {
        console.log(error.name, error.code, error.message);
      }
      // What failed leaves no trace: a small one fits, in the first place of the table.
      console.log(ring.register(Area.map({ bytes: 4096 })));
      ring.close();
    `;
    const limited = ["sh", "-c", 'ulimit -l 64 && exec "$@"', "sh", nobody.deno];
    const { code, stdout, stderr } = nobody.run(
      ...limited,
      "eval",
      "--no-config",
      "--no-lock",
      source,
    );
    assertEquals([code, stderr], [0, ""]);
    const [message, index] = stdout.trimEnd().split("\n");
    assertMatch(message!, /^UringError ENOMEM IORING_REGISTER_BUFFERS_UPDATE/);
    assertMatch(message!, /needs 1024 KiB of locked memory and RLIMIT_MEMLOCK is 64 KiB/);
    assertMatch(message!, /hard limit 64 KiB/);
    assertMatch(message!, /ulimit -l 1088 .*limits\.conf.*CAP_IPC_LOCK/);
    assertEquals(index, "0");
  },
);
