import { assertEquals, assertThrows } from "@std/assert";
import {
  Area,
  ClosedError,
  ExplainedError,
  Pipe,
  Ring,
  sendFileBlocking,
  type Slice,
  type Socket,
  Testbed,
  UringError,
} from "zclab";
import { connectTcp, pattern } from "../connections.ts";

/** Each way of sending pages: a slice of a file, or of memory. */
const WAYS: Readonly<Record<string, (socket: Socket, slice: Slice) => number>> = {
  sendfile: sendFileBlocking,
  splice(socket, slice): number {
    using pipe = Pipe.open();
    return pipe.send(socket, pipe.splice(slice));
  },
  vmsplice(socket, slice): number {
    using pipe = Pipe.open();
    return pipe.send(socket, pipe.lend(slice));
  },
};

Deno.test("sendfile, splice and vmsplice send the bytes of a file that is an area", async () => {
  await using bed = await Testbed.loopback();
  await using ring = Ring.open({ entries: 4 });
  using connection = await connectTcp(ring, bed);
  using file = Area.file({ bytes: 20_000 });
  using room = Area.map({ bytes: 20_000 });
  const bytes = pattern(9001);
  const slice = file.slice(4095, bytes.length).write(bytes);
  for (const [name, send] of Object.entries(WAYS)) {
    assertEquals(send(connection.near, slice), bytes.length, name);
    const received = room.slice(0, bytes.length);
    for (let length = 0; length < bytes.length;) {
      length += await ring.recv(connection.far, received.slice(length));
    }
    assertEquals(received.bytes, bytes, name);
  }
});

Deno.test("a file area has a descriptor of its file, and others have none", () => {
  const file = Area.file({ bytes: 100 });
  assertEquals(Deno.inspect(file), "Area { bytes: 4096, file, in flight: 0 }");
  assertEquals(file.dmaBufFd, undefined);
  file.slice(10, 3).write(Uint8Array.of(1, 2, 3));
  assertEquals([...Deno.readFileSync(`/proc/self/fd/${file.fileFd}`).subarray(9, 14)], [
    ...[0, 1, 2, 3, 0],
  ]);
  file.close();
  assertThrows(() => file.fileFd, ClosedError);
  assertThrows(() => Area.file({ bytes: 0 }), RangeError, "Area.file: bytes must be");
  using memory = Area.map({ bytes: 100 });
  assertEquals(memory.fileFd, undefined);
});

Deno.test("misuse of files and pipes is a clear error", async () => {
  await using bed = await Testbed.loopback();
  await using ring = Ring.open({ entries: 4 });
  using connection = await connectTcp(ring, bed);
  using memory = Area.map({ bytes: 1 << 17 });
  const pipe = Pipe.open();
  assertThrows(
    () => sendFileBlocking(connection.near, memory.slice()),
    ExplainedError,
    "Area.file()",
  );
  assertThrows(() => pipe.splice(memory.slice()), ExplainedError, "Area.file()");
  assertThrows(() => pipe.lend("bytes" as unknown as Slice), TypeError, "slice must be");
  assertThrows(() => pipe.send("socket" as unknown as Socket, 1), TypeError, "socket must be");
  assertEquals(assertThrows(() => pipe.send(connection.near, 1), UringError).code, "EAGAIN");
  assertEquals(pipe.lend(memory.slice()), 1 << 16);
  assertEquals(assertThrows(() => pipe.lend(memory.slice()), UringError).code, "EAGAIN");
  assertEquals(Deno.inspect(pipe), "Pipe { open }");
  pipe.close();
  pipe.close();
  assertEquals(Deno.inspect(pipe), "Pipe { closed }");
  assertThrows(() => pipe.lend(memory.slice()), ClosedError);
  assertThrows(() => pipe.send(connection.near, 1), ClosedError);
  const gone = Area.file({ bytes: 100 });
  const slice = gone.slice();
  gone.close();
  assertThrows(() => sendFileBlocking(connection.near, slice), ClosedError);
});
