/**
 * What several receivers of one registration share: its memory, and the way back for its pieces.
 *
 * @module
 */
import { type Area, entrust, keepOpen } from "../memory/area.ts";
import type { Engine } from "../ring/engine.ts";
import { OwnershipError } from "../kernel/errors.ts";
import { LAYOUTS, Struct } from "../kernel/layout.ts";
import { type RefillRegion, RefillRing } from "./refill_ring.ts";
import { REGISTER, ZCRX_CTRL } from "../kernel/uapi.ts";
import type { ArrivalQueue } from "./arrival_queue.ts";
import type { Registration } from "./registration.ts";

const NEVER = 0x7fffffff;
const WORDS = 3;

/** A ring in which the registration has a number. */
export interface Attachment {
  readonly engine: Engine;
  readonly id: number;
}

/**
 * Gives an area to the kernel for a receiver.
 *
 * @throws {OwnershipError} If another receiver has it.
 */
export function claim(area: Area): () => void {
  return entrust(area, "zero-copy receive");
}

/** The argument of `IORING_REGISTER_ZCRX_CTRL`. */
export function control(id: number, op: number): Struct {
  return new Struct(LAYOUTS.zcrx_ctrl).set("zcrx_id", id).set("op", op);
}

/** One registration: it lives until the last ring that has it is closed. */
export class SharedReceiver {
  readonly refill: RefillRing;
  /** Bytes of a buffer. */
  readonly bufferBytes: number;
  readonly hasDevice: boolean;
  /** Whether the areas are dma-bufs, into which the kernel cannot copy. */
  readonly isDmaBuf: boolean;
  /** The areas by their numbers. */
  readonly areas: Area[] = [];
  /** Copied chunks and bytes, as the kernel counts them. */
  readonly counts: BigUint64Array | undefined;
  /** Pieces that receivers were given. */
  taken = 0;
  /** Pieces that came back. */
  returned = 0;
  /** How often the refill ring was flushed. */
  flushes = 0;
  readonly #region: RefillRegion;
  readonly #canFlush: boolean;
  /** How many waiting entries are worth a flush. */
  #flushAt: number;
  readonly #attachments: Attachment[] = [];
  readonly #release: (() => void)[] = [];
  #unlock: (() => unknown)[] = [];
  #users = 0;
  #open = 0;
  /** Pieces for which the refill ring had no room: two words of offset, and the length. */
  #backlog = new Int32Array(0);
  #backlogCount = 0;
  #waiters: (() => void)[] = [];
  /** How many hand out pieces at this moment, and tell the kernel afterwards. */
  #gathering = 0;

  constructor(
    region: RefillRegion,
    registration: Registration,
    options: {
      readonly hasDevice: boolean;
      readonly isDmaBuf: boolean;
      readonly canFlush: boolean;
      readonly statistics: boolean;
    },
  ) {
    const { refillEntries, offsets, bufferBytes } = registration;
    this.#region = region;
    this.refill = new RefillRing(region.mapping.buffer, refillEntries, offsets);
    this.bufferBytes = bufferBytes;
    this.hasDevice = options.hasDevice;
    this.isDmaBuf = options.isDmaBuf;
    this.#canFlush = options.canFlush;
    this.#flushAt = options.canFlush ? refillEntries : NEVER;
    this.counts = options.statistics
      ? new BigUint64Array(region.mapping.buffer, region.statistics, 2)
      : undefined;
  }

