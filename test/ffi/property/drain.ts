/**
 * Reads channels to their end: everything that was sent must arrive.
 *
 * @module
 */
import { UringError } from "../../../ffi/kernel/errors.ts";
import { native } from "../../../ffi/kernel/native.ts";
import type { Socket } from "../../../ffi/net/socket.ts";
import { type Api, PATIENCE, PropertyError, show } from "./api.ts";
import type { BufferRings } from "./buffer_ring.ts";
import type { Chance } from "./chance.ts";
import type { Channels } from "./channel.ts";
import type { Receiving } from "./receive.ts";
import type { RingModel, Rings } from "./ring.ts";
import type { Channel } from "./traffic.ts";

/** How long a stream may take, in milliseconds, whose receiver's small buffer was full more than once, so that TCP backed off. */
const RETRANSMISSION = 30_000;
/** `SO_MEMINFO`, and which of its words counts the drops. */
const [SOL_SOCKET, SO_MEMINFO, MEMINFO_WORDS, MEMINFO_DROPS] = [1, 55, 9, 8];

/** The parts of the world that it works with. */
interface Parts {
  readonly api: Api;
  readonly chance: Chance;
  readonly rings: Rings;
  readonly bufferRings: BufferRings;
  readonly channels: Channels;
  readonly receiving: Receiving;
}

/** Drains channels, and closes them so. */
export class Draining {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async drainOne(): Promise<void> {
    const { chance, channels } = this.#parts;
    const channel = chance.pick(channels.open);
    if (channel !== undefined) await this.drain(channel);
  }

  /** Reads until everything that was sent has arrived; fails if it does not. */
  async drain(channel: Channel): Promise<void> {
    const { api, rings, receiving } = this.#parts;
    const deadline = performance.now() + (channel.kind === "tcp" ? RETRANSMISSION : PATIENCE);
    while (true) {
      if (channel.receiving !== undefined) {
        await this.#stop(channel, channel.receiving as RingModel);
      }
      for (const model of [...rings.open]) {
        if (!model.ring.closed) {
          rings.submit(model);
          rings.reap(model, false);
        }
      }
      if (channel.receiving === undefined) receiving.now(channel, 100);
      if (api.failure !== undefined) throw api.failure;
      const idle = channel.kind === "udp" || channel.busy === 0;
      if (channel.missing === 0 && idle) break;
      // A receive that was lost with its ring took data along; a reset throws away what is unread.
      if (!channel.whole) break;
      if (performance.now() > deadline) {
        throw new PropertyError(
          `channel ${channel.id} (${channel.kind}): ${channel.missing} ` +
            `${
              channel.kind === "udp" ? "datagrams" : "bytes"
            } that were sent did not arrive; the ` +
            `receiver dropped ${drops(channel.receiver)}; idle: ${idle}`,
        );
      }
      await api.pause();
    }
    api.waiting = false;
    if (channel.kind === "udp" && drops(channel.receiver) > 0) {
      throw new PropertyError(`channel ${channel.id}: ${drops(channel.receiver)} drops`);
    }
    api.count("drains");
  }

  async #stop(channel: Channel, model: RingModel): Promise<void> {
    const { api, rings, bufferRings } = this.#parts;
    const deadline = performance.now() + PATIENCE;
    if (model.linked) rings.submit(model);
    for (let looks = 0; channel.receiving !== undefined && !model.ring.closed; looks++) {
      // A receive that was about to start again was not there to be cancelled.
      if (looks % 20 === 0) {
        api.start("Ring.cancel()", "ok", model, () => model.ring.cancel(channel.receiver));
      }
      rings.submit(model);
      rings.reap(model, false);
      await api.pause();
      if (performance.now() > deadline) {
        throw new PropertyError(
          `${model.name}: the receive of channel ${channel.id} was not cancelled: ` +
            show([...model.pending.values(), ...model.awaited].map(({ what }) => what)) +
            show(bufferRings.open.map(({ buffers }) => buffers)) + show(model.ring),
        );
      }
    }
  }

  async close(): Promise<void> {
    const { api, chance, channels } = this.#parts;
    const channel = chance.pick(channels.open);
    if (channel === undefined || chance.percent(50)) return;
    if (chance.percent(80)) {
      await this.drain(channel);
      if (channel.kind === "tcp" && !channel.dead && chance.percent(50)) {
        api.call("Socket.shutdown()", "ok", () => channel.sender.shutdown("write"));
      }
    }
    await channels.tearDown(channel);
  }
}

/** How many packets the kernel dropped because a socket's buffer was full. */
function drops(socket: Socket): number {
  const words = new Uint32Array(MEMINFO_WORDS);
  const result = native().zclab_getsockopt(
    socket.fd,
    SOL_SOCKET,
    SO_MEMINFO,
    words.buffer,
    words.byteLength,
  );
  if (result < 0) throw new UringError("getsockopt SO_MEMINFO", -result);
  return words[MEMINFO_DROPS]!;
}
