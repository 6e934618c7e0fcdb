/**
 * Runs programs such as `ip` and `tc` inside a network namespace.
 *
 * @module
 */
import { ExplainedError, UnsupportedError } from "../../../ffi/kernel/errors.ts";
import type { NetworkNamespace } from "../../../ffi/net/namespace.ts";
import { findProgram, installCommand } from "../terminal/setup.ts";

/** A program ran and failed. */
export class CommandError extends ExplainedError {
  /** The name of the class. */
  override readonly name = "CommandError";
  /** The command line. */
  readonly command: string;
  /** The exit code. */
  readonly code: number;
  /** What it wrote to its standard error. */
  readonly stderr: string;

  /**
   * Says which command failed, and why.
   *
   * @param command The command line.
   * @param code The exit code.
   * @param stderr What it wrote to its standard error.
   */
  constructor(command: string, code: number, stderr: string) {
    super(
      `${command} failed with exit code ${code}: ${stderr}. What to do: see what the ` +
        `command's manual says about that, and whether the kernel has the feature`,
    );
    this.command = command;
    this.code = code;
    this.stderr = stderr;
  }
}

/** Options of {@linkcode runInNamespace}. */
export interface RunInNamespaceOptions {
  /** The text of its standard input. Default: none. */
  input?: string;
  /** A namespace that the program finds open as its file descriptor 3. Default: none. */
  descriptor3?: NetworkNamespace;
}

/**
 * Finds programs, all of them.
 *
 * @throws {UnsupportedError} If one is missing, with the command that installs what is.
 */
export function requirePrograms(...names: string[]): void {
  const missing = names.filter((name) => findProgram(name) === undefined);
  if (missing.length === 0) return;
  throw new UnsupportedError(`The program ${missing.join(" and ")}`, {
    advice: `Install it: ${installCommand(missing)}`,
  });
}

/**
 * Runs a program inside a network namespace and returns what it printed.
 *
 * @param namespace Where it runs.
 * @param program Its name, looked up by {@linkcode findProgram}.
 * @param args Its arguments.
 * @throws {UnsupportedError} If it or `nsenter` is not installed.
 * @throws {CommandError} If it fails.
 * @throws {ClosedError} If the namespace is closed.
 */
export async function runInNamespace(
  namespace: NetworkNamespace,
  program: string,
  args: readonly string[],
  options: RunInNamespaceOptions = {},
): Promise<string> {
  requirePrograms("nsenter", program);
  const line = [...enter(namespace), findProgram(program)!, ...args];
  // Inside the user namespace our descriptors are out of reach, so it is opened on the way in.
  const opened = options.descriptor3 === undefined ? line : [
    "/bin/sh",
    "-c",
    'exec 3<"$0" && exec "$@"',
    descriptorPath(options.descriptor3.fd),
    ...line,
  ];
  const { code, stdout, stderr } = await run(opened, options.input ?? "");
  if (code !== 0) throw new CommandError([program, ...args].join(" "), code, stderr);
  return stdout;
}

function enter(namespace: NetworkNamespace): string[] {
  const line = [findProgram("nsenter")!, `--net=${descriptorPath(namespace.fd)}`];
  if (namespace.userFd < 0) return line;
  return [...line, `--user=${descriptorPath(namespace.userFd)}`, "--preserve-credentials"];
}

function descriptorPath(fd: number): string {
  return `/proc/${Deno.pid}/fd/${fd}`;
}

async function run(
  line: readonly string[],
  input: string,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const [program, ...args] = line;
  const child = new Deno.Command(program!, {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { LC_ALL: "C" },
  }).spawn();
  const [output] = await Promise.all([child.output(), feed(child.stdin, input)]);
  const decoder = new TextDecoder();
  return {
    code: output.code,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr).trim(),
  };
}

/** A program that ends before it read everything says why by its exit code. */
async function feed(stdin: WritableStream<Uint8Array>, input: string): Promise<void> {
  const writer = stdin.getWriter();
  try {
    if (input !== "") await writer.write(new TextEncoder().encode(input));
    await writer.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
