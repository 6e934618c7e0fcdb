/**
 * What both APIs of a ring stand on: entries go in, completions come out and find their owner.
 *
 * @module
 */
import { now } from "../kernel/clock.ts";
import {
  addDescriptorUser,
  deleteDescriptorUser,
  Descriptor,
  type DescriptorUser,
} from "../kernel/descriptor.ts";
import { ERRNO } from "../kernel/errno.ts";
import { ClosedError, kernelIsAtLeast, unwrap, UringError } from "../kernel/errors.ts";
import { CompletionQueue, NO_WORDS, type OnCompletion } from "./completion_queue.ts";
import { EntryRuns } from "./entry_runs.ts";
import { EventPump, type Pumped } from "./event_pump.ts";
import { FileWaits } from "./file_waits.ts";
import { LAYOUTS, Struct } from "../kernel/layout.ts";
import { addressOf } from "../kernel/memory.ts";
import { type Native, native } from "../kernel/native.ts";
import { cancelAll, cancelFile, type RequestingRing } from "./own_requests.ts";
import { Queues, type Setup } from "./queues.ts";
import { type Memory, RequestTable } from "./request_table.ts";
import { SpilledCompletions } from "./spilled_completions.ts";
import type { CountingTarget, Target } from "./target.ts";
import {
  BATCH,
  FIRST_LISTENER,
  FROM_ANOTHER_RING,
  INTERNAL,
  KIND_SHIFT,
  SLOT_MASK,
  type TARGET,
  ZERO_COPY,
} from "./user_data.ts";
import { ASYNC_CANCEL, CQE, ENTER, REGISTER, SETUP, SQ_FLAG, SQE } from "../kernel/uapi.ts";

// What the hot paths compare with, under names of this file: a member of an imported object is
// looked up at each use, and these are folded into the code.
/** More than any place of the submission queue; see the same of the completion queue. */
const PLACE = 0xff_ffff;
const MORE = CQE.MORE;
const NOTIF = CQE.NOTIF;
const GETEVENTS = ENTER.GETEVENTS;
const TASKRUN = SQ_FLAG.TASKRUN;
const DEFERRED = SQ_FLAG.TASKRUN | SQ_FLAG.CQ_OVERFLOW;
/** The kinds as signed words: what has a target lies below this. */
const FIRST_INTERNAL = INTERNAL << KIND_SHIFT;

const ECANCELED = -ERRNO.ECANCELED;
const EINVAL = -ERRNO.EINVAL;
const WAIT_ARGUMENT_BYTES = BigInt(LAYOUTS.io_uring_getevents_arg.size);
/** Milliseconds of one wait at most; a longer one, without an end say, takes several. */
const LONGEST_WAIT = 3_600_000;
/** How often entering is tried again when the kernel is out of room for the moment. */
const RETRIES = 1000;

/** See the module's description. */
export class Engine implements DescriptorUser, Pumped, RequestingRing {
  readonly fd: number;
  readonly queues: Queues;
  /** Submission entries as words; the batch fills them. */
  readonly sqes: Int32Array = NO_WORDS;
  /** Which of them hold a run of requests. */
  readonly runs: EntryRuns;
  closed = false;
  /** Whether notifications say if the data was copied (`IORING_SEND_ZC_REPORT_USAGE`). */
  readonly reportsUsage: boolean = kernelIsAtLeast("6.2");
  /** Whether that a timeout runs out can be a success (`IORING_TIMEOUT_ETIME_SUCCESS`). */
  readonly timesOutSuccessfully: boolean = kernelIsAtLeast("5.16");
  /** Whether sends take a vector (`IORING_SEND_VECTORIZED`). */
  readonly sendsVectors: boolean = kernelIsAtLeast("6.17");

