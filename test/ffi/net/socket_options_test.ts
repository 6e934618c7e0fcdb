import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { Socket, SOCKET_OPTIONS, type SocketOption, Testbed, UringError } from "zclab";
import type { SocketOptionKind } from "../../../ffi/net/socket_options.ts";
import { test } from "../../needs.ts";

const ALL = Object.entries(SOCKET_OPTIONS) as [
  SocketOption,
  readonly [number, number, SocketOptionKind],
][];

/** Values of types that no option takes. */
const NONE = [undefined, null, 1n, {}, [], Symbol("1"), () => 1, new Number(1)];

/** The error that setting an option to a value of any type throws. */
function refusal(socket: Socket, name: string, value: unknown): Error {
  return assertThrows(() => socket.setOption(name as SocketOption, value as number), Error);
}

for (const [name, [, , kind]] of ALL) {
  Deno.test(`${name} takes what its kind says, and nothing else`, () => {
    using socket = (name.startsWith("TCP") ? Socket.tcp : Socket.udp)({}, {
      family: name.startsWith("IPV6") ? 6 : 4,
    });
    const holds = (): number | undefined => {
      try {
        return socket.option((kind.readAs ?? name) as SocketOption);
      } catch (error) {
        // Some can only be set, or read when the socket is connected.
        if (error instanceof UringError) return undefined;
        throw error;
      }
    };
    const before = holds();
    for (const value of NONE) {
      const error = refusal(socket, name, value);
      assertEquals(error.constructor, TypeError, `${name} = ${Deno.inspect(value)}`);
      assertStringIncludes(error.message, name);
    }
    if (kind.takes === "nothing") {
      for (const value of [0, 1, true, "1"]) {
        assertMatch(refusal(socket, name, value).message, new RegExp(`${name} can be read, not`));
      }
    } else if (kind.takes === "name") {
      for (const value of [0, 1, true]) {
        assertEquals(refusal(socket, name, value).name, "TypeError");
      }
      for (const value of ["a".repeat(16), "ä".repeat(8), "lo\0", "\0"]) {
        assertMatch(
          refusal(socket, name, value).message,
          /^SO_BIND.* at most 15 bytes without NUL/,
        );
      }
    } else {
      const { least = 0, most = 1 } = kind;
      const wrong = [NaN, Infinity, -Infinity, 0.5, 1.5, least - 1, most + 1, 1e10, -1e10, 2 ** 53];
      for (const value of [...wrong, most + 2 ** 32]) {
        const error = refusal(socket, name, value);
        assertEquals(error.constructor, RangeError, `${name} = ${value}`);
        assertStringIncludes(error.message, `${value}`);
      }
      for (const value of ["", "1", "4194304"]) {
        assertEquals(refusal(socket, name, value).constructor, TypeError);
      }
      if (kind.takes === "number") {
        assertEquals(refusal(socket, name, true).constructor, TypeError);
      }
    }
    assertEquals(holds(), before);
  });
}

for (const [name, [, , { takes }]] of ALL) {
  if (takes !== "switch") continue;
  const needsRoot = name === "SO_PREFER_BUSY_POLL";
  test(`${name} takes true, false, 1 and 0, and is read as 1 or 0`, {
    needs: needsRoot ? ["root"] : [],
  }, () => {
    using socket = name.startsWith("TCP") ? Socket.tcp() : Socket.udp({}, { family: 6 });
    for (const [value, reads] of [[true, 1], [0, 0], [1, 1], [false, 0]] as const) {
      assertEquals(socket.setOption(name, value).option(name), reads, `${value}`);
    }
  });
}

Deno.test("The kernel cuts SO_RCVBUF and doubles it, and option() says what holds", () => {
  using socket = Socket.udp();
  const limit = Number(Deno.readTextFileSync("/proc/sys/net/core/rmem_max"));
  assertEquals(socket.setOption("SO_RCVBUF", limit).option("SO_RCVBUF"), 2 * limit);
  assertEquals(socket.setOption("SO_RCVBUF", 0x7fff_ffff).option("SO_RCVBUF"), 2 * limit);
  assert(socket.setOption("SO_RCVBUF", 0).option("SO_RCVBUF") > 0);
  const error = assertThrows(() => socket.option("SO_RCVBUFFORCE"), TypeError);
  assertMatch(error.message, /can be set, not read: SO_RCVBUF says what holds/);
});

test("SO_MARK has 32 bits without a sign", { needs: ["root"] }, () => {
  using socket = Socket.udp();
  assertEquals(socket.setOption("SO_MARK", 0xdead_beef).option("SO_MARK"), 0xdead_beef);
});

Deno.test("SO_BINDTODEVICE takes a name, and SO_BINDTOIFINDEX says which interface that is", async () => {
  using bed = await Testbed.loopback();
  using socket = Socket.udp(bed.near);
  assertEquals(socket.option("SO_BINDTOIFINDEX"), 0);
  assertEquals(socket.setOption("SO_BINDTODEVICE", "lo").option("SO_BINDTOIFINDEX"), 1);
  assertEquals(socket.setOption("SO_BINDTODEVICE", "").option("SO_BINDTOIFINDEX"), 0);
  assertThrows(() => socket.option("SO_BINDTODEVICE"), TypeError, "SO_BINDTOIFINDEX says");
});

Deno.test("An option that does not exist is named, with the one that was probably meant", () => {
  using socket = Socket.udp();
  const near = [
    ["SO_RECVBUF", "SO_RCVBUF"],
    ["so_rcvbuf", "SO_RCVBUF"],
    ["TCP_NO_DELAY", "TCP_NODELAY"],
    ["UDP_SEGMENTS", "UDP_SEGMENT"],
    ["ZEROCOPY", "SO_ZEROCOPY"],
  ] as const;
  for (const [given, meant] of near) {
    for (
      const call of [
        (name: SocketOption): unknown => socket.setOption(name, 1),
        (name: SocketOption): unknown => socket.option(name),
      ]
    ) {
      const error = assertThrows(() => call(given as SocketOption), RangeError);
      assertStringIncludes(error.message, `"${given}" here (did you mean ${meant}?)`);
    }
  }
  for (const given of ["", "constructor", "__proto__", "x".repeat(10_000)]) {
    const error = assertThrows(() => socket.option(given as SocketOption), RangeError);
    assertEquals(error.message.includes("did you mean"), false);
  }
  for (const given of [undefined, null, 8, {}]) {
    assertThrows(() => socket.option(given as unknown as SocketOption), TypeError, "is a text");
  }
});

Deno.test("What the kernel refuses of an option is explained", () => {
  using udp = Socket.udp();
  using tcp = Socket.tcp();
  const wrongKind = assertThrows(() => udp.setOption("TCP_NODELAY", true), UringError);
  assertMatch(wrongKind.meaning, /this kind of socket has no such option/);
  const segment = assertThrows(() => tcp.setOption("TCP_MAXSEG", 10), UringError);
  assertMatch(segment.advice, /88 to 32767 bytes/);
  const absent = assertThrows(() => udp.setOption("SO_BINDTODEVICE", "nowhere0"), UringError);
  assertMatch(absent.meaning, /no interface "nowhere0"/);
});
