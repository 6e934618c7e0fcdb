/**
 * What else the machine did while a trial ran, from the counters of `/proc`.
 *
 * A trial that stands out may have a cause that is not in its factors: the hypervisor took the
 * processor away (steal), another program ran in between (involuntary switches), the clock went
 * down. So these are read before and after each trial and kept beside what it measured. They
 * explain; no statistic corrects for them.
 *
 * @module
 */

/**
 * What the counters say at one moment. A counter that is not there is null. Counts are since boot
 * or since the thread began; only differences mean something ({@linkcode covariatesBetween}).
 */
export interface CovariateReading {
  /** When, in milliseconds of the monotonic clock (`performance.now()`). */
  readonly milliseconds: number;
  /**
   * The mean frequency of the processors allowed to this thread, in MHz (cpufreq's
   * `scaling_cur_freq`, or what `/proc/cpuinfo` gives where the processor counts its cycles for
   * the kernel: the flag `aperfmperf`). Null in most guests, whose `/proc/cpuinfo` only repeats
   * the frequency of the time stamp counter.
   */
  readonly cpuMegahertz: number | null;
  /** Ticks of all kinds on the processors allowed to this thread. */
  readonly cpuTicks: number | null;
  /** Those of them that were idle or waiting for a disk. */
  readonly idleTicks: number | null;
  /** Those of them in which the hypervisor ran something else. */
  readonly stealTicks: number | null;
  /**
   * How long this thread has been ready to run and waited for a processor, in seconds
   * (`/proc/thread-self/schedstat`, scheduler statistics of the kernel's documentation).
   */
  readonly waitingSeconds: number | null;
  /** Context switches of this thread that gave the processor up, as in waiting. */
  readonly voluntarySwitches: number | null;
  /** Context switches of this thread that took the processor away from it. */
  readonly involuntarySwitches: number | null;
  /** Context switches of all processors together. */
  readonly systemSwitches: number | null;
  /** NET_RX softirqs of all processors together. */
  readonly receiveSoftirqs: number | null;
  /** NET_TX softirqs of all processors together. */
  readonly transmitSoftirqs: number | null;
  /** Packets that a full backlog dropped, on any processor, in any namespace. */
  readonly backlogDrops: number | null;
  /** How often NET_RX ran out of its budget or time with work left, on any processor. */
  readonly timeSqueezes: number | null;
  /**
   * TCP segments sent again in the network namespace of this process. A testbed has namespaces of
   * its own, which are not in it: {@linkcode networkCounters} reads those.
   */
  readonly tcpRetransmits: number | null;
  /** How many tasks ran or wanted to, averaged over a minute. */
  readonly loadAverage: number | null;
}

/**
 * What happened between two readings, under the same names, with shares instead of ticks. What is
 * not known is null.
 */
export type Covariates = {
  /** The mean frequency at the end, in MHz. */
  readonly cpuMegahertz: number | null;
  /**
   * The part of the allowed processors' time that was idle, from 0 to 1. The kernel counts in
   * hundredths of a second: in a short trial this is coarse, and null if no tick passed.
   */
  readonly idleShare: number | null;
  /** The part in which the hypervisor ran something else, likewise. */
  readonly stealShare: number | null;
  /**
   * The part of the time in which the thread that ran the trial was ready and waited for a
   * processor, from 0 to 1: others ran.
   */
  readonly waitingShare: number | null;
  /** How often the thread that ran the trial gave the processor up. */
  readonly voluntarySwitches: number | null;
  /** How often the processor was taken from it. */
  readonly involuntarySwitches: number | null;
  /** Context switches of the whole machine. */
  readonly systemSwitches: number | null;
  /** NET_RX softirqs of the whole machine. */
  readonly receiveSoftirqs: number | null;
  /** NET_TX softirqs of the whole machine. */
  readonly transmitSoftirqs: number | null;
  /** Packets that a full backlog dropped, on the whole machine. */
  readonly backlogDrops: number | null;
  /** How often NET_RX ran out of its budget or time, on the whole machine. */
  readonly timeSqueezes: number | null;
  /** TCP segments sent again in the network namespace of this process. */
  readonly tcpRetransmits: number | null;
  /** The load average over a minute, at the end. */
  readonly loadAverage: number | null;
};

