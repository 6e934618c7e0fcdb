import { assert, assertEquals } from "@std/assert";
import { Area, Ring, ZcrxReceiver } from "zclab";
import { DirectWriter, DiskTarget, isStreamOnDisk, StreamLink, StreamSender } from "zclab/lab";
import { testsNeeding } from "../../../needs.ts";

const test = testsNeeding("softnic");

const PAGE = 4096;

/** Writes a stream that comes without a NIC, in pieces that lie as the kernel happens to fill them. */
async function write(
  target: DiskTarget,
  mtu: number,
  bytes: number,
): Promise<{ directBytes: number; bouncedBytes: number }> {
  await using link = await StreamLink.open({ kind: "veth", mtu });
  using sender = await StreamSender.start();
  using file = target.file();
  using area = Area.map({ bytes: 16 << 20 });
  await using ring = Ring.open({ entries: 256, completionEntries: 16384, completionSize: 32 });
  ring.register(area);
  using receiver = ZcrxReceiver.withoutDevice(ring, { area });
  using writer = new DirectWriter(receiver, file, { ring, bytes });
  using wire = await link.connect({ receiveBuffer: 1 << 20 });
  return await sender.stream(wire.near, { bytes }, (begin) => {
    begin();
    return writer.run(wire.far);
  });
}

for (const mtu of [1500, 9000]) {
  test(`a DirectWriter writes a stream whose pieces lie as they like, MTU ${mtu}`, async () => {
    await using target = DiskTarget.open();
    const bytes = (1 << 20) + 3 * PAGE;
    const { directBytes, bouncedBytes } = await write(target, mtu, bytes);
    assertEquals(directBytes + bouncedBytes, bytes);
    using file = target.file();
    assertEquals(await isStreamOnDisk(file, bytes), true);
    // Segments of 1448 or 8948 bytes end inside of pages.
    assert(bouncedBytes > 0);
  });
}
