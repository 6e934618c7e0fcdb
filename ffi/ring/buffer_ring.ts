/**
 * Provided buffers: the kernel picks one for each piece that a multishot receive gets.
 *
 * @module
 */
import {
  acquire,
  addressHigh,
  addressLow,
  Area,
  type Holder,
  release,
  Slice,
} from "../memory/area.ts";
import { checkKind, checkObject, checkWhole } from "../kernel/arguments.ts";
import { now } from "../kernel/clock.ts";
import type { Engine } from "./engine.ts";
import { engineOf, type RingHandle } from "./ring_handle.ts";
import { ClosedError, OwnershipError } from "../kernel/errors.ts";
import { CLOSED, type Fact, showFacts, strip } from "../kernel/inspection.ts";
import { LAYOUTS, Struct } from "../kernel/layout.ts";
import { Mapping, PAGE_SIZE } from "../kernel/memory.ts";
import { CQE, REGISTER } from "../kernel/uapi.ts";

/** How to make a {@linkcode BufferRing}. */
export interface BufferRingOptions {
  /** Number of buffers: a power of two, at most 32768. */
  readonly count: number;
  /** Length of each buffer in bytes. */
  readonly bytes: number;
  /**
   * The buffer group that receives name; each ring needs different ones.
   *
   * @default {0}
   */
  readonly group?: number;
  /**
   * Whether to write zeros into all of it first. Until something is written there is no memory behind a
   * page, and the first receive into it makes some, which costs several times what copying does.
   *
   * @default {false}
   */
  readonly touched?: boolean;
}

const TAIL = LAYOUTS.io_uring_buf.fields.resv[0] >> 1;

// The ring's side. Only ffi/ uses these; they are not part of the public surface.
/** The group that a receive of that ring names. */
export let groupFor: (buffers: BufferRing, engine: Engine) => number;
/** A slice of no bytes, for a datagram without content. */
export let emptySlice: (buffers: BufferRing) => Slice;
/** How often a buffer has been given to the kernel. */
export let providedIn: (buffers: BufferRing) => number;
/** Resolves when a buffer has been given to the kernel after so many, or when it was closed. */
export let providedAfter: (buffers: BufferRing, count: number) => Promise<void>;

/**
 * A ring of buffers that the kernel fills (`IORING_REGISTER_PBUF_RING`, 5.19). A buffer is the
 * kernel's until a completion hands it out, then the program's until {@linkcode release}.
 */
export class BufferRing implements Disposable {
  /** The group that receives name. */
  readonly group: number;
  readonly #purpose: string;
  readonly #engine: Engine;
  readonly #area: Area;
  readonly #slices: Slice[];
  readonly #entries: Mapping;
  readonly #words: Int32Array;
  readonly #tail: Uint16Array;
  readonly #held: Uint8Array;
  readonly #providedAt: Float64Array;
  readonly #holder: Holder = { submittedAt: (id) => this.#providedAt[id] };
  readonly #returned: (() => void)[] = [];
  #provided = 0;
  #closed = false;

