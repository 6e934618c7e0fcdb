/**
 * The trials of receiving: the C programs and our loop in turns, on softnic.
 *
 * @module
 */
import { median } from "simple-statistics";
import { Softnic, Testbed } from "zclab";
import type { Progress } from "../labs/kit/terminal/progress.ts";
import { receiveZeroCopy } from "./receive.ts";
import { namespacesOf, Reference } from "./reference.ts";
import type { OnListening, Received } from "./stream.ts";

/** Who receives, and how. */
export const RECEIVE_SIDES = ["C, zcrx", "Deno, zcrx", "C, recv"] as const;

/** One of {@linkcode RECEIVE_SIDES}. */
export type ReceiveSide = typeof RECEIVE_SIDES[number];

/** How to measure. */
export interface ReceiveTrialsOptions {
  /** How often each side receives, after a warm-up. */
  readonly rounds: number;
  /** Bytes of each stream. */
  readonly bytes: number;
  /** Told how far it has come. */
  readonly progress: Pick<Progress, "update">;
}

/** One stream that one side received. */
export interface ReceiveTrial {
  readonly side: ReceiveSide;
  readonly round: number;
  /** From the first request to the last byte. */
  readonly seconds: number;
  readonly pieces: number;
  /** CPU time of the receiving thread, user and system. */
  readonly cpuSeconds: number;
  /** What the receiving thread's processor did in softirqs, for whomever. */
  readonly receiverSoftirqSeconds: number;
  /** What the sender's processor did in softirqs: the NIC's part of receiving is there. */
  readonly senderSoftirqSeconds: number;
  /** CPU time of the sending thread, connecting and closing included. */
  readonly senderCpuSeconds: number;
  /** Bytes that the NIC placed into user memory, by its own count; more where TCP sent some twice. */
  readonly placedBytes: number;
  /** Frames that found no posted buffer, and were dropped. */
  readonly droppedFrames: number;
  /** Bytes that the kernel says it copied into the area. */
  readonly copiedBytes: number;
}

/** What one side reached: medians over its trials. */
export interface ReceiveRow {
  readonly side: ReceiveSide;
  readonly bytesPerSecond: number;
  readonly bytesPerPiece: number;
  /** Milliseconds for each MiB, of the receiving thread. */
  readonly cpuPerMiB: number;
  /** Milliseconds for each MiB, in softirqs on the receiver's processor. */
  readonly receiverSoftirqPerMiB: number;
  /** Milliseconds for each MiB, in softirqs on the sender's processor. */
  readonly senderSoftirqPerMiB: number;
}

/** What came out. */
export interface ReceiveResult {
  readonly bytes: number;
  readonly rounds: number;
  readonly rows: readonly ReceiveRow[];
  /** Median over the rounds of our bytes per second divided by the C program's, both with zcrx. */
  readonly ratio: number;
  /** The same of the CPU time of the receiving thread, ours divided by the C program's. */
  readonly cpuRatio: number;
  readonly trials: readonly ReceiveTrial[];
}

/** The queues of each port, and the one that the stream is steered to. */
const QUEUES = 2;
const QUEUE = 1;
const PORT = 9100;
const RECEIVER_CPU = 0;
const SENDER_CPU = 1;

/**
 * The same for both sides. A full completion queue, a full window of TCP (6 MiB by default) and the
 * buffers that the NIC posts in advance together leave buffers free: a NIC that finds none drops what
 * arrives, and then the trial would measure how TCP repeats it.
 */
const MEMORY = { area: 32 << 20, refill: 8192, completions: 4096 } as const;
/** Streams of each side before the first round: what is compiled as it runs is then compiled. */
const WARM_UPS = 2;
/** Bytes for each recv(2). */
const COPY_LENGTH = 65_536;

const MIB = 1 << 20;
/** Units of /proc/stat in a second: USER_HZ, which is 100 on every architecture of Deno. */
const TICKS_PER_SECOND = 100;
const SOFTIRQ_COLUMN = 7;

