/**
 * Many durations in little memory, such as those of all round trips.
 *
 * @module
 */
import type * as Hdr from "hdr-histogram-js";
import { createRequire } from "node:module";

const NANOSECONDS = 1e9;

/** The compressed encodings of HdrHistogram begin so, in base64. */
const ENCODED = /^HIST[A-Za-z0-9+/]+={0,2}$/;

/** Whether a measure holds durations, as {@linkcode Durations.encode} writes them. */
export function isDistribution(measure: unknown): measure is string {
  return typeof measure === "string" && ENCODED.test(measure);
}

/** Of the durations of a trial what a document says. */
export type DurationMeasures = {
  readonly p50Seconds: number | null;
  readonly p90Seconds: number | null;
  readonly p99Seconds: number | null;
  readonly p999Seconds: number | null;
  readonly maxSeconds: number;
  /** All of them, as {@linkcode Durations.encode} writes them. */
  readonly distribution: string;
};

/** Loaded when it is needed: it takes longer to load than all the rest of zclab. */
function library(): typeof Hdr {
  return createRequire(import.meta.url)("hdr-histogram-js");
}

/**
 * Durations, counted by their length: an HdrHistogram of nanoseconds with three significant digits.
 *
 * @example
 * ```ts
 * import { Durations } from "zclab/experiment";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 *
 * const durations = new Durations();
 * for (let i = 1; i <= 1000; i++) durations.record(i / 1000);
 * assertAlmostEquals(durations.percentile(90)!, 900e-6, 1e-6);
 * assertEquals(durations.percentile(99.99), null); // one in ten thousand, of one thousand
 * assertEquals(Durations.merged([durations.encode(), durations.encode()]).count, 2000);
 * ```
 */
export class Durations {
  readonly #histogram: Hdr.Histogram = library().build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 10 * NANOSECONDS,
    autoResize: true,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 32,
  });

  /**
   * Takes several together.
   *
   * @param encoded As {@linkcode Durations.encode} wrote them.
   * @throws {RangeError} If one is damaged.
   */
  static merged(encoded: readonly string[]): Durations {
    const { decodeFromCompressedBase64 } = library();
    const merged = new Durations();
    for (const text of encoded) {
      let histogram: Hdr.Histogram;
      try {
        histogram = decodeFromCompressedBase64(text, 64, false);
      } catch (cause) {
        throw new RangeError("A distribution is no HdrHistogram", { cause });
      }
      merged.#histogram.add(histogram);
    }
    return merged;
  }

  /** Counts one, in milliseconds, as differences of `performance.now()` are. */
  record(milliseconds: number): void {
    this.#histogram.recordValue(Math.round(milliseconds * 1e6));
  }

  /** How many there are. */
  get count(): number {
    return this.#histogram.totalCount;
  }

  /** The longest, in seconds; 0 if there is none. */
  get longest(): number {
    return this.#histogram.maxValue / NANOSECONDS;
  }

  /**
   * What a part of them does not exceed.
   *
   * @param percentile The part, in percent, from 0 to less than 100.
   * @returns In seconds; null if there are none, and above the median also if there are too few for even
   *   one to be beyond.
   */
  percentile(percentile: number): number | null {
    // 100 - 99.9 is a little more than 0.1, or less.
    const beyond = this.count * (100 - percentile) / 100 + 1e-9;
    if (this.count === 0 || (percentile > 50 && beyond < 1)) return null;
    return this.#histogram.getValueAtPercentile(percentile) / NANOSECONDS;
  }

  /** All of them, compressed, in base64, for a run document. */
  encode(): string {
    return library().encodeIntoCompressedBase64(this.#histogram);
  }

  /** What a trial measured with it: percentiles, null where there are too few to tell, and all. */
  measures(): DurationMeasures {
    return {
      p50Seconds: this.percentile(50),
      p90Seconds: this.percentile(90),
      p99Seconds: this.percentile(99),
      p999Seconds: this.percentile(99.9),
      maxSeconds: this.longest,
      distribution: this.encode(),
    };
  }
}
