/**
 * Files that are written whole or not at all.
 *
 * @module
 */
import { ExplainedError } from "../../../ffi/kernel/errors.ts";
import { basename, dirname, join } from "@std/path";
import { UnnamedFile } from "../../../ffi/memory/unnamed_file.ts";

/** A file cannot be written; what was there before is untouched. */
export class FileError extends ExplainedError {
  /** The name of the class. */
  override readonly name = "FileError";
}

/**
 * Finds out whether a file could be written, before the work that would be lost otherwise. Makes a
 * file in its folder that is gone again at once, because permission bits alone do not tell: the file
 * system may be read-only or full of quotas.
 *
 * @param path Where the file shall go.
 * @throws {FileError} If it could not be written, with the reason and what to do.
 */
export async function checkWritable(path: string): Promise<void> {
  const target = await findTarget(path);
  try {
    // A pipe must not be opened for a trial: its reader would take the close for the end.
    if (target.kind === "device") {
      (await Deno.open(target.path, { write: true })).close();
    } else if (target.kind === "file") {
      using unnamed = unnamedIn(dirname(target.path));
      if (unnamed !== undefined) return;
      const probe = temporaryBeside(target.path);
      Deno.openSync(probe, { write: true, createNew: true }).close();
      Deno.removeSync(probe);
    }
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

/**
 * Writes a file, all of it or nothing: to a file without a name, which gets its name when all is
 * written. So a process that is killed meanwhile leaves nothing. What is no regular file, such as a
 * pipe, is written directly.
 *
 * Where a file is replaced, the new one is beside it for a moment, named `.NAME.<eight digits>.tmp`;
 * where the file system has no files without a name, it is there while it is written.
 *
 * @param path Where it goes. A file that is there is replaced; a symbolic link is followed.
 * @param text What it shall hold.
 * @throws {FileError} If it cannot be written, with the reason and what to do.
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  const target = await findTarget(path);
  if (target.kind !== "file") {
    try {
      await Deno.writeTextFile(target.path, text, { create: false });
    } catch (error) {
      throw cannotWrite(path, error);
    }
    return;
  }
  const temporary = temporaryBeside(target.path);
  using unnamed = unnamedIn(dirname(target.path));
  try {
    writeSynced(unnamed?.path ?? temporary, text, unnamed === undefined);
    if (unnamed !== undefined) {
      if (!exists(target.path)) return unnamed.giveName(target.path);
      unnamed.giveName(temporary);
    }
    Deno.renameSync(temporary, target.path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw cannotWrite(path, error);
  }
}

/** Undefined where there are none; what else is wrong is said by the attempt with a name. */
function unnamedIn(folder: string): UnnamedFile | undefined {
  try {
    return UnnamedFile.create(folder);
  } catch {
    return undefined;
  }
}

function writeSynced(path: string, text: string, createNew: boolean): void {
  using file = Deno.openSync(path, { write: true, createNew });
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) {
    written += file.writeSync(bytes.subarray(written));
  }
  // Without this, a power failure after the name was given could leave an empty file under it.
  file.syncDataSync();
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

interface Target {
  readonly path: string;
  /** Devices and pipes are written directly: a rename would put a file in their place. */
  readonly kind: "file" | "device" | "pipe";
}

async function findTarget(path: string): Promise<Target> {
  if (path === "") throw new FileError("The name of the file to write is empty");
  try {
    const info = await Deno.stat(path);
    if (info.isDirectory) {
      throw new FileError(`Cannot write ${path}: it is a folder. What to do: name a file in it`);
    }
    if (info.isFifo || info.isSocket) return { path, kind: "pipe" };
    if (!info.isFile) return { path, kind: "device" };
    return { path: await Deno.realPath(path), kind: "file" };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { path, kind: "file" };
    throw error instanceof FileError ? error : cannotWrite(path, error);
  }
}

function temporaryBeside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${crypto.randomUUID().slice(0, 8)}.tmp`);
}

function cannotWrite(path: string, cause: unknown): FileError {
  const [reason, advice] = explain(path, cause);
  return new FileError(`Cannot write ${path}: ${reason}. What to do: ${advice}`, { cause });
}

function explain(path: string, cause: unknown): [reason: string, advice: string] {
  const folder = dirname(path);
  if (cause instanceof Deno.errors.NotFound) {
    return exists(folder)
      ? [`${folder} takes no new files`, "choose another folder"]
      : [`the folder ${folder} does not exist`, `mkdir -p ${folder}`];
  }
  if (cause instanceof Deno.errors.NotADirectory) {
    return [`${folder} is not a folder`, "name a file in a folder"];
  }
  if (cause instanceof Deno.errors.PermissionDenied) {
    return ["permission denied", `choose another folder, or check the permissions of ${folder}`];
  }
  if (cause instanceof Deno.errors.NotCapable) {
    return ["Deno may not write there", "run with the permissions of deno task lab"];
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return [reason, "choose another file"];
}
