/**
 * What a NIC lacks for zero-copy receive, and what would change that.
 *
 * @module
 */
import { kernelIsAtLeast } from "../../../ffi/kernel/errors.ts";
import type { NicSettings } from "./settings.ts";
import { installCommand } from "../terminal/setup.ts";

/** A thing that a NIC lacks for zero-copy receive. */
export interface NicLack {
  /** The thing. */
  readonly name:
    | "kernel"
    | "privileges"
    | "driver"
    | "queues"
    | "header split"
    | "hds-thresh"
    | "RSS"
    | "steering"
    | "XDP";
  /**
   * `missing` is certain, and a plan cannot be applied without it; `unknown` can only be found out by
   * trying.
   */
  readonly state: "missing" | "unknown";
  /** What was found. */
  readonly why: string;
  /** What would change it. */
  readonly change: string;
}

/** The kernel that brought io_uring zero-copy receive. */
const ZCRX_SINCE = "6.15";

/** A NIC that all of it is known to work on, for whoever has none. */
const SOFT_NIC = "use the soft NIC in the guest: deno task vm -- COMMAND";

/**
 * Drivers with the queue management operations that a memory provider needs, with the kernel that
 * brought them there where that is known. Linux 7.3's tree and softnic, zclab's own.
 */
const CAPABLE: Readonly<Record<string, string>> = {
  bnxt_en: "6.15",
  fbnic: ZCRX_SINCE,
  gve: "6.15",
  mlx5_core: "6.17",
  netkit: ZCRX_SINCE,
  softnic: ZCRX_SINCE,
};

/** Drivers that are known not to do, and why. */
const INCAPABLE: Readonly<Record<string, string>> = {
  bonding: "it has no queues of its own; its members have",
  bridge: "it has no queues of its own; its members have",
  dummy: "no device does DMA behind it",
  ifb: "no device does DMA behind it",
  netdevsim: "it has the queue operations, but no device does DMA behind it",
  tun: "no device does DMA behind it",
  veth: "no device does DMA behind it",
  virtio_net: "it has no queue management operations (Linux 7.3)",
};

/** bnxt does not split frames of up to 256 bytes unless it is told to. */
const SPLITS_LATER: Readonly<Record<string, number>> = { bnxt_en: 256 };

/**
 * What a NIC lacks.
 *
 * @param settings What it is set to.
 * @param machine The kernel's release, and whether this process may change networks.
 * @returns What is missing or cannot be known, empty if nothing is.
 */
export function nicLacks(
  settings: NicSettings,
  machine: { readonly release: string; readonly privileged: boolean },
): readonly NicLack[] {
  return [
    kernelLack(settings, machine.release),
    machine.privileged ? undefined : {
      name: "privileges" as const,
      state: "missing" as const,
      why: "changing a NIC needs CAP_NET_ADMIN",
      change: "run as root: sudo",
    },
    driverLack(settings),
    queuesLack(settings),
    headerSplitLack(settings),
    thresholdLack(settings),
    spreadingLack(settings),
    steeringLack(settings),
    !settings.xdp ? undefined : {
      name: "XDP" as const,
      state: "missing" as const,
      why: "an XDP program is attached, beside which no queue can be bound",
      change: `ip link set dev ${settings.interface} xdp off`,
    },
  ].filter((lack) => lack !== undefined);
}

function kernelLack({ driver }: NicSettings, release: string): NicLack | undefined {
  const since = CAPABLE[driver] ?? ZCRX_SINCE;
  if (kernelIsAtLeast(since, release)) return undefined;
  return {
    name: "kernel",
    state: "missing",
    why: `this is Linux ${release}; ` +
      (since === ZCRX_SINCE
        ? `zero-copy receive came with Linux ${since}`
        : `${driver} can do zero-copy receive since Linux ${since}`),
    change: `boot Linux ${since} or later, or ${SOFT_NIC}`,
  };
}

