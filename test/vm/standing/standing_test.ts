/**
 * The guest that stays, for real: what goes to it, and that nothing is left of it, whoever is killed.
 * Each test has a folder of temporary files of its own, so that a guest that the user has started is
 * neither used nor ended.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { ask, begin } from "../../../vm/standing/find.ts";
import { Command } from "../../child.ts";
import { missing, testsNeeding } from "../../needs.ts";
import { eventually, until } from "../../until.ts";

const PROJECT = fromFileUrl(new URL("../../..", import.meta.url)).replace(/\/$/, "");

/** How long one command may take, in seconds: the first one makes the guest. */
const SECONDS = 600;

const test = testsNeeding("guest");

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `deno task vm` with a folder of temporary files of its own. */
class Place implements AsyncDisposable {
  readonly folder: string;
  readonly out: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.out = `${folder}/out`;
  }

  static async make(): Promise<Place> {
    const place = new Place(await Deno.makeTempDir({ prefix: "zclab-test-" }));
    await Deno.mkdir(place.out);
    return place;
  }

  spawn(...args: readonly string[]): Deno.ChildProcess {
    return new Command(Deno.execPath(), {
      args: ["run", "--allow-all", "vm/main.ts", ...args],
      cwd: PROJECT,
      env: { TMPDIR: this.folder },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      seconds: SECONDS,
    }).spawn();
  }

  async vm(...args: readonly string[]): Promise<Ended> {
    return await ended(this.spawn(...args));
  }

  /** Runs a shell script in the guest that stays. */
  async sh(script: string): Promise<Ended> {
    return await this.vm("--", "sh", "-c", script);
  }

  async start(...args: readonly string[]): Promise<void> {
    const { code, stdout, stderr } = await this.vm("--out", this.out, ...args, "start");
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /^A guest .*stays since /m);
  }

  /** The folder of the guest that stays. */
  get room(): string {
    const [name, ...more] = this.left("standing");
    assert(name !== undefined && more.length === 0, `${more.length + 1} guests`);
    return `${this.folder}/${name}`;
  }

  left(kind: string): string[] {
    return [...Deno.readDirSync(this.folder)].map(({ name }) => name)
      .filter((name) => name.startsWith(`zclab-${kind}-`));
  }

  /** QEMU and the keeper: their command lines or environments have the folder in them. */
  processes(program: string): number[] {
    return [...Deno.readDirSync("/proc")].map(({ name }) => name)
      .filter((name) => /^\d+$/.test(name) && this.#isOurs(name, program)).map(Number);
  }

  #isOurs(pid: string, program: string): boolean {
    try {
      const line = Deno.readTextFileSync(`/proc/${pid}/cmdline`);
      const environment = Deno.readTextFileSync(`/proc/${pid}/environ`);
      return line.includes(program) && environment.includes(`TMPDIR=${this.folder}`);
    } catch {
      return false;
    }
  }

  /** Waits until nothing runs any more. */
  async untilGone(): Promise<void> {
    await until(
      "guest and keeper are gone",
      () => [...this.processes("qemu-system"), ...this.processes("keeper_process")].length === 0,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vm("stop");
    await this.untilGone();
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function ended(child: Deno.ChildProcess): Promise<Ended> {
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Reads a child's output until there is some text; the rest is read with its end. */
async function untilSaid(child: Deno.ChildProcess, text: string): Promise<() => Promise<string>> {
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let all = "";
  const read = async (): Promise<boolean> => {
    const { value, done } = await reader.read();
    all += value ?? "";
    return !done;
  };
  while (!all.includes(text)) assert(await read(), `it ended after ${JSON.stringify(all)}`);
  return async () => {
    while (await read());
    return all;
  };
}

test("commands go to the guest that stays, and behave as in one of their own", async (context) => {
  await using place = await Place.make();
  await place.start("--owner", String(Deno.pid));

  await context.step("output, streams and exit status come out, and what it wrote", async () => {
    const { code, stdout, stderr } = await place.sh([
      "echo to stderr >&2",
      "echo by name >/dev/stdout",
      `echo kept >${place.out}/file`,
      "echo no >LICENSE || echo read-only",
      "pwd",
      "head -c 3000000 /dev/zero",
      "exit 7",
    ].join("\n"));
    assertEquals(code, 7, stderr);
    assertStringIncludes(stdout, `by name\nread-only\n${PROJECT}\n\0`);
    assertEquals(stdout.split("\0").length - 1, 3_000_000);
    assertStringIncludes(stderr, "to stderr\n");
    assertEquals(await Deno.readTextFile(`${place.out}/file`), "kept\n");
  });

  await context.step("it is the same guest, and /tmp is a command's own", async () => {
    const boot = "cat /proc/sys/kernel/random/boot_id; ls /tmp/own; touch /tmp/own";
    const [one, other] = [await place.sh(boot), await place.sh(boot)];
    assertMatch(one.stdout, /^[0-9a-f-]{36}\n$/);
    assertEquals([other.code, other.stdout], [0, one.stdout]);
  });

  await context.step("two run at the same time, each with its own output", async () => {
    const meet = (own: string, other: string): string =>
      `touch ${place.out}/${own}; until [ -e ${place.out}/${other} ]; do sleep 0.1; done; ` +
      `echo ${own}; exit ${own.length}`;
    const both = await Promise.all([place.sh(meet("a", "bb")), place.sh(meet("bb", "a"))]);
    assertEquals(both.map(({ code, stdout }) => [code, stdout]), [[1, "a\n"], [2, "bb\n"]]);
  });

  await context.step("it sees the project as it is now", async () => {
    const file = await Deno.makeTempFile({ dir: `${PROJECT}/test/vm/standing`, suffix: ".tmp" });
    try {
      for (const text of ["one", "two", "longer"]) {
        await Deno.writeTextFile(file, text);
        assertEquals((await place.sh(`cat ${file}`)).stdout, text);
      }
    } finally {
      await Deno.remove(file);
    }
    assertEquals((await place.sh(`test -e ${file}`)).code, 1);
  });

  await context.step("SIGINT interrupts the command, which may clean up", async () => {
    const script = 'trap "echo cleaned; exit 9" INT; echo started; while :; do sleep 0.1; done';
    const child = place.spawn("--", "sh", "-c", script);
    const rest = await untilSaid(child, "started\n");
    child.kill("SIGINT");
    assertEquals(await rest(), "started\ncleaned\n");
    await child.stderr.cancel();
    assertEquals((await child.status).code, 9);
  });

  const noSleep = "! grep -l '^sleep.1000' /proc/[0-9]*/cmdline";

  await context.step("a second SIGINT ends it, with what it has started", async () => {
    const child = place.spawn("--", "sh", "-c", "trap '' INT; echo started; sleep 1000");
    const rest = await untilSaid(child, "started\n");
    child.kill("SIGINT");
    // What comes at once is the same key press.
    await new Promise((resolve) => setTimeout(resolve, 700));
    child.kill("SIGINT");
    await rest();
    await child.stderr.cancel();
    assertEquals((await child.status).code, 130);
    await until("nothing is left", async () => (await place.sh(noSleep)).code === 0);
  });

  await context.step("a command that is killed outside ends inside", async () => {
    const child = place.spawn("--", "sh", "-c", "echo started; setsid sleep 1000");
    const rest = await untilSaid(child, "started\n");
    child.kill("SIGKILL");
    await rest();
    await child.stderr.cancel();
    await child.status;
    await until("nothing is left", async () => (await place.sh(noSleep)).code === 0);
  });

  await context.step("a command ends with its time limit, and the guest stays", async () => {
    const { code, stderr } = await place.vm("--time-limit", "2", "--", "sleep", "1000");
    assertEquals(code, 1);
    assertStringIncludes(stderr, "error: The command took longer than the time limit (2 s)");
    assertEquals((await place.sh(noSleep)).code, 0);
  });

  await context.step("--strict tells what the kernel said during this command alone", async () => {
    const complain = (line: number): string =>
      `echo '<4>WARNING: CPU: 0 PID: 1 at made/up.c:${line}' >/dev/kmsg`;
    assertEquals((await place.sh(complain(1))).code, 0);
    const { code, stderr } = await place.vm("--strict", "--", "sh", "-c", complain(2));
    assertEquals(code, 1);
    assertStringIncludes(stderr, "made/up.c:2");
    assert(!stderr.includes("made/up.c:1"), stderr);
  });

  await context.step("start finds it, and refuses what it was not booted with", async () => {
    await place.start();
    const { code, stderr } = await place.vm("--memory", "512", "start");
    assertEquals(code, 1);
    assertStringIncludes(stderr, "The guest that runs has --memory 2048, not 512");
  });

  await context.step("another user cannot run anything in it", async () => {
    const { mode, uid } = await Deno.stat(place.room);
    assertEquals([mode! & 0o777, uid], [0o700, Deno.uid()]);
    if (missing(["root"]).length > 0) return;
    const connect = `await Deno.connect({ transport: "unix", path: "${place.room}/keeper" })`;
    const { success, stderr } = await new Command("setpriv", {
      args: ["--reuid=65534", "--regid=65534", "--clear-groups", Deno.execPath(), "eval", connect],
      env: { DENO_DIR: `${place.folder}/none`, HOME: "/nonexistent" },
    }).output();
    assertEquals(success, false);
    assertStringIncludes(new TextDecoder().decode(stderr), "PermissionDenied");
  });

  await context.step("eight run at the same time, and a ninth is told so", async () => {
    const standing = { socket: `${place.room}/keeper` };
    const order = { order: "run", script: "echo in; sleep 1000", timeLimit: undefined } as const;
    const eight = await Promise.all(Array.from({ length: 8 }, () => begin(standing, order)));
    for (const { frames } of eight) {
      const { value: frame } = await frames.next();
      assertEquals(frame, { kind: "out", bytes: new TextEncoder().encode("in\n") });
    }
    const ninth = await begin(standing, order);
    const { value: answer } = await ninth.frames.next();
    assertEquals(answer, { kind: "message", value: { refused: "8 commands run in it" } });
    for (const { connection } of [...eight, ninth]) connection.close();
    await until(
      "nobody waits, so nothing runs",
      async () => (await ask(standing, { order: "describe" }))?.commands === 0,
    );
  });

  await context.step("what it was not booted with runs in a guest of its own", async () => {
    const script = ["sh", "-c", "cat /proc/sys/kernel/random/boot_id; grep MemTotal /proc/meminfo"];
    const { code, stdout, stderr } = await place.vm("--memory", "640", "--", ...script);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, "vm: the guest that stays has --memory 2048, not 640");
    const [boot, total] = stdout.split("\n");
    assert((await place.vm("--", ...script)).stdout.split("\n")[0] !== boot);
    assert(Number(/\d+/.exec(total!)![0]) < 640 * 1024);
  });

  await context.step("stop ends it, and nothing is left", async () => {
    assertEquals((await place.vm("status")).code, 0);
    assertEquals((await place.vm("stop")).code, 0);
    assertEquals(place.left("standing"), []);
    await place.untilGone();
    const { code, stdout } = await place.vm("status");
    assertEquals([code, stdout.includes("No guest stays")], [1, true]);
  });
});

test("whoever is killed, nothing is left of the guest that stays", async (context) => {
  await using place = await Place.make();

  /** Starts a guest and a command that waits in it. */
  const waiting = async (): Promise<Deno.ChildProcess> => {
    await place.start();
    const child = place.spawn("--", "sh", "-c", "echo started; sleep 1000");
    const rest = await untilSaid(child, "started\n");
    rest();
    return child;
  };
  const toldAndGone = async (child: Deno.ChildProcess, told: string): Promise<void> => {
    assertStringIncludes(await new Response(child.stderr).text(), told);
    assertEquals((await child.status).code, 1);
    await place.untilGone();
    // The kernel may still be taking the process apart that the folder is named after.
    await until("looking has swept its folder", async () => {
      assertEquals((await place.vm("status")).code, 1);
      return place.left("standing").length === 0;
    });
  };

  await context.step("the keeper", async () => {
    const child = await waiting();
    const [keeper] = place.processes("keeper_process");
    Deno.kill(keeper!, "SIGKILL");
    await toldAndGone(child, "error: The guest's keeper ended before the command did.");
  });

  await context.step("QEMU", async () => {
    const child = await waiting();
    for (const pid of place.processes("qemu-system")) Deno.kill(pid, "SIGKILL");
    await toldAndGone(child, "error: The guest ended before the command did.");
  });

  await context.step("who starts it, while it boots", async () => {
    const child = place.spawn("start");
    await eventually("it boots", () => place.processes("qemu-system")[0]);
    child.kill("SIGKILL");
    await child.output();
    await place.untilGone();
    assertEquals(place.left("standing"), []);
  });

  await context.step("for whom it was started", async () => {
    const owner = new Command("sleep", { args: ["1000"], seconds: SECONDS }).spawn();
    await place.start("--owner", String(owner.pid));
    owner.kill("SIGKILL");
    await owner.status;
    await place.untilGone();
    assertEquals(place.left("standing"), []);
  });
});

test("a guest that counts instructions and one with the microscope stay side by side", async (context) => {
  await using place = await Place.make();
  const boot = "cat /proc/sys/kernel/random/boot_id";
  const counting = async (script: string): Promise<Ended> =>
    await place.vm("--clock", "instructions", "--", "sh", "-c", script);
  const looking = async (script: string): Promise<Ended> =>
    await place.vm("--microscope", "--", "sh", "-c", script);
  const halted = (): boolean =>
    place.processes("qemu-system").every((pid) =>
      / T /.test(Deno.readTextFileSync(`/proc/${pid}/stat`))
    );

  await place.start("--clock", "instructions");
  let booted = "";

  await context.step(
    "commands go to the one that counts, and each finds what it needs",
    async () => {
      const script = `${boot}; nproc; grep -o zclab.clock=.* /proc/cmdline; ` +
        "echo $DENO_V8_FLAGS | grep -o single-threaded; echo $ZCLAB_MICROSCOPE";
      const [one, other] = [await counting(script), await counting(script)];
      const found = /^[0-9a-f-]{36}\n1\nzclab\.clock=instructions\nsingle-threaded\n\n$/;
      assertMatch(one.stdout, found, one.stderr);
      assertEquals([other.code, other.stdout], [0, one.stdout]);
      booted = one.stdout.split("\n")[0]!;
    },
  );

  await context.step("two commands would count each other's instructions", async () => {
    const standing = { socket: `${place.room}/keeper` };
    // By this clock a sleep would be over at once.
    const script = "echo in; while :; do :; done";
    const order = { order: "run", script, timeLimit: undefined } as const;
    const first = await begin(standing, order);
    assertEquals((await first.frames.next()).value?.kind, "out");
    const second = await begin(standing, order);
    const { value: answer } = await second.frames.next();
    const refused = "a command runs in it, and each would count the other's instructions";
    assertEquals(answer, { kind: "message", value: { refused } });
    for (const { connection } of [first, second]) connection.close();
    await until(
      "nobody waits, so nothing runs",
      async () => (await ask(standing, { order: "describe" }))?.commands === 0,
    );
  });

  await context.step("it is halted while no command runs, and goes on for the next", async () => {
    await until("it is halted", halted);
    assertEquals((await counting("exit 3")).code, 3);
    await until("it is halted again", halted);
  });

  await context.step("it is of one kind", async () => {
    assertEquals((await place.vm("status")).code, 0);
    assertEquals((await place.vm("--clock", "instructions", "status")).code, 0);
    assertEquals((await place.vm("--clock", "time", "status")).code, 1);
    const { code, stdout } = await place.vm("--microscope", "status");
    assertEquals([code, /No guest with the microscope stays/.test(stdout)], [1, true]);
    const { stderr } = await place.vm("--clock", "time", "stop");
    assertStringIncludes(stderr, "vm: no guest stays");
  });

  await place.start("--microscope");

  await context.step("the microscope looks for one program after the other", async () => {
    const program = 'import { Area, Microscope } from "zclab"; using microscope = ' +
      "Microscope.open(); using area = Area.map({ bytes: 4096 }); area.slice(0, 8).write(" +
      "new Uint8Array(8)); microscope.watch(area); " +
      'console.log(microscope.look("nothing", () => {}).copiesPerByte);';
    const script = `${boot}; deno eval '${program}'`;
    const [one, other] = [await looking(script), await looking(script)];
    assertMatch(one.stdout, /^[0-9a-f-]{36}\n\{ least: 0, most: 0 \}\n$/, one.stderr);
    assertEquals([other.code, other.stdout], [0, one.stdout], other.stderr);
    assert(!one.stdout.startsWith(booted), "it is another guest");
  });

  await context.step("stop ends the kind that is asked for, or all", async () => {
    assertEquals(place.left("standing").length, 2);
    assertEquals((await place.vm("--microscope", "stop")).code, 0);
    const { stdout } = await place.vm("status");
    assertMatch(stdout, /^A guest with the instruction clock stays since /);
    assertEquals(stdout.match(/stays since/g)?.length, 1);
  });

  await context.step("one that is halted dies with its keeper", async () => {
    await until("it is halted", halted);
    const [keeper] = place.processes("keeper_process");
    Deno.kill(keeper!, "SIGKILL");
    await place.untilGone();
  });
});

test("the guest that stays ends when no command came for its time limit", async () => {
  await using place = await Place.make();
  await place.start("--time-limit", "3");
  await place.untilGone();
  assertEquals(place.left("standing"), []);
});
