/**
 * The two queues of a ring as typed arrays over the memory that the kernel shares with us.
 *
 * @module
 */
import { ERRNO } from "../kernel/errno.ts";
import { LAYOUTS, Struct } from "../kernel/layout.ts";
import { Mapping } from "../kernel/memory.ts";
import { native } from "../kernel/native.ts";
import { CQ_FLAG, FEAT, OFF, SETUP } from "../kernel/uapi.ts";
import { UnsupportedError, UringError } from "../kernel/errors.ts";

/** Set-up flags that zclab asks for, newest first, and the kernel version that brought each. */
export const WANTED_FLAGS: readonly (readonly [name: keyof typeof SETUP, since: string])[] = [
  ["NO_SQARRAY", "6.6"],
  ["DEFER_TASKRUN", "6.1"],
  ["SINGLE_ISSUER", "6.0"],
  ["TASKRUN_FLAG", "5.19"],
  ["SUBMIT_ALL", "5.18"],
];

/** A set-up flag that zclab uses where the kernel has it. */
export type SetupFlag =
  | "NO_SQARRAY"
  | "DEFER_TASKRUN"
  | "SINGLE_ISSUER"
  | "TASKRUN_FLAG"
  | "SUBMIT_ALL"
  | "COOP_TASKRUN";

/**
 * Bytes of a completion: 16; 32 for all of them (CQE32, 5.19); or 16 and, where a request needs it,
 * 32 in two places of the queue (CQE_MIXED, 6.18). Zero-copy receive needs one of the latter two.
 */
export type CompletionSize = 16 | 32 | "mixed";

/** The flag that asks for a completion size, its name, and the kernel version that brought it. */
const COMPLETION_SIZES = {
  16: [0, "", ""],
  32: [SETUP.CQE32, "IORING_SETUP_CQE32", "5.19"],
  mixed: [SETUP.CQE_MIXED, "IORING_SETUP_CQE_MIXED", "6.18"],
} as const;

/** A set-up that the kernel accepted. */
export interface Setup {
  /** File descriptor of the ring. */
  readonly fd: number;
  /** The flags that it got. */
  readonly flags: number;
  /** The structure that the kernel filled in. */
  readonly params: Struct;
}

/** The set-up flags as one number, with what depends on others put right. */
function flagsFrom(wanted: readonly SetupFlag[]): number {
  let flags = 0;
  for (const name of wanted) flags |= SETUP[name];
  // The kernel takes DEFER_TASKRUN only together with SINGLE_ISSUER, and TASKRUN_FLAG only
  // together with one of the two ways of running task work. Without TASKRUN_FLAG nobody would see
  // that there is deferred work.
  const deferring = SETUP.SINGLE_ISSUER | SETUP.TASKRUN_FLAG;
  if ((flags & deferring) !== deferring) flags &= ~SETUP.DEFER_TASKRUN;
  if ((flags & SETUP.DEFER_TASKRUN) === 0 && (flags & SETUP.TASKRUN_FLAG) !== 0) {
    flags |= SETUP.COOP_TASKRUN;
  }
  return flags;
}

/**
 * Sets a ring up with as many of the wanted flags as the kernel takes: on EINVAL the newest flag
 * is left out, and so on.
 *
 * @param setup The system call: takes the flags, returns a descriptor or -errno.
 * @param wanted Flags to start from; newest first.
 */
export function negotiate(
  setup: (flags: number) => number,
  wanted: readonly SetupFlag[],
): { fd: number; flags: number } {
  for (let dropped = 0; dropped <= wanted.length; dropped++) {
    const flags = flagsFrom(wanted.slice(dropped));
    const result = setup(flags);
    if (result >= 0) return { fd: result, flags };
    if (result !== -ERRNO.EINVAL || dropped === wanted.length) {
      throw new UringError("io_uring_setup", -result);
    }
  }
  throw new UringError("io_uring_setup", ERRNO.EINVAL);
}

/**
 * Makes a ring and returns what the kernel said of it.
 *
 * @throws {UnsupportedError} If the kernel lacks the completion size, or is older than 5.11.
 */
export function setUp(
  entries: number,
  completionEntries: number | undefined,
  wanted: readonly SetupFlag[],
  completionSize: CompletionSize = 16,
): Setup {
  const [sizeFlag, sizeName, since] = COMPLETION_SIZES[completionSize];
  let params = new Struct(LAYOUTS.io_uring_params);
  const call = (flags: number): number => {
    params = new Struct(LAYOUTS.io_uring_params);
    if (completionEntries !== undefined) {
      params.set("cq_entries", completionEntries);
      flags |= SETUP.CQSIZE;
    }
    params.set("flags", (flags | sizeFlag) >>> 0);
    return native().io_uring_setup(entries, params.buffer);
  };
  const { fd, flags } = negotiateSize(call, wanted, sizeName, since);
  const needed = FEAT.SINGLE_MMAP | FEAT.NODROP | FEAT.EXT_ARG;
  if ((params.get("features") & needed) !== needed) {
    native().zclab_close(fd);
    throw new UnsupportedError("IORING_FEAT_EXT_ARG", { since: "5.11" });
  }
  return { fd, flags: flags | sizeFlag, params };
}

