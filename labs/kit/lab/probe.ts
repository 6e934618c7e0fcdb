/**
 * What this kernel, this user and this machine can do: one answer for every lab.
 *
 * @module
 */
import { describeErrno, kernelIsAtLeast } from "../../../ffi/kernel/errors.ts";
import { type Display, type Fact, inLine, inTable } from "../../../ffi/kernel/inspection.ts";
import { native } from "../../../ffi/kernel/native.ts";
import { LIBURING } from "../../../ffi/kernel/symbols.ts";
import { zcrxFeatures } from "../../../ffi/zcrx/query.ts";
import { findIfb, loadIfb } from "../testbed/ifb.ts";
import {
  findCompiler,
  findProgram,
  GUEST_COMPONENTS,
  installCommand,
  isObtainable,
  missingComponents,
} from "../terminal/setup.ts";

/** The names under which {@linkcode probe} answers, and that a lab can need. */
export const REQUIREMENTS = [
  "liburing",
  "compiler",
  "shim",
  "ip",
  "tc",
  "nsenter",
  "ethtool",
  "io_uring",
  "IORING_SETUP_SINGLE_ISSUER",
  "IORING_SETUP_DEFER_TASKRUN",
  "IORING_SETUP_TASKRUN_FLAG",
  "IORING_SETUP_NO_SQARRAY",
  "IORING_SETUP_CQE32",
  "IORING_SETUP_CQE_MIXED",
  "IORING_OP_SEND",
  "IORING_OP_RECV",
  "IORING_OP_SOCKET",
  "IORING_OP_MSG_RING",
  "IORING_OP_SEND_ZC",
  "IORING_OP_SENDMSG_ZC",
  "IORING_OP_RECV_ZC",
  "IORING_SEND_VECTORIZED",
  "IORING_REGISTER_NAPI",
  "IO_URING_NAPI_TRACKING_STATIC",
  "zcrx",
  "namespaces",
  "veth",
  "ifb",
  "softnic",
  "udmabuf",
  "guest",
  "memlock",
  "optmem_max",
  "huge pages",
  "two CPUs",
] as const;

/** A thing that a lab can need, under its kernel name where it has one. */
export type Requirement = typeof REQUIREMENTS[number];

/**
 * Where a thing is possible: `real` on this machine as it is, `guest` only in a guest that zclab
 * starts, `no` nowhere yet.
 */
export type ProbeState = "real" | "guest" | "no";

/** The answer for one thing. */
export interface ProbeItem {
  /** The thing. */
  readonly name: Requirement;
  /** Where it is possible. */
  readonly state: ProbeState;
  /** What was found, or why it is not possible. */
  readonly why: string;
  /** The one command that would change it, where there is one. */
  readonly command?: string;
  /** What using it leaves on the machine, and how to avoid that, in a sentence. */
  readonly leaves?: string;
}

/** What the machine is, for reading the answers. */
export interface Machine {
  /** The kernel's release, such as `6.18.0`. */
  readonly kernel: string;
  /** The processor architecture, such as `x86_64`. */
  readonly architecture: string;
  /** The number of processors that this process may use. */
  readonly cpus: number;
  /** Whether a hypervisor runs this kernel, in which case timings are noisier. */
  readonly virtual: boolean;
  /** Whether this is the superuser, with the capability to administer networks. */
  readonly privileged: boolean;
}

/** What this kernel, this user and this machine can do. */
export class Probe {
  /** The machine. */
  readonly machine: Machine;
  /** An answer for each of {@linkcode REQUIREMENTS}, in that order. */
  readonly items: readonly ProbeItem[];

  /**
   * Puts the answers together; {@linkcode probe} finds them.
   *
   * @param machine The machine.
   * @param items The answers.
   */
  constructor(machine: Machine, items: readonly ProbeItem[]) {
    this.machine = machine;
    this.items = items;
  }

  /**
   * The answer for one thing.
   *
   * @param name The thing.
   * @returns The answer.
   */
  item(name: Requirement): ProbeItem {
    const found = this.items.find((item) => item.name === name);
    if (found === undefined) throw new RangeError(`probe() knows nothing of ${name}`);
    return found;
  }

