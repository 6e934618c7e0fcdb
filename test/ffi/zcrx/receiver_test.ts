/**
 * ZcrxReceiver without a device (Linux 7.1): everything but the device is the same.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  Area,
  ClosedError,
  type CompletionSize,
  OwnershipError,
  Ring,
  Socket,
  Testbed,
  UnsupportedError,
  UringError,
  zcrxFeatures,
  type ZcrxMemoryOptions,
  type ZcrxPiece,
  ZcrxReceiver,
} from "zclab";
import { runModule, sleep, until, untilBlocking } from "../connections.ts";
import { deadline, inTime, PATIENCE } from "../../until.ts";
import { peekAll, reapAll, receiveAll, Stream } from "./streams.ts";
import { testsNeeding } from "../../needs.ts";

const test = testsNeeding("zcrx", { kernel: "7.3" });

const PAGE = 4096;
const MIB = 1 << 20;
const SIZES: readonly CompletionSize[] = [32, "mixed"];

interface BenchOptions extends Partial<ZcrxMemoryOptions> {
  readonly completionSize?: CompletionSize;
  readonly completionEntries?: number;
  readonly entries?: number;
  readonly buffers?: number;
}

/** A receiver without a device, and what it stands on. */
class Bench implements AsyncDisposable {
  readonly bed: Testbed;
  readonly ring: Ring;
  readonly area: Area;
  readonly receiver: ZcrxReceiver;

  private constructor(bed: Testbed, options: BenchOptions) {
    const { completionSize = 32, completionEntries, entries, buffers = 256, ...rest } = options;
    this.bed = bed;
    this.ring = Ring.open({
      completionSize,
      ...entries === undefined ? {} : { entries },
      ...completionEntries === undefined ? {} : { completionEntries },
    });
    this.area = Area.map({ bytes: buffers * PAGE });
    this.receiver = ZcrxReceiver.withoutDevice(this.ring, { area: this.area, ...rest });
  }

