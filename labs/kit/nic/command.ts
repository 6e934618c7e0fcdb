/**
 * `deno task nic`: what a NIC needs for zero-copy receive, doing it, and undoing it.
 *
 * @module
 */
import { bold, green, setColorEnabled, yellow } from "@std/fmt/colors";
import { readArguments, wholeNumber } from "../lab/arguments.ts";
import { isIpv4, isIpv6 } from "../testbed/host_port.ts";
import { OptionError } from "../lab/lab.ts";
import { Nic } from "./nic.ts";
import { NicCommands } from "./commands.ts";
import {
  describePending,
  isSameNic,
  NicBusyError,
  type NicIdentity,
  NicJournal,
  type PendingNic,
  pendingNics,
} from "./journal.ts";
import { describeLacks } from "./missing.ts";
import type { NicPlan, NicRequest } from "./plan.ts";
import { type NicRestored, NicRestoreError, restoreNic } from "./restore.ts";
import { readLink, readNicSettings } from "./settings.ts";
import { ensureSystem } from "../terminal/setup.ts";
import { describeError, EXIT, exitCode, printer } from "../terminal/terminal.ts";

/** The port in the examples of the kernel's document on zero-copy receive. */
const DEFAULT_PORT = 9999;

const HELP = `Usage: deno task nic show [IFACE]
       deno task nic plan IFACE [--queue N] [--port N] [--protocol tcp4|tcp6]
       deno task nic apply IFACE [--queue N] [--port N] [--protocol tcp4|tcp6]
       deno task nic restore IFACE | --all

Prepares a NIC for zero-copy receive with ethtool: enough queues, headers split from data, other
flows kept off one queue (RSS), and one flow steered there.

  show     what each NIC is set to, what it lacks, and what would change that
  plan     each command, and the one that undoes it; changes nothing
  apply    does what the plan says; it stays so until it is restored
  restore  sets everything back to what it was

  --queue N                  the queue for zero copy (default: the last one)
  --port N                   the port that the receiver listens on (default ${DEFAULT_PORT})
  --protocol tcp4|tcp6       (default tcp4)
  --source-port N, --source-address IP, --destination-address IP
                             narrow the flow down; some drivers want all of them
  --even-if-it-cuts-this-machine-off
                             apply, although the machine's connections hang on the NIC ...
  --confirm-interface IFACE  ... and say its name again; asked for at a terminal if not given
  --all                      restore every NIC of this network namespace
  --json                     show and plan: as JSON
  --help                     show this help

To work in another network namespace: ip netns exec NAME deno task nic ...

Exit codes: 0 done, 1 failed, 2 bad arguments, 77 the NIC lacks something.
`;

const STRINGS = [
  "queue",
  "port",
  "protocol",
  "source-port",
  "source-address",
  "destination-address",
  "confirm-interface",
];

/** What the command uses of its surroundings. */
export interface NicCommandOptions {
  /** Where the answer goes. */
  readonly print: (text: string) => void;
  /** Asks for a line; undefined where nobody can be asked. */
  readonly ask?: (question: string) => string | null;
}

/**
 * Does what the arguments ask for.
 *
 * @param args The arguments.
 * @param options Where the answer goes, and who can be asked.
 * @returns The exit code.
 * @throws {OptionError} If the arguments make no sense.
 */
export async function nic(args: readonly string[], options: NicCommandOptions): Promise<number> {
  const rest = args[0] === "--" ? args.slice(1) : args;
  const parsed = readArguments(rest, {
    boolean: ["all", "even-if-it-cuts-this-machine-off", "help", "json"],
    string: ["_", ...STRINGS],
    alias: { help: "h" },
    unknown: (argument, key): boolean => {
      if (key === undefined) return true;
      throw new OptionError(`nic does not know ${argument}: deno task nic --help`);
    },
  });
  const { print } = options;
  if (parsed.help === true) {
    print(HELP);
    return EXIT.done;
  }
  const [action, name, ...further] = parsed._.map(String);
  if (further.length > 0) {
    throw new OptionError(`One interface at a time, got ${further.join(" ")}`);
  }
  switch (action) {
    case "show":
      return await show(name, parsed.json === true, print);
    case "plan":
      return await plan(required(action, name), requestOf(parsed), parsed.json === true, print);
    case "apply":
      return await apply(required(action, name), parsed, options);
    case "restore":
      if (parsed.all === true && name === undefined) return await restoreAll(print);
      return await restoreOne(required(action, name), print);
    default:
      throw new OptionError(
        `${action === undefined ? "What to do?" : `nic does not know ${action}`}: ` +
          "deno task nic show | plan | apply | restore, or --help",
      );
  }
}

