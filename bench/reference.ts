/**
 * The C program that the bench compares with (reference.c): compiles it, runs it, talks to it.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { type TransmitMode, UnsupportedError } from "zclab";

/** Where the reference runs. */
export interface ReferenceOptions {
  /** Path of the network namespace to send from, such as `/proc/PID/fd/N`; ours by default. */
  readonly networkNamespace?: string;
  /** Path of the user namespace that owns it, where that is not ours. */
  readonly userNamespace?: string;
}

/** What to send. */
export interface SendOptions {
  /** Bytes of a datagram, 1 to 65507. */
  readonly payload: number;
  /** Requests for each system call, 1 to 256. */
  readonly batch: number;
  /** How long to send, without warm-up. */
  readonly seconds: number;
  /** Numeric IPv4 or IPv6 address of the sink. */
  readonly address: string;
  /** UDP port of the sink. */
  readonly port: number;
}

/** What both commands report. */
interface Measurement {
  /** Calls of io_uring_enter, send, recvmsg and poll in the timed section. */
  readonly systemCalls: number;
  /** Flags of the ring, `IORING_SETUP_*`; 0 where there was no ring. */
  readonly flags: number;
}

/** The result of {@linkcode Reference.nop}. */
export interface NopMeasurement extends Measurement {
  /** Time of one operation, in nanoseconds. */
  readonly nanoseconds: number;
  /** How many operations were run: those asked for, rounded up to whole batches. */
  readonly operations: number;
}

/** The result of {@linkcode Reference.send}. */
export interface SendMeasurement extends Measurement {
  /** Requests completed per second; with GSO a request is a train of datagrams. */
  readonly requestsPerSecond: number;
  /** Datagrams per second. */
  readonly datagramsPerSecond: number;
  /** How long the timed section took, in seconds. */
  readonly seconds: number;
  /** Requests sent. */
  readonly sent: number;
  /** Requests that the kernel notified: all of `sent` for zero-copy modes, else 0. */
  readonly notified: number;
  /** Of those, the requests of which the kernel says that it copied them after all. */
  readonly copied: number;
  /** CPU time of the sending thread for one request, in seconds, user and system. */
  readonly cpuSecondsPerRequest: number;
}

/** How much longer than its trial a command may take before the reference counts as stuck. */
const PATIENCE_MILLISECONDS = 60_000;

/**
 * The C program, running and waiting for commands, so that its rounds and ours can take turns.
 *
 * @example Time a NOP
 * ```ts
 * import { assert } from "@std/assert";
 * import { Reference } from "../bench/reference.ts";
 *
 * await using reference = await Reference.start();
 * const { nanoseconds } = await reference.nop(32, 100_000);
 * assert(nanoseconds > 0);
 * ```
 */
