import { assert, assertEquals, assertThrows } from "@std/assert";
import { OwnershipError } from "zclab";
import { powerOfTwo, RefillRegion, RefillRing } from "../../../ffi/zcrx/refill_ring.ts";
import { ArrivalQueue } from "../../../ffi/zcrx/arrival_queue.ts";
import { PieceTable } from "../../../ffi/zcrx/piece_table.ts";

/** Where a kernel that is not this one could put the parts. */
const OFFSETS = { head: 128, tail: 8, rqes: 256 };

/** The kernel's side of a refill ring. */
class Kernel {
  readonly memory: ArrayBuffer;
  readonly entries: number;
  readonly #words: Int32Array;
  #head: number;

  constructor(entries: number, first = 0) {
    this.entries = entries;
    this.memory = new ArrayBuffer(OFFSETS.rqes + entries * 16);
    this.#words = new Int32Array(this.memory);
    this.#head = first;
    this.#words[OFFSETS.head >> 2] = first;
    this.#words[OFFSETS.tail >> 2] = first;
  }

  /** Takes up to that many entries. */
  take(count: number): number[][] {
    const taken: number[][] = [];
    while (taken.length < count && this.#head !== this.#words[OFFSETS.tail >> 2]) {
      const at = (OFFSETS.rqes >> 2) + (this.#head & (this.entries - 1)) * 4;
      taken.push([...this.#words.subarray(at, at + 4)]);
      this.#words.fill(0x5a5a5a5a, at, at + 4);
      this.#head = (this.#head + 1) | 0;
    }
    this.#words[OFFSETS.head >> 2] = this.#head;
    return taken;
  }
}

for (const first of [0, 5, 0x7fffffff, -1, -3]) {
  Deno.test(`A refill ring whose counters start at ${first} loses and overwrites nothing`, () => {
    const kernel = new Kernel(4, first);
    const ring = new RefillRing(kernel.memory, 4, OFFSETS);
    let pushed = 0;
    const taken: number[][] = [];
    for (let round = 0; round < 20; round++) {
      while (ring.push(pushed, -pushed, pushed + 1000)) pushed++;
      assertEquals(ring.waiting, 4);
      assert(!ring.push(77, 77, 77), "full");
      assert(ring.holds(4) && ring.holds(3) && !ring.holds(5));
      taken.push(...kernel.take(1 + round % 4));
    }
    taken.push(...kernel.take(100));
    assertEquals(ring.waiting, 0);
    assertEquals(pushed, taken.length);
    assertEquals(taken, taken.map((_, i) => [i, -i | 0, i + 1000, 0]));
  });
}

Deno.test("A refill ring notices by itself that the kernel has made room", () => {
  const kernel = new Kernel(2);
  const ring = new RefillRing(kernel.memory, 2, OFFSETS);
  assert(ring.push(1, 0, 1) && ring.push(2, 0, 1) && !ring.push(3, 0, 1));
  kernel.take(1);
  assert(ring.push(3, 0, 1) && !ring.push(4, 0, 1));
  assertEquals(kernel.take(9).map(([low]) => low), [2, 3]);
  assert(!ring.holds(1));
});

Deno.test("A refill ring refuses what the kernel cannot have returned", () => {
  for (const entries of [0, 3, 8]) {
    assertThrows(
      () => new RefillRing(new ArrayBuffer(OFFSETS.rqes + 64), entries, OFFSETS),
      RangeError,
      "refill ring",
    );
  }
});

Deno.test("A refill region has room for the entries, a page before and statistics behind", () => {
  for (const [entries, statistics] of [[1, 8192], [256, 8192], [257, 12288], [32768, 528384]]) {
    const region = new RefillRegion(entries!);
    assertEquals(region.statistics, statistics);
    assertEquals(region.mapping.bytes, statistics! + 4096);
    region.mapping.close();
  }
  assertEquals([0, 1, 2, 3, 64, 65].map(powerOfTwo), [1, 1, 2, 4, 64, 128]);
});

Deno.test("Pieces keep their offsets above 4 GiB, and the numbers of their areas", () => {
  const pieces = new PieceTable();
  const high = 0x03ff_abcd | 0;
  const slot = pieces.slotOf(pieces.take(-4096, high, 4096));
  assertEquals(pieces.offset(slot), 0xabcd * 2 ** 32 + 2 ** 32 - 4096);
  assertEquals(pieces.area(slot), 0x3ff);
  assertEquals([pieces.low(slot), pieces.high(slot), pieces.length(slot)], [-4096, high, 4096]);
  const last = pieces.slotOf(pieces.take(0, 0xffff_0000 | 0, 1));
  assertEquals([pieces.area(last), pieces.offset(last)], [0xffff, 0]);
});

Deno.test("A piece is freed once; its number is not taken for the next in its slot", () => {
  const pieces = new PieceTable();
  const seen = new Set<number>();
  const held: number[] = [];
  for (let round = 0; round < 20_000; round++) {
    const piece = pieces.take(round, 0, 1);
    assert(piece >= 0 && piece <= 0x7fffffff && !seen.has(piece), `piece ${piece}`);
    seen.add(piece);
    held.push(piece);
    if (held.length > 1500) {
      const old = held.shift()!;
      const slot = pieces.slotOf(old);
      assertEquals(pieces.low(slot), round - 1500);
      pieces.free(slot);
      assertThrows(() => pieces.slotOf(old), OwnershipError);
    }
  }
  assertEquals(pieces.held, 1500);
  assertEquals([...pieces.slots()].length, 1500);
  for (const piece of held) assert(pieces.holds(piece));
});

Deno.test("What is no piece is refused", () => {
  const pieces = new PieceTable();
  const piece = pieces.take(1, 0, 1);
  assertEquals(pieces.slotOf(piece), 0);
  for (const other of [1, -1, 1.5, NaN, 2 ** 32, 2 ** 31, 0x7fffffff, piece + 2 ** 22]) {
    assertThrows(() => pieces.slotOf(other), OwnershipError, "is no piece");
  }
});

Deno.test("Arrivals keep their order while their queue wraps and grows", () => {
  const queue = new ArrivalQueue();
  let [pushed, taken, ends] = [0, 0, 0];
  for (let round = 0; round < 60; round++) {
    for (let i = 0; i < 100 + round; i++) queue.push(pushed, -pushed, pushed + 1, ~pushed++);
    queue.pushEnd(round);
    for (let left = 90; left > 0;) {
      if (queue.atEnd) {
        assertEquals(queue.dropEnd(), ends++);
        continue;
      }
      const shown = Math.min(left, queue.show());
      for (let index = 0; index < shown; index++, taken++) {
        const at = queue.place(index);
        const words = [...queue.words.subarray(at, at + 4)];
        assertEquals(words, [taken, -taken | 0, taken + 1, ~taken]);
      }
      queue.drop(shown);
      left -= shown;
    }
    assertEquals([queue.pieces, queue.count], [pushed - taken, pushed - taken + round + 1 - ends]);
  }
  assert(queue.count > 1024, "it grew");
  queue.clear();
  assertEquals([queue.count, queue.pieces, queue.shown, queue.atEnd], [0, 0, 0, false]);
});

Deno.test("Only what was shown has a place, until it was taken", () => {
  const queue = new ArrivalQueue();
  for (let i = 0; i < 5; i++) queue.push(i, 0, 1, 0);
  queue.pushEnd(9);
  queue.push(5, 0, 1, 0);
  assertEquals(queue.place(0), -1, "nothing was shown");
  assertEquals(queue.show(), 5, "as far as the end");
  assertEquals([0, 4].map((index) => queue.words[queue.place(index)]), [0, 4]);
  for (const index of [5, -1, 0.5, NaN, 2 ** 32]) assertEquals(queue.place(index), -1);
  queue.drop(2);
  assertEquals([queue.shown, queue.words[queue.place(0)], queue.place(3)], [3, 2, -1]);
  queue.drop(3);
  assertEquals([queue.shown, queue.show(), queue.dropEnd(), queue.show()], [0, 0, 9, 1]);
});

/** The words of a completion queue of so many places, filled with completions from a number on. */
function completionQueue(
  places: number,
  first: number,
  completions: readonly { upper: number; result: number; flags: number; low: number }[],
): Int32Array {
  const words = new Int32Array(places * 8);
  completions.forEach(({ upper, result, flags, low }, i) => {
    const at = ((first + i) & (places - 1)) << 3;
    words.set([0, upper, result, flags, low, 7], at);
  });
  return words;
}

for (const first of [0, 6, 0x7fffffff, -3]) {
  Deno.test(`A run of completions from number ${first} on ends where the request's pieces do`, () => {
    const piece = { upper: 5, result: 100, flags: 2, low: 4096 };
    const other = { ...piece, upper: 6 };
    const last = { ...piece, result: 0, flags: 0 };
    const run = (completions: (typeof piece)[]): number[] => {
      const queue = new ArrivalQueue();
      const words = completionQueue(8, first, completions);
      const end = (first + completions.length) | 0;
      const count = queue.pushRun(words, 7, first, end, 5, -2);
      for (let i = 0; i < queue.show(); i++) {
        const at = queue.place(i);
        assertEquals([...queue.words.subarray(at, at + 4)], [4096, 7, 100, -2]);
      }
      return [count, queue.count, queue.pieces, queue.runBytes];
    };
    assertEquals(run([piece, piece, piece]), [3, 3, 3, 300]);
    assertEquals(run([piece, piece, other, piece]), [2, 2, 2, 200]);
    assertEquals(run([piece, last]), [1, 1, 1, 100]);
    assertEquals(run(Array(8).fill(piece)), [8, 8, 8, 800]);
  });
}

Deno.test("The kernel learns of added entries when they are published", () => {
  const kernel = new Kernel(8);
  const ring = new RefillRing(kernel.memory, 8, OFFSETS);
  assert(ring.add(1, 2, 3));
  assertEquals([ring.waiting, kernel.take(8)], [1, []]);
  ring.publish();
  assertEquals(kernel.take(8), [[1, 2, 3, 0]]);
  ring.publish();
  assertEquals(kernel.take(8), []);
});

for (const start of [0, 5, 0x7fffffff, -1, -3]) {
  Deno.test(`A refill ring that starts at ${start} takes as many of a run as it has room for`, () => {
    const kernel = new Kernel(4, start);
    const ring = new RefillRing(kernel.memory, 4, OFFSETS);
    const run = new Int32Array(8 * 4);
    for (let i = 0; i < 8; i++) run.set([i, -i, 100 + i, 99], i * 4);
    const taken: number[] = [];
    let added = 0;
    for (let round = 0; round < 20; round++) {
      // From a place on that the run wraps around.
      added += ring.addRun(run, (added & 7) * 4, 1 + round % 6);
      assert(ring.waiting <= 4);
      ring.publish();
      for (const [low, high, length, rest] of kernel.take(1 + round % 4)) {
        assertEquals([high, length, rest], [-low! | 0, 100 + low!, 0]);
        taken.push(low!);
      }
    }
    taken.push(...kernel.take(4).map(([low]) => low!));
    assertEquals(taken, taken.map((_, i) => i & 7));
    assertEquals([taken.length, ring.waiting], [added, 0]);
    assertEquals(ring.addRun(run, 0, 9), 4, "no more than there is room");
    assertEquals(ring.addRun(run, 0, 1), 0, "full");
    assertEquals(ring.addRun(run, 0, 0), 0);
  });
}
