/**
 * How the kernel module softnic is built for the guest's kernel.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import type { Recipe } from "./built_in_root.ts";

/** The module. */
export const SOFTNIC: Recipe = {
  name: "softnic",
  title: "softnic",
  sources: fromFileUrl(new URL("softnic", import.meta.url)),
  build: `make -s -j"$(nproc)" -C "/lib/modules/$1/build" M="$PWD" modules
strip --strip-debug softnic.ko`,
  product: "softnic.ko",
};