/**
 * Receives streams, the sides in turns, so that drift hits all of them.
 *
 * @param options How often, how long.
 * @returns Medians and the trials behind them.
 * @throws {UnsupportedError} If softnic is not loaded, or this kernel cannot receive without copying.
 * @throws {Error} If what should be placed was copied, or a stream did not arrive as it was sent.
 */
export async function receiveTrials(options: ReceiveTrialsOptions): Promise<ReceiveResult> {
  const { rounds, bytes, progress } = options;
  await using bed = await Testbed.softnic({ queues: QUEUES });
  const nic = await Softnic.of(bed.far);
  await nic.steer({ port: PORT, queue: QUEUE });
  await keepNapiAway([nic, await Softnic.of(bed.near)]);
  await using sender = await Reference.start(namespacesOf(bed.near));
  await using reference = await Reference.start(namespacesOf(bed.far));
  const wire = { bed, nic, sender, reference, bytes };

  const count = RECEIVE_SIDES.length;
  const trials: ReceiveTrial[] = [];
  for (let round = -WARM_UPS; round < rounds; round++) {
    for (let turn = 0; turn < count; turn++) {
      // Each round begins with another side.
      const side = RECEIVE_SIDES[(turn + round + WARM_UPS) % count]!;
      const what = round < 0 ? "warm-up" : `round ${round + 1}`;
      const done = (round + WARM_UPS) * count + turn;
      progress.update(done, (rounds + WARM_UPS) * count, `${side}, ${what}`);
      const trial = await receiveOnce(wire, side, round);
      if (round >= 0) trials.push(trial);
    }
  }
  return {
    bytes,
    rounds,
    rows: RECEIVE_SIDES.map((side) => summarize(side, bytes, trials)),
    ratio: 1 / median(ratios(trials, ({ seconds }) => seconds)),
    cpuRatio: median(ratios(trials, ({ cpuSeconds }) => cpuSeconds)),
    trials,
  };
}

/**
 * Has the sender's processor do the work of NAPI for both ports. Otherwise a frame is received where it
 * was sent from: a receiver that sends an ACK would do the sender's part of TCP in its own time, and the
 * CPU time of its thread would not be its own.
 */
async function keepNapiAway(ports: readonly Softnic[]): Promise<void> {
  for (const port of ports) {
    for (let queue = 0; queue < QUEUES; queue++) await port.setInterruptCpu(queue, SENDER_CPU);
  }
}

/** What all trials share. */
interface Wire {
  readonly bed: Testbed;
  readonly nic: Softnic;
  readonly sender: Reference;
  readonly reference: Reference;
  readonly bytes: number;
}

async function receiveOnce(wire: Wire, side: ReceiveSide, round: number): Promise<ReceiveTrial> {
  const { bed, nic, sender, bytes } = wire;
  const stream = { ...bed.far.address(PORT), bytes };
  const placedBefore = await readPlaced(nic);
  const before = softirqSeconds();
  const received = await receiveAs(wire, side, () => sender.stream({ ...stream, cpu: SENDER_CPU }));
  const after = softirqSeconds();
  const { cpuSeconds: senderCpuSeconds } = await sender.sent();
  const placed = difference(await readPlaced(nic), placedBefore);
  if (side !== "C, recv") checkPlaced(side, bytes, placed, received.copiedBytes);
  return {
    side,
    round,
    seconds: received.seconds,
    pieces: received.pieces,
    cpuSeconds: received.cpuSeconds,
    receiverSoftirqSeconds: after[RECEIVER_CPU]! - before[RECEIVER_CPU]!,
    senderSoftirqSeconds: after[SENDER_CPU]! - before[SENDER_CPU]!,
    senderCpuSeconds,
    placedBytes: placed.user,
    droppedFrames: placed.dropped,
    copiedBytes: received.copiedBytes,
  };
}

