/**
 * The kinds of guest: what its clock counts, and whether it is looked at from below.
 *
 * @module
 */

/** With the microscope the clock counts instructions, too. */
export type GuestKind = "time" | "instructions" | "microscope";

/** The options of `deno task vm` that ask for each. */
export const OPTIONS_OF_KIND: Readonly<Record<GuestKind, string>> = {
  time: "--clock time",
  instructions: "--clock instructions",
  microscope: "--microscope",
};

/**
 * Whether a guest's clock counts instructions. It has one processor then, as several would share one
 * clock, in an order that depends on the host.
 *
 * @param kind The kind of guest.
 */
export function countsInstructions(kind: GuestKind): boolean {
  return kind !== "time";
}

/**
 * A guest of a kind, for people, without an article.
 *
 * @param kind The kind of guest.
 */
export function nameOfKind(kind: GuestKind): string {
  switch (kind) {
    case "time":
      return "guest";
    case "instructions":
      return "guest with the instruction clock";
    case "microscope":
      return "guest with the microscope";
  }
}
