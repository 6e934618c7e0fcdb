import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  Area,
  BufferRing,
  BusyPoll,
  DiskFile,
  Message,
  MessageZeroCopy,
  Netdev,
  NetworkNamespace,
  Notifier,
  probe,
  Ring,
  Socket,
  Testbed,
} from "zclab";
import {
  cross,
  environment,
  experiment,
  readRunDocument,
  type RunDocument,
} from "zclab/experiment";
import { Echo, type LabOutcome, StreamSender } from "zclab/lab";
import { type Fact, inLine, inTable, strip } from "../../../../ffi/kernel/inspection.ts";
import { displayExperiment } from "../../../../labs/kit/experiment/display_experiment.ts";
import { displayedAs } from "../../../../labs/kit/experiment/displayed_as.ts";
import { displayOutcome } from "../../../../labs/kit/lab/display_outcome.ts";
import { test } from "../../../needs.ts";

/** A document that somebody might have written. */
const DOCUMENT: RunDocument = readRunDocument(JSON.stringify({
  schema: "zclab/run/1",
  lab: "some-lab",
  environment: environment(),
  parameters: {},
  complete: true,
  trials: [],
  summary: [],
}));

const DISPLAY = Symbol.for("Jupyter.display");

type Shown = Record<typeof DISPLAY, () => Record<string, string>>;

/** What Jupyter gets; an object without it would be shown as text alone. */
function display(value: object): { plain: string; html: string } {
  const { "text/plain": plain = "", "text/html": html = "", ...others } = (value as Shown)
    [DISPLAY]();
  assertEquals(others, {});
  return { plain, html };
}

/** Elements that an untrusted notebook keeps, without colours, scripts and links. */
function assertPlainTable(html: string): void {
  const tags = new Set(Array.from(html.matchAll(/<\/?(\w+)/g), ([, tag]) => tag));
  for (const tag of tags) {
    assert(["table", "caption", "thead", "tbody", "tr", "th", "td", "br", "p"].includes(tag!), tag);
  }
  assert(!/color|background|href|src|on\w+=|class=/.test(html.replaceAll(/>[^<]*</g, "><")), html);
  for (const tag of ["table", "tbody", "tr", "td"]) {
    assertEquals(html.split(`<${tag}`).length, html.split(`</${tag}>`).length, tag);
  }
}

/** Shown on one line: alone, nested, with colours; and as a table of the same. */
function assertShown(value: object, expected: RegExp): void {
  const line = Deno.inspect(value);
  assertMatch(line, expected);
  assert(!line.includes("\n"), line);
  assertStringIncludes(Deno.inspect([[value]]), line);
  assertStringIncludes(
    Deno.inspect({ deep: { deeper: { deepest: [value] } } }, { depth: 6 }),
    line,
  );
  assertEquals(Deno.inspect(value, { colors: true }), line);
  const { plain, html } = display(value);
  assertEquals(plain, line);
  assertPlainTable(html);
  assertStringIncludes(html, `<caption>${line.split(" ")[0]}</caption>`);
}

