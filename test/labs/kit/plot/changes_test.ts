import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { PlotError } from "../../../../labs/kit/plot/figure.ts";
import { plot } from "../../../../labs/kit/plot/plot.ts";
import type { SeenCalls } from "../../../../labs/kit/plot/seen_calls.ts";
import { COLOURS } from "../../../../labs/kit/plot/theme.ts";
import { elementsOf } from "../../../elements.ts";
import { called, COPYING, LENDING, textsIn } from "./samples.ts";

const picture = plot([COPYING, LENDING], { kind: "changes" });

/** What ran in one system call. */
function seen(label: string, functions: Record<string, number>): SeenCalls {
  const calls = Object.entries(functions).map(([name, count]) => called(name, count));
  return { label, threads: [called("own thread", 0, [called("entry_SYSCALL_64", 5, calls)])] };
}

Deno.test("changes go from the most fewer to the most more, by function on all paths", () => {
  const { figure } = picture;
  assert(figure.kind === "changes");
  assertEquals(figure.functions.map(({ name, before, after }) => [name, before, after]), [
    ["memcpy", 380, 10],
    ["clear_page", 160, 0],
    ["alloc_pages", 40, 0],
    ["_copy_from_iter", 20, 0],
    ["tiny", 1, 0],
    ["wee", 1, 0],
    ["tcp_v4_rcv", 148, 150],
    ["sendmsg", 300, 310],
    ["parse", 0, 30],
    ["gup_fast", 0, 220],
  ]);
  assertEquals(figure.functions[0]!.copies, [true, false]);
  assertStringIncludes(figure.subtitle, "1200 → 870 instructions in system calls");
  assertStringIncludes(figure.subtitle, "−330, −28 %");
  assertEquals(figure.notes.length, 1);
});

Deno.test("all changes together are what the two windows are apart", () => {
  const { figure } = picture;
  assert(figure.kind === "changes");
  const sum = figure.functions.reduce((sum, { before, after }) => sum + after - before, 0);
  assertEquals(sum, 870 - 1200);
});

Deno.test("in a terminal they are a signed list that says what is gone and what is new", () => {
  const text = picture.text({ width: 70, colours: false });
  const rows = text.split("\n").filter((line) => /^ *[−+]\d+ {2}/.test(line));
  assert(/^−370 {2}memcpy +copied payload +━+$/.test(rows[0]!), rows[0]);
  assert(/^−160 {2}clear_page +gone +━+$/.test(rows[1]!), rows[1]);
  assert(/^ {2}\+2 {2}tcp_v4_rcv +▓$/.test(rows[6]!), rows[6]);
  assert(/^\+220 {2}gup_fast +new +▓+$/.test(rows.at(-1)!), rows.at(-1));
  for (const width of [40, 60, 200]) {
    const lines = picture.text({ width, colours: false }).split("\n");
    assert(lines.every((line) => line.length <= width), `${width}\n${lines.join("\n")}`);
  }
});

Deno.test("a bar goes to the left for fewer and to the right for more, as long as the change", () => {
  const svg = elementsOf(picture.svg());
  const barOf = (name: string): { x: number; width: number; fill: string | undefined } => {
    const [group] = svg.all("g").filter(({ text }) => text.startsWith(`${name}:`));
    const { x, width, fill } = group!.all("rect")[0]!.attributes;
    return { x: Number(x), width: Number(width), fill };
  };
  const [fewer, more] = [barOf("memcpy"), barOf("gup_fast")];
  assertEquals(Math.round(fewer.x + fewer.width), Math.round(more.x));
  assert(Math.abs(fewer.width / more.width - 370 / 220) < 0.01);
  assertEquals([fewer.fill, more.fill], COLOURS.light.series.slice(0, 2));
  const titles = svg.all("title").map(({ text }) => text);
  assert(titles.includes("memcpy: 380 → 10 instructions, −370; copied payload"));
});

Deno.test("functions with small changes are summed", () => {
  const before = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`f${i}`, 100 + i]));
  const after = Object.fromEntries(
    Object.entries(before).map(([name, count], i) => [name, count + (i < 2 ? -1 - i : i)]),
  );
  const data = [seen("a", before), seen("b", after)];
  // f0 to f5: -1, -2, and 2 to 5.
  const said = "6 other functions: −3 and +14.";
  assertStringIncludes(plot(data, { kind: "changes" }).text({ colours: false }), said);
  assert(textsIn(plot(data, { kind: "changes" }).svg()).includes(said));
});

Deno.test("where nothing changes, that is said", () => {
  const same = plot([seen("a", { f: 1 }), seen("b", { f: 1 })], { kind: "changes" });
  const said = "No function executes more instructions, or fewer.";
  assertStringIncludes(same.text({ width: 100, colours: false }), said);
  assert(textsIn(same.svg()).includes(said));
  assert(same.alt.endsWith(said), same.alt);
});

Deno.test("in words: what is fewer, and what is more, the largest first", () => {
  assertStringIncludes(picture.alt, "Fewer in lending: memcpy −370; clear_page −160;");
  assertStringIncludes(picture.alt, "More in lending: gup_fast +220; parse +30; sendmsg +10;");
});

Deno.test("one view, or three, are not compared", () => {
  for (const data of [[COPYING], [COPYING, LENDING, COPYING]]) {
    assertThrows(() => plot(data, { kind: "changes" }), PlotError, "two views are compared");
  }
});
