import { assert, assertEquals } from "@std/assert";
import { dodged, roomyTicks, textWidth, wrapped } from "../../../../labs/kit/plot/layout.ts";

Deno.test("dodged leaves alone what does not touch", () => {
  assertEquals(dodged([10, 50, 90], [14, 14, 14], 0, 100), [10, 50, 90]);
});

Deno.test("dodged moves neighbours apart around where they want to be, in the order given", () => {
  assertEquals(dodged([50, 50, 10], [10, 10, 10], 0, 100), [45, 55, 10]);
  const places = dodged([52, 50, 51, 20], [12, 12, 12, 12], 0, 100);
  assertEquals(places.map((place) => Math.round(place)), [63, 39, 51, 20]);
});

Deno.test("dodged keeps labels inside, and apart, whatever they want", () => {
  for (let count = 1; count <= 7; count++) {
    for (const where of [-50, 0, 3, 97, 100, 400]) {
      const sizes = Array.from({ length: count }, (_, index) => 8 + index % 3 * 3);
      const places = dodged(sizes.map((_, index) => where + index), sizes, 0, 100);
      const edges = places.map((place, index) => [
        place - sizes[index]! / 2,
        place + sizes[index]! / 2,
      ]).sort((a, b) => a[0]! - b[0]!);
      assert(edges[0]![0]! >= -1e-9 && edges.at(-1)![1]! <= 100 + 1e-9, `${edges}`);
      for (let i = 1; i < edges.length; i++) assert(edges[i]![0]! >= edges[i - 1]![1]! - 1e-9);
    }
  }
});

Deno.test("roomyTicks shows the first and the last, and between them what fits", () => {
  assertEquals(roomyTicks([0, 10, 50, 60, 100], [20, 20, 20, 20, 20], 5), [
    true,
    false,
    true,
    false,
    true,
  ]);
  assertEquals(roomyTicks([0, 4], [20, 20], 5), [false, true]);
  assertEquals(roomyTicks([], [], 5), []);
});

Deno.test("wrapped breaks at spaces and cuts only a word that is too long by itself", () => {
  const lines = wrapped("zcrx, softnic, buffer 16384", 90, 12);
  assertEquals(lines.join(" "), "zcrx, softnic, buffer 16384");
  assert(lines.length > 1 && lines.every((line) => textWidth(line, 12) <= 90));
  const [cut] = wrapped("averylongwordwithoutanyspaceinit", 60, 12);
  assert(cut!.endsWith("…") && textWidth(cut!, 12) <= 60);
});
