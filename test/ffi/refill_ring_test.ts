import { assert, assertEquals, assertThrows } from "@std/assert";
import { OwnershipError } from "zclab";
import { powerOfTwo, RefillRegion, RefillRing } from "../../ffi/refill_ring.ts";
import { PairQueue, PieceTable } from "../../ffi/zero_copy_pieces.ts";

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

Deno.test("A queue of pairs keeps their order while it wraps and grows", () => {
  const queue = new PairQueue();
  let [pushed, taken] = [0, 0];
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < 100 + round; i++) queue.push(pushed, -pushed++);
    for (let i = 0; i < 90; i++) {
      assertEquals([queue.first, queue.second], [taken, -taken | 0]);
      queue.drop();
      taken++;
    }
    assertEquals(queue.count, pushed - taken);
  }
  assert(queue.count > 1024, "it grew");
});
