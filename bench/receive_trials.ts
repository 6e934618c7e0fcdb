/**
 * The part of the bench about receiving: the C program and our loop in turns, on softnic.
 *
 * @module
 */
import { median } from "simple-statistics";
import { Softnic, Testbed } from "zclab";
import { compare, cross, experiment, noiseFloor, type Trial } from "zclab/experiment";
import type { Bar, Compared } from "./comparison.ts";
import type { Effort } from "./effort.ts";
import { receiveZeroCopy } from "./receive.ts";
import { namespacesOf, Reference } from "./reference.ts";
import type { OnListening, Received } from "./stream.ts";

/** Who receives, and how. The first is the baseline. */
export const RECEIVE_SIDES = ["C, zcrx", "zclab, zcrx", "C, recv"] as const;

/** One of {@linkcode RECEIVE_SIDES}. */
export type ReceiveSide = typeof RECEIVE_SIDES[number];

/** What one side measured of one stream. */
export type ReceiveMeasures = {
  readonly bytesPerSecond: number;
  readonly bytesPerPiece: number;
  /** CPU time of the receiving thread, user and system, in milliseconds for each MiB. */
  readonly cpuPerMiB: number;
  /** What the receiving thread's processor did in softirqs, for whomever; in the same unit. */
  readonly receiverSoftirqPerMiB: number;
  /** What the sender's processor did in softirqs: the NIC's part of receiving is there. */
  readonly senderSoftirqPerMiB: number;
  /** CPU time of the sending thread, connecting and closing included. */
  readonly senderCpuPerMiB: number;
  /** Bytes that the NIC placed into user memory, by its own count; more where TCP sent some twice. */
  readonly placedBytes: number;
  /** Frames that found no posted buffer, and were dropped. */
  readonly droppedFrames: number;
  /** Bytes that the kernel says it copied into the area. */
  readonly copiedBytes: number;
};

/** One stream that one side received. */
export type ReceiveTrial = Trial<{ readonly side: ReceiveSide }, ReceiveMeasures>;

/** What one side reached: medians over its trials. */
export type ReceiveRow = ReceiveMeasures & { readonly side: ReceiveSide };

/** What came out. */
export interface ReceiveResult {
  /** Length of each stream. */
  readonly bytes: number;
  readonly rows: readonly ReceiveRow[];
  /** Bytes per second, ours against the C program's, both with zcrx. */
  readonly speed: Compared;
  /** The same of the CPU time of the receiving thread. */
  readonly cpu: Compared;
  /** The seed of the order. */
  readonly seed: number;
  readonly trials: readonly ReceiveTrial[];
}

const BASELINE = "C, zcrx";
const OURS = "zclab, zcrx";
/** What we should reach of C's rate. */
const SPEED_BAR: Bar = { least: 0.9 };
/** What our receiving thread may take, as a multiple of the CPU time of C's. */
const CPU_BAR: Bar = { most: 1.5 };
const BYTES = 256 << 20;

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
 * @param effort How much of it.
 * @returns Medians, comparisons, and the trials behind them.
 * @throws {UnsupportedError} If softnic is not loaded.
 * @throws {TrialError} If this kernel cannot receive without copying, what should be placed was
 *   copied, or a stream did not arrive as it was sent.
 */
export async function receiveTrials({ rounds, scale, progress }: Effort): Promise<ReceiveResult> {
  const bytes = Math.round(BYTES * scale);
  await using bed = await Testbed.softnic({ queues: QUEUES });
  const nic = await Softnic.of(bed.far);
  await nic.steer({ port: PORT, queue: QUEUE });
  await keepNapiAway([nic, await Softnic.of(bed.near)]);
  await using sender = await Reference.start(namespacesOf(bed.near));
  await using reference = await Reference.start(namespacesOf(bed.far));
  const wire = { bed, nic, sender, reference, bytes };
  const { trials, seed } = await experiment({
    factors: cross({ side: RECEIVE_SIDES }),
    control: { side: BASELINE },
    warmUp: WARM_UPS,
    repeats: rounds,
    onProgress: (done, total, { side }) => progress.update(done, total, side),
    trial: ({ side }) => receiveOnce(wire, side),
  });
  return { bytes, ...summarizeTrials(trials), seed, trials };
}

/**
 * What trials of all sides come to.
 *
 * @param trials At least two rounds of them, and in each a second run of the baseline.
 */
export function summarizeTrials(
  trials: readonly ReceiveTrial[],
): Pick<ReceiveResult, "rows" | "speed" | "cpu"> {
  const rows = RECEIVE_SIDES.map((side) => summarize(side, trials));
  const compared = (name: string, measure: keyof ReceiveMeasures): Omit<Compared, "unit"> => ({
    name,
    c: rows.find(({ side }) => side === BASELINE)![measure],
    zclab: rows.find(({ side }) => side === OURS)![measure],
    ratio: compare(trials, { measure, of: { side: OURS }, against: { side: BASELINE } })!,
    noiseFloor: noiseFloor(trials, { measure })!,
  });
  return {
    rows,
    speed: { ...compared("zcrx, bytes per second", "bytesPerSecond"), unit: "B/s", bar: SPEED_BAR },
    cpu: { ...compared("zcrx, CPU per MiB", "cpuPerMiB"), unit: "ms", bar: CPU_BAR },
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

async function receiveOnce(wire: Wire, side: ReceiveSide): Promise<ReceiveMeasures> {
  const { bed, nic, sender, bytes } = wire;
  const stream = { ...bed.far.address(PORT), bytes };
  const placedBefore = await readPlaced(nic);
  const before = softirqSeconds();
  const received = await receiveAs(wire, side, () => sender.stream({ ...stream, cpu: SENDER_CPU }));
  const after = softirqSeconds();
  const { cpuSeconds: senderCpuSeconds } = await sender.sent();
  const placed = difference(await readPlaced(nic), placedBefore);
  if (side !== "C, recv") checkPlaced(side, bytes, placed, received.copiedBytes);
  const perMiB = (seconds: number): number => seconds * 1000 / (bytes / MIB);
  const softirqPerMiB = (cpu: number): number => perMiB(after[cpu]! - before[cpu]!);
  return {
    bytesPerSecond: bytes / received.seconds,
    bytesPerPiece: bytes / received.pieces,
    cpuPerMiB: perMiB(received.cpuSeconds),
    receiverSoftirqPerMiB: softirqPerMiB(RECEIVER_CPU),
    senderSoftirqPerMiB: softirqPerMiB(SENDER_CPU),
    senderCpuPerMiB: perMiB(senderCpuSeconds),
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
    case "zclab, zcrx":
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

function summarize(side: ReceiveSide, trials: readonly ReceiveTrial[]): ReceiveRow {
  const own = trials.filter((trial) =>
    !trial.warmUp && !trial.control && trial.factors.side === side
  ).map(({ measures }) => measures);
  const names = Object.keys(own[0]!) as (keyof ReceiveMeasures)[];
  const medians = names.map((name) => [name, median(own.map((measures) => measures[name]))]);
  return { side, ...Object.fromEntries(medians) as ReceiveMeasures };
}
