/**
 * The kernel's netdev family: which queues a network device has and who provides their memory, its
 * page pools, and the binding of a dma-buf to a device.
 *
 * @see https://docs.kernel.org/networking/netlink_spec/netdev.html
 *
 * @module
 */
import {
  ClosedError,
  type Explanation,
  kernelIsAtLeast,
  UnsupportedError,
  unwrap,
} from "../kernel/errors.ts";
import { CLOSED, type Fact, showFacts } from "../kernel/inspection.ts";
import { native } from "../kernel/native.ts";
import { type Attribute, attribute, type Attributes } from "./netlink/attributes.ts";
import { GenericNetlink, type NetlinkFamily } from "./netlink/generic.ts";
import type { Place } from "./place.ts";

const PAGE_POOL = {
  ID: 1,
  IFINDEX: 2,
  NAPI_ID: 3,
  INFLIGHT: 4,
  INFLIGHT_MEM: 5,
  DETACH_TIME: 6,
  DMABUF: 7,
  IO_URING: 8,
} as const;

const QUEUE = { ID: 1, IFINDEX: 2, TYPE: 3, NAPI_ID: 4, DMABUF: 5, IO_URING: 6, XSK: 7 } as const;

const DMABUF = { IFINDEX: 1, QUEUES: 2, FD: 3, ID: 4, RX_PAGE_SIZE: 5 } as const;

/** `NETDEV_CMD_*`, and the kernel version that brought each. */
const COMMAND = {
  PAGE_POOL_GET: [5, "6.8"],
  QUEUE_GET: [10, "6.8"],
  BIND_RX: [13, "6.12"],
  BIND_TX: [15, "6.16"],
} as const;

/** `NETDEV_QUEUE_TYPE_*` */
const QUEUE_TYPES = ["rx", "tx"] as const;

/** Who provides the memory of a queue or a page pool: the kernel itself, or somebody's binding. */
export type MemoryProvider = "kernel" | "dma-buf" | "io_uring" | "AF_XDP";

/** A queue of a network device. */
export interface NetdevQueue {
  /** Its number, from 0, among those of its type. */
  readonly id: number;
  /** Whether it receives or sends. */
  readonly type: "rx" | "tx";
  /** The NAPI context that serves it, or undefined while it has none. */
  readonly napiId: number | undefined;
  /** Who provides its memory. */
  readonly provider: MemoryProvider;
  /** The id of the dma-buf that is bound to it, or undefined. */
  readonly dmaBufId: number | undefined;
}

/** A page pool: where a queue of a network device takes its memory from. */
export interface PagePool {
  /** Its number in this kernel. */
  readonly id: number;
  /** The index of its network device, or undefined once that is gone. */
  readonly interfaceIndex: number | undefined;
  /** The NAPI context that it belongs to, or undefined. */
  readonly napiId: number | undefined;
  /** Buffers that are out of the pool: with the driver, the network stack or a receiver; or cached. */
  readonly inFlight: number;
  /** The same in bytes. */
  readonly inFlightBytes: number;
  /**
   * Since how many seconds it waits for its last buffers, its queue being gone; undefined while the
   * queue uses it.
   */
  readonly detachedSeconds: number | undefined;
  /** Who provides its memory. */
  readonly provider: MemoryProvider;
  /** The id of the dma-buf that provides it, or undefined. */
  readonly dmaBufId: number | undefined;
}

/** A dma-buf, and the queues that shall receive into it. */
export interface BindReceive {
  /** The name of the network device. */
  readonly interface: string;
  /** The numbers of its receive queues. */
  readonly queues: readonly number[];
  /** File descriptor of the dma-buf. */
  readonly dmaBufFd: number;
  /**
   * Bytes of each buffer: a power of two, from a page on (7.3).
   *
   * @default {a page}
   */
  readonly pageSize?: number;
}

/** A dma-buf, and the network device that shall send from it. */
export interface BindTransmit {
  /** The name of the network device. */
  readonly interface: string;
  /** File descriptor of the dma-buf. */
  readonly dmaBufFd: number;
}

