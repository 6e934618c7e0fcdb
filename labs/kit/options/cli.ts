/**
 * A command line as a declaration: what its words and options are, what they mean, how it ends. Help and
 * whatever is wrong with arguments follow from that, in the same words for every command.
 *
 * @module
 */
import { levenshteinDistance } from "@std/text/levenshtein-distance";
import { readArguments } from "./arguments.ts";
import { formatBytes, parseBytes } from "../text/byte_size.ts";
import {
  checkOption,
  defaultOf,
  type FlagOption,
  type LabOption,
  type LabOptions,
  OptionError,
  type OptionValues,
} from "./options.ts";
import { wrapped } from "../text/wrapped.ts";

/** How wide help is at most. */
const WIDTH = 100;

/** The option that every command line has. */
export const HELP_OPTION: FlagOption = { kind: "flag", description: "show this help" };

/** A command line, declared. */
export interface CommandLine<Options extends LabOptions = LabOptions> {
  /** What is typed before the arguments, such as `deno task nic`. */
  readonly command: string;
  /** What follows it, for each way to call it, such as `plan IFACE [options]`. */
  readonly usage: readonly string[];
  /** What it does: paragraphs. */
  readonly about: readonly string[];
  /**
   * Words that are no options, and what each means.
   *
   * @default {none: a word is a mistake}
   */
  readonly words?: Readonly<Record<string, string>>;
  /** The options, without `--help`. */
  readonly options: Options;
  /** Paragraphs below the options. */
  readonly notes?: readonly string[];
  /** What the exit codes mean. */
  readonly exitCodes: string;
  /**
   * Whether what comes after two dashes is for somebody else, and is handed on as it is.
   *
   * @default {false}
   */
  readonly handsOn?: boolean;
}

/** What arguments say. */
export interface Arguments<Options extends LabOptions> {
  /** Whether help is asked for; nothing else then counts. */
  readonly help: boolean;
  /** The words that are no options, in order. */
  readonly words: readonly string[];
  /** The options' values: those that are given, and defaults for the rest, checked. */
  readonly options: OptionValues<Options>;
  /** The names of the options that are there, and not left to their defaults. */
  readonly given: ReadonlySet<string>;
  /** What came after two dashes, if that is handed on. */
  readonly handedOn: readonly string[];
}

/**
 * Reads the arguments of a command.
 *
 * @param line The command line.
 * @param args The arguments.
 * @returns What they say.
 * @throws {OptionError} If an option is unknown or its value is not accepted, or there is a word
 *   although the command takes none.
 */
export function readCommandLine<const Options extends LabOptions>(
  line: CommandLine<Options>,
  args: readonly string[],
): Arguments<Options> {
  const dashes = line.handsOn === true ? args.indexOf("--") : -1;
  const own = dashes >= 0 ? args.slice(0, dashes) : withoutDashes(args);
  const found = scan(own, { ...line.options, help: HELP_OPTION });
  const subject = line.command.replace("deno task ", "");
  requireKnown(found, line.options, subject, line.command);
  const help = found.given.has("help");
  const [word] = found.words;
  if (!help && line.words === undefined && word !== undefined) {
    throw new OptionError(
      `${subject} takes no ${JSON.stringify(word)}: ${line.command} ${line.usage[0]}`,
    );
  }
  const values = help ? new Map<string, unknown>() : valuesOf(found, line.options);
  const options = Object.fromEntries(
    Object.entries(line.options).map(([name, option]) =>
      [name, values.get(name) ?? defaultOf(option)] as const
    ),
  );
  return {
    help,
    words: found.words,
    options: options as OptionValues<Options>,
    given: new Set(found.given.keys()),
    handedOn: dashes < 0 ? [] : args.slice(dashes + 1),
  };
}

/** `deno task` hands on the `--` that users of npm type before options. */
export function withoutDashes(args: readonly string[]): readonly string[] {
  return args[0] === "--" ? args.slice(1) : args;
}

// === Taken apart ===

/** Arguments, taken apart and not yet judged. */
export interface Scanned {
  /** The words that are no options, in order. */
  readonly words: readonly string[];
  /** The options that are there, with the texts of their values: none for a flag. */
  readonly given: ReadonlyMap<string, readonly string[]>;
  /** Options that are not declared, as they are written, without values. */
  readonly unknown: readonly string[];
}

/**
 * Takes arguments apart, which needs to be known of options: whether a value follows.
 *
 * @param args The arguments.
 * @param options The options.
 * @throws {OptionError} If a flag has a value, or a negative number looks like an option.
 */
export function scan(args: readonly string[], options: LabOptions): Scanned {
  const names = Object.keys(options);
  const flags = names.filter((name) => options[name]!.kind === "flag");
  const valued = names.filter((name) => options[name]!.kind !== "flag");
  const unknown: string[] = [];
  const parsed = readArguments(args, {
    boolean: flags,
    string: [...valued, "_"],
    collect: valued,
    alias: { help: "h" },
    unknown: (argument, key): boolean => {
      if (key === undefined || !argument.startsWith("-")) return true;
      unknown.push(argument.replace(/=.*/s, ""));
      return false;
    },
  });
  const given = new Map<string, string[]>();
  for (const name of flags) if (parsed[name] === true) given.set(name, []);
  for (const name of valued) {
    const texts = parsed[name];
    if (Array.isArray(texts) && texts.length > 0) given.set(name, texts.map(String));
  }
  return { words: parsed._.map(String), given, unknown };
}

/**
 * Makes sure that all options are known.
 *
 * @param found The arguments.
 * @param options The options that there are.
 * @param subject What has them, such as `nic`.
 * @param command What is typed before the arguments.
 * @throws {OptionError} If one is not; with the one that was meant, if there is one like it.
 */
