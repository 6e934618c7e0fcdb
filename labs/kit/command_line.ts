/**
 * The command line of `deno task lab`: what the arguments ask for, checked before anything runs.
 *
 * @module
 */
import { type Args, parseArgs, type ParseOptions } from "@std/cli/parse-args";
import { resolve } from "@std/path";
import { levenshteinDistance } from "@std/text/levenshtein-distance";
import {
  checkOption,
  defaultOf,
  type Lab,
  type LabOption,
  OptionError,
  repeatsOption,
  type RunOptions,
  SEED_OPTION,
} from "./lab.ts";

/** What the arguments ask for. */
export type LabRequest =
  | { readonly kind: "run"; readonly lab: Lab; readonly given: RunOptions; readonly debug: boolean }
  | { readonly kind: "list" }
  | { readonly kind: "help"; readonly lab: Lab | undefined };

const JSON_OPTION: LabOption = {
  kind: "string",
  description: "write the run as a document: environment, parameters, every trial",
  placeholder: "FILE",
};
const QUICK_OPTION: LabOption = {
  kind: "flag",
  description: "a short run, for a first impression",
};
const DEBUG_OPTION: LabOption = {
  kind: "flag",
  description: "show where an error arose (as does ZCLAB_DEBUG=1)",
};
const HELP_OPTION: LabOption = { kind: "flag", description: "show this help" };
const LIST_OPTION: LabOption = {
  kind: "flag",
  description: "list the labs, what each needs, and whether it can run here",
};

/** The names of the options that every lab has, which a lab's own must not repeat. */
export const COMMON_OPTIONS = [
  "json",
  "quick",
  "seed",
  "repeats",
  "debug",
  "help",
  "list",
] as const;

/**
 * Reads the arguments of `deno task lab [NAME] [options]`.
 *
 * @param args The arguments.
 * @param labs The labs there are; the first one runs when none is named.
 * @returns What the arguments ask for.
 * @throws {OptionError} If they ask for something that does not exist or makes no sense.
 */
export function parseLabCommand(args: readonly string[], labs: readonly Lab[]): LabRequest {
  // `deno task` hands on the `--` that users of npm type before options.
  const rest = args[0] === "--" ? args.slice(1) : args;
  const lab = namedLab(rest, labs);
  const declared = declaredOptions(lab);
  const values = rawValues(rest, declared, lab);
  if (values.get("help") === true) {
    return { kind: "help", lab: values.has("named") ? lab : undefined };
  }
  if (values.get("list") === true) return { kind: "list" };

  const own: Record<string, unknown> = {};
  for (const name of Object.keys(lab.options)) {
    if (values.has(name)) own[name] = values.get(name);
  }
  const json = values.has("json") ? fileOf(values.get("json") as string) : undefined;
  return {
    kind: "run",
    lab,
    debug: values.get("debug") === true,
    given: {
      options: own as RunOptions["options"],
      quick: values.get("quick") === true,
      ...(json === undefined ? {} : { json }),
      ...(values.has("seed") ? { seed: values.get("seed") as number } : {}),
      ...(values.has("repeats") ? { repeats: values.get("repeats") as number } : {}),
    },
  };
}

/**
 * The help text.
 *
 * @param lab The lab whose options to show, or undefined for the help of all labs.
 * @param labs The labs there are.
 * @returns The text, ending with a newline.
 */
export function helpText(lab: Lab | undefined, labs: readonly Lab[]): string {
  const lines: string[] = [];
  if (lab === undefined) {
    const [flagship] = labs;
    lines.push(
      "Usage: deno task lab [NAME] [options]",
      "",
      `Runs an experiment. Without a name: ${flagship?.name}.`,
      "",
      "Labs:",
      ...columns(labs.map(({ name, title }) => [name, title])),
      "",
      "deno task lab NAME --help shows the options of a lab. Those of every lab are:",
    );
    lines.push(...optionLines(commonOptions(flagship)));
  } else {
    lines.push(
      `Usage: deno task lab ${lab.name} [options]`,
      "",
      lab.title,
      "",
      ...wrap(lab.description, 90),
    );
    if (Object.keys(lab.options).length > 0) {
      lines.push("", "Options of this lab:", ...optionLines(lab.options));
    }
    lines.push("", "Options of every lab:", ...optionLines(commonOptions(lab)));
  }
  lines.push(
    "",
    "Exit codes: 0 done, 1 failed, 2 bad arguments, 77 not possible on this machine,",
    "130 and 143 interrupted (then no document is written).",
  );
  return lines.join("\n") + "\n";
}