function receiveAs(wire: Wire, side: ReceiveSide, onListening: OnListening): Promise<Received> {
  const { bed, reference, bytes } = wire;
  const stream = { ...bed.far.address(PORT), bytes, cpu: RECEIVER_CPU };
  const queue = { interface: bed.far.interface, queue: QUEUE, ...MEMORY };
  switch (side) {
    case "C, zcrx":
      return reference.receiveZeroCopy({ ...stream, ...queue }, onListening);
    case "Deno, zcrx":
      return receiveZeroCopy(bed.far, { ...stream, ...queue }, onListening);
    case "C, recv":
      return reference.receiveCopying({ ...stream, length: COPY_LENGTH }, onListening);
  }
}

/** What the NIC counts of the queue. */
interface Placed {
  /** Bytes placed into user memory. */
  readonly user: number;
  /** Bytes of payload left with the headers: the kernel copies them. */
  readonly linear: number;
  /** Frames that found no posted buffer. */
  readonly dropped: number;
}

async function readPlaced(nic: Softnic): Promise<Placed> {
  const counters = await nic.counters();
  const read = (name: string): number => {
    const value = counters[`rx${QUEUE}_${name}`];
    if (value === undefined) throw new Error(`softnic has no counter rx${QUEUE}_${name}`);
    return value;
  };
  return {
    user: read("user_bytes"),
    linear: read("linear_payload_bytes"),
    dropped: read("no_descriptor_drops"),
  };
}

function difference(after: Placed, before: Placed): Placed {
  return {
    user: after.user - before.user,
    linear: after.linear - before.linear,
    dropped: after.dropped - before.dropped,
  };
}

/** A figure for zero copy is none if anything was copied. What TCP sends twice is placed twice. */
function checkPlaced(side: ReceiveSide, bytes: number, placed: Placed, copied: number): void {
  if (placed.user >= bytes && placed.linear === 0 && copied === 0) return;
  throw new Error(
    `${side}: of ${bytes} bytes the NIC placed ${placed.user} and left ${placed.linear} with the ` +
      `headers, and the kernel copied ${copied}`,
  );
}

/** Time that each processor has spent in softirqs. */
function softirqSeconds(): number[] {
  const lines = Deno.readTextFileSync("/proc/stat").split("\n");
  const processors = lines.map((line) => line.split(/\s+/)).filter(([name]) =>
    /^cpu\d/.test(name!)
  );
  return processors.map((words) => Number(words[SOFTIRQ_COLUMN]) / TICKS_PER_SECOND);
}

function summarize(
  side: ReceiveSide,
  bytes: number,
  trials: readonly ReceiveTrial[],
): ReceiveRow {
  const own = trials.filter((trial) => trial.side === side);
  const perMiB = (seconds: (trial: ReceiveTrial) => number): number =>
    median(own.map((trial) => seconds(trial) * 1000 / (bytes / MIB)));
  return {
    side,
    bytesPerSecond: median(own.map(({ seconds }) => bytes / seconds)),
    bytesPerPiece: median(own.map(({ pieces }) => bytes / pieces)),
    cpuPerMiB: perMiB(({ cpuSeconds }) => cpuSeconds),
    receiverSoftirqPerMiB: perMiB(({ receiverSoftirqSeconds }) => receiverSoftirqSeconds),
    senderSoftirqPerMiB: perMiB(({ senderSoftirqSeconds }) => senderSoftirqSeconds),
  };
}

/** For each round ours divided by the C program's, both with zcrx. */
function ratios(
  trials: readonly ReceiveTrial[],
  measure: (trial: ReceiveTrial) => number,
): number[] {
  const measures = (side: ReceiveSide): number[] =>
    trials.filter((trial) => trial.side === side).sort((a, b) => a.round - b.round).map(measure);
  const [c, ours] = [measures("C, zcrx"), measures("Deno, zcrx")];
  return ours.map((value, round) => value / c[round]!);
}
