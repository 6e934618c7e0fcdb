import { assert, assertEquals, assertThrows } from "@std/assert";
import { Area, ClosedError, Ring, UnsupportedError } from "zclab";
import { createDmaBuf } from "../../../ffi/memory/dma_buf.ts";
import { native } from "../../../ffi/kernel/native.ts";
import { isMapped } from "../connections.ts";
import { test } from "../../needs.ts";

function descriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

Deno.test("Area.dmaBuf refuses a length that is none, and leaves nothing behind", () => {
  const before = descriptors();
  for (const bytes of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(() => Area.dmaBuf({ bytes }), RangeError, "Area.dmaBuf: bytes must be");
  }
  assertThrows(() => createDmaBuf({ bytes: 100 }), RangeError, "a multiple of 4096");
  assertThrows(() => createDmaBuf({ bytes: 4096, hugeShift: 21 }), RangeError, "of 2097152");
  assertEquals(descriptors(), before);
});

Deno.test("an area that is no dma-buf has no descriptor of one", () => {
  const area = Area.map({ bytes: 4096 });
  assertEquals(area.dmaBufFd, undefined);
  area.close();
  assertThrows(() => area.dmaBufFd, ClosedError);
});

test("Area.dmaBuf says what is missing", { needs: [{ without: "udmabuf" }] }, () => {
  const before = descriptors();
  const error = assertThrows(() => Area.dmaBuf({ bytes: 4096 }), UnsupportedError);
  assertEquals(error.feature, "/dev/udmabuf");
  assertEquals(descriptors(), before);
});

test(
  "a dma-buf area is memory as any other, and is closed as a whole",
  { needs: ["udmabuf"] },
  () => {
    const before = descriptors();
    const area = Area.dmaBuf({ bytes: 10_000 });
    const { address, dmaBufFd } = area;
    assertEquals(area.bytes, 12_288);
    assertEquals(Deno.inspect(area), "Area { bytes: 12288, dma-buf, in flight: 0 }");
    assertEquals(descriptors(), before + 1);
    assertEquals(Deno.readLinkSync(`/proc/self/fd/${dmaBufFd}`).startsWith("/dmabuf:"), true);
    const slice = area.slice(5000, 4);
    assertEquals([...slice.bytes], [0, 0, 0, 0]);
    slice.write(Uint8Array.of(1, 2, 3, 4));
    assertEquals([...area.unsafeBytes(4999, 6)], [0, 1, 2, 3, 4, 0]);
    area.close();
    area.close();
    assertEquals(descriptors(), before);
    assertEquals(isMapped(address), false);
    assertThrows(() => area.dmaBufFd, ClosedError);
  },
);

test("the dma-buf and the area are the same memory", { needs: ["udmabuf"] }, () => {
  const { fd, mapping } = createDmaBuf({ bytes: 8192 });
  // A dma-buf can be mapped itself: the kernel's other users see what this shows.
  const address = new BigUint64Array(1);
  assertEquals(native().zclab_map(fd, 8192n, 0n, 0, address.buffer), 0);
  const pointer = Deno.UnsafePointer.create(address[0]!)!;
  const other = Deno.UnsafePointerView.getArrayBuffer(pointer, 8192);
  new Uint8Array(mapping.buffer).set([7, 8, 9], 4095);
  assertEquals([...new Uint8Array(other, 4094, 5)], [0, 7, 8, 9, 0]);
  new Uint8Array(other)[0] = 42;
  assertEquals(new Uint8Array(mapping.buffer)[0], 42);
  other.transfer(0);
  native().zclab_unmap(address[0]!, 8192n);
  native().zclab_close(fd);
  mapping.close();
});

test(
  "a ring takes a dma-buf area as a fixed buffer",
  { needs: ["udmabuf"] },
  async () => {
    using area = Area.dmaBuf({ bytes: 65_536 });
    await using ring = Ring.open();
    ring.register(area);
    assert(Deno.inspect(ring).length > 0);
  },
);
