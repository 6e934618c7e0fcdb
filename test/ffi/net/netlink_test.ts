import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  ClosedError,
  Netdev,
  NetworkNamespace,
  Testbed,
  UnsupportedError,
  UringError,
} from "zclab";
import {
  type Attribute,
  attribute,
  Attributes,
  encodeAttributes,
} from "../../../ffi/net/netlink/attributes.ts";
import { GenericNetlink } from "../../../ffi/net/netlink/generic.ts";
import { NETLINK, NetlinkSocket } from "../../../ffi/net/netlink/socket.ts";
import { IS_ROOT } from "../../unprivileged.ts";

const RTM_GETLINK = 18;
/** `struct ifinfomsg` */
const LINK_HEADER_BYTES = 16;
const IFLA_IFNAME = 3;

function parsed(attributes: readonly Attribute[]): Attributes {
  return new Attributes(encodeAttributes(attributes));
}

Deno.test("netlink attributes have their length, their type and padding to four bytes", () => {
  const bytes = encodeAttributes([
    attribute.u8(1, 0xab),
    attribute.text(2, "lo"),
    attribute.nest(3, [attribute.u16(4, 0x1234)]),
  ]);
  const expected = [
    [5, 0, 1, 0, 0xab, 0, 0, 0],
    [7, 0, 2, 0, 0x6c, 0x6f, 0, 0],
    [12, 0, 3, 0x80, 6, 0, 4, 0, 0x34, 0x12, 0, 0],
  ];
  assertEquals([...bytes], expected.flat());
});

Deno.test("netlink attributes of every kind come back as they were", () => {
  const attributes = parsed([
    attribute.flag(1),
    attribute.u8(2, 255),
    attribute.u16(3, 65535),
    attribute.u32(4, 0xffff_ffff),
    attribute.u64(5, Number.MAX_SAFE_INTEGER),
    attribute.text(6, "eth0"),
    attribute.nest(7, [attribute.u32(1, 7), attribute.u32(1, 8)]),
    attribute.u32(4, 1),
  ]);
  assertEquals(attributes.size, 8);
  assertEquals(attributes.has(1), true);
  assertEquals(attributes.has(9), false);
  assertEquals([2, 3, 4, 5].map((type) => attributes.number(type)), [
    255,
    65535,
    0xffff_ffff,
    Number.MAX_SAFE_INTEGER,
  ]);
  assertEquals(attributes.number(9), undefined);
  assertEquals(attributes.text(6), "eth0");
  assertEquals(attributes.text(9), undefined);
  assertEquals([...attributes.nest(7)!].map(([type, { length }]) => [type, length]), [
    [1, 4],
    [1, 4],
  ]);
  assertEquals(attributes.nest(9), undefined);
  assertThrows(() => attributes.number(6), RangeError, "has 5 bytes");
  assertThrows(() => attributes.number(1), RangeError, "has 0 bytes");
});

Deno.test("a netlink attribute that is longer than what is there is refused", () => {
  assertThrows(() => new Attributes(Uint8Array.of(9, 0, 1, 0, 0)), RangeError, "9 bytes, of 5");
  assertThrows(() => new Attributes(Uint8Array.of(3, 0, 1, 0)), RangeError, "3 bytes, of 4");
  const large = { type: 1, payload: new Uint8Array(65532) };
  assertThrows(() => encodeAttributes([large]), RangeError, "got 65532");
});

Deno.test("route netlink lists the links of the namespace that the socket was made in", () => {
  using namespace = NetworkNamespace.create();
  using socket = NetlinkSocket.open(NETLINK.ROUTE, { namespace });
  const links = socket.request({
    operation: "RTM_GETLINK",
    type: RTM_GETLINK,
    body: new Uint8Array(LINK_HEADER_BYTES),
    dump: true,
  });
  const names = links.map(({ body }) =>
    new Attributes(body.subarray(LINK_HEADER_BYTES)).text(IFLA_IFNAME)
  );
  assert(names.includes("lo"));
  // Modules such as ipip put a device of their own into every namespace, but no veth or physical one.
  assertEquals(names.filter((name) => /^(veth|zclab|eth|en)/.test(name!)), []);
});

Deno.test("generic netlink finds a family by its name, and says when there is none", () => {
  using netlink = GenericNetlink.open();
  const control = netlink.family("nlctrl");
  assertEquals([control.id, control.version], [16, 2]);
  assert(control.commands.has(3), "CTRL_CMD_GETFAMILY");
  assert(control.groups.has("notify"));
  const error = assertThrows(() => netlink.family("zclab_none", "99.9"), UnsupportedError);
  assertStringIncludes(error.message, "zclab_none");
  assertEquals(error.since, "99.9");
});

