import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { Command } from "../../child.ts";

const KERNEL = new URL("../../../ffi/kernel", import.meta.url).pathname;

const PRINT_PATHS = `
  import { compileShim } from "${KERNEL}/compile.ts";
  console.log(compileShim());
  console.log(compileShim());
`;

/** What a compiler does as far as compileShim() sees: the real one takes seconds. */
const PRETEND = 'while [ "$1" != -o ]; do shift; done; echo compiled > "$2"';

/** An empty place for one test: a home, a cache, a temporary directory. */
class Place implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "zclab-compile-" });
  readonly #pretender = this.#program("cc", PRETEND);
  #scripts = 0;

  #program(name: string, work: string): string {
    const path = `${this.path}/${name}`;
    Deno.writeTextFileSync(path, `#!/bin/sh\n${work}\n`, { mode: 0o755 });
    return path;
  }

  directory(name: string, mode = 0o700): string {
    const path = `${this.path}/${name}`;
    Deno.mkdirSync(path);
    Deno.chmodSync(path, mode);
    return path;
  }

  /** A compiler that notes each of its runs, and compiles or only pretends to. */
  loggingCompiler(work = PRETEND): { path: string; runs: () => number } {
    const log = `${this.path}/runs`;
    Deno.writeTextFileSync(log, "");
    const path = this.#program("noted-cc", `echo run >> ${log}\n${work}`);
    return { path, runs: () => Deno.readTextFileSync(log).split("\n").length - 1 };
  }

  /**
   * Compiles in a process of its own, whose environment is only what is given. Unless it says
   * otherwise, the compiler is one that pretends.
   */
  async compile(
    environment: Record<string, string>,
    permissions: string[] = ["-A"],
    source = PRINT_PATHS,
  ): Promise<{ code: number; paths: string[]; stderr: string }> {
    // Of its own: another process may be reading that of an earlier call, and would find it empty.
    const script = `${this.path}/script-${this.#scripts++}.ts`;
    Deno.writeTextFileSync(script, source);
    const output = await new Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-config", "--no-lock", ...permissions, script],
      clearEnv: true,
      env: {
        DENO_DIR: `${this.path}/deno`,
        NO_COLOR: "1",
        CC: this.#pretender,
        PATH: Deno.env.get("PATH")!,
        // This user may have a shim in the usual one.
        TMPDIR: this.path,
        ...environment,
      },
    }).output();
    return {
      code: output.code,
      paths: new TextDecoder().decode(output.stdout).trim().split("\n"),
      stderr: new TextDecoder().decode(output.stderr),
    };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

