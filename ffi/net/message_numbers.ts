/**
 * The numbers that the kernel gives the MSG_ZEROCOPY sends of a socket, followed without asking for
 * them: it has no call that tells.
 *
 * A send that put bytes out has used one number. One that failed, or had no bytes, may have used one
 * or none, and neither the errno nor the length says which: a full queue and a full option memory are
 * both ENOBUFS, and only the first of them has used a number. Worse, its memory may still be read:
 * the first fragments of a datagram can be on their way when a later one is refused.
 *
 * So the kernel's bookkeeping is asked. Each number is held by a small buffer that is charged to the
 * socket's option memory (SO_MEMINFO tells how much that is) from before the number is given until
 * the notification is read from the error queue, and what a send has given back is given back before
 * it returns. Hence, when first the option memory and then the error queue is read, there are at
 * least as many charges as numbers that have not been heard of, because what is out only gets less
 * between the two. That is how many numbers the sends in question have used at most; the highest
 * number that was heard of says how many at least. Where the two differ, these sends stay in doubt,
 * with everything that was sent behind them, until a notification or the next look settles it. What
 * is in doubt is in flight.
 *
 * @module
 */
import { now } from "../kernel/clock.ts";
import { ERRNO } from "../kernel/errno.ts";
import { unwrap, UringError } from "../kernel/errors.ts";
import { Numbered } from "./numbered.ts";

/** Ranges that one look at the error queue takes at most. */
const RANGES = 64;
/** Words of one range: first, last, code, origin. */
const WORDS = 4;
/** `SO_EE_CODE_ZEROCOPY_COPIED` */
const COPIED = 1;
/**
 * The kernel queues a notification before it gives up the charge of one that it merged with another:
 * another CPU may be in between. So long, in milliseconds, is looked again.
 */
const PATIENCE = 1;

/** What is asked of the socket. */
export interface NumberedSocket {
  /**
   * Takes ranges off the error queue, four words each: first, last, code, origin.
   *
   * @returns How many, or -errno.
   */
  takeRanges(ranges: Uint32Array<ArrayBuffer>, most: number): number;
  /** The option memory that the socket has in use, in bytes. */
  optionMemory(): number;
  /** Whether several sends may share a charge: those of one datagram do (UDP_CORK). */
  shares(): boolean;
}

/** Sends of the same memory. */
export interface Group {
  /** How many numbers of it are out, or may be. */
  left: number;
  /** Whether its sends succeeded, so that they are counted. */
  readonly counted: boolean;
}

/** What became of a send that may have used a number. */
export type Verdict = "used" | "unused" | "in doubt";

/** Sends of a group: how many, and whether each has used a number. */
interface Sends<G extends Group> {
  readonly group: G;
  readonly count: number;
  readonly certain: boolean;
}

/** Sends of which it is known how many numbers they have used, and which these are, but not whose. */
class Mixture<G extends Group> {
  readonly sends: readonly Sends<G>[];
  /** How many of the numbers are out. */
  left: number;
  /** How many the kernel copied. */
  copied = 0;

  constructor(sends: readonly Sends<G>[], numbers: number) {
    this.sends = sends;
    this.left = numbers;
  }
}

/** Everything from the first send on of which it is not known whether it used a number. */
class Doubt<G extends Group> {
  /** The number of the first of them, if it has one. */
  readonly first: number;
  readonly sends: Sends<G>[] = [];
  /** Numbers used for certain. */
  certain = 0;
  /** Those that may be. */
  possible = 0;
  /** What was heard of them: first, last, code of each range. */
  readonly heard: number[] = [];
  /** How many numbers were heard of. */
  numbers = 0;
  /** From the first to the highest that was heard of: as many were used at least. */
  reach = 0;

  constructor(first: number) {
    this.first = first;
  }

  /** How many of the possible ones were used, at least. */
  get least(): number {
    return Math.max(0, this.reach - this.certain);
  }

  add(group: G, count: number, certain: boolean): void {
    this.sends.push({ group, count, certain });
    if (certain) this.certain += count;
    else this.possible += count;
  }

  hear(first: number, count: number, code: number): void {
    this.heard.push(first, count, code);
    this.numbers += count;
    this.reach = Math.max(this.reach, ((first - this.first) >>> 0) + count);
  }
}

