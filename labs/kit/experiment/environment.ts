/**
 * What a run's numbers depend on beside the experiment: kernel, processor, limits, versions.
 *
 * Everything comes from files of `/proc` and `/sys`. What this machine does not tell is null.
 * Nothing here names the machine: no host name, no address, no path.
 *
 * @module
 */
import { createRequire } from "node:module";
import type * as Zlib from "node:zlib";
import configuration from "../../../deno.json" with { type: "json" };
import { type Display, inLine, inTable } from "../../../ffi/kernel/inspection.ts";
import { type Clock, clockOf } from "../trials/clock.ts";
import { displayedAs } from "./displayed_as.ts";
import { clearsOnAllocation } from "./memory_clearing.ts";
import type { Measures } from "../trials/trials.ts";

/** A resource limit; null means unlimited. */
export interface ResourceLimit {
  /** What is enforced now. */
  readonly soft: number | null;
  /** How far the soft limit may be raised without privilege. */
  readonly hard: number | null;
}

/** The versions of what took part. */
export interface Versions {
  /** zclab's own. */
  readonly zclab: string;
  /** Deno's. */
  readonly deno: string;
  /** The version of V8 inside Deno. */
  readonly v8: string;
  /** The version of TypeScript inside Deno. */
  readonly typescript: string;
  /** The liburing that is loaded, or else the one that is installed, such as `2.3`. */
  readonly liburing: string | null;
}

/** The kernel that ran the experiment. */
export interface KernelRecord {
  /** The release, such as `6.18.44`. */
  readonly release: string | null;
  /** The build, such as `#1 SMP PREEMPT_DYNAMIC`. */
  readonly version: string | null;
  /** What measures time, such as `tsc`. */
  readonly clocksource: string | null;
  /**
   * Whether it clears memory when it is allocated, which a copy into a new buffer pays for. Absent in
   * documents of versions that did not look.
   */
  readonly clearsOnAllocation?: boolean | null;
}

/** The processor and the memory. */
export interface MachineRecord {
  /** The architecture, such as `x86_64`. */
  readonly architecture: string;
  /** The processor's name for itself. */
  readonly cpuModel: string | null;
  /** How many logical processors are online. */
  readonly cpus: number | null;
  /** The processors on which this process may run, such as `0-3`. */
  readonly cpusAllowed: string | null;
  /** The processors that the scheduler leaves alone; empty if there are none. */
  readonly cpusIsolated: string | null;
  /** The frequency governor of processor 0, null where frequencies are not ours to govern. */
  readonly governor: string | null;
  /** Whether two threads share a core. */
  readonly smt: boolean | null;
  /** Whether a hypervisor runs below this kernel; null where the processor does not tell. */
  readonly virtualised: boolean | null;
  /** The state of each known processor vulnerability, by the kernel's name for it. */
  readonly mitigations: { readonly [name: string]: string } | null;
  /** The memory, in bytes. */
  readonly memoryBytes: number | null;
  /** The load average over 1, 5 and 15 minutes when the record was made. */
  readonly loadAverage: readonly number[] | null;
}

/** The user and what the kernel allows this process. */
export interface UserRecord {
  /** The effective user id inside this process's user namespace. */
  readonly uid: number | null;
  /** The effective capabilities by name, in the kernel's order. */
  readonly capabilities: readonly string[] | null;
  /** The seccomp mode: 0 none, 1 strict, 2 a filter (usual in containers). */
  readonly seccomp: number | null;
}

/** The limits that zero copy runs into. */
export interface LimitsRecord {
  /** RLIMIT_MEMLOCK in bytes: what may be pinned without CAP_IPC_LOCK. */
  readonly memlockBytes: ResourceLimit | null;
  /** RLIMIT_NOFILE. */
  readonly openFiles: ResourceLimit | null;
}

/** The record that {@linkcode environment} makes. */
export interface Environment {
  /**
   * What the clock counts, by which everything was measured. Absent in documents of versions that did
   * not know of a clock that counts anything but time.
   */
  readonly clock?: Clock;
  /** Versions. */
  readonly versions: Versions;
  /** The kernel. */
  readonly kernel: KernelRecord;
  /** Processor and memory. */
  readonly machine: MachineRecord;
  /** User and capabilities. */
  readonly user: UserRecord;
  /** Resource limits. */
  readonly limits: LimitsRecord;
  /**
   * Kernel settings by their sysctl names; null where this kernel does not have one. Those of
   * `net.` are what this process's network namespace has, not a testbed's.
   */
  readonly sysctls: { readonly [name: string]: number | string | null };
  /** What the lab adds, such as the offloads of its link. */
  readonly extra: Measures;
}

/** Where the record is read from. Each method gives null for what is not there. */
export interface SystemFiles {
  /** The text of a file; of one whose name ends with `.gz`, the text that is packed in it. */
  text(path: string): string | null;
  /** The names in a folder. */
  names(path: string): readonly string[] | null;
  /** The file that a path leads to after every symbolic link. */
  realPath(path: string): string | null;
}

