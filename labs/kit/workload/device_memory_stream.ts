/**
 * One stream over softnic with or without dma-bufs at its ends: what device memory TCP is compared in.
 *
 * @module
 */
import { Area } from "../../../ffi/memory/area.ts";
import type { DeviceMemoryKind } from "../../../ffi/devmem/piece.ts";
import { DeviceMemoryReceiver } from "../../../ffi/devmem/receiver.ts";
import { DeviceMemoryTransmitter } from "../../../ffi/devmem/transmitter.ts";
import { threadCpuSeconds } from "../../../ffi/kernel/thread.ts";
import { POLL } from "../../../ffi/kernel/uapi.ts";
import type { Socket } from "../../../ffi/net/socket.ts";
import { Ring } from "../../../ffi/ring/ring.ts";
import { type NetworkCounters, networkCounters } from "../testbed/network_counters.ts";
import { type NicCounts, NicWitness, type PlacedPiece } from "../testbed/nic_witness.ts";
import type { StreamLink } from "../testbed/stream_links.ts";
import { type Look, notLooking } from "../trials/look.ts";
import { fillStream, matchesStream, matchesWhole } from "./stream.ts";

/** How one end moves payload: as always, with a copy by the kernel, or with a dma-buf. */
export type PayloadWay = "copy" | "devmem";

/** What to move, and how. */
export interface DeviceMemoryStreamOptions {
  /** How it is sent. */
  readonly send: PayloadWay;
  /** How it is received. */
  readonly receive: PayloadWay;
  /** Length of the stream in bytes. */
  readonly bytes: number;
  /**
   * Whether to compare every byte, and the pages of the pieces with those that the NIC wrote to; otherwise
   * the first and the last 8 bytes of each piece.
   *
   * @default {false}
   */
  readonly proof?: boolean;
  /** Stops it. */
  readonly signal?: AbortSignal;
  /** Looks at the stream, of which no byte is then sent twice: it has 1 MiB at most. */
  readonly look?: Look;
}

/** What came of it. */
export type DeviceMemoryStreamed = NicCounts & {
  /** Bytes of the stream. */
  readonly payloadBytes: number;
  /** From the first send to the last byte received. */
  readonly seconds: number;
  /** Bytes for each second. */
  readonly bytesPerSecond: number;
  /** CPU time of the thread that does both ends, and of what the kernel does on it. */
  readonly cpuSeconds: number;
  /** The same for each MiB. */
  readonly cpuSecondsPerMiB: number;
  /** What the kernel says of the payload received: pieces in the dma-buf. */
  readonly pieces: number;
  /** And bytes in them. */
  readonly dmaBufBytes: number;
  /** Bytes that the NIC left behind the headers, and that the kernel copied. */
  readonly linearBytes: number;
  /** Bytes that came in through another queue, and that the kernel copied. */
  readonly readableBytes: number;
  /** Bytes that recv(2) copied. */
  readonly receivedBytes: number;
  /** How often TCP may have sent something again, which the NIC then placed again. */
  readonly sentAgain: number;
  /** Sends from the dma-buf. */
  readonly sends: number;
  /** Those of them that the kernel has released. */
  readonly notified: number;
  /** Whether each piece lay in the physical pages that the NIC wrote to; null where not looked. */
  readonly samePages: boolean | null;
  /** How much of what was received was compared with what was sent. */
  readonly verified: "every byte" | "the ends of each piece";
};

const MIB = 1 << 20;
/** The first MiB of the stream is sent again and again. */
const SOURCE_BYTES = MIB;
/** Bytes of one send at most. */
const SEND_BYTES = 1 << 17;
/** Bytes of one copying receive at most. */
const ROOM_BYTES = 1 << 18;

/** Counters that say that TCP may have sent something twice: it probes when an answer is late. */
const SENT_AGAIN = [
  "TcpExt.TCPLossProbes",
  "TcpExt.TCPFastRetrans",
  "TcpExt.TCPSlowStartRetrans",
  "TcpExt.TCPTimeouts",
  "TcpExt.TCPLostRetransmit",
] as const;

/** Both ends of a connection that moves a stream. */
interface Ends {
  readonly ring: Ring;
  readonly near: Socket;
  readonly far: Socket;
}

