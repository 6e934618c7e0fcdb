/**
 * What an interface is set to.
 *
 * @module
 */
import type { NetworkNamespace } from "../../../ffi/net/namespace.ts";
import { runInNamespace } from "./namespace_command.ts";
import { findProgram } from "../terminal/setup.ts";

/** What an interface is set to: a result means little without it. */
export interface InterfaceSettings {
  /** The name of the interface. */
  readonly interface: string;
  /** Its MTU, in bytes. */
  readonly mtu: number;
  /** Its root queueing discipline, such as `noqueue`. */
  readonly qdisc: string;
  /** Its offloads under ethtool's names, or undefined where ethtool is not installed. */
  readonly offloads: Readonly<Record<string, boolean>> | undefined;
}

/** What zclab reads of `ip -json link show`. */
interface LinkDescription {
  readonly mtu: number;
  readonly qdisc: string;
  readonly operstate: string;
}

/** What `ip` says of an interface. */
export async function showLink(
  namespace: NetworkNamespace,
  name: string,
): Promise<LinkDescription> {
  const text = await runInNamespace(namespace, "ip", ["-json", "link", "show", "dev", name]);
  const [description] = JSON.parse(text) as LinkDescription[];
  return description!;
}

/** Reads what an interface is set to. */
export async function readSettings(
  namespace: NetworkNamespace,
  name: string,
): Promise<InterfaceSettings> {
  const [{ mtu, qdisc }, offloads] = await Promise.all([
    showLink(namespace, name),
    readOffloads(namespace, name),
  ]);
  return { interface: name, mtu, qdisc, offloads };
}

async function readOffloads(
  namespace: NetworkNamespace,
  name: string,
): Promise<Record<string, boolean> | undefined> {
  if (findProgram("ethtool") === undefined) return undefined;
  const text = await runInNamespace(namespace, "ethtool", ["--show-features", name]);
  const offloads: Record<string, boolean> = {};
  for (const [, feature, state] of text.matchAll(/^\s*([\w-]+): (on|off)\b/gm)) {
    offloads[feature!] = state === "on";
  }
  return offloads;
}
