/**
 * Compiles the C program of the bench (the folder reference).
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { UnsupportedError } from "zclab";
import { Room } from "../labs/kit/files/room.ts";

/** The folder with its sources. */
export const SOURCE_FOLDER = fileURLToPath(new URL("./reference", import.meta.url));

/** Names the program where it has been compiled already, as for the guest (bench/instructions/guest.ts). */
export const COMPILED = "ZCLAB_BENCH_REFERENCE";

let compiled: Promise<Uint8Array> | undefined;

/**
 * The program's bytes. It is compiled once in a process, as that takes a second, and in the guest many.
 *
 * @throws {UnsupportedError} If there is no C compiler.
 * @throws {Error} If the compiler refuses the source, with what it said.
 */
export function compiledProgram(): Promise<Uint8Array> {
  return compiled ??= compile().catch((error) => {
    compiled = undefined;
    throw error;
  });
}

/** The paths of the program's C files. */
export function sources(): string[] {
  return [...Deno.readDirSync(SOURCE_FOLDER)].map(({ name }) => name)
    .filter((name) => name.endsWith(".c")).sort().map((name) => `${SOURCE_FOLDER}/${name}`);
}

async function compile(): Promise<Uint8Array> {
  const made = Deno.env.get(COMPILED);
  if (made !== undefined) return await Deno.readFile(made);
  using room = Room.open("bench");
  const program = room.path("reference");
  const [name = "cc", ...further] = (Deno.env.get("CC") ?? "").split(/\s+/).filter(Boolean);
  const args = [...further, "-std=gnu11", "-O2", "-Wall", "-Wextra", "-o", program, ...sources()];
  const { success, code, stderr } = await runCompiler(name, args);
  if (success) return await Deno.readFile(program);
  const said = new TextDecoder().decode(stderr).trim();
  throw new Error(
    `bench/reference does not compile with ${name} (exit code ${code}). If headers are missing: ` +
      `apt-get install libc6-dev linux-libc-dev. The compiler says:\n${said}`,
  );
}

async function runCompiler(name: string, args: string[]): Promise<Deno.CommandOutput> {
  try {
    return await new Deno.Command(name, { args, stdin: "null" }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UnsupportedError(`The C compiler ${name}`, {
      advice: "Install one: apt-get install gcc libc6-dev",
    });
  }
}
