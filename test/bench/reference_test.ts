import {
  assertEquals,
  assertGreater,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { Testbed } from "zclab";
import { TRANSMIT_MODES, type TransmitMode } from "zclab/lab";
import { sources } from "../../bench/compile.ts";
import { namespacesOf, Reference } from "../../bench/reference.ts";
import type { SendMeasurement, SendOptions } from "../../bench/reference.ts";
import { Command } from "../child.ts";
import { type Need, test, testsNeeding, USUAL_MEMLOCK } from "../needs.ts";

/** An ifb device drops what it is sent without copying; what lo is sent is always copied. */
const SINK = `
  ip link add sink type ifb &&
  ip link set sink mtu 65535 up &&
  ip addr add 10.231.1.1/24 dev sink &&
  ip neigh add 10.231.1.2 lladdr 02:00:00:00:00:02 dev sink nud permanent &&
  ip addr add fd5a:c1ab::1/64 dev sink nodad &&
  ip neigh add fd5a:c1ab::2 lladdr 02:00:00:00:00:02 dev sink nud permanent &&
  ip link set lo up &&
  ip route add 10.231.2.0/24 dev lo &&
  echo ready && exec cat
`;

const DROPPED = "10.231.1.2";
const LOOPED = "10.231.2.2";

/** A process in namespaces of its own, which are gone with it. */
class Sink implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly networkNamespace: string;
  readonly userNamespace?: string;

  private constructor(child: Deno.ChildProcess, hasUserNamespace: boolean) {
    this.#child = child;
    this.networkNamespace = `/proc/${child.pid}/ns/net`;
    if (hasUserNamespace) this.userNamespace = `/proc/${child.pid}/ns/user`;
  }

  static async open(...flags: string[]): Promise<Sink> {
    const child = new Command("unshare", {
      args: [...flags, "--net", "sh", "-c", SINK],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    reader.releaseLock();
    const sink = new Sink(child, flags.includes("--user"));
    if (value !== undefined) return sink;
    await sink[Symbol.asyncDispose]();
    throw new Error("The sink could not be made: see above");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close();
    await this.#child.stdout.cancel();
    await this.#child.status;
  }
}

async function canUnshare(...flags: string[]): Promise<boolean> {
  // Types of devices differ in whether a user namespace may make them, so an ifb is tried.
  const args = [...flags, "--net", "ip", "link", "add", "type", "ifb"];
  return (await new Command("unshare", { args }).output()).success;
}

function options(further: Partial<SendOptions> = {}): SendOptions {
  return { payload: 1200, batch: 8, seconds: 0.01, address: DROPPED, port: 9000, ...further };
}

function assertCounts(mode: TransmitMode, result: SendMeasurement, copies: boolean): void {
  const notified = mode === "non-zc" || mode === "gso" ? 0 : result.sent;
  assertGreater(result.sent, 0);
  assertEquals(result.notified, notified, `${mode}: notified`);
  assertEquals(result.copied, copies ? notified : 0, `${mode}: copied`);
  assertGreater(result.cpuSecondsPerRequest, 0);
}

async function openFiles(pid: number): Promise<number> {
  return (await Array.fromAsync(Deno.readDir(`/proc/${pid}/fd`))).length;
}

const testSending = testsNeeding("privileges", "ifb");
const USER_FLAGS = ["--user", "--map-root-user"];
const USER_IFB: Need = {
  name: "user namespaces in which an ifb can be made",
  here: await canUnshare(...USER_FLAGS),
};

Deno.test("The C program compiles without a warning", async () => {
  const flags = ["-O2", "-Wall", "-Wextra", "-Wshadow", "-Werror"];
  const args = ["-std=gnu11", ...flags, "-o", "/dev/null", ...sources()];
  const { success, stderr } = await new Command("cc", { args }).output();
  assertEquals(new TextDecoder().decode(stderr), "");
  assertEquals(success, true);
});

Deno.test("Reference.nop() runs whole batches, one system call for each", async () => {
  await using reference = await Reference.start();
  for (const batch of [1, 8, 32, 128, 256]) {
    const result = await reference.nop(batch, 1000);
    assertEquals(result.operations, Math.ceil(1000 / batch) * batch);
    assertEquals(result.systemCalls, Math.ceil(1000 / batch));
    assertGreater(result.nanoseconds, 0);
    // SINGLE_ISSUER, DEFER_TASKRUN, TASKRUN_FLAG, SUBMIT_ALL.
    assertEquals(result.flags & 0x3280, 0x3280);
  }
});

test("Reference keeps no ring of a finished command", { needs: [USUAL_MEMLOCK] }, async () => {
  await using reference = await Reference.start();
  await reference.nop(1, 1);
  const before = await openFiles(reference.pid);
  // A thread can register 16 rings: a leak would make the 17th fail.
  for (let i = 0; i < 40; i++) await reference.nop(32, 32);
  assertEquals(await openFiles(reference.pid), before);
});

Deno.test("Reference refuses bad commands and goes on", async () => {
  await using reference = await Reference.start();
  const refused: [string, () => Promise<unknown>][] = [
    ["BATCH", () => reference.nop(0, 1)],
    ["BATCH", () => reference.nop(257, 1)],
    ["BATCH", () => reference.nop(1.5, 1)],
    ["OPERATIONS", () => reference.nop(1, -1)],
    ["MODE", () => reference.send("zerocopy" as TransmitMode, options())],
    ["PAYLOAD", () => reference.send("zc", options({ payload: 0 }))],
    ["PAYLOAD", () => reference.send("zc", options({ payload: 65508 }))],
    ["BATCH", () => reference.send("zc", options({ batch: 257 }))],
    ["SECONDS", () => reference.send("zc", options({ seconds: 0 }))],
    ["SECONDS", () => reference.send("zc", options({ seconds: NaN }))],
    ["ADDRESS", () => reference.send("zc", options({ address: "localhost" }))],
    ["PORT", () => reference.send("zc", options({ port: 65536 }))],
    ["BUFFERS", () => reference.send("zc", options({ buffers: "two" as "one" }))],
    ["CPU", () => reference.pin(-1)],
    ["CPU", () => reference.pin(1024)],
    ["sched_setaffinity", () => reference.pin(1023)],
    ["usage", () => reference.send("zc", options({ address: "10.0.0.1 10" }))],
    ["one line", () => reference.send("zc", options({ address: "10.0.0.1\nnop 1 1" }))],
  ];
  for (const [reason, run] of refused) await assertRejects(run, Error, reason);
  assertEquals((await reference.nop(8, 8)).operations, 8);
});

Deno.test("Reference.pin() keeps the program on one processor", async () => {
  await using reference = await Reference.start();
  const allowed = async (): Promise<string> => {
    const status = await Deno.readTextFile(`/proc/${reference.pid}/status`);
    return /^Cpus_allowed_list:\s*(.*)$/m.exec(status)![1]!;
  };
  const [first] = (await allowed()).split(/[-,]/);
  await reference.pin(Number(first));
  assertEquals(await allowed(), first);
});

Deno.test("Reference runs one command at a time", async () => {
  await using reference = await Reference.start();
  const first = reference.nop(8, 1000);
  await assertRejects(() => reference.nop(8, 8), Error, "one command at a time");
  assertEquals((await first).operations, 1000);
});

Deno.test("Reference leaves nothing behind, and is closed after that", async () => {
  const reference = await Reference.start();
  await reference.nop(1, 1);
  assertStringIncludes(await Deno.readLink(`/proc/${reference.pid}/exe`), " (deleted)");
  await reference[Symbol.asyncDispose]();
  await reference[Symbol.asyncDispose]();
  await assertRejects(() => Deno.stat(`/proc/${reference.pid}`), Deno.errors.NotFound);
  await assertRejects(() => reference.nop(1, 1), Error, "closed");
});

Deno.test("Reference says why it ended", async () => {
  await using reference = await Reference.start({ networkNamespace: "/proc/self/no-namespace" });
  const error = await assertRejects(() => reference.nop(1, 1), Error);
  assertMatch(error.message, /exit code 1\) reference: namespace: No such file/);
});

testSending("Reference.send() copies nothing into an ifb, in every mode", async () => {
  await using sink = await Sink.open();
  await using reference = await Reference.start(sink);
  for (const mode of TRANSMIT_MODES) {
    for (const payload of [600, 8000]) {
      assertCounts(mode, await reference.send(mode, options({ payload })), false);
    }
    const address = "fd5a:c1ab::2";
    assertCounts(mode, await reference.send(mode, options({ address })), false);
    assertCounts(mode, await reference.send(mode, options({ buffers: "one" })), false);
  }
});

testSending("Reference.send() copies everything over loopback, in every mode", async () => {
  await using sink = await Sink.open();
  await using reference = await Reference.start(sink);
  for (const mode of TRANSMIT_MODES) {
    assertCounts(mode, await reference.send(mode, options({ address: LOOPED })), true);
  }
});

testSending("Reference.send() puts at most 64 datagrams into a GSO packet", async () => {
  await using sink = await Sink.open();
  await using reference = await Reference.start(sink);
  for (const [payload, packet] of [[100, 64], [1500, 43], [8000, 8]] as const) {
    const result = await reference.send("gso", options({ payload }));
    const datagrams = result.datagramsPerSecond / result.requestsPerSecond;
    assertEquals(Math.round(datagrams * 100) / 100, packet);
  }
});

testSending("Reference.send() reports a failed request and goes on", async () => {
  await using sink = await Sink.open();
  await using reference = await Reference.start(sink);
  const nobody = options({ address: "127.0.0.1" });
  for (const mode of ["non-zc", "zc", "zc-fixed+flush", "msg-zerocopy"] as const) {
    await assertRejects(() => reference.send(mode, nobody), Error, "Connection refused");
  }
  const unreachable = options({ address: "10.99.99.99" });
  await assertRejects(() => reference.send("zc", unreachable), Error, "connect: Network");
  assertCounts("zc", await reference.send("zc", options()), false);
});

test(
  "Reference enters a network namespace through its user namespace",
  { needs: [USER_IFB] },
  async () => {
    await using sink = await Sink.open(...USER_FLAGS);
    await using reference = await Reference.start(sink);
    assertCounts("zc-fixed", await reference.send("zc-fixed", options()), false);
  },
);

Deno.test("Reference enters the namespaces of a testbed, which only this process has open", async () => {
  await using bed = await Testbed.sink();
  await using reference = await Reference.start(namespacesOf(bed.near));
  const { host: address, port } = bed.far.address(9000);
  assertCounts("zc", await reference.send("zc", options({ address, port })), false);
});
