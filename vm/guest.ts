/**
 * Boots the guest, runs one command in it, and says how that ended.
 *
 * @module
 */
import { Room } from "../labs/kit/files/room.ts";
import { type Acceleration, ACCELERATION_OPTIONS } from "./acceleration.ts";
import { orderSignal, reports } from "./control_port.ts";
import { asValue } from "./emulator.ts";
import type { GuestFiles } from "./guest_files.ts";
import { kernelComplaints } from "./kernel_log.ts";
import { kernelCommandLine } from "./kernel_options.ts";
import { microscopeOptions, microscopeShare } from "./microscope.ts";
import { type Share, shareOptions, shareScript } from "./shares.ts";

/** A guest's machine. */
export interface GuestMachine {
  /** What to boot. */
  readonly files: GuestFiles;
  /** How its instructions are executed. */
  readonly acceleration: Acceleration;
  /** What the guest sees of the host. */
  readonly shares: readonly Share[];
  /** Memory in MiB. */
  readonly memory: number;
  /** Number of processors. */
  readonly processors: number;
  /** What its kernel is told beside what each guest's is; see `kernelOptionProblem`. */
  readonly kernelOptions?: readonly string[] | undefined;
}

/** What to run, and on what machine. */
export interface GuestOptions extends GuestMachine {
  /** The shell script that is run. */
  readonly script: string;
  /** Whether the script has the terminal, as a shell wants it. */
  readonly interactive: boolean;
  /** Milliseconds after which a guest that has not ended is ended; undefined for no limit. */
  readonly timeLimit: number | undefined;
  /** Interrupts the command when a signal comes, and ends the guest when it comes again. */
  readonly onSignal: (handler: (name: string, again: boolean) => void) => Disposable;
}

/** How a run ended. */
export interface GuestOutcome {
  /** The command's exit status, or undefined if the guest ended before the command did. */
  readonly status: number | undefined;
  /** Why it ended early, as a sentence; undefined if it did not. */
  readonly failure: string | undefined;
  /** What the guest's kernel said at warning level or worse. */
  readonly kernelLog: string;
  /** Those of its lines that mean a mistake in the kernel or in softnic. */
  readonly complaints: readonly string[];
}

/** A guest that says nothing for so long has not booted. */
export const BOOT_MILLISECONDS = 180_000;

/** How long the guest may take to power off after the command has ended. */
const POWER_OFF_MILLISECONDS = 30_000;

/** Length of the guest's scratch disk, which takes no room until something is written. */
const SCRATCH_BYTES = 2 ** 30;

/** The ports by which the guest talks to us. */
const PORTS = ["control", "out", "err"] as const;

/**
 * Runs a script in a guest of its own.
 *
 * @param options What, and on what machine.
 * @returns How it ended. The command's output has been written to ours by then.
 */
export async function runGuest(options: GuestOptions): Promise<GuestOutcome> {
  const { script, interactive } = options;
  using room = await furnish("vm", options, {
    command: script,
    ...(interactive ? { interactive: "" } : {}),
  });
  const listeners = new Map(
    PORTS.map((name) => [name, Deno.listen({ transport: "unix", path: room.path(name) })] as const),
  );
  const child = startMachine(options, room, PORTS, interactive);
  const watch = new Watch(child, options);
  using _signals = options.onSignal((name, again) => watch.interrupt(name, again));
  const talks = [
    talk(listeners.get("control")!, (connection) => watch.listen(connection)),
    talk(listeners.get("out")!, (connection) => copy(connection, Deno.stdout)),
    talk(listeners.get("err")!, (connection) => copy(connection, Deno.stderr)),
  ];
  const said = interactive ? Promise.resolve("") : new Response(child.stderr).text();
  await child.status;
  watch.end();
  for (const listener of listeners.values()) listener.close();
  await Promise.all(talks);
  const kernelLog = await Deno.readTextFile(room.path("console"));
  return {
    status: watch.status,
    failure: watch.status === undefined ? watch.failure(kernelLog, await said) : undefined,
    kernelLog,
    complaints: kernelComplaints(kernelLog),
  };
}

