/**
 * The microscope, in a guest that is started with it: how often each byte of a payload is copied, by
 * whom, and what that costs, seen from below the kernel.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  Area,
  ClosedError,
  ExplainedError,
  Microscope,
  type MicroscopeView,
  physicalPages,
  Ring,
  type Slice,
  Socket,
  Softnic,
  Testbed,
  UnsupportedError,
  ZcrxReceiver,
} from "zclab";
import { native } from "../../../ffi/kernel/native.ts";
import { connectTcp, pattern } from "../connections.ts";
import { testsNeeding } from "../../needs.ts";

const test = testsNeeding("microscope");
const onSoftnic = testsNeeding("microscope", "softnic");

let opened: Microscope | undefined;

/** Reading the kernel's symbols takes seconds under emulation, so one reads them for all tests. */
function shared(): Microscope {
  return opened ??= Microscope.open();
}

/** Two pages and a part, a part of a word less than a page, and what copying routines treat apart. */
const LENGTHS = [8000, 4093, 63, 7, 2, 1] as const;

/** What tells who is who, and what does not. */
const FILLINGS = {
  "of a pattern": (length: number) => pattern(length, length),
  "of zeros": (length: number) => new Uint8Array(length),
} as const;

/** Each length with each filling. */
const PAYLOADS = LENGTHS.flatMap((length) =>
  Object.entries(FILLINGS).map(([name, fill]) => ({
    name: `${length} bytes ${name}`,
    bytes: fill(length),
  }))
);

/** An area with a payload in it, that does not begin where a word does. */
function payloadIn(area: Area, bytes: Uint8Array): Slice {
  return area.slice(13, bytes.length).write(bytes);
}

/** Who copied: the function, its caller, and how many bytes of which generation. */
function copiersOf(view: MicroscopeView): (readonly [string, number, number])[] {
  return view.copies.map((touch) => [touch.function, touch.generation, touch.copied] as const);
}

/** How often each byte was copied; all of them as often. */
function copiesOf({ name, copiesPerByte: { least, most } }: MicroscopeView): number {
  assertEquals(least, most, `${name}: some bytes are copied more often than others`);
  return least;
}

async function send(ring: Ring, socket: Socket, slice: Slice): Promise<void> {
  assertEquals(await ring.send(socket, slice), slice.length);
}

async function sendZc(ring: Ring, socket: Socket, slice: Slice): Promise<void> {
  const { bytes, released } = await ring.sendZc(socket, slice);
  assertEquals(bytes, slice.length);
  await released;
}

test("microscope: SEND into the sink copies each byte once, and SEND_ZC of a fixed buffer none", async () => {
  const microscope = shared();
  await using bed = await Testbed.sink();
  await using ring = Ring.open({ entries: 8 });
  using area = Area.map({ bytes: 1 << 16 });
  ring.register(area);
  using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
  for (const { name, bytes } of PAYLOADS) {
    const slice = payloadIn(area, bytes);
    microscope.watch(slice);
    const copying = await microscope.look(name, () => send(ring, socket, slice));
    assertEquals(copiesOf(copying), 1, name);
    assertEquals(copiersOf(copying), [["rep_movs_alternative", 0, bytes.length]], name);
    const [copy] = copying.copies;
    assertEquals(copy!.place, "own");
    assertEquals(copy!.path.slice(-2), ["_copy_from_iter", "rep_movs_alternative"]);
    assertEquals(copy!.path[0], "entry_SYSCALL_64_after_hwframe");

    const zeroCopy = await microscope.look(name, () => sendZc(ring, socket, slice));
    assertEquals(zeroCopy.touches, [], name);
    assertEquals(zeroCopy.readsPerByte, { least: 0, most: 0 });
    assertEquals(copiesOf(zeroCopy), 0, name);
  }
});

test("microscope: two windows agree in what happens to the payload", async () => {
  const microscope = shared();
  await using bed = await Testbed.sink();
  await using ring = Ring.open({ entries: 8 });
  using area = Area.map({ bytes: 1 << 16 });
  using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
  const slice = payloadIn(area, pattern(8000));
  microscope.watch(slice);
  const views: MicroscopeView[] = [];
  for (let window = 0; window < 4; window++) {
    views.push(
      await microscope.look(`window ${window}`, async () => {
        for (let i = 0; i < 3; i++) await send(ring, socket, slice);
      }),
    );
  }
  assertEquals(copiesOf(views[0]!), 3);
  for (const { touches } of views) assertEquals(touches, views[0]!.touches);
});

