import { ERRNO } from "../../../../ffi/kernel/errno.ts";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { ClosedError, UnsupportedError, unwrap } from "../../../../ffi/kernel/errors.ts";
import { native } from "../../../../ffi/kernel/native.ts";
import {
  CommandError,
  requirePrograms,
  runInNamespace,
} from "../../../../labs/kit/testbed/namespace_command.ts";
import { type PairOptions, Testbed } from "../../../../labs/kit/testbed/testbed.ts";
import type { TestbedAddress, TestbedEnd } from "../../../../labs/kit/testbed/testbed_end.ts";
import {
  COUNT_FREE,
  ownInterfaces,
  runWithFewNamespaces,
  untilMarkedProcessesAreGone,
} from "../../../leftovers.ts";
import { Unprivileged } from "../../../unprivileged.ts";
import { test } from "../../../needs.ts";
import { PATIENCE } from "../../../until.ts";

const TESTBED = new URL("../../../../labs/kit/testbed/testbed.ts", import.meta.url).href;

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SO_ERROR = 4;
const SO_RCVTIMEO = 20;
const SO_INCOMING_NAPI_ID = 56;
const SO_ZEROCOPY = 60;
const MSG_DONTWAIT = 0x40;
const MSG_ZEROCOPY = 0x4000000;
const EHOSTUNREACH = 113;

const FAMILIES = [4, 6] as const;

/** Bytes at an address that the kernel may read from while nobody else touches them. */
class Bytes {
  readonly view: Uint8Array<ArrayBuffer>;
  readonly low: number;
  readonly high: number;

  constructor(length: number) {
    this.view = new Uint8Array(new ArrayBuffer(length));
    const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(this.view));
    this.low = Number(address & 0xffff_ffffn);
    this.high = Number(address >> 32n);
  }
}

/** Just enough of a socket: the layer above has one of its own, which these tests do not test. */
class RawSocket implements Disposable {
  readonly fd: number;

  constructor(end: TestbedEnd, family: 4 | 6, type: number) {
    const { fd, userFd } = end.namespace;
    const domain = family === 4 ? AF_INET : AF_INET6;
    this.fd = unwrap("socket", native().zclab_socket(userFd, fd, domain, type, 0));
    const seconds = new BigInt64Array([BigInt(PATIENCE), 0n]);
    unwrap("SO_RCVTIMEO", native().zclab_setsockopt(this.fd, SOL_SOCKET, SO_RCVTIMEO, seconds, 16));
  }

  bind(address: TestbedAddress): this {
    const [bytes, length] = encode(address);
    unwrap("bind", native().zclab_bind(this.fd, bytes, length));
    return this;
  }

  connect(address: TestbedAddress): this {
    const [bytes, length] = encode(address);
    unwrap("connect", native().zclab_connect(this.fd, bytes, length, 5000));
    return this;
  }

  send(bytes: Bytes, flags = 0): number {
    return native().zclab_send(this.fd, bytes.low, bytes.high, bytes.view.length, flags);
  }

  receive(bytes: Bytes, flags = 0): number {
    return native().zclab_recv(this.fd, bytes.low, bytes.high, bytes.view.length, flags);
  }

  option(name: number): number {
    const value = new Int32Array(1);
    unwrap("getsockopt", native().zclab_getsockopt(this.fd, SOL_SOCKET, name, value, 4));
    return value[0]!;
  }

