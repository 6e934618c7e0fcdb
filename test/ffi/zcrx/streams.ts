/**
 * TCP streams for the tests of receivers: connected, filled with a pattern, and compared with it.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Area, Ring, type Socket, type Testbed, type ZcrxReceiver } from "zclab";
import { deadline, inTime } from "../../until.ts";
import { connectTcp, pattern } from "../connections.ts";

/** Seconds that receiving a stream may take, with software emulation as well. */
const STREAM_SECONDS = 300;

/** A TCP connection whose near end sends a pattern, and whose far end is received from. */
export class Stream implements AsyncDisposable {
  /** Sends, while the receiver's ring receives. */
  readonly ring = Ring.open();
  /** The end that sends. */
  readonly near: Socket;
  /** The end that is received from. */
  readonly far: Socket;
  /** What is sent, byte by byte. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #area: Area;
  /** How far sending has got. */
  #sent = 0;
  /** How much has been compared. */
  compared = 0;

  private constructor(near: Socket, far: Socket, length: number) {
    this.near = near;
    this.far = far;
    this.bytes = pattern(length, length);
    this.#area = Area.map({ bytes: length });
    this.#area.unsafeBytes(0, length).set(this.bytes);
  }

  /**
   * Connects.
   *
   * @param bed Where.
   * @param length Bytes of the pattern.
   * @param options The port of the far end, any by default, and the family.
   */
  static async open(
    bed: Testbed,
    length: number,
    options: { readonly port?: number; readonly family?: 4 | 6 } = {},
  ): Promise<Stream> {
    await using ring = Ring.open();
    const { near, far } = await connectTcp(ring, bed, options);
    return new Stream(near.setOption("TCP_NODELAY", true), far, length);
  }

  /** Sends the next bytes of the pattern; all that is left by default. */
  async send(length = this.bytes.length - this.#sent): Promise<void> {
    const end = this.#sent + length;
    while (this.#sent < end) {
      const slice = this.#area.slice(this.#sent, Math.min(1 << 16, end - this.#sent));
      this.#sent += await inTime("a send", this.ring.send(this.near, slice));
    }
  }

  /** Sends all that is left, and ends the stream. It may fail unheard: receiving fails as well. */
  sendAll(): Promise<void> {
    const sending = this.send().then(() => this.ring.shutdown(this.near, "write"));
    sending.catch(() => {});
    return sending;
  }

  /** Sends all that is left without waiting, as far as the socket takes it at once. */
  sendNow(length = this.bytes.length - this.#sent): void {
    const end = this.#sent + length;
    while (this.#sent < end) {
      this.#sent += this.near.sendBlocking(this.#area.slice(this.#sent, end - this.#sent));
    }
  }

  /** Compares what was received with what comes next in the pattern. */
  compare(received: Uint8Array): void {
    const expected = this.bytes.subarray(this.compared, this.compared + received.length);
    // assertEquals is slow on many bytes, and good at showing where they differ.
    if (!same(received, expected)) assertEquals(received, expected);
    this.compared += received.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.near.close();
    this.far.close();
    await this.ring[Symbol.asyncDispose]();
    this.#area.close();
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** What the batch API receives of some streams, until all have ended. */
export interface Reaped {
  /** Bytes, by user data. */
  readonly bytes: Record<number, number>;
  /** Errors, by user data. */
  readonly errors: Record<number, unknown>;
  /** Pieces, in all. */
  readonly pieces: number;
}

/**
 * Receives with the batch API until every stream has ended: compares each piece and gives it back.
 *
 * @param streams By user data.
 * @param hold How many pieces the program holds before it gives the oldest back; 0 by default.
 */
export async function reapAll(
  receiver: ZcrxReceiver,
  streams: readonly Stream[],
  hold = 0,
): Promise<Reaped> {
  const reaped = { bytes: {} as Record<number, number>, errors: {} as Record<number, unknown> };
  let pieces = 0;
  const held: number[] = [];
  const check = deadline("the ends of all streams", STREAM_SECONDS);
  streams.forEach((stream, userData) => receiver.start(stream.far, userData));
  while (Object.keys(reaped.bytes).length < streams.length) {
    check();
    // Short waits: the senders of a test run in this thread.
    receiver.waitBlocking(1);
    receiver.reap((userData, piece, offset, length) => {
      pieces++;
      streams[userData]!.compare(receiver.areaOf(piece).unsafeBytes(offset, length));
      held.push(piece);
      if (held.length > hold) receiver.release(held.shift()!);
    }, (userData, bytes, error) => {
      reaped.bytes[userData] = bytes;
      if (error !== undefined) reaped.errors[userData] = error;
    });
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  for (const piece of held) receiver.release(piece);
  return { ...reaped, pieces };
}

/**
 * Receives by peeking until every stream has ended: compares what is shown, and consumes it.
 *
 * @param streams By user data.
 * @param most How many pieces are consumed at once at most.
 */
export async function peekAll(
  receiver: ZcrxReceiver,
  streams: readonly Stream[],
  most = Infinity,
): Promise<Reaped> {
  const peeked = { bytes: {} as Record<number, number>, errors: {} as Record<number, unknown> };
  let pieces = 0;
  const check = deadline("the ends of all streams", STREAM_SECONDS);
  streams.forEach((stream, userData) => receiver.start(stream.far, userData));
  while (Object.keys(peeked.bytes).length < streams.length) {
    check();
    // Short waits: the senders of a test run in this thread.
    receiver.waitBlocking(1);
    const count = Math.min(
      most,
      receiver.peek((userData, bytes, error) => {
        peeked.bytes[userData] = bytes;
        if (error !== undefined) peeked.errors[userData] = error;
      }),
    );
    for (let i = 0; i < count; i++) {
      const bytes = receiver.areaAt(i).unsafeBytes(receiver.offsetAt(i), receiver.lengthAt(i));
      streams[receiver.userDataAt(i)]!.compare(bytes);
    }
    receiver.consume(count);
    pieces += count;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return { ...peeked, pieces };
}

/** Receives with a loop until the end of the stream; compares each piece and gives it back. */
export async function receiveAll(receiver: ZcrxReceiver, stream: Stream): Promise<number> {
  let pieces = 0;
  const receiving = (async () => {
    for await (using piece of receiver.receive(stream.far)) {
      pieces++;
      stream.compare(piece.bytes);
    }
  })();
  await inTime("the end of a stream", receiving, STREAM_SECONDS);
  return pieces;
}
