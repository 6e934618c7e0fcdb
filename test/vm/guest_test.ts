import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { readRunDocument } from "../../labs/kit/run/run_document.ts";
import { Command } from "../child.ts";
import { testsNeeding } from "../needs.ts";
import { until } from "../until.ts";

const PROJECT = fromFileUrl(new URL("../..", import.meta.url));

/** How long one guest may take, in seconds: the first one is built before it boots. */
const SECONDS = 600;

/** Each boots a guest of its own, because how guests end is what is tested. */
const test = testsNeeding("guest");

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[]): Deno.ChildProcess {
  return new Command(Deno.execPath(), {
    args: ["run", "--allow-all", "vm/main.ts", ...args],
    cwd: PROJECT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    seconds: SECONDS,
  }).spawn();
}

async function ended(child: Deno.ChildProcess): Promise<Ended> {
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** The guests of a process of ours: QEMU gets the folder of its run, which has that process's id. */
async function guestsOf(pid: number): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const line = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
    if (line.includes("qemu-system") && line.includes(`zclab-vm-${pid}-`)) found.push(name);
  }
  return found;
}

test("a command's output, streams and exit status come out, and what it wrote", async () => {
  const out = await Deno.makeTempDir({ prefix: "zclab-test-" });
  try {
    const script = [
      "uname -r",
      "echo to stderr >&2",
      "echo by name >/dev/stdout",
      `echo kept >${out}/file`,
      "echo no >LICENSE || echo read-only",
      "deno eval 'console.log(import.meta.resolve(\"zclab\"), Deno.cwd())'",
      "ip -br link show type softnic",
      "head -c 3000000 /dev/zero",
      "exit 7",
    ].join("\n");
    const { code, stdout, stderr } = await ended(start(["--out", out, "--", "sh", "-c", script]));
    assertEquals(code, 7, stderr);
    assertMatch(stdout, /^7\.\d+\.\S+\nby name\nread-only\nfile:/);
    assertStringIncludes(stdout, `file://${PROJECT}mod.ts ${PROJECT.slice(0, -1)}\n`);
    assertEquals(stdout.split("\0").length - 1, 3_000_000);
    assertStringIncludes(stderr, "to stderr\n");
    assertEquals(await Deno.readTextFile(`${out}/file`), "kept\n");
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});

test("SIGINT interrupts the command, which may clean up; nothing is left", async () => {
  const script =
    'trap "echo cleaned; exit 9" INT; echo started; for i in $(seq 600); do sleep 0.1; done';
  const child = start(["--", "sh", "-c", script]);
  const errors = new Response(child.stderr).text();
  let text = "";
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    if (!text.includes("started") && (text + part).includes("started")) child.kill("SIGINT");
    text += part;
  }
  const { code } = await child.status;
  assertEquals(text, "started\ncleaned\n", await errors);
  assertEquals(code, 9);
  assertEquals(await guestsOf(child.pid), []);
});

test("a kernel panic is named, and nothing is left", async () => {
  const child = start(["--", "sh", "-c", "echo c >/proc/sysrq-trigger; sleep 60"]);
  const { code, stderr } = await ended(child);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "error: The guest's kernel panicked: Kernel panic - not syncing: ");
  assertEquals(await guestsOf(child.pid), []);
});

test("a command that hangs ends with the time limit", async () => {
  const child = start(["--time-limit", "2", "--", "sleep", "1000"]);
  const { code, stderr } = await ended(child);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "error: The command took longer than the time limit (2 s)");
  assertEquals(await guestsOf(child.pid), []);
});

