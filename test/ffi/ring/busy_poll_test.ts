import { ERRNO } from "../../../ffi/kernel/errno.ts";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { Area } from "../../../ffi/memory/area.ts";
import { napiIdOf } from "../../../ffi/net/napi.ts";
import { BusyPoll } from "../../../ffi/ring/busy_poll.ts";
import { engineOf } from "../../../ffi/ring/ring_handle.ts";
import { ClosedError, UnsupportedError, UringError } from "../../../ffi/kernel/errors.ts";
import { native } from "../../../ffi/kernel/native.ts";
import { Ring } from "../../../ffi/ring/ring.ts";
import { Socket } from "../../../ffi/net/socket.ts";
import { Testbed } from "../../../labs/kit/testbed/testbed.ts";
import { Command } from "../../child.ts";
import { IS_ROOT, Unprivileged } from "../../unprivileged.ts";
import { test } from "../../needs.ts";

const IORING_REGISTER_NAPI = 27;
const [REGISTER_OP, STATIC_ADD_ID, STATIC_DEL_ID] = [0, 1, 2];
const [DYNAMIC, STATIC, INACTIVE] = [0, 1, 255];

/** In this test's own words, so that it does not repeat a mistake of the code under test. */
function napi(
  ring: Ring,
  opcode: number,
  parameter: number,
  microseconds = 0,
  prefer = 0,
): { result: number; microseconds: number; prefer: number; tracking: number } {
  const argument = new ArrayBuffer(16);
  const view = new DataView(argument);
  view.setUint32(0, microseconds, true);
  view.setUint8(4, prefer);
  view.setUint8(5, opcode);
  view.setUint32(8, parameter, true);
  const fd = engineOf(ring).fd;
  const result = native().io_uring_register(fd, IORING_REGISTER_NAPI, argument, 1);
  return {
    result,
    microseconds: view.getUint32(0, true),
    prefer: view.getUint8(4),
    tracking: view.getUint32(8, true),
  };
}

/** What the ring is set to, which the kernel writes back; it is set to something else then. */
function settingsOf(ring: Ring): { microseconds: number; prefer: number; tracking: number } {
  const { result, ...before } = napi(ring, REGISTER_OP, DYNAMIC, 1);
  assertEquals(result, 0);
  return before;
}

/** Sockets at both ends of a testbed that have sent each other a datagram. */
class Acquainted implements Disposable {
  readonly near: Socket;
  readonly far: Socket;

  constructor(bed: Testbed) {
    this.near = Socket.udp(bed.near).bind(bed.near.address(9000));
    this.far = Socket.udp(bed.far).bind(bed.far.address(9001));
    this.near.connect(this.far.localAddress!);
    this.far.connect(this.near.localAddress!);
    using area = Area.map({ bytes: 128 });
    for (const [from, to] of [[this.near, this.far], [this.far, this.near]] as const) {
      from.sendBlocking(area.slice(0, 64));
      assertEquals(to.receiveBlocking(area.slice(64, 64), 5000), 64);
    }
  }

  [Symbol.dispose](): void {
    this.near.close();
    this.far.close();
  }
}

test("BusyPoll.ofRing() registers, and close() leaves the ring inactive", {
  needs: ["IO_URING_NAPI_TRACKING_STATIC"],
}, () => {
  using ring = Ring.open({ entries: 8 });
  const polling = BusyPoll.ofRing(ring, { microseconds: 50, prefer: true });
  assertEquals(
    [polling.kind, polling.microseconds, polling.prefer, polling.tracking, polling.ids],
    ["ring", 50, true, "dynamic", []],
  );
  assertEquals(polling.budget, undefined);
  assertEquals(Deno.inspect(polling), "BusyPoll { ring, 50 µs, dynamic, prefer: true }");
  polling.close();
  assert(polling.closed);
  assertEquals(Deno.inspect(polling), "BusyPoll { closed }");
  assertEquals(settingsOf(ring), { microseconds: 0, prefer: 0, tracking: INACTIVE });
  // Closing it again must not undo what came after.
  polling.close();
  assertEquals(settingsOf(ring), { microseconds: 1, prefer: 0, tracking: DYNAMIC });
});

