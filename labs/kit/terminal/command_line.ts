/**
 * The command line of `deno task lab`: what the arguments ask for, checked before anything runs.
 *
 * @module
 */
import { resolve } from "@std/path";
import { levenshteinDistance } from "@std/text/levenshtein-distance";
import { readArguments } from "../lab/arguments.ts";
import { formatBytes, parseBytes } from "../lab/byte_size.ts";
import {
  checkOption,
  defaultOf,
  type Lab,
  type LabOption,
  OptionError,
  repeatsOption,
  type RunOptions,
  SEED_OPTION,
} from "../lab/lab.ts";
import { isLabFile } from "../lab/lab_file.ts";
import type { ReplayOptions } from "../run/replay.ts";
import { wrapped } from "./wrapped.ts";

/** The kinds of files that a run can be written to, by the options that name them. */
export const RUN_FILES = ["json", "csv", "html"] as const;

/** Where a run shall be written, as full paths. */
export type RunFiles = { readonly [Kind in typeof RUN_FILES[number]]?: string };

/** What the arguments ask for. */
export type LabRequest =
  | {
    readonly kind: "run";
    readonly lab: Lab;
    readonly given: RunOptions;
    readonly files: RunFiles;
    readonly debug: boolean;
  }
  | { readonly kind: "replay"; readonly file: string }
  | {
    readonly kind: "compare";
    readonly files: readonly [first: string, second: string];
    readonly debug: boolean;
  }
  | { readonly kind: "list" }
  | { readonly kind: "new"; readonly name: string }
  | { readonly kind: "help"; readonly lab: Lab | undefined };

/** What the arguments of a replay ask for, once its lab is known. */
export interface ReplayRequest {
  /** What differs from the run that is replayed. */
  readonly given: ReplayOptions;
  /** Where the new run shall be written. */
  readonly files: RunFiles;
  /** Whether to show where an error arose. */
  readonly debug: boolean;
}

const JSON_OPTION: LabOption = {
  kind: "string",
  description: "write the run as a document: environment, parameters, every trial",
  placeholder: "FILE",
};
const CSV_OPTION: LabOption = {
  kind: "string",
  description: "write the trials as comma-separated values",
  placeholder: "FILE",
};
const HTML_OPTION: LabOption = {
  kind: "string",
  description: "write the run as one page: table, plots, environment, how to repeat it",
  placeholder: "FILE",
};
const REPLAY_OPTION: LabOption = {
  kind: "string",
  description: "run the run of that document again, and compare the two row by row; beside it " +
    "only --repeats, the files to write, and options that name something of this machine",
  placeholder: "FILE",
};
const COMPARE_OPTION: LabOption = {
  kind: "string",
  description: "compare the runs of two documents, of two machines or two kernels, row by row",
  placeholder: "FILE FILE",
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
  "csv",
  "html",
  "quick",
  "seed",
  "repeats",
  "replay",
  "compare",
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
  const rest = withoutVerb(withoutDashes(args));
  if (rest[0] === "new") return newRequest(rest.slice(1));
  const documents = documentsOf(rest, labs);
  if (documents !== undefined) return documents;
  const lab = namedLab(rest, labs);
  const declared = declaredOptions(lab);
  const values = rawValues(rest, declared, lab);
  if (values.get("help") === true) {
    return { kind: "help", lab: values.has("named") ? lab : undefined };
  }
  if (values.get("list") === true) return { kind: "list" };

  const files = filesOf(values);
  return {
    kind: "run",
    lab,
    debug: values.get("debug") === true,
    files,
    given: {
      options: ownOptions(values, lab) as RunOptions["options"],
      quick: values.get("quick") === true,
      ...(files.json === undefined ? {} : { json: files.json }),
      ...(values.has("seed") ? { seed: values.get("seed") as number } : {}),
      ...(values.has("repeats") ? { repeats: values.get("repeats") as number } : {}),
    },
  };
}

/**
 * Reads the arguments of a replay, once its document has told which lab it is of.
 *
 * @param args The arguments.
 * @param lab The lab.
 * @returns What they ask for.
 * @throws {OptionError} If they ask for something that does not exist. Which options of the lab a
 *   replay may have, `replayOptions` says.
 */
export function parseReplay(args: readonly string[], lab: Lab): ReplayRequest {
  const values = rawValues(withoutVerb(withoutDashes(args)), declaredOptions(lab), lab);
  for (const name of ["quick", "seed", "list"]) {
    if (values.has(name)) {
      throw new OptionError(
        `--${name} cannot stand beside --replay` +
          (name === "list" ? "" : `: it is as in the run that is replayed`),
      );
    }
  }
  const files = filesOf(values);
  const replayed = fileOf("replay", values.get("replay") as string);
  if (files.json === replayed) {
    throw new OptionError("--json names the file that is replayed, which it would replace");
  }
  return {
    debug: values.get("debug") === true,
    files,
    given: {
      options: ownOptions(values, lab),
      ...(values.has("repeats") ? { repeats: values.get("repeats") as number } : {}),
    },
  };
}

