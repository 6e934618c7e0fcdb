/**
 * The options of a lab: how they are declared, what their values are, and what is wrong with a value.
 *
 * @module
 */
import { ExplainedError } from "../../../ffi/kernel/errors.ts";
import type { Clock } from "../trials/clock.ts";
import { formatBytes } from "../text/byte_size.ts";

/** What every option has. */
export interface OptionDescription {
  /** One line for `--help`: what the option changes. */
  readonly description: string;
  /**
   * Whether a value names something of the machine at hand, such as a file that is overwritten or
   * an address that is sent to. A replay does not take such a value from a document: it asks for
   * it to be given again.
   */
  readonly local?: (value: string | number) => boolean;
  /** What the option was in documents that an earlier version wrote: a replay reads them by it. */
  readonly formerly?: FormerOption;
}

/** An option as an earlier version had it. */
export interface FormerOption {
  /**
   * Its name.
   *
   * @default {the same}
   */
  readonly name?: string;
  /**
   * How many of today's units its unit was: 1048576 for MiB where it is bytes today. Under the same
   * name, a number below today's minimum is taken for one in the former unit.
   *
   * @default {1}
   */
  readonly unit?: number;
}

/** An option that takes one number, such as `--batch 32`. */
export interface NumberOption extends OptionDescription {
  /** Takes one number. */
  readonly kind: "number";
  /** The value when the option is not given; without one the lab sees undefined. */
  readonly default?: number;
  /** The value under `--quick` when the option is not given. */
  readonly quick?: number;
  /**
   * The value where the clock counts instructions, `--quick` or not, when the option is not given:
   * such a clock repeats itself, and little of the work says what much of it does.
   */
  readonly counted?: number;
  /** The smallest value accepted. */
  readonly minimum?: number;
  /** The largest value accepted. */
  readonly maximum?: number;
  /**
   * Whether fractions are accepted.
   *
   * @default {false}
   */
  readonly fraction?: boolean;
  /** The unit, for `--help`, such as `bytes`. */
  readonly unit?: string;
  /** Says what is wrong with a number in these bounds, or undefined when nothing is. */
  readonly check?: (value: number) => string | undefined;
}

/** An option that takes a list of numbers, such as `--payload 600,1500`. */
export interface NumbersOption
  extends Omit<NumberOption, "kind" | "default" | "quick" | "counted"> {
  /** Takes a list of numbers. */
  readonly kind: "numbers";
  /** The values when the option is not given. */
  readonly default: readonly number[];
  /** The values under `--quick` when the option is not given. */
  readonly quick?: readonly number[];
}

/** An option that takes a number of bytes, such as `--area 16M`. Its value is that number. */
export interface BytesOption extends OptionDescription {
  /** Takes a number of bytes. */
  readonly kind: "bytes";
  /** The value when the option is not given; without one the lab sees undefined. */
  readonly default?: number;
  /** The value under `--quick` when the option is not given. */
  readonly quick?: number;
  /**
   * The value where the clock counts instructions, `--quick` or not, when the option is not given:
   * such a clock repeats itself, and little of the work says what much of it does.
   */
  readonly counted?: number;
  /**
   * The smallest value accepted.
   *
   * @default {1}
   */
  readonly minimum?: number;
  /** The largest value accepted. */
  readonly maximum?: number;
  /** Says what is wrong with a number in these bounds, or undefined when nothing is. */
  readonly check?: (value: number) => string | undefined;
}

/** An option that takes one word, such as `--sink ifb`. */
export interface StringOption extends OptionDescription {
  /** Takes one word. */
  readonly kind: "string";
  /** The value when the option is not given; without one the lab sees undefined. */
  readonly default?: string;
  /** The value under `--quick` when the option is not given. */
  readonly quick?: string;
  /** The words accepted; without them any. */
  readonly choices?: readonly string[];
  /** Says what is wrong with a value, or undefined when nothing is. */
  readonly check?: (value: string) => string | undefined;
  /** What stands for the value in `--help`, such as `ifb|veth|ADDRESS:PORT`. */
  readonly placeholder?: string;
}

/** An option that takes a list of words, such as `--mode zc,zc+flush`. */
export interface StringsOption extends Omit<StringOption, "kind" | "default" | "quick"> {
  /** Takes a list of words. */
  readonly kind: "strings";
  /** The values when the option is not given. */
  readonly default: readonly string[];
  /** The values under `--quick` when the option is not given. */
  readonly quick?: readonly string[];
}

/** An option that is there or not, such as `--verify`. */
export interface FlagOption extends OptionDescription {
  /** Takes no value. */
  readonly kind: "flag";
}

/** An option as a lab declares it. */
export type LabOption =
  | NumberOption
  | NumbersOption
  | BytesOption
  | StringOption
  | StringsOption
  | FlagOption;

/** The options of a lab by name, without the dashes. */
export type LabOptions = Readonly<Record<string, LabOption>>;

