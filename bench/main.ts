/**
 * `deno task bench`: our speed against a C program that does the same work, interleaved in one run.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { fromFileUrl } from "@std/path";
import { geometricMean, median } from "simple-statistics";
import {
  Area,
  checkWritable,
  formatSi,
  Notifier,
  Progress,
  Ring,
  Socket,
  table,
  Testbed,
  transmit,
  TRANSMIT_MODES,
} from "zclab";
import { ensureSystem } from "../labs/kit/setup.ts";
import { Reference } from "./reference.ts";

const HELP = `deno task bench [--json FILE] [--rounds N] [--quick]

Measures the batch face, the await face and every row of the lab tx-copy-vs-zc against a C program
of our own, interleaved, and prints medians and ratios.

  --json FILE   write the result there
  --rounds N    rounds, at least 5 (7)
  --quick       a tenth of the work in each round: for a look, not for a figure
`;

/** One line of the result. NOP: nanoseconds for each operation; sends: datagrams per second. */
interface Row {
  readonly name: string;
  readonly batch: number;
  /** Median of the C program. */
  readonly c: number;
  /** Median of ours. */
  readonly deno: number;
  /** Median over the rounds of ours divided by C's. */
  readonly ratio: number;
}

const NOP_BATCHES = [1, 8, 32, 128] as const;
/** What the batch face may take at most, as a multiple of C's time. */
const NOP_BAR = { 1: 1.25, 8: 1.10, 32: 1.10, 128: 1.10 } as const;
/** What sends must reach at least, as a part of C's rate: the geometric mean over all rows. */
const SEND_BAR = 0.97;
const SEND_BATCH = 32;
const PAYLOADS = [600, 1000, 1200, 1500, 4000, 8000] as const;
const HEAP_OPERATIONS = 10_000_000;
const PORT = 9000;

function nop(ring: Ring, batch: number, operations: number): number {
  const face = ring.batch;
  const onCompletion = (): void => {};
  const rounds = Math.ceil(operations / batch);
  const start = performance.now();
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < batch; i++) face.nop(i);
    face.submitAndWait(batch);
    face.reap(onCompletion);
  }
  return (performance.now() - start) * 1e6 / (rounds * batch);
}

async function nopAwaited(ring: Ring, operations: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < operations; i++) await ring.nop();
  return (performance.now() - start) * 1e6 / operations;
}

/** Runs both sides in turn, in alternating order, so that drift hits both. */
async function pairs(
  name: string,
  batch: number,
  rounds: number,
  c: () => Promise<number>,
  ours: () => number | Promise<number>,
): Promise<Row> {
  const measured: { c: number; deno: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) {
      const first = await c();
      measured.push({ c: first, deno: await ours() });
    } else {
      const first = await ours();
      measured.push({ deno: first, c: await c() });
    }
  }
  return {
    name,
    batch,
    c: median(measured.map((pair) => pair.c)),
    deno: median(measured.map((pair) => pair.deno)),
    ratio: median(measured.map((pair) => pair.deno / pair.c)),
  };
}

async function nopRows(rounds: number, scale: number, progress: Progress): Promise<Row[]> {
  await using reference = await Reference.start();
  const rows: Row[] = [];
  for (const batch of NOP_BATCHES) {
    progress.update(rows.length, NOP_BATCHES.length + 1, `nop, batch ${batch}`);
    const operations = Math.round((batch === 1 ? 400_000 : 2_000_000) * scale);
    using ring = Ring.open({ entries: 256 });
    nop(ring, batch, 200_000);
    rows.push(
      await pairs(
        "nop",
        batch,
        rounds,
        async () => (await reference.nop(batch, operations)).nanoseconds,
        () => nop(ring, batch, operations),
      ),
    );
  }
  using ring = Ring.open({ entries: 256 });
  const operations = Math.round(100_000 * scale);
  await nopAwaited(ring, operations);
  rows.push(
    await pairs(
      "nop, awaited",
      1,
      rounds,
      async () => (await reference.nop(1, operations)).nanoseconds,
      () => nopAwaited(ring, operations),
    ),
  );
  return rows;
}

async function sendRows(rounds: number, scale: number, progress: Progress): Promise<Row[]> {
  await using bed = await Testbed.sink();
  const descriptors = `/proc/${Deno.pid}/fd`;
  const { fd, userFd } = bed.near.namespace;
  await using reference = await Reference.start({
    networkNamespace: `${descriptors}/${fd}`,
    ...(userFd < 0 ? {} : { userNamespace: `${descriptors}/${userFd}` }),
  });
  const seconds = 0.1 * scale;
  const address = bed.far.address(PORT);
  const send = (mode: typeof TRANSMIT_MODES[number], payload: number): number => {
    using socket = Socket.udp(bed.near).connect(address);
    return transmit(socket, { mode, payload, batch: SEND_BATCH, seconds }).datagramsPerSecond;
  };
  for (const mode of TRANSMIT_MODES) send(mode, PAYLOADS[0]);

  const rows: Row[] = [];
  for (const payload of PAYLOADS) {
    for (const mode of TRANSMIT_MODES) {
      const name = `${mode}, ${payload} B`;
      progress.update(rows.length, PAYLOADS.length * TRANSMIT_MODES.length, name);
      const theirs = { payload, batch: SEND_BATCH, seconds, address: address.host, port: PORT };
      rows.push(
        await pairs(
          name,
          SEND_BATCH,
          rounds,
          async () => (await reference.send(mode, theirs)).datagramsPerSecond,
          () => send(mode, payload),
        ),
      );
    }
  }
  return rows;
}

