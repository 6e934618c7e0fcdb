/**
 * The objects of the property test and what is done to them: every call of the API passes through
 * {@linkcode Api.call}, which knows what may come out of it.
 *
 * @module
 */
import { Area, type Slice } from "../../../ffi/memory/area.ts";
import type { Descriptor } from "../../../ffi/ring/descriptor.ts";
import { BufferRing } from "../../../ffi/ring/buffer_ring.ts";
import { ClosedError, UringError } from "../../../ffi/kernel/errors.ts";
import { Message } from "../../../ffi/net/message.ts";
import { native } from "../../../ffi/kernel/native.ts";
import type { Notification } from "../../../ffi/ring/notification.ts";
import { Notifier } from "../../../ffi/ring/notifier.ts";
import type { ReceivedPiece } from "../../../ffi/ring/received_piece.ts";
import { Ring } from "../../../ffi/ring/ring.ts";
import { adopt, Socket } from "../../../ffi/net/socket.ts";
import { CQE, MSG } from "../../../ffi/kernel/uapi.ts";
import type { Random } from "../../../labs/kit/experiment/random.ts";
import type { Testbed } from "../../../labs/kit/testbed/testbed.ts";
import {
  Api,
  Deliberate,
  type Expectation,
  PATIENCE,
  PropertyError,
  show,
  type Started,
  within,
} from "./api.ts";
import { Chance, keep } from "./chance.ts";
import { type Account, type Channel, DatagramChannel, HEADER, StreamChannel } from "./traffic.ts";

/** User data from here on belongs to completions that another ring posts. */
const POSTS = 0x80000000;
/** And a stream whose receiver's small buffer was full more than once, so that TCP backed off. */
const RETRANSMISSION = 30_000;
/** `SO_MEMINFO`, and which of its words counts the drops. */
const [SOL_SOCKET, SO_MEMINFO, MEMINFO_WORDS, MEMINFO_DROPS] = [1, 55, 9, 8];
/** What a channel may have on its way: far below the receive buffers that it asks for. */
const WINDOW = 512 * 1024;
/** Not with SO_RCVBUFFORCE, which is for root: what the kernel grants decides what is on its way. */
const RECEIVE_BUFFER = 16 * 1024 * 1024;
/** What one datagram takes of a receive buffer at most: a page for each piece that it came in. */
const DATAGRAM_ROOM = 48 * 1024;

/** A request of the batch API. */
interface Handler {
  readonly what: string;
  /** The file that can be cancelled, if the request can wait for ever. */
  readonly file: Socket | undefined;
  complete(result: number, flags: number): void;
  /** The ring was closed before the last completion could be reaped. */
  lost(): void;
}

/** A ring and what the test knows of it. */
interface RingModel {
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

/** Memory lent to one send. */
interface Loan {
  readonly pool: Pool;
  readonly chunks: Slice[];
  readonly slices: Slice[];
}

/** An area cut into chunks. */
interface Pool {
  readonly area: Area;
  readonly free: Slice[];
}

/** Provided buffers, whose group no other ring of buffers had before. */
interface BufferRingModel {
  readonly model: RingModel;
  readonly buffers: BufferRing;
  readonly bytes: number;
  /** Whether a receive uses them. */
  busy: boolean;
}

/** A notifier and what is attached to it. */
interface NotifierModel {
  readonly notifier: Notifier;
  readonly model: RingModel;
  sequence: number;
  members: Member[];
}

/** One request of a notifier: what to do when it is known what became of all. */
interface Member {
  readonly loan: Loan;
  settle(result: number | undefined): void;
  readonly length: number;
}

/** See the module's description. */
export class World {
  readonly api: Api;
  readonly account: Account = { sent: 0, notified: 0, verified: 0, abandoned: 0 };
  /** Requests for sockets whose completions were lost with their ring: these may be open. */
  lostDescriptors = 0;
  /** Requests whose memory the kernel had for good, by rings that were closed without waiting. */
  left = 0;

  readonly #chance: Chance;
  readonly #beds: readonly Testbed[];
  readonly #rings: RingModel[] = [];
  readonly #closedRings: RingModel[] = [];
  readonly #pools: Pool[] = [];
  readonly #areas: Area[] = [];
  readonly #closedAreas: Area[] = [];
  readonly #allAreas: WeakRef<Area>[] = [];
  readonly #slices: Slice[] = [];
  readonly #sockets: Socket[] = [];
  readonly #closedSockets: Socket[] = [];
  readonly #notifiers: NotifierModel[] = [];
  readonly #messages: Message[] = [];
  readonly #bufferRings: BufferRingModel[] = [];
  readonly #closedBufferRings: BufferRing[] = [];
  /** Pieces that are given back later: while all buffers are held, receives wait for them. */
  readonly #held: { buffers: BufferRing; piece: ReceivedPiece }[] = [];
  #channels: Channel[] = [];
  readonly #limbo: { loan: Loan; model: RingModel }[] = [];
  #depth = 0;
  #nextChannel = 1;
  #nextRing = 1;
  #nextGroup = 0;
  #nextPost = POSTS;

  constructor(random: Random, beds: readonly Testbed[], log: (line: string) => void) {
    this.#chance = new Chance(random);
    this.#beds = beds;
    this.api = new Api(log);
    this.#chance.lists.push(
      () => this.#rings.map(({ ring }) => ring),
      () => this.#closedRings.map(({ ring }) => ring),
      () => this.#areas,
      () => this.#closedAreas,
      () => this.#slices,
      () => this.#messages,
      () => this.#notifiers.map(({ notifier }) => notifier),
      () => this.#bufferRings.map(({ buffers }) => buffers),
    );
  }

  // === Rings ===

