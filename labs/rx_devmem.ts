/**
 * Device memory TCP: payload that the NIC puts into a dma-buf, and takes out of one, against the
 * receive and the send that copy.
 *
 * @module
 */
import {
  Area,
  compare,
  comparePages,
  cross,
  defineLab,
  type DeviceMemoryKind,
  DeviceMemoryReceiver,
  DeviceMemoryTransmitter,
  environment,
  experiment,
  formatChange,
  formatSi,
  type LabContext,
  type LabOutcome,
  medianInterval,
  networkCounters,
  noiseFloor,
  POLL,
  Random,
  type Ratio,
  Ring,
  runDocument,
  Socket,
  Softnic,
  table,
  Testbed,
  threadCpuSeconds,
  type Trial,
  verdict,
} from "zclab";

/** How one end of the connection moves payload: as always, or with a dma-buf. */
type Way = "copy" | "devmem";

/** What one trial is about. */
type DevmemFactors = {
  readonly mtu: number;
  readonly send: Way;
  readonly receive: Way;
};

/** What one trial measured. */
type DevmemMeasures = {
  /** Bytes of the stream. */
  readonly payloadBytes: number;
  readonly seconds: number;
  readonly bytesPerSecond: number;
  /** CPU time of the thread that does both ends, and of what the kernel does on it. */
  readonly cpuSeconds: number;
  /** What the kernel says of the payload received: pieces in the dma-buf, and bytes in them. */
  readonly pieces: number;
  readonly dmaBufBytes: number;
  /** Bytes that the NIC left behind the headers, and that the kernel copied. */
  readonly linearBytes: number;
  /** Bytes that came in through another queue, and that the kernel copied. */
  readonly readableBytes: number;
  /** Bytes that recv(2) copied. */
  readonly receivedBytes: number;
  /** What the driver says: payload that it placed into the dma-buf, or left linear, and drops. */
  readonly placedBytes: number;
  readonly leftLinearBytes: number;
  readonly drops: number;
  /** How often TCP may have sent something again, which the NIC then placed again. */
  readonly sentAgain: number;
  /** Payload that the driver of the sending end read out of the dma-buf. */
  readonly readBytes: number;
  /** Sends from the dma-buf, and those of them that the kernel has let go of. */
  readonly sends: number;
  readonly notified: number;
  /** Whether each piece lay in the physical pages that the NIC wrote to; null where not looked. */
  readonly samePages: boolean | null;
  /** How much of what was received was compared with what was sent. */
  readonly verified: "every byte" | "the ends of each piece";
};

type DevmemTrial = Trial<DevmemFactors, DevmemMeasures>;

/** One line of the table. Bytes are sums over the rounds that count. */
type SummaryRow = {
  readonly mtu: number;
  /** What receives: `recv` copies, `devmem` does not. */
  readonly engine: "recv" | "devmem";
  /** What sends. */
  readonly transmit: "send" | "devmem";
  readonly device: "softnic";
  readonly payloadBytes: number;
  /** Payload that the kernel copied to the program. */
  readonly copiedBytes: number;
  readonly dmaBufBytes: number;
  readonly linearBytes: number;
  readonly readableBytes: number;
  readonly placedBytes: number;
  readonly readBytes: number;
  readonly drops: number;
  readonly sentAgain: number;
  /** From the warm-up, which also compares every byte; null for recv, which has no dma-buf. */
  readonly samePages: boolean | null;
  readonly verified: string;
  /** Medians over the rounds. */
  readonly bytesPerSecond: number;
  readonly bytesPerSecondInterval: { readonly low: number; readonly high: number };
  readonly cpuSecondsPerMebibyte: number;
  /**
   * Bytes per second against copying at both ends; for that itself, its second runs. Null if the run
   * was stopped before two rounds had both.
   */
  readonly versusCopy:
    | { readonly ratio: number; readonly low: number; readonly high: number }
    | null;
  readonly difference: "higher" | "lower" | "none" | "baseline" | null;
  readonly copied: boolean;
  readonly verdict: string;
};

/** The flow to this port is steered to the queue that the dma-buf is bound to. */
const PORT = 9000;
const QUEUE = 1;

