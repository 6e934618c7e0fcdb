/**
 * Areas and slices of which nobody reads what is in them, and messages made of these.
 *
 * @module
 */
import { Area, type Slice } from "../../../ffi/memory/area.ts";
import { Message } from "../../../ffi/net/message.ts";
import { type Api, PropertyError, show } from "./api.ts";
import { type Chance, keep } from "./chance.ts";

/** The parts of the world that it works with. */
interface Parts {
  readonly api: Api;
  readonly chance: Chance;
}

/** Maps areas, cuts them, and closes them at any time. */
export class Areas {
  readonly open: Area[] = [];
  readonly closed: Area[] = [];
  /** All that were ever mapped, those for what is sent included. */
  readonly all: WeakRef<Area>[] = [];
  readonly slices: Slice[] = [];
  readonly messages: Message[] = [];
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  map(): void {
    const { api, chance } = this.#parts;
    if (this.open.length >= 6 || chance.percent(20)) {
      const value = chance.percent(50) ? chance.garbage() : chance.number();
      const options = (chance.percent(80) ? { bytes: value } : value) as never;
      api.call(`Area.map(${show(options)})`, "garbage", () => Area.map(options).close());
      return;
    }
    const bytes = chance.pick([1, 4096, 5000, 65536])!;
    const area = api.call(`Area.map({ bytes: ${bytes} })`, "ok", () => Area.map({ bytes }))!;
    this.open.push(area);
    this.all.push(new WeakRef(area));
  }

  close(): void {
    const { api, chance } = this.#parts;
    const again = chance.pick(this.closed);
    if (again !== undefined) api.call("Area.close() again", "ok", () => again.close());
    const area = chance.pick(this.open);
    if (area === undefined || chance.percent(50)) return;
    api.call("Area.close()", "ok", () => area.close());
    this.open.splice(this.open.indexOf(area), 1);
    keep(this.closed, area);
  }

  use(): void {
    const { api, chance } = this.#parts;
    const area = chance.pick(this.open);
    if (area === undefined) return;
    const [offset, length] = [chance.below(area.bytes + 10), chance.below(5000)];
    switch (chance.below(5)) {
      case 0: {
        const inside = offset + length <= area.bytes;
        const slice = api.call(
          `Area.slice(${offset}, ${length}) of ${area.bytes}`,
          inside ? "ok" : "garbage",
          () => area.slice(offset, length),
        );
        if (inside === (slice === undefined)) throw new PropertyError("slice outside its area");
        if (slice !== undefined) keep(this.slices, slice, 30);
        break;
      }
      case 1: {
        const [a, b] = [chance.number(), chance.percent(50) ? chance.number() : undefined];
        api.call(`Area.slice(${a}, ${b})`, "garbage", () => area.slice(a, b));
        break;
      }
      case 2: {
        const size = chance.percent(50) ? chance.number() : 1000;
        const chunks = api.call(`Area.chunks(${size})`, "garbage", () => area.chunks(size));
        if (chunks !== undefined) keep(this.slices, chance.pick(chunks)!, 30);
        break;
      }
      case 3: {
        const [a, b] = [chance.number(), chance.number()];
        api.call(`Area.unsafeBytes(${a}, ${b})`, "garbage", () => area.unsafeBytes(a, b));
        break;
      }
      default: {
        const slices = [area.slice(0, Math.min(64, area.bytes)), area.slice(area.bytes >> 1, 8)];
        const message = api.call(
          "new Message()",
          "ok",
          () =>
            chance.percent(50)
              ? new Message(slices, { to: { host: "127.0.0.1", port: 9 } })
              : Message.receiver(slices),
        )!;
        keep(this.messages, message, 8);
      }
    }
  }

  useSlice(): void {
    const { api, chance } = this.#parts;
    const slice = chance.pick(this.slices);
    if (slice === undefined) return;
    const closed = slice.area.closed;
    const [a, b] = [chance.number(), chance.number()];
    switch (chance.below(5)) {
      case 0:
        api.call("Slice.bytes", closed ? "closed" : "valid", () => slice.bytes);
        break;
      case 1: {
        const data = chance.percent(30) ? chance.garbage() : new Uint8Array(chance.below(100));
        api.call(
          `Slice.write(${show(data)}, ${a})`,
          "garbage",
          () => slice.write(data as Uint8Array, a),
        );
        break;
      }
      case 2: {
        const part = api.call(`Slice.slice(${a}, ${b})`, "garbage", () => slice.slice(a, b));
        if (part !== undefined) {
          if (
            part.offset < slice.offset || part.offset + part.length > slice.offset + slice.length
          ) {
            throw new PropertyError("a slice reaches out of the slice that it was cut from");
          }
          keep(this.slices, part, 30);
        }
        break;
      }
      case 3:
        api.call("Slice.slice()", closed ? "closed" : "ok", () => slice.slice());
        break;
      default: {
        if (slice.state !== "in flight" || closed || slice.length === 0) return;
        api.call("Slice.bytes in flight", "owned", () => slice.bytes);
        api.call("Slice.write() in flight", "owned", () => slice.write(new Uint8Array(1)));
      }
    }
  }
}
