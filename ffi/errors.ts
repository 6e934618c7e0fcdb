/**
 * The errors of zclab, and the one place where a negative result of the kernel becomes one.
 *
 * @module
 */
import { getSystemErrorMap } from "node:util";

/** Errno values that the ring and the socket layer return and that libuv's table does not name. */
const FURTHER_ERRNOS: readonly (readonly [number, string, string])[] = [
  [33, "EDOM", "argument out of domain"],
  [53, "EBADR", "the completion queue dropped events"],
  [61, "ENODATA", "no data available"],
  [62, "ETIME", "timer expired"],
  [77, "EBADFD", "file descriptor in bad state"],
  [85, "ERESTART", "interrupted system call should be restarted"],
  [95, "EOPNOTSUPP", "operation not supported on this file"],
  [109, "ETOOMANYREFS", "too many references"],
];

/** What an errno means when an operation returns it, and what to do about it. */
export interface Explanation {
  /** What it means here. */
  readonly meaning: string;
  /** What to do about it. */
  readonly advice: string;
}

/** Explanations that hold for one operation, keyed by `operation errno`. */
const EXPLANATIONS: Readonly<Record<string, Explanation>> = {
  "io_uring_setup EPERM": {
    meaning:
      "io_uring is refused to this user, by kernel.io_uring_disabled or by a container's seccomp filter",
    advice: "as root: sysctl kernel.io_uring_disabled=0; in a container allow io_uring in its " +
      "seccomp profile",
  },
  "io_uring_setup ENOSYS": {
    meaning: "this kernel has no io_uring, or a seccomp filter hides it (containers often do)",
    advice: "use Linux 5.19 or later, and in a container allow io_uring in its seccomp profile",
  },
  "io_uring_setup ENOMEM": {
    meaning: "the kernel could not allocate the ring, or RLIMIT_MEMLOCK is used up",
    advice: "open a smaller ring, end what else this user runs (the limit counts all of it), or " +
      "raise it: ulimit -l 65536",
  },
  "io_uring_enter EEXIST": {
    meaning: "the ring belongs to another thread (IORING_SETUP_SINGLE_ISSUER)",
    advice: "use a ring only on the thread that opened it; give each Worker its own",
  },
  "SEND_ZC EOPNOTSUPP": {
    meaning: "this kind of socket cannot send without copying",
    advice: "use a TCP or UDP socket",
  },
};

/** Explanations that hold whatever the operation was. */
const GENERAL: Readonly<Record<string, Explanation>> = {
  EACCES: { meaning: "permission denied", advice: "run as root, or check the address and port" },
  EAGAIN: { meaning: "nothing is available right now", advice: "try again later" },
  EBADF: { meaning: "the file descriptor is not open", advice: "check that it was not closed" },
  ECANCELED: { meaning: "the operation was cancelled", advice: "nothing, if that was intended" },
  ECONNREFUSED: {
    meaning: "nobody listens at that address",
    advice: "start the receiver first, or check the port",
  },
  ECONNRESET: { meaning: "the peer reset the connection", advice: "connect again" },
  EPIPE: { meaning: "the connection is shut down for sending", advice: "connect again" },
  EFAULT: {
    meaning: "an address lies outside mapped memory, or outside the registered buffer",
    advice: "use slices of an Area, registered with this ring for fixed-buffer operations",
  },
  EMSGSIZE: {
    meaning: "the message is larger than the socket or the interface can send at once",
    advice: "send less at once, raise the MTU, or use UDP_SEGMENT",
  },
  ENETUNREACH: {
    meaning: "no route leads there from this network namespace",
    advice: "make the socket in the namespace that has the route",
  },
  ENOBUFS: {
    meaning: "no buffer space, or net.core.optmem_max or RLIMIT_MEMLOCK is used up",
    advice: "reap completions, raise net.core.optmem_max, or raise ulimit -l",
  },
  ENOMEM: {
    meaning: "out of memory, or RLIMIT_MEMLOCK is used up",
    advice: "reap notifications, use less, end what else this user runs (the limit counts all of " +
      "it), or raise it: ulimit -l 65536",
  },
  EPERM: { meaning: "not permitted", advice: "run as root or with the capability it needs" },
  ETIME: { meaning: "the time ran out", advice: "wait longer, or check why nothing happened" },
  EINVAL: {
    meaning: "the kernel does not know this operation, flag or combination, or a value is wrong",
    advice: "compare with the kernel version that the documentation of this call names",
  },
  EOPNOTSUPP: {
    meaning: "this file or device does not support the operation",
    advice: "see deno task doctor for what works here",
  },
};