/** The settings that change what zero copy, busy polling or pinned memory can do. */
const SYSCTLS: readonly string[] = [
  "kernel.io_uring_disabled",
  "kernel.numa_balancing",
  "kernel.unprivileged_userns_clone",
  "net.core.busy_poll",
  "net.core.busy_read",
  "net.core.optmem_max",
  "net.core.rmem_max",
  "net.core.wmem_max",
  "vm.nr_hugepages",
];

/** Capabilities by bit, from linux/capability.h. */
const CAPABILITIES: readonly string[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_DAC_READ_SEARCH",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETPCAP",
  "CAP_LINUX_IMMUTABLE",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_BROADCAST",
  "CAP_NET_ADMIN",
  "CAP_NET_RAW",
  "CAP_IPC_LOCK",
  "CAP_IPC_OWNER",
  "CAP_SYS_MODULE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_CHROOT",
  "CAP_SYS_PTRACE",
  "CAP_SYS_PACCT",
  "CAP_SYS_ADMIN",
  "CAP_SYS_BOOT",
  "CAP_SYS_NICE",
  "CAP_SYS_RESOURCE",
  "CAP_SYS_TIME",
  "CAP_SYS_TTY_CONFIG",
  "CAP_MKNOD",
  "CAP_LEASE",
  "CAP_AUDIT_WRITE",
  "CAP_AUDIT_CONTROL",
  "CAP_SETFCAP",
  "CAP_MAC_OVERRIDE",
  "CAP_MAC_ADMIN",
  "CAP_SYSLOG",
  "CAP_WAKE_ALARM",
  "CAP_BLOCK_SUSPEND",
  "CAP_AUDIT_READ",
  "CAP_PERFMON",
  "CAP_BPF",
  "CAP_CHECKPOINT_RESTORE",
];

/** Where distributions put shared libraries, after the folder of the architecture. */
const LIBRARY_FOLDERS: readonly string[] = ["/usr/local/lib", "/usr/lib64", "/usr/lib"];

const VULNERABILITIES = "/sys/devices/system/cpu/vulnerabilities";

/**
 * Records what the numbers of a run depend on. Call it before the run: the load average is that
 * of the moment.
 *
 * @param extra What the lab knows and this record does not, such as the offloads of its link.
 * @returns The record; what cannot be read is null.
 *
 * @example
 * ```ts
 * import { environment } from "zclab/experiment";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const { kernel, versions, extra } = environment({ gso: true });
 * assertEquals(kernel.release, Deno.osRelease());
 * assertEquals(versions.deno, Deno.version.deno);
 * assert(extra.gso);
 * ```
 */
export function environment(extra: Measures = {}): Environment {
  const record = environmentFrom(SYSTEM, extra);
  return displayedAs(record, () => displayEnvironment(record));
}

/** As {@linkcode environment}, from files that the caller provides. */
export function environmentFrom(files: SystemFiles, extra: Measures = {}): Environment {
  const status = fields(files.text("/proc/self/status"));
  return {
    clock: clockOf(files.text("/proc/cmdline")),
    versions: {
      zclab: configuration.version,
      deno: Deno.version.deno,
      v8: Deno.version.v8,
      typescript: Deno.version.typescript,
      liburing: liburingVersion(files),
    },
    kernel: {
      release: line(files, "/proc/sys/kernel/osrelease"),
      version: line(files, "/proc/sys/kernel/version"),
      clocksource: line(
        files,
        "/sys/devices/system/clocksource/clocksource0/current_clocksource",
      ),
      clearsOnAllocation: clearsOnAllocation(files),
    },
    machine: machine(files, status),
    user: {
      uid: number(status.get("Uid")?.split(/\s+/)[1]),
      capabilities: capabilities(status.get("CapEff")),
      seccomp: number(status.get("Seccomp")),
    },
    limits: {
      memlockBytes: limit(files, "Max locked memory"),
      openFiles: limit(files, "Max open files"),
    },
    sysctls: Object.fromEntries(SYSCTLS.map((name) => {
      const text = line(files, `/proc/sys/${name.replaceAll(".", "/")}`);
      return [name, number(text ?? undefined) ?? text];
    })),
    extra,
  };
}

