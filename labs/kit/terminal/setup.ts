/**
 * Set-up as part of the first run: finds out what the system lacks, and installs it where we may.
 *
 * Looking takes a few milliseconds and starts no process. What is missing is installed with apt-get
 * by root on Debian and Ubuntu; anybody else is told the command. `ZCLAB_NO_INSTALL=1` refuses.
 *
 * @module
 */
import { ExplainedError } from "../../../ffi/kernel/errors.ts";
import { LIBURING } from "../../../ffi/kernel/symbols.ts";

/** A part of the system that zclab uses. */
export type Component =
  | "compiler"
  | "liburing"
  | "ip"
  | "tc"
  | "ethtool"
  | "nsenter"
  | "unshare"
  | "setpriv"
  | "cpio"
  | "mksquashfs"
  | "mmdebstrap"
  | "xz"
  | "nbclient"
  | "jupyter-notebook";

/** What each is called, and the Debian and Ubuntu packages that bring it. */
const PACKAGES: Readonly<Record<Component, { packages: readonly string[]; title: string }>> = {
  compiler: { packages: ["gcc", "libc6-dev"], title: "a C compiler with the C library's headers" },
  liburing: { packages: ["liburing2"], title: "liburing 2.3 or later" },
  ip: { packages: ["iproute2"], title: "ip" },
  tc: { packages: ["iproute2"], title: "tc" },
  ethtool: { packages: ["ethtool"], title: "ethtool" },
  nsenter: { packages: ["util-linux"], title: "nsenter" },
  unshare: { packages: ["util-linux"], title: "unshare" },
  setpriv: { packages: ["util-linux"], title: "setpriv" },
  cpio: { packages: ["cpio"], title: "cpio" },
  mksquashfs: { packages: ["squashfs-tools"], title: "mksquashfs" },
  mmdebstrap: { packages: ["mmdebstrap"], title: "mmdebstrap" },
  xz: { packages: ["xz-utils"], title: "xz" },
  nbclient: { packages: ["python3-nbclient"], title: "nbclient, which executes notebooks" },
  "jupyter-notebook": { packages: ["jupyter-notebook"], title: "Jupyter" },
};

/** What the labs, the REPL and the bench use. */
export const RUN_COMPONENTS: readonly Component[] = [
  "compiler",
  "liburing",
  "ip",
  "tc",
  "ethtool",
  "nsenter",
  "unshare",
];

/** What the tests use: they also drop privileges. */
export const TEST_COMPONENTS: readonly Component[] = [...RUN_COMPONENTS, "setpriv"];

/** What the guest is made and booted with. */
export const GUEST_COMPONENTS: readonly Component[] = [
  "cpio",
  "mksquashfs",
  "mmdebstrap",
  "setpriv",
  "xz",
];

/** What executes notebooks without a browser. */
export const NOTEBOOK_COMPONENTS: readonly Component[] = ["nbclient"];

/** What opens notebooks in a browser, where JupyterLab is not there. */
export const JUPYTER_COMPONENTS: readonly Component[] = ["jupyter-notebook"];

/** Where administration programs are, though not always in the PATH of a user. */
const FURTHER_DIRECTORIES = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/** Something of the system is missing, and was not installed. */
export class SetupError extends ExplainedError {
  /** The name of the class. */
  override readonly name = "SetupError";
  /** What is missing. */
  readonly missing: readonly Component[];

  /**
   * Names what is missing and the command that installs it.
   *
   * @param missing What is missing.
   * @param because Why it was not installed.
   * @param detail What was printed by the program that failed.
   */
  constructor(missing: readonly Component[], because: string, detail = "") {
    const titles = missing.map((component) => PACKAGES[component].title).join(", ");
    super(
      `This system lacks ${titles}. ${because}\n  ${installCommand(missing)}` +
        (detail === "" ? "" : `\n${detail}`),
    );
    this.missing = missing;
  }

  /** 77: it is not possible on this machine. */
  override get exitCode(): number {
    return 77;
  }
}

/** How to set up. */
export interface SetupOptions {
  /** What is needed; {@linkcode RUN_COMPONENTS} unless given. */
  readonly components?: readonly Component[];
  /** Where progress goes; to the standard error unless given. */
  readonly announce?: (text: string) => void;
}

/**
 * Makes sure that the system has what is needed, installing it where that is allowed.
 *
 * @param options What is needed, and where progress goes.
 * @throws {SetupError} If something is missing and cannot be installed; it names the command.
 */
export async function ensureSystem(options: SetupOptions = {}): Promise<void> {
  const { components = RUN_COMPONENTS, announce = announceOnStandardError } = options;
  const missing = missingComponents(components);
  if (missing.length === 0) return;
  const obstacle = installObstacle(missing);
  if (obstacle !== undefined) throw new SetupError(missing, obstacle);

  const packages = packagesOf(missing);
  const started = performance.now();
  announce(`Installing ${packages.join(", ")} with apt-get (only this once) ... `);
  const failure = await install(packages);
  const left = missingComponents(missing);
  if (left.length === 0) {
    announce(`done in ${((performance.now() - started) / 1000).toFixed(0)} s\n`);
    return;
  }
  announce("failed\n");
  if (failure !== undefined) throw new SetupError(left, "apt-get could not install it:", failure);
  throw new SetupError(left, "Its package is installed, but does not bring what is needed:");
}

/**
 * Those of the components that the system does not have. Starts no process.
 *
 * @param components What to look for.
 * @returns What is missing.
 */
