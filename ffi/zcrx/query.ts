/**
 * What this kernel can do of zero-copy receive.
 *
 * @module
 */
import { kernelIsAtLeast } from "../kernel/errors.ts";
import { LAYOUTS, Struct } from "../kernel/layout.ts";
import { addressOf } from "../kernel/memory.ts";
import { native } from "../kernel/native.ts";
import {
  OP,
  QUERY,
  REGISTER,
  SETUP,
  ZCRX,
  ZCRX_CTRL,
  ZCRX_EVENT,
  ZCRX_FEATURE,
  ZCRX_REG,
} from "../kernel/uapi.ts";

/** Something that happens to a receiver: no free buffer for the NIC, or data that had to be copied. */
export type ZcrxEvent = "ALLOC_FAIL" | "COPY";

/** What this kernel can do of zero-copy receive. */
export interface ZcrxFeatures {
  /** It has the operation RECV_ZC and the registration (6.15). */
  readonly receive: boolean;
  /** Areas that are dma-bufs (6.16). */
  readonly dmaBuf: boolean;
  /** Rings of completions of both sizes (`IORING_SETUP_CQE_MIXED`, 6.18). */
  readonly mixedCompletions: boolean;
  /** A full refill ring can be emptied at once (`ZCRX_CTRL_FLUSH_RQ`, 6.19). */
  readonly flush: boolean;
  /** Receivers can be shared between rings (`ZCRX_CTRL_EXPORT`, `ZCRX_REG_IMPORT`, 6.19). */
  readonly share: boolean;
  /** Buffers of more than a page (`ZCRX_FEATURE_RX_PAGE_SIZE`, 7.0). */
  readonly bufferBytes: boolean;
  /** Receivers without a device, which copy (`ZCRX_REG_NODEV`, 7.1). */
  readonly withoutDevice: boolean;
  /** Events that it reports (7.2). */
  readonly events: readonly ZcrxEvent[];
  /** It counts what it copied (7.2). */
  readonly statistics: boolean;
  /** Areas can be added to a receiver (`ZCRX_CTRL_ADD_AREA`, 7.3). */
  readonly addArea: boolean;
  /** Whether the kernel itself was asked (`IORING_REGISTER_QUERY`, 6.18), or only its version. */
  readonly from: "query" | "version";
}

/** Asks the kernel one question; `undefined` if it does not know the question. */
function ask(op: number, answer: Struct): Struct | undefined {
  const header = new Struct(LAYOUTS.io_uring_query_hdr)
    .set("query_data", addressOf(answer.buffer))
    .set("query_op", op)
    .set("size", answer.buffer.byteLength);
  // No ring is needed: the descriptor -1 says so.
  const result = native().io_uring_register(0xffffffff, REGISTER.QUERY, header.buffer, 0);
  return result === 0 && header.get("result") === 0 ? answer : undefined;
}

/**
 * Asks the kernel what it can do of zero-copy receive (`IORING_REGISTER_QUERY`, 6.18; for this
 * question 6.19), or concludes it from the version where the kernel cannot be asked. Needs no
 * privileges. What a network device can do is another question: see
 * {@linkcode ZcrxReceiver.open}.
 *
 * @returns What it can do. A kernel that was built without `CONFIG_IO_URING_ZCRX` answers the same
 *   and refuses the registration.
 * @throws {UnsupportedError} If liburing or a compiler for the shim is missing.
 *
 * @example
 * ```ts
 * import { kernelIsAtLeast, zcrxFeatures } from "zclab";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(zcrxFeatures().receive, kernelIsAtLeast("6.15"));
 * ```
 */
export function zcrxFeatures(): ZcrxFeatures {
  const opcodes = ask(QUERY.OPCODES, new Struct(LAYOUTS.io_uring_query_opcode));
  const zcrx = ask(QUERY.ZCRX, new Struct(LAYOUTS.io_uring_query_zcrx));
  const events = ask(QUERY.ZCRX_EVENT, new Struct(LAYOUTS.io_uring_query_zcrx_event));
  const receive = opcodes === undefined
    ? kernelIsAtLeast("6.15")
    : opcodes.get("nr_request_opcodes") > OP.RECV_ZC;
  const mixedCompletions = opcodes !== undefined &&
    (opcodes.get("ring_setup_flags") & SETUP.CQE_MIXED) !== 0;
  if (zcrx === undefined) {
    // Before 6.19: then there is nothing of what came with it or after.
    return {
      receive,
      dmaBuf: receive && kernelIsAtLeast("6.16"),
      mixedCompletions,
      flush: false,
      share: false,
      bufferBytes: false,
      withoutDevice: false,
      events: [],
      statistics: false,
      addArea: false,
      from: opcodes === undefined ? "version" : "query",
    };
  }
  const controls = zcrx.get("nr_ctrl_opcodes");
  const mask = events?.get("event_flags") ?? 0;
  return {
    receive,
    dmaBuf: (zcrx.get("area_flags") & ZCRX.AREA_DMABUF) !== 0,
    mixedCompletions,
    flush: controls > ZCRX_CTRL.FLUSH_RQ,
    share: controls > ZCRX_CTRL.EXPORT && (zcrx.get("register_flags") & ZCRX_REG.IMPORT) !== 0,
    bufferBytes: (zcrx.get("features") & ZCRX_FEATURE.RX_PAGE_SIZE) !== 0,
    withoutDevice: (zcrx.get("register_flags") & ZCRX_REG.NODEV) !== 0,
    events: (Object.keys(ZCRX_EVENT) as ZcrxEvent[])
      .filter((name) => (mask & (1 << ZCRX_EVENT[name])) !== 0),
    statistics: (events?.get("stats_size") ?? 0) >= LAYOUTS.zcrx_stats.size,
    addArea: controls > ZCRX_CTRL.ADD_AREA,
    from: "query",
  };
}
