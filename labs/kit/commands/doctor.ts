/**
 * `deno task doctor [--json]`: what works on this machine, and for each thing that does not, the one
 * command that would change it. It installs nothing.
 *
 * It exits with 0 if the flagship lab can run here, with 77 if it cannot, and with 2 on bad
 * arguments.
 *
 * @module
 */
import type { Lab } from "../lab/lab.ts";
import { describePending, pendingNics } from "../nic/journal.ts";
import { type Probe, probe } from "../probe/probe.ts";
import type { ProbeItem } from "../probe/requirements.ts";
import { type CommandLine, helpOf, readCommandLine } from "../options/cli.ts";
import { coloursWanted, styled, type TextStyle } from "../text/table.ts";
import { EXIT, printer } from "../terminal/terminal.ts";
import { runProgram } from "./program.ts";

const COMMAND_LINE = {
  command: "deno task doctor",
  usage: ["[--json]"],
  about: [
    "Shows what works on this machine, and for each thing that does not, the one command that would " +
    "change it. Installs nothing.",
  ],
  options: {
    json: {
      kind: "flag",
      description: "as JSON: {machine, items: [{name, state, why, command?}], labs: [{name, " +
        "state, missing}], pendingNics: [{identity, state, changes, ...}]}",
    },
  },
  exitCodes: "0 the flagship lab can run here, 77 it cannot, 2 bad arguments",
} as const satisfies CommandLine;

/**
 * Does what the arguments ask for.
 *
 * @param args The arguments.
 * @param catalogue The labs there are, the flagship first.
 * @param print Where the answer goes.
 * @param colours Whether to use colours.
 * @returns The exit code.
 * @throws {OptionError} If the arguments make no sense.
 */
export async function doctor(
  args: readonly string[],
  catalogue: readonly Lab[],
  print: (text: string) => void,
  colours = coloursWanted(),
): Promise<number> {
  const { help, options } = readCommandLine(COMMAND_LINE, args);
  if (help) {
    print(helpOf(COMMAND_LINE));
    return EXIT.done;
  }
  const here = await probe();
  print(options.json ? asJson(here, catalogue) : asText(here, catalogue, colours));
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

function asText(here: Probe, catalogue: readonly Lab[], colours: boolean): string {
  const { kernel, architecture, cpus, virtual, privileged } = here.machine;
  const width = Math.max(...here.items.map(({ name }) => name.length));
  const lines = [
    styled(
      `Linux ${kernel}, ${architecture}, ${cpus} CPUs${virtual ? " of a virtual machine" : ""}, ` +
        (privileged ? "privileged" : "unprivileged"),
      "bold",
      colours,
    ),
    "",
    ...here.items.flatMap((item) => itemLines(item, width, colours)),
    "",
  ];
  for (const lab of catalogue) {
    const missing = here.missing(lab.needs);
    const verdict = missing.length === 0
      ? styled("can run here", "green", colours)
      : styled(`cannot run here: ${missing.map(({ name }) => name).join(", ")}`, "yellow", colours);
    lines.push(`Lab ${styled(lab.name, "bold", colours)} ${verdict}`);
  }
  const pending = describePending(pendingNics());
  return lines.join("\n") + "\n" +
    (pending === "" ? "" : `\n${styled(pending, "yellow", colours)}`);
}

function itemLines(
  { name, state, why, command, leaves }: ProbeItem,
  width: number,
  colours: boolean,
): string[] {
  const paint = (text: string, style: TextStyle): string => styled(text, style, colours);
  const mark = state === "real"
    ? paint("yes ", "green")
    : paint(state === "no" ? "no  " : "guest", "yellow");
  const margin = " ".repeat(8 + width);
  return [
    `${mark}  ${name.padEnd(width)}  ${state === "real" ? paint(why, "dim") : why}`,
    ...(command === undefined ? [] : [`${margin}${paint("to change it:", "bold")} ${command}`]),
    ...(leaves === undefined ? [] : [`${margin}${paint(leaves, "yellow")}`]),
  ];
}

if (import.meta.main) {
  await runProgram(async (args) => {
    // Loaded here because the labs load the library, which loads this module's neighbours.
    const { CATALOGUE } = await import("../../catalogue.ts");
    return await doctor(args, CATALOGUE, printer(Deno.stdout));
  });
}
