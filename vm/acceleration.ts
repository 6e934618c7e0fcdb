/**
 * How the guest's instructions are executed, and what its clock counts: time as long as it runs on KVM
 * or on QEMU's software emulation, and with the instruction clock instructions.
 *
 * @module
 */
import type { Cache } from "./cache.ts";
import { exists } from "./cache.ts";
import { command } from "./command.ts";
import type { GuestFiles } from "./guest_files.ts";
import { replaceFile } from "./root_file_system.ts";

/** How the guest's instructions are executed. */
export type Acceleration = "kvm" | "software emulation" | "instruction clock";

/**
 * QEMU's options for each.
 *
 * The instruction clock is software emulation in which an instruction takes a nanosecond of the
 * guest's time, whatever the host does meanwhile; where the guest has nothing to do, its time goes
 * on to the next timer at once. Without ERMS, FSRM and FSRS the guest's kernel copies and clears by
 * words: with them it does so by `rep movsb` and `rep stosb`, each byte of which would be an
 * instruction, as on no real processor. What the guest takes for chance is the same in each boot.
 * Source: QEMU's docs/devel/tcg-icount.rst.
 */
export const ACCELERATION_OPTIONS: Readonly<Record<Acceleration, readonly string[]>> = {
  kvm: ["-accel", "kvm", "-cpu", "host"],
  "software emulation": ["-accel", "tcg,thread=multi", "-cpu", "max"],
  "instruction clock": [
    ...["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off"],
    ...["-cpu", "max,-erms,-fsrm,-fsrs", "-seed", "1"],
  ],
};

/**
 * The guest's kernel's options for each.
 *
 * The last one of the instruction clock is for us, and not for the kernel: by it whoever measures in
 * the guest knows what its clock counts.
 */
export const ACCELERATION_KERNEL_OPTIONS: Readonly<Record<Acceleration, readonly string[]>> = {
  kvm: [],
  "software emulation": [],
  "instruction clock": [
    // The kernel has nothing to check the time stamp counter against, and need not.
    ...["tsc=reliable", "clocksource=tsc"],
    // Addresses that differ from boot to boot make hash tables and caches that do.
    ...["nokaslr", "norandmaps"],
    // While the guest waits for the host its clock goes on from timer to timer, minutes in a second.
    ...["nowatchdog", "sysctl.kernel.hung_task_timeout_secs=0"],
    "zclab.clock=instructions",
  ],
};

/** A guest that only powers off does so within a second where KVM works. */
const PROBE_MILLISECONDS = 10_000;

/** What was found out, and for which machine. */
interface Finding {
  readonly machine: string;
  readonly acceleration: Acceleration;
}

/**
 * Finds out once whether a guest really boots with KVM: a machine can have /dev/kvm and hang.
 *
 * @param cache Where the answer is remembered.
 * @param files What to boot.
 * @param announce Told that it is being tried.
 * @returns What to use.
 */
export async function findAcceleration(
  cache: Cache,
  files: GuestFiles,
  announce: (text: string) => void,
): Promise<Acceleration> {
  if (!canOpen("/dev/kvm")) return "software emulation";
  const path = cache.path("acceleration.json");
  const machine = `${Deno.osRelease()} ${await emulatorVersion(files)}`;
  const known = read(path);
  if (known?.machine === machine) return known.acceleration;
  announce("trying whether a guest boots with KVM");
  const acceleration = await boots(files) ? "kvm" : "software emulation";
  const finding: Finding = { machine, acceleration };
  await replaceFile(path, (partial) => Deno.writeTextFile(partial, JSON.stringify(finding)));
  return acceleration;
}

async function emulatorVersion({ emulator: [program, ...first] }: GuestFiles): Promise<string> {
  const said = new TextDecoder().decode(await command(program!, [...first, "--version"]));
  return said.split("\n")[0]!;
}

function canOpen(path: string): boolean {
  try {
    Deno.openSync(path, { read: true, write: true }).close();
    return true;
  } catch {
    return false;
  }
}

function read(path: string): Finding | undefined {
  if (!exists(path)) return undefined;
  try {
    return JSON.parse(Deno.readTextFileSync(path)) as Finding;
  } catch {
    // Whatever was written there, asking again is cheap.
    return undefined;
  }
}

async function boots({ emulator, kernel, initramfs }: GuestFiles): Promise<boolean> {
  const [program, ...first] = emulator;
  const child = new Deno.Command(program!, {
    args: [
      ...first,
      ...ACCELERATION_OPTIONS.kvm,
      ...["-m", "512", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
      ...["-kernel", kernel, "-initrd", initramfs, "-append", "quiet panic=-1 zclab.probe"],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const limit = setTimeout(() => child.kill("SIGKILL"), PROBE_MILLISECONDS);
  const { success } = await child.status;
  clearTimeout(limit);
  return success;
}
