/**
 * The command line of `deno task lab`: what the arguments ask for, checked before anything runs.
 *
 * @module
 */
import { resolve } from "@std/path";
import { type Lab, repeatsOption, type RunOptions, SEED_OPTION } from "../lab/lab.ts";
import { type LabOption, type LabOptions, OptionError } from "../options/options.ts";
import { CPU_OPTION } from "../lab/define_lab.ts";
import { labTask, labWord, userFolder } from "../lab/lab_command.ts";
import { isLabFile } from "../lab/lab_file.ts";
import type { ReplayOptions } from "./replay.ts";
import {
  didYouMean,
  formatHelp,
  HELP_OPTION,
  optionRows,
  requireKnown,
  scan,
  type Scanned,
  valueOf,
  valuesOf,
  withoutDashes,
} from "../options/cli.ts";

/** The kinds of files that show what the microscope saw, by the options that name them. */
export const VIEW_FILES = ["flame", "changes"] as const;

/** The kinds of files that a run can be written to, by the options that name them. */
export const RUN_FILES = ["json", "csv", "html", ...VIEW_FILES] as const;

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
const FLAME_OPTION: LabOption = {
  kind: "string",
  description:
    "in a guest with the microscope: draw where the instructions of one row go, by the " +
    "path of calls, as .svg or as .txt; --row says which",
  placeholder: "FILE",
  check: drawingProblem,
};
const CHANGES_OPTION: LabOption = {
  kind: "string",
  description:
    "there as well: draw which functions execute fewer instructions in that row than in " +
    "the one that it is compared with, and which more, as .svg or as .txt",
  placeholder: "FILE",
  check: drawingProblem,
};
const ROW_OPTION: LabOption = {
  kind: "string",
  description:
    "the row to look at, by values of its factors, such as zc,8000; of several the first " +
    "that is no baseline. A document and a page have it, too",
  placeholder: "VALUES",
};
const AGAINST_OPTION: LabOption = {
  kind: "string",
  description: "the row that it is compared with, in the same way; without it the baseline",
  placeholder: "VALUES",
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
const LIST_OPTION: LabOption = {
  kind: "flag",
  description: "list the labs, what each needs, and whether it can run here",
};

/** The names of the options that every lab has, which a lab's own must not repeat. */
export const COMMON_OPTIONS = [
  "json",
  "csv",
  "html",
  ...VIEW_FILES,
  "row",
  "against",
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
  const own = withoutVerb(withoutDashes(args));
  if (own[0] === "new") return newRequest(own.slice(1), labs);
  // Options of any lab may stand before its name, and beside --replay: this look knows all of them.
  const found = scan(own, optionsOfAll(labs));
  if (found.given.has("replay") || found.given.has("compare")) return documentsOf(found, labs);
  const lab = namedLab(found.words, labs);
  const values = givenValues(own, lab);
  if (values.has("help")) {
    return { kind: "help", lab: found.words.length > 0 ? lab : undefined };
  }
  if (values.has("list")) return { kind: "list" };

  const files = filesOf(values);
  return {
    kind: "run",
    lab,
    debug: values.has("debug"),
    files,
    given: {
      options: ownOptions(values, lab) as RunOptions["options"],
      quick: values.has("quick"),
      ...(files.json === undefined ? {} : { json: files.json }),
      ...lookOf(values),
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
  const values = givenValues(withoutVerb(withoutDashes(args)), lab);
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
    debug: values.has("debug"),
    files,
    given: {
      options: ownOptions(values, lab),
      ...lookOf(values),
      ...(values.has("repeats") ? { repeats: values.get("repeats") as number } : {}),
    },
  };
}

/** What can stand in the place of a lab's name. */
const VERBS = ["list", "replay", "compare", "new"];

/** `lab list`, `lab replay FILE` and `lab compare FILE FILE` are `lab --list` and so on. */
function withoutVerb([first, ...rest]: readonly string[]): readonly string[] {
  if (first === undefined) return [];
  return first !== "new" && VERBS.includes(first) ? [`--${first}`, ...rest] : [first, ...rest];
}

function newRequest(args: readonly string[], labs: readonly Lab[]): LabRequest {
  if (args.includes("--help") || args.includes("-h")) return { kind: "help", lab: undefined };
  const [given, more] = args;
  const example = "deno task lab new my-first-lab";
  if (given === undefined) throw new OptionError(`lab new needs a name: ${example}`);
  if (more !== undefined) {
    throw new OptionError(`lab new takes the name of the lab and nothing else: ${example}`);
  }
  // The name of the file that it will be in means the same.
  const name = given.replace(/^\.\//, "").replace(/\.ts$/, "");
  const taken = VERBS.includes(name) || labs.some((lab) => lab.name === name);
  if (!taken) return { kind: "new", name };
  throw new OptionError(
    `deno task lab ${name} means something already. What to do: choose another name`,
  );
}

/** Arguments of which one named a file with a lab. */
export interface LabFileArguments {
  /** The full path of the file. */
  readonly path: string;
  /** The arguments, without it where documents name their lab themselves. */
  readonly rest: readonly string[];
}

/**
 * Finds a file with a lab among arguments, such as `./my-first-lab.ts`.
 *
 * @param args The arguments.
 * @param labs The labs there are, whose options tell values from files.
 * @returns Undefined if there is none, or if it is one to write.
 * @throws {OptionError} If there are several.
 */
export function labFileAmong(
  args: readonly string[],
  labs: readonly Lab[],
): LabFileArguments | undefined {
  if (withoutDashes(args)[0] === "new") return undefined;
  const options = optionsOfAll(labs);
  const isValue = (index: number): boolean => {
    const option = /^--([^=]+)$/.exec(args[index - 1] ?? "")?.[1];
    const kind = option === undefined ? undefined : options[option]?.kind;
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
    rest: isOfDocument ? args.filter((_, index) => index !== at) : args,
  };
}

/** What is asked of documents, which is known before a lab is. */
function documentsOf({ words, given, unknown }: Scanned, labs: readonly Lab[]): LabRequest {
  if (given.has("help")) return { kind: "help", lab: undefined };
  const replayed = given.get("replay");
  const compared = given.get("compare") ?? [];
  if (replayed !== undefined) {
    if (compared.length > 0) throw new OptionError("--replay or --compare, not both");
    const file = fileOf("replay", valueOf("replay", REPLAY_OPTION, replayed) as string);
    const [name] = words;
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
  const files = [...compared, ...words];
  if (files.length !== 2 || files.includes("")) {
    const count = files.filter((file) => file !== "").length;
    throw new OptionError(
      `--compare takes two files, not ${count}: --compare first.json second.json`,
    );
  }
  const others = [...given.keys()].filter((name) => name !== "compare" && name !== "debug");
  const [other] = [...others.map((name) => `--${name}`), ...unknown];
  if (other !== undefined) {
    throw new OptionError(`--compare runs nothing, so ${other} cannot stand beside it`);
  }
  const [first, second] = files.map((file) => fileOf("compare", file));
  return { kind: "compare", files: [first!, second!], debug: given.has("debug") };
}

function ownOptions(values: ReadonlyMap<string, unknown>, lab: Lab): Record<string, unknown> {
  const names = Object.keys(lab.options).filter((name) => values.has(name));
  return Object.fromEntries(names.map((name) => [name, values.get(name)]));
}

/** What the microscope is to look at: what is to be drawn of it, or what is named. */
function lookOf(values: ReadonlyMap<string, unknown>): Pick<RunOptions, "look"> {
  if (![...VIEW_FILES, "row", "against"].some((name) => values.has(name))) return {};
  const named = ["row", "against"].filter((name) => values.has(name))
    .map((name) => [name, values.get(name)]);
  return { look: { ...Object.fromEntries(named), changes: values.has("changes") } };
}

function drawingProblem(path: string): string | undefined {
  return isText(path) || path.endsWith(".svg")
    ? undefined
    : `${path} ends neither in .svg nor in .txt`;
}

/** Whether a drawing in a file of this name is a list for a terminal. */
export function isText(path: string): boolean {
  return path.endsWith(".txt");
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
  if (lab !== undefined) {
    return formatHelp({
      command: `${labTask()} ${labWord(lab)}`,
      usage: ["[options]"],
      about: [lab.title, lab.description],
      sections: [
        { title: "Options of this lab:", rows: optionRows(withoutCpu(lab.options)) },
        { title: "Options of every lab:", rows: optionRows(shownAsCommon(lab)) },
      ],
      exitCodes: EXIT_CODES,
    });
  }
  const [flagship] = labs;
  return formatHelp({
    command: labTask(),
    usage: [
      "[NAME | ./FILE.ts] [options]",
      "list",
      "replay FILE [./FILE.ts] [options]",
      "compare FILE FILE [./FILE.ts]",
      "new NAME",
    ],
    about: [
      `Runs an experiment. Without a name: ${flagship?.name}. A file that exports a lab is one as ` +
      "well; new writes a small one, NAME.ts, into the current folder.",
    ],
    sections: [
      { title: "Labs:", rows: labs.map(({ name, title }) => [name, title]) },
      {
        title: "deno task lab NAME --help shows the options of a lab. Those of every lab are:",
        rows: optionRows(shownAsCommon(flagship)),
      },
    ],
    exitCodes: EXIT_CODES,
  });
}

const EXIT_CODES =
  "0 done, 1 failed, 2 bad arguments, 77 not possible on this machine, 130 and 143 interrupted: what " +
  "was measured until then is kept, and its files are written. A replay or a comparison that finds a " +
  "difference is done, 0, but where the clock counts instructions, or a lab compares proofs alone, it " +
  "failed: 1";

/** The lab of this name, or the first one. */
function namedLab([name, another]: readonly string[], labs: readonly Lab[]): Lab {
  const [flagship] = labs;
  if (flagship === undefined) throw new OptionError("There are no labs");
  if (name === undefined) return flagship;
  // A file may hold a lab of any name, even that of a verb.
  const path = isLabFile(name) ? fileOf("lab", name) : undefined;
  const found = labs.find((lab) =>
    path === undefined ? lab.name === name : lab.file?.path === path
  );
  if (found !== undefined && another === undefined) return found;
  const names = labs.map((lab) => lab.name);
  const meant = found === undefined ? didYouMean(name, [...names, ...VERBS]) : "";
  // What follows a verb that was mistyped is no lab.
  if (another !== undefined && meant === "") {
    throw new OptionError(`One lab at a time, not ${name} and ${another}`);
  }
  throw new OptionError(
    isInFolder(`${name}.ts`)
      ? `There is no lab ${JSON.stringify(name)}. ${name}.ts is in this folder: did you mean ` +
        `./${name}.ts?`
      : `There is no lab ${JSON.stringify(name)}${meant}. The labs are: ${names.join(", ")}`,
  );
}

/** Whether a file is where the user is. */
function isInFolder(file: string): boolean {
  try {
    return Deno.statSync(resolve(userFolder(), file)).isFile;
  } catch {
    // Whatever keeps it from being looked at keeps it from being meant.
    return false;
  }
}

function optionsOfAll(labs: readonly Lab[]): LabOptions {
  return Object.assign({}, ...labs.map(declaredOptions));
}

function commonOptions(lab: Lab | undefined): Record<string, LabOption> {
  return {
    json: JSON_OPTION,
    csv: CSV_OPTION,
    html: HTML_OPTION,
    flame: FLAME_OPTION,
    changes: CHANGES_OPTION,
    row: ROW_OPTION,
    against: AGAINST_OPTION,
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

/** The options of a lab without the one that declaring it has added. */
function withoutCpu(options: LabOptions): LabOptions {
  return Object.fromEntries(Object.entries(options).filter(([, one]) => one !== CPU_OPTION));
}

/** What help lists as options of every lab: those of the command, and --cpu of what was declared. */
function shownAsCommon(lab: Lab | undefined): LabOptions {
  const isDeclared = lab?.options["cpu"] === CPU_OPTION;
  return { ...commonOptions(lab), ...(isDeclared ? { cpu: CPU_OPTION } : {}) };
}

function declaredOptions(lab: Lab): LabOptions {
  return { ...lab.options, ...commonOptions(lab) };
}

/** The values of the options that are given, converted and checked. */
function givenValues(args: readonly string[], lab: Lab): Map<string, unknown> {
  const options = declaredOptions(lab);
  const found = scan(args, options);
  requireKnown(found, options, lab.name, `${labTask()} ${labWord(lab)}`);
  return valuesOf(found, options);
}

/** The full path of a file that was named on the command line. */
function fileOf(option: string, given: string): string {
  if (given.endsWith("/")) {
    throw new OptionError(`--${option} ${given}: it is a folder, not a file`);
  }
  return resolve(userFolder(), given);
}