/**
 * Reads the counters. Takes a fraction of a millisecond, and never throws.
 *
 * @returns The reading; what cannot be read here is null.
 *
 * @example
 * ```ts
 * import { covariatesBetween, readCovariates } from "./covariates.ts";
 * import { assert } from "@std/assert";
 *
 * const before = readCovariates();
 * await new Promise((resolve) => setTimeout(resolve, 20)); // which gives the processor up
 * const { voluntarySwitches } = covariatesBetween(before, readCovariates());
 * assert(voluntarySwitches === null || voluntarySwitches >= 1);
 * ```
 */
export function readCovariates(): CovariateReading {
  // Of the thread that asks: /proc/self would be the first thread of the process, never a worker.
  const status = readText("/proc/thread-self/status");
  const cpus = parseList(statusField(status, "Cpus_allowed_list"));
  const stat = readText("/proc/stat");
  const ticks = sumTicks(stat, cpus);
  const softnet = sumSoftnet(readText("/proc/net/softnet_stat"));
  return {
    milliseconds: performance.now(),
    cpuMegahertz: megahertz(cpus),
    cpuTicks: ticks?.all ?? null,
    idleTicks: ticks?.idle ?? null,
    stealTicks: ticks?.steal ?? null,
    waitingSeconds: seconds(readText("/proc/thread-self/schedstat")?.split(" ")[1]),
    voluntarySwitches: number(statusField(status, "voluntary_ctxt_switches")),
    involuntarySwitches: number(statusField(status, "nonvoluntary_ctxt_switches")),
    systemSwitches: number(stat?.match(/^ctxt (\d+)$/m)?.[1]),
    transmitSoftirqs: number(softirqs(stat)?.[SOFTIRQ.transmit]),
    receiveSoftirqs: number(softirqs(stat)?.[SOFTIRQ.receive]),
    backlogDrops: softnet?.drops ?? null,
    timeSqueezes: softnet?.squeezes ?? null,
    tcpRetransmits: retransmits(readText("/proc/thread-self/net/snmp")),
    loadAverage: number(readText("/proc/loadavg")?.split(" ")[0]),
  };
}

/**
 * What happened between two readings.
 *
 * @param before The earlier reading.
 * @param after The later one, by the same thread.
 * @returns Differences, shares, and what is a state at the end; plain numbers or null.
 */
export function covariatesBetween(before: CovariateReading, after: CovariateReading): Covariates {
  const since = (name: keyof CovariateReading): number | null => {
    const [from, to] = [before[name], after[name]];
    // A processor that went offline takes its counts along.
    return from === null || to === null || to < from ? null : to - from;
  };
  const share = (name: "idleTicks" | "stealTicks"): number | null => {
    const [part, all] = [since(name), since("cpuTicks")];
    return part === null || all === null || all === 0 ? null : Math.min(1, part / all);
  };
  const elapsed = (after.milliseconds - before.milliseconds) / 1000;
  const waited = since("waitingSeconds");
  return {
    cpuMegahertz: after.cpuMegahertz,
    idleShare: share("idleTicks"),
    stealShare: share("stealTicks"),
    waitingShare: elapsed <= 0 || waited === null ? null : Math.min(1, waited / elapsed),
    voluntarySwitches: since("voluntarySwitches"),
    involuntarySwitches: since("involuntarySwitches"),
    systemSwitches: since("systemSwitches"),
    receiveSoftirqs: since("receiveSoftirqs"),
    transmitSoftirqs: since("transmitSoftirqs"),
    backlogDrops: since("backlogDrops"),
    timeSqueezes: since("timeSqueezes"),
    tcpRetransmits: since("tcpRetransmits"),
    loadAverage: after.loadAverage,
  };
}

