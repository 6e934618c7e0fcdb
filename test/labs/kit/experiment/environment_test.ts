import { assert, assertEquals, assertMatch } from "@std/assert";
import { existsSync } from "node:fs";
import {
  environment,
  environmentFrom,
  type SystemFiles,
} from "../../../../labs/kit/experiment/environment.ts";
import { jsonProblem } from "../../../../labs/kit/experiment/experiment.ts";
import { ACCELERATION_KERNEL_OPTIONS } from "../../../../vm/acceleration.ts";
import configuration from "../../../../deno.json" with { type: "json" };

/** A machine made of the files given. */
function machine(files: Record<string, string>): SystemFiles {
  return {
    text: (path) => files[path] ?? null,
    names(path): string[] | null {
      const inside = Object.keys(files).filter((name) => name.startsWith(`${path}/`));
      return inside.length > 0 ? inside.map((name) => name.slice(path.length + 1)) : null;
    },
    realPath: (path) => files[path] ?? null,
  };
}

Deno.test("environment records this machine", () => {
  const record = environment({ gso: true });
  assertEquals(record.kernel.release, Deno.osRelease());
  assertEquals(record.versions.zclab, configuration.version);
  assertEquals(record.versions.deno, Deno.version.deno);
  assertEquals(record.machine.architecture, Deno.build.arch);
  assertEquals(record.user.uid, Deno.uid());
  assertEquals(record.extra, { gso: true });
  assert(record.machine.cpus! >= 1);
  assert(record.machine.memoryBytes! > 1 << 20);
  assertEquals(record.machine.loadAverage?.length, 3);
  assert(record.limits.openFiles!.soft! > 0);
  assert("net.core.optmem_max" in record.sysctls);
});

Deno.test("environment is carried by JSON without loss", () => {
  const record = environment();
  assertEquals(jsonProblem(record, ""), undefined);
  assertEquals(JSON.parse(JSON.stringify(record)), record);
});

