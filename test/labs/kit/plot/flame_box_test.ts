import { assert, assertEquals, assertThrows } from "@std/assert";
import { PlotError } from "../../../../labs/kit/plot/figure.ts";
import { type FlameBox, folded, unfolded } from "../../../../labs/kit/plot/flame_box.ts";
import { plot } from "../../../../labs/kit/plot/plot.ts";
import { runView } from "../../../../labs/kit/plot/seen_calls.ts";
import type { FoldedCall, RunView } from "../../../../labs/kit/run/run_view.ts";
import { COPYING, LENDING } from "./samples.ts";

const VIEW: RunView = runView(COPYING, { label: "copy", factors: { mode: "copy" }, work: null });

/** A box that called some. */
function box(name: string, instructions: number, children: readonly FlameBox[] = []): FlameBox {
  const total = children.reduce((sum, child) => sum + child.total, instructions);
  return { name, instructions, total, copied: 1, children };
}

Deno.test("what a document has of a view is drawn as the view is", () => {
  const options = { kind: "flame", title: "the same" } as const;
  const text = (data: Parameters<typeof plot>[0]): string =>
    plot(data, options).text({ width: 100, colours: false });
  assertEquals(text([VIEW]), text([COPYING]));
  assertEquals(plot([VIEW], options).svg(), plot([COPYING], options).svg());
  assertEquals(VIEW.elsewhere, {
    exceptions: 33,
    interrupts: 70,
    otherThreads: 9,
    userSpace: 5000,
  });
  assertEquals(VIEW.calls.slice(0, 3), [[0, 0, 100, 0], [1, 1, 300, 0], [2, 2, 20, 0]]);
});

Deno.test("where the work is known, numbers are for each unit of it", () => {
  const work = { count: 10, unit: "request" };
  const views = [
    runView(COPYING, { label: "copy", factors: {}, work }),
    runView(LENDING, { label: "zc", factors: {}, work: { ...work, count: 5 } }),
  ];
  const flame = plot(views.slice(0, 1), { kind: "flame" });
  assert(flame.figure.subtitle.startsWith("120 instructions for each request in system calls of"));
  assertEquals(flame.figure.notes, [
    "Not shown: 3.3 in its page faults and other exceptions, 7 in interrupts, 0.9 in the kernel " +
    "for other threads, 500 in user space.",
  ]);
  const changes = plot(views, { kind: "changes" });
  assert(changes.figure.subtitle.startsWith("120 → 174 instructions for each request in system"));
  assert(changes.figure.kind === "changes");
  const memcpy = changes.figure.functions.find(({ name }) => name === "memcpy");
  assertEquals([memcpy?.before, memcpy?.after], [38, 2]);
  assertThrows(
    () => plot([VIEW, views[1]!], { kind: "changes" }),
    PlotError,
    "copy counts instructions of a whole trial, zc for each request",
  );
});

Deno.test("of a large tree the largest calls are kept, and nothing is lost from the sums", () => {
  const root = box("root", 5, [
    box("large", 10, [box("a", 30), box("b", 3), box("c", 2)]),
    box("small", 4, [box("d", 1)]),
  ]);
  const kept = folded(root, 3);
  assertEquals(kept.functions, ["root", "large", "a", "(smaller ones)"]);
  assertEquals(kept.calls, [[0, 0, 5, 1], [1, 1, 10, 1], [2, 2, 30, 1], [2, 3, 5, 2], [
    1,
    3,
    5,
    2,
  ]]);
  assertEquals(unfolded(kept)!.total, root.total);
  assertEquals(unfolded(folded(root)), root);
});

Deno.test("calls that are no tree are refused, however they came about", () => {
  const cases: readonly (readonly FoldedCall[])[] = [
    [],
    [[1, 0, 1, 0]],
    [[0, 0, 1, 0], [2, 0, 1, 0]],
    [[0, 0, 1, 0], [0, 0, 1, 0]],
    [[0, 7, 1, 0]],
    [[0, 0, 0, 0]],
    Array.from({ length: 5000 }, (_, depth) => [depth, 0, 1, 0] as const),
  ];
  for (const calls of cases) {
    const view = { ...VIEW, functions: ["f"], calls };
    assertThrows(() => plot([view], { kind: "flame" }), PlotError, "is no tree");
  }
});
