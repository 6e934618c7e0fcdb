/**
 * Receives from channels, in each of the many ways.
 *
 * @module
 */
import { ClosedError, UringError } from "../../../ffi/kernel/errors.ts";
import { Area, type Slice } from "../../../ffi/memory/area.ts";
import { Message } from "../../../ffi/net/message.ts";
import { type Api, PropertyError } from "./api.ts";
import type { BufferRings } from "./buffer_ring.ts";
import type { Chance } from "./chance.ts";
import type { Channels } from "./channel.ts";
import type { Rings, RingUser } from "./ring.ts";
import type { Channel } from "./traffic.ts";

/** The parts of the world that it works with. */
interface Parts {
  readonly api: Api;
  readonly chance: Chance;
  readonly rings: Rings;
  readonly bufferRings: BufferRings;
  readonly channels: Channels;
}

/** Receives what channels have got. */
export class Receiving implements RingUser {
  /** Memory that no receive has now. */
  readonly #slices: Slice[] = [];
  readonly #areas: Area[] = [];
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  receive(): void {
    const { api, chance, rings, channels } = this.#parts;
    const channel = chance.pick(channels.open);
    if (channel === undefined || channel.receiving !== undefined) return;
    const model = chance.pick(rings.open);
    if (model === undefined || chance.percent(50)) {
      this.now(channel, 1 + chance.below(20));
      return;
    }
    if (model.linked) rings.submit(model);
    const slice = this.#slice();
    const message = chance.percent(30)
      ? api.call("Message.receiver()", "ok", () => Message.receiver([slice]))!
      : undefined;
    channel.receiving = model;
    const got = (result: number): void => {
      channel.receiving = undefined;
      if (result > 0) channel.receive(slice.bytes.subarray(0, result));
      if (channel.kind === "udp" && message?.address?.port === 0) {
        throw new PropertyError("a datagram came from nowhere");
      }
      this.#slices.push(slice);
    };
    const what = `recv(channel ${channel.id})`;
    if (chance.percent(60)) {
      rings.prepare(
        model,
        what,
        "ok",
        (u) =>
          message === undefined
            ? model.ring.batch.recv(channel.receiver, slice, u)
            : model.ring.batch.recvMsg(channel.receiver, message, u),
        { file: channel.receiver, complete: got },
      );
      return;
    }
    model.linked = false;
    const options = chance.percent(30) ? { timeout: chance.below(5) } : {};
    api.start(
      `${model.name}.${what}`,
      "valid",
      model,
      () =>
        message === undefined
          ? model.ring.recv(channel.receiver, slice, options)
          : model.ring.recvMsg(channel.receiver, message, options),
      {
        file: channel.receiver,
        onValue: got,
        onError: (error) => {
          if (channel.receiving === model) channel.receiving = undefined;
          // Nobody knows what a ring that was closed has read.
          if (error instanceof ClosedError) channel.whole = false;
          else this.#slices.push(slice);
        },
      },
    );
  }

  /** Receives what a channel gets into provided buffers, in the background. */
  multishot(): void {
    const { api, chance, rings, bufferRings, channels } = this.#parts;
    const channel = chance.pick(channels.open);
    const entry = chance.pick(bufferRings.open);
    if (channel === undefined || entry === undefined || channel.receiving !== undefined) return;
    if (entry.busy) return;
    // A datagram that does not fit a buffer would lose its end.
    if (channel.kind === "udp" && entry.bytes < 9000) return;
    const { model, buffers } = entry;
    if (model.linked) rings.submit(model);
    channel.receiving = model;
    entry.busy = true;
    // Leaving the loop throws away what was received already.
    let pieces = chance.percent(10) ? 1 + chance.below(20) : Infinity;
    const background = async (): Promise<void> => {
      try {
        for await (
          const piece of model.ring.recvMultishot(channel.receiver, buffers)
        ) {
          // They may have been closed since the piece was handed out.
          if (buffers.closed) break;
          api.inside(() => {
            channel.receive(piece.slice.bytes);
            if (bufferRings.held.length < 4 && chance.percent(5)) {
              bufferRings.held.push({ buffers, piece });
            } else piece.release();
          });
          if (--pieces > 0) continue;
          channel.whole = false;
          break;
        }
      } catch (error) {
        if (error instanceof UringError || error instanceof ClosedError) throw error;
        api.fail(error);
      } finally {
        entry.busy = false;
        // Buffers that were closed under it may have been filled.
        if (buffers.closed) channel.whole = false;
        if (channel.receiving === model) channel.receiving = undefined;
      }
    };
    const what = `${model.name}.recvMultishot() of channel ${channel.id}`;
    api.start(what, "valid", model, background, { file: channel.receiver });
    api.count("multishot receives");
  }

  /** Receives what is there, so many times at most. */
  now(channel: Channel, times: number): void {
    const { api } = this.#parts;
    const slice = this.#slice();
    for (let i = 0; i < times && channel.receiving === undefined; i++) {
      const length = api.call(
        `Socket.receive(channel ${channel.id})`,
        "valid",
        () => channel.receiver.tryReceive(slice),
      );
      if (length === undefined || length === 0) break;
      channel.receive(slice.bytes.subarray(0, length));
    }
    this.#slices.push(slice);
  }

  /** Receives from everybody: a send may wait for a window. */
  help(): void {
    const { api, bufferRings, channels } = this.#parts;
    // A receive that waits for a buffer holds back who sends.
    for (const { buffers, piece } of bufferRings.held.splice(0)) {
      if (!buffers.closed) api.call("release()", "ok", () => piece.release());
    }
    for (const channel of channels.open) {
      if (channel.receiving === undefined) this.now(channel, 100);
    }
  }

  /** Gives its memory back. */
  close(): void {
    for (const area of this.#areas) area.close();
  }

  #slice(): Slice {
    const { api } = this.#parts;
    const slice = this.#slices.pop();
    if (slice !== undefined) return slice;
    const area = api.call("Area.map()", "ok", () => Area.map({ bytes: 65536 }))!;
    this.#areas.push(area);
    return area.slice();
  }
}