  static async open(options: BenchOptions = {}): Promise<Bench> {
    return new Bench(await Testbed.loopback(), options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.receiver.close();
    this.area.close();
    await this.ring[Symbol.asyncDispose]();
    this.bed.close();
  }
}

/** How often this thread has gone to sleep. */
function voluntarySwitches(): number {
  const status = Deno.readTextFileSync("/proc/thread-self/status");
  return Number(/^voluntary_ctxt_switches:\s*(\d+)$/m.exec(status)![1]);
}

/** Requires that no buffer is missing: the program can hold them all at once. */
async function holdEvery({ bed, receiver }: Bench, buffers: number): Promise<void> {
  await using stream = await Stream.open(bed, 3 * buffers * PAGE);
  const sending = stream.sendAll();
  const held: ZcrxPiece[] = [];
  let most = 0;
  for await (const piece of receiver.receive(stream.far)) {
    stream.compare(piece.bytes);
    held.push(piece);
    most = Math.max(most, held.length);
    if (held.length === buffers) { for (const old of held.splice(0)) old.release(); }
  }
  await sending;
  for (const piece of held) piece.release();
  assertEquals([most, stream.compared], [buffers, stream.bytes.length]);
}

test("The guest's kernel has everything of zero-copy receive", () => {
  assertEquals(zcrxFeatures(), {
    receive: true,
    dmaBuf: true,
    mixedCompletions: true,
    flush: true,
    share: true,
    bufferBytes: true,
    withoutDevice: true,
    events: ["ALLOC_FAIL", "COPY"],
    statistics: true,
    addArea: true,
    from: "query",
  });
});

for (const completionSize of SIZES) {
  test(`A loop receives a stream, completions of size ${completionSize}`, async () => {
    await using bench = await Bench.open({ completionSize, buffers: 64 });
    await using stream = await Stream.open(bench.bed, MIB + 12345);
    const sending = stream.sendAll();
    const pieces = await receiveAll(bench.receiver, stream);
    await sending;
    assertEquals(stream.compared, stream.bytes.length);
    const statistics = bench.receiver.statistics();
    assertEquals(statistics.pieces, pieces);
    assertEquals(statistics.bytes, stream.bytes.length);
    assertEquals(statistics.copiedBytes, stream.bytes.length, "every byte is copied, and counted");
    assert(statistics.copiedChunks! > 0);
    assertEquals(statistics.held, 0);
    assert(statistics.flushes > 0, "nothing but a flush makes the kernel take buffers back");
    assertEquals([bench.ring.inFlight, bench.receiver.napiId], [0, 0]);
  });

  test(`The batch API receives streams, completions of size ${completionSize}`, async () => {
    await using bench = await Bench.open({ completionSize, buffers: 128 });
    await using first = await Stream.open(bench.bed, MIB);
    await using second = await Stream.open(bench.bed, 300_001);
    const sending = [first.sendAll(), second.sendAll()];
    const reaped = await reapAll(bench.receiver, [first, second], 5);
    await Promise.all(sending);
    assertEquals(reaped.bytes, { 0: MIB, 1: 300_001 });
    assertEquals(reaped.errors, {});
    assertEquals([first.compared, second.compared], [MIB, 300_001]);
    assertEquals(bench.receiver.statistics().pieces, reaped.pieces);
    assertEquals([bench.ring.inFlight, bench.receiver.held], [0, 0]);
  });

  test(`Peeking receives streams, completions of size ${completionSize}`, async () => {
    await using bench = await Bench.open({ completionSize, buffers: 128 });
    await using first = await Stream.open(bench.bed, MIB);
    await using second = await Stream.open(bench.bed, 300_001);
    const sending = [first.sendAll(), second.sendAll()];
    const peeked = await peekAll(bench.receiver, [first, second], 5);
    await Promise.all(sending);
    assertEquals(peeked.bytes, { 0: MIB, 1: 300_001 });
    assertEquals(peeked.errors, {});
    assertEquals([first.compared, second.compared], [MIB, 300_001]);
    const { pieces, held } = bench.receiver.statistics();
    assertEquals([pieces, held, bench.ring.inFlight], [peeked.pieces, 0, 0]);
    await holdEvery(bench, 128);
  });

  for (const completionEntries of completionSize === 32 ? [2, 8] : [4, 8]) {
    const name = `${completionEntries} of size ${completionSize}`;
    test(`A completion queue that is full loses nothing: ${name}`, async () => {
      await using bench = await Bench.open({ completionSize, entries: 2, completionEntries });
      for (const face of ["await", "batch", "peek"]) {
        await using stream = await Stream.open(bench.bed, 512 * 1024);
        const before = bench.receiver.statistics().queueFull;
        stream.sendNow(256 * 1024);
        const sending = stream.sendAll();
        if (face === "await") await receiveAll(bench.receiver, stream);
        else if (face === "batch") await reapAll(bench.receiver, [stream]);
        else await peekAll(bench.receiver, [stream]);
        await sending;
        assertEquals(stream.compared, stream.bytes.length, face);
        assert(bench.receiver.statistics().queueFull > before, `${face}: it was never full`);
      }
      await holdEvery(bench, 256);
    });
  }
}

test("What was peeked is consumed once, or reaped", async () => {
  await using bench = await Bench.open({ buffers: 64 });
  const { receiver } = bench;
  await using stream = await Stream.open(bench.bed, 12 * PAGE);
  receiver.start(stream.far, 2 ** 32 - 1);
  // A page may come as several pieces.
  const show = (pages: number): number => {
    stream.sendNow(pages * PAGE);
    while (true) {
      const pieces = receiver.peek();
      let bytes = 0;
      for (let index = 0; index < pieces; index++) bytes += receiver.lengthAt(index);
      if (bytes < pages * PAGE) {
        assert(receiver.waitBlocking(1000 * PATIENCE), `${bytes} bytes of ${pages} pages came`);
        continue;
      }
      assertEquals([bytes, receiver.held], [pages * PAGE, pieces]);
      return pieces;
    }
  };
  const none = (call: () => unknown): unknown => assertThrows(call, OwnershipError, "peek shows");
  assertEquals(receiver.peek(), 0);
  none(() => receiver.offsetAt(0));
  none(() => receiver.consume(1));

  const first = show(4);
  assertGreaterOrEqual(first, 4, "a buffer is a page");
  assertEquals([receiver.userDataAt(0), receiver.areaAt(first - 1)], [2 ** 32 - 1, bench.area]);
  for (const index of [first, -1, 0.5, NaN]) {
    none(() => receiver.offsetAt(index));
    none(() => receiver.lengthAt(index));
    none(() => receiver.userDataAt(index));
    none(() => receiver.areaAt(index));
  }
  const second = receiver.offsetAt(1);
  receiver.consume(1);
  assertEquals([receiver.offsetAt(0), receiver.held], [second, first - 1]);
  for (const count of [first, -1, 0.5, NaN]) none(() => receiver.consume(count));
  none(() => receiver.offsetAt(first - 1));
  receiver.consume(first - 1);
  none(() => receiver.consume(1));

  // Whoever reaps takes them away from who has peeked.
  const next = show(3);
  const reaped: number[] = [];
  assertEquals(receiver.reap((_, piece) => reaped.push(piece)), next);
  none(() => receiver.lengthAt(0));
  none(() => receiver.consume(1));
  for (const piece of reaped) receiver.release(piece);
  receiver.consume(0);
  assertEquals(receiver.held, 0);

  show(5);
  receiver.close();
  assertThrows(() => receiver.offsetAt(0), ClosedError);
  assertThrows(() => receiver.consume(1), ClosedError);
  assertEquals(receiver.held, 0);
});

test("What is given back while it is handed out goes back, also when the function throws", async () => {
  await using bench = await Bench.open({ buffers: 8 });
  const { receiver } = bench;
  await using stream = await Stream.open(bench.bed, 6 * PAGE);
  receiver.start(stream.far);
  stream.sendNow();
  while (receiver.held < 6) assert(receiver.waitBlocking(10_000) && receiver.peek() > 0);
  let seen = 0;
  const onPiece = (_: number, piece: number): void => {
    receiver.release(piece);
    if (++seen === 2) throw new Error("enough");
    // Reaping inside of reaping goes on where this one is.
    if (seen === 4) receiver.reap(onPiece);
  };
  assertThrows(() => receiver.reap(onPiece), Error, "enough");
  assertEquals([seen, receiver.held], [2, 4]);
  assertEquals(receiver.flush(), 2, "the kernel was told of both");
  receiver.reap(onPiece);
  // Half of the buffers are worth a flush of its own.
  assertEquals([seen, receiver.held, receiver.statistics().flushes], [6, 0, 2]);
  assertEquals(receiver.flush(), 0);
});

test("Who holds every buffer and waits does not keep looking", async () => {
  await using bench = await Bench.open({ buffers: 4 });
  const { receiver } = bench;
  await using stream = await Stream.open(bench.bed, 20 * PAGE);
  stream.sendNow();
  stream.near.shutdown("write");
  receiver.start(stream.far);
  const held: number[] = [];
  let bytes = 0;
  let ended = false;
  const reap = (): number =>
    receiver.reap((_, piece, _offset, length) => {
      held.push(piece);
      bytes += length;
    }, () => ended = true);
  untilBlocking("the receiver has starved", () => {
    receiver.waitBlocking(10_000);
    reap();
    return receiver.statistics().starved > 0;
  });
  assertEquals([held.length, receiver.waitBlocking(0)], [4, false]);
  const before = voluntarySwitches();
  assert(!receiver.waitBlocking(300));
  const switches = voluntarySwitches() - before;
  assert(switches < 30, `it woke up ${switches} times in 300 ms`);
  const check = deadline("the end of the stream");
  while (!ended) {
    check();
    for (const piece of held.splice(0)) receiver.release(piece);
    assert(receiver.waitBlocking(10_000));
    reap();
  }
  for (const piece of held) receiver.release(piece);
  assertEquals([bytes, receiver.held], [20 * PAGE, 0]);
});

test("A time that is no number is refused", async () => {
  await using bench = await Bench.open({ buffers: 4 });
  assertThrows(() => bench.receiver.waitBlocking(NaN), RangeError, "milliseconds");
});

for (const buffers of [1, 2, 7, 16]) {
  test(`${buffers} buffers are enough for any stream`, async () => {
    await using bench = await Bench.open({ buffers });
    for (const face of ["await", "batch"]) {
      await using stream = await Stream.open(bench.bed, 200_000);
      const sending = stream.sendAll();
      if (face === "await") await receiveAll(bench.receiver, stream);
      else await reapAll(bench.receiver, [stream]);
      await sending;
      assertEquals(stream.compared, stream.bytes.length, face);
    }
    assert(bench.receiver.statistics().flushes > 0);
  });
}

test("A refill ring that is too small for the buffers loses none", async () => {
  await using bench = await Bench.open({ buffers: 64, refillEntries: 2 });
  assertEquals(bench.receiver.refillEntries, 2);
  await using stream = await Stream.open(bench.bed, MIB);
  const sending = stream.sendAll();
  await reapAll(bench.receiver, [stream], 40);
  await sending;
  assertEquals(stream.compared, MIB);
  await holdEvery(bench, 64);
});

test("The number of refill entries is what the kernel makes of it", async () => {
  await using bench = await Bench.open({ buffers: 64, refillEntries: 100 });
  assertEquals([bench.receiver.refillEntries, bench.receiver.bufferBytes], [128, PAGE]);
});

test("Who holds every buffer waits until one comes back", async () => {
  await using bench = await Bench.open({ buffers: 4 });
  await using stream = await Stream.open(bench.bed, 100_000);
  const sending = stream.sendAll();
  const held: ZcrxPiece[] = [];
  const pieces = bench.receiver.receive(stream.far);
  let next = pieces.next();
  while (held.length < 4) {
    const { value } = await inTime("a piece", next);
    held.push(value!);
    next = pieces.next();
  }
  assertEquals(
    await Promise.race([next.then(() => "piece"), sleep(50).then(() => "none")]),
    "none",
  );
  assert(bench.receiver.statistics().starved > 0);
  assertEquals(bench.receiver.held, 4);
  for (let piece = held.shift(); piece !== undefined; piece = held.shift()) {
    stream.compare(piece.bytes);
    piece.release();
    const { value, done } = await next;
    if (done) break;
    held.push(value);
    next = pieces.next();
  }
  await sending;
  // What was held at the end of the stream.
  for (const piece of held) {
    stream.compare(piece.bytes);
    piece.release();
  }
  assertEquals(stream.compared, stream.bytes.length);
  await pieces.return(undefined);
});

test("A limit ends a receive after exactly so many bytes", async () => {
  await using bench = await Bench.open();
  await using stream = await Stream.open(bench.bed, 100_000);
  stream.sendNow();
  stream.near.shutdown("write");
  for (const bytes of [1, 4095, 4096, 4097, 50_000]) {
    const before = stream.compared;
    for await (using piece of bench.receiver.receive(stream.far, { bytes })) {
      stream.compare(piece.bytes);
    }
    assertEquals(stream.compared - before, bytes);
  }
  const ends: [number, number, unknown][] = [];
  const onPiece = (_: number, piece: number): void => {
    stream.compare(bench.receiver.bytes(piece));
    bench.receiver.release(piece);
  };
  for (const [userData, bytes] of [[7, 10_000], [2 ** 32 - 1, 1e9]] as const) {
    bench.receiver.start(stream.far, userData, { bytes });
    const check = deadline("the end of the receive");
    while (ends.at(-1)?.[0] !== userData) {
      check();
      assert(bench.receiver.waitBlocking(10_000));
      bench.receiver.reap(onPiece, (...end) => ends.push(end));
    }
  }
  const rest = 100_000 - 1 - 4095 - 4096 - 4097 - 50_000 - 10_000;
  assertEquals(ends, [[7, 10_000, undefined], [2 ** 32 - 1, rest, undefined]]);
  assertEquals(stream.compared, 100_000);
  for (const bytes of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(() => bench.receiver.start(stream.far, 0, { bytes }), RangeError, "positive");
  }
});

test("A connection that is reset fails the receive, after what came before", async () => {
  for (const face of ["await", "batch"]) {
    await using bench = await Bench.open();
    await using stream = await Stream.open(bench.bed, 10_000);
    using data = Area.map({ bytes: PAGE });
    stream.sendNow();
    const receiving = face === "await"
      ? receiveAll(bench.receiver, stream)
      : reapAll(bench.receiver, [stream]).then(({ errors }) => Promise.reject(errors[0]));
    receiving.catch(() => {});
    await until("all has come", () => bench.receiver.statistics().bytes >= 10_000);
    // Closing a socket that has not been read resets the connection.
    stream.far.sendBlocking(data.slice(0, 1));
    await sleep(20);
    stream.near.close();
    const error = await assertRejects(() => receiving, UringError, "reset");
    assertEquals([error.operation, error.code], ["RECV_ZC", "ECONNRESET"]);
    assertEquals(stream.compared, 10_000, face);
    assertEquals(bench.receiver.held, 0);
  }
});

test("Leaving the loop cancels the receive and gives back what nobody has had", async () => {
  await using bench = await Bench.open({ buffers: 32 });
  await using stream = await Stream.open(bench.bed, 20 * PAGE);
  let kept: ZcrxPiece | undefined;
  for (let round = 0; round < 3; round++) {
    stream.sendNow(5 * PAGE);
    await sleep(5);
    for await (const piece of bench.receiver.receive(stream.far)) {
      kept = piece;
      break;
    }
    assertEquals(bench.receiver.held, 1, "the one that the program took out of the loop");
    assertEquals(bench.ring.inFlight, 0);
    const first = kept!.bytes[0];
    assertEquals(kept!.state, "held");
    assertEquals(kept!.bytes[0], first);
    kept!.release();
  }
  await holdEvery(bench, 32);
});

test("A signal ends the loop with its reason", async () => {
  await using bench = await Bench.open();
  await using stream = await Stream.open(bench.bed, PAGE);
  stream.sendNow();
  const controller = new AbortController();
  await assertRejects(
    async () => {
      for await (using _ of bench.receiver.receive(stream.far, controller)) {
        setTimeout(() => controller.abort(new Error("enough")), 5);
      }
    },
    Error,
    "enough",
  );
  await assertRejects(() => bench.receiver.receive(stream.far, controller).next(), Error, "enough");
  assertEquals([bench.receiver.held, bench.ring.inFlight], [0, 0]);
});

test("stop() ends a receive of the batch API without an error", async () => {
  await using bench = await Bench.open();
  await using stream = await Stream.open(bench.bed, PAGE);
  const number = bench.receiver.start(stream.far, 5);
  bench.ring.batch.submit();
  assert(!bench.receiver.waitBlocking(5));
  bench.receiver.stop(number);
  const ends: unknown[] = [];
  assert(bench.receiver.waitBlocking(10_000));
  bench.receiver.reap(() => {}, (...end) => ends.push(end));
  assertEquals(ends, [[5, 0, undefined]]);
  bench.receiver.stop(number);
  assertEquals(bench.ring.inFlight, 0);
});

test("A piece is given back once, and cannot be read after that", async () => {
  await using bench = await Bench.open();
  await using stream = await Stream.open(bench.bed, 3);
  stream.sendNow();
  stream.near.shutdown("write");
  for await (const piece of bench.receiver.receive(stream.far)) {
    assertEquals([piece.length, piece.area, piece.state], [3, bench.area, "held"]);
    assertEquals(piece.bytes, stream.bytes);
    assertMatch(Deno.inspect(piece), /^ZcrxPiece \{ offset: \d+, length: 3, held \}$/);
    piece.release();
    assertMatch(Deno.inspect(piece), /released \}$/);
    assertEquals(piece.state, "released");
    assertThrows(() => piece.release(), OwnershipError, "no piece that the program holds");
    assertThrows(() => piece.bytes, OwnershipError, "no piece that the program holds");
    piece[Symbol.dispose]();
  }
  for (const piece of [0, 1, -1, 0.5, NaN, 2 ** 40]) {
    assertThrows(() => bench.receiver.release(piece), OwnershipError);
    assertThrows(() => bench.receiver.bytes(piece), OwnershipError);
    assertThrows(() => bench.receiver.areaOf(piece), OwnershipError);
    assert(!bench.receiver.holds(piece));
  }
  assertThrows(() => bench.receiver.reap(undefined as never), TypeError, "function");
});

