/**
 * Reads the arguments of a command, with the mistakes that the parser does not see.
 *
 * @module
 */
import { type Args, parseArgs, type ParseOptions } from "@std/cli/parse-args";
import { OptionError } from "./options.ts";
import { checkWritable, FileError } from "../files/whole_file.ts";

/** What {@linkcode readArguments} is told: lists, where the parser takes a single name as well. */
export interface ArgumentOptions extends ParseOptions {
  /** Options that take no value. */
  readonly boolean?: readonly string[];
  /** Options that take one, which stays text. */
  readonly string?: readonly string[];
}

/**
 * Reads arguments as the standard library does. An empty value is the value of the option before it,
 * and not a word of its own.
 *
 * @param args The arguments.
 * @param options What to recognise.
 * @returns What they say. A text option without a value has an empty one.
 * @throws {OptionError} If an option that takes no value has one, or a negative number stands where
 *   the parser takes it for an option of its own.
 */
export function readArguments(args: readonly string[], options: ArgumentOptions): Args {
  const { boolean = [], string = [] } = options;
  const valued = new Set(string.filter((name) => name !== "_").map((name) => `--${name}`));
  const bare = new Set(boolean);
  const joined: string[] = [];
  for (const [index, argument] of args.entries()) {
    const before = args[index - 1];
    if (args.lastIndexOf("--", index) >= 0) joined.push(argument);
    else if (before !== undefined && valued.has(before)) {
      if (/^-\d/.test(argument)) {
        throw new OptionError(
          `${before}: a negative value is written with =, as in --name=${argument}`,
        );
      }
      if (argument === "") joined[joined.length - 1] = `${before}=`;
      else joined.push(argument);
    } else {
      const name = /^--([^=]+)=/.exec(argument)?.[1];
      if (name !== undefined && bare.has(name)) {
        throw new OptionError(`--${name} takes no value, so not ${argument}`);
      }
      joined.push(argument);
    }
  }
  try {
    return parseArgs(joined, options);
  } catch (error) {
    // Some, such as `-__proto__`, are more than the parser can take.
    if (!(error instanceof TypeError)) throw error;
    throw new OptionError(`These arguments cannot be read: ${args.join(" ")}`);
  }
}

/**
 * Makes sure that the file of an option can be written, before the work that would be lost otherwise.
 *
 * @param name The option, without its dashes.
 * @param path The file.
 * @throws {OptionError} If it cannot; the message names the option.
 */
export async function requireWritable(name: string, path: string): Promise<void> {
  try {
    await checkWritable(path);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new OptionError(`--${name}: ${error.message}`, { cause: error });
  }
}
