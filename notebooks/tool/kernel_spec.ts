/**
 * The kernel spec: how Jupyter starts Deno's kernel for this project.
 *
 * @module
 */
import { findProgram } from "../../labs/kit/terminal/setup.ts";
import { KERNEL } from "./notebook_file.ts";

/**
 * Looks Deno up each time: through npx it runs from a cache that npm may clean, and a kernel spec
 * that names only that place would stop working.
 */
const LAUNCHER = `#!/bin/sh
# Starts Deno's kernel: the Deno that installed this, else that of PATH, else through npx.
recorded=__DENO__
if [ -x "$recorded" ]; then
  exec "$recorded" jupyter --kernel --conn "$1"
elif command -v deno > /dev/null; then
  exec deno jupyter --kernel --conn "$1"
elif command -v npx > /dev/null; then
  exec npx -y deno jupyter --kernel --conn "$1"
fi
echo "zclab: Deno is not there any more. Run 'npx -y deno task notebook' in the project again." >&2
exit 127
`;

/** How to write a kernel spec. */
export interface KernelSpecOptions {
  /** Jupyter's data directory: the spec goes to `kernels/zclab` in it. */
  readonly dataDirectory: string;
  /** Whether the kernel shall die with the process that started it, however that ends. */
  readonly bound?: boolean;
}

/**
 * Writes the kernel spec.
 *
 * @param options Where it goes.
 * @returns The spec's directory.
 */
export function writeKernelSpec({ dataDirectory, bound = false }: KernelSpecOptions): string {
  const directory = `${dataDirectory}/kernels/${KERNEL}`;
  Deno.mkdirSync(directory, { recursive: true });
  const quoted = `'${Deno.execPath().replaceAll("'", `'\\''`)}'`;
  Deno.writeTextFileSync(`${directory}/launch.sh`, LAUNCHER.replace("__DENO__", () => quoted));
  const setpriv = bound ? findProgram("setpriv") : undefined;
  const spec = {
    argv: [
      ...(setpriv === undefined ? [] : [setpriv, "--pdeathsig", "KILL"]),
      "/bin/sh",
      `${directory}/launch.sh`,
      "{connection_file}",
    ],
    display_name: "zclab (Deno)",
    language: "typescript",
    // Outputs are kept in files: they carry no colour codes. And none waits for news of Deno.
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...sharedPackages() },
  };
  Deno.writeTextFileSync(`${directory}/kernel.json`, `${JSON.stringify(spec, null, 2)}\n`);
  return directory;
}

/** Where packages were taken from, if not from the usual place: a class shares one folder. */
function sharedPackages(): { DENO_DIR?: string } {
  const folder = Deno.env.get("DENO_DIR");
  return folder ? { DENO_DIR: folder } : {};
}

/** Jupyter's data directory of this user, by its own rules. */
export function userDataDirectory(): string {
  const { JUPYTER_DATA_DIR, XDG_DATA_HOME, HOME } = Deno.env.toObject();
  if (JUPYTER_DATA_DIR) return JUPYTER_DATA_DIR;
  return `${XDG_DATA_HOME || `${HOME ?? "/root"}/.local/share`}/jupyter`;
}