test("The area is the kernel's: it cannot be closed, nor read but for pieces", async () => {
  const bed = await Testbed.loopback();
  const ring = Ring.open({ completionSize: 32 });
  const area = Area.map({ bytes: 64 * PAGE });
  const receiver = ZcrxReceiver.withoutDevice(ring, { area });
  assertEquals(area.inFlight, 1);
  assertThrows(() => area.close(), OwnershipError, "close the receiver first");
  assertThrows(() => area.slice(0, 10).bytes, OwnershipError, "zero-copy receive");
  assertThrows(
    () => ZcrxReceiver.withoutDevice(ring, { area }),
    OwnershipError,
    "another receiver",
  );
  receiver.close();
  receiver.close();
  // The registration lives as long as the ring.
  assertEquals(area.inFlight, 1);
  assertThrows(() => area.slice(0, 10).bytes, OwnershipError, "zero-copy receive");
  ring.close();
  assertEquals(area.inFlight, 0);
  assertEquals(area.slice(0, 10).bytes.length, 10);
  area.close();
  bed.close();
});

test("Closed in any order, receiver, area and ring leave nothing", async () => {
  for (const order of ["receiver area ring", "receiver ring area", "ring receiver area"]) {
    const ring = Ring.open({ completionSize: "mixed" });
    const area = Area.map({ bytes: 64 * PAGE });
    const receiver = ZcrxReceiver.withoutDevice(ring, { area });
    const things: Record<string, { close(): unknown }> = { ring, area, receiver };
    for (const name of order.split(" ")) things[name]!.close();
    assertEquals([ring.closed, area.closed, receiver.closed], [true, true, true]);
    assertEquals(area.inFlight, 0);
    await sleep(0);
  }
});

