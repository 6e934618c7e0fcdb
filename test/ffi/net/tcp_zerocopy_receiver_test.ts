import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  Area,
  ClosedError,
  OwnershipError,
  Ring,
  sendFileBlocking,
  type Slice,
  Socket,
  TcpZeroCopyPiece,
  TcpZeroCopyReceiver,
  Testbed,
  UringError,
} from "zclab";
import { StreamLink } from "zclab/lab";
import { connectTcp, pattern } from "../connections.ts";
import { testsNeeding } from "../../needs.ts";
import { eventually } from "../../until.ts";

const onSoftnic = testsNeeding("softnic");

/** A way of sending all of a slice. */
type Send = (ring: Ring, socket: Socket, slice: Slice) => Promise<void>;

/** Sends what the call leaves over, too. */
async function whole(slice: Slice, send: (rest: Slice) => number | Promise<number>): Promise<void> {
  for (let sent = 0; sent < slice.length;) sent += await send(slice.slice(sent));
}

/** Ways of sending: whose pages the receiver gets differs. */
const SENDERS = {
  send: (ring, socket, slice) => whole(slice, (rest) => ring.send(socket, rest)),
  sendZc: (ring, socket, slice) =>
    whole(slice, async (rest) => {
      const { bytes, released } = await ring.sendZc(socket, rest);
      await released;
      return bytes;
    }),
  sendfile: (_ring, socket, slice) => whole(slice, (rest) => sendFileBlocking(socket, rest)),
} as const satisfies Record<string, Send>;

/** What a receiver found, and how it came. */
interface Found {
  readonly bytes: Uint8Array;
  readonly counts: TcpZeroCopyReceiver["counts"];
}

/** Receives so many bytes, giving back each piece. */
async function take(
  receiver: TcpZeroCopyReceiver,
  socket: Socket,
  ring: Ring,
  length: number,
): Promise<Found> {
  const before = receiver.counts;
  const bytes = new Uint8Array(length);
  let at = 0;
  for await (using piece of receiver.receive(socket, ring)) {
    bytes.set(piece.bytes, at);
    at += piece.length;
    if (at >= length) break;
  }
  assertEquals(at, length);
  const { mappedBytes, copiedBytes, skippedBytes } = receiver.counts;
  return {
    bytes,
    counts: {
      mappedBytes: mappedBytes - before.mappedBytes,
      copiedBytes: copiedBytes - before.copiedBytes,
      skippedBytes: skippedBytes - before.skippedBytes,
    },
  };
}

