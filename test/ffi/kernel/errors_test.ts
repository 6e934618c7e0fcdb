import {
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertNotMatch,
  assertThrows,
} from "@std/assert";
import {
  ClosedError,
  describeErrno,
  kernelIsAtLeast,
  OwnershipError,
  UnsupportedError,
  UringError,
} from "zclab";
import { unwrap } from "../../../ffi/kernel/errors.ts";

Deno.test("UringError names the operation, the errno, what it means and what to do", () => {
  const error = new UringError("RECV", 104);
  assertInstanceOf(error, Error);
  assertEquals(error.name, "UringError");
  assertEquals([error.operation, error.errno, error.code], ["RECV", 104, "ECONNRESET"]);
  assertEquals(error.meaning, "the peer reset the connection");
  assertEquals(error.advice, "connect again");
  assertEquals(
    error.message,
    "RECV: ECONNRESET: the peer reset the connection. What to do: connect again",
  );
});

Deno.test("UringError knows what an errno means for one operation", () => {
  assertMatch(new UringError("io_uring_setup", 1).message, /kernel\.io_uring_disabled/);
  assertMatch(new UringError("io_uring_setup", 38).message, /seccomp/);
  assertMatch(new UringError("SEND_ZC", 95).message, /cannot send without copying/);
  assertMatch(new UringError("RECV", 95).message, /does not support the operation/);
});

Deno.test("UringError lets the caller say what it knows better", () => {
  const error = new UringError("mmap", 12, { meaning: "no huge pages", advice: "reserve some" });
  assertEquals(error.message, "mmap: ENOMEM: no huge pages. What to do: reserve some");
  assertMatch(new UringError("mmap", 12, { meaning: "so" }).message, /ENOMEM: so\. .*ulimit -l/);
});

Deno.test("Advice fits the operation that failed", () => {
  const text = (operation: string, errno: number): string =>
    new UringError(operation, errno).message;
  const [ENOMEM, EMSGSIZE, ENOBUFS, EACCES, EAGAIN, EPERM] = [12, 90, 105, 13, 11, 1];
  const sends = ["send", "SEND", "SENDMSG", "send MSG_ZEROCOPY", "SEND_ZC", "SENDMSG_ZC"];
  const others = [
    ...["mmap", "memfd_create", "setsockopt SO_RCVBUF", "connect", "socket", "RECV", "READ"],
    ...["ACCEPT", "open /file", "unshare", "eventfd", "RTM_NEWLINK", "IORING_REGISTER_BUFFERS2"],
  ];
  // Locked memory is a matter of what the kernel pins.
  for (const operation of ["SEND_ZC", "SENDMSG_ZC", "IORING_REGISTER_BUFFERS2", "io_uring_setup"]) {
    assertMatch(text(operation, ENOMEM), /RLIMIT_MEMLOCK/);
  }
  for (const operation of ["send", "SEND", "SENDMSG", "RECV", "setsockopt SO_RCVBUF", "connect"]) {
    assertNotMatch(text(operation, ENOMEM), /MEMLOCK|memlock|ulimit/);
  }
  // So is the memory for notifications one of MSG_ZEROCOPY, and a datagram's length one of sends.
  assertMatch(text("send MSG_ZEROCOPY", ENOBUFS), /optmem_max/);
  for (const operation of ["send", "SEND", "SEND_ZC", "RECV", "READ"]) {
    assertNotMatch(text(operation, ENOBUFS), /optmem_max|MEMLOCK/);
  }
  for (const operation of sends) {
    assertMatch(text(operation, EMSGSIZE), /65507 bytes over IPv4 and 65527 over IPv6/);
    assertNotMatch(new UringError(operation, EMSGSIZE).advice, /UDP_SEGMENT/);
    assertMatch(text(operation, EAGAIN), /no room/);
    assertMatch(text(operation, EPERM), /firewall/);
  }
  for (const operation of others) {
    assertNotMatch(text(operation, EMSGSIZE), /UDP_SEGMENT|MTU|65507/);
    assertNotMatch(text(operation, EPERM), /firewall/);
  }
  assertMatch(text("bind", EACCES), /ip_unprivileged_port_start/);
  assertNotMatch(text("open /file", EACCES), /port|address/);
});

Deno.test("UringError describes errnos without an explanation, and unknown ones", () => {
  assertMatch(new UringError("bind", 98).message, /^bind: EADDRINUSE: address already in use/);
  assertMatch(new UringError("bind", 4000).message, /^bind: errno 4000: unknown error/);
});

Deno.test("describeErrno() uses the kernel's names", () => {
  for (const [errno, name] of [[11, "EAGAIN"], [62, "ETIME"], [95, "EOPNOTSUPP"]] as const) {
    assertEquals(describeErrno(errno)[0], name);
  }
});

Deno.test("unwrap() returns what is not negative and throws what is", () => {
  assertEquals(unwrap("read", 0), 0);
  assertEquals(unwrap("read", 42), 42);
  const error = assertThrows(() => unwrap("read", -9), UringError, "EBADF");
  assertEquals([error.operation, error.errno], ["read", 9]);
});

Deno.test("UnsupportedError names the version that has it, this one, and what to do instead", () => {
  const error = new UnsupportedError("IORING_OP_SEND_ZC", { since: "6.0", advice: "Use send" });
  assertEquals([error.feature, error.since], ["IORING_OP_SEND_ZC", "6.0"]);
  assertEquals(
    error.message,
    "IORING_OP_SEND_ZC is not available here: it came with Linux 6.0, this is " +
      `${Deno.osRelease()}. Use send`,
  );
  assertEquals(new UnsupportedError("ifb").message, "ifb is not available here");
});

Deno.test("ClosedError and OwnershipError are errors with names of their own", () => {
  assertEquals(new ClosedError("Ring").message, "Ring is closed. Open a new one");
  assertEquals(new ClosedError("Ring").name, "ClosedError");
  assertEquals(new OwnershipError("mine").name, "OwnershipError");
});

Deno.test("kernelIsAtLeast() compares numbers, not texts", () => {
  const cases: readonly (readonly [release: string, version: string, expected: boolean])[] = [
    ["6.1.0-18-amd64", "6.1", true],
    ["6.1.0-18-amd64", "6.2", false],
    ["6.10.3", "6.9", true],
    ["6.9.3", "6.10", false],
    ["5.19.17", "6.0", false],
    ["7.0.0-rc1", "6.17", true],
    ["6.17-rc2", "6.17", true],
  ];
  for (const [release, version, expected] of cases) {
    assertEquals(kernelIsAtLeast(version, release), expected, `${release} and ${version}`);
  }
});