function required(action: string, name: string | undefined): string {
  if (name !== undefined) return name;
  throw new OptionError(`Which interface? deno task nic ${action} IFACE`);
}

function requestOf(parsed: Readonly<Record<string, unknown>>): NicRequest {
  const protocol = parsed["protocol"] ?? "tcp4";
  if (protocol !== "tcp4" && protocol !== "tcp6") {
    throw new OptionError(`--protocol is tcp4 or tcp6, not ${JSON.stringify(protocol)}`);
  }
  const address = (name: string): string | undefined => {
    const text = parsed[name] as string | undefined;
    if (text === undefined || (protocol === "tcp4" ? isIpv4(text) : isIpv6(text))) return text;
    throw new OptionError(
      `--${name} ${JSON.stringify(text)} is not a numeric address of ${protocol}`,
    );
  };
  const queue = wholeNumber("queue", parsed["queue"], 0, 65_535);
  const sourcePort = wholeNumber("source-port", parsed["source-port"], 1, 65_535);
  const sourceAddress = address("source-address");
  const destinationAddress = address("destination-address");
  return {
    ...(queue === undefined ? {} : { queue }),
    flow: {
      protocol,
      destinationPort: wholeNumber("port", parsed["port"], 1, 65_535) ?? DEFAULT_PORT,
      ...(sourcePort === undefined ? {} : { sourcePort }),
      ...(sourceAddress === undefined ? {} : { sourceAddress }),
      ...(destinationAddress === undefined ? {} : { destinationAddress }),
    },
  };
}

// === show ===

async function show(
  name: string | undefined,
  json: boolean,
  print: (text: string) => void,
): Promise<number> {
  const links = await new NicCommands().links();
  const names = name !== undefined
    ? [name]
    : links.filter(({ flags }) => !flags.includes("LOOPBACK")).map(({ ifname }) => ifname);
  const nics = [];
  for (const each of names) {
    await using nic = await Nic.open(each, { onCommand: announcing(print) });
    nics.push({ settings: nic.settings, missing: nic.missing });
  }
  const pending = pendingNics();
  if (json) {
    print(JSON.stringify({ nics, pending }, undefined, 2) + "\n");
    return EXIT.done;
  }
  for (const { settings, missing } of nics) {
    const { driver, firmware, queues, mostQueues, headerSplit, steering, rules, indirection } =
      settings;
    const threshold = headerSplit?.threshold;
    print([
      bold(`${settings.interface}: ${driver || "no driver"}`) +
      `${firmware === "" ? "" : `, firmware ${firmware}`}, ${settings.up ? "up" : "down"}, ` +
      `MTU ${settings.mtu}`,
      `  queues        ${queues} of at most ${Math.max(queues, mostQueues)}`,
      `  header split  ${headerSplit === undefined ? "no" : headerSplit.state ?? "n/a"}` +
      (threshold === undefined ? "" : `, hds-thresh ${threshold}`),
      `  RSS           ` +
      (indirection === undefined
        ? "no table"
        : `${indirection.length} entries over the queues ${
          [...new Set(indirection)].sort((left, right) => left - right).join(" ")
        }`),
      `  steering      ${steering.on ? "on" : "off"}${steering.fixed ? " (fixed)" : ""}, ` +
      (rules === undefined ? "no rules to be had" : `${rules.length} rules`),
      ...(missing.length === 0
        ? [green("  nothing is missing for zero-copy receive")]
        : describeLacks(missing).map((line) => `  ${yellow(line)}`)),
      "",
    ].join("\n"));
  }
  print(describePending(pending));
  return EXIT.done;
}

// === plan and apply ===

async function plan(
  name: string,
  request: NicRequest,
  json: boolean,
  print: (text: string) => void,
): Promise<number> {
  await using nic = await Nic.open(name, { onCommand: announcing(print) });
  const plan = nic.plan(request);
  print(json ? JSON.stringify(plan, undefined, 2) + "\n" : `${plan}\n`);
  return exitOf(plan);
}

function exitOf(plan: NicPlan): number {
  const isPossible = plan.missing.every(({ state }) => state !== "missing");
  return isPossible ? EXIT.done : EXIT.notPossible;
}

