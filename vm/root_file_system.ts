/**
 * The guest's root file system: made once with mmdebstrap, and packed into an image to boot from.
 *
 * @module
 */
import { UnsupportedError } from "zclab";
import type { Cache } from "./cache.ts";
import { exists, GuestError, keyOf } from "./cache.ts";
import { command } from "./command.ts";
import { EMULATOR_FILES } from "./emulator.ts";
import {
  configuredMirror,
  KERNEL_PACKAGES,
  KERNEL_SUITE,
  PACKAGES,
  sourceLines,
  SUITE,
} from "./debian.ts";

/** Changes when what is made changes, though the packages are the same. */
const FORMAT = "1";

/** Nobody reads these in the guest, and unpacking them takes time. */
const LEFT_OUT = [
  "/usr/share/doc/*",
  "/usr/share/man/*",
  "/usr/share/locale/*",
  "/usr/share/info/*",
];

/** These are used outside: to boot the image, and to build modules, which is done in the folder. */
const NOT_IN_IMAGE = ["boot", "usr/src", "var/cache", "var/lib/apt/lists", ...EMULATOR_FILES];

/** Bytes that must be free: packages, their unpacked files and the image. */
const NEEDED_BYTES = 2 * 2 ** 30;

/** A root file system that was made. */
export interface RootFileSystem {
  /** What it was made from; part of the names of what is made with it. */
  readonly key: string;
  /** The folder with its files, in which modules are built. */
  readonly folder: string;
  /** The image to boot from. */
  readonly image: string;
  /** The kernel to boot. */
  readonly kernel: string;
  /** That kernel's release, such as `7.3.4+deb13-amd64`. */
  readonly release: string;
}

