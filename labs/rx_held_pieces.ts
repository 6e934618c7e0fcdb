/**
 * What becomes of a zero-copy receive whose pieces are not given back.
 *
 * @module
 */
import { Area, Ring, type Socket, type ZcrxReceiver } from "zclab";
import { defineLab, fillStream, matchesWhole, NicWitness, StreamLink } from "zclab/lab";

/** What one trial is about. */
type HeldFactors = {
  /** What the receiver stands on: a queue of softnic, or no device. */
  readonly device: "none" | "softnic";
  /** Buffers of the area, of 4096 bytes each. */
  readonly buffers: number;
  /** Pieces that the program keeps, the first ones that come; the others it gives back at once. */
  readonly held: number;
};

/** What one trial measured. */
type HeldMeasures = {
  readonly streamBytes: number;
  /** Bytes that arrived while the program kept its pieces. */
  readonly bytesWhileHolding: number;
  /** Bytes that had arrived at the end, after it had given them back. */
  readonly bytesAfterwards: number;
  /** How long it took from giving them back to the next piece; null if nothing stood still. */
  readonly resumedAfterSeconds: number | null;
  /** Times that the receive had to be started again because no buffer was free. */
  readonly starved: number;
  /** Bytes that the kernel says it copied; null before Linux 7.2. */
  readonly copiedBytes: number | null;
  /** Frames that the NIC dropped; null without a device. */
  readonly droppedFrames: number | null;
};

const PAGE = 4096;
/** Buffers that the NIC keeps posted on a queue, at most. */
const DESCRIPTORS = 256;

/** Buffers of the area on softnic. */
const NIC_BUFFERS = 512;
/** So that each segment fills a page: 4096 bytes of payload with TCP's headers. */
const MTU = 4148;
/** Bytes in the socket's queue at most: they lie in the area, too, and nobody holds them yet. */
const QUEUED_BYTES = 128 * 1024;
/** Bytes of the stream of a trial, with each kind of device: more than the area takes. */
const STREAM = { none: 64 * PAGE, softnic: 2 * NIC_BUFFERS * PAGE } as const;
/** Milliseconds without a piece after which a receive counts as standing still. */
const STILL = 500;
/** How long it may take until the stream goes on: TCP waits longer each time that it sends again. */
const STUCK = 30_000;

/** What becomes of a receive whose pieces are not given back. */
export const rxHeldPieces = defineLab({
  name: "rx-held-pieces",
  title: "Zero-copy receive: what becomes of a receive whose pieces are not given back",
  description:
    "Receives a TCP stream with zcrx and keeps the first pieces. When nothing comes any more the " +
    "pieces are given back, and the rest of the stream is received. Every byte is compared.",
  needs: ["liburing", "shim", "io_uring", "namespaces", "ip", "nsenter", "zcrx"],
  options: {
    buffers: {
      kind: "number",
      description: "buffers of the area without a device",
      default: 16,
      minimum: 2,
      maximum: 32,
    },
  },
  repeats: { default: 3, quick: 2, minimum: 1 },
  warmUp: 0,

  factors({ buffers }, { has }): HeldFactors[] {
    // Of few buffers some of these are the same.
    const amounts = new Set([1, Math.floor(buffers / 2), buffers - 1, buffers]);
    const none = [...amounts].map((held) => ({ device: "none", buffers, held }) as const);
    if (!has("softnic")) return none;
    const area = { device: "softnic", buffers: NIC_BUFFERS } as const;
    return [...none, { ...area, held: 0 }, { ...area, held: NIC_BUFFERS }];
  },
  baseline: { device: "none", held: 1 },

  async setUp({ has }, use): Promise<Links> {
    const none = await use(StreamLink.open({ kind: "loopback" }));
    if (!has("softnic")) return { none };
    const softnic = { kind: "softnic", mtu: MTU, descriptors: DESCRIPTORS } as const;
    return { none, softnic: await use(StreamLink.open(softnic)) };
  },
  trial: (factors, links) => receive(links, factors),
  /** It was in milliseconds at first. */
  earlier: (trials) =>
    trials.map((trial) => {
      const { resumedAfterMilliseconds: milliseconds, ...measures } = trial.measures;
      if (milliseconds === undefined) return trial;
      const resumedAfterSeconds = milliseconds === null ? null : Number(milliseconds) / 1000;
      return { ...trial, measures: { ...measures, resumedAfterSeconds } };
    }),

  columns: {
    streamBytes: { title: "bytes of\nthe stream", over: "same", shown: "where there is room" },
    leastWhileHolding: {
      title: "arrived while\nholding, least",
      of: "bytesWhileHolding",
      over: "minimum",
      better: "higher",
      verdict: "between runs",
    },
    mostWhileHolding: { title: "most", of: "bytesWhileHolding", over: "maximum" },
    leastAfterwards: {
      title: "after giving\nback, least",
      of: "bytesAfterwards",
      over: "minimum",
    },
    resumedAfterSeconds: { title: "went on\nafter", unit: "s", over: "maximum" },
    copiedBytes: { title: "bytes\ncopied", over: "sum", evidence: true },
    droppedFrames: { title: "frames\ndropped", over: "sum", evidence: true },
  },
  proof: ({ resumedAfterSeconds }) => resumedAfterSeconds === null ? "goes on" : "stands still",
});