  readonly #native: Native;
  readonly #descriptor: Descriptor;
  readonly #enter: Native["io_uring_enter"];
  readonly #ring: Int32Array = NO_WORDS;
  readonly #completions: CompletionQueue;
  // Where in the ring they lie; see {@linkcode Queues}.
  readonly #sqTailAt: number = 0;
  readonly #sqFlagsAt: number = 0;
  readonly #sqMask: number = 0;
  readonly #mixed: boolean;
  #enterFd = 0;
  #enterFlags = 0;
  /** Where the next entry goes; runs ahead of what the kernel was told. */
  #sqTail = 0;
  #submittedTail = 0;
  /** What the next entry must not reach before more is submitted; once closed, where it is. */
  #sqLimit = 0;
  /**
   * Whether the kernel moves the queues only inside our own calls (DEFER_TASKRUN). Then plain loads
   * and stores will do; the atomic ones are calls into the engine of JavaScript.
   */
  readonly #alone: boolean = false;
  #overflowSeen = 0;
  /**
   * Where the further 16 bytes of the completion lie that a {@linkcode Target} is told of, in words
   * of `queues.ring`. They are there only if the ring has completions of 32 bytes, and only until
   * the target returns.
   */
  extra = 0;
  /** Who is told of what the kernel posts without a request. */
  readonly #listeners: Target[] = [];
  readonly #closers: (() => void)[] = [];

  readonly #requests: RequestTable;
  readonly #spilled = new SpilledCompletions();
  readonly #toSpill: OnCompletion = (userData, result, flags) =>
    this.#spilled.push(userData, result, flags);
  readonly #pump = new EventPump(this);
  /** Who waits between two requests on a file. */
  readonly waits: FileWaits = new FileWaits();

