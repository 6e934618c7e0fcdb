/**
 * Rings, whatever is in flight on them, and what the test knows of each.
 *
 * @module
 */
import { CQE } from "../../../ffi/kernel/uapi.ts";
import type { Slice } from "../../../ffi/memory/area.ts";
import type { Socket } from "../../../ffi/net/socket.ts";
import { Ring } from "../../../ffi/ring/ring.ts";
import {
  type Api,
  Deliberate,
  type Expectation,
  PATIENCE,
  PropertyError,
  show,
  type Started,
  within,
} from "./api.ts";
import type { Chance } from "./chance.ts";

/** User data from here on belongs to completions that another ring posts. */
export const POSTS = 0x80000000;

/** A request of the batch API. */
export interface Handler {
  readonly what: string;
  /** The file that can be cancelled, if the request can wait for ever. */
  readonly file: Socket | undefined;
  complete(result: number, flags: number): void;
  /** The ring was closed before the last completion could be reaped. */
  lost(): void;
}

/** A ring and what the test knows of it. */
export interface RingModel {
  readonly ring: Ring;
  readonly name: string;
  readonly pending: Map<number, Handler>;
  /** Posts of other rings: 1 prepared, 2 confirmed, by user data. */
  readonly posts: Map<number, number>;
  /** Awaited operations that have not settled. */
  readonly awaited: Set<Started>;
  /** Operations that nobody awaits, so that nobody knows when they end. */
  unawaited: number;
  nextUserData: number;
  /** Whether the request prepared last is linked to what comes next, whatever that is. */
  linked: boolean;
  /** Requests that the kernel still had when the ring was closed. */
  left: number;
  /** Slices that are free, though their notification was not handed out: it must be at hand. */
  readonly early: Set<Slice>;
}

/** What stands on rings: it has a part in their end. */
export interface RingUser {
  /** Whether completions are to come that no request of the batch API waits for. */
  expects?(model: RingModel): boolean;
  /** Does what requests that are pending on a ring may wait for. */
  help?(model: RingModel): void;
  /** A ring was closed. */
  ringClosed?(model: RingModel): void;
}

/** The parts of the world that it works with. */
interface Parts {
  readonly api: Api;
  readonly chance: Chance;
  /** In the order in which they are told of the end of a ring. */
  readonly users: readonly RingUser[];
}