/** Sends by their numbers. */
export class MessageNumbers<G extends Group> {
  readonly #socket: NumberedSocket;
  readonly #free: (group: G) => void;
  readonly #ranges = new Uint32Array(RANGES * WORDS);
  /** What is out, by its number. */
  readonly #out: Numbered<G | Mixture<G>>;
  #doubt: Doubt<G> | undefined;
  /** Option memory in use while nothing is out, and what one number takes: 0 until it is known. */
  readonly #idle: number;
  #charge = 0;
  #learning = false;
  #sent = 0;
  #notified = 0;
  #copied = 0;
  #messages = 0;
  /** Sends that failed, and whose memory the kernel has, or may have. */
  #failed = 0;

  /**
   * @param socket Has sent nothing with MSG_ZEROCOPY yet.
   * @param free Called with a group when the kernel has released all of it.
   * @param first The first number; 0 unless a test wants to see it wrap.
   */
  constructor(socket: NumberedSocket, free: (group: G) => void, first = 0) {
    this.#socket = socket;
    this.#free = free;
    this.#out = new Numbered(first);
    this.#idle = socket.optionMemory();
  }

  /** Sends that succeeded. */
  get sent(): number {
    return this.#sent;
  }

  /** Those that the kernel has released. */
  get notified(): number {
    return this.#notified;
  }

  /** Those of these that it copied. */
  get copied(): number {
    return this.#copied;
  }

  /** Ranges that were read from the error queue. */
  get ranges(): number {
    return this.#messages;
  }

  /** Sends whose memory the kernel has, or may have. */
  get outstanding(): number {
    return this.#sent - this.#notified + this.#failed;
  }

  /** Whether there are sends of which it is not known whether they have used a number. */
  get inDoubt(): boolean {
    return this.#doubt !== undefined;
  }

  /** Whether the next send teaches what a number takes: then it goes alone. */
  get learning(): boolean {
    return this.#learning;
  }

  /**
   * Looks whether the next send can teach what a number takes, as long as that is not known. It can
   * where nothing is charged before it.
   */
  prepare(): void {
    if (this.#charge > 0) return;
    this.#learning = this.#out.size === 0 && this.#doubt === undefined &&
      this.#socket.optionMemory() === this.#idle;
  }

  /** Notes sends that have used a number each, in the order in which they were made. */
  add(group: G, count = 1): void {
    this.#sent += count;
    if (this.#doubt !== undefined) {
      this.#doubt.add(group, count, true);
      return;
    }
    this.#out.add(group, count);
    if (this.#learning) this.#learn();
  }

  /** What was sent is out, or its notification is in the queue: charged either way, and alone. */
  #learn(): void {
    this.#learning = false;
    if (this.#out.size === 1) this.#charge = this.#socket.optionMemory() - this.#idle;
  }

  /**
   * Notes a send that has used a number or none, and finds out.
   *
   * @param group Has this one send, which is counted if it succeeded.
   */
  addPossible(group: G): Verdict {
    this.#learning = false;
    if (group.counted) this.#sent++;
    else this.#failed++;
    this.#doubt ??= new Doubt(this.#out.next);
    this.#doubt.add(group, 1, false);
    // Only a failure is waited for: a send that succeeded is out as often as not.
    return this.#settle(group.counted ? 0 : PATIENCE);
  }

  /**
   * Takes what the error queue says now.
   *
   * @returns How many of the sends that succeeded were released.
   */
  reap(): number {
    const before = this.#notified;
    const heard = this.#drain();
    if (this.#doubt !== undefined) {
      // Where nothing is known to be out nothing more may come to be reaped, so it is looked twice.
      const last = heard > 0 && this.#out.size === 0 && this.#doubt.certain <= this.#doubt.numbers;
      this.#settle(last ? PATIENCE : 0);
    }
    return this.#notified - before;
  }

  /** Finds out what it can, within a time in milliseconds. */
  #settle(patience: number): Verdict {
    const until = now() + patience;
    while (true) {
      const memory = this.#socket.optionMemory();
      const heard = this.#drain();
      const verdict = this.#judge(memory - this.#idle);
      // What was heard had charges too, which are gone at the next look.
      if (this.#doubt === undefined || (heard === 0 && now() >= until)) return verdict;
    }
  }

  /** @param charged The option memory for numbers, before everything was heard of that is. */
  #judge(charged: number): Verdict {
    const doubt = this.#doubt!;
    const { least } = doubt;
    return least === this.#most(doubt, charged) ? this.#conclude(doubt, least) : "in doubt";
  }

  /** How many of the possible sends have used a number, at most. */
  #most(doubt: Doubt<G>, charged: number): number {
    const charge = this.#charge;
    const known = this.#out.size + doubt.certain - doubt.numbers;
    if (charged < Math.max(charge, 1)) return -known;
    // What others charge, if ever, is no multiple of it.
    const charges = charge === 0 || this.#socket.shares() ? NaN : charged / charge;
    return Number.isInteger(charges) ? Math.min(doubt.possible, charges - known) : doubt.possible;
  }