test("After close everything throws ClosedError", async () => {
  await using bench = await Bench.open();
  const { receiver } = bench;
  await using stream = await Stream.open(bench.bed, PAGE);
  receiver.close();
  const calls: (() => unknown)[] = [
    () => receiver.start(stream.far),
    () => receiver.stop(1),
    () => receiver.reap(() => {}),
    () => receiver.waitBlocking(0),
    () => receiver.release(0),
    () => receiver.peek(),
    () => receiver.offsetAt(0),
    () => receiver.consume(0),
    () => receiver.bytes(0),
    () => receiver.areaOf(0),
    () => receiver.flush(),
    () => receiver.statistics(),
    () => receiver.arm("COPY"),
    () => receiver.export(),
    () => receiver.addArea(bench.area),
  ];
  for (const call of calls) assertThrows(call, ClosedError, "ZcrxReceiver is closed");
  await assertRejects(() => receiver.nextEvent(), ClosedError);
  await assertRejects(() => receiver.receive(stream.far).next(), ClosedError);
  assertEquals(Deno.inspect(receiver), "ZcrxReceiver { closed }");
  assertEquals([receiver.holds(0), receiver.closed], [false, true]);
  bench.ring.close();
  for (const call of calls) assertThrows(call, ClosedError, "Ring is closed");
});

