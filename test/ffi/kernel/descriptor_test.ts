import { ERRNO } from "../../../ffi/kernel/errno.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  Area,
  BufferRing,
  DiskFile,
  MSG,
  NetworkNamespace,
  OwnershipError,
  POLL,
  type ReceivedPiece,
  Ring,
  Socket,
  Testbed,
  UringError,
} from "zclab";
import { connectTcp, connectUdp, reapAll, sleep, until } from "../connections.ts";

const ECANCELED = -ERRNO.ECANCELED;

/** What became of a promise in five seconds. */
function within<T>(promise: Promise<T>): Promise<T | string> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve("nothing"), 5000);
  });
  const settled = promise.catch((error) => error instanceof UringError ? error.code : error.name);
  return Promise.race([settled, late]).finally(() => clearTimeout(timer));
}

/** A file of somebody else, which gets the lowest number that is free. */
function foreignFile(): { path: string; file: Deno.FsFile; [Symbol.dispose](): void } {
  const path = Deno.makeTempFileSync();
  Deno.writeTextFileSync(path, "foreign");
  const file = Deno.openSync(path, { read: true, write: true });
  return {
    path,
    file,
    [Symbol.dispose](): void {
      file.close();
      Deno.removeSync(path);
    },
  };
}

Deno.test("What an object owns is closed by it alone", async () => {
  await using bed = await Testbed.loopback();
  await using ring = Ring.open();
  await using other = Ring.open();
  await ring.nop(); // has an eventfd from now on
  const path = Deno.makeTempFileSync();
  const disk = DiskFile.open(path, { direct: false });
  const namespace = NetworkNamespace.create();
  const socket = Socket.udp(bed.near);
  const owned = { Socket: socket, DiskFile: disk, NetworkNamespace: namespace };
  for (const [name, object] of Object.entries(owned)) {
    const { fd } = object;
    for (const closing of [ring, other]) {
      await assertRejects(() => closing.closeFile(fd), OwnershipError, `belongs to a ${name}`);
      assertThrows(() => closing.batch.closeFile(fd), OwnershipError, `belongs to a ${name}`);
    }
    object.close();
    using foreign = foreignFile();
    // Who has the number now keeps it, however often the object is closed.
    object.close();
    object[Symbol.dispose]();
    assertEquals(foreign.file.readSync(new Uint8Array(7)), 7);
  }
  assertEquals([ring.inFlight, other.inFlight], [0, 0]);
  Deno.removeSync(path);
});

Deno.test("A ring's own descriptors are refused as well, and stay", async () => {
  await using ring = Ring.open();
  await ring.timeout(1);
  let refused = 0;
  for (const { name } of [...Deno.readDirSync("/proc/self/fd")]) {
    let target = "";
    try {
      target = Deno.readLinkSync(`/proc/self/fd/${name}`);
    } catch {
      continue; // The one by which the folder was read.
    }
    if (target !== "anon_inode:[io_uring]") continue;
    await assertRejects(() => ring.closeFile(Number(name)), OwnershipError, "a Ring");
    refused++;
  }
  assert(refused > 0);
  await ring.timeout(1);
});

Deno.test("What nobody owns is closed by closeFile(), which cancels what is pending on it", async () => {
  await using bed = await Testbed.loopback();
  await using ring = Ring.open();
  using area = Area.map({ bytes: 8192 });
  using listener = Socket.tcp(bed.far).bind(bed.far.address(0)).listen();
  using client = Socket.tcp(bed.near).connectBlocking(listener.localAddress!);
  ring.batch.accept(listener, 1);
  const [[, fd]] = reapAll(ring) as [[number, number, number]];
  const pending = ring.recv(fd, area.slice(0, 100));
  await sleep(10);
  await ring.closeFile(fd);
  assertEquals(await within(pending), "ECANCELED");
  assertEquals(await within(ring.recv(client, area.slice(4096, 10))), 0);
  assertEquals(await within(ring.closeFile(fd)), "EBADF");
});

