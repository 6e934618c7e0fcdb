/**
 * What the bench prints.
 *
 * @module
 */
import { formatSi, type Ratio, table } from "zclab/experiment";
import { type Bar, type Compared, together } from "./comparison.ts";
import type { ReceiveResult, ReceiveRow } from "./receive_trials.ts";
import type { TransmitResult } from "./transmit.ts";

/** What sends should reach, as a part of C's rate: the geometric mean over all rows. */
const SEND_BAR: Bar = { least: 0.97 };
/** What the heap may have more after ten million operations. */
const HEAP_BYTES = 1 << 20;
/** How long the REPL may take to answer. */
const REPL_MILLISECONDS = 500;

/**
 * The text of the part transmit.
 *
 * @param result What it came to.
 */
export function transmitText(result: TransmitResult): string {
  const { nops, awaited, sends, heapGrowthBytes, replMilliseconds } = result;
  return [
    comparisonTable([...nops, awaited, ...sends]),
    ...judgements(nops),
    judged("sends, geometric mean", together(sends).ratio, SEND_BAR),
    `${met(heapGrowthBytes < HEAP_BYTES)}  heap after 10 million: ${heapGrowthBytes} bytes`,
    `${met(replMilliseconds < REPL_MILLISECONDS)}  repl: answers after ` +
    `${replMilliseconds.toFixed(0)} ms`,
  ].join("\n");
}

/**
 * The text of the part receive.
 *
 * @param result What it came to.
 */
export function receiveText({ rows, speed, cpu }: ReceiveResult): string {
  return [
    comparisonTable([speed, cpu]),
    sidesTable(rows),
    ...judgements([speed, cpu]),
  ].join("\n");
}

function comparisonTable(rows: readonly Compared[]): string {
  return table<Compared>([
    { title: "what", value: ({ name }) => name },
    { title: "C", value: ({ c }) => c, format: (value, { unit }) => shown(value, unit) },
    {
      title: "zclab",
      value: ({ zclab }) => zclab,
      format: (value, { unit }) => shown(value, unit),
    },
    {
      title: "zclab / C",
      value: ({ ratio }) => ratio.ratio,
      format: (ratio) => Number(ratio).toFixed(3),
    },
    { title: "95 % interval", value: ({ ratio }) => interval(ratio), align: "right" },
    {
      title: "noise floor,\nC / C",
      value: ({ noiseFloor }) => interval(noiseFloor),
      align: "right",
    },
  ], rows);
}

function sidesTable(rows: readonly ReceiveRow[]): string {
  const milliseconds = (value: string | number | boolean): string => shown(value, "ms");
  return table<ReceiveRow>([
    { title: "who, how", value: (row) => row.side },
    {
      title: "bytes",
      value: (row) => row.bytesPerSecond,
      format: (value) => shown(value, "B/s"),
    },
    {
      title: "a piece",
      value: (row) => row.bytesPerPiece,
      format: (value) => `${Number(value).toFixed(0)} B`,
    },
    { title: "CPU per MiB", value: (row) => row.cpuPerMiB, format: milliseconds },
    {
      title: "softirqs,\nits CPU",
      value: (row) => row.receiverSoftirqPerMiB,
      format: milliseconds,
    },
    {
      title: "softirqs,\nsender's CPU",
      value: (row) => row.senderSoftirqPerMiB,
      format: milliseconds,
    },
  ], rows);
}

/** Times are compared line by line, so their unit stays the same. */
function shown(value: string | number | boolean, unit: string): string {
  if (unit === "ns") return `${Number(value).toFixed(1)} ns`;
  if (unit === "ms") return `${Number(value).toFixed(2)} ms`;
  return formatSi(Number(value), unit);
}

function interval({ low, high }: Ratio): string {
  return `${low.toFixed(3)} to ${high.toFixed(3)}`;
}

function judgements(rows: readonly Compared[]): string[] {
  return rows.flatMap(({ name, ratio, bar }) =>
    bar === undefined ? [] : [judged(name, ratio, bar)]
  );
}

/** A ratio beside its figure: where the figure is inside the interval, this run cannot tell. */
function judged(name: string, ratio: Ratio, bar: Bar): string {
  const [isMet, isMissed, figure] = "least" in bar
    ? [ratio.low >= bar.least, ratio.high < bar.least, `at least ${bar.least}`]
    : [ratio.high <= bar.most, ratio.low > bar.most, `at most ${bar.most}`];
  return `${isMet || isMissed ? met(isMet) : "cannot be told   "}  ` +
    `${name}: ${ratio.ratio.toFixed(3)} (${interval(ratio)}), ${figure}`;
}

function met(isMet: boolean): string {
  return isMet ? "meets its figure " : "MISSES its figure";
}