/**
 * Asks the kernel about network devices, and binds dma-bufs to them. What it binds stays bound until
 * it is closed, or the process ends.
 *
 * @example A veth device has queues, and the kernel provides their memory
 * ```ts
 * import { Netdev, Testbed } from "zclab";
 * import { assertEquals } from "@std/assert";
 *
 * await using bed = await Testbed.pair();
 * using netdev = Netdev.open(bed.near);
 * const [queue] = netdev.queues(bed.near.interface);
 * assertEquals(queue?.provider, "kernel");
 * ```
 */
export class Netdev implements Disposable {
  readonly #netlink: GenericNetlink;
  readonly #family: NetlinkFamily;

  private constructor(netlink: GenericNetlink, family: NetlinkFamily) {
    this.#netlink = netlink;
    this.#family = family;
  }

  /**
   * Opens a netlink socket.
   *
   * @param place The namespace whose devices are meant: an end of a testbed, say; without it, this
   *   one.
   * @throws {UnsupportedError} If the kernel lacks the family (6.3).
   * @throws {UringError} If the kernel refuses.
   */
  static open(place: Place = {}): Netdev {
    const netlink = GenericNetlink.open(place);
    try {
      return new Netdev(netlink, netlink.family("netdev", "6.3"));
    } catch (error) {
      netlink.close();
      throw error;
    }
  }

  /** Whether {@linkcode close} was called. */
  get closed(): boolean {
    return this.#netlink.closed;
  }

  /**
   * The index of a network device.
   *
   * @param name Its name.
   * @throws {UringError} ENODEV, if the namespace has no device of that name.
   * @throws {ClosedError} After {@linkcode close}.
   */
  interfaceIndex(name: string): number {
    const text = new TextEncoder().encode(`${name}\0`);
    const { fd } = this.#open();
    return unwrap(
      `SIOCGIFINDEX ${name}`,
      native().zclab_interface_index(fd, text.buffer),
    );
  }

