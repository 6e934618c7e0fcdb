/**
 * Experiments with known numbers, for the tests of plots and reports.
 *
 * @module
 */
import * as hdr from "hdr-histogram-js";
import type { PercentileSeries } from "../../../../labs/kit/plot/percentile_plot.ts";
import type { CallPath } from "../../../../ffi/microscope/view.ts";
import type { SeenCalls } from "../../../../labs/kit/plot/seen_calls.ts";
import { elementsOf } from "../../../elements.ts";
import type { Factors, Measures, Trial } from "../../../../labs/kit/trials/trials.ts";

/** Where the trials of an experiment come from. */
export interface SampleOptions<F extends Factors> {
  readonly factors: readonly F[];
  readonly control?: (factors: F) => boolean;
  readonly rounds?: number;
  readonly measure: (factors: F, round: number) => Measures;
}

/** One warm-up round, then rounds with each combination once and each baseline twice. */
export function sampleTrials<F extends Factors>(options: SampleOptions<F>): Trial[] {
  const { factors, control = () => false, rounds = 4, measure } = options;
  const trials: Trial[] = [];
  for (let round = 0; round <= rounds; round++) {
    const again = round === 0 ? [] : factors.filter(control);
    for (const [order, own] of [...factors, ...again].entries()) {
      trials.push({
        round,
        order,
        warmUp: round === 0,
        control: order >= factors.length,
        factors: own,
        measures: measure(own, round + (order >= factors.length ? 0.5 : 0)),
        startedAt: new Date(Date.UTC(2026, 0, 1) + trials.length * 250).toISOString(),
        seconds: 0.2,
      });
    }
  }
  return trials;
}

/** Values that differ from round to round by a few per cent, the same each time. */
export function noisy(value: number, round: number): number {
  return value * (1 + 0.02 * Math.sin(round * 7.3));
}

/** Sending: zero copy is slower at 600 bytes, and faster from 4000 on. */
export function sendTrials(): Trial[] {
  const factors = [600, 1500, 4000].flatMap((payload) =>
    ["copy", "zc"].map((mode) => ({ sink: "ifb", payload, mode }))
  );
  return sampleTrials({
    factors,
    control: ({ mode }) => mode === "copy",
    measure: ({ payload, mode }, round) => {
      const ratio = mode === "copy" ? 1 : { 600: 0.7, 1500: 1, 4000: 1.6 }[payload]!;
      const rate = noisy(400_000 * ratio, round + (mode === "zc" ? 0.3 : 0));
      return {
        requestsPerSecond: rate / 2,
        datagramsPerSecond: rate,
        sent: 1000,
        copied: mode === "zc" ? 0 : null,
      };
    },
  });
}

/** Round trips: a distribution in each trial, for two ways of waiting on two links. */
export function latencyTrials(): Trial[] {
  const factors = ["pair", "loopback"].flatMap((link) =>
    ["none", "busy"].map((polling) => ({ link, polling }))
  );
  return sampleTrials({
    factors,
    control: ({ polling }) => polling === "none",
    measure: ({ polling }) => {
      const histogram = hdr.build({ numberOfSignificantValueDigits: 3 });
      const base = polling === "none" ? 60_000 : 30_000;
      for (let i = 0; i < 1000; i++) histogram.recordValue(base + i * 20);
      const distribution = hdr.encodeIntoCompressedBase64(histogram);
      return { p50Seconds: (base + 10_000) / 1e9, distribution };
    },
  });
}

/** A send that was not copied, one that was, and one whose memory is still held. */
export const LIFELINES = [
  { label: "first", submitted: 5, sent: 5.000004, released: 5.00004, copied: false },
  { label: "second", submitted: 5.000001, sent: 5.000006, released: 5.00005, copied: true },
  { label: "third", submitted: 5.000002, sent: null, released: null, copied: null },
];

/** Values that double with each nine. */
export function percentileCurve(label: string, least: number): PercentileSeries {
  return {
    label,
    points: [99.9, 0, 50, 90, 99].map((percentile) => ({
      percentile,
      value: least * (1 - percentile / 100) ** -Math.log10(2),
    })),
  };
}

/** All texts of a drawing. */
export function textsIn(svg: string): string[] {
  return elementsOf(svg).all("text").map(({ text }) => text);
}

/** A function, what it executed itself, and what it called. */
export function called(
  name: string,
  instructions: number,
  children: readonly CallPath[] = [],
  place: CallPath["place"] = "own",
): CallPath {
  const total = children.reduce((sum, child) => sum + child.total, instructions);
  return { name, place, instructions, total, children };
}

/** The paths of a copying send, whose receiver runs in a softirq of it. */
export const COPYING: SeenCalls = {
  label: "copying",
  threads: [
    called("own thread", 0, [
      called("user space", 5000, [], "user space"),
      called("entry_SYSCALL_64_after_hwframe", 100, [
        called("sendmsg", 300, [
          called("_copy_from_iter", 20, [called("memcpy", 380)]),
          called("alloc_pages", 40, [called("clear_page", 160)]),
          called("softirq", 50, [called("tcp_v4_rcv", 148, [called("tiny", 1), called("wee", 1)])]),
          called("interrupt", 0, [called("timer", 70, [], "interrupts")], "interrupts"),
        ]),
      ]),
      called("asm_exc_page_fault", 33),
    ]),
    called("thread", 0, [called("schedule", 9, [], "other threads")], "other threads"),
  ],
  copies: [{
    path: ["entry_SYSCALL_64_after_hwframe", "sendmsg", "_copy_from_iter", "memcpy"],
    place: "own",
    copied: 4096,
  }],
};

/** The same without the copy: the kernel looks up the pages instead. */
export const LENDING: SeenCalls = {
  label: "lending",
  threads: [
    called("own thread", 0, [
      called("entry_SYSCALL_64_after_hwframe", 100, [
        called("sendmsg", 310, [
          called("gup_fast", 220),
          called("parse", 30, [called("memcpy", 10)]),
          called("softirq", 50, [called("tcp_v4_rcv", 150)]),
        ]),
      ]),
    ]),
  ],
};
