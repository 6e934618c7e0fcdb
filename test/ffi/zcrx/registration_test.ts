import { ERRNO } from "../../../ffi/kernel/errno.ts";
import { assert, assertEquals, assertInstanceOf, assertMatch, assertThrows } from "@std/assert";
import {
  Area,
  ClosedError,
  kernelIsAtLeast,
  OwnershipError,
  physicalPages,
  type Place,
  Ring,
  Testbed,
  UnsupportedError,
  UringError,
  type ZcrxFeatures,
  zcrxFeatures,
  ZcrxReceiver,
} from "zclab";
import { entrust, keepOpen } from "../../../ffi/memory/area.ts";
import type { QueueFacts } from "../../../ffi/net/queue_facts.ts";
import {
  explainArea,
  explainEnd,
  explainRegistration,
  type Situation,
} from "../../../ffi/zcrx/refusals.ts";
import { isMapped, runModule } from "../connections.ts";
import { test } from "../../needs.ts";

const FEATURES: ZcrxFeatures = {
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
};

const FACTS: QueueFacts = {
  queues: 4,
  provider: "kernel",
  dataSplit: "on",
  splitThreshold: 0,
  xdp: false,
  up: true,
};

const UNKNOWN: QueueFacts = {
  queues: undefined,
  provider: undefined,
  dataSplit: undefined,
  splitThreshold: undefined,
  xdp: undefined,
  up: undefined,
};

const SITUATION: Situation = {
  features: FEATURES,
  built: true,
  netAdmin: true,
  initialUserNamespace: true,
  memlock: undefined,
  facts: FACTS,
};

const MEMORY = { bytes: 1 << 20, dmaBufFd: undefined };
const DMA_BUF = { bytes: 1 << 20, dmaBufFd: 7 };

interface Case {
  readonly errno: number;
  readonly queue?: number;
  readonly bufferBytes?: number;
  readonly area?: typeof MEMORY | typeof DMA_BUF;
  readonly situation?: Partial<Situation>;
  readonly facts?: Partial<QueueFacts>;
  readonly message: RegExp;
}

const EBADF = 9;
const EFAULT = 14;
const ERANGE = 34;
const ENODATA = 61;
const ENETDOWN = 100;