test("every primitive shows its state on a line and in a table, also after close", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink();
  const ring = Ring.open({ entries: 8 });
  const area = Area.map({ bytes: 1 << 16 });
  const slice = area.slice(0, 100);
  const socket = Socket.udp(bed.near).bind({ host: "0.0.0.0", port: 0 });
  const notifier = new Notifier(ring, { tag: 7 });
  const buffers = BufferRing.open(ring, { count: 4, bytes: 1000 });
  const polling = BusyPoll.ofSocket(socket, { microseconds: 5 });
  const message = new Message([slice]);
  const namespace = NetworkNamespace.create();
  const netdev = Netdev.open();
  const sender = await StreamSender.start();
  const echo = await Echo.start();
  const path = await Deno.makeTempFile();
  const file = DiskFile.open(path, { direct: false });
  const here = await probe();

  assertShown(ring, /^Ring \{ entries: 8, .*flags: \S.*, in flight: 0 \}$/);
  assertShown(ring.batch, /^Batch \{ prepared: 0, in flight: 0 \}$/);
  assertShown(area, /^Area \{ bytes: 65536, in flight: 0 \}$/);
  assertShown(slice, /^Slice \{ offset: 0, length: 100, free \}$/);
  assertShown(
    socket,
    /^Socket \{ udp, IPv4, fd: \d+, local: 0\.0\.0\.0 port \d+, remote: none \}$/,
  );
  assertShown(notifier, /^Notifier \{ tag: 7, sequence: 0, requests: 0, outstanding: 0 \}$/);
  assertShown(await notifier.flush(), /^Notification \{ tag: 7, .*copied: 0, latency: "0 µs" \}$/);
  assertShown(buffers, /^BufferRing \{ group: 0, count: 4, held: 0 \}$/);
  assertShown(polling, /^BusyPoll \{ socket, 5 µs.* \}$/);
  assertShown(message, /^Message \{ slices: 1, length: 100 \}$/);
  assertShown(new MessageZeroCopy(socket), /^MessageZeroCopy \{ sent: 0, .*outstanding: 0 \}$/);
  assertShown(namespace, /^NetworkNamespace \{ fd: \d+, owner: .* \}$/);
  assertShown(netdev, /^Netdev \{ fd: \d+ \}$/);
  assertShown(sender, /^StreamSender \{ open \}$/);
  assertShown(echo, /^Echo \{ open \}$/);
  assertShown(file, /^DiskFile \{ \/\S+ \}$/);
  assertShown(bed, /^Testbed \{ sink, \S+, mtu: \d+ \}$/);
  assertShown(bed.near, /^TestbedEnd \{ \S+, mtu: \d+, 10\.\S+, \S+ \}$/);
  assertShown(here, /^Probe \{ Linux \S+, \d+ CPUs.*, \d+ of \d+ real here \}$/);
  assertShown(environment(), /^Environment \{ Linux \S+, \S+, \d+ CPUs, .*Deno \d.*\}$/);

  for (
    const each of [polling, buffers, socket, netdev, namespace, sender, echo, file, area, ring, bed]
  ) {
    each.close();
    assertShown(each, /^\w+ \{ .*closed \}$/);
    each.close();
  }
  for (const each of [slice, notifier, bed.far]) assertShown(each, /closed \}$/);
  assertShown(ring.batch, /^Batch \{/);
  assertShown(message, /^Message \{/);
  await Deno.remove(path);
});

Deno.test("an area's table shows which parts the kernel has", async () => {
  await using ring = Ring.open();
  using area = Area.map({ bytes: 64 * 4096 });
  using socket = Socket.udp().bind({ host: "127.0.0.1", port: 0 });
  const map = (): string => display(area).html.match(/[░▒█]{64}/)![0];
  assertEquals(map(), "░".repeat(64));
  const slices = [[0, 4096], [4096 * 2, 100], [4096 * 62, 8192]] as const;
  const waiting = slices.map(([offset, length]) => ring.recv(socket, area.slice(offset, length)));
  await ring.nop();
  assertEquals(map(), `█░▒${"░".repeat(59)}██`);
  await ring.cancel(socket);
  await Promise.allSettled(waiting);
  assertEquals(map(), "░".repeat(64));
});

Deno.test("a ring of buffers shows which of them the program holds", async () => {
  await using ring = Ring.open();
  using buffers = BufferRing.open(ring, { count: 4, bytes: 100 });
  await using bed = await Testbed.loopback();
  using receiver = Socket.udp(bed.far).bind(bed.far.address(9000));
  using sender = Socket.udp(bed.near).connect(bed.far.address(9000));
  using area = Area.map({ bytes: 100 });
  const map = (): string => display(buffers).html.match(/[░▒█]{4}(?=<)/)![0];
  assertEquals(map(), "░░░░");
  sender.sendBlocking(area.slice(0, 10));
  for await (const piece of ring.recvMultishot(receiver, buffers)) {
    assertEquals(map().replaceAll("░", ""), "█");
    piece.release();
    break;
  }
  assertEquals(map(), "░░░░");
});

Deno.test("strip() marks what is covered, wholly or in part, and once", () => {
  assertEquals(strip(4, []), "░░░░");
  assertEquals(strip(4, [{ offset: 1, length: 2 }]), "░██░");
  assertEquals(strip(1, [{ offset: 0, length: 1 }]), "█");
  assertEquals(strip(0, []), "░");
  const half = strip(128, [{ offset: 0, length: 1 }, { offset: 126, length: 2 }]);
  assertEquals(half, `▒${"░".repeat(62)}█`);
  // Twice the same half is a half.
  assertEquals(strip(128, [{ offset: 0, length: 1 }, { offset: 0, length: 1 }])[0], "▒");
  assertEquals(strip(128, [{ offset: 1, length: 1 }, { offset: 0, length: 1 }])[0], "█");
  // What is not a multiple of the cells.
  assertEquals(strip(100, [{ offset: 0, length: 100 }]), "█".repeat(64));
});