function machine(files: SystemFiles, status: ReadonlyMap<string, string>): MachineRecord {
  const cpuinfo = files.text("/proc/cpuinfo");
  const cpu = fields(cpuinfo);
  const smt = line(files, "/sys/devices/system/cpu/smt/active");
  const memory = fields(files.text("/proc/meminfo")).get("MemTotal");
  const kibibytes = number(memory?.replace(/ kB$/, ""));
  const load = line(files, "/proc/loadavg")?.split(" ").slice(0, 3).map(Number);
  return {
    architecture: Deno.build.arch,
    cpuModel: cpu.get("model name") ?? armModel(cpu),
    cpus: cpuinfo?.match(/^processor\s*:/gm)?.length ?? null,
    cpusAllowed: status.get("Cpus_allowed_list") ?? null,
    cpusIsolated: line(files, "/sys/devices/system/cpu/isolated"),
    governor: line(files, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
    smt: smt === null ? null : smt === "1",
    virtualised: cpu.get("flags")?.split(" ").includes("hypervisor") ?? null,
    mitigations: mitigations(files),
    memoryBytes: kibibytes === null ? null : kibibytes * 1024,
    loadAverage: load ?? null,
  };
}

/** Arm processors give numbers instead of a name: MIDR_EL1's implementer and part. */
function armModel(cpu: ReadonlyMap<string, string>): string | null {
  const [implementer, part] = [cpu.get("CPU implementer"), cpu.get("CPU part")];
  return implementer && part ? `implementer ${implementer}, part ${part}` : null;
}

function mitigations(files: SystemFiles): { [name: string]: string } | null {
  const names = files.names(VULNERABILITIES);
  if (names === null) return null;
  return Object.fromEntries(
    names.toSorted().map((name) => [name, line(files, `${VULNERABILITIES}/${name}`) ?? "unknown"]),
  );
}

/** The name of the library's file ends with its version: `liburing.so.2.3`. */
function liburingVersion(files: SystemFiles): string | null {
  const loaded = files.text("/proc/self/maps")?.match(/\/liburing\.so\.(\d[\d.]*)/)?.[1];
  if (loaded !== undefined) return loaded;
  for (const folder of [`/usr/lib/${Deno.build.arch}-linux-gnu`, ...LIBRARY_FOLDERS]) {
    const found = files.realPath(`${folder}/liburing.so.2`)?.match(/\.so\.(\d[\d.]*)$/)?.[1];
    if (found !== undefined) return found;
  }
  return null;
}

function capabilities(mask: string | undefined): string[] | null {
  if (mask === undefined || !/^[0-9a-f]{1,16}$/.test(mask)) return null;
  const bits = BigInt(`0x${mask}`);
  const names: string[] = [];
  for (let bit = 0; bit < 64; bit++) {
    // A capability younger than the table still counts, under its number.
    if ((bits >> BigInt(bit)) & 1n) names.push(CAPABILITIES[bit] ?? `capability ${bit}`);
  }
  return names;
}

function limit(files: SystemFiles, name: string): ResourceLimit | null {
  const row = files.text("/proc/self/limits")?.split("\n").find((row) => row.startsWith(name));
  const [soft, hard] = row?.slice(name.length).trim().split(/\s+/) ?? [];
  if (soft === undefined || hard === undefined) return null;
  return { soft: number(soft), hard: number(hard) };
}

/** The first `name : value` of each name in a text. */
function fields(text: string | null): Map<string, string> {
  const result = new Map<string, string>();
  for (const row of text?.split("\n") ?? []) {
    const colon = row.indexOf(":");
    const name = row.slice(0, colon).trim();
    if (colon > 0 && !result.has(name)) result.set(name, row.slice(colon + 1).trim());
  }
  return result;
}

function line(files: SystemFiles, path: string): string | null {
  return files.text(path)?.trim() ?? null;
}

function number(text: string | undefined): number | null {
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : null;
}

/** A record with holes is worth more than none: whatever cannot be read is null. */
function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** Loaded when it is needed: whoever only imports this module does not wait for it. */
function zlib(): typeof Zlib {
  return createRequire(import.meta.url)("node:zlib");
}

const SYSTEM: SystemFiles = {
  text: (path) =>
    orNull(() =>
      path.endsWith(".gz")
        ? new TextDecoder().decode(zlib().gunzipSync(Deno.readFileSync(path)))
        : Deno.readTextFileSync(path)
    ),
  names: (path) => orNull(() => Array.from(Deno.readDirSync(path), (entry) => entry.name)),
  realPath: (path) => orNull(() => Deno.realPathSync(path)),
};

/**
 * What a run's numbers depend on: on one line what matters most, in a notebook everything.
 *
 * @param environment The record.
 */
function displayEnvironment(environment: Environment): Display {
  const { clock = "time", kernel, machine, versions, user, ...rest } = environment;
  const line = inLine("Environment", [
    ["kernel", `Linux ${kernel.release ?? "unknown"}`, "bare"],
    ["architecture", machine.architecture, "bare"],
    ["processors", `${machine.cpus ?? "unknown"} CPUs`, "bare"],
    ["virtualised", machine.virtualised === true ? "virtual" : undefined, "bare"],
    ["clock", clock === "instructions" ? "instruction clock" : undefined, "bare"],
    ["deno", `Deno ${versions.deno}`, "bare"],
    ["liburing", `liburing ${versions.liburing ?? "unknown"}`, "bare"],
    ["user", user.uid === 0 ? "root" : `user ${user.uid ?? "unknown"}`, "bare"],
  ]);
  const facts = flattened({ clock, kernel, machine, versions, user, ...rest });
  return { ...inTable("Environment", facts), "text/plain": line };
}

/** Everything in a record under the names that lead there. */
function flattened(record: object, path = ""): (readonly [string, string])[] {
  return Object.entries(record).flatMap(([name, value]): (readonly [string, string])[] => {
    const full = path === "" ? name : `${path} ${name}`;
    if (Array.isArray(value)) return [[full, value.join(", ")]];
    if (typeof value === "object" && value !== null) return flattened(value, full);
    return [[full, value === null ? "not told" : String(value)]];
  });
}
