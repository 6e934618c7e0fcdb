import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { plot, readRunDocument } from "zclab/experiment";
import { MicroscopeView } from "../../ffi/microscope/view.ts";
import { recording } from "../../notebooks/exercises/mod.ts";
import {
  compactView,
  copiesTable,
  readViews,
  type ViewsDocument,
} from "../../notebooks/exercises/recorded_views.ts";
import { RECORDINGS } from "../../notebooks/tool/recordings.ts";

const FOLDER = new URL("../../notebooks/recorded/", import.meta.url);

/** Runs are documents of runs; what the microscope saw is of another form. */
const isViews = (name: string): boolean => name.startsWith("views");

Deno.test("each recorded run is there, and there is a command that makes it anew", () => {
  const files = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).sort();
  assertEquals(files, Object.keys(RECORDINGS).map((name) => `${name}.json`).sort());
  for (const [name, { command, guest }] of Object.entries(RECORDINGS)) {
    if (isViews(name)) continue;
    const { lab, complete, environment } = readRunDocument(
      Deno.readTextFileSync(recording(name)),
    );
    assert(command.includes(lab), `${name} is of the lab ${lab}`);
    assert(complete, name);
    const counts = guest?.some((option) => option === "--microscope" || option === "instructions");
    assertEquals(environment.clock ?? "time", counts ? "instructions" : "time", name);
    const clears = guest?.includes("init_on_alloc=0")
      ? false
      : environment.kernel.clearsOnAllocation;
    assertEquals(environment.kernel.clearsOnAllocation, clears, name);
  }
});

Deno.test("recorded views are drawn, and say where they are from", async () => {
  const views = await readViews(recording("views"));
  assertStringIncludes(views.source, "RECORDED by the microscope in the guest, on Linux 7.");
  const both = [views.view("send into ifb", "send"), views.view("send-zc into ifb", "send-zc")];
  assertEquals(both.map(({ copiesPerByte }) => copiesPerByte.least), [1, 0]);
  const changes = plot(both, { kind: "changes" }).text({ colours: false });
  assertStringIncludes(changes, "__clear_pages_unrolled");
  const flame = plot([views.view("send-zc over loopback")], { kind: "flame" });
  assertStringIncludes(flame.text({ colours: false }), "skb_copy_ubufs");
  assertThrows(() => views.view("no such view"), RangeError, "There are: send into ifb");

  const others = await readViews(recording("views_not_cleared"));
  assertStringIncludes(others.source, "which does not clear what it allocates");
  const calls = plot([others.view("send into ifb")], { kind: "flame" }).text({ colours: false });
  assert(!calls.includes("__clear_pages_unrolled"), calls);
});

Deno.test("a view that is kept and read again has the same copies and instructions", async () => {
  const view = new MicroscopeView("send", {
    payloadBytes: 10,
    reads: [1, 2],
    copies: [1, 1],
    functions: ["entry_SYSCALL_64_after_hwframe", "copy", "user space", "interrupt", "fault"],
    own: 1,
    nodes: [[0, 0, 0], [1, 1, 5], [2, 2, 7], [1, 3, 100], [1, 5, 3], [2, 4, 2], [0, 0, 9]],
    touches: [[3, 0, 10, 10, 10, 0]],
  });
  const document: ViewsDocument = {
    recordedAt: "2026-12-01",
    kernel: "9.9.9",
    clearsOnAllocation: true,
    views: { send: compactView(view) },
  };
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, JSON.stringify(document));
  try {
    const views = await readViews(new URL(`file://${file}`));
    assertEquals(
      views.source,
      "RECORDED by the microscope in the guest, on Linux 9.9.9, 2026-12-01.",
    );
    const read = views.view("send");
    assertEquals(read.copiesPerByte, view.copiesPerByte);
    assertEquals(read.copies.map(({ copied, path }) => [copied, path.at(-1)]), [[10, "copy"]]);
    assertStringIncludes(copiesTable(read), "copy < entry_SYSCALL_64_after_hwframe");
    for (const kind of ["flame"] as const) {
      const [whole, kept] = [view, read].map((one) =>
        plot([one], { kind }).text({ colours: false, width: 100 })
      );
      assertEquals(kept, whole);
      assertStringIncludes(kept!, "12 instructions");
      assertStringIncludes(kept!, "100 in user space");
    }
  } finally {
    await Deno.remove(file);
  }
});
