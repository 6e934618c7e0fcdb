/**
 * From the NIC to the disk without the CPU touching the payload: zero-copy receive into an area whose
 * pieces are written with O_DIRECT, against the usual ways.
 *
 * @module
 */
import {
  Area,
  compare,
  defineLab,
  DiskFile,
  environment,
  experiment,
  formatChange,
  formatSi,
  type LabContext,
  type LabOutcome,
  matchesWhole,
  medianInterval,
  noiseFloor,
  OptionError,
  pinThread,
  probe,
  type Ratio,
  Ring,
  runDocument,
  Socket,
  Softnic,
  StreamSender,
  table,
  Testbed,
  threadCpuSeconds,
  type Trial,
  UringError,
  verdict,
  ZeroCopyReceiver,
} from "zclab";

/** The ways from the socket to the disk. */
const PATHS = ["recv+write", "recv+direct", "zcrx+direct"] as const;
type Path = typeof PATHS[number];

/** What one trial is about. */
type DiskFactors = {
  readonly path: Path;
  /** What zcrx stands on; for recv, the link. */
  readonly device: "softnic" | "none" | "veth";
};

/** What one trial measured. */
type DiskMeasures = {
  readonly bytes: number;
  readonly bytesPerSecond: number;
  readonly seconds: number;
  readonly cpuSecondsPerMiB: number;
  /** Bytes that lay so in the area that they could be written from there. */
  readonly directBytes: number;
  /** Bytes that this program copied because they did not. */
  readonly bouncedBytes: number;
  /** What the kernel says it copied on receive; null for recv, which always copies. */
  readonly copiedBytes: number | null;
  /** What the NIC says it placed into user memory; null without softnic. */
  readonly placedBytes: number | null;
  /** How much of the file was in the page cache afterwards. */
  readonly cachedBytes: number;
};

type DiskTrial = Trial<DiskFactors, DiskMeasures>;

/** One line of the table. */
type SummaryRow = DiskFactors & {
  readonly bytesPerSecond: number;
  readonly bytesPerSecondInterval: { readonly low: number; readonly high: number };
  readonly cpuMicrosecondsPerMiB: number;
  /** Null if the run was stopped before two rounds had both. */
  readonly versusBaseline:
    | { readonly ratio: number; readonly low: number; readonly high: number }
    | null;
  readonly difference: "higher" | "lower" | "none" | "baseline" | null;
  readonly verdict: string;
  readonly payloadBytes: number;
  readonly directBytes: number;
  readonly bouncedBytes: number;
  readonly copiedBytes: number | null;
  readonly placedBytes: number | null;
  readonly cachedBytes: number;
  /** Whether every byte was read back from the disk and was right. */
  readonly verified: boolean;
  /** Whether no CPU touched the payload, by all that was measured. */
  readonly untouched: boolean;
};

const BASELINE: Path = "recv+write";
const PORT = 9000;
const QUEUE = 1;
const RECEIVER_CPU = 0;
const SENDER_CPU = 1;
const MIB = 1 << 20;
const PAGE = 4096;
/** 4096 bytes of payload with TCP's headers, so that each segment fills a page. */
const MTU = 4148;
/** Where the guest has a disk of its own. */
const SCRATCH = "/run/zclab/scratch";
/** What a plain recv takes, and what is written at once, at most. */
const CHUNK = 256 << 10;
/** Bytes in the socket's queue at most: they lie in the area as well. */
const QUEUED_BYTES = 2 * MIB;
/**
 * Bytes on their way to the receiver at most. With more TCP comes to the end of the receiver's window,
 * and cuts a segment there: what follows then lies across pages.
 */
const SENT_BYTES = 256 << 10;
/**
 * Receiving goes on only while no more than this is on its way to the disk. A receiver that holds all
 * buffers would make the NIC drop what comes; one that does not ask lets TCP's window close.
 */
const WINDOW = 4 * MIB;
/** Length of the area: the window, what is asked for, what is queued, and what the NIC has posted. */
const AREA_BYTES = 32 * MIB;
/** Milliseconds without progress after which a trial counts as stuck. */
const STUCK_MILLISECONDS = 60_000;