  /**
   * Those of the things that are not real here.
   *
   * @param names The things, such as what a lab needs.
   * @returns Their answers; empty when all is there.
   */
  missing(names: readonly Requirement[]): readonly ProbeItem[] {
    return names.map((name) => this.item(name)).filter(({ state }) => state !== "real");
  }

  /** The machine and the counts in one line. */
  [Symbol.for("Deno.customInspect")](): string {
    return inLine("Probe", this.#facts());
  }

  /** A small table for notebooks. */
  [Symbol.for("Jupyter.display")](): Display {
    return inTable("Probe", this.#facts(), this.#more());
  }

  #facts(): readonly Fact[] {
    const real = this.items.filter(({ state }) => state === "real").length;
    const { kernel, cpus, virtual } = this.machine;
    return [
      ["kernel", `Linux ${kernel}`, "bare"],
      ["processors", `${cpus} CPUs${virtual ? " (virtual)" : ""}`, "bare"],
      ["possible", `${real} of ${this.items.length} real here`, "bare"],
    ];
  }

  /** What only a table has room for. */
  #more(): readonly Fact[] {
    return this.items.map(({ name, state, why }) => [name, `${state}: ${why}`]);
  }
}

type Answer = Omit<ProbeItem, "name">;

const real = (why: string): Answer => ({ state: "real", why });
const no = (why: string, command?: string): Answer => (
  command === undefined ? { state: "no", why } : { state: "no", why, command }
);

/**
 * Finds out what works here. Nothing is changed and nothing is left behind: rings are closed again,
 * and devices are made in a namespace that ends with the process that made them; only modules that the
 * kernel loads for them stay loaded. It takes a few
 * tens of milliseconds, and never throws: what cannot be found out is answered with the reason.
 *
 * @returns An answer for each of {@linkcode REQUIREMENTS}.
 *
 * @example
 * ```ts
 * import { probe } from "zclab";
 * import { assert } from "@std/assert";
 *
 * const here = await probe();
 * const sendZc = here.item("IORING_OP_SEND_ZC");
 * assert(sendZc.state === "real" || sendZc.why.length > 0);
 * ```
 */
export async function probe(): Promise<Probe> {
  const machine = describeMachine();
  const answers = new Map<Requirement, Answer>();
  probePrograms(answers);
  probeRing(answers);
  probeShim(answers);
  await probeNamespaces(answers, machine);
  probeLimits(answers, machine);
  probeZcrx(answers);
  probeUdmabuf(answers);
  probeGuest(answers, machine);
  return new Probe(
    machine,
    REQUIREMENTS.map((name) => ({ name, ...answers.get(name) ?? no("it was not found out") })),
  );
}

function describeMachine(): Machine {
  return {
    kernel: Deno.osRelease(),
    architecture: Deno.build.arch,
    cpus: navigator.hardwareConcurrency,
    virtual: /^flags\s*:.*\bhypervisor\b/m.test(read("/proc/cpuinfo") ?? ""),
    privileged: hasCapability(CAP_NET_ADMIN) && hasCapability(CAP_SYS_ADMIN),
  };
}

// === Programs ===

function probePrograms(answers: Map<Requirement, Answer>): void {
  const compiler = findCompiler();
  answers.set(
    "compiler",
    compiler.path !== undefined && compiler.headers
      ? real(compiler.path)
      : compiler.path === undefined
      ? no("no C compiler: cc, gcc or clang", installCommand(["compiler"]))
      : no(
        `${compiler.path} is there, the headers of the C library are not`,
        installCommand(["compiler"]),
      ),
  );
  for (const name of ["ip", "tc", "nsenter", "ethtool"] as const) {
    const path = findProgram(name);
    answers.set(
      name,
      path === undefined ? no("not installed", installCommand([name])) : real(path),
    );
  }
}