  /** Does one random thing: one call or a few. */
  async step(): Promise<void> {
    if (this.api.failure !== undefined) throw this.api.failure;
    for (const channel of this.#channels.filter(({ whole }) => !whole)) {
      await this.#tearDown(channel);
    }
    const actions: readonly (readonly [weight: number, () => void | Promise<void>])[] = [
      [2, () => this.#openRing()],
      [1, () => this.#openGarbageRing()],
      [2, () => this.#closeRing()],
      [2, () => this.#mapArea()],
      [1, () => this.#closeArea()],
      [6, () => this.#useArea()],
      [4, () => this.#useSlice()],
      [4, () => this.#register()],
      [2, () => this.#makeSocket()],
      [1, () => this.#closeSocket()],
      [4, () => this.#useSocket()],
      [5, () => this.#nops()],
      [8, () => this.#reap()],
      [4, () => this.#submit()],
      [3, () => this.#wait()],
      [12, () => this.#batchOperation()],
      [8, () => this.#awaitOperation()],
      [10, () => this.#garbageCall()],
      [3, () => this.#useClosed()],
      [3, () => this.#post()],
      [3, () => this.#useNotifier()],
      [4, () => this.#useBufferRing()],
      [3, () => this.#multishot()],
      [2, () => this.#openChannel()],
      [1, () => this.#closeChannel()],
      [30, () => this.#send()],
      [14, () => this.#receive()],
      [1, () => this.#drainSome()],
      [4, () => this.#inspect()],
    ];
    const total = actions.reduce((sum, [weight]) => sum + weight, 0);
    let at = this.#chance.below(total);
    for (const [weight, act] of actions) {
      at -= weight;
      if (at < 0) {
        await act();
        break;
      }
    }
    if (this.api.failure !== undefined) throw this.api.failure;
  }

  #openRing(): void {
    if (this.#rings.length >= 5) return;
    const options: Record<string, unknown> = {};
    const entries = this.#chance.pick([1, 2, 3, 8, 16, 64, 256])!;
    if (this.#chance.percent(80)) options.entries = entries;
    if (this.#chance.percent(50)) {
      options.completionEntries = this.#chance.pick([1, 2, 4])! *
        (options.entries as number ?? 256);
    }
    if (this.#chance.percent(40)) {
      options.without = [
        "NO_SQARRAY",
        "DEFER_TASKRUN",
        "SINGLE_ISSUER",
        "TASKRUN_FLAG",
        "SUBMIT_ALL",
        "COOP_TASKRUN",
      ].filter(() => this.#chance.percent(40));
    }
    if (this.#chance.percent(20)) options.registeredBuffers = this.#chance.pick([1, 2, 5]);
    if (this.#chance.percent(20)) options.registeredFiles = this.#chance.pick([1, 2, 5]);
    const ring = this.api.call(`Ring.open(${show(options)})`, "ok", () => Ring.open(options));
    if (ring === undefined) return;
    this.#rings.push({
      ring,
      name: `ring ${this.#nextRing++}`,
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

  #openGarbageRing(): void {
    const names = ["entries", "completionEntries", "without", "registeredBuffers", "entries"];
    const name = this.#chance.pick(names)!;
    const value = this.#chance.percent(50) ? this.#chance.garbage() : this.#chance.number();
    // What works is closed again.
    const options = { entries: 4, [name]: value } as never;
    this.api.call(
      `Ring.open({ ${name}: ${show(value)} })`,
      "garbage",
      () => Ring.open(options).close(),
    );
  }

  async #closeRing(): Promise<void> {
    const closed = this.#chance.pick(this.#closedRings);
    if (closed !== undefined && this.#chance.percent(30)) {
      const left = this.api.call(`${closed.name}.close() again`, "ok", () => closed.ring.close());
      if (left !== 0) throw new PropertyError(`closing again returned ${left}`);
      return;
    }
    const model = this.#chance.pick(this.#rings);
    if (model === undefined || this.#chance.percent(40)) return;
    if (this.#chance.percent(50)) await this.#quiesce(model);
    if (this.#chance.percent(15)) {
      const disposed = this.api.call(
        `${model.name}[Symbol.asyncDispose]()`,
        "ok",
        () => model.ring[Symbol.asyncDispose](),
      );
      await within(disposed!, `${model.name}[Symbol.asyncDispose]()`);
      if (!model.ring.closed) throw new PropertyError("asyncDispose left the ring open");
      this.#afterClose(model, undefined);
    } else this.#closeNow(model);
  }

  /** Closes a ring at once, whatever is in flight. */
  #closeNow(model: RingModel, timeout?: number): void {
    if (timeout === undefined && this.#chance.percent(20)) {
      const bad = this.#chance.pick([-1, NaN, -Infinity, "20" as never])!;
      this.api.call(`${model.name}.close(${show(bad)})`, "garbage", () => {
        model.ring.close(bad);
        throw new PropertyError(`close(${show(bad)}) was taken`);
      });
      if (model.ring.closed) throw new PropertyError("a refused close() closed the ring");
    }
    timeout ??= this.#chance.pick([undefined, undefined, 1000, 20, 0]);
    const left = this.api.call(
      `${model.name}.close(${timeout})`,
      "ok",
      () => model.ring.close(timeout),
    );
    if (!model.ring.closed) throw new PropertyError(`${model.name} is open after close()`);
    this.#afterClose(model, left);
  }

  /** Closing a descriptor submits what is prepared on it: a chain ends where it was cut. */
  #noteSubmitted(): void {
    for (const model of this.#rings) {
      if (!model.ring.closed && model.ring.batch.prepared === 0) model.linked = false;
    }
  }

  #afterClose(model: RingModel, left: number | undefined): void {
    const at = this.#rings.indexOf(model);
    if (at < 0) return; // a callback inside close() was here first
    this.#rings.splice(at, 1);
    this.#closedRings.push(model);
    if (this.#closedRings.length > 4) this.#closedRings.shift();
    model.left = left ?? model.ring.inFlight;
    this.left += model.left;
    this.#noteSubmitted();
    const lost = [...model.pending.values()];
    model.pending.clear();
    for (const handler of lost) handler.lost();
    for (const slot of this.#notifiers.filter((slot) => slot.model === model)) {
      this.#notifiers.splice(this.#notifiers.indexOf(slot), 1);
      for (const member of slot.members) {
        member.settle(undefined);
        this.#limbo.push({ loan: member.loan, model });
      }
      slot.members = [];
    }
    this.#sweepLimbo();
    for (const entry of this.#bufferRings.filter((entry) => entry.model === model)) {
      this.api.call("BufferRing.close() after its ring", "ok", () => entry.buffers.close());
      this.#bufferRings.splice(this.#bufferRings.indexOf(entry), 1);
      this.#closedBufferRings.push(entry.buffers);
    }
    for (const channel of this.#channels) {
      if (channel.receiving === model) {
        // It may have taken data with it.
        channel.receiving = undefined;
        channel.whole = false;
      }
    }
  }

  /** Takes memory back that the kernel has released. After a complete close that is all of it. */
  #sweepLimbo(): void {
    for (let i = this.#limbo.length - 1; i >= 0; i--) {
      const { loan, model } = this.#limbo[i]!;
      if (loan.slices.every((slice) => slice.state === "free")) {
        this.#limbo.splice(i, 1);
        this.#takeBack(loan);
      } else if (model.ring.closed) {
        if (model.left === 0) {
          throw new PropertyError(`${model.name}: memory is in flight after a complete close`);
        }
        this.#limbo.splice(i, 1);
      }
    }
  }

  /** Cancels, submits and reaps until nothing is left on a ring. */
  async #quiesce(model: RingModel): Promise<void> {
    const deadline = performance.now() + PATIENCE;
    const { ring } = model;
    const cancelled = new Set<Socket>();
    let looks = 0;
    this.api.call(`${model.name}.batch.submit()`, "ok", () => ring.batch.submit());
    model.linked = false;
    while (!ring.closed) {
      for (const slot of this.#notifiers) {
        if (slot.model === model && slot.members.length > 0) this.#flush(slot, false);
      }
      this.#receiveEverywhere();
      // A receive that is prepared or complete on another ring holds back who waits for a window.
      for (const other of [...this.#rings]) {
        if (!other.ring.closed && other.ring.batch.prepared > 0) this.#submitNow(other);
        this.#reapFrom(other, false);
      }
      if (ring.closed) break;
      const waiting = [...model.pending.values(), ...model.awaited];
      const posts = [...model.posts.values()].filter((state) => state === 2).length;
      if (waiting.length === 0 && posts === 0) break;
      for (const { file } of waiting) {
        if (file === undefined || file.closed || cancelled.has(file)) continue;
        cancelled.add(file);
        this.api.start(`${model.name}.cancel(file)`, "valid", model, () => ring.cancel(file));
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
      await this.api.pause();
    }
    this.api.waiting = false;
    if (ring.closed || model.unawaited > 0) return;
    if (model.pending.size + model.awaited.size === 0) {
      // Our own requests (a cancellation's) may still be on their way.
      while (!ring.closed && ring.inFlight > 0 && performance.now() < deadline) {
        this.#reapFrom(model, false);
        await this.api.pause();
      }
      this.api.waiting = false;
      if (!ring.closed && ring.inFlight !== 0) {
        throw new PropertyError(
          `${model.name} is idle and has ${ring.inFlight} requests in flight`,
        );
      }
    }
  }

  // === Completions ===

  /** Notes a request of the batch API that was prepared; returns its user data. */
  #expect(model: RingModel, handler: Handler): number {
    const userData = model.nextUserData;
    model.nextUserData = userData + 1 >= POSTS ? 1 : userData + 1;
    model.pending.set(userData, handler);
    return userData;
  }

  /** Prepares a request of the batch API; forgets it when that throws. */
  #prepare(
    model: RingModel,
    what: string,
    expectation: Expectation,
    run: (userData: number) => unknown,
    handler: Partial<Handler> = {},
  ): boolean {
    const userData = this.#expect(model, {
      what: `${what} (${model.nextUserData})`,
      file: handler.file,
      complete: handler.complete ?? ((): void => {}),
      lost: handler.lost ?? ((): void => {}),
    });
    this.api.call(`${model.name}.batch.${what} #${userData}`, expectation, () => run(userData));
    if (this.api.failed) model.pending.delete(userData);
    // A request that was refused has no place in the chain: that ends before it.
    model.linked = false;
    return !this.api.failed;
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
  #reapFrom(model: RingModel, playful: boolean): void {
    const { ring } = model;
    if (ring.closed) return;
    this.#depth++;
    this.api.call(
      `${model.name}.batch.reap()`,
      "ok",
      () =>
        ring.batch.reap((userData, result, flags) => {
          this.api.inside(() => this.#dispatch(model, userData, result, flags));
          if (!playful || this.#depth > 3 || !this.#chance.percent(4)) return;
          const play = this.#chance.below(5);
          if (play === 0) throw new Deliberate("thrown by a callback");
          this.api.inside(() => {
            if (play === 1) this.#reapFrom(model, true);
            else if (play === 2) this.#submitNow(model);
            else if (play === 3) this.#nopsOn(model, this.#chance.below(20));
            else if (this.#chance.percent(10)) this.#closeNow(model);
          });
        }),
    );
    this.#depth--;
    if (this.#depth === 0 && !this.api.failed && !ring.closed && model.early.size > 0) {
      throw new PropertyError(`${model.name}: memory was free before its notification`);
    }
    if (this.api.failure !== undefined) throw this.api.failure;
  }

  #reap(): void {
    const model = this.#chance.pick(this.#rings);
    if (model !== undefined) this.#reapFrom(model, this.#chance.percent(50));
  }

  #submitNow(model: RingModel): void {
    const { batch } = model.ring;
    const prepared = batch.prepared;
    const count = this.api.call(`${model.name}.batch.submit()`, "ok", () => batch.submit());
    if (count !== prepared || batch.prepared !== 0) {
      throw new PropertyError(`submit() returned ${count} for ${prepared}`);
    }
    model.linked = false;
  }

  #submit(): void {
    const model = this.#chance.pick(this.#rings);
    if (model === undefined) return;
    if (this.#chance.percent(25)) {
      const { batch } = model.ring;
      // What is linked last in a submission goes to a worker, and finds its file there, later: only
      // what has no file may be linked to what nobody knows.
      if (batch.prepared > 0) this.#nopsOn(model, 1);
      this.api.call(
        `${model.name}.batch.link()`,
        batch.prepared === 0 ? "garbage" : "valid",
        () => {
          batch.link();
        },
      );
      if (!this.api.failed) model.linked = true;
    } else this.#submitNow(model);
  }

  /**
   * Links to a request that may wait for ever one that is refused: what comes next is in no chain, and
   * completes.
   */
  #linkThenRefused(model: RingModel): void {
    const { ring } = model;
    const { batch } = ring;
    const socket = this.#chance.pick(this.#sockets);
    if (socket === undefined || ring.entries < 2) return;
    // A chain must fit into the queue as a whole.
    if (model.linked || batch.prepared + 2 > ring.entries) this.#submitNow(model);
    const handler = { file: socket };
    this.#prepare(model, "poll(POLLPRI)", "ok", (u) => batch.poll(socket, 2, u), handler);
    if (this.api.failed) return;
    this.api.call(`${model.name}.batch.link()`, "ok", () => batch.link());
    const slice = this.#chance.pick(this.#slices);
    const [what, refused] = this.#chance.pick<readonly [string, () => unknown]>([
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
    this.api.call(`${model.name}.${what} in a chain`, "garbage", refused);
    if (batch.prepared > before) throw new PropertyError(`${what} left something in a chain`);
    let result: number | undefined;
    this.#prepare(model, "nop()", "ok", (u) => batch.nop(u), { complete: (r) => result = r });
    this.#submitNow(model);
    this.#reapFrom(model, false);
    if (result !== 0) {
      throw new PropertyError(`the request after ${what}, which was refused, gave ${result}`);
    }
    this.api.count("refused in a chain");
  }

  #nopsOn(model: RingModel, count: number): void {
    for (let i = 0; i < count; i++) {
      this.#prepare(model, "nop()", "ok", (userData) => model.ring.batch.nop(userData));
    }
  }

  #nops(): void {
    const model = this.#chance.pick(this.#rings);
    if (model === undefined) return;
    this.#nopsOn(
      model,
      this.#chance.percent(2) ? 2000 : this.#chance.percent(20) ? 100 : this.#chance.below(8),
    );
    if (this.#chance.percent(10)) this.#linkThenRefused(model);
    if (this.#chance.percent(10)) {
      if (model.linked) this.#submitNow(model);
      this.api.start(`${model.name}.nop()`, "ok", model, () => model.ring.nop());
    }
  }

  /** Waits for completions that are sure to come, or, where nothing else is there, for any count. */
  #wait(): void {
    const model = this.#chance.pick(this.#rings);
    if (model === undefined) return;
    const { batch } = model.ring;
    if (this.#chance.percent(30)) {
      const [count, time] = [this.#chance.below(6), this.#chance.pick([0, 1, 3, -1, 0.5])!];
      this.api.call(
        `${model.name}.batch.waitBlocking(${count}, ${time})`,
        "ok",
        () => batch.waitBlocking(count, time),
      );
      model.linked = false;
      return;
    }
    const onlyNops = model.unawaited === 0 && model.awaited.size === 0 &&
      [...model.pending.values()].every(({ what }) => what.startsWith("nop")) &&
      this.#notifiers.every((slot) => slot.model !== model || slot.members.length === 0);
    // What hangs on a request before it is not sure to come.
    if (model.linked || batch.prepared > 0) this.#submitNow(model);
    const fresh = this.#chance.below(this.#chance.percent(10) ? 300 : 20);
    this.#nopsOn(model, fresh);
    if (onlyNops && this.#chance.percent(60)) {
      const count = this.#chance.percent(15)
        ? this.#chance.number()
        : this.#chance.below(2 * fresh + 4);
      // Half a completion is one.
      this.api.call(
        `${model.name}.batch.submitAndWait(${count})`,
        "garbage",
        () => batch.submitAndWait(count),
      );
    } else {
      this.api.call(
        `${model.name}.batch.submitAndWait(${fresh})`,
        "ok",
        () => batch.submitAndWait(fresh),
      );
    }
  }

  // === Areas and slices ===

  #mapArea(): void {
    if (this.#areas.length >= 6 || this.#chance.percent(20)) {
      const value = this.#chance.percent(50) ? this.#chance.garbage() : this.#chance.number();
      const options = (this.#chance.percent(80) ? { bytes: value } : value) as never;
      this.api.call(`Area.map(${show(options)})`, "garbage", () => Area.map(options).close());
      return;
    }
    const bytes = this.#chance.pick([1, 4096, 5000, 65536])!;
    const area = this.api.call(`Area.map({ bytes: ${bytes} })`, "ok", () => Area.map({ bytes }))!;
    this.#areas.push(area);
    this.#allAreas.push(new WeakRef(area));
  }

  #closeArea(): void {
    const again = this.#chance.pick(this.#closedAreas);
    if (again !== undefined) this.api.call("Area.close() again", "ok", () => again.close());
    const area = this.#chance.pick(this.#areas);
    if (area === undefined || this.#chance.percent(50)) return;
    this.api.call("Area.close()", "ok", () => area.close());
    this.#areas.splice(this.#areas.indexOf(area), 1);
    keep(this.#closedAreas, area);
  }

  #useArea(): void {
    const area = this.#chance.pick(this.#areas);
    if (area === undefined) return;
    const [offset, length] = [this.#chance.below(area.bytes + 10), this.#chance.below(5000)];
    switch (this.#chance.below(5)) {
      case 0: {
        const inside = offset + length <= area.bytes;
        const slice = this.api.call(
          `Area.slice(${offset}, ${length}) of ${area.bytes}`,
          inside ? "ok" : "garbage",
          () => area.slice(offset, length),
        );
        if (inside === (slice === undefined)) throw new PropertyError("slice outside its area");
        if (slice !== undefined) keep(this.#slices, slice, 30);
        break;
      }
      case 1: {
        const [a, b] = [
          this.#chance.number(),
          this.#chance.percent(50) ? this.#chance.number() : undefined,
        ];
        this.api.call(`Area.slice(${a}, ${b})`, "garbage", () => area.slice(a, b));
        break;
      }
      case 2: {
        const size = this.#chance.percent(50) ? this.#chance.number() : 1000;
        const chunks = this.api.call(`Area.chunks(${size})`, "garbage", () => area.chunks(size));
        if (chunks !== undefined) keep(this.#slices, this.#chance.pick(chunks)!, 30);
        break;
      }
      case 3: {
        const [a, b] = [this.#chance.number(), this.#chance.number()];
        this.api.call(`Area.unsafeBytes(${a}, ${b})`, "garbage", () => area.unsafeBytes(a, b));
        break;
      }
      default: {
        const slices = [area.slice(0, Math.min(64, area.bytes)), area.slice(area.bytes >> 1, 8)];
        const message = this.api.call(
          "new Message()",
          "ok",
          () =>
            this.#chance.percent(50)
              ? new Message(slices, { to: { host: "127.0.0.1", port: 9 } })
              : Message.receiver(slices),
        )!;
        keep(this.#messages, message, 8);
      }
    }
  }

  #useSlice(): void {
    const slice = this.#chance.pick(this.#slices);
    if (slice === undefined) return;
    const closed = slice.area.closed;
    const [a, b] = [this.#chance.number(), this.#chance.number()];
    switch (this.#chance.below(5)) {
      case 0:
        this.api.call("Slice.bytes", closed ? "closed" : "valid", () => slice.bytes);
        break;
      case 1: {
        const data = this.#chance.percent(30)
          ? this.#chance.garbage()
          : new Uint8Array(this.#chance.below(100));
        this.api.call(
          `Slice.write(${show(data)}, ${a})`,
          "garbage",
          () => slice.write(data as Uint8Array, a),
        );
        break;
      }
      case 2: {
        const part = this.api.call(`Slice.slice(${a}, ${b})`, "garbage", () => slice.slice(a, b));
        if (part !== undefined) {
          if (
            part.offset < slice.offset || part.offset + part.length > slice.offset + slice.length
          ) {
            throw new PropertyError("a slice reaches out of the slice that it was cut from");
          }
          keep(this.#slices, part, 30);
        }
        break;
      }
      case 3:
        this.api.call("Slice.slice()", closed ? "closed" : "ok", () => slice.slice());
        break;
      default: {
        if (slice.state !== "in flight" || closed || slice.length === 0) return;
        this.api.call("Slice.bytes in flight", "owned", () => slice.bytes);
        this.api.call("Slice.write() in flight", "owned", () => slice.write(new Uint8Array(1)));
      }
    }
  }

  #register(): void {
    const model = this.#chance.pick(this.#rings);
    if (model === undefined) return;
    const channel = this.#chance.pick(this.#channels);
    const candidates: (Area | Socket | undefined)[] = [
      this.#chance.pick(this.#areas),
      this.#chance.pick(this.#pools)?.area,
      this.#chance.pick(this.#sockets),
      channel?.sender,
      channel?.receiver,
    ];
    const what = this.#chance.pick(candidates);
    if (what === undefined || what.closed) return;
    const kind = what instanceof Area ? "area" : "socket";
    if (channel !== undefined && what === channel.sender && this.#chance.percent(30)) {
      this.#exchange(model, channel.sender);
    }
    if (this.#chance.percent(60)) {
      this.api.call(`${model.name}.register(${kind})`, "valid", () => model.ring.register(what));
    } else {
      // The rest of a chain would find another socket, or another area, at the index.
      const chains = this.#channels.some((other) => other.kind === "tcp" && other.busy > 1);
      if (chains) return;
      this.api.call(
        `${model.name}.unregister(${kind})`,
        "valid",
        () => model.ring.unregister(what),
      );
    }
  }

  /** Leaves junk prepared for an index, and gives the index to the socket of a channel. */
  #exchange(model: RingModel, sender: Socket): void {
    const { ring } = model;
    const junk = this.#chance.pick(this.#sockets);
    const slice = this.#chance.pick(this.#slices);
    if (junk === undefined || slice === undefined || slice.area.closed) return;
    if (this.#channels.some((other) => other.kind === "tcp" && other.busy > 1)) return;
    if (model.linked) this.#submitNow(model);
    this.api.call(`${model.name}.register(junk)`, "valid", () => ring.register(junk));
    this.#prepare(model, "send()", "valid", (u) => ring.batch.send(junk, slice, u), { file: junk });
    this.api.call(`${model.name}.unregister(junk)`, "valid", () => ring.unregister(junk));
    this.api.call(`${model.name}.register(sender)`, "valid", () => ring.register(sender));
    this.#submitNow(model);
  }

  // === Sockets that carry junk ===

  #makeSocket(): void {
    if (this.#sockets.length >= 10) return;
    const bed = this.#chance.pick(this.#beds)!;
    const place = this.#chance.pick([bed.near, bed.far])!;
    const family = this.#chance.pick([4, 6] as const)!;
    const udp = this.#chance.percent(60);
    const socket = this.api.call(
      `Socket.${udp ? "udp" : "tcp"}(, ${family})`,
      "ok",
      () => udp ? Socket.udp(place, { family }) : Socket.tcp(place, { family }),
    )!;
    this.#sockets.push(socket);
    if (this.#chance.percent(70)) {
      this.api.call("Socket.bind()", "valid", () => socket.bind(place.address(0, family)));
    }
    if (!udp && this.#chance.percent(50)) {
      this.api.call("Socket.listen()", "valid", () => socket.listen());
    }
    const peer = this.#chance.pick(this.#sockets);
    const to = peer === undefined
      ? undefined
      : this.api.call("Socket.localAddress", "valid", () => peer.localAddress);
    if (to !== undefined && to.port !== 0 && peer!.family === family && this.#chance.percent(80)) {
      this.api.call(
        "Socket.connectBlocking()",
        "valid",
        () => socket.connectBlocking(to, { timeout: 50 }),
      );
    }
  }

  #closeSocket(): void {
    const again = this.#chance.pick(this.#closedSockets);
    if (again !== undefined) this.api.call("Socket.close() again", "ok", () => again.close());
    const socket = this.#chance.pick(this.#sockets);
    if (socket === undefined || this.#chance.percent(40)) return;
    this.#sockets.splice(this.#sockets.indexOf(socket), 1);
    this.#closeSocketNow(socket);
  }

  /** Closes a socket, whatever is prepared or pending on it: all of that must complete. */
  #closeSocketNow(socket: Socket): void {
    if (this.#chance.percent(50)) {
      for (const model of this.#rings) {
        this.api.call(
          `${model.name}.unregister(socket)`,
          "valid",
          () => model.ring.unregister(socket),
        );
      }
    }
    this.api.call("Socket.close()", "ok", () => socket.close());
    keep(this.#closedSockets, socket);
    this.#noteSubmitted();
    if (this.#chance.percent(20)) {
      for (const model of this.#rings) {
        this.api.call("unregister() of a closed socket", "ok", () => model.ring.unregister(socket));
      }
    }
  }

  #useSocket(): void {
    const socket = this.#chance.pick(this.#sockets);
    if (socket === undefined) return;
    const slice = this.#chance.pick(this.#slices);
    switch (this.#chance.below(8)) {
      case 0: {
        const name = this.#chance.pick(
          ["SO_RCVBUF", "SO_ZEROCOPY", "UDP_SEGMENT", "TCP_NODELAY"] as const,
        )!;
        this.api.call(`Socket.option(${name})`, "valid", () => socket.option(name));
        break;
      }
      case 1: {
        const name = (this.#chance.percent(50) ? "SO_PRIORITY" : this.#chance.garbage()) as never;
        const value = (this.#chance.percent(50) ? 1 : this.#chance.garbage()) as never;
        this.api.call(
          `Socket.setOption(${show(name)})`,
          "garbage",
          () => socket.setOption(name, value),
        );
        break;
      }
      case 2:
        this.api.call("Socket.localAddress", "valid", () => socket.localAddress);
        this.api.call("Socket.remoteAddress", "valid", () => socket.remoteAddress);
        break;
      case 3:
        if (slice === undefined || socket.protocol !== "udp") return;
        this.api.call(
          "Socket.send()",
          slice.area.closed ? "closed" : "valid",
          () => socket.sendBlocking(slice),
        );
        break;
      case 4:
        if (slice === undefined) return;
        this.api.call(
          "Socket.receive()",
          slice.area.closed ? "closed" : "valid",
          () => socket.tryReceive(slice),
        );
        break;
      case 5:
        this.api.call(
          "Socket.shutdown()",
          "valid",
          () => socket.shutdown(this.#chance.pick(["read", "write"])),
        );
        break;
      case 6: {
        const address = {
          host: this.#chance.pick(["127.0.0.1", "::1", "nowhere", "", "1.2.3.4\0", 5 as never])!,
          port: this.#chance.pick([0, 9, 70000, -1, NaN])!,
        };
        const bind = this.#chance.percent(50);
        this.api.call(`Socket.${bind ? "bind" : "connect"}(${show(address)})`, "garbage", () => {
          if (bind) socket.bind(address);
          else socket.connectBlocking(address, { timeout: 20 });
        });
        break;
      }
      default:
        this.api.call("Socket.listen()", "garbage", () => socket.listen(this.#chance.number()));
    }
  }

  // === Operations whose data does not matter ===

  #junkFile(): { file: Descriptor; socket: Socket | undefined } {
    if (this.#chance.percent(10)) {
      return { file: this.#chance.pick([-1, -(2 ** 31), 2 ** 31 - 1, 1e6])!, socket: undefined };
    }
    const socket = this.#chance.pick(this.#sockets);
    return { file: socket ?? -1, socket };
  }

  #batchOperation(): void {
    const model = this.#chance.pick(this.#rings);
    if (model === undefined) return;
    const { ring } = model;
    const { batch } = ring;
    // A request that is linked finds its file when it starts, which may be another one by then.
    if (model.linked) return this.#nopsOn(model, 1);
    const { file, socket } = this.#junkFile();
    const slice = this.#chance.pick(this.#slices);
    const message = this.#chance.pick(this.#messages);
    const flags = this.#chance.percent(80)
      ? 0
      : this.#chance.pick([MSG.DONTWAIT, MSG.WAITALL, 1, 0x7fff0000])!;
    // Of a slice in flight in an area that was closed either may be said.
    const closing = slice?.area.closed && slice.state === "free" ? "closed" : "valid";
    // Flags are looked at first.
    const withFlags = flags === 0 ? closing : "valid";
    const handler = { file: socket };
    switch (this.#chance.below(17)) {
      case 0:
        if (slice === undefined) return;
        this.#prepare(
          model,
          "send()",
          withFlags,
          (u) => batch.send(file, slice, u, flags),
          handler,
        );
        break;
      case 1:
        if (slice === undefined) return;
        this.#prepare(model, "sendZc()", closing, (u) => batch.sendZc(file, slice, u), handler);
        break;
      case 2:
        if (message === undefined) return;
        this.#prepare(model, "sendMsg()", "valid", (u) => batch.sendMsg(file, message, u), handler);
        break;
      case 3:
        if (message === undefined) return;
        this.#prepare(
          model,
          "sendMsgZc()",
          "valid",
          (u) => batch.sendMsgZc(file, message, u, flags),
          handler,
        );
        break;
      case 4:
        if (message === undefined) return;
        this.#prepare(
          model,
          "sendVectorizedZc()",
          "valid",
          (u) => batch.sendVectorizedZc(file, message, u),
          handler,
        );
        break;
      case 5:
        if (slice === undefined) return;
        this.#prepare(
          model,
          "recv()",
          withFlags,
          (u) => batch.recv(file, slice, u, flags),
          handler,
        );
        break;
      case 6:
        if (message === undefined) return;
        this.#prepare(model, "recvMsg()", "valid", (u) => batch.recvMsg(file, message, u), handler);
        break;
      case 7: {
        if (slice === undefined) return;
        const offset = this.#chance.number();
        this.#prepare(
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
        this.#prepare(model, "write()", closing, (u) => batch.write(file, slice, -1, u), handler);
        break;
      case 9:
      case 10: {
        const complete = (result: number): void => {
          if (result >= 0) this.#acceptJunk(result);
        };
        // Nobody can close what a lost completion accepted, so only what is reaped is accepted.
        const listener = this.#sockets.find((candidate) => candidate === socket);
        if (listener === undefined) return;
        this.#prepare(model, "accept()", "valid", (u) => batch.accept(listener, u), {
          file: socket,
          complete,
          lost: () => this.lostDescriptors++,
        });
        break;
      }
      case 11: {
        const address = { host: "127.0.0.1", port: 9 };
        this.#prepare(model, "connect()", "valid", (u) => batch.connect(file, address, u), handler);
        break;
      }
      case 12: {
        const events = this.#chance.pick([1, 4, 0, -1])!;
        this.#prepare(model, "poll()", "valid", (u) => batch.poll(file, events, u), handler);
        break;
      }
      case 13: {
        const time = this.#chance.percent(80) ? this.#chance.below(5) : this.#chance.number();
        if (time > 1000) {
          this.api.call(`batch.timeout(${time})`, "garbage", () => {
            if (time === Infinity) batch.timeout(time);
          });
          return;
        }
        this.#prepare(model, `timeout(${time})`, "garbage", (u) => batch.timeout(time, u));
        break;
      }
      case 14:
        if (socket !== undefined && this.#chance.percent(30)) {
          this.#prepare(
            model,
            "shutdown()",
            "valid",
            (u) => batch.shutdown(file, this.#chance.pick(["read", "write", "both"] as const)!, u),
          );
        } else {
          this.#prepare(
            model,
            "closeFile()",
            "valid",
            (u) => batch.closeFile(this.#chance.pick([-1, 2 ** 31 - 1])!, u),
          );
        }
        break;
      case 15:
        this.#prepare(model, "cancel()", "valid", (u) => batch.cancel(file, u));
        break;
      default:
        this.#prepare(
          model,
          "socket()",
          "valid",
          (u) =>
            batch.socket(
              this.#chance.pick(["udp", "tcp"] as const)!,
              this.#chance.pick([4, 6] as const)!,
              u,
            ),
          {
            complete: (result) => {
              if (result >= 0) this.#acceptJunk(result);
            },
            lost: () => this.lostDescriptors++,
          },
        );
    }
  }

  #acceptJunk(fd: number): void {
    const socket = adopt(fd, 1, 4);
    if (this.#sockets.length < 12) this.#sockets.push(socket);
    else socket.close();
  }

  #awaitOperation(): void {
    const model = this.#chance.pick(this.#rings);
    if (model === undefined) return;
    const { ring } = model;
    if (model.linked) this.#submitNow(model);
    const { file, socket } = this.#junkFile();
    const slice = this.#chance.pick(this.#slices) ?? this.#chance.pick(this.#areas)?.slice(0, 1);
    const message = this.#chance.pick(this.#messages);
    if (slice === undefined) return;
    const options: { timeout?: number; signal?: AbortSignal } = {};
    if (this.#chance.percent(30)) options.timeout = this.#chance.below(10);
    if (this.#chance.percent(20)) {
      const controller = new AbortController();
      options.signal = controller.signal;
      const abort = (): void => controller.abort(new Deliberate("aborted"));
      if (this.#chance.percent(30)) abort();
      else if (this.#chance.percent(50)) setTimeout(abort, this.#chance.below(5));
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
      ["timeout", () => ring.timeout(this.#chance.below(5), options)],
      ["cancel", () => ring.cancel(file)],
      ["connect", () => ring.connect(file, { host: "127.0.0.1", port: 9 }, options)],
      ["shutdown", () => ring.shutdown(this.#chance.percent(90) ? -1 : file, "write")],
      ["closeFile", () => ring.closeFile(-1)],
      ...(message === undefined ? [] : [
        ["sendMsg", () => ring.sendMsg(file, message, options)],
        ["sendMsgZc", () => ring.sendMsgZc(file, message, options)],
        ["sendVectorized", () => ring.sendVectorized(file, message, options)],
        ["recvMsg", () => ring.recvMsg(file, message, options)],
      ] as const),
    ];
    const [name, run] = this.#chance.pick(operations)!;
    const what = `${model.name}.${name}(${show(options.timeout)})`;
    if (this.#chance.percent(20)) {
      // Nobody awaits it: that must not end the process when it fails.
      this.api.call(`${what}, not awaited`, "garbage", () => {
        run();
      });
      model.unawaited++;
      return;
    }
    const onSocket = this.#chance.percent(15) && socket !== undefined && socket.protocol === "tcp";
    if (onSocket) {
      this.api.start(`${model.name}.accept()`, "valid", model, () => ring.accept(socket, options), {
        file: socket,
        onValue: (accepted) => accepted.close(),
      });
      return;
    }
    const needsMemory = /send|recv|read|write/.test(name);
    const closed = needsMemory && !name.includes("Msg") && !name.includes("Vector") &&
      slice.area.closed && slice.state === "free" && !options.signal?.aborted &&
      (options.timeout === undefined || ring.entries > 1);
    this.api.start(what, closed ? "closed" : "valid", model, run, {
      // With a time limit it must end without being cancelled.
      file: options.timeout === undefined ? socket : undefined,
    });
  }

  /** Calls a method with what it does not take. */
  #garbageCall(): void {
    const model = this.#chance.pick(this.#rings);
    if (model === undefined) return;
    const { ring } = model;
    const { batch } = ring;
    const g = (): never => this.#chance.garbage() as never;
    const socket = this.#chance.pick(this.#sockets);
    const slice = this.#chance.pick(this.#slices);
    const [name, run] = this.#chance.pick<readonly [string, () => unknown]>([
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
      ["batch.timeout(time)", () => batch.timeout(this.#chance.pick([-1, NaN, Infinity])!)],
      ["new Notifier", () => new Notifier(ring, { tag: g() })],
      ["new Notifier(ring)", () => new Notifier(notRing(g()))],
      ["new Message", () => new Message(g())],
      ["new Message(slices)", () => new Message([notSlice(g())])],
      [
        "BufferRing.open",
        () => BufferRing.open(ring, { count: this.#chance.number(), bytes: g() }).close(),
      ],
      ["BufferRing.open(ring)", () => BufferRing.open(notRing(g()), { count: 1, bytes: 1 })],
      ["Socket.udp(place)", () => Socket.udp({ namespace: { fd: -5, userFd: -7 } }).close()],
    ])!;
    const what = `${model.name}.${name} with garbage`;
    const before = [batch.prepared, slice?.state];
    this.api.call(what, "garbage", () => {
      const value = run();
      if (value === batch) throw new PropertyError(`${what} was taken`);
    });
    const after = [batch.prepared, slice?.state];
    // A request may be submitted to make room; it may not be left behind.
    if (
      this.api.failed && (after[0]! as number > (before[0] as number) || after[1] !== before[1])
    ) {
      throw new PropertyError(`${what} threw and left something behind: ${before} -> ${after}`);
    }
    const [awaited, start] = this.#chance.pick<readonly [string, () => Promise<unknown>]>([
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
      ["timeout(time)", () => ring.timeout(this.#chance.pick([-1, NaN, Infinity])!)],
      ["nop(timeout)", () => ring.nop({ timeout: this.#chance.pick([-1, NaN, Infinity])! })],
      ["msgRing(ring)", () => ring.msgRing(notRing(g()), 1, 1)],
      ["recvMultishot()", async () => {
        const stream = ring.recvMultishot(socket ?? g(), g());
        const { value } = await stream.next();
        // What it got after all goes back: a buffer that is held for good stops who waits for it.
        value?.release();
        await stream.return(undefined);
      }],
    ])!;
    this.api.start(`${model.name}.${awaited} with garbage`, "garbage", model, start, {
      file: socket,
    });
  }

  /** Uses what is closed, in ways that would be right if it were open. */
  #useClosed(): void {
    const closed = this.#chance.pick(this.#closedRings);
    const socket = this.#chance.pick(this.#sockets);
    const slice = this.#chance.pick(this.#slices);
    const area = this.#chance.pick(this.#areas);
    if (closed !== undefined && slice !== undefined && area !== undefined && socket !== undefined) {
      const { ring } = closed;
      const { batch } = ring;
      const free = slice.state === "free" && !slice.area.closed;
      const [name, run] = this.#chance.pick<readonly [string, () => unknown]>([
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
      this.api.call(`closed ${closed.name}.${name}()`, "closed", run);
      if (free && slice.state !== "free") throw new PropertyError(`${name} took a slice with it`);
      const [awaited, start] = this.#chance.pick<readonly [string, () => Promise<unknown>]>([
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
      this.api.start(`closed ${closed.name}.${awaited}()`, "closed", closed, start);
    }
    const model = this.#chance.pick(this.#rings);
    if (model !== undefined && socket !== undefined) {
      const what = `${model.name}.closeFile() of a socket`;
      this.api.start(what, "owned", model, () => model.ring.closeFile(socket.fd));
    }
    const gone = this.#chance.pick(this.#closedSockets);
    if (model !== undefined && gone !== undefined && slice !== undefined) {
      const { ring } = model;
      const { batch } = ring;
      const [name, run] = this.#chance.pick<readonly [string, () => unknown]>([
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
      this.api.call(`${name} of a closed socket`, "closed", run);
      this.api.start("send() to a closed socket", "closed", model, () => ring.send(gone, slice));
      if (closed !== undefined) {
        this.api.call(
          "msgRing() to a closed ring",
          "closed",
          () => batch.msgRing(closed.ring, 1, 1),
        );
        this.api.start(
          "msgRing() to a closed ring",
          "closed",
          model,
          () => ring.msgRing(closed.ring, 1, 1),
        );
      }
    }
    const area2 = this.#chance.pick(this.#closedAreas);
    if (area2 === undefined || model === undefined) return;
    this.api.call("Area.slice() after close", "closed", () => area2.slice());
    this.api.call("Area.unsafeBytes() after close", "closed", () => area2.unsafeBytes());
    this.api.call("Ring.register() of a closed area", "closed", () => model.ring.register(area2));
    const buffers = this.#chance.pick(this.#closedBufferRings);
    if (buffers === undefined || socket === undefined) return;
    this.api.call("BufferRing.release() after close", "closed", () => buffers.release(slice!));
    this.api.start(
      "recvMultishot() into closed buffers",
      "closed",
      model,
      () => model.ring.recvMultishot(socket, buffers).next(),
    );
    this.api.call(
      "batch.recvMultishot() into closed buffers",
      "closed",
      () => model.ring.batch.recvMultishot(socket, buffers),
    );
  }

  /** Posts into another ring, or into the same one. */
  #post(): void {
    const [from, to] = [this.#chance.pick(this.#rings), this.#chance.pick(this.#rings)];
    if (from === undefined || to === undefined) return;
    if (from.linked) this.#submitNow(from);
    const userData = this.#nextPost;
    this.#nextPost = userData + 1 > 0xffffffff ? POSTS : userData + 1;
    to.posts.set(userData, 1);
    const confirm = (result: number): void => {
      if (result >= 0) {
        if (to.posts.has(userData)) to.posts.set(userData, 2);
      } else to.posts.delete(userData);
    };
    if (this.#chance.percent(60)) {
      const done = this.#prepare(
        from,
        `msgRing(${to.name}, ${userData})`,
        "valid",
        (u) => from.ring.batch.msgRing(to.ring, userData, userData & 0xffff, u),
        { complete: confirm },
      );
      if (!done) to.posts.delete(userData);
    } else {
      this.api.start(
        `${from.name}.msgRing(${to.name}, ${userData})`,
        "valid",
        from,
        () => from.ring.msgRing(to.ring, userData, userData & 0xffff),
        {
          onValue: () => confirm(0),
          onError: (error) => {
            if (!(error instanceof ClosedError)) to.posts.delete(userData);
          },
        },
      );
      from.linked = false;
    }
  }

  // === Notifiers ===

  #useNotifier(): void {
    const model = this.#chance.pick(this.#rings);
    if (model === undefined) return;
    const mine = this.#notifiers.filter((slot) => slot.model === model);
    if (mine.length < 2) {
      const sequence = this.#chance.pick([0, 0xfffffffe])!;
      const notifier = this.api.call(
        "new Notifier()",
        "ok",
        () => new Notifier(model.ring, { tag: this.#nextChannel, sequence }),
      )!;
      this.#notifiers.push({ notifier, model, sequence, members: [] });
      return;
    }
    const slot = this.#chance.pick(mine)!;
    if (this.#chance.percent(20)) {
      const other = this.#rings.find((candidate) => candidate !== model);
      const [socket, slice] = [this.#chance.pick(this.#sockets), this.#chance.pick(this.#slices)];
      if (other === undefined || socket === undefined || slice === undefined) return;
      this.api.call("sendZc() with a notifier of another ring", "garbage", () => {
        other.ring.batch.sendZc(socket, slice, slot.notifier);
        throw new PropertyError("a notifier of another ring was taken");
      });
      return;
    }
    this.#flush(slot, this.#chance.percent(40));
  }

  /** Flushes a notifier and settles what was attached to it. */
  #flush(slot: NotifierModel, blocking: boolean): void {
    const { notifier, model } = slot;
    const members = slot.members;
    slot.members = [];
    const tag = notifier.tag;
    const sequence = slot.sequence;
    slot.sequence = (sequence + 1) >>> 0;
    model.linked = false;
    const onValue = (notification: Notification): void => {
      const { requests, sent, failed, notified, copied, bytes } = notification;
      const wrong = notification.tag !== tag || notification.sequence !== sequence ||
        requests !== members.length || sent + failed !== requests || notified > requests ||
        (copied !== undefined && copied > sent);
      if (wrong) throw new PropertyError(`${show(notification)} for ${members.length} requests`);
      if (failed === 0 && bytes !== members.reduce((sum, { length }) => sum + length, 0)) {
        throw new PropertyError(`${show(notification)}: not the bytes of its requests`);
      }
      for (const member of members) {
        member.settle(failed === 0 ? member.length : undefined);
        this.#giveBack(member.loan, "its notifier was flushed");
      }
      this.api.count("flushes");
    };
    const onError = (): void => {
      for (const member of members) {
        member.settle(undefined);
        this.#limbo.push({ loan: member.loan, model });
      }
    };
    if (!blocking) {
      const what = `${model.name}: Notifier.flush() of ${members.length}`;
      this.api.start(what, "valid", model, () => notifier.flush(), { onValue, onError });
      return;
    }
    const timeout = this.#chance.pick([undefined, 100, 0])!;
    const notification = this.api.call(
      `${model.name}: Notifier.flushBlocking(${timeout}) of ${members.length}`,
      "valid",
      // A closed window may hold data back for good, so a limit is needed.
      () => notifier.flushBlocking(timeout ?? 200),
    );
    if (notification === undefined) onError();
    else onValue(notification);
  }

  // === Provided buffers ===

  #useBufferRing(): void {
    const held = this.#chance.percent(50) ? this.#held.shift() : undefined;
    if (held !== undefined) {
      this.api.call("release()", held.buffers.closed ? "closed" : "ok", () => held.piece.release());
    }
    const model = this.#chance.pick(this.#rings);
    const entry = this.#chance.pick(this.#bufferRings);
    if (entry === undefined || (this.#bufferRings.length < 3 && this.#chance.percent(40))) {
      if (model === undefined || this.#bufferRings.length >= 3) return;
      const options = {
        count: this.#chance.pick([1, 2, 8, 64])!,
        bytes: this.#chance.pick([64, 1500, 9000])!,
        group: this.#nextGroup++ % 0x10000,
      };
      const buffers = this.api.call(
        `BufferRing.open(${model.name}, ${show(options)})`,
        "valid",
        () => BufferRing.open(model.ring, options),
      );
      if (buffers !== undefined) {
        this.#bufferRings.push({ model, buffers, bytes: options.bytes, busy: false });
      }
      return;
    }
    switch (this.#chance.below(4)) {
      case 0: {
        if (entry.buffers.held > 0) return;
        const flags = this.#chance.pick([0, 0xffff0001, 2])!;
        this.api.call(`BufferRing.take(${flags})`, "garbage", () => entry.buffers.take(flags, 10));
        break;
      }
      case 1: {
        const slice = this.#chance.pick(this.#slices) ?? this.#chance.garbage() as Slice;
        this.api.call("BufferRing.release() of what is not its own", "garbage", () => {
          entry.buffers.release(slice);
          throw new PropertyError("release() took what is not its own");
        });
        break;
      }
      case 2: {
        const other = this.#rings.find((candidate) => candidate !== entry.model);
        const socket = this.#chance.pick(this.#sockets);
        if (other === undefined || socket === undefined) return;
        this.api.call("batch.recvMultishot() into buffers of another ring", "garbage", () => {
          other.ring.batch.recvMultishot(socket, entry.buffers);
          throw new PropertyError("buffers of another ring were taken");
        });
        this.api.start(
          "recvMultishot() into buffers of another ring",
          "garbage",
          other,
          async () => {
            await other.ring.recvMultishot(socket, entry.buffers).next();
            this.api.fail(new PropertyError("buffers of another ring were taken"));
          },
          { file: socket },
        );
        break;
      }
      default:
        if (this.#chance.percent(70)) return;
        this.api.call("BufferRing.close()", "ok", () => entry.buffers.close());
        this.#bufferRings.splice(this.#bufferRings.indexOf(entry), 1);
        keep(this.#closedBufferRings, entry.buffers);
    }
  }

  /** Receives what a channel gets into provided buffers, in the background. */
  #multishot(): void {
    const channel = this.#chance.pick(this.#channels);
    const entry = this.#chance.pick(this.#bufferRings);
    if (channel === undefined || entry === undefined || channel.receiving !== undefined) return;
    if (entry.busy) return;
    // A datagram that does not fit a buffer would lose its end.
    if (channel.kind === "udp" && entry.bytes < 9000) return;
    const { model, buffers } = entry;
    if (model.linked) this.#submitNow(model);
    channel.receiving = model;
    entry.busy = true;
    // Leaving the loop throws away what was received already.
    let pieces = this.#chance.percent(10) ? 1 + this.#chance.below(20) : Infinity;
    const background = async (): Promise<void> => {
      try {
        for await (
          const piece of model.ring.recvMultishot(channel.receiver, buffers)
        ) {
          // They may have been closed since the piece was handed out.
          if (buffers.closed) break;
          this.api.inside(() => {
            channel.receive(piece.slice.bytes);
            if (this.#held.length < 4 && this.#chance.percent(5)) {
              this.#held.push({ buffers, piece });
            } else piece.release();
          });
          if (--pieces > 0) continue;
          channel.whole = false;
          break;
        }
      } catch (error) {
        if (error instanceof UringError || error instanceof ClosedError) throw error;
        this.api.fail(error);
      } finally {
        entry.busy = false;
        // Buffers that were closed under it may have been filled.
        if (buffers.closed) channel.whole = false;
        if (channel.receiving === model) channel.receiving = undefined;
      }
    };
    const what = `${model.name}.recvMultishot() of channel ${channel.id}`;
    this.api.start(what, "valid", model, background, { file: channel.receiver });
    this.api.count("multishot receives");
  }

  // === Channels, whose data counts ===

  async #openChannel(): Promise<void> {
    if (this.#channels.length >= 6) return;
    const bed = this.#chance.pick(this.#beds)!;
    const family = this.#chance.pick([4, 6] as const)!;
    const id = this.#nextChannel++;
    if (this.#chance.percent(50)) {
      const receiver = Socket.udp(bed.far, { family }).bind(bed.far.address(0, family));
      receiver.setOption("SO_RCVBUF", RECEIVE_BUFFER);
      const sender = Socket.udp(bed.near, { family }).bind(bed.near.address(0, family))
        .connect(receiver.localAddress!);
      // The port may have been another's, to whom others still send.
      receiver.connect(sender.localAddress!);
      sender.setOption("SO_SNDBUF", RECEIVE_BUFFER);
      const most = Math.floor(receiver.option("SO_RCVBUF") / DATAGRAM_ROOM);
      this.#channels.push(new DatagramChannel(id, sender, receiver, this.account, most));
      return;
    }
    const model = this.#chance.pick(this.#rings);
    if (model === undefined) return;
    const listener = Socket.tcp(bed.far, { family }).bind(bed.far.address(0, family)).listen();
    const sender = Socket.tcp(bed.near, { family });
    if (this.#chance.percent(50)) {
      // A small window, so that sends have to wait.
      listener.setOption("SO_RCVBUF", 16384);
      sender.setOption("SO_SNDBUF", 8192).setOption("TCP_MAXSEG", 1400);
    }
    if (model.linked) this.#submitNow(model);
    const to = listener.localAddress!;
    model.linked = false;
    if (this.#chance.percent(50)) {
      const connected = this.api.call(
        "Ring.connect()",
        "ok",
        () => model.ring.connect(sender, to),
      )!;
      await within(connected, "Ring.connect()");
    } else this.api.call("Socket.connectBlocking()", "ok", () => sender.connectBlocking(to));
    let receiver: Socket;
    switch (this.#chance.below(3)) {
      case 0: {
        const accepted = this.api.call("Ring.accept()", "ok", () => model.ring.accept(listener))!;
        receiver = await within(accepted, "Ring.accept()");
        break;
      }
      case 1: {
        const stream = model.ring.acceptMultishot(listener);
        const first = this.api.call("Ring.acceptMultishot()", "ok", () => stream.next())!;
        const { value } = await within(first, "Ring.acceptMultishot()");
        if (value === undefined) throw new PropertyError("acceptMultishot() ended");
        receiver = value;
        // Leaving it cancels the request; closing the ring with it does as well.
        await within(stream.return(undefined), "leaving Ring.acceptMultishot()");
        break;
      }
      default: {
        let fd: number | undefined;
        this.#prepare(model, "accept()", "ok", (u) => model.ring.batch.accept(listener, u), {
          complete: (result) => fd = result,
        });
        const deadline = performance.now() + PATIENCE;
        while (fd === undefined && performance.now() < deadline) {
          this.#submitNow(model);
          this.#reapFrom(model, false);
          await this.api.pause();
        }
        this.api.waiting = false;
        if (fd === undefined || fd < 0) throw new PropertyError(`batch.accept() gave ${fd}`);
        receiver = adopt(fd, 1, family);
      }
    }
    listener.close();
    this.#noteSubmitted();
    this.#channels.push(new StreamChannel(id, sender, receiver, this.account));
  }

  async #closeChannel(): Promise<void> {
    const channel = this.#chance.pick(this.#channels);
    if (channel === undefined || this.#chance.percent(50)) return;
    if (this.#chance.percent(80)) {
      await this.#drain(channel);
      if (channel.kind === "tcp" && !channel.dead && this.#chance.percent(50)) {
        this.api.call("Socket.shutdown()", "ok", () => channel.sender.shutdown("write"));
      }
    }
    await this.#tearDown(channel);
  }

  /** Closes both ends of a channel, some with sends and receives prepared and pending on them. */
  async #tearDown(channel: Channel): Promise<void> {
    if (channel.kind === "tcp" && channel.busy > 0 && this.#chance.percent(50)) {
      await this.#shutDown(channel);
    }
    channel.abandon();
    this.#channels = this.#channels.filter((other) => other !== channel);
    const ends = [channel.sender, channel.receiver];
    for (const socket of this.#chance.percent(50) ? ends : ends.reverse()) {
      this.#closeSocketNow(socket);
    }
  }

  /** Shuts a stream down, which ends all that is sent over it. */
  async #shutDown(channel: StreamChannel): Promise<void> {
    channel.ending = true;
    // What is linked and comes last in a submission starts when that is over, perhaps after this.
    for (const model of this.#rings) this.#submitNow(model);
    this.api.call("Socket.shutdown()", "valid", () => channel.sender.shutdown());
    const deadline = performance.now() + PATIENCE;
    while (channel.busy > 0) {
      for (const model of [...this.#rings]) this.#reapFrom(model, false);
      if (performance.now() > deadline) {
        throw new PropertyError(`channel ${channel.id} is shut down, and still sends`);
      }
      await this.api.pause();
    }
    this.api.waiting = false;
  }

  #borrow(lengths: readonly number[]): Loan | undefined {
    if (this.#pools.length < 3) {
      const area = this.api.call("Area.map()", "ok", () => Area.map({ bytes: 512 * 1024 }))!;
      this.#allAreas.push(new WeakRef(area));
      this.#pools.push({ area, free: area.chunks(this.#chance.pick([2048, 8192, 65536])!) });
    }
    const pool = this.#chance.pick(this.#pools)!;
    const fits = pool.free[0] !== undefined && lengths.every((n) => n <= pool.free[0]!.length);
    if (!fits || pool.free.length < lengths.length) return undefined;
    const chunks = pool.free.splice(pool.free.length - lengths.length);
    const slices = chunks.map((chunk, i) => {
      const start = this.#chance.below(chunk.length - lengths[i]! + 1);
      return chunk.slice(start, lengths[i]);
    });
    return { pool, chunks, slices };
  }

  /** Takes memory back of which the kernel says that it has released it; it must be free then. */
  #giveBack(loan: Loan, why: string): void {
    for (const slice of loan.slices) {
      if (slice.state !== "free") throw new PropertyError(`a slice is in flight, though ${why}`);
    }
    this.#takeBack(loan);
  }

  /** Spoils the content at once: who still needs it sends the wrong bytes. */
  #takeBack({ pool, chunks, slices }: Loan): void {
    if (pool.area.closed) return;
    for (const slice of slices) slice.bytes.fill(0xee);
    pool.free.push(...chunks);
  }

  #send(): void {
    // Sometimes the memory goes while the kernel still reads it: what is in flight must arrive.
    if (this.#chance.percent(1) && this.#chance.percent(30)) {
      const pool = this.#chance.pick(this.#pools);
      if (pool !== undefined) {
        this.api.call("Area.close() with sends in flight", "ok", () => pool.area.close());
        this.#pools.splice(this.#pools.indexOf(pool), 1);
      }
    }
    const channel = this.#chance.pick(this.#channels);
    const model = this.#chance.pick(this.#rings);
    if (channel === undefined || model === undefined) return;
    if (channel.outstanding > WINDOW) return;
    if (channel.kind === "udp" && channel.unsettled >= channel.most) return;
    // What hangs on junk may never start.
    if (model.linked) this.#submitNow(model);
    if (channel.kind === "udp") this.#sendDatagram(channel, model);
    else this.#sendStream(channel, model);
  }

  #lengths(channel: Channel): number[] {
    const largest = this.#chance.pick([16, 300, 1400, 8000])!;
    const count = this.#chance.percent(30) ? 1 + this.#chance.below(4) : 1;
    const lengths = [];
    for (let i = 0; i < count; i++) lengths.push(HEADER + this.#chance.below(largest));
    if (channel.kind === "udp" && lengths.reduce((a, b) => a + b) > 8900) return [HEADER];
    return lengths;
  }

  /** Writes content over the slices of a loan. */
  #write(loan: Loan, content: Uint8Array): void {
    let at = 0;
    for (const slice of loan.slices) {
      const part = content.subarray(at, at + slice.length);
      this.api.call("Slice.write()", "ok", () => slice.write(part));
      at += slice.length;
    }
  }

  #sendDatagram(channel: DatagramChannel, model: RingModel): void {
    const loan = this.#borrow(this.#lengths(channel));
    if (loan === undefined) return;
    const length = loan.slices.reduce((sum, slice) => sum + slice.length, 0);
    const { datagram, content } = channel.make(length);
    this.#write(loan, content);
    this.#transmit(channel, model, loan, length, 0, (result, notified) => {
      channel.settle(datagram, result, notified);
    });
  }

  #sendStream(channel: StreamChannel, model: RingModel): void {
    if (channel.dead || channel.busy > 0) return;
    const { entries, batch } = model.ring;
    // A chain must go to the kernel as a whole; single sends may be short.
    const count = this.#chance.percent(30) ? Math.min(entries, 1 + this.#chance.below(6)) : 1;
    if (batch.prepared + count > entries) this.#submitNow(model);
    const batchOnly = count > 1;
    for (let i = 0; i < count; i++) {
      const loan = this.#borrow(this.#lengths(channel));
      if (loan === undefined) break;
      const length = loan.slices.reduce((sum, slice) => sum + slice.length, 0);
      this.#write(loan, channel.make(length));
      const flags = batchOnly ? MSG.WAITALL : this.#chance.pick([0, 0, MSG.WAITALL, MSG.DONTWAIT])!;
      const sent = this.#transmit(
        channel,
        model,
        loan,
        length,
        flags,
        (result, notified) => channel.settle(result, notified),
        batchOnly,
      );
      if (!sent) break;
      if (i === count - 1) return;
      this.api.call(`${model.name}.batch.link()`, "ok", () => batch.link());
    }
    // The last of a chain that was cut short must not be linked to what comes next.
    if (batchOnly) this.#submitNow(model);
  }

  /**
   * Sends a loan over a channel in one of the many ways.
   *
   * @returns Whether a request was made.
   */
  #transmit(
    channel: Channel,
    model: RingModel,
    loan: Loan,
    length: number,
    flags: number,
    settle: (result: number | undefined, notified: boolean) => void,
    batchOnly = false,
  ): boolean {
    const { ring } = model;
    const { batch } = ring;
    const { sender } = channel;
    const one = loan.slices.length === 1;
    const slice = loan.slices[0]!;
    const zeroCopy = this.#chance.percent(60);
    const vectorized = this.#chance.percent(30);
    const message = one && this.#chance.percent(70)
      ? undefined
      : this.api.call("new Message()", "ok", () =>
        new Message(
          loan.slices,
          channel.kind === "udp" && this.#chance.percent(30) ? { to: sender.remoteAddress! } : {},
        ));
    const lost = (): void => {
      settle(undefined, zeroCopy);
      this.#limbo.push({ loan, model });
    };
    const face = batchOnly ? 0 : this.#chance.below(10);
    if (face === 9 && message === undefined && channel.outstanding < 8000) {
      const bytes = this.api.call("Socket.send()", "valid", () => sender.sendBlocking(slice));
      settle(bytes ?? -1, false);
      this.#giveBack(loan, "send(2) copied it");
      return true;
    }
    if (face < 6) {
      // A notifier tells of all of its requests together: for streams only with one in flight.
      const slot = this.#chance.percent(25) && channel.kind === "udp"
        ? this.#notifiers.find((candidate) => candidate.model === model)
        : undefined;
      const run = (target: Notifier | number): unknown => {
        if (message === undefined) {
          return zeroCopy
            ? batch.sendZc(sender, slice, target, flags)
            : batch.send(sender, slice, target, flags);
        }
        if (vectorized) {
          return zeroCopy
            ? batch.sendVectorizedZc(sender, message, target, flags)
            : batch.sendVectorized(sender, message, target, flags);
        }
        return zeroCopy
          ? batch.sendMsgZc(sender, message, target, flags)
          : batch.sendMsg(sender, message, target, flags);
      };
      const what = `send(channel ${channel.id}, ${length}${zeroCopy ? ", zc" : ""})`;
      if (slot !== undefined) {
        this.api.call(
          `${model.name}.batch.${what} with a notifier`,
          "ok",
          () => run(slot.notifier),
        );
        model.linked = false;
        slot.members.push({ loan, length, settle: (result) => settle(result, zeroCopy) });
        this.#probeOwnership(loan);
        return true;
      }
      let settled = false;
      const done = this.#prepare(model, what, "ok", run, {
        file: sender,
        complete: (result, cqeFlags) => {
          if ((cqeFlags & CQE.NOTIF) === 0) {
            settled = true;
            settle(result, zeroCopy);
          }
          if ((cqeFlags & CQE.MORE) === 0) {
            model.early.delete(slice);
            this.#giveBack(loan, "its last completion came");
          } else if (slice.state === "free") model.early.add(slice);
        },
        lost: () => {
          if (!settled) settle(undefined, zeroCopy);
          this.#limbo.push({ loan, model });
        },
      });
      if (done) this.#probeOwnership(loan);
      return done;
    }
    model.linked = false;
    const options = { flags };
    const onError = (error: unknown): void => {
      if (error instanceof UringError) {
        settle(-error.errno, zeroCopy);
        // The notification of a failed send comes later.
        this.#limbo.push({ loan, model });
      } else lost();
    };
    const what = `${model.name}.send(channel ${channel.id}, ${length}${zeroCopy ? ", zc" : ""})`;
    if (zeroCopy) {
      this.api.start(
        what,
        "valid",
        model,
        () =>
          message === undefined
            ? ring.sendZc(sender, slice, options)
            : vectorized
            ? ring.sendVectorizedZc(sender, message, options)
            : ring.sendMsgZc(sender, message, options),
        {
          file: sender,
          onValue: ({ bytes, released }) => {
            settle(bytes, true);
            released.then(
              () => this.api.inside(() => this.#giveBack(loan, "it was released")),
              () => {
                this.#limbo.push({ loan, model });
              },
            );
          },
          onError,
        },
      );
    } else {
      this.api.start(
        what,
        "valid",
        model,
        () =>
          message === undefined
            ? ring.send(sender, slice, options)
            : vectorized
            ? ring.sendVectorized(sender, message, options)
            : ring.sendMsg(sender, message, options),
        {
          file: sender,
          onValue: (bytes) => {
            settle(bytes, false);
            this.#giveBack(loan, "its send completed");
          },
          onError,
        },
      );
    }
    this.#probeOwnership(loan);
    return true;
  }

  /** What is in flight can be neither read nor written, not even in part. */
  #probeOwnership({ slices, chunks, pool }: Loan): void {
    const slice = slices[0]!;
    if (!this.#chance.percent(10) || pool.area.closed || slice.state === "free") return;
    this.api.call("Slice.write() in flight", "owned", () => slice.write(new Uint8Array(1)));
    this.api.call("Slice.bytes of an overlapping slice", "owned", () => chunks[0]!.bytes);
    const part = slice.slice(slice.length - 1);
    this.api.call(
      "Slice.write() of an overlapping slice",
      "owned",
      () => part.write(new Uint8Array(1)),
    );
  }

  // === Receiving ===

  readonly #incoming: Slice[] = [];

  #incomingSlice(): Slice {
    const slice = this.#incoming.pop();
    if (slice !== undefined) return slice;
    const area = this.api.call("Area.map()", "ok", () => Area.map({ bytes: 65536 }))!;
    this.#incomingAreas.push(area);
    return area.slice();
  }

  readonly #incomingAreas: Area[] = [];

  #receive(): void {
    const channel = this.#chance.pick(this.#channels);
    if (channel === undefined || channel.receiving !== undefined) return;
    const model = this.#chance.pick(this.#rings);
    if (model === undefined || this.#chance.percent(50)) {
      this.#receivePlain(channel, 1 + this.#chance.below(20));
      return;
    }
    if (model.linked) this.#submitNow(model);
    const slice = this.#incomingSlice();
    const message = this.#chance.percent(30)
      ? this.api.call("Message.receiver()", "ok", () => Message.receiver([slice]))!
      : undefined;
    channel.receiving = model;
    const got = (result: number): void => {
      channel.receiving = undefined;
      if (result > 0) channel.receive(slice.bytes.subarray(0, result));
      if (channel.kind === "udp" && message?.address?.port === 0) {
        throw new PropertyError("a datagram came from nowhere");
      }
      this.#incoming.push(slice);
    };
    const what = `recv(channel ${channel.id})`;
    if (this.#chance.percent(60)) {
      this.#prepare(
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
    const options = this.#chance.percent(30) ? { timeout: this.#chance.below(5) } : {};
    this.api.start(
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
          else this.#incoming.push(slice);
        },
      },
    );
  }

  #receivePlain(channel: Channel, times: number): void {
    const slice = this.#incomingSlice();
    for (let i = 0; i < times && channel.receiving === undefined; i++) {
      const length = this.api.call(
        `Socket.receive(channel ${channel.id})`,
        "valid",
        () => channel.receiver.tryReceive(slice),
      );
      if (length === undefined || length === 0) break;
      channel.receive(slice.bytes.subarray(0, length));
    }
    this.#incoming.push(slice);
  }

  #receiveEverywhere(): void {
    // A receive that waits for a buffer holds back who sends.
    for (const { buffers, piece } of this.#held.splice(0)) {
      if (!buffers.closed) this.api.call("release()", "ok", () => piece.release());
    }
    for (const channel of this.#channels) {
      if (channel.receiving === undefined) this.#receivePlain(channel, 100);
    }
  }

  async #drainSome(): Promise<void> {
    const channel = this.#chance.pick(this.#channels);
    if (channel !== undefined) await this.#drain(channel);
  }

  /** Reads until everything that was sent has arrived; fails if it does not. */
  async #drain(channel: Channel): Promise<void> {
    const deadline = performance.now() + (channel.kind === "tcp" ? RETRANSMISSION : PATIENCE);
    while (true) {
      const { receiving } = channel;
      if (receiving !== undefined) await this.#stopReceiving(channel, receiving as RingModel);
      for (const model of [...this.#rings]) {
        if (!model.ring.closed) {
          this.#submitNow(model);
          this.#reapFrom(model, false);
        }
      }
      if (channel.receiving === undefined) this.#receivePlain(channel, 100);
      if (this.api.failure !== undefined) throw this.api.failure;
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
      await this.api.pause();
    }
    this.api.waiting = false;
    if (channel.kind === "udp" && drops(channel.receiver) > 0) {
      throw new PropertyError(`channel ${channel.id}: ${drops(channel.receiver)} drops`);
    }
    this.api.count("drains");
  }

  async #stopReceiving(channel: Channel, model: RingModel): Promise<void> {
    const deadline = performance.now() + PATIENCE;
    if (model.linked) this.#submitNow(model);
    for (let looks = 0; channel.receiving !== undefined && !model.ring.closed; looks++) {
      // A receive that was about to start again was not there to be cancelled.
      if (looks % 20 === 0) {
        this.api.start("Ring.cancel()", "ok", model, () => model.ring.cancel(channel.receiver));
      }
      this.#submitNow(model);
      this.#reapFrom(model, false);
      await this.api.pause();
      if (performance.now() > deadline) {
        throw new PropertyError(
          `${model.name}: the receive of channel ${channel.id} was not cancelled: ` +
            show([...model.pending.values(), ...model.awaited].map(({ what }) => what)) +
            show(this.#bufferRings.map(({ buffers }) => buffers)) + show(model.ring),
        );
      }
    }
  }

  // === Looking, and the end ===

  #inspect(): void {
    const things = [
      this.#chance.pick(this.#rings)?.ring,
      this.#chance.pick(this.#closedRings)?.ring,
      this.#chance.pick(this.#areas),
      this.#chance.pick(this.#closedAreas),
      this.#chance.pick(this.#slices),
      this.#chance.pick(this.#sockets),
      this.#chance.pick(this.#closedSockets),
      this.#chance.pick(this.#notifiers)?.notifier,
      this.#chance.pick(this.#messages),
      this.#chance.pick(this.#bufferRings)?.buffers,
    ];
    const thing = this.#chance.pick(things);
    const text = this.api.call("Deno.inspect()", "ok", () => Deno.inspect(thing));
    if (typeof text !== "string") throw new PropertyError("Deno.inspect() gave no text");
    const model = this.#chance.pick(this.#rings);
    if (model === undefined) return;
    this.api.call("getters", "ok", () => {
      const { entries, completionEntries, flags, inFlight } = model.ring;
      if (inFlight < 0 || completionEntries < entries || flags.length > 9) {
        throw new PropertyError(`${model.name}: ${text}`);
      }
    });
  }

  /** Closes everything, and checks that nothing is left. */
  async finish(): Promise<void> {
    for (const channel of [...this.#channels]) await this.#drain(channel);
    for (const model of [...this.#rings]) {
      if (this.#chance.percent(80)) await this.#quiesce(model);
      if (!model.ring.closed) this.#closeNow(model, 1000);
    }
    for (const channel of [...this.#channels]) await this.#tearDown(channel);
    for (const socket of this.#sockets.splice(0)) {
      this.api.call("Socket.close()", "ok", () => socket.close());
    }
    for (const area of [...this.#areas, ...this.#pools.map(({ area }) => area)]) {
      this.api.call("Area.close()", "ok", () => area.close());
    }
    for (const area of this.#incomingAreas) area.close();
    // What closing has settled is told in the next turns.
    const deadline = performance.now() + PATIENCE;
    const unsettled = (): boolean => this.#closedRings.some(({ awaited }) => awaited.size > 0);
    do await this.api.pause(); while (unsettled() && performance.now() < deadline);
    for (const model of this.#closedRings) {
      if (model.awaited.size > 0) {
        const left = [...model.awaited].map(({ what }) => what);
        throw new PropertyError(`${model.name} is closed, and never settled ${show(left)}`);
      }
    }
    const inFlight = this.#allAreas.reduce((sum, area) => sum + (area.deref()?.inFlight ?? 0), 0);
    if (inFlight > 0 && this.left === 0) {
      throw new PropertyError(`${inFlight} slices are in flight after everything was closed`);
    }
    const { sent, verified, abandoned } = this.account;
    if (sent !== verified + abandoned) {
      throw new PropertyError(`sent ${sent}, verified ${verified}, abandoned ${abandoned} bytes`);
    }
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