Deno.test("environment names neither host, path nor address of this machine", () => {
  const text = JSON.stringify(environment());
  assert(!text.includes(`"${Deno.hostname()}"`));
  for (const { address } of Deno.networkInterfaces()) assert(!text.includes(`"${address}"`));
  assert(!text.includes(Deno.cwd()));
  assert(!/"\/(?!sys|proc)[a-z]+\//.test(text), text);
});

Deno.test("environment of a machine that tells nothing is null, not an exception", () => {
  const record = environmentFrom(machine({}));
  assertEquals(record.kernel, {
    release: null,
    version: null,
    clocksource: null,
    clearsOnAllocation: null,
  });
  assertEquals(record.machine, {
    architecture: Deno.build.arch,
    cpuModel: null,
    cpus: null,
    cpusAllowed: null,
    cpusIsolated: null,
    governor: null,
    smt: null,
    virtualised: null,
    mitigations: null,
    memoryBytes: null,
    loadAverage: null,
  });
  assertEquals(record.user, { uid: null, capabilities: null, seccomp: null });
  assertEquals(record.limits, { memlockBytes: null, openFiles: null });
  assertEquals(record.versions.liburing, null);
  assert(Object.values(record.sysctls).every((value) => value === null));
});

Deno.test("environment reads a machine's files", () => {
  const record = environmentFrom(machine({
    "/proc/cpuinfo": "processor\t: 0\nmodel name\t: A CPU: fast\nflags\t\t: fpu vme sse2\n\n" +
      "processor\t: 1\nmodel name\t: A CPU: fast\nflags\t\t: fpu vme sse2\n",
    "/proc/meminfo": "MemTotal:       16384 kB\nMemFree:  1 kB\n",
    "/proc/loadavg": "0.50 1.25 2.00 3/456 7890\n",
    "/proc/self/status": "Name:\tdeno\nUid:\t1000\t1001\t1000\t1000\n" +
      "CapEff:\t0000020000003000\nSeccomp:\t2\nCpus_allowed_list:\t0-1,4\n",
    "/proc/self/limits":
      "Limit                     Soft Limit           Hard Limit           Units\n" +
      "Max open files            1024                 1048576              files\n" +
      "Max locked memory         65536                unlimited            bytes\n",
    "/proc/sys/net/core/optmem_max": "20480\n",
    "/proc/sys/kernel/io_uring_disabled": "1\n",
    "/sys/devices/system/cpu/smt/active": "1\n",
    "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
    "/sys/devices/system/cpu/vulnerabilities/spectre_v2": "Mitigation: Retpolines\n",
    "/sys/devices/system/cpu/vulnerabilities/l1tf": "Not affected\n",
  }));
  assertEquals(record.machine.cpuModel, "A CPU: fast");
  assertEquals(record.machine.cpus, 2);
  assertEquals(record.machine.cpusAllowed, "0-1,4");
  assertEquals(record.machine.virtualised, false);
  assertEquals(record.machine.smt, true);
  assertEquals(record.machine.governor, "performance");
  assertEquals(record.machine.memoryBytes, 16 << 20);
  assertEquals(record.machine.loadAverage, [0.5, 1.25, 2]);
  assertEquals(Object.entries(record.machine.mitigations!), [
    ["l1tf", "Not affected"],
    ["spectre_v2", "Mitigation: Retpolines"],
  ]);
  // Bit 41 is younger than the table.
  assertEquals(record.user, {
    uid: 1001,
    capabilities: ["CAP_NET_ADMIN", "CAP_NET_RAW", "capability 41"],
    seccomp: 2,
  });
  assertEquals(record.limits, {
    memlockBytes: { soft: 65536, hard: null },
    openFiles: { soft: 1024, hard: 1048576 },
  });
  assertEquals(record.sysctls["net.core.optmem_max"], 20480);
  assertEquals(record.sysctls["kernel.io_uring_disabled"], 1);
  assertEquals(record.sysctls["net.core.wmem_max"], null);
});

Deno.test("environment sees a hypervisor, and names an Arm processor by its numbers", () => {
  const guest = environmentFrom(machine({ "/proc/cpuinfo": "flags\t: fpu hypervisor lm\n" }));
  assertEquals(guest.machine.virtualised, true);
  const arm = environmentFrom(machine({
    "/proc/cpuinfo": "processor\t: 0\nFeatures\t: fp\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n",
  }));
  assertEquals(arm.machine.cpuModel, "implementer 0x41, part 0xd0c");
  assertEquals(arm.machine.virtualised, null);
});

Deno.test("environment reads of this kernel whether it clears memory", () => {
  const release = Deno.osRelease();
  const paths = ["/proc/config.gz", `/boot/config-${release}`, `/lib/modules/${release}/config`];
  const isTold = /\binit_on_alloc=/.test(Deno.readTextFileSync("/proc/cmdline")) ||
    paths.some((path) => existsSync(path));
  assertEquals(environment().kernel.clearsOnAllocation !== null, isTold);
});

Deno.test("environment sees what the clock counts by the kernel's command line", () => {
  assertEquals(environmentFrom(machine({})).clock, "time");
  const guest = (line: string): string | undefined =>
    environmentFrom(machine({ "/proc/cmdline": line })).clock;
  assertEquals(guest("quiet panic=-1\n"), "time");
  assertEquals(guest("quiet tsc=reliable zclab.clock=instructions\n"), "instructions");
  assertEquals(guest("zclab.clock=instructions2 other.zclab.clock=instructions\n"), "time");
});

Deno.test("environment knows the word by which vm tells the guest's clock", () => {
  const line = ACCELERATION_KERNEL_OPTIONS["instruction clock"].join(" ");
  assertEquals(environmentFrom(machine({ "/proc/cmdline": line })).clock, "instructions");
  for (const other of ["kvm", "software emulation"] as const) {
    const words = ACCELERATION_KERNEL_OPTIONS[other].join(" ");
    assertEquals(environmentFrom(machine({ "/proc/cmdline": words })).clock, "time");
  }
});

Deno.test("environment prefers the liburing that is loaded to the one installed", () => {
  const installed = { "/usr/lib64/liburing.so.2": "/usr/lib64/liburing.so.2.3" };
  assertEquals(environmentFrom(machine(installed)).versions.liburing, "2.3");
  const maps = "7f00-7f01 r-xp 00000000 08:01 42   /opt/lib/liburing.so.2.15\n";
  const loaded = machine({ ...installed, "/proc/self/maps": maps });
  assertEquals(environmentFrom(loaded).versions.liburing, "2.15");
  assertMatch(environment().versions.liburing ?? "2", /^2/);
});
