/**
 * Output that waits for its turn: what runs beside something else prints nothing in between.
 *
 * @module
 */

/** Keeps what is written to it until it is released, and passes on what comes after that. */
export class HeldOutput {
  readonly #print: (text: string) => void;
  #held: string[] | undefined = [];

  /** @param print Prints. */
  constructor(print: (text: string) => void) {
    this.#print = print;
  }

  /**
   * Reads a stream to its end.
   *
   * @param stream The stream, such as a child's standard output.
   */
  async take(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      if (this.#held === undefined) this.#print(text);
      else this.#held.push(text);
    }
  }

  /** Prints what has come so far; what comes from now on is printed at once. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const text of held) this.#print(text);
  }
}