test("BusyPoll.ofRing() tells the kernel what was asked for", {
  needs: ["IO_URING_NAPI_TRACKING_STATIC"],
}, () => {
  for (const tracking of ["dynamic", "static"] as const) {
    for (const prefer of [false, true]) {
      using ring = Ring.open({ entries: 8 });
      using _polling = BusyPoll.ofRing(ring, { microseconds: 70, prefer, tracking });
      assertEquals(settingsOf(ring), {
        microseconds: 70,
        prefer: Number(prefer),
        tracking: tracking === "static" ? STATIC : DYNAMIC,
      });
    }
  }
});

test("BusyPoll.close() puts back what somebody else had registered", {
  needs: ["IO_URING_NAPI_TRACKING_STATIC"],
}, () => {
  using ring = Ring.open({ entries: 8 });
  for (const tracking of [DYNAMIC, STATIC]) {
    assertEquals(napi(ring, REGISTER_OP, tracking, 70, 1).result, 0);
    BusyPoll.ofRing(ring, { microseconds: 50 }).close();
    assertEquals(settingsOf(ring), { microseconds: 70, prefer: 1, tracking });
  }
});

test("BusyPoll.ofRing() polls static ids and puts those of an earlier one back", {
  needs: ["IO_URING_NAPI_TRACKING_STATIC"],
}, async () => {
  await using bed = await Testbed.pair({ napi: true });
  using sockets = new Acquainted(bed);
  const [first, second] = [napiIdOf(sockets.near).id, napiIdOf(sockets.far).id];
  assert(first > 0 && second > 0 && first !== second);

  using ring = Ring.open({ entries: 8 });
  using earlier = BusyPoll.ofRing(ring, { microseconds: 50, ids: [first] });
  assertEquals(earlier.tracking, "static");
  assertEquals(
    Deno.inspect(earlier),
    `BusyPoll { ring, 50 µs, static, ids: ${first}, prefer: false }`,
  );
  assertEquals(napi(ring, STATIC_ADD_ID, first).result, -ERRNO.EEXIST);
  earlier.addId(second);
  assertEquals(earlier.ids, [first, second]);
  assertEquals(napi(ring, STATIC_ADD_ID, second).result, -ERRNO.EEXIST);
  earlier.removeId(second);
  assertEquals(napi(ring, STATIC_DEL_ID, second).result, -ERRNO.ENOENT);
  assertThrows(() => earlier.addId(first), RangeError, "polled already");
  assertThrows(() => earlier.removeId(second), RangeError, "is not polled");

  const later = BusyPoll.ofRing(ring, { microseconds: 60, ids: [second] });
  assertThrows(() => earlier.addId(second), TypeError, "a later BusyPoll");
  assertEquals(napi(ring, STATIC_DEL_ID, first).result, -ERRNO.ENOENT);
  later.close();
  assertEquals(napi(ring, STATIC_DEL_ID, second).result, -ERRNO.ENOENT);
  const { result, microseconds, tracking } = napi(ring, STATIC_DEL_ID, first);
  assertEquals({ result, microseconds, tracking }, {
    result: 0,
    microseconds: 50,
    tracking: STATIC,
  });
});

test("BusyPoll: several of one ring can be closed in any order", {
  needs: ["IO_URING_NAPI_TRACKING_STATIC"],
}, () => {
  const orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
  for (const order of orders) {
    using ring = Ring.open({ entries: 8 });
    const all = [10, 20, 30].map((microseconds) => BusyPoll.ofRing(ring, { microseconds }));
    const open = new Set(all);
    for (const index of order) {
      all[index]!.close();
      open.delete(all[index]!);
      // The settings in force are those of the latest that is open.
      const latest = [...open].at(-1);
      const { microseconds, tracking } = napi(ring, STATIC_ADD_ID, 0);
      assertEquals(
        [microseconds, tracking],
        latest === undefined ? [0, INACTIVE] : [latest.microseconds, DYNAMIC],
        `order ${order}, after ${index}`,
      );
    }
  }
});

