import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { fillStream, matchesStream, matchesWhole } from "zclab/lab";

const BYTES = 4096;

function streamFrom(offset: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(BYTES);
  fillStream(bytes, offset);
  return bytes;
}

Deno.test("fillStream() is the stream as bench/reference/pattern.h describes it", () => {
  const view = new DataView(streamFrom(1 << 20).buffer);
  for (let at = 0; at < BYTES; at += 4) {
    const word = (BigInt((1 << 18) + at / 4) + 1n) * 2654435769n & 0xffff_ffffn;
    assertEquals(view.getUint32(at, true), Number(word));
  }
});

Deno.test("fillStream() continues where it is told to", () => {
  const whole = streamFrom(0);
  assertEquals(streamFrom(1024).subarray(0, 1024), whole.subarray(1024, 2048));
  assertThrows(() => fillStream(new Uint8Array(8), 2), RangeError, "whole words");
});

for (
  const [name, matches] of [["matchesStream", matchesStream], [
    "matchesWhole",
    matchesWhole,
  ]] as const
) {
  Deno.test(`${name}() accepts a piece of any length at any byte, and at no other place`, () => {
    const bytes = streamFrom(0);
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < 40; at++) {
      for (let length = 1; length < 40; length++) {
        assert(matches(view, at, length, at), `${length} bytes at ${at}`);
        // A single byte can be the same elsewhere by chance.
        if (length < 4) continue;
        assertFalse(matches(view, at, length, at + 1), `${length} bytes at ${at}, one off`);
        assertFalse(matches(view, at, length, at + 4), `${length} bytes at ${at}, a word off`);
      }
    }
  });
}

Deno.test("matchesWhole() sees one wrong byte anywhere, matchesStream() at the ends", () => {
  for (const wrong of [0, 7, 8, 100, 191, 192, 198]) {
    const bytes = streamFrom(0);
    bytes[wrong]! ^= 1;
    const view = new DataView(bytes.buffer);
    assertFalse(matchesWhole(view, 0, 199, 0), `byte ${wrong}`);
    assertEquals(matchesStream(view, 0, 199, 0), wrong >= 8 && wrong < 191, `byte ${wrong}`);
  }
});
