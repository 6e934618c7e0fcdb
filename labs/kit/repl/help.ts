/**
 * `help` of the REPL: what one thing of the library is, in the words of its own documentation.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import { fromFileUrl } from "@std/path";
import { levenshteinDistance } from "@std/text/levenshtein-distance";
import { type Display, escapeHtml } from "../../../ffi/kernel/inspection.ts";
import { defaultOf, type LabOption } from "../options/options.ts";
import { type Lab, repeatsOption, SEED_OPTION } from "../lab/lab.ts";
import type { ProbeItem } from "../probe/requirements.ts";
import { coloursWanted, terminalWidth } from "../text/table.ts";
import { Documentation } from "./documentation.ts";
import { type Layout, Page } from "./page.ts";
import { ENTRY_POINTS } from "./library.ts";

const DOCTOR = new URL("../commands/doctor.ts", import.meta.url);

/** Lines longer than this are hard to read, however wide the terminal is. */
const WIDEST = 100;

/** What `help` knows beside the documentation. */
export interface HelpOptions {
  /** What is in scope, to find the name of a value. */
  readonly names: Readonly<Record<string, unknown>>;
  /** The labs. */
  readonly labs: readonly Lab[];
  /** How wide the text is; by default as wide as the terminal, at most 100 columns. */
  readonly width?: number;
}

/** What `help` says. It is a value, so that a prompt shows it and nothing after it. */
export class HelpText {
  /** The text, ending with a newline. */
  readonly text: string;

  /** Made by `help`. @internal */
  constructor(text: string) {
    this.text = text;
  }

  /** The text itself. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.text.trimEnd();
  }

  /** The text itself. */
  [Symbol.for("Jupyter.display")](): Display {
    const plain = escapeHtml(stripVTControlCharacters(this.text));
    return { "text/plain": this.text, "text/html": `<pre>${plain}</pre>` };
  }
}

/**
 * Makes the `help` of a REPL. What it has found out once it keeps: the documentation, and what this
 * machine can do.
 *
 * @param options What it knows.
 * @returns `help`: without arguments it lists everything; with a value, an instance, a method, a lab
 *   or a name it explains that.
 */
export function makeHelp(options: HelpOptions): (what?: unknown) => HelpText {
  const { names, labs } = options;
  let documentation: Documentation | undefined;
  let answers: readonly ProbeItem[] | undefined;
  return (what?: unknown): HelpText => {
    const layout: Layout = {
      width: options.width ?? Math.min(WIDEST, terminalWidth()),
      colours: coloursWanted(),
    };
    const lab = labs.find((lab) => lab === what || lab.name === what);
    if (lab !== undefined) return new HelpText(describeLab(lab, answers ??= askDoctor(), layout));
    documentation ??= Documentation.load();
    return new HelpText(
      what === undefined
        ? overview(documentation, labs, layout)
        : explain(what, documentation, { names, labs }, layout),
    );
  };
}

function explain(
  what: unknown,
  documentation: Documentation,
  { names, labs }: Pick<HelpOptions, "names" | "labs">,
  layout: Layout,
): string {
  const name = typeof what === "string" ? what.trim() : nameOf(what, names);
  if (name !== undefined) {
    const text = documentation.describe(name, layout);
    if (text !== undefined) return text;
    // A member alone, such as sendZc.
    const owners = documentation.names.filter((full) => full.endsWith(`.${name}`));
    if (name !== "" && owners.length === 1) return documentation.describe(owners[0]!, layout)!;
    if (name !== "" && owners.length > 1) {
      return sentence(`${name} is one of these: ${owners.join(", ")}`, layout);
    }
  }
  const shown = typeof what === "string" ? JSON.stringify(what) : brief(Deno.inspect(what));
  const near = name === undefined
    ? undefined
    : nearest(name, [...documentation.names, ...labs.map((lab) => lab.name)]);
  const guess = near === undefined ? ":" : `. Did you mean help("${near}")?`;
  return sentence(
    `Nothing of zclab is known about ${shown}${guess} help() lists all there is`,
    layout,
  );
}

function sentence(text: string, layout: Layout): string {
  const page = new Page(layout);
  page.paragraph(text);
  return page.text.trimStart();
}

/** The documented name of a value: of an export, of the class of an instance, or of a method. */
function nameOf(what: unknown, names: Readonly<Record<string, unknown>>): string | undefined {
  const isObject = typeof what === "object" && what !== null;
  if (!isObject && typeof what !== "function") return undefined;
  for (const [name, value] of Object.entries(names)) {
    if (value === what || (isObject && value === what.constructor)) return name;
  }
  for (const [name, value] of Object.entries(names)) {
    if (typeof value !== "function") continue;
    for (const owner of [value, value.prototype]) {
      const method = owner && methodName(owner, what);
      if (method !== undefined) return `${name}.${method}`;
    }
  }
  return undefined;
}

/** Looks at the values alone: a getter would run. */
function methodName(owner: object, method: unknown): string | undefined {
  return Object.entries(Object.getOwnPropertyDescriptors(owner))
    .find(([name, { value }]) => value === method && name !== "constructor" && name !== "prototype")
    ?.[0];
}