test("BusyPoll.ofRing() refuses what cannot be, and leaves the ring as it was", {
  needs: ["IO_URING_NAPI_TRACKING_STATIC"],
}, () => {
  using ring = Ring.open({ entries: 8 });
  for (const microseconds of [-1, 1.5, NaN, 10_001, Infinity]) {
    assertThrows(() => BusyPoll.ofRing(ring, { microseconds }), RangeError, "microseconds");
  }
  const microseconds = 50;
  for (const id of [0, -1, 1.5, 2 ** 32]) {
    assertThrows(() => BusyPoll.ofRing(ring, { microseconds, ids: [id] }), RangeError, "id");
  }
  assertThrows(
    () => BusyPoll.ofRing(ring, { microseconds, tracking: "dynamic", ids: [300] }),
    RangeError,
    "Dynamic tracking",
  );
  assertThrows(
    () => BusyPoll.ofRing(ring, { microseconds, ids: [70_000, 70_000] }),
    RangeError,
    "not distinct",
  );
  assertThrows(
    () => BusyPoll.ofRing(ring, { microseconds, tracking: "sometimes" as "static" }),
    RangeError,
    '"sometimes"',
  );
  // 1 is in range, but no NAPI context: the kernel finds out, after it had registered.
  const error = assertThrows(
    () => BusyPoll.ofRing(ring, { microseconds, ids: [1] }),
    UringError,
    "1 is no NAPI id",
  );
  assertEquals(error.code, "EINVAL");
  assertStringIncludes(error.advice, "napiIdOf");
  assertEquals(settingsOf(ring), { microseconds: 0, prefer: 0, tracking: INACTIVE });
});

test("BusyPoll: what is closed throws ClosedError, and closing is quiet", {
  needs: ["IO_URING_NAPI_TRACKING_STATIC"],
}, () => {
  const ring = Ring.open({ entries: 8 });
  const dynamic = BusyPoll.ofRing(ring, { microseconds: 50 });
  assertThrows(() => dynamic.addId(300), TypeError, "static tracking");
  assertThrows(() => dynamic.removeId(300), TypeError, "static tracking");
  dynamic.close();
  assertThrows(() => dynamic.addId(300), ClosedError, "BusyPoll");
  assertThrows(() => dynamic.removeId(300), ClosedError, "BusyPoll");

  const polling = BusyPoll.ofRing(ring, { microseconds: 50, tracking: "static" });
  ring.close();
  assertEquals(Deno.inspect(polling), "BusyPoll { ring closed }");
  assertThrows(() => polling.addId(300), ClosedError, "Ring");
  polling.close();
  polling.close();
  assert(polling.closed);
  assertThrows(() => BusyPoll.ofRing(ring, { microseconds: 50 }), ClosedError, "Ring");
});

Deno.test("BusyPoll.ofRing() names the kernel that is missing, or the kernel's configuration", () => {
  const refusals = [
    ["6.8.0", 22, "static", "IORING_REGISTER_NAPI", "6.9"],
    ["6.12.3", 22, "static", "IO_URING_NAPI_TRACKING_STATIC", "6.13"],
    ["6.12.3", 95, "dynamic", "IORING_REGISTER_NAPI", undefined],
  ] as const;
  const { osRelease } = Deno;
  using ring = Ring.open({ entries: 8 });
  // What an older kernel answers, which this one does not.
  let errno = 0;
  engineOf(ring).register = (operation) => {
    throw new UringError(operation, errno);
  };
  try {
    for (const [release, number, tracking, feature, since] of refusals) {
      errno = number;
      Deno.osRelease = () => release;
      const error = assertThrows(
        () => BusyPoll.ofRing(ring, { microseconds: 50, tracking }),
        UnsupportedError,
      );
      assertEquals([error.feature, error.since], [feature, since]);
      assertStringIncludes(error.message, since ?? "CONFIG_NET_RX_BUSY_POLL");
    }
  } finally {
    Deno.osRelease = osRelease;
  }
  // Any other refusal stays what it is.
  errno = 14;
  assertThrows(() => BusyPoll.ofRing(ring, { microseconds: 50 }), UringError, "EFAULT");
});

const options = (socket: Socket): number[] => [
  socket.option("SO_BUSY_POLL"),
  socket.option("SO_PREFER_BUSY_POLL"),
];

