import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Area, MessageZeroCopy, Ring, Socket, Testbed, UringError } from "zclab";
import { connectUdp } from "../connections.ts";
import { test } from "../../needs.ts";

for (const [family, most] of [[4, 65_507], [6, 65_527]] as const) {
  Deno.test(`A send that is too long names the limit of a datagram (IPv${family})`, async () => {
    using bed = await Testbed.loopback();
    using area = Area.map({ bytes: 1 << 20 });
    using connection = connectUdp(bed, family);
    const { near } = connection;
    assertEquals(near.sendBlocking(area.slice(0, most)), most);
    const zeroCopy = new MessageZeroCopy(near);
    for (const bytes of [most + 1, 65_536, 1 << 20]) {
      const sends = [
        (): number => near.sendBlocking(area.slice(0, bytes)),
        (): number => zeroCopy.sendBlocking(area.slice(0, bytes)),
        (): number => zeroCopy.sendEachBlocking(area.slice(0, bytes), bytes),
      ];
      for (const send of sends) {
        const error = assertThrows(send, UringError);
        assertEquals(error.code, "EMSGSIZE");
        assertMatch(
          error.meaning,
          new RegExp(`^${bytes} bytes .* over IPv${family}: at most ${most}`),
        );
        assertEquals(error.advice, `send at most ${most} bytes at once`);
      }
    }
  });

  Deno.test(`A send with UDP_SEGMENT names the limit that it hit (IPv${family})`, async () => {
    using bed = await Testbed.loopback();
    using area = Area.map({ bytes: 1 << 20 });
    using connection = connectUdp(bed, family);
    const { near } = connection;
    const refusal = (segment: number, bytes: number): UringError => {
      near.setOption("UDP_SEGMENT", segment);
      const plain = assertThrows(() => near.sendBlocking(area.slice(0, bytes)), UringError);
      using other = Socket.udp(bed.near, { family }).connect(near.remoteAddress!);
      const zeroCopy = new MessageZeroCopy(other.setOption("UDP_SEGMENT", segment));
      const second = assertThrows(() => zeroCopy.sendBlocking(area.slice(0, bytes)), UringError);
      assertEquals([second.code, second.meaning], [plain.code, plain.meaning]);
      assertEquals(zeroCopy.outstanding, 0);
      return plain;
    };
    near.setOption("UDP_SEGMENT", 100);
    assertEquals(near.sendBlocking(area.slice(0, 6400)), 6400);
    const many = refusal(100, 12_900);
    assertEquals(many.code, "EINVAL");
    assertMatch(
      many.meaning,
      /129 segments of 100 bytes \(UDP_SEGMENT\): one send has at most .*128/,
    );
    assertMatch(many.advice, /send at most (12800|6400) bytes at once/);

    const long = refusal(1472, 1472 * 45);
    assertEquals(long.code, "EMSGSIZE");
    assertMatch(long.meaning, new RegExp(`^66240 bytes .*all its segments.* at most ${most}$`));
    assertEquals(long.advice, "send at most 64768 bytes at once in segments of 1472");
    for (const { message } of [many, long]) assertEquals(/use UDP_SEGMENT/.test(message), false);
  });
}

test("A segment that is longer than the MTU allows names the MTU", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink({ mtu: 1500 });
  using area = Area.map({ bytes: 1 << 16 });
  for (const [family, most] of [[4, 1472], [6, 1452]] as const) {
    using socket = Socket.udp(bed.near, { family }).connect(bed.far.address(9000, family));
    socket.setOption("UDP_SEGMENT", most);
    assertEquals(socket.sendBlocking(area.slice(0, 5000)), 5000);
    socket.setOption("UDP_SEGMENT", most + 1);
    const error = assertThrows(() => socket.sendBlocking(area.slice(0, 5000)), UringError);
    assertMatch(error.meaning, new RegExp(`^a segment of ${most + 1} bytes.* MTU of 1500 bytes`));
    assertEquals(error.advice, `set UDP_SEGMENT to at most ${most}, or raise the MTU`);
    socket.setOption("UDP_SEGMENT", 0);
    assertEquals(socket.sendBlocking(area.slice(0, 5000)), 5000);
  }
});

test("A datagram that must not be fragmented names the MTU", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink({ mtu: 1500 });
  using area = Area.map({ bytes: 1 << 16 });
  using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
  socket.setOption("IP_MTU_DISCOVER", 2);
  assertEquals([socket.option("IP_MTU"), socket.sendBlocking(area.slice(0, 1472))], [1500, 1472]);
  const error = assertThrows(() => socket.sendBlocking(area.slice(0, 1473)), UringError);
  assertMatch(error.meaning, /^1473 bytes do not fit .* MTU of 1500 bytes.* forbids fragments/);
  assertMatch(error.advice, /^send at most 1472 bytes at once/);
});

Deno.test("An IPv6 socket that sends to an IPv4 address has the limit of IPv4", async () => {
  using bed = await Testbed.loopback();
  using area = Area.map({ bytes: 1 << 17 });
  using far = Socket.udp(bed.far).bind(bed.far.address(0));
  const { host, port } = far.localAddress!;
  using near = Socket.udp(bed.near, { family: 6 }).connect({ host: `::ffff:${host}`, port });
  const error = assertThrows(() => near.sendBlocking(area.slice(0, 65_508)), UringError);
  assertMatch(error.meaning, /over IPv4: at most 65507/);
});

Deno.test("A request of a ring names the limits of a datagram", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 1 << 20 });
  using connection = connectUdp(bed);
  const { near } = connection;
  const refusal = async (segment: number, bytes: number): Promise<UringError> => {
    near.setOption("UDP_SEGMENT", segment);
    try {
      await ring.send(near, area.slice(0, bytes));
    } catch (error) {
      return error as UringError;
    }
    throw new Error("it was sent");
  };
  for (const segment of [0, 1000]) {
    const error = await refusal(segment, 70_000);
    assertEquals(error.code, "EMSGSIZE");
    assertMatch(error.meaning, /70000 bytes are more than .*over IPv4: at most 65507/);
    assertEquals(error.advice.includes("use UDP_SEGMENT"), false);
  }
  const many = await refusal(100, 12_900);
  assertEquals(many.code, "EINVAL");
  assertMatch(many.meaning, /12900 bytes are 129 segments of 100 bytes .*at most (64|128)/);
});