/** Each refusal with what could be found out, and what is said of it. */
const CASES: readonly Case[] = [
  {
    errno: ERRNO.EPERM,
    situation: { netAdmin: false },
    message: /EPERM: CAP_NET_ADMIN is needed.*run as root/,
  },
  {
    errno: ERRNO.EPERM,
    situation: { initialUserNamespace: false },
    message: /root of another user namespace.*outside of rootless containers/,
  },
  { errno: ERRNO.ENODEV, message: /eth1 is gone.*ip link/ },
  { errno: ERANGE, queue: 4, message: /no queue 4: it receives on 4, .*from 0 to 3/ },
  {
    errno: ERANGE,
    queue: 1,
    facts: { queues: 1 },
    message: /receives on 1.*ethtool -L eth1 combined 2/,
  },
  {
    errno: ERANGE,
    bufferBytes: 16384,
    message: /not contiguous.*16384.*Area\.map\(\{ bytes, hugePages/,
  },
  {
    errno: ERANGE,
    bufferBytes: 16384,
    area: DMA_BUF,
    message: /Area\.dmaBuf\(\{ bytes, hugePages/,
  },
  { errno: ERANGE, facts: UNKNOWN, message: /no queue 1.*ethtool -l eth1/ },
  {
    errno: ERRNO.EINVAL,
    facts: { dataSplit: "off" },
    message: /tcp-data-split is off, and must be on\./,
  },
  {
    errno: ERRNO.EINVAL,
    facts: { dataSplit: "auto" },
    message: /is auto.*\(auto is not\).*ethtool -G eth1 tcp-data-split on/,
  },
  { errno: ERRNO.EINVAL, facts: { splitThreshold: 100 }, message: /up to 100 bytes.*hds-thresh 0/ },
  {
    errno: ERRNO.EINVAL,
    bufferBytes: 8192,
    situation: { features: { ...FEATURES, bufferBytes: false } },
    message: /came with Linux 7\.0/,
  },
  {
    errno: ERRNO.EINVAL,
    facts: UNKNOWN,
    message: /is not on, its hds-thresh is not 0.*ethtool -g eth1/,
  },
  { errno: ERRNO.EEXIST, facts: { xdp: true }, message: /XDP program.*ip link set eth1 xdp off/ },
  {
    errno: ERRNO.EEXIST,
    facts: { provider: "dma-buf" },
    message: /dma-buf is bound to queue 1 of eth1/,
  },
  {
    errno: ERRNO.EEXIST,
    facts: { provider: "io_uring" },
    message: /another receiver.*close its ring/,
  },
  { errno: ERRNO.EEXIST, facts: UNKNOWN, message: /another's memory, or an XDP program/ },
  { errno: ERRNO.EBUSY, message: /AF_XDP, or leased/ },
  {
    errno: ERRNO.EOPNOTSUPP,
    message: /driver of eth1 cannot give a queue other memory.*withoutDevice/,
  },
  { errno: ERRNO.EOPNOTSUPP, bufferBytes: 8192, message: /cannot have buffers of 8192 bytes/ },
  { errno: ENODATA, message: /did not take its buffers from the area/ },
  { errno: ENETDOWN, message: /eth1 is down.*ip link set eth1 up/ },
  {
    errno: ERRNO.ENOMEM,
    situation: { memlock: 65536 },
    message: /need 1025 KiB.*RLIMIT_MEMLOCK is 64 KiB.*ulimit -l 1089/,
  },
  { errno: ERRNO.ENOMEM, message: /posts in advance.*larger area/ },
  { errno: EFAULT, message: /cannot be pinned/ },
  { errno: EBADF, area: DMA_BUF, message: /no dma-buf/ },
  { errno: 5, message: /EIO/ },
];

Deno.test("A refused registration is explained by what could be found out", () => {
  for (const { errno, queue = 1, bufferBytes = 0, area = MEMORY, message, ...rest } of CASES) {
    const situation = {
      ...SITUATION,
      ...rest.situation,
      facts: { ...FACTS, ...rest.facts },
    };
    const address = { place: {}, name: "eth1", index: 2, queue };
    const request = { queue: address, bufferBytes, refillEntries: 64, area };
    const error = explainRegistration(errno, request, situation);
    assertInstanceOf(error, UringError);
    assertEquals([error.operation, error.errno], ["IORING_REGISTER_ZCRX_IFQ", errno]);
    assertMatch(error.message, message);
  }
});

Deno.test("A refused registration without a device is explained", () => {
  const request = { queue: undefined, bufferBytes: 0, refillEntries: 64, area: DMA_BUF };
  const situation = { ...SITUATION, facts: undefined };
  const explain = (errno: number): string => explainRegistration(errno, request, situation).message;
  assertMatch(explain(ERRNO.EINVAL), /no dma-buf/);
  assertMatch(explain(ERRNO.EOPNOTSUPP), /buffers of a page/);
  assertMatch(explain(ERRNO.ENOMEM), /out of memory/);
  assertMatch(explain(EFAULT), /cannot be pinned/);
});

Deno.test("A kernel that was built without zero-copy receive is said to be", () => {
  const request = { queue: undefined, bufferBytes: 0, refillEntries: 64, area: MEMORY };
  const error = explainRegistration(ERRNO.EOPNOTSUPP, request, { ...SITUATION, built: false });
  assertInstanceOf(error, UnsupportedError);
  assertEquals(error.feature, "CONFIG_IO_URING_ZCRX");
});

Deno.test("An area that cannot be added is explained", () => {
  const explain = (errno: number, areas: number, area = MEMORY): string =>
    explainArea(errno, { area, bufferBytes: 4096, areas }).message;
  assertMatch(explain(ERRNO.EINVAL, 1), /Area\.dmaBuf/);
  assertMatch(explain(ERRNO.EINVAL, 1024), /has 1024 areas/);
  assertMatch(explain(ERANGE, 1), /not contiguous/);
  assertMatch(explain(EFAULT, 1), /device is gone/);
  assertMatch(explain(ERRNO.ENOMEM, 1), /ENOMEM/);
});

Deno.test("The end of a receive is explained", () => {
  assertMatch(explainEnd(93, false).message, /EPROTONOSUPPORT.*plain TCP/);
  assertMatch(explainEnd(ERRNO.ENOMEM, false).message, /every buffer of the area is with the NIC/);
  assertMatch(explainEnd(ERRNO.ENOMEM, true).message, /cannot copy into one/);
  assertMatch(explainEnd(104, false).message, /ECONNRESET: the peer reset/);
});

Deno.test("zcrxFeatures() says of each kernel what came with it", () => {
  const features = zcrxFeatures();
  const since: readonly (readonly [has: boolean, version: string])[] = [
    [features.receive, "6.15"],
    [features.dmaBuf, "6.16"],
    [features.mixedCompletions, "6.18"],
    [features.from === "query", "6.18"],
    [features.flush, "6.19"],
    [features.share, "6.19"],
    [features.bufferBytes, "7.0"],
    [features.withoutDevice, "7.1"],
    [features.events.length > 0, "7.2"],
    [features.statistics, "7.2"],
    [features.addArea, "7.3"],
  ];
  for (const [has, version] of since) assertEquals(has, kernelIsAtLeast(version), version);
});

test("withoutDevice() says what this kernel lacks", { needs: [{ before: "7.1" }] }, () => {
  using ring = Ring.open({ completionSize: 32 });
  using area = Area.map({ bytes: 4096 });
  const error = assertThrows(
    () => ZcrxReceiver.withoutDevice(ring, { area }),
    UnsupportedError,
  );
  assertEquals(error.since, kernelIsAtLeast("6.15") ? "7.1" : "6.15");
  assertEquals(area.inFlight, 0);
});

Deno.test("physicalPages() tells where memory is, and refuses what is outside", () => {
  using area = Area.map({ bytes: 16 * 4096 });
  const bytes = area.unsafeBytes();
  bytes[0] = bytes[3 * 4096] = 1;
  if (!mayReadPages()) {
    assertThrows(() => physicalPages(area), UnsupportedError, "CAP_SYS_ADMIN");
    return;
  }
  const pages = physicalPages(area);
  assertEquals(pages.length, 16);
  assert(pages[0]! > 0 && pages[3]! > 0 && pages[0] !== pages[3]);
  assertEquals(physicalPages(area, 3 * 4096 + 5, 10), pages.slice(3, 4));
  assertEquals(physicalPages(area, 4095, 2), pages.slice(0, 2));
  assertEquals(physicalPages(area, 0, 0).length, 0);
  for (const [offset, length] of [[-1, 1], [0, 16 * 4096 + 1], [0.5, 1], [4096, 16 * 4096]]) {
    assertThrows(() => physicalPages(area, offset, length), RangeError, "outside");
  }
  area.close();
  assertThrows(() => physicalPages(area, 0, 1), ClosedError);
});

/** Whether the kernel shows page frame numbers to this process. */
function mayReadPages(): boolean {
  const map = Deno.readTextFileSync("/proc/self/uid_map").trim().split(/\s+/).join(" ");
  const status = Deno.readTextFileSync("/proc/self/status");
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)![1]}`);
  return map === "0 0 4294967295" && (effective >> 21n & 1n) === 1n;
}

Deno.test("physicalPages() says which privilege is missing", () => {
  const { stdout } = runModule(
    `
      import { Area, physicalPages } from "zclab";
      using area = Area.map({ bytes: 4096 });
      area.unsafeBytes()[0] = 1;
      try {
        console.log(physicalPages(area));
      } catch (error) {
        console.log(error.name, error.message);
      }
    `,
    { prefix: ["unshare", "--user", "--map-root-user"] },
  );
  assertMatch(stdout, /^UnsupportedError Page frame numbers.*CAP_SYS_ADMIN/);
});

Deno.test("Taking and returning a piece allocates nothing", () => {
  const { stdout, stderr } = runModule(`
    import { RefillRing } from "./ffi/zcrx/refill_ring.ts";
    import { ArrivalQueue } from "./ffi/zcrx/arrival_queue.ts";
    import { PieceTable } from "./ffi/zcrx/piece_table.ts";
    const memory = new ArrayBuffer(128 + 1024 * 16);
    const words = new Int32Array(memory);
    const ring = new RefillRing(memory, 1024, { head: 0, tail: 64, rqes: 128 });
    const pieces = new PieceTable();
    const queue = new ArrivalQueue();
    const completions = new Int32Array(32 * 8);
    for (let at = 0; at < completions.length; at += 8) completions.set([0, 5, 4096, 2, at, 1], at);
    let sum = 0;
    function turn(count) {
      for (let i = 0; i < count; i++) {
        queue.push(i << 12, i, 4096, i);
        const at = queue.at;
        const piece = pieces.take(queue.words[at], queue.words[at + 1], queue.words[at + 2]);
        queue.drop(1);
        const slot = pieces.slotOf(piece);
        sum = (sum + pieces.length(slot)) | 0;
        if (!ring.push(pieces.low(slot), pieces.high(slot), pieces.length(slot))) throw i;
        pieces.free(slot);
        words[0] = words[16];
        if ((i & 31) !== 0) continue;
        const shown = queue.pushRun(completions, 31, i, i + 32, 5, 7) && queue.show();
        if (ring.addRun(queue.words, queue.place(0), shown) !== 32) throw i;
        queue.drop(shown);
        ring.publish();
        words[0] = words[16];
      }
    }
    for (let i = 0; i < 20; i++) turn(20_000);
    const before = Deno.memoryUsage().heapUsed;
    turn(200_000);
    console.log(Deno.memoryUsage().heapUsed - before < 200_000 ? "nothing" : "something", sum !== 0);
  `);
  assertEquals({ stdout, stderr }, { stdout: "nothing true\n", stderr: "" });
});

Deno.test("An area that a receiver has is not closed, and not given to another", () => {
  const area = Area.map({ bytes: 8192 });
  const release = entrust(area, "zero-copy receive");
  assertThrows(() => entrust(area, "zero-copy receive"), OwnershipError, "another receiver");
  assertThrows(() => area.slice(4096, 1).bytes, OwnershipError, "zero-copy receive");
  const allow = keepOpen(area, "not now");
  assertThrows(() => area.close(), OwnershipError, "not now");
  allow();
  area.close();
  // The memory stays mapped as long as the kernel has it.
  assert(isMapped(area.address));
  release();
  assert(!isMapped(area.address));
});

test("A registration is made in the namespace of the device, and the thread comes back", {
  needs: ["IORING_OP_RECV_ZC", "privileges"],
}, async () => {
  const home = (): string => Deno.readLinkSync("/proc/thread-self/ns/net");
  const before = home();
  await using bed = await Testbed.pair();
  using ring = Ring.open({ completionSize: 32 });
  using area = Area.map({ bytes: 1 << 20 });
  const refusal = (name: string | number, place?: Place): UringError =>
    assertThrows(
      () =>
        ZcrxReceiver.open(ring, {
          area,
          interface: name,
          queue: 0,
          ...place === undefined ? {} : { place },
        }),
      UringError,
    );
  const { near } = bed;
  assertEquals(refusal("lo").code, "EOPNOTSUPP");
  assertEquals(refusal(near.interface, near).code, "EOPNOTSUPP");
  assertMatch(refusal(near.interface, near).message, new RegExp(near.interface));
  assertEquals(refusal(near.interface).code, "ENODEV");
  assertEquals(refusal(4711, near).code, "ENODEV");
  assertEquals(home(), before);
  assertEquals(area.inFlight, 0);
});