/**
 * Makes the folder of a guest, with what its first process finds in it.
 *
 * @param kind What the folder is called; see {@linkcode Room.open}.
 * @param machine The machine.
 * @param files The texts of the files that the guest is shown as "run", by name, beside what each has.
 * @returns The folder.
 */
export async function furnish(
  kind: string,
  machine: GuestMachine,
  files: Readonly<Record<string, string>>,
): Promise<Room> {
  const room = Room.open(kind);
  try {
    await Deno.mkdir(room.path("run"));
    await Deno.mkdir(answersIn(room));
    const shares = shareScript(sharesOf(machine, room));
    for (const [name, text] of Object.entries({ ...files, shares })) {
      await Deno.writeTextFile(room.path(`run/${name}`), text);
    }
    await Deno.writeFile(room.path("scratch"), new Uint8Array());
    await Deno.truncate(room.path("scratch"), SCRATCH_BYTES);
    return room;
  } catch (error) {
    room[Symbol.dispose]();
    throw error;
  }
}

/** Where the microscope answers. */
function answersIn(room: Room): string {
  return room.path("microscope");
}

/** What the guest sees of the host, with what is of one boot only. */
function sharesOf({ files, shares }: GuestMachine, room: Room): readonly Share[] {
  return files.microscope === undefined ? shares : [...shares, microscopeShare(answersIn(room))];
}

/**
 * Starts a machine, which dies with us.
 *
 * @param options The machine.
 * @param room Its folder, in which somebody listens at a socket for each port.
 * @param ports The names of the ports by which the guest talks to us.
 * @param interactive Whether it has our terminal.
 * @returns QEMU.
 */
export function startMachine(
  options: GuestMachine,
  room: Room,
  ports: readonly string[],
  interactive = false,
): Deno.ChildProcess {
  // The guest dies with us, however we die; and the terminal's signals go to us alone, except for
  // a shell, to which the terminal's keys go as they are.
  const args = [
    ...(interactive ? [] : ["setsid"]),
    ...["setpriv", "--pdeathsig", "KILL"],
    ...[...options.files.emulator, ...machine(options, room, ports, interactive)],
  ];
  return new Deno.Command(args[0]!, {
    args: args.slice(1),
    stdin: interactive ? "inherit" : "null",
    stdout: interactive ? "inherit" : "null",
    stderr: interactive ? "inherit" : "piped",
  }).spawn();
}

function machine(
  options: GuestMachine,
  room: Room,
  ports: readonly string[],
  interactive: boolean,
): string[] {
  const { files, acceleration, memory, processors, kernelOptions = [] } = options;
  const commandLine = kernelCommandLine(acceleration, kernelOptions);
  return [
    ...ACCELERATION_OPTIONS[acceleration],
    ...(files.microscope === undefined ? [] : microscopeOptions(files.microscope, answersIn(room))),
    ...["-machine", "q35", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ...["-m", String(memory), "-smp", String(processors)],
    ...["-kernel", files.kernel, "-initrd", files.initramfs, "-append", commandLine],
    ...["-drive", `file=${asValue(files.image)},if=virtio,format=raw,readonly=on`],
    ...["-drive", `file=${asValue(room.path("scratch"))},if=virtio,format=raw,cache=unsafe`],
    ...["-chardev", `file,id=console,path=${asValue(room.path("console"))}`],
    ...["-serial", "chardev:console"],
    ...["-device", "virtio-rng-pci", "-device", "virtio-serial-pci"],
    ...ports.flatMap((name, index) => [
      "-chardev",
      `socket,id=${name},path=${asValue(room.path(name))}`,
      "-device",
      `virtserialport,chardev=${name},name=zclab.${name},nr=${index + 1}`,
    ]),
    ...(interactive
      ? ["-chardev", "stdio,id=terminal,signal=off", "-device", "virtconsole,chardev=terminal"]
      : []),
    ...shareOptions({ tag: "run", path: room.path("run"), kind: "fixed" }),
    ...sharesOf(options, room).flatMap((share) => shareOptions(share)),
  ];
}

/** Serves the one connection that comes, if it does. */
async function talk(
  listener: Deno.UnixListener,
  serve: (connection: Deno.UnixConn) => Promise<void>,
): Promise<void> {
  let connection: Deno.UnixConn;
  try {
    connection = await listener.accept();
  } catch {
    // QEMU ended before it connected: how that came is told by its exit.
    return;
  }
  try {
    await serve(connection);
  } finally {
    connection.close();
  }
}

async function copy(from: Deno.UnixConn, to: Output): Promise<void> {
  const bytes = new Uint8Array(65536);
  let open = true;
  while (true) {
    const count = await from.read(bytes).catch(() => null);
    if (count === null) return;
    if (open) open = await passOn(bytes.subarray(0, count), to);
  }
}

/** Where a command's output goes. */
export interface Output {
  /** Writes some of it. */
  writeSync(bytes: Uint8Array): number;
}

/**
 * Passes output on, however slowly it is read.
 *
 * @param bytes The output.
 * @param to Where it goes.
 * @returns Whether somebody still reads.
 */
export async function passOn(bytes: Uint8Array, to: Output): Promise<boolean> {
  let rest = bytes;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(to.writeSync(rest));
    } catch (error) {
      if (error instanceof Deno.errors.WouldBlock) await new Promise((go) => setTimeout(go, 5));
      // Nobody reads any more, as after `| head`.
      else if (error instanceof Deno.errors.BrokenPipe) return false;
      else throw error;
    }
  }
  return true;
}

