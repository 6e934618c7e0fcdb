/**
 * Compiles the shim once into a cache of the user's.
 *
 * @module
 */
import { createHash } from "node:crypto";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { UnsupportedError } from "./errors.ts";

const FLAGS = [
  "-O2",
  "-fPIC",
  "-shared",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-pthread",
  // Never unloaded. The runtime closes the library with the last isolate that uses it, and a Worker
  // that was terminated may have left a thread in a call that blocks, which would return to nothing.
  "-Wl,-z,nodelete",
] as const;

/** The files in the folder shim. The compiler is given those that end in .c. */
const SOURCES = [
  "address.c",
  "devmem.c",
  "errand.c",
  "errand.h",
  "event.c",
  "file.c",
  "interface.c",
  "memory.c",
  "message.c",
  "microscope.c",
  "namespace.c",
  "shim.h",
  "socket.c",
  "splice.c",
  "thread.c",
] as const;

/** A temporary file younger than this may belong to a process whose pid we cannot see. */
const STALE_MILLISECONDS = 60_000;

const TEMPORARY = /^shim-[0-9a-f]+\.so\.(\d+)\.[0-9a-f-]+$/;

/** The compiler as it was found: what to run, and what tells it from another. */
interface Compiler {
  readonly path: string;
  readonly arguments: readonly string[];
  readonly identity: string;
}

/** A file of the shim's source. */
interface Source {
  readonly name: string;
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * Returns the path of the compiled shim, compiling it if the cache does not have it.
 *
 * The cache is `zclab` under `$XDG_CACHE_HOME` or `$HOME/.cache`, or a private directory of this user
 * under the temporary directory where that cannot be written. A cached shim is found by its sources,
 * its flags and its compiler (`$CC`, else `cc`), and nothing is run to find it.
 *
 * @returns The path of the shared object.
 * @throws {UnsupportedError} If there is no compiler, or no directory that only this user can write.
 * @throws {Error} If the compiler refuses the sources, with what it said.
 */
export function compileShim(): string {
  const sources = readSources();
  const compiler = findCompiler();
  const name = `shim-${key(sources, compiler)}.so`;
  const user = Deno.uid() ?? 0;
  const places = cachePlaces(user);
  const cached = places.find((place) => isPrivate(place, user) && isFilled(`${place}/${name}`));
  if (cached !== undefined) return `${cached}/${name}`;
  const place = places.find((place) => makeWritable(place, user));
  if (place === undefined) {
    throw new UnsupportedError("A directory that only this user can write", {
      advice: `None of these is one: ${places.join(", ")}. Set XDG_CACHE_HOME to one`,
    });
  }
  compile(compiler, sources, `${place}/${name}`);
  return `${place}/${name}`;
}

function readSources(): Source[] {
  const folder = sourceFolder();
  return SOURCES.map((name) => {
    const path = `${folder}/${name}`;
    return { name, path, bytes: Deno.readFileSync(path) };
  });
}

/** The compiler reads files, so a module that was fetched over the network has no shim. */
function sourceFolder(): string {
  const url = new URL("./shim", import.meta.url);
  if (url.protocol !== "file:") {
    throw new UnsupportedError(`The shim of a module loaded over ${url.protocol}//`, {
      advice: "Use zclab from a directory on this machine: git clone its repository",
    });
  }
  return fileURLToPath(url);
}

/** The compiler's file stands for its version, because asking it takes longer than all the rest. */
function findCompiler(): Compiler {
  const words = (Deno.env.get("CC") ?? "").split(/\s+/).filter((word) => word !== "");
  const [name = "cc", ...further] = words;
  for (const candidate of candidates(name)) {
    try {
      const path = Deno.realPathSync(candidate);
      const { isFile, size, mtime } = Deno.statSync(path);
      if (!isFile) continue;
      const identity = `${path} ${size} ${mtime?.getTime() ?? 0} ${further.join(" ")}`;
      return { path: candidate, arguments: further, identity };
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
    }
  }
  throw new UnsupportedError(`The C compiler ${name}`, {
    advice: "Install one: apt-get install gcc libc6-dev",
  });
}

function candidates(name: string): string[] {
  if (name.includes("/")) return [name];
  const directories = (Deno.env.get("PATH") ?? "/usr/bin:/bin").split(":");
  return directories.filter((entry) => entry.startsWith("/")).map((entry) => `${entry}/${name}`);
}

function key(sources: readonly Source[], compiler: Compiler): string {
  const hash = createHash("sha256");
  const files = sources.map(({ name, bytes }) => [name, bytes.length]);
  // A home directory may be shared by machines of several architectures.
  hash.update(JSON.stringify([Deno.build.target, compiler.identity, FLAGS, files]));
  for (const { bytes } of sources) hash.update(bytes);
  return hash.digest("hex").slice(0, 32);
}

function cachePlaces(user: number): string[] {
  const xdg = Deno.env.get("XDG_CACHE_HOME") ?? "";
  const home = Deno.env.get("HOME") ?? "";
  const temporary = `${Deno.env.get("TMPDIR") || "/tmp"}/zclab-${user}`;
  if (xdg.startsWith("/")) return [`${xdg}/zclab`, temporary];
  if (home.startsWith("/")) return [`${home}/.cache/zclab`, temporary];
  return [temporary];
}

/** What lies in the cache is loaded and executed, so nobody else may be able to write there. */
function isPrivate(place: string, user: number): boolean {
  try {
    const { isDirectory, uid, mode } = Deno.lstatSync(place);
    return isDirectory && uid === user && ((mode ?? 0) & 0o022) === 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return false;
  }
}

/** Writes, because a read-only mount and a full quota show in no mode. */
function makeWritable(place: string, user: number): boolean {
  try {
    Deno.mkdirSync(place, { recursive: true, mode: 0o700 });
    if (!isPrivate(place, user)) return false;
    Deno.removeSync(Deno.makeTempFileSync({ dir: place, prefix: "probe-" }));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return false;
  }
}

function isFilled(path: string): boolean {
  try {
    const { isFile, size } = Deno.statSync(path);
    return isFile && size > 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Under a name of its own and renamed, so that whoever looks finds a whole file or none. */
function compile(compiler: Compiler, sources: readonly Source[], target: string): void {
  sweep(target.slice(0, target.lastIndexOf("/")));
  const temporary = `${target}.${Deno.pid}.${crypto.randomUUID()}`;
  try {
    const units = sources.filter(({ name }) => name.endsWith(".c")).map(({ path }) => path);
    runCompiler(compiler, [...FLAGS, "-o", temporary, ...units]);
    Deno.renameSync(temporary, target);
  } finally {
    remove(temporary);
  }
}

function runCompiler(compiler: Compiler, flags: readonly string[]): void {
  const args = [...compiler.arguments, ...flags];
  const output = new Deno.Command(compiler.path, { args, stdin: "null" }).outputSync();
  if (output.success) return;
  const said = new TextDecoder().decode(output.stderr).trim();
  throw new Error(
    `The shim does not compile with ${compiler.path} (exit code ${output.code}). If headers are ` +
      `missing: apt-get install libc6-dev linux-libc-dev. The compiler says:\n${said}`,
  );
}

/** Removes what a killed process left half written. */
function sweep(directory: string): void {
  for (const { name } of Deno.readDirSync(directory)) {
    const pid = TEMPORARY.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    const path = `${directory}/${name}`;
    if (Date.now() - modified(path) > STALE_MILLISECONDS) remove(path);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== "ESRCH";
  }
}

function modified(path: string): number {
  try {
    return Deno.statSync(path).mtime?.getTime() ?? Infinity;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return Infinity;
    throw error;
  }
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
