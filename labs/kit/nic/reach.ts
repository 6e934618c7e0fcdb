/**
 * What of this machine's connections hangs on an interface: changing a NIC takes it down for a
 * moment at best.
 *
 * @module
 */
import type { LinkDescription, NicCommands } from "./commands.ts";

/** File systems whose server is reached by the network. */
const NETWORK_FILE_SYSTEMS: ReadonlySet<string> = new Set(["nfs", "nfs4", "cifs", "smb3", "ceph"]);

interface RouteDescription {
  readonly dst?: string;
  readonly dev?: string;
  readonly nexthops?: readonly { readonly dev?: string }[];
}

interface AddressDescription {
  readonly ifname?: string;
  readonly addr_info?: readonly { readonly local?: string }[];
}

/**
 * Why changing an interface could cut this machine off.
 *
 * @param commands Where the interface is. In another namespace than ours nothing of this machine
 *   hangs on it.
 * @param name The interface.
 * @returns The reasons, empty if there are none.
 */
export async function cutOffReasons(commands: NicCommands, name: string): Promise<string[]> {
  if (!commands.isHere) return [];
  const [links, routes4, routes6, addresses] = await Promise.all([
    commands.links(),
    commands.ip<RouteDescription[]>("-4", "route", "show", "table", "all", "default"),
    commands.ip<RouteDescription[]>("-6", "route", "show", "table", "all", "default"),
    commands.ip<AddressDescription[]>("address", "show"),
  ]);
  const carried = carriedBy(links, name);
  const through = (device: string | undefined): string =>
    device === name ? name : `${device}, which lies on ${name},`;
  const reasons: string[] = [];
  const defaults = [...routes4, ...routes6].flatMap(({ dev, nexthops = [] }) =>
    [dev, ...nexthops.map((hop) => hop.dev)].filter((device) => device !== undefined)
  );
  for (const device of new Set(defaults.filter((device) => carried.has(device)))) {
    reasons.push(`${through(device)} carries a default route`);
  }
  for (const { client, server } of sshSessions()) {
    const owner = addresses.find(({ addr_info = [] }) =>
      addr_info.some(({ local }) => local === server)
    )?.ifname;
    const way = await deviceTo(commands, client);
    const device = [owner, way].find((device) => device !== undefined && carried.has(device));
    if (device !== undefined) {
      reasons.push(`${through(device)} carries an SSH session from ${client}`);
    }
  }
  for (const { server, directory } of networkMounts()) {
    const device = await deviceTo(commands, server);
    if (device !== undefined && carried.has(device)) {
      reasons.push(`${through(device)} leads to the server of ${directory}`);
    }
  }
  if (isOnlyOneUp(links, name)) reasons.push(`${name} is the only interface that is up`);
  return reasons;
}

/** The interface, and all that lie on it: bonds, bridges, VLANs. */
function carriedBy(links: readonly LinkDescription[], name: string): ReadonlySet<string> {
  const carried = new Set([name]);
  // A device is added after those that it lies on, however they are ordered.
  for (let size = 0; size !== carried.size;) {
    size = carried.size;
    for (const { ifname, link, master } of links) {
      if (carried.has(ifname) && master !== undefined) carried.add(master);
      if (link !== undefined && carried.has(link)) carried.add(ifname);
    }
  }
  return carried;
}

function isOnlyOneUp(links: readonly LinkDescription[], name: string): boolean {
  const up = links.filter(({ flags }) => flags.includes("UP") && !flags.includes("LOOPBACK"));
  return up.length === 1 && up[0]!.ifname === name;
}

async function deviceTo(commands: NicCommands, address: string): Promise<string | undefined> {
  try {
    const [route] = await commands.ip<RouteDescription[]>("route", "get", address);
    return route?.dev;
  } catch {
    // No way leads there, so none that could be cut.
    return undefined;
  }
}

/** SSH sessions that this process came by: its own, and those of the processes that started it. */
function sshSessions(): { client: string; server: string }[] {
  const sessions = new Map<string, { client: string; server: string }>();
  // sudo and others do not hand the variable on: whoever started them still has it.
  for (const environment of environments()) {
    const [, client, server] = /^SSH_CONNECTION=(\S+) \d+ (\S+) \d+$/m.exec(environment) ?? [];
    // With IPv6 off, or on a dual socket, IPv4 addresses have a prefix.
    const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "");
    if (client !== undefined && server !== undefined) {
      sessions.set(client, { client: plain(client), server: plain(server) });
    }
  }
  return [...sessions.values()];
}

function* environments(): Generator<string> {
  yield `SSH_CONNECTION=${Deno.env.get("SSH_CONNECTION") ?? ""}`;
  let pid = String(Deno.pid);
  while (pid !== "0") {
    try {
      yield Deno.readTextFileSync(`/proc/${pid}/environ`).replaceAll("\0", "\n");
    } catch {
      // A process of somebody else.
    }
    try {
      pid = /^PPid:\s*(\d+)/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1] ?? "0";
    } catch {
      return;
    }
  }
}

function networkMounts(): { server: string; directory: string }[] {
  let mounts: string;
  try {
    mounts = Deno.readTextFileSync("/proc/self/mounts");
  } catch {
    return [];
  }
  return mounts.split("\n").flatMap((line) => {
    const [, directory, type, options] = line.split(" ");
    const server = /(?:^|,)addr=([^,]+)/.exec(options ?? "")?.[1];
    return NETWORK_FILE_SYSTEMS.has(type ?? "") && server !== undefined
      ? [{ server, directory: directory! }]
      : [];
  });
}