/** Places in the line `softirq` of /proc/stat, after the total (include/linux/interrupt.h). */
const SOFTIRQ = { transmit: 3, receive: 4 } as const;

function readText(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return null;
  }
}

function number(text: string | undefined): number | null {
  const value = Number(text);
  return text === undefined || text.trim() === "" || !Number.isFinite(value) ? null : value;
}

/** Nanoseconds in seconds. */
function seconds(text: string | undefined): number | null {
  const nanoseconds = number(text);
  return nanoseconds === null ? null : nanoseconds / 1e9;
}

function statusField(status: string | null, name: string): string | undefined {
  return status?.match(new RegExp(`^${name}:\\s*(\\S+)$`, "m"))?.[1];
}

/** The kernel's lists, such as `0-3,8`; undefined if there is none. */
function parseList(list: string | undefined): Set<number> | undefined {
  if (list === undefined) return undefined;
  const found = new Set<number>();
  for (const range of list.split(",")) {
    const [first = NaN, last = first] = range.split("-").map(Number);
    for (let cpu = first; cpu <= last; cpu++) found.add(cpu);
  }
  return found;
}

/** Ticks of processors: user, nice, system, idle, iowait, irq, softirq, steal, and guest's two. */
function sumTicks(
  stat: string | null,
  cpus: ReadonlySet<number> | undefined,
): { all: number; idle: number; steal: number } | null {
  if (stat === null || cpus === undefined) return null;
  const sum = { all: 0, idle: 0, steal: 0 };
  for (const [, cpu, counts] of stat.matchAll(/^cpu(\d+) (.+)$/gm)) {
    if (!cpus.has(Number(cpu))) continue;
    // The guest's two are part of user and nice already.
    const ticks = counts!.split(" ").slice(0, 8).map(Number);
    for (const count of ticks) sum.all += count;
    sum.idle += ticks[3]! + ticks[4]!;
    sum.steal += ticks[7] ?? 0;
  }
  return Number.isFinite(sum.all) && sum.all > 0 ? sum : null;
}

function softirqs(stat: string | null): string[] | undefined {
  return stat?.match(/^softirq (.+)$/m)?.[1]?.split(" ");
}

/** A line for each processor, hexadecimal: packets, drops, squeezes, and more. */
function sumSoftnet(text: string | null): { drops: number; squeezes: number } | null {
  if (text === null || text === "") return null;
  let [drops, squeezes] = [0, 0];
  for (const line of text.trim().split("\n")) {
    const columns = line.split(/\s+/);
    drops += parseInt(columns[1] ?? "", 16);
    squeezes += parseInt(columns[2] ?? "", 16);
  }
  return Number.isFinite(drops) && Number.isFinite(squeezes) ? { drops, squeezes } : null;
}

/** `Tcp:` twice: names, then numbers. */
function retransmits(snmp: string | null): number | null {
  const [names, values] = [...snmp?.matchAll(/^Tcp: (.+)$/gm) ?? []].map((m) => m[1]!.split(" "));
  const column = names?.indexOf("RetransSegs") ?? -1;
  return column < 0 ? null : number(values?.[column]);
}

function megahertz(cpus: ReadonlySet<number> | undefined): number | null {
  if (cpus === undefined) return null;
  const governed = [...cpus].map((cpu) =>
    number(
      readText(`/sys/devices/system/cpu/cpu${cpu}/cpufreq/scaling_cur_freq`) ?? undefined,
    )
  ).filter((kilohertz) => kilohertz !== null);
  if (governed.length > 0) return average(governed) / 1000;
  const known =
    readText("/proc/cpuinfo")?.split("\n\n").filter((block) =>
      cpus.has(Number(block.match(/^processor\s*: (\d+)$/m)?.[1])) &&
      /^flags\s*:.* aperfmperf\b/m.test(block)
    ).map((block) => number(block.match(/^cpu MHz\s*: ([\d.]+)$/m)?.[1]))
      .filter((value) => value !== null) ?? [];
  return known.length === 0 ? null : average(known);
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
