import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { fromFileUrl } from "@std/path";
import { loadLibrary } from "../../../../labs/kit/repl/library.ts";
import { CATALOGUE } from "../../../../labs/catalogue.ts";
import { labsByName } from "../../../../labs/kit/repl/repl.ts";
import { makeHelp } from "../../../../labs/kit/repl/help.ts";
import { InterruptedError, Interrupter } from "../../../../labs/kit/repl/interrupt.ts";
import { Command } from "../../../child.ts";
import {
  COUNT_FREE,
  ownInterfaces,
  runWithFewNamespaces,
  untilMarkedProcessesAreGone,
} from "../../../leftovers.ts";
import { NEEDY, SAMPLE } from "../../sample_lab.ts";
import { test } from "../../../needs.ts";

const ROOT = fromFileUrl(new URL("../../../..", import.meta.url));

/** Types lines into `deno task repl`. */
async function type(
  lines: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number; out: string; errors: string }> {
  const process = new Command(Deno.execPath(), {
    args: ["task", "--quiet", "repl"],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [output] = await Promise.all([
    process.output(),
    new Blob([lines.map((line) => `${line}\n`).join("")]).stream().pipeTo(process.stdin)
      // A prompt that never came does not read.
      .catch(() => {}),
  ]);
  const decoder = new TextDecoder();
  return {
    code: output.code,
    out: decoder.decode(output.stdout),
    errors: decoder.decode(output.stderr),
  };
}

/** `deno task repl` in a terminal of its own, which `script(1)` makes. */
class Terminal {
  readonly #process = new Command("script", {
    // A process that Ctrl-\\ kills would leave its memory in a file where that is allowed.
    args: ["-qfec", `ulimit -c 0; ${Deno.execPath()} task --quiet repl`, "/dev/null"],
    cwd: ROOT,
    env: { NO_COLOR: "1", TERM: "xterm", SHELL: "/bin/sh" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  readonly #keys = this.#process.stdin.getWriter();
  readonly #screen = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  #seen = "";

  async press(keys: string): Promise<void> {
    await this.#keys.write(new TextEncoder().encode(keys));
  }

  /** Reads until a text has come, and forgets everything up to it. */
  async sees(text: string): Promise<void> {
    while (!this.#seen.includes(text)) {
      const { value, done } = await this.#screen.read();
      assert(!done, `the terminal ended before "${text}": ${this.#seen}`);
      this.#seen += value;
    }
    this.#seen = this.#seen.slice(this.#seen.indexOf(text) + text.length);
  }

  async code(): Promise<number> {
    while (!(await this.#screen.read()).done);
    await this.#keys.close().catch(() => {});
    return (await this.#process.status).code;
  }
}

// One for all: it asks for the documentation when it is first needed, and keeps it.
const zclab = await loadLibrary();
const help = makeHelp({ names: { ...zclab }, labs: CATALOGUE, width: 80 });

function helpText(...what: [] | [unknown]): string {
  const { text } = help(...what);
  for (const line of text.split("\n")) {
    // Code keeps its lines.
    assert(line.length <= 80 || line.startsWith("    "), line);
  }
  return text;
}

Deno.test("the REPL has everything of the library in scope, and ends with its input", async () => {
  const names = [...Object.keys(zclab), "labs", "help"];
  const { code, out, errors } = await type([
    `[${names.map((name) => `typeof ${name}`).join(", ")}].includes("undefined")`,
    `Object.keys(labs).join()`,
  ]);
  assertEquals([code, errors], [0, ""]);
  const [first = "", second = "", third = "", ...answers] = out.trimEnd().split("\n");
  assertStringIncludes(first, Deno.osRelease());
  assertStringIncludes(second, "help()");
  assertStringIncludes(third, "Ctrl-D");
  for (const line of [first, second, third]) assert(line.length <= 80, line);
  assertEquals(answers, ["false", `"${CATALOGUE.map(({ name }) => name).join()}"`]);
});

Deno.test("the REPL passes the exit code on", async () => {
  assertEquals((await type(["Deno.exit(5)"])).code, 5);
});

Deno.test("the REPL ends with 77 and the command where the system lacks something", async () => {
  const { code, out, errors } = await type(["1 + 1"], {
    CC: "no-such-compiler",
    ZCLAB_NO_INSTALL: "1",
  });
  assertEquals([code, out], [77, ""]);
  assertMatch(errors, /C compiler[\s\S]*apt-get install -y gcc libc6-dev/);
});

Deno.test("the REPL shows an error with what to do about it, and what is awaited in vain", async () => {
  const { code, out, errors } = await type([
    `Socket.tcp().connectBlocking({ host: "127.0.0.1", port: 1 })`,
    `const pending = Ring.open().recv(Socket.udp(), Area.map({ bytes: 64 }).slice()); "free"`,
  ]);
  assertEquals([code, errors], [0, ""]);
  assertMatch(out, /UringError: connect: ECONNREFUSED: .*What to do: start the receiver first/);
  assertStringIncludes(out, `"free"`);
});

test(
  "Ctrl-C ends what zclab waits for; twice it leaves, where there is nothing to end",
  { needs: [{ program: "script" }] },
  async () => {
    const terminal = new Terminal();
    await terminal.sees("> ");
    await terminal.press(
      `const memory = Area.map({ bytes: 64 }).slice(); const receiver = Socket.udp(); "made"\r`,
    );
    await terminal.sees(`"made"`);
    await terminal.sees("> ");
    await terminal.press("const waiting = Ring.open().recv(receiver, memory); 40 + 2\r");
    await terminal.sees("\r\n42");
    await terminal.sees("> ");
    await terminal.press("await waiting\r");
    await terminal.sees("\r\n");
    // The line is echoed before it is evaluated, and only then is Ctrl-C a signal.
    await new Promise((resolve) => setTimeout(resolve, 500));
    await terminal.press("\x03");
    await terminal.sees("1 request in flight cancelled");
    await terminal.sees("ECANCELED");
    await terminal.sees("> ");
    await terminal.press("await new Promise(() => {})\r");
    await terminal.sees("\r\n");
    await new Promise((resolve) => setTimeout(resolve, 500));
    await terminal.press("\x03");
    await terminal.sees("Once more leaves");
    await new Promise((resolve) => setTimeout(resolve, 500));
    await terminal.press("\x03");
    assertEquals(await terminal.code(), 130);
  },
);

test(
  "Ctrl-C ends a lab and an experiment, whose trials stay in their variables",
  { needs: [{ program: "script" }] },
  async () => {
    const terminal = new Terminal();
    await terminal.sees("> ");
    const options = "{ options: { payload: [600], mode: ['zc'], seconds: 0.05 }, repeats: 500 }";
    await terminal.press(`const run = await runLab(labs["tx-copy-vs-zc"], ${options})\r`);
    // Two warm-up trials, then 500 rounds of three; the bar is drawn every other trial.
    for (let drawn = 0; drawn < 6; drawn++) await terminal.sees("/1502");
    await terminal.press("\x03");
    await terminal.sees("what runs is told to stop");
    await terminal.sees("> ");
    await terminal.press("[run.document.complete, run.document.trials.length > 4]\r");
    await terminal.sees("[ false, true ]");
    await terminal.press("run\r");
    await terminal.sees("Partial: the run was stopped before its last trial");
    await terminal.sees("> ");
    const slow = "() => new Promise((done) => setTimeout(() => done({ rate: 1 }), 20))";
    const onProgress = "(done) => done === 4 && console.log('go' + 'es')";
    await terminal.press(
      `const found = await experiment({ factors: [{ a: 1 }], repeats: 9999, trial: ${slow}, onProgress: ${onProgress} })\r`,
    );
    await terminal.sees("\ngoes");
    // So soon after the first one a signal is taken for the same one.
    await new Promise((resolve) => setTimeout(resolve, 500));
    await terminal.press("\x03");
    await terminal.sees("> ");
    await terminal.press("[found.complete, found.stopped, found.trials.length > 3]\r");
    await terminal.sees('[ false, "signal", true ]');
    await terminal.press("close()\r");
    await terminal.code();
  },
);

test(
  "Ctrl-\\ ends the REPL even in an endless loop",
  { needs: [{ program: "script" }] },
  async () => {
    const terminal = new Terminal();
    await terminal.sees("> ");
    await terminal.press('console.log("loops"); while (true) {}\r');
    await terminal.sees("\nloops");
    await terminal.press("\x1c");
    assertEquals(await terminal.code(), 131);
  },
);

Deno.test("leaving the REPL leaves nothing: end of input, close(), exit, kill -9", async () => {
  const before = ownInterfaces();
  const mark = crypto.randomUUID();
  // Each of the four that run at a time has two namespaces. A leak soon uses them up.
  const [most, rounds] = [24, 3];
  const source = `${COUNT_FREE}
    const line = "const bed = await Testbed.pair(); const ring = Ring.open(); " +
      "const area = Area.map({ bytes: 1 << 20 }); ring.register(area); " +
      "const receiver = Socket.udp(bed.near); const p = ring.recv(receiver, area.slice()); " +
      "console.log('ready', Deno.pid)\\n";
    async function leave(how) {
      const repl = new Deno.Command(Deno.execPath(), {
        args: ["task", "--quiet", "repl"],
        cwd: ${JSON.stringify(ROOT)},
        env: { ZCLAB_MARK: "${mark}" },
        stdin: "piped",
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      const keys = repl.stdin.getWriter();
      const type = (text) => keys.write(new TextEncoder().encode(text));
      await type(line);
      let seen = "";
      const out = repl.stdout.pipeThrough(new TextDecoderStream());
      for await (const piece of out.values({ preventCancel: true })) {
        seen += piece;
        if (/ready \\d+\\n/.test(seen)) break;
      }
      const pid = Number(seen.match(/ready (\\d+)/)[1]);
      const rest = out.pipeTo(new WritableStream());
      if (how === "kill") Deno.kill(pid, "SIGKILL");
      else if (how !== "end") await type(how + "\\n");
      await keys.close().catch(() => {});
      await rest;
      await repl.status;
    }
    for (let round = 0; round < ${rounds}; round++) {
      await Promise.all(["end", "close()", "Deno.exit(0)", "kill"].map(leave));
    }
    console.log(await free(${most}));
  `;
  const free = await runWithFewNamespaces(most, source);
  assertEquals(free.trim(), String(most));
  await untilMarkedProcessesAreGone(mark);
  assertEquals(ownInterfaces(), before);
});

Deno.test("labsByName() shows the labs as a list", () => {
  const labs = labsByName([SAMPLE, NEEDY]);
  assertEquals(Object.keys(labs), ["sample-lab", "needy-lab"]);
  assertStringIncludes(Deno.inspect(labs), "needy-lab: Needs what is not there");
});

Deno.test("help() lists each exported value with what it is, in 80 columns", () => {
  const text = helpText();
  const lines = text.split("\n");
  for (const name of Object.keys(zclab)) {
    const line = lines.find((line) => line.startsWith(`  ${name} `));
    assert(line !== undefined, name);
    assertMatch(line, /^ {2}\S+ {2,}\S.*/, `${name} has no documentation`);
  }
  for (const { name } of CATALOGUE) assertMatch(text, new RegExp(`^  ${name} +\\S`, "m"));
  for (const line of lines) assert(line.length <= 80, line);
});

Deno.test("help() explains classes, instances, names and types", () => {
  using area = zclab.Area.map({ bytes: 4096 });
  for (const what of [zclab.Area, area, "Area", " Area "]) {
    const text = helpText(what);
    assertMatch(text, /^class Area\n/);
    assertMatch(text, /^ {2}Area\.map\(options\) +Maps anonymous memory/m);
    assertMatch(text, /^ {2}inFlight: number +How many slices/m);
    assertMatch(text, /^ {2}chunks\(length\) +The area cut into/m);
    assertStringIncludes(text, "const slice = area.slice(100, 5);");
    assert(!/\{@link|@internal|#mapping|customInspect/.test(text), text);
  }
  // Who makes a slice is the area; its constructor is internal.
  assert(!helpText(zclab.Slice).includes("new Slice"));
  assertMatch(
    helpText("SendOptions"),
    /^interface SendOptions[\s\S]*flags\?: number[\s\S]*signal\?: AbortSignal/,
  );
  assertMatch(helpText("SinkOptions"), /^ {2}mtu\?: number +The MTU, [\s\S]*Default: 65535\.$/m);
  assertStringIncludes(helpText("LabOption"), "type LabOption = NumberOption | ");
  assertStringIncludes(helpText(zclab.OP), "const OP: ");
});

Deno.test("help() explains methods, with the options that they take", () => {
  using ring = zclab.Ring.open({ entries: 4 });
  for (const what of [ring.sendZc, zclab.Ring.prototype.sendZc, "Ring.sendZc"]) {
    const text = helpText(what);
    assertMatch(text, /^Ring\.sendZc\(file: Descriptor, slice: Slice, options\?: SendZcOptions\):/);
    assertMatch(text, /^Throws\n {2}UringError +If sending fails\.$/m);
    assertMatch(text, /^ {2}notifier\?: Notifier +\S/m);
    // What the options inherit.
    assertMatch(text, /^ {2}signal\?: AbortSignal +\S/m);
  }
  assertMatch(helpText(ring.batch.sendZc), /^Batch\.sendZc\(/);
  assertMatch(
    helpText(zclab.Ring.open),
    /^static Ring\.open\(options\?: RingOptions\): Ring/,
  );
  assertMatch(helpText("Ring.entries"), /^Ring\.entries: number\n/);
  // Inherited, and a name that only one class has.
  assertMatch(
    helpText("DeviceMemoryReceiver.interface"),
    /^DeviceMemoryReceiver\.interface: string/,
  );
  assertMatch(helpText("flushBlocking"), /^Notifier\.flushBlocking\(/);
  assertStringIncludes(helpText("sendZc"), "Ring.sendZc, Batch.sendZc");
  assertMatch(helpText(zclab.transmit), /^transmit\(socket: Socket, options: Transmit/);
});

Deno.test("help() explains a lab: whether it is real here, its options, how to run it", () => {
  const [lab] = CATALOGUE;
  for (const what of [lab, lab!.name]) {
    const text = helpText(what);
    assertStringIncludes(text.replaceAll(/\s+/g, " "), `${lab!.name}: ${lab!.title}`);
    assertMatch(text, /^Needs \((?:real here|real in the guest only|not possible here)\)$/m);
    for (const need of lab!.needs) {
      assertMatch(text, new RegExp(`^  ${need} +(real|guest|no):`, "m"));
    }
    for (const name of Object.keys(lab!.options)) {
      assertMatch(text, new RegExp(`^  ${name}: \\w`, "m"));
    }
    assertStringIncludes(text, `await runLab(labs["${lab!.name}"], { quick: true`);
    for (const line of text.split("\n")) assert(line.length <= 80, line);
  }
});

Deno.test("help() asks for the documentation once, and tells the same each time", () => {
  const first = helpText("Ring");
  const started = performance.now();
  for (let i = 0; i < 50; i++) assertEquals(helpText("Ring"), first);
  // Fifty processes would take many seconds.
  assert(performance.now() - started < 5000);
});

Deno.test("help() gives a value that shows itself, and nothing else", () => {
  const shown = help("OP");
  assertEquals(Deno.inspect(shown), shown.text.trimEnd());
  const display = (shown as unknown as Record<symbol, () => Record<string, string>>)[
    Symbol.for("Jupyter.display")
  ]!();
  assertMatch(display["text/html"]!, /^<pre>const OP: [^<>]*<\/pre>$/);
});

Deno.test("help() says what it does not know, and what was meant", () => {
  for (const what of [42, "NoSuchThing", "--help", "", null, { a: 1 }, () => {}, "Ring.x.y"]) {
    assertStringIncludes(
      helpText(what).replaceAll(/\s+/g, " "),
      "help() lists all there is",
      String(what),
    );
  }
  const near = {
    Rng: "Ring",
    "ring.sendzc": "Ring.sendZc",
    "Ring.sendZC": "Ring.sendZc",
    flushBlockin: "Notifier.flushBlocking",
    "tx-copy-vs-z": "tx-copy-vs-zc",
  };
  for (const [wrong, right] of Object.entries(near)) {
    const text = helpText(wrong).replaceAll("\n", " ");
    assertStringIncludes(text, `Did you mean help("${right}")?`);
  }
});

/** An interrupter with what it printed, and a clock that the test moves. */
function interrupterWith(): { interrupter: Interrupter; said: string[]; clock: { now: number } } {
  const said: string[] = [];
  const clock = { now: 0 };
  const interrupter = new Interrupter({
    print: (text) => said.push(text),
    leave: () => said.push("left"),
    now: () => clock.now,
  });
  return { interrupter, said, clock };
}

Deno.test("Ctrl-C cancels the requests of every ring, which then go on working", async () => {
  const { interrupter, said } = interrupterWith();
  using area = zclab.Area.map({ bytes: 8192 });
  using receiver = zclab.Socket.udp().bind({ host: "127.0.0.1", port: 0 });
  const rings = [zclab.Ring.open(), zclab.Ring.open(), zclab.Ring.open()];
  try {
    for (const ring of rings) assertEquals(interrupter.watch(ring), ring);
    rings[2]!.close();
    const waiting = [
      rings[0]!.recv(receiver, area.slice(0, 100)),
      rings[1]!.timeout(3_600_000),
      rings[1]!.poll(receiver, zclab.POLL.IN),
    ];
    await rings[0]!.nop();
    await interrupter.interrupt();
    for (const each of waiting) await assertRejects(() => each, zclab.UringError, "ECANCELED");
    assertEquals(said, ["\nCtrl-C: 3 requests in flight cancelled\n"]);
    for (const ring of rings.slice(0, 2)) await ring.nop();
  } finally {
    for (const ring of rings) ring.close();
  }
});

Deno.test("Ctrl-C ends loops over what goes on for ever", async () => {
  const { interrupter, said } = interrupterWith();
  await using ring = interrupter.watch(zclab.Ring.open());
  using listener = zclab.Socket.tcp().bind({ host: "127.0.0.1", port: 0 }).listen();
  using receiver = zclab.Socket.udp().bind({ host: "127.0.0.1", port: 0 });
  using buffers = zclab.BufferRing.open(ring, { count: 4, bytes: 100 });
  const loops = [ring.acceptMultishot(listener), ring.recvMultishot(receiver, buffers)];
  const waiting = loops.map((loop) => loop.next());
  await ring.nop();
  await interrupter.interrupt();
  for (const each of waiting) await assertRejects(() => each, zclab.UringError, "ECANCELED");
  assertEquals(said, ["\nCtrl-C: 2 requests in flight cancelled\n"]);
});

Deno.test("Ctrl-C tells what runs to stop, and counts a signal that comes twice once", async () => {
  const { interrupter, said, clock } = interrupterWith();
  const own = new AbortController();
  const running = interrupter.run(
    (signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    own.signal,
  );
  await interrupter.interrupt();
  clock.now += 10;
  await interrupter.interrupt();
  const error = await assertRejects(() => running, InterruptedError, "Interrupted by Ctrl-C");
  assertEquals(error.stack, "InterruptedError: Interrupted by Ctrl-C");
  assertEquals(said, ["\nCtrl-C: what runs is told to stop\n"]);

  const other = interrupter.run(
    (signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    own.signal,
  );
  own.abort(new RangeError("by the caller"));
  await assertRejects(() => other, RangeError, "by the caller");
});

Deno.test("Ctrl-C leaves at the second time when there was nothing to end", async () => {
  const { interrupter, said, clock } = interrupterWith();
  await interrupter.interrupt();
  assertMatch(said.join(""), /what is awaited goes on\. Once more leaves/);
  clock.now += 60_000;
  await interrupter.interrupt();
  assertEquals(said.length, 2);
  assertEquals(said.includes("left"), false);
  clock.now += 1000;
  await interrupter.interrupt();
  assertEquals(said.at(-1), "left");
});