let errnoTable: Map<number, readonly [string, string]> | undefined;

/** The name and the plain description of a positive errno. */
export function describeErrno(errno: number): readonly [name: string, description: string] {
  if (errnoTable === undefined) {
    errnoTable = new Map();
    for (const [negative, [name, text]] of getSystemErrorMap()) {
      errnoTable.set(-negative, [name === "ENOTSUP" ? "EOPNOTSUPP" : name, text]);
    }
    for (const [number, name, text] of FURTHER_ERRNOS) errnoTable.set(number, [name, text]);
  }
  return errnoTable.get(errno) ?? [`errno ${errno}`, "unknown error"];
}

/** The kernel refused an operation. */
export class UringError extends Error {
  /** The name of the class, as `error.name` has it. */
  override readonly name = "UringError";
  /** The operation, under its kernel name where it has one, such as `SEND_ZC`. */
  readonly operation: string;
  /** The errno as a positive number. */
  readonly errno: number;
  /** The name of the errno, such as `ECONNRESET`. */
  readonly code: string;
  /** What the errno means for this operation. */
  readonly meaning: string;
  /** What to do about it. */
  readonly advice: string;

  /**
   * Makes the error for an operation.
   *
   * @param operation The operation that failed.
   * @param errno The positive errno.
   * @param explanation Replaces the general explanation where the caller knows more.
   */
  constructor(operation: string, errno: number, explanation: Partial<Explanation> = {}) {
    const [code, description] = describeErrno(errno);
    const known = EXPLANATIONS[`${operation} ${code}`] ?? GENERAL[code];
    const meaning = explanation.meaning ?? known?.meaning ?? description;
    const advice = explanation.advice ?? known?.advice ?? "see man 3 errno";
    super(`${operation}: ${code}: ${meaning}. What to do: ${advice}`);
    this.operation = operation;
    this.errno = errno;
    this.code = code;
    this.meaning = meaning;
    this.advice = advice;
  }
}

/** Memory was asked for while somebody else owns it: the kernel, or the receiver of a buffer. */
export class OwnershipError extends Error {
  /** The name of the class, as `error.name` has it. */
  override readonly name = "OwnershipError";
}

/** This kernel, user or machine lacks what the operation needs. */
export class UnsupportedError extends Error {
  /** The name of the class, as `error.name` has it. */
  override readonly name = "UnsupportedError";
  /** What is missing, under its kernel name where it has one. */
  readonly feature: string;
  /** The kernel version that has it, such as `6.17`, or undefined where no version would help. */
  readonly since: string | undefined;

  /**
   * Makes the error for a feature.
   *
   * @param feature What is missing.
   * @param options `since`: the kernel version that has it; `advice`: what to do instead.
   */
  constructor(feature: string, options: { since?: string; advice?: string } = {}) {
    const needs = options.since === undefined
      ? ""
      : `: it came with Linux ${options.since}, this is ${Deno.osRelease()}`;
    super(
      `${feature} is not available here${needs}${options.advice ? `. ${options.advice}` : ""}`,
    );
    this.feature = feature;
    this.since = options.since;
  }
}

/** The object was closed before this call. */
export class ClosedError extends Error {
  /** The name of the class, as `error.name` has it. */
  override readonly name = "ClosedError";

  /**
   * Makes the error for a kind of object.
   *
   * @param what The object that is closed, such as `Ring`.
   */
  constructor(what: string) {
    super(`${what} is closed. Open a new one`);
  }
}

/**
 * Returns a result of the kernel that is not negative, and throws what a negative one means.
 * Every foreign call and every awaited completion passes here.
 *
 * @throws {UringError} If the result is negative.
 */
export function unwrap(operation: string, result: number): number {
  if (result < 0) throw new UringError(operation, -result);
  return result;
}

/** Whether this kernel is at least the version given as `major.minor`. */
export function kernelIsAtLeast(version: string, release: string = Deno.osRelease()): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [haveMajor = 0, haveMinor = 0] = release.split(/[.-]/).map(Number);
  return haveMajor > major || (haveMajor === major && haveMinor >= minor);
}