  /** Sends without copying and returns whether the kernel says that it copied after all. */
  async copies(bytes: Bytes): Promise<boolean> {
    const one = new Int32Array([1]);
    unwrap("SO_ZEROCOPY", native().zclab_setsockopt(this.fd, SOL_SOCKET, SO_ZEROCOPY, one, 4));
    assertEquals(this.send(bytes, MSG_ZEROCOPY), bytes.view.length);
    const range = new Uint32Array(4);
    for (let look = 0; look < 1000; look++) {
      const count = unwrap("errqueue", native().zclab_recv_error_queue(this.fd, range, 1));
      if (count === 1) return range[2] === 1;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    throw new Error("The kernel did not release the buffer");
  }

  [Symbol.dispose](): void {
    native().zclab_close(this.fd);
  }
}

function encode({ host, port }: TestbedAddress): [bytes: Uint8Array<ArrayBuffer>, length: number] {
  const bytes = new Uint8Array(128);
  const text = new TextEncoder().encode(`${host}\0`);
  return [bytes, unwrap("address", native().zclab_parse_address(text, port, bytes))];
}

/** Sends a datagram from one end to the other and checks what arrived. */
function exchange(from: TestbedEnd, to: TestbedEnd, family: 4 | 6, length: number): number {
  using receiver = new RawSocket(to, family, SOCK_DGRAM).bind(to.address(9000, family));
  using sender = new RawSocket(from, family, SOCK_DGRAM).connect(to.address(9000, family));
  const sent = new Bytes(length);
  sent.view.forEach((_, index) => sent.view[index] = index * 7);
  assertEquals(sender.send(sent), length);
  const received = new Bytes(length + 1);
  assertEquals(receiver.receive(received), length);
  assertEquals(received.view.subarray(0, length), sent.view);
  return receiver.option(SO_INCOMING_NAPI_ID);
}

function heldNamespaces(): string[] {
  const held: string[] = [];
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      const link = Deno.readLinkSync(`/proc/self/fd/${name}`);
      if (/^(net|user):/.test(link)) held.push(link);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return held.sort();
}

test("Testbed.sink() takes whole datagrams of both families and does not copy them", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink();
  assertEquals(bed.kind, "sink");
  for (const family of FAMILIES) {
    const address = bed.far.address(9000, family);
    for (const length of [1, 8000, 65000]) {
      using socket = new RawSocket(bed.near, family, SOCK_DGRAM).connect(address);
      assertEquals(socket.send(new Bytes(length)), length);
      // A few bytes go into the packet's head, which is copied always and said to be.
      if (length > 1) assertEquals(await socket.copies(new Bytes(length)), false, `${length}`);
    }
  }
});

test("Testbed.sink() has an interface without a queue, and offloads", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink();
  const [settings, ...further] = await bed.interfaceSettings();
  assertEquals(further, []);
  assertEquals(settings!.interface, bed.near.interface);
  assertEquals(settings!.mtu, 65535);
  assertEquals(settings!.qdisc, "noqueue");
});

Deno.test("Testbed.pair() carries datagrams both ways from its first moment on", async () => {
  await using bed = await Testbed.pair();
  assertEquals(bed.kind, "pair");
  for (const family of FAMILIES) {
    exchange(bed.near, bed.far, family, 60000);
    exchange(bed.far, bed.near, family, 60000);
  }
});

Deno.test("Testbed.pair() carries TCP connections", async () => {
  await using bed = await Testbed.pair({ mtu: 1500 });
  for (const family of FAMILIES) {
    const address = bed.far.address(9000, family);
    using listener = new RawSocket(bed.far, family, SOCK_STREAM).bind(address);
    unwrap("listen", native().zclab_listen(listener.fd, 1));
    using client = new RawSocket(bed.near, family, SOCK_STREAM).connect(address);
    assertEquals(client.option(SO_ERROR), 0);
    assertEquals(client.send(new Bytes(100000)), 100000);
  }
});

Deno.test("Testbed.pair() copies what a socket receives, and not what its far end drops", async () => {
  for (const dropAtFar of [false, true]) {
    await using bed = await Testbed.pair({ dropAtFar });
    for (const family of FAMILIES) {
      const address = bed.far.address(9000, family);
      using receiver = new RawSocket(bed.far, family, SOCK_DGRAM).bind(address);
      using sender = new RawSocket(bed.near, family, SOCK_DGRAM).connect(address);
      assertEquals(await sender.copies(new Bytes(8000)), !dropAtFar);
      const received = receiver.receive(new Bytes(8000), dropAtFar ? MSG_DONTWAIT : 0);
      assertEquals(received, dropAtFar ? -ERRNO.EAGAIN : 8000);
    }
  }
});

