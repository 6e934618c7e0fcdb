/**
 * What the kernel's refusals mean. It answers with one of a dozen numbers and no words, so everything
 * that can be looked at is looked at.
 *
 * Sources: io_uring/zcrx.c and net/core/netdev_rx_queue.c of Linux 7.3.
 *
 * @module
 */
import { hasCapability } from "../kernel/capability.ts";
import { describeErrno, type Explanation, UnsupportedError, UringError } from "../kernel/errors.ts";
import { LAYOUTS, Struct } from "../kernel/layout.ts";
import { PAGE_SIZE } from "../kernel/memory.ts";
import { native } from "../kernel/native.ts";
import { REGISTER } from "../kernel/uapi.ts";
import type { Area } from "../memory/area.ts";
import { type QueueAddress, type QueueFacts, queueFacts } from "../net/queue_facts.ts";
import type { Engine } from "../ring/engine.ts";
import { type ZcrxFeatures, zcrxFeatures } from "./query.ts";

/** The operation that registers a receiver. */
export const OPERATION = "IORING_REGISTER_ZCRX_IFQ";

const UNLIMITED = 0xffffffffffffffffn;
/** Areas that a receiver has at most. */
const MOST_AREAS = 1024;

/** What was to be registered. */
export interface RefusedRequest {
  readonly area: Pick<Area, "bytes" | "dmaBufFd">;
  /** The queue, or undefined for a receiver without a device. */
  readonly queue: QueueAddress | undefined;
  readonly refillEntries: number;
  /** Bytes of a buffer, or 0 for a page. */
  readonly bufferBytes: number;
}

/** What could be found out about a registration that failed. */
export interface Situation {
  readonly features: ZcrxFeatures;
  /** Whether the kernel was built with `CONFIG_IO_URING_ZCRX`. */
  readonly built: boolean;
  /** Whether this process has CAP_NET_ADMIN, if only over a user namespace of its own. */
  readonly netAdmin: boolean;
  /** Whether this process is in the user namespace of the machine. */
  readonly initialUserNamespace: boolean;
  /** Bytes that may be locked, or undefined for any number. */
  readonly memlock: number | undefined;
  /** About the queue, if there is one. */
  readonly facts: QueueFacts | undefined;
}

/** Bytes that may be locked, or undefined for any number. */
function memlockLimit(): number | undefined {
  const limits = new BigUint64Array(2);
  native().zclab_memlock_limit(limits.buffer);
  return limits[0] === UNLIMITED || hasCapability("IPC_LOCK") ? undefined : Number(limits[0]);
}

/** Finds out what may be the reason. */
export function situationOf(engine: Engine, queue: QueueAddress | undefined): Situation {
  const map = Deno.readTextFileSync("/proc/self/uid_map").trim().split(/\s+/);
  return {
    features: zcrxFeatures(),
    built: isBuilt(engine),
    netAdmin: hasCapability("NET_ADMIN"),
    initialUserNamespace: map.join(" ") === "0 0 4294967295",
    memlock: memlockLimit(),
    facts: queue === undefined ? undefined : queueFacts(queue),
  };
}

/** A kernel without the configuration refuses everything alike; with it, nonsense is EINVAL. */
function isBuilt(engine: Engine): boolean {
  const nonsense = new Struct(LAYOUTS.io_uring_zcrx_ifq_reg).set("flags", 0xffffffff);
  const result = native().io_uring_register(engine.fd, REGISTER.ZCRX_IFQ, nonsense.buffer, 1);
  return describeErrno(-result)[0] !== "EOPNOTSUPP";
}

/**
 * What a refused registration means, and what to do about it.
 *
 * @param errno The positive errno.
 */
export function explainRegistration(
  errno: number,
  request: RefusedRequest,
  situation: Situation,
): UringError | UnsupportedError {
  const { queue } = request;
  const [code] = describeErrno(errno);
  if (code === "EOPNOTSUPP" && !situation.built) {
    return new UnsupportedError("CONFIG_IO_URING_ZCRX", {
      advice: "This kernel was built without it",
      remedy: "guest",
    });
  }
  const explanation = code === "EPERM"
    ? refused(situation)
    : code === "ENOMEM"
    ? noMemory(request, situation)
    : queue === undefined
    ? withoutDevice(code)
    : withDevice(code, request, queue, situation);
  return new UringError(OPERATION, errno, explanation);
}

function refused({ netAdmin, initialUserNamespace }: Situation): Explanation {
  if (netAdmin && !initialUserNamespace) {
    return {
      meaning:
        "CAP_NET_ADMIN is needed in the user namespace of the machine; root of another user " +
        "namespace does not have it",
      advice: "run as real root, outside of rootless containers and unshare --user",
    };
  }
  return {
    meaning: "CAP_NET_ADMIN is needed, also without a device",
    advice: "run as root",
  };
}

