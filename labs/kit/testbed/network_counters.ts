/**
 * What the kernel counted in a network namespace.
 *
 * @module
 */
import type { NetworkNamespace } from "../../../ffi/net/namespace.ts";
import { runInNamespace } from "./namespace_command.ts";

/** Counts by name, such as `TcpExt.BusyPollRxPackets`. */
export type NetworkCounters = Readonly<Record<string, number>>;

/**
 * Reads the counters of a network namespace: those of `/proc/net/netstat`, which the kernel keeps
 * for the whole namespace and never resets. Take the difference of two readings.
 *
 * @param place Where: an end of a testbed, say.
 * @returns Every counter, as `group.name` with the kernel's names.
 * @throws {UnsupportedError} If `nsenter` is not installed.
 * @throws {ClosedError} If the namespace is closed.
 *
 * @example Nothing has arrived by busy polling in a new namespace
 * ```ts
 * import { networkCounters, Testbed } from "zclab";
 * import { assertEquals } from "@std/assert";
 *
 * await using bed = await Testbed.loopback();
 * const counters = await networkCounters(bed.near);
 * assertEquals(counters["TcpExt.BusyPollRxPackets"], 0);
 * ```
 */
export async function networkCounters(
  place: { readonly namespace: NetworkNamespace },
): Promise<NetworkCounters> {
  return parseCounters(await runInNamespace(place.namespace, "cat", ["/proc/net/netstat"]));
}

/** Pairs of lines: `Group: name name ...`, then `Group: number number ...`. */
function parseCounters(text: string): NetworkCounters {
  const lines = text.trim().split("\n").map((line) => line.split(" "));
  const counters: Record<string, number> = {};
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const [names, values] = [lines[i]!, lines[i + 1]!];
    const group = names[0]!.replace(/:$/, "");
    for (let j = 1; j < names.length; j++) counters[`${group}.${names[j]}`] = Number(values[j]);
  }
  return counters;
}