test("microscope: send and recv over loopback copy each byte twice: in, and out", async () => {
  const microscope = shared();
  await using bed = await Testbed.loopback();
  await using ring = Ring.open({ entries: 8 });
  using area = Area.map({ bytes: 1 << 17 });
  using room = Area.map({ bytes: 1 << 17 });
  using connection = await connectTcp(ring, bed);
  for (const { name, bytes } of PAYLOADS) {
    const slice = payloadIn(area, bytes);
    microscope.watch(slice);
    const view = await microscope.look(name, async () => {
      await send(ring, connection.near, slice);
      await receive(ring, connection.far, room.slice(5, bytes.length));
    });
    assertEquals(room.slice(5, bytes.length).bytes, bytes);
    assertEquals(copiesOf(view), 2, name);
    assertEquals(copiersOf(view).map(([, generation, copied]) => [generation, copied]), [
      [0, bytes.length],
      [1, bytes.length],
    ]);
    const callers = view.copies.map(({ path }) => path.at(-2));
    assertEquals(callers, ["_copy_from_iter", "_copy_to_iter"], name);
  }
});

/** Receives until the slice is full. */
async function receive(ring: Ring, socket: Socket, slice: Slice): Promise<void> {
  for (let received = 0; received < slice.length;) {
    received += await ring.recv(socket, slice.slice(received));
  }
}

test("microscope: a register that holds zeros is told from others, wherever a page ends", async () => {
  const microscope = shared();
  await using bed = await Testbed.loopback();
  await using ring = Ring.open({ entries: 8 });
  using area = Area.map({ bytes: 1 << 14 });
  using room = Area.map({ bytes: 1 << 14 });
  ring.register(room);
  using connection = await connectTcp(ring, bed);
  for (const length of [4091, 4092, 4093, 4094, 4095, 8189, 3, 1]) {
    for (const offset of [5, 4095]) {
      const name = `${length} zeros to ${offset}`;
      const slice = payloadIn(area, new Uint8Array(length));
      microscope.watch(slice);
      const view = await microscope.look(name, async () => {
        await send(ring, connection.near, slice);
        const into = room.slice(offset, length);
        // READ_FIXED, because its memory is registered.
        for (let read = 0; read < length;) {
          read += await ring.read(connection.far, into.slice(read));
        }
      });
      assertEquals(copiesOf(view), 2, name);
      assertEquals(copiersOf(view).map(([, ...rest]) => rest), [[0, length], [1, length]], name);
    }
  }
});

test("microscope: a copy into memory that was not there before is exact, too", async () => {
  const microscope = shared();
  await using bed = await Testbed.loopback();
  await using ring = Ring.open({ entries: 8 });
  using area = Area.map({ bytes: 1 << 16 });
  using connection = await connectTcp(ring, bed);
  const slice = area.slice(0, 50_000);
  slice.bytes.fill(3);
  microscope.watch(slice);
  for (let window = 0; window < 2; window++) {
    using room = Area.map({ bytes: 1 << 16 });
    const view = await microscope.look("first touch", async () => {
      await send(ring, connection.near, slice);
      await receive(ring, connection.far, room.slice(5, slice.length));
    });
    assertEquals(copiesOf(view), 2);
    assert(view.readsPerByte.least === 2, `${view}`);
  }
});

test("microscope: what user space reads and copies is told, as far as bytes go", () => {
  const microscope = shared();
  using area = Area.map({ bytes: 1 << 16 });
  using room = Area.map({ bytes: 1 << 16 });
  for (const { name, bytes } of PAYLOADS) {
    const from = payloadIn(area, bytes);
    const to = room.slice(5, bytes.length).bytes;
    const source = from.bytes;
    microscope.watch(from);
    const view = microscope.look(name, () => to.set(source));
    assertEquals([view.copiesPerByte.least, view.readsPerByte.least], [1, 1], name);
    assertEquals(view.copies.map(({ place }) => place), ["user space"], name);
  }
});

onSoftnic("microscope: SEND_ZC over softnic into zcrx is copied once: by the NIC", async () => {
  const microscope = shared();
  await using bed = await Testbed.softnic();
  const nic = await Softnic.of(bed.far);
  await nic.steer({ port: 9001, queue: 1 });
  await using ring = Ring.open({ completionSize: 32 });
  await using sending = Ring.open({ entries: 8 });
  using area = Area.map({ bytes: 1 << 17 });
  using received = Area.map({ bytes: 4 << 20 });
  sending.register(area);
  const where = { interface: bed.far.interface, queue: 1, place: bed.far };
  using receiver = ZcrxReceiver.open(ring, { area: received, ...where });
  using connection = await connectTcp(sending, bed, { port: 9001 });
  const { near, far } = connection;
  near.setOption("TCP_NODELAY", true);
  for (const { name, bytes } of [...PAYLOADS, { name: "64 KiB", bytes: pattern(1 << 16) }]) {
    const slice = payloadIn(area, bytes);
    microscope.watch(slice);
    let arrived = 0;
    const view = await microscope.look(name, async () => {
      const sent = sendZc(sending, near, slice);
      for await (using piece of receiver.receive(far)) {
        arrived += piece.bytes.length;
        if (arrived === bytes.length) break;
      }
      await sent;
    });
    assertEquals(copiesOf(view), 1, name);
    const copied = view.copies.reduce((sum, touch) => sum + touch.copied, 0);
    assertEquals(copied, bytes.length, name);
    for (const { path } of view.copies) assert(path.includes("softnic_read"), path.join(" > "));
  }
});