/** What the heap has more after ten million operations than before, garbage taken away. */
async function heapGrowth(): Promise<number> {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("Run with --v8-flags=--expose-gc, as deno task bench does");
  await using bed = await Testbed.sink();
  using ring = Ring.open({ entries: 256 });
  using area = Area.map({ bytes: 32 * 4096 });
  using socket = Socket.udp(bed.near).connect(bed.far.address(PORT));
  const chunks = area.chunks(4096);
  const notifier = new Notifier(ring);
  const run = (operations: number): void => {
    nop(ring, 128, operations * 0.95);
    for (let done = 0; done < operations * 0.05; done += chunks.length) {
      for (const chunk of chunks) ring.batch.sendZc(socket, chunk, notifier);
      ring.batch.submitAndWait(chunks.length);
      ring.batch.reap(() => {});
    }
    notifier.flushBlocking();
  };
  run(HEAP_OPERATIONS / 20);
  gc();
  const before = Deno.memoryUsage().heapUsed;
  run(HEAP_OPERATIONS);
  gc();
  return Deno.memoryUsage().heapUsed - before;
}

/** Milliseconds from starting the REPL to the answer to the first line typed into it. */
async function replStart(): Promise<number> {
  const start = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["task", "repl"],
    cwd: fromFileUrl(new URL("..", import.meta.url)),
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode('"rea" + "dy"\n'));
  let text = "";
  let milliseconds = NaN;
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes("ready")) {
      milliseconds = performance.now() - start;
      break;
    }
  }
  await writer.close();
  await child.status;
  return milliseconds;
}

function report(rows: readonly Row[]): string {
  return table<Row>([
    { title: "what", value: (row) => row.name },
    { title: "batch", value: (row) => row.batch },
    { title: "C", value: (row) => row.c, format: show },
    { title: "Deno", value: (row) => row.deno, format: show },
    {
      title: "Deno / C",
      value: (row) => row.ratio,
      format: (value) => Number(value).toFixed(3),
    },
  ], rows);
}

function show(value: string | number | boolean, row: Row): string {
  return row.name.startsWith("nop")
    ? `${Number(value).toFixed(1)} ns`
    : `${formatSi(Number(value))}/s`;
}

function judge(met: boolean, text: string): string {
  return `${met ? "meets its figure " : "MISSES its figure"}  ${text}`;
}

async function main(args: string[]): Promise<number> {
  const unknown: string[] = [];
  const options = parseArgs(args, {
    boolean: ["help", "quick"],
    string: ["json", "rounds"],
    unknown: (name: string) => (unknown.push(name), false),
  });
  const rounds = Number(options.rounds ?? 7);
  const json = typeof options.json === "string" ? options.json : undefined;
  if (unknown.length > 0 || !Number.isInteger(rounds) || rounds < 5 || json === "") {
    const what = unknown.length > 0 ? `unknown: ${unknown.join(" ")}` : "a value is not possible";
    console.error(`deno task bench: ${what}\n\n${HELP}`);
    return 2;
  }
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  if (json !== undefined) await checkWritable(json);
  await ensureSystem();
  const scale = options.quick ? 0.1 : 1;
  using progress = new Progress();
  const nops = await nopRows(rounds, scale, progress);
  const sends = await sendRows(rounds, scale, progress);
  progress.update(1, 1, "heap");
  const heapGrowthBytes = await heapGrowth();
  const repl: number[] = [];
  for (let i = 0; i < 5; i++) repl.push(await replStart());
  progress[Symbol.dispose]();

  const batches = nops.filter((row) => row.name === "nop");
  const geomean = {
    nop: geometricMean(batches.map((row) => row.ratio)),
    send: geometricMean(sends.map((row) => row.ratio)),
  };
  const rows = [...nops, ...sends];
  console.log(report(rows));
  for (const { batch, ratio } of batches) {
    const bar = NOP_BAR[batch as keyof typeof NOP_BAR];
    console.log(judge(ratio <= bar, `nop, batch ${batch}: ${ratio.toFixed(3)}, at most ${bar}`));
  }
  console.log(
    judge(
      geomean.send >= SEND_BAR,
      `sends, geometric mean: ${geomean.send.toFixed(3)}, at least ${SEND_BAR}`,
    ),
  );
  console.log(judge(heapGrowthBytes < 1 << 20, `heap after 10 million: ${heapGrowthBytes} bytes`));
  console.log(judge(median(repl) < 500, `repl: answers after ${median(repl).toFixed(0)} ms`));
  if (json !== undefined) {
    const result = {
      schema: "zclab/bench/1",
      rows,
      geomean,
      heapGrowthBytes,
      replMilliseconds: median(repl),
      rounds,
      quick: options.quick,
    };
    await Deno.writeTextFile(json, JSON.stringify(result, undefined, 2) + "\n");
  }
  return 0;
}

if (import.meta.main) {
  Deno.exit(await main(Deno.args));
}
