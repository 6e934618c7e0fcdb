/**
 * Operations whose data does not matter, on both APIs.
 *
 * @module
 */
import { MSG } from "../../../ffi/kernel/uapi.ts";
import type { Socket } from "../../../ffi/net/socket.ts";
import type { Batch } from "../../../ffi/ring/batch.ts";
import type { Descriptor } from "../../../ffi/ring/descriptor.ts";
import { type Api, Deliberate, type Expectation, PropertyError, show } from "./api.ts";
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

/** An operation of the batch API, as {@linkcode Rings.prepare} takes it. */
type Preparation = readonly [
  what: string,
  expectation: Expectation,
  run: (userData: number) => unknown,
  handler?: Parameters<Rings["prepare"]>[4],
];

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
    const { chance, rings } = this.#parts;
    const model = chance.pick(rings.open);
    if (model === undefined) return;
    // A request that is linked finds its file when it starts, which may be another one by then.
    if (model.linked) return rings.nops(model, 1);
    const [name, expectation, run, handler] = chance.pick(this.#preparations(model.ring.batch))!;
    rings.prepare(model, name, expectation, run, handler);
  }

  /** What can be prepared now. */
  #preparations(batch: Batch): Preparation[] {
    const { chance, areas, sockets } = this.#parts;
    const { file, socket } = this.#file();
    const slice = chance.pick(areas.slices);
    const message = chance.pick(areas.messages);
    const flags = chance.percent(80) ? 0 : chance.pick([MSG.DONTWAIT, MSG.WAITALL, 1, 0x7fff0000])!;
    const events = chance.pick([1, 4, 0, -1])!;
    const wanted = chance.percent(80) ? chance.below(5) : chance.number();
    // Nobody would wait for a long one.
    const time = wanted > 1000 && wanted !== Infinity ? 1 : wanted;
    const address = { host: "127.0.0.1", port: 9 };
    const to = { file: socket };
    // Nobody can close what a lost completion has opened.
    const opening = {
      complete: (result: number): void => {
        if (result >= 0) sockets.adopt(result);
      },
      lost: (): void => void sockets.lost++,
    };
    const preparations: Preparation[] = [
      ["connect()", "valid", (u) => batch.connect(file, address, u), to],
      ["poll()", "valid", (u) => batch.poll(file, events, u), to],
      ["cancel()", "valid", (u) => batch.cancel(file, u)],
      [
        "socket()",
        "valid",
        (u) => batch.socket(chance.pick(["udp", "tcp"])!, chance.pick([4, 6])!, u),
        opening,
      ],
      socket !== undefined && chance.percent(30)
        ? [
          "shutdown()",
          "valid",
          (u) => batch.shutdown(file, chance.pick(["read", "write", "both"])!, u),
        ]
        : ["closeFile()", "valid", (u) => batch.closeFile(chance.pick([-1, 2 ** 31 - 1])!, u)],
      [`timeout(${time})`, "garbage", (u) => batch.timeout(time, u)],
    ];
    if (slice !== undefined) {
      const offset = chance.number();
      // Of a slice in flight in an area that was closed either may be said.
      const closing = slice.area.closed && slice.state === "free" ? "closed" : "valid";
      // Flags and offsets are looked at first.
      const withFlags = flags === 0 ? closing : "valid";
      const withOffset = Number.isSafeInteger(offset) ? closing : "valid";
      preparations.push(
        ["send()", withFlags, (u) => batch.send(file, slice, u, flags), to],
        ["sendZc()", closing, (u) => batch.sendZc(file, slice, u), to],
        ["recv()", withFlags, (u) => batch.recv(file, slice, u, flags), to],
        ["read()", withOffset, (u) => batch.read(file, slice, offset, u), to],
        ["write()", closing, (u) => batch.write(file, slice, -1, u), to],
      );
    }
    if (message !== undefined) {
      preparations.push(
        ["sendMsg()", "valid", (u) => batch.sendMsg(file, message, u), to],
        ["sendMsgZc()", "valid", (u) => batch.sendMsgZc(file, message, u, flags), to],
        ["sendVectorizedZc()", "valid", (u) => batch.sendVectorizedZc(file, message, u), to],
        ["recvMsg()", "valid", (u) => batch.recvMsg(file, message, u), to],
      );
    }
    if (socket !== undefined) {
      const handler = { ...to, ...opening };
      preparations.push(["accept()", "valid", (u) => batch.accept(socket, u), handler]);
    }
    return preparations;
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
