/**
 * `deno task bench`: our speed against a C program that does the same work, interleaved in one run.
 *
 * @module
 */
import { geometricMean, median } from "simple-statistics";
import { pinThread, Ring, Socket, Testbed, UnsupportedError } from "zclab";
import { formatSi, table } from "zclab/experiment";
import { OptionError, transmit, TRANSMIT_MODES } from "zclab/lab";
import type { TransmitMode } from "zclab/types";
import { Progress } from "../labs/kit/terminal/progress.ts";
import { readArguments, requireWritable, wholeNumber } from "../labs/kit/lab/arguments.ts";
import { ensureSystem } from "../labs/kit/terminal/setup.ts";
import { describeError, EXIT, exitCode } from "../labs/kit/terminal/terminal.ts";
import { heapGrowth } from "./heap.ts";
import { nop } from "./nop.ts";
import { type ReceiveResult, type ReceiveRow, receiveTrials } from "./receive_trials.ts";
import { namespacesOf, Reference } from "./reference.ts";
import { replStart } from "./repl_start.ts";

const HELP = `deno task bench [PART] [--json FILE] [--rounds N] [--quick]

Measures us against C programs of our own, interleaved, and prints medians and ratios.

  transmit      the batch face, the await face, every row of the lab tx-copy-vs-zc, the rows of
                liburing's example program with its one buffer for all requests, the heap, and how
                fast the REPL answers
  receive       a TCP stream of 256 MiB through zcrx on softnic, and the CPU time of it; needs the
                guest: deno task vm -- deno task bench receive

Without PART: all that this machine can do.

  --json FILE   write the result there
  --rounds N    rounds, at least 5 (7)
  --quick       a tenth of the work in each round: for a look, not for a figure

Exit codes: 0 done, 2 bad arguments, 77 not possible on this machine.
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

/** Whether the requests of a few batches have memory of their own, or all send the same. */
type Buffers = "many" | "one";

/** What can be measured by itself. */
const PARTS: readonly string[] = ["transmit", "receive"];
const NOP_BATCHES = [1, 8, 32, 128] as const;
/** What the batch face may take at most, as a multiple of C's time. */
const NOP_BAR = { 1: 1.25, 8: 1.10, 32: 1.10, 128: 1.10 } as const;
/** What sends must reach at least, as a part of C's rate: the geometric mean over all rows. */
const SEND_BAR = 0.97;
const SEND_BATCH = 32;
const PAYLOADS = [600, 1000, 1200, 1500, 4000, 8000] as const;
/** What liburing's example program send-zerocopy.c can do: it sends one buffer again and again. */
const ONE_BUFFER_MODES: readonly TransmitMode[] = ["non-zc", "zc", "zc-fixed"];
const SEND_KINDS: readonly { readonly mode: TransmitMode; readonly buffers: Buffers }[] = [
  ...TRANSMIT_MODES.map((mode) => ({ mode, buffers: "many" as const })),
  ...ONE_BUFFER_MODES.map((mode) => ({ mode, buffers: "one" as const })),
];
/** What zero-copy receive must reach at least, as a part of C's rate. */
const RECEIVE_BAR = 0.9;
/** What our receiving thread may take at most, as a multiple of the CPU time of C's. */
const RECEIVE_CPU_BAR = 1.5;
const RECEIVE_BYTES = 256 << 20;
const PORT = 9000;

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

/** The last of the processors that this process may use: interrupts come to the first most often. */
function someProcessor(): number {
  const status = Deno.readTextFileSync("/proc/self/status");
  return Number(/^Cpus_allowed_list:.*?(\d+)$/m.exec(status)?.[1] ?? 0);
}

async function nopRows(rounds: number, scale: number, progress: Progress): Promise<Row[]> {
  await using reference = await Reference.start();
  const cpu = someProcessor();
  using _pinned = pinThread(cpu);
  await reference.pin(cpu);
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
  await using reference = await Reference.start(namespacesOf(bed.near));
  const cpu = someProcessor();
  using _pinned = pinThread(cpu);
  await reference.pin(cpu);
  const seconds = 0.1 * scale;
  const address = bed.far.address(PORT);
  const send = (mode: TransmitMode, what: { payload: number; buffers: Buffers }): number => {
    using socket = Socket.udp(bed.near).connect(address);
    return transmit(socket, { mode, batch: SEND_BATCH, seconds, ...what }).datagramsPerSecond;
  };
  for (const { mode, buffers } of SEND_KINDS) send(mode, { payload: PAYLOADS[0], buffers });

  const rows: Row[] = [];
  for (const payload of PAYLOADS) {
    for (const { mode, buffers } of SEND_KINDS) {
      const what = { payload, buffers };
      const name = `${mode}, ${payload} B${buffers === "one" ? ", one buffer" : ""}`;
      progress.update(rows.length, PAYLOADS.length * SEND_KINDS.length, name);
      const theirs = { ...what, batch: SEND_BATCH, seconds, address: address.host, port: PORT };
      rows.push(
        await pairs(
          name,
          SEND_BATCH,
          rounds,
          async () => (await reference.send(mode, theirs)).datagramsPerSecond,
          () => send(mode, what),
        ),
      );
    }
  }
  return rows;
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

function receiveReport(result: ReceiveResult): string {
  const milliseconds = (value: string | number | boolean): string =>
    `${Number(value).toFixed(2)} ms`;
  return table<ReceiveRow>([
    { title: "who, how", value: (row) => row.side },
    {
      title: "bytes",
      value: (row) => row.bytesPerSecond,
      format: (value) => `${formatSi(Number(value))}B/s`,
    },
    {
      title: "a piece",
      value: (row) => row.bytesPerPiece,
      format: (value) => `${Number(value).toFixed(0)} B`,
    },
    { title: "CPU per MiB", value: (row) => row.cpuPerMiB, format: milliseconds },
    {
      title: "softirqs,\nits CPU",
      value: (row) => row.receiverSoftirqPerMiB,
      format: milliseconds,
    },
    {
      title: "softirqs,\nsender's CPU",
      value: (row) => row.senderSoftirqPerMiB,
      format: milliseconds,
    },
  ], result.rows);
}

function show(value: string | number | boolean, row: Row): string {
  return row.name.startsWith("nop")
    ? `${Number(value).toFixed(1)} ns`
    : `${formatSi(Number(value))}/s`;
}

function judge(met: boolean, text: string): string {
  return `${met ? "meets its figure " : "MISSES its figure"}  ${text}`;
}

interface TransmitResult {
  readonly rows: readonly Row[];
  readonly geomean: { readonly nop: number; readonly send: number };
  readonly heapGrowthBytes: number;
  readonly replMilliseconds: number;
}

async function measureTransmit(
  rounds: number,
  scale: number,
  progress: Progress,
): Promise<TransmitResult> {
  const nops = await nopRows(rounds, scale, progress);
  const sends = await sendRows(rounds, scale, progress);
  progress.update(1, 1, "heap, REPL");
  const heapGrowthBytes = await heapGrowth();
  return {
    rows: [...nops, ...sends],
    geomean: {
      nop: geometricMean(nops.filter((row) => row.name === "nop").map((row) => row.ratio)),
      send: geometricMean(sends.map((row) => row.ratio)),
    },
    heapGrowthBytes,
    replMilliseconds: await replStart(),
  };
}

function printTransmit(result: TransmitResult): void {
  const { rows, geomean, heapGrowthBytes, replMilliseconds } = result;
  console.log(report(rows));
  for (const { batch, ratio } of rows.filter((row) => row.name === "nop")) {
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
  console.log(
    judge(replMilliseconds < 500, `repl: answers after ${replMilliseconds.toFixed(0)} ms`),
  );
}

function printReceive(result: ReceiveResult): void {
  const { ratio, cpuRatio } = result;
  console.log(receiveReport(result));
  console.log(judge(
    ratio >= RECEIVE_BAR,
    `receive, bytes per second, Deno / C: ${ratio.toFixed(3)}, at least ${RECEIVE_BAR}`,
  ));
  console.log(judge(
    cpuRatio <= RECEIVE_CPU_BAR,
    `receive, CPU per MiB, Deno / C: ${cpuRatio.toFixed(2)}, at most ${RECEIVE_CPU_BAR}`,
  ));
}

/** The trials of receiving, or why they are not possible here. */
async function measureReceive(
  rounds: number,
  scale: number,
  progress: Progress,
): Promise<ReceiveResult | UnsupportedError> {
  const bytes = Math.round(RECEIVE_BYTES * scale);
  try {
    return await receiveTrials({ rounds, bytes, progress });
  } catch (error) {
    if (error instanceof UnsupportedError) return error;
    throw error;
  }
}

interface Request {
  readonly part: string | undefined;
  readonly rounds: number;
  readonly json: string | undefined;
  readonly quick: boolean;
}

/** What the arguments ask for; `undefined` for help. */
function parseRequest(args: readonly string[]): Request | undefined {
  const options = readArguments(args, {
    boolean: ["help", "quick"],
    string: ["json", "rounds", "_"],
    unknown: (argument, key) => {
      if (key === undefined) return true;
      throw new OptionError(`bench does not know ${argument}: deno task bench --help`);
    },
  });
  const rounds = wholeNumber("rounds", options["rounds"], 5, 10_000) ?? 7;
  const json = options["json"] as string | undefined;
  if (json === "") throw new OptionError("--json needs a file");
  const [part, ...further] = options._.map(String);
  if (part !== undefined && !PARTS.includes(part)) {
    throw new OptionError(`bench has no part ${JSON.stringify(part)}: ${PARTS.join(", ")}`);
  }
  if (further.length > 0) throw new OptionError("bench takes one part, or without one does all");
  return options["help"] ? undefined : { part, rounds, json, quick: Boolean(options["quick"]) };
}

async function main(args: readonly string[]): Promise<number> {
  const request = parseRequest(args);
  if (request === undefined) {
    console.log(HELP);
    return EXIT.done;
  }
  const { part, rounds, json, quick } = request;
  if (json !== undefined) await requireWritable("json", json);
  await ensureSystem();
  const scale = quick ? 0.1 : 1;
  using progress = new Progress();
  const transmitted = part === "receive"
    ? undefined
    : await measureTransmit(rounds, scale, progress);
  const received = part === "transmit" ? undefined : await measureReceive(rounds, scale, progress);
  progress[Symbol.dispose]();

  if (transmitted !== undefined) printTransmit(transmitted);
  const refused = received instanceof UnsupportedError ? received : undefined;
  if (refused !== undefined) console.log(`receive: not possible here. ${refused.message}`);
  else if (received !== undefined) printReceive(received as ReceiveResult);
  if (json !== undefined && (transmitted !== undefined || refused === undefined)) {
    const result = {
      schema: "zclab/bench/1",
      ...transmitted,
      ...(received === undefined || refused !== undefined ? {} : { receive: received }),
      rounds,
      quick,
    };
    await Deno.writeTextFile(json, JSON.stringify(result, undefined, 2) + "\n");
  }
  return refused !== undefined && part === "receive" ? EXIT.notPossible : EXIT.done;
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    console.error(describeError(error).trimEnd());
    Deno.exit(exitCode(error));
  }
}