for (const what of ["receiver", "ring"] as const) {
  test(`Closing the ${what} ends a loop that waits, and takes its pieces away`, async () => {
    await using bench = await Bench.open();
    await using stream = await Stream.open(bench.bed, 10);
    stream.sendNow();
    let held: ZcrxPiece | undefined;
    const receiving = (async () => {
      for await (const piece of bench.receiver.receive(stream.far)) held = piece;
    })();
    receiving.catch(() => {});
    const event = bench.receiver.nextEvent().then(() => bench.receiver.nextEvent());
    event.catch(() => {});
    await until("a piece is held", () => held !== undefined);
    if (what === "receiver") bench.receiver.close();
    else assertEquals(bench.ring.close(), 0, "nothing is left in flight");
    await assertRejects(() => receiving, ClosedError);
    await assertRejects(() => event, ClosedError);
    assertThrows(() => held!.bytes, ClosedError);
    assertEquals(held!.state, "released");
    held!.release();
    held![Symbol.dispose]();
    assertEquals(bench.ring.inFlight, 0);
  });
}

test("A ring that is closed cancels receives of the batch API", async () => {
  await using bench = await Bench.open();
  await using stream = await Stream.open(bench.bed, 10);
  bench.receiver.start(stream.far);
  bench.ring.batch.submit();
  stream.sendNow();
  assertEquals(bench.ring.close(), 0);
  assertEquals(bench.receiver.closed, true);
});

