import { assert, assertEquals, assertThrows } from "@std/assert";
import { Area, ClosedError, Ring } from "zclab";
import { NicWitness, StreamLink, StreamLinks } from "zclab/lab";

Deno.test("a StreamLink connects its ends, with the buffers that were asked for", async () => {
  await using link = await StreamLink.open({ kind: "veth", mtu: 4148 });
  assertEquals([link.bed.near.mtu, link.bed.far.mtu, link.nic], [4148, 4148, undefined]);
  const options = { sendBuffer: 64 << 10, receiveBuffer: 32 << 10 };
  // One after the other, on the same port.
  for (let i = 0; i < 3; i++) {
    using wire = await link.connect(options);
    // The kernel doubles what it is asked for.
    assertEquals(wire.near.option("SO_SNDBUF"), 128 << 10);
    assertEquals(wire.far.option("SO_RCVBUF"), 64 << 10);
    await using ring = Ring.open();
    using area = Area.map({ bytes: 4096 });
    area.slice(0, 5).write(new TextEncoder().encode("hello"));
    assertEquals(await ring.send(wire.near, area.slice(0, 5)), 5);
    assertEquals(await ring.recv(wire.far, area.slice(8, 5)), 5);
    assertEquals(new TextDecoder().decode(area.slice(8, 5).bytes), "hello");
  }
});

Deno.test("a StreamLink closes both ends of a connection", async () => {
  await using link = await StreamLink.open({ kind: "loopback" });
  const wire = await link.connect();
  wire[Symbol.dispose]();
  assert(wire.near.closed && wire.far.closed);
});

Deno.test("a link without a NIC has a witness that knows nothing", async () => {
  await using link = await StreamLink.open({ kind: "loopback" });
  const witness = await NicWitness.begin(link.nic?.far, { queue: link.queue, pages: true });
  assertEquals(new Set(Object.values(await witness.counts())), new Set([null]));
  using area = Area.map({ bytes: 4096 });
  assertEquals(await witness.samePages(area, [{ offset: 0, length: 1 }]), null);
  // Whose processor takes its interrupts cannot be chosen, and need not.
  await link.interruptOn(0);
});

Deno.test("StreamLinks have a link for each MTU, and take all of them down", async () => {
  const links = await StreamLinks.open({ kind: "veth", mtus: [1500, 9000, 1500] });
  const { bed } = links.at(9000);
  assertEquals((await links.settings()).map(({ mtu }) => mtu), [1500, 1500, 9000, 9000]);
  assertEquals(bed.far.mtu, 9000);
  assertThrows(() => links.at(1280), RangeError, "no link with MTU 1280, only with 1500, 9000");
  await links[Symbol.asyncDispose]();
  assertThrows(() => bed.near.namespace, ClosedError);
  await links[Symbol.asyncDispose]();
});
