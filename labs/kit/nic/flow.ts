/**
 * The flow of an experiment, and the rules that steer it.
 *
 * @module
 */
import { isIpv4, isIpv6 } from "../testbed/host_port.ts";
import { OptionError } from "../options/options.ts";
import type { NicRule } from "./settings.ts";

/** The flow of an experiment, which goes to the queue for zero copy. */
export interface NicFlow {
  /** Zero-copy receive is for TCP alone. */
  readonly protocol: "tcp4" | "tcp6";
  /** The port that the receiver listens on. */
  readonly destinationPort: number;
  /** The port of the sender; any unless given. */
  readonly sourcePort?: number;
  /** The address of the receiver, numeric; any unless given. */
  readonly destinationAddress?: string;
  /** The address of the sender, numeric; any unless given. */
  readonly sourceAddress?: string;
}

/** A flow in words. */
export function describeFlow(flow: NicFlow): string {
  const { protocol, sourceAddress, sourcePort, destinationAddress, destinationPort } = flow;
  const from = sourceAddress === undefined && sourcePort === undefined
    ? ""
    : `from ${sourceAddress ?? "anywhere"} port ${sourcePort ?? "any"} `;
  return `${protocol} ${from}to ${destinationAddress ?? "any address"} port ${destinationPort}`;
}

/**
 * Makes sure that a flow is one.
 *
 * @throws {OptionError} If a port or an address is none.
 */
export function checkFlow(flow: NicFlow): void {
  if (flow.protocol !== "tcp4" && flow.protocol !== "tcp6") {
    throw new OptionError(`The protocol must be tcp4 or tcp6, got ${flow.protocol}`);
  }
  checkPort("destination", flow.destinationPort);
  if (flow.sourcePort !== undefined) checkPort("source", flow.sourcePort);
  const isAddress = flow.protocol === "tcp4" ? isIpv4 : isIpv6;
  for (const address of [flow.sourceAddress, flow.destinationAddress]) {
    if (address !== undefined && !isAddress(address)) {
      throw new OptionError(`${address} is not a numeric address of ${flow.protocol}`);
    }
  }
}

function checkPort(which: string, port: number): void {
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new OptionError(`The ${which} port must be an integer from 1 to 65535, got ${port}`);
  }
}

/** The arguments of ethtool that lead a flow to a queue. */
export function ruleArgs(name: string, flow: NicFlow, queue: number): string[] {
  const args = ["-N", name, "flow-type", flow.protocol];
  if (flow.sourceAddress !== undefined) args.push("src-ip", flow.sourceAddress);
  if (flow.destinationAddress !== undefined) args.push("dst-ip", flow.destinationAddress);
  if (flow.sourcePort !== undefined) args.push("src-port", String(flow.sourcePort));
  args.push("dst-port", String(flow.destinationPort));
  return [...args, "action", String(queue)];
}

/** Whether a rule is for exactly this flow. */
export function isRuleFor(rule: NicRule, flow: NicFlow): boolean {
  return rule.protocol === flow.protocol &&
    rule.destinationPort === flow.destinationPort &&
    rule.sourcePort === flow.sourcePort &&
    sameAddress(rule.destinationAddress, flow.destinationAddress) &&
    sameAddress(rule.sourceAddress, flow.sourceAddress);
}

/** IPv6 addresses have many spellings; the parser of URLs knows one. */
function sameAddress(left: string | undefined, right: string | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return canonicalAddress(left) === canonicalAddress(right);
}

function canonicalAddress(address: string): string {
  const host = address.includes(":") ? `[${address}]` : address;
  return URL.parse(`http://${host}/`)?.hostname ?? address;
}

/** What adding a rule printed has its number. */
export function ruleNumber(output: string): number | undefined {
  const number = /^Added rule with ID (\d+)$/m.exec(output)?.[1];
  return number === undefined ? undefined : Number(number);
}
