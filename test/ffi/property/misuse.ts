/**
 * Calls that must fail: with garbage, and on what is closed.
 *
 * @module
 */
import { Message } from "../../../ffi/net/message.ts";
import { Socket } from "../../../ffi/net/socket.ts";
import { BufferRing } from "../../../ffi/ring/buffer_ring.ts";
import { Notifier } from "../../../ffi/ring/notifier.ts";
import { Ring } from "../../../ffi/ring/ring.ts";
import { type Api, PropertyError } from "./api.ts";
import type { Areas } from "./area.ts";
import type { BufferRings } from "./buffer_ring.ts";
import type { Chance } from "./chance.ts";
import type { Rings } from "./ring.ts";
import type { Sockets } from "./socket.ts";

/** The parts of the world that it works with. */
interface Parts {
  readonly api: Api;
  readonly chance: Chance;
  readonly rings: Rings;
  readonly areas: Areas;
  readonly sockets: Sockets;
  readonly bufferRings: BufferRings;
}

/** Makes calls that must fail. */
export class Misuse {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Calls a method with what it does not take. */
  garbage(): void {
    const { api, chance, rings, areas, sockets } = this.#parts;
    const model = chance.pick(rings.open);
    if (model === undefined) return;
    const { ring } = model;
    const { batch } = ring;
    const g = (): never => chance.garbage() as never;
    const socket = chance.pick(sockets.open);
    const slice = chance.pick(areas.slices);
    const [name, run] = chance.pick<readonly [string, () => unknown]>([
      ["register", () => ring.register(g())],
      ["unregister", () => ring.unregister(g())],
      ["supports", () => ring.supports(g())],
      ["batch.submitAndWait", () => batch.submitAndWait(Object(1n))],
      ["batch.send(file)", () => batch.send(notNumber(g()), slice!)],
      ["batch.send(slice)", () => batch.send(socket!, notSlice(g()))],
      ["batch.send(target)", () => batch.send(socket!, slice!, notNumber(g()))],
      ["batch.sendZc(slice)", () => batch.sendZc(socket!, notSlice(g()))],
      ["batch.sendZc(target)", () => batch.sendZc(socket!, slice!, notNumber(g()))],
      ["batch.sendMsg(message)", () => batch.sendMsg(socket!, notMessage(g()))],
      ["batch.sendMsgZc(message)", () => batch.sendMsgZc(socket!, notMessage(g()))],
      ["batch.sendVectorized()", () => batch.sendVectorized(socket!, notMessage(g()))],
      ["batch.recv(slice)", () => batch.recv(socket!, notSlice(g()))],
      ["batch.recvMsg(message)", () => batch.recvMsg(socket!, notMessage(g()))],
      ["batch.read(slice)", () => batch.read(socket!, notSlice(g()))],
      ["batch.write(slice)", () => batch.write(socket!, notSlice(g()))],
      ["batch.connect(address)", () => batch.connect(socket!, g())],
      ["batch.accept(file)", () => batch.accept(notNumber(g()))],
      ["batch.poll(file)", () => batch.poll(notNumber(g()), 1)],
      ["batch.cancel(file)", () => batch.cancel(notNumber(g()))],
      ["batch.closeFile(fd)", () => batch.closeFile(notDescriptor(g()))],
      ["batch.recvMultishot(file)", () => batch.recvMultishot(notNumber(g()), g())],
      ["batch.msgRing(ring)", () => batch.msgRing(notRing(g()), 1, 1)],
      ["batch.timeout(time)", () => batch.timeout(chance.pick([-1, NaN, Infinity])!)],
      ["new Notifier", () => new Notifier(ring, { tag: g() })],
      ["new Notifier(ring)", () => new Notifier(notRing(g()))],
      ["new Message", () => new Message(g())],
      ["new Message(slices)", () => new Message([notSlice(g())])],
      [
        "BufferRing.open",
        () => BufferRing.open(ring, { count: chance.number(), bytes: g() }).close(),
      ],
      ["BufferRing.open(ring)", () => BufferRing.open(notRing(g()), { count: 1, bytes: 1 })],
      ["Socket.udp(place)", () => Socket.udp({ namespace: { fd: -5, userFd: -7 } }).close()],
    ])!;
    const what = `${model.name}.${name} with garbage`;
    const before = [batch.prepared, slice?.state];
    api.call(what, "garbage", () => {
      const value = run();
      if (value === batch) throw new PropertyError(`${what} was taken`);
    });
    const after = [batch.prepared, slice?.state];
    // A request may be submitted to make room; it may not be left behind.
    if (api.failed && (after[0]! as number > (before[0] as number) || after[1] !== before[1])) {
      throw new PropertyError(`${what} threw and left something behind: ${before} -> ${after}`);
    }
    const [awaited, start] = chance.pick<readonly [string, () => Promise<unknown>]>([
      ["send(file)", () => ring.send(notNumber(g()), slice!)],
      ["send(slice)", () => ring.send(socket!, notSlice(g()))],
      ["send(options)", () => ring.send(socket!, slice!, notOptions(g()))],
      ["sendZc(notifier)", () => ring.sendZc(socket!, slice!, { notifier: notNotifier(g()) })],
      ["sendZc(signal)", () => ring.sendZc(socket!, slice!, { signal: g() })],
      ["sendMsg(message)", () => ring.sendMsg(socket!, notMessage(g()))],
      ["recv(slice)", () => ring.recv(socket!, notSlice(g()))],
      ["recvMsg(message)", () => ring.recvMsg(socket!, notMessage(g()))],
      ["accept(file)", () => ring.accept(notNumber(g()))],
      ["connect(address)", () => ring.connect(socket!, g())],
      ["poll(file)", () => ring.poll(notNumber(g()), 1)],
      ["timeout(time)", () => ring.timeout(chance.pick([-1, NaN, Infinity])!)],
      ["nop(timeout)", () => ring.nop({ timeout: chance.pick([-1, NaN, Infinity])! })],
      ["msgRing(ring)", () => ring.msgRing(notRing(g()), 1, 1)],
      ["recvMultishot()", async () => {
        const stream = ring.recvMultishot(socket ?? g(), g());
        const { value } = await stream.next();
        // What it got after all goes back: a buffer that is held for good stops who waits for it.
        value?.release();
        await stream.return(undefined);
      }],
    ])!;
    api.start(`${model.name}.${awaited} with garbage`, "garbage", model, start, { file: socket });
  }