/** The type of an option's value, from how it was declared. */
export type OptionValue<Option extends LabOption> = Option extends { kind: "flag" } ? boolean
  : Option extends { kind: "numbers" } ? readonly number[]
  : Option extends { kind: "strings"; choices: readonly (infer Choice)[] } ? readonly Choice[]
  : Option extends { kind: "strings" } ? readonly string[]
  : Option extends { kind: "number" | "bytes"; default: number } ? number
  : Option extends { kind: "number" | "bytes" } ? number | undefined
  : Option extends { choices: readonly (infer Choice)[]; default: string } ? Choice
  : Option extends { choices: readonly (infer Choice)[] } ? Choice | undefined
  : Option extends { default: string } ? string
  : string | undefined;

/** The values of a lab's options by name. */
export type OptionValues<Options extends LabOptions> = {
  readonly [Name in keyof Options]: OptionValue<Options[Name]>;
};

/** An option is unknown, or has a value that is not accepted. Nothing was changed. */
export class OptionError extends ExplainedError {
  /** The name of the class. */
  override readonly name = "OptionError";

  /** 2: the arguments make no sense. */
  override get exitCode(): number {
    return 2;
  }
}

/** The values of a lab's options: what was given, and defaults for the rest, checked. */
export function optionValues<Options extends LabOptions>(
  lab: { readonly name: string; readonly options: Options },
  given: Partial<OptionValues<Options>>,
  quick: boolean,
  clock: Clock = "time",
): OptionValues<Options> {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(lab.options, name)) {
      throw new OptionError(
        `${lab.name} has no option ${name}. It has: ${Object.keys(lab.options).join(", ")}`,
      );
    }
  }
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(lab.options)) {
    const value = given[name] ?? defaultOf(option, quick, clock);
    const wrong = checkOption(option, value);
    if (wrong !== undefined) throw new OptionError(`${name}: ${wrong}`);
    values[name] = value;
  }
  return values as OptionValues<Options>;
}

/** The value of an option that was not given. */
export function defaultOf(option: LabOption, quick = false, clock: Clock = "time"): unknown {
  if (option.kind === "flag") return false;
  if (clock === "instructions" && "counted" in option && option.counted !== undefined) {
    return option.counted;
  }
  return quick && option.quick !== undefined ? option.quick : option.default;
}

/**
 * Says what is wrong with a value of an option.
 *
 * @param option The option's declaration.
 * @param value The value.
 * @returns A sentence without its subject, or undefined when nothing is wrong.
 */
export function checkOption(option: LabOption, value: unknown): string | undefined {
  switch (option.kind) {
    case "flag":
      return typeof value === "boolean" ? undefined : `${show(value)} is not true or false`;
    case "number":
      return value === undefined && option.default === undefined
        ? undefined
        : checkNumber(option, value);
    case "bytes":
      return value === undefined && option.default === undefined
        ? undefined
        : checkBytes(option, value);
    case "string":
      return value === undefined && option.default === undefined
        ? undefined
        : checkString(option, value);
    case "numbers":
      return checkList(value, (item) => checkNumber(option, item));
    case "strings":
      return checkList(value, (item) => checkString(option, item));
  }
}

function checkList(
  value: unknown,
  check: (item: unknown) => string | undefined,
): string | undefined {
  if (!Array.isArray(value)) return `${show(value)} is not a list`;
  if (value.length === 0) return "the list is empty";
  for (const [index, item] of value.entries()) {
    const wrong = check(item);
    if (wrong !== undefined) return wrong;
    if (value.indexOf(item) !== index) return `${show(item)} is there twice`;
  }
  return undefined;
}

function checkNumber(
  { minimum = -Infinity, maximum = Infinity, fraction = false, unit, check }:
    | NumberOption
    | NumbersOption,
  value: unknown,
): string | undefined {
  if (typeof value !== "number" || !Number.isFinite(value)) return `${show(value)} is not a number`;
  if (!fraction && !Number.isInteger(value)) return `${value} is not a whole number`;
  if (value >= minimum && value <= maximum) return check?.(value);
  const of = unit === undefined ? "" : ` ${unit}`;
  if (maximum === Infinity) return `${value} is less than ${minimum}${of}`;
  if (minimum === -Infinity) return `${value} is more than ${maximum}${of}`;
  return `${value} is not between ${minimum} and ${maximum}${of}`;
}

function checkBytes(
  { minimum = 1, maximum = Infinity, check }: BytesOption,
  value: unknown,
): string | undefined {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) {
    return `${show(value)} is not a number of bytes`;
  }
  if (value >= minimum && value <= maximum) return check?.(value);
  const given = formatBytes(value);
  return maximum === Infinity
    ? `${given} is less than ${formatBytes(minimum)} bytes`
    : `${given} is not between ${formatBytes(minimum)} and ${formatBytes(maximum)} bytes`;
}

function checkString(
  { choices, check }: StringOption | StringsOption,
  value: unknown,
): string | undefined {
  if (typeof value !== "string") return `${show(value)} is not text`;
  if (choices !== undefined && !choices.includes(value)) {
    return `${show(value)} is not one of ${choices.join(", ")}`;
  }
  return check?.(value);
}

function show(value: unknown): string {
  return typeof value === "string" ? `"${value}"` : String(value);
}
