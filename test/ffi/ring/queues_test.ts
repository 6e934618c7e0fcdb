import { ERRNO } from "../../../ffi/kernel/errno.ts";
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  Area,
  type CompletionSize,
  Ring,
  type SetupFlag,
  Testbed,
  UnsupportedError,
  UringError,
} from "zclab";
import type { Engine } from "../../../ffi/ring/engine.ts";
import { ENGINE } from "../../../ffi/ring/ring_handle.ts";
import { TARGET } from "../../../ffi/ring/user_data.ts";
import type { Target } from "../../../ffi/ring/target.ts";
import { negotiate, setUp, WANTED_FLAGS } from "../../../ffi/ring/queues.ts";
import { CQE, NOP, SETUP } from "../../../ffi/kernel/uapi.ts";
import { test, USUAL_MEMLOCK } from "../../needs.ts";
import { assertModule, connectUdp } from "../connections.ts";

const NAMES = WANTED_FLAGS.map(([name]) => name) as SetupFlag[];
const EINVAL = -ERRNO.EINVAL;

/** The set-up flags that came with each kernel, and nothing newer. */
const KERNELS: readonly (readonly [version: string, flags: readonly (keyof typeof SETUP)[]])[] = [
  ["5.11", []],
  ["5.18", ["SUBMIT_ALL"]],
  ["5.19", ["COOP_TASKRUN", "TASKRUN_FLAG"]],
  ["6.0", ["SINGLE_ISSUER"]],
  ["6.1", ["DEFER_TASKRUN"]],
  ["6.6", ["NO_SQARRAY"]],
];

/** A kernel of that version: refuses what it does not know, and combinations that make no sense. */
function kernel(version: string): { setup: (flags: number) => number; known: number } {
  let known = 0;
  for (const [since, flags] of KERNELS) {
    for (const name of flags) known |= SETUP[name];
    if (since === version) break;
  }
  const setup = (flags: number): number => {
    if ((flags & ~known) !== 0) return EINVAL;
    const has = (name: keyof typeof SETUP): boolean => (flags & SETUP[name]) !== 0;
    if (has("DEFER_TASKRUN") && !has("SINGLE_ISSUER")) return EINVAL;
    if (has("TASKRUN_FLAG") && !has("COOP_TASKRUN") && !has("DEFER_TASKRUN")) return EINVAL;
    return 42;
  };
  return { setup, known };
}

for (const [version] of KERNELS) {
  Deno.test(`negotiate() gets what a kernel ${version} has (simulated)`, () => {
    const { setup, known } = kernel(version);
    const { fd, flags } = negotiate(setup, NAMES);
    assertEquals(fd, 42);
    for (const name of NAMES) assertEquals(flags & SETUP[name], known & SETUP[name], name);
  });
}

Deno.test("negotiate() asks for everything first, and asks once where it gets it", () => {
  const asked: number[] = [];
  const { flags } = negotiate((flags) => asked.push(flags), NAMES);
  assertEquals(asked, [flags]);
  for (const name of NAMES) assert((flags & SETUP[name]) !== 0, name);
});

Deno.test("negotiate() gives up at once on errors that no flag explains", () => {
  for (const [errno, code] of [[1, "EPERM"], [38, "ENOSYS"], [12, "ENOMEM"], [24, "EMFILE"]]) {
    let calls = 0;
    const refuse = (): number => (calls++, -errno!);
    const error = assertThrows(() => negotiate(refuse, NAMES), UringError, "io_uring_setup");
    assertEquals([error.code, calls], [code, 1]);
    if (code === "EPERM") assertMatch(error.advice, /sysctl kernel\.io_uring_disabled=0/);
  }
});

Deno.test("negotiate() says EINVAL when the kernel refuses even the plain set-up", () => {
  const asked: number[] = [];
  const refuse = (flags: number): number => (asked.push(flags), EINVAL);
  const error = assertThrows(() => negotiate(refuse, NAMES), UringError);
  assertEquals([error.code, asked.at(-1), asked.length], ["EINVAL", 0, NAMES.length + 1]);
});

/** Every subset of the flags that zclab can do without. */
function subsets(): SetupFlag[][] {
  return Array.from({ length: 1 << NAMES.length }, (_, mask) => {
    return NAMES.filter((_, bit) => (mask & (1 << bit)) !== 0);
  });
}