  /** Uses what is closed, in ways that would be right if it were open. */
  closed(): void {
    const { api, chance, rings, areas, sockets, bufferRings } = this.#parts;
    const closed = chance.pick(rings.closed);
    const socket = chance.pick(sockets.open);
    const slice = chance.pick(areas.slices);
    const area = chance.pick(areas.open);
    if (closed !== undefined && slice !== undefined && area !== undefined && socket !== undefined) {
      const { ring } = closed;
      const { batch } = ring;
      const free = slice.state === "free" && !slice.area.closed;
      const [name, run] = chance.pick<readonly [string, () => unknown]>([
        ["register", () => ring.register(area)],
        ["unregister", () => ring.unregister(area)],
        ["batch.nop", () => batch.nop()],
        ["batch.send", () => batch.send(socket, slice)],
        ["batch.sendZc", () => batch.sendZc(socket, slice)],
        ["batch.recv", () => batch.recv(socket, slice)],
        ["batch.accept", () => batch.accept(socket)],
        ["batch.closeFile", () => batch.closeFile(-1)],
        ["batch.submit", () => batch.submit()],
        ["batch.submitAndWait", () => batch.submitAndWait(0)],
        ["batch.waitBlocking", () => batch.waitBlocking(0, 0)],
        ["batch.reap", () => batch.reap(() => {})],
        ["new Notifier", () => new Notifier(ring)],
        ["BufferRing.open", () => BufferRing.open(ring, { count: 1, bytes: 64 })],
      ])!;
      api.call(`closed ${closed.name}.${name}()`, "closed", run);
      if (free && slice.state !== "free") throw new PropertyError(`${name} took a slice with it`);
      const [awaited, start] = chance.pick<readonly [string, () => Promise<unknown>]>([
        ["nop", () => ring.nop()],
        ["send", () => ring.send(socket, slice)],
        ["sendZc", () => ring.sendZc(socket, slice)],
        ["recv", () => ring.recv(socket, slice)],
        ["accept", () => ring.accept(socket)],
        ["timeout", () => ring.timeout(1)],
        ["socket", () => ring.socket("udp")],
        ["acceptMultishot", () => ring.acceptMultishot(socket).next()],
        ["cancel", () => ring.cancel(socket)],
      ])!;
      api.start(`closed ${closed.name}.${awaited}()`, "closed", closed, start);
    }
    const model = chance.pick(rings.open);
    if (model !== undefined && socket !== undefined) {
      const what = `${model.name}.closeFile() of a socket`;
      api.start(what, "owned", model, () => model.ring.closeFile(socket.fd));
    }
    const gone = chance.pick(sockets.closed);
    if (model !== undefined && gone !== undefined && slice !== undefined) {
      const { ring } = model;
      const { batch } = ring;
      const [name, run] = chance.pick<readonly [string, () => unknown]>([
        ["batch.send", () => batch.send(gone, slice)],
        ["batch.sendZc", () => batch.sendZc(gone, slice)],
        ["batch.recv", () => batch.recv(gone, slice)],
        ["batch.read", () => batch.read(gone, slice)],
        ["batch.poll", () => batch.poll(gone, 1)],
        ["batch.cancel", () => batch.cancel(gone)],
        ["register", () => ring.register(gone)],
        ["Socket.bind", () => gone.bind({ host: "127.0.0.1", port: 0 })],
        ["Socket.listen", () => gone.listen()],
        ["Socket.option", () => gone.option("SO_RCVBUF")],
        ["Socket.shutdown", () => gone.shutdown()],
        ["Socket.fd", () => gone.fd],
        ["Socket.localAddress", () => gone.localAddress],
      ])!;
      api.call(`${name} of a closed socket`, "closed", run);
      api.start("send() to a closed socket", "closed", model, () => ring.send(gone, slice));
      if (closed !== undefined) {
        api.call("msgRing() to a closed ring", "closed", () => batch.msgRing(closed.ring, 1, 1));
        api.start(
          "msgRing() to a closed ring",
          "closed",
          model,
          () => ring.msgRing(closed.ring, 1, 1),
        );
      }
    }
    const area2 = chance.pick(areas.closed);
    if (area2 === undefined || model === undefined) return;
    api.call("Area.slice() after close", "closed", () => area2.slice());
    api.call("Area.unsafeBytes() after close", "closed", () => area2.unsafeBytes());
    api.call("Ring.register() of a closed area", "closed", () => model.ring.register(area2));
    const buffers = chance.pick(bufferRings.closed);
    if (buffers === undefined || socket === undefined) return;
    api.call("BufferRing.release() after close", "closed", () => buffers.release(slice!));
    api.start(
      "recvMultishot() into closed buffers",
      "closed",
      model,
      () => model.ring.recvMultishot(socket, buffers).next(),
    );
    api.call(
      "batch.recvMultishot() into closed buffers",
      "closed",
      () => model.ring.batch.recvMultishot(socket, buffers),
    );
  }
}

// What the API takes at a place is no garbage there: something else then.

function notNumber(value: never): never {
  return (typeof value === "number" || value === undefined || value as unknown instanceof Notifier
    ? {}
    : value) as never;
}

function notSlice(value: never): never {
  return (isSlice(value) ? {} : value) as never;
}

function isSlice(value: unknown): boolean {
  return typeof value === "object" && value !== null && "area" in value && "offset" in value;
}

function notMessage(value: never): never {
  return (value as unknown instanceof Message ? {} : value) as never;
}

function notRing(value: never): never {
  return (value as unknown instanceof Ring ? {} : value) as never;
}

function notNotifier(value: never): never {
  return (value as unknown instanceof Notifier || value === undefined ? {} : value) as never;
}

function notOptions(value: never): never {
  return (value === undefined ? null : value) as never;
}

/** Whole numbers that the kernel refuses, and what is no number: never an open descriptor. */
function notDescriptor(value: never): never {
  return ((value | 0) === value ? NaN : value) as never;
}
