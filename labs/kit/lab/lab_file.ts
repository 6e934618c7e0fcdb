/**
 * A lab in a file of one's own: found in what the file exports, and written from a template.
 *
 * @module
 */
import { basename, join, toFileUrl } from "@std/path";
import type { Lab } from "./lab.ts";
import { configOption } from "./lab_command.ts";
import { OptionError } from "../options/options.ts";

const TEMPLATE = new URL("./template.ts", import.meta.url);

/** Whether an argument names a file rather than a lab. */
export function isLabFile(argument: string): boolean {
  return /\.[mc]?[jt]s$/.test(argument);
}

/**
 * Loads the lab that a file exports.
 *
 * @param path The full path of the file.
 * @returns The lab: what the file exports by default, or the only lab among its exports. It knows its
 *   file.
 * @throws {OptionError} If there is no such file, or it exports no lab or several. An error of the
 *   file's own code is passed on.
 */
export async function loadLab(path: string): Promise<Lab> {
  const sha256 = await hashOf(path);
  const lab = labAmong(await import(toFileUrl(path).href), path);
  return { ...lab, run: (context) => lab.run(context), file: { path, sha256 } };
}

async function hashOf(path: string): Promise<string> {
  let isFile = false;
  try {
    isFile = (await Deno.stat(path)).isFile;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  if (!isFile) throw new OptionError(`${path}: there is no such file`);
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return new Uint8Array(digest).toHex();
}

function labAmong(exported: Record<string, unknown>, path: string): Lab {
  if (isLab(exported["default"])) return exported["default"];
  const labs = Object.entries(exported).filter(([, value]) => isLab(value));
  if (labs.length === 1) return labs[0]![1] as Lab;
  throw new OptionError(
    labs.length === 0
      ? `${path} exports no lab. What to do: export what defineLab returns, as in ` +
        "`export const lab = defineLab({ ... })`"
      : `${path} exports ${labs.length} labs: ${labs.map(([name]) => name).join(", ")}. ` +
        "What to do: make one of them the default export",
  );
}

function isLab(value: unknown): value is Lab {
  if (typeof value !== "object" || value === null) return false;
  const { name, needs, options, run } = value as Partial<Lab>;
  return typeof name === "string" && Array.isArray(needs) && typeof options === "object" &&
    typeof run === "function";
}

/**
 * Writes a small lab that runs as it is.
 *
 * @param name What it is called: lower-case words, with a minus between them.
 * @param folder Where it goes.
 * @returns The path of the file.
 * @throws {OptionError} If that is no name, or the file is there already.
 */
export async function writeNewLab(name: string, folder: string): Promise<string> {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    throw new OptionError(
      `A lab is called by lower-case words with a minus between them, such as my-first-lab, not ` +
        JSON.stringify(name),
    );
  }
  const file = `${name}.ts`;
  const path = join(folder, file);
  const config = configOption(folder);
  const text = (await Deno.readTextFile(TEMPLATE))
    .replaceAll(/ deno (task|check)(?= )/g, (command) => `${command}${config}`)
    .replaceAll(basename(TEMPLATE.pathname), file)
    .replace('name: "template"', `name: "${name}"`);
  try {
    await Deno.writeTextFile(path, text, { createNew: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    throw new OptionError(`${path} is there already. What to do: choose another name`);
  }
  return path;
}