function noMemory(
  { area, refillEntries }: RefusedRequest,
  { memlock, facts }: Pick<Situation, "memlock" | "facts">,
): Explanation {
  const needed = area.dmaBufFd === undefined ? area.bytes : 0;
  const all = needed + refillEntries * LAYOUTS.io_uring_zcrx_rqe.size;
  if (memlock !== undefined) {
    return {
      meaning: `the area and the refill ring need ${Math.ceil(all / 1024)} KiB of locked memory, ` +
        `and RLIMIT_MEMLOCK is ${Math.floor(memlock / 1024)} KiB for everything that this user ` +
        "has registered",
      advice: `ulimit -l ${Math.ceil((memlock + all) / 1024)} or more, or run with CAP_IPC_LOCK`,
    };
  }
  return {
    meaning: "the kernel is out of memory" +
      (facts === undefined ? "" : ", or the area has fewer " +
        "buffers than the driver posts in advance"),
    advice:
      "take a larger area, or free memory; with a device, post less: ethtool -G DEVICE rx 256",
  };
}

/** A receiver without a device knows only what is wrong with the area. */
function withoutDevice(code: string): Partial<Explanation> {
  switch (code) {
    case "EINVAL":
      return {
        meaning: "a receiver without a device takes ordinary memory, no dma-buf",
        advice: "use Area.map",
      };
    case "EOPNOTSUPP":
      return {
        meaning: "a receiver without a device has buffers of a page",
        advice: "leave bufferBytes out",
      };
  }
  return general(code);
}

function general(code: string): Partial<Explanation> {
  switch (code) {
    case "EFAULT":
      return {
        meaning: "the memory of the area cannot be pinned",
        advice: "use an Area that is open and that nobody has unmapped",
      };
    case "EBADF":
      return {
        meaning: "the area's file descriptor is no dma-buf",
        advice: "take Area.dmaBuf({ bytes })",
      };
  }
  return {};
}

function notContiguous(area: Pick<Area, "dmaBufFd">, bufferBytes: number): Explanation {
  const make = area.dmaBufFd === undefined ? "Area.map" : "Area.dmaBuf";
  return {
    meaning: `the area is not contiguous in physical memory in pieces of ${bufferBytes} bytes`,
    advice: `take huge pages: ${make}({ bytes, hugePages: "2MiB" }); or leave bufferBytes out`,
  };
}

function withDevice(
  code: string,
  { area, bufferBytes }: RefusedRequest,
  { name, queue }: QueueAddress,
  { features, facts }: Situation,
): Partial<Explanation> {
  const which = `queue ${queue} of ${name}`;
  switch (code) {
    case "ENODEV":
      return { meaning: `${name} is gone from that namespace`, advice: "look at: ip link" };
    case "ERANGE": {
      const { queues } = facts ?? {};
      if (queues !== undefined && queue >= queues) {
        return {
          meaning: `${name} has no queue ${queue}: it receives on ${queues}, counted from 0`,
          advice: queues === 1
            ? `ethtool -L ${name} combined 2, if it can; a receiver wants a queue of its own`
            : `take one from 0 to ${queues - 1}`,
        };
      }
      if (bufferBytes > PAGE_SIZE) return notContiguous(area, bufferBytes);
      return {
        meaning: `${name} has no queue ${queue}`,
        advice: `look at: ethtool -l ${name}`,
      };
    }
    case "EINVAL":
      return invalid(name, bufferBytes, features, facts);
    case "EEXIST":
      return taken(name, which, facts);
    case "EBUSY":
      return {
        meaning: `${which} is used by AF_XDP, or leased to a virtual device`,
        advice: "take another queue, or end who uses it",
      };
    case "EOPNOTSUPP":
      if (bufferBytes > 0 && facts?.dataSplit === "on") {
        return {
          meaning: `the driver of ${name} cannot have buffers of ${bufferBytes} bytes`,
          advice: "leave bufferBytes out (in 7.3 only bnxt and mlx5 have it)",
        };
      }
      return {
        meaning: name === "lo"
          ? "lo is no device with queues and memory of its own"
          : `the driver of ${name} cannot give a queue other memory, or its device does no DMA ` +
            "(veth, virtio-net and netdevsim are like that)",
        advice:
          "use a NIC that can (bnxt, gve, mlx5, fbnic), or softnic, which zclab's guest has; " +
          "ZcrxReceiver.withoutDevice works everywhere, and copies",
        remedy: "guest",
      };
    case "ENODATA":
      return {
        meaning: `the driver of ${name} did not take its buffers from the area`,
        advice: "use another driver: this one cannot do it for that queue",
      };
    case "ENETDOWN":
      return { meaning: `${name} is down`, advice: `ip link set ${name} up` };
    case "E2BIG":
      return {
        meaning: `the driver of ${name} takes larger buffers than a page`,
        advice: "lower its buffer size, or give bufferBytes (Linux 7.0)",
      };
  }
  return general(code);
}