const MEBIBYTE = 2 ** 20;
/** The stream is this much data, again and again; a power of two. */
const SOURCE_BYTES = MEBIBYTE;
/** Bytes of one send at most. */
const CHUNK = 1 << 17;
/** Bytes of one copying receive at most. */
const ROOM = 1 << 18;
/** Bytes of the warm-up: softnic remembers the last 16384 placements. */
const PROOF_BYTES = 8 * MEBIBYTE;
/** Bytes at either end of a piece that the rounds that count compare. */
const ENDS = 8;

/** Counters that say that TCP may have sent something twice: it probes when an answer is late. */
const SENT_AGAIN = [
  "TcpExt.TCPLossProbes",
  "TcpExt.TCPFastRetrans",
  "TcpExt.TCPSlowStartRetrans",
  "TcpExt.TCPTimeouts",
  "TcpExt.TCPLostRetransmit",
] as const;

const options = {
  stream: {
    kind: "number",
    description: "how much each trial sends",
    default: 64,
    quick: 8,
    minimum: 1,
    maximum: 65_536,
    unit: "MiB",
  },
  mtu: {
    kind: "numbers",
    description: "the MTUs of the link; 4148 makes segments of 4096 bytes, a page",
    default: [1500, 4148, 9000],
    quick: [1500],
    minimum: 1280,
    maximum: 65_535,
    unit: "bytes",
  },
  area: {
    kind: "number",
    description: "the size of the dma-buf that is received into",
    default: 16,
    minimum: 8,
    maximum: 1024,
    unit: "MiB",
  },
} as const;

/** Device memory against copying. */
export const rxDevmem = defineLab({
  name: "rx-devmem",
  title: "Device memory TCP: from dma-buf to dma-buf, without the kernel touching the payload",
  description:
    "Sends a TCP stream over softnic, the NIC in software, with and without copying at " +
    "either end, interleaved in random order. What was copied stands in the table: by the " +
    "kernel's word, by the driver's counters, and by the physical pages that the NIC wrote to.",
  needs: [
    "liburing",
    "shim",
    "io_uring",
    "namespaces",
    "ip",
    "nsenter",
    "ethtool",
    "softnic",
    "udmabuf",
  ],
  options,
  repeats: { default: 7, quick: 3, minimum: 2 },
  rows: {
    keys: ["mtu", "send", "receive"],
    measures: [{ name: "bytesPerSecond", title: "bytes/s", better: "higher" }],
    baseline: { send: "copy", receive: "copy" },
    within: ["mtu"],
    proof: deviceMemoryProof,
  },
  run,
});

async function run(context: LabContext<typeof options>): Promise<LabOutcome> {
  const { options: chosen, seed, repeats, signal, progress } = context;
  await using stack = new AsyncDisposableStack();
  const memory = stack.use(new Memory(chosen.area * MEBIBYTE, seed));
  const links = new Map<number, Link>();
  for (const mtu of chosen.mtu) links.set(mtu, stack.use(await Link.open(mtu, memory)));
  const settings = await Promise.all([...links.values()].map(({ bed }) => bed.interfaceSettings()));
  const record = environment({ interfaces: JSON.parse(JSON.stringify(settings.flat())) });

  const ways = ["copy", "devmem"] as const;
  const factors = cross({ mtu: chosen.mtu, send: ways, receive: ways });
  const { trials, complete } = await experiment<DevmemFactors, DevmemMeasures>({
    factors,
    control: { send: "copy", receive: "copy" },
    repeats,
    seed,
    signal,
    onProgress: (done, total, { mtu, send, receive }) =>
      progress.update(done, total, `MTU ${mtu}, send ${send}, receive ${receive}`),
    trial: (factors, { warmUp }) =>
      links.get(factors.mtu)!.measure(factors, {
        bytes: warmUp ? Math.min(chosen.stream * MEBIBYTE, PROOF_BYTES) : chosen.stream * MEBIBYTE,
        proof: warmUp,
        signal,
      }),
  });
  if (trials.length === 0) signal.throwIfAborted();
  const rows = factors.flatMap((factors) => summarize(trials, factors, seed) ?? []);
  return {
    document: runDocument(context, { environment: record, complete, trials, summary: rows }),
    text: report(rows, chosen.stream, repeats),
  };
}

/** The memory at both ends, used by one trial after the other. */
class Memory implements Disposable {
  /** What is sent, copying. */
  readonly plain: Area;
  /** What is sent without a copy: the same bytes. */
  readonly source: Area;
  /** Where the NIC puts what is received. */
  readonly target: Area;
  /** Where recv(2) puts what is received. */
  readonly room: Area;
  /** What is sent, for comparing: memory that nobody else has. */
  readonly expected: Uint8Array;

