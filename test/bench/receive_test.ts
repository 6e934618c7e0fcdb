import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { fileURLToPath } from "node:url";
import { Area, Ring, Socket, Testbed } from "zclab";
import type { Place } from "zclab/types";
import { Program } from "../../bench/program.ts";
import { type CopyOptions, ReceiveReference } from "../../bench/receive.ts";
import { Command } from "../child.ts";
import { testsNeeding } from "../needs.ts";

const SOURCE = new URL("../../bench/receive.c", import.meta.url);
const MULTIPLIER = 2654435769n;

/** The stream as receive.c describes it, in the plainest way. */
function streamBytes(bytes: number): Uint8Array<ArrayBuffer> {
  const words = new DataView(new ArrayBuffer(Math.ceil(bytes / 4) * 4));
  for (let at = 0; at < words.byteLength; at += 4) {
    words.setUint32(at, Number((BigInt(at / 4) + 1n) * MULTIPLIER & 0xffffffffn), true);
  }
  return new Uint8Array(words.buffer, 0, bytes);
}

function namespacePath(place: Place): string {
  return `/proc/${Deno.pid}/fd/${place.namespace!.fd}`;
}

function options(further: Partial<CopyOptions> = {}): CopyOptions {
  return { host: "127.0.0.1", port: 0, bytes: 100_003, cpu: 0, length: 4096, ...further };
}

/** The program enters a network namespace, not the user namespace that one of a user's belongs to. */
const testEntering = testsNeeding("privileges");

Deno.test("receive.c compiles without a warning", async () => {
  const flags = ["-O2", "-Wall", "-Wextra", "-Wshadow", "-Werror"];
  const args = ["-std=gnu11", ...flags, "-o", "/dev/null", fileURLToPath(SOURCE)];
  const { success, stderr } = await new Command("cc", { args }).output();
  assertEquals(new TextDecoder().decode(stderr), "");
  assertEquals(success, true);
});

Deno.test("ReceiveReference refuses bad commands and goes on", async () => {
  await using program = await Program.start(SOURCE);
  const refused: [string, string][] = [
    ["the commands are", "walk 1"],
    ["another number of words", "send 0 127.0.0.1 9000"],
    ["another number of words", "send 0 127.0.0.1 9000 1 1"],
    ["CPU", "send -1 127.0.0.1 9000 1"],
    ["CPU", "send 100000 127.0.0.1 9000 1"],
    ["ADDRESS", "send 0 localhost 9000 1"],
    ["PORT", "send 0 127.0.0.1 65536 1"],
    ["BYTES", "send 0 127.0.0.1 9000 0"],
    ["LENGTH", "recv 0 127.0.0.1 9000 1 0"],
    ["QUEUE", "zcrx 0 127.0.0.1 9000 1 - x 4096 64 64"],
    ["AREA", "zcrx 0 127.0.0.1 9000 1 - 0 4095 64 64"],
    ["REFILL", "zcrx 0 127.0.0.1 9000 1 - 0 4096 0 64"],
    ["COMPLETIONS", "zcrx 0 127.0.0.1 9000 1 - 0 4096 64 4"],
  ];
  for (const [said, command] of refused) {
    await program.command(command);
    await assertRejects(() => program.answer(10_000), Error, said);
  }
  await assertRejects(() => program.command("send\nsend"), TypeError, "one line");
});

Deno.test("Program says why it ended, and that it is closed", async () => {
  await using program = await Program.start(SOURCE, ["/proc/self/no-namespace"]);
  await program.command("send");
  const ended = /exit code 1\) receive: namespace: No such file/;
  const error = await assertRejects(() => program.answer(10_000), Error);
  assert(ended.test(error.message), error.message);
  await assertRejects(() => program.command("send"), Error, "closed");
});

testEntering("the C programs agree on a stream, wherever its pieces end", async () => {
  await using bed = await Testbed.loopback();
  const path = namespacePath(bed.near);
  await using sender = await ReceiveReference.start(path);
  await using receiver = await ReceiveReference.start(path);
  for (const length of [1, 7, 8, 9, 1001, 4096, 65536]) {
    const bytes = length < 10 ? 2003 : 300_001;
    const wanted = options({ bytes, length });
    const received = await receiver.receiveCopying(
      wanted,
      (port) => sender.send({ ...wanted, port }),
    );
    assertEquals(received.bytes, bytes);
    assertGreater(received.pieces, Math.floor(bytes / length) - 1);
    assertGreater(received.cpuSeconds, 0);
    assertEquals((await sender.sent()).bytes, bytes);
  }
});

testEntering(
  "the C sender's stream is the one that matchesStream() knows, byte by byte",
  async () => {
    await using bed = await Testbed.loopback();
    await using sender = await ReceiveReference.start(namespacePath(bed.near));
    await using ring = Ring.open();
    using listener = Socket.tcp(bed.near).bind(bed.near.address(0)).listen();
    using area = Area.map({ bytes: 65536 });
    const bytes = 200_003;
    const { host, port } = listener.localAddress!;
    await sender.send({ host, port, bytes, cpu: 0 });
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

testEntering("the C receiver refuses a stream that is another, or of another length", async () => {
  await using bed = await Testbed.loopback();
  const path = namespacePath(bed.near);
  await using sender = await ReceiveReference.start(path);
  await using receiver = await ReceiveReference.start(path);
  const shorter = (port: number): Promise<void> => sender.send({ ...options(), port });
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
    (port) => sender.send({ ...options({ bytes: 10 }), port }),
  );
  assertEquals(bytes, 10);
  await sender.sent();
});