/** What making something is told. */
export interface BuildOptions {
  /** The mirror to take Debian from; that of this machine's apt unless given. */
  readonly mirror?: string | undefined;
  /** Told what begins. */
  readonly announce: (text: string) => void;
  /** Ends the work when aborted. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Returns the root file system, making it if the cache does not have it.
 *
 * @param cache Where it is kept.
 * @param options The mirror, and who is told.
 * @returns Where it is.
 */
export async function ensureRootFileSystem(
  cache: Cache,
  options: BuildOptions,
): Promise<RootFileSystem> {
  const { key, folder, image, kernel } = rootFileSystemIn(cache);
  if (!exists(image)) {
    requireRoot();
    await requireSpace(cache.folder);
    if (!exists(folder)) await makeFolder(folder, options);
    options.announce("packing the image");
    const release = releaseIn(folder);
    await replaceFile(kernel, (path) => Deno.copyFile(`${folder}/boot/vmlinuz-${release}`, path));
    await replaceFile(image, (path) => pack(folder, path, options.signal));
  }
  return { key, folder, image, kernel, release: releaseIn(folder) };
}

/**
 * Where the root file system is kept, whether it is there or not.
 *
 * @param cache The cache.
 * @returns Its paths, and what it is made from.
 */
export function rootFileSystemIn(cache: Cache): Omit<RootFileSystem, "release"> {
  const key = keyOf(FORMAT, SUITE, KERNEL_SUITE, ...KERNEL_PACKAGES, ...PACKAGES, ...LEFT_OUT);
  return {
    key,
    folder: cache.path(`root-${key}`),
    image: cache.path(`image-${key}.squashfs`),
    kernel: cache.path(`kernel-${key}`),
  };
}

/**
 * Runs a program inside the folder of a root file system, with that as its `/`.
 *
 * @param folder The folder.
 * @param args The program and its arguments.
 * @param options Its input, and what ends it.
 * @returns What it wrote to its standard output.
 */
export async function inRoot(
  folder: string,
  args: readonly string[],
  options: { input?: Uint8Array; signal?: AbortSignal | undefined } = {},
): Promise<Uint8Array> {
  // The tools of the kernel's build look around in /proc. It is gone with the program.
  const enter = ["unshare", "--mount", "--pid", "--fork", `--mount-proc=${folder}/proc`, "chroot"];
  const [program, ...rest] = [...enter, folder, ...args];
  return await command(program!, rest, options);
}

async function makeFolder(
  folder: string,
  { mirror, announce, signal }: BuildOptions,
): Promise<void> {
  const from = mirror ?? await configuredMirror();
  announce(`making a Debian ${SUITE} with the kernel of ${KERNEL_SUITE}, from ${from}`);
  const partial = `${folder}.partial`;
  await removeTree(partial);
  try {
    // It mounts /proc and /sys in what it makes. In a mount namespace of its own they are gone with
    // it, also if it is killed.
    await command("unshare", [
      "--mount",
      "--propagation=private",
      "mmdebstrap",
      "--quiet",
      "--variant=minbase",
      "--skip=check/empty",
      `--include=${[...PACKAGES, ...KERNEL_PACKAGES].join(",")}`,
      ...LEFT_OUT.map((pattern) => `--dpkgopt=path-exclude=${pattern}`),
      // The release stays what it is, and only what is named comes from backports.
      '--setup-hook=mkdir -p "$1/etc/apt/preferences.d"',
      `--setup-hook=printf '${preferences()}' >"$1/etc/apt/preferences.d/kernel"`,
      SUITE,
      partial,
      ...sourceLines(from),
    ], { signal });
    await Deno.rename(partial, folder);
  } catch (error) {
    await removeTree(partial);
    throw error;
  }
}

function preferences(): string {
  return `Package: linux-*\\nPin: release n=${KERNEL_SUITE}\\nPin-Priority: 900\\n`;
}

async function pack(folder: string, path: string, signal: AbortSignal | undefined): Promise<void> {
  const args = ["-comp", "lz4", "-noappend", "-quiet", "-no-progress", "-e", ...NOT_IN_IMAGE];
  await command("mksquashfs", [folder, path, ...args], { signal });
}

/**
 * The release of the kernel of a root file system.
 *
 * @param folder Its folder.
 * @throws {GuestError} If it has none.
 */
export function releaseIn(folder: string): string {
  const names = [...Deno.readDirSync(`${folder}/lib/modules`)].map(({ name }) => name).sort();
  const release = names.at(-1);
  if (release === undefined) throw new GuestError(`There is no kernel in ${folder}`);
  return release;
}

/**
 * Makes a file under another name and renames it, so that whoever looks finds a whole one or none.
 *
 * @param path The file.
 * @param make Writes it to the path that it is given.
 */
export async function replaceFile(
  path: string,
  make: (path: string) => Promise<unknown>,
): Promise<void> {
  const partial = `${path}.partial`;
  try {
    await make(partial);
    await Deno.rename(partial, path);
  } finally {
    await Deno.remove(partial).catch(() => {});
  }
}

/**
 * Removes a folder with all that is in it, or a file.
 *
 * @param path What to remove; that it is not there is no error.
 */
export async function removeTree(path: string): Promise<void> {
  if (exists(path)) await command("rm", ["-rf", "--one-file-system", path]);
}

/**
 * The files of a root file system belong to root, and building in it takes chroot(2).
 *
 * @throws {UnsupportedError} If this is an ordinary user.
 */
export function requireRoot(): void {
  if (Deno.uid() === 0) return;
  throw new UnsupportedError("Making the guest as an ordinary user", {
    advice: "Run it as root, which keeps the guest in its own cache: sudo deno task vm -- COMMAND",
  });
}

async function requireSpace(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= NEEDED_BYTES) return;
  throw new GuestError(
    `The guest needs ${gib(NEEDED_BYTES)} under ${folder}, and there are ${
      gib(free)
    }. Free some, ` +
      "or set XDG_CACHE_HOME to a folder with more room",
  );
}

async function statfs(folder: string): Promise<{ bavail: number; bsize: number }> {
  const { statfs } = await import("node:fs/promises");
  return await statfs(folder);
}

function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