for (const without of subsets()) {
  Deno.test(`A ring without ${without.join(", ") || "giving up any flag"} works`, async () => {
    using bed = await Testbed.loopback();
    using connection = connectUdp(bed);
    using area = Area.map({ bytes: 8192 });
    using ring = Ring.open({ entries: 8, completionEntries: 8, without });
    for (const name of without) assert(!ring.flags.includes(name), name);

    // The batch API, with more requests than either queue has room for.
    for (let i = 0; i < 100; i++) ring.batch.nop(i);
    ring.batch.submit();
    const seen: number[] = [];
    ring.batch.reap((userData) => seen.push(userData));
    assertEquals(seen.toSorted((a, b) => a - b), Array.from({ length: 100 }, (_, i) => i));

    // The promise API: at once, after a while, and what the kernel puts off.
    assertEquals(await ring.nop(), 0);
    await ring.timeout(5);
    const received = ring.recv(connection.far, area.slice(4096, 100));
    await ring.timeout(1);
    assertEquals(await ring.send(connection.near, area.slice(0, 7)), 7);
    assertEquals(await received, 7);

    // More at a time than the kernel runs in one go.
    const waits = Array.from({ length: 60 }, () => ring.timeout(5));
    await Promise.all(waits);

    // Blocking.
    ring.batch.recv(connection.far, area.slice(4096, 100), 1).submit();
    ring.batch.send(connection.near, area.slice(0, 9), 2).submitAndWait(2);
    const results: [number, number][] = [];
    ring.batch.reap((userData, result) => results.push([userData, result]));
    assertEquals(results.toSorted(), [[1, 9], [2, 9]]);
    assertEquals(ring.inFlight, 0);
  });
}

// === Completions of 32 bytes, which NOPs can ask for since CQE_MIXED is there ===

const LARGE_SIZES: readonly CompletionSize[] = [32, "mixed"];

/** Notes what a target is told of, with the further words of large completions. */
class Recorder implements Target {
  readonly seen: number[][] = [];
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  complete(result: number, flags: number, _slot: number, _final: boolean, index: number): void {
    const { extra, queues } = this.#engine;
    const large = queues.cqeShift === 3 || (flags & CQE.LARGE) !== 0;
    this.seen.push([index, result, ...large ? queues.ring.subarray(extra, extra + 4) : []]);
  }

  fail(error: unknown): void {
    throw error;
  }
}

/** Prepares a NOP with every word written; of a large one the completion repeats what it said. */
function nop(engine: Engine, userData: number, large: boolean, target?: Target): void {
  const upper = target === undefined ? 0 : engine.track("NOP", null, false, TARGET, target);
  const at = engine.next();
  engine.sqes.fill(0, at, at + 16);
  engine.sqes[at + 6] = 1000 + userData;
  engine.sqes[at + 7] = NOP.INJECT_RESULT | (large ? NOP.CQE32 : 0);
  if (large) engine.sqes.set([userData, -userData, 7, userData * 2], at + 2);
  engine.sqes[at + 8] = userData;
  engine.sqes[at + 9] = upper;
}

function expected(userData: number, large: boolean, size: CompletionSize): number[] {
  const words = large ? [userData, -userData | 0, 7, userData * 2] : [0, 0, 0, 0];
  return [userData, 1000 + userData, ...large || size === 32 ? words : []];
}

