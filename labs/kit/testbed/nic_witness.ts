/**
 * What a NIC did during a piece of work, by its driver's counters and by the pages that it wrote to.
 *
 * @module
 */
import type { Area } from "../../../ffi/memory/area.ts";
import { comparePages } from "./page_proof.ts";
import type { Softnic } from "./softnic.ts";

/** What a NIC did; null where there is no NIC that could say it. */
export type NicCounts = {
  /** Payload that the receive queue placed into memory of a user. */
  readonly placedBytes: number | null;
  /** Payload that it left with the headers, which the kernel copies and does not count. */
  readonly linearPayloadBytes: number | null;
  /** Frames that found no receive buffer. */
  readonly droppedFrames: number | null;
  /** Payload that all transmit queues read out of memory of a user. */
  readonly readBytes: number | null;
};

/** Where a program found a piece of what it received, in bytes. */
export interface PlacedPiece {
  /** From the start of the area. */
  readonly offset: number;
  /** Its length. */
  readonly length: number;
}

/**
 * Watches one queue of a NIC during a piece of work. Where there is no NIC it knows nothing, and says
 * so with null.
 *
 * @example
 * ```ts
 * import { NicWitness } from "zclab/lab";
 * import { assertEquals } from "@std/assert";
 *
 * const witness = await NicWitness.begin(undefined, { queue: 1 });
 * assertEquals((await witness.counts()).placedBytes, null);
 * ```
 */
export class NicWitness {
  readonly #nic: Softnic | undefined;
  readonly #queue: number;
  readonly #before: Readonly<Record<string, number>>;

  private constructor(
    nic: Softnic | undefined,
    queue: number,
    before: Readonly<Record<string, number>>,
  ) {
    this.#nic = nic;
    this.#queue = queue;
    this.#before = before;
  }

  /**
   * Begins to watch: reads the counters.
   *
   * @param nic The NIC, if there is one.
   * @param options Its receive queue, and whether {@linkcode NicWitness.samePages} will be asked
   *   (default: false): then the driver forgets where it placed data before.
   */
  static async begin(
    nic: Softnic | undefined,
    { queue, pages = false }: { readonly queue: number; readonly pages?: boolean },
  ): Promise<NicWitness> {
    if (pages) await nic?.clearPlacements();
    return new NicWitness(nic, queue, await nic?.counters() ?? {});
  }

  /** What the NIC has done since. */
  async counts(): Promise<NicCounts> {
    if (this.#nic === undefined) {
      return { placedBytes: null, linearPayloadBytes: null, droppedFrames: null, readBytes: null };
    }
    const after = await this.#nic.counters();
    const grown = (name: string): number => (after[name] ?? 0) - (this.#before[name] ?? 0);
    const transmitted = Object.keys(after).filter((name) => /^tx\d+_user_bytes$/.test(name));
    const queue = `rx${this.#queue}`;
    return {
      placedBytes: grown(`${queue}_user_bytes`),
      linearPayloadBytes: grown(`${queue}_linear_payload_bytes`),
      droppedFrames: grown(`${queue}_no_descriptor_drops`),
      readBytes: transmitted.reduce((sum, name) => sum + grown(name), 0),
    };
  }

  /**
   * Whether the program found every piece in the physical pages that the NIC wrote to since: see
   * {@linkcode comparePages}.
   *
   * @param area Where the program received to.
   * @param pieces What it received; the driver remembers the last 16384 buffers.
   * @returns Null where there is no NIC.
   * @throws {UnsupportedError} Without CAP_SYS_ADMIN over the machine.
   */
  async samePages(area: Area, pieces: readonly PlacedPiece[]): Promise<boolean | null> {
    if (this.#nic === undefined) return null;
    return comparePages(area, pieces, await this.#nic.placements()).same;
  }
}