/** Like {@linkcode negotiate}; a completion size is nothing that one could do without. */
function negotiateSize(
  call: (flags: number) => number,
  wanted: readonly SetupFlag[],
  feature: string,
  since: string,
): { fd: number; flags: number } {
  try {
    return negotiate(call, wanted);
  } catch (error) {
    if (feature !== "" && error instanceof UringError && error.code === "EINVAL") {
      throw new UnsupportedError(feature, {
        since,
        advice: "Open the ring with completionSize 16",
      });
    }
    throw error;
  }
}

/** The mapped queues of one ring. */
export class Queues {
  /** The ring's shared memory as 32-bit words: heads, tails, flags and completions. */
  readonly ring: Int32Array;
  /** The completions of it alone, 4 words or 8 for each. */
  readonly completions: Int32Array;
  /** The submission entries as 32-bit words, 16 for each. */
  readonly sqes: Int32Array;
  /** Number of submission entries. */
  readonly sqEntries: number;
  /** Number of completion entries; of places for 16 bytes where sizes are mixed. */
  readonly cqEntries: number;
  /** How many completions surely fit. */
  readonly cqRoom: number;
  /** Whether completions take one or two places. */
  readonly mixed: boolean;
  /** Binary logarithm of the words from one place of the completion queue to the next. */
  readonly cqeShift: 2 | 3;
  /** Word indices into `ring`. */
  readonly sqHead: number;
  readonly sqTail: number;
  readonly sqFlags: number;
  readonly cqHead: number;
  readonly cqTail: number;
  readonly cqOverflow: number;
  readonly cqes: number;
  readonly #cqFlags: number;
  readonly #ringMapping: Mapping;
  readonly #sqeMapping: Mapping;

  constructor(setup: Setup) {
    const { params, flags, fd } = setup;
    const sq = new Struct(LAYOUTS.io_sqring_offsets, { buffer: params.buffer, at: 40 });
    const cq = new Struct(LAYOUTS.io_cqring_offsets, { buffer: params.buffer, at: 80 });
    this.sqEntries = params.get("sq_entries");
    this.cqEntries = params.get("cq_entries");
    const hasArray = (flags & SETUP.NO_SQARRAY) === 0;
    this.mixed = (flags & SETUP.CQE_MIXED) !== 0;
    this.cqeShift = (flags & SETUP.CQE32) !== 0 ? 3 : 2;
    // Two places for each, and one that may have to be skipped before the queue's end.
    this.cqRoom = this.mixed ? Math.max(1, (this.cqEntries - 1) >> 1) : this.cqEntries;
    const cqEnd = cq.get("cqes") + (this.cqEntries << this.cqeShift << 2);
    const sqEnd = hasArray ? sq.get("array") + this.sqEntries * 4 : 0;
    this.#ringMapping = Mapping.map({ fd, offset: OFF.SQ_RING, bytes: Math.max(cqEnd, sqEnd) });
    try {
      this.#sqeMapping = Mapping.map({
        fd,
        offset: OFF.SQES,
        bytes: this.sqEntries * LAYOUTS.io_uring_sqe.size,
      });
    } catch (error) {
      this.#ringMapping.close();
      throw error;
    }
    this.ring = new Int32Array(this.#ringMapping.buffer, 0, this.#ringMapping.bytes >> 2);
    this.sqes = new Int32Array(this.#sqeMapping.buffer);
    this.sqHead = sq.get("head") >> 2;
    this.sqTail = sq.get("tail") >> 2;
    this.sqFlags = sq.get("flags") >> 2;
    this.cqHead = cq.get("head") >> 2;
    this.cqTail = cq.get("tail") >> 2;
    this.cqOverflow = cq.get("overflow") >> 2;
    this.cqes = cq.get("cqes") >> 2;
    this.#cqFlags = cq.get("flags") >> 2;
    const words = this.cqEntries << this.cqeShift;
    this.completions = this.ring.subarray(this.cqes, this.cqes + words);
    if (hasArray) {
      // Entries are used in order, so the indirection is the identity, written once.
      const array = sq.get("array") >> 2;
      for (let i = 0; i < this.sqEntries; i++) this.ring[array + i] = i;
    }
  }

  /** Whether completions signal the registered eventfd. Off, they cost the batch API nothing. */
  set eventsEnabled(enabled: boolean) {
    Atomics.store(this.ring, this.#cqFlags, enabled ? 0 : CQ_FLAG.EVENTFD_DISABLED);
  }

  /** Unmaps the queues. Views of them become empty, never dangling. */
  close(): void {
    this.#ringMapping.close();
    this.#sqeMapping.close();
  }
}