for (const completionSize of LARGE_SIZES) {
  test(
    `A ring of completions of size ${completionSize} tells them apart, in many turns of its queue`,
    { needs: ["IORING_SETUP_CQE_MIXED"] },
    () => {
      using ring = Ring.open({ entries: 8, completionEntries: 32, completionSize });
      assert(ring.flags.includes(completionSize === 32 ? "CQE32" : "CQE_MIXED"));
      const engine = ring[ENGINE] as Engine;
      const target = new Recorder(engine);
      const batch: number[][] = [];
      const wanted: [number[][], number[][]] = [[], []];
      // Every mixture of sizes and owners, at every place of the queue.
      for (let userData = 0; userData < 1000; userData++) {
        const large = (userData * 7919 >> 3 & 1) === 1;
        const toTarget = (userData * 104729 >> 4 & 1) === 1;
        nop(engine, userData, large, toTarget ? target : undefined);
        wanted[toTarget ? 0 : 1].push(
          toTarget ? expected(userData, large, completionSize) : [userData, 1000 + userData],
        );
        if (userData % 5 === 4) ring.batch.submit();
        if (userData % 10 === 9) {
          ring.batch.reap((userData, result) => batch.push([userData, result]));
        }
      }
      ring.batch.submit();
      ring.batch.reap((userData, result) => batch.push([userData, result]));
      assertEquals(target.seen, wanted[0]);
      assertEquals(batch, wanted[1]);
      assertEquals([ring.inFlight, engine.ready], [0, 0]);
    },
  );

  test(
    `A ring of completions of size ${completionSize} loses none for which its queue has no room`,
    { needs: ["IORING_SETUP_CQE_MIXED"] },
    () => {
      using ring = Ring.open({ entries: 8, completionEntries: 8, completionSize });
      const engine = ring[ENGINE] as Engine;
      const target = new Recorder(engine);
      for (let userData = 0; userData < 100; userData++) {
        nop(engine, userData, userData % 3 !== 0, target);
      }
      assertEquals(ring.batch.submitAndWait(100) > 0, true);
      ring.batch.reap(() => {});
      // A small one may overtake a large one that did not fit (6.18).
      assertEquals(
        target.seen.toSorted(([a], [b]) => a! - b!),
        Array.from({ length: 100 }, (_, i) => expected(i, i % 3 !== 0, completionSize)),
      );
      assertEquals(ring.inFlight, 0);
    },
  );

  test(`Both APIs of a ring of completions of size ${completionSize} work`, {
    needs: [completionSize === 32 ? "IORING_SETUP_CQE32" : "IORING_SETUP_CQE_MIXED"],
  }, async () => {
    using bed = await Testbed.loopback();
    using connection = connectUdp(bed);
    using area = Area.map({ bytes: 8192 });
    await using ring = Ring.open({ entries: 8, completionEntries: 8, completionSize });
    await using other = Ring.open({ completionSize });
    for (let i = 0; i < 100; i++) ring.batch.nop(i);
    ring.batch.submit();
    const seen: number[] = [];
    ring.batch.reap((userData) => seen.push(userData));
    assertEquals(seen, Array.from({ length: 100 }, (_, i) => i));
    const received = ring.recv(connection.far, area.slice(4096, 100));
    await ring.timeout(1);
    assertEquals(await ring.send(connection.near, area.slice(0, 7)), 7);
    assertEquals(await received, 7);
    await other.msgRing(ring, 42, 43);
    const posted: number[] = [];
    ring.batch.reap((userData, result) => posted.push(userData, result));
    assertEquals(posted, [42, 43]);
    assertEquals([ring.inFlight, other.inFlight], [0, 0]);
  });
}

for (const large of [[], [0], [1], [0, 1, 2], [2, 3], [0, 1, 2, 3, 4, 5]]) {
  test(`Waiting counts completions, not places: large ones ${large.join(", ") || "none"}`, {
    needs: ["IORING_SETUP_CQE_MIXED"],
  }, () => {
    using ring = Ring.open({ entries: 16, completionSize: "mixed" });
    const engine = ring[ENGINE] as Engine;
    for (let round = 0; round < 30; round++) {
      for (let i = 0; i < 6; i++) nop(engine, i, large.includes(i));
      // What is there already and takes two places must not be counted twice.
      ring.batch.timeout(2, 99);
      ring.batch.submitAndWait(7);
      const seen: number[] = [];
      ring.batch.reap((userData) => seen.push(userData));
      assertEquals(seen, [0, 1, 2, 3, 4, 5, 99]);
      for (let i = 0; i < 6; i++) nop(engine, i, large.includes(i));
      ring.batch.timeout(2, 99).submit();
      assert(!ring.batch.waitBlocking(8, 0), "there are not so many");
      assert(ring.batch.waitBlocking(7, 10_000));
      assertEquals(engine.ready, 7);
      assertEquals(ring.batch.reap(() => {}), 7);
    }
  });
}

test("A kernel without completions of both sizes is said to lack them", {
  needs: [{ without: "IORING_SETUP_CQE_MIXED" }],
}, () => {
  assertThrows(() => Ring.open({ completionSize: "mixed" }), UnsupportedError, "6.18");
});

Deno.test("Ring.open() refuses a size that completions do not have", () => {
  for (const completionSize of [0, 64, "32", "large"] as unknown as CompletionSize[]) {
    assertThrows(() => Ring.open({ completionSize }), RangeError, "completionSize");
  }
});

Deno.test("A kernel without a completion size is said to lack it", () => {
  // More entries than any kernel takes is the same EINVAL that an unknown flag is.
  const error = assertThrows(() => setUp(1 << 20, undefined, NAMES, 32), UnsupportedError);
  assertEquals([error.feature, error.since], ["IORING_SETUP_CQE32", "5.19"]);
});

test("A process that opens rings without closing them ends", { needs: [USUAL_MEMLOCK] }, () => {
  assertModule(
    `
      import { Ring } from "zclab";
      const rings = Array.from({ length: 40 }, () => Ring.open());
      await Promise.all(rings.map((ring) => ring.nop()));
      await rings[0].timeout(1);
      console.log("end");
    `,
    "end\n",
  );
});
