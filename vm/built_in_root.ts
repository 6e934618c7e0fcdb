/**
 * Builds parts of the guest from sources of the project, in the guest's root: with the compiler, the
 * libraries and the kernel that the part will meet, and on the host, where that takes a second.
 *
 * @module
 */
import { extname } from "@std/path";
import { type Cache, contentsOf, exists, keyOf } from "./cache.ts";
import { command } from "./command.ts";
import {
  type BuildOptions,
  inRoot,
  releaseIn,
  replaceFile,
  requireRoot,
  type RootFileSystem,
} from "./root_file_system.ts";

/** How a part is built. */
export interface Recipe {
  /** What it is called in the cache; what is removed there when it is stale, goes by that name. */
  readonly name: string;
  /** What it is called for people. */
  readonly title: string;
  /** The folder with its sources. */
  readonly sources: string;
  /** Shell commands that build it where the sources are; `$1` is the release of the root's kernel. */
  readonly build: string;
  /** The file that they make. */
  readonly product: string;
}

/** What a part is built in. */
export type BuildRoot = Pick<RootFileSystem, "key" | "folder">;

/** Unpacks the sources from its input, builds, and gives the product as its output. */
function scriptOf({ name, build, product }: Recipe): string {
  // The same folder each time: its name gets into what is built.
  const folder = `/tmp/${name}`;
  return `set -e
rm -rf ${folder}
mkdir ${folder}
cd ${folder}
tar -xf -
{
${build}
} >&2
cat ${product}
rm -rf ${folder}`;
}

/**
 * Where a part is kept, whether it is there or not.
 *
 * @param cache The cache.
 * @param root What it is built in.
 * @param recipe How it is built.
 * @returns Its path, which says what it is made from.
 */
export function pathInCache(
  cache: Cache,
  { key }: Pick<BuildRoot, "key">,
  recipe: Recipe,
): string {
  const { name, sources, product } = recipe;
  const from = keyOf(key, scriptOf(recipe), ...contentsOf(sources));
  return cache.path(`${name}-${from}${extname(product)}`);
}

/**
 * Returns a part, building it if its sources, its recipe or the root have changed.
 *
 * @param cache Where it is kept.
 * @param root What to build it in.
 * @param recipe How.
 * @param options Who is told, and what ends it.
 * @returns The path of the part.
 * @throws {UnsupportedError} If it has to be built and this user is not root.
 */
export async function ensureBuiltInRoot(
  cache: Cache,
  root: BuildRoot,
  recipe: Recipe,
  { announce, signal }: BuildOptions,
): Promise<string> {
  const path = pathInCache(cache, root, recipe);
  if (exists(path)) return path;
  requireRoot();
  announce(`building ${recipe.title}`);
  const input = await command("tar", ["-C", recipe.sources, "-cf", "-", "."], { signal });
  const args = ["sh", "-c", scriptOf(recipe), "sh", releaseIn(root.folder)];
  const product = await inRoot(root.folder, args, { input, signal });
  await replaceFile(path, (partial) => Deno.writeFile(partial, product, { mode: 0o755 }));
  return path;
}
