/**
 * Memory whose content counts: it is lent to a send, and must be free when the kernel says that it has
 * released it.
 *
 * @module
 */
import { Area, type Slice } from "../../../ffi/memory/area.ts";
import { type Api, PropertyError } from "./api.ts";
import type { Areas } from "./area.ts";
import type { Chance } from "./chance.ts";
import type { RingModel, RingUser } from "./ring.ts";

/** Memory lent to one send. */
export interface Loan {
  readonly pool: Pool;
  readonly chunks: Slice[];
  readonly slices: Slice[];
}

/** An area cut into chunks. */
export interface Pool {
  readonly area: Area;
  readonly free: Slice[];
}

/** The parts of the world that it works with. */
interface Parts {
  readonly api: Api;
  readonly chance: Chance;
  readonly areas: Areas;
}

/** Lends memory, and takes it back. */
export class Loans implements RingUser {
  readonly pools: Pool[] = [];
  /** What comes back without a word: its ring was closed, or its send failed. */
  readonly #left: { loan: Loan; model: RingModel }[] = [];
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Lends a slice of each of these lengths, if a pool that is drawn has so many. */
  borrow(lengths: readonly number[]): Loan | undefined {
    const { api, chance, areas } = this.#parts;
    if (this.pools.length < 3) {
      const area = api.call("Area.map()", "ok", () => Area.map({ bytes: 512 * 1024 }))!;
      areas.all.push(new WeakRef(area));
      this.pools.push({ area, free: area.chunks(chance.pick([2048, 8192, 65536])!) });
    }
    const pool = chance.pick(this.pools)!;
    const fits = pool.free[0] !== undefined && lengths.every((n) => n <= pool.free[0]!.length);
    if (!fits || pool.free.length < lengths.length) return undefined;
    const chunks = pool.free.splice(pool.free.length - lengths.length);
    const slices = chunks.map((chunk, i) => {
      const start = chance.below(chunk.length - lengths[i]! + 1);
      return chunk.slice(start, lengths[i]);
    });
    return { pool, chunks, slices };
  }

  /** Takes memory back of which the kernel says that it has released it; it must be free then. */
  giveBack(loan: Loan, why: string): void {
    for (const slice of loan.slices) {
      if (slice.state !== "free") throw new PropertyError(`a slice is in flight, though ${why}`);
    }
    this.#takeBack(loan);
  }

  /** Leaves memory to the kernel, which releases it without a word: when a ring is closed we look. */
  leave(loan: Loan, model: RingModel): void {
    this.#left.push({ loan, model });
  }

  /** Spoils the content at once: who still needs it sends the wrong bytes. */
  #takeBack({ pool, chunks, slices }: Loan): void {
    if (pool.area.closed) return;
    for (const slice of slices) slice.bytes.fill(0xee);
    pool.free.push(...chunks);
  }

  /** Takes memory back that the kernel has released: after a complete close that is all of it. */
  ringClosed(): void {
    for (let i = this.#left.length - 1; i >= 0; i--) {
      const { loan, model } = this.#left[i]!;
      if (loan.slices.every((slice) => slice.state === "free")) {
        this.#left.splice(i, 1);
        this.#takeBack(loan);
      } else if (model.ring.closed) {
        if (model.left === 0) {
          throw new PropertyError(`${model.name}: memory is in flight after a complete close`);
        }
        this.#left.splice(i, 1);
      }
    }
  }

  /** What is in flight can be neither read nor written, not even in part. */
  probe({ slices, chunks, pool }: Loan): void {
    const { api, chance } = this.#parts;
    const slice = slices[0]!;
    if (!chance.percent(10) || pool.area.closed || slice.state === "free") return;
    api.call("Slice.write() in flight", "owned", () => slice.write(new Uint8Array(1)));
    api.call("Slice.bytes of an overlapping slice", "owned", () => chunks[0]!.bytes);
    const part = slice.slice(slice.length - 1);
    api.call(
      "Slice.write() of an overlapping slice",
      "owned",
      () => part.write(new Uint8Array(1)),
    );
  }
}
