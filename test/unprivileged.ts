/**
 * Runs zclab as a user without privileges, when the tests run as root.
 *
 * @module
 */
import { Command } from "./child.ts";

/** The user that owns nothing, on every Linux. */
const NOBODY = 65534;

/** Whether tests can change to another user. */
export const IS_ROOT = Deno.uid() === 0;

/** A directory that nobody may read, with zclab in it and, where it must be, Deno. */
export class Unprivileged implements Disposable {
  /** Where the copy lies. */
  readonly directory: string;
  /** A Deno that nobody may execute. */
  readonly deno: string;

  constructor() {
    this.directory = Deno.makeTempDirSync({ prefix: "zclab-nobody-" });
    Deno.chmodSync(this.directory, 0o755);
    const root = new URL("..", import.meta.url).pathname;
    for (const folder of ["ffi", "labs/kit"]) {
      copyTree(`${root}${folder}`, `${this.directory}/${folder}`);
    }
    Deno.mkdirSync(`${this.directory}/home`);
    Deno.chownSync(`${this.directory}/home`, NOBODY, NOBODY);
    this.deno = this.#readableDeno();
  }

  /** Evaluates a module as nobody; `{ffi}` and `{kit}` in its text are zclab's folders. */
  evaluate(source: string): { code: number; stdout: string; stderr: string } {
    const text = source
      .replaceAll("{ffi}", `file://${this.directory}/ffi`)
      .replaceAll("{kit}", `file://${this.directory}/labs/kit`);
    return this.run(this.deno, "eval", "--no-config", "--no-lock", text);
  }

  /**
   * Runs a program of the project as nobody, from a copy of the project, without the network: what
   * it takes from npm is copied, too.
   *
   * @param program Its path in the project, such as `labs/main.ts`.
   */
  runProject(program: string, ...args: string[]): { code: number; stdout: string; stderr: string } {
    const { project, denoDirectory } = this.shareProject();
    copyTree(`${denoDirectory}/npm`, `${this.directory}/home/.cache/deno/npm`);
    runOrThrow("chown", "-R", `${NOBODY}:${NOBODY}`, `${this.directory}/home`);
    return this.run(
      this.deno,
      ...["run", "-A", "--cached-only", "-c", `${project}/deno.json`, `${project}/${program}`],
      ...args,
    );
  }

  /**
   * Copies the project, and what it takes from npm, to where every user can read them and none can
   * write.
   *
   * @returns The project's folder, and one that is a DENO_DIR.
   */
  shareProject(): { project: string; denoDirectory: string } {
    const project = `${this.directory}/project`;
    Deno.mkdirSync(project);
    const root = new URL("..", import.meta.url).pathname;
    const names = [
      "deno.json",
      "deno.lock",
      "mod.ts",
      "experiment.ts",
      "lab.ts",
      "notebook.ts",
      "types",
      "ffi",
      "labs",
      "notebooks",
    ];
    for (const name of names) copyTree(`${root}${name}`, `${project}/${name}`);
    copyTree(`${denoDirectory()}/npm`, `${this.directory}/deno-directory/npm`);
    return { project, denoDirectory: `${this.directory}/deno-directory` };
  }

  /** Runs a program as nobody. */
  run(...line: string[]): { code: number; stdout: string; stderr: string } {
    const output = new Command("setpriv", {
      args: [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", ...line],
      cwd: this.directory,
      clearEnv: true,
      env: { HOME: `${this.directory}/home`, PATH: "/usr/bin:/bin", NO_COLOR: "1" },
    }).outputSync();
    const decoder = new TextDecoder();
    return {
      code: output.code,
      stdout: decoder.decode(output.stdout),
      stderr: decoder.decode(output.stderr),
    };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }

  #readableDeno(): string {
    const installed = Deno.realPathSync(Deno.execPath());
    if (this.run("/usr/bin/test", "-x", installed).code === 0) return installed;
    const copy = `${this.directory}/deno`;
    Deno.copyFileSync(installed, copy);
    Deno.chmodSync(copy, 0o755);
    return copy;
  }
}

function denoDirectory(): string {
  const { denoDir } = JSON.parse(runOrThrow(Deno.execPath(), "info", "--json"));
  return denoDir;
}

function copyTree(from: string, to: string): void {
  Deno.mkdirSync(to.slice(0, to.lastIndexOf("/")), { recursive: true });
  runOrThrow("cp", "-R", from, to);
  runOrThrow("chmod", "-R", "a+rX", to);
}

function runOrThrow(program: string, ...args: string[]): string {
  const { success, stdout, stderr } = new Command(program, { args }).outputSync();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
