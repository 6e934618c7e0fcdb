/**
 * Boots the guest, runs one command in it, and says how that ended.
 *
 * @module
 */
import { Room } from "../labs/kit/terminal/room.ts";
import {
  type Acceleration,
  ACCELERATION_KERNEL_OPTIONS,
  ACCELERATION_OPTIONS,
} from "./acceleration.ts";
import type { GuestFiles } from "./guest_files.ts";
import { kernelComplaints } from "./kernel_log.ts";
import { microscopeOptions, type MicroscopeUse } from "./microscope.ts";
import { type Share, shareOptions, shareScript } from "./shares.ts";

/** What to run, and on what machine. */
export interface GuestOptions {
  /** What to boot. */
  readonly files: GuestFiles;
  /** How its instructions are executed. */
  readonly acceleration: Acceleration;
  /** What looks at the guest from below; it takes the instruction clock. */
  readonly microscope?: MicroscopeUse | undefined;
  /** What the guest sees of the host. */
  readonly shares: readonly Share[];
  /** The shell script that is run. */
  readonly script: string;
  /** Whether the script has the terminal, as a shell wants it. */
  readonly interactive: boolean;
  /** Memory in MiB. */
  readonly memory: number;
  /** Number of processors. */
  readonly processors: number;
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
const BOOT_MILLISECONDS = 180_000;

/** How long the guest may take to power off after the command has ended. */
const POWER_OFF_MILLISECONDS = 30_000;

/** Length of the guest's scratch disk, which takes no room until something is written. */
const SCRATCH_BYTES = 2 ** 30;

/** Pages of 2 MiB that the guest sets aside, for areas that want them. */
const HUGE_PAGES = 8;

/** The ports by which the guest talks to us. */
const PORTS = ["control", "out", "err"] as const;

/**
 * Runs a script in a guest of its own.
 *
 * @param options What, and on what machine.
 * @returns How it ended. The command's output has been written to ours by then.
 */
export async function runGuest(options: GuestOptions): Promise<GuestOutcome> {
  using room = await furnish(options);
  const listeners = new Map(
    PORTS.map((name) => [name, Deno.listen({ transport: "unix", path: room.path(name) })] as const),
  );
  const child = start(options, room);
  const watch = new Watch(child, options);
  using _signals = options.onSignal((name, again) => watch.interrupt(name, again));
  const talks = [
    talk(listeners.get("control")!, (connection) => watch.listen(connection)),
    talk(listeners.get("out")!, (connection) => copy(connection, Deno.stdout)),
    talk(listeners.get("err")!, (connection) => copy(connection, Deno.stderr)),
  ];
  const said = options.interactive ? Promise.resolve("") : new Response(child.stderr).text();
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

/** Makes the folder of a run, with what the guest finds in it. */
async function furnish({ shares, script, interactive }: GuestOptions): Promise<Room> {
  const room = Room.open("vm");
  try {
    await Deno.mkdir(room.path("run"));
    await Deno.writeTextFile(room.path("run/command"), script);
    await Deno.writeTextFile(room.path("run/shares"), shareScript(shares));
    await Deno.writeFile(room.path("scratch"), new Uint8Array());
    await Deno.truncate(room.path("scratch"), SCRATCH_BYTES);
    if (interactive) await Deno.writeTextFile(room.path("run/interactive"), "");
    return room;
  } catch (error) {
    room[Symbol.dispose]();
    throw error;
  }
}

function start(options: GuestOptions, room: Room): Deno.ChildProcess {
  const { interactive } = options;
  // The guest dies with us, however we die; and the terminal's signals go to us alone, except for
  // a shell, to which the terminal's keys go as they are.
  const args = [
    ...(interactive ? [] : ["setsid"]),
    ...["setpriv", "--pdeathsig", "KILL", ...options.files.emulator, ...machine(options, room)],
  ];
  return new Deno.Command(args[0]!, {
    args: args.slice(1),
    stdin: interactive ? "inherit" : "null",
    stdout: interactive ? "inherit" : "null",
    stderr: interactive ? "inherit" : "piped",
  }).spawn();
}

function machine(options: GuestOptions, room: Room): string[] {
  const { files, acceleration, microscope, shares, memory, processors, interactive } = options;
  // The kernel takes a timer that a busy host delays for a broken one, and panics.
  const patience = "no_timer_check";
  const pages = `hugepages=${HUGE_PAGES}`;
  const quiet = ["console=ttyS0", "loglevel=5", "panic=-1"];
  const kernelOptions = [
    ...quiet,
    ...["mitigations=off", patience, pages],
    ...ACCELERATION_KERNEL_OPTIONS[acceleration],
  ];
  return [
    ...ACCELERATION_OPTIONS[acceleration],
    ...(microscope === undefined ? [] : microscopeOptions(microscope)),
    ...["-machine", "q35", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ...["-m", String(memory), "-smp", String(processors)],
    ...["-kernel", files.kernel, "-initrd", files.initramfs, "-append", kernelOptions.join(" ")],
    ...["-drive", `file=${escaped(files.image)},if=virtio,format=raw,readonly=on`],
    ...["-drive", `file=${escaped(room.path("scratch"))},if=virtio,format=raw,cache=unsafe`],
    ...["-chardev", `file,id=console,path=${escaped(room.path("console"))}`],
    ...["-serial", "chardev:console"],
    ...["-device", "virtio-rng-pci", "-device", "virtio-serial-pci"],
    ...PORTS.flatMap((name, index) => [
      "-chardev",
      `socket,id=${name},path=${escaped(room.path(name))}`,
      "-device",
      `virtserialport,chardev=${name},name=zclab.${name},nr=${index + 1}`,
    ]),
    ...(interactive
      ? ["-chardev", "stdio,id=terminal,signal=off", "-device", "virtconsole,chardev=terminal"]
      : []),
    ...shareOptions({ tag: "run", path: room.path("run"), kind: "fixed" }),
    ...shares.flatMap((share) => shareOptions(share)),
  ];
}

/** QEMU takes a comma as the end of a value unless it is doubled. */
function escaped(path: string): string {
  return path.replaceAll(",", ",,");
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

async function copy(
  from: Deno.UnixConn,
  to: { writeSync(bytes: Uint8Array): number },
): Promise<void> {
  const bytes = new Uint8Array(65536);
  let gone = false;
  while (true) {
    const count = await from.read(bytes).catch(() => null);
    if (count === null) return;
    let rest = bytes.subarray(0, count);
    while (rest.length > 0 && !gone) {
      try {
        rest = rest.subarray(to.writeSync(rest));
      } catch (error) {
        if (error instanceof Deno.errors.WouldBlock) await new Promise((go) => setTimeout(go, 5));
        // Nobody reads any more, as after `| head`.
        else if (error instanceof Deno.errors.BrokenPipe) gone = true;
        else throw error;
      }
    }
  }
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

  /** Reads the lines of the guest's first process. */
  async listen(connection: Deno.UnixConn): Promise<void> {
    this.#connection = connection;
    const decoder = new TextDecoder();
    const bytes = new Uint8Array(256);
    let text = "";
    while (true) {
      const count = await connection.read(bytes).catch(() => null);
      if (count === null) return;
      text += decoder.decode(bytes.subarray(0, count), { stream: true });
      const lines = text.split("\n");
      text = lines.pop()!;
      for (const line of lines) this.#hear(line);
    }
  }

  #hear(line: string): void {
    const [word, value] = line.split(" ");
    if (word === "ready") {
      this.#ready = true;
      this.#limit(this.#timeLimit, "The command took longer than the time limit");
    } else if (word === "exit") {
      this.status = Number(value);
      this.#limit(POWER_OFF_MILLISECONDS, "It did not power off");
    }
  }

  /** Hands a signal on to the command; the second time there is no asking. */
  interrupt(name: string, again: boolean): void {
    if (again || !this.#ready || this.#connection === undefined) {
      this.#kill(`It was interrupted by ${name}`);
      return;
    }
    const order = `signal ${name.replace(/^SIG/, "")}\n`;
    this.#connection.write(new TextEncoder().encode(order)).catch(() => {});
  }

  /** Why the guest ended before the command did. */
  failure(kernelLog: string, said: string): string {
    if (this.#ended !== undefined) return `${this.#ended}, and the guest was ended.`;
    const panic = /Kernel panic - not syncing: .*/.exec(kernelLog)?.[0];
    if (panic !== undefined) return `The guest's kernel panicked: ${panic}`;
    const own = /zclab guest: (.*)/.exec(kernelLog)?.[1];
    if (own !== undefined) return `The guest could not be set up: ${own}.`;
    if (said.trim() !== "") return `QEMU ended: ${said.trim()}`;
    return "The guest ended before the command did.";
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