test("Events are told once, until they are armed again", async () => {
  await using bench = await Bench.open({ buffers: 16 });
  const { receiver } = bench;
  await using stream = await Stream.open(bench.bed, 10 * PAGE);
  assertEquals(receiver.events, { ALLOC_FAIL: 0, COPY: 0 });
  const refused = assertThrows(() => receiver.arm("COPY"), UringError, "has not happened");
  assertEquals([refused.operation, refused.code], ["ZCRX_CTRL_ARM_EVENT", "EINVAL"]);
  assertThrows(() => receiver.arm("OTHER" as never), RangeError, "ALLOC_FAIL, COPY");
  const early = receiver.nextEvent();
  for (let round = 1; round <= 3; round++) {
    stream.sendNow(2 * PAGE);
    for await (using piece of receiver.receive(stream.far, { bytes: 2 * PAGE })) {
      stream.compare(piece.bytes);
    }
    assertEquals(await (round === 1 ? early : receiver.nextEvent()), "COPY");
    assertEquals(receiver.events, { ALLOC_FAIL: 0, COPY: round });
    receiver.arm("COPY");
    assertThrows(() => receiver.arm("COPY"), UringError, "has not happened");
  }
  assertEquals(bench.ring.inFlight, 0, "an event is no answer to a request");
});

test("Events that nobody asked for do not come", async () => {
  await using bench = await Bench.open({ events: [] });
  await using stream = await Stream.open(bench.bed, PAGE);
  const sending = stream.sendAll();
  await receiveAll(bench.receiver, stream);
  await sending;
  assertEquals(bench.receiver.events, { ALLOC_FAIL: 0, COPY: 0 });
  assertEquals(bench.receiver.statistics().copiedBytes, PAGE);
});

test("Areas can be added, and their pieces come back to them", async () => {
  await using bench = await Bench.open({ buffers: 2 });
  const { receiver } = bench;
  const areas = [bench.area];
  for (let i = 0; i < 3; i++) {
    const area = Area.map({ bytes: (i + 1) * PAGE });
    receiver.addArea(area);
    areas.push(area);
    assertThrows(() => area.close(), OwnershipError);
    assertThrows(() => receiver.addArea(area), OwnershipError, "another receiver");
  }
  assertEquals(receiver.areas, areas);
  await using stream = await Stream.open(bench.bed, 100 * PAGE);
  const sending = stream.sendAll();
  const seen = new Map<Area, number>();
  const held: ZcrxPiece[] = [];
  for await (const piece of receiver.receive(stream.far)) {
    stream.compare(piece.bytes);
    seen.set(piece.area, (seen.get(piece.area) ?? 0) + 1);
    assert(piece.offset + piece.length <= piece.area.bytes);
    held.push(piece);
    // All but one buffer are held, in every area.
    if (held.length === 7) held.shift()!.release();
  }
  await sending;
  for (const piece of held) piece.release();
  assertEquals(stream.compared, 100 * PAGE);
  assertEquals(new Set(seen.keys()), new Set(areas));
  receiver.close();
  for (const area of areas) area.close();
});

test("An area of another kind is refused", async () => {
  await using bench = await Bench.open();
  using dmaBuf = Area.dmaBuf({ bytes: MIB });
  const error = assertThrows(() => bench.receiver.addArea(dmaBuf), UringError);
  assertEquals([error.operation, error.code], ["ZCRX_CTRL_ADD_AREA", "EINVAL"]);
  assertMatch(error.message, /all ordinary memory, or all dma-bufs/);
  const closed = Area.map({ bytes: PAGE });
  closed.close();
  assertThrows(() => bench.receiver.addArea(closed), ClosedError);
  // It was not kept.
  assertEquals([dmaBuf.inFlight, bench.receiver.areas.length], [0, 1]);
});

