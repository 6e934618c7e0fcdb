/**
 * Which code ran: the version, the commit, and whether anything was changed since.
 *
 * @module
 */
import { dirname, fromFileUrl } from "@std/path";
import configuration from "../../../deno.json" with { type: "json" };

/** The code that ran. */
export interface CodeVersion {
  /** The version of zclab; null in documents that did not say. */
  readonly version: string | null;
  /** The git commit, in full; null where there is no git or no repository of zclab's own. */
  readonly commit: string | null;
  /** Whether files that git knows differed from that commit; null where there is none. */
  readonly dirty: boolean | null;
  /**
   * The file of its own that the lab was in: its name, and the SHA-256 of its text. What it imports is
   * not in it. Absent where the lab is one of zclab's.
   */
  readonly labFile?: { readonly name: string; readonly sha256: string };
}

/**
 * Says which code this is. Asks git, in the folder of the project; a repository in which that
 * folder merely lies does not count. Files that git does not know do not count either: no file of
 * the project imports them. Never throws, and changes nothing.
 *
 * @param folder The folder of the project; by default the one that this module belongs to.
 * @returns The version; `commit` and `dirty` are null where git cannot tell.
 *
 * @example
 * ```ts
 * import { codeVersion } from "zclab/experiment";
 * import { assertMatch } from "@std/assert";
 *
 * const { version, commit } = codeVersion();
 * assertMatch(version ?? "", /^\d+\.\d+\.\d+/);
 * if (commit !== null) assertMatch(commit, /^[0-9a-f]{40,64}$/);
 * ```
 */
export function codeVersion(folder: string | undefined = projectFolder()): CodeVersion {
  const version: string = configuration.version;
  const status = folder === undefined ? undefined : gitStatus(folder);
  const commit = status?.match(/^# branch\.oid ([0-9a-f]{40,64})$/m)?.[1];
  if (status === undefined || commit === undefined) return { version, commit: null, dirty: null };
  const dirty = status.split("\n").some((line) => line !== "" && !line.startsWith("#"));
  return { version, commit, dirty };
}

/** Code that was not loaded from files, such as a package's, has no repository. */
function projectFolder(): string | undefined {
  const url = new URL("../../..", import.meta.url);
  return url.protocol === "file:" ? fromFileUrl(url) : undefined;
}

function gitStatus(folder: string): string | undefined {
  try {
    const place = Deno.realPathSync(folder);
    const { success, stdout } = new Deno.Command("git", {
      args: [
        // The code in this folder is running: whoever owns it is trusted already.
        ...["-c", `safe.directory=${place}`],
        ...["-c", "core.fsmonitor=false"],
        "--no-optional-locks",
        ...["status", "--porcelain=v2", "--branch", "--untracked-files=no"],
      ],
      cwd: place,
      // Without what the environment says of another repository, as in a hook of git.
      clearEnv: true,
      env: {
        PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
        HOME: Deno.env.get("HOME") ?? "/",
        LC_ALL: "C",
        // Git looks no higher than the folder itself.
        GIT_CEILING_DIRECTORIES: dirname(place),
      },
      stdin: "null",
      stderr: "null",
    }).outputSync();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch {
    return undefined;
  }
}