test(
  "BusyPoll.ofSocket() sets the options and puts the old values back",
  { needs: ["root"] },
  () => {
    for (const make of [Socket.udp, Socket.tcp]) {
      using socket = make();
      const fresh = options(socket);
      {
        using polling = BusyPoll.ofSocket(socket, { microseconds: 40, prefer: true, budget: 16 });
        assertEquals(options(socket), [40, 1]);
        assertEquals(
          [polling.kind, polling.microseconds, polling.prefer, polling.budget, polling.tracking],
          ["socket", 40, true, 16, undefined],
        );
        assertEquals(
          Deno.inspect(polling),
          "BusyPoll { socket, 40 µs, prefer: true, budget: 16 }",
        );
      }
      assertEquals(options(socket), fresh);
      socket.setOption("SO_BUSY_POLL", 123).setOption("SO_PREFER_BUSY_POLL", true);
      BusyPoll.ofSocket(socket, { microseconds: 0, prefer: false }).close();
      assertEquals(options(socket), [123, 1]);
      // What was not asked for is left alone, also when it is put back.
      const polling = BusyPoll.ofSocket(socket, { microseconds: 5 });
      assertEquals([polling.prefer, options(socket)], [undefined, [5, 1]]);
      socket.setOption("SO_PREFER_BUSY_POLL", false);
      polling.close();
      assertEquals(options(socket), [123, 0]);
    }
  },
);

test(
  "BusyPoll.ofSocket() puts back the budget that an earlier one has set",
  { needs: ["root"] },
  () => {
    using socket = Socket.udp();
    // There is no getsockopt for it, so what is set is looked at on its way to the kernel.
    const budgets: number[] = [];
    const setOption = socket.setOption.bind(socket);
    socket.setOption = (name, value) => {
      if (name === "SO_BUSY_POLL_BUDGET") budgets.push(Number(value));
      return setOption(name, value);
    };
    const first = BusyPoll.ofSocket(socket, { microseconds: 10, budget: 16 });
    const second = BusyPoll.ofSocket(socket, { microseconds: 20 });
    const third = BusyPoll.ofSocket(socket, { microseconds: 30, budget: 32 });
    third.close();
    second.close();
    first.close();
    assertEquals(budgets, [16, 32, 16, 0]);
    assertEquals(socket.option("SO_BUSY_POLL"), 0);
  },
);

test("BusyPoll.ofSocket() changes everything or nothing", { needs: ["root"] }, () => {
  using socket = Socket.udp();
  socket.setOption("SO_BUSY_POLL", 7);
  const setOption = socket.setOption.bind(socket);
  socket.setOption = (name, value) => {
    if (name === "SO_BUSY_POLL_BUDGET") throw new UringError(`setsockopt ${name}`, 1);
    return setOption(name, value);
  };
  const error = assertThrows(
    () => BusyPoll.ofSocket(socket, { microseconds: 50, prefer: true, budget: 9 }),
    UringError,
    "CAP_NET_ADMIN",
  );
  assertEquals(error.operation, "setsockopt SO_BUSY_POLL_BUDGET");
  assertEquals(options(socket), [7, 0]);
});

Deno.test("BusyPoll.ofSocket() refuses what cannot be before it changes anything", () => {
  using socket = Socket.udp();
  const before = options(socket);
  for (const microseconds of [-1, 0.5, NaN, 2 ** 31]) {
    assertThrows(() => BusyPoll.ofSocket(socket, { microseconds }), RangeError, "microseconds");
  }
  for (const budget of [0, -1, 1.5, 65_536]) {
    assertThrows(
      () => BusyPoll.ofSocket(socket, { microseconds: 0, budget }),
      RangeError,
      "budget",
    );
  }
  assertEquals(options(socket), before);
});

Deno.test("BusyPoll.ofSocket(): a closed socket throws ClosedError, and closing after it is quiet", () => {
  const socket = Socket.udp();
  const polling = BusyPoll.ofSocket(socket, { microseconds: 0 });
  assertThrows(() => polling.addId(300), TypeError, "static tracking");
  socket.close();
  assertEquals(Deno.inspect(polling), "BusyPoll { socket closed }");
  polling.close();
  polling.close();
  assertThrows(() => polling.removeId(300), ClosedError, "BusyPoll");
  assertThrows(() => BusyPoll.ofSocket(socket, { microseconds: 0 }), ClosedError, "Socket");
  assertThrows(() => napiIdOf(socket), ClosedError, "Socket");
});