  static {
    groupFor = (buffers, engine) => {
      checkKind("buffers", BufferRing, buffers);
      if (buffers.#closed) throw new ClosedError("BufferRing");
      if (buffers.#engine !== engine) {
        throw new RangeError("BufferRing: the receive is of another ring than the buffers");
      }
      return buffers.group;
    };
    emptySlice = (buffers) => buffers.#area.slice(0, 0);
    providedIn = (buffers) => buffers.#provided;
    providedAfter = (buffers, count) => buffers.#providedAfter(count);
  }

  /**
   * Makes the buffers and gives all of them to the kernel (`IORING_REGISTER_PBUF_RING`, 5.19).
   *
   * @param ring The ring whose receives use the buffers.
   * @param options How many buffers, how long.
   * @throws {RangeError} If the count is not a power of two up to 32768, or the length not positive.
   * @throws {UringError} If the group is in use (EEXIST), or the kernel older than 5.19 (EINVAL).
   */
  static open(ring: RingHandle, options: BufferRingOptions): BufferRing {
    return new BufferRing(ring, options);
  }

  private constructor(ring: RingHandle, options: BufferRingOptions) {
    checkObject("options", options);
    const { count, bytes, group = 0, touched = false } = options;
    if (!Number.isInteger(count) || count < 1 || count > 32768 || (count & (count - 1)) !== 0) {
      throw new RangeError(`BufferRing: count must be a power of two up to 32768, got ${count}`);
    }
    checkWhole("BufferRing: group", group, 0, 0xffff);
    if (!Number.isInteger(bytes) || bytes < 1) {
      throw new RangeError(`BufferRing: bytes must be a positive integer, got ${bytes}`);
    }
    this.group = group;
    this.#purpose = `buffer group ${group}`;
    this.#engine = engineOf(ring);
    this.#engine.ensureOpen();
    this.#area = Area.map({ bytes: count * bytes });
    if (touched) this.#area.unsafeBytes().fill(0);
    this.#slices = this.#area.chunks(bytes).slice(0, count);
    this.#held = new Uint8Array(count);
    this.#providedAt = new Float64Array(count);
    this.#entries = Mapping.map({ bytes: Math.max(PAGE_SIZE, count * LAYOUTS.io_uring_buf.size) });
    this.#words = new Int32Array(this.#entries.buffer);
    this.#tail = new Uint16Array(this.#entries.buffer);
    const registration = new Struct(LAYOUTS.io_uring_buf_reg)
      .set("ring_addr", this.#entries.address)
      .set("ring_entries", count)
      .set("bgid", group);
    try {
      this.#engine.register(
        "IORING_REGISTER_PBUF_RING",
        REGISTER.PBUF_RING,
        registration.buffer,
        1,
      );
    } catch (error) {
      this.#entries.close();
      this.#area.close();
      throw error;
    }
    for (let id = 0; id < count; id++) this.#provide(id);
  }

  /** Number of buffers. */
  get count(): number {
    return this.#slices.length;
  }

  /** Whether {@linkcode close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Number of buffers that the program holds now. */
  get held(): number {
    return this.#held.reduce((sum, held) => sum + held, 0);
  }

  /**
   * The slice that a completion filled; it is the program's until {@linkcode release}.
   *
   * @param flags The flags of the completion.
   * @param length How much of it was filled: the completion's result.
   * @returns The filled part, or undefined when the completion used no buffer.
   * @throws {OwnershipError} If it was taken already.
   */
  take(flags: number, length: number): Slice | undefined {
    if ((flags & CQE.BUFFER) === 0 || this.#closed) return undefined;
    const id = flags >>> CQE.BUFFER_SHIFT;
    const slice = this.#slices[id]!;
    if (this.#held[id] === 1) {
      throw new OwnershipError("take: the program holds this buffer already; release it first");
    }
    this.#held[id] = 1;
    release(slice);
    return slice.slice(0, Math.max(0, length));
  }

  /**
   * Gives a buffer back to the kernel.
   *
   * @param slice What {@linkcode take} returned.
   * @throws {OwnershipError} If it is not a held buffer of this ring, or in flight.
   * @throws {ClosedError} After close.
   */
  release(slice: Slice): void {
    if (this.#closed) throw new ClosedError("BufferRing");
    checkKind("slice", Slice, slice);
    const bytes = this.#slices[0]!.length;
    const id = slice.offset / bytes;
    if (slice.area !== this.#area || this.#held[id] !== 1) {
      throw new OwnershipError("release: this slice is not a buffer that the program holds");
    }
    if (slice.state !== "free") {
      throw new OwnershipError("release: this slice is in flight. Wait for its completion first");
    }
    this.#held[id] = 0;
    this.#provide(id);
    for (const wake of this.#returned.splice(0)) wake();
  }

  #providedAfter(count: number): Promise<void> {
    if (this.#closed || this.#provided !== count) return Promise.resolve();
    return new Promise((resolve) => this.#returned.push(resolve));
  }

  #provide(id: number): void {
    const slice = this.#slices[id]!;
    this.#providedAt[id] = now();
    acquire(slice, this.#purpose, true, this.#holder, id);
    const tail = this.#tail[TAIL]!;
    const at = (tail & (this.#slices.length - 1)) << 2;
    this.#words[at] = addressLow(slice);
    this.#words[at + 1] = addressHigh(slice);
    this.#words[at + 2] = slice.length;
    // The upper half of this word is the tail in entry 0: write the lower half alone.
    this.#tail[(at << 1) + 6] = id;
    Atomics.store(this.#tail, TAIL, (tail + 1) & 0xffff);
    this.#provided++;
  }

  /**
   * Takes the buffers away from the kernel. A receive that still uses them ends with ENOBUFS.
   * Idempotent.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#engine.closed) {
      const registration = new Struct(LAYOUTS.io_uring_buf_reg).set("bgid", this.group);
      this.#engine.register(
        "IORING_UNREGISTER_PBUF_RING",
        REGISTER.UNREGISTER_PBUF_RING,
        registration.buffer,
        1,
      );
    }
    this.#slices.forEach((slice, id) => {
      if (this.#held[id] === 0) release(slice);
    });
    this.#area.close();
    this.#entries.close();
    for (const wake of this.#returned.splice(0)) wake();
  }

  /** Takes the buffers away from the kernel. */
  [Symbol.dispose](): void {
    this.close();
  }

  static {
    showFacts(BufferRing, (shown) => shown.#facts(), (shown) => shown.#more());
  }

  #facts(): readonly Fact[] {
    if (this.#closed) return CLOSED;
    return [["group", this.group], ["count", this.count], ["held", this.held]];
  }

  /** What only a table has room for. */
  #more(): readonly Fact[] {
    if (this.#closed) return [];
    const held = this.#slices.flatMap((_, id) =>
      this.#held[id] === 1 ? [{ offset: id, length: 1 }] : []
    );
    return [
      ["bytes of each", this.#slices[0]!.length],
      ["map (░ the kernel's, █ held)", strip(this.count, held)],
    ];
  }
}
