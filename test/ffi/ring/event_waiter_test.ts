import { assert, assertEquals } from "@std/assert";
import { Area, Ring, Socket, Testbed } from "zclab";
import { assertModule, sleep, until } from "../connections.ts";

/** Threads of this process that wait for something of a ring. */
function waitingThreads(): number {
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc/self/task")) {
    try {
      const call = Deno.readTextFileSync(`/proc/self/task/${name}/syscall`);
      if (/^(0|232|281) /.test(call)) count++; // read, epoll_wait, epoll_pwait
    } catch {
      // The thread has ended.
    }
  }
  return count;
}

Deno.test("Many rings that wait leave the runtime's threads to others", async () => {
  await using bed = await Testbed.loopback();
  using area = Area.map({ bytes: 4096 * 101 });
  const before = waitingThreads();
  const all = Array.from({ length: 100 }, (_, i) => {
    const ring = Ring.open({ entries: 8 });
    const receiver = Socket.udp(bed.far).bind(bed.far.address(0));
    return { ring, receiver, received: ring.recv(receiver, area.slice(4096 * i, 100)) };
  });
  await sleep(50);
  assert(waitingThreads() <= before + 1, `${waitingThreads()} threads wait, ${before} before`);
  assertEquals(await Deno.readTextFile(new URL(import.meta.url)), text());
  const slice = area.slice(4096 * 100, 10);
  // The last first: nobody waits for anybody else.
  for (const { receiver, received } of all.reverse()) {
    using sender = Socket.udp(bed.near).connect(receiver.localAddress!);
    sender.sendBlocking(slice);
    assertEquals(await received, 10);
  }
  for (const { ring, receiver } of all) {
    receiver.close();
    ring.close();
  }
});

function text(): string {
  return Deno.readTextFileSync(new URL(import.meta.url));
}

Deno.test("A ring can be closed while others wait, and while it waits itself", async () => {
  const [first, second, third] = [Ring.open(), Ring.open(), Ring.open()];
  const outcomes: string[] = [];
  for (const [name, ring, time] of [["a", first, 60_000], ["b", second, 30]] as const) {
    ring.timeout(time).then(() => outcomes.push(name), (error) => outcomes.push(error.name));
  }
  await sleep(5);
  first.close();
  third.close();
  await until("both have an outcome", () => outcomes.length === 2);
  assertEquals(outcomes, ["UringError", "b"]);
  second.close();
});

Deno.test("A process ends when nothing is awaited, and in a Worker as well", () => {
  assertModule(
    `
    import { Ring } from "zclab";
    const ring = Ring.open();
    await ring.timeout(5);
    await ring.timeout(5);
    const worker = new Worker("data:application/typescript," + encodeURIComponent(\`
      import { Ring } from "${new URL("../../../mod.ts", import.meta.url)}";
      const ring = Ring.open();
      ring.timeout(60_000).catch(() => {});
      ring.timeout(20).then(() => self.postMessage("waited"));
    \`), { type: "module" });
    console.log(await new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data)));
    worker.terminate();
    `,
    "waited\n",
  );
});

Deno.test("Workers that are terminated while their rings wait do not take the process with them", () => {
  // Nobody but the Workers has loaded the library, which must stay all the same: see compile.ts.
  assertModule(
    `
    for (let i = 0; i < 10; i++) {
      const worker = new Worker("data:application/typescript," + encodeURIComponent(\`
        import { Ring } from "${new URL("../../../ffi/ring/ring.ts", import.meta.url)}";
        const ring = Ring.open();
        ring.timeout(60_000).catch(() => {});
        ring.timeout(1).then(() => self.postMessage("waited"));
      \`), { type: "module" });
      await new Promise((resolve) => worker.onmessage = resolve);
      worker.terminate();
    }
    console.log("alive");
    `,
    "alive\n",
  );
});