for (const registered of [false, true]) {
  const how = registered ? "registered" : "not registered";
  Deno.test(`Closing a socket ends what is pending on it (${how})`, async (t) => {
    await using bed = await Testbed.loopback();
    await using ring = Ring.open();
    await using other = Ring.open();
    using area = Area.map({ bytes: 65536 });
    using buffers = BufferRing.open(ring, { count: 4, bytes: 256 });
    const slices = area.chunks(4096);
    const attempts: Record<string, (socket: Socket) => Promise<unknown>> = {
      recv: (socket) => ring.recv(socket, slices[0]!),
      "recv with a timeout": (socket) => ring.recv(socket, slices[1]!, { timeout: 60_000 }),
      "recv of another ring": (socket) => other.recv(socket, slices[2]!),
      "recv by number": (socket) => ring.recv(socket.fd, slices[3]!),
      poll: (socket) => ring.poll(socket, POLL.IN),
      recvMultishot: (socket) => ring.recvMultishot(socket, buffers).next(),
    };
    for (const [name, attempt] of Object.entries(attempts)) {
      await t.step(name, async () => {
        const { near, far } = await connectTcp(ring, bed);
        using _near = near;
        if (registered) ring.register(far);
        const pending = attempt(far);
        await sleep(5);
        far.close();
        assertEquals(await within(pending), "ECANCELED");
        assertEquals(await within(ring.recv(near, slices[9]!)), 0, "the peer sees the end");
        assertEquals([ring.inFlight, other.inFlight, area.inFlight], [0, 0, 0]);
      });
    }
    await t.step("accept and acceptMultishot", async () => {
      for (const multishot of [false, true]) {
        const listener = Socket.tcp(bed.far).bind(bed.far.address(0)).listen();
        const address = listener.localAddress!;
        if (registered) ring.register(listener);
        const pending: Promise<unknown> = multishot
          ? ring.acceptMultishot(listener).next()
          : ring.accept(listener);
        await sleep(5);
        listener.close();
        assertEquals(await within(pending), "ECANCELED");
        using again = Socket.tcp(bed.far).setOption("SO_REUSEADDR", true);
        again.bind(address).listen();
      }
    });
    await t.step("connect", async () => {
      // A full backlog answers nobody.
      using listener = Socket.tcp(bed.far).bind(bed.far.address(0)).listen(0);
      using _first = Socket.tcp(bed.near).connectBlocking(listener.localAddress!);
      const socket = Socket.tcp(bed.near);
      if (registered) ring.register(socket);
      const pending = ring.connect(socket, listener.localAddress!);
      await sleep(20);
      socket.close();
      assertEquals(await within(pending), "ECANCELED");
    });
    await t.step("a loop that has begun, and the batch API", async () => {
      const { near, far } = connectUdp(bed);
      using _near = near;
      if (registered) ring.register(far);
      const pieces: ReceivedPiece[] = [];
      const loop = (async () => {
        for await (const piece of ring.recvMultishot(far, buffers)) pieces.push(piece);
      })();
      ring.batch.poll(far, POLL.PRI, 7).submit();
      near.sendBlocking(slices[0]!.slice(0, 5));
      await until("the first piece", () => pieces.length > 0);
      far.close();
      assertEquals(await within(loop), "ECANCELED");
      const seen: number[] = [];
      ring.batch.reap((userData, result) => seen.push(userData, result));
      assertEquals(seen, [7, -125]);
      for (const piece of pieces) piece.release();
    });
  });
}