  // The argument of waits with a time limit.
  /** A `struct __kernel_timespec`: the lower words of its seconds and nanoseconds are 0 and 2. */
  readonly #waitTime = new Int32Array(new ArrayBuffer(LAYOUTS.__kernel_timespec.size));
  readonly #waitArgument = new Struct(LAYOUTS.io_uring_getevents_arg)
    .set("ts", addressOf(this.#waitTime.buffer));

  constructor(setup: Setup) {
    this.#native = native();
    this.#enter = this.#native.io_uring_enter;
    this.fd = setup.fd;
    this.#enterFd = setup.fd;
    this.queues = new Queues(setup);
    this.#ring = this.queues.ring;
    this.#sqTailAt = this.queues.sqTail;
    this.#sqFlagsAt = this.queues.sqFlags;
    this.sqes = this.queues.sqes;
    this.runs = new EntryRuns(this.sqes);
    this.#sqMask = this.queues.sqEntries - 1;
    this.#sqLimit = this.queues.sqEntries;
    this.#mixed = this.queues.mixed;
    this.#alone = (setup.flags & SETUP.DEFER_TASKRUN) !== 0;
    this.#completions = new CompletionQueue(this.queues, this.#alone);
    this.#registerRingFd();
    this.#requests = new RequestTable(this.queues.cqEntries);
    this.#descriptor = new Descriptor(setup.fd, "Ring");
    addDescriptorUser(this);
  }

  /** Whether entering skips the look-up of the descriptor (`IORING_REGISTER_RING_FDS`, 5.18). */
  get ringFdRegistered(): boolean {
    return this.#enterFlags !== 0;
  }

  /** Requests prepared or submitted whose last completion has not been seen. */
  get inFlight(): number {
    // Every completion ends its request, except those that say that more will follow and those
    // that another ring posted. So counting these exceptions is enough.
    const completions = this.#completions;
    return (this.#sqTail - completions.head + completions.notFinal) | 0;
  }

  /** Where the entry that was prepared last starts. */
  get last(): number {
    return ((this.#sqTail - 1) & this.#sqMask) << 4;
  }

  /** Entries prepared and not submitted yet. */
  get prepared(): number {
    return (this.#sqTail - this.#submittedTail) | 0;
  }

  /** Completions that wait to be reaped, those in the queue that somebody awaits included. */
  get ready(): number {
    return this.#queued() + this.spilled;
  }

  /** Completions of the batch API that were set aside. */
  get spilled(): number {
    return this.#spilled.count;
  }

  /** @throws {ClosedError} After close. */
  ensureOpen(): void {
    if (this.closed) throw new ClosedError("Ring");
  }

  // === Preparing ===

  /**
   * Takes the next submission entry; submits first when the queue is full.
   *
   * @returns Where its 16 words start in `sqes`.
   */
  next(): number {
    const tail = this.#sqTail;
    // Closing leaves no room, so that this one comparison catches both.
    if (tail === this.#sqLimit) this.submit(0);
    this.#sqTail = (tail + 1) | 0;
    return (tail & this.#sqMask & PLACE) << 4;
  }

  /**
   * How many entries can be taken now; submits first when the queue is full. For many at once:
   * fill them from {@linkcode tail} on, then {@linkcode advance}.
   */
  room(): number {
    if (this.#sqTail === this.#sqLimit) this.submit(0);
    return (this.#sqLimit - this.#sqTail) | 0;
  }

  /** The number of the next entry; with `queues.sqEntries - 1` as mask its place in the queue. */
  get tail(): number {
    return this.#sqTail;
  }

  /** Takes entries that were filled. */
  advance(count: number): void {
    this.#sqTail = (this.#sqTail + count) | 0;
  }

  /**
   * Makes sure that the next `count` entries can be awaited and go to the kernel in one submission,
   * as links must.
   */
  reserve(count: number): void {
    this.ensureOpen();
    this.#pump.open();
    if (count > this.queues.sqEntries) {
      throw new RangeError(
        `A request with a timeout takes ${count} entries and this ring has ` +
          `${this.queues.sqEntries}: open it with more`,
      );
    }
    if (this.prepared + count <= this.queues.sqEntries) return;
    if (this.prepared > 0 && (this.sqes[this.last]! >> 8 & SQE.IO_LINK) !== 0) {
      throw new RangeError(
        `link: the submission queue has no room for ${count} entries more, a request and its ` +
          `timeout, and links must be submitted together: submit before the first of them`,
      );
    }
    this.submit(0);
  }

  /**
   * Notes a request that uses memory or has a target, before its entry is taken. Submits first when
   * the queue is full, so that taking the entry cannot fail.
   *
   * @returns The upper word of its user_data.
   * @throws {OwnershipError} If the memory is not free for this.
   * @throws {ClosedError} After close.
   */
  track(
    operation: string,
    memory: Memory,
    writing: boolean,
    kind: typeof BATCH | typeof TARGET,
    target: Target | null,
  ): number {
    // As in next(): this one comparison catches both.
    if (this.#sqTail === this.#sqLimit) this.submit(0);
    return (kind << KIND_SHIFT) | this.#requests.add(operation, memory, writing, target);
  }

  /** Says how many requests share the slot of a tracked one, which then ends with their last. */
  share(upper: number, count: number): void {
    this.#requests.share(upper & SLOT_MASK, count);
  }

  /** Takes requests back that could not be prepared after all. */
  unshare(upper: number, count: number): void {
    this.#requests.endMany(upper & SLOT_MASK, count);
  }

  // === Submitting ===

  /**
   * Tells the kernel of all prepared entries, and waits until that many completions are in the
   * queue. Blocks the thread while it waits.
   *
   * @returns How many entries were submitted.
   */
  submit(waitFor: number): number {
    if (this.closed) throw new ClosedError("Ring");
    this.#requests.submitted();
    const tail = this.#sqTail;
    const count = (tail - this.#submittedTail) | 0;
    if (this.#alone) this.#ring[this.#sqTailAt] = tail;
    else Atomics.store(this.#ring, this.#sqTailAt, tail);
    let flags = this.#enterFlags;
    let places = waitFor;
    if (waitFor > 0) {
      flags |= GETEVENTS;
      // Inside a completion callback the kernel would still count what was handed out already.
      this.#completions.publishOnce();
      if (this.#mixed) places = this.#places(waitFor);
    }
    const result = this.#enter(this.#enterFd, count, places, flags, null);
    if (result === count && (waitFor === 0 || this.#queued() >= waitFor)) {
      this.#submittedUpTo(tail);
      return count;
    }
    return this.#submitRest(result, count, waitFor);
  }

  #submittedUpTo(tail: number): void {
    this.#submittedTail = tail;
    this.#sqLimit = (tail + this.#sqMask + 1) | 0;
  }

  /** What is left when the kernel took only a part, or a signal ended the wait. */
  #submitRest(result: number, count: number, waitFor: number): number {
    let retries = 0;
    while (true) {
      if (result >= 0) {
        if (result > 0) retries = 0;
        this.#submittedUpTo((this.#submittedTail + result) | 0);
      } else if (result === -ERRNO.EAGAIN || result === -ERRNO.EBUSY) {
        // EAGAIN, EBUSY: the kernel lacks room; completions may make some.
        if (++retries > RETRIES) throw new UringError("io_uring_enter", -result);
        this.harvest(this.#toSpill);
      } else if (result !== -ERRNO.EINTR) throw new UringError("io_uring_enter", -result);
      const left = (this.#sqTail - this.#submittedTail) | 0;
      if (left === 0 && this.#queued() >= waitFor) return count;
      if (left > 0 && result === 0 && ++retries > RETRIES) {
        throw new UringError("io_uring_enter", ERRNO.EBUSY);
      }
      const flags = waitFor > 0 ? this.#enterFlags | GETEVENTS : this.#enterFlags;
      result = this.#enter(this.#enterFd, left, this.#places(waitFor), flags, null);
      // A wait without entries returns 0: that is success, seen above by what is queued.
    }
  }

  /**
   * Like {@linkcode submit}, for more completions than the queue has room for: those that came are
   * set aside until they are reaped.
   */
  submitAndCollect(waitFor: number): number {
    const submitted = this.submit(0);
    for (let missing = waitFor; missing > 0;) {
      this.submit(Math.min(missing, this.queues.cqRoom));
      missing -= this.settle();
    }
    return submitted;
  }

  /** A word of the ring that the kernel writes. */
  #load(index: number): number {
    return this.#alone ? this.#ring[index]! : Atomics.load(this.#ring, index);
  }

  /** Completions in the queue. */
  #queued(): number {
    const completions = this.#completions;
    const places = (completions.tail - completions.head) | 0;
    return this.#mixed ? this.#countIn(places) : places;
  }

  /** How many completions are in so many places of a queue of mixed sizes. */
  #countIn(places: number): number {
    const { words, head, mask } = this.#completions;
    let count = 0;
    for (let place = 0; place < places; place++) {
      const flags = words[((head + place) & mask) << 2 | 3]!;
      if ((flags & CQE.SKIP) !== 0) continue;
      count++;
      if ((flags & CQE.LARGE) !== 0) place++;
    }
    return count;
  }

  /**
   * What the kernel is to wait for, which counts places of the queue, so that at least one more
   * completion comes if there are less than that many.
   */
  #places(count: number): number {
    if (!this.#mixed || count === 0) return count;
    const { tail, head } = this.#completions;
    const places = (tail - head) | 0;
    const missing = count - this.#countIn(places);
    return missing <= 0 ? 0 : places + missing;
  }

  /**
   * Waits until that many completions are in the queue, or the time has run out. Blocks the thread.
   *
   * @returns Whether they are there.
   */
  waitBlocking(count: number, milliseconds: number): boolean {
    if (Number.isNaN(milliseconds)) throw new RangeError("A time in milliseconds is not NaN");
    if (this.prepared > 0) this.submit(0);
    if (this.#queued() >= count) return true;
    return this.waitUntil(count, milliseconds, now() + milliseconds);
  }

  /**
   * Like {@linkcode waitBlocking}, for who has submitted, found too little in the queue, and read the
   * clock ({@linkcode now}): the time runs out at the deadline, so many milliseconds from then.
   */
  waitUntil(count: number, milliseconds: number, deadline: number): boolean {
    // Inside a completion callback the kernel would still count what was handed out already.
    this.#completions.publishOnce();
    for (let left = milliseconds; left > 0; left = deadline - now()) {
      const wait = Math.min(left, LONGEST_WAIT);
      const seconds = Math.floor(wait / 1000);
      this.#waitTime[0] = seconds;
      this.#waitTime[2] = Math.floor((wait - seconds * 1000) * 1e6);
      const result = this.#native.io_uring_enter2(
        this.#enterFd,
        0,
        this.#places(count),
        this.#enterFlags | GETEVENTS | ENTER.EXT_ARG,
        this.#waitArgument.buffer,
        WAIT_ARGUMENT_BYTES,
      );
      // ETIME is what running out of time looks like; EINTR leads to another look at the clock.
      if (result < 0 && result !== -ERRNO.ETIME && result !== -ERRNO.EINTR) {
        unwrap("io_uring_enter", result);
      }
      if (this.#queued() >= count) return true;
    }
    return false;
  }

  // === Completing ===

  /**
   * Hands out every completion that there is: each to its owner, those of the batch API to the
   * function.
   *
   * @returns How many completions were seen.
   */
  harvest(onCompletion: OnCompletion): number {
    let seen = 0;
    while (true) {
      seen += this.#collect(onCompletion);
      if (this.closed || !this.#hasDeferred()) return seen;
      this.#runDeferred();
    }
  }

  /** Like {@linkcode settle} for the completions that are in the queue now. */
  settleQueued(): number {
    return this.#collect(this.#toSpill);
  }

  /**
   * A step of {@linkcode settle}: hands out what is in the queue, or if nothing is, what the kernel
   * has put off and now does. For who must give something back before more may come.
   *
   * @returns How many completions were seen; 0 if there are none.
   */
  settleStep(): number {
    const seen = this.#collect(this.#toSpill);
    if (seen > 0 || this.closed || !this.#hasDeferred()) return seen;
    this.#runDeferred();
    return this.#collect(this.#toSpill);
  }

  /** Hands out the completions that are in the queue now. */
  #collect(onCompletion: OnCompletion): number {
    const completions = this.#completions;
    const { tail, head } = completions;
    if (head === tail) return 0;
    let seen = (tail - head) | 0;
    try {
      if (completions.isSmall) this.#handOut(tail, onCompletion);
      else seen -= this.#handOutLarge(tail, onCompletion);
    } finally {
      if (!this.closed) completions.publish();
    }
    return seen;
  }

  /** Whether the kernel has put something off until this thread asks. */
  #hasDeferred(): boolean {
    const flags = this.#load(this.#sqFlagsAt);
    return (flags & DEFERRED) !== 0;
  }

  #handOut(tail: number, onCompletion: OnCompletion): void {
    const completions = this.#completions;
    const { words, mask } = completions;
    const requests = this.#requests;
    const { targets } = requests;
    let { head } = completions;
    let notFinal = 0;
    while (((tail - head) | 0) > 0) {
      const at = (head & mask) << 2;
      const userData = words[at]!;
      const upper = words[at | 1]!;
      const result = words[at | 2]!;
      const flags = words[at | 3]!;
      if (upper < FIRST_INTERNAL && result !== ECANCELED) {
        // A target only counts or resolves: it calls nobody who could reap, throw or close.
        const slot = upper & SLOT_MASK;
        const target = targets[slot]!;
        if (target.counts === true) {
          const next = this.#countRun(target as CountingTarget, upper, head, tail);
          if (next !== head) {
            head = next;
            continue;
          }
        }
        head = (head + 1) | 0;
        const final = (flags & MORE) === 0;
        if (!final) notFinal++;
        else requests.end(slot);
        target.complete(result, flags, slot, final, userData);
        continue;
      }
      // The head moves before a callback, so that it may reap, throw or close.
      head = (head + 1) | 0;
      completions.head = head;
      if ((flags & MORE) !== 0) notFinal++;
      if (notFinal !== 0) {
        completions.notFinal += notFinal;
        notFinal = 0;
      }
      if (upper === 0) onCompletion(userData >>> 0, result, flags);
      else if (upper > 0 && result !== ECANCELED) {
        // Of the batch API, with memory, which is given back first: it may be used again at once.
        const slot = upper & SLOT_MASK;
        if ((flags & MORE) === 0) requests.end(slot);
        onCompletion(userData >>> 0, result, flags);
      } else this.#toOwner(userData, upper, result, flags, onCompletion);
      if (this.closed) return;
      head = completions.head;
    }
    completions.head = head;
    completions.notFinal += notFinal;
  }

  /**
   * Completions of one request, or of those that share its slot, that lie next to each other: counted
   * without a call for each, as long as they are sends that sent something and notifications.
   *
   * @returns Where the rest begins.
   */
  #countRun(target: CountingTarget, upper: number, from: number, tail: number): number {
    const { words, mask } = this.#completions;
    let head = from;
    let sent = 0;
    let bytes = 0;
    let notified = 0;
    let copied = 0;
    let more = 0;
    while (head !== tail) {
      const place = head & mask;
      const first = place << 2;
      const result = words[first | 2]!;
      const flags = words[first | 3]!;
      const isNotification = (flags & NOTIF) !== 0;
      if (words[first | 1] !== upper || (result <= 0 && !isNotification)) break;
      // Most often many say the same, one after the other; at the queue's end they begin anew.
      const end = first + (Math.min((tail - head) | 0, mask + 1 - place) << 2);
      let at = first + 4;
      while (
        at < end && words[at | 1] === upper && words[at | 2] === result && words[at | 3] === flags
      ) at += 4;
      const same = (at - first) >> 2;
      head = (head + same) | 0;
      if (isNotification) {
        notified += same;
        // Bit 31 says that the kernel copied.
        if (result < 0) copied += same;
      } else {
        sent += same;
        bytes += same * result;
      }
      if ((flags & MORE) !== 0) more += same;
    }
    const seen = (head - from) | 0;
    if (seen === 0) return from;
    this.#completions.notFinal += more;
    const final = seen - more;
    const slot = upper & SLOT_MASK;
    if (final > 0) this.#requests.endMany(slot, final);
    target.count(sent, bytes, notified, copied, final);
    return head;
  }

  /**
   * {@linkcode #handOut} for completions of 32 bytes, or of both sizes.
   *
   * @returns How many places of the queue were no completion of their own.
   */
  #handOutLarge(tail: number, onCompletion: OnCompletion): number {
    const completions = this.#completions;
    const { words, mask } = completions;
    const shift = this.queues.cqeShift;
    const extra = this.queues.cqes + 4;
    const mixed = this.#mixed;
    const requests = this.#requests;
    const { targets } = requests;
    let { head } = completions;
    let notFinal = 0;
    let further = 0;
    while (((tail - head) | 0) > 0) {
      const at = (head & mask) << shift;
      const flags = words[at | 3]!;
      head = (head + 1) | 0;
      if (mixed && (flags & (CQE.SKIP | CQE.LARGE)) !== 0) {
        // A place that holds no completion, or the second place of one.
        notFinal++;
        further++;
        if ((flags & CQE.SKIP) !== 0) continue;
        head = (head + 1) | 0;
      }
      const userData = words[at]!;
      const upper = words[at | 1]!;
      const result = words[at | 2]!;
      this.extra = extra + at;
      if (upper < FIRST_INTERNAL && result !== ECANCELED) {
        const slot = upper & SLOT_MASK;
        const target = targets[slot]!;
        const final = (flags & MORE) === 0;
        if (!final && !mixed && target.completeRun !== undefined) {
          const run = target.completeRun((head - 1) | 0, tail, upper);
          notFinal += run;
          head = (head - 1 + run) | 0;
          continue;
        }
        if (!final) notFinal++;
        else requests.end(slot);
        target.complete(result, flags, slot, final, userData);
        continue;
      }
      completions.head = head;
      if ((flags & MORE) !== 0) notFinal++;
      if (notFinal !== 0) {
        completions.notFinal += notFinal;
        notFinal = 0;
      }
      if (upper === 0) onCompletion(userData >>> 0, result, flags);
      else this.#toOwner(userData, upper, result, flags, onCompletion);
      if (this.closed) return further;
      head = completions.head;
    }
    completions.head = head;
    completions.notFinal += notFinal;
    return further;
  }

  #toOwner(
    userData: number,
    upper: number,
    result: number,
    flags: number,
    onCompletion: OnCompletion,
  ): void {
    const kind = upper >>> KIND_SHIFT;
    const slot = upper & SLOT_MASK;
    let final = (flags & MORE) === 0;
    if (result === ECANCELED && final && (upper & ZERO_COPY) !== 0) {
      // When the request that a zero-copy send is linked to fails, the kernel cancels the send
      // without IORING_CQE_F_MORE, and posts its notification all the same (seen on 6.18).
      final = false;
      flags |= MORE;
      this.#completions.notFinal++;
    }
    if (kind === INTERNAL) {
      if (slot === 0) return;
      // Another ring or the kernel posted this: it is no answer to a request of ours.
      this.#completions.notFinal++;
      if (slot === FROM_ANOTHER_RING) onCompletion(userData >>> 0, result, flags);
      else this.#listeners[slot - FIRST_LISTENER]!.complete(result, flags, slot, false, userData);
      return;
    }
    const target = this.#requests.targets[slot]!;
    // Memory is given back first: who is told of a completion may use it again at once.
    if (final) this.#requests.end(slot);
    if (kind === BATCH) onCompletion(userData >>> 0, result, flags);
    else if (target !== null) target.complete(result, flags, slot, final, userData);
  }

  /** Lets the kernel finish what it has put off for this thread, and refill the queue. */
  #runDeferred(): void {
    // Reaping inside the callback of the last completion comes here before the head was published.
    this.#completions.publish();
    // The kernel clears the flag only when it finds work, and (6.18) leaves it behind set when a
    // wait has run work that came meanwhile. Cleared here, it is set afterwards only if more came.
    Atomics.and(this.#ring, this.#sqFlagsAt, ~TASKRUN);
    const result = this.#enter(this.#enterFd, 0, 0, this.#enterFlags | GETEVENTS, null);
    if (
      result < 0 && result !== -ERRNO.EINTR && result !== -ERRNO.EAGAIN && result !== -ERRNO.EBUSY
    ) {
      unwrap("io_uring_enter", result);
    }
    const overflow = this.#load(this.queues.cqOverflow);
    if (overflow !== this.#overflowSeen) {
      const lost = (overflow - this.#overflowSeen) >>> 0;
      this.#overflowSeen = overflow;
      throw new UringError("io_uring_enter", ERRNO.EBADR, {
        meaning: `the kernel had no memory for ${lost} completions and dropped them`,
        advice: "reap more often, or open the ring with more completionEntries",
      });
    }
  }

  /** Like {@linkcode settle}, for the batch API: what was set aside comes first. */
  reap(onCompletion: OnCompletion): number {
    const seen = this.#spilled.isEmpty ? this.#completions.handOutPlain(onCompletion) : 0;
    return this.#hasReaped() ? seen : this.#reapRest(onCompletion, seen);
  }

  /** Whether plain completions were all that there was to reap. */
  #hasReaped(): boolean {
    const completions = this.#completions;
    if (!completions.isPlain || completions.head !== completions.tail) return false;
    completions.publish();
    return !this.#hasDeferred() && this.#spilled.isEmpty;
  }

  /** {@linkcode reap} for whatever there is. */
  #reapRest(onCompletion: OnCompletion, before: number): number {
    // A callback may have closed the ring.
    if (before === 0) this.ensureOpen();
    let seen = before;
    while (!this.closed) {
      // More is set aside when the function does what looks for completions, such as closing a
      // socket. It is older than what is in the queue then, and comes before it.
      seen += this.#handOutSpilled(onCompletion);
      if (this.closed) return seen;
      seen += this.#collect(onCompletion);
      if (this.closed) return seen;
      if (!this.#spilled.isEmpty) continue;
      if (!this.#hasDeferred()) return seen;
      this.#runDeferred();
    }
    return seen;
  }

  #handOutSpilled(onCompletion: OnCompletion): number {
    let seen = 0;
    while (!this.#spilled.isEmpty) {
      seen++;
      this.#spilled.shift(onCompletion);
      if (this.closed) break;
    }
    return seen;
  }

  /** Hands out completions, and sets those of the batch API aside until it reaps. */
  settle(): number {
    return this.harvest(this.#toSpill);
  }

  // === Awaiting ===

  /** Submits what this turn of the event loop prepares, together, at its end. */
  submitSoon(): void {
    this.#pump.submitSoon();
  }

  /** Says that somebody awaits completions; the event loop watches the ring until told otherwise. */
  watch(): void {
    this.#pump.watch();
  }

  /** The other half of {@linkcode watch}. */
  unwatch(): void {
    this.#pump.unwatch();
  }

  /** Whether completions signal the eventfd. */
  signalEvents(enabled: boolean): void {
    this.queues.eventsEnabled = enabled;
  }

  /** Makes completions signal an eventfd (`IORING_REGISTER_EVENTFD`, 5.2). */
  registerEvents(fd: number): void {
    const argument = new Int32Array([fd]).buffer;
    this.register("IORING_REGISTER_EVENTFD", REGISTER.EVENTFD, argument, 1);
  }

  /** The ring itself failed: whoever awaits something of it is told, nobody waits for ever. */
  fail(error: unknown): void {
    this.#requests.fail(error);
  }

  // === Registering and closing ===

  /**
   * Notes who is told of what the kernel posts without a request.
   *
   * @returns The upper word of its user_data.
   */
  listen(listener: Target): number {
    this.#listeners.push(listener);
    return INTERNAL << KIND_SHIFT | (FIRST_LISTENER + this.#listeners.length - 1);
  }

  /** Runs it when the ring has been closed. */
  afterClose(run: () => void): void {
    this.ensureOpen();
    this.#closers.push(run);
  }

  /** `io_uring_register(2)` on this ring. */
  register(operation: string, opcode: number, argument: ArrayBuffer | null, count: number): number {
    this.ensureOpen();
    return unwrap(
      operation,
      this.#native.io_uring_register(this.fd, opcode, argument, count),
    );
  }

  #registerRingFd(): void {
    const update = new Struct(LAYOUTS.io_uring_rsrc_update)
      .set("offset", 0xffffffff)
      .set("data", this.fd);
    const result = this.#native.io_uring_register(this.fd, REGISTER.RING_FDS, update.buffer, 1);
    // A thread has room for 16; without it entering works as well, a little slower.
    if (result !== 1) return;
    this.#enterFd = update.get("offset");
    this.#enterFlags = ENTER.REGISTERED_RING;
  }

  #unregisterRingFd(): void {
    if (this.#enterFlags === 0) return;
    const update = new Struct(LAYOUTS.io_uring_rsrc_update).set("offset", this.#enterFd);
    this.#native.io_uring_register(this.fd, REGISTER.UNREGISTER_RING_FDS, update.buffer, 1);
    this.#enterFd = this.fd;
    this.#enterFlags = 0;
  }

  /** Submits what is prepared if any of it names this descriptor, which is about to be closed. */
  submitOn(fd: number): void {
    const { sqEntries } = this.queues;
    for (let entry = this.#submittedTail; entry !== this.#sqTail; entry = (entry + 1) | 0) {
      const at = (entry & sqEntries - 1) << 4;
      // An index is no descriptor. What is no descriptor either is at worst submitted early.
      const isIndex = (this.sqes[at]! >> 8 & SQE.FIXED_FILE) !== 0;
      if (!isIndex && this.sqes[at + 1] === fd) {
        this.submit(0);
        return;
      }
    }
  }

  /**
   * Cancels every request on a file, which is about to be closed, by its descriptor or by its index
   * (IORING_REGISTER_SYNC_CANCEL, 6.0).
   */
  cancelOn(fd: number): void {
    this.waits.cancel(fd);
    this.submitOn(fd);
    // The next request of a chain may be among what the kernel has put off: it starts now, so that
    // it is cancelled as well, and not later, on a file that somebody else has by then.
    if (this.#hasDeferred()) this.settle();
    if (this.closed || this.inFlight === 0) return;
    const flags = ASYNC_CANCEL.FD | ASYNC_CANCEL.ALL;
    const argument = new Struct(LAYOUTS.io_uring_sync_cancel_reg).set("fd", fd).set("flags", flags);
    const { buffer } = argument;
    if (this.#native.io_uring_register(this.fd, REGISTER.SYNC_CANCEL, buffer, 1) === EINVAL) {
      cancelFile(this, fd, flags);
    }
    // A request has the file until its completion is seen, and the peer waits for the end.
    if (this.#hasDeferred()) this.settle();
  }

  /**
   * Cancels what can be cancelled and waits, without blocking the event loop, until nothing is in
   * flight or the time has run out.
   */
  async drain(milliseconds: number): Promise<void> {
    if (this.closed) return;
    const deadline = performance.now() + milliseconds;
    if (this.prepared > 0) this.submit(0);
    this.settle();
    if (!this.closed && this.inFlight > 0) cancelAll(this);
    while (!this.closed && this.inFlight > 0 && performance.now() < deadline) {
      if (this.settle() === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /**
   * Cancels what can be cancelled, waits for what is in flight, and gives everything back.
   *
   * @param milliseconds How long to wait at most.
   * @returns How many requests the kernel still had. Their memory stays mapped.
   */
  close(milliseconds: number): number {
    if (this.closed) return 0;
    try {
      if (this.prepared > 0) this.submit(0);
      this.settle();
      if (!this.closed && this.inFlight > 0) this.#waitForAll(milliseconds);
    } finally {
      this.#tearDown();
    }
    return this.inFlight;
  }

  #waitForAll(milliseconds: number): void {
    const deadline = performance.now() + milliseconds;
    cancelAll(this);
    this.settle();
    while (!this.closed && this.inFlight > 0) {
      const left = deadline - performance.now();
      if (left <= 0 || !this.waitBlocking(1, left)) return;
      this.settle();
    }
  }

  #tearDown(): void {
    if (this.closed) return;
    this.closed = true;
    this.#completions.isPlain = false;
    this.#sqLimit = this.#sqTail;
    this.#unregisterRingFd();
    this.queues.close();
    deleteDescriptorUser(this);
    this.#descriptor.close();
    this.#pump.close();
    this.fail(new ClosedError("Ring"));
    this.waits.close();
    for (const run of this.#closers.splice(0)) run();
  }
}
