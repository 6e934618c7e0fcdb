import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { Area, Ring, Socket, Testbed } from "zclab";
import { Program } from "../../bench/program.ts";
import { namespacesOf, Reference } from "../../bench/reference.ts";
import type { CopyOptions } from "../../bench/stream.ts";

const MULTIPLIER = 2654435769n;

/** The stream as reference/pattern.h describes it, in the plainest way. */
function streamBytes(bytes: number): Uint8Array<ArrayBuffer> {
  const words = new DataView(new ArrayBuffer(Math.ceil(bytes / 4) * 4));
  for (let at = 0; at < words.byteLength; at += 4) {
    words.setUint32(at, Number((BigInt(at / 4) + 1n) * MULTIPLIER & 0xffffffffn), true);
  }
  return new Uint8Array(words.buffer, 0, bytes);
}

function options(further: Partial<CopyOptions> = {}): CopyOptions {
  return { host: "127.0.0.1", port: 0, bytes: 100_003, cpu: 0, length: 4096, ...further };
}

Deno.test("Program refuses bad commands and goes on", async () => {
  await using program = await Program.start();
  const refused: [string, string][] = [
    ["the commands are", "walk 1"],
    ["the commands are", "strea 127.0.0.1 9000 1"],
    ["usage: stream ADDRESS PORT BYTES", "stream 127.0.0.1 9000"],
    ["usage: stream ADDRESS PORT BYTES", "stream 127.0.0.1 9000 1 1"],
    ["CPU", "pin -1"],
    ["CPU", "pin 100000"],
    ["ADDRESS", "stream localhost 9000 1"],
    ["PORT", "stream 127.0.0.1 65536 1"],
    ["BYTES", "stream 127.0.0.1 9000 0"],
    ["LENGTH", "recv 127.0.0.1 9000 1 0"],
    ["QUEUE", "zcrx 127.0.0.1 9000 1 - x 4096 64 64"],
    ["AREA", "zcrx 127.0.0.1 9000 1 - 0 4095 64 64"],
    ["REFILL", "zcrx 127.0.0.1 9000 1 - 0 4096 0 64"],
    ["COMPLETIONS", "zcrx 127.0.0.1 9000 1 - 0 4096 64 4"],
  ];
  for (const [said, command] of refused) {
    await program.command(command);
    await assertRejects(() => program.answer(10_000), Error, said);
  }
  await assertRejects(() => program.command("pin\npin"), TypeError, "one line");
});

Deno.test("Program says why it ended, and that it is closed", async () => {
  await using program = await Program.start(["/proc/self/no-namespace"]);
  await program.command("pin");
  const ended = /exit code 1\) reference: namespace: No such file/;
  const error = await assertRejects(() => program.answer(10_000), Error);
  assert(ended.test(error.message), error.message);
  await assertRejects(() => program.command("pin"), Error, "closed");
});

Deno.test("the C programs agree on a stream, wherever its pieces end", async () => {
  await using bed = await Testbed.loopback();
  const where = namespacesOf(bed.near);
  await using sender = await Reference.start(where);
  await using receiver = await Reference.start(where);
  for (const length of [1, 7, 8, 9, 1001, 4096, 65536]) {
    const bytes = length < 10 ? 2003 : 300_001;
    const wanted = options({ bytes, length });
    const received = await receiver.receiveCopying(
      wanted,
      (port) => sender.stream({ ...wanted, port }),
    );
    assertEquals(received.bytes, bytes);
    assertGreater(received.pieces, Math.floor(bytes / length) - 1);
    assertGreater(received.cpuSeconds, 0);
    assertEquals((await sender.sent()).bytes, bytes);
  }
});

Deno.test(
  "the C sender's stream is the one that matchesStream() knows, byte by byte",
  async () => {
    await using bed = await Testbed.loopback();
    await using sender = await Reference.start(namespacesOf(bed.near));
    await using ring = Ring.open();
    using listener = Socket.tcp(bed.near).bind(bed.near.address(0)).listen();
    using area = Area.map({ bytes: 65536 });
    const bytes = 200_003;
    const { host, port } = listener.localAddress!;
    await sender.stream({ host, port, bytes, cpu: 0 });
    using socket = await ring.accept(listener);
    const expected = streamBytes(bytes);
    const slice = area.slice();
    let offset = 0;
    for (let got = await ring.recv(socket, slice); got > 0; got = await ring.recv(socket, slice)) {
      assertEquals(slice.bytes.subarray(0, got), expected.subarray(offset, offset + got));
      offset += got;
    }
    assertEquals(offset, bytes);
    socket.close();
    assertEquals((await sender.sent()).bytes, bytes);
  },
);

Deno.test("the C receiver refuses a stream that is another, or of another length", async () => {
  await using bed = await Testbed.loopback();
  const where = namespacesOf(bed.near);
  await using sender = await Reference.start(where);
  await using receiver = await Reference.start(where);
  const shorter = (port: number): Promise<void> => sender.stream({ ...options(), port });
  await assertRejects(
    () => receiver.receiveCopying(options({ bytes: 100_004 }), shorter),
    Error,
    "ended at another length",
  );
  await sender.sent();
  using socket = Socket.tcp(bed.near);
  using area = Area.map({ bytes: 4096 });
  const wrong = (port: number): void => {
    socket.connectBlocking({ host: "127.0.0.1", port });
    socket.sendBlocking(area.slice(0, 64));
    socket.shutdown("write");
  };
  await assertRejects(
    () => receiver.receiveCopying(options({ bytes: 64 }), wrong),
    Error,
    "not what was sent",
  );
  const { bytes } = await receiver.receiveCopying(
    options({ bytes: 10 }),
    (port) => sender.stream({ ...options({ bytes: 10 }), port }),
  );
  assertEquals(bytes, 10);
  await sender.sent();
});