  /**
   * The queues of a network device, those that receive first (6.8).
   *
   * @param name The name of the device.
   * @returns The queues; none of a device that is down.
   * @throws {UringError} ENODEV, if the namespace has no device of that name.
   * @throws {UnsupportedError} If this kernel cannot tell.
   * @throws {ClosedError} After {@linkcode close}.
   */
  queues(name: string): NetdevQueue[] {
    const index = this.interfaceIndex(name);
    const replies = this.#request("QUEUE_GET", [attribute.u32(QUEUE.IFINDEX, index)], {
      dump: true,
    });
    return replies.map((reply) => ({
      id: reply.number(QUEUE.ID)!,
      type: QUEUE_TYPES[reply.number(QUEUE.TYPE)!]!,
      napiId: reply.number(QUEUE.NAPI_ID),
      provider: providerOf(reply, QUEUE.DMABUF, QUEUE.IO_URING, QUEUE.XSK),
      dmaBufId: reply.number(QUEUE.DMABUF),
    }));
  }

  /**
   * The page pools of this namespace's devices (6.8, with CONFIG_PAGE_POOL). A pool that is
   * detached and has buffers in flight belonged to a queue that is gone while somebody still has
   * them: buffers of receivers, or packets that wait on a processor for its next interrupt.
   *
   * @param name Only those of the device of this name.
   * @throws {UringError} ENODEV, if the namespace has no device of that name.
   * @throws {UnsupportedError} If this kernel cannot tell.
   * @throws {ClosedError} After {@linkcode close}.
   */
  pagePools(name?: string): PagePool[] {
    const index = name === undefined ? undefined : this.interfaceIndex(name);
    return this.#request("PAGE_POOL_GET", [], { dump: true }).map((reply) => ({
      id: reply.number(PAGE_POOL.ID)!,
      interfaceIndex: reply.number(PAGE_POOL.IFINDEX),
      napiId: reply.number(PAGE_POOL.NAPI_ID),
      inFlight: reply.number(PAGE_POOL.INFLIGHT) ?? 0,
      inFlightBytes: reply.number(PAGE_POOL.INFLIGHT_MEM) ?? 0,
      detachedSeconds: reply.number(PAGE_POOL.DETACH_TIME),
      provider: providerOf(reply, PAGE_POOL.DMABUF, PAGE_POOL.IO_URING),
      dmaBufId: reply.number(PAGE_POOL.DMABUF),
    })).filter((pool) => index === undefined || pool.interfaceIndex === index);
  }

  /**
   * Makes queues receive into a dma-buf (6.12). Needs CAP_NET_ADMIN: in Linux 7.3 in the user
   * namespace that owns the network namespace, in 6.18 in the machine's own.
   *
   * @returns The id of the binding.
   * @throws {UringError} If the kernel or the driver refuses; says why, and what to do.
   * @throws {UnsupportedError} If this kernel cannot do it at all.
   * @throws {ClosedError} After {@linkcode close}.
   */
  bindReceive(binding: BindReceive): number {
    this.#assertKnown("BIND_RX");
    const { interface: name, queues, dmaBufFd, pageSize } = binding;
    const attributes = [
      attribute.u32(DMABUF.IFINDEX, this.interfaceIndex(name)),
      attribute.u32(DMABUF.FD, dmaBufFd),
      ...queues.map((id) =>
        attribute.nest(DMABUF.QUEUES, [
          attribute.u32(QUEUE.ID, id),
          attribute.u32(QUEUE.TYPE, QUEUE_TYPES.indexOf("rx")),
        ])
      ),
    ];
    if (pageSize !== undefined) attributes.push(attribute.u32(DMABUF.RX_PAGE_SIZE, pageSize));
    const [reply] = this.#request("BIND_RX", attributes, {
      explain: (code, said) => explainReceive(binding, code, said),
    });
    return reply!.number(DMABUF.ID)!;
  }

  /**
   * Lets a network device send from a dma-buf (6.16).
   *
   * @returns The id of the binding.
   * @throws {UringError} If the kernel or the driver refuses; says why, and what to do.
   * @throws {UnsupportedError} If this kernel cannot do it at all.
   * @throws {ClosedError} After {@linkcode close}.
   */
  bindTransmit(binding: BindTransmit): number {
    this.#assertKnown("BIND_TX");
    const [reply] = this.#request("BIND_TX", [
      attribute.u32(DMABUF.IFINDEX, this.interfaceIndex(binding.interface)),
      attribute.u32(DMABUF.FD, binding.dmaBufFd),
    ], { explain: (code) => explainTransmit(binding, code) });
    return reply!.number(DMABUF.ID)!;
  }

  /** Closes the netlink socket; what was bound through it is unbound. Idempotent. */
  close(): void {
    this.#netlink.close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  static {
    showFacts(Netdev, (shown) => shown.#facts());
  }

  #facts(): readonly Fact[] {
    return this.closed ? CLOSED : [["fd", this.#netlink.fd]];
  }

  #open(): GenericNetlink {
    if (this.closed) throw new ClosedError("Netdev");
    return this.#netlink;
  }

  /** A kernel that does not know a command says the same of it as a driver that cannot do it. */
  #assertKnown(command: keyof typeof COMMAND): void {
    const [number, since] = COMMAND[command];
    if (this.#open() && this.#family.commands.has(number)) return;
    throw new UnsupportedError(`NETDEV_CMD_${command}`, {
      ...(kernelIsAtLeast(since) ? {} : { since }),
      ...(command === "PAGE_POOL_GET"
        ? { advice: "It needs a kernel with CONFIG_PAGE_POOL" }
        : { remedy: "guest" }),
    });
  }

  #request(
    command: keyof typeof COMMAND,
    attributes: readonly Attribute[],
    options: {
      readonly dump?: boolean;
      readonly explain?: (
        code: string,
        said: string | undefined,
      ) => Partial<Explanation> | undefined;
    },
  ): Attributes[] {
    this.#assertKnown(command);
    return this.#open().request(this.#family, {
      operation: `NETDEV_CMD_${command}`,
      command: COMMAND[command][0],
      attributes,
      ...options,
    });
  }
}

function providerOf(
  reply: Attributes,
  dmaBuf: number,
  ioUring: number,
  xdp?: number,
): MemoryProvider {
  if (reply.has(dmaBuf)) return "dma-buf";
  if (reply.has(ioUring)) return "io_uring";
  return xdp !== undefined && reply.has(xdp) ? "AF_XDP" : "kernel";
}

