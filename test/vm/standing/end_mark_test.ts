import { assertEquals } from "@std/assert";
import { EndMark } from "../../../vm/standing/end_mark.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

Deno.test("EndMark finds the mark wherever the pieces are cut", () => {
  const mark = "\x1eab\x1eac";
  const whole = encode(`begin \x1eab\x1eab${mark}after`);
  for (let cut = 0; cut <= whole.length; cut++) {
    for (let second = cut; second <= whole.length; second++) {
      const end = new EndMark(mark);
      const pieces = [whole.slice(0, cut), whole.slice(cut, second), whole.slice(second)];
      assertEquals(
        pieces.map((piece) => decode(end.take(piece))).join(""),
        "begin \x1eab\x1eab",
        `${cut} ${second}`,
      );
      assertEquals(end.ended, true);
    }
  }
});

Deno.test("EndMark holds back only what may be the mark's beginning", () => {
  const end = new EndMark("\x1eab");
  assertEquals(decode(end.take(encode("prompt> "))), "prompt> ");
  assertEquals(decode(end.take(encode("x\x1ea"))), "x");
  assertEquals(decode(end.take(encode("c"))), "\x1eac");
  assertEquals(end.ended, false);
});

Deno.test("EndMark.random() is another one each time, in one line", () => {
  const [one, other] = [EndMark.random(), EndMark.random()];
  assertEquals(one === other, false);
  assertEquals(/[\s\\]/.test(one.slice(1)), false);
});
