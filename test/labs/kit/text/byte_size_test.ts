import { assertEquals } from "@std/assert";
import { formatBytes, parseBytes } from "../../../../labs/kit/text/byte_size.ts";

Deno.test("what formatBytes() writes, parseBytes() reads", () => {
  for (let power = 0; power < 50; power++) {
    for (const bytes of [2 ** power, 3 * 2 ** power, 2 ** power - 1, 2 ** power + 1]) {
      assertEquals(parseBytes(formatBytes(bytes)), bytes);
    }
  }
  assertEquals([2 ** 40, 2 ** 30 + 1, 0].map(formatBytes), ["1T", "1073741825", "0"]);
});

Deno.test("parseBytes() takes prefixes in either case, with and without iB", () => {
  assertEquals(["64k", "64K", "64Ki", "64KiB", "64 kB", " 64k"].map(parseBytes), [
    ...Array(6).fill(65536),
  ]);
  for (const text of ["", "k", "64x", "-1", "1e3", "0x10", "1,5k", "0.3k", "9999999T"]) {
    assertEquals(parseBytes(text), undefined, text);
  }
});
