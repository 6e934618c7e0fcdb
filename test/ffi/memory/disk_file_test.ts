import {
  assertEquals,
  assertGreaterOrEqual,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { Area, ClosedError, DiskFile, Ring, UringError } from "zclab";
import { test } from "../../needs.ts";

const BYTES = 64 << 10;

/** Runs something with the path of a file that is gone afterwards. */
async function withFile(run: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ prefix: "zclab-test-" });
  try {
    await run(path);
  } finally {
    await Deno.remove(path);
  }
}

for (const registered of [false, true]) {
  const how = registered ? "from a registered area (WRITE_FIXED)" : "from an area";
  Deno.test(`DiskFile: what is written ${how} through both APIs is in the file`, async () => {
    await withFile(async (path) => {
      using file = DiskFile.open(path);
      await using ring = Ring.open();
      using area = Area.map({ bytes: 2 * BYTES });
      if (registered) ring.register(area);
      const slice = area.slice(0, BYTES);
      slice.bytes.forEach((_, i, bytes) => bytes[i] = (i * 7) & 0xff);
      assertEquals(await ring.write(file, slice, 0), BYTES);
      let written = 0;
      ring.batch.write(file, slice, BYTES, 5).submitAndWait(1);
      ring.batch.reap((userData, result) => {
        assertEquals(userData, 5);
        written = result;
      });
      assertEquals(written, BYTES);
      await file.sync();
      const kept = await Deno.readFile(path);
      assertEquals(kept, new Uint8Array([...slice.bytes, ...slice.bytes]));
      const back = area.slice(BYTES, BYTES);
      assertEquals(await ring.read(file, back, BYTES), BYTES);
      assertEquals(back.bytes, slice.bytes);
    });
  });
}

test("DiskFile.cachedBytes() tells direct writes from others", {
  needs: [{ kernel: "6.5" }, "disk"],
}, async () => {
  await using ring = Ring.open();
  using area = Area.map({ bytes: BYTES });
  for (const direct of [true, false]) {
    await withFile(async (path) => {
      using file = DiskFile.open(path, { direct });
      await ring.write(file, area.slice(0, BYTES), 0);
      const cached = file.cachedBytes(BYTES);
      if (direct) assertEquals(cached, 0);
      else assertGreaterOrEqual(cached, BYTES);
    });
  }
});

Deno.test("DiskFile refuses what is not there, and everything after close", async () => {
  assertThrows(() => DiskFile.open("/nonexistent/file"), UringError, "ENOENT");
  await withFile(async (path) => {
    const file = DiskFile.open(path);
    file.close();
    file.close();
    assertThrows(() => file.fd, ClosedError);
    assertThrows(() => file.cachedBytes(1), ClosedError);
    assertStringIncludes(Deno.inspect(file), "closed");
    await Promise.resolve();
  });
});

Deno.test("DiskFile.unnamed() is a file that goes with its descriptor", async () => {
  const folder = await Deno.makeTempDir({ prefix: "zclab-test-" });
  try {
    using file = DiskFile.unnamed(folder);
    // Every file system that tests run on has them; /proc has not.
    assertEquals(file === undefined, false);
    assertEquals([...Deno.readDirSync(folder)], []);
    await using ring = Ring.open();
    using area = Area.map({ bytes: 4096 });
    area.slice().bytes.fill(7);
    assertEquals(await ring.write(file!, area.slice(), 0), 4096);
    using again = DiskFile.open(file!.path, { direct: false });
    area.slice().bytes.fill(0);
    assertEquals(await ring.read(again, area.slice(), 0), 4096);
    assertEquals(area.slice().bytes[4095], 7);
    // Who may not write there is told that first.
    if (Deno.uid() === 0) assertEquals(DiskFile.unnamed("/proc"), undefined);
    else assertThrows(() => DiskFile.unnamed("/proc"), UringError, "EACCES");
    assertEquals(DiskFile.unnamed(`${folder}/missing`), undefined);
  } finally {
    await Deno.remove(folder);
  }
});