Deno.test("what a text holds stays text, on a line and in a table", () => {
  const facts: readonly Fact[] = [
    ["path", `/tmp/<img src=x onerror="a()">&\n\x1b[31m`, "bare"],
    ["none", undefined],
    ["yes", true],
  ];
  const line = inLine("Thing", facts);
  assert(!line.includes("\n") && !line.includes("\x1b"), line);
  assertStringIncludes(line, "yes: true }");
  assert(!line.includes("none"));
  const { "text/html": html } = inTable("<Thing>", facts, [["more", "'"]]);
  assertPlainTable(html);
  assertStringIncludes(html, "&lt;Thing&gt;");
  assertStringIncludes(html, "&lt;img");
  assertStringIncludes(html, "&#39;");
});

Deno.test("an experiment is shown as a table of medians, not as its trials", async () => {
  let call = 0;
  const result = await experiment({
    factors: cross({ mode: ["zc", "<copy>"], payload: [1000, 4000] }),
    trial: ({ payload }) => ({ rate: payload * (100 + call++ % 3), note: "text", nothing: null }),
    repeats: 3,
    seed: 5,
  });
  const { "text/plain": plain, "text/html": html } = displayExperiment(result);
  assertMatch(plain, /^Experiment: 3 rounds of 4 combinations, .*, seed 5/);
  const lines = plain.trimEnd().split("\n");
  assert(lines.length < 10, plain);
  assertMatch(plain, /^zc +1000 +10\d k \[10\d k, 10\d k\]$/m);
  assertMatch(plain, /^<copy> +4000 +40\d k \[40\d k, 40\d k\]$/m);
  assertPlainTable(html);
  assertStringIncludes(html, "&lt;copy&gt;");
  assert(!/note|nothing/.test(plain), "what is no number has no median");
});

Deno.test("an experiment without counted trials is shown as well, and one with very much", () => {
  const empty = displayExperiment({ seed: 1, trials: [], complete: false });
  assertMatch(empty["text/plain"], /^Experiment: 0 rounds .*stopped before its end/);
  const trials = Array.from({ length: 100 }, (_, index) => ({
    round: 0,
    order: index,
    warmUp: false,
    control: false,
    factors: { index },
    measures: Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`measure${at}`, at])),
    startedAt: new Date(0).toISOString(),
    seconds: 1,
  }));
  const { "text/plain": plain } = displayExperiment({ seed: 1, trials, complete: true });
  assertStringIncludes(plain, "60 more combinations");
  assertMatch(plain, /more measures: measure8, .*measure19/);
  assert(plain.split("\n").length < 60);
});

Deno.test("displayedAs() changes how an object is shown, and nothing else", () => {
  const record = { a: 1 };
  const shown = displayedAs(
    record,
    () => ({ "text/plain": `a is ${record.a}\n`, "text/html": "" }),
  );
  assertEquals(shown, { a: 1 });
  assertEquals(Object.keys(shown), ["a"]);
  assertEquals(JSON.stringify(shown), `{"a":1}`);
  assertEquals(structuredClone(shown), { a: 1 });
  record.a = 2;
  assertEquals(Deno.inspect(shown), "a is 2");
  assertEquals(display(shown).plain, "a is 2\n");
});

Deno.test("an outcome is its text and a plot, without escape sequences in HTML", async () => {
  const result = await experiment({
    factors: cross({ payload: [1000, 4000], mode: ["copy", "zc"] }),
    trial: ({ payload }, { round }) => ({ requestsPerSecond: payload + round }),
    control: { mode: "copy" },
    repeats: 3,
    seed: 5,
  });
  const text = "\x1b[1mfast\x1b[22m <zc>\n";
  const outcome = (trials: RunDocument["trials"]): LabOutcome => ({
    text,
    document: { ...DOCUMENT, trials },
  });
  const { "text/plain": plain, "text/html": html } = displayOutcome(outcome(result.trials));
  assertEquals(plain, text);
  assert(html.startsWith(`<pre style="line-height:1.2">fast &lt;zc&gt;\n</pre>`), html);
  assertMatch(html, /<img [^>]*src="data:image\/svg\+xml;base64,[^>]*alt="[^"]+"/);
  assert(!html.includes("\x1b"));
  // What cannot be plotted is its text.
  assertEquals(
    displayOutcome(outcome([]))["text/html"],
    `<pre style="line-height:1.2">fast &lt;zc&gt;\n</pre>`,
  );
});
