/**
 * What the guest's kernel is told on its command line: by us, and by whoever boots it.
 *
 * @module
 */
import { type Acceleration, ACCELERATION_KERNEL_OPTIONS } from "./acceleration.ts";

/** What every guest's kernel is told, and why it must be. */
const OWN: readonly (readonly [option: string, why: string])[] = [
  ["console=ttyS0", "vm reads there what the kernel says"],
  ["loglevel=5", "what the kernel says at warning level is what --kernel-log and --strict look at"],
  ["panic=-1", "a guest that panics must end"],
  ["mitigations=off", "emulated, they cost much and protect nobody"],
  // The kernel takes a timer that a busy host delays for a broken one, and panics.
  ["no_timer_check", "without it a busy host makes the kernel panic"],
  ["hugepages=8", "areas of 2 MiB pages need some"],
];

/** What would keep the guest's first process from being started. */
const FIRST_PROCESS = ["init", "rdinit", "root", "initrd"];

/**
 * The command line of a guest's kernel.
 *
 * @param acceleration How its instructions are executed.
 * @param more What it is told beside, as {@linkcode kernelOptionProblem} accepts it. It comes last.
 */
export function kernelCommandLine(acceleration: Acceleration, more: readonly string[]): string {
  return [
    ...OWN.map(([option]) => option),
    ...ACCELERATION_KERNEL_OPTIONS[acceleration],
    ...more,
  ].join(" ");
}

/**
 * Says what is wrong with an option for the guest's kernel.
 *
 * @param option The option.
 * @returns A sentence without its end, or undefined if nothing is.
 */
export function kernelOptionProblem(option: string): string | undefined {
  const shown = JSON.stringify(option);
  if (!/^[\w.-]+=[^\s"'\\]+$/.test(option)) {
    return `${shown} is not NAME=VALUE, without spaces, quotes and commas`;
  }
  const name = nameOf(option);
  const own = OWN.find(([own]) => nameOf(own) === name);
  if (own !== undefined) return `${shown}: the guest has ${own[0]}, because ${own[1]}`;
  if (FIRST_PROCESS.includes(name)) {
    return `${shown}: the guest has a first process of its own, without which no command runs`;
  }
  if (name.startsWith("zclab.")) return `${shown}: by such words zclab knows what its guest is`;
  if (Object.values(ACCELERATION_KERNEL_OPTIONS).flat().some((own) => nameOf(own) === name)) {
    return `${shown}: the clock of the guest depends on it, so it has one that fits (--clock)`;
  }
  return undefined;
}

/** The kernel takes a dash in a name for an underscore. */
function nameOf(option: string): string {
  return option.split("=")[0]!.replaceAll("-", "_");
}
