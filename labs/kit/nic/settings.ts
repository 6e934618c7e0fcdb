/**
 * Reads what a NIC is set to and what it can: from ethtool's JSON where the installed ethtool has
 * it for that question, else from its text.
 *
 * @module
 */
import { UnsupportedError } from "../../../ffi/kernel/errors.ts";
import { CommandError } from "../testbed/namespace_command.ts";
import type { LinkDescription, NicCommands } from "./commands.ts";

/** How many of something there are, and how many there may be. */
export interface NicCount {
  /** How many there are. */
  readonly current: number;
  /** How many the driver allows. */
  readonly most: number;
}

/** The channels of a NIC: its queues with their interrupts. */
export interface NicChannels {
  /** Those that receive and send. */
  readonly combined: NicCount;
  /** Those that only receive. */
  readonly receive: NicCount;
}

/** How a NIC splits headers from data. */
export interface NicHeaderSplit {
  /** What ethtool shows; undefined where that is `n/a`: the driver decides, or cannot. */
  readonly state: "on" | "off" | undefined;
  /** Frames up to so many bytes are not split; undefined where this ethtool does not show it. */
  readonly threshold: number | undefined;
}

/** A rule that steers flows. */
export interface NicRule {
  /** Its number, by which it is deleted. */
  readonly id: number;
  /** The protocol, such as `tcp4`, or ethtool's words for one that zclab has no name for. */
  readonly protocol: string;
  /** The port that it is for; undefined if it is for all, or for a range. */
  readonly destinationPort: number | undefined;
  /** The port that it is for; undefined if it is for all, or for a range. */
  readonly sourcePort: number | undefined;
  /** The address that it is for; undefined if it is for all, or for a network. */
  readonly destinationAddress: string | undefined;
  /** The address that it is for; undefined if it is for all, or for a network. */
  readonly sourceAddress: string | undefined;
  /** The queue that it steers to; undefined if it does something else. */
  readonly queue: number | undefined;
}

/** What the installed ethtool is able to set. */
export interface EthtoolFeatures {
  /** Its version. */
  readonly version: string;
  /** Whether it can set `tcp-data-split` (ethtool 6.7). */
  readonly setsHeaderSplit: boolean;
  /** Whether it can show and set `hds-thresh` (later than ethtool 6.14). */
  readonly setsThreshold: boolean;
}

/** What a NIC is set to. */
export interface NicSettings {
  /** The name of the interface. */
  readonly interface: string;
  /** Its index in its namespace. */
  readonly index: number;
  /** Its hardware address: the permanent one where it has one. */
  readonly address: string;
  /** Whether it is up. */
  readonly up: boolean;
  /** Its MTU, in bytes. */
  readonly mtu: number;
  /** Whether an XDP program is attached. */
  readonly xdp: boolean;
  /** The name of its driver, or an empty text. */
  readonly driver: string;
  /** Its firmware, or an empty text. */
  readonly firmware: string;
  /** Where on its bus it is, or an empty text for a device that is on none. */
  readonly bus: string;
  /** Its channels, or undefined where the driver does not tell. */
  readonly channels: NicChannels | undefined;
  /** How many queues receive. */
  readonly queues: number;
  /** How many queues could receive. */
  readonly mostQueues: number;
  /** Whether headers are split from data, or undefined where the driver knows no such thing. */
  readonly headerSplit: NicHeaderSplit | undefined;
  /** The indirection table of receive-side scaling: a queue for each entry. */
  readonly indirection: readonly number[] | undefined;
  /** Whether flows are steered by rules (`ntuple-filters`); `fixed` if that cannot be changed. */
  readonly steering: { readonly on: boolean; readonly fixed: boolean };
  /** The rules there are, or undefined where the driver knows none. */
  readonly rules: readonly NicRule[] | undefined;
  /** What the installed ethtool can set. */
  readonly ethtool: EthtoolFeatures;
}

/** There is no interface of that name. */
export class NoInterfaceError extends UnsupportedError {
  /**
   * Says which there are.
   *
   * @param name The interface that is not there.
   * @param names Those that are.
   */
  constructor(name: string, names: string) {
    super(`The interface ${JSON.stringify(name)}`, { advice: `This namespace has ${names}` });
  }

  /** 2: it was named by the arguments. */
  override get exitCode(): number {
    return 2;
  }
}