  /** So many of the possible sends have used a number. */
  #conclude(doubt: Doubt<G>, used: number): Verdict {
    this.#doubt = undefined;
    const { sends, possible } = doubt;
    const mixed = used === 0 || used === possible
      ? 0
      : 1 + sends.findLastIndex((send) => !send.certain);
    if (mixed > 0) {
      const mixture = sends.slice(0, mixed);
      const certain = mixture.reduce((sum, send) => send.certain ? sum + send.count : sum, 0);
      this.#out.add(new Mixture(mixture, certain + used), certain + used);
    }
    for (let i = mixed; i < sends.length; i++) {
      const { group, count, certain } = sends[i]!;
      if (certain || used > 0) this.#out.add(group, count);
      else this.#letGo(group, count, 0);
    }
    const { heard } = doubt;
    for (let i = 0; i < heard.length; i += 3) this.#hear(heard[i]!, heard[i + 1]!, heard[i + 2]!);
    return mixed > 0 ? "in doubt" : used > 0 ? "used" : "unused";
  }

  /** Takes everything that the error queue says now, and returns how many ranges that were. */
  #drain(): number {
    const ranges = this.#ranges;
    let sum = 0;
    while (true) {
      const count = unwrap("recvmsg MSG_ERRQUEUE", this.#socket.takeRanges(ranges, RANGES));
      for (let i = 0; i < count; i++) {
        const at = i * WORDS;
        this.#take(ranges[at]!, ranges[at + 1]!, ranges[at + 2]!);
      }
      sum += count;
      if (count < RANGES) break;
    }
    this.#messages += sum;
    return sum;
  }

  /** The range may wrap past 2^32, and begin before what is in doubt. */
  #take(first: number, last: number, code: number): void {
    const count = ((last - first) >>> 0) + 1;
    const doubt = this.#doubt;
    if (doubt === undefined) {
      this.#hear(first, count, code);
      return;
    }
    // What is out lies right before it.
    const before = (doubt.first - first) >>> 0;
    const sure = before <= 0x7fff_ffff ? Math.min(before, count) : 0;
    if (sure > 0) this.#hear(first, sure, code);
    if (sure < count) doubt.hear((first + sure) >>> 0, count - sure, code);
  }

  #hear(first: number, count: number, code: number): void {
    let left = count;
    for (let number = first; left > 0;) {
      const run = this.#out.takeRun(number, left);
      const taken = this.#out.taken;
      if (taken === undefined) {
        throw new UringError("recvmsg MSG_ERRQUEUE", ERRNO.EBADR, {
          meaning: `send ${number} was released, but is not out`,
          advice: "send with MSG_ZEROCOPY on this socket only through one MessageZeroCopy",
        });
      }
      const copied = code === COPIED ? run : 0;
      if (taken instanceof Mixture) this.#letGoMixed(taken, run, copied);
      else this.#letGo(taken, run, copied);
      left -= run;
      number = (number + run) >>> 0;
    }
  }

  /** Nobody's memory is free before all of it is. */
  #letGoMixed(mixture: Mixture<G>, count: number, copied: number): void {
    mixture.left -= count;
    mixture.copied += copied;
    if (mixture.left > 0) return;
    for (const { group, count } of mixture.sends) {
      const those = group.counted ? Math.min(count, mixture.copied) : 0;
      mixture.copied -= those;
      this.#letGo(group, count, those);
    }
  }

  #letGo(group: G, count: number, copied: number): void {
    group.left -= count;
    if (group.counted) {
      this.#notified += count;
      this.#copied += copied;
    } else this.#failed -= count;
    if (group.left === 0) this.#free(group);
  }
}