test("Two rings share a receiver", async () => {
  await using bench = await Bench.open({ buffers: 32 });
  await using other = Ring.open({ completionSize: "mixed" });
  const handle = bench.receiver.export();
  assert(handle.fd > 2);
  using imported = ZcrxReceiver.import(other, handle);
  handle.close();
  handle.close();
  assertThrows(() => handle.fd, ClosedError);
  assertThrows(() => ZcrxReceiver.import(other, handle), ClosedError);
  assertEquals(imported.areas, [bench.area]);
  assertMatch(Deno.inspect(imported), /imported/);
  await using first = await Stream.open(bench.bed, MIB);
  await using second = await Stream.open(bench.bed, MIB);
  const sending = [first.sendAll(), second.sendAll()];
  await Promise.all([receiveAll(bench.receiver, first), receiveAll(imported, second)]);
  await Promise.all(sending);
  assertEquals([first.compared, second.compared], [MIB, MIB]);
  await assertRejects(() => imported.nextEvent(), UnsupportedError, "imported");
  assertThrows(() => imported.arm("COPY"), UnsupportedError, "imported");

  // The registration outlives the ring that made it.
  bench.receiver.close();
  assertThrows(() => bench.area.close(), OwnershipError);
  bench.ring.close();
  assertEquals(bench.area.inFlight, 1);
  await using third = await Stream.open(bench.bed, MIB);
  const sent = third.sendAll();
  await reapAll(imported, [third], 10);
  await sent;
  assertEquals(third.compared, MIB);
  imported.close();
  other.close();
  assertEquals(bench.area.inFlight, 0);
});

test("What is no exported receiver cannot be imported", async () => {
  await using bench = await Bench.open();
  using handle = bench.receiver.export();
  using plain = Ring.open();
  assertThrows(() => ZcrxReceiver.import(plain, handle), UringError, "completionSize");
  using other = Ring.open({ completionSize: 32 });
  using socket = Socket.udp();
  const fake = Object.create(handle, { fd: { value: socket.fd } });
  const error = assertThrows(() => ZcrxReceiver.import(other, fake), UringError);
  assertEquals(error.code, "EBADF");
});

test("A registered socket is received from as such", async () => {
  await using bench = await Bench.open();
  await using stream = await Stream.open(bench.bed, 100_000);
  bench.ring.register(stream.far);
  const sending = stream.sendAll();
  await receiveAll(bench.receiver, stream);
  await sending;
  assertEquals(stream.compared, 100_000);
  bench.ring.unregister(stream.far);
});

test("IPv6 is received as IPv4 is", async () => {
  await using bench = await Bench.open();
  await using stream = await Stream.open(bench.bed, 100_000, { family: 6 });
  const sending = stream.sendAll();
  await receiveAll(bench.receiver, stream);
  await sending;
  assertEquals(stream.compared, 100_000);
});

test("What is no connected TCP socket is refused, with the reason", async () => {
  await using bench = await Bench.open();
  using udp = Socket.udp(bench.bed.far).bind(bench.bed.far.address(0));
  using alone = Socket.tcp(bench.bed.far);
  using file = Deno.openSync("/dev/null");
  void file;
  const expected = [
    [udp, "EPROTONOSUPPORT", /only plain TCP/],
    [alone, "ENOTCONN", /accept/],
    [1, "ENOTSOCK", /no socket/],
    [9999, "EBADF", /not open/],
  ] as const;
  for (const [socket, code, message] of expected) {
    const error = await assertRejects(() => bench.receiver.receive(socket).next(), UringError);
    assertEquals([error.operation, error.code], ["RECV_ZC", code]);
    assertMatch(error.message, message);
    const ends: unknown[] = [];
    bench.receiver.start(socket, 3);
    assert(bench.receiver.waitBlocking(10_000));
    bench.receiver.reap(() => {}, (_userData, _bytes, error) => ends.push(error));
    assertEquals((ends[0] as UringError).code, code);
  }
  udp.close();
  assertThrows(() => bench.receiver.start(udp), ClosedError);
  assertEquals(bench.ring.inFlight, 0);
});

test("Other requests of the ring go on beside a receiver", async () => {
  for (const completionSize of SIZES) {
    await using bench = await Bench.open({ completionSize });
    const { ring, receiver } = bench;
    await using stream = await Stream.open(bench.bed, MIB);
    receiver.start(stream.far, 9);
    ring.batch.submit();
    const sending = stream.sendAll();
    const seen: number[] = [];
    let ended = false;
    for (let i = 0; !ended; i++) {
      ring.batch.nop(i).submit();
      assertEquals(await ring.nop(), 0);
      receiver.reap((userData, piece) => {
        assertEquals(userData, 9);
        stream.compare(receiver.bytes(piece));
        receiver.release(piece);
      }, () => ended = true);
      ring.batch.reap((userData) => seen.push(userData));
      await sleep(0);
    }
    await sending;
    assertEquals(stream.compared, MIB);
    assertEquals(seen, seen.map((_, i) => i));
    assertEquals(ring.inFlight, 0);
  }
});

// === Registering ===

