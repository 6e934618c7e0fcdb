/**
 * From a zero-copy receiver to a disk without a copy.
 *
 * @module
 */
import { Area } from "../../../ffi/memory/area.ts";
import type { DiskFile } from "../../../ffi/memory/disk_file.ts";
import { UringError } from "../../../ffi/kernel/errors.ts";
import type { Socket } from "../../../ffi/net/socket.ts";
import type { Ring } from "../../../ffi/ring/ring.ts";
import type { ZcrxReceiver } from "../../../ffi/zcrx/receiver.ts";

const PAGE = 4096;
/** Bytes of one write at most, and of the pages that are put together from what is not aligned. */
const CHUNK = 256 << 10;
/**
 * Receiving goes on only while no more than this is on its way to the disk. A receiver that holds all
 * buffers would make the NIC drop what comes; one that does not ask lets TCP's window close.
 */
const WINDOW = 4 << 20;
/** Milliseconds without progress after which a stream counts as stuck. */
const STUCK_MILLISECONDS = 60_000;

/** How a stream got to the disk. */
export type DirectlyWritten = {
  /** Bytes that were written from where they were received. */
  readonly directBytes: number;
  /** Bytes that did not lie on whole pages, and were copied by this program. */
  readonly bouncedBytes: number;
};

/** Pieces that lie one after the other in the area and in the stream. */
interface Run {
  readonly at: number;
  readonly offset: number;
  length: number;
  readonly pieces: number[];
}

/**
 * Writes one stream from where zero-copy receive put it (RECV_ZC, WRITE), and gives each piece back when
 * the disk has it. What does not lie on whole pages is copied to pages that are put together, and
 * counted: O_DIRECT cannot write it as it lies.
 */
export class DirectWriter implements Disposable {
  readonly #ring: Ring;
  readonly #receiver: ZcrxReceiver;
  readonly #area: Area;
  readonly #file: DiskFile;
  readonly #bytes: number;
  readonly #memory: Uint8Array;
  /** The pages that are put together, those of them that are free, and the one that is filled. */
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
  /** What is on its way to the disk, by the user data of its write: a run, or a page. */
  readonly #writes = new Map<number, Run | number>();
  #next = 0;

  /**
   * Prepares for one stream.
   *
   * @param receiver The receiver, of one area.
   * @param file The file, opened with O_DIRECT; written from its start.
   * @param options The receiver's ring, with which its area may be registered, and the length of the
   *   stream, a multiple of 4096.
   */
  constructor(
    receiver: ZcrxReceiver,
    file: DiskFile,
    { ring, bytes }: { readonly ring: Ring; readonly bytes: number },
  ) {
    this.#ring = ring;
    this.#receiver = receiver;
    this.#area = receiver.areas[0]!;
    this.#file = file;
    this.#bytes = bytes;
    this.#memory = this.#area.unsafeBytes();
    for (let page = 0; page < this.#bounce.bytes; page += PAGE) this.#freePages.push(page);
  }

  /**
   * Blocks the thread until the whole stream has been written.
   *
   * @param socket A connected TCP socket.
   * @throws {UringError} If receiving or writing failed.
   * @throws {Error} If the stream ends early, stands still for a minute, or the disk is full.
   */
  run(socket: Socket): DirectlyWritten {
    const { batch } = this.#ring;
    let progress = performance.now();
    while (this.#received < this.#bytes || this.#writing > 0) {
      this.#ask(socket);
      const before = this.#received + this.#next;
      const pieces = this.#receiver.reap(this.#onPiece, this.#onEnd);
      this.#flush();
      batch.submit();
      const written = batch.reap(this.#onWritten);
      if (this.#failure !== undefined) throw this.#failure;
      if (pieces + written > 0 || this.#received + this.#next !== before) {
        progress = performance.now();
      } else if (performance.now() - progress > STUCK_MILLISECONDS) {
        throw this.#stuck();
      } else batch.waitBlocking(1, 10);
    }
    return { directBytes: this.#direct, bouncedBytes: this.#bounced };
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
    else if (this.#received < this.#asked) this.#failure = this.#stuck();
  };

  readonly #onPiece = (_userData: number, piece: number, offset: number, length: number): void => {
    const at = this.#received;
    this.#received += length;
    const aligned = this.#page < 0 && offset % PAGE === 0 && length % PAGE === 0;
    if (!aligned) {
      this.#copy(offset, length);
      this.#receiver.release(piece);
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
    this.#writes.set(number, owner);
    this.#writing += length;
    this.#ring.batch.write(this.#file, area.slice(offset, length), at, number);
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
      if (!batch.waitBlocking(1, STUCK_MILLISECONDS)) throw this.#stuck();
      batch.reap(this.#onWritten);
    }
    return this.#freePages.pop()!;
  }

  readonly #onWritten = (userData: number, result: number): void => {
    const owner = this.#writes.get(userData)!;
    this.#writes.delete(userData);
    const length = typeof owner === "number" ? PAGE : owner.length;
    this.#writing -= length;
    if (typeof owner === "number") this.#freePages.push(owner);
    else for (const piece of owner.pieces) this.#receiver.release(piece);
    if (result < 0) this.#failure = new UringError("WRITE", -result);
    else if (result !== length) {
      this.#failure = new Error(`The disk took ${result} of ${length} bytes`);
    }
  };

  #stuck(): Error {
    return new Error(`The stream is stuck after ${this.#received} of ${this.#bytes} bytes`);
  }

  /** Gives back the memory in which pages are put together. Idempotent. */
  [Symbol.dispose](): void {
    this.#bounce.close();
  }
}
