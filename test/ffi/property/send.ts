/**
 * Sends over channels, in each of the many ways.
 *
 * @module
 */
import { UringError } from "../../../ffi/kernel/errors.ts";
import { CQE, MSG } from "../../../ffi/kernel/uapi.ts";
import { Message } from "../../../ffi/net/message.ts";
import type { Notifier } from "../../../ffi/ring/notifier.ts";
import type { SendZcResult } from "../../../ffi/ring/operation.ts";
import type { Api } from "./api.ts";
import type { Chance } from "./chance.ts";
import type { Channels } from "./channel.ts";
import type { Loan, Loans } from "./loan.ts";
import type { Notifiers } from "./notifier.ts";
import type { RingModel, Rings } from "./ring.ts";
import { type Channel, type DatagramChannel, HEADER, type StreamChannel } from "./traffic.ts";

/** What a channel may have on its way: far below the receive buffers that it asks for. */
const WINDOW = 512 * 1024;

/** The parts of the world that it works with. */
interface Parts {
  readonly api: Api;
  readonly chance: Chance;
  readonly rings: Rings;
  readonly loans: Loans;
  readonly notifiers: Notifiers;
  readonly channels: Channels;
}

/** Told what became of a send: bytes or -errno, undefined if nobody knows; and whether it was SEND_ZC. */
type Settle = (result: number | undefined, notified: boolean) => void;

/** A send, and how it is to be done. */
interface Transmission {
  readonly what: string;
  readonly channel: Channel;
  readonly model: RingModel;
  readonly loan: Loan;
  readonly length: number;
  readonly flags: number;
  readonly settle: Settle;
  /** What is sent unless it is the one slice of the loan. */
  readonly message: Message | undefined;
  readonly vectorized: boolean;
  readonly zeroCopy: boolean;
}

/** Sends what channels expect. */
export class Sending {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  send(): void {
    const { api, chance, rings, loans, channels } = this.#parts;
    // Sometimes the memory goes while the kernel still reads it: what is in flight must arrive.
    if (chance.percent(1) && chance.percent(30)) {
      const pool = chance.pick(loans.pools);
      if (pool !== undefined) {
        api.call("Area.close() with sends in flight", "ok", () => pool.area.close());
        loans.pools.splice(loans.pools.indexOf(pool), 1);
      }
    }
    const channel = chance.pick(channels.open);
    const model = chance.pick(rings.open);
    if (channel === undefined || model === undefined) return;
    if (channel.outstanding > WINDOW) return;
    if (channel.kind === "udp" && channel.unsettled >= channel.most) return;
    // What hangs on junk may never start.
    if (model.linked) rings.submit(model);
    if (channel.kind === "udp") this.#datagram(channel, model);
    else this.#stream(channel, model);
  }

