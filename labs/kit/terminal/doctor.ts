/**
 * `deno task doctor [--json]`: what works on this machine, and for each thing that does not, the one
 * command that would change it. It installs nothing.
 *
 * It exits with 0 if the flagship lab can run here, with 77 if it cannot, and with 2 on bad
 * arguments.
 *
 * @module
 */
import { bold, dim, green, setColorEnabled, yellow } from "@std/fmt/colors";
import { readArguments } from "../lab/arguments.ts";
import type { Lab } from "../lab/lab.ts";
import { OptionError } from "../lab/lab.ts";
import { describePending, pendingNics } from "../nic/journal.ts";
import { type Probe, probe, type ProbeItem } from "../probe/probe.ts";
import { describeError, EXIT, exitCode, printer } from "./terminal.ts";

const HELP = `Usage: deno task doctor [--json]

Shows what works on this machine, and for each thing that does not, the one command that would
change it. Installs nothing.

  --json  as JSON: {machine, items: [{name, state, why, command?}], labs: [{name, state, missing}],
          pendingNics: [{identity, state, changes, ...}]}
  --help  show this help

Exit codes: 0 the flagship lab can run here, 77 it cannot, 2 bad arguments.
`;

/**
 * Does what the arguments ask for.
 *
 * @param args The arguments.
 * @param catalogue The labs there are, the flagship first.
 * @param print Where the answer goes.
 * @returns The exit code.
 * @throws {OptionError} If the arguments make no sense.
 */
export async function doctor(
  args: readonly string[],
  catalogue: readonly Lab[],
  print: (text: string) => void,
): Promise<number> {
  const rest = args[0] === "--" ? args.slice(1) : args;
  const { json, help } = readArguments(rest, {
    boolean: ["json", "help"],
    alias: { help: "h" },
    unknown: (argument): never => {
      throw new OptionError(`doctor does not know ${argument || '""'}: deno task doctor [--json]`);
    },
  });
  if (help === true) {
    print(HELP);
    return EXIT.done;
  }
  const here = await probe();
  print(json === true ? asJson(here, catalogue) : asText(here, catalogue));
  const [flagship] = catalogue;
  const possible = flagship !== undefined && here.missing(flagship.needs).length === 0;
  return possible ? EXIT.done : EXIT.notPossible;
}

function asJson(here: Probe, catalogue: readonly Lab[]): string {
  const labs = catalogue.map(({ name, needs }) => {
    const missing = here.missing(needs);
    return {
      name,
      state: missing.length === 0 ? "real" : "no",
      missing: missing.map((item) => item.name),
    };
  });
  const { machine, items } = here;
  return JSON.stringify({ machine, items, labs, pendingNics: pendingNics() }, undefined, 2) + "\n";
}

function asText(here: Probe, catalogue: readonly Lab[]): string {
  const { kernel, architecture, cpus, virtual, privileged } = here.machine;
  const width = Math.max(...here.items.map(({ name }) => name.length));
  const lines = [
    bold(
      `Linux ${kernel}, ${architecture}, ${cpus} CPUs${virtual ? " of a virtual machine" : ""}, ` +
        (privileged ? "privileged" : "unprivileged"),
    ),
    "",
    ...here.items.flatMap((item) => itemLines(item, width)),
    "",
  ];
  for (const lab of catalogue) {
    const missing = here.missing(lab.needs);
    const verdict = missing.length === 0
      ? green("can run here")
      : yellow(`cannot run here: ${missing.map(({ name }) => name).join(", ")}`);
    lines.push(`Lab ${bold(lab.name)} ${verdict}`);
  }
  const pending = describePending(pendingNics());
  return lines.join("\n") + "\n" + (pending === "" ? "" : `\n${yellow(pending)}`);
}

function itemLines({ name, state, why, command, leaves }: ProbeItem, width: number): string[] {
  const mark = state === "real" ? green("yes ") : yellow(state === "no" ? "no  " : "guest");
  const margin = " ".repeat(8 + width);
  return [
    `${mark}  ${name.padEnd(width)}  ${state === "real" ? dim(why) : why}`,
    ...(command === undefined ? [] : [`${margin}${bold("to change it:")} ${command}`]),
    ...(leaves === undefined ? [] : [`${margin}${yellow(leaves)}`]),
  ];
}

if (import.meta.main) {
  setColorEnabled(Deno.stdout.isTerminal() && !Deno.noColor);
  try {
    // Loaded here because the labs load the library, which loads this module's neighbours.
    const { CATALOGUE } = await import("../../catalogue.ts");
    Deno.exit(await doctor(Deno.args, CATALOGUE, printer(Deno.stdout)));
  } catch (error) {
    printer(Deno.stderr)(describeError(error));
    Deno.exit(exitCode(error));
  }
}
