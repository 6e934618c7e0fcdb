import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { cross } from "../../../../labs/kit/experiment/experiment.ts";
import { defineLab } from "../../../../labs/kit/lab/define_lab.ts";
import { labContext, neededBy, runLab } from "../../../../labs/kit/lab/lab.ts";
import { chosenRows } from "../../../../labs/kit/lab/looked_rows.ts";
import { OptionError } from "../../../../labs/kit/options/options.ts";
import { testsNeeding } from "../../../needs.ts";
import { UnsupportedError } from "../../../../ffi/kernel/errors.ts";
import { plot } from "../../../../labs/kit/plot/plot.ts";
import { txCopyVsZc } from "../../../../labs/tx_copy_vs_zc.ts";
import { whereCopies } from "../../../../labs/where_copies.ts";

const test = testsNeeding("microscope");
const withoutIt = testsNeeding({ without: "microscope" });

const MODES = ["copy", "zc", "zc-fixed"];
const ROWS = cross({ payload: [600, 8000], mode: MODES });

/** Reads a small file, or asks for the time: labs that do nothing special for the microscope. */
const plain = defineLab({
  name: "plain",
  title: "Reading a file",
  description: "Reads a file of the kernel.",
  needs: [],
  options: {},
  repeats: { default: 2, quick: 2, minimum: 2 },
  factors: () => cross({ payload: [600, 8000], mode: MODES }),
  baseline: { mode: "copy" },
  within: ["payload"],
  trial({ mode, payload }): { rate: number } {
    const path = mode === "copy" ? "/proc/self/limits" : "/proc/self/stat";
    for (let i = 0; i < payload / 600; i++) Deno.readTextFileSync(path);
    return { rate: payload };
  },
  columns: { rate: { title: "rate", better: "higher", verdict: true } },
});

Deno.test("the row to look at is the first that is no baseline, or the one that has the values", () => {
  const rows = (asked: Parameters<typeof chosenRows>[1]): string[] =>
    chosenRows(plain.declaration, asked, ROWS).map(({ payload, mode }) => `${payload} ${mode}`);
  assertEquals(rows({}), ["600 copy", "600 zc"]);
  assertEquals(rows({ row: "8000" }), ["8000 copy", "8000 zc"]);
  assertEquals(rows({ row: "zc-fixed, 8000" }), ["8000 copy", "8000 zc-fixed"]);
  assertEquals(rows({ row: "mode=zc-fixed" }), ["600 copy", "600 zc-fixed"]);
  assertEquals(rows({ row: "zc-fixed,8000", against: "zc" }), ["8000 zc", "8000 zc-fixed"]);
  assertEquals(rows({ row: "zc", against: "zc,8000" }), ["8000 zc", "600 zc"]);
  // A baseline can be looked at, too; it has no other baseline.
  assertEquals(rows({ row: "copy,8000" }), ["8000 zc", "8000 copy"]);
});

Deno.test("where a baseline has factors that rows have in common, the nearest row is compared with", () => {
  const rows = cross({
    bytes: [8192],
    link: ["ifb", "loopback"],
    send: ["send", "send-zc"],
    receive: ["nobody", "recv"],
  }).filter(({ link, receive }) => (link === "ifb") === (receive === "nobody"));
  const [other, row] = chosenRows(
    whereCopies.declaration,
    { row: "loopback,send-zc" },
    rows,
  );
  assertEquals([row!["send"], row!["receive"]], ["send-zc", "recv"]);
  assertEquals(other, { bytes: 8192, link: "loopback", send: "send", receive: "recv" });
});

Deno.test("a row that is not there is refused, and the values that there are are told", () => {
  const refused = (asked: Parameters<typeof chosenRows>[1], words: string, rows = ROWS): void =>
    void assertThrows(() => chosenRows(plain.declaration, asked, rows), OptionError, words);
  refused(
    { row: "zc,4000" },
    "--row zc,4000: no row has these values. What to do: give values of one row with commas between " +
      "them. Rows have payload: 600, 8000; mode: copy, zc, zc-fixed",
  );
  refused({ against: "gso" }, "--against gso: no row");
  const one = ROWS.slice(0, 1);
  refused({ changes: true }, "--changes compares two rows, and there is only", one);
  assertEquals(chosenRows(plain.declaration, {}, one), one);
});

