import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { clockAnswer } from "../../../../labs/kit/probe/limits.ts";
import { Probe, probe } from "../../../../labs/kit/probe/probe.ts";
import {
  type ProbeItem,
  type Requirement,
  REQUIREMENTS,
} from "../../../../labs/kit/probe/requirements.ts";
import { busyPoll } from "../../../../labs/busy_poll.ts";
import { Command } from "../../../child.ts";
import { test } from "../../../needs.ts";

const PROBE_MODULE = new URL("../../../../labs/kit/probe/probe.ts", import.meta.url).href;
const ROOT = fromFileUrl(new URL("../../../..", import.meta.url));

/** What another process finds, started with these words before `deno` and these flags after it. */
async function probeElsewhere(
  options: { prefix?: string[]; flags?: string[]; env?: Record<string, string> },
): Promise<ProbeItem[]> {
  const { prefix = [], flags = ["--allow-all"], env = {} } = options;
  const code = `const { probe } = await import(${JSON.stringify(PROBE_MODULE)});
    console.log(JSON.stringify((await probe()).items));`;
  const [program = "", ...args] = [
    ...prefix,
    Deno.execPath(),
    "run",
    "--no-lock",
    "--cached-only",
    ...flags,
    `data:text/javascript,${encodeURIComponent(code)}`,
  ];
  const { stdout, stderr, success } = await new Command(program, { args, env, cwd: ROOT })
    .output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  return JSON.parse(decoder.decode(stdout));
}

function named(items: readonly ProbeItem[], name: Requirement): ProbeItem {
  const item = items.find((candidate) => candidate.name === name);
  assert(item !== undefined, name);
  return item;
}

Deno.test("probe() answers for each requirement, with a reason", async () => {
  const { items, machine } = await probe();
  assertEquals(items.map(({ name }) => name), [...REQUIREMENTS]);
  for (const { name, state, why, command } of items) {
    assert(why.length > 0, name);
    assert(why !== "it was not found out", name);
    assert(state !== "real" || command === undefined, name);
  }
  assertEquals(machine.kernel, Deno.osRelease());
});

Deno.test("probe() leaves no descriptor and no interface behind", async () => {
  const descriptors = (): number => [...Deno.readDirSync("/proc/self/fd")].length;
  const interfaces = (): string[] =>
    [...Deno.readDirSync("/sys/class/net")].map(({ name }) => name);
  // The first one loads the libraries, which stay.
  await probe();
  const before = { descriptors: descriptors(), interfaces: interfaces().sort() };
  for (let round = 0; round < 5; round++) await probe();
  assertEquals({ descriptors: descriptors(), interfaces: interfaces().sort() }, before);
});

Deno.test("probe() tells missing things from real ones", () => {
  const items: ProbeItem[] = [
    { name: "ip", state: "real", why: "there" },
    { name: "tc", state: "no", why: "not there", command: "apt-get" },
    { name: "zcrx", state: "guest", why: "elsewhere" },
  ];
  const machine = {
    kernel: "6.18.0",
    architecture: "x86_64",
    cpus: 2,
    virtual: true,
    privileged: false,
  };
  const here = new Probe(machine, items);
  assertEquals(here.missing(["ip", "tc", "zcrx"]).map(({ name }) => name), ["tc", "zcrx"]);
  assertEquals(here.missing([]), []);
  assertEquals(here.item("tc").command, "apt-get");
  assertThrows(() => here.item("ifb"), RangeError, "ifb");
  assertStringIncludes(Deno.inspect(here), "1 of 3 real here");
});

Deno.test("probe() explains what it may not ask when Deno may not load libraries", async () => {
  const items = await probeElsewhere({
    flags: ["--allow-read", "--allow-sys", "--allow-env", "--allow-run"],
  });
  assertStringIncludes(named(items, "liburing").why, "--allow-ffi");
  for (const name of ["io_uring", "IORING_OP_SEND_ZC", "zcrx", "shim"] as const) {
    assertEquals(named(items, name).state, "no");
  }
});

Deno.test("probe() names the command for a compiler that is not in PATH", async () => {
  const compiler = named(
    await probeElsewhere({ env: { PATH: "/nonexistent", CC: "" } }),
    "compiler",
  );
  assertEquals(compiler.state, "no");
  assertMatch(compiler.command ?? "", /apt-get install -y gcc libc6-dev$/);
});

test(
  "probe() answers without root",
  { needs: ["root"] },
  async () => {
    const home = Deno.makeTempDirSync();
    try {
      Deno.chownSync(home, 65534, 65534);
      const items = await probeElsewhere({
        prefix: [
          ...["prlimit", "--memlock=8388608:8388608"],
          ...["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
        ],
        env: { HOME: home, DENO_DIR: `${home}/deno`, XDG_CACHE_HOME: `${home}/cache` },
      });
      assertEquals(items.map(({ name }) => name), [...REQUIREMENTS]);
      const namespaces = named(items, "namespaces");
      assertStringIncludes(
        namespaces.why,
        namespaces.state === "real" ? "without root" : "user",
      );
      assertEquals(named(items, "memlock"), {
        name: "memlock",
        state: "no",
        why: "RLIMIT_MEMLOCK is 8388608 bytes, registered areas need up to 16777216",
        command: "sudo prlimit --memlock=unlimited --pid $$",
      });
      if (Deno.build.arch !== "x86_64") return;
      assertEquals(named(items, "guest"), {
        name: "guest",
        state: "no",
        why: "making the guest takes root",
        command: "sudo deno task vm -- COMMAND",
      });
    } finally {
      Deno.removeSync(home, { recursive: true });
    }
  },
);

Deno.test("what saves time needs a clock of time, and is told how to get one", () => {
  assertEquals(clockAnswer("time").state, "real");
  const { state, why, command } = clockAnswer("instructions");
  assertEquals(state, "no");
  assertStringIncludes(why, "of one CPU");
  assertStringIncludes(command!, "without --clock instructions");
  assert(busyPoll.needs.includes("clock of time"));
});
