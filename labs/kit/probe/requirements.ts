/**
 * What a lab can need, and the answers that there are.
 *
 * @module
 */

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
  "microscope",
  "memlock",
  "optmem_max",
  "huge pages",
  "two CPUs",
  "clock of time",
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

/** An answer before it has a name. */
export type Answer = Omit<ProbeItem, "name">;

/** It is possible here. */
export const real = (why: string): Answer => ({ state: "real", why });
/** It is not; `command` would change that. */
export const no = (why: string, command?: string): Answer => (
  command === undefined ? { state: "no", why } : { state: "no", why, command }
);

/** The answers found so far: later ones follow from earlier ones. */
export type Answers = Map<Requirement, Answer>;
