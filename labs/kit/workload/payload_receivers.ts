/**
 * The ways of receiving one payload. None of them looks at the bytes before all have come.
 *
 * @module
 */
import { Area, type Slice } from "../../../ffi/memory/area.ts";
import { DeviceMemoryReceiver } from "../../../ffi/devmem/receiver.ts";
import type { Socket } from "../../../ffi/net/socket.ts";
import { TcpZeroCopyReceiver } from "../../../ffi/net/tcp_zerocopy_receiver.ts";
import { BufferRing } from "../../../ffi/ring/buffer_ring.ts";
import { Ring } from "../../../ffi/ring/ring.ts";
import type { StreamLink } from "../testbed/stream_links.ts";

/**
 * The ways: RECV; RECV_MULTISHOT into provided buffers; READ_FIXED into a registered buffer;
 * TCP_ZEROCOPY_RECEIVE, which has pages mapped; RECV_ZC on a queue of the NIC, and without a device; and
 * devmem, into a dma-buf.
 */
export const PAYLOAD_RECEIVERS = [
  "recv",
  "recv-multishot",
  "read-fixed",
  "tcp-zerocopy",
  "zcrx",
  "zcrx-no-device",
  "devmem",
] as const;

/** A way of receiving one payload. */
export type PayloadReceiver = typeof PAYLOAD_RECEIVERS[number];

/** Memory for what is received: of a page with 64 KiB and what begins in its middle. */
const ROOM_BYTES = 1 << 17;
/** Of zcrx and devmem: what the NIC posts in advance comes out of it. */
const AREA_BYTES = 8 << 20;
const PROVIDED = { count: 64, bytes: 4096 } as const;

/** Receives one payload in one way. */
export class PayloadReception implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #receive: (socket: Socket, length: number) => Promise<void>;
  readonly #parts: Readonly<Uint8Array>[] = [];
  readonly #copied: () => number | null;
  readonly #mapped: () => number | null;

  /**
   * Makes what receiving needs.
   *
   * @param way How.
   * @param link Where from.
   * @throws {UnsupportedError} If this kernel does not have the way.
   */
  constructor(way: PayloadReceiver, link: StreamLink) {
    const stack = new AsyncDisposableStack();
    this.#stack = stack;
    const isZeroCopy = way.startsWith("zcrx");
    const ring = stack.use(Ring.open({ entries: 64, completionSize: isZeroCopy ? 32 : 16 }));
    this.#copied = () => null;
    this.#mapped = () => null;
    if (isZeroCopy) {
      const area = stack.use(Area.map({ bytes: AREA_BYTES }));
      const device = way === "zcrx" ? "softnic" : "none";
      const receiver = stack.use(link.openReceiver(ring, { area, device }));
      this.#copied = () => receiver.statistics().copiedBytes ?? null;
      this.#receive = (socket, length) => this.#takeAll(receiver.receive(socket), length);
    } else if (way === "devmem") {
      const receiver = stack.use(openDeviceMemory(stack, link));
      this.#copied = () => receiver.counts.linearBytes + receiver.counts.readableBytes;
      this.#receive = (socket, length) => this.#takeAll(receiver.receive(socket, ring), length);
    } else if (way === "tcp-zerocopy") {
      const receiver = stack.use(TcpZeroCopyReceiver.open());
      this.#copied = () => receiver.counts.copiedBytes + receiver.counts.skippedBytes;
      this.#mapped = () => receiver.counts.mappedBytes;
      this.#receive = (socket, length) => this.#takeAll(receiver.receive(socket, ring), length);
    } else if (way === "recv-multishot") {
      const buffers = stack.use(BufferRing.open(ring, PROVIDED));
      this.#receive = (socket, length) =>
        this.#takeAll(ring.recvMultishot(socket, buffers), length);
    } else {
      const area = stack.use(Area.map({ bytes: ROOM_BYTES }));
      if (way === "read-fixed") ring.register(area);
      const read = (socket: Socket, slice: Slice): Promise<number> =>
        way === "recv" ? ring.recv(socket, slice) : ring.read(socket, slice);
      this.#receive = (socket, length) => this.#fill(area.slice(5, length), socket, read);
    }
  }

  async #fill(
    room: Slice,
    socket: Socket,
    read: (socket: Socket, slice: Slice) => Promise<number>,
  ): Promise<void> {
    for (let received = 0; received < room.length;) {
      const length = await read(socket, room.slice(received));
      if (length === 0) break;
      received += length;
    }
    this.#parts.push(room.bytes);
  }

  async #takeAll(
    pieces: AsyncGenerator<{ readonly bytes: Readonly<Uint8Array> }>,
    length: number,
  ): Promise<void> {
    let received = 0;
    for await (const { bytes } of pieces) {
      this.#parts.push(bytes);
      received += bytes.length;
      if (received >= length) break;
    }
  }

  /**
   * Receives it. The pieces stay with this program, until this is closed.
   *
   * @param socket From where.
   * @param length Bytes to wait for.
   * @throws {UringError} If receiving failed.
   */
  receive(socket: Socket, length: number): Promise<void> {
    return this.#receive(socket, length);
  }

  /** Whether it is what was sent, byte by byte. */
  matches(sent: Uint8Array): boolean {
    let at = 0;
    for (const part of this.#parts) {
      for (const byte of part) {
        if (byte !== sent[at++]) return false;
      }
    }
    return at === sent.length;
  }

  /** Bytes that the kernel says it copied on receive; null where it does not say. */
  get copiedBytes(): number | null {
    return this.#copied();
  }

  /** Bytes of which the kernel says that it mapped their pages; null where it does not map. */
  get mappedBytes(): number | null {
    return this.#mapped();
  }

  /** Closes all of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

function openDeviceMemory(stack: AsyncDisposableStack, link: StreamLink): DeviceMemoryReceiver {
  const { interface: name } = link.bed.far;
  const area = stack.use(Area.dmaBuf({ bytes: AREA_BYTES }));
  return DeviceMemoryReceiver.open({
    area,
    interface: name,
    queues: [link.queue],
    place: link.bed.far,
  });
}