const NO_CAPABILITY: Explanation = {
  meaning: "CAP_NET_ADMIN is needed, in Linux 7.3 in the user namespace that owns the network " +
    "namespace, in 6.18 in the machine's own",
  advice: "run as root",
};

const NO_DMA_BUF: Partial<Explanation> = {
  meaning: "the file descriptor is not that of a dma-buf",
  advice: "take Area.dmaBuf({ bytes }).dmaBufFd",
};

/** What a refused NETDEV_CMD_BIND_RX means. Source: net/core/netdev_rx_queue.c, net/core/devmem.c. */
function explainReceive(
  { interface: name, queues }: BindReceive,
  code: string,
  said: string | undefined,
): Partial<Explanation> | undefined {
  const which = `queue ${queues.join(", ")} of ${name}`;
  switch (code) {
    case "EPERM":
      return NO_CAPABILITY;
    case "ENODEV":
      return { meaning: `${name} is gone`, advice: "look at: ip link" };
    case "EBADF":
      return NO_DMA_BUF;
    case "EINVAL":
      if (said?.includes("tcp-data-split")) {
        return {
          meaning: `${name} does not split headers from data`,
          advice: `ethtool -G ${name} tcp-data-split on (it must be on: auto is not enough)`,
        };
      }
      if (said?.includes("hds-thresh")) {
        return {
          meaning: `${name} leaves small packets unsplit`,
          advice: `ethtool -G ${name} hds-thresh 0`,
        };
      }
      if (said?.includes("aligned")) {
        return {
          meaning: "the dma-buf's memory is not contiguous enough for buffers of that size",
          advice: 'take Area.dmaBuf({ bytes, hugePages: "2MiB" })',
        };
      }
      if (said === undefined) return NO_DMA_BUF;
      return {
        meaning: `${which}: no such queue, or a value is wrong`,
        advice: `look at: ethtool -l ${name}`,
      };
    case "ERANGE":
      return { meaning: `${which}: no such queue`, advice: `look at: ethtool -l ${name}` };
    case "EEXIST":
      return said?.includes("XDP") ? { advice: `ip link set ${name} xdp off` } : {
        meaning: `${which}: somebody else's memory is bound to it`,
        advice: "take another queue, or end who has it (Netdev.queues tells what it is)",
      };
    case "EBUSY":
      return { meaning: `${which}: used by AF_XDP, or leased`, advice: "take another queue" };
    case "E2BIG":
      return {
        meaning: `the driver of ${name} takes larger buffers than a page`,
        advice: "lower its buffer size, or give pageSize (Linux 7.3)",
      };
    case "ENODATA":
      return {
        meaning: `the driver of ${name} did not take its buffers from the dma-buf`,
        advice: "use another driver: this one cannot do it for that queue",
      };
    case "ENOMEM":
      return {
        meaning: "out of memory, or the dma-buf is smaller than what the driver posts in advance",
        advice: `take a larger Area.dmaBuf, or post less: ethtool -G ${name} rx 256`,
      };
    case "EOPNOTSUPP":
      return {
        meaning:
          `the driver of ${name} cannot give a queue other memory, its device does no DMA, ` +
          "or the kernel has no CONFIG_NET_DEVMEM",
        advice: "use a NIC that can (bnxt, gve, mlx5, fbnic), or softnic, which zclab's guest has",
        remedy: "guest",
      };
  }
  return undefined;
}

/** What a refused NETDEV_CMD_BIND_TX means. Source: net/core/netdev-genl.c, net/core/devmem.c. */
function explainTransmit(
  { interface: name }: BindTransmit,
  code: string,
): Partial<Explanation> | undefined {
  switch (code) {
    case "EPERM":
      return NO_CAPABILITY;
    case "ENODEV":
      return { meaning: `${name} is gone`, advice: "look at: ip link" };
    case "EBADF":
    case "EINVAL":
      return NO_DMA_BUF;
    case "EOPNOTSUPP":
      return {
        meaning:
          `the driver of ${name} cannot send from a dma-buf, its device does no DMA, or the ` +
          "kernel has no CONFIG_NET_DEVMEM",
        advice: "use a NIC that can, or softnic, which zclab's guest has",
        remedy: "guest",
      };
  }
  return undefined;
}
