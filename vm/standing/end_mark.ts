/**
 * Finds where a command's output ends in what comes through a port of the guest: the port stays open for
 * the next command, so that its end says nothing.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** A mark at the end of what one command has written. */
export class EndMark {
  readonly #mark: Uint8Array;
  #held: Uint8Array = new Uint8Array();
  #ended = false;

  /**
   * Looks for a mark.
   *
   * @param mark What no command writes by chance, and what does not begin as text does.
   */
  constructor(mark: string) {
    this.#mark = new TextEncoder().encode(mark);
  }

  /** Makes a text for a mark. */
  static random(): string {
    return `\x1e${crypto.randomUUID()}`;
  }

  /** Whether the mark has come. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Takes what has come.
   *
   * @param bytes What has come.
   * @returns What of that, and of what was held back before, belongs to the output. What may be the
   *   beginning of the mark is held back until more comes.
   */
  take(bytes: Uint8Array): Uint8Array {
    if (this.#ended) return new Uint8Array();
    const all = Buffer.concat([this.#held, bytes]);
    const at = all.indexOf(this.#mark);
    if (at >= 0) {
      this.#ended = true;
      return all.subarray(0, at);
    }
    const whole = all.length - this.#begun(all);
    this.#held = all.subarray(whole);
    return all.subarray(0, whole);
  }

  /** How many of the last bytes are the first ones of the mark. */
  #begun(bytes: Buffer): number {
    const most = Math.min(bytes.length, this.#mark.length - 1);
    for (let length = most; length > 0; length--) {
      if (bytes.subarray(bytes.length - length).equals(this.#mark.subarray(0, length))) {
        return length;
      }
    }
    return 0;
  }
}