Deno.test("Testbed.pair() gives sockets a NAPI id if asked to", async () => {
  for (const napi of [false, true]) {
    await using bed = await Testbed.pair({ napi });
    for (const family of FAMILIES) {
      assertEquals(exchange(bed.near, bed.far, family, 100) > 0, napi);
      assertEquals(exchange(bed.far, bed.near, family, 100) > 0, napi);
    }
  }
});

Deno.test("Testbed.pair() sets the MTU of both ends", async () => {
  await using bed = await Testbed.pair({ mtu: 4148, napi: true });
  assertEquals([bed.near.mtu, bed.far.mtu], [4148, 4148]);
  const settings = await bed.interfaceSettings();
  assertEquals(settings.map(({ mtu }) => mtu), [4148, 4148]);
  for (const { offloads } of settings) {
    assertEquals(offloads?.["generic-receive-offload"], true);
    assertEquals(offloads?.["tx-tcp-segmentation"], false);
  }
});

Deno.test("Testbed.loopback() copies everything", async () => {
  await using bed = await Testbed.loopback();
  assertEquals(bed.kind, "loopback");
  for (const family of FAMILIES) {
    exchange(bed.near, bed.far, family, 60000);
    using receiver = new RawSocket(bed.far, family, SOCK_DGRAM).bind(bed.far.address(1, family));
    using sender = new RawSocket(bed.near, family, SOCK_DGRAM).connect(bed.far.address(1, family));
    assertEquals(await sender.copies(new Bytes(8000)), true);
    assertEquals(receiver.receive(new Bytes(8000)), 8000);
  }
  const [settings] = await bed.interfaceSettings();
  assertEquals(settings!.mtu, bed.near.mtu);
});

Deno.test("Testbed has no way out", async () => {
  for (const make of [Testbed.sink, Testbed.pair, Testbed.loopback]) {
    await using bed = await make();
    using socket = new RawSocket(bed.near, 4, SOCK_DGRAM);
    const [bytes, length] = encode({ host: "192.0.2.1", port: 9 });
    // ENETUNREACH: no route leads anywhere else.
    const result = native().zclab_connect(socket.fd, bytes, length, 100);
    assert(result === -101 || result === -EHOSTUNREACH, String(result));
  }
});

test("Testbed shows nothing of itself outside", {
  needs: ["ifb"],
}, async () => {
  const before = ownInterfaces();
  await using _sink = await Testbed.sink();
  await using _pair = await Testbed.pair();
  assertEquals(ownInterfaces(), before);
});

Deno.test("Testbed refuses an MTU and a port that are none, before it makes anything", async () => {
  const before = heldNamespaces();
  for (const mtu of [0, 1279, 65536, 1500.5, NaN]) {
    await assertRejects(() => Testbed.pair({ mtu }), RangeError, String(mtu));
    await assertRejects(() => Testbed.sink({ mtu }), RangeError, String(mtu));
  }
  assertEquals(heldNamespaces(), before);
  await using bed = await Testbed.loopback();
  for (const port of [-1, 65536, 1.5, NaN]) {
    assertThrows(() => bed.far.address(port), RangeError, String(port));
  }
});

test("Testbed throws ClosedError after its end, which may come twice", {
  needs: ["ifb"],
}, async () => {
  const before = heldNamespaces();
  const beds = [await Testbed.sink(), await Testbed.pair(), await Testbed.loopback()];
  for (const bed of beds) {
    assert(!bed.closed);
    bed.close();
    bed[Symbol.dispose]();
    await bed[Symbol.asyncDispose]();
    assert(bed.closed);
    assertThrows(() => bed.near.namespace, ClosedError, "Testbed is closed");
    assertThrows(() => bed.far.address(9000), ClosedError, "Testbed is closed");
    await assertRejects(() => bed.interfaceSettings(), ClosedError, "Testbed is closed");
    assertEquals(Deno.inspect(bed), "Testbed { closed }");
    assertEquals(Deno.inspect(bed.near), "TestbedEnd { closed }");
  }
  assertEquals(heldNamespaces(), before);
});

test("Testbed shows its state on one line", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink();
  assertEquals(Deno.inspect(bed), "Testbed { sink, zclab0, mtu: 65535 }");
  assertMatch(Deno.inspect(bed.near), /^TestbedEnd \{ zclab0, mtu: 65535, 10\.231\.0\.1, fd.* \}$/);
});

