/**
 * Opening a zero-copy receiver: what is asked for is checked, the kernel takes the memory, and what it
 * made of it is noted.
 *
 * @module
 */
import { checkKind, checkObject, checkWhole } from "../kernel/arguments.ts";
import {
  ClosedError,
  describeErrno,
  UnsupportedError,
  unwrap,
  UringError,
} from "../kernel/errors.ts";
import { LAYOUTS, Struct } from "../kernel/layout.ts";
import { PAGE_SIZE } from "../kernel/memory.ts";
import { native } from "../kernel/native.ts";
import { REGISTER, ZCRX_EVENT, ZCRX_REG } from "../kernel/uapi.ts";
import { Area } from "../memory/area.ts";
import type { Place } from "../net/place.ts";
import { interfaceName, type QueueAddress } from "../net/queue_facts.ts";
import { Socket } from "../net/socket.ts";
import { openEngineOf } from "../ring/ring_handle.ts";
import type { Ring } from "../ring/ring.ts";
import { ReceiverEvents } from "./events.ts";
import { sharedOf, type ZcrxHandle } from "./handle.ts";
import { type ZcrxEvent, type ZcrxFeatures, zcrxFeatures } from "./query.ts";
import { MOST_REFILL_ENTRIES, powerOfTwo, RefillRegion } from "./refill_ring.ts";
import { checkRing, register } from "./registration.ts";
import { claim, SharedReceiver } from "./shared.ts";

/** What a {@linkcode ZcrxReceiver} stands on, with a device or without. */
export interface ZcrxMemoryOptions {
  /** The memory to receive into: `Area.map`, or with a device also `Area.dmaBuf`. */
  readonly area: Area;
  /**
   * Entries of the refill ring, 1 to 32768; rounded up to a power of two. As many as the area has
   * buffers by default.
   */
  readonly refillEntries?: number;
  /** Events to be told of (7.2); all that the kernel has by default. */
  readonly events?: readonly ZcrxEvent[];
}

/** How to open a {@linkcode ZcrxReceiver} on a queue of a network device. */
export interface ZcrxReceiverOptions extends ZcrxMemoryOptions {
  /** The name of the network device, or its index. */
  readonly interface: string | number;
  /** The number of its receive queue, from 0. */
  readonly queue: number;
  /** The namespace of the device: an end of a testbed, say; without it, this one. */
  readonly place?: Place;
  /**
   * Bytes of a buffer: a power of two from 4096 on (7.0, if the driver can). More than 4096 need an
   * area of huge pages.
   *
   * @default {4096}
   */
  readonly bufferBytes?: number;
  /**
   * How long to wait, in milliseconds, for a queue that is taken: a ring that was closed or whose
   * process was killed releases its queue a moment later. Blocks the thread.
   *
   * @default {1000}
   */
  readonly timeout?: number;
}

/** How a receiver came to be. */
export interface Origin {
  readonly id: number;
  readonly shared: SharedReceiver;
  readonly events: ReceiverEvents;
  readonly queue: QueueAddress | undefined;
  readonly imported: boolean;
}

/** A receiver on a queue of a network device: see {@linkcode ZcrxReceiver.open}. */
export function openOnQueue(ring: Ring, options: ZcrxReceiverOptions): Origin {
  openEngineOf(ring);
  checkObject("options", options);
  const { interface: device, queue, place = {}, bufferBytes = 0, timeout = 1000 } = options;
  checkWhole("ZcrxReceiver: queue", queue, 0, 0xffff_fffe);
  checkWhole("ZcrxReceiver: timeout", timeout, 0, 0x7fff_ffff);
  if (bufferBytes !== 0) {
    checkWhole("ZcrxReceiver: bufferBytes", bufferBytes, PAGE_SIZE, 1 << 30);
    if (powerOfTwo(bufferBytes) !== bufferBytes) {
      throw new RangeError(`bufferBytes must be a power of two, got ${bufferBytes}`);
    }
    if (!zcrxFeatures().bufferBytes) {
      throw new UnsupportedError("ZCRX_FEATURE_RX_PAGE_SIZE", {
        since: "7.0",
        advice: "Leave bufferBytes out",
      });
    }
  }
  const index = typeof device === "number" ? device : interfaceIndex(place, device);
  checkWhole("ZcrxReceiver: interface", index, 1, 0x7fff_ffff);
  const name = typeof device === "string" ? device : interfaceName(place, device);
  const address = { place, name, index, queue };
  return openWith(ring, options, { queue: address, bufferBytes, timeout });
}

