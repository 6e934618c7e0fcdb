import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Area, ClosedError, DiskFile, OwnershipError, POLL, Ring } from "zclab";
import { bytesOf, reapAll, textOf } from "../connections.ts";

/** A file through the page cache, which any file system has. */
function openFile(path: string): DiskFile {
  return DiskFile.open(path, { direct: false });
}

Deno.test("A request names a file on a disk by its object, on both APIs", async () => {
  const path = await Deno.makeTempFile({ prefix: "zclab-descriptor-" });
  try {
    using file = openFile(path);
    await using ring = Ring.open();
    using area = Area.map({ bytes: 4096 });
    const outgoing = area.slice(0, 9).write(bytesOf("some data"));
    const incoming = area.slice(100, 9);
    assertEquals(await ring.write(file, outgoing, 7), 9);
    assertEquals(await ring.read(file, incoming, 7), 9);
    assertEquals(textOf(incoming.bytes), "some data");
    assertEquals(await ring.poll(file, POLL.IN), POLL.IN);
    assertEquals(await ring.cancel(file), 0);

    incoming.bytes.fill(0);
    ring.batch.write(file, outgoing, 20, 1).link().read(file, incoming, 20, 2);
    assertEquals(reapAll(ring).map(([userData, result]) => [userData, result]), [[1, 9], [2, 9]]);
    assertEquals(textOf(incoming.bytes), "some data");
    ring.batch.poll(file, POLL.OUT, 3);
    assertEquals(reapAll(ring).map(([, result]) => result), [POLL.OUT]);
    // The file closes itself.
    assertThrows(() => ring.batch.closeFile(file.fd), OwnershipError, "a DiskFile");
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("A file on a disk that is closed is refused, and nothing is prepared", async () => {
  const path = await Deno.makeTempFile({ prefix: "zclab-descriptor-" });
  try {
    const file = openFile(path);
    file.close();
    await using ring = Ring.open();
    using area = Area.map({ bytes: 4096 });
    const slice = area.slice();
    const { batch } = ring;
    for (
      const call of [
        () => batch.read(file, slice),
        () => batch.write(file, slice),
        () => batch.poll(file, POLL.IN),
        () => batch.cancel(file),
      ]
    ) assertThrows(call, ClosedError, "DiskFile is closed");
    await assertRejects(() => ring.write(file, slice), ClosedError, "DiskFile is closed");
    assertEquals([batch.prepared, ring.inFlight, slice.state], [0, 0, "free"]);
  } finally {
    await Deno.remove(path);
  }
});
