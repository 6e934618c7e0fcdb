import { assert, assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import { ClosedError } from "../../../ffi/kernel/errors.ts";
import { NetworkNamespace } from "../../../ffi/net/namespace.ts";
import { native } from "../../../ffi/kernel/native.ts";
import { Command } from "../../child.ts";
import { Unprivileged } from "../../unprivileged.ts";
import { test } from "../../needs.ts";

const AF_INET = 2;
const SOCK_DGRAM = 2;

const NAMESPACE = new URL("../../../ffi/net/namespace.ts", import.meta.url).href;

/** What identifies a namespace, however it is reached. */
function inode(path: string): number {
  return Deno.statSync(path).ino!;
}

function inodeOf(fd: number): number {
  return inode(`/proc/self/fd/${fd}`);
}

function openDescriptors(): string[] {
  const links: string[] = [];
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      const link = Deno.readLinkSync(`/proc/self/fd/${name}`);
      if (/^(net|user):/.test(link)) links.push(link);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return links.sort();
}

function interfaceIndex(fd: number, name: string): number {
  return native().zclab_interface_index(fd, new TextEncoder().encode(`${name}\0`));
}

Deno.test("NetworkNamespace.create() makes a namespace and leaves the thread where it is", () => {
  const own = inode("/proc/thread-self/ns/net");
  using namespace = NetworkNamespace.create();
  assertNotEquals(inodeOf(namespace.fd), own);
  assertEquals(inode("/proc/thread-self/ns/net"), own);
});

Deno.test("NetworkNamespace holds sockets that see its own loopback and nothing else", () => {
  using namespace = NetworkNamespace.create();
  const { fd, userFd } = namespace;
  const socket = native().zclab_socket(userFd, fd, AF_INET, SOCK_DGRAM, 0);
  assert(socket >= 0);
  assertEquals(interfaceIndex(socket, "lo"), 1);
  assert(interfaceIndex(socket, "eth0") < 0);
  assertEquals(native().zclab_close(socket), 0);
});

Deno.test("NetworkNamespace.createMany() makes distinct namespaces of one owner", () => {
  const namespaces = NetworkNamespace.createMany(3);
  assertEquals(new Set(namespaces.map(({ fd }) => inodeOf(fd))).size, 3);
  assertEquals(new Set(namespaces.map(({ userFd }) => userFd)).size, 1);
  for (const namespace of namespaces) namespace.close();
});

Deno.test("NetworkNamespace.createMany() refuses a count that is none", () => {
  for (const count of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(() => NetworkNamespace.createMany(count), RangeError, String(count));
  }
});

Deno.test("NetworkNamespace.close() lets go of every descriptor, once", () => {
  const before = openDescriptors();
  const namespaces = NetworkNamespace.createMany(2);
  assert(openDescriptors().length > before.length);
  for (const namespace of [...namespaces, ...namespaces]) namespace.close();
  assertEquals(openDescriptors(), before);
});

Deno.test("NetworkNamespace throws ClosedError after close()", () => {
  const namespace = NetworkNamespace.create();
  assert(!namespace.closed);
  namespace.close();
  assert(namespace.closed);
  assertThrows(() => namespace.fd, ClosedError, "NetworkNamespace is closed");
  assertThrows(() => namespace.userFd, ClosedError, "NetworkNamespace is closed");
});

Deno.test("NetworkNamespace shows its state on one line", () => {
  const namespace = NetworkNamespace.create();
  assertMatch(Deno.inspect(namespace), /^NetworkNamespace \{ fd: \d+, owner: .* \}$/);
  namespace.close();
  assertEquals(Deno.inspect(namespace), "NetworkNamespace { closed }");
});

Deno.test("NetworkNamespace names the settings where user namespaces are not allowed", () => {
  const source = `
    import { NetworkNamespace } from "${NAMESPACE}";
    const links = () => [...Deno.readDirSync("/proc/self/fd")].length;
    const before = links();
    try {
      NetworkNamespace.createMany(2);
    } catch (error) {
      console.log(error.name, error.message, links() === before);
    }
  `;
  // In a user namespace that allows none below it, a process without capabilities can make nothing.
  const output = new Command("unshare", {
    args: [
      "--user",
      "--map-root-user",
      "sh",
      "-c",
      'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --bounding-set -all "$@"',
      "sh",
      Deno.execPath(),
      "eval",
      source,
    ],
  }).outputSync();
  assertEquals(new TextDecoder().decode(output.stderr), "");
  const said = new TextDecoder().decode(output.stdout);
  assertMatch(said, /^UnsupportedError A network namespace \(ENOSPC: .* true\n$/);
  assertMatch(said, /user\.max_user_namespaces/);
  assertMatch(said, /kernel\.unprivileged_userns_clone/);
  assertMatch(said, /kernel\.apparmor_restrict_unprivileged_userns/);
});

test("NetworkNamespace needs no privileges", { needs: ["root"] }, () => {
  using nobody = new Unprivileged();
  const { code, stdout, stderr } = nobody.evaluate(`
      import { NetworkNamespace } from "{ffi}/net/namespace.ts";
      import { native } from "{ffi}/kernel/native.ts";
      const held = () => [...Deno.readDirSync("/proc/self/fd")].length;
      native();
      const before = held();
      const [first, second] = NetworkNamespace.createMany(2);
      if (first.userFd < 0 || first.userFd !== second.userFd) throw new Error("no common owner");
      first.close();
      const socket = native().zclab_socket(second.userFd, second.fd, 2, 2, 0);
      if (socket < 0) throw new Error("socket: " + socket);
      const index = native().zclab_interface_index(socket, new TextEncoder().encode("lo\\0"));
      native().zclab_close(socket);
      second.close();
      console.log("lo", index, "leaked", held() - before);
    `);
  assertEquals(stderr, "");
  assertEquals(stdout, "lo 1 leaked 0\n");
  assertEquals(code, 0);
});
