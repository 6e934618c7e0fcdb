/**
 * Operations whose data does not matter, on both APIs.
 *
 * @module
 */
import { MSG } from "../../../ffi/kernel/uapi.ts";
import type { Socket } from "../../../ffi/net/socket.ts";
import type { Descriptor } from "../../../ffi/ring/descriptor.ts";
import { type Api, Deliberate, PropertyError, show } from "./api.ts";
import type { Areas } from "./area.ts";
import type { Chance } from "./chance.ts";
import type { RingModel, Rings } from "./ring.ts";
import type { Sockets } from "./socket.ts";

/** The parts of the world that it works with. */
interface Parts {
  readonly api: Api;
  readonly chance: Chance;
  readonly rings: Rings;
  readonly areas: Areas;
  readonly sockets: Sockets;
}

/** Prepares operations on the batch API, and awaits them on the other. */
export class Operations {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  nops(): void {
    const { api, chance, rings } = this.#parts;
    const model = chance.pick(rings.open);
    if (model === undefined) return;
    rings.nops(model, chance.percent(2) ? 2000 : chance.percent(20) ? 100 : chance.below(8));
    if (chance.percent(10)) this.#linkThenRefused(model);
    if (chance.percent(10)) {
      if (model.linked) rings.submit(model);
      api.start(`${model.name}.nop()`, "ok", model, () => model.ring.nop());
    }
  }

