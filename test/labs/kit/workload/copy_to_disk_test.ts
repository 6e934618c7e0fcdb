import { assertEquals, assertRejects } from "@std/assert";
import { Area, DiskFile, Ring } from "zclab";
import { copyToDisk, isStreamOnDisk, StreamLink, StreamSender } from "zclab/lab";
import { DiskTarget, OptionError } from "zclab/lab";

const MIB = 1 << 20;
const PAGE = 4096;

/** A file that is gone afterwards. */
function temporary(): { readonly path: string } & Disposable {
  const path = Deno.makeTempFileSync();
  return { path, [Symbol.dispose]: () => Deno.removeSync(path) };
}

async function copy(file: DiskFile, sent: number, wanted = sent): Promise<void> {
  await using link = await StreamLink.open({ kind: "loopback" });
  using sender = await StreamSender.start();
  using wire = await link.connect();
  await using ring = Ring.open({ entries: 16 });
  using area = Area.map({ bytes: 64 << 10 });
  await sender.stream(wire.near, { bytes: sent }, (begin) => {
    begin();
    copyToDisk(ring, wire.far, area, file, wanted);
  });
}

for (const direct of [false, true]) {
  for (const bytes of [MIB, MIB + PAGE, 3 * PAGE]) {
    Deno.test(`copyToDisk() writes a stream of ${bytes} bytes, direct: ${direct}`, async () => {
      using place = temporary();
      using file = DiskFile.open(place.path, { direct });
      await copy(file, bytes);
      await file.sync();
      assertEquals(file.cachedBytes(bytes), direct ? 0 : bytes);
      assertEquals(await isStreamOnDisk(file, bytes), true);
      // One more byte than was written, and one that is another.
      assertEquals(await isStreamOnDisk(file, bytes + PAGE), false);
      const written = Deno.readFileSync(place.path);
      written[bytes - 1]! ^= 1;
      Deno.writeFileSync(place.path, written);
      await file.sync();
      assertEquals(await isStreamOnDisk(file, bytes), false);
    });
  }
}

Deno.test("copyToDisk() of a stream that ends early says how far it came", async () => {
  using place = temporary();
  using file = DiskFile.open(place.path, { direct: false });
  await assertRejects(
    () => copy(file, 8192, 1 << 17),
    Error,
    "stuck after 8192 of 131072 bytes",
  );
});

Deno.test("a DiskTarget that nobody asked for leaves nothing behind", async () => {
  const files = (): string[] => [...Deno.readDirSync(".")].map(({ name }) => name).sort();
  const before = files();
  {
    await using target = DiskTarget.open();
    using file = target.file();
    await using ring = Ring.open();
    using area = Area.map({ bytes: PAGE });
    assertEquals(await ring.write(file.fd, area.slice(), 0), PAGE);
    await target.dropCached();
    assertEquals(file.cachedBytes(PAGE), 0);
  }
  assertEquals(files(), before);
});

Deno.test("a DiskTarget refuses what is not there, and what does no direct I/O", async () => {
  assertEquals(
    DiskTarget.problem("/nonexistent/file")?.startsWith("/nonexistent/file is not there"),
    true,
  );
  assertEquals(DiskTarget.problem("/dev/null"), "/dev/null is neither a file nor a block device");
  await assertRejects(
    async () => {
      await using _ = DiskTarget.open("/proc/self/status");
    },
    OptionError,
    "--file /proc/self/status",
  );
  using place = temporary();
  assertEquals(DiskTarget.problem(place.path), undefined);
  await using target = DiskTarget.open(place.path);
  assertEquals(target.name, place.path);
});
