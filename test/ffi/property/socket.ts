/**
 * Sockets that carry junk.
 *
 * @module
 */
import { adopt, Socket } from "../../../ffi/net/socket.ts";
import type { Testbed } from "../../../labs/kit/testbed/testbed.ts";
import { type Api, show } from "./api.ts";
import type { Areas } from "./area.ts";
import { type Chance, keep } from "./chance.ts";
import type { Rings } from "./ring.ts";

/** The parts of the world that it works with. */
interface Parts {
  readonly api: Api;
  readonly chance: Chance;
  readonly beds: readonly Testbed[];
  readonly rings: Rings;
  readonly areas: Areas;
}

/** Makes sockets, uses them for this and that, and closes them at any time. */
export class Sockets {
  readonly open: Socket[] = [];
  readonly closed: Socket[] = [];
  /** Requests for sockets whose completions were lost with their ring: these may be open. */
  lost = 0;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  make(): void {
    const { api, chance, beds } = this.#parts;
    if (this.open.length >= 10) return;
    const bed = chance.pick(beds)!;
    const place = chance.pick([bed.near, bed.far])!;
    const family = chance.pick([4, 6] as const)!;
    const udp = chance.percent(60);
    const socket = api.call(
      `Socket.${udp ? "udp" : "tcp"}(, ${family})`,
      "ok",
      () => udp ? Socket.udp(place, { family }) : Socket.tcp(place, { family }),
    )!;
    this.open.push(socket);
    if (chance.percent(70)) {
      api.call("Socket.bind()", "valid", () => socket.bind(place.address(0, family)));
    }
    if (!udp && chance.percent(50)) api.call("Socket.listen()", "valid", () => socket.listen());
    const peer = chance.pick(this.open);
    const to = peer === undefined
      ? undefined
      : api.call("Socket.localAddress", "valid", () => peer.localAddress);
    if (to !== undefined && to.port !== 0 && peer!.family === family && chance.percent(80)) {
      api.call(
        "Socket.connectBlocking()",
        "valid",
        () => socket.connectBlocking(to, { timeout: 50 }),
      );
    }
  }

  close(): void {
    const { api, chance } = this.#parts;
    const again = chance.pick(this.closed);
    if (again !== undefined) api.call("Socket.close() again", "ok", () => again.close());
    const socket = chance.pick(this.open);
    if (socket === undefined || chance.percent(40)) return;
    this.open.splice(this.open.indexOf(socket), 1);
    this.closeNow(socket);
  }

  /** Closes a socket, whatever is prepared or pending on it: all of that must complete. */
  closeNow(socket: Socket): void {
    const { api, chance, rings } = this.#parts;
    if (chance.percent(50)) {
      for (const model of rings.open) {
        api.call(`${model.name}.unregister(socket)`, "valid", () => model.ring.unregister(socket));
      }
    }
    api.call("Socket.close()", "ok", () => socket.close());
    keep(this.closed, socket);
    rings.noteSubmitted();
    if (chance.percent(20)) {
      for (const model of rings.open) {
        api.call("unregister() of a closed socket", "ok", () => model.ring.unregister(socket));
      }
    }
  }

  use(): void {
    const { api, chance, areas } = this.#parts;
    const socket = chance.pick(this.open);
    if (socket === undefined) return;
    const slice = chance.pick(areas.slices);
    switch (chance.below(8)) {
      case 0: {
        const name = chance.pick(
          ["SO_RCVBUF", "SO_ZEROCOPY", "UDP_SEGMENT", "TCP_NODELAY"] as const,
        )!;
        api.call(`Socket.option(${name})`, "valid", () => socket.option(name));
        break;
      }
      case 1: {
        const name = (chance.percent(50) ? "SO_PRIORITY" : chance.garbage()) as never;
        const value = (chance.percent(50) ? 1 : chance.garbage()) as never;
        api.call(
          `Socket.setOption(${show(name)})`,
          "garbage",
          () => socket.setOption(name, value),
        );
        break;
      }
      case 2:
        api.call("Socket.localAddress", "valid", () => socket.localAddress);
        api.call("Socket.remoteAddress", "valid", () => socket.remoteAddress);
        break;
      case 3:
        if (slice === undefined || socket.protocol !== "udp") return;
        api.call(
          "Socket.send()",
          slice.area.closed ? "closed" : "valid",
          () => socket.sendBlocking(slice),
        );
        break;
      case 4:
        if (slice === undefined) return;
        api.call(
          "Socket.receive()",
          slice.area.closed ? "closed" : "valid",
          () => socket.tryReceive(slice),
        );
        break;
      case 5:
        api.call(
          "Socket.shutdown()",
          "valid",
          () => socket.shutdown(chance.pick(["read", "write"])),
        );
        break;
      case 6: {
        const address = {
          host: chance.pick(["127.0.0.1", "::1", "nowhere", "", "1.2.3.4\0", 5 as never])!,
          port: chance.pick([0, 9, 70000, -1, NaN])!,
        };
        const bind = chance.percent(50);
        api.call(`Socket.${bind ? "bind" : "connect"}(${show(address)})`, "garbage", () => {
          if (bind) socket.bind(address);
          else socket.connectBlocking(address, { timeout: 20 });
        });
        break;
      }
      default:
        api.call("Socket.listen()", "garbage", () => socket.listen(chance.number()));
    }
  }

  adopt(fd: number): void {
    const socket = adopt(fd, 1, 4);
    if (this.open.length < 12) this.open.push(socket);
    else socket.close();
  }
}