Deno.test("runInNamespace() says which command failed and why", async () => {
  await using bed = await Testbed.loopback();
  const error = await assertRejects(
    () =>
      runInNamespace(bed.near.namespace, "ip", ["-batch", "-"], { input: "link show absent\n" }),
    CommandError,
  );
  assertInstanceOf(error, CommandError);
  assertEquals(error.command, "ip -batch -");
  assertMatch(error.message, /ip -batch - failed with exit code 1: .*absent.*What to do/s);
});

Deno.test("requirePrograms() says what to install", () => {
  requirePrograms("ip", "nsenter");
  assertThrows(
    () => requirePrograms("ip", "zclab-absent"),
    UnsupportedError,
    "apt-get install -y zclab-absent",
  );
});

Deno.test("Testbed leaves no namespace when its set-up fails half way", async () => {
  const directory = await Deno.makeTempDir();
  try {
    // The first end is made as usual; at the second command there is no program any more.
    const counter = `${directory}/count`;
    await Deno.writeTextFile(
      `${directory}/ip`,
      `#!/bin/sh\necho x >> ${counter}\n[ $(wc -l < ${counter}) = 1 ] || { echo no >&2; exit 9; }\n` +
        `PATH=\${PATH#*:} exec ip "$@"\n`,
      { mode: 0o755 },
    );
    const source = `${COUNT_FREE}
      const { Testbed } = await import("${TESTBED}");
      const error = await Testbed.pair().catch((error) => error);
      console.log(error.name, error.code, error.stderr, await free(4));
    `;
    const path = `${directory}:${Deno.env.get("PATH")!}:/usr/sbin:/sbin`;
    assertEquals(await runWithFewNamespaces(4, source, path), "CommandError 9 no 4\n");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

test("Testbed leaves nothing when its process is killed at any moment", {
  needs: ["ifb"],
}, async () => {
  const before = ownInterfaces();
  const mark = `ZCLAB_MARK=${crypto.randomUUID()}`;
  const [name, value] = mark.split("=") as [string, string];
  const victim = `
    const { Testbed } = await import("${TESTBED}");
    const { native } = await import("${new URL(
    "../../../../ffi/kernel/native.ts",
    import.meta.url,
  )}");
    native();
    console.log("ready");
    const beds = [await Testbed.sink(), await Testbed.pair({ dropAtFar: true, napi: true })];
    setInterval(() => beds.length, 1000);
  `;
  const source = `${COUNT_FREE}
    for (let kill = 0; kill < 20; kill++) {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["eval", ${JSON.stringify(victim)}],
        env: { ${name}: "${value}" },
        stdout: "piped",
        stderr: "null",
      }).spawn();
      const reader = child.stdout.getReader();
      await reader.read();
      // The set-up of both takes a few dozen milliseconds.
      await new Promise((resolve) => setTimeout(resolve, kill * 3));
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
    }
    console.log(await free(12));
  `;
  assertEquals(await runWithFewNamespaces(12, source), "12\n");
  await untilMarkedProcessesAreGone(mark);
  assertEquals(ownInterfaces(), before);
});

test("Testbed needs no privileges", { needs: ["root", "ifb"] }, () => {
  using nobody = new Unprivileged();
  const options: PairOptions = { dropAtFar: true, napi: true };
  const { code, stdout, stderr } = nobody.evaluate(`
      import { Testbed } from "{kit}/testbed/testbed.ts";
      for (const bed of [await Testbed.sink(), await Testbed.pair(${JSON.stringify(options)})]) {
        for (const { mtu, qdisc } of await bed.interfaceSettings()) {
          console.log(bed.kind, mtu, qdisc, bed.near.namespace.userFd >= 0);
        }
        bed.close();
      }
    `);
  assertEquals(stderr, "");
  assertEquals(
    stdout,
    "sink 65535 noqueue true\npair 65535 noqueue true\npair 65535 noqueue true\n",
  );
  assertEquals(code, 0);
});
