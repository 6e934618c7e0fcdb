/**
 * The C program of the bench (the folder reference): runs it, talks to it.
 *
 * @module
 */
import { Room } from "../labs/kit/files/room.ts";
import { compiledProgram } from "./compile.ts";

/** What it is called. */
const NAME = "reference";

/**
 * The program. It reads commands from its standard input, one on each line, and answers each with
 * lines of JSON; `{"error": TEXT}` where it failed.
 *
 * @example Send a command, read the answer
 * ```ts
 * import { assertRejects } from "@std/assert";
 * import { Program } from "../bench/program.ts";
 *
 * await using program = await Program.start();
 * await program.command("walk", 1, 2);
 * await assertRejects(() => program.answer(5000), Error, "the commands are");
 * ```
 */
export class Program implements Disposable, AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: LineReader;
  #closed = false;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#lines = new LineReader(child.stdout);
  }

  /**
   * Compiles the program and starts it. Nothing of it is left on disk, however we end: it is deleted
   * once it runs, and it ends with its input.
   *
   * @param args The program's arguments.
   * @throws {UnsupportedError} If there is no C compiler.
   * @throws {Error} If the compiler refuses the source, with what it said.
   */
  static async start(args: readonly string[] = []): Promise<Program> {
    const bytes = await compiledProgram();
    using room = Room.open("bench");
    const path = room.path(NAME);
    // Not asynchronously: a child that is made meanwhile would keep it open for writing.
    Deno.writeFileSync(path, bytes, { mode: 0o700 });
    return new Program(
      new Deno.Command(path, {
        args: [...args],
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn(),
    );
  }

  /** Process id of the program. */
  get pid(): number {
    return this.#child.pid;
  }

  /**
   * Gives the program a command.
   *
   * @param words The words of its line.
   * @throws {TypeError} If a word would end the line.
   * @throws {Error} If the program is closed.
   */
  async command(...words: readonly (string | number)[]): Promise<void> {
    if (this.#closed) throw new Error(`${NAME} is closed. Start it again`);
    const line = words.join(" ");
    if (/[\r\n\0]/.test(line)) throw new TypeError(`${NAME}: a command is one line`);
    try {
      await this.#input.write(new TextEncoder().encode(`${line}\n`));
    } catch (error) {
      // It has ended; what it said is the better error, and comes instead of an answer.
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
  }

  /**
   * The next line of its answers.
   *
   * @param milliseconds How long to wait; then it counts as stuck and is killed.
   * @throws {Error} If the command failed or the program has ended, with what it said.
   */
  async answer<Result>(milliseconds: number): Promise<Result> {
    const timer = setTimeout(() => this.#kill(), milliseconds);
    try {
      const line = await this.#lines.next();
      if (line === undefined) throw await this.#ended();
      const answer = JSON.parse(line);
      if (typeof answer.error === "string") throw new Error(`${NAME}: ${answer.error}`);
      return answer;
    } finally {
      clearTimeout(timer);
    }
  }

  async #ended(): Promise<Error> {
    if (this.#closed) return new Error(`${NAME} was closed before it answered`);
    this.#closed = true;
    const [status, said] = await Promise.all([
      this.#child.status,
      new Response(this.#child.stderr).text(),
    ]);
    const end = status.signal ?? `exit code ${status.code}`;
    return new Error(`${NAME} ended (${end}) ${said.trim()}`.trimEnd());
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

  /** One line for the REPL. */
  [Symbol.for("Deno.customInspect")](): string {
    return `Program { ${NAME}, ${this.#closed ? "closed" : `pid: ${this.pid}`} }`;
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
