/**
 * Registering a zero-copy receiver with the kernel.
 *
 * @module
 */
import { ERRNO } from "../kernel/errno.ts";
import { UnsupportedError, UringError } from "../kernel/errors.ts";
import { LAYOUTS, Struct } from "../kernel/layout.ts";
import { addressOf, PAGE_SIZE } from "../kernel/memory.ts";
import { native } from "../kernel/native.ts";
import {
  MEM_REGION_TYPE_USER,
  REGISTER,
  ZCRX,
  ZCRX_EVENT_DESC_FLAG_STATS,
  ZCRX_REG,
} from "../kernel/uapi.ts";
import type { Area } from "../memory/area.ts";
import type { QueueAddress } from "../net/queue_facts.ts";
import type { Engine } from "../ring/engine.ts";
import type { ZcrxFeatures } from "./query.ts";
import type { RefillOffsets, RefillRegion } from "./refill_ring.ts";
import { explainRegistration, OPERATION, situationOf } from "./refusals.ts";

const EEXIST = -ERRNO.EEXIST;

/** What to register. */
export interface RegistrationRequest {
  readonly area: Area;
  /** The queue, or undefined for a receiver without a device. */
  readonly queue: QueueAddress | undefined;
  readonly region: RefillRegion;
  readonly refillEntries: number;
  /** Bytes of a buffer, or 0 for a page. */
  readonly bufferBytes: number;
  /** The user_data of events and which of them, or undefined where the kernel has none. */
  readonly events: {
    readonly userDataLow: number;
    readonly userDataHigh: number;
    readonly mask: number;
  } | undefined;
  /** How long to wait for a queue that somebody who just ended still has, in milliseconds. */
  readonly timeout: number;
}

/** What the kernel made of it. */
export interface Registration {
  /** The number of the receiver in its ring. */
  readonly id: number;
  readonly refillEntries: number;
  readonly offsets: RefillOffsets;
  /** Bytes of a buffer. */
  readonly bufferBytes: number;
}

/** The description of an area that the kernel takes. */
export function areaArgument(area: Area): Struct {
  const { dmaBufFd } = area;
  const argument = new Struct(LAYOUTS.io_uring_zcrx_area_reg).set("len", area.bytes);
  return dmaBufFd === undefined
    ? argument.set("addr", area.address)
    : argument.set("flags", ZCRX.AREA_DMABUF).set("dmabuf_fd", dmaBufFd);
}

/**
 * Registers a receiver.
 *
 * @throws {UringError} Why the kernel refuses, and what to do about it.
 * @throws {UnsupportedError} If no setting would help.
 */
export function register(engine: Engine, request: RegistrationRequest): Registration {
  const { queue, region, refillEntries, bufferBytes, events } = request;
  const area = areaArgument(request.area);
  const memory = new Struct(LAYOUTS.io_uring_region_desc)
    .set("user_addr", region.mapping.address)
    .set("size", region.mapping.bytes)
    .set("flags", MEM_REGION_TYPE_USER);
  const description = new Struct(LAYOUTS.zcrx_event_desc);
  const make = (): Struct => {
    const argument = new Struct(LAYOUTS.io_uring_zcrx_ifq_reg)
      .set("if_idx", queue?.index ?? 0)
      .set("if_rxq", queue?.queue ?? 0)
      .set("rq_entries", refillEntries)
      .set("flags", queue === undefined ? ZCRX_REG.NODEV : 0)
      .set("area_ptr", addressOf(area.buffer))
      .set("region_ptr", addressOf(memory.buffer))
      .set("rx_buf_len", bufferBytes);
    if (events !== undefined) {
      description
        .set(
          "user_data",
          BigInt(events.userDataHigh >>> 0) << 32n | BigInt(events.userDataLow >>> 0),
        )
        .set("type_mask", events.mask)
        .set("flags", ZCRX_EVENT_DESC_FLAG_STATS)
        .set("stats_offset", region.statistics);
      argument.set("event_desc", addressOf(description.buffer));
    }
    return argument;
  };
  let argument = make();
  let result = call(engine, queue, argument);
  // A ring that was closed, or whose process was killed, lets go of its queue a moment later.
  const deadline = performance.now() + request.timeout;
  while (result === EEXIST && performance.now() < deadline) {
    pause(1);
    argument = make();
    result = call(engine, queue, argument);
  }
  if (result < 0) throw explainRegistration(-result, request, situationOf(engine, queue));
  const offsets = new Struct(LAYOUTS.io_uring_zcrx_offsets, {
    buffer: argument.buffer,
    at: LAYOUTS.io_uring_zcrx_ifq_reg.fields.offsets[0],
  });
  return {
    id: argument.get("zcrx_id"),
    refillEntries: argument.get("rq_entries"),
    offsets: {
      head: offsets.get("head"),
      tail: offsets.get("tail"),
      rqes: offsets.get("rqes"),
    },
    // Kernels before 7.0 know no other size and leave the field alone.
    bufferBytes: argument.get("rx_buf_len") || PAGE_SIZE,
  };
}

function call(engine: Engine, queue: QueueAddress | undefined, argument: Struct): number {
  engine.ensureOpen();
  const { namespace } = queue?.place ?? {};
  return namespace === undefined
    ? native().io_uring_register(engine.fd, REGISTER.ZCRX_IFQ, argument.buffer, 1)
    : native().zclab_register_inside(
      namespace.fd,
      engine.fd,
      REGISTER.ZCRX_IFQ,
      argument.buffer,
      1,
    );
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Places of a queue of mixed sizes in which two in a row are free when all but one at its end are. */
const MIXED_PLACES = 4;

/**
 * Checks what the kernel would say EINVAL to and zclab knows before, and that it could ever receive.
 *
 * @throws {UringError} If the ring is not one that can receive without copying.
 * @throws {UnsupportedError} If this kernel cannot do it.
 */
export function checkRing(
  ring: { readonly flags: readonly string[]; readonly completionEntries: number },
  features: ZcrxFeatures,
): void {
  if (!features.receive) {
    throw new UnsupportedError("IORING_OP_RECV_ZC", { since: "6.15", remedy: "guest" });
  }
  const { flags } = ring;
  if (!flags.includes("DEFER_TASKRUN")) {
    throw new UringError(OPERATION, ERRNO.EINVAL, {
      meaning: "the ring has no DEFER_TASKRUN",
      advice: "open it without giving up DEFER_TASKRUN, SINGLE_ISSUER and TASKRUN_FLAG",
    });
  }
  if (!flags.includes("CQE32") && !flags.includes("CQE_MIXED")) {
    throw new UringError(OPERATION, ERRNO.EINVAL, {
      meaning: "completions of this ring have 16 bytes, and those of a receiver have 32",
      advice: "Ring.open({ completionSize: 32 })" +
        (features.mixedCompletions ? ', or "mixed"' : ""),
    });
  }
  if (flags.includes("CQE_MIXED") && ring.completionEntries < MIXED_PLACES) {
    throw new UringError(OPERATION, ERRNO.EINVAL, {
      meaning:
        `the ring's ${ring.completionEntries} completion entries may never have room for one ` +
        "of 32 bytes, which takes two that follow each other and do not wrap around",
      advice: `Ring.open with completionEntries of at least ${MIXED_PLACES}`,
    });
  }
}