  constructor(targetBytes: number, seed: number) {
    using stack = new DisposableStack();
    // The dma-bufs first: it is they that a machine may lack.
    this.target = stack.use(Area.dmaBuf({ bytes: targetBytes }));
    this.source = stack.use(Area.dmaBuf({ bytes: SOURCE_BYTES }));
    this.plain = stack.use(Area.map({ bytes: SOURCE_BYTES }));
    this.room = stack.use(Area.map({ bytes: ROOM }));
    this.expected = randomBytes(SOURCE_BYTES, seed);
    for (const area of [this.source, this.plain]) area.slice().write(this.expected);
    this.#stack = stack.move();
  }

  readonly #stack: DisposableStack;

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

function randomBytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const random = new Random(seed);
  const words = new Uint32Array(length / 4);
  for (let i = 0; i < words.length; i++) words[i] = random.uint32();
  return new Uint8Array(words.buffer);
}

/** How much one trial sends, and how closely it looks. */
interface Load {
  readonly bytes: number;
  readonly proof: boolean;
  readonly signal: AbortSignal;
}

/** A pair of softnics, and what a trial needs of it. */
class Link implements AsyncDisposable {
  readonly bed: Testbed;
  readonly #near: Softnic;
  readonly #far: Softnic;
  readonly #memory: Memory;

  private constructor(bed: Testbed, near: Softnic, far: Softnic, memory: Memory) {
    this.bed = bed;
    this.#near = near;
    this.#far = far;
    this.#memory = memory;
  }

  static async open(mtu: number, memory: Memory): Promise<Link> {
    await using stack = new AsyncDisposableStack();
    const bed = stack.use(await Testbed.softnic({ mtu }));
    const far = await Softnic.of(bed.far);
    await far.steer({ port: PORT, queue: QUEUE });
    const link = new Link(bed, await Softnic.of(bed.near), far, memory);
    stack.move();
    return link;
  }

  /** One trial: a connection and bindings of its own, so that nothing of the one before is left. */
  async measure({ send, receive }: DevmemFactors, load: Load): Promise<DevmemMeasures> {
    const { bed } = this;
    const { source, target } = this.#memory;
    await using ring = Ring.open({ entries: 16 });
    using bindings = new DisposableStack();
    const place = bed.far;
    const receiver = receive === "copy" ? undefined : bindings.use(DeviceMemoryReceiver.open({
      area: target,
      interface: place.interface,
      queues: [QUEUE],
      place,
    }));
    const transmitter = send === "copy" ? undefined : bindings.use(DeviceMemoryTransmitter.open({
      area: source,
      interface: bed.near.interface,
      place: bed.near,
    }));
    using sockets = await this.#connect(ring);
    const before = await this.#counters();
    if (load.proof) await this.#far.clearPlacements();

    const stream = new Stream(this.#memory, load);
    const cpuBefore = threadCpuSeconds();
    const started = performance.now();
    await Promise.all([
      this.#send(ring, sockets.near, transmitter, load),
      receiver === undefined
        ? stream.receive(ring, sockets.far)
        : stream.receiveFrom(ring, sockets.far, receiver),
    ]);
    const seconds = (performance.now() - started) / 1000;
    const cpuSeconds = threadCpuSeconds() - cpuBefore;
    await transmitter?.drained(ring);
    stream.requireEnd();

    const after = await this.#counters();
    const counts = receiver?.counts;
    return {
      payloadBytes: load.bytes,
      seconds,
      bytesPerSecond: load.bytes / seconds,
      cpuSeconds,
      pieces: counts?.pieces ?? 0,
      dmaBufBytes: counts?.dmaBufBytes ?? 0,
      linearBytes: counts?.linearBytes ?? 0,
      readableBytes: counts?.readableBytes ?? 0,
      receivedBytes: counts === undefined ? load.bytes : 0,
      placedBytes: after.placed - before.placed,
      leftLinearBytes: after.linear - before.linear,
      drops: after.drops - before.drops,
      sentAgain: after.again - before.again,
      readBytes: after.read - before.read,
      sends: transmitter?.counts.sent ?? 0,
      notified: transmitter?.counts.notified ?? 0,
      samePages: receiver !== undefined && load.proof
        ? comparePages(target, stream.pieces, await this.#far.placements()).same
        : null,
      verified: load.proof ? "every byte" : "the ends of each piece",
    };
  }

  async #connect(
    ring: Ring,
  ): Promise<Disposable & { readonly near: Socket; readonly far: Socket }> {
    using stack = new DisposableStack();
    const address = this.bed.far.address(PORT);
    using listener = Socket.tcp(this.bed.far).setOption("SO_REUSEADDR", true).bind(address)
      .listen();
    const near = stack.use(Socket.tcp(this.bed.near)).connect(address);
    const far = stack.use(await ring.accept(listener));
    const held = stack.move();
    return { near, far, [Symbol.dispose]: () => held.dispose() };
  }

  /** What the drivers of both ends and the sender's TCP say. */
  async #counters(): Promise<
    { placed: number; linear: number; drops: number; again: number; read: number }
  > {
    const [far, near, tcp] = await Promise.all([
      this.#far.counters(),
      this.#near.counters(),
      networkCounters(this.bed.near),
    ]);
    let read = 0;
    for (const [name, value] of Object.entries(near)) {
      if (/^tx\d+_user_bytes$/.test(name)) read += value;
    }
    return {
      placed: far[`rx${QUEUE}_user_bytes`] ?? 0,
      linear: far[`rx${QUEUE}_linear_payload_bytes`] ?? 0,
      drops: far[`rx${QUEUE}_no_descriptor_drops`] ?? 0,
      again: SENT_AGAIN.reduce((sum, name) => sum + (tcp[name] ?? 0), 0),
      read,
    };
  }

  async #send(
    ring: Ring,
    socket: Socket,
    transmitter: DeviceMemoryTransmitter | undefined,
    { bytes, signal }: Load,
  ): Promise<void> {
    const { plain, source } = this.#memory;
    for (let sent = 0; sent < bytes;) {
      signal.throwIfAborted();
      const offset = sent % SOURCE_BYTES;
      const length = Math.min(CHUNK, SOURCE_BYTES - offset, bytes - sent);
      if (transmitter === undefined) {
        sent += await ring.send(socket, plain.slice(offset, length));
        continue;
      }
      transmitter.reap();
      const now = transmitter.trySend(socket, source.slice(offset, length));
      if (now === undefined) await ring.poll(socket, POLL.OUT);
      else sent += now;
    }
    socket.shutdown("write");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bed[Symbol.asyncDispose]();
  }
}

