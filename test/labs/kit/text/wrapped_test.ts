import { assertEquals } from "@std/assert";
import { inLines, wrapped } from "../../../../labs/kit/text/wrapped.ts";

Deno.test("wrapped() breaks at spaces, by the columns that text takes", () => {
  assertEquals(wrapped("one two  three\nfour", 9), ["one two", "three", "four"]);
  assertEquals(wrapped("one two three", 7, "  "), ["one two", "  three"]);
  assertEquals(wrapped("far too long", 3), ["far", "too", "long"]);
  assertEquals(wrapped("a unbreakable b", 4), ["a", "unbreakable", "b"]);
  // Each of these two takes two columns.
  assertEquals(wrapped("天地 玄黃", 8), ["天地", "玄黃"]);
  assertEquals(wrapped(" \n ", 8), []);
});

Deno.test("inLines() breaks no item, whatever spaces are in it", () => {
  assertEquals(inLines(["one two", "three", "four"], 14, { gap: "  " }), [
    "one two  three",
    "four",
  ]);
  assertEquals(inLines([], 14), []);
});
