/**
 * An exported receiver.
 *
 * @module
 */
import { Descriptor } from "../kernel/descriptor.ts";
import { CLOSED, type Fact, showFacts } from "../kernel/inspection.ts";
import type { SharedReceiver } from "./shared.ts";

// The receivers' side. Only ffi/ uses this; it is not part of the public surface.
/** What the importers of a handle share. */
export let sharedOf: (handle: ZcrxHandle) => SharedReceiver;

/** An exported receiver: {@linkcode ZcrxReceiver.import} takes it into another ring (6.19). */
export class ZcrxHandle implements Disposable {
  readonly #shared: SharedReceiver;
  readonly #descriptor: Descriptor;

  static {
    sharedOf = (handle) => handle.#shared;
  }

  /** Made by {@linkcode ZcrxReceiver.export}. @internal */
  constructor(fd: number, shared: SharedReceiver) {
    this.#descriptor = new Descriptor(fd, "ZcrxHandle");
    this.#shared = shared;
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
    this.#shared.release();
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
