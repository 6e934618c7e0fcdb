/**
 * A progress bar on the terminal.
 *
 * @module
 */
import { displayWidth, truncated } from "../text/table.ts";

/** Redrawing more often only costs time, which the experiment would notice. */
const REDRAW_MILLISECONDS = 100;

/** Back to the start of the line, and clear it. */
const CLEAR_LINE = "\r\x1b[2K";

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** Options of {@linkcode Progress}. */
export interface ProgressOptions {
  /** Removes the bar when aborted; further updates draw nothing. */
  readonly signal?: AbortSignal;
  /**
   * Whether to draw at all.
   *
   * @default {Deno.stderr.isTerminal()}
   */
  readonly enabled?: boolean;
  /** Writes to the terminal; by default to stderr. */
  readonly write?: (text: string) => void;
  /** How many columns the terminal has; by default it is asked at every redraw. */
  readonly columns?: () => number;
  /** The time in milliseconds; by default `performance.now`. */
  readonly now?: () => number;
}

/**
 * A progress bar: how much is done, the time left, and what runs now. It draws one line on
 * stderr, so that redirected output stays clean, and removes it when disposed. Without a terminal
 * it is silent.
 *
 * It draws only when told of progress: there is no timer, no handler and no hidden cursor that a
 * killed process would leave behind.
 *
 * @example
 * ```ts
 * import { cross, experiment } from "zclab/experiment";
 * import { Progress } from "./progress.ts";
 *
 * using progress = new Progress();
 * await experiment({
 *   factors: cross({ bytes: [1000, 4000] }),
 *   repeats: 1,
 *   onProgress: (done, total, { bytes }) => progress.update(done, total, `${bytes} B`),
 *   trial: ({ bytes }) => ({ length: new Uint8Array(bytes).length }),
 * });
 * ```
 */
export class Progress implements Disposable {
  readonly #write: (text: string) => void;
  readonly #columns: () => number;
  readonly #now: () => number;
  readonly #signal: AbortSignal | undefined;
  readonly #started: number;
  #enabled: boolean;
  #drawn = false;
  #last = -Infinity;

  /**
   * Starts the clock of the time left; draws nothing yet.
   *
   * @param options Where and whether to draw.
   */
  constructor(options: ProgressOptions = {}) {
    this.#enabled = options.enabled ?? Deno.stderr.isTerminal();
    this.#write = options.write ?? writeToStderr;
    this.#columns = options.columns ?? stderrColumns;
    this.#now = options.now ?? (() => performance.now());
    this.#signal = options.signal;
    this.#started = this.#now();
    this.#signal?.addEventListener("abort", this.#stop);
    if (this.#signal?.aborted) this.#stop();
  }

  /**
   * Says how far it is. Draws at most ten times a second, and when all is done.
   *
   * @param done How many steps are done.
   * @param total How many there are, at least 1.
   * @param note What runs now; cut off where the line ends.
   */
  update(done: number, total: number, note = ""): void {
    if (!this.#enabled) return;
    const now = this.#now();
    if (done < total && now - this.#last < REDRAW_MILLISECONDS) return;
    this.#last = now;
    // The last column stays free: writing there makes some terminals wrap.
    const columns = Math.max(1, this.#columns() - 1);
    this.#write(CLEAR_LINE + this.#line(Math.min(done, total), total, note, columns));
    this.#drawn = true;
  }

  /**
   * Removes the bar for a moment to print a line in its place; the next update draws it again.
   *
   * @param text What to print, without the line's end.
   */
  print(text: string): void {
    this.#clear();
    this.#write(`${text}\n`);
    this.#last = -Infinity;
  }

  /** Removes the bar; updates draw nothing from here on. */
  [Symbol.dispose](): void {
    this.#stop();
  }

  readonly #stop = (): void => {
    this.#clear();
    this.#enabled = false;
    this.#signal?.removeEventListener("abort", this.#stop);
  };

  #clear(): void {
    if (this.#drawn) this.#write(CLEAR_LINE);
    this.#drawn = false;
  }

  #line(done: number, total: number, note: string, columns: number): string {
    const fraction = total > 0 ? done / total : 1;
    const left = done === 0 ? "" : ` ${duration(this.#remaining(done, total))} left`;
    const count = `${String(done).padStart(String(total).length)}/${total}`;
    const tail = ` ${String(Math.floor(fraction * 100)).padStart(3)} % ${count}${left}`;
    const cells = Math.max(8, Math.min(30, columns - tail.length - displayWidth(note) - 4));
    const eighths = Math.round(fraction * cells * 8);
    const bar = "█".repeat(eighths >> 3) + EIGHTHS[eighths & 7];
    return truncated(`▕${bar.padEnd(cells)}▏${tail}  ${note}`.trimEnd(), columns);
  }

  #remaining(done: number, total: number): number {
    return (this.#now() - this.#started) / 1000 / done * (total - done);
  }
}

/** Minutes and seconds, such as `1:05`, with hours before them where there are any. */
function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const two = (value: number): string => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

function writeToStderr(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) {
    written += Deno.stderr.writeSync(bytes.subarray(written));
  }
}

function stderrColumns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}
