/**
 * Every call that the property test makes of the API passes through here, where it is known what may
 * come out of it.
 *
 * @module
 */
import {
  ClosedError,
  OwnershipError,
  UnsupportedError,
  UringError,
} from "../../../ffi/kernel/errors.ts";
import type { Socket } from "../../../ffi/net/socket.ts";

/** What may come out of a call: see {@linkcode Api.call}. */
export type Expectation = "ok" | "valid" | "garbage" | "closed" | "owned";

/** The property does not hold. */
export class PropertyError extends Error {
  override readonly name = "PropertyError";
}

/** What callbacks of the test throw, and what its signals give as a reason. */
export class Deliberate extends Error {
  override readonly name = "Deliberate";
}

const KNOWN = [UringError, OwnershipError, UnsupportedError, ClosedError, RangeError, TypeError];

/** How long anything that must complete may take, in milliseconds. */
export const PATIENCE = 30_000;

/** An awaited operation that has not settled. */
export interface Started {
  readonly what: string;
  /** The file that can be cancelled, if the operation can wait for ever. */
  readonly file: Socket | undefined;
}

/** See the module's description. */
export class Api {
  calls = 0;
  valid = 0;
  invalid = 0;
  /** How often each type of error came out. */
  readonly errors: Record<string, number> = {};
  /** What was done that is not in every run by itself. */
  readonly counts: Record<string, number> = {};
  /** The first failure that came up outside of a call. */
  failure: unknown;
  /** Whether the last call threw. */
  failed = false;
  /** Whether the same calls are made again and again until something has happened. */
  waiting = false;
  readonly #log: (line: string) => void;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /**
   * Makes one call of the API. "ok" must return; "valid" may also throw a typed error, but no
   * TypeError; "garbage" may do either; "closed" must throw a ClosedError, "owned" an
   * OwnershipError.
   *
   * @returns What it returned, or undefined when it threw something that is allowed.
   */
  call<T>(what: string, expectation: Expectation, run: () => T): T | undefined {
    // Calls that are repeated until something has happened say nothing new.
    if (!this.waiting) {
      this.calls++;
      if (expectation === "ok" || expectation === "valid") this.valid++;
      else this.invalid++;
    }
    this.#log(what);
    let value: T;
    try {
      value = run();
    } catch (error) {
      this.failed = true;
      this.check(what, expectation, error);
      return undefined;
    }
    this.failed = false;
    // A promise says later what came out.
    if (!(value instanceof Promise) && (expectation === "closed" || expectation === "owned")) {
      throw new PropertyError(`${what} did not throw, though it is ${expectation}`);
    }
    return value;
  }

  /** Checks an error against what is expected. */
  check(what: string, expectation: Expectation, error: unknown): void {
    const type = error instanceof Error ? error.name : String(error);
    this.errors[type] = (this.errors[type] ?? 0) + 1;
    if (error instanceof Deliberate) return;
    const allowed = KNOWN.some((known) => error instanceof known) &&
      !(expectation === "ok") && !(expectation === "valid" && error instanceof TypeError) &&
      !(expectation === "closed" && !(error instanceof ClosedError)) &&
      !(expectation === "owned" && !(error instanceof OwnershipError));
    if (!allowed) throw new PropertyError(`${what} (${expectation}) threw ${inspect(error)}`);
  }

  /** Starts an awaited operation, and follows what becomes of it. */
  start<T>(
    what: string,
    expectation: Expectation,
    model: { readonly awaited: Set<Started> },
    run: () => Promise<T>,
    options: {
      file?: Socket;
      onValue?: (value: T) => void;
      onError?: (error: unknown) => void;
    } = {},
  ): void {
    const promise = this.call(what, expectation, run);
    if (promise === undefined) return;
    const entry: Started = { what, file: options.file };
    model.awaited.add(entry);
    promise.then((value) => {
      model.awaited.delete(entry);
      if (expectation === "closed" || expectation === "owned") {
        throw new PropertyError(`${what} resolved, though it is ${expectation}`);
      }
      options.onValue?.(value);
    }, (error) => {
      model.awaited.delete(entry);
      options.onError?.(error);
      this.check(what, expectation, error);
    }).catch((error) => this.fail(error));
  }

  /** Notes a failure outside of a call: the next step throws it. */
  fail(error: unknown): void {
    this.failure ??= error;
  }

  /** Runs inside a completion callback: what goes wrong there must not look like a thrown error. */
  inside(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Lets time pass between two looks at something that is awaited. */
  async pause(): Promise<void> {
    if (this.waiting) await new Promise((resolve) => setTimeout(resolve, 1));
    else await turn();
    this.waiting = true;
    if (this.failure !== undefined) throw this.failure;
  }

  /** Counts what the test must have done to be worth its time. */
  count(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }
}

/** Lets the event loop turn once. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Waits for a promise, but not for ever. */
export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new PropertyError(`${what} did not settle within ${PATIENCE} ms`));
    }, PATIENCE);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A value in one short line. */
export function show(value: unknown): string {
  return Deno.inspect(value, { compact: true, breakLength: Infinity, depth: 1 }).slice(0, 200);
}

function inspect(error: unknown): string {
  return error instanceof Error ? error.stack ?? String(error) : String(error);
}