export class Reference implements Disposable, AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: LineReader;
  #busy = false;
  #closed = false;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#lines = new LineReader(child.stdout);
  }

  /**
   * Compiles the program and starts it. Nothing of it is left on disk, however we end: the program
   * is deleted once it runs, and it ends with its input.
   *
   * @throws {UnsupportedError} If there is no C compiler.
   * @throws {Error} If the compiler refuses the source, with what it said.
   */
  static async start(options: ReferenceOptions = {}): Promise<Reference> {
    const { networkNamespace, userNamespace } = options;
    if (networkNamespace === undefined && userNamespace !== undefined) {
      throw new TypeError("Reference.start: userNamespace needs a networkNamespace");
    }
    const args = [networkNamespace, userNamespace].filter((path) => path !== undefined);
    const directory = await Deno.makeTempDir({ prefix: "zclab-bench-" });
    try {
      const program = `${directory}/reference`;
      await compile(program);
      return new Reference(
        new Deno.Command(program, { args, stdin: "piped", stdout: "piped", stderr: "piped" })
          .spawn(),
      );
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  }

  /** Process id of the program. */
  get pid(): number {
    return this.#child.pid;
  }

  /**
   * Times NOP operations on a fresh ring.
   *
   * @param batch Operations for each system call, 1 to 256.
   * @param operations How many, in all.
   * @throws {Error} If the program refuses or fails, with its reason.
   */
  nop(batch: number, operations: number): Promise<NopMeasurement> {
    return this.#run<NopMeasurement>(["nop", batch, operations], 3600);
  }

  /**
   * Sends UDP datagrams on a fresh ring and socket.
   *
   * @param mode How to send.
   * @param options What to send, where to, how long.
   * @throws {Error} If the program refuses or a request fails, with the reason.
   */
  send(mode: TransmitMode, options: SendOptions): Promise<SendMeasurement> {
    const { payload, batch, seconds, address, port } = options;
    const words = ["send", mode, payload, batch, seconds, address, port];
    return this.#run<SendMeasurement>(words, seconds);
  }

  async #run<Result>(words: readonly (string | number)[], seconds: number): Promise<Result> {
    if (this.#closed) throw new Error("The reference is closed. Start a new one");
    if (this.#busy) throw new Error("The reference runs one command at a time: await the last one");
    const command = words.join(" ");
    if (/[\r\n\0]/.test(command)) throw new TypeError("reference: a command is one line");
    this.#busy = true;
    const limit = Number.isFinite(seconds) ? seconds * 1000 : 0;
    const timer = setTimeout(() => this.#kill(), limit + PATIENCE_MILLISECONDS);
    try {
      return parseAnswer<Result>(command, await this.#ask(command));
    } finally {
      clearTimeout(timer);
      this.#busy = false;
    }
  }

  async #ask(command: string): Promise<string> {
    try {
      await this.#input.write(new TextEncoder().encode(`${command}\n`));
    } catch (error) {
      // It has ended; what it said is the better error.
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
    const answer = await this.#lines.next();
    if (answer !== undefined) return answer;
    if (this.#closed) throw new Error(`reference: ${command}: closed before it answered`);
    this.#closed = true;
    const [status, said] = await Promise.all([
      this.#child.status,
      new Response(this.#child.stderr).text(),
    ]);
    const end = status.signal ?? `exit code ${status.code}`;
    throw new Error(`reference: ${command}: the program ended (${end}) ${said.trim()}`);
  }

  #kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      // It has ended by itself.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Ends the program at once. Idempotent. */
  [Symbol.dispose](): void {
    this.#closed = true;
    this.#kill();
  }

  /** Ends the program and waits until it is gone. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
    await this.#child.status;
    await this.#lines.cancel();
    if (!this.#child.stderr.locked) await this.#child.stderr.cancel();
    // Its reader is gone, so closing the pipe may fail; then it is closed all the same.
    await this.#input.close().catch(() => {});
  }
}

/** Splits a stream of bytes into lines. */
class LineReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /** The next line without its end, or undefined at the end of the stream. */
  async next(): Promise<string | undefined> {
    let end: number;
    while ((end = this.#text.indexOf("\n")) < 0) {
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#text += this.#decoder.decode(value, { stream: true });
    }
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return line;
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel();
  }
}

function parseAnswer<Result>(command: string, line: string): Result {
  const answer = JSON.parse(line);
  if (typeof answer.error === "string") throw new Error(`reference: ${command}: ${answer.error}`);
  return answer;
}

async function compile(program: string): Promise<void> {
  const source = fileURLToPath(new URL("./reference.c", import.meta.url));
  const [name = "cc", ...further] = (Deno.env.get("CC") ?? "").split(/\s+/).filter(Boolean);
  const args = [...further, "-std=gnu11", "-O2", "-Wall", "-Wextra", "-o", program, source];
  const { success, code, stderr } = await runCompiler(name, args);
  if (success) return;
  const said = new TextDecoder().decode(stderr).trim();
  throw new Error(
    `bench/reference.c does not compile with ${name} (exit code ${code}). If headers are ` +
      `missing: apt-get install libc6-dev linux-libc-dev. The compiler says:\n${said}`,
  );
}

async function runCompiler(name: string, args: string[]): Promise<Deno.CommandOutput> {
  try {
    return await new Deno.Command(name, { args, stdin: "null" }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UnsupportedError(`The C compiler ${name}`, {
      advice: "Install one: apt-get install gcc libc6-dev",
    });
  }
}