function invalid(
  name: string,
  bufferBytes: number,
  features: ZcrxFeatures,
  facts: QueueFacts | undefined,
): Explanation {
  if (facts?.dataSplit !== undefined && facts.dataSplit !== "on") {
    return {
      meaning: `${name} does not put headers elsewhere than data: tcp-data-split is ` +
        `${facts.dataSplit}, and must be on${facts.dataSplit === "auto" ? " (auto is not)" : ""}`,
      advice: `ethtool -G ${name} tcp-data-split on`,
    };
  }
  if (facts?.splitThreshold !== undefined && facts.splitThreshold > 0) {
    return {
      meaning: `${name} leaves packets of up to ${facts.splitThreshold} bytes unsplit`,
      advice: `ethtool -G ${name} hds-thresh 0`,
    };
  }
  if (bufferBytes > 0 && !features.bufferBytes) {
    return {
      meaning: "this kernel has buffers of a page only; others came with Linux 7.0",
      advice: "leave bufferBytes out",
    };
  }
  return {
    meaning: `tcp-data-split of ${name} is not on, its hds-thresh is not 0, or its driver cannot ` +
      `have buffers of ${bufferBytes || PAGE_SIZE} bytes`,
    advice: `ethtool -G ${name} tcp-data-split on hds-thresh 0; look at: ethtool -g ${name}`,
  };
}

function taken(name: string, which: string, facts: QueueFacts | undefined): Explanation {
  if (facts?.xdp) {
    return {
      meaning: `an XDP program is attached to ${name}`,
      advice: `ip link set ${name} xdp off`,
    };
  }
  switch (facts?.provider) {
    case "dma-buf":
      return {
        meaning: `a dma-buf is bound to ${which} (devmem TCP)`,
        advice: "close the DeviceMemory or end the process that bound it, or take another queue",
      };
    case "io_uring":
      return {
        meaning:
          `another receiver has ${which}: one of this or another process, in a ring that is ` +
          "still open",
        advice: "close its ring (closing the receiver is not enough), end its process, or take " +
          "another queue",
      };
  }
  return {
    meaning: `${which} has another's memory, or an XDP program is attached to ${name}`,
    advice: `end who uses it, or take another queue; ip link set ${name} xdp off`,
  };
}

/** What the end of a receive means: errors of RECV_ZC. */
export function explainEnd(errno: number, dmaBuf: boolean): UringError {
  return new UringError("RECV_ZC", errno, endings(describeErrno(errno)[0], dmaBuf));
}

function endings(code: string, dmaBuf: boolean): Partial<Explanation> {
  switch (code) {
    case "EPROTONOSUPPORT":
      return {
        meaning: "only plain TCP sockets can receive without copying",
        advice: "use a TCP socket, without kernel TLS, MPTCP or a BPF sockmap",
      };
    case "ENOTCONN":
      return {
        meaning: "the socket is not connected",
        advice: "connect it first, or receive from what accept returned",
      };
    case "ENOTSOCK":
      return { meaning: "the file is no socket", advice: "use a TCP socket" };
    case "EFAULT":
      return {
        meaning: "data lies in the memory of another receiver, or of devmem TCP",
        advice: "steer the connection to the queue of the receiver that receives from it: " +
          "ethtool -N DEVICE flow-type tcp4 ... action QUEUE",
      };
    case "ENOMEM":
      return dmaBuf
        ? {
          meaning: "data did not arrive in the dma-buf, and the kernel cannot copy into one",
          advice: "steer the connection to the receiver's queue, and see that headers are split " +
            "from data: ethtool -g DEVICE",
        }
        : {
          meaning:
            "data did not arrive in the area and had to be copied, but every buffer of the " +
            "area is with the NIC",
          advice: "take a larger area (512 buffers or more), or steer the connection to the " +
            "receiver's queue",
        };
  }
  return {};
}

/**
 * What a refused `ZCRX_CTRL_ADD_AREA` means.
 *
 * @param errno The positive errno.
 */
export function explainArea(
  errno: number,
  { area, bufferBytes, areas }: {
    readonly area: Pick<Area, "bytes" | "dmaBufFd">;
    readonly bufferBytes: number;
    /** How many the receiver has. */
    readonly areas: number;
  },
): UringError {
  const explanation = ((): Partial<Explanation> => {
    switch (describeErrno(errno)[0]) {
      case "EINVAL":
        return areas >= MOST_AREAS
          ? { meaning: `the receiver has ${areas} areas`, advice: "take larger ones" }
          : {
            meaning: "areas of a receiver are all ordinary memory, or all dma-bufs",
            advice: `use ${area.dmaBufFd === undefined ? "Area.dmaBuf" : "Area.map"}`,
          };
      case "ERANGE":
        return notContiguous(area, bufferBytes);
      case "ENOMEM":
        return noMemory({ area, queue: undefined, bufferBytes, refillEntries: 0 }, {
          memlock: memlockLimit(),
          facts: undefined,
        });
      case "EFAULT":
        return {
          meaning: "the device is gone, or the memory of the area cannot be pinned",
          advice: "open another receiver",
        };
    }
    return general(describeErrno(errno)[0]);
  })();
  return new UringError("ZCRX_CTRL_ADD_AREA", errno, explanation);
}