/** The known name that was most likely meant. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  const distance = (candidate: string): number => {
    const whole = levenshteinDistance(wanted, candidate.toLowerCase());
    // Without its class a member is meant as well.
    const member = wanted.includes(".") ? candidate : candidate.split(".").at(-1)!;
    return Math.min(whole, levenshteinDistance(wanted, member.toLowerCase()) + 0.5);
  };
  const [best] = known.map((candidate) => ({ candidate, distance: distance(candidate) }))
    .filter(({ distance }) => distance <= Math.max(1, wanted.length / 3))
    .sort((left, right) => left.distance - right.distance);
  return best?.candidate;
}

function overview(documentation: Documentation, labs: readonly Lab[], layout: Layout): string {
  const page = new Page(layout);
  // Types cannot be typed at a prompt: help("Name") explains those, too.
  const values = documentation.summaries.filter(({ kind }) => kind !== "type");
  for (const { name: entryPoint, title } of ENTRY_POINTS) {
    const rows = values.filter((each) => each.entryPoint === entryPoint)
      .map(({ name, sentence }): [string, string] => [name, sentence]);
    page.list(`${title} (${entryPoint})`, rows);
  }
  page.list("Labs (labs)", labs.map(({ name, title }): [string, string] => [name, title]));
  page.paragraph(
    'help(Ring) or help("Ring.recv") explains one of these, help("RingOptions") a type, ' +
      `help(labs["${labs[0]?.name}"]) a lab.`,
  );
  return page.text.trimStart();
}

function describeLab(lab: Lab, answers: readonly ProbeItem[], layout: Layout): string {
  const page = new Page(layout);
  page.heading(`${lab.name}: ${lab.title}`);
  page.paragraph(lab.description);
  const needs = answers.filter(({ name }) => lab.needs.includes(name));
  const missing = needs.filter(({ state }) => state !== "real");
  const verdict = missing.length === 0
    ? "real here"
    : missing.every(({ state }) => state === "guest")
    ? "real in the guest only"
    : "not possible here";
  page.list(
    `Needs (${verdict})`,
    needs.map(({ name, state, why, command }): [string, string] => [
      name,
      `${state}: ${why}` +
      (command === undefined
        ? ""
        : `. What would change it: ${command.replace("COMMAND", `deno task lab ${lab.name}`)}`),
    ]),
  );
  const common = { repeats: repeatsOption(lab), seed: SEED_OPTION };
  page.list("Options", optionRows(lab.options));
  page.list("Options of every lab", [
    ...optionRows(common),
    ["quick: true", "a short run, for a first impression"],
  ]);
  const [own] = Object.entries(lab.options).map(([name, option]) =>
    `${key(name)}: ${JSON.stringify(defaultOf(option, true))}`
  ).sort((left, right) => left.length - right.length);
  const options = own === undefined ? "" : `, options: { ${own} }`;
  page.paragraph(
    "Run it here, and on the command line:\n```\n" +
      `await runLab(labs["${lab.name}"], { quick: true${options} })\n` +
      `deno task lab ${lab.name} --help\n\`\`\``,
  );
  return page.text;
}

function optionRows(options: Readonly<Record<string, LabOption>>): [string, string][] {
  const types = {
    flag: "true",
    number: "number",
    numbers: "number[]",
    bytes: "number",
    string: "string",
    strings: "string[]",
  };
  return Object.entries(options).map(([name, option]) => {
    const facts: string[] = [];
    if ("unit" in option && option.unit !== undefined) facts.push(`in ${option.unit}`);
    if (option.kind === "bytes") facts.push("in bytes");
    if ("choices" in option && option.choices !== undefined) {
      facts.push(`of ${option.choices.join(", ")}`);
    }
    const [usual, quick] = [defaultOf(option), defaultOf(option, true)].map((value) =>
      Array.isArray(value) ? value.join(", ") : String(value)
    );
    if (option.kind !== "flag" && usual !== "undefined") facts.push(`default ${usual}`);
    if (quick !== usual) facts.push(`with quick ${quick}`);
    const detail = facts.length === 0 ? "" : ` (${facts.join("; ")})`;
    return [`${key(name)}: ${types[option.kind]}`, option.description + detail];
  });
}

/** A name as it is written in an object. */
function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

/** What this machine can do, from a process of its own: only that can be waited for here. */
function askDoctor(): readonly ProbeItem[] {
  const { stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", fromFileUrl(DOCTOR), "--json"],
    cwd: fromFileUrl(new URL(".", DOCTOR)),
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).outputSync();
  const decoder = new TextDecoder();
  try {
    return (JSON.parse(decoder.decode(stdout)) as { items: readonly ProbeItem[] }).items;
  } catch (cause) {
    throw new Error(`deno task doctor failed: ${decoder.decode(stderr)}`, { cause });
  }
}

function brief(text: string): string {
  const [line = ""] = text.split("\n", 1);
  return line.length > 60 || line !== text ? `${line.slice(0, 57)}…` : line;
}
