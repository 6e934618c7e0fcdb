/**
 * Provided buffers.
 *
 * @module
 */
import type { Slice } from "../../../ffi/memory/area.ts";
import { BufferRing } from "../../../ffi/ring/buffer_ring.ts";
import type { ReceivedPiece } from "../../../ffi/ring/received_piece.ts";
import { type Api, PropertyError, show } from "./api.ts";
import type { Areas } from "./area.ts";
import { type Chance, keep } from "./chance.ts";
import type { RingModel, Rings, RingUser } from "./ring.ts";
import type { Sockets } from "./socket.ts";

/** Provided buffers, whose group no other ring of buffers had before. */
export interface BufferRingModel {
  readonly model: RingModel;
  readonly buffers: BufferRing;
  readonly bytes: number;
  /** Whether a receive uses them. */
  busy: boolean;
}

/** The parts of the world that it works with. */
interface Parts {
  readonly api: Api;
  readonly chance: Chance;
  readonly rings: Rings;
  readonly areas: Areas;
  readonly sockets: Sockets;
}

/** Opens rings of buffers, misuses them, and closes them at any time. */
export class BufferRings implements RingUser {
  readonly open: BufferRingModel[] = [];
  readonly closed: BufferRing[] = [];
  /** Pieces that are given back later: while all buffers are held, receives wait for them. */
  readonly held: { buffers: BufferRing; piece: ReceivedPiece }[] = [];
  #nextGroup = 0;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  ringClosed(model: RingModel): void {
    const { api } = this.#parts;
    for (const entry of this.open.filter((entry) => entry.model === model)) {
      api.call("BufferRing.close() after its ring", "ok", () => entry.buffers.close());
      this.open.splice(this.open.indexOf(entry), 1);
      this.closed.push(entry.buffers);
    }
  }

  use(): void {
    const { api, chance, rings, areas, sockets } = this.#parts;
    const held = chance.percent(50) ? this.held.shift() : undefined;
    if (held !== undefined) {
      api.call("release()", held.buffers.closed ? "closed" : "ok", () => held.piece.release());
    }
    const model = chance.pick(rings.open);
    const entry = chance.pick(this.open);
    if (entry === undefined || (this.open.length < 3 && chance.percent(40))) {
      if (model === undefined || this.open.length >= 3) return;
      const options = {
        count: chance.pick([1, 2, 8, 64])!,
        bytes: chance.pick([64, 1500, 9000])!,
        group: this.#nextGroup++ % 0x10000,
      };
      const buffers = api.call(
        `BufferRing.open(${model.name}, ${show(options)})`,
        "valid",
        () => BufferRing.open(model.ring, options),
      );
      if (buffers !== undefined) {
        this.open.push({ model, buffers, bytes: options.bytes, busy: false });
      }
      return;
    }
    switch (chance.below(4)) {
      case 0: {
        if (entry.buffers.held > 0) return;
        const flags = chance.pick([0, 0xffff0001, 2])!;
        api.call(`BufferRing.take(${flags})`, "garbage", () => entry.buffers.take(flags, 10));
        break;
      }
      case 1: {
        const slice = chance.pick(areas.slices) ?? chance.garbage() as Slice;
        api.call("BufferRing.release() of what is not its own", "garbage", () => {
          entry.buffers.release(slice);
          throw new PropertyError("release() took what is not its own");
        });
        break;
      }
      case 2: {
        const other = rings.open.find((candidate) => candidate !== entry.model);
        const socket = chance.pick(sockets.open);
        if (other === undefined || socket === undefined) return;
        api.call("batch.recvMultishot() into buffers of another ring", "garbage", () => {
          other.ring.batch.recvMultishot(socket, entry.buffers);
          throw new PropertyError("buffers of another ring were taken");
        });
        api.start("recvMultishot() into buffers of another ring", "garbage", other, async () => {
          await other.ring.recvMultishot(socket, entry.buffers).next();
          api.fail(new PropertyError("buffers of another ring were taken"));
        }, { file: socket });
        break;
      }
      default:
        if (chance.percent(70)) return;
        api.call("BufferRing.close()", "ok", () => entry.buffers.close());
        this.open.splice(this.open.indexOf(entry), 1);
        keep(this.closed, entry.buffers);
    }
  }
}
