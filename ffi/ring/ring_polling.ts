/**
 * Busy polling of a ring: which NAPI contexts its waits poll, and for how long.
 *
 * @module
 */
import { kernelIsAtLeast, UnsupportedError, UringError } from "../kernel/errors.ts";
import { LAYOUTS, Struct } from "../kernel/layout.ts";
import { NAPI, REGISTER } from "../kernel/uapi.ts";
import { checkWhole } from "../kernel/arguments.ts";
import { notBuilt } from "../net/socket_polling.ts";
import type { Engine } from "./engine.ts";

/** How a ring learns which NAPI contexts to poll. */
export type NapiTracking = "dynamic" | "static";

/** How a ring shall busy poll. */
export interface RingBusyPollOptions {
  /** How long a wait polls before it sleeps, in microseconds: 0 to 10000. */
  readonly microseconds: number;
  /**
   * Whether polling shall have precedence over interrupts. It only has with `napi_defer_hard_irqs`
   * and `gro_flush_timeout` set on the interface. False by default.
   */
  readonly prefer?: boolean;
  /**
   * `dynamic`: the contexts that the ring's sockets get their packets from, forgotten after 60 s
   * without use. `static`: those in `ids` (6.13). The default is `static` if `ids` is given.
   */
  readonly tracking?: NapiTracking;
  /** The NAPI ids to poll, with static tracking. {@linkcode napiIdOf} tells a socket's. */
  readonly ids?: readonly number[];
}

/** `IO_URING_NAPI_TRACKING_*` */
const TRACKING = {
  dynamic: NAPI.TRACKING_DYNAMIC,
  static: NAPI.TRACKING_STATIC,
  inactive: NAPI.TRACKING_INACTIVE,
} as const;

/** What current kernels reduce longer times to, without saying so. */
const LONGEST = 10_000;
const LARGEST_U32 = 0xffff_ffff;

/** What a ring is set to. */
export interface RingSettings {
  readonly microseconds: number;
  readonly prefer: boolean;
  readonly tracking: keyof typeof TRACKING;
  readonly ids: readonly number[];
}

/** What is asked for, with the defaults. */
export interface RingPolling extends RingSettings {
  readonly tracking: NapiTracking;
}

/**
 * Checks options, and fills in what was left out.
 *
 * @throws {RangeError} If one is out of range, or ids are given for dynamic tracking.
 */
export function checkPolling(options: RingBusyPollOptions): RingPolling {
  const { microseconds, prefer = false, ids = [] } = options;
  const { tracking = options.ids === undefined ? "dynamic" : "static" } = options;
  checkWhole("microseconds", microseconds, 0, LONGEST);
  if (tracking !== "dynamic" && tracking !== "static") {
    throw new RangeError(`tracking is "dynamic" or "static", not ${Deno.inspect(tracking)}`);
  }
  if (tracking === "dynamic" && ids.length > 0) {
    throw new RangeError("Dynamic tracking finds its ids itself: leave out ids or tracking");
  }
  for (const id of ids) checkId(id);
  if (new Set(ids).size < ids.length) throw new RangeError(`The ids ${ids} are not distinct`);
  return { microseconds, prefer, tracking, ids };
}

/**
 * Sets a ring to busy polling. When that fails, nothing has changed.
 *
 * @param idsBefore The static ids of before, which the kernel does not tell.
 * @returns Puts back what was there; does nothing once the ring is closed.
 */
export function pollRing(
  engine: Engine,
  polling: RingPolling,
  idsBefore: readonly number[],
): () => void {
  const before = { ...register(engine, polling), ids: idsBefore };
  try {
    for (const id of polling.ids) addId(engine, id);
  } catch (error) {
    restore(engine, before);
    throw error;
  }
  return () => restore(engine, before);
}

/** The fields of `struct io_uring_napi` that a call sets. */
interface NapiArgument {
  readonly busy_poll_to?: number;
  readonly prefer_busy_poll?: number;
  readonly op_param: number;
}