/** Opens rings, fills and empties them, and closes them at any time. */
export class Rings {
  readonly open: RingModel[] = [];
  readonly closed: RingModel[] = [];
  /** Requests whose memory the kernel had for good, by rings that were closed without waiting. */
  left = 0;
  #depth = 0;
  #next = 1;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  make(): void {
    const { api, chance } = this.#parts;
    if (this.open.length >= 5) return;
    const options: Record<string, unknown> = {};
    const entries = chance.pick([1, 2, 3, 8, 16, 64, 256])!;
    if (chance.percent(80)) options.entries = entries;
    if (chance.percent(50)) {
      options.completionEntries = chance.pick([1, 2, 4])! * (options.entries as number ?? 256);
    }
    if (chance.percent(40)) {
      options.without = [
        "NO_SQARRAY",
        "DEFER_TASKRUN",
        "SINGLE_ISSUER",
        "TASKRUN_FLAG",
        "SUBMIT_ALL",
        "COOP_TASKRUN",
      ].filter(() => chance.percent(40));
    }
    if (chance.percent(20)) options.registeredBuffers = chance.pick([1, 2, 5]);
    if (chance.percent(20)) options.registeredFiles = chance.pick([1, 2, 5]);
    const ring = api.call(`Ring.open(${show(options)})`, "ok", () => Ring.open(options));
    if (ring === undefined) return;
    this.open.push({
      ring,
      name: `ring ${this.#next++}`,
      pending: new Map(),
      posts: new Map(),
      awaited: new Set(),
      unawaited: 0,
      nextUserData: 1,
      linked: false,
      left: 0,
      early: new Set(),
    });
  }

  makeGarbage(): void {
    const { api, chance } = this.#parts;
    const names = ["entries", "completionEntries", "without", "registeredBuffers", "entries"];
    const name = chance.pick(names)!;
    const value = chance.percent(50) ? chance.garbage() : chance.number();
    // What works is closed again.
    const options = { entries: 4, [name]: value } as never;
    api.call(
      `Ring.open({ ${name}: ${show(value)} })`,
      "garbage",
      () => Ring.open(options).close(),
    );
  }

  async close(): Promise<void> {
    const { api, chance } = this.#parts;
    const closed = chance.pick(this.closed);
    if (closed !== undefined && chance.percent(30)) {
      const left = api.call(`${closed.name}.close() again`, "ok", () => closed.ring.close());
      if (left !== 0) throw new PropertyError(`closing again returned ${left}`);
      return;
    }
    const model = chance.pick(this.open);
    if (model === undefined || chance.percent(40)) return;
    if (chance.percent(50)) await this.quiesce(model);
    if (chance.percent(15)) {
      const disposed = api.call(
        `${model.name}[Symbol.asyncDispose]()`,
        "ok",
        () => model.ring[Symbol.asyncDispose](),
      );
      await within(disposed!, `${model.name}[Symbol.asyncDispose]()`);
      if (!model.ring.closed) throw new PropertyError("asyncDispose left the ring open");
      this.#afterClose(model, undefined);
    } else this.closeNow(model);
  }

  /** Closes a ring at once, whatever is in flight. */
  closeNow(model: RingModel, timeout?: number): void {
    const { api, chance } = this.#parts;
    if (timeout === undefined && chance.percent(20)) {
      const bad = chance.pick([-1, NaN, -Infinity, "20" as never])!;
      api.call(`${model.name}.close(${show(bad)})`, "garbage", () => {
        model.ring.close(bad);
        throw new PropertyError(`close(${show(bad)}) was taken`);
      });
      if (model.ring.closed) throw new PropertyError("a refused close() closed the ring");
    }
    timeout ??= chance.pick([undefined, undefined, 1000, 20, 0]);
    const left = api.call(
      `${model.name}.close(${timeout})`,
      "ok",
      () => model.ring.close(timeout),
    );
    if (!model.ring.closed) throw new PropertyError(`${model.name} is open after close()`);
    this.#afterClose(model, left);
  }

  /** Closing a descriptor submits what is prepared on it: a chain ends where it was cut. */
  noteSubmitted(): void {
    for (const model of this.open) {
      if (!model.ring.closed && model.ring.batch.prepared === 0) model.linked = false;
    }
  }

  /** Settles what was on a ring, with what stands on it. */
  #afterClose(model: RingModel, left: number | undefined): void {
    const at = this.open.indexOf(model);
    if (at < 0) return; // a callback inside close() was here first
    this.open.splice(at, 1);
    this.closed.push(model);
    if (this.closed.length > 4) this.closed.shift();
    model.left = left ?? model.ring.inFlight;
    this.left += model.left;
    this.noteSubmitted();
    const lost = [...model.pending.values()];
    model.pending.clear();
    for (const handler of lost) handler.lost();
    for (const user of this.#parts.users) user.ringClosed?.(model);
  }

  /** Cancels, submits and reaps until nothing is left on a ring. */
  async quiesce(model: RingModel): Promise<void> {
    const { api, users } = this.#parts;
    const deadline = performance.now() + PATIENCE;
    const { ring } = model;
    const cancelled = new Set<Socket>();
    let looks = 0;
    api.call(`${model.name}.batch.submit()`, "ok", () => ring.batch.submit());
    model.linked = false;
    while (!ring.closed) {
      for (const user of users) user.help?.(model);
      // A receive that is prepared or complete on another ring holds back who waits for a window.
      for (const other of [...this.open]) {
        if (!other.ring.closed && other.ring.batch.prepared > 0) this.submit(other);
        this.reap(other, false);
      }
      if (ring.closed) break;
      const waiting = [...model.pending.values(), ...model.awaited];
      const posts = [...model.posts.values()].filter((state) => state === 2).length;
      if (waiting.length === 0 && posts === 0) break;
      for (const { file } of waiting) {
        if (file === undefined || file.closed || cancelled.has(file)) continue;
        cancelled.add(file);
        api.start(`${model.name}.cancel(file)`, "valid", model, () => ring.cancel(file));
      }
      // A receive that was about to start again was not there to be cancelled.
      if (++looks % 20 === 0) cancelled.clear();
      if (performance.now() > deadline) {
        throw new PropertyError(
          `${model.name}: ${show(waiting.map(({ what }) => what))} and ${posts} posts did not ` +
            `complete within ${PATIENCE} ms (in flight: ${ring.inFlight}, ` +
            `prepared: ${ring.batch.prepared})`,
        );
      }
      await api.pause();
    }
    api.waiting = false;
    if (ring.closed || model.unawaited > 0) return;
    if (model.pending.size + model.awaited.size === 0) {
      // Our own requests (a cancellation's) may still be on their way.
      while (!ring.closed && ring.inFlight > 0 && performance.now() < deadline) {
        this.reap(model, false);
        await api.pause();
      }
      api.waiting = false;
      if (!ring.closed && ring.inFlight !== 0) {
        throw new PropertyError(
          `${model.name} is idle and has ${ring.inFlight} requests in flight`,
        );
      }
    }
  }

  /** Notes a request of the batch API that was prepared; returns its user data. */
  #expect(model: RingModel, handler: Handler): number {
    const userData = model.nextUserData;
    model.nextUserData = userData + 1 >= POSTS ? 1 : userData + 1;
    model.pending.set(userData, handler);
    return userData;
  }

  /** Prepares a request of the batch API; forgets it when that throws. */
  prepare(
    model: RingModel,
    what: string,
    expectation: Expectation,
    run: (userData: number) => unknown,
    handler: Partial<Handler> = {},
  ): boolean {
    const { api } = this.#parts;
    const userData = this.#expect(model, {
      what: `${what} (${model.nextUserData})`,
      file: handler.file,
      complete: handler.complete ?? ((): void => {}),
      lost: handler.lost ?? ((): void => {}),
    });
    api.call(`${model.name}.batch.${what} #${userData}`, expectation, () => run(userData));
    if (api.failed) model.pending.delete(userData);
    // A request that was refused has no place in the chain: that ends before it.
    model.linked = false;
    return !api.failed;
  }

  #dispatch(model: RingModel, userData: number, result: number, flags: number): void {
    if (userData >= POSTS) {
      if (!model.posts.delete(userData)) {
        throw new PropertyError(`${model.name} got a post that nobody sent: ${userData}`);
      }
      if (result !== (userData & 0xffff)) {
        throw new PropertyError(`${model.name} got post ${userData} with result ${result}`);
      }
      return;
    }
    const handler = model.pending.get(userData);
    if (handler === undefined) {
      throw new PropertyError(
        `${model.name} got a completion that nobody waits for: ${userData}, ${result}, ${flags}`,
      );
    }
    if ((flags & CQE.MORE) === 0) model.pending.delete(userData);
    handler.complete(result, flags);
  }

  /** Reaps with a callback that only takes notes. */
  reap(model: RingModel, playful: boolean): void {
    const { api, chance } = this.#parts;
    const { ring } = model;
    if (ring.closed) return;
    this.#depth++;
    api.call(
      `${model.name}.batch.reap()`,
      "ok",
      () =>
        ring.batch.reap((userData, result, flags) => {
          api.inside(() => this.#dispatch(model, userData, result, flags));
          if (!playful || this.#depth > 3 || !chance.percent(4)) return;
          const play = chance.below(5);
          if (play === 0) throw new Deliberate("thrown by a callback");
          api.inside(() => {
            if (play === 1) this.reap(model, true);
            else if (play === 2) this.submit(model);
            else if (play === 3) this.nops(model, chance.below(20));
            else if (chance.percent(10)) this.closeNow(model);
          });
        }),
    );
    this.#depth--;
    if (this.#depth === 0 && !api.failed && !ring.closed && model.early.size > 0) {
      throw new PropertyError(`${model.name}: memory was free before its notification`);
    }
    if (api.failure !== undefined) throw api.failure;
  }

  reapOne(): void {
    const { chance } = this.#parts;
    const model = chance.pick(this.open);
    if (model !== undefined) this.reap(model, chance.percent(50));
  }

  /** Submits what is prepared: all of it must go. */
  submit(model: RingModel): void {
    const { api } = this.#parts;
    const { batch } = model.ring;
    const prepared = batch.prepared;
    const count = api.call(`${model.name}.batch.submit()`, "ok", () => batch.submit());
    if (count !== prepared || batch.prepared !== 0) {
      throw new PropertyError(`submit() returned ${count} for ${prepared}`);
    }
    model.linked = false;
  }

  submitOne(): void {
    const { api, chance } = this.#parts;
    const model = chance.pick(this.open);
    if (model === undefined) return;
    if (chance.percent(25)) {
      const { batch } = model.ring;
      // What is linked last in a submission goes to a worker, and finds its file there, later: only
      // what has no file may be linked to what nobody knows.
      if (batch.prepared > 0) this.nops(model, 1);
      api.call(`${model.name}.batch.link()`, batch.prepared === 0 ? "garbage" : "valid", () => {
        batch.link();
      });
      if (!api.failed) model.linked = true;
    } else this.submit(model);
  }

  nops(model: RingModel, count: number): void {
    for (let i = 0; i < count; i++) {
      this.prepare(model, "nop()", "ok", (userData) => model.ring.batch.nop(userData));
    }
  }

  /** Waits for completions that are sure to come, or, where nothing else is there, for any count. */
  wait(): void {
    const { api, chance, users } = this.#parts;
    const model = chance.pick(this.open);
    if (model === undefined) return;
    const { batch } = model.ring;
    if (chance.percent(30)) {
      const [count, time] = [chance.below(6), chance.pick([0, 1, 3, -1, 0.5])!];
      api.call(
        `${model.name}.batch.waitBlocking(${count}, ${time})`,
        "ok",
        () => batch.waitBlocking(count, time),
      );
      model.linked = false;
      return;
    }
    const onlyNops = model.unawaited === 0 && model.awaited.size === 0 &&
      [...model.pending.values()].every(({ what }) => what.startsWith("nop")) &&
      users.every((user) => !user.expects?.(model));
    // What hangs on a request before it is not sure to come.
    if (model.linked || batch.prepared > 0) this.submit(model);
    const fresh = chance.below(chance.percent(10) ? 300 : 20);
    this.nops(model, fresh);
    if (onlyNops && chance.percent(60)) {
      const count = chance.percent(15) ? chance.number() : chance.below(2 * fresh + 4);
      // Half a completion is one.
      api.call(
        `${model.name}.batch.submitAndWait(${count})`,
        "garbage",
        () => batch.submitAndWait(count),
      );
    } else {
      api.call(
        `${model.name}.batch.submitAndWait(${fresh})`,
        "ok",
        () => batch.submitAndWait(fresh),
      );
    }
  }
}