/** A link for each kind of device. */
interface Links {
  readonly none: StreamLink;
  readonly softnic?: StreamLink;
}

async function receive(
  links: Links,
  { device, buffers, held }: HeldFactors,
): Promise<HeldMeasures> {
  const link = links[device]!;
  using area = Area.map({ bytes: buffers * PAGE });
  using data = Area.map({ bytes: STREAM[device] });
  fillStream(data.unsafeBytes());
  const witness = await NicWitness.begin(link.nic?.far, link);
  // A receive takes data out of the socket as it comes, and TCP asks for more. A short completion
  // queue stops that before the area is used up, in case this program is slow.
  await using sending = Ring.open();
  await using ring = Ring.open({ entries: 16, completionEntries: 128, completionSize: 32 });
  using receiver = link.openReceiver(ring, { area });
  using wire = await link.connect({ receiveBuffer: QUEUED_BYTES });
  const sent = sendAll(sending, wire.near, data);
  const { whileHolding, afterwards, resumedAfter } = await takeAll(
    receiver,
    wire.far,
    STREAM[device],
    held,
  );
  await sent;
  const { starved, copiedBytes = null } = receiver.statistics();
  const { droppedFrames } = await witness.counts();
  return {
    streamBytes: STREAM[device],
    bytesWhileHolding: whileHolding,
    bytesAfterwards: afterwards,
    resumedAfterSeconds: resumedAfter === null ? null : resumedAfter / 1000,
    starved,
    copiedBytes,
    droppedFrames,
  };
}

async function sendAll(ring: Ring, socket: Socket, data: Area): Promise<void> {
  for (let at = 0; at < data.bytes;) {
    const length = Math.min(64 * 1024, data.bytes - at);
    at += await ring.send(socket, data.slice(at, length));
  }
}

/** Receives the stream; the first pieces come back only when nothing comes any more. */
async function takeAll(
  receiver: ZcrxReceiver,
  socket: Socket,
  bytes: number,
  held: number,
): Promise<{ whileHolding: number; afterwards: number; resumedAfter: number | null }> {
  const kept: Disposable[] = [];
  let received = 0;
  /** How far it had come, and when, when it stood still. */
  let still: { readonly at: number; readonly since: number } | undefined;
  let resumedAfter: number | null = null;
  const pieces = receiver.receive(socket, { bytes });
  let next = pieces.next();
  while (true) {
    const result = await within(next, still === undefined ? STILL : STUCK);
    if (result === undefined) {
      if (still !== undefined) throw new Error(`The stream is stuck after ${received} bytes`);
      still = { at: received, since: performance.now() };
      for (const piece of kept.splice(0)) piece[Symbol.dispose]();
      continue;
    }
    if (result.done) break;
    if (still !== undefined) resumedAfter ??= performance.now() - still.since;
    const piece = result.value;
    const view = new DataView(piece.bytes.buffer, piece.bytes.byteOffset, piece.length);
    if (!matchesWhole(view, 0, piece.length, received)) {
      throw new Error(`The piece at byte ${received} of the stream is not what was sent`);
    }
    received += piece.length;
    if (still === undefined && kept.length < held) kept.push(piece);
    else piece.release();
    next = pieces.next();
  }
  for (const piece of kept) piece[Symbol.dispose]();
  return { whileHolding: still?.at ?? received, afterwards: received, resumedAfter };
}

/** What a promise resolves to, or undefined if that takes longer. */
async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), milliseconds);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