test("microscope: the instructions of a window are those that the guest's clock counts", () => {
  const microscope = shared();
  const before = new Float64Array(1);
  const work = (): void => {
    before[0] = native().zclab_milliseconds();
    for (let i = 0; i < 2000; i++) native().zclab_affinity_get(new Uint8Array(1024), 1024);
    before[0] = native().zclab_milliseconds() - before[0]!;
  };
  work();
  const view = microscope.watch().look("system calls", work);
  assertEquals([view.payloadBytes, view.touches], [0, []]);
  const counted = before[0]! * 1e6;
  const { all, own, interrupts } = view.instructions;
  assert(Math.abs(all - counted) < counted / 100, `${all} instructions, ${counted} by the clock`);
  assertEquals(all, sumOf(view));
  assert(own > 2000 * 50, `${own} instructions in 2000 system calls`);
  assert(interrupts < own, `${interrupts} instructions in interrupts`);
  const called = view.functions.map(({ name }) => name);
  assert(called.includes("sched_getaffinity"), called.join(" "));
});

/** All instructions of the trees. */
function sumOf({ threads }: MicroscopeView): number {
  return threads.reduce((sum, { total }) => sum + total, 0);
}

test("microscope: pages are watched by their numbers, and what is overwritten is told", () => {
  const microscope = shared();
  using area = Area.map({ bytes: 8192 });
  const { bytes } = area.slice(0, 8192);
  bytes.fill(1);
  microscope.watch(physicalPages(area));
  const view = microscope.look("fill", () => bytes.fill(2, 100, 4200));
  assertEquals(view.payloadBytes, 8192);
  assertEquals(view.copies, []);
  const [touch, ...others] = view.touches;
  assertEquals(others, []);
  assertEquals(touch, {
    function: "user space",
    path: ["user space"],
    place: "user space",
    generation: 0,
    read: 0,
    moved: 0,
    copied: 0,
    overwritten: 4100,
  });
});

test("microscope: a view shows who copied, and by what path", async () => {
  const microscope = shared();
  await using bed = await Testbed.sink();
  await using ring = Ring.open({ entries: 8 });
  using area = Area.map({ bytes: 4096 });
  using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
  microscope.watch(area.slice(0, 600).write(pattern(600)));
  const view = await microscope.look("one", () => send(ring, socket, area.slice(0, 600)));
  assertMatch(Deno.inspect(view), /^MicroscopeView \{ name: one, payload: 600 bytes, .* \}$/);
  const copying = /copied 600 bytes of the payload +rep_movs_alternative < _copy_from_iter < /;
  assertMatch(String(view), copying);
  // The module was loaded after the microscope had been opened.
  assert(view.functions.some(({ name }) => name === "ifb_xmit"));
  assertMatch(Deno.inspect(microscope), /^Microscope \{ watched: 600 bytes \}$/);
});

test("microscope: misuse of the microscope is a clear error", async () => {
  const microscope = Microscope.open();
  using area = Area.map({ bytes: 8192 });
  microscope.watch(area);
  assertThrows(() => microscope.look("nothing", () => {}), ExplainedError, "Write it first");
  area.slice(0, 8192).bytes.fill(1);
  assertThrows(() => microscope.watch("area" as unknown as Area), TypeError, "payload must be");
  microscope.watch(area.slice(0, 4096), area.slice(4000, 200));
  assertThrows(() => microscope.look("nothing", () => {}), ExplainedError, "watched twice");
  microscope.watch(area);
  const { promise, resolve } = Promise.withResolvers<void>();
  const looking = microscope.look("long", () => promise);
  assertThrows(() => microscope.look("short", () => {}), ExplainedError, 'looking at "long"');
  resolve();
  assertEquals((await looking).name, "long");
  assertThrows(
    () =>
      microscope.look("wrong", () => {
        throw new RangeError("own");
      }),
    RangeError,
    "own",
  );
  await assertRejects(
    () => microscope.look("wrong", () => Promise.reject(new RangeError("own"))),
    RangeError,
    "own",
  );
  assertEquals(microscope.look("right", () => {}).copiesPerByte, { least: 0, most: 0 });
  microscope.close();
  assertThrows(() => microscope.look("late", () => {}), ClosedError);
});

Deno.test("microscope: without a guest that has it, open() says what to start", () => {
  const folder = Deno.env.get("ZCLAB_MICROSCOPE");
  Deno.env.delete("ZCLAB_MICROSCOPE");
  try {
    const error = assertThrows(() => Microscope.open(), UnsupportedError, "--microscope");
    assertEquals(error.remedy, "microscope");
  } finally {
    if (folder !== undefined) Deno.env.set("ZCLAB_MICROSCOPE", folder);
  }
});