function list(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

Deno.test("compileShim() runs the compiler once, whoever asks", async () => {
  using place = new Place();
  const cache = place.directory("cache");
  const compiler = place.loggingCompiler('exec cc "$@"');
  const environment = { XDG_CACHE_HOME: cache, CC: compiler.path };
  const first = await place.compile(environment);
  assertEquals(first.stderr, "");
  const second = await place.compile(environment);
  assertEquals(new Set([...first.paths, ...second.paths]).size, 1);
  assertMatch(first.paths[0]!, /\/cache\/zclab\/shim-[0-9a-f]{32}\.so$/);
  assertEquals(compiler.runs(), 1);
  assertEquals(Deno.statSync(`${cache}/zclab`).mode! & 0o777, 0o700);
  assertEquals(list(`${cache}/zclab`).length, 1);
});

Deno.test("compileShim() compiles again for another compiler and for other flags", async () => {
  using place = new Place();
  const cache = place.directory("cache");
  const compiler = place.loggingCompiler();
  const environment = { XDG_CACHE_HOME: cache, CC: compiler.path };
  const first = await place.compile(environment);
  Deno.utimeSync(compiler.path, new Date(0), new Date(1_000_000_000_000));
  const updated = await place.compile(environment);
  const flagged = await place.compile({ ...environment, CC: `${compiler.path} -DSOMETHING` });
  assertEquals(compiler.runs(), 3);
  assertNotEquals(updated.paths[0], first.paths[0]);
  assertNotEquals(flagged.paths[0], updated.paths[0]);
});

Deno.test("compileShim() compiles again for a change in any file of its folder", async () => {
  using place = new Place();
  const kernel = `${place.path}/kernel`;
  const copied = await new Command("cp", { args: ["-r", KERNEL, kernel] }).output();
  assertEquals(copied.code, 0);
  const compiler = place.loggingCompiler();
  const files = list(`${kernel}/shim`);
  const environment = { XDG_CACHE_HOME: place.directory("cache"), CC: compiler.path };
  const { paths, stderr } = await place.compile(
    environment,
    ["-A"],
    `
      import { compileShim } from "${kernel}/compile.ts";
      console.log(compileShim());
      for (const file of ${JSON.stringify(files)}) {
        Deno.writeTextFileSync("${kernel}/shim/" + file, "\\n", { append: true });
        console.log(compileShim());
      }
    `,
  );
  assertEquals(stderr, "");
  assertEquals(paths.length, files.length + 1);
  assertEquals(new Set(paths).size, paths.length);
  assertEquals(compiler.runs(), paths.length);
});

Deno.test("compileShim() in several processes at once leaves one file", async () => {
  using place = new Place();
  const cache = place.directory("cache");
  const outcomes = await Promise.all(
    Array.from({ length: 4 }, () => place.compile({ XDG_CACHE_HOME: cache, CC: "" })),
  );
  assertEquals(outcomes.map(({ code, stderr }) => [code, stderr]), Array(4).fill([0, ""]));
  const [file, ...others] = list(`${cache}/zclab`);
  assertEquals(others, []);
  assertEquals([...new Set(outcomes.flatMap(({ paths }) => paths))], [`${cache}/zclab/${file}`]);
});

Deno.test("compileShim() uses the home directory without XDG_CACHE_HOME", async () => {
  using place = new Place();
  const home = place.directory("home");
  const { paths } = await place.compile({ HOME: home, XDG_CACHE_HOME: "relative" });
  assertEquals(paths[0]!.startsWith(`${home}/.cache/zclab/shim-`), true);
});

Deno.test("compileShim() uses a private temporary directory where no home can be written", async () => {
  using place = new Place();
  const temporary = place.directory("tmp", 0o777);
  // Not even root can make a directory below /proc.
  for (const home of [[["HOME", "/proc"]], []]) {
    const environment = Object.fromEntries([...home, ["TMPDIR", temporary]]);
    const { paths, stderr } = await place.compile(environment);
    assertEquals(stderr, "");
    assertEquals(paths[0]!.startsWith(`${temporary}/zclab-${Deno.uid()}/shim-`), true);
    assertEquals(Deno.statSync(`${temporary}/zclab-${Deno.uid()}`).mode! & 0o777, 0o700);
  }
});

Deno.test("compileShim() trusts no directory that others can write", async () => {
  using place = new Place();
  const cache = place.directory("cache");
  place.directory("cache/zclab", 0o777);
  const temporary = place.directory("tmp");
  const elsewhere = await place.compile({ XDG_CACHE_HOME: cache, TMPDIR: temporary });
  assertEquals(elsewhere.paths[0]!.startsWith(`${temporary}/zclab-`), true);
  Deno.chmodSync(`${temporary}/zclab-${Deno.uid()}`, 0o770);
  const nowhere = await place.compile({ XDG_CACHE_HOME: cache, TMPDIR: temporary });
  assertMatch(nowhere.stderr, /UnsupportedError: .*only this user can write.*XDG_CACHE_HOME/);
  assertEquals(list(`${cache}/zclab`), []);
});

Deno.test("compileShim() does not follow a link that lies in the cache's place", async () => {
  using place = new Place();
  const cache = place.directory("cache");
  const target = place.directory("target");
  Deno.symlinkSync(target, `${cache}/zclab`);
  const temporary = place.directory("tmp");
  const { paths } = await place.compile({ XDG_CACHE_HOME: cache, TMPDIR: temporary });
  assertEquals(paths[0]!.startsWith(`${temporary}/zclab-`), true);
  assertEquals(list(target), []);
});

Deno.test("compileShim() says what to install when there is no compiler", async () => {
  using place = new Place();
  const cache = place.directory("cache");
  for (const compiler of ["absent-cc", "/absent/cc", place.path]) {
    const { code, stderr } = await place.compile({ XDG_CACHE_HOME: cache, CC: compiler });
    assertEquals(code, 1);
    assertMatch(stderr, /UnsupportedError: The C compiler .*apt-get install gcc libc6-dev/);
  }
  assertEquals(list(cache), []);
});

Deno.test("compileShim() passes on what the compiler says and leaves nothing", async () => {
  using place = new Place();
  const cache = place.directory("cache");
  const { code, stderr } = await place.compile({
    XDG_CACHE_HOME: cache,
    CC: "cc -include absent_header.h",
  });
  assertEquals(code, 1);
  assertMatch(stderr, /Error: The shim does not compile with .*libc6-dev/);
  assertMatch(stderr, /absent_header\.h: No such file/);
  assertEquals(list(`${cache}/zclab`), []);
});

Deno.test("compileShim() sweeps what a killed process left, and only that", async () => {
  using place = new Place();
  const cache = place.directory("cache");
  const shims = place.directory("cache/zclab");
  const finished = await new Command("true").spawn();
  await finished.status;
  const ended = `shim-abc.so.${finished.pid}.${crypto.randomUUID()}`;
  const young = `shim-abc.so.${finished.pid}.${crypto.randomUUID()}`;
  const running = `shim-abc.so.${Deno.pid}.${crypto.randomUUID()}`;
  const foreign = "somebody-elses.txt";
  for (const name of [ended, young, running, foreign]) {
    Deno.writeTextFileSync(`${shims}/${name}`, "");
    if (name !== young) Deno.utimeSync(`${shims}/${name}`, 1, 1);
  }
  const { code } = await place.compile({ XDG_CACHE_HOME: cache });
  assertEquals(code, 0);
  const left = list(shims).filter((name) => !/^shim-[0-9a-f]{32}\.so$/.test(name));
  assertEquals(left, [young, running, foreign].sort());
});

Deno.test("compileShim() replaces a file that is empty", async () => {
  using place = new Place();
  const cache = place.directory("cache");
  const { paths: [path] } = await place.compile({ XDG_CACHE_HOME: cache });
  Deno.truncateSync(path!);
  await place.compile({ XDG_CACHE_HOME: cache });
  assert(Deno.statSync(path!).size > 0);
});

Deno.test("compileShim() passes on Deno's refusal of a permission", async () => {
  using place = new Place();
  const cache = place.directory("cache");
  for (const lacking of [["--allow-read"], ["--allow-read", "--allow-env", "--allow-sys"]]) {
    const { code, stderr } = await place.compile({ XDG_CACHE_HOME: cache }, lacking);
    assertEquals(code, 1);
    assertMatch(stderr, /NotCapable: Requires \w+ access/);
  }
  assertEquals(list(cache), []);
});
