/**
 * Who imports whom, as Deno's own parser reads it: imports of types included, of a whole module or of
 * one name in a type, and those that happen later.
 *
 * @module
 */
import { fromFileUrl, relative, toFileUrl } from "@std/path";
import { Command } from "./child.ts";

/** The imports of each file: paths in the project, and as they are written those from elsewhere. */
export type Imports = ReadonlyMap<string, readonly string[]>;

/** What `deno info --json` says, as far as it is of interest. */
interface Info {
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly code?: Resolution;
      readonly type?: Resolution;
    }[];
  }[];
}

interface Resolution {
  readonly specifier?: string;
  readonly error?: string;
}

/** The TypeScript files in a folder and below, as paths from the project on. */
export function filesIn(project: string, folder: string): string[] {
  const files: string[] = [];
  for (const { name, isDirectory } of Deno.readDirSync(`${project}/${folder}`)) {
    const path = `${folder}/${name}`;
    if (isDirectory) files.push(...filesIn(project, path));
    else if (name.endsWith(".ts")) files.push(path);
  }
  return files.sort();
}

/**
 * The imports of files.
 *
 * @param project The folder that the files are in, as an absolute path.
 * @param files Their paths in it.
 * @throws {Error} If one cannot be read, or imports what is not there.
 */
export function importsOf(project: string, files: readonly string[]): Imports {
  const info = inform(files.map((file) => toFileUrl(`${project}/${file}`).href));
  const wanted = new Set(files);
  const imports = new Map<string, string[]>();
  for (const { specifier, error, dependencies = [] } of info.modules) {
    const file = inProject(project, specifier);
    if (error !== undefined) throw new Error(`${file}: ${error}`);
    if (!wanted.has(file)) continue;
    const found = new Set<string>();
    for (const { specifier: written, ...kinds } of dependencies) {
      for (const resolution of [kinds.code, kinds.type]) {
        if (resolution?.error !== undefined) throw new Error(`${file}: ${resolution.error}`);
        const to = resolution?.specifier;
        if (to === undefined) continue;
        found.add(to.startsWith(toFileUrl(`${project}/`).href) ? inProject(project, to) : written);
      }
    }
    imports.set(file, [...found].sort());
  }
  for (const file of files) {
    if (!imports.has(file)) throw new Error(`deno info says nothing of ${file}`);
  }
  return imports;
}

function inform(urls: readonly string[]): Info {
  const entry = Deno.makeTempFileSync({ prefix: "zclab-imports-", suffix: ".ts" });
  try {
    Deno.writeTextFileSync(entry, urls.map((url) => `import ${JSON.stringify(url)};\n`).join(""));
    const config = fromFileUrl(new URL("../deno.json", import.meta.url));
    const output = new Command(Deno.execPath(), {
      args: ["info", "--json", "--no-lock", "--config", config, entry],
      env: { NO_COLOR: "1" },
    }).outputSync();
    if (!output.success) throw new Error(new TextDecoder().decode(output.stderr));
    return JSON.parse(new TextDecoder().decode(output.stdout));
  } finally {
    Deno.removeSync(entry);
  }
}

function inProject(project: string, specifier: string): string {
  return specifier.startsWith("file:") ? relative(project, fromFileUrl(specifier)) : specifier;
}

/** Circles: at least one through any files that import each other, as the way around. */
export function circlesIn(imports: Imports): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const way: string[] = [];
  const visit = (file: string): void => {
    const at = way.indexOf(file);
    if (at >= 0) circles.push([...way.slice(at), file].join(" -> "));
    if (at >= 0 || done.has(file)) return;
    way.push(file);
    for (const imported of imports.get(file) ?? []) visit(imported);
    way.pop();
    done.add(file);
  };
  for (const file of imports.keys()) visit(file);
  return circles;
}

/** A folder of the project, and what its files may import. */
export interface Rule {
  readonly folder: string;
  /** Whether a file of it may import something from outside of it. */
  readonly allows: (imported: string, by: string) => boolean;
  /**
   * Its rooms: folders in it, each of which may import those before it, and itself. Those in one list
   * stand beside each other: none imports another.
   */
  readonly rooms: readonly (readonly string[])[];
}

/** What files import from outside of their folder although they may not. */
export function strangersIn(imports: Imports, { folder, allows }: Rule): string[] {
  return edgesOf(imports)
    .filter(([from, to]) => !to.startsWith(`${folder}/`) && !allows(to, from))
    .map(([from, to]) => `${from} -> ${to}`);
}

/** Imports against the order of the rooms, and files that are in no room. */
export function disorderIn(imports: Imports, { folder, rooms }: Rule): string[] {
  const roomOf = (file: string): string => file.slice(folder.length + 1).split("/")[0]!;
  const levelOf = (room: string): number => rooms.findIndex((level) => level.includes(room));
  const homeless = [...imports.keys()].filter((file) => levelOf(roomOf(file)) < 0);
  const against = edgesOf(imports)
    .filter(([, to]) => to.startsWith(`${folder}/`))
    .filter(([from, to]) => {
      const [above, below] = [roomOf(from), roomOf(to)];
      return above !== below && levelOf(above) <= levelOf(below);
    });
  return [...homeless, ...against.map(([from, to]) => `${from} -> ${to}`)];
}

function edgesOf(imports: Imports): [from: string, to: string][] {
  return [...imports].flatMap(([from, all]) => all.map((to): [string, string] => [from, to]));
}
