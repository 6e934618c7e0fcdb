/**
 * What liburing and the kernel can do with a ring.
 *
 * @module
 */
import { describeErrno, kernelIsAtLeast } from "../../../ffi/kernel/errors.ts";
import { LAYOUTS, Struct } from "../../../ffi/kernel/layout.ts";
import { LIBURING } from "../../../ffi/kernel/symbols.ts";
import {
  NAPI,
  OP,
  OP_SINCE,
  OP_SUPPORTED,
  type OperationName,
  REGISTER,
  SETUP,
} from "../../../ffi/kernel/uapi.ts";
import { installCommand } from "../terminal/setup.ts";
import {
  type Answer,
  type Answers,
  no,
  real,
  type Requirement,
  REQUIREMENTS,
} from "./requirements.ts";
import { read, reason } from "./system_files.ts";

/** Set-up flags, the kernel that brought each, and a flag that it needs beside it. */
const SETUP_FLAGS: readonly (readonly [name: ProbedFlag, since: string, beside?: number])[] = [
  ["SINGLE_ISSUER", "6.0"],
  ["DEFER_TASKRUN", "6.1", SETUP.SINGLE_ISSUER],
  ["TASKRUN_FLAG", "5.19", SETUP.COOP_TASKRUN],
  ["NO_SQARRAY", "6.6"],
  ["CQE32", "5.19"],
  ["CQE_MIXED", "6.18"],
];

type ProbedFlag = Probed<"IORING_SETUP", keyof typeof SETUP>;

const OPERATIONS: readonly Probed<"IORING_OP", OperationName>[] = [
  "SEND",
  "RECV",
  "MSG_RING",
  "SOCKET",
  "SEND_ZC",
  "SENDMSG_ZC",
  "RECV_ZC",
];

/** Those of the names that a lab can need. */
type Probed<Prefix extends string, Name extends string> = Name extends Name
  ? `${Prefix}_${Name}` extends Requirement ? Name : never
  : never;

/** Operations that one `struct io_uring_probe` has room for here. */
const PROBE_OPERATIONS = 256;

/** What the kernel must give back at the end: file descriptors that are not Deno's. */
const LIBC = {
  close: {
    parameters: ["i32"], // int fd
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

type Liburing = Deno.DynamicLibrary<typeof LIBURING>["symbols"];
type Close = (fd: number) => void;

/** liburing, and what the kernel can do with a ring. */
export function probeRing(answers: Answers): void {
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
function answerRing(answers: Answers, answer: Answer): void {
  for (const name of REQUIREMENTS) {
    if (/^IO_?U?RING_|^io_uring$/.test(name) && !answers.has(name)) answers.set(name, answer);
  }
}

function probeRingWith(answers: Answers, ring: Liburing, close: Close): void {
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
  for (const [name, since, beside = 0] of SETUP_FLAGS) {
    const flagged = setup(ring, SETUP[name] | beside);
    if (flagged >= 0) close(flagged);
    answers.set(
      `IORING_SETUP_${name}`,
      flagged >= 0
        ? real("accepted")
        : no(`refused with ${describeErrno(-flagged)[0]}: ${cameWith(since)}`),
    );
  }
}

function setup(ring: Liburing, flags: number): number {
  const params = new Struct(LAYOUTS.io_uring_params).set("flags", flags);
  return ring.io_uring_setup(2, new Uint8Array(params.buffer));
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

function probeOperations(answers: Answers, ring: Liburing, fd: number): void {
  const { size } = LAYOUTS.io_uring_probe;
  const entry = LAYOUTS.io_uring_probe_op;
  const reply = new Uint8Array(size + PROBE_OPERATIONS * entry.size);
  const result = ring.io_uring_register(fd, REGISTER.PROBE, reply, PROBE_OPERATIONS);
  for (const name of OPERATIONS) {
    const operation = new Struct(entry, { buffer: reply.buffer, at: size + OP[name] * entry.size });
    const supported = result >= 0 && (operation.get("flags") & OP_SUPPORTED) !== 0;
    answers.set(
      `IORING_OP_${name}`,
      supported ? real("supported") : no(cameWith(OP_SINCE[name])),
    );
  }
  const zeroCopy = answers.get("IORING_OP_SEND_ZC")?.state === "real";
  answers.set(
    "IORING_SEND_VECTORIZED",
    // The kernel's list of operations does not tell which flags they know: only its version does.
    zeroCopy && kernelIsAtLeast("6.17") ? real("Linux 6.17 or later") : no(cameWith("6.17")),
  );
}

function probeNapi(answers: Answers, ring: Liburing, fd: number): void {
  const dynamic = setNapi(ring, fd, NAPI.TRACKING_DYNAMIC);
  answers.set(
    "IORING_REGISTER_NAPI",
    dynamic >= 0 ? real("accepted") : no(
      `refused with ${describeErrno(-dynamic)[0]}: ${cameWith("6.9")}, and CONFIG_NET_RX_BUSY_POLL`,
    ),
  );
  const fixed = setNapi(ring, fd, NAPI.TRACKING_STATIC);
  answers.set(
    "IO_URING_NAPI_TRACKING_STATIC",
    fixed >= 0
      ? real("accepted")
      : no(`refused with ${describeErrno(-fixed)[0]}: ${cameWith("6.13")}`),
  );
}

function setNapi(ring: Liburing, fd: number, tracking: number): number {
  const struct = new Struct(LAYOUTS.io_uring_napi)
    .set("opcode", NAPI.REGISTER_OP).set("op_param", tracking).set("busy_poll_to", 1);
  return ring.io_uring_register(fd, REGISTER.NAPI, new Uint8Array(struct.buffer), 1);
}

function cameWith(version: string): string {
  return kernelIsAtLeast(version)
    ? `Linux ${version} brought it, but this kernel was built without it or forbids it`
    : `it came with Linux ${version}, this is ${Deno.osRelease()}`;
}