function probeShim(answers: Map<Requirement, Answer>): void {
  if (answers.get("liburing")?.state !== "real") {
    answers.set("shim", no("it is loaded together with liburing, which is missing"));
    return;
  }
  try {
    native();
    answers.set("shim", real("compiled and loaded"));
  } catch (error) {
    answers.set("shim", no(reason(error), answers.get("compiler")?.command));
  }
}

// === The ring ===

/** `struct io_uring_params` has this size since the first version. */
const PARAMS_BYTES = 120;
/** Word of `flags` in `struct io_uring_params`. */
const PARAMS_FLAGS = 2;

/** Set-up flags: bit, the flags they need beside them, and the kernel that brought them. */
const SETUP_FLAGS = [
  ["IORING_SETUP_SINGLE_ISSUER", 1 << 12, 0, "6.0"],
  ["IORING_SETUP_DEFER_TASKRUN", 1 << 13, 1 << 12, "6.1"],
  ["IORING_SETUP_TASKRUN_FLAG", 1 << 9, 1 << 8, "5.19"],
  ["IORING_SETUP_NO_SQARRAY", 1 << 16, 0, "6.6"],
  ["IORING_SETUP_CQE32", 1 << 11, 0, "5.19"],
  ["IORING_SETUP_CQE_MIXED", 1 << 18, 0, "6.18"],
] as const;

/** Operations: number in `enum io_uring_op`, and the kernel that brought them. */
const OPERATIONS = [
  ["IORING_OP_SEND", 26, "5.6"],
  ["IORING_OP_RECV", 27, "5.6"],
  ["IORING_OP_MSG_RING", 40, "5.18"],
  ["IORING_OP_SOCKET", 45, "5.19"],
  ["IORING_OP_SEND_ZC", 47, "6.0"],
  ["IORING_OP_SENDMSG_ZC", 48, "6.1"],
  ["IORING_OP_RECV_ZC", 58, "6.15"],
] as const;

const IORING_REGISTER_PROBE = 8;
const IORING_REGISTER_NAPI = 27;
/** Operations that one `struct io_uring_probe` has room for here. */
const PROBE_OPERATIONS = 256;
const IO_URING_OP_SUPPORTED = 1;