  #lengths(channel: Channel): number[] {
    const { chance } = this.#parts;
    const largest = chance.pick([16, 300, 1400, 8000])!;
    const count = chance.percent(30) ? 1 + chance.below(4) : 1;
    const lengths = [];
    for (let i = 0; i < count; i++) lengths.push(HEADER + chance.below(largest));
    if (channel.kind === "udp" && lengths.reduce((a, b) => a + b) > 8900) return [HEADER];
    return lengths;
  }

  /** Writes content over the slices of a loan. */
  #write(loan: Loan, content: Uint8Array): void {
    const { api } = this.#parts;
    let at = 0;
    for (const slice of loan.slices) {
      const part = content.subarray(at, at + slice.length);
      api.call("Slice.write()", "ok", () => slice.write(part));
      at += slice.length;
    }
  }

  #datagram(channel: DatagramChannel, model: RingModel): void {
    const { loans } = this.#parts;
    const loan = loans.borrow(this.#lengths(channel));
    if (loan === undefined) return;
    const length = loan.slices.reduce((sum, slice) => sum + slice.length, 0);
    const { datagram, content } = channel.make(length);
    this.#write(loan, content);
    this.#transmit(channel, model, loan, length, 0, (result, notified) => {
      channel.settle(datagram, result, notified);
    });
  }

  #stream(channel: StreamChannel, model: RingModel): void {
    const { api, chance, rings, loans } = this.#parts;
    if (channel.dead || channel.busy > 0) return;
    const { entries, batch } = model.ring;
    // A chain must go to the kernel as a whole; single sends may be short.
    const count = chance.percent(30) ? Math.min(entries, 1 + chance.below(6)) : 1;
    if (batch.prepared + count > entries) rings.submit(model);
    const batchOnly = count > 1;
    for (let i = 0; i < count; i++) {
      const loan = loans.borrow(this.#lengths(channel));
      if (loan === undefined) break;
      const length = loan.slices.reduce((sum, slice) => sum + slice.length, 0);
      this.#write(loan, channel.make(length));
      const flags = batchOnly ? MSG.WAITALL : chance.pick([0, 0, MSG.WAITALL, MSG.DONTWAIT])!;
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
      api.call(`${model.name}.batch.link()`, "ok", () => batch.link());
    }
    // The last of a chain that was cut short must not be linked to what comes next.
    if (batchOnly) rings.submit(model);
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
    settle: Settle,
    batchOnly = false,
  ): boolean {
    const { api, chance, loans } = this.#parts;
    const { sender } = channel;
    const slice = loan.slices[0]!;
    const zeroCopy = chance.percent(60);
    const vectorized = chance.percent(30);
    const message = loan.slices.length === 1 && chance.percent(70)
      ? undefined
      : api.call("new Message()", "ok", () =>
        new Message(
          loan.slices,
          channel.kind === "udp" && chance.percent(30) ? { to: sender.remoteAddress! } : {},
        ));
    const way = batchOnly ? 0 : chance.below(10);
    if (way === 9 && message === undefined && channel.outstanding < 8000) {
      const bytes = api.call("Socket.send()", "valid", () => sender.sendBlocking(slice));
      settle(bytes ?? -1, false);
      loans.giveBack(loan, "send(2) copied it");
      return true;
    }
    const what = `send(channel ${channel.id}, ${length}${zeroCopy ? ", zc" : ""})`;
    const sending = {
      what,
      channel,
      model,
      loan,
      length,
      flags,
      settle,
      message,
      vectorized,
      zeroCopy,
    };
    const done = way < 6 ? this.#prepare(sending) : this.#await(sending);
    if (done) loans.probe(loan);
    return done;
  }

  /** Sends by the batch API. */
  #prepare(sending: Transmission): boolean {
    const { api, chance, rings, loans, notifiers } = this.#parts;
    const { what, channel, model, loan, length, flags, settle, message, zeroCopy } = sending;
    const { batch } = model.ring;
    const { sender } = channel;
    const slice = loan.slices[0]!;
    // A notifier tells of all of its requests together: for streams only with one in flight.
    const slot = chance.percent(25) && channel.kind === "udp"
      ? notifiers.open.find((candidate) => candidate.model === model)
      : undefined;
    const run = (target: Notifier | number): unknown =>
      message === undefined
        ? batch[zeroCopy ? "sendZc" : "send"](sender, slice, target, flags)
        : batch[operationOf(sending)](sender, message, target, flags);
    if (slot !== undefined) {
      api.call(`${model.name}.batch.${what} with a notifier`, "ok", () => run(slot.notifier));
      model.linked = false;
      slot.members.push({ loan, length, settle: (result) => settle(result, zeroCopy) });
      return true;
    }
    let settled = false;
    return rings.prepare(model, what, "ok", run, {
      file: sender,
      complete: (result, cqeFlags) => {
        if ((cqeFlags & CQE.NOTIF) === 0) {
          settled = true;
          settle(result, zeroCopy);
        }
        if ((cqeFlags & CQE.MORE) === 0) {
          model.early.delete(slice);
          loans.giveBack(loan, "its last completion came");
        } else if (slice.state === "free") model.early.add(slice);
      },
      lost: () => {
        if (!settled) settle(undefined, zeroCopy);
        loans.leave(loan, model);
      },
    });
  }

  /** Sends by the promise API. */
  #await(sending: Transmission): boolean {
    const { api, loans } = this.#parts;
    const { channel, model, loan, flags, settle, message, vectorized, zeroCopy } = sending;
    const { ring } = model;
    const { sender: file } = channel;
    const slice = loan.slices[0]!;
    model.linked = false;
    const options = { flags };
    const onError = (error: unknown): void => {
      settle(error instanceof UringError ? -error.errno : undefined, zeroCopy);
      // The notification of a failed send comes later.
      loans.leave(loan, model);
    };
    const what = `${model.name}.${sending.what}`;
    if (zeroCopy) {
      const run = (): Promise<SendZcResult> =>
        message === undefined
          ? ring.sendZc(file, slice, options)
          : ring[vectorized ? "sendVectorizedZc" : "sendMsgZc"](file, message, options);
      const onValue = ({ bytes, released }: SendZcResult): void => {
        settle(bytes, true);
        released.then(() => api.inside(() => loans.giveBack(loan, "it was released")), () => {
          loans.leave(loan, model);
        });
      };
      api.start(what, "valid", model, run, { file, onValue, onError });
    } else {
      const run = (): Promise<number> =>
        message === undefined
          ? ring.send(file, slice, options)
          : ring[vectorized ? "sendVectorized" : "sendMsg"](file, message, options);
      const onValue = (bytes: number): void => {
        settle(bytes, false);
        loans.giveBack(loan, "its send completed");
      };
      api.start(what, "valid", model, run, { file, onValue, onError });
    }
    return true;
  }
}

/** The operation of the batch API that sends a message so. */
function operationOf(
  { vectorized, zeroCopy }: Pick<Transmission, "vectorized" | "zeroCopy">,
): "sendMsg" | "sendMsgZc" | "sendVectorized" | "sendVectorizedZc" {
  return `${vectorized ? "sendVectorized" : "sendMsg"}${zeroCopy ? "Zc" : ""}`;
}
