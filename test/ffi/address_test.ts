import { assertEquals, assertThrows } from "@std/assert";
import { decodeAddress, encodeAddress } from "../../ffi/address.ts";

Deno.test("encodeAddress() makes a sockaddr_in in network order", () => {
  const bytes = encodeAddress({ host: "10.231.0.2", port: 9000 });
  assertEquals(bytes.length, 16);
  assertEquals([...bytes.subarray(0, 8)], [2, 0, 9000 >> 8, 9000 & 0xff, 10, 231, 0, 2]);
});

Deno.test("encodeAddress() makes a sockaddr_in6", () => {
  const bytes = encodeAddress({ host: "fd7a::2", port: 1 });
  assertEquals(bytes.length, 28);
  assertEquals([...bytes.subarray(0, 4)], [10, 0, 0, 1]);
  assertEquals([bytes[8], bytes[9], bytes[23]], [0xfd, 0x7a, 2]);
});

Deno.test("decodeAddress() is the inverse of encodeAddress()", () => {
  for (const host of ["0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1", "fe80::1%3"]) {
    for (const port of [0, 1, 255, 256, 65535]) {
      assertEquals(decodeAddress(encodeAddress({ host, port })), { host, port });
    }
  }
});

Deno.test("decodeAddress() returns undefined for other families and for nothing", () => {
  assertEquals(decodeAddress(new Uint8Array(0)), undefined);
  assertEquals(decodeAddress(new Uint8Array(16)), undefined);
  assertEquals(decodeAddress(new Uint8Array([1, 0, 47, 97])), undefined);
});

Deno.test("encodeAddress() refuses what is not a numeric address", () => {
  const hosts = ["", "localhost", "1.2.3", "1.2.3.4.5", "256.0.0.1", "::g", " 1.2.3.4", "1.2.3.4 "];
  for (const host of [...hosts, "127.0.0.1\0", "fe80::1%", "fe80::1%eth0", "1".repeat(5000)]) {
    assertThrows(() => encodeAddress({ host, port: 1 }), RangeError, "numeric");
  }
});

Deno.test("encodeAddress() refuses a port that is none", () => {
  for (const port of [-1, 65536, 1.5, NaN, Infinity]) {
    assertThrows(() => encodeAddress({ host: "::1", port }), RangeError, `Port ${port}`);
  }
});
