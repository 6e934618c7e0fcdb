/**
 * What a network device says of itself that decides whether one of its queues can take a program's
 * memory.
 *
 * @module
 */
import { UnsupportedError, UringError } from "../kernel/errors.ts";
import { type MemoryProvider, Netdev } from "./netdev.ts";
import { attribute, Attributes } from "./netlink/attributes.ts";
import { GenericNetlink } from "./netlink/generic.ts";
import { NETLINK, NetlinkSocket } from "./netlink/socket.ts";
import type { Place } from "./place.ts";

const ETHTOOL_MSG = { RINGS_GET: 15, CHANNELS_GET: 17 } as const;
const ETHTOOL_A_HEADER = 1;
const ETHTOOL_A_HEADER_DEV_INDEX = 1;
const ETHTOOL_A_RINGS = { TCP_DATA_SPLIT: 11, HDS_THRESH: 17 } as const;
const ETHTOOL_A_CHANNELS = { RX_COUNT: 6, COMBINED_COUNT: 9 } as const;
const DATA_SPLIT = ["auto", "off", "on"] as const;
const RTM_GETLINK = 18;
const IFINFOMSG_BYTES = 16;
const IFLA_IFNAME = 3;
const IFLA_XDP = 43;
const IFLA_XDP_ATTACHED = 2;
const IFF_UP = 1;

/** A queue of a network device. */
export interface QueueAddress {
  /** The namespace of the device. */
  readonly place: Place;
  /** The name of the device, or what stands for it where only its index is known. */
  readonly name: string;
  /** Its index in that namespace. */
  readonly index: number;
  /** The number of the receive queue, from 0. */
  readonly queue: number;
}

/** What is known of a queue; undefined is what the device or the kernel does not tell. */
export interface QueueFacts {
  /** How many receive queues the device uses. */
  readonly queues: number | undefined;
  /** Who provides the queue's memory now. */
  readonly provider: MemoryProvider | undefined;
  /** Whether the device puts headers elsewhere than data. `auto` is not enough for a receiver. */
  readonly dataSplit: (typeof DATA_SPLIT)[number] | undefined;
  /** Bytes up to which a packet is not split. */
  readonly splitThreshold: number | undefined;
  /** Whether an XDP program is attached. */
  readonly xdp: boolean | undefined;
  /** Whether the device is up. */
  readonly up: boolean | undefined;
}

/** Asks; what cannot be asked here is not known. */
function known<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    // The device or the kernel does not know the question: that is an answer too.
    if (error instanceof UringError || error instanceof UnsupportedError) return undefined;
    throw error;
  }
}

/** Asks a network device about one of its queues. What cannot be found out is undefined. */
export function queueFacts(address: QueueAddress): QueueFacts {
  const rings = known(() => ethtool(address, ETHTOOL_MSG.RINGS_GET));
  const channels = known(() => ethtool(address, ETHTOOL_MSG.CHANNELS_GET));
  const link = known(() => linkFacts(address));
  const receiving = known(() => {
    using netdev = Netdev.open(address.place);
    return netdev.queues(address.name).filter(({ type }) => type === "rx");
  });
  const counted = channels === undefined
    ? undefined
    : (channels.number(ETHTOOL_A_CHANNELS.RX_COUNT) ?? 0) +
      (channels.number(ETHTOOL_A_CHANNELS.COMBINED_COUNT) ?? 0);
  const listed = receiving === undefined || receiving.length === 0 ? undefined : receiving.length;
  return {
    queues: listed ?? (counted === 0 ? undefined : counted),
    provider: receiving?.find(({ id }) => id === address.queue)?.provider,
    dataSplit: rings === undefined
      ? undefined
      : DATA_SPLIT[rings.number(ETHTOOL_A_RINGS.TCP_DATA_SPLIT) ?? 0],
    splitThreshold: rings?.number(ETHTOOL_A_RINGS.HDS_THRESH),
    xdp: link?.xdp,
    up: link?.up,
  };
}

/** The name of an interface by its index, or a text that stands for it. */
export function interfaceName(place: Place, index: number): string {
  return known(() => linkFacts({ place, index }).name) ?? `interface ${index}`;
}

function ethtool(address: QueueAddress, command: number): Attributes | undefined {
  using netlink = GenericNetlink.open(address.place);
  const family = netlink.family("ethtool", "5.6");
  const header = attribute.nest(ETHTOOL_A_HEADER, [
    attribute.u32(ETHTOOL_A_HEADER_DEV_INDEX, address.index),
  ]);
  return netlink.request(family, {
    operation: `ETHTOOL_MSG ${command}`,
    command,
    attributes: [header],
  })[0];
}

function linkFacts(
  { place, index }: Pick<QueueAddress, "place" | "index">,
): { name: string | undefined; xdp: boolean; up: boolean } {
  using netlink = NetlinkSocket.open(NETLINK.ROUTE, place);
  const body = new Uint8Array(IFINFOMSG_BYTES);
  new DataView(body.buffer).setInt32(4, index, true);
  const [reply] = netlink.request({ operation: "RTM_GETLINK", type: RTM_GETLINK, body });
  const attributes = new Attributes(reply!.body.subarray(IFINFOMSG_BYTES));
  const view = new DataView(reply!.body.buffer, reply!.body.byteOffset);
  return {
    name: attributes.text(IFLA_IFNAME),
    xdp: (attributes.nest(IFLA_XDP)?.number(IFLA_XDP_ATTACHED) ?? 0) !== 0,
    up: (view.getUint32(8, true) & IFF_UP) !== 0,
  };
}