/** `deno task` hands on the `--` that users of npm type before options. */
function withoutDashes(args: readonly string[]): readonly string[] {
  return args[0] === "--" ? args.slice(1) : args;
}

/** `lab list`, `lab replay FILE` and `lab compare FILE FILE` are `lab --list` and so on. */
function withoutVerb([first, ...rest]: readonly string[]): readonly string[] {
  if (first === undefined) return [];
  return first === "list" || first === "replay" || first === "compare"
    ? [`--${first}`, ...rest]
    : [first, ...rest];
}

function newRequest(args: readonly string[]): LabRequest {
  if (args.includes("--help") || args.includes("-h")) return { kind: "help", lab: undefined };
  const [name, more] = args;
  if (name === undefined || more !== undefined) {
    throw new OptionError(
      "lab new takes the name of the lab and nothing else: deno task lab new my-first-lab",
    );
  }
  return { kind: "new", name };
}

/** Arguments of which one named a file with a lab. */
export interface LabFileArguments {
  /** The full path of the file. */
  readonly path: string;
  /**
   * The arguments without it, or with the lab's name in its place.
   *
   * @param name The lab's name.
   */
  readonly withName: (name: string) => readonly string[];
}

/**
 * Finds a file with a lab among arguments, such as `./my-first-lab.ts`.
 *
 * @param args The arguments.
 * @param labs The labs there are, whose options tell values from files.
 * @returns Undefined if there is none.
 * @throws {OptionError} If there are several.
 */
export function labFileAmong(
  args: readonly string[],
  labs: readonly Lab[],
): LabFileArguments | undefined {
  const declared = optionsOfAll(labs);
  const isValue = (index: number): boolean => {
    const option = /^--([^=]+)$/.exec(args[index - 1] ?? "")?.[1];
    const kind = option === undefined ? undefined : declared.get(option)?.kind;
    return kind !== undefined && kind !== "flag";
  };
  const found = [...args.keys()].filter((index) =>
    isLabFile(args[index]!) && !args[index]!.startsWith("-") && !isValue(index)
  );
  const [at, another] = found;
  if (at === undefined) return undefined;
  if (another !== undefined) {
    throw new OptionError(`One lab at a time, not ${args[at]} and ${args[another]}`);
  }
  // Documents name their lab themselves.
  const isOfDocument = ["replay", "compare", "--replay", "--compare"].some((word) =>
    withoutDashes(args).some((argument) => argument === word || argument.startsWith(`${word}=`))
  );
  return {
    path: fileOf("lab", args[at]!),
    withName: (name) =>
      args.flatMap((argument, index) => index !== at ? [argument] : isOfDocument ? [] : [name]),
  };
}

/** What is asked of documents, if anything is: that is known before a lab is. */
function documentsOf(args: readonly string[], labs: readonly Lab[]): LabRequest | undefined {
  // Options of any lab may stand beside --replay, so all of them are known in this first pass.
  const parsed = readArguments(args, parserOptions(optionsOfAll(labs)));
  const [replays, compared] = [parsed["replay"], parsed["compare"]] as string[][];
  if (replays!.length === 0 && compared!.length === 0) return undefined;
  if (parsed["help"] === true) return { kind: "help", lab: undefined };
  const names = parsed._.map(String);
  if (replays!.length > 0) {
    if (compared!.length > 0) throw new OptionError("--replay or --compare, not both");
    const file = fileOf("replay", convert("replay", REPLAY_OPTION, replays!) as string);
    const [name] = names;
    if (name !== undefined) {
      throw new OptionError(
        labs.some((lab) => lab.name === name)
          ? `--replay takes the lab from the document: leave ${name} out`
          : `--replay takes one file, so not ${name} besides`,
      );
    }
    return { kind: "replay", file };
  }
  // The first file is the option's value, the second one stands by itself.
  const files = [...compared!, ...names];
  if (files.length !== 2 || files.includes("")) {
    const count = files.filter((file) => file !== "").length;
    throw new OptionError(
      `--compare takes two files, not ${count}: --compare first.json second.json`,
    );
  }
  const allowed = new Map([["compare", COMPARE_OPTION], ["debug", DEBUG_OPTION]]);
  readArguments(args, {
    ...parserOptions(allowed),
    unknown: (argument, key): unknown => {
      if (key === undefined || !argument.startsWith("-")) return true;
      throw new OptionError(
        `--compare runs nothing, so ${argument.replace(/=.*/s, "")} cannot stand beside it`,
      );
    },
  });
  const [first, second] = files.map((file) => fileOf("compare", file));
  return { kind: "compare", files: [first!, second!], debug: parsed["debug"] === true };
}

function ownOptions(values: ReadonlyMap<string, unknown>, lab: Lab): Record<string, unknown> {
  const names = Object.keys(lab.options).filter((name) => values.has(name));
  return Object.fromEntries(names.map((name) => [name, values.get(name)]));
}

