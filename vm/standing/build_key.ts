/**
 * What a guest that stays was made from: when that has changed, it is of an older build.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { contentsOf, exists, keyOf } from "../cache.ts";
import type { GuestMachine } from "../guest.ts";

/** Who speaks with a keeper must be of the same version. */
const OWN_SOURCES = fromFileUrl(new URL(".", import.meta.url));

/**
 * A name for what a guest is made from: kernel, root file system, softnic and the guest's first process,
 * whose files are named by their contents; Deno, of which the guest shows the program that was there
 * when it booted; the packages that the project has, because those that came later it would not see; and
 * what keeps it. Sources of the project are not part of it: a command sees them as they are.
 *
 * @param project The project's folder.
 * @param machine The machine.
 * @returns The name.
 */
export function buildKey(
  project: string,
  { files, acceleration, shares }: Pick<GuestMachine, "files" | "acceleration" | "shares">,
): string {
  const programs = shares.filter(({ kind }) => kind === "file").map(({ path }) => {
    const { size, mtime, ino } = Deno.statSync(path);
    return `${path} ${size} ${mtime?.getTime()} ${ino}`;
  });
  const folders = shares.filter(({ tag }) => tag !== "out").map((share) => JSON.stringify(share));
  const lock = `${project}/deno.lock`;
  return keyOf(
    JSON.stringify(files),
    acceleration,
    ...programs,
    ...folders,
    exists(lock) ? Deno.readFileSync(lock) : "",
    ...contentsOf(OWN_SOURCES),
  );
}