test("with the instruction clock the guest's time is its own, on one processor", async () => {
  const script = "nproc; grep -o 'zclab.*' /proc/cmdline; " +
    "grep ^CONFIG_LOCALVERSION= /boot/config-$(uname -r); " +
    "cat /sys/devices/system/clocksource/clocksource0/current_clocksource; " +
    "before=$(date +%s); sleep 300; echo $(($(date +%s) - before))";
  // By the host's clock the sleep would not end within the limit.
  const options = ["--clock", "instructions", "--time-limit", "200", "--strict"];
  options.push("--kernel-option", "init_on_alloc=0");
  const { code, stdout, stderr } = await ended(start([...options, "--", "sh", "-c", script]));
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /^1\nzclab\.clock=instructions init_on_alloc=0\nCONFIG_\S+\ntsc\n30[01]\n$/);
});

test("by that clock a lab counts instructions, and a replay gives the same ones", async () => {
  const out = await Deno.makeTempDir({ prefix: "zclab-test-" });
  try {
    const lab = "deno task lab tx-copy-vs-zc --quick --payload 4000 --mode zc-fixed";
    const script = `${lab} --json ${out}/run.json && deno task lab replay ${out}/run.json`;
    const options = ["--clock", "instructions", "--out", out];
    const { code, stdout, stderr } = await ended(start([...options, "--", "sh", "-c", script]));
    assertEquals(code, 0, stdout + stderr);
    assertStringIncludes(stdout, "; instructions, not time; 3 rounds");
    assertMatch(stdout, /^Rows \(instructions, not time\): .* 0 differ\.$/m);
    const run = readRunDocument(await Deno.readTextFile(`${out}/run.json`));
    assertEquals([run.environment.clock, run.environment.machine.cpus], ["instructions", 1]);
    for (const { instructionsPerRequest } of run.summary) {
      // A send is some thousands of them, on any host; more if each byte cleared were one.
      assert(Number(instructionsPerRequest) > 3000 && Number(instructionsPerRequest) < 8000);
    }
    // Here the clock counts time.
    const replayed = await new Command(Deno.execPath(), {
      args: ["run", "--allow-all", "labs/main.ts", "replay", `${out}/run.json`],
      cwd: PROJECT,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      seconds: SECONDS,
    }).output();
    assertEquals(replayed.code, 1);
    assertStringIncludes(
      new TextDecoder().decode(replayed.stderr),
      "deno task vm --clock instructions -- ",
    );
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});

test("--strict fails when the kernel complained", async () => {
  const log = await Deno.makeTempFile({ prefix: "zclab-test-" });
  try {
    const message = "WARNING: CPU: 0 PID: 1 at made/up.c:1";
    const script = `echo '<4>${message}' >/dev/kmsg`;
    const child = start(["--strict", "--kernel-log", log, "--", "sh", "-c", script]);
    const { code, stderr } = await ended(child);
    assertEquals(code, 1);
    assertStringIncludes(stderr, message);
    assertStringIncludes(await Deno.readTextFile(log), message);
  } finally {
    await Deno.remove(log);
  }
});

test("the guest dies with a process that is killed, and its folder is swept", async () => {
  const child = start(["--", "sleep", "1000"]);
  await until("the guest runs", async () => (await guestsOf(child.pid)).length > 0);
  child.kill("SIGKILL");
  await child.stdout.cancel();
  await child.stderr.cancel();
  await child.status;
  await until("the guest is gone", async () => (await guestsOf(child.pid)).length === 0);
  // A command that is refused starts nothing, but what runs next sweeps.
  const above = Deno.env.get("TMPDIR") || "/tmp";
  const left = (): string[] =>
    [...Deno.readDirSync(above)].map(({ name }) => name)
      .filter((name) => name.startsWith(`zclab-vm-${child.pid}-`));
  assertEquals(left().length, 1);
  const { code, stderr } = await ended(start(["--", "true"]));
  assertEquals(code, 0, stderr);
  assertEquals(left(), []);
});

test("a folder that cannot be written is an error before anything boots", async () => {
  const { code, stderr } = await ended(start(["--out", "/proc/nothing", "--", "true"]));
  assert(code !== 0);
  assertStringIncludes(stderr, "/proc/nothing");
});