/**
 * Why a guest ended that nobody had ended.
 *
 * @param kernelLog The log of its kernel.
 * @param said What QEMU said.
 * @returns A sentence.
 */
export function causeOfEnd(kernelLog: string, said: string): string {
  const panic = /Kernel panic - not syncing: .*/.exec(kernelLog)?.[0];
  if (panic !== undefined) return `The guest's kernel panicked: ${panic}`;
  const own = /zclab guest: (.*)/.exec(kernelLog)?.[1];
  if (own !== undefined) return `The guest could not be set up: ${own}.`;
  if (said.trim() !== "") return `QEMU ended: ${said.trim()}`;
  return "The guest ended before the command did.";
}

/** Follows one guest: what it reports, what it was told, and how long it may take. */
class Watch {
  status: number | undefined;
  readonly #child: Deno.ChildProcess;
  readonly #timeLimit: number | undefined;
  #connection: Deno.UnixConn | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ready = false;
  #ended: string | undefined;

  constructor(child: Deno.ChildProcess, { timeLimit }: GuestOptions) {
    this.#child = child;
    this.#timeLimit = timeLimit;
    this.#limit(BOOT_MILLISECONDS, "It did not boot");
  }

  /** Follows what the guest's first process reports. */
  async listen(connection: Deno.UnixConn): Promise<void> {
    this.#connection = connection;
    for await (const report of reports(connection)) {
      if (report === "ready") {
        this.#ready = true;
        this.#limit(this.#timeLimit, "The command took longer than the time limit");
      } else {
        this.status = report;
        this.#limit(POWER_OFF_MILLISECONDS, "It did not power off");
      }
    }
  }

  /** Hands a signal on to the command; the second time there is no asking. */
  interrupt(name: string, again: boolean): void {
    if (again || !this.#ready) this.#kill(`It was interrupted by ${name}`);
    else orderSignal(this.#connection, name);
  }

  /** Why the guest ended before the command did. */
  failure(kernelLog: string, said: string): string {
    if (this.#ended !== undefined) return `${this.#ended}, and the guest was ended.`;
    return causeOfEnd(kernelLog, said);
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #limit(milliseconds: number | undefined, what: string): void {
    clearTimeout(this.#timer);
    if (milliseconds === undefined) return;
    const seconds = Math.round(milliseconds / 1000);
    this.#timer = setTimeout(() => this.#kill(`${what} (${seconds} s)`), milliseconds);
  }

  #kill(why: string): void {
    this.#ended ??= why;
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}