export function requireKnown(
  { unknown: [option] }: Scanned,
  options: LabOptions,
  subject: string,
  command: string,
): void {
  if (option === undefined) return;
  const names = Object.keys(options).map((name) => `--${name}`);
  throw new OptionError(
    `${subject} has no option ${option}${didYouMean(option, names)}. ` +
      `${command} --help lists its options`,
  );
}

/** The values of the options that are there, converted and checked. */
export function valuesOf({ given }: Scanned, options: LabOptions): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (const [name, texts] of given) {
    const option = options[name];
    if (option === undefined) continue;
    values.set(name, option.kind === "flag" ? true : valueOf(name, option, texts));
  }
  return values;
}

/**
 * The value of an option.
 *
 * @param name The option, without its dashes.
 * @param option Its declaration.
 * @param texts What stands behind it, each time that it is there.
 * @throws {OptionError} If that is no value of the option; the message names it.
 */
export function valueOf(name: string, option: LabOption, texts: readonly string[]): unknown {
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
  const converted = items.map((item) => convert(name, option, item));
  const value = list ? converted : converted[0];
  const wrong = checkOption(option, value);
  if (wrong === undefined) return value;
  const { choices } = option as { choices?: readonly string[] };
  const bad = items.find((item) => choices !== undefined && !choices.includes(item));
  throw new OptionError(
    `--${name}: ${wrong}${bad === undefined ? "" : didYouMean(bad, choices ?? [])}`,
  );
}

function convert(name: string, { kind }: LabOption, text: string): string | number {
  if (kind === "bytes") {
    const bytes = parseBytes(text);
    if (bytes !== undefined) return bytes;
    throw new OptionError(
      `--${name}: ${JSON.stringify(text)} is not a number of bytes, such as 4096, 64k or 16M`,
    );
  }
  if (kind !== "number" && kind !== "numbers") return text;
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  throw new OptionError(`--${name}: ${JSON.stringify(text)} is not a number`);
}

/**
 * What was most likely meant, as a question.
 *
 * @param given What is not known.
 * @param known What is.
 * @returns ` (did you mean X?)`; empty where nothing is near enough.
 */
export function didYouMean(given: string, known: readonly string[]): string {
  const near = known
    .map((name) => ({ name, distance: levenshteinDistance(given.toLowerCase(), name) }))
    .filter(({ name, distance }) => distance <= Math.max(2, Math.floor(name.length / 3)))
    .sort((left, right) => left.distance - right.distance);
  const begun = known.find((name) => given.length >= 4 && name.startsWith(given));
  const best = begun ?? near[0]?.name;
  return best === undefined ? "" : ` (did you mean ${best}?)`;
}

// === Help ===

/** A list in help: what is explained, and how. */
export interface HelpSection {
  /** What stands above it. */
  readonly title?: string;
  /** Words or options, and what each means. */
  readonly rows: readonly (readonly [name: string, meaning: string])[];
}

/** What help consists of. */
export interface Help extends Pick<CommandLine, "command" | "usage" | "about" | "exitCodes"> {
  /** The lists of words and options. */
  readonly sections: readonly HelpSection[];
  /** Paragraphs below them. */
  readonly notes?: readonly string[];
}

/** The help of a command line, ending with a newline. */
export function helpOf(line: CommandLine): string {
  return formatHelp({
    ...line,
    sections: [
      { rows: Object.entries(line.words ?? {}) },
      { rows: optionRows({ ...line.options, help: HELP_OPTION }) },
    ],
  });
}

/** Help as text, ending with a newline. */
export function formatHelp(
  { command, usage, about, sections, notes = [], exitCodes }: Help,
): string {
  const paragraphs = (texts: readonly string[]): string[] =>
    texts.flatMap((text) => ["", ...wrapped(text, WIDTH)]);
  return [
    ...usage.map((form, index) =>
      `${index === 0 ? "Usage:" : "      "} ${command} ${form}`.trimEnd()
    ),
    ...paragraphs(about),
    ...sections.filter(({ rows }) => rows.length > 0)
      .flatMap((
        { title, rows },
      ) => ["", ...(title === undefined ? [] : [title]), ...columns(rows)]),
    ...paragraphs(notes),
    ...paragraphs([`Exit codes: ${exitCodes}.`]),
  ].map((line) => `${line}\n`).join("");
}

/** The rows that explain options. */
export function optionRows(options: LabOptions): HelpSection["rows"] {
  return Object.entries(options).map(([name, option]) => {
    const facts = factsOf(option);
    const detail = facts.length === 0 ? "" : ` (${facts.join("; ")})`;
    return [`--${name} ${placeholder(option)}`.trimEnd(), option.description + detail];
  });
}

/** What is to know of an option beside its description: unit, choices, defaults. */
function factsOf(option: LabOption): string[] {
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
  if (option.kind !== "flag" && usual !== undefined && shown(usual) !== "") {
    facts.push(`default ${shown(usual)}`);
  }
  if (quick !== usual && quick !== undefined) facts.push(`with --quick ${shown(quick)}`);
  const counted = defaultOf(option, false, "instructions");
  if (counted !== usual) facts.push(`with vm --clock instructions ${shown(counted)}`);
  return facts;
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

/** Two columns, the second one wrapped. */
function columns(rows: HelpSection["rows"]): string[] {
  const width = Math.min(32, Math.max(...rows.map(([left]) => left.length)));
  return rows.flatMap(([left, right]) => {
    const lines = wrapped(right, WIDTH - 6 - width);
    const first = left.length > width ? [`  ${left}`] : [];
    return [
      ...first,
      ...lines.map((line, index) =>
        `  ${(index === 0 && first.length === 0 ? left : "").padEnd(width)}  ${line}`
      ),
    ];
  });
}
