/**
 * Child processes of tests, each with a time limit: one that hangs fails its test by name, instead of
 * keeping all of them waiting.
 *
 * @module
 */
import { findProgram } from "../labs/kit/terminal/setup.ts";

/** How long a child may take unless its test says otherwise, in seconds. */
const SECONDS = 120;

/** How to run a child. */
export interface CommandOptions extends Deno.CommandOptions {
  /** Seconds after which it is killed. */
  readonly seconds?: number;
}

/** As `Deno.Command`, with a time limit. */
export class Command {
  readonly #program: string;
  readonly #options: Deno.CommandOptions;
  readonly #seconds: number;

  constructor(program: string, { seconds = SECONDS, ...options }: CommandOptions = {}) {
    this.#program = program;
    this.#options = options;
    this.#seconds = seconds;
  }

  /**
   * Runs it to its end.
   *
   * @throws {Error} If that does not come in time; it and its children are killed.
   */
  async output(): Promise<Deno.CommandOutput> {
    return this.#inTime(await this.#limited().output());
  }

  /**
   * Runs it to its end, and blocks until then.
   *
   * @throws {Error} If that does not come in time; it and its children are killed.
   */
  outputSync(): Deno.CommandOutput {
    return this.#inTime(this.#limited().outputSync());
  }

  /** Starts it. When it is late, it is killed, and the standard error says so. */
  spawn(): Deno.ChildProcess {
    const child = new Deno.Command(this.#program, this.#options).spawn();
    const timer = setTimeout(() => {
      console.error(this.#complaint);
      child.kill("SIGKILL");
    }, this.#seconds * 1000);
    child.status.finally(() => clearTimeout(timer));
    return child;
  }

  /** timeout(1) ends as its child does, and kills all of its process group. */
  #limited(): Deno.Command {
    const { args = [], ...options } = this.#options;
    const limit = ["--signal=KILL", String(this.#seconds)];
    // Looked up here: a test may give its child another PATH.
    return new Deno.Command(findProgram("timeout") ?? "timeout", {
      ...options,
      args: [...limit, this.#program, ...args],
    });
  }

  #inTime(output: Deno.CommandOutput): Deno.CommandOutput {
    if (output.signal === "SIGKILL") throw new Error(this.#complaint);
    return output;
  }

  get #complaint(): string {
    const line = [this.#program, ...this.#options.args ?? []].join(" ").slice(0, 300);
    return `Had not ended after ${this.#seconds} s, and was killed: ${line}`;
  }
}
