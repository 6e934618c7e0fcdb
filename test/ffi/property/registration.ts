/**
 * What is registered with a ring, and what takes its place.
 *
 * @module
 */
import { Area } from "../../../ffi/memory/area.ts";
import type { Socket } from "../../../ffi/net/socket.ts";
import type { Api } from "./api.ts";
import type { Areas } from "./area.ts";
import type { Chance } from "./chance.ts";
import type { Channels } from "./channel.ts";
import type { Loans } from "./loan.ts";
import type { RingModel, Rings } from "./ring.ts";
import type { Sockets } from "./socket.ts";

/** The parts of the world that it works with. */
interface Parts {
  readonly api: Api;
  readonly chance: Chance;
  readonly rings: Rings;
  readonly areas: Areas;
  readonly loans: Loans;
  readonly sockets: Sockets;
  readonly channels: Channels;
}

/** Registers areas and sockets with rings, and takes them out. */
export class Registrations {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  change(): void {
    const { api, chance, rings, areas, loans, sockets, channels } = this.#parts;
    const model = chance.pick(rings.open);
    if (model === undefined) return;
    const channel = chance.pick(channels.open);
    const candidates: (Area | Socket | undefined)[] = [
      chance.pick(areas.open),
      chance.pick(loans.pools)?.area,
      chance.pick(sockets.open),
      channel?.sender,
      channel?.receiver,
    ];
    const what = chance.pick(candidates);
    if (what === undefined || what.closed) return;
    const kind = what instanceof Area ? "area" : "socket";
    if (channel !== undefined && what === channel.sender && chance.percent(30)) {
      this.#exchange(model, channel.sender);
    }
    if (chance.percent(60)) {
      api.call(`${model.name}.register(${kind})`, "valid", () => model.ring.register(what));
    } else {
      // The rest of a chain would find another socket, or another area, at the index.
      const chains = channels.open.some((other) => other.kind === "tcp" && other.busy > 1);
      if (chains) return;
      api.call(`${model.name}.unregister(${kind})`, "valid", () => model.ring.unregister(what));
    }
  }

  /** Leaves junk prepared for an index, and gives the index to the socket of a channel. */
  #exchange(model: RingModel, sender: Socket): void {
    const { api, chance, rings, areas, sockets, channels } = this.#parts;
    const { ring } = model;
    const junk = chance.pick(sockets.open);
    const slice = chance.pick(areas.slices);
    if (junk === undefined || slice === undefined || slice.area.closed) return;
    if (channels.open.some((other) => other.kind === "tcp" && other.busy > 1)) return;
    if (model.linked) rings.submit(model);
    api.call(`${model.name}.register(junk)`, "valid", () => ring.register(junk));
    rings.prepare(model, "send()", "valid", (u) => ring.batch.send(junk, slice, u), { file: junk });
    api.call(`${model.name}.unregister(junk)`, "valid", () => ring.unregister(junk));
    api.call(`${model.name}.register(sender)`, "valid", () => ring.register(sender));
    rings.submit(model);
  }
}
