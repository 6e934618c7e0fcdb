/**
 * Types of the parts of the Deno standard library that zclab uses. The npm package behind the
 * import map is plain JavaScript: without these declarations `deno check` would see `any`.
 */

declare module "@std/assert" {
  /** What `assertThrows` and `assertInstanceOf` accept as a class, abstract ones included. */
  // deno-lint-ignore no-explicit-any
  export type AnyConstructor<T = any> = abstract new (...args: any[]) => T;

  /** Thrown by every assertion that fails. */
  export class AssertionError extends Error {
    constructor(message: string, options?: ErrorOptions);
  }

  export function assert(expr: unknown, msg?: string): asserts expr;
  export function assertFalse(expr: unknown, msg?: string): asserts expr is false;
  export function assertAlmostEquals(
    actual: number,
    expected: number,
    tolerance?: number,
    msg?: string,
  ): void;
  export function assertArrayIncludes<T>(
    actual: ArrayLike<T>,
    expected: ArrayLike<T>,
    msg?: string,
  ): void;
  export function assertEquals<T>(actual: T, expected: NoInfer<T>, msg?: string): void;
  export function assertNotEquals<T>(actual: T, expected: NoInfer<T>, msg?: string): void;
  export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T>;
  export function assertGreater<T>(actual: T, expected: T, msg?: string): void;
  export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void;
  export function assertLess<T>(actual: T, expected: T, msg?: string): void;
  export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void;
  export function assertInstanceOf<T>(
    actual: unknown,
    expectedType: AnyConstructor<T>,
    msg?: string,
  ): asserts actual is T;
  export function assertNotInstanceOf<A, T>(
    actual: A,
    unexpectedType: AnyConstructor<T>,
    msg?: string,
  ): asserts actual is Exclude<A, T>;
  export function assertIsError<E extends Error = Error>(
    error: unknown,
    ErrorClass?: AnyConstructor<E>,
    msgMatches?: string | RegExp,
    msg?: string,
  ): asserts error is E;
  export function assertMatch(actual: string, expected: RegExp, msg?: string): void;
  export function assertNotMatch(actual: string, expected: RegExp, msg?: string): void;
  export function assertStrictEquals<T>(
    actual: unknown,
    expected: T,
    msg?: string,
  ): asserts actual is T;
  export function assertNotStrictEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertObjectMatch(
    // deno-lint-ignore no-explicit-any
    actual: Record<PropertyKey, any>,
    expected: Record<PropertyKey, unknown>,
    msg?: string,
  ): void;
  export function assertStringIncludes(actual: string, expected: string, msg?: string): void;
  export function assertRejects(
    fn: () => PromiseLike<unknown>,
    msg?: string,
  ): Promise<unknown>;
  export function assertRejects<E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    ErrorClass: AnyConstructor<E>,
    msgIncludes?: string,
    msg?: string,
  ): Promise<E>;
  export function assertThrows(fn: () => unknown, msg?: string): unknown;
  export function assertThrows<E extends Error = Error>(
    fn: () => unknown,
    ErrorClass: AnyConstructor<E>,
    msgIncludes?: string,
    msg?: string,
  ): E;
  export function equal(a: unknown, b: unknown): boolean;
  export function fail(msg?: string): never;
  export function unimplemented(msg?: string): never;
  export function unreachable(reason?: string): never;
}

declare module "@std/cli/parse-args" {
  /** What to recognise in the arguments. */
  export interface ParseOptions {
    /** Collect what follows `--` under that key instead of among the positional arguments. */
    "--"?: boolean;
    /** Other names of an option. */
    alias?: Record<string, string | readonly string[]>;
    /** Options that take no value; true makes every `--name` without `=` one. */
    boolean?: boolean | string | readonly string[];
    /** Options whose value stays a string. */
    string?: string | readonly string[];
    /** Options that may be given several times, collected in an array. */
    collect?: string | readonly string[];
    /** Options for which `--no-name` means false. */
    negatable?: string | readonly string[];
    /** Values of options that are not given. */
    default?: Record<string, unknown>;
    /** Take everything after the first positional argument as it stands. */
    stopEarly?: boolean;
    /** Called for each argument that is not declared; false leaves it out of the result. */
    unknown?: (arg: string, key?: string, value?: unknown) => unknown;
  }

  /** The positional arguments under `_`, what followed `--` under that key, and the options. */
  export interface Args {
    _: Array<string | number>;
    "--"?: string[];
    [name: string]: unknown;
  }

  export function parseArgs(args: readonly string[], options?: ParseOptions): Args;
}

declare module "@std/csv/stringify" {
  /** How cells are separated, and what stands before the first line. */
  export interface StringifyOptions {
    /** A line of column names, where there are columns. */
    headers?: boolean;
    /** Between two cells. */
    separator?: string;
    /** The columns of rows that are objects. */
    columns?: readonly string[];
    /** Whether to begin with a byte order mark. */
    bom?: boolean;
  }

  export function stringify(
    data: readonly (readonly unknown[] | Record<string, unknown>)[],
    options?: StringifyOptions,
  ): string;
}

declare module "@std/path" {
  /** The parts of a path. */
  export interface ParsedPath {
    root: string;
    dir: string;
    base: string;
    ext: string;
    name: string;
  }

  export const SEPARATOR: "/" | "\\";
  export const DELIMITER: ":" | ";";
  export function basename(path: string | URL, suffix?: string): string;
  export function common(paths: readonly string[]): string;
  export function dirname(path: string | URL): string;
  export function extname(path: string | URL): string;
  export function format(pathObject: Partial<ParsedPath>): string;
  export function fromFileUrl(url: string | URL): string;
  export function isAbsolute(path: string): boolean;
  export function join(path: string | URL, ...paths: string[]): string;
  export function normalize(path: string | URL): string;
  export function parse(path: string): ParsedPath;
  export function relative(from: string, to: string): string;
  export function resolve(...pathSegments: string[]): string;
  export function toFileUrl(path: string): URL;
}

declare module "@std/text/levenshtein-distance" {
  export function levenshteinDistance(str1: string, str2: string): number;
}