Deno.test("a listing that needs more than one datagram is complete", () => {
  using netlink = GenericNetlink.open();
  const control = netlink.family("nlctrl");
  const families = netlink.request(control, {
    operation: "CTRL_CMD_GETFAMILY",
    command: 3,
    dump: true,
  });
  const names = families.map((family) => family.text(2));
  assert(names.includes("nlctrl"));
  assertEquals(new Set(names).size, names.length);
  const ids = families.map((family) => family.number(1)!);
  assertEquals(names.map((name) => netlink.family(name!).id), ids);
});

Deno.test("an error of the kernel carries its own words", () => {
  using netlink = GenericNetlink.open();
  const family = netlink.family("netdev");
  // NETDEV_CMD_DEV_GET without the index of a device.
  const error = assertThrows(
    () => netlink.request(family, { operation: "NETDEV_CMD_DEV_GET", command: 1 }),
    UringError,
  );
  assertEquals([error.operation, error.code], ["NETDEV_CMD_DEV_GET", "EINVAL"]);
  assertEquals(error.meaning, "the kernel says: attribute 1 is missing");
  // The next request of the same socket is none the worse.
  assertEquals(netlink.family("nlctrl").id, 16);
});

Deno.test("a closed netlink socket says so", () => {
  const socket = NetlinkSocket.open(NETLINK.ROUTE);
  assert(socket.fd > 2);
  socket.close();
  socket.close();
  assertThrows(() => socket.fd, ClosedError);
  assertThrows(
    () => socket.request({ operation: "none", type: 0, body: new Uint8Array(0) }),
    ClosedError,
  );
  assertEquals(Deno.inspect(socket), "NetlinkSocket { closed }");
  const netdev = Netdev.open();
  netdev.close();
  netdev.close();
  assertEquals(Deno.inspect(netdev), "Netdev { closed }");
  assertThrows(() => netdev.interfaceIndex("lo"), ClosedError);
  assertThrows(() => netdev.queues("lo"), ClosedError);
  assertThrows(() => netdev.pagePools(), ClosedError);
  assertThrows(
    () => netdev.bindReceive({ interface: "lo", queues: [0], dmaBufFd: 0 }),
    ClosedError,
  );
  assertThrows(() => netdev.bindTransmit({ interface: "lo", dmaBufFd: 0 }), ClosedError);
});

Deno.test("Netdev shows the queues of a veth device, and who serves and feeds them", async () => {
  await using bed = await Testbed.pair({ napi: true });
  using netdev = Netdev.open(bed.far);
  assertEquals(netdev.interfaceIndex("lo"), 1);
  const queues = netdev.queues(bed.far.interface);
  assertEquals(queues.filter(({ type }) => type === "tx").length, queues.length / 2);
  assertEquals(queues[0], {
    id: 0,
    type: "rx",
    napiId: queues[0]!.napiId,
    provider: "kernel",
    dmaBufId: undefined,
  });
  const error = assertThrows(() => netdev.queues("nobody"), UringError);
  assertEquals([error.operation, error.code], ["SIOCGIFINDEX nobody", "ENODEV"]);
});

Deno.test("Netdev lists the page pools of its namespace only", async () => {
  // A veth device has page pools and does not tell the kernel that they are its own.
  await using bed = await Testbed.pair({ napi: true });
  using netdev = Netdev.open(bed.far);
  assertEquals(netdev.pagePools(), []);
  assertEquals(netdev.pagePools(bed.far.interface), []);
  assertThrows(() => netdev.pagePools("nobody"), UringError, "ENODEV");
});

Deno.test("binding to a device whose driver cannot says so", async () => {
  await using bed = await Testbed.pair();
  using netdev = Netdev.open(bed.far);
  const { interface: name } = bed.far;
  for (
    const bind of [
      () => netdev.bindReceive({ interface: name, queues: [0], dmaBufFd: 0 }),
      () => netdev.bindTransmit({ interface: name, dmaBufFd: 0 }),
    ]
  ) {
    const error = assertThrows(bind, UringError);
    if (error.code === "EPERM") {
      // Linux 6.18 asks for the capability first, and no user namespace gives it.
      assert(!IS_ROOT);
      assertStringIncludes(error.meaning, "CAP_NET_ADMIN is needed");
      continue;
    }
    assertEquals(error.code, "EOPNOTSUPP");
    assertStringIncludes(error.meaning, `the driver of ${name} cannot`);
  }
});
