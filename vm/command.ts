/**
 * Programs of the host that the guest is made with.
 *
 * @module
 */
import { CommandError } from "../labs/kit/testbed/namespace_command.ts";
import { findProgram } from "../labs/kit/terminal/setup.ts";

/** How to run a program. */
export interface CommandOptions {
  /** Its standard input; nothing unless given. */
  readonly input?: Uint8Array;
  /** Further environment variables. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Ends it when aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** How many of the last lines of what a failed program said are worth showing. */
const LINES_SHOWN = 25;

/**
 * Runs a program of the host, and waits for it.
 *
 * @param program Its name.
 * @param args Its arguments.
 * @param options Input, environment, end.
 * @returns What it wrote to its standard output.
 * @throws {CommandError} If it fails, with the last of what it said.
 */
export async function command(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Uint8Array> {
  const { input, environment = {}, signal } = options;
  const child = new Deno.Command(findProgram(program) ?? program, {
    args: [...args],
    env: { LC_ALL: "C.UTF-8", PATH: administrationPath(), ...environment },
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    ...(signal === undefined ? {} : { signal }),
  }).spawn();
  if (input !== undefined) await feed(child, input);
  const { success, code, stdout, stderr } = await child.output();
  signal?.throwIfAborted();
  if (success) return stdout;
  const said = new TextDecoder().decode(stderr).trim().split("\n").slice(-LINES_SHOWN).join("\n");
  throw new CommandError([program, ...args].join(" "), code, said);
}

async function feed(child: Deno.ChildProcess, input: Uint8Array): Promise<void> {
  const writer = child.stdin.getWriter();
  try {
    await writer.write(input);
    await writer.close();
  } catch {
    // It ended without reading everything: its exit code and what it said tell why.
  }
}

/** Programs that make file systems are not in the PATH of every user. */
function administrationPath(): string {
  return [Deno.env.get("PATH") ?? "", "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"]
    .filter(Boolean).join(":");
}
