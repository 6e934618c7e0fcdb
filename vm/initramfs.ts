/**
 * The initramfs: what the kernel needs until it has the root file system, and softnic.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { Room } from "../labs/kit/files/room.ts";
import { type Cache, exists, keyOf } from "./cache.ts";
import { command } from "./command.ts";
import { type BuildOptions, replaceFile, type RootFileSystem } from "./root_file_system.ts";

/** For the image's device, the image, what is written over it, and what the host shows. */
const MODULES = ["virtio_blk", "squashfs", "overlay", "9pnet_virtio", "9p"];

/**
 * Returns the initramfs, making it if what it consists of has changed.
 *
 * @param cache Where it is kept.
 * @param root The root file system whose kernel it is for.
 * @param softnic The module softnic.
 * @param options Who is told, and what ends it.
 * @returns The path of the initramfs.
 */
export async function ensureInitramfs(
  cache: Cache,
  root: RootFileSystem,
  softnic: string,
  { announce, signal }: BuildOptions,
): Promise<string> {
  const init = await Deno.readTextFile(fromFileUrl(new URL("init.sh", import.meta.url)));
  const module = await Deno.readFile(softnic);
  const path = cache.path(`initramfs-${keyOf(root.key, ...MODULES, init, module)}.cpio`);
  if (exists(path)) return path;
  announce("making the initramfs");
  using room = Room.open("initramfs");
  const { folder } = room;
  await Deno.mkdir(`${folder}/bin`);
  await Deno.mkdir(`${folder}/modules`);
  await Deno.writeTextFile(`${folder}/init`, init, { mode: 0o755 });
  await Deno.writeFile(`${folder}/softnic.ko`, module);
  await Deno.copyFile(`${root.folder}/boot/config-${root.release}`, `${folder}/config`);
  await Deno.copyFile(`${root.folder}/usr/bin/busybox`, `${folder}/bin/busybox`);
  await Deno.writeTextFile(`${folder}/modules/order`, await unpackModules(root, folder, signal));
  const names = await filesUnder(folder, "");
  const archive = await command("cpio", ["--quiet", "-o", "-H", "newc", "-D", folder], {
    input: new TextEncoder().encode(names.join("\n") + "\n"),
    signal,
  });
  await replaceFile(path, (partial) => Deno.writeFile(partial, archive));
  return path;
}

/** Unpacks the modules into the folder, and returns their names in the order of loading. */
async function unpackModules(
  root: RootFileSystem,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const above = `${root.folder}/lib/modules/${root.release}`;
  const needs = dependencies(await Deno.readTextFile(`${above}/modules.dep`));
  const order = loadingOrder(MODULES, needs);
  const names: string[] = [];
  for (const file of order) {
    const name = moduleName(file);
    const packed = file.endsWith(".xz");
    const bytes = packed
      ? await command("xz", ["-dc", `${above}/${file}`], { signal })
      : await Deno.readFile(`${above}/${file}`);
    await Deno.writeFile(`${folder}/modules/${name}.ko`, bytes);
    names.push(`${name}.ko`);
  }
  return names.join("\n") + "\n";
}

/**
 * Reads modules.dep.
 *
 * @param text Its text.
 * @returns For each module's file, the files of those that it needs.
 */
export function dependencies(text: string): Map<string, readonly string[]> {
  const needs = new Map<string, readonly string[]>();
  for (const line of text.split("\n")) {
    const [file, rest] = line.split(":");
    if (file && rest !== undefined) needs.set(file, rest.trim().split(/\s+/).filter(Boolean));
  }
  return needs;
}

/**
 * The files of modules and of all that they need, each after what it needs.
 *
 * @param names The modules. One that has no file is part of the kernel itself.
 * @param needs As {@linkcode dependencies} gives them.
 * @returns The files in the order of loading.
 */
export function loadingOrder(
  names: readonly string[],
  needs: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const order = new Set<string>();
  const add = (file: string): void => {
    if (order.has(file)) return;
    for (const needed of needs.get(file) ?? []) add(needed);
    order.add(file);
  };
  for (const name of names) {
    const file = [...needs.keys()].find((candidate) => moduleName(candidate) === name);
    if (file !== undefined) add(file);
  }
  return [...order];
}

function moduleName(file: string): string {
  return file.slice(file.lastIndexOf("/") + 1).replace(/\.ko(\.\w+)?$/, "");
}

async function filesUnder(folder: string, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${prefix}`)) {
    names.push(`${prefix}${name}`);
    if (isDirectory) names.push(...await filesUnder(folder, `${prefix}${name}/`));
  }
  return names.sort();
}
