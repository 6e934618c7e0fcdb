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

/**
 * What zclab has that helps, for whoever shows an error to word: the guest, whose kernel and NIC can do
 * it, the same with the microscope, or the doctor, which tells what works here.
 */
export type Remedy = "guest" | "microscope" | "doctor";

/** What an errno means when an operation returns it, and what to do about it. */
export interface Explanation {
  /** What it means here. */
  readonly meaning: string;
  /** What to do about it. */
  readonly advice: string;
  /** What else helps. */
  readonly remedy?: Remedy;
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
  "bind EACCES": {
    meaning: "a port below net.ipv4.ip_unprivileged_port_start (1024) is for privileged users",
    advice: "use a higher port or port 0, or run as root",
  },
  "bind EINVAL": {
    meaning: "the socket has an address already, or the address is of another family",
    advice: "bind a socket once, before it connects",
  },
  "listen EOPNOTSUPP": {
    meaning: "this kind of socket does not accept connections",
    advice: "use a TCP socket",
  },
  "listen EINVAL": {
    meaning: "the socket is connected already",
    advice: "listen with a socket of its own",
  },
};

const MEMLOCK_ADVICE = "end what else this user runs (the limit counts all of it), or raise it: " +
  "ulimit -l 65536";

/** Explanations that hold for a kind of operation: the first kind that has one counts. */
const KINDS: readonly (readonly [RegExp, Readonly<Record<string, Explanation>>])[] = [
  // Sends that pin the caller's memory.
  [/^(SEND_ZC|SENDMSG_ZC)$/, {
    EOPNOTSUPP: {
      meaning: "this kind of socket cannot send without copying",
      advice: "use a TCP or UDP socket",
    },
    ENOMEM: {
      meaning: "out of memory, or RLIMIT_MEMLOCK is used up by what is being sent",
      advice: `reap notifications, send from a registered area, ${MEMLOCK_ADVICE}`,
    },
  }],
  [/MSG_ZEROCOPY$|SCM_DEVMEM/, {
    ENOBUFS: {
      meaning: "net.core.optmem_max or RLIMIT_MEMLOCK does not allow another send, or with " +
        "IP_RECVERR a queue on the way is full",
      advice: "reap notifications, raise net.core.optmem_max or ulimit -l, or send more slowly",
    },
  }],
  [/^(SEND|send)/, {
    EACCES: {
      meaning: "this is a broadcast address, or a rule forbids to send there",
      advice: "send to an address of one host",
    },
    EAGAIN: {
      meaning: "there is no room in the socket's buffer right now",
      advice: "wait until the socket is writable (POLL.OUT), or raise SO_SNDBUF",
    },
    ECONNREFUSED: {
      meaning: "nobody listens at that address: a datagram that was sent earlier was refused",
      advice: "start the receiver first, or check the port",
    },
    EINVAL: {
      meaning:
        "a flag or the address is wrong; or, with UDP_SEGMENT, there are more segments than " +
        "one send may have (64 before Linux 6.9, 128 since), or they are longer than the MTU allows",
      advice:
        "with UDP_SEGMENT send fewer segments at once; compare flags with the kernel version " +
        "that the documentation of this call names",
    },
    EMSGSIZE: {
      meaning:
        "a UDP datagram has at most 65507 bytes over IPv4 and 65527 over IPv6, all segments " +
        "of UDP_SEGMENT together; a segment, or one that must not be fragmented, fits the MTU",
      advice: "send less at once, use shorter segments, or raise the MTU",
    },
    ENOBUFS: {
      meaning: "a queue on the way is full, or there is no memory for another packet",
      advice: "send more slowly, or give the interface a longer queue (tc qdisc, txqueuelen)",
    },
    ENOMEM: {
      meaning: "the kernel has no memory for another packet",
      advice: "send less at once, or wait until what was sent is gone",
    },
    EPERM: {
      meaning: "a firewall rule or a filter on the way forbids it",
      advice:
        "look at nft list ruleset, iptables -S and tc filter in the socket's network namespace",
    },
  }],
  [/^(RECV|recv|READ$)/, {
    ENOBUFS: {
      meaning: "there is no buffer to receive into, or notifications were lost",
      advice: "release buffers, or give the group more of them",
    },
    ENOMEM: {
      meaning: "the kernel has no memory for it",
      advice: "receive less at once",
    },
    EMSGSIZE: {
      meaning: "what there is to receive does not fit the memory for it",
      advice: "receive into a longer slice",
    },
  }],
  // Registering pins memory.
  [/^IORING_REGISTER_/, {
    ENOMEM: {
      meaning: "out of memory, or RLIMIT_MEMLOCK is used up by what is registered",
      advice: `register less, ${MEMLOCK_ADVICE}`,
    },
    ENOBUFS: {
      meaning: "there is no memory for it, or RLIMIT_MEMLOCK is used up",
      advice: `register less, ${MEMLOCK_ADVICE}`,
    },
    EMSGSIZE: { meaning: "what is registered is too large", advice: "register less at once" },
  }],
  [/^(setsockopt|getsockopt|connect|bind|socket|listen|CONNECT|SOCKET|ACCEPT)/, {
    EAGAIN: {
      meaning: "it cannot be done right now: no free port is left, or the socket is busy",
      advice: "try again later, or close sockets that are not needed",
    },
    ENOBUFS: {
      meaning: "the kernel has no memory for it (net.core.optmem_max limits options)",
      advice: "close sockets that are not needed",
    },
    ENOMEM: {
      meaning: "the kernel has no memory for it",
      advice: "close sockets that are not needed",
    },
    EACCES: {
      meaning: "the address is a broadcast address, or a rule forbids it",
      advice: "check the address and the port",
    },
  }],
];

