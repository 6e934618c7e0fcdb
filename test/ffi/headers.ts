/**
 * Asks the system's C headers.
 *
 * @module
 */
import { Command } from "../child.ts";

const HEADERS = [
  "errno.h",
  "netinet/in.h",
  "netinet/udp.h",
  "poll.h",
  "stddef.h",
  "stdio.h",
  "sys/socket.h",
  "sys/uio.h",
  "linux/capability.h",
  "linux/io_uring.h",
  "linux/tcp.h",
  "linux/time_types.h",
];

/** Those that only newer systems have. */
const NEWER_HEADERS = ["linux/io_uring/query.h"];

/** Which line of the program the compiler complains about, as gcc and clang say it. */
const COMPLAINT = /^[^\n:]*ask\.c:(\d+):\d+: error:/gm;

/**
 * Evaluates constant expressions of C.
 *
 * @param expressions Keyed by what the caller calls them.
 * @returns The value of each that the headers know; the others are not there.
 */
export function askHeaders(expressions: ReadonlyMap<string, string>): Map<string, bigint> {
  const directory = Deno.makeTempDirSync({ prefix: "zclab-headers-" });
  try {
    let known = [...expressions];
    while (known.length > 0) {
      const unknown = compile(directory, known.map(([, expression]) => expression));
      if (unknown.size === 0) break;
      known = known.filter((_, i) => !unknown.has(i));
    }
    if (known.length === 0) return new Map();
    const { stdout } = new Command(`${directory}/ask`).outputSync();
    const values = new TextDecoder().decode(stdout).trim().split("\n").map(BigInt);
    return new Map(known.map(([name], i) => [name, values[i]!]));
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** Compiles a program that prints them, and returns which of them the compiler does not know. */
function compile(directory: string, expressions: readonly string[]): Set<number> {
  const before = [
    "#define _GNU_SOURCE",
    ...HEADERS.map((header) => `#include <${header}>`),
    ...NEWER_HEADERS.flatMap((header) => [
      `#if __has_include(<${header}>)`,
      `#include <${header}>`,
      "#endif",
    ]),
    "int main(void) {",
  ];
  const lines = expressions.map((expression) => `printf("%lld\\n", (long long)(${expression}));`);
  Deno.writeTextFileSync(`${directory}/ask.c`, [...before, ...lines, "}", ""].join("\n"));
  const [program = "cc", ...further] = (Deno.env.get("CC") || "cc").split(/\s+/);
  const { success, stderr } = new Command(program, {
    args: [...further, "-o", "ask", "ask.c"],
    cwd: directory,
    env: { LC_ALL: "C" },
  }).outputSync();
  if (success) return new Set();
  const said = new TextDecoder().decode(stderr);
  const unknown = new Set<number>();
  for (const [, line] of said.matchAll(COMPLAINT)) unknown.add(Number(line) - before.length - 1);
  if (unknown.size === 0 || unknown.has(-1)) throw new Error(`The compiler says:\n${said}`);
  return unknown;
}
