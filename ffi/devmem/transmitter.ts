/**
 * Sending from a dma-buf.
 *
 * @module
 */
import { ERRNO } from "../kernel/errno.ts";
import {
  ClosedError,
  describeErrno,
  type Explanation,
  OwnershipError,
  UringError,
} from "../kernel/errors.ts";
import { CLOSED, type Fact, showFacts } from "../kernel/inspection.ts";
import { high, low } from "../kernel/memory.ts";
import { native } from "../kernel/native.ts";
import { MSG, POLL } from "../kernel/uapi.ts";
import type { Area, Slice } from "../memory/area.ts";
import { MessageZeroCopy, sendThrough } from "../net/message_zerocopy.ts";
import { Netdev } from "../net/netdev.ts";
import type { Place } from "../net/place.ts";
import type { Socket } from "../net/socket.ts";
import type { Ring } from "../ring/ring.ts";
import { DeviceMemory, requireDmaBuf } from "./binding.ts";

const EAGAIN = -ERRNO.EAGAIN;

/** A dma-buf area, and who shall send from it. */
export interface DeviceMemoryTransmitOptions {
  /** The memory, made by {@linkcode Area.dmaBuf}. */
  readonly area: Area;
  /** The name of the network device. */
  readonly interface: string;
  /** Where the device is: an end of a testbed, say; without it, in the caller's namespace. */
  readonly place?: Place;
}

/** A range of a transmitter's area. */
export interface DeviceMemoryRange {
  /** Where in the area it starts, in bytes. */
  readonly offset: number;
  /** How many bytes it has. */
  readonly length: number;
}

/** What a transmitter has sent. */
export interface DeviceMemoryTransmitCounts {
  /** Sends that succeeded. */
  readonly sent: number;
  /** Bytes in them. */
  readonly bytes: number;
  /** Sends whose memory the kernel has released. */
  readonly notified: number;
  /** Those of them of which the kernel says that it copied their data: none, because it cannot. */
  readonly copied: number;
}

/** How a socket sends from the area. */
interface Sending {
  readonly zeroCopy: MessageZeroCopy;
  readonly send: (slice: Slice) => number;
  readonly trySend: (slice: Slice) => number;
}

/**
 * Sends from an area over TCP sockets whose route leaves through the network device that the area is
 * bound to. Made by {@linkcode DeviceMemoryTransmitter.open}. The kernel cannot copy what is in a
 * dma-buf, so a flow that cannot be sent without copying is not sent at all.
 *
 * Sending is MSG_ZEROCOPY with an offset in place of an address: the memory is in flight until the
 * peer has acknowledged it and {@linkcode reap} has seen the kernel's word.
 */
export class DeviceMemoryTransmitter extends DeviceMemory {
  readonly #sockets = new Map<Socket, Sending>();
  #bytes = 0;
  /** Of sockets that are closed and have nothing in flight. */
  #past = { sent: 0, notified: 0, copied: 0 };

  /**
   * Lets a network device send from an area (6.16).
   *
   * Close it before the device is removed (its driver unloaded, `ip link del`). A namespace that goes
   * away is no danger, because the binding keeps it. But Linux 7.3 forgets to tell a binding for
   * sending that its device is gone, and crashes when that binding is closed afterwards
   * (`netdev_nl_sock_priv_destroy()` in net/core/netdev-genl.c); what is bound for receiving is told.
   *
   * @param options The memory and the device.
   * @throws {TypeError} If the area is no dma-buf.
   * @throws {UringError} If the kernel or the driver refuses; says why, and what to do.
   * @throws {UnsupportedError} If this kernel cannot do it at all.
   * @throws {ClosedError} If the area is closed.
   */
  static open(options: DeviceMemoryTransmitOptions): DeviceMemoryTransmitter {
    const { area, interface: name, place } = options;
    const dmaBufFd = requireDmaBuf(area);
    const netdev = Netdev.open(place);
    try {
      const id = netdev.bindTransmit({ interface: name, dmaBufFd });
      return new DeviceMemoryTransmitter(netdev, id, area, name);
    } catch (error) {
      netdev.close();
      throw error;
    }
  }

  /** Sends whose memory the kernel still has. */
  get outstanding(): number {
    let sum = 0;
    for (const { zeroCopy } of this.#sockets.values()) sum += zeroCopy.outstanding;
    return sum;
  }

  /** What was sent so far. */
  get counts(): DeviceMemoryTransmitCounts {
    const counts = { bytes: this.#bytes, ...this.#past };
    for (const { zeroCopy } of this.#sockets.values()) {
      counts.sent += zeroCopy.counts.sent;
      counts.notified += zeroCopy.counts.notified;
      counts.copied += zeroCopy.counts.copied;
    }
    return counts;
  }

  /**
   * Sends a part of the area. Blocks while the socket's buffer is full.
   *
   * @param socket A connected TCP socket that sends with MSG_ZEROCOPY only through this transmitter.
   * @param part A slice of the area, or where in it the data is.
   * @returns Bytes sent; it may be less than the part.
   * @throws {UringError} If the connection failed, or its route leaves through another device.
   * @throws {TypeError} If the slice is of another area.
   * @throws {RangeError} If the part is empty, or not in the area.
   * @throws {OwnershipError} If the kernel is writing into the part.
   * @throws {ClosedError} After {@linkcode close}, or if the socket or the area is closed.
   */
  sendBlocking(socket: Socket, part: Slice | DeviceMemoryRange): number {
    const sent = this.#sendPart(socket, part, true);
    if (sent < 0) throw this.#refusedSend(sent);
    return sent;
  }

  /**
   * Sends a part of the area, or as much of it as the socket's buffer has room for now.
   *
   * @param socket See {@linkcode sendBlocking}.
   * @param part See {@linkcode sendBlocking}.
   * @returns Bytes sent, or undefined when there is no room.
   * @throws {UringError} See {@linkcode sendBlocking}, and for the others.
   */
  trySend(socket: Socket, part: Slice | DeviceMemoryRange): number | undefined {
    const sent = this.#sendPart(socket, part, false);
    if (sent === EAGAIN) return undefined;
    if (sent < 0) throw this.#refusedSend(sent);
    return sent;
  }

  #sendPart(socket: Socket, part: Slice | DeviceMemoryRange, wait: boolean): number {
    this.#assertOpen();
    const slice = this.#slice(part);
    const sending = this.#sockets.get(socket) ?? this.#add(socket);
    const sent = sendThrough(sending.zeroCopy, slice, wait ? sending.send : sending.trySend);
    if (sent > 0) this.#bytes += sent;
    return sent;
  }

  #slice(part: Slice | DeviceMemoryRange): Slice {
    if (part.length === 0) throw new RangeError("There is nothing to send");
    if (!("area" in part)) return this.area.slice(part.offset, part.length);
    if (part.area !== this.area) throw new TypeError("The slice is of another area");
    if (part.area.closed) throw new ClosedError("Area");
    return part;
  }

