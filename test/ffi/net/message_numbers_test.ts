import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Group,
  MessageNumbers,
  type NumberedSocket,
} from "../../../ffi/net/message_numbers.ts";
import { Random } from "../../../labs/kit/trials/random.ts";

const IDLE = 1000;
const CHARGE = 832;
const COPIED = 1;

/** A send's memory, and whether the kernel said that it is free. */
interface Sent extends Group {
  readonly name: string;
  freed: boolean;
}

/** What holds a run of numbers in the kernel, and the memory that it still reads. */
interface Held {
  id: number;
  length: number;
  readonly sent: Sent[];
}

/**
 * The kernel's side: `struct ubuf_info_msgzc`, `sk_zckey`, `sk_omem_alloc` and the error queue, as
 * net/core/skbuff.c has them.
 */
class Kernel implements NumberedSocket {
  corks = false;
  readonly held: Held[] = [];
  /** Datagram in the making. */
  pending: Held | undefined;
  readonly #code: number;
  #next: number;
  #queue: [first: number, last: number][] = [];
  /** Charges that another CPU has yet to give up: how many more looks it takes. */
  #late: number[] = [];
  readonly #random: Random;

  constructor(first: number, code: number, random: Random) {
    this.#next = first;
    this.#code = code;
    this.#random = random;
  }

