/**
 * The other end of an experiment: it answers requests, one at a time.
 *
 * Requests and answers are plain data, so that a peer may be a thread of this process, as
 * {@linkcode WorkerPeer} is, or a process on another host.
 *
 * @module
 */
import { ClosedError, ExplainedError } from "../../../ffi/kernel/errors.ts";

/** A request for which the peer has prepared. */
export interface Prepared<Answer> {
  /**
   * Lets the peer begin. The thread that calls this may block right afterwards: no turn of its event
   * loop is needed.
   */
  begin(): void;
  /** The answer; rejects with a {@linkcode PeerError} if the peer failed or was closed. */
  readonly answer: Promise<Answer>;
}

/** The other end of an experiment. */
export interface Peer<Request, Answer> extends Disposable {
  /**
   * Asks for something.
   *
   * @param request What; it may hold shared memory only if the peer is a thread of this process.
   * @returns Resolves when the peer waits for nothing but `begin`.
   * @throws {PeerError} If the peer failed, or has not answered the request before.
   * @throws {ClosedError} After close.
   */
  request(request: Request): Promise<Prepared<Answer>>;
  /** Ends the peer. Idempotent. */
  close(): void;
}

/** The other end of an experiment failed. The message says at what. */
export class PeerError extends ExplainedError {
  /** The name of the class. */
  override readonly name = "PeerError";
}

/** What a Worker is sent. */
interface Asked<Request> {
  readonly request: Request;
  /** One word, which becomes 1 when the Worker is to begin. */
  readonly go: Int32Array<SharedArrayBuffer>;
}

/** What a Worker says: that it can be asked, then for each request two of the others. */
type Said<Answer> =
  | { readonly kind: "ready" | "prepared" }
  | { readonly kind: "answer"; readonly answer: Answer }
  | { readonly kind: "failure"; readonly why: string };

/** What the other side waits for. */
interface Expected<Answer> extends PromiseWithResolvers<Said<Answer>> {
  readonly kind: Said<Answer>["kind"];
}

/** A peer in a thread of this process. Its module calls {@linkcode answerRequests}. */
export class WorkerPeer<Request, Answer> implements Peer<Request, Answer> {
  readonly #worker: Worker;
  readonly #name: string;
  #expected: Expected<Answer> | undefined;
  #closed = false;

  private constructor(module: URL, name: string) {
    this.#name = name;
    this.#worker = new Worker(module, { type: "module", name });
    this.#worker.onmessage = ({ data }: MessageEvent<Said<Answer>>): void => this.#hear(data);
    this.#worker.onerror = (event): void => {
      event.preventDefault();
      this.#fail(event.message);
    };
  }

  /**
   * Starts the thread.
   *
   * @param module Its main module.
   * @param name What it is called in errors, such as `the sender`.
   * @returns Resolves when it can be asked.
   * @throws {PeerError} If its module fails.
   */
  static async start<Request, Answer>(
    module: URL,
    name: string,
  ): Promise<WorkerPeer<Request, Answer>> {
    const peer = new WorkerPeer<Request, Answer>(module, name);
    try {
      await peer.#expect("ready");
      return peer;
    } catch (error) {
      peer.close();
      throw error;
    }
  }

  /** Whether it was closed. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** The same as {@linkcode Peer.request}. */
  async request(request: Request): Promise<Prepared<Answer>> {
    if (this.#closed) throw new ClosedError("WorkerPeer");
    if (this.#expected !== undefined) {
      throw new PeerError(`${this.#name} is busy: wait for its answer before the next request`);
    }
    const go = new Int32Array(new SharedArrayBuffer(4));
    const prepared = this.#expect("prepared");
    this.#worker.postMessage({ request, go } satisfies Asked<Request>);
    await prepared;
    const answer = this.#expect("answer")
      .then((said) => (said as Extract<typeof said, { kind: "answer" }>).answer);
    // Who never asks for the answer learns of a failure at this end of the connection.
    answer.catch(() => {});
    return {
      begin: (): void => {
        Atomics.store(go, 0, 1);
        Atomics.notify(go, 0);
      },
      answer,
    };
  }

  /** What the Worker says next, which must be of a kind. */
  #expect(kind: Said<Answer>["kind"]): Promise<Said<Answer>> {
    this.#expected = { kind, ...Promise.withResolvers<Said<Answer>>() };
    return this.#expected.promise;
  }

  #hear(said: Said<Answer>): void {
    if (said.kind === "failure") return this.#fail(said.why);
    const expected = this.#expected;
    if (said.kind !== expected?.kind) return this.#fail(`it said ${said.kind} out of turn`);
    this.#expected = undefined;
    expected.resolve(said);
  }

  #fail(why: string): void {
    const expected = this.#expected;
    this.#expected = undefined;
    expected?.reject(new PeerError(`${this.#name} failed: ${why}`));
  }

  /** Ends the thread, in the middle of what it does. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#worker.terminate();
    this.#fail("it was closed");
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** The Worker's own side of its port: types for that scope would not fit the rest of the program. */
interface Port<Request, Answer> {
  onmessage: ((event: MessageEvent<Asked<Request>>) => void) | null;
  postMessage(said: Said<Answer>): void;
}

/**
 * Answers the requests of a {@linkcode WorkerPeer}: all that a Worker's main module has to call.
 * Elsewhere, as when the module is only checked or imported for its types, it does nothing.
 *
 * @param answer Does what is asked for, and may block the thread. It calls `prepared` when it waits
 *   for nothing else; that returns when the other side calls `begin`.
 */
export function answerRequests<Request, Answer>(
  answer: (request: Request, prepared: () => void) => Answer,
): void {
  if (!("DedicatedWorkerGlobalScope" in globalThis)) return;
  const port = globalThis as unknown as Port<Request, Answer>;
  port.onmessage = ({ data: { request, go } }): void => {
    const prepared = (): void => {
      port.postMessage({ kind: "prepared" });
      Atomics.wait(go, 0, 0);
    };
    try {
      port.postMessage({ kind: "answer", answer: answer(request, prepared) });
    } catch (error) {
      port.postMessage({ kind: "failure", why: String(error) });
    }
  };
  port.postMessage({ kind: "ready" });
}