  #add(socket: Socket): Sending {
    if (socket.protocol !== "tcp") throw new TypeError("Device memory is sent over TCP");
    const { zclab_send_devmem } = native();
    const through = (flags: number) => ({ offset, length }: Slice): number =>
      zclab_send_devmem(socket.fd, low(offset) >>> 0, high(offset), length, this.id, flags);
    const sending = {
      zeroCopy: new MessageZeroCopy(socket),
      send: through(0),
      trySend: through(MSG.DONTWAIT),
    };
    this.#sockets.set(socket, sending);
    return sending;
  }

  #refusedSend(result: number): UringError {
    return new UringError(
      "sendmsg SCM_DEVMEM_DMABUF",
      -result,
      explainSend(describeErrno(-result)[0], this.interface),
    );
  }

  /**
   * Takes what the error queues of the sockets say now: which memory the kernel has released. Never
   * waits. Sockets that were closed cannot tell any more: what they had in flight stays in flight.
   *
   * @returns How many sends were released.
   * @throws {ClosedError} After {@linkcode close}.
   */
  reap(): number {
    this.#assertOpen();
    return this.#reap();
  }

  #reap(): number {
    let sum = 0;
    for (const [socket, { zeroCopy }] of this.#sockets) {
      if (zeroCopy.outstanding > 0) {
        if (!socket.closed) sum += zeroCopy.reap();
      } else if (socket.closed) {
        const { sent, notified, copied } = zeroCopy.counts;
        this.#past.sent += sent;
        this.#past.notified += notified;
        this.#past.copied += copied;
        this.#sockets.delete(socket);
      }
    }
    return sum;
  }

  /**
   * Waits, without blocking, until the kernel has released all that was sent: until the peers have
   * acknowledged it.
   *
   * @param ring The ring to wait with.
   * @throws {OwnershipError} If a socket was closed before, so that nobody can tell any more.
   * @throws {ClosedError} After {@linkcode close}, or if the ring is closed.
   */
  async drained(ring: Ring): Promise<void> {
    while (true) {
      this.reap();
      const waiting = [...this.#sockets].find(([, { zeroCopy }]) => zeroCopy.outstanding > 0);
      if (waiting === undefined) return;
      const [socket, { zeroCopy }] = waiting;
      if (socket.closed) {
        throw new OwnershipError(
          `The socket was closed with ${zeroCopy.outstanding} sends in flight. ` +
            "Wait for a socket's sends before closing it",
        );
      }
      await ring.poll(socket, POLL.ERR);
    }
  }

  #assertOpen(): void {
    if (this.closed) throw new ClosedError("DeviceMemoryTransmitter");
  }

  /**
   * Looks at the error queues once more and unbinds the area. What is still in flight is sent all
   * the same, and its slices stay in flight. Idempotent.
   */
  override close(): void {
    if (this.closed) return;
    try {
      this.#reap();
    } finally {
      super.close();
    }
  }

  static {
    showFacts(DeviceMemoryTransmitter, (shown) => shown.#facts());
  }

  #facts(): readonly Fact[] {
    if (this.closed) return CLOSED;
    return [
      ["id", this.id],
      ["interface", this.interface, "bare"],
      ["sent", `${this.#bytes} bytes`],
      ["outstanding", this.outstanding],
    ];
  }
}

/** What a refused send means. Source: net_devmem_get_binding() in net/core/devmem.c. */
function explainSend(code: string, name: string): Partial<Explanation> {
  switch (code) {
    case "ENODEV":
      return {
        meaning: `the route to the peer leaves through another device than ${name}`,
        advice:
          `before connecting: socket.setOption("SO_BINDTODEVICE", "${name}"), or change the ` +
          "route; look at: ip route get ADDRESS",
      };
    case "EHOSTUNREACH":
      return { meaning: "no route leads to the peer any more", advice: "look at: ip route" };
    case "EINVAL":
      return {
        meaning: `the binding is gone, or ${name} cannot gather what it sends`,
        advice: `look at: ip link show ${name}; ethtool -K ${name} sg on`,
      };
    case "EFAULT":
      return { meaning: "the part is not in the dma-buf", advice: "report it" };
  }
  return {};
}
