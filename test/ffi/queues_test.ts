import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Area, Ring, type SetupFlag, Testbed, UringError } from "zclab";
import { negotiate, WANTED_FLAGS } from "../../ffi/queues.ts";
import { SETUP } from "../../ffi/uapi.ts";
import { assertModule, connectUdp } from "./connections.ts";

const NAMES = WANTED_FLAGS.map(([name]) => name) as SetupFlag[];
const EINVAL = -22;

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

    // The batch face, with more requests than either queue has room for.
    for (let i = 0; i < 100; i++) ring.batch.nop(i);
    ring.batch.submit();
    const seen: number[] = [];
    ring.batch.reap((userData) => seen.push(userData));
    assertEquals(seen.toSorted((a, b) => a - b), Array.from({ length: 100 }, (_, i) => i));

    // The await face: at once, after a while, and what the kernel puts off.
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

Deno.test("A process that opens rings without closing them ends", () => {
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
