/**
 * Loads liburing and the shim at their first use, never at import.
 *
 * @module
 */
import { compileShim } from "./compile.ts";
import { UnsupportedError } from "./errors.ts";
import { LIBURING, SHIM } from "./symbols.ts";

/** Every foreign function, as the symbol table types it. */
export type Native =
  & Deno.StaticForeignLibraryInterface<typeof LIBURING>
  & Deno.StaticForeignLibraryInterface<typeof SHIM>;

let loaded: Native | undefined;

/**
 * The foreign functions. A loaded library belongs to the process, so it is opened once and kept.
 *
 * @throws {UnsupportedError} If liburing is not installed or the shim cannot be compiled.
 */
export function native(): Native {
  if (loaded === undefined) {
    const ring = openLiburing();
    const shim = Deno.dlopen(compileShim(), SHIM);
    loaded = { ...ring.symbols, ...shim.symbols };
  }
  return loaded;
}

function openLiburing(): Deno.DynamicLibrary<typeof LIBURING> {
  try {
    return Deno.dlopen("liburing.so.2", LIBURING);
  } catch (error) {
    // A missing --allow-ffi is not a missing library.
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new UnsupportedError("liburing.so.2", {
      advice: "Install liburing 2.3 or later: apt-get install liburing2",
    });
  }
}