/**
 * Reads everything about one NIC.
 *
 * @param commands Where it is.
 * @param name The interface.
 * @throws {NoInterfaceError} If there is no such interface.
 * @throws {UnsupportedError} If a program is missing.
 * @throws {CommandError} If a program fails for another reason than that the driver cannot.
 */
export async function readNicSettings(commands: NicCommands, name: string): Promise<NicSettings> {
  // First, because ethtool would take some names for options.
  const link = await readLink(commands, name);
  const questions = ["-i", "-l", "-g", "-x", "-k", "-n"].map((option) => [option, name]);
  const answers = await ask(commands, [...questions, ["--version"], ["--help"]]);
  const [about, channelsText, rings, table, features, rulesText, version, help] = answers;
  const channels = channelsText === undefined ? undefined : parseChannels(textOf(channelsText));
  const { combined, receive } = channels ?? { combined: NONE, receive: NONE };
  return {
    interface: name,
    index: link.ifindex,
    address: link.permaddr ?? link.address ?? "",
    up: link.flags.includes("UP"),
    mtu: link.mtu,
    xdp: link.xdp !== undefined,
    driver: field(textOf(about), "driver"),
    firmware: field(textOf(about), "firmware-version"),
    bus: field(textOf(about), "bus-info"),
    channels,
    queues: Math.max(1, combined.current + receive.current),
    mostQueues: Math.max(1, combined.most + receive.most),
    headerSplit: headerSplitOf(rings),
    indirection: indirectionOf(table),
    steering: steeringOf(features),
    rules: rulesText === undefined ? undefined : parseRules(textOf(rulesText)),
    ethtool: {
      version: /(\d[\w.]*)/.exec(textOf(version))?.[1] ?? "unknown",
      setsHeaderSplit: /\[\s*tcp-data-split\b/.test(textOf(help)),
      setsThreshold: /\[\s*hds-thresh\b/.test(textOf(help)),
    },
  };
}

const NONE: NicCount = { current: 0, most: 0 };

/** What `ip` says about one interface. */
export async function readLink(commands: NicCommands, name: string): Promise<LinkDescription> {
  const links = await commands.links();
  const found = links.find(({ ifname }) => ifname === name);
  if (found !== undefined) return found;
  const names = links.map(({ ifname }) => ifname).join(", ");
  throw new NoInterfaceError(name, names);
}

/** The indirection table; undefined where the driver has none. */
export async function readIndirection(
  commands: NicCommands,
  name: string,
): Promise<readonly number[] | undefined> {
  const [answer] = await ask(commands, [["-x", name]]);
  return indirectionOf(answer);
}

// === How ethtool is asked ===

/** An object where ethtool has JSON, else its text; undefined where the driver cannot answer. */
type Answer = Readonly<Record<string, unknown>> | string | undefined;

/** The questions for which some ethtool has JSON that says what its text says. */
const WITH_JSON: ReadonlySet<string> = new Set(["-g", "-x", "-k"]);

async function ask(
  commands: NicCommands,
  questions: readonly (readonly string[])[],
): Promise<Answer[]> {
  const wantsJson = (option: string): boolean =>
    WITH_JSON.has(option) && commands.mayHaveJson(option);
  const said = await commands.ethtoolEach(
    questions.map((args) => wantsJson(args[0]!) ? ["--json", ...args] : args),
  );
  const withoutJson = said.filter(({ args: [first], text, code }) =>
    first === "--json" && (code === 0 ? !isJson(text) : /bad command line/.test(text))
  ).map(({ args }) => args[1]!);
  if (withoutJson.length > 0) {
    for (const option of withoutJson) commands.noteWithoutJson(option);
    return await ask(commands, questions);
  }
  return said.map(({ args, text, code }) => {
    if (code !== 0) {
      if (/not supported/i.test(text)) return undefined;
      throw new CommandError(["ethtool", ...args].join(" "), code, text.trim());
    }
    return args[0] === "--json" ? JSON.parse(text)[0] : text;
  });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function textOf(answer: Answer): string {
  return typeof answer === "string" ? answer : "";
}

// === What ethtool prints ===

/** Reads `ethtool -l`: the maximums first, then the present numbers. */
export function parseChannels(text: string): NicChannels {
  const [most = "", current = ""] = text.split("Current hardware settings:");
  const count = (name: string): NicCount => ({
    current: number(field(current, name)),
    most: number(field(most, name)),
  });
  return { combined: count("Combined"), receive: count("RX") };
}

/** Reads the text of `ethtool -g`. */
export function parseHeaderSplit(text: string): NicHeaderSplit {
  const current = text.split("Current hardware settings:").at(-1)!;
  const state = field(current, "TCP data split");
  const threshold = field(current, "HDS thresh");
  return {
    state: state === "on" || state === "off" ? state : undefined,
    threshold: /^\d+$/.test(threshold) ? Number(threshold) : undefined,
  };
}

function headerSplitOf(answer: Answer): NicHeaderSplit | undefined {
  if (answer === undefined || typeof answer === "string") {
    return answer === undefined ? undefined : parseHeaderSplit(answer);
  }
  const { "tcp-data-split": state, "hds-thresh": threshold } = answer;
  return {
    state: state === "on" || state === true
      ? "on"
      : state === "off" || state === false
      ? "off"
      : undefined,
    threshold: typeof threshold === "number" ? threshold : undefined,
  };
}

/** Reads the text of `ethtool -x`. */
export function parseIndirection(text: string): number[] {
  const [table = ""] = text.split("RSS hash key:");
  return [...table.matchAll(/^\s*\d+:((?:\s+\d+)+)\s*$/gm)].flatMap(([, row]) =>
    row!.trim().split(/\s+/).map(Number)
  );
}

function indirectionOf(answer: Answer): readonly number[] | undefined {
  const table = answer === undefined || typeof answer === "string"
    ? parseIndirection(answer ?? "")
    : answer["rss-indirection-table"] as readonly number[] | undefined;
  return table === undefined || table.length === 0 ? undefined : table;
}

/** Reads the text of `ethtool -k`. */
export function parseSteering(text: string): { on: boolean; fixed: boolean } {
  const state = field(text, "ntuple-filters");
  return { on: state.startsWith("on"), fixed: state === "" || state.includes("[fixed]") };
}

function steeringOf(answer: Answer): { readonly on: boolean; readonly fixed: boolean } {
  if (answer === undefined) return { on: false, fixed: true };
  if (typeof answer === "string") return parseSteering(answer);
  const feature = answer["ntuple-filters"] as { active?: boolean; fixed?: boolean } | undefined;
  return { on: feature?.active === true, fixed: feature?.fixed !== false };
}

/** How ethtool calls protocols when it shows rules. */
const PROTOCOLS: Readonly<Record<string, string>> = {
  "TCP over IPv4": "tcp4",
  "TCP over IPv6": "tcp6",
  "UDP over IPv4": "udp4",
  "UDP over IPv6": "udp6",
};

/** Reads `ethtool -n`. */
export function parseRules(text: string): NicRule[] {
  return text.split(/^\s*Filter:\s*/m).slice(1).map((block) => {
    const type = field(block, "Rule Type") || field(block, "Flow Type");
    const queue = /^Direct to queue (\d+)$/.exec(field(block, "Action"))?.[1];
    return {
      id: Number(/^\d+/.exec(block)?.[0]),
      protocol: PROTOCOLS[type] ?? type,
      destinationPort: exactPort(field(block, "Dest port")),
      sourcePort: exactPort(field(block, "Src port")),
      destinationAddress: exactAddress(field(block, "Dest IP addr")),
      sourceAddress: exactAddress(field(block, "Src IP addr")),
      queue: queue === undefined ? undefined : Number(queue),
    };
  });
}

/** ethtool shows the bits that do not matter: a mask of 0 is for this port alone. */
function exactPort(value: string): number | undefined {
  const [, port, mask] = /^(\d+) mask: 0x([0-9a-f]+)$/i.exec(value) ?? [];
  return port !== undefined && /^0+$/.test(mask!) ? Number(port) : undefined;
}

function exactAddress(value: string): string | undefined {
  const [, address, mask] = /^(\S+) mask: (\S+)$/.exec(value) ?? [];
  return address !== undefined && /^[0.:]+$/.test(mask!) ? address : undefined;
}

/** The first `name: value` of a name. */
function field(text: string | undefined, name: string): string {
  const line = text?.split("\n").find((line) => line.trimStart().startsWith(`${name}:`));
  return line?.slice(line.indexOf(":") + 1).trim() ?? "";
}

/** ethtool writes `n/a` for what the driver does not have. */
function number(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : 0;
}