/**
 * Moves streams over a link of softnic, one after the other, each over a connection and bindings of its
 * own. One thread does both ends. The memory at both ends stays.
 */
export class DeviceMemoryStreams implements Disposable {
  /** Where the NIC puts what is received, and what it sends without a copy. */
  readonly #target: Area;
  readonly #source: Area;
  /** The same bytes, to be copied, and where recv(2) puts what is received. */
  readonly #plain: Area;
  readonly #room: Area;
  readonly #stack: DisposableStack;

  private constructor(targetBytes: number) {
    using stack = new DisposableStack();
    // The dma-bufs first: it is they that a machine may lack.
    this.#target = stack.use(Area.dmaBuf({ bytes: targetBytes }));
    this.#source = stack.use(Area.dmaBuf({ bytes: SOURCE_BYTES }));
    this.#plain = stack.use(Area.map({ bytes: SOURCE_BYTES }));
    this.#room = stack.use(Area.map({ bytes: ROOM_BYTES }));
    fillStream(this.#source.unsafeBytes());
    fillStream(this.#plain.unsafeBytes());
    this.#stack = stack.move();
  }

  /**
   * Makes the memory.
   *
   * @param options The size of the dma-buf that is received into.
   * @throws {UnsupportedError} If this machine has no dma-buf.
   */
  static open({ targetBytes }: { readonly targetBytes: number }): DeviceMemoryStreams {
    return new DeviceMemoryStreams(targetBytes);
  }

  /**
   * Moves one stream.
   *
   * @param link Where: a link of softnic.
   * @param options What, and how.
   * @throws {UringError} If binding, sending or receiving failed.
   * @throws {Error} If what is received is not what was sent.
   */
  async move(link: StreamLink, options: DeviceMemoryStreamOptions): Promise<DeviceMemoryStreamed> {
    const { bytes, proof = false, look = notLooking } = options;
    const { near, far } = link.bed;
    await using ring = Ring.open({ entries: 16 });
    using bindings = new DisposableStack();
    const receiver = options.receive === "copy"
      ? undefined
      : bindings.use(DeviceMemoryReceiver.open({
        area: this.#target,
        interface: far.interface,
        queues: [link.queue],
        place: far,
      }));
    const transmitter = options.send === "copy"
      ? undefined
      : bindings.use(DeviceMemoryTransmitter.open({
        area: this.#source,
        interface: near.interface,
        place: near,
      }));
    using wire = await link.connect();
    const again = await timesSentAgain(link);
    const sending = await NicWitness.begin(link.nic?.near, link);
    const receiving = await NicWitness.begin(link.nic?.far, { queue: link.queue, pages: proof });

    const ends = { ring, near: wire.near, far: wire.far };
    const check = new Check(bytes, proof);
    const cpuBefore = threadCpuSeconds();
    const started = performance.now();
    const move = async (): Promise<void> => {
      await Promise.all([
        this.#send(ends, transmitter, options),
        receiver === undefined
          ? this.#receive(ends, check, options)
          : this.#receivePlaced(ends, receiver, check, options),
      ]);
    };
    const source = transmitter === undefined ? this.#plain : this.#source;
    // A longer stream is sent from it again and again.
    const watch = [source.slice(0, Math.min(bytes, source.bytes))];
    await look({ watch, unit: "byte", count: () => bytes }, move);
    const seconds = (performance.now() - started) / 1000;
    const cpuSeconds = threadCpuSeconds() - cpuBefore;
    await transmitter?.drained(ring);
    check.requireEnd();

    const counts = receiver?.counts;
    return {
      payloadBytes: bytes,
      seconds,
      bytesPerSecond: bytes / seconds,
      cpuSeconds,
      cpuSecondsPerMiB: cpuSeconds / (bytes / MIB),
      pieces: counts?.pieces ?? 0,
      dmaBufBytes: counts?.dmaBufBytes ?? 0,
      linearBytes: counts?.linearBytes ?? 0,
      readableBytes: counts?.readableBytes ?? 0,
      receivedBytes: counts === undefined ? bytes : 0,
      ...await receiving.counts(),
      readBytes: (await sending.counts()).readBytes,
      sentAgain: await timesSentAgain(link) - again,
      sends: transmitter?.counts.sent ?? 0,
      notified: transmitter?.counts.notified ?? 0,
      samePages: receiver !== undefined && proof
        ? await receiving.samePages(this.#target, check.pieces)
        : null,
      verified: proof ? "every byte" : "the ends of each piece",
    };
  }

  async #send(
    { ring, near }: Ends,
    transmitter: DeviceMemoryTransmitter | undefined,
    { bytes, signal }: DeviceMemoryStreamOptions,
  ): Promise<void> {
    for (let sent = 0; sent < bytes;) {
      signal?.throwIfAborted();
      const offset = sent % SOURCE_BYTES;
      const length = Math.min(SEND_BYTES, SOURCE_BYTES - offset, bytes - sent);
      if (transmitter === undefined) {
        sent += await ring.send(near, this.#plain.slice(offset, length));
        continue;
      }
      transmitter.reap();
      const now = transmitter.trySend(near, this.#source.slice(offset, length));
      if (now === undefined) await ring.poll(near, POLL.OUT);
      else sent += now;
    }
    near.shutdown("write");
  }

  /** Receives with recv(2), which copies. */
  async #receive(
    { ring, far }: Ends,
    check: Check,
    { signal }: DeviceMemoryStreamOptions,
  ): Promise<void> {
    const slice = this.#room.slice();
    const view = viewOf(this.#room.unsafeBytes());
    while (true) {
      signal?.throwIfAborted();
      const length = far.tryReceive(slice);
      if (length === undefined) await ring.poll(far, POLL.IN | POLL.RDHUP);
      else if (length === 0) return;
      else check.take(view, 0, length);
    }
  }

  /** Receives what the NIC has put into the dma-buf. */
  async #receivePlaced(
    { ring, far }: Ends,
    receiver: DeviceMemoryReceiver,
    check: Check,
    { signal }: DeviceMemoryStreamOptions,
  ): Promise<void> {
    const placed = viewOf(this.#target.unsafeBytes());
    const copied = viewOf(receiver.copied);
    const onPiece = (kind: DeviceMemoryKind, offset: number, length: number): void => {
      if (kind === "dma-buf") check.takePlaced(placed, offset, length);
      else check.take(copied, offset, length);
    };
    while (true) {
      signal?.throwIfAborted();
      const length = receiver.each(far, onPiece);
      if (length === undefined) await ring.poll(far, POLL.IN | POLL.RDHUP);
      else if (length === 0) return;
    }
  }

  /** Gives the memory back. Idempotent. */
  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

/** Compares what is received with what was sent. */
class Check {
  /** The pieces in the dma-buf, if every byte is compared. */
  readonly pieces: PlacedPiece[] = [];
  readonly #bytes: number;
  readonly #isProof: boolean;
  #received = 0;

  constructor(bytes: number, isProof: boolean) {
    this.#bytes = bytes;
    this.#isProof = isProof;
  }

  take(view: DataView, at: number, length: number): void {
    const matches = this.#isProof ? matchesWhole : matchesStream;
    // What is sent begins anew after each source.
    for (let done = 0; done < length;) {
      const offset = (this.#received + done) % SOURCE_BYTES;
      const part = Math.min(length - done, SOURCE_BYTES - offset);
      if (!matches(view, at + done, part, offset)) {
        throw new Error(`The piece at byte ${this.#received} of the stream is not what was sent`);
      }
      done += part;
    }
    this.#received += length;
  }

  takePlaced(view: DataView, offset: number, length: number): void {
    this.take(view, offset, length);
    if (this.#isProof) this.pieces.push({ offset, length });
  }

  requireEnd(): void {
    if (this.#received !== this.#bytes) {
      throw new Error(`${this.#received} bytes were received, ${this.#bytes} were sent`);
    }
  }
}

/** How often the sending end may have sent something again. */
async function timesSentAgain({ bed }: StreamLink): Promise<number> {
  const counters: NetworkCounters = await networkCounters(bed.near);
  return SENT_AGAIN.reduce((sum, name) => sum + (counters[name] ?? 0), 0);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
