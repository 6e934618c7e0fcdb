/**
 * The filter of `deno task test FILTER`, which is that of `deno test`: a part of a name, or a regular
 * expression between slashes.
 *
 * @module
 */

/**
 * Whether names match a filter.
 *
 * @param filter The filter.
 * @returns A function that tells whether a name matches it.
 * @throws {SyntaxError} If it is no regular expression.
 */
export function matcher(filter: string): (name: string) => boolean {
  if (!filter.startsWith("/") || !filter.endsWith("/")) return (name) => name.includes(filter);
  const expression = new RegExp(filter.replaceAll(/^\/+|\/+$/g, ""), "u");
  return (name) => expression.test(name);
}

/**
 * The filter that exactly these names match.
 *
 * @param names The names.
 * @returns The filter.
 */
export function exactly(names: readonly string[]): string {
  return `/^(?:${names.map(escaped).join("|")})$/`;
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