function filesOf(values: ReadonlyMap<string, unknown>): RunFiles {
  const files: { [Kind in typeof RUN_FILES[number]]?: string } = {};
  for (const kind of RUN_FILES) {
    if (!values.has(kind)) continue;
    const file = fileOf(kind, values.get(kind) as string);
    const other = RUN_FILES.find((name) => files[name] === file);
    if (other !== undefined) throw new OptionError(`--${other} and --${kind} name the same file`);
    files[kind] = file;
  }
  return files;
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
      "Usage: deno task lab [NAME | ./FILE.ts] [options]",
      "       deno task lab list",
      "       deno task lab replay FILE [./FILE.ts] [options]",
      "       deno task lab compare FILE FILE [./FILE.ts]",
      "       deno task lab new NAME",
      "",
      `Runs an experiment. Without a name: ${flagship?.name}. A file that exports a lab is one as`,
      "well; new writes a small one, NAME.ts, into the current folder.",
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
      ...wrapped(lab.description, 90),
    );
    if (Object.keys(lab.options).length > 0) {
      lines.push("", "Options of this lab:", ...optionLines(lab.options));
    }
    lines.push("", "Options of every lab:", ...optionLines(commonOptions(lab)));
  }
  lines.push(
    "",
    "Exit codes: 0 done, 1 failed, 2 bad arguments, 77 not possible on this machine,",
    "130 and 143 interrupted: what was measured until then is kept, and its files are written. A",
    "replay or a comparison that finds a difference is done: 0.",
  );
  return lines.join("\n") + "\n";
}

/** The lab that the arguments name, or the first one. */
function namedLab(args: readonly string[], labs: readonly Lab[]): Lab {
  const [flagship] = labs;
  if (flagship === undefined) throw new OptionError("There are no labs");
  // Options of any lab may come before the name, so all of them are known in this first pass.
  const positional = positionals(args, optionsOfAll(labs));
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

function optionsOfAll(labs: readonly Lab[]): Map<string, LabOption> {
  return new Map(labs.flatMap((lab) => [...declaredOptions(lab)]));
}

function commonOptions(lab: Lab | undefined): Record<string, LabOption> {
  return {
    json: JSON_OPTION,
    csv: CSV_OPTION,
    html: HTML_OPTION,
    quick: QUICK_OPTION,
    seed: SEED_OPTION,
    ...(lab === undefined ? {} : { repeats: repeatsOption(lab) }),
    replay: REPLAY_OPTION,
    compare: COMPARE_OPTION,
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
      if (given === true) values.set(name, true);
    } else if (Array.isArray(given) && given.length > 0) {
      values.set(name, convert(name, option, given.map(String)));
    }
  }
  return values;
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
  const converted = numeric
    ? items.map((item) => toNumber(name, item))
    : option.kind === "bytes"
    ? items.map((item) => toBytes(name, item))
    : items;
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

function toBytes(name: string, text: string): number {
  const bytes = parseBytes(text);
  if (bytes !== undefined) return bytes;
  throw new OptionError(
    `--${name}: ${JSON.stringify(text)} is not a number of bytes, such as 4096, 64k or 16M`,
  );
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

/** The folder in which the user is: `deno task` changes to that of deno.json, and says where he was. */
export function userFolder(): string {
  return Deno.env.get("INIT_CWD") ?? Deno.cwd();
}

/** The full path of a file that was named on the command line. */
function fileOf(option: string, given: string): string {
  if (given.endsWith("/")) {
    throw new OptionError(`--${option} ${given}: it is a folder, not a file`);
  }
  return resolve(userFolder(), given);
}

function placeholder(option: LabOption): string {
  switch (option.kind) {
    case "flag":
      return "";
    case "number":
      return "N";
    case "numbers":
      return "N,N,...";
    case "bytes":
      return "BYTES";
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
    if (option.kind === "bytes") facts.push("such as 4096, 64k or 16M");
    if (option.kind === "strings" && option.choices !== undefined) {
      facts.push(`of ${option.choices.join(", ")}`);
    }
    const usual = defaultOf(option);
    const quick = defaultOf(option, true);
    const shown = (value: unknown): string =>
      option.kind === "bytes" ? formatBytes(value as number) : String(value);
    if (option.kind !== "flag" && usual !== undefined) facts.push(`default ${shown(usual)}`);
    if (quick !== usual && quick !== undefined) facts.push(`with --quick ${shown(quick)}`);
    const detail = facts.length === 0 ? "" : ` (${facts.join("; ")})`;
    return [`--${name} ${placeholder(option)}`.trimEnd(), option.description + detail];
  });
  return columns(rows);
}

/** Two columns, the second one wrapped. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(32, Math.max(...rows.map(([left]) => left.length)));
  return rows.flatMap(([left, right]) => {
    const lines = wrapped(right, 94 - width);
    const first = left.length > width ? [`  ${left}`] : [];
    return [
      ...first,
      ...lines.map((line, index) =>
        `  ${(index === 0 && first.length === 0 ? left : "").padEnd(width)}  ${line}`
      ),
    ];
  });
}