export function missingComponents(components: readonly Component[]): readonly Component[] {
  return components.filter((component) => {
    switch (component) {
      case "compiler": {
        const { path, headers } = findCompiler();
        return path === undefined || !headers;
      }
      case "liburing":
        return !hasLiburing();
      case "nbclient":
        return !isFile("/usr/lib/python3/dist-packages/nbclient/__init__.py");
      default:
        return findProgram(component) === undefined;
    }
  });
}

/**
 * The command that installs components on Debian and Ubuntu.
 *
 * @param components What to install; of other names it is taken that the package has the same.
 * @returns The command, with sudo unless this is root.
 */
export function installCommand(components: readonly string[]): string {
  const sudo = Deno.uid() === 0 ? "" : "sudo ";
  return `${sudo}apt-get install -y ${packagesOf(components).join(" ")}`;
}

/**
 * Looks a program up, in PATH and then where administration programs are.
 *
 * @param name The program, or a path.
 * @returns Its path, or undefined when it is not there.
 */
export function findProgram(name: string): string | undefined {
  return findIn([...pathDirectories(), ...FURTHER_DIRECTORIES], name);
}

function pathDirectories(): string[] {
  const path = Deno.env.get("PATH") ?? "/usr/bin:/bin";
  return path.split(":").filter((directory) => directory.startsWith("/"));
}

function findIn(directories: readonly string[], name: string): string | undefined {
  if (name.includes("/")) return isProgram(name) ? name : undefined;
  return directories.map((directory) => `${directory}/${name}`).find(isProgram);
}

/** The compiler that will compile the shim, and whether the C library's headers are there. */
export interface CompilerFound {
  /** Its path, or undefined when it is not there. */
  readonly path: string | undefined;
  /** Whether the headers are there. */
  readonly headers: boolean;
}

/**
 * Looks for the C compiler: `$CC`, or else `cc`.
 *
 * @returns Its path, and whether the C library's headers are there.
 */
export function findCompiler(): CompilerFound {
  const [name = "cc"] = (Deno.env.get("CC") ?? "").split(/\s+/).filter((word) => word !== "");
  // Where the shim's compilation looks, too: in PATH and nowhere else.
  const path = findIn(pathDirectories(), name);
  // Only a compiler of the system looks for the headers where the system has them.
  const elsewhere = path === undefined || !/^(\/usr)?\/bin\//.test(path);
  const headers = elsewhere ||
    (isFile("/usr/include/stdio.h") && isFile("/usr/include/linux/errqueue.h"));
  return { path, headers };
}

/** Whether liburing can be loaded and has the ring calls, which only loading it can tell. */
function hasLiburing(): boolean {
  try {
    Deno.dlopen("liburing.so.2", LIBURING).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return false;
  }
}

/**
 * Whether components that are missing would be installed without asking.
 *
 * @param missing What is missing.
 * @returns Whether {@linkcode ensureSystem} would install them here.
 */
export function isObtainable(missing: readonly Component[]): boolean {
  return missing.length === 0 || installObstacle(missing) === undefined;
}

/** Why nothing can be installed here, as the sentence before the command; undefined if it can. */
function installObstacle(missing: readonly Component[]): string | undefined {
  if (!isDebian()) {
    return "Install it with the package manager of this system. On Debian and Ubuntu that is:";
  }
  const compiler = Deno.env.get("CC")?.trim();
  if (compiler && missing.includes("compiler") && findCompiler().path === undefined) {
    return `CC is set to ${compiler}, which is not there. Unset it, and install the usual one:`;
  }
  if (Deno.uid() !== 0) return "To install it:";
  if ((Deno.env.get("ZCLAB_NO_INSTALL") ?? "0") !== "0") {
    return "Not installed, because ZCLAB_NO_INSTALL is set. To install it:";
  }
  return undefined;
}

function isDebian(): boolean {
  try {
    const release = Deno.readTextFileSync("/etc/os-release");
    return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release) && isProgram("/usr/bin/apt-get");
  } catch {
    return false;
  }
}

function packagesOf(components: readonly string[]): string[] {
  const known: Readonly<Record<string, { packages: readonly string[] }>> = PACKAGES;
  return [...new Set(components.flatMap((name) => known[name]?.packages ?? [name]))];
}

/** Installs packages, and returns what apt-get printed if that failed. */
async function install(packages: readonly string[]): Promise<string | undefined> {
  const arguments_ = ["install", "--yes", "--no-install-recommends", ...packages];
  if (await aptGet(arguments_) === undefined) return undefined;
  // The lists of packages are missing or out of date.
  const update = await aptGet(["update"]);
  const failure = await aptGet(arguments_);
  return failure === undefined ? undefined : [update, failure].filter(Boolean).join("\n");
}

async function aptGet(args: readonly string[]): Promise<string | undefined> {
  const command = new Deno.Command("/usr/bin/apt-get", {
    // Another apt-get may be at work, such as the one that runs each day: wait for it.
    args: ["-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3", ...args],
    env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C", PATH: aptPath() },
    stdin: "null",
  });
  const { success, stdout, stderr } = await command.output();
  if (success) return undefined;
  const decoder = new TextDecoder();
  return (decoder.decode(stdout) + decoder.decode(stderr)).trim().split("\n").slice(-15).join("\n");
}

/** dpkg refuses to work without the administration directories in PATH. */
function aptPath(): string {
  return [Deno.env.get("PATH") ?? "", ...FURTHER_DIRECTORIES].filter(Boolean).join(":");
}

function isProgram(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && ((mode ?? 0) & 0o111) !== 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return false;
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function announceOnStandardError(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