/** What the kernel must give back at the end: file descriptors that are not Deno's. */
const LIBC = {
  close: {
    parameters: ["i32"], // int fd
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

type Liburing = Deno.DynamicLibrary<typeof LIBURING>["symbols"];
type Close = (fd: number) => void;

function probeRing(answers: Map<Requirement, Answer>): void {
  try {
    using liburing = open("liburing.so.2", LIBURING);
    answers.set("liburing", real("liburing.so.2 with the ring calls"));
    using libc = open("libc.so.6", LIBC);
    probeRingWith(answers, liburing.symbols, (fd) => libc.symbols.close(fd));
  } catch (error) {
    if (!answers.has("liburing")) answers.set("liburing", explainLoading(error));
    const { state, command } = answers.get("liburing")!;
    answerRing(
      answers,
      state === "real" ? no(reason(error)) : no("it cannot be asked without liburing", command),
    );
  }
}

function explainLoading(error: unknown): Answer {
  return error instanceof Deno.errors.NotCapable
    ? no("Deno may not load libraries: run with --allow-ffi")
    : no("liburing.so.2 is missing, or older than 2.3", installCommand(["liburing"]));
}

/** A library that is closed at the end of its scope. */
function open<const Symbols extends Deno.ForeignLibraryInterface>(
  name: string,
  symbols: Symbols,
): Disposable & { readonly symbols: Deno.StaticForeignLibraryInterface<Symbols> } {
  const library = Deno.dlopen(name, symbols);
  return { symbols: library.symbols, [Symbol.dispose]: () => library.close() };
}

/** Gives everything that is asked of a ring the same answer. */
function answerRing(answers: Map<Requirement, Answer>, answer: Answer): void {
  for (const name of REQUIREMENTS) {
    if (/^IO_?U?RING_|^io_uring$/.test(name) && !answers.has(name)) answers.set(name, answer);
  }
}

function probeRingWith(answers: Map<Requirement, Answer>, ring: Liburing, close: Close): void {
  const fd = setup(ring, 0);
  if (fd < 0) {
    answerRing(answers, explainSetup(fd));
    return;
  }
  try {
    answers.set("io_uring", real("rings can be opened"));
    probeOperations(answers, ring, fd);
    probeNapi(answers, ring, fd);
  } finally {
    close(fd);
  }
  for (const [name, flag, beside, since] of SETUP_FLAGS) {
    const flagged = setup(ring, flag | beside);
    if (flagged >= 0) close(flagged);
    answers.set(
      name,
      flagged >= 0
        ? real("accepted")
        : no(`refused with ${describeErrno(-flagged)[0]}: ${cameWith(since)}`),
    );
  }
}

function setup(ring: Liburing, flags: number): number {
  const params = new Uint32Array(PARAMS_BYTES / 4);
  params[PARAMS_FLAGS] = flags;
  return ring.io_uring_setup(2, params);
}

function explainSetup(result: number): Answer {
  const [code, description] = describeErrno(-result);
  const disabled = read("/proc/sys/kernel/io_uring_disabled")?.trim() ?? "0";
  if (disabled !== "0") {
    return no(
      `kernel.io_uring_disabled is ${disabled}: ` +
        (disabled === "1" ? "only for privileged users and one group" : "nobody may open a ring"),
      "sysctl kernel.io_uring_disabled=0 (as root)",
    );
  }
  const filtered = /^Seccomp:\s*2$/m.test(read("/proc/self/status") ?? "");
  if (filtered && (code === "ENOSYS" || code === "EPERM" || code === "EACCES")) {
    return no(
      `io_uring_setup returns ${code}, and a seccomp filter is active: ` +
        "start the container with a profile that allows io_uring",
    );
  }
  if (code === "ENOSYS") return no(`io_uring is not in this kernel: ${cameWith("5.1")}`);
  return no(`io_uring_setup: ${code}: ${description}`);
}

function probeOperations(answers: Map<Requirement, Answer>, ring: Liburing, fd: number): void {
  // struct io_uring_probe: 16 bytes, then 8 bytes for each operation with its flags at offset 2.
  const reply = new Uint8Array(16 + 8 * PROBE_OPERATIONS);
  const result = ring.io_uring_register(fd, IORING_REGISTER_PROBE, reply, PROBE_OPERATIONS);
  for (const [name, number, since] of OPERATIONS) {
    const supported = result >= 0 && (reply[16 + 8 * number + 2]! & IO_URING_OP_SUPPORTED) !== 0;
    answers.set(name, supported ? real("supported") : no(cameWith(since)));
  }
  const zeroCopy = answers.get("IORING_OP_SEND_ZC")?.state === "real";
  answers.set(
    "IORING_SEND_VECTORIZED",
    // The kernel's list of operations does not tell which flags they know: only its version does.
    zeroCopy && kernelIsAtLeast("6.17") ? real("Linux 6.17 or later") : no(cameWith("6.17")),
  );
}

function probeNapi(answers: Map<Requirement, Answer>, ring: Liburing, fd: number): void {
  // struct io_uring_napi: u32 busy_poll_to; u8 prefer, opcode, pad[2]; u32 op_param; u32 resv.
  const dynamic = new Uint32Array([1, 0, 0, 0]);
  const result = ring.io_uring_register(fd, IORING_REGISTER_NAPI, dynamic, 1);
  answers.set(
    "IORING_REGISTER_NAPI",
    result >= 0 ? real("accepted") : no(
      `refused with ${describeErrno(-result)[0]}: ${cameWith("6.9")}, and CONFIG_NET_RX_BUSY_POLL`,
    ),
  );
  const fixed = new Uint32Array([1, 0, 1, 0]);
  const fixedResult = ring.io_uring_register(fd, IORING_REGISTER_NAPI, fixed, 1);
  answers.set(
    "IO_URING_NAPI_TRACKING_STATIC",
    fixedResult >= 0
      ? real("accepted")
      : no(`refused with ${describeErrno(-fixedResult)[0]}: ${cameWith("6.13")}`),
  );
}

function cameWith(version: string): string {
  return kernelIsAtLeast(version)
    ? `Linux ${version} brought it, but this kernel was built without it or forbids it`
    : `it came with Linux ${version}, this is ${Deno.osRelease()}`;
}

/** Drivers with the queue operations that zero-copy receive needs, in Linux 7.3. */
const ZCRX_DRIVERS = ["bnxt_en", "fbnic", "gve", "mlx5_core"];

function probeZcrx(answers: Map<Requirement, Answer>): void {
  const operation = answers.get("IORING_OP_RECV_ZC");
  if (operation?.state !== "real") {
    answers.set("zcrx", no(`IORING_OP_RECV_ZC: ${operation?.why ?? "unknown"}`));
    return;
  }
  if (answers.get("shim")?.state !== "real") {
    answers.set("zcrx", no("it needs the shim, which cannot be had"));
    return;
  }
  if (!hasCapability(CAP_NET_ADMIN)) {
    answers.set("zcrx", no("the kernel wants CAP_NET_ADMIN for it: run as root"));
    return;
  }
  const capable = networkDrivers().filter(([, driver]) => ZCRX_DRIVERS.includes(driver))
    .map(([name, driver]) => `on ${name} (${driver}), as far as header split and steering go`);
  if (answers.get("softnic")?.state === "real") capable.unshift("on softnic");
  if (zcrxFeatures().withoutDevice) capable.push("without a device, with copying");
  answers.set(
    "zcrx",
    capable.length > 0 ? real(capable.join("; ")) : no(
      `no NIC with queue operations (drivers ${ZCRX_DRIVERS.join(", ")}), and without a device ` +
        "it came with Linux 7.1",
    ),
  );
}

function probeUdmabuf(answers: Map<Requirement, Answer>): void {
  try {
    Deno.openSync("/dev/udmabuf", { read: true, write: true }).close();
    answers.set("udmabuf", real("/dev/udmabuf"));
  } catch (error) {
    const command = "modprobe udmabuf (as root)";
    answers.set(
      "udmabuf",
      error instanceof Deno.errors.NotFound
        ? no("there is no /dev/udmabuf (CONFIG_UDMABUF)", command)
        : no(`/dev/udmabuf cannot be opened: ${reason(error)}`),
    );
  }
}

/** The oldest kernel that the guest may have. */
export const GUEST_KERNEL = "7.3";

/** What the guest has, wherever it runs: what its kernel can do, its devices and memory. */
export const IN_GUEST: readonly Requirement[] = [
  ...REQUIREMENTS.filter((name) => /^IO_?U?RING_/.test(name)),
  "zcrx",
  "namespaces",
  "veth",
  "ifb",
  "softnic",
  "udmabuf",
  "huge pages",
];

function probeGuest(answers: Map<Requirement, Answer>, machine: Machine): void {
  const missing = missingComponents(GUEST_COMPONENTS);
  if (machine.architecture !== "x86_64") {
    answers.set("guest", no(`the guest is for x86_64, this is ${machine.architecture}`));
  } else if (Deno.uid() !== 0 && !hasGuest()) {
    answers.set("guest", no("making the guest takes root", "sudo deno task vm -- COMMAND"));
  } else if (missing.length === 0) {
    answers.set("guest", real(`deno task vm boots Linux ${GUEST_KERNEL} with softnic in QEMU`));
  } else {
    answers.set("guest", no(`not installed: ${missing.join(", ")}`, installCommand(missing)));
  }
  const possible = answers.get("guest")?.state === "real" ||
    (machine.architecture === "x86_64" && Deno.uid() === 0 && isObtainable(missing));
  if (!possible) return;
  for (const name of IN_GUEST) {
    const { state, why } = answers.get(name)!;
    if (state !== "no") continue;
    // What Deno may not do here, the guest does not change.
    if (answers.get("liburing")?.why.includes("--allow-ffi")) continue;
    answers.set(name, { state: "guest", why, command: "deno task vm -- COMMAND" });
  }
}

/** Whether a guest is in this user's cache, such as a copy of root's. */
function hasGuest(): boolean {
  const above = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME")}/.cache`;
  return list(`${above}/zclab/vm`).some((name) => name.startsWith("image-"));
}

/** The interfaces of this namespace that have a driver, with its name. */
function networkDrivers(): (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  for (const name of list("/sys/class/net")) {
    try {
      const driver = Deno.readLinkSync(`/sys/class/net/${name}/device/driver`);
      found.push([name, driver.slice(driver.lastIndexOf("/") + 1)]);
    } catch {
      // A virtual interface has no device, and so no driver.
    }
  }
  return found;
}

// === Namespaces and devices ===

/** What is tried in a namespace of its own: a line for each device that could be made. */
const DEVICES_SCRIPT = `
ip link add zc0 type veth peer name zc1 2>&1 && echo made veth
ip link add zc3 type softnic 2>&1 && echo made softnic
`;
const IFB_SCRIPT = "ip link add zc2 type ifb 2>&1 && echo made ifb\n";

/** Of a module that is not loaded yet: trying it would leave on the machine what using it leaves. */
function loadableIfb(devices: number): Answer {
  const why = "its module is not loaded yet: the kernel does that when it is used";
  if (devices === 0) return real(why);
  const names = devices === 1
    ? "ifb0"
    : devices === 2
    ? "ifb0 and ifb1"
    : `ifb0 to ifb${devices - 1}`;
  const leaves = `The kernel will load its module ifb, and make ${names} in this machine's own ` +
    "network, which stay. To avoid that, as root beforehand: modprobe ifb numifbs=0";
  return { ...real(why), leaves };
}

async function probeNamespaces(
  answers: Map<Requirement, Answer>,
  machine: Machine,
): Promise<void> {
  const devices = ["veth", "ifb", "softnic"] as const;
  const unshare = findProgram("unshare");
  if (unshare === undefined) {
    for (const name of ["namespaces", ...devices] as const) {
      answers.set(name, no("unshare is missing", installCommand(["unshare"])));
    }
    return;
  }
  // The namespace and all that is in it end with the shell.
  const flags = machine.privileged ? ["--net"] : ["--user", "--map-root-user", "--net"];
  if (machine.privileged) await loadIfb();
  const ifb = await findIfb();
  const script = "echo entered; " + DEVICES_SCRIPT +
    (ifb.state === "loadable" && !machine.privileged ? "" : IFB_SCRIPT);
  const made = await output(unshare, [...flags, "sh", "-c", script]);
  if (!made.text.includes("entered")) {
    const answer = explainNamespaces(made.text, machine);
    for (const name of ["namespaces", ...devices] as const) answers.set(name, answer);
    return;
  }
  answers.set(
    "namespaces",
    real(machine.privileged ? "as a privileged user" : "inside a user namespace, without root"),
  );
  for (const name of devices) {
    if (answers.get("ip")?.state !== "real") {
      answers.set(name, no("ip is not installed", installCommand(["ip"])));
    } else if (name === "ifb" && !script.includes(IFB_SCRIPT)) {
      answers.set(name, loadableIfb(ifb.devices));
    } else if (made.text.includes(`made ${name}`)) {
      answers.set(name, real("made one and removed it"));
    } else if (name === "softnic") {
      answers.set(name, no("zclab's NIC in software is not loaded; it is in the guest"));
    } else {
      const load = name === "ifb" ? "modprobe ifb numifbs=0" : `modprobe ${name}`;
      const module = machine.privileged
        ? load
        : `${load} (as root: an unprivileged user cannot load it)`;
      answers.set(
        name,
        no(`the kernel cannot make a ${name} device (CONFIG_${name.toUpperCase()})`, module),
      );
    }
  }
}

function explainNamespaces(text: string, machine: Machine): Answer {
  if (machine.privileged) return no(`a network namespace cannot be made: ${text.trim()}`);
  if (read("/proc/sys/user/max_user_namespaces")?.trim() === "0") {
    return no("user.max_user_namespaces is 0", "sysctl user.max_user_namespaces=16384 (as root)");
  }
  if (read("/proc/sys/kernel/unprivileged_userns_clone")?.trim() === "0") {
    return no(
      "kernel.unprivileged_userns_clone is 0",
      "sysctl kernel.unprivileged_userns_clone=1 (as root)",
    );
  }
  if (read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")?.trim() === "1") {
    return no(
      "AppArmor keeps user namespaces from unprivileged users",
      "sysctl kernel.apparmor_restrict_unprivileged_userns=0 (as root)",
    );
  }
  return no(`a user namespace cannot be made: ${text.trim()}; run as root`);
}

/** Runs a program and returns all that it printed, or why it could not be run. */
async function output(program: string, args: string[]): Promise<{ readonly text: string }> {
  try {
    const command = new Deno.Command(program, {
      args,
      stdin: "null",
      env: { LC_ALL: "C", PATH: `${Deno.env.get("PATH") ?? ""}:/usr/sbin:/sbin:/usr/bin:/bin` },
    });
    const { stdout, stderr } = await command.output();
    const decoder = new TextDecoder();
    return { text: decoder.decode(stdout) + decoder.decode(stderr) };
  } catch (error) {
    return { text: reason(error) };
  }
}

// === Limits ===

/**
 * Bytes of locked memory from which every lab's areas fit, and its rings. The kernel's own default
 * since 5.16 is half of that: `tx-copy-vs-zc` then does without one of its modes.
 */
const ENOUGH_MEMLOCK = 16 << 20;
/** The default of net.core.optmem_max since Linux 6.7, enough for the labs. */
const ENOUGH_OPTMEM = 128 << 10;

function probeLimits(answers: Map<Requirement, Answer>, machine: Machine): void {
  answers.set("memlock", probeMemlock());
  const optmem = Number(read("/proc/sys/net/core/optmem_max") ?? NaN);
  answers.set(
    "optmem_max",
    !(optmem < ENOUGH_OPTMEM)
      ? real(Number.isNaN(optmem) ? "not limited here" : `${optmem} bytes for each socket`)
      : no(
        `${optmem} bytes: more MSG_ZEROCOPY notifications than fit are ENOBUFS`,
        `sysctl net.core.optmem_max=${ENOUGH_OPTMEM} (as root)`,
      ),
  );
  const free = Number(read("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages") ?? NaN);
  answers.set(
    "huge pages",
    free > 0
      ? real(`${free} pages of 2 MiB are free`)
      : Number.isNaN(free)
      ? no("this kernel has no pages of 2 MiB")
      : no("no page of 2 MiB is free", "sysctl vm.nr_hugepages=64 (as root)"),
  );
  answers.set(
    "two CPUs",
    machine.cpus >= 2
      ? real(`${machine.cpus} CPUs`)
      : no("one CPU: sender and receiver would take turns on it"),
  );
}

function probeMemlock(): Answer {
  if (hasCapability(CAP_IPC_LOCK)) return real("not limited: CAP_IPC_LOCK");
  const limits = /^Max locked memory\s+(\S+)\s+(\S+)/m.exec(read("/proc/self/limits") ?? "");
  const [, soft = "unlimited", hard = "unlimited"] = limits ?? [];
  if (soft === "unlimited" || Number(soft) >= ENOUGH_MEMLOCK) return real(`limit ${soft} bytes`);
  const raisable = hard === "unlimited" || Number(hard) >= ENOUGH_MEMLOCK;
  return no(
    `RLIMIT_MEMLOCK is ${soft} bytes, registered areas need up to ${ENOUGH_MEMLOCK}`,
    raisable
      ? `ulimit -l ${hard === "unlimited" ? hard : Number(hard) >> 10}`
      : "sudo prlimit --memlock=unlimited --pid $$",
  );
}

// === Small things ===

const CAP_NET_ADMIN = 12;
const CAP_IPC_LOCK = 14;
const CAP_SYS_ADMIN = 21;

function hasCapability(number: number): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(read("/proc/self/status") ?? "");
  return effective !== null && ((BigInt(`0x${effective[1]}`) >> BigInt(number)) & 1n) === 1n;
}

function read(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}

function list(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map(({ name }) => name);
  } catch {
    return [];
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
