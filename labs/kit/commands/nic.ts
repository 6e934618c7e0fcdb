/**
 * `deno task nic`: what a NIC needs for zero-copy receive, doing it, and undoing it.
 *
 * @module
 */
import { isIpv4, isIpv6 } from "../testbed/host_port.ts";
import { OptionError, type OptionValues } from "../options/options.ts";
import { Nic } from "../nic/nic.ts";
import { NicCommands } from "../nic/commands.ts";
import {
  describePending,
  isSameNic,
  NicBusyError,
  type NicIdentity,
  NicJournal,
  type PendingNic,
  pendingNics,
} from "../nic/journal.ts";
import { describeLacks } from "../nic/missing.ts";
import type { NicPlan, NicRequest } from "../nic/plan.ts";
import { type NicRestored, NicRestoreError, restoreNic } from "../nic/restore.ts";
import { readLink, readNicSettings } from "../nic/settings.ts";
import { type CommandLine, didYouMean, helpOf, readCommandLine } from "../options/cli.ts";
import { ensureSystem } from "../terminal/setup.ts";
import { styled } from "../text/table.ts";
import { EXIT, printer } from "../terminal/terminal.ts";
import { describeError, runProgram } from "./program.ts";

const COMMAND_LINE = {
  command: "deno task nic",
  usage: ["show [IFACE]", "plan IFACE [options]", "apply IFACE [options]", "restore IFACE | --all"],
  about: [
    "Prepares a NIC for zero-copy receive with ethtool: enough queues, headers split from data, " +
    "other flows kept off one queue (RSS), and one flow steered there.",
  ],
  words: {
    show: "what each NIC is set to, what it lacks, and what would change that",
    plan: "each command, and the one that undoes it; changes nothing",
    apply: "does what the plan says; it stays so until it is restored",
    restore: "sets everything back to what it was",
  },
  options: {
    queue: {
      kind: "number",
      description: "the queue for zero copy; the last one unless given",
      minimum: 0,
      maximum: 65_535,
    },
    port: {
      kind: "number",
      description: "the port that the receiver listens on",
      // That of the examples in the kernel's document on zero-copy receive.
      default: 9999,
      minimum: 1,
      maximum: 65_535,
    },
    protocol: {
      kind: "string",
      description: "what carries the flow",
      choices: ["tcp4", "tcp6"],
      default: "tcp4",
    },
    "source-port": {
      kind: "number",
      description: "narrows the flow down; some drivers want all of it",
      minimum: 1,
      maximum: 65_535,
    },
    "source-address": { kind: "string", description: "the same", placeholder: "IP" },
    "destination-address": { kind: "string", description: "the same", placeholder: "IP" },
    "even-if-it-cuts-this-machine-off": {
      kind: "flag",
      description: "apply, although the machine's connections hang on the NIC ...",
    },
    "confirm-interface": {
      kind: "string",
      description: "... and say its name again; asked for at a terminal if not given",
      placeholder: "IFACE",
    },
    all: { kind: "flag", description: "restore every NIC of this network namespace" },
    json: { kind: "flag", description: "show and plan: as JSON" },
  },
  notes: ["To work in another network namespace: ip netns exec NAME deno task nic ..."],
  exitCodes: "0 done, 1 failed, 2 bad arguments, 77 the NIC lacks something",
} as const satisfies CommandLine;

type NicValues = OptionValues<typeof COMMAND_LINE.options>;

/** What the command uses of its surroundings. */
export interface NicSurroundings {
  /** Where the answer goes. */
  readonly print: (text: string) => void;
  /** Asks for a line; undefined where nobody can be asked. */
  readonly ask?: (question: string) => string | null;
}

/**
 * Does what the arguments ask for.
 *
 * @param args The arguments.
 * @param surroundings Where the answer goes, and who can be asked.
 * @returns The exit code.
 * @throws {OptionError} If the arguments make no sense.
 */
export async function nic(
  args: readonly string[],
  surroundings: NicSurroundings,
): Promise<number> {
  const { help, words, options } = readCommandLine(COMMAND_LINE, args);
  const { print } = surroundings;
  if (help) {
    print(helpOf(COMMAND_LINE));
    return EXIT.done;
  }
  const [action, name, ...further] = words;
  if (further.length > 0) {
    throw new OptionError(`One interface at a time, got ${further.join(" ")}`);
  }
  switch (action) {
    case "show":
      return await show(name, options.json, print);
    case "plan":
      return await plan(required(action, name), requestOf(options), options.json, print);
    case "apply":
      return await apply(required(action, name), options, surroundings);
    case "restore":
      if (options.all && name === undefined) return await restoreAll(print);
      return await restoreOne(required(action, name), print);
    default:
      throw new OptionError(`${questionOf(action)} deno task nic show | plan | apply | restore`);
  }
}

/** What is asked of who says nothing that is known. */
function questionOf(action: string | undefined): string {
  if (action === undefined) return "What to do?";
  return `nic does not know ${action}${didYouMean(action, Object.keys(COMMAND_LINE.words))}:`;
}

function required(action: string, name: string | undefined): string {
  if (name !== undefined) return name;
  throw new OptionError(`Which interface? deno task nic ${action} IFACE`);
}

function requestOf(options: NicValues): NicRequest {
  const { protocol, port, queue } = options;
  const address = (name: "source-address" | "destination-address"): string | undefined => {
    const text = options[name];
    if (text === undefined || (protocol === "tcp4" ? isIpv4(text) : isIpv6(text))) return text;
    throw new OptionError(
      `--${name} ${JSON.stringify(text)} is not a numeric address of ${protocol}`,
    );
  };
  const sourcePort = options["source-port"];
  const sourceAddress = address("source-address");
  const destinationAddress = address("destination-address");
  return {
    ...(queue === undefined ? {} : { queue }),
    flow: {
      protocol,
      destinationPort: port,
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
      styled(`${settings.interface}: ${driver || "no driver"}`, "bold") +
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
        ? [styled("  nothing is missing for zero-copy receive", "green")]
        : describeLacks(missing).map((line) => `  ${styled(line, "yellow")}`)),
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
  options: NicValues,
  { print, ask }: NicSurroundings,
): Promise<number> {
  const request = requestOf(options);
  await using nic = await Nic.open(name, { onCommand: announcing(print) });
  const plan = nic.plan(request);
  print(`${plan}\n`);
  if (exitOf(plan) !== EXIT.done) return exitOf(plan);
  if (plan.steps.length === 0) return EXIT.done;
  const evenIfItCutsUsOff = options["even-if-it-cuts-this-machine-off"];
  const mustConfirm = evenIfItCutsUsOff && plan.cutsOff.length > 0;
  const confirmInterface = options["confirm-interface"] ??
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
  await runProgram(async (args) => {
    const asksForHelp = args.some((argument) => argument === "--help" || argument === "-h");
    if (!asksForHelp) await ensureSystem({ components: NEEDED });
    return await nic(args, {
      print: printer(Deno.stdout),
      ...(Deno.stdin.isTerminal() ? { ask: prompt } : {}),
    });
  });
}
