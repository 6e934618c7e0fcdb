import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { PlotError } from "../../../../labs/kit/plot/figure.ts";
import { plot } from "../../../../labs/kit/plot/plot.ts";
import { COLOURS } from "../../../../labs/kit/plot/theme.ts";
import { type Element, elementsOf } from "../../../elements.ts";
import { called, COPYING, textsIn } from "./samples.ts";

/** The boxes of a drawing by their names: where they are, and how wide, in pixels. */
function boxesOf(svg: string): Partial<Record<string, { x: number; y: number; width: number }>> {
  const titled = elementsOf(svg).all("g").filter(({ children: [first] }) =>
    typeof first !== "string" && first?.name === "title"
  );
  return Object.fromEntries(titled.map(({ children }) => {
    const [title, rect] = children as Element[];
    const at = (name: string): number => Number(rect!.attributes[name]);
    return [title!.text.split(":")[0]!, { x: at("x"), y: at("y"), width: at("width") }];
  }));
}

const picture = plot([COPYING], { kind: "flame" });

Deno.test("a flame graph has the system calls, and says what else was executed", () => {
  const { figure } = picture;
  assert(figure.kind === "flame");
  // Without the 70 of the timer, which interrupted it.
  assertEquals(figure.root.total, 1200);
  assertStringIncludes(figure.subtitle, "1200 instructions in system calls");
  assertStringIncludes(figure.subtitle, "instructions, not time");
  assertEquals(figure.notes, [
    "Not shown: 33 in its page faults and other exceptions, 70 in interrupts, " +
    "9 in the kernel for other threads, 5000 in user space.",
  ]);
});

Deno.test("a box is as wide as its share, and below its caller", () => {
  const boxes = boxesOf(picture.svg({ width: 720 }));
  const whole = 720 - 2 * 14;
  for (const [name, total] of [["sendmsg", 1100], ["memcpy", 380], ["tcp_v4_rcv", 150]] as const) {
    // A gap to the neighbour is taken off.
    assertEquals(Math.round(boxes[name]!.width + 0.7), Math.round(whole * total / 1200), name);
  }
  const { sendmsg, _copy_from_iter: caller, memcpy, softirq, alloc_pages: alloc } = boxes;
  assertEquals(caller!.x, memcpy!.x);
  assertEquals(memcpy!.y - caller!.y, caller!.y - sendmsg!.y);
  assert(memcpy!.y > caller!.y);
  // Those with the most instructions first, and none over another.
  assert(caller!.x + caller!.width < alloc!.x || caller!.x + caller!.width < softirq!.x);
  assertEquals(boxes["timer"], undefined);
});

Deno.test("each box says its function, its instructions and its share", () => {
  const titles = elementsOf(picture.svg()).all("title").map(({ text }) => text);
  assert(
    titles.includes(
      "memcpy: 380 instructions, 31.7 %; 380 of its own; copies 4096 bytes of the payload",
    ),
    titles.join("\n"),
  );
  assert(titles.includes("softirq: 200 instructions, 16.7 %; 50 of its own"), titles.join("\n"));
});

Deno.test("boxes that are too narrow are left out, and how much that is is said", () => {
  const svg = picture.svg();
  assertEquals(boxesOf(svg)["tiny"], undefined);
  assert(
    textsIn(svg).includes(
      "Left out for lack of room: 2 boxes and what they called, 2 instructions, 0.2 %.",
    ),
  );
  const none = plot([{
    label: "one",
    threads: [called("own thread", 0, [called("entry_SYSCALL_64", 7)])],
  }], { kind: "flame" });
  const texts = textsIn(none.svg()).join("\n");
  assert(texts.includes("entry_SYSCALL_64"), texts);
  assert(!/Left out|Not shown|copies payload/.test(texts), texts);
});

Deno.test("what copies payload has a colour of its own", () => {
  for (const theme of ["light", "dark"] as const) {
    const fills = elementsOf(picture.svg({ theme })).all("g")
      .filter(({ text }) => text.startsWith("memcpy:"))
      .map((group) => group.all("rect")[0]!.attributes["fill"]);
    assertEquals(fills, [COLOURS[theme].series[1]]);
  }
});

Deno.test("in a terminal the hottest paths come first, and the rest is summed", () => {
  const lines = picture.text({ width: 100, colours: false }).split("\n");
  const at = lines.findIndex((line) => line.startsWith("380"));
  assertEquals(
    lines[at],
    "380  31.7 %  memcpy < _copy_from_iter < sendmsg < entry_SYSCALL_64_after_hwframe",
  );
  assertEquals(lines[at + 1], "300  25.0 %  sendmsg < entry_SYSCALL_64_after_hwframe");
  const many = Array.from({ length: 20 }, (_, index) => called(`f${index}`, 100 - index));
  const text = plot([{
    label: "many",
    threads: [called("own thread", 0, [called("entry_SYSCALL_64", 0, many)])],
  }], { kind: "flame" }).text({ width: 100, colours: false });
  // 84 + 83 + 82 + 81 of 1810.
  assertStringIncludes(text, "330  18.2 %  on 4 other paths");
});

Deno.test("in words: the hottest functions with their callers, and who copies", () => {
  assertStringIncludes(picture.alt, "memcpy called by _copy_from_iter 31.7 %; sendmsg called by");
  assert(picture.alt.endsWith("Payload is copied by memcpy."), picture.alt);
});

Deno.test("what is no view of a system call is refused", () => {
  const cases: [data: unknown[], message: string][] = [
    [[COPYING, COPYING], "one view at a time, not 2"],
    [[{ label: "empty", threads: [] }], "empty has no threads"],
    [[{ label: "points", points: [] }], "points has no threads"],
    [[{ label: "idle", threads: [called("own thread", 0)] }], "idle has no system call"],
  ];
  for (const [data, message] of cases) {
    assertThrows(() => plot(data as never, { kind: "flame" }), PlotError, message);
  }
});
