/**
 * An exported receiver.
 *
 * @module
 */
import { Descriptor } from "../kernel/descriptor.ts";
import { CLOSED, type Fact, showFacts } from "../kernel/inspection.ts";
import type { SharedReceiver } from "./shared.ts";

/** An exported receiver: {@linkcode ZcrxReceiver.import} takes it into another ring (6.19). */
export class ZcrxHandle implements Disposable {
  /** @internal */
  readonly shared: object;
  readonly #descriptor: Descriptor;

  /** Made by {@linkcode ZcrxReceiver.export}. @internal */
  constructor(fd: number, shared: SharedReceiver) {
    this.#descriptor = new Descriptor(fd, "ZcrxHandle");
    this.shared = shared;
    shared.retain();
  }

  /** The file descriptor that keeps the registration alive. */
  get fd(): number {
    return this.#descriptor.fd;
  }

  /** Whether {@linkcode close} was called. */
  get closed(): boolean {
    return this.#descriptor.closed;
  }

  /** Lets go of the registration. Idempotent. */
  close(): void {
    if (this.closed) return;
    this.#descriptor.close();
    (this.shared as SharedReceiver).release();
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  static {
    showFacts(ZcrxHandle, (shown) => shown.#facts());
  }

  #facts(): readonly Fact[] {
    return this.closed ? CLOSED : [["fd", this.fd]];
  }
}