/** A receiver of no device: see {@linkcode ZcrxReceiver.withoutDevice}. */
export function openWithoutDevice(ring: Ring, options: ZcrxMemoryOptions): Origin {
  return openWith(ring, options, { queue: undefined, bufferBytes: 0, timeout: 0 });
}

/** What to open on: a queue or none, with buffers of how many bytes, 0 for a page. */
interface Where {
  readonly queue: QueueAddress | undefined;
  readonly bufferBytes: number;
  readonly timeout: number;
}

function openWith(ring: Ring, options: ZcrxMemoryOptions, where: Where): Origin {
  const engine = openEngineOf(ring);
  checkObject("options", options);
  const { area } = options;
  checkKind("area", Area, area);
  if (area.closed) throw new ClosedError("Area");
  const features = zcrxFeatures();
  checkRing(ring, features);
  const { queue, bufferBytes, timeout } = where;
  if (queue === undefined && !features.withoutDevice) {
    throw new UnsupportedError("ZCRX_REG_NODEV", { since: "7.1", remedy: "guest" });
  }
  const refillEntries = refillEntriesOf(options, bufferBytes);
  const wanted = eventsOf(options, features);
  // The kernel may post events as soon as it is registered.
  const events = new ReceiverEvents(features.statistics ? "us" : "nobody");
  const userDataHigh = engine.listen({
    complete: (number) => events.happened(number),
    fail: () => {},
  });
  const mask = wanted.reduce((bits, event) => bits | 1 << ZCRX_EVENT[event], 0);
  const release = claim(area);
  let region: RefillRegion | undefined;
  try {
    region = new RefillRegion(refillEntries);
    const registration = register(engine, {
      area,
      queue,
      region,
      refillEntries,
      bufferBytes,
      events: features.statistics ? { userDataLow: 0, userDataHigh, mask } : undefined,
      timeout,
    });
    const shared = new SharedReceiver(region, registration, {
      hasDevice: queue !== undefined,
      isDmaBuf: area.dmaBufFd !== undefined,
      canFlush: features.flush,
      statistics: features.statistics,
    });
    shared.addArea(area, release);
    return { id: registration.id, shared, events, queue, imported: false };
  } catch (error) {
    release();
    region?.mapping.close();
    throw error;
  }
}

function refillEntriesOf(options: ZcrxMemoryOptions, bufferBytes: number): number {
  const { bytes } = options.area;
  const buffers = Math.floor(bytes / (bufferBytes || PAGE_SIZE));
  if (buffers === 0) {
    throw new RangeError(`An area of ${bytes} bytes has no buffer of ${bufferBytes}`);
  }
  const { refillEntries = Math.min(MOST_REFILL_ENTRIES, Math.max(64, buffers)) } = options;
  checkWhole("ZcrxReceiver: refillEntries", refillEntries, 1, MOST_REFILL_ENTRIES);
  return refillEntries;
}

function eventsOf(
  options: ZcrxMemoryOptions,
  features: ZcrxFeatures,
): readonly ZcrxEvent[] {
  const wanted = options.events ?? features.events;
  for (const event of wanted) {
    if (!features.events.includes(event)) {
      throw new UnsupportedError(`ZCRX_EVENT_${event}`, { since: "7.2" });
    }
  }
  return wanted;
}

/** A receiver of another ring: see {@linkcode ZcrxReceiver.import}. */
export function openImported(ring: Ring, handle: ZcrxHandle): Origin {
  const engine = openEngineOf(ring);
  const features = zcrxFeatures();
  checkRing(ring, features);
  if (!features.share) throw new UnsupportedError("ZCRX_REG_IMPORT", { since: "6.19" });
  const argument = new Struct(LAYOUTS.io_uring_zcrx_ifq_reg)
    .set("if_idx", handle.fd)
    .set("flags", ZCRX_REG.IMPORT);
  engine.register("IORING_REGISTER_ZCRX_IFQ", REGISTER.ZCRX_IFQ, argument.buffer, 1);
  const shared = sharedOf(handle);
  const id = argument.get("zcrx_id");
  const events = new ReceiverEvents("the opener");
  return { id, shared, events, queue: undefined, imported: true };
}

function interfaceIndex(place: Place, name: string): number {
  using socket = Socket.udp(place);
  const text = new TextEncoder().encode(`${name}\0`);
  const result = native().zclab_interface_index(socket.fd, text.buffer);
  if (describeErrno(-result)[0] === "ENODEV") {
    throw new UringError("IORING_REGISTER_ZCRX_IFQ", -result, {
      meaning: `there is no interface ${name} in that namespace`,
      advice: "look at: ip link; and pass place where the interface is in another namespace",
    });
  }
  return unwrap(`SIOCGIFINDEX ${name}`, result);
}
