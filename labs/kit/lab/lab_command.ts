/**
 * How a lab is named in a command that a user can type where he is.
 *
 * @module
 */
import { basename, fromFileUrl, join, relative } from "@std/path";
import type { OwnFile } from "./own_file.ts";

/** The folder in which the user is: `deno task` changes to that of deno.json, and says where he was. */
export function userFolder(): string {
  return Deno.env.get("INIT_CWD") ?? Deno.cwd();
}

/**
 * What a lab is named by: its name, or its file where it is in one of its own, such as
 * `./held-window.ts`.
 *
 * @param lab The lab.
 * @param folder Where the user is.
 */
export function labWord(
  { name, file }: { readonly name: string; readonly file?: OwnFile },
  folder: string = userFolder(),
): string {
  if (file === undefined) return name;
  const path = relative(folder, file.path);
  return shellWord(path.startsWith("..") ? path : `./${path}`);
}

/** What a lab is named by beside a document that says its file, in the folder of that file. */
export function labFileWord({ name }: { readonly name: string }): string {
  return shellWord(`./${basename(name)}`);
}

/**
 * The option that makes `deno` find what it needs of zclab: none in a folder of zclab itself, else
 * `--config PATH/deno.json` and a space before it.
 *
 * @param folder Where the user is.
 */
export function configOption(folder: string = userFolder()): string {
  const project = projectFolder();
  const isOutside = project === undefined || relative(project, realPath(folder)).startsWith("..");
  return isOutside ? ` --config ${shellWord(join(project ?? "PATH/zclab", "deno.json"))}` : "";
}

/**
 * `deno task lab`, as it works where the user is.
 *
 * @param folder Where the user is.
 */
export function labTask(folder: string = userFolder()): string {
  return `deno task${configOption(folder)} lab`;
}

/** As a shell takes it for one word, whatever it holds. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Code that was not loaded from files, such as a package's, has no folder. */
function projectFolder(): string | undefined {
  const url = new URL("../../..", import.meta.url);
  return url.protocol === "file:" ? realPath(fromFileUrl(url)) : undefined;
}

function realPath(folder: string): string {
  try {
    return Deno.realPathSync(folder);
  } catch {
    // A folder that is gone, or that may not be looked at, is taken as it is named.
    return folder;
  }
}
