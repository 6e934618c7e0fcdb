/**
 * Namespaces, virtual devices, and NICs that receive without copying.
 *
 * @module
 */
import { zcrxFeatures } from "../../../ffi/zcrx/query.ts";
import { findIfb, loadIfb } from "../testbed/ifb.ts";
import { findProgram, installCommand } from "../terminal/setup.ts";
import { type Answer, type Answers, type Machine, no, real } from "./requirements.ts";
import { has, list, read, reason } from "./system_files.ts";

/** What is tried in a namespace of its own: a line for each device that could be made. */
const DEVICES_SCRIPT = `
ip link add zc0 type veth peer name zc1 2>&1 && echo made veth
ip link add zc3 type softnic 2>&1 && echo made softnic
`;
const IFB_SCRIPT = "ip link add zc2 type ifb 2>&1 && echo made ifb\n";

/** Of a module that is not loaded yet: trying it would leave on the machine what using it leaves. */
function loadableIfb(devices: number): Answer {
  const why = "its module is not loaded yet: the kernel does that when it is used";
  if (devices === 0) return real(why);
  const names = devices === 1
    ? "ifb0"
    : devices === 2
    ? "ifb0 and ifb1"
    : `ifb0 to ifb${devices - 1}`;
  const leaves = `The kernel will load its module ifb, and make ${names} in this machine's own ` +
    "network, which stay. To avoid that, as root beforehand: modprobe ifb numifbs=0";
  return { ...real(why), leaves };
}

/** Namespaces, and the devices that can be made in one. */
export async function probeNamespaces(
  answers: Answers,
  machine: Machine,
): Promise<void> {
  const devices = ["veth", "ifb", "softnic"] as const;
  const unshare = findProgram("unshare");
  if (unshare === undefined) {
    for (const name of ["namespaces", ...devices] as const) {
      answers.set(name, no("unshare is missing", installCommand(["unshare"])));
    }
    return;
  }
  // The namespace and all that is in it end with the shell.
  const flags = machine.privileged ? ["--net"] : ["--user", "--map-root-user", "--net"];
  if (machine.privileged) await loadIfb();
  const ifb = await findIfb();
  const script = "echo entered; " + DEVICES_SCRIPT +
    (ifb.state === "loadable" && !machine.privileged ? "" : IFB_SCRIPT);
  const made = await output(unshare, [...flags, "sh", "-c", script]);
  if (!made.text.includes("entered")) {
    const answer = explainNamespaces(made.text, machine);
    for (const name of ["namespaces", ...devices] as const) answers.set(name, answer);
    return;
  }
  answers.set(
    "namespaces",
    real(machine.privileged ? "as a privileged user" : "inside a user namespace, without root"),
  );
  for (const name of devices) {
    if (answers.get("ip")?.state !== "real") {
      answers.set(name, no("ip is not installed", installCommand(["ip"])));
    } else if (name === "ifb" && !script.includes(IFB_SCRIPT)) {
      answers.set(name, loadableIfb(ifb.devices));
    } else if (made.text.includes(`made ${name}`)) {
      answers.set(name, real("made one and removed it"));
    } else if (name === "softnic") {
      answers.set(name, no("zclab's NIC in software is not loaded; it is in the guest"));
    } else {
      const load = name === "ifb" ? "modprobe ifb numifbs=0" : `modprobe ${name}`;
      const module = machine.privileged
        ? load
        : `${load} (as root: an unprivileged user cannot load it)`;
      answers.set(
        name,
        no(`the kernel cannot make a ${name} device (CONFIG_${name.toUpperCase()})`, module),
      );
    }
  }
}

function explainNamespaces(text: string, machine: Machine): Answer {
  if (machine.privileged) return no(`a network namespace cannot be made: ${text.trim()}`);
  if (read("/proc/sys/user/max_user_namespaces")?.trim() === "0") {
    return no("user.max_user_namespaces is 0", "sysctl user.max_user_namespaces=16384 (as root)");
  }
  if (read("/proc/sys/kernel/unprivileged_userns_clone")?.trim() === "0") {
    return no(
      "kernel.unprivileged_userns_clone is 0",
      "sysctl kernel.unprivileged_userns_clone=1 (as root)",
    );
  }
  if (read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")?.trim() === "1") {
    return no(
      "AppArmor keeps user namespaces from unprivileged users",
      "sysctl kernel.apparmor_restrict_unprivileged_userns=0 (as root)",
    );
  }
  return no(`a user namespace cannot be made: ${text.trim()}; run as root`);
}

/** Runs a program and returns all that it printed, or why it could not be run. */
async function output(program: string, args: string[]): Promise<{ readonly text: string }> {
  try {
    const command = new Deno.Command(program, {
      args,
      stdin: "null",
      env: { LC_ALL: "C", PATH: `${Deno.env.get("PATH") ?? ""}:/usr/sbin:/sbin:/usr/bin:/bin` },
    });
    const { stdout, stderr } = await command.output();
    const decoder = new TextDecoder();
    return { text: decoder.decode(stdout) + decoder.decode(stderr) };
  } catch (error) {
    return { text: reason(error) };
  }
}

/** Drivers with the queue operations that zero-copy receive needs, in Linux 7.3. */
const ZCRX_DRIVERS = ["bnxt_en", "fbnic", "gve", "mlx5_core"];

/** Zero-copy receive, which a device, the shim and the capability have a part in. */
export function probeZcrx(answers: Answers): void {
  const operation = answers.get("IORING_OP_RECV_ZC");
  if (operation?.state !== "real") {
    answers.set("zcrx", no(`IORING_OP_RECV_ZC: ${operation?.why ?? "unknown"}`));
    return;
  }
  if (answers.get("shim")?.state !== "real") {
    answers.set("zcrx", no("it needs the shim, which cannot be had"));
    return;
  }
  if (!has("NET_ADMIN")) {
    answers.set("zcrx", no("the kernel wants CAP_NET_ADMIN for it: run as root"));
    return;
  }
  const capable = networkDrivers().filter(([, driver]) => ZCRX_DRIVERS.includes(driver))
    .map(([name, driver]) => `on ${name} (${driver}), as far as header split and steering go`);
  if (answers.get("softnic")?.state === "real") capable.unshift("on softnic");
  if (zcrxFeatures().withoutDevice) capable.push("without a device, with copying");
  answers.set(
    "zcrx",
    capable.length > 0 ? real(capable.join("; ")) : no(
      `no NIC with queue operations (drivers ${ZCRX_DRIVERS.join(", ")}), and without a device ` +
        "it came with Linux 7.1",
    ),
  );
}

/** The interfaces of this namespace that have a driver, with its name. */
function networkDrivers(): (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  for (const name of list("/sys/class/net")) {
    try {
      const driver = Deno.readLinkSync(`/sys/class/net/${name}/device/driver`);
      found.push([name, driver.slice(driver.lastIndexOf("/") + 1)]);
    } catch {
      // A virtual interface has no device, and so no driver.
    }
  }
  return found;
}
