/**
 * The file of its own that a lab may be in, as what a run depends on.
 *
 * @module
 */
import { basename } from "@std/path";
import { type CodeVersion, codeVersion } from "../experiment/code_version.ts";

/** The file of its own that a lab was loaded from. */
export interface OwnFile {
  /** The full path. */
  readonly path: string;
  /** The SHA-256 of its text, in hexadecimal. */
  readonly sha256: string;
}

/** The code that a run of a lab depends on: zclab's, and the lab's own file. */
export function codeOf({ file }: { readonly file?: OwnFile }): CodeVersion {
  if (file === undefined) return codeVersion();
  return { ...codeVersion(), labFile: { name: basename(file.path), sha256: file.sha256 } };
}