Deno.test("BusyPoll.ofSocket() names the kernel that is missing, or the kernel's configuration", () => {
  const { osRelease } = Deno;
  using socket = Socket.udp();
  socket.option = (name) => {
    throw new UringError(`getsockopt ${name}`, 92);
  };
  try {
    assertThrows(() => napiIdOf(socket), UnsupportedError, "CONFIG_NET_RX_BUSY_POLL");
    socket.option = (name) => {
      if (name === "SO_BUSY_POLL") return 0;
      throw new UringError(`getsockopt ${name}`, 92);
    };
    Deno.osRelease = () => "5.10.0";
    const error = assertThrows(
      () => BusyPoll.ofSocket(socket, { microseconds: 0, prefer: true }),
      UnsupportedError,
    );
    assertEquals([error.feature, error.since], ["SO_PREFER_BUSY_POLL", "5.11"]);
  } finally {
    Deno.osRelease = osRelease;
  }
});

Deno.test("BusyPoll.ofSocket() explains what a user without privileges lacks", () => {
  const source = `
    import { BusyPoll } from "{ffi}/ring/busy_poll.ts";
    import { Socket } from "{ffi}/net/socket.ts";
    for (const options of [{ microseconds: 0, prefer: true }, { microseconds: 0, budget: 9 }]) {
      using socket = Socket.udp();
      try {
        BusyPoll.ofSocket(socket, options);
      } catch (error) {
        console.log(error.name, error.message);
      }
    }`;
  const { code, stdout, stderr } = asUserWithoutPrivileges(source);
  assertEquals(code, 0, stderr);
  const lines = stdout.trim().split("\n");
  assertEquals(lines.length, 2);
  assertMatch(lines[0]!, /^UringError setsockopt SO_PREFER_BUSY_POLL: EPERM: .*CAP_NET_ADMIN/);
  assertMatch(lines[1]!, /^UringError setsockopt SO_BUSY_POLL_BUDGET: EPERM: .*CAP_NET_ADMIN/);
});

test(
  "BusyPoll.ofSocket() needs no privileges for the time alone",
  { needs: [{ kernel: "6.4" }] },
  () => {
    const { code, stdout, stderr } = asUserWithoutPrivileges(`
      import { BusyPoll } from "{ffi}/ring/busy_poll.ts";
      import { Socket } from "{ffi}/net/socket.ts";
      using socket = Socket.udp();
      const polling = BusyPoll.ofSocket(socket, { microseconds: 50 });
      const during = socket.option("SO_BUSY_POLL");
      polling.close();
      console.log(during, socket.option("SO_BUSY_POLL"));`);
    assertEquals([code, stdout], [0, "50 0\n"], stderr);
  },
);

test(
  "BusyPoll.ofRing() needs no privileges",
  { needs: ["IO_URING_NAPI_TRACKING_STATIC"] },
  () => {
    const { code, stdout, stderr } = asUserWithoutPrivileges(`
      import { BusyPoll } from "{ffi}/ring/busy_poll.ts";
      import { Ring } from "{ffi}/ring/ring.ts";
      using ring = Ring.open({ entries: 8 });
      using polling = BusyPoll.ofRing(ring, { microseconds: 50 });
      console.log(polling.tracking);`);
    assertEquals([code, stdout], [0, "dynamic\n"], stderr);
  },
);

