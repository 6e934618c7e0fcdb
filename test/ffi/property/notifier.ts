/**
 * Notifiers, and the requests that are attached to each.
 *
 * @module
 */
import type { Notification } from "../../../ffi/ring/notification.ts";
import { Notifier } from "../../../ffi/ring/notifier.ts";
import { type Api, PropertyError, show } from "./api.ts";
import type { Areas } from "./area.ts";
import type { Chance } from "./chance.ts";
import type { Channels } from "./channel.ts";
import type { Loan, Loans } from "./loan.ts";
import type { RingModel, Rings, RingUser } from "./ring.ts";
import type { Sockets } from "./socket.ts";

/** A notifier and what is attached to it. */
export interface NotifierModel {
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

/** Makes notifiers, and flushes them. */
export class Notifiers implements RingUser {
  readonly open: NotifierModel[] = [];
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  use(): void {
    const { api, chance, rings, areas, sockets, channels } = this.#parts;
    const model = chance.pick(rings.open);
    if (model === undefined) return;
    const mine = this.open.filter((slot) => slot.model === model);
    if (mine.length < 2) {
      const sequence = chance.pick([0, 0xfffffffe])!;
      const notifier = api.call(
        "new Notifier()",
        "ok",
        () => new Notifier(model.ring, { tag: channels.next, sequence }),
      )!;
      this.open.push({ notifier, model, sequence, members: [] });
      return;
    }
    const slot = chance.pick(mine)!;
    if (chance.percent(20)) {
      const other = rings.open.find((candidate) => candidate !== model);
      const [socket, slice] = [chance.pick(sockets.open), chance.pick(areas.slices)];
      if (other === undefined || socket === undefined || slice === undefined) return;
      api.call("sendZc() with a notifier of another ring", "garbage", () => {
        other.ring.batch.sendZc(socket, slice, slot.notifier);
        throw new PropertyError("a notifier of another ring was taken");
      });
      return;
    }
    this.flush(slot, chance.percent(40));
  }

  expects(model: RingModel): boolean {
    return this.open.some((slot) => slot.model === model && slot.members.length > 0);
  }

  help(model: RingModel): void {
    for (const slot of this.open) {
      if (slot.model === model && slot.members.length > 0) this.flush(slot, false);
    }
  }

  ringClosed(model: RingModel): void {
    const { loans } = this.#parts;
    for (const slot of this.open.filter((slot) => slot.model === model)) {
      this.open.splice(this.open.indexOf(slot), 1);
      for (const member of slot.members) {
        member.settle(undefined);
        loans.leave(member.loan, model);
      }
      slot.members = [];
    }
  }

  /** Flushes a notifier and settles what was attached to it. */
  flush(slot: NotifierModel, blocking: boolean): void {
    const { api, chance, loans } = this.#parts;
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
        loans.giveBack(member.loan, "its notifier was flushed");
      }
      api.count("flushes");
    };
    const onError = (): void => {
      for (const member of members) {
        member.settle(undefined);
        loans.leave(member.loan, model);
      }
    };
    if (!blocking) {
      const what = `${model.name}: Notifier.flush() of ${members.length}`;
      api.start(what, "valid", model, () => notifier.flush(), { onValue, onError });
      return;
    }
    const timeout = chance.pick([undefined, 100, 0])!;
    const notification = api.call(
      `${model.name}: Notifier.flushBlocking(${timeout}) of ${members.length}`,
      "valid",
      // A closed window may hold data back for good, so a limit is needed.
      () => notifier.flushBlocking(timeout ?? 200),
    );
    if (notification === undefined) onError();
    else onValue(notification);
  }
}