/** What is wrong with a file to write; whether it does direct I/O is not asked yet. */
function fileProblem(path: string): string | undefined {
  try {
    const { isFile, isBlockDevice } = Deno.statSync(path);
    if (!isFile && !isBlockDevice) return `${path} is neither a file nor a block device`;
    Deno.openSync(path, { read: true, write: true }).close();
    return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return `${path} is not there: make it first, because what is there is overwritten`;
    }
    return `${path}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const options = {
  path: {
    kind: "strings",
    description: "the ways to compare with recv+write, which always runs",
    default: PATHS,
    choices: PATHS,
  },
  bytes: {
    kind: "number",
    description: "length of the stream of each trial, rounded down to pages",
    default: 64 * MIB,
    quick: 16 * MIB,
    minimum: MIB,
    maximum: 1024 * MIB,
    unit: "bytes",
  },
  file: {
    kind: "string",
    description:
      "the file or block device to write, which is overwritten; in the guest its scratch disk, " +
      "otherwise a file without a name in this folder",
    placeholder: "PATH",
    check: fileProblem,
    local: () => true,
  },
} as const;

/** From the NIC to the disk. */
export const rxToDisk = defineLab({
  name: "rx-to-disk",
  title: "From the NIC to the disk: does the CPU touch the payload?",
  description:
    "Receives a TCP stream and writes it to a file in three ways: recv and write, recv and " +
    "direct write, and zero-copy receive into an area that is a registered buffer as well, from which " +
    "pieces are written with O_DIRECT. What lies so in the area that it cannot be written from there is " +
    "copied by the lab, and counted. Every byte is read back and compared.",
  needs: ["liburing", "shim", "io_uring", "namespaces", "ip", "nsenter", "zcrx", "two CPUs"],
  options,
  repeats: { default: 5, quick: 3, minimum: 2 },
  rows: {
    keys: ["path", "device"],
    measures: [{ name: "bytesPerSecond", title: "bytes/s", better: "higher" }],
    baseline: { path: BASELINE },
    within: [],
    proof: untouchedProof,
  },
  run,
});

async function run(context: LabContext<typeof options>): Promise<LabOutcome> {
  const { options: chosen, seed, repeats, signal, progress } = context;
  const bytes = chosen.bytes - chosen.bytes % PAGE;
  const softnic = (await probe()).item("softnic").state === "real";
  await using bench = await Bench.open(softnic, bytes, chosen.file);
  const factors = PATHS.filter((path) => path === BASELINE || chosen.path.includes(path))
    .map((path): DiskFactors => ({ path, device: deviceOf(path, softnic) }));
  const record = environment({ file: bench.file, link: softnic ? "softnic" : "veth" });

  const { trials, complete } = await experiment<DiskFactors, DiskMeasures>({
    factors,
    control: { path: BASELINE },
    repeats,
    seed,
    signal,
    onProgress: (done, total, { path }) => progress.update(done, total, path),
    trial: (one) => bench.measure(one),
  });
  if (trials.length === 0) signal.throwIfAborted();
  const rows = summarize(trials, factors, bench.verified, seed);
  return {
    document: runDocument(context, {
      environment: record,
      parameters: { file: bench.file, bytes },
      complete,
      trials,
      summary: rows,
    }),
    text: report(rows, bench.file, bytes),
  };
}

function deviceOf(path: Path, softnic: boolean): DiskFactors["device"] {
  if (softnic) return "softnic";
  return path === "zcrx+direct" ? "none" : "veth";
}

/** What all trials use: the link, the sender, the file. */
class Bench implements AsyncDisposable {
  readonly #file: Target;
  /** Of which ways every stream was read back from the disk, and right. */
  readonly verified = new Map<Path, boolean>();
  readonly #bytes: number;
  readonly #bed: Testbed;
  readonly #nic: Softnic | undefined;
  readonly #sender: StreamSender;

  private constructor(
    bytes: number,
    bed: Testbed,
    nic: Softnic | undefined,
    sender: StreamSender,
    file: Target,
  ) {
    this.#bytes = bytes;
    this.#bed = bed;
    this.#nic = nic;
    this.#sender = sender;
    this.#file = file;
  }

  static async open(softnic: boolean, bytes: number, asked: string | undefined): Promise<Bench> {
    await using stack = new AsyncDisposableStack();
    const file = stack.use(openable(asked));
    const bed = stack.use(
      await (softnic ? Testbed.softnic({ mtu: MTU }) : Testbed.pair({ mtu: MTU })),
    );
    let nic: Softnic | undefined;
    if (softnic) {
      nic = await Softnic.of(bed.far);
      await nic.steer({ port: PORT, queue: QUEUE });
      await nic.setInterruptCpu(QUEUE, SENDER_CPU);
    }
    const sender = stack.use(await StreamSender.start());
    stack.move();
    return new Bench(bytes, bed, nic, sender, file);
  }

  /** What the file is called. */
  get file(): string {
    return this.#file.name;
  }

  async measure({ path, device }: DiskFactors): Promise<DiskMeasures> {
    using file = DiskFile.open(this.#file.path, { direct: path !== "recv+write" });
    await dropCached(this.#file.path);
    const before = await this.#nic?.counters();
    const written = await this.#receive(path, device, file);
    const after = await this.#nic?.counters();
    const name = `rx${QUEUE}_user_bytes`;
    const cachedBytes = file.cachedBytes(this.#bytes);
    const right = await readBack(this.#file.path, this.#bytes);
    this.verified.set(path, right && this.verified.get(path) !== false);
    return {
      bytes: this.#bytes,
      bytesPerSecond: this.#bytes / written.seconds,
      seconds: written.seconds,
      cpuSecondsPerMiB: written.cpuSeconds / (this.#bytes / MIB),
      directBytes: written.directBytes,
      bouncedBytes: written.bouncedBytes,
      copiedBytes: written.copiedBytes,
      placedBytes: before === undefined ? null : after![name]! - before[name]!,
      cachedBytes,
    };
  }

  async #receive(path: Path, device: DiskFactors["device"], file: DiskFile): Promise<Written> {
    const bed = this.#bed;
    using area = Area.map({ bytes: path === "zcrx+direct" ? AREA_BYTES : 2 * CHUNK });
    await using ring = Ring.open({ entries: 256, completionEntries: 16384, completionSize: 32 });
    if (path !== "recv+write") ring.register(area);
    using listener = Socket.tcp(bed.far).setOption("SO_REUSEADDR", true)
      .setOption("SO_RCVBUF", QUEUED_BYTES).bind(bed.far.address(PORT)).listen(1);
    using receiver = path === "zcrx+direct" ? openReceiver(ring, area, device, bed) : undefined;
    using client = Socket.tcp(bed.near).setOption("SO_SNDBUF", SENT_BYTES)
      .connect(bed.far.address(PORT));
    using server = await ring.accept(listener);
    const bytes = this.#bytes;
    const { begin, sent } = await this.#sender.prepare(client, { bytes, cpu: SENDER_CPU });
    using _pinned = pinThread(RECEIVER_CPU);
    const cpuBefore = threadCpuSeconds();
    const start = performance.now();
    begin();
    const moved = receiver === undefined
      ? copyToDisk(ring, server, area, file, bytes)
      : new DirectWriter(ring, receiver, area, file, bytes).run(server);
    const cpuSeconds = threadCpuSeconds() - cpuBefore;
    await file.sync();
    const seconds = (performance.now() - start) / 1000;
    await sent;
    return { ...moved, seconds, cpuSeconds };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sender.close();
    await this.#bed[Symbol.asyncDispose]();
    await this.#file[Symbol.asyncDispose]();
  }
}

/** The file that trials write to. */
interface Target extends AsyncDisposable {
  /** By which it is opened. */
  readonly path: string;
  /** What it is called for people. */
  readonly name: string;
}

function openable(asked: string | undefined): Target {
  const existing = (path: string): Target => {
    return { path, name: path, [Symbol.asyncDispose]: () => Promise.resolve() };
  };
  if (asked !== undefined) {
    try {
      DiskFile.open(asked).close();
    } catch (error) {
      if (!(error instanceof UringError)) throw error;
      throw new OptionError(`--file ${asked}: ${error.message}`, { cause: error });
    }
    return existing(asked);
  }
  try {
    Deno.statSync(SCRATCH);
    return existing(SCRATCH);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  // Without a name it is gone with the process, however that ends.
  const unnamed = DiskFile.unnamed(".");
  if (unnamed !== undefined) {
    return {
      path: unnamed.path,
      name: "a file without a name",
      [Symbol.asyncDispose]: () => Promise.resolve(unnamed.close()),
    };
  }
  Deno.mkdirSync("results", { recursive: true });
  const path = "results/rx_to_disk.bin";
  DiskFile.open(path, { create: true }).close();
  return { path, name: path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

function openReceiver(
  ring: Ring,
  area: Area,
  device: DiskFactors["device"],
  bed: Testbed,
): ZeroCopyReceiver {
  if (device !== "softnic") return ZeroCopyReceiver.withoutDevice(ring, { area });
  const { interface: name } = bed.far;
  return ZeroCopyReceiver.open(ring, { area, interface: name, queue: QUEUE, place: bed.far });
}

/** How a stream was moved. */
interface Moved {
  readonly directBytes: number;
  readonly bouncedBytes: number;
  readonly copiedBytes: number | null;
}

interface Written extends Moved {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** Receives into one half of the area while the other half is written. */
function copyToDisk(ring: Ring, socket: Socket, area: Area, file: DiskFile, bytes: number): Moved {
  const { batch } = ring;
  const halves = [area.slice(0, CHUNK), area.slice(CHUNK, CHUNK)] as const;
  const RECEIVED = 1;
  const WRITTEN = 2;
  let filled = 0;
  let writing = 0;
  let failure = 0;
  let pending = 0;
  const onCompletion = (userData: number, result: number): void => {
    pending--;
    if (result < 0) failure = result;
    else if (userData === RECEIVED) filled = result;
    else if (result !== writing) failure = -5;
  };
  const MSG_WAITALL = 0x100;
  let received = 0;
  for (let half = 0; received < bytes || writing > 0; half ^= 1) {
    filled = 0;
    const wanted = Math.min(CHUNK, bytes - received);
    if (wanted > 0) {
      batch.recv(socket, halves[half]!.slice(0, wanted), RECEIVED, MSG_WAITALL);
      pending++;
    }
    while (pending > 0) {
      batch.submit();
      if (!batch.waitBlocking(1, STUCK_MILLISECONDS)) throw stuck(received, bytes);
      batch.reap(onCompletion);
      if (failure !== 0) throw new UringError("recv+write", -failure);
    }
    writing = filled;
    if (filled === 0) {
      if (received < bytes) throw stuck(received, bytes);
      break;
    }
    batch.write(file.fd, halves[half]!.slice(0, filled), received, WRITTEN);
    pending++;
    received += filled;
  }
  return { directBytes: 0, bouncedBytes: 0, copiedBytes: null };
}

function stuck(received: number, bytes: number): Error {
  return new Error(`The stream is stuck after ${received} of ${bytes} bytes`);
}

/** A run of pieces that lie one after the other in the area and in the stream. */
interface Run {
  readonly at: number;
  readonly offset: number;
  length: number;
  readonly pieces: number[];
}

/** Writes pieces from where the NIC put them, and gives each back when the disk has it. */
class DirectWriter {
  readonly #ring: Ring;
  readonly #receiver: ZeroCopyReceiver;
  readonly #area: Area;
  readonly #file: DiskFile;
  readonly #bytes: number;
  readonly #memory: Uint8Array;
  /** Pages that are put together from pieces that cannot be written as they lie. */
  readonly #bounce = Area.map({ bytes: CHUNK });
  readonly #freePages: number[] = [];
  #page = -1;
  #pageFill = 0;
  #received = 0;
  #asked = 0;
  #receiving = false;
  #direct = 0;
  #bounced = 0;
  #writing = 0;
  #failure: unknown;
  #run: Run | undefined;
  /** Runs on their way to the disk, by the user data of their write; undefined for a page. */
  readonly #runs = new Map<number, Run | number>();
  #next = 0;

  constructor(ring: Ring, receiver: ZeroCopyReceiver, area: Area, file: DiskFile, bytes: number) {
    this.#ring = ring;
    this.#receiver = receiver;
    this.#area = area;
    this.#file = file;
    this.#bytes = bytes;
    this.#memory = area.unsafeBytes();
    for (let page = 0; page < this.#bounce.bytes; page += PAGE) this.#freePages.push(page);
  }

  /** Blocks the thread until the whole stream has been written. */
  run(socket: Socket): Moved {
    const { batch } = this.#ring;
    const receiver = this.#receiver;
    let progress = performance.now();
    try {
      while (this.#received < this.#bytes || this.#writing > 0) {
        this.#ask(socket);
        const before = this.#received + this.#next;
        const pieces = receiver.reap(this.#onPiece, this.#onEnd);
        this.#flush();
        batch.submit();
        const written = batch.reap(this.#onWritten);
        if (this.#failure !== undefined) throw this.#failure;
        if (pieces + written > 0 || this.#received + this.#next !== before) {
          progress = performance.now();
        } else if (performance.now() - progress > STUCK_MILLISECONDS) {
          throw stuck(this.#received, this.#bytes);
        } else batch.waitBlocking(1, 10);
      }
    } finally {
      this.#bounce.close();
    }
    return {
      directBytes: this.#direct,
      bouncedBytes: this.#bounced,
      copiedBytes: receiver.statistics().copiedBytes ?? null,
    };
  }

  /** Asks for as much more as there is room for. */
  #ask(socket: Socket): void {
    const left = this.#bytes - this.#asked;
    if (this.#receiving || left === 0 || this.#writing > WINDOW) return;
    const bytes = Math.min(left, WINDOW);
    this.#receiver.start(socket, 0, { bytes });
    this.#asked += bytes;
    this.#receiving = true;
  }

  readonly #onEnd = (_userData: number, _bytes: number, error: unknown): void => {
    this.#receiving = false;
    if (error !== undefined) this.#failure = error;
    else if (this.#received < this.#asked) this.#failure = stuck(this.#received, this.#bytes);
  };

  readonly #onPiece = (_userData: number, piece: number, offset: number, length: number): void => {
    const at = this.#received;
    this.#received += length;
    const aligned = this.#page < 0 && offset % PAGE === 0 && length % PAGE === 0;
    if (!aligned) {
      this.#copy(offset, length);
      this.#receiver.giveBack(piece);
      return;
    }
    this.#direct += length;
    const run = this.#run;
    const follows = run !== undefined && run.offset + run.length === offset &&
      run.at + run.length === at && run.length + length <= CHUNK;
    if (follows) {
      run.length += length;
      run.pieces.push(piece);
    } else {
      this.#flush();
      this.#run = { at, offset, length, pieces: [piece] };
    }
  };

  #flush(): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    this.#write(this.#area, run.offset, run.length, run.at, run);
  }

  #write(area: Area, offset: number, length: number, at: number, owner: Run | number): void {
    const number = this.#next = (this.#next + 1) >>> 0;
    this.#runs.set(number, owner);
    this.#writing += length;
    this.#ring.batch.write(this.#file.fd, area.slice(offset, length), at, number);
  }

  /** The CPU touches these bytes: they do not lie as a disk wants them. */
  #copy(offset: number, length: number): void {
    this.#flush();
    this.#bounced += length;
    let start = this.#received - length;
    for (let done = 0; done < length;) {
      if (this.#page < 0) this.#page = this.#takePage();
      const part = Math.min(PAGE - this.#pageFill, length - done);
      const from = this.#memory.subarray(offset + done, offset + done + part);
      this.#bounce.unsafeBytes(this.#page + this.#pageFill, part).set(from);
      this.#pageFill += part;
      done += part;
      start += part;
      if (this.#pageFill < PAGE) continue;
      this.#write(this.#bounce, this.#page, PAGE, start - PAGE, this.#page);
      this.#page = -1;
      this.#pageFill = 0;
    }
  }

  #takePage(): number {
    const { batch } = this.#ring;
    while (this.#freePages.length === 0) {
      batch.submit();
      if (!batch.waitBlocking(1, STUCK_MILLISECONDS)) throw stuck(this.#received, this.#bytes);
      batch.reap(this.#onWritten);
    }
    return this.#freePages.pop()!;
  }

  readonly #onWritten = (userData: number, result: number): void => {
    const owner = this.#runs.get(userData)!;
    this.#runs.delete(userData);
    const length = typeof owner === "number" ? PAGE : owner.length;
    this.#writing -= length;
    if (typeof owner === "number") this.#freePages.push(owner);
    else for (const piece of owner.pieces) this.#receiver.giveBack(piece);
    if (result < 0) this.#failure = new UringError("WRITE", -result);
    else if (result !== length) {
      this.#failure = new Error(`The disk took ${result} of ${length} bytes`);
    }
  };
}

/** What an earlier trial left in the page cache is no sign of this one. */
async function dropCached(path: string): Promise<void> {
  using file = DiskFile.open(path, { direct: false });
  await file.sync();
  file.dropCached();
}

/** Reads the whole stream from the disk, past the page cache, and compares every byte. */
async function readBack(path: string, bytes: number): Promise<boolean> {
  using file = DiskFile.open(path);
  await using ring = Ring.open({ entries: 8 });
  using area = Area.map({ bytes: MIB });
  const memory = area.unsafeBytes();
  const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  for (let at = 0; at < bytes;) {
    const wanted = Math.min(MIB, bytes - at);
    const count = await ring.read(file.fd, area.slice(0, wanted), at);
    if (count <= 0 || !matchesWhole(view, 0, count, at)) return false;
    at += count;
  }
  return true;
}

function summarize(
  trials: readonly DiskTrial[],
  factors: readonly DiskFactors[],
  verified: ReadonlyMap<Path, boolean>,
  seed: number,
): SummaryRow[] {
  const measure = "bytesPerSecond";
  const floor = noiseFloor(trials, { measure, at: { path: BASELINE }, seed });
  return factors.flatMap((of): SummaryRow[] => {
    const own = trials.filter((trial) =>
      !trial.warmUp && !trial.control && trial.factors.path === of.path
    ).map(({ measures }) => measures);
    // A run that was stopped may have come to no counted trial of it.
    if (own.length === 0) return [];
    const baseline = of.path === BASELINE;
    const ratio: Ratio | undefined = baseline
      ? floor
      : compare(trials, { measure, of: { path: of.path }, against: { path: BASELINE }, seed });
    const said = ratio && verdict(ratio, floor, { subject: of.path });
    const rate = medianInterval(own.map((measures) => measures.bytesPerSecond), { seed });
    const cpu = medianInterval(own.map((measures) => measures.cpuSecondsPerMiB), { seed });
    const signs = signsOf(own);
    return [{
      ...of,
      bytesPerSecond: rate.median,
      bytesPerSecondInterval: { low: rate.low, high: rate.high },
      cpuMicrosecondsPerMiB: cpu.median * 1e6,
      versusBaseline: ratio === undefined
        ? null
        : { ratio: ratio.ratio, low: ratio.low, high: ratio.high },
      difference: baseline ? "baseline" : said?.difference ?? null,
      verdict: baseline ? "the baseline" : said?.text ?? "not compared: fewer than two rounds",
      ...signs,
      verified: verified.get(of.path) === true,
      untouched: isUntouched(signs),
    }];
  });
}

type Signs = Pick<
  SummaryRow,
  "payloadBytes" | "directBytes" | "bouncedBytes" | "copiedBytes" | "placedBytes" | "cachedBytes"
>;

/** What all rounds of one way come to. */
function signsOf(own: readonly DiskMeasures[]): Signs {
  const total = (name: keyof DiskMeasures): number | null =>
    own.reduce<number | null>(
      (sum, measures) =>
        sum === null || measures[name] === null ? null : sum + Number(measures[name]),
      0,
    );
  return {
    payloadBytes: total("bytes")!,
    directBytes: total("directBytes")!,
    bouncedBytes: total("bouncedBytes")!,
    copiedBytes: total("copiedBytes"),
    placedBytes: total("placedBytes"),
    cachedBytes: total("cachedBytes")!,
  };
}

function isUntouched(
  { payloadBytes, bouncedBytes, copiedBytes, placedBytes, cachedBytes }: Signs,
): boolean {
  return copiedBytes === 0 && placedBytes === payloadBytes && bouncedBytes === 0 &&
    cachedBytes === 0;
}

/** Whether a CPU touched the payload of zero-copy receive; the other ways always do. */
function untouchedProof(trials: readonly Trial[]): string | null {
  const all = trials as readonly DiskTrial[];
  const own = all.filter(({ warmUp }) => !warmUp).map(({ measures }) => measures);
  if (all[0]!.factors.path !== "zcrx+direct" || own.length === 0) return null;
  return isUntouched(signsOf(own)) ? "untouched" : "touched by a CPU";
}

function report(rows: readonly SummaryRow[], file: string, bytes: number): string {
  if (rows.length === 0) return "";
  const zcrx = rows.find(({ path }) => path === "zcrx+direct");
  const lines = [
    `TCP to ${file}, ${formatSi(bytes)} bytes in each trial; percent is bytes per second against ` +
    BASELINE,
    "",
    resultTable(rows),
  ];
  if (zcrx !== undefined) {
    const percent = (100 * zcrx.directBytes / zcrx.payloadBytes).toFixed(1);
    lines.push(
      `${percent} % of the bytes were written from where they were received; ` +
        `${
          formatSi(zcrx.bouncedBytes)
        } did not lie on whole pages and were copied by this program.`,
      zcrx.untouched
        ? "Proof: the kernel copied nothing on receive, the NIC placed every byte into the area, and " +
          "nothing of the file was in the page cache: no CPU touched the payload between NIC and disk."
        : zcrx.device === "none"
        ? "Without a device the kernel copies every byte once, into the area: softnic is in the guest."
        : "Not every byte went untouched: see the columns copied, bounced and cached.",
    );
  }
  if (rows.some(({ verified }) => !verified)) {
    lines.push("WRONG: what was read back is not what was sent.");
  } else lines.push("Every byte was read back from the disk and compared.");
  return lines.join("\n") + "\n";
}

function resultTable(rows: readonly SummaryRow[]): string {
  const si = (value: unknown): string => formatSi(Number(value));
  return table<SummaryRow>(
    [
      { title: "path", value: (row) => row.path },
      { title: "device", value: (row) => row.device },
      { title: "bytes/s", value: (row) => row.bytesPerSecond, format: si },
      {
        title: `against\n${BASELINE}`,
        value: (row) =>
          row.difference === "baseline" || row.versusBaseline === null
            ? null
            : formatChange(row.versusBaseline.ratio),
        align: "right",
        style: (row) =>
          row.difference === "higher" ? "green" : row.difference === "lower" ? "red" : undefined,
      },
      {
        title: "CPU µs\n/MiB",
        value: (row) => row.cpuMicrosecondsPerMiB,
        format: (value) => Number(value).toFixed(0),
      },
      { title: "kernel:\ncopied", value: (row) => row.copiedBytes, format: si },
      {
        title: "NIC:\nplaced",
        value: (row) => row.path === "zcrx+direct" ? row.placedBytes : null,
        format: si,
      },
      {
        title: "bounced",
        value: (row) => row.path === "zcrx+direct" ? row.bouncedBytes : null,
        format: si,
      },
      { title: "in page\ncache", value: (row) => row.cachedBytes, format: si },
      { title: "verified", value: (row) => row.verified ? "yes" : "NO" },
    ],
    rows,
  );
}