function driverLack({ driver }: NicSettings): NicLack | undefined {
  if (driver in CAPABLE) return undefined;
  const known = Object.keys(CAPABLE).filter((name) => name !== "softnic").join(", ");
  const reason = driver === "" ? "it is not the interface of a device" : INCAPABLE[driver];
  if (reason !== undefined) {
    return {
      name: "driver",
      state: "missing",
      why: driver === "" ? reason : `${driver}: ${reason}`,
      change: `use a NIC with one of the drivers ${known}, or ${SOFT_NIC}`,
    };
  }
  return {
    name: "driver",
    state: "unknown",
    why: `whether ${driver} has queue management operations is not known; in Linux 7.3 it had none`,
    change: `try to register a receiver: EOPNOTSUPP says no. Those that have them: ${known}`,
  };
}

function queuesLack({ queues, mostQueues, channels, driver }: NicSettings): NicLack | undefined {
  if (Math.max(queues, mostQueues) >= 2) return undefined;
  return {
    name: "queues",
    state: "missing",
    why: channels === undefined
      ? "its driver has one receive queue, and no channels that could be set"
      : "it has one receive queue, and its driver allows no more",
    change: driver === "virtio_net"
      ? "give the virtual machine's NIC more queues (QEMU: -device virtio-net-pci,mq=on)"
      : "one queue is for zero copy, and at least one more for everything else: use another NIC",
  };
}

function headerSplitLack(settings: NicSettings): NicLack | undefined {
  const { headerSplit, driver, firmware, ethtool } = settings;
  const name = "header split" as const;
  if (headerSplit?.state === "on") return undefined;
  if (headerSplit === undefined) {
    return {
      name,
      state: "missing",
      why: "its driver has no ring parameters, and so no tcp-data-split",
      change: `use another NIC, or ${SOFT_NIC}`,
    };
  }
  if (!ethtool.setsHeaderSplit) {
    return {
      name,
      state: "missing",
      why: `ethtool ${ethtool.version} cannot set tcp-data-split; ethtool 6.7 was the first to`,
      change: `install a newer one: ${installCommand(["ethtool"])} on a newer distribution, ` +
        "or build it from its source",
    };
  }
  if (headerSplit.state === "off" || driver === "softnic") return undefined;
  return {
    name,
    state: "unknown",
    why: "ethtool shows no state of tcp-data-split: the driver decides, or cannot split at all",
    change: driver in CAPABLE
      ? `try it; if it is refused, update the firmware${
        firmware === "" ? "" : ` (now ${firmware})`
      }`
      : "try it; if it is refused, this driver or this NIC cannot split headers",
  };
}

function thresholdLack({ headerSplit, driver, ethtool }: NicSettings): NicLack | undefined {
  const usual = SPLITS_LATER[driver];
  if (usual === undefined || ethtool.setsThreshold || headerSplit?.threshold === 0) {
    return undefined;
  }
  return {
    name: "hds-thresh",
    state: "unknown",
    why: `${driver} leaves frames of up to ${usual} bytes whole unless hds-thresh is 0, and ` +
      `ethtool ${ethtool.version} can neither show nor set that`,
    change: "install an ethtool later than 6.14 that has hds-thresh, or use the kernel's ynl: " +
      "rings-set of the family ethtool",
  };
}

function spreadingLack(settings: NicSettings): NicLack | undefined {
  if (settings.indirection !== undefined || queuesLack(settings) !== undefined) return undefined;
  return {
    name: "RSS",
    state: "missing",
    why: "it has no indirection table: other flows cannot be kept off the queue for zero copy",
    change: `use another NIC, or ${SOFT_NIC}`,
  };
}

function steeringLack({ steering, rules, driver, firmware }: NicSettings): NicLack | undefined {
  const canSteer = steering.on || !steering.fixed;
  if (canSteer && rules !== undefined) return undefined;
  return {
    name: "steering",
    state: canSteer && !steering.on ? "unknown" : "missing",
    why: canSteer
      ? "its driver has ntuple-filters, but does not tell its rules"
      : "ntuple-filters is off, and its driver does not let it be switched on",
    change: driver in CAPABLE
      ? `update the firmware${firmware === "" ? "" : ` (now ${firmware})`}, or look in the ` +
        "driver's documentation for what flow steering needs"
      : `use another NIC, or ${SOFT_NIC}`,
  };
}

/** What is missing, one line for each thing with another for what would change it. */
export function describeLacks(lacks: readonly NicLack[]): string[] {
  return lacks.flatMap(({ name, state, why, change }) => [
    `${state === "missing" ? "missing" : "unknown"}  ${name}: ${why}`,
    `         to change it: ${change}`,
  ]);
}