/** Explanations that hold whatever the operation was. */
const GENERAL: Readonly<Record<string, Explanation>> = {
  EACCES: { meaning: "permission denied", advice: "run as root, or as a user who may do it" },
  EAGAIN: { meaning: "it cannot be done right now", advice: "try again later" },
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
  EMSGSIZE: { meaning: "it is too large for one message", advice: "take less at once" },
  ENETUNREACH: {
    meaning: "no route leads there from this network namespace",
    advice: "make the socket in the namespace that has the route",
  },
  ENOBUFS: { meaning: "the kernel has no buffer space for it", advice: "take less at once" },
  ENOMEM: {
    meaning: "the kernel has no memory for it",
    advice: "use less at once; for memory that the kernel pins there is also a limit: ulimit -l",
  },
  EPERM: { meaning: "not permitted", advice: "run as root or with the capability it needs" },
  ETIME: { meaning: "the time ran out", advice: "wait longer, or check why nothing happened" },
  EINVAL: {
    meaning: "the kernel does not know this operation, flag or combination, or a value is wrong",
    advice: "compare with the kernel version that the documentation of this call names",
  },
  EOPNOTSUPP: {
    meaning: "this file or device does not support the operation",
    advice: "use what this kernel and this device can do",
    remedy: "doctor",
  },
};

function explanationOf(operation: string, code: string): Explanation | undefined {
  return EXPLANATIONS[`${operation} ${code}`] ??
    KINDS.find(([kind, known]) => kind.test(operation) && known[code] !== undefined)?.[1][code] ??
    GENERAL[code];
}

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

/** An error whose message says what is wrong and what to do: nobody needs its stack to understand it. */
export class ExplainedError extends Error {
  /** The name of the class, as `error.name` has it. */
  override readonly name: string = "ExplainedError";
  /** What else helps; not there if nothing does. */
  declare readonly remedy?: Remedy;

  /**
   * Makes the error.
   *
   * @param message What is wrong, and what to do.
   * @param options `cause`: the error behind it; `remedy`: what else helps.
   */
  constructor(
    message: string,
    options: ErrorOptions & { readonly remedy?: Remedy | undefined } = {},
  ) {
    const { remedy, ...rest } = options;
    super(message, rest);
    if (remedy !== undefined) this.remedy = remedy;
  }

  /** With which code a command that fails of it ends: 1, that it failed, unless the class says more. */
  get exitCode(): number {
    return 1;
  }
}

/** The kernel refused an operation. */
export class UringError extends ExplainedError {
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
    const known = explanationOf(operation, code);
    const meaning = explanation.meaning ?? known?.meaning ?? description;
    const advice = explanation.advice ?? known?.advice ?? "see man 3 errno";
    // Who gives other advice has another remedy, or none.
    const { remedy } = explanation.advice === undefined ? known ?? {} : explanation;
    super(`${operation}: ${code}: ${meaning}. What to do: ${advice}`, { remedy });
    this.operation = operation;
    this.errno = errno;
    this.code = code;
    this.meaning = meaning;
    this.advice = advice;
  }
}

/** Memory was asked for while somebody else owns it: the kernel, or the receiver of a buffer. */
export class OwnershipError extends ExplainedError {
  /** The name of the class, as `error.name` has it. */
  override readonly name = "OwnershipError";
}

/** What is said of a remedy where no command can be named. */
const WHO_HAS_IT: Readonly<Partial<Record<Remedy, string>>> = {
  guest: "zclab's guest has it",
  microscope: "zclab's guest has it, started with --microscope",
};

/** This kernel, user or machine lacks what the operation needs. */
export class UnsupportedError extends ExplainedError {
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
   * @param options `since`: the kernel version that has it; `advice`: what to do instead; `remedy`:
   *   what of zclab has it.
   */
  constructor(
    feature: string,
    options: { since?: string; advice?: string; remedy?: Remedy } = {},
  ) {
    const { since, advice, remedy } = options;
    const needs = since === undefined
      ? ""
      : `: it came with Linux ${since}, this is ${Deno.osRelease()}`;
    const further = [advice, remedy && WHO_HAS_IT[remedy]]
      .filter((sentence) => sentence).map((sentence) => `. ${sentence}`).join("");
    super(`${feature} is not available here${needs}${further}`, { remedy });
    this.feature = feature;
    this.since = since;
  }

  /** 77: it is not possible on this machine. */
  override get exitCode(): number {
    return 77;
  }
}

/** The object was closed before this call. */
export class ClosedError extends ExplainedError {
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