/** Evaluates a module as this user if it has no privileges, else as one that has none. */
function asUserWithoutPrivileges(
  source: string,
): { code: number; stdout: string; stderr: string } {
  if (IS_ROOT) {
    using unprivileged = new Unprivileged();
    return unprivileged.evaluate(source);
  }
  const text = source.replaceAll("{ffi}", new URL("../../../ffi", import.meta.url).href);
  const output = new Command(Deno.execPath(), {
    args: ["eval", "--no-config", "--no-lock", text],
    env: { NO_COLOR: "1" },
  }).outputSync();
  const decoder = new TextDecoder();
  return {
    code: output.code,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
}

Deno.test("napiIdOf() gives an id over a pair with NAPI, once a packet has arrived", async () => {
  await using bed = await Testbed.pair({ napi: true });
  using bound = Socket.udp(bed.near).bind(bed.near.address(9100));
  assertEquals(napiIdOf(bound).id, 0);
  assertStringIncludes(napiIdOf(bound).why!, "no packet has arrived yet");
  using sockets = new Acquainted(bed);
  for (const socket of [sockets.near, sockets.far]) {
    const { id, why } = napiIdOf(socket);
    assert(id > 0);
    assertEquals(why, undefined);
  }
});

Deno.test("napiIdOf() says why a pair without NAPI has no id", async () => {
  await using bed = await Testbed.pair();
  using sockets = new Acquainted(bed);
  const { id, why } = napiIdOf(sockets.near);
  assertEquals(id, 0);
  // For UDP nobody can tell whether a packet has arrived, so both reasons are given.
  assertMatch(why!, /no packet has arrived yet; or .*gro on .*tso off/);

  using listener = Socket.tcp(bed.far).bind(bed.far.address(9000)).listen();
  assertMatch(napiIdOf(listener).why!, /^a listening socket/);
  using client = Socket.tcp(bed.near).connectBlocking(listener.localAddress!);
  assertMatch(napiIdOf(client).why!, /^packets have arrived .* without NAPI/);
  using idle = Socket.tcp(bed.near).bind(bed.near.address(9001));
  assertMatch(napiIdOf(idle).why!, /not connected/);
});

Deno.test("napiIdOf() gives TCP connections an id over a pair with NAPI", async () => {
  await using bed = await Testbed.pair({ napi: true });
  using listener = Socket.tcp(bed.far).bind(bed.far.address(9000)).listen();
  using client = Socket.tcp(bed.near).connectBlocking(listener.localAddress!);
  assert(napiIdOf(client).id > 0);
  await using ring = Ring.open({ entries: 8 });
  using accepted = await ring.accept(listener);
  assert(napiIdOf(accepted).id > 0);
});

Deno.test("napiIdOf() knows that loopback has none", async () => {
  await using bed = await Testbed.loopback();
  for (const host of ["127.0.0.1", "127.1.2.3", "::1"]) {
    const family = host.includes(":") ? 6 : 4;
    using receiver = Socket.udp(bed.far, { family }).bind({ host, port: 0 });
    using sender = Socket.udp(bed.near, { family }).connect(receiver.localAddress!);
    using area = Area.map({ bytes: 128 });
    sender.sendBlocking(area.slice(0, 1));
    assertEquals(receiver.receiveBlocking(area.slice(64, 64), 5000), 1);
    for (const socket of [receiver, sender]) {
      assertEquals(napiIdOf(socket).id, 0);
      assertMatch(napiIdOf(socket).why!, /loopback interface, which has no NAPI/);
    }
  }
  await using pair = await Testbed.pair({ napi: true });
  using own = Socket.udp(pair.near).bind(pair.near.address(9000)).connect(pair.near.address(9000));
  assertMatch(napiIdOf(own).why!, /its own address/);
  using unbound = Socket.udp(pair.near);
  assertMatch(napiIdOf(unbound).why!, /neither bound nor connected/);
});

Deno.test("receiveBlocking() receives, gives up in time, and refuses what cannot be", () => {
  using area = Area.map({ bytes: 4096 });
  using receiver = Socket.udp().bind({ host: "127.0.0.1", port: 0 });
  using sender = Socket.udp().connect(receiver.localAddress!);
  const [outgoing, incoming] = [area.slice(0, 5), area.slice(100, 10)];
  sender.sendBlocking(outgoing.write(new TextEncoder().encode("hello")));
  assertEquals(receiver.receiveBlocking(incoming, 5000), 5);
  assertEquals(new TextDecoder().decode(incoming.bytes.subarray(0, 5)), "hello");
  assertEquals(receiver.receiveBlocking(incoming, 1), undefined);
  assertEquals(receiver.receiveBlocking(incoming, 1.5), undefined);
  for (const milliseconds of [0, -1, NaN, Infinity]) {
    assertThrows(() => receiver.receiveBlocking(incoming, milliseconds), RangeError);
  }
  receiver.close();
  assertThrows(() => receiver.receiveBlocking(incoming, 1), ClosedError, "Socket");
  using nobody = Socket.tcp();
  const error = assertThrows(() => nobody.receiveBlocking(incoming, 1), UringError);
  assertInstanceOf(error, UringError);
  assertEquals(error.code, "ENOTCONN");
});