  /**
   * Notes an area that the kernel has taken.
   *
   * @param release What {@linkcode claim} returned for it.
   */
  addArea(area: Area, release: () => void): void {
    this.areas.push(area);
    this.#release.push(release);
    if (this.#open > 0) this.#lock(area);
    // Without a device nothing but a flush takes entries out of the ring.
    if (!this.hasDevice) this.flushEarly();
  }

  /** Makes flushes come before the kernel runs out of buffers: it copies into them by itself. */
  flushEarly(): void {
    if (!this.#canFlush) return;
    const buffers = this.areas.reduce((sum, { bytes }) => sum + bytes / this.bufferBytes, 0);
    this.#flushAt = Math.max(1, Math.min(this.refill.entries, buffers) >> 1);
  }

  #lock(area: Area): void {
    this.#unlock.push(keepOpen(
      area,
      "A ZcrxReceiver receives into this area: close the receiver first. The memory stays " +
        "the kernel's until the receiver's ring is closed",
    ));
  }

  // === Who uses it ===

  /** Keeps the registration's memory until {@linkcode release}. */
  retain(): void {
    this.#users++;
  }

  /** The other half of {@linkcode retain}: of a ring that was closed, or an exported handle. */
  release(): void {
    if (--this.#users > 0) return;
    for (const release of this.#release.splice(0)) release();
    this.#region.mapping.close();
    this.#wake();
  }

  /** Notes a ring that has it, until that is closed. */
  attach(attachment: Attachment): void {
    this.retain();
    this.#attachments.push(attachment);
    attachment.engine.afterClose(() => {
      this.#attachments.splice(this.#attachments.indexOf(attachment), 1);
      this.release();
    });
  }

  /** Counts receivers: while one is open, the areas must be. */
  opened(): void {
    if (this.#open++ === 0) { for (const area of this.areas) this.#lock(area); }
  }

  /** The other half of {@linkcode opened}. */
  closed(): void {
    if (--this.#open > 0) return;
    for (const unlock of this.#unlock.splice(0)) unlock();
  }

  // === The way back ===

  /** Pieces that programs hold. */
  get held(): number {
    return this.taken - this.returned;
  }

  /**
   * Gives a piece back to the kernel: one entry for each completion, also of those that share a
   * buffer, because the kernel counts them.
   */
  releasePiece(low: number, high: number, length: number): void {
    const { refill } = this;
    this.returned++;
    if (this.#backlogCount > 0 || !refill.add(low, high, length)) this.#later(low, high, length);
    else if (refill.holds(this.#flushAt)) this.flush();
    if (this.#gathering === 0) refill.publish();
    if (this.#waiters.length > 0) this.#wake();
  }

  /** Gives pieces back that have come and were shown. */
  releaseRun(arrived: ArrivalQueue, count: number): void {
    const { refill } = this;
    const { words, at } = arrived;
    const added = this.#backlogCount > 0 ? 0 : refill.addRun(words, at, count);
    this.returned += added;
    arrived.drop(added);
    for (let left = count - added; left > 0; left--) {
      const { at } = arrived;
      this.releasePiece(words[at]!, words[at + 1]!, words[at + 2]!);
      arrived.drop(1);
    }
    if (refill.holds(this.#flushAt)) this.flush();
    if (this.#gathering === 0) refill.publish();
    if (this.#waiters.length > 0) this.#wake();
  }

  /** Has the kernel told of what is given back all at once, by {@linkcode publish}. */
  gather(): void {
    this.#gathering++;
  }

  /** The other half of {@linkcode gather}. */
  publish(): void {
    this.#gathering--;
    // Whoever was handed a piece may have closed the ring.
    if (this.#users > 0 && this.#gathering === 0) this.refill.publish();
  }

  /** Pieces that wait for room in the refill ring. */
  get backlog(): number {
    return this.#backlogCount;
  }

  #later(low: number, high: number, length: number): void {
    const at = this.#backlogCount * WORDS;
    if (at === this.#backlog.length) {
      const larger = new Int32Array(Math.max(256 * WORDS, 2 * at));
      larger.set(this.#backlog);
      this.#backlog = larger;
    }
    this.#backlog[at] = low;
    this.#backlog[at + 1] = high;
    this.#backlog[at + 2] = length;
    this.#backlogCount++;
    this.drain();
  }

  /** Moves what waits for room into the refill ring; the last first, for their order is no matter. */
  drain(): void {
    if (this.#backlogCount === 0) return;
    if (this.refill.waiting >= this.refill.entries) this.flush();
    while (this.#backlogCount > 0) {
      const at = (this.#backlogCount - 1) * WORDS;
      const words = this.#backlog;
      if (!this.refill.push(words[at]!, words[at + 1]!, words[at + 2]!)) return;
      this.#backlogCount--;
    }
  }

  /**
   * Makes the kernel take every entry out of the refill ring now (`ZCRX_CTRL_FLUSH_RQ`, 6.19).
   *
   * @returns How many it took; 0 where it cannot be told to.
   */
  flush(): number {
    const before = this.refill.waiting;
    const attachment = this.#attachments[0];
    if (!this.#canFlush || before === 0 || attachment === undefined) return 0;
    this.refill.publish();
    const { engine, id } = attachment;
    const argument = control(id, ZCRX_CTRL.FLUSH_RQ).buffer;
    engine.register("ZCRX_CTRL_FLUSH_RQ", REGISTER.ZCRX_CTRL, argument, 0);
    this.flushes++;
    return before - this.refill.waiting;
  }

  /** Resolves when a piece comes back, or the registration ends. */
  whenReturned(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }

  /**
   * The area of a number.
   *
   * @throws {OwnershipError} If there is none: the kernel and the program disagree.
   */
  area(number: number): Area {
    const area = this.areas[number];
    if (area === undefined) throw new OwnershipError(`The receiver has no area ${number}`);
    return area;
  }
}