/** `IORING_REGISTER_NAPI`; the kernel overwrites the argument with what was set before. */
function napi(
  engine: Engine,
  operation: "REGISTER_OP" | "STATIC_ADD_ID" | "STATIC_DEL_ID",
  argument: NapiArgument,
): Struct<typeof LAYOUTS.io_uring_napi.fields> {
  const struct = new Struct(LAYOUTS.io_uring_napi)
    .set("opcode", NAPI[operation])
    .set("op_param", argument.op_param)
    .set("busy_poll_to", argument.busy_poll_to ?? 0)
    .set("prefer_busy_poll", argument.prefer_busy_poll ?? 0);
  engine.register("IORING_REGISTER_NAPI", REGISTER.NAPI, struct.buffer, 1);
  return struct;
}

/** Sets a ring to busy polling without static ids, and returns what it was set to. */
function register(
  engine: Engine,
  { microseconds, prefer, tracking }: Omit<RingSettings, "ids">,
): Omit<RingSettings, "ids"> {
  let before: Struct<typeof LAYOUTS.io_uring_napi.fields>;
  try {
    before = napi(engine, "REGISTER_OP", {
      busy_poll_to: microseconds,
      prefer_busy_poll: Number(prefer),
      op_param: TRACKING[tracking],
    });
  } catch (error) {
    throw explainRefusal(error, tracking === "static");
  }
  const old = {
    microseconds: before.get("busy_poll_to"),
    prefer: before.get("prefer_busy_poll") !== 0,
  };
  const value = before.get("op_param");
  // Before 6.13 the kernel did not say whether it was active; without a time it was not.
  const wasInactive = value === TRACKING.inactive ||
    (!kernelIsAtLeast("6.13") && old.microseconds === 0 && !old.prefer);
  if (wasInactive) return { ...old, tracking: "inactive" };
  return { ...old, tracking: value === TRACKING.static ? "static" : "dynamic" };
}

/** Adds a NAPI context to those that a ring polls. */
export function addId(engine: Engine, id: number): void {
  try {
    napi(engine, "STATIC_ADD_ID", { op_param: id });
  } catch (error) {
    if (!(error instanceof UringError) || error.code !== "EINVAL") throw error;
    throw new UringError("IO_URING_NAPI_STATIC_ADD_ID", error.errno, {
      meaning: `${id} is no NAPI id: they are larger than the number of processors that the ` +
        "kernel was built for",
      advice: "take it from napiIdOf(socket) after the socket has received a packet",
    });
  }
}

/** Takes a NAPI context away from those that a ring polls. */
export function removeId(engine: Engine, id: number): void {
  napi(engine, "STATIC_DEL_ID", { op_param: id });
}

function restore(engine: Engine, before: RingSettings): void {
  if (engine.closed) return;
  if (before.tracking !== "inactive") {
    register(engine, before);
    for (const id of before.ids) addId(engine, id);
    return;
  }
  // Unregistering alone keeps the list of ids, each of which every wait would still poll once.
  register(engine, { microseconds: 0, prefer: false, tracking: "dynamic" });
  engine.register("IORING_UNREGISTER_NAPI", REGISTER.UNREGISTER_NAPI, null, 1);
}

function explainRefusal(error: unknown, isStatic: boolean): unknown {
  if (!(error instanceof UringError)) return error;
  if (error.code === "EOPNOTSUPP") return notBuilt("IORING_REGISTER_NAPI");
  if (error.code !== "EINVAL") return error;
  if (!kernelIsAtLeast("6.9")) {
    return new UnsupportedError("IORING_REGISTER_NAPI", {
      since: "6.9",
      advice: "Use BusyPoll.ofSocket",
    });
  }
  if (isStatic && !kernelIsAtLeast("6.13")) {
    return new UnsupportedError("IO_URING_NAPI_TRACKING_STATIC", {
      since: "6.13",
      advice: "Use dynamic tracking",
    });
  }
  return error;
}

/** @throws {RangeError} If a number cannot be a NAPI id. */
export function checkId(id: number): void {
  checkWhole("NAPI id", id, 1, LARGEST_U32);
}