  get #charges(): number {
    return this.held.length + this.#queue.length + this.#late.length;
  }

  /** Gives a number, and the memory behind it. */
  number(sent: Sent): Held {
    const held = { id: this.#next, length: 1, sent: [sent] };
    this.#next = (this.#next + 1) >>> 0;
    this.held.push(held);
    return held;
  }

  /** Another send of the datagram in the making. */
  append(held: Held, sent: Sent): void {
    assertEquals((held.id + held.length) >>> 0, this.#next);
    held.length++;
    held.sent.push(sent);
    this.#next = (this.#next + 1) >>> 0;
  }

  /** The last packet with these numbers is gone. */
  complete(held: Held): void {
    this.held.splice(this.held.indexOf(held), 1);
    const last = (held.id + held.length - 1) >>> 0;
    const tail = this.#queue.at(-1);
    if (tail !== undefined && ((tail[1] + 1) >>> 0) === held.id) {
      tail[1] = last;
      if (this.#random.below(3) === 0) this.linger(this.#random.below(4));
    } else this.#queue.push([held.id, last]);
  }

  /** A charge that another CPU gives up after so many looks. */
  linger(looks: number): void {
    this.#late.push(looks);
  }

  takeRanges(ranges: Uint32Array<ArrayBuffer>, most: number): number {
    // Things go on between two looks.
    while (this.#random.below(2) === 0) this.completeSome();
    const taken = this.#queue.splice(0, most);
    taken.forEach(([first, last], i) => ranges.set([first, last, this.#code, 5], i * 4));
    return taken.length;
  }

  optionMemory(): number {
    while (this.#random.below(2) === 0) this.completeSome();
    this.#late = this.#late.map((looks) => looks - 1).filter((looks) => looks >= 0);
    return IDLE + CHARGE * this.#charges;
  }

  completeSome(): void {
    const some = this.held.filter((held) => held !== this.pending);
    if (some.length > 0) this.complete(some[this.#random.below(some.length)]!);
  }

  shares(): boolean {
    return this.corks;
  }
}

/** Sends of all kinds in any order, against a model of the kernel. */
class Sending {
  readonly kernel: Kernel;
  readonly numbers: MessageNumbers<Sent>;
  readonly #all: Sent[] = [];
  readonly #random: Random;
  succeeded = 0;

  constructor(seed: number, first: number, code: number) {
    this.#random = new Random(seed);
    this.kernel = new Kernel(first, code, this.#random);
    this.numbers = new MessageNumbers<Sent>(this.kernel, (sent) => {
      assert(!sent.freed, `${sent.name} was freed before`);
      for (const held of this.kernel.held) {
        assert(!held.sent.includes(sent), `the kernel still reads ${sent.name}`);
      }
      sent.freed = true;
    }, first);
  }

  #make(counted: boolean, left = 1): Sent {
    this.numbers.prepare();
    const sent = { name: `send ${this.#all.length}`, left, counted, freed: false };
    this.#all.push(sent);
    if (counted) this.succeeded += left;
    return sent;
  }

  /** One datagram, or several of the same memory. */
  succeed(count: number): void {
    const sent = this.#make(true, count);
    for (let left = count; left > 0;) {
      const part = this.numbers.learning ? 1 : left;
      for (let i = 0; i < part; i++) this.kernel.number(sent);
      this.numbers.add(sent, part);
      left -= part;
    }
  }

  /** A datagram without bytes: numbered, unless it was added to one in the making. */
  sendNothing(): void {
    const sent = this.#make(true);
    if (this.kernel.pending === undefined) this.kernel.number(sent);
    this.numbers.addPossible(sent);
  }

  /** Refused before it got a number, or with the number given back. */
  failEarly(): void {
    const sent = this.#make(false);
    const verdict = this.numbers.addPossible(sent);
    assert(verdict !== "used" || this.kernel.corks || !sent.freed || this.#inDoubtBefore);
    if (!this.kernel.corks && !this.#inDoubtBefore && verdict === "unused") assert(sent.freed);
  }

  /** Dropped on its way out. */
  failLate(): void {
    const sent = this.#make(false);
    this.kernel.complete(this.kernel.number(sent));
    const before = this.#inDoubtBefore;
    const verdict = this.numbers.addPossible(sent);
    if (!before) assertEquals([verdict, sent.freed], ["used", true], sent.name);
  }

  /** Dropped in part: what went out before is still read. */
  failInPart(): void {
    const sent = this.#make(false);
    this.kernel.number(sent);
    this.numbers.addPossible(sent);
  }

  /** A send into a datagram in the making. */
  cork(): void {
    this.kernel.corks = true;
    const sent = this.#make(true);
    if (this.kernel.pending === undefined) this.kernel.pending = this.kernel.number(sent);
    else this.kernel.append(this.kernel.pending, sent);
    this.numbers.add(sent);
  }

  /** It is sent, or fails and is dropped; the send that did so may have been given a number. */
  uncork(): void {
    const { pending } = this.kernel;
    if (pending === undefined) return;
    switch (this.#random.below(4)) {
      case 0: { // The last part fails, and all of it is dropped.
        const sent = this.#make(false);
        this.kernel.pending = undefined;
        this.kernel.complete(pending);
        this.numbers.addPossible(sent);
        break;
      }
      case 1: { // The last part has its number, and the datagram is dropped in part.
        const sent = this.#make(false);
        this.kernel.append(pending, sent);
        this.kernel.pending = undefined;
        this.numbers.addPossible(sent);
        break;
      }
      default:
        this.kernel.pending = undefined;
    }
  }

  #inDoubtBefore = false;

  step(withCork: boolean): void {
    this.#inDoubtBefore = this.numbers.inDoubt;
    const random = this.#random;
    // Into a datagram in the making goes whatever is sent; only an early refusal leaves it alone.
    const corked = this.kernel.pending !== undefined;
    switch (random.below(withCork ? 12 : 10)) {
      case 0:
        return this.failEarly();
      case 1:
        if (corked) return this.uncork();
        return random.below(4) === 0 ? this.failInPart() : this.failLate();
      case 2:
        return this.sendNothing();
      case 3:
      case 4:
      case 5:
        return corked ? this.cork() : this.succeed(random.below(3) === 0 ? 100 : 1);
      case 6:
      case 7:
        for (let i = random.below(8); i > 0; i--) this.kernel.completeSome();
        return;
      case 8:
      case 9: {
        const before = this.numbers.notified;
        assertEquals(this.numbers.reap(), this.numbers.notified - before);
        return;
      }
      case 10:
        return this.cork();
      case 11:
        return this.uncork();
    }
  }

  /** Everything lands. */
  end(copied: boolean): void {
    this.kernel.pending = undefined;
    for (let looks = 0; this.numbers.outstanding > 0; looks++) {
      assert(looks < 10_000, `${this.numbers.outstanding} are out for ever`);
      this.kernel.completeSome();
      this.numbers.reap();
    }
    const { numbers } = this;
    assertEquals([numbers.sent, numbers.notified], [this.succeeded, this.succeeded]);
    if (!copied) assertEquals(numbers.copied, 0);
    assertEquals(this.#all.filter((sent) => !sent.freed).map(({ name }) => name), []);
  }
}

for (const withCork of [false, true]) {
  Deno.test(`MessageNumbers follows the kernel's, past 2^32, ${withCork ? "with" : "without"} cork`, () => {
    for (let seed = 1; seed <= 40; seed++) {
      const copied = seed % 2 === 0;
      const sending = new Sending(seed, 0xffff_ff80, copied ? COPIED : 0);
      for (let part = 0; part < 10; part++) {
        for (let i = 0; i < 30; i++) sending.step(withCork);
        sending.end(copied);
      }
    }
  });
}

/** A group whose freeing is seen. */
function group(counted = true, left = 1): Sent {
  return { name: "a send", left, counted, freed: false };
}

function numbersOn(kernel: Kernel, first = 0): MessageNumbers<Sent> {
  return new MessageNumbers<Sent>(kernel, (sent) => sent.freed = true, first);
}

/** A kernel in which nothing happens by itself. */
function quietKernel(code = 0): Kernel {
  const kernel = new Kernel(0, code, new Random(1));
  kernel.completeSome = (): void => {};
  return kernel;
}

Deno.test("MessageNumbers: a send that was refused is free at once, whatever else is out", () => {
  const kernel = quietKernel();
  const numbers = numbersOn(kernel);
  const out = [group(), group(), group()];
  for (const each of out) {
    numbers.prepare();
    kernel.number(each);
    numbers.add(each);
  }
  const refused = group(false);
  assertEquals(numbers.addPossible(refused), "unused");
  assertEquals([refused.freed, numbers.outstanding, numbers.inDoubt], [true, 3, false]);
});

Deno.test("MessageNumbers: what failed and is still read is in doubt, with all that follows", () => {
  const kernel = quietKernel();
  const numbers = numbersOn(kernel);
  const failed = group(false);
  const held = kernel.number(failed);
  assertEquals(numbers.addPossible(failed), "in doubt");
  assertEquals([failed.freed, numbers.sent, numbers.outstanding], [false, 0, 1]);
  const later = group();
  const second = kernel.number(later);
  numbers.add(later);
  // The one behind it is known to be done as soon as its number is heard, not before.
  kernel.complete(second);
  assertEquals(numbers.reap(), 1);
  assertEquals([failed.freed, later.freed, numbers.outstanding], [false, true, 1]);
  kernel.complete(held);
  assertEquals(numbers.reap(), 0);
  assertEquals([failed.freed, numbers.sent, numbers.notified, numbers.outstanding], [
    true,
    1,
    1,
    0,
  ]);
});

Deno.test("MessageNumbers: what a number takes is not learnt while another charge lingers", () => {
  const kernel = quietKernel();
  const numbers = numbersOn(kernel);
  kernel.linger(3);
  for (const learning of [false, false, false, true]) {
    numbers.prepare();
    assertEquals(numbers.learning, learning);
    const sent = group();
    kernel.complete(kernel.number(sent));
    numbers.add(sent);
    numbers.reap();
  }
  const [out, refused] = [group(), group(false)];
  kernel.number(out);
  numbers.add(out);
  assertEquals([numbers.addPossible(refused), refused.freed], ["unused", true]);
});

Deno.test("MessageNumbers: one of two that failed is still read, and nobody says which", () => {
  const kernel = quietKernel(COPIED);
  const numbers = numbersOn(kernel);
  const first = group();
  numbers.prepare();
  const before = kernel.number(first);
  numbers.add(first);
  const [held, refused] = [group(false), group(false)];
  const stays = kernel.number(held);
  assertEquals([numbers.addPossible(held), numbers.addPossible(refused)], ["in doubt", "in doubt"]);
  const later = [group(), group()];
  for (const each of later) {
    const last = kernel.number(each);
    numbers.add(each);
    kernel.complete(last);
  }
  // What was sent behind them has numbers that are known, and is free.
  kernel.complete(before);
  assertEquals(numbers.reap(), 3);
  assertEquals([numbers.inDoubt, numbers.outstanding, numbers.copied], [false, 2, 3]);
  assertEquals([held, refused, ...later].map(({ freed }) => freed), [false, false, true, true]);
  assertEquals(numbers.addPossible(group(false)), "unused");
  kernel.complete(stays);
  assertEquals([numbers.reap(), numbers.outstanding, numbers.copied], [0, 0, 3]);
  assertEquals([held.freed, refused.freed], [true, true]);
});

Deno.test("MessageNumbers: what the kernel copied counts for sends that succeeded", () => {
  const kernel = quietKernel(COPIED);
  const numbers = numbersOn(kernel);
  const failed = group(false);
  kernel.complete(kernel.number(failed));
  assertEquals(numbers.addPossible(failed), "used");
  const [first, second] = [group(), group()];
  for (const sent of [first, second]) {
    kernel.complete(kernel.number(sent));
    numbers.add(sent);
  }
  assertEquals(numbers.reap(), 2);
  assertEquals([numbers.sent, numbers.notified, numbers.copied], [2, 2, 2]);
});

Deno.test("MessageNumbers: a number that nobody sent is an error", () => {
  const kernel = quietKernel();
  const numbers = numbersOn(kernel);
  kernel.complete(kernel.number(group()));
  assertThrows(() => numbers.reap(), Error, "send 0 was released, but is not out");
});