  /**
   * Links to a request that may wait for ever one that is refused: what comes next is in no chain, and
   * completes.
   */
  #linkThenRefused(model: RingModel): void {
    const { api, chance, rings, areas, sockets } = this.#parts;
    const { ring } = model;
    const { batch } = ring;
    const socket = chance.pick(sockets.open);
    if (socket === undefined || ring.entries < 2) return;
    // A chain must fit into the queue as a whole.
    if (model.linked || batch.prepared + 2 > ring.entries) rings.submit(model);
    const handler = { file: socket };
    rings.prepare(model, "poll(POLLPRI)", "ok", (u) => batch.poll(socket, 2, u), handler);
    if (api.failed) return;
    api.call(`${model.name}.batch.link()`, "ok", () => batch.link());
    const slice = chance.pick(areas.slices);
    const [what, refused] = chance.pick<readonly [string, () => unknown]>([
      ["batch.nop(-1)", () => batch.nop(-1)],
      ["batch.send(socket, null)", () => batch.send(socket, null as never, 1)],
      ["batch.poll(socket, -1.5)", () => batch.poll(socket, -1.5, 1)],
      ["batch.timeout(NaN)", () => batch.timeout(NaN, 1)],
      ["batch.connect(null)", () => batch.connect(socket, null as never, 1)],
      ["batch.recv(0.5)", () => batch.recv(0.5, slice ?? null as never, 1)],
      ["send(null)", () => ring.send(null as never, slice ?? null as never)],
      ["timeout(NaN)", () => ring.timeout(NaN)],
      ["recv(timeout: -1)", () => ring.recv(socket, slice ?? null as never, { timeout: -1 })],
    ])!;
    const before = batch.prepared;
    api.call(`${model.name}.${what} in a chain`, "garbage", refused);
    if (batch.prepared > before) throw new PropertyError(`${what} left something in a chain`);
    let result: number | undefined;
    rings.prepare(model, "nop()", "ok", (u) => batch.nop(u), { complete: (r) => result = r });
    rings.submit(model);
    rings.reap(model, false);
    if (result !== 0) {
      throw new PropertyError(`the request after ${what}, which was refused, gave ${result}`);
    }
    api.count("refused in a chain");
  }

  #file(): { file: Descriptor; socket: Socket | undefined } {
    const { chance, sockets } = this.#parts;
    if (chance.percent(10)) {
      return { file: chance.pick([-1, -(2 ** 31), 2 ** 31 - 1, 1e6])!, socket: undefined };
    }
    const socket = chance.pick(sockets.open);
    return { file: socket ?? -1, socket };
  }

  prepare(): void {
    const { api, chance, rings, areas, sockets } = this.#parts;
    const model = chance.pick(rings.open);
    if (model === undefined) return;
    const { ring } = model;
    const { batch } = ring;
    // A request that is linked finds its file when it starts, which may be another one by then.
    if (model.linked) return rings.nops(model, 1);
    const { file, socket } = this.#file();
    const slice = chance.pick(areas.slices);
    const message = chance.pick(areas.messages);
    const flags = chance.percent(80) ? 0 : chance.pick([MSG.DONTWAIT, MSG.WAITALL, 1, 0x7fff0000])!;
    // Of a slice in flight in an area that was closed either may be said.
    const closing = slice?.area.closed && slice.state === "free" ? "closed" : "valid";
    // Flags are looked at first.
    const withFlags = flags === 0 ? closing : "valid";
    const handler = { file: socket };
    switch (chance.below(17)) {
      case 0:
        if (slice === undefined) return;
        rings.prepare(
          model,
          "send()",
          withFlags,
          (u) => batch.send(file, slice, u, flags),
          handler,
        );
        break;
      case 1:
        if (slice === undefined) return;
        rings.prepare(model, "sendZc()", closing, (u) => batch.sendZc(file, slice, u), handler);
        break;
      case 2:
        if (message === undefined) return;
        rings.prepare(model, "sendMsg()", "valid", (u) => batch.sendMsg(file, message, u), handler);
        break;
      case 3:
        if (message === undefined) return;
        rings.prepare(
          model,
          "sendMsgZc()",
          "valid",
          (u) => batch.sendMsgZc(file, message, u, flags),
          handler,
        );
        break;
      case 4:
        if (message === undefined) return;
        rings.prepare(
          model,
          "sendVectorizedZc()",
          "valid",
          (u) => batch.sendVectorizedZc(file, message, u),
          handler,
        );
        break;
      case 5:
        if (slice === undefined) return;
        rings.prepare(
          model,
          "recv()",
          withFlags,
          (u) => batch.recv(file, slice, u, flags),
          handler,
        );
        break;
      case 6:
        if (message === undefined) return;
        rings.prepare(model, "recvMsg()", "valid", (u) => batch.recvMsg(file, message, u), handler);
        break;
      case 7: {
        if (slice === undefined) return;
        const offset = chance.number();
        rings.prepare(
          model,
          "read()",
          Number.isSafeInteger(offset) ? closing : "valid",
          (u) => batch.read(file, slice, offset, u),
          handler,
        );
        break;
      }
      case 8:
        if (slice === undefined) return;
        rings.prepare(model, "write()", closing, (u) => batch.write(file, slice, -1, u), handler);
        break;
      case 9:
      case 10: {
        const complete = (result: number): void => {
          if (result >= 0) sockets.adopt(result);
        };
        // Nobody can close what a lost completion accepted, so only what is reaped is accepted.
        const listener = sockets.open.find((candidate) => candidate === socket);
        if (listener === undefined) return;
        rings.prepare(model, "accept()", "valid", (u) => batch.accept(listener, u), {
          file: socket,
          complete,
          lost: () => sockets.lost++,
        });
        break;
      }
      case 11: {
        const address = { host: "127.0.0.1", port: 9 };
        rings.prepare(model, "connect()", "valid", (u) => batch.connect(file, address, u), handler);
        break;
      }
      case 12: {
        const events = chance.pick([1, 4, 0, -1])!;
        rings.prepare(model, "poll()", "valid", (u) => batch.poll(file, events, u), handler);
        break;
      }
      case 13: {
        const time = chance.percent(80) ? chance.below(5) : chance.number();
        if (time > 1000) {
          api.call(`batch.timeout(${time})`, "garbage", () => {
            if (time === Infinity) batch.timeout(time);
          });
          return;
        }
        rings.prepare(model, `timeout(${time})`, "garbage", (u) => batch.timeout(time, u));
        break;
      }
      case 14:
        if (socket !== undefined && chance.percent(30)) {
          rings.prepare(
            model,
            "shutdown()",
            "valid",
            (u) => batch.shutdown(file, chance.pick(["read", "write", "both"] as const)!, u),
          );
        } else {
          rings.prepare(
            model,
            "closeFile()",
            "valid",
            (u) => batch.closeFile(chance.pick([-1, 2 ** 31 - 1])!, u),
          );
        }
        break;
      case 15:
        rings.prepare(model, "cancel()", "valid", (u) => batch.cancel(file, u));
        break;
      default:
        rings.prepare(
          model,
          "socket()",
          "valid",
          (u) =>
            batch.socket(
              chance.pick(["udp", "tcp"] as const)!,
              chance.pick([4, 6] as const)!,
              u,
            ),
          {
            complete: (result) => {
              if (result >= 0) sockets.adopt(result);
            },
            lost: () => sockets.lost++,
          },
        );
    }
  }

  await(): void {
    const { api, chance, rings, areas } = this.#parts;
    const model = chance.pick(rings.open);
    if (model === undefined) return;
    const { ring } = model;
    if (model.linked) rings.submit(model);
    const { file, socket } = this.#file();
    const slice = chance.pick(areas.slices) ?? chance.pick(areas.open)?.slice(0, 1);
    const message = chance.pick(areas.messages);
    if (slice === undefined) return;
    const options: { timeout?: number; signal?: AbortSignal } = {};
    if (chance.percent(30)) options.timeout = chance.below(10);
    if (chance.percent(20)) {
      const controller = new AbortController();
      options.signal = controller.signal;
      const abort = (): void => controller.abort(new Deliberate("aborted"));
      if (chance.percent(30)) abort();
      else if (chance.percent(50)) setTimeout(abort, chance.below(5));
      else queueMicrotask(abort);
    }
    const operations: readonly (readonly [string, () => Promise<unknown>])[] = [
      ["nop", () => ring.nop(options)],
      ["send", () => ring.send(file, slice, options)],
      ["sendZc", () => ring.sendZc(file, slice, options)],
      ["recv", () => ring.recv(file, slice, options)],
      ["read", () => ring.read(file, slice, -1, options)],
      ["write", () => ring.write(file, slice, -1, options)],
      ["poll", () => ring.poll(file, 1, options)],
      ["timeout", () => ring.timeout(chance.below(5), options)],
      ["cancel", () => ring.cancel(file)],
      ["connect", () => ring.connect(file, { host: "127.0.0.1", port: 9 }, options)],
      ["shutdown", () => ring.shutdown(chance.percent(90) ? -1 : file, "write")],
      ["closeFile", () => ring.closeFile(-1)],
      ...(message === undefined ? [] : [
        ["sendMsg", () => ring.sendMsg(file, message, options)],
        ["sendMsgZc", () => ring.sendMsgZc(file, message, options)],
        ["sendVectorized", () => ring.sendVectorized(file, message, options)],
        ["recvMsg", () => ring.recvMsg(file, message, options)],
      ] as const),
    ];
    const [name, run] = chance.pick(operations)!;
    const what = `${model.name}.${name}(${show(options.timeout)})`;
    if (chance.percent(20)) {
      // Nobody awaits it: that must not end the process when it fails.
      api.call(`${what}, not awaited`, "garbage", () => {
        run();
      });
      model.unawaited++;
      return;
    }
    const onSocket = chance.percent(15) && socket !== undefined && socket.protocol === "tcp";
    if (onSocket) {
      api.start(`${model.name}.accept()`, "valid", model, () => ring.accept(socket, options), {
        file: socket,
        onValue: (accepted) => accepted.close(),
      });
      return;
    }
    const needsMemory = /send|recv|read|write/.test(name);
    const closed = needsMemory && !name.includes("Msg") && !name.includes("Vector") &&
      slice.area.closed && slice.state === "free" && !options.signal?.aborted &&
      (options.timeout === undefined || ring.entries > 1);
    api.start(what, closed ? "closed" : "valid", model, run, {
      // With a time limit it must end without being cancelled.
      file: options.timeout === undefined ? socket : undefined,
    });
  }
}
