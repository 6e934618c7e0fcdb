/**
 * Channels, whose data counts.
 *
 * @module
 */
import { adopt, Socket } from "../../../ffi/net/socket.ts";
import type { Testbed } from "../../../labs/kit/testbed/testbed.ts";
import { type Api, PATIENCE, PropertyError, within } from "./api.ts";
import type { Chance } from "./chance.ts";
import type { RingModel, Rings, RingUser } from "./ring.ts";
import type { Sockets } from "./socket.ts";
import { type Account, type Channel, DatagramChannel, StreamChannel } from "./traffic.ts";

/** Not with SO_RCVBUFFORCE, which is for root: what the kernel grants decides what is on its way. */
const RECEIVE_BUFFER = 16 * 1024 * 1024;

/** What one datagram takes of a receive buffer at most: a page for each piece that it came in. */
const DATAGRAM_ROOM = 48 * 1024;

/** The parts of the world that it works with. */
interface Parts {
  readonly api: Api;
  readonly chance: Chance;
  readonly beds: readonly Testbed[];
  readonly rings: Rings;
  readonly sockets: Sockets;
}

/** Connects the two ends of channels, and tears them down. */
export class Channels implements RingUser {
  readonly open: Channel[] = [];
  readonly account: Account = { sent: 0, notified: 0, verified: 0, abandoned: 0 };
  /** The number of the next. */
  next = 1;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async make(): Promise<void> {
    const { api, chance, beds, rings } = this.#parts;
    if (this.open.length >= 6) return;
    const bed = chance.pick(beds)!;
    const family = chance.pick([4, 6] as const)!;
    const id = this.next++;
    if (chance.percent(50)) {
      const receiver = Socket.udp(bed.far, { family }).bind(bed.far.address(0, family));
      receiver.setOption("SO_RCVBUF", RECEIVE_BUFFER);
      const sender = Socket.udp(bed.near, { family }).bind(bed.near.address(0, family))
        .connect(receiver.localAddress!);
      // The port may have been another's, to whom others still send.
      receiver.connect(sender.localAddress!);
      sender.setOption("SO_SNDBUF", RECEIVE_BUFFER);
      const most = Math.floor(receiver.option("SO_RCVBUF") / DATAGRAM_ROOM);
      this.open.push(new DatagramChannel(id, sender, receiver, this.account, most));
      return;
    }
    const model = chance.pick(rings.open);
    if (model === undefined) return;
    const listener = Socket.tcp(bed.far, { family }).bind(bed.far.address(0, family)).listen();
    const sender = Socket.tcp(bed.near, { family });
    if (chance.percent(50)) {
      // A small window, so that sends have to wait.
      listener.setOption("SO_RCVBUF", 16384);
      sender.setOption("SO_SNDBUF", 8192).setOption("TCP_MAXSEG", 1400);
    }
    if (model.linked) rings.submit(model);
    const to = listener.localAddress!;
    model.linked = false;
    if (chance.percent(50)) {
      const connected = api.call("Ring.connect()", "ok", () => model.ring.connect(sender, to))!;
      await within(connected, "Ring.connect()");
    } else api.call("Socket.connectBlocking()", "ok", () => sender.connectBlocking(to));
    let receiver: Socket;
    switch (chance.below(3)) {
      case 0: {
        const accepted = api.call("Ring.accept()", "ok", () => model.ring.accept(listener))!;
        receiver = await within(accepted, "Ring.accept()");
        break;
      }
      case 1: {
        const stream = model.ring.acceptMultishot(listener);
        const first = api.call("Ring.acceptMultishot()", "ok", () => stream.next())!;
        const { value } = await within(first, "Ring.acceptMultishot()");
        if (value === undefined) throw new PropertyError("acceptMultishot() ended");
        receiver = value;
        // Leaving it cancels the request; closing the ring with it does as well.
        await within(stream.return(undefined), "leaving Ring.acceptMultishot()");
        break;
      }
      default: {
        let fd: number | undefined;
        rings.prepare(model, "accept()", "ok", (u) => model.ring.batch.accept(listener, u), {
          complete: (result) => fd = result,
        });
        const deadline = performance.now() + PATIENCE;
        while (fd === undefined && performance.now() < deadline) {
          rings.submit(model);
          rings.reap(model, false);
          await api.pause();
        }
        api.waiting = false;
        if (fd === undefined || fd < 0) throw new PropertyError(`batch.accept() gave ${fd}`);
        receiver = adopt(fd, 1, family);
      }
    }
    listener.close();
    rings.noteSubmitted();
    this.open.push(new StreamChannel(id, sender, receiver, this.account));
  }

  ringClosed(model: RingModel): void {
    for (const channel of this.open) {
      if (channel.receiving === model) {
        // It may have taken data with it.
        channel.receiving = undefined;
        channel.whole = false;
      }
    }
  }

  /** Closes both ends of a channel, some with sends and receives prepared and pending on them. */
  async tearDown(channel: Channel): Promise<void> {
    const { chance, sockets } = this.#parts;
    if (channel.kind === "tcp" && channel.busy > 0 && chance.percent(50)) {
      await this.#shutDown(channel);
    }
    channel.abandon();
    const at = this.open.indexOf(channel);
    if (at >= 0) this.open.splice(at, 1);
    const ends = [channel.sender, channel.receiver];
    for (const socket of chance.percent(50) ? ends : ends.reverse()) sockets.closeNow(socket);
  }

  /** Shuts a stream down, which ends all that is sent over it. */
  async #shutDown(channel: StreamChannel): Promise<void> {
    const { api, rings } = this.#parts;
    channel.ending = true;
    // What is linked and comes last in a submission starts when that is over, perhaps after this.
    for (const model of rings.open) rings.submit(model);
    api.call("Socket.shutdown()", "valid", () => channel.sender.shutdown());
    const deadline = performance.now() + PATIENCE;
    while (channel.busy > 0) {
      for (const model of [...rings.open]) rings.reap(model, false);
      if (performance.now() > deadline) {
        throw new PropertyError(`channel ${channel.id} is shut down, and still sends`);
      }
      await api.pause();
    }
    api.waiting = false;
  }
}
