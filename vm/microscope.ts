/**
 * How the microscope is built, a plugin for the guest's emulator that looks at the guest from below, and
 * how the emulator is given it.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import type { Recipe } from "./built_in_root.ts";
import { asValue } from "./emulator.ts";
import type { Share } from "./shares.ts";

/** The plugin; it runs in the emulator's process, so it is built in the root that the emulator is from. */
export const MICROSCOPE: Recipe = {
  name: "microscope",
  title: "the microscope",
  sources: fromFileUrl(new URL("microscope", import.meta.url)),
  build: "gcc -O2 -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -s -o microscope.so *.c",
  product: "microscope.so",
};

/** Where the guest has the folder in which the microscope answers. */
export const MICROSCOPE_FOLDER = "/run/zclab/microscope";

/**
 * The emulator's options for it.
 *
 * @param plugin The plugin.
 * @param folder The folder in which it answers.
 */
export function microscopeOptions(plugin: string, folder: string): readonly string[] {
  return ["-plugin", `file=${asValue(plugin)},folder=${asValue(folder)}`];
}

/**
 * The share by which the guest reads the answers.
 *
 * @param folder The folder in which it answers, which the guest must be able to write.
 */
export function microscopeShare(folder: string): Share {
  return { tag: "microscope", path: folder, kind: "writable", inside: MICROSCOPE_FOLDER };
}
