/**
 * Device memory TCP: payload that a network device puts into, or takes out of, a dma-buf, where the
 * kernel never touches it. The dma-buf may be a graphics card's memory; here it is an
 * {@linkcode Area} made by {@linkcode Area.dmaBuf}.
 *
 * Source: https://docs.kernel.org/networking/devmem.html and net/core/devmem.c of Linux 7.3.
 *
 * @module
 */
import type { Area } from "../memory/area.ts";
import type { Netdev } from "../net/netdev.ts";

/**
 * A dma-buf that is bound to a network device: {@linkcode DeviceMemoryReceiver.open} to receive into
 * it, {@linkcode DeviceMemoryTransmitter.open} to send from it. It is bound until it is closed, or
 * the process ends.
 *
 * @example From a dma-buf into a dma-buf, over a device that can
 * ```ts ignore
 * import { Area, DeviceMemoryReceiver, DeviceMemoryTransmitter, Testbed } from "zclab";
 *
 * await using bed = await Testbed.softnic();
 * using target = Area.dmaBuf({ bytes: 8 << 20 });
 * using receiver = DeviceMemoryReceiver.open({
 *   area: target,
 *   interface: bed.far.interface,
 *   queues: [1],
 *   place: bed.far,
 * });
 * using source = Area.dmaBuf({ bytes: 1 << 20 });
 * using transmitter = DeviceMemoryTransmitter.open({
 *   area: source,
 *   interface: bed.near.interface,
 *   place: bed.near,
 * });
 * // With a TCP connection between the two, whose flow is steered to queue 1:
 * //   transmitter.sendBlocking(client, source.slice(0, 4096));
 * //   for (const piece of receiver.tryReceive(server) ?? []) {
 * //     console.log(piece.kind, piece.bytes);
 * //     piece.release();
 * //   }
 * ```
 */
export abstract class DeviceMemory implements Disposable {
  /** The kernel's number for the binding: what `ynl` and {@linkcode Netdev.queues} call `dmabuf`. */
  readonly id: number;
  /** The memory. */
  readonly area: Area;
  /** The name of the network device. */
  readonly interface: string;
  readonly #netdev: Netdev;
  #closed = false;

  /** Made by `open` of the receiver and of the transmitter. @internal */
  protected constructor(netdev: Netdev, id: number, area: Area, name: string) {
    this.#netdev = netdev;
    this.id = id;
    this.area = area;
    this.interface = name;
  }

  /** Whether {@linkcode close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Unbinds the area, by closing the netlink socket that it was bound through. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#netdev.close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * The descriptor of an area that is a dma-buf.
 *
 * @throws {TypeError} If it is none.
 */
export function requireDmaBuf(area: Area): number {
  const { dmaBufFd } = area;
  if (dmaBufFd === undefined) {
    throw new TypeError("The area is no dma-buf. Make it with Area.dmaBuf({ bytes })");
  }
  return dmaBufFd;
}
