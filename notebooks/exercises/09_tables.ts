/**
 * What the runs of notebook 09 come to, as tables.
 *
 * @module
 */
import { type RunDocument, table } from "zclab/experiment";

type Row = RunDocument["summary"][number];

const PLAIN = { colours: false, width: 110 } as const;

/** A change in percent, with its sign. */
function percent(ratio: number): string {
  const change = Math.round((ratio - 1) * 100);
  return `${change < 0 ? "−" : change > 0 ? "+" : "±"}${Math.abs(change)} %`;
}

/** The number of a row in a column whose name begins so: the clock gives it its unit. */
function numberIn(row: Row, name: RegExp): number {
  const [, value] =
    Object.entries(row).find(([key, value]) => name.test(key) && typeof value === "number") ?? [];
  return Number(value);
}

const CPU = /^(cpuSecondsPerRequest|cpuInstructionsPerRequest)$/;

/** How a row of the lab `tx-cold-memory` compares with the first one of its way of sending. */
export interface MemoryComparison {
  readonly mode: string;
  readonly ratio: number;
  /** The ends of the 95 % interval. */
  readonly low: number;
  readonly high: number;
  /** The same in a sentence. */
  readonly verdict: string;
}

/**
 * The comparisons of a run of the lab `tx-cold-memory`.
 *
 * @param document The run, in time.
 * @returns One for each row that is compared.
 */
export function memoryComparisons({ summary }: RunDocument): MemoryComparison[] {
  return summary.flatMap((row) => {
    const { cpuSecondsPerRequest: found } = row.comparisons as unknown as Readonly<
      Record<string, Omit<MemoryComparison, "mode"> & { readonly difference: string } | null>
    >;
    if (found === null || found === undefined || found.difference === "baseline") return [];
    const { ratio, low, high, verdict } = found;
    return [{ mode: String(row.mode), ratio, low, high, verdict }];
  });
}

/** What a request costs from one memory, here and in instructions. */
export interface MemoryCost {
  readonly mode: string;
  /** Size of the memory in MiB. */
  readonly memory: number;
  /** Processor time of this machine for each request, in seconds. */
  readonly seconds: number;
  /** The same row of the other run, in instructions. */
  readonly instructions: number;
}

/**
 * Pairs the rows of two runs of the lab `tx-cold-memory`, one by a clock of time and one by a clock that
 * counts instructions.
 *
 * @param time The run in time.
 * @param counted The run in instructions.
 * @returns A row for each that both have.
 */
export function memoryCosts(time: RunDocument, counted: RunDocument): MemoryCost[] {
  return time.summary.flatMap((row) => {
    const other = counted.summary.find(({ mode, memory }) =>
      mode === row.mode && memory === row.memory
    );
    return other === undefined ? [] : [{
      mode: String(row.mode),
      memory: Number(row.memory),
      seconds: numberIn(row, CPU),
      instructions: numberIn(other, CPU),
    }];
  });
}

/**
 * The same as a table, each row against the first one of its way of sending.
 *
 * @param costs What each row costs.
 * @returns Lines of text.
 */
export function memoryTable(costs: readonly MemoryCost[]): string {
  const first = ({ mode }: MemoryCost): MemoryCost => costs.find((cost) => cost.mode === mode)!;
  const against = (cost: MemoryCost, of: "seconds" | "instructions"): string | null =>
    cost === first(cost) ? null : percent(cost[of] / first(cost)[of]);
  return table<MemoryCost>(
    [
      { title: "way of sending", value: ({ mode }) => mode },
      { title: "memory,\nMiB", value: ({ memory }) => memory },
      {
        title: "time here,\nµs",
        value: ({ seconds }) => (seconds * 1e6).toFixed(2),
        align: "right",
      },
      { title: "against\n1 MiB", value: (cost) => against(cost, "seconds"), align: "right" },
      {
        title: "instructions\nin the guest",
        value: ({ instructions }) => Math.round(instructions),
      },
      { title: "against\n1 MiB", value: (cost) => against(cost, "instructions"), align: "right" },
    ],
    costs,
    PLAIN,
  );
}

/** What not copying saves at one size of payload, with clearing and without. */
export interface Saving {
  readonly payload: number;
  /** Instructions of a copying send. */
  readonly copy: { readonly cleared: number; readonly notCleared: number };
  /** Instructions of a zero-copy send from registered memory. */
  readonly zeroCopy: { readonly cleared: number; readonly notCleared: number };
  /** The part of what zero copy saves that is clearing: 0 is none, 1 is all. */
  readonly clearing: number;
}

/**
 * Compares two runs of the lab `tx-copy-vs-zc` in instructions.
 *
 * @param cleared The run on a kernel that clears what it allocates.
 * @param notCleared The run on one that does not.
 * @returns A row for each size of payload.
 */
export function savings(cleared: RunDocument, notCleared: RunDocument): Saving[] {
  const instructions = ({ summary }: RunDocument, payload: unknown, mode: string): number =>
    numberIn(
      summary.find((row) => row.payload === payload && row.mode === mode)!,
      /^instructionsPerRequest$/,
    );
  const payloads = [...new Set(cleared.summary.map(({ payload }) => Number(payload)))];
  return payloads.map((payload) => {
    const of = (mode: string): Saving["copy"] => ({
      cleared: instructions(cleared, payload, mode),
      notCleared: instructions(notCleared, payload, mode),
    });
    const [copy, zeroCopy] = [of("non-zc"), of("zc-fixed")];
    const left = (copy.notCleared - zeroCopy.notCleared) / (copy.cleared - zeroCopy.cleared);
    return { payload, copy, zeroCopy, clearing: 1 - left };
  });
}

/**
 * The same as a table.
 *
 * @param rows What {@linkcode savings} gives.
 * @returns Lines of text.
 */
export function savingsTable(rows: readonly Saving[]): string {
  const saved = ({ copy, zeroCopy }: Saving, of: "cleared" | "notCleared"): string =>
    percent(zeroCopy[of] / copy[of]);
  return table<Saving>(
    [
      { title: "bytes", value: ({ payload }) => payload },
      { title: "cleared:\ncopy", value: ({ copy }) => Math.round(copy.cleared) },
      { title: "\nzc-fixed", value: ({ zeroCopy }) => Math.round(zeroCopy.cleared) },
      { title: "\nchange", value: (row) => saved(row, "cleared"), align: "right" },
      { title: "not cleared:\ncopy", value: ({ copy }) => Math.round(copy.notCleared) },
      { title: "\nzc-fixed", value: ({ zeroCopy }) => Math.round(zeroCopy.notCleared) },
      { title: "\nchange", value: (row) => saved(row, "notCleared"), align: "right" },
      {
        title: "of the saving\nis clearing",
        value: ({ clearing }) => `${Math.round(clearing * 100)} %`,
        align: "right",
      },
    ],
    rows,
    PLAIN,
  );
}