/** Sends bytes from where no page begins, and receives them. */
async function move(
  send: keyof typeof SENDERS,
  wire: { readonly near: Socket; readonly far: Socket },
  ring: Ring,
  receiver: TcpZeroCopyReceiver,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Found["counts"]> {
  using area = Area[send === "sendfile" ? "file" : "map"]({ bytes: bytes.length + 13 });
  const slice = area.slice(13, bytes.length).write(bytes);
  const [found] = await Promise.all([
    take(receiver, wire.far, ring, bytes.length),
    SENDERS[send](ring, wire.near, slice),
  ]);
  assertEquals(found.bytes, bytes, send);
  const { mappedBytes, copiedBytes, skippedBytes } = found.counts;
  assertEquals(mappedBytes + copiedBytes + skippedBytes, bytes.length, send);
  assertEquals(mappedBytes % 4096, 0, send);
  return found.counts;
}

const BUFFERS = { sendBuffer: 1 << 20, receiveBuffer: 1 << 20 } as const;

for (const options of [{ kind: "loopback" }, { kind: "veth", mtu: 4148 }] as const) {
  Deno.test(`over ${options.kind} the pages of what was lent are mapped, and others are copied`, async () => {
    await using link = await StreamLink.open(options);
    await using ring = Ring.open({ entries: 16 });
    using receiver = TcpZeroCopyReceiver.open();
    for (const send of ["send", "sendZc", "sendfile"] as const) {
      using wire = await link.connect(BUFFERS);
      wire.near.setOption("TCP_NODELAY", true);
      for (const length of [8192, 4096, 1, 4093, 8192]) {
        const counts = await move(send, wire, ring, receiver, pattern(length, length));
        const mappable = send === "sendZc" ? length - length % 4096 : 0;
        assertEquals(counts.mappedBytes, mappable, `${length} bytes by ${send}`);
        assertEquals(counts.copiedBytes, 0);
      }
      const counts = await move(send, wire, ring, receiver, pattern(300_000));
      assertEquals(counts.mappedBytes > 200_000, send === "sendZc", send);
    }
    assertEquals(receiver.held, 0);
  });
}

onSoftnic(
  "over softnic pages are mapped whatever the sender does, where segments fill them",
  async () => {
    for (const mtu of [4148, 1500] as const) {
      await using link = await StreamLink.open({ kind: "softnic", mtu });
      await using ring = Ring.open({ entries: 16 });
      using receiver = TcpZeroCopyReceiver.open();
      for (const send of ["send", "sendZc", "sendfile"] as const) {
        using wire = await link.connect(BUFFERS);
        wire.near.setOption("TCP_NODELAY", true);
        const mapped = async (length: number): Promise<number> =>
          (await move(send, wire, ring, receiver, pattern(length, length))).mappedBytes;
        assertEquals(await mapped(4093), 0, send);
        const [few, many] = [await mapped(8192), await mapped(65_536)];
        const text = `${few} of 8192 and ${many} of 65536 bytes were mapped by ${send}, MTU ${mtu}`;
        if (mtu === 4148) assertEquals(few, 8192, text);
        else assert(few < 8192, text);
        // sendfile cuts segments where the file's pages end.
        assert(many >= 32_768 && (mtu === 4148 || many < 65_536), text);
      }
    }
  },
);

Deno.test("a long stream passes a short window, byte by byte", async () => {
  await using link = await StreamLink.open({ kind: "veth", mtu: 4148 });
  await using ring = Ring.open({ entries: 16 });
  using receiver = TcpZeroCopyReceiver.open({ bytes: 65_536 });
  assertEquals(receiver.bytes, 65_536);
  using wire = await link.connect(BUFFERS);
  const { mappedBytes } = await move("sendZc", wire, ring, receiver, pattern(3_000_000));
  assert(mappedBytes > 2_000_000, `${mappedBytes} bytes were mapped`);
});

/** What the mappings of sockets in this process have in memory, in bytes; undefined if there is none. */
function mappedOfSockets(): number | undefined {
  const entries = Deno.readTextFileSync("/proc/self/smaps").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
    .filter((entry) => /^.*socket:\[/.test(entry));
  if (entries.length === 0) return undefined;
  return entries.reduce((sum, entry) => sum + 1024 * Number(/^Rss: +(\d+) kB/m.exec(entry)![1]), 0);
}

/** Has two pages arrive, and takes them. */
async function twoPages(
  ring: Ring,
  { near, far }: { readonly near: Socket; readonly far: Socket },
  receiver: TcpZeroCopyReceiver,
  bytes = pattern(8192),
): Promise<TcpZeroCopyPiece> {
  using area = Area.map({ bytes: 8192 });
  await SENDERS.sendZc(ring, near, area.slice().write(bytes));
  const pieces = await eventually("two pages are there", () => receiver.tryReceive(far));
  assertEquals(pieces.map(({ kind, length }) => [kind, length]), [["mapped", 8192]]);
  return pieces[0]!;
}

Deno.test("a piece is memory of the socket until it is released, and its views are empty then", async () => {
  await using bed = await Testbed.loopback();
  await using ring = Ring.open({ entries: 8 });
  using wire = await connectTcp(ring, bed);
  assertEquals(mappedOfSockets(), undefined);
  const receiver = TcpZeroCopyReceiver.open({ bytes: 1 << 20 });
  assertEquals(mappedOfSockets(), 0);
  const piece = await twoPages(ring, wire, receiver);
  const { bytes } = piece;
  assertEquals(bytes, pattern(8192));
  assertEquals([piece.state, receiver.held, mappedOfSockets()], ["held", 1, 8192]);
  assertEquals(Deno.inspect(piece), "TcpZeroCopyPiece { mapped, length: 8192, held }");
  piece.release();
  assertEquals([piece.state, receiver.held, mappedOfSockets()], ["released", 0, 0]);
  assertEquals([bytes.length, bytes.buffer.detached], [0, true]);
  assertThrows(() => piece.bytes, OwnershipError, "Release a piece once");
  assertThrows(() => piece.release(), OwnershipError, "Release a piece once");
  piece[Symbol.dispose]();

  const first = await twoPages(ring, wire, receiver, pattern(8192, 1));
  const second = await twoPages(ring, wire, receiver, pattern(8192, 2));
  assertEquals([first.bytes, second.bytes], [pattern(8192, 1), pattern(8192, 2)]);
  assertThrows(() => receiver.release([first, first]), OwnershipError, "twice");
  receiver.release([second, first]);
  assertEquals(mappedOfSockets(), 0);

  const kept = await twoPages(ring, wire, receiver);
  const view = kept.bytes;
  receiver.close();
  receiver.close();
  assertEquals([view.length, kept.state, mappedOfSockets()], [0, "released", undefined]);
  assertThrows(() => kept.bytes, ClosedError);
  assertThrows(() => kept.release(), ClosedError);
  assertThrows(() => receiver.tryReceive(wire.far), ClosedError);
  assertEquals(Deno.inspect(receiver), "TcpZeroCopyReceiver { closed }");
});

Deno.test("a window that is held takes no more, and what waits is not lost", async () => {
  await using bed = await Testbed.loopback();
  await using ring = Ring.open({ entries: 8 });
  using wire = await connectTcp(ring, bed);
  using receiver = TcpZeroCopyReceiver.open({ bytes: 8192 });
  const piece = await twoPages(ring, wire, receiver);
  assertThrows(() => receiver.tryReceive(wire.far), OwnershipError, "8192 bytes of the window");
  using area = Area.map({ bytes: 8192 });
  await SENDERS.sendZc(ring, wire.near, area.slice().write(pattern(8192, 3)));
  await assertRejects(
    () => receiver.receive(wire.far, ring).next(),
    OwnershipError,
    "Release pieces",
  );
  piece.release();
  assertEquals((await take(receiver, wire.far, ring, 8192)).bytes, pattern(8192, 3));
  assertEquals(
    Deno.inspect(receiver),
    "TcpZeroCopyReceiver { bytes: 8192, mapped: 16384, copied: 0, skipped: 0, held: 0 }",
  );
});

Deno.test("pieces that are kept, in a window with holes, keep their bytes", async () => {
  await using bed = await Testbed.loopback();
  await using ring = Ring.open({ entries: 8 });
  using wire = await connectTcp(ring, bed);
  using receiver = TcpZeroCopyReceiver.open({ bytes: 5 * 8192 });
  const pieces: TcpZeroCopyPiece[] = [];
  for (let seed = 0; seed < 5; seed++) {
    pieces.push(await twoPages(ring, wire, receiver, pattern(8192, seed)));
  }
  pieces[1]!.release();
  pieces[3]!.release();
  pieces[1] = await twoPages(ring, wire, receiver, pattern(8192, 11));
  pieces[3] = await twoPages(ring, wire, receiver, pattern(8192, 13));
  const seeds = [0, 11, 2, 13, 4];
  for (const [index, piece] of pieces.entries()) {
    assertEquals(piece.bytes, pattern(8192, seeds[index]), `piece ${index}`);
  }
  receiver.release(pieces);
});

Deno.test("copybuf takes what is too little to be mapped, and without it recv does", async () => {
  await using bed = await Testbed.loopback();
  await using ring = Ring.open({ entries: 8 });
  using wire = await connectTcp(ring, bed);
  const countsOf = async (copyBytes: number, length: number): Promise<number[]> => {
    using receiver = TcpZeroCopyReceiver.open({ copyBytes });
    const counts = await move("sendZc", wire, ring, receiver, pattern(length));
    return [counts.mappedBytes, counts.copiedBytes, counts.skippedBytes];
  };
  assertEquals(await countsOf(4095, 5000), [4096, 904, 0]);
  assertEquals(await countsOf(0, 5000), [4096, 0, 904]);
  assertEquals(await countsOf(300, 5000), [4096, 300, 604]);
  assertEquals(await countsOf(8192, 5000), [0, 5000, 0]);
  assertEquals(await countsOf(0, 1), [0, 0, 1]);
});

Deno.test("the end of a stream is no piece, and a reset is an error after the last bytes", async () => {
  await using bed = await Testbed.loopback();
  await using ring = Ring.open({ entries: 8 });
  using receiver = TcpZeroCopyReceiver.open();
  using ended = await connectTcp(ring, bed, { family: 6 });
  assertEquals(receiver.tryReceive(ended.far), undefined);
  using page = await twoPages(ring, ended, receiver);
  ended.near.close();
  assertEquals(await Array.fromAsync(receiver.receive(ended.far, ring)), []);
  assertEquals(receiver.tryReceive(ended.far), []);
  assertEquals(page.bytes, pattern(8192));
  ended.far.close();
  // The page is this process's, whatever becomes of the socket.
  assertEquals(page.bytes, pattern(8192));
  assertThrows(() => receiver.tryReceive(ended.far), ClosedError);

  using reset = await connectTcp(ring, bed);
  using area = Area.map({ bytes: 4096 });
  await ring.send(reset.far, area.slice());
  // Bytes that nobody has read make it a reset.
  reset.near.close();
  const error = await assertRejects(
    () => Array.fromAsync(receiver.receive(reset.far, ring)),
    UringError,
  );
  assertEquals(error.code, "ECONNRESET");
  assertEquals(await Array.fromAsync(receiver.receive(reset.far, ring)), []);
});

Deno.test("misuse of a receiver of pages is a clear error", async () => {
  await using bed = await Testbed.loopback();
  await using ring = Ring.open({ entries: 8 });
  using wire = await connectTcp(ring, bed);
  assertThrows(() => TcpZeroCopyReceiver.open({ bytes: 0 }), RangeError, "bytes must be");
  assertThrows(() => TcpZeroCopyReceiver.open({ bytes: 2 ** 31 }), RangeError, "bytes must be");
  assertThrows(() => TcpZeroCopyReceiver.open({ copyBytes: -1 }), RangeError, "copyBytes must be");
  using receiver = TcpZeroCopyReceiver.open({ bytes: 8000 });
  assertEquals(receiver.bytes, 8192);
  using other = TcpZeroCopyReceiver.open();
  using udp = Socket.udp();
  assertThrows(() => receiver.tryReceive(udp), TypeError, "TCP");
  assertThrows(() => receiver.tryReceive("socket" as unknown as Socket), TypeError, "a Socket");
  using listening = Socket.tcp(bed.far).bind(bed.far.address(0)).listen();
  const error = assertThrows(() => receiver.tryReceive(listening), UringError, "accepted");
  assertEquals(error.code, "ENOTCONN");
  using piece = await twoPages(ring, wire, receiver);
  assertThrows(() => other.release([piece]), OwnershipError, "another receiver");
  assertThrows(() => receiver.release([1 as never]), TypeError, "a TcpZeroCopyPiece");
  assert(piece instanceof TcpZeroCopyPiece);
});
