import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import {
  hostPortProblem,
  isIpv4,
  isIpv6,
  parseHostPort,
} from "../../../../labs/kit/testbed/host_port.ts";

const LAB = fromFileUrl(new URL("../../../../labs/main.ts", import.meta.url));

Deno.test("parseHostPort() reads addresses with their ports", () => {
  const cases: [text: string, host: string, port: number][] = [
    ["192.0.2.1:9000", "192.0.2.1", 9000],
    ["127.0.0.1:1", "127.0.0.1", 1],
    ["255.255.255.255:65535", "255.255.255.255", 65535],
    ["[2001:db8::1]:9000", "2001:db8::1", 9000],
    ["[::1]:9000", "::1", 9000],
    ["[::ffff:192.0.2.1]:9000", "::ffff:192.0.2.1", 9000],
    ["[fe80::1%lo]:9000", "fe80::1%lo", 9000],
    ["[FE80::1%lo]:9000", "FE80::1%lo", 9000],
    ["[ff02::1%lo]:9000", "ff02::1%lo", 9000],
  ];
  for (const [text, host, port] of cases) {
    assertEquals(parseHostPort(text), { host, port });
    assertEquals(hostPortProblem(text), undefined);
  }
});

const MISTAKES: readonly [text: string, says: string][] = [
  ["", "no ADDRESS:PORT"],
  [" ", "no ADDRESS:PORT"],
  ["192.0.2.1", "no ADDRESS:PORT"],
  ["[::1]", "no ADDRESS:PORT"],
  ["[::1]9000", "no ADDRESS:PORT"],
  ["192.0.2.1:", "no port from 1 to 65535"],
  ["192.0.2.1:0", "no port from 1 to 65535"],
  ["192.0.2.1:65536", "no port from 1 to 65535"],
  ["192.0.2.1:-1", "no port from 1 to 65535"],
  ["192.0.2.1:1e3", "no port from 1 to 65535"],
  ["192.0.2.1:9000 ", "no port from 1 to 65535"],
  ["192.0.2.1:http", "no port from 1 to 65535"],
  ["999.0.0.1:9000", "no numeric address"],
  ["1.2.3:9000", "no numeric address"],
  ["1.2.3.4.5:9000", "no numeric address"],
  ["01.2.3.4:9000", "no numeric address"],
  [" 1.2.3.4:9000", "no numeric address"],
  ["...:9000", "no numeric address"],
  [":9000", "no numeric address"],
  ["localhost:9000", "names are not looked up"],
  ["example.org:9000", "names are not looked up"],
  ["::1:9000", "brackets"],
  ["fe80::1%lo:9000", "brackets"],
  ["g::1:9000", "brackets"],
  ["[192.0.2.1]:9000", "no numeric IPv6 address"],
  ["[]:9000", "no numeric IPv6 address"],
  ["[::1::]:9000", "no numeric IPv6 address"],
  ["[::g]:9000", "no numeric IPv6 address"],
  ["[ ::1]:9000", "no numeric IPv6 address"],
  ["[fe80::1]:9000", "does not say on which interface"],
  ["[ff02::1]:9000", "does not say on which interface"],
  ["[fe80::1%]:9000", "no interface behind its %"],
  ["[fe80::1%no-such-nic]:9000", "which is not here. There are: lo"],
  ["[fe80::1%lo ]:9000", "which is not here"],
  ["[fe80::1%0]:9000", "interface number 0"],
  ["[fe80::1%4294967296]:9000", "interface number 4294967296"],
  ["[::1%lo]:9000", "only link-local addresses"],
  ["[fe8::1%lo]:9000", "only link-local addresses"],
  ["0.0.0.0:9000", "stands for none"],
  ["[::]:9000", "stands for none"],
];

for (const [text, says] of MISTAKES) {
  Deno.test(`parseHostPort() refuses ${JSON.stringify(text)}: ${says}`, () => {
    const error = assertThrows(() => parseHostPort(text), RangeError);
    assertStringIncludes(error.message, says);
    assertStringIncludes(error.message, JSON.stringify(text));
  });
}

Deno.test("isIpv4() and isIpv6() are strict", () => {
  for (const text of ["0.0.0.0", "255.1.2.3"]) assertEquals(isIpv4(text), true, text);
  for (const text of ["256.0.0.1", "1.2.3", "1.2.3.4 ", "1.2.3.0x4", "", "::1"]) {
    assertEquals(isIpv4(text), false, text);
  }
  for (const text of ["::", "::1", "2001:DB8::1", "::ffff:1.2.3.4"]) {
    assertEquals(isIpv6(text), true, text);
  }
  for (const text of ["", ":", "1::2::3", "::1%lo", "[::1]", "::1/64", "1.2.3.4", "::1\n"]) {
    assertEquals(isIpv6(text), false, text);
  }
});

Deno.test("the lab sends to a link-local address on the interface that it names", async () => {
  // The far end drops what is for an address that it does not have.
  const script = `
    ip link add here0 type veth peer name there0
    ip link set lo up; ip link set there0 up; ip link set here0 up
    ip -6 addr add fe80::1/64 dev here0 nodad
    ip -6 neigh replace fe80::2 lladdr 02:00:00:00:00:77 dev here0 nud permanent
    number=$(cat /proc/net/if_inet6 | awk '$6 == "here0" { print $2; exit }')
    before=$(awk '$1 == "here0:" { print $11 }' /proc/net/dev)
    for zone in here0 $((0x$number)); do
      "$0" run -A "$1" tx-copy-vs-zc --payload 600 --mode zc --repeats 2 --seconds 0.01 \\
        --sink "[fe80::2%$zone]:9000" | head -1
    done
    "$0" run -A "$1" tx-copy-vs-zc --payload 600 --sink "[fe80::2%lo]:9000" 2>&1 || echo "code $?"
    echo "sent $(($(awk '$1 == "here0:" { print $11 }' /proc/net/dev) - before > 100))"
  `;
  const { stdout, stderr } = await new Deno.Command("unshare", {
    args: ["--user", "--map-root-user", "--net", "sh", "-ec", script, Deno.execPath(), LAB],
    env: { NO_COLOR: "1" },
  }).output();
  const [out, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  const lines = out!.split("\n");
  assertStringIncludes(lines[0] ?? "", "2 rounds; sink [fe80::2%here0]:9000", errors);
  assertStringIncludes(lines[1] ?? "", "2 rounds; sink [fe80::2%", errors);
  assertStringIncludes(out!, "error: --sink [fe80::2%lo]:9000: connect: ");
  assertStringIncludes(out!, "code 2\nsent 1\n");
});
