import { assertEquals, assertRejects } from "@std/assert";
import { type Connection, type Frame, listen, say } from "../../../vm/standing/messages.ts";

/** What was said, cut into pieces of so many bytes. */
function connectionOf(pieceBytes: number): Connection & { bytes: number[] } {
  const bytes: number[] = [];
  return {
    bytes,
    read(into): Promise<number | null> {
      const piece = bytes.splice(0, Math.min(pieceBytes, into.length));
      into.set(piece);
      return Promise.resolve(piece.length === 0 ? null : piece.length);
    },
    write(from): Promise<number> {
      const piece = from.subarray(0, pieceBytes);
      bytes.push(...piece);
      return Promise.resolve(piece.length);
    },
  };
}

const SAID: readonly Frame[] = [
  { kind: "message", value: { order: "describe" } },
  { kind: "out", bytes: new Uint8Array([1, 2, 3]) },
  { kind: "err", bytes: new Uint8Array(300).fill(7) },
  { kind: "out", bytes: new Uint8Array() },
];

for (const pieceBytes of [1, 7, 4096]) {
  Deno.test(`frames come as they were said, in pieces of ${pieceBytes} bytes`, async () => {
    const connection = connectionOf(pieceBytes);
    for (const frame of SAID) await say(connection, frame);
    assertEquals(await Array.fromAsync(listen(connection)), [...SAID]);
  });
}

Deno.test("a frame that breaks off is none, because who said it was killed", async () => {
  const connection = connectionOf(100);
  for (const frame of SAID.slice(0, 2)) await say(connection, frame);
  connection.bytes.pop();
  assertEquals(await Array.fromAsync(listen(connection)), SAID.slice(0, 1));
});

Deno.test("what is no frame is an error", async () => {
  const connection = connectionOf(100);
  connection.bytes.push(...new TextEncoder().encode("GET / HTTP/1.1\r\n"));
  await assertRejects(() => Array.fromAsync(listen(connection)), TypeError, "kind 71");
});