/** A piece of the stream in the dma-buf. */
interface Piece {
  readonly offset: number;
  readonly length: number;
}

/** What is received, compared with what was sent. */
class Stream {
  /** The pieces in the dma-buf, if this is the proof. */
  readonly pieces: Piece[] = [];
  readonly #expected: Uint8Array;
  readonly #room: Area;
  readonly #target: Uint8Array;
  readonly #load: Load;
  #received = 0;

  constructor(memory: Memory, load: Load) {
    this.#expected = memory.expected;
    this.#room = memory.room;
    this.#target = memory.target.unsafeBytes();
    this.#load = load;
  }

  /** Receives with recv(2), which copies. */
  async receive(ring: Ring, socket: Socket): Promise<void> {
    const slice = this.#room.slice();
    const bytes = this.#room.unsafeBytes();
    while (true) {
      this.#load.signal.throwIfAborted();
      const length = socket.receive(slice);
      if (length === undefined) await ring.poll(socket, POLL.IN | POLL.RDHUP);
      else if (length === 0) return;
      else this.#check(bytes, 0, length);
    }
  }

  /** Receives what the NIC has put into the dma-buf. */
  async receiveFrom(ring: Ring, socket: Socket, receiver: DeviceMemoryReceiver): Promise<void> {
    const { copied } = receiver;
    const onPiece = (kind: DeviceMemoryKind, offset: number, length: number): void => {
      this.#check(kind === "dma-buf" ? this.#target : copied, offset, length);
      if (this.#load.proof && kind === "dma-buf") this.pieces.push({ offset, length });
    };
    while (true) {
      this.#load.signal.throwIfAborted();
      const length = receiver.each(socket, onPiece);
      if (length === undefined) await ring.poll(socket, POLL.IN | POLL.RDHUP);
      else if (length === 0) return;
    }
  }

  #check(bytes: Uint8Array, offset: number, length: number): void {
    if (this.#load.proof || length <= 2 * ENDS) this.#compare(bytes, offset, 0, length);
    else {
      this.#compare(bytes, offset, 0, ENDS);
      this.#compare(bytes, offset, length - ENDS, length);
    }
    this.#received += length;
  }

  #compare(bytes: Uint8Array, offset: number, from: number, to: number): void {
    const expected = this.#expected;
    for (let i = from; i < to; i++) {
      const right = expected[(this.#received + i) & (SOURCE_BYTES - 1)];
      if (bytes[offset + i] !== right) {
        throw new Error(
          `Byte ${this.#received + i} of the stream is ${bytes[offset + i]}, sent was ${right}`,
        );
      }
    }
  }

  requireEnd(): void {
    if (this.#received !== this.#load.bytes) {
      throw new Error(`${this.#received} bytes were received, ${this.#load.bytes} were sent`);
    }
  }
}

// === Saying what was measured ===

/** Undefined if the run was stopped before a counted trial of it. */
function summarize(
  trials: readonly DevmemTrial[],
  factors: DevmemFactors,
  seed: number,
): SummaryRow | undefined {
  const { mtu, send, receive } = factors;
  const isOwn = (trial: DevmemTrial): boolean =>
    !trial.control && trial.factors.mtu === mtu && trial.factors.send === send &&
    trial.factors.receive === receive;
  const own = trials.filter((trial) => isOwn(trial) && !trial.warmUp)
    .map(({ measures }) => measures);
  if (own.length === 0) return undefined;
  const proof = trials.find((trial) => isOwn(trial) && trial.warmUp)!.measures;
  const total = (of: (measures: DevmemMeasures) => number): number =>
    own.reduce((sum, measures) => sum + of(measures), 0);
  const rate = medianInterval(own.map(({ bytesPerSecond }) => bytesPerSecond), { seed });
  const cpu = own.map(({ cpuSeconds, payloadBytes }) => cpuSeconds / (payloadBytes / MEBIBYTE));

  const measure = "bytesPerSecond";
  const against = { mtu, send: "copy", receive: "copy" } as const;
  const floor = noiseFloor(trials, { measure, at: against, seed });
  const isBaseline = send === "copy" && receive === "copy";
  const ratio = isBaseline ? floor : compare(trials, { measure, of: factors, against, seed });
  const said = ratio && verdict(ratio, floor, { subject: nameOf(factors) });

  const { copied, payloadBytes, dmaBufBytes, placedBytes, copiedBytes } = copying(own, proof);
  return {
    mtu,
    engine: receive === "copy" ? "recv" : "devmem",
    transmit: send === "copy" ? "send" : "devmem",
    device: "softnic",
    payloadBytes,
    copiedBytes,
    dmaBufBytes,
    linearBytes: total((one) => one.linearBytes),
    readableBytes: total((one) => one.readableBytes),
    placedBytes,
    readBytes: total((one) => one.readBytes),
    drops: total((one) => one.drops),
    sentAgain: total((one) => one.sentAgain),
    samePages: proof.samePages,
    verified: `${proof.verified} of ${proof.payloadBytes}, then ${own[0]!.verified}`,
    bytesPerSecond: rate.median,
    bytesPerSecondInterval: { low: rate.low, high: rate.high },
    cpuSecondsPerMebibyte: medianInterval(cpu).median,
    versusCopy: ratio === undefined
      ? null
      : { ratio: ratio.ratio, low: ratio.low, high: ratio.high },
    difference: isBaseline ? "baseline" : said?.difference ?? null,
    copied,
    verdict: ratio === undefined || said === undefined
      ? "not compared: fewer than two rounds"
      : isBaseline
      ? `the baseline; against itself ${interval(ratio)}`
      : said.text,
  };
}

/** Whether a way of receiving copied, by the sums over its rounds and by the pages of its proof. */
function copying(
  own: readonly DevmemMeasures[],
  { samePages }: DevmemMeasures,
): Pick<SummaryRow, "copied" | "payloadBytes" | "dmaBufBytes" | "placedBytes" | "copiedBytes"> {
  const total = (of: (measures: DevmemMeasures) => number): number =>
    own.reduce((sum, measures) => sum + of(measures), 0);
  const payloadBytes = total((one) => one.payloadBytes);
  const dmaBufBytes = total((one) => one.dmaBufBytes);
  const placedBytes = total((one) => one.placedBytes);
  const copiedBytes = total((one) => one.linearBytes + one.readableBytes + one.receivedBytes);
  // What TCP sends twice is placed twice.
  const copied = copiedBytes > 0 || dmaBufBytes < payloadBytes || placedBytes < payloadBytes ||
    samePages !== true;
  return { copied, payloadBytes, dmaBufBytes, placedBytes, copiedBytes };
}

/** Whether the kernel copied what one row received; recv(2), which always copies, needs no proof. */
function deviceMemoryProof(trials: readonly Trial[]): string | null {
  const all = trials as readonly DevmemTrial[];
  const own = all.filter(({ warmUp }) => !warmUp).map(({ measures }) => measures);
  const proof = all.find(({ warmUp }) => warmUp)?.measures;
  if (all[0]!.factors.receive === "copy" || own.length === 0 || proof === undefined) return null;
  return copying(own, proof).copied ? "copied" : "not copied";
}

function nameOf({ send, receive }: Pick<DevmemFactors, "send" | "receive">): string {
  return `${send === "copy" ? "send" : "devmem send"} to ${
    receive === "copy" ? "recv" : "devmem receive"
  }`;
}

function interval({ low, high }: Pick<Ratio, "low" | "high">): string {
  return `${formatChange(low)} to ${formatChange(high)}`;
}

function report(rows: readonly SummaryRow[], mebibytes: number, repeats: number): string {
  if (rows.length === 0) return "";
  const lines = [
    `TCP over softnic, ${mebibytes} MiB in each of ${repeats} rounds; percent is bytes per second ` +
    "against copying at both ends",
    "",
    resultTable(rows),
    "What was copied on the way to the program:",
    ...rows.map((row) => `  ${proofOf(row)}`),
    "softnic is software: what the DMA of a NIC does, a processor does here. So the rates compare",
    "ways of receiving on this machine, and say nothing of a NIC.",
  ];
  return lines.join("\n") + "\n";
}

function resultTable(rows: readonly SummaryRow[]): string {
  return table<SummaryRow>(
    [
      { title: "MTU", value: (row) => row.mtu },
      { title: "send", value: (row) => row.transmit },
      { title: "receive", value: (row) => row.engine },
      {
        title: "bytes/s",
        value: (row) => row.bytesPerSecond,
        format: (value) => formatSi(Number(value)),
      },
      {
        title: "against\ncopying",
        value: (row) =>
          row.difference === "baseline" || row.versusCopy === null
            ? null
            : formatChange(row.versusCopy.ratio),
        align: "right",
        style: (row) =>
          row.difference === "higher" ? "green" : row.difference === "lower" ? "red" : undefined,
      },
      {
        title: "95 % interval",
        value: (row) => row.versusCopy === null ? null : interval(row.versusCopy),
        align: "right",
        style: (row) => row.difference === "baseline" ? "dim" : undefined,
      },
      {
        title: "CPU ms\n/MiB",
        value: (row) => row.cpuSecondsPerMebibyte * 1000,
        format: (value) => Number(value).toFixed(2),
      },
      { title: "copied\nbytes", value: (row) => row.copiedBytes },
      { title: "placed\nbytes", value: (row) => row.placedBytes },
      { title: "same\npages", value: (row) => row.samePages },
    ],
    rows,
    { groupBy: (row) => row.mtu },
  );
}

/** The verdict on copying, and the evidence that it rests on. */
function proofOf(row: SummaryRow): string {
  const { mtu, engine, transmit, payloadBytes, copiedBytes, dmaBufBytes, placedBytes } = row;
  const sent = transmit === "send"
    ? "send copied it into the kernel"
    : row.readBytes >= payloadBytes
    ? `the sending NIC read ${row.readBytes} bytes out of the dma-buf`
    : `the sending NIC read only ${row.readBytes} bytes out of the dma-buf`;
  const evidence = engine === "recv"
    ? `recv(2) copied ${copiedBytes} of ${payloadBytes} bytes`
    : `${dmaBufBytes} of ${payloadBytes} bytes in the dma-buf (linear ${row.linearBytes}, ` +
      `readable ${row.readableBytes}), ${placedBytes} placed there by the NIC, physical pages ` +
      `${row.samePages ? "the same" : "not the same"}`;
  return `MTU ${mtu}, ${
    nameOf({
      send: transmit === "send" ? "copy" : "devmem",
      receive: engine === "recv" ? "copy" : "devmem",
    })
  }: ${row.copied ? "copied" : "not copied"}: ${evidence}; ${sent}.`;
}