/** The lab that the arguments name, or the first one. */
function namedLab(args: readonly string[], labs: readonly Lab[]): Lab {
  const [flagship] = labs;
  if (flagship === undefined) throw new OptionError("There are no labs");
  // Options of any lab may come before the name, so all of them are known in this first pass.
  const all = new Map(labs.flatMap((lab) => [...declaredOptions(lab)]));
  const positional = positionals(args, all);
  if (positional.length > 1) {
    throw new OptionError(`One lab at a time, not ${positional.join(" and ")}`);
  }
  const [name] = positional;
  if (name === undefined) return flagship;
  const found = labs.find((lab) => lab.name === name);
  if (found !== undefined) return found;
  const names = labs.map((lab) => lab.name);
  throw new OptionError(
    `There is no lab ${JSON.stringify(name)}${suggestion(name, names)}. ` +
      `The labs are: ${names.join(", ")}`,
  );
}

function commonOptions(lab: Lab | undefined): Record<string, LabOption> {
  return {
    json: JSON_OPTION,
    quick: QUICK_OPTION,
    seed: SEED_OPTION,
    ...(lab === undefined ? {} : { repeats: repeatsOption(lab) }),
    list: LIST_OPTION,
    debug: DEBUG_OPTION,
    help: HELP_OPTION,
  };
}

function declaredOptions(lab: Lab): Map<string, LabOption> {
  return new Map([...Object.entries(lab.options), ...Object.entries(commonOptions(lab))]);
}

function parserOptions(
  declared: ReadonlyMap<string, LabOption>,
): { boolean: string[]; string: string[]; collect: string[]; alias: { help: string } } {
  const names = [...declared.keys()];
  const valued = names.filter((name) => declared.get(name)?.kind !== "flag");
  return {
    boolean: names.filter((name) => declared.get(name)?.kind === "flag"),
    string: [...valued, "_"],
    collect: valued,
    alias: { help: "h" },
  };
}

function positionals(
  args: readonly string[],
  declared: ReadonlyMap<string, LabOption>,
): readonly string[] {
  return readArguments(args, parserOptions(declared))._.map(String);
}

/** Reads the arguments; some, such as `-__proto__`, are more than the parser can take. */
function readArguments(args: readonly string[], options: ParseOptions): Args {
  try {
    return parseArgs(args, options);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new OptionError(`These arguments cannot be read: ${args.join(" ")}`);
  }
}

/** The given values by option, converted and checked; `named` is there when a lab was named. */
function rawValues(
  args: readonly string[],
  declared: ReadonlyMap<string, LabOption>,
  lab: Lab,
): Map<string, unknown> {
  const parsed = readArguments(args, {
    ...parserOptions(declared),
    unknown: (argument, key): unknown => {
      if (key === undefined || !argument.startsWith("-")) return true;
      if (/^-\d/.test(argument)) {
        throw new OptionError(`A negative value is written with =, as in --name=${argument}`);
      }
      const option = argument.replace(/=.*/s, "");
      const names = [...declared.keys()].map((name) => `--${name}`);
      throw new OptionError(
        `${lab.name} has no option ${option}${suggestion(option, names)}. ` +
          `deno task lab ${lab.name} --help lists its options`,
      );
    },
  });
  const values = new Map<string, unknown>();
  if (parsed._.length > 0) values.set("named", true);
  for (const [name, option] of declared) {
    const given = parsed[name];
    if (option.kind === "flag") {
      checkFlag(args, name);
      if (given === true) values.set(name, true);
    } else if (Array.isArray(given) && given.length > 0) {
      values.set(name, convert(name, option, given.map(String)));
    }
  }
  return values;
}