Deno.test("what is to be looked at needs the microscope, and a lab that was declared", () => {
  assertEquals(neededBy(plain, {}), []);
  assertEquals(neededBy(plain, { look: {} }), ["microscope"]);
  assertEquals(neededBy(whereCopies, { look: {} }), whereCopies.needs);
  const { declaration: _, ...own } = plain;
  assertThrows(() => labContext(own, { look: {} }), OptionError, "defineLab()");
});

withoutIt("without the microscope the command that has it is told, before any trial", async () => {
  const error = await assertRejects(() => runLab(plain, { look: {} }), UnsupportedError);
  assertStringIncludes(error.message, "deno task vm --microscope -- COMMAND");
});

test("a lab that does nothing for it is looked at as a whole", async () => {
  const { document, text } = await runLab(plain, { look: { row: "zc,8000" } });
  const views = document.views!;
  assertEquals(views.map(({ label, work }) => ({ label, work })), [
    { label: "copy, 8000 bytes", work: null },
    { label: "zc, 8000 bytes", work: null },
  ]);
  assertStringIncludes(text, "Under the microscope, once the trials had run: copy, 8000 bytes: ");
  const [before, after] = views.map(({ functions }) => functions);
  assertEquals([before!, after!].map((names) => names.includes("proc_pid_limits")), [true, false]);
  assertEquals([before!, after!].map((names) => names.includes("do_task_stat")), [false, true]);
  assertEquals(plot(document, { kind: "changes" }).kind, "changes");
});

test("tx-copy-vs-zc shows its requests alone, and that the copy is gone", async () => {
  const { document } = await runLab(txCopyVsZc, {
    quick: true,
    repeats: 2,
    options: { payload: [8000], mode: ["zc-fixed"] },
    look: {},
  });
  const [copy, zc] = document.views!;
  assertEquals([copy!.work!.unit, zc!.work!.unit], ["request", "request"]);
  /** Bytes of payload that a function copies for each request. */
  const copied = ({ functions, calls, work }: typeof copy & object, name: string): number =>
    calls.filter(([, at]) => functions[at] === name).reduce((sum, call) => sum + call[3], 0) /
    work!.count;
  assertEquals(copied(copy!, "rep_movs_alternative"), 8000);
  assertEquals(zc!.calls.reduce((sum, call) => sum + call[3], 0), 0);
  // Setting up is not in it.
  for (const { functions } of [copy!, zc!]) {
    assertEquals(
      functions.filter((name) => /io_uring_setup|io_sqe_buffers_register/.test(name)),
      [],
    );
  }
});

test("where-copies gives what it has seen itself", async () => {
  const { document } = await runLab(whereCopies, {
    quick: true,
    repeats: 1,
    options: { link: ["ifb", "loopback"], send: ["send", "send-zc"], receive: ["recv"] },
    look: { row: "loopback,send-zc" },
  });
  const [, view] = document.views!;
  assertEquals([view!.label, view!.work], ["send-zc + recv, 8192 bytes, loopback", null]);
  // From the system call through the softirq into the receiver.
  const depthOf = (name: string): number =>
    view!.calls.find(([, at]) => view!.functions[at] === name)?.[0] ?? -1;
  const path = ["entry_SYSCALL_64_after_hwframe", "do_softirq", "tcp_v4_rcv"].map(depthOf);
  assertEquals(path, path.toSorted((a, b) => a - b));
  assertEquals([path[0], path.includes(-1)], [0, false]);
  const copied = view!.calls.filter((call) => call[3] > 0);
  assertEquals(copied.reduce((sum, call) => sum + call[3], 0), 2 * 8192);
});
