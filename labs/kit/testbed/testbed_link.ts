/**
 * The link of a testbed: the commands of `ip`, `tc` and `ethtool` that make it and raise it.
 *
 * @module
 */
import type { NetworkNamespace } from "../../../ffi/net/namespace.ts";
import { showLink } from "./interface_settings.ts";
import { runInNamespace, type RunInNamespaceOptions } from "./namespace_command.ts";
import { FAR, hasIpv6, NEAR } from "./testbed_end.ts";

/** The name of the interface at either end; each is alone in its namespace with `lo`. */
export const INTERFACE = "zclab0";

/** A veth receiver has a NAPI context if it does GRO and its peer sends it no TSO. */
const NAPI_FEATURES = [
  ["gro", "on"],
  ["tso", "off"],
  ["tx-tcp6-segmentation", "off"],
  ["tx-tcp-mangleid-segmentation", "off"],
  ["tx-tcp-ecn-segmentation", "off"],
].flat();

/** How often the state of a link is looked at until both its ends are up. */
const LINK_LOOKS = 100;

/** One process for any number of lines, because processes are what takes time here. */
export async function configure(
  namespace: NetworkNamespace,
  program: "ip" | "tc",
  lines: readonly string[],
  options: Omit<RunInNamespaceOptions, "input"> = {},
): Promise<void> {
  const input = lines.join("\n") + "\n";
  await runInNamespace(namespace, program, ["-batch", "-"], { ...options, input });
}

/**
 * Raises an interface with its addresses. Neighbours are permanent and there is no link-local
 * address, so that the only packets on the link are the experiment's own.
 */
export function endLines(own: typeof NEAR | typeof FAR, other: typeof NEAR | typeof FAR): string[] {
  const lines = [
    `addr add ${own.ipv4}/30 dev ${INTERFACE}`,
    `neigh replace ${other.ipv4} lladdr ${other.link} dev ${INTERFACE} nud permanent`,
  ];
  const raise = `link set ${INTERFACE} up`;
  if (!hasIpv6()) return [raise, ...lines];
  return [
    `link set ${INTERFACE} addrgenmode none`,
    raise,
    ...lines,
    `addr add ${own.ipv6}/64 dev ${INTERFACE} nodad`,
    `neigh replace ${other.ipv6} lladdr ${other.link} dev ${INTERFACE} nud permanent`,
  ];
}

/** Joins two namespaces by a veth link. */
export async function link(
  near: NetworkNamespace,
  far: NetworkNamespace,
  mtu: number,
): Promise<void> {
  const nearEnd = `${INTERFACE} mtu ${mtu} address ${NEAR.link}`;
  const farEnd = `${INTERFACE} mtu ${mtu} address ${FAR.link} netns /proc/self/fd/3`;
  await configure(near, "ip", [
    `link add ${nearEnd} type veth peer name ${farEnd}`,
    ...endLines(NEAR, FAR),
  ], { descriptor3: far });
  await configure(far, "ip", endLines(FAR, NEAR));
}

/** The end that came up first gets its carrier, and its queue, from a kernel thread a little later. */
export async function waitForCarrier(namespace: NetworkNamespace): Promise<void> {
  for (let look = 0; look < LINK_LOOKS; look++) {
    const { operstate, qdisc } = await showLink(namespace, INTERFACE);
    if (operstate === "UP" && qdisc !== "noop") return;
  }
  throw new Error(`The link did not come up. Look at it with: ip -d link show ${INTERFACE}`);
}

/** Makes the interface drop what it receives before anybody reads it. */
export async function dropAtIngress(namespace: NetworkNamespace): Promise<void> {
  await configure(namespace, "tc", [
    `qdisc add dev ${INTERFACE} clsact`,
    // One instruction of classic BPF: return 2, which is TC_ACT_SHOT.
    `filter add dev ${INTERFACE} ingress protocol all prio 1 bpf da bytecode '1,6 0 0 2,'`,
  ]);
}

/** Sets what gives the sockets of this end a NAPI id. */
export async function enableNapi(namespace: NetworkNamespace): Promise<void> {
  await runInNamespace(namespace, "ethtool", ["-K", INTERFACE, ...NAPI_FEATURES]);
}

/** Sets what the kernel keeps for each namespace, by its path below `/proc/sys/net`. */
export async function setSysctl(
  namespace: NetworkNamespace,
  values: Readonly<Record<string, number>>,
): Promise<void> {
  const lines = Object.entries(values).map(([name, value]) =>
    `echo ${value} >/proc/sys/net/${name}`
  );
  await runInNamespace(namespace, "sh", ["-ec", lines.join("\n")]);
}
