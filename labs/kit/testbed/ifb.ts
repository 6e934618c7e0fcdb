/**
 * The kernel module of the ifb device, and the two devices that it brings.
 *
 * On every kernel so far (seen from 2.6 to 7.3) loading it makes `numifbs` devices, 2 unless told
 * otherwise, in the machine's own network namespace, also where somebody asked for one in another
 * namespace and the kernel loads it for that. What tells it otherwise is the configuration of modprobe:
 * systemd brings `options ifb numifbs=0` since version 256. Where ifb is built into the kernel the two
 * are there from the boot on, unless it was booted with `ifb.numifbs=0`.
 *
 * @module
 */
import { findProgram } from "../terminal/setup.ts";

/** The devices that loading the module makes, by the kernel's default. */
const DEFAULT_DEVICES = 2;

/** What is known of the module. */
export interface IfbModule {
  /** Whether it is there already, loaded or built in; undefined where modprobe does not know it. */
  readonly state: "present" | "loadable" | undefined;
  /** How many devices stay in the machine's own network namespace once the kernel has loaded it. */
  readonly devices: number;
}

/** Finds out about the module, without loading it. */
export async function findIfb(): Promise<IfbModule> {
  const present = { state: "present", devices: 0 } as const;
  if (isLoaded()) return present;
  const modprobe = findProgram("modprobe");
  if (modprobe === undefined) return { state: undefined, devices: 0 };
  const depends = await run(modprobe, ["--show-depends", "ifb"]);
  if (!depends.success) return { state: undefined, devices: 0 };
  if (/^builtin\b/m.test(depends.text)) return present;
  const { text } = await run(modprobe, ["--showconfig"]);
  return { state: "loadable", devices: devicesOf(text) };
}

/**
 * The devices that the kernel makes when it loads the module.
 *
 * @param configuration What `modprobe --showconfig` says.
 */
export function devicesOf(configuration: string): number {
  const lines = configuration.match(/^options ifb\b.*$/gm) ?? [];
  // The last one counts, as it does for the kernel.
  const given = lines.flatMap((line) => [...line.matchAll(/\bnumifbs=(\d+)/g)]).at(-1)?.[1];
  return given === undefined ? DEFAULT_DEVICES : Number(given);
}

/**
 * Loads the module without its two devices, where it is not there yet and this user may. Anybody else
 * has it loaded by the kernel when an ifb device is made, as modprobe is configured.
 */
export async function loadIfb(): Promise<void> {
  if (isLoaded() || Deno.uid() !== 0) return;
  const modprobe = findProgram("modprobe");
  // What cannot be loaded here is said when the device cannot be made.
  if (modprobe !== undefined) await run(modprobe, ["--quiet", "ifb", "numifbs=0"]);
}

function isLoaded(): boolean {
  try {
    return Deno.statSync("/sys/module/ifb").isDirectory;
  } catch {
    return false;
  }
}

async function run(
  program: string,
  args: readonly string[],
): Promise<{ readonly success: boolean; readonly text: string }> {
  const { success, stdout } = await new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    stderr: "null",
    env: { LC_ALL: "C" },
  }).output();
  return { success, text: new TextDecoder().decode(stdout) };
}