test("A ring that cannot receive without copying is refused, with the reason", () => {
  using area = Area.map({ bytes: MIB });
  const expected = [
    [{}, /completions of this ring have 16 bytes.*completionSize: 32.*mixed/],
    [{ completionSize: 32, without: ["DEFER_TASKRUN"] }, /no DEFER_TASKRUN/],
    [{ completionSize: "mixed", without: ["SINGLE_ISSUER"] }, /no DEFER_TASKRUN/],
    [{ completionSize: "mixed", entries: 1 }, /2 completion entries.*one of 32 bytes.*at least 4/],
  ] as const;
  for (const [options, message] of expected) {
    using ring = Ring.open(options);
    const error = assertThrows(() => ZcrxReceiver.withoutDevice(ring, { area }), UringError);
    assertEquals([error.operation, error.code], ["IORING_REGISTER_ZCRX_IFQ", "EINVAL"]);
    assertMatch(error.message, message);
  }
  assertEquals(area.inFlight, 0);
});

test("Numbers out of range are refused before anything changes", () => {
  using ring = Ring.open({ completionSize: 32 });
  using area = Area.map({ bytes: MIB });
  for (const refillEntries of [0, -1, 1.5, 32769, NaN]) {
    assertThrows(
      () => ZcrxReceiver.withoutDevice(ring, { area, refillEntries }),
      RangeError,
      "refillEntries",
    );
  }
  for (const queue of [-1, 1.5, NaN]) {
    assertThrows(
      () => ZcrxReceiver.open(ring, { area, interface: "lo", queue }),
      RangeError,
      "queue",
    );
  }
  for (const bufferBytes of [1, 4095, 5000, 2 ** 31]) {
    assertThrows(
      () => ZcrxReceiver.open(ring, { area, interface: "lo", queue: 0, bufferBytes }),
      RangeError,
      "bufferBytes",
    );
  }
  assertThrows(
    () => ZcrxReceiver.withoutDevice(ring, { area, events: ["OTHER" as never] }),
    UnsupportedError,
    "ZCRX_EVENT_OTHER",
  );
  assertEquals(area.inFlight, 0);
});

test("A receiver without a device does not take a dma-buf", () => {
  using ring = Ring.open({ completionSize: 32 });
  using area = Area.dmaBuf({ bytes: MIB });
  const error = assertThrows(() => ZcrxReceiver.withoutDevice(ring, { area }), UringError);
  assertEquals(error.code, "EINVAL");
  assertMatch(error.message, /no dma-buf.*Area\.map/);
  assertEquals(area.inFlight, 0);
});

test("A device without queue operations is refused, with the reason", async () => {
  await using bed = await Testbed.pair();
  using ring = Ring.open({ completionSize: 32 });
  using area = Area.map({ bytes: MIB });
  for (const place of [undefined, bed.near]) {
    const options = { area, queue: 0, timeout: 0, ...place === undefined ? {} : { place } };
    const device = place?.interface ?? "lo";
    const error = assertThrows(
      () => ZcrxReceiver.open(ring, { ...options, interface: device }),
      UringError,
    );
    assertEquals(error.code, "EOPNOTSUPP");
    assertMatch(error.message, place === undefined ? /lo is no device/ : /zclab0.*veth/);
    const missing = assertThrows(
      () => ZcrxReceiver.open(ring, { ...options, interface: "nobody0" }),
      UringError,
    );
    assertEquals(missing.code, "ENODEV");
    assertMatch(missing.message, /no interface nobody0/);
    const gone = assertThrows(
      () => ZcrxReceiver.open(ring, { ...options, interface: 4711 }),
      UringError,
    );
    assertEquals(gone.code, "ENODEV");
    assertMatch(gone.message, /interface 4711 is gone/);
  }
  assertEquals(area.inFlight, 0);
});

/** Opens a receiver without a device in a process of its own, and returns how that failed. */
function refusal(prefix: readonly string[]): string {
  const { stdout, stderr } = runModule(
    `
      import { Area, Ring, ZcrxReceiver } from "zclab";
      using ring = Ring.open({ completionSize: 32 });
      using area = Area.map({ bytes: 1 << 20 });
      try {
        ZcrxReceiver.withoutDevice(ring, { area }).close();
        console.log("registered");
      } catch (error) {
        console.log(error.message);
      }
    `,
    { prefix },
  );
  assertEquals(stderr, "");
  return stdout;
}

test("Missing privileges are named", () => {
  assertMatch(
    refusal(["setpriv", "--bounding-set", "-net_admin"]),
    /EPERM: CAP_NET_ADMIN is needed/,
  );
  assertMatch(refusal(["unshare", "--user", "--map-root-user"]), /EPERM.*another user namespace/);
});

test("A limit of locked memory is named, with what is needed", () => {
  const limited = ["setpriv", "--bounding-set", "-ipc_lock", "prlimit"];
  const said = refusal([...limited, "--memlock=524288"]);
  assertMatch(said, /ENOMEM.*need 1028 KiB of locked memory.*RLIMIT_MEMLOCK is 512 KiB/);
  assertMatch(said, /ulimit -l 1540 or more/);
  assertEquals(refusal([...limited, "--memlock=16777216"]), "registered\n");
});
