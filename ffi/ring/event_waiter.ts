/**
 * One waiter for all rings of a thread. The runtime has 32 threads for calls that block, which
 * everything asynchronous shares, files too: a ring that waits must not have one of its own.
 *
 * @module
 */
import { Descriptor } from "../kernel/descriptor.ts";
import { unwrap } from "../kernel/errors.ts";
import { native } from "../kernel/native.ts";

/** Events that one wait takes at most. */
const MOST_EVENTS = 64;
/** Milliseconds of a wait at most: a thread that waits for a Worker that was terminated ends then. */
const LONGEST_WAIT = 60_000;
/** The number of what interrupts a wait. */
const INTERRUPT = 0;

let waiter: EventWaiter | undefined;

/** Something that waits for its eventfd to be signalled: {@linkcode open}, and close it in the end. */
export class EventSource {
  /** The eventfd. */
  readonly fd: number;
  readonly #descriptor: Descriptor;
  readonly #waiter: EventWaiter;
  readonly #number: number;
  #signalled = false;
  #promise: PromiseWithResolvers<boolean> | undefined;

  private constructor() {
    this.#descriptor = openEventFd();
    this.fd = this.#descriptor.fd;
    try {
      this.#waiter = waiter ??= new EventWaiter();
      this.#number = this.#waiter.add(this.fd, this);
    } catch (error) {
      this.#descriptor.close();
      throw error;
    }
  }

  /**
   * Makes an eventfd.
   *
   * @throws {UringError} EMFILE, when the process has no descriptor left.
   */
  static open(): EventSource {
    return new EventSource();
  }

  /** Whether the eventfd was signalled while nobody waited, since this was asked last. */
  takeSignal(): boolean {
    const signalled = this.#signalled;
    this.#signalled = false;
    return signalled;
  }

  /**
   * Resolves when the eventfd is signalled from now on, to true, or when {@linkcode wake} is called,
   * to false: then the event loop has not turned.
   */
  wait(): Promise<boolean> {
    if (this.#promise === undefined) {
      this.#promise = Promise.withResolvers();
      this.#waiter.begin();
    }
    return this.#promise.promise;
  }

  /** Ends a wait. */
  wake(): void {
    if (this.#promise !== undefined) this.#end().resolve(false);
  }

  /** Told by the waiter. @internal */
  signal(): void {
    if (this.#promise === undefined) this.#signalled = true;
    else this.#end().resolve(true);
  }

  /** Told by the waiter, when waiting is not possible any more. @internal */
  fail(error: unknown): void {
    if (this.#promise !== undefined) this.#end().reject(error);
  }

  #end(): PromiseWithResolvers<boolean> {
    const promise = this.#promise!;
    this.#promise = undefined;
    this.#waiter.end();
    return promise;
  }

  /** Closes the eventfd, and ends a wait. Idempotent. */
  close(): void {
    this.wake();
    this.#waiter.delete(this.#number);
    this.#descriptor.close();
  }
}

/** Waits for the eventfds of one thread as long as somebody waits for one of them. */
class EventWaiter {
  readonly #epoll: Descriptor;
  readonly #interrupt: Descriptor;
  readonly #numbers = new Uint32Array(MOST_EVENTS);
  readonly #sources = new Map<number, EventSource>();
  #last = INTERRUPT;
  #waiting = 0;
  #running = false;
  #ending = false;

  constructor() {
    this.#interrupt = openEventFd();
    try {
      const fd = unwrap("epoll_create1", native().zclab_epoll_create());
      this.#epoll = new Descriptor(fd, "Ring");
      this.#add(this.#interrupt.fd, INTERRUPT);
    } catch (error) {
      this.#interrupt.close();
      throw error;
    }
  }

  add(eventFd: number, source: EventSource): number {
    const number = ++this.#last;
    this.#add(eventFd, number);
    this.#sources.set(number, source);
    return number;
  }

  #add(eventFd: number, number: number): void {
    unwrap("epoll_ctl", native().zclab_epoll_add(this.#epoll.fd, eventFd, number));
  }

  delete(number: number): void {
    this.#sources.delete(number);
  }

  begin(): void {
    if (++this.#waiting === 1 && !this.#running) this.#run();
  }

  end(): void {
    if (--this.#waiting > 0 || this.#ending) return;
    // A wait that nobody needs would keep the process alive. Mostly somebody needs it again at once.
    this.#ending = true;
    setImmediate(() => {
      this.#ending = false;
      if (this.#waiting > 0 || !this.#running) return;
      native().zclab_eventfd_signal(this.#interrupt.fd);
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (this.#waiting > 0) await this.#wait();
    } catch (error) {
      for (const source of this.#sources.values()) source.fail(error);
    } finally {
      this.#running = false;
    }
  }

  async #wait(): Promise<void> {
    const numbers = this.#numbers;
    const count = unwrap(
      "epoll_wait",
      await native().zclab_epoll_wait(
        this.#epoll.fd,
        numbers.buffer,
        MOST_EVENTS,
        LONGEST_WAIT,
      ),
    );
    for (let i = 0; i < count; i++) this.#sources.get(numbers[i]!)?.signal();
  }
}

function openEventFd(): Descriptor {
  return new Descriptor(unwrap("eventfd", native().zclab_eventfd()), "Ring");
}
