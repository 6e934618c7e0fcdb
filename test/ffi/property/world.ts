/**
 * The objects of the property test, and what is done to them: in each step one random thing.
 *
 * @module
 */
import type { Random } from "../../../labs/kit/trials/random.ts";
import type { Testbed } from "../../../labs/kit/testbed/testbed.ts";
import { Api, PATIENCE, PropertyError, show } from "./api.ts";
import { Areas } from "./area.ts";
import { BufferRings } from "./buffer_ring.ts";
import { Chance } from "./chance.ts";
import { Channels } from "./channel.ts";
import { Draining } from "./drain.ts";
import { Loans } from "./loan.ts";
import { Misuse } from "./misuse.ts";
import { Notifiers } from "./notifier.ts";
import { Operations } from "./operation.ts";
import { Posts } from "./post.ts";
import { Receiving } from "./receive.ts";
import { Registrations } from "./registration.ts";
import { Rings, type RingUser } from "./ring.ts";
import { Sending } from "./send.ts";
import { Sockets } from "./socket.ts";

/** See the module's description. Each part takes the others that it works with from here. */
export class World {
  readonly chance: Chance;
  readonly api: Api;
  readonly beds: readonly Testbed[];
  readonly rings: Rings = new Rings(this);
  readonly posts: Posts = new Posts(this);
  readonly areas: Areas = new Areas(this);
  readonly loans: Loans = new Loans(this);
  readonly sockets: Sockets = new Sockets(this);
  readonly registrations: Registrations = new Registrations(this);
  readonly operations: Operations = new Operations(this);
  readonly misuse: Misuse = new Misuse(this);
  readonly notifiers: Notifiers = new Notifiers(this);
  readonly bufferRings: BufferRings = new BufferRings(this);
  readonly channels: Channels = new Channels(this);
  readonly sending: Sending = new Sending(this);
  readonly receiving: Receiving = new Receiving(this);
  readonly draining: Draining = new Draining(this);
  readonly users: readonly RingUser[] = [
    this.notifiers,
    this.loans,
    this.bufferRings,
    this.channels,
    this.receiving,
  ];

  constructor(random: Random, beds: readonly Testbed[], log: (line: string) => void) {
    this.chance = new Chance(random);
    this.api = new Api(log);
    this.beds = beds;
    const { chance, rings, areas, notifiers, bufferRings } = this;
    chance.lists.push(
      () => rings.open.map(({ ring }) => ring),
      () => rings.closed.map(({ ring }) => ring),
      () => areas.open,
      () => areas.closed,
      () => areas.slices,
      () => areas.messages,
      () => notifiers.open.map(({ notifier }) => notifier),
      () => bufferRings.open.map(({ buffers }) => buffers),
    );
  }

  /** Does one random thing: one call or a few. */
  async step(): Promise<void> {
    const { api, chance, channels } = this;
    if (api.failure !== undefined) throw api.failure;
    for (const channel of channels.open.filter(({ whole }) => !whole)) {
      await channels.tearDown(channel);
    }
    const actions: readonly (readonly [weight: number, () => void | Promise<void>])[] = [
      [2, () => this.rings.make()],
      [1, () => this.rings.makeGarbage()],
      [2, () => this.rings.close()],
      [2, () => this.areas.map()],
      [1, () => this.areas.close()],
      [6, () => this.areas.use()],
      [4, () => this.areas.useSlice()],
      [4, () => this.registrations.change()],
      [2, () => this.sockets.make()],
      [1, () => this.sockets.close()],
      [4, () => this.sockets.use()],
      [5, () => this.operations.nops()],
      [8, () => this.rings.reapOne()],
      [4, () => this.rings.submitOne()],
      [3, () => this.rings.wait()],
      [12, () => this.operations.prepare()],
      [8, () => this.operations.await()],
      [10, () => this.misuse.garbage()],
      [3, () => this.misuse.closed()],
      [3, () => this.posts.make()],
      [3, () => this.notifiers.use()],
      [4, () => this.bufferRings.use()],
      [3, () => this.receiving.multishot()],
      [2, () => channels.make()],
      [1, () => this.draining.close()],
      [30, () => this.sending.send()],
      [14, () => this.receiving.receive()],
      [1, () => this.draining.drainOne()],
      [4, () => this.#inspect()],
    ];
    const total = actions.reduce((sum, [weight]) => sum + weight, 0);
    let at = chance.below(total);
    for (const [weight, act] of actions) {
      at -= weight;
      if (at < 0) {
        await act();
        break;
      }
    }
    if (api.failure !== undefined) throw api.failure;
  }

  /** Looks at things, as the REPL does. */
  #inspect(): void {
    const { api, chance, rings, areas, sockets, notifiers, bufferRings } = this;
    const things = [
      chance.pick(rings.open)?.ring,
      chance.pick(rings.closed)?.ring,
      chance.pick(areas.open),
      chance.pick(areas.closed),
      chance.pick(areas.slices),
      chance.pick(sockets.open),
      chance.pick(sockets.closed),
      chance.pick(notifiers.open)?.notifier,
      chance.pick(areas.messages),
      chance.pick(bufferRings.open)?.buffers,
    ];
    const thing = chance.pick(things);
    const text = api.call("Deno.inspect()", "ok", () => Deno.inspect(thing));
    if (typeof text !== "string") throw new PropertyError("Deno.inspect() gave no text");
    const model = chance.pick(rings.open);
    if (model === undefined) return;
    api.call("getters", "ok", () => {
      const { entries, completionEntries, flags, inFlight } = model.ring;
      if (inFlight < 0 || completionEntries < entries || flags.length > 9) {
        throw new PropertyError(`${model.name}: ${text}`);
      }
    });
  }

  /** Closes everything, and checks that nothing is left. */
  async finish(): Promise<void> {
    const { api, chance, rings, areas, loans, sockets, channels, receiving, draining } = this;
    for (const channel of [...channels.open]) await draining.drain(channel);
    for (const model of [...rings.open]) {
      if (chance.percent(80)) await rings.quiesce(model);
      if (!model.ring.closed) rings.closeNow(model, 1000);
    }
    for (const channel of [...channels.open]) await channels.tearDown(channel);
    for (const socket of sockets.open.splice(0)) {
      api.call("Socket.close()", "ok", () => socket.close());
    }
    for (const area of [...areas.open, ...loans.pools.map(({ area }) => area)]) {
      api.call("Area.close()", "ok", () => area.close());
    }
    receiving.close();
    // What closing has settled is told in the next turns.
    const deadline = performance.now() + PATIENCE;
    const unsettled = (): boolean => rings.closed.some(({ awaited }) => awaited.size > 0);
    do await api.pause(); while (unsettled() && performance.now() < deadline);
    for (const model of rings.closed) {
      if (model.awaited.size > 0) {
        const left = [...model.awaited].map(({ what }) => what);
        throw new PropertyError(`${model.name} is closed, and never settled ${show(left)}`);
      }
    }
    const inFlight = areas.all.reduce((sum, area) => sum + (area.deref()?.inFlight ?? 0), 0);
    if (inFlight > 0 && rings.left === 0) {
      throw new PropertyError(`${inFlight} slices are in flight after everything was closed`);
    }
    const { sent, verified, abandoned } = channels.account;
    if (sent !== verified + abandoned) {
      throw new PropertyError(`sent ${sent}, verified ${verified}, abandoned ${abandoned} bytes`);
    }
  }
}