async function apply(
  name: string,
  parsed: Readonly<Record<string, unknown>>,
  { print, ask }: NicCommandOptions,
): Promise<number> {
  const request = requestOf(parsed);
  await using nic = await Nic.open(name, { onCommand: announcing(print) });
  const plan = nic.plan(request);
  print(`${plan}\n`);
  if (exitOf(plan) !== EXIT.done) return exitOf(plan);
  if (plan.steps.length === 0) return EXIT.done;
  const evenIfItCutsUsOff = parsed["even-if-it-cuts-this-machine-off"] === true;
  const mustConfirm = evenIfItCutsUsOff && plan.cutsOff.length > 0;
  const given = parsed["confirm-interface"] as string | undefined;
  const confirmInterface = given ??
    (mustConfirm ? ask?.(`Type the name of the interface to change it all the same:`) ?? "" : "");
  print("\n");
  const applied = await nic.apply(plan, {
    evenIfItCutsUsOff,
    confirmInterface,
    onCommand: announcing(print),
  });
  applied.keep();
  print(`Done. To set it back: deno task nic restore ${name}\n`);
  return EXIT.done;
}

function announcing(print: (text: string) => void): (command: string) => void {
  return (command) => print(`running ${command}\n`);
}

// === restore ===

async function restoreOne(name: string, print: (text: string) => void): Promise<number> {
  const commands = new NicCommands();
  const pending = pendingNics();
  const identity = await identify(commands, name);
  const matching = pending.filter((journal) =>
    identity === undefined
      ? journal.identity.interface === name &&
        journal.identity.namespace === commands.namespaceCookie
      : isSameNic(journal.identity, identity)
  );
  if (matching.length === 0) {
    // A mistyped name is not an interface on which nothing was changed.
    if (identity === undefined) await readLink(commands, name);
    print(`${name}: nothing to restore\n`);
    return EXIT.done;
  }
  return await restoreEach(commands, matching, print);
}

async function restoreAll(print: (text: string) => void): Promise<number> {
  const commands = new NicCommands();
  const present = (await Promise.all(
    (await commands.links()).map(({ ifname }) => identify(commands, ifname)),
  )).filter((identity) => identity !== undefined);
  const pending = pendingNics();
  const here = pending.filter(({ identity }) =>
    identity.namespace === commands.namespaceCookie ||
    present.some((nic) => isSameNic(identity, nic))
  );
  for (const { identity, path } of pending.filter((journal) => !here.includes(journal))) {
    print(
      `${identity.interface} is in another network namespace, or gone with it. What to do: restore ` +
        `it there, or if the namespace is gone, remove ${path}\n`,
    );
  }
  if (pending.length === 0) print("Nothing to restore\n");
  const code = await restoreEach(commands, here, print);
  return here.length === pending.length ? code : EXIT.failed;
}

/** One NIC that cannot be restored does not keep the others from it. */
async function restoreEach(
  commands: NicCommands,
  pending: readonly PendingNic[],
  print: (text: string) => void,
): Promise<number> {
  let code: number = EXIT.done;
  for (const journal of pending.toReversed()) {
    using taken = journal.state === "held" ? undefined : NicJournal.take(journal.path);
    try {
      if (taken === undefined) throw new NicBusyError({ ...journal, state: "held" });
      print(describeRestored(await restoreNic(commands, taken, announcing(print))));
      print(`${journal.identity.interface} is as it was\n`);
    } catch (error) {
      if (error instanceof NicRestoreError) print(describeRestored(error.report));
      print(describeError(error));
      code = EXIT.failed;
    }
  }
  return code;
}

function describeRestored(report: readonly NicRestored[]): string {
  const words = {
    restored: "set back",
    unchanged: "was as before",
    gone: "gone with the interface",
    failed: "FAILED",
  };
  return report.map(({ title, outcome, error }) =>
    `${words[outcome]}: ${title}${error === undefined ? "" : `: ${error}`}\n`
  ).join("");
}

/** Which NIC a name is; undefined if there is none of that name. */
async function identify(commands: NicCommands, name: string): Promise<NicIdentity | undefined> {
  const links = await commands.links();
  if (!links.some(({ ifname }) => ifname === name)) return undefined;
  const { index, driver, bus, address } = await readNicSettings(commands, name);
  return { interface: name, namespace: commands.namespaceCookie, index, driver, bus, address };
}

// === The program ===

const NEEDED = ["compiler", "liburing", "ip", "ethtool"] as const;

if (import.meta.main) {
  setColorEnabled(Deno.stdout.isTerminal() && !Deno.noColor);
  try {
    const asksForHelp = Deno.args.some((argument) => argument === "--help" || argument === "-h");
    if (!asksForHelp) await ensureSystem({ components: NEEDED });
    Deno.exit(
      await nic(Deno.args, {
        print: printer(Deno.stdout),
        ...(Deno.stdin.isTerminal() ? { ask: prompt } : {}),
      }),
    );
  } catch (error) {
    printer(Deno.stderr)(describeError(error));
    Deno.exit(exitCode(error));
  }
}
