import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Area, Message, Ring, Socket, Testbed } from "zclab";
import { type Address, decodeAddress, encodeAddress } from "../../../ffi/kernel/address.ts";
import { runInNamespace } from "../../../labs/kit/testbed/namespace_command.ts";
import { bytesOf, textOf } from "../connections.ts";

Deno.test("encodeAddress() makes a sockaddr_in in network order", () => {
  const bytes = encodeAddress({ host: "10.231.0.2", port: 9000 });
  assertEquals(bytes.length, 16);
  assertEquals([...bytes.subarray(0, 8)], [2, 0, 9000 >> 8, 9000 & 0xff, 10, 231, 0, 2]);
});

Deno.test("encodeAddress() makes a sockaddr_in6", () => {
  const bytes = encodeAddress({ host: "fd7a::2", port: 1 });
  assertEquals(bytes.length, 28);
  assertEquals([...bytes.subarray(0, 4)], [10, 0, 0, 1]);
  assertEquals([bytes[8], bytes[9], bytes[23]], [0xfd, 0x7a, 2]);
});

Deno.test("decodeAddress() is the inverse of encodeAddress()", () => {
  for (const host of ["0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1", "fe80::1%3"]) {
    for (const port of [0, 1, 255, 256, 65535]) {
      assertEquals(decodeAddress(encodeAddress({ host, port })), { host, port });
    }
  }
});

Deno.test("decodeAddress() returns undefined for other families and for nothing", () => {
  assertEquals(decodeAddress(new Uint8Array(0)), undefined);
  assertEquals(decodeAddress(new Uint8Array(16)), undefined);
  assertEquals(decodeAddress(new Uint8Array([1, 0, 47, 97])), undefined);
});

Deno.test("encodeAddress() refuses what is not a numeric address", () => {
  const hosts = ["", "localhost", "1.2.3", "1.2.3.4.5", "256.0.0.1", "::g", " 1.2.3.4", "1.2.3.4 "];
  const zones = ["fe80::1%", "fe80::1%no-such-nic", "fe80::1%lo\0", `fe80::1%${"x".repeat(5000)}`];
  for (const host of [...hosts, ...zones, "%lo", "127.0.0.1\0", "1".repeat(5000)]) {
    assertThrows(() => encodeAddress({ host, port: 1 }), RangeError, "numeric");
  }
});

Deno.test("encodeAddress() refuses a port that is none", () => {
  for (const port of [-1, 65536, 1.5, NaN, Infinity]) {
    assertThrows(() => encodeAddress({ host: "::1", port }), RangeError, `got ${port}`);
  }
});

Deno.test("encodeAddress() refuses what is no address", () => {
  const values = [null, undefined, "127.0.0.1:9000", { port: 1 }, { host: 1, port: 1 }];
  for (const value of values) {
    assertThrows(() => encodeAddress(value as unknown as Address), TypeError, "{ host, port }");
  }
});

Deno.test("encodeAddress() takes an interface by name and by number, of link-local addresses", () => {
  const scope = (host: string): number =>
    new DataView(encodeAddress({ host, port: 1 }).buffer).getUint32(24, true);
  // The loopback interface is the first one of every namespace.
  for (const host of ["fe80::1%lo", "febf::1%lo", "ff02::1%lo", "ff11::1%lo"]) {
    assertEquals(scope(host), 1, host);
  }
  assertEquals(scope("fe80::1%7"), 7);
  assertEquals(scope("fe80::1"), 0);
  for (const host of ["fe80::1%0", "fe80::1%2147483648", "fe80::1%99999999999999999999"]) {
    assertThrows(() => encodeAddress({ host, port: 1 }), RangeError, "numbered from 1");
  }
  for (const host of ["::1%lo", "fd00::1%1", "ff05::1%lo", "169.254.0.1%lo", "fec0::1%1"]) {
    assertThrows(() => encodeAddress({ host, port: 1 }), RangeError, "only link-local");
  }
});

/** A testbed whose ends have link-local addresses as well. */
async function linkLocalPair(): Promise<Testbed> {
  const bed = await Testbed.pair();
  for (const [end, host] of [[bed.near, "fe80::1"], [bed.far, "fe80::2"]] as const) {
    const args = ["-6", "addr", "add", `${host}/64`, "dev", end.interface, "nodad"];
    await runInNamespace(end.namespace, "ip", args);
  }
  return bed;
}

Deno.test("a link-local address reaches the interface that it names, in the socket's namespace", async () => {
  await using bed = await linkLocalPair();
  await using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  const [outgoing, incoming] = area.chunks(2048);
  const place = (name: string): Address => ({ host: `${name}%${bed.near.interface}`, port: 9000 });
  using receiver = Socket.udp(bed.far, { family: 6 }).bind(place("fe80::2"));
  const number = /%(\d+)$/.exec(receiver.localAddress!.host)![1]!;
  const arrives = async (text: string, send: () => unknown): Promise<void> => {
    outgoing!.write(bytesOf(text));
    await send();
    assertEquals(textOf(incoming!.bytes.slice(0, await ring.recv(receiver, incoming!))), text);
  };
  const piece = (text: string) => outgoing!.slice(0, text.length);

  using connected = Socket.udp(bed.near, { family: 6 }).connect(place("fe80::2"));
  await arrives("connect", () => connected.sendBlocking(piece("connect")));
  using awaited = Socket.udp(bed.near, { family: 6 });
  await ring.connect(awaited, place("fe80::2"));
  await arrives("ring.connect", () => ring.send(awaited, piece("ring.connect")));
  using batched = Socket.udp(bed.near, { family: 6 });
  ring.batch.connect(batched, place("fe80::2"), 5).submitAndWait(1);
  const results: number[][] = [];
  ring.batch.reap((userData, result) => results.push([userData, result]));
  assertEquals(results, [[5, 0]]);
  await arrives("batch.connect", () => ring.send(batched, piece("batch.connect")));
  using open = Socket.udp(bed.near, { family: 6 });
  await arrives("message", () => {
    const options = { to: place("fe80::2"), place: bed.near };
    return ring.sendMsg(open, new Message([piece("message")], options));
  });

  // The number that the kernel gives for it is an address again.
  assertEquals(connected.remoteAddress, { host: `fe80::2%${number}`, port: 9000 });
  using again = Socket.udp(bed.near, { family: 6 }).connect(connected.remoteAddress!);
  await arrives("number", () => again.sendBlocking(piece("number")));

  // Here is no interface of that name.
  assertThrows(
    () => new Message([outgoing!], { to: place("fe80::2") }),
    RangeError,
    "no interface",
  );
  for (const end of [bed.near, bed.far]) {
    using socket = Socket.udp(end, { family: 6 });
    const nobody = { host: "fe80::2%zclab1", port: 9000 };
    assertThrows(() => socket.connect(nobody), RangeError, 'no interface "zclab1"');
    assertThrows(() => socket.bind(nobody), RangeError, 'no interface "zclab1"');
    assertThrows(() => ring.batch.connect(socket, nobody), RangeError, 'no interface "zclab1"');
    await assertRejects(() => ring.connect(socket, nobody), RangeError, 'no interface "zclab1"');
  }
});
