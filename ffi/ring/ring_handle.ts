/**
 * A ring, as what stands below ring.ts sees it.
 *
 * @module
 */
import { wrongKind } from "../kernel/arguments.ts";
import { Engine } from "./engine.ts";

/**
 * How the rest of ffi/ gets at the engine of a ring. Other classes set functions for that in a static
 * block, which are exported beside them; who needs a ring's engine is imported by ring.ts itself.
 */
export const ENGINE: unique symbol = Symbol("engine");

/** A {@linkcode Ring}, seen by what it is made of and what belongs to it. */
export interface RingHandle {
  /** @internal */
  readonly [ENGINE]: object;
}

/**
 * The engine of a ring.
 *
 * @throws {TypeError} If it is no ring.
 */
export function engineOf(ring: RingHandle): Engine {
  const engine = (ring as Partial<typeof ring> | null | undefined)?.[ENGINE];
  if (!(engine instanceof Engine)) throw wrongKind("ring", "a Ring", ring);
  return engine;
}

/**
 * The engine of a ring that is open.
 *
 * @throws {TypeError} If it is no ring.
 * @throws {ClosedError} If it is closed.
 */
export function openEngineOf(ring: RingHandle): Engine {
  const engine = engineOf(ring);
  engine.ensureOpen();
  return engine;
}