/** A flag takes no value: the parser would read `--quick=no` as true. */
function checkFlag(args: readonly string[], name: string): void {
  const given = args.find((argument) => argument.startsWith(`--${name}=`));
  if (given !== undefined) throw new OptionError(`--${name} takes no value, so not ${given}`);
}

/** Turns the text of an option into its value. */
function convert(name: string, option: LabOption, texts: readonly string[]): unknown {
  const list = option.kind === "numbers" || option.kind === "strings";
  if (texts.length > 1 && !list) throw new OptionError(`--${name} is given ${texts.length} times`);
  const items = list ? texts.flatMap((text) => text.split(",")) : texts;
  if (items.some((item) => item.trim() === "")) {
    throw new OptionError(
      list && items.length > 1
        ? `--${name}: a value is missing in ${JSON.stringify(texts.join(","))}`
        : `--${name} needs a value: --${name} ${placeholder(option)}`,
    );
  }
  const numeric = option.kind === "number" || option.kind === "numbers";
  const converted = numeric ? items.map((item) => toNumber(name, item)) : items;
  const value = list ? converted : converted[0];
  const wrong = checkOption(option, value);
  if (wrong === undefined) return value;
  const choices = option.kind === "string" || option.kind === "strings"
    ? option.choices
    : undefined;
  const bad = items.find((item) => choices !== undefined && !choices.includes(item));
  throw new OptionError(
    `--${name}: ${wrong}${bad === undefined ? "" : suggestion(bad, choices ?? [])}`,
  );
}

function toNumber(name: string, text: string): number {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    throw new OptionError(`--${name}: ${JSON.stringify(text)} is not a number`);
  }
  return Number(text);
}

/** `, did you mean X?`, where something near enough exists. */
function suggestion(given: string, known: readonly string[]): string {
  const near = known
    .map((name) => ({ name, distance: levenshteinDistance(given.toLowerCase(), name) }))
    .filter(({ name, distance }) => distance <= Math.max(2, Math.floor(name.length / 3)))
    .sort((left, right) => left.distance - right.distance);
  const begun = known.find((name) => given.length >= 4 && name.startsWith(given));
  const best = begun ?? near[0]?.name;
  return best === undefined ? "" : ` (did you mean ${best}?)`;
}

/** The full path of a file that was named on the command line. */
function fileOf(given: string): string {
  if (given.endsWith("/")) throw new OptionError(`--json ${given}: it is a folder, not a file`);
  // `deno task` changes to the folder of deno.json, and says where the user was.
  return resolve(Deno.env.get("INIT_CWD") ?? ".", given);
}

function placeholder(option: LabOption): string {
  switch (option.kind) {
    case "flag":
      return "";
    case "number":
      return "N";
    case "numbers":
      return "N,N,...";
    case "string":
      return option.placeholder ?? option.choices?.join("|") ?? "TEXT";
    case "strings":
      return option.placeholder ?? "NAME,NAME,...";
  }
}

function optionLines(options: Readonly<Record<string, LabOption>>): string[] {
  const rows = Object.entries(options).map(([name, option]): [string, string] => {
    const facts: string[] = [];
    if ("unit" in option && option.unit !== undefined) facts.push(`in ${option.unit}`);
    if (option.kind === "strings" && option.choices !== undefined) {
      facts.push(`of ${option.choices.join(", ")}`);
    }
    const usual = defaultOf(option);
    const quick = defaultOf(option, true);
    if (option.kind !== "flag" && usual !== undefined) facts.push(`default ${usual}`);
    if (quick !== usual && quick !== undefined) facts.push(`with --quick ${quick}`);
    const detail = facts.length === 0 ? "" : ` (${facts.join("; ")})`;
    return [`--${name} ${placeholder(option)}`.trimEnd(), option.description + detail];
  });
  return columns(rows);
}

/** Two columns, the second one wrapped. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(32, Math.max(...rows.map(([left]) => left.length)));
  return rows.flatMap(([left, right]) => {
    const lines = wrap(right, 94 - width);
    const first = left.length > width ? [`  ${left}`] : [];
    return [
      ...first,
      ...lines.map((line, index) =>
        `  ${(index === 0 && first.length === 0 ? left : "").padEnd(width)}  ${line}`
      ),
    ];
  });
}

/** Breaks text into lines at spaces. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, line];
}