Deno.test("Closing a socket ends a chain of requests on it, wherever the chain has got to", async () => {
  await using bed = await Testbed.loopback();
  await using other = Ring.open();
  for (const without of [[], ["DEFER_TASKRUN"], ["SINGLE_ISSUER", "TASKRUN_FLAG"]] as const) {
    using ring = Ring.open({ without });
    using area = Area.map({ bytes: 8 << 20 });
    using listener = Socket.tcp(bed.far).bind(bed.far.address(0));
    listener.setOption("SO_RCVBUF", 16384).listen();
    const near = Socket.tcp(bed.near).setOption("SO_SNDBUF", 8192);
    near.connectBlocking(listener.localAddress!);
    using far = await other.accept(listener);
    // The first is done at once, the second is more than anybody takes, the third never starts.
    ring.batch.send(near, area.slice(0, 100), 1, MSG.WAITALL).link();
    ring.batch.send(near, area.slice(0, 4 << 20), 2, MSG.WAITALL).link();
    ring.batch.send(near, area.slice(5 << 20, 10), 3, MSG.WAITALL).submit();
    near.close();
    const results = new Map<number, number>();
    await until("all three have completed", () => {
      ring.batch.reap((userData, result) => results.set(userData, result));
      return ring.inFlight === 0;
    });
    assertEquals([results.get(1), results.get(3)], [100, ECANCELED]);
    let received = 0;
    const incoming = area.slice(6 << 20, 1 << 20);
    let piece = await within(other.recv(far, incoming));
    for (; Number(piece) > 0; piece = await within(other.recv(far, incoming))) {
      received += Number(piece);
    }
    assertEquals(piece, 0);
    assertEquals(received, 100 + Math.max(0, results.get(2)!), "the peer sees the end");
  }
});

Deno.test("What is prepared on a file goes out before the file is closed, to nobody else", async () => {
  await using bed = await Testbed.loopback();
  await using ring = Ring.open();
  using area = Area.map({ bytes: 8192 });
  const [outgoing, incoming] = area.chunks(4096);
  outgoing!.write(new TextEncoder().encode("mine"));
  for (const way of ["await", "batch"]) {
    const { near, far } = connectUdp(bed);
    using _far = far;
    const sent = way === "await" ? ring.send(near, outgoing!.slice(0, 4)) : undefined;
    if (way === "batch") ring.batch.send(near, outgoing!.slice(0, 4), 3);
    near.close();
    if (sent !== undefined) assertEquals(await sent, 4);
    else assertEquals(reapAll(ring).map(([userData, result]) => [userData, result]), [[3, 4]]);
    assertEquals(await ring.recv(far, incoming!, { timeout: 5000 }), 4);
  }
  const path = Deno.makeTempFileSync();
  const disk = DiskFile.open(path, { direct: false });
  const written = ring.write(disk.fd, outgoing!.slice(0, 4), 0);
  disk.close();
  using foreign = foreignFile();
  assertEquals(await written, 4);
  assertEquals(Deno.readTextFileSync(path), "mine");
  assertEquals(Deno.readTextFileSync(foreign.path), "foreign");
  Deno.removeSync(path);
});

Deno.test("Closing a socket leaves alone what is prepared on others", async () => {
  await using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  using connection = connectUdp(bed);
  const stranger = Socket.udp(bed.near);
  ring.batch.send(connection.near, area.slice(0, 5), 1).link();
  stranger.close();
  assertEquals(ring.batch.prepared, 1);
  ring.batch.recv(connection.far, area.slice(100, 50), 2);
  assertEquals(
    reapAll(ring).map(([userData, result]) => [userData, result]).sort(),
    [[1, 5], [2, 5]],
  );
});

Deno.test("A socket is closed once, while many threads of this process open files", async () => {
  await using bed = await Testbed.loopback();
  await using ring = Ring.open();
  for (let i = 0; i < 200; i++) {
    const socket = Socket.udp(bed.near);
    await ring.closeFile(socket.fd).catch((error) => assert(error instanceof OwnershipError));
    socket.close();
    using foreign = foreignFile();
    socket.close();
    assertEquals(foreign.file.readSync(new Uint8Array(7)), 7);
  }
});
