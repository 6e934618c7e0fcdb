import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { defineLab } from "../../labs/kit/lab/define_lab.ts";
import type { Lab } from "../../labs/kit/lab/lab.ts";
import { OptionError } from "../../labs/kit/options/options.ts";
import { probe } from "../../labs/kit/probe/probe.ts";
import { SetupError } from "../../labs/kit/terminal/setup.ts";
import { Interruption, printer } from "../../labs/kit/terminal/terminal.ts";
import { describeError, exitCode } from "../../labs/kit/commands/program.ts";
import { main, type Surroundings } from "../../labs/main.ts";
import { UnsupportedError, UringError } from "../../ffi/kernel/errors.ts";
import { TrialError } from "../../labs/kit/experiment/experiment.ts";
import { Command } from "../child.ts";
import { NEEDY, SAMPLE } from "./sample_lab.ts";
import { inFolder } from "../folder.ts";
import { testsNeeding } from "../needs.ts";

const withoutIt = testsNeeding({ without: "microscope" });

const TINY = defineLab({
  name: "tiny",
  title: "Nearly nothing",
  description: "Returns a number.",
  needs: [],
  options: {},
  factors: () => [{ mode: "copy" }, { mode: "zc" }],
  baseline: { mode: "copy" },
  trial: () => ({ rate: 1 }),
  columns: { rate: { title: "rate" } },
});

const PROGRAM = fromFileUrl(new URL("./sample_lab.ts", import.meta.url));

async function run(
  args: readonly string[],
  changes: Partial<Surroundings> = {},
): Promise<{ code: number; out: string; errors: string }> {
  let out = "";
  let errors = "";
  const code = await main(args, {
    catalogue: [SAMPLE, NEEDY],
    print: (text) => out += text,
    printError: (text) => errors += text,
    ensureSystem: () => Promise.resolve(),
    progress: () => ({ update: () => {}, [Symbol.dispose]: () => {} }),
    debug: false,
    ...changes,
  });
  return { code, out, errors };
}

Deno.test("main() prints what a lab found and returns 0", async () => {
  assertEquals(await run(["--payload", "5"]), { code: 0, out: "payload 5\n", errors: "" });
});

Deno.test("main() draws only labs that were declared, and only as .svg or .txt", async () => {
  const undeclared = await run(["--flame", "a.svg"]);
  assertEquals([undeclared.code, undeclared.out], [2, ""]);
  assertStringIncludes(undeclared.errors, "make it with defineLab()");
  const picture = await run(["--changes", "a.png"]);
  assertEquals(picture.code, 2);
  assertStringIncludes(picture.errors, "a.png ends neither in .svg nor in .txt");
});

withoutIt(
  "main() says what to type for a drawing where there is no microscope",
  () =>
    inFolder(async (folder) => {
      const path = `${folder}/a.svg`;
      const { code, errors } = await run(["tiny", "--flame", path, "--row", "zc, 8000"], {
        catalogue: [TINY],
      });
      assertEquals(code, 77);
      assertStringIncludes(
        errors,
        `deno task vm --microscope -- deno task lab tiny --flame ${path} --row 'zc, 8000'\n`,
      );
      assertEquals([...Deno.readDirSync(folder)], []);
    }),
);

Deno.test("main() writes the document, whole, beside nothing else", () =>
  inFolder(async (folder) => {
    const { code, errors } = await run(["--json", `${folder}/run.json`, "--seed", "7"]);
    assertEquals(code, 0);
    assertStringIncludes(errors, `${folder}/run.json`);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["run.json"]);
    const document = JSON.parse(Deno.readTextFileSync(`${folder}/run.json`));
    assertEquals(document.parameters.seed, 7);
  }));

Deno.test("main() returns 2 when the document cannot be written, and makes nothing", () =>
  inFolder(async (folder) => {
    Deno.writeTextFileSync(`${folder}/file`, "kept");
    const paths = [
      folder,
      `${folder}/new/`,
      `${folder}/missing/run.json`,
      `${folder}/file/run.json`,
      // Nobody can make files there, not even root.
      "/proc/run.json",
    ];
    for (const path of paths) {
      const { code, out, errors } = await run(["--json", path, "--wait", "1"]);
      assertEquals([code, out], [2, ""], path);
      assertMatch(errors, /^error: --json/);
    }
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["file"]);
    assertEquals(Deno.readTextFileSync(`${folder}/file`), "kept");
  }));

Deno.test("main() writes several files of one run, and looks at all of them first", () =>
  inFolder(async (folder) => {
    const [json, csv, html] = ["json", "csv", "html"].map((kind) => `${folder}/run.${kind}`) as [
      string,
      string,
      string,
    ];
    const { code, errors } = await run(["--html", html, "--json", json, "--csv", csv]);
    assertEquals([code, errors], [
      0,
      `The run is in ${json}\nThe trials are in ${csv}\nThe report is in ${html}\n`,
    ]);
    assertMatch(Deno.readTextFileSync(html), /^<!DOCTYPE html>[^]*sample-lab[^]*<\/html>\s*$/);
    const { trials } = JSON.parse(Deno.readTextFileSync(json));
    assertEquals(Deno.readTextFileSync(csv).split("\r\n").length, 1 + trials.length + 1);
    for (const file of [json, html]) Deno.removeSync(file);
    const bad = await run(["--json", json, "--csv", `${folder}/missing/run.csv`]);
    assertEquals(bad.code, 2);
    assertStringIncludes(bad.errors, "--csv: Cannot write");
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["run.csv"]);
  }));

Deno.test("main() replays a run: the differences, then the answer, then row by row", () =>
  inFolder(async (folder) => {
    const [file, again] = [`${folder}/run.json`, `${folder}/again.json`];
    await run(["--json", file, "--payload", "5,6", "--seed", "7", "--cpu", "1"]);
    const other = await run(["--replay", file, "--cpu", "0", "--payload", "9"]);
    assertEquals([other.code, other.out], [2, ""]);
    assertStringIncludes(other.errors, "--payload cannot stand beside --replay");
    const refused = await run(["--replay", file]);
    assertEquals([refused.code, refused.out], [2, ""]);
    assertStringIncludes(refused.errors, "--cpu 1, which names something of the machine");
    const { code, out, errors } = await run(["--replay", file, "--cpu", "0", "--json", again]);
    assertEquals([code, errors], [0, `The run is in ${again}\n`]);
    assertMatch(
      out,
      /^sample-lab of .* UTC, 20 trials, seed 7, again:\n\n[^]*cpu +1 +0\n[^]*Proof agrees in 2 rows/,
    );
    assertStringIncludes(out, "Effects: 2 of 2 agree, 0 differ, 0 cannot be told.");
    const [first, second] = [file, again].map((path) => JSON.parse(Deno.readTextFileSync(path)));
    assertEquals(second.trials.length, first.trials.length);
    assertEquals({ ...second.parameters, cpu: 1 }, first.parameters);
    assertEquals(
      second.trials.map(({ measures }: { measures: unknown }) => measures),
      first.trials.map(({ measures }: { measures: unknown }) => measures),
    );
    const compared = await run(["--compare", file, again]);
    assertEquals(compared.code, 0);
    assertMatch(
      compared.out,
      /^first: {2}sample-lab of .*\nsecond: sample-lab of [^]*Effects: 2 of 2/,
    );
  }));

Deno.test("main() finds what differs between two runs, which is no failure", () =>
  inFolder(async (folder) => {
    const file = `${folder}/run.json`;
    await run(["--json", file]);
    const document = JSON.parse(Deno.readTextFileSync(file));
    for (const { factors, measures } of document.trials) {
      if (factors.mode === "zc") Object.assign(measures, { rate: measures.rate * 2, copied: 1 });
    }
    Deno.writeTextFileSync(
      file,
      JSON.stringify({ ...document, code: { ...document.code, commit: "0" } }),
    );
    const { code, out } = await run(["--replay", file]);
    assertEquals(code, 0);
    assertMatch(out, /zclab +0\.\d+\.\d+, 0/);
    assertStringIncludes(out, "PROOF DIFFERS: payload 600, mode zc: copied then, not copied now");
    assertStringIncludes(out, "Effects: 0 of 2 agree, 2 differ, 0 cannot be told.");
    assertStringIncludes(out, "Differs: payload 1500, mode zc: requests/s against copy: +");
  }));

Deno.test("main() returns 2 for documents that it cannot use, and says which and why", () =>
  inFolder(async (folder) => {
    const good = `${folder}/good.json`;
    await run(["--json", good]);
    const document = JSON.parse(Deno.readTextFileSync(good));
    const changed = (name: string, changes: Record<string, unknown>): string => {
      const path = `${folder}/${name}.json`;
      Deno.writeTextFileSync(path, JSON.stringify({ ...document, ...changes }));
      return path;
    };
    Deno.writeTextFileSync(`${folder}/cut.json`, Deno.readTextFileSync(good).slice(0, 500));
    Deno.writeTextFileSync(`${folder}/text.json`, "no JSON");
    const { invocation } = document;
    const options = { speed: 3, "old-name": "x" };
    const cases: [string, string][] = [
      [`${folder}/missing.json`, "there is no such file"],
      [folder, "it is a folder, not a file"],
      [`${folder}/cut.json`, "the file ends too early"],
      [`${folder}/text.json`, "it is not JSON"],
      [changed("newer", { schema: "zclab/run/9" }), "has the schema zclab/run/9"],
      [changed("other", { lab: "other-lab" }), "The labs are: sample-lab, needy-lab"],
      [
        changed("unknown", { invocation: { ...invocation, options } }),
        "made with --speed and --old-name, which sample-lab does not have",
      ],
      [
        changed("wrong", { invocation: { ...invocation, options: { payload: [0] } } }),
        "payload: 0 is not between 1 and 65507",
      ],
    ];
    for (const [path, message] of cases) {
      const { code, out, errors } = await run(["--replay", path]);
      assertEquals([code, out], [2, ""], errors);
      assertStringIncludes(errors, message);
    }
    const compared = await run(["--compare", good, `${folder}/missing.json`]);
    assertEquals([compared.code, compared.out], [2, ""]);
    assertStringIncludes(
      compared.errors,
      `--compare ${folder}/missing.json: there is no such file`,
    );
    const same = await run(["--compare", good, good]);
    assertEquals(same.code, 0);
    assertStringIncludes(same.out, "Both files hold the same run");
    const mixed = await run(["--compare", good, changed("needy", { lab: "needy-lab" })]);
    assertEquals([mixed.code, mixed.out], [1, ""]);
    assertStringIncludes(mixed.errors, "only runs of the same lab can be compared");
  }));

Deno.test("main() replays a document of zclab/run/1", () =>
  inFolder(async (folder) => {
    const file = `${folder}/run.json`;
    await run(["--json", file, "--payload", "9", "--seed", "3", "--repeats", "3"]);
    const { invocation: _, seed: __, code: ___, startedAt: ____, ...document } = JSON.parse(
      Deno.readTextFileSync(file),
    );
    Deno.writeTextFileSync(file, JSON.stringify({ ...document, schema: "zclab/run/1" }));
    const { code, out } = await run(["--replay", file]);
    assertEquals(code, 0);
    assertStringIncludes(out, "commit unknown");
    assertStringIncludes(out, "seed 3, again");
    assertStringIncludes(out, "Effects: 1 of 1 agree");
  }));

Deno.test("main() returns 77 when the lab of a replay is not possible here", () =>
  inFolder(async (folder) => {
    const { items } = await probe();
    const lacking = items.find(({ state }) => state !== "real");
    // Every machine lacks something: nobody has NICs of all kinds and free huge pages.
    assert(lacking !== undefined);
    const file = `${folder}/run.json`;
    await run(["--json", file]);
    const lab = { ...SAMPLE, needs: [lacking.name] } as Lab;
    const { code, out, errors } = await run(["--replay", file], { catalogue: [lab] });
    assertEquals([code, out], [77, ""]);
    assertStringIncludes(errors, `${lacking.name}: ${lacking.why}`);
  }));

Deno.test("main() keeps the file there was when the lab fails", () =>
  inFolder(async (folder) => {
    Deno.writeTextFileSync(`${folder}/run.json`, "before");
    const { code } = await run(["--json", `${folder}/run.json`, "--fail", "uring"]);
    assertEquals(code, 1);
    assertEquals(Deno.readTextFileSync(`${folder}/run.json`), "before");
  }));

Deno.test("main() writes through a link instead of replacing it", () =>
  inFolder(async (folder) => {
    Deno.writeTextFileSync(`${folder}/real`, "");
    Deno.symlinkSync(`${folder}/real`, `${folder}/link`);
    assertEquals((await run(["--json", `${folder}/link`])).code, 0);
    assert(Deno.lstatSync(`${folder}/link`).isSymlink);
    assertEquals(JSON.parse(Deno.readTextFileSync(`${folder}/real`)).lab, "sample-lab");
  }));

Deno.test("main() lists labs with whether they can run here", async () => {
  const { code, out } = await run(["--list"]);
  assertEquals(code, 0);
  assertMatch(out, /sample-lab.*real here/);
  assertStringIncludes(out, "needs: zcrx");
  const { state, why } = (await probe()).item("zcrx");
  if (state !== "real") assertStringIncludes(out, `zcrx: ${why}`);
});

Deno.test("main() returns 2 for bad arguments, before anything happens", async () => {
  let happened = false;
  const lab: Lab = {
    ...SAMPLE,
    run: () => {
      happened = true;
      return Promise.reject(new Error("not to be reached"));
    },
  };
  const { code, out, errors } = await run(["--payload", "0"], {
    catalogue: [lab],
    ensureSystem: () => {
      happened = true;
      return Promise.resolve();
    },
  });
  assertEquals({ code, out, happened }, { code: 2, out: "", happened: false });
  assertStringIncludes(errors, "--payload: 0 is not between 1 and 65507 bytes");
});

Deno.test("main() returns 77 for what this machine lacks, with the reason", async () => {
  const { items } = await probe();
  const lacking = items.find(({ state }) => state !== "real");
  // Every machine lacks something: nobody has NICs of all kinds and free huge pages.
  if (lacking === undefined) {
    assertEquals((await run(["needy-lab"])).code, 0);
    return;
  }
  const { code, errors } = await run([], { catalogue: [{ ...NEEDY, needs: [lacking.name] }] });
  assertEquals(code, 77);
  assertStringIncludes(errors, `${lacking.name}: ${lacking.why}`);
});

Deno.test("main() returns 77 when the system cannot be set up, with the command", async () => {
  const { code, errors } = await run([], {
    ensureSystem: () => Promise.reject(new SetupError(["liburing"], "To install it:")),
  });
  assertEquals(code, 77);
  assertMatch(errors, /liburing 2\.3 or later.*\n.*apt-get install -y liburing2/);
});

Deno.test("main() shows explained errors without a stack, and mistakes with it", async () => {
  const uring = await run(["--fail", "uring"]);
  assertEquals(uring.code, 1);
  assertStringIncludes(uring.errors, "SEND_ZC: EOPNOTSUPP");
  assert(!uring.errors.includes("    at "));
  const debug = await run(["--fail", "uring", "--debug"]);
  assertStringIncludes(debug.errors, "    at ");
  const unsupported = await run(["--fail", "unsupported"]);
  assertEquals(unsupported.code, 77);
  assertStringIncludes(unsupported.errors, "99.1");
  const mistake = await run(["--fail", "mistake"]);
  assertEquals(mistake.code, 1);
  assertStringIncludes(mistake.errors, "    at ");
});

Deno.test("exitCode() and describeError() take whatever is thrown", () => {
  assertEquals(exitCode("text"), 1);
  assertEquals(exitCode(new OptionError("wrong")), 2);
  assertEquals(describeError("text"), 'error: "text"\n');
  assertEquals(describeError(new OptionError("wrong"), false), "error: wrong\n");
  assertEquals(exitCode(new SetupError(["ip"], "")), 77);
  assertEquals(exitCode(new UringError("SEND", 1)), 1);
});

Deno.test("an interruption is told as such, and ends with the code of its signal", () => {
  const interruption = new Interruption("SIGTERM");
  assertEquals(describeError(interruption, false), "interrupted by SIGTERM\n");
  assertEquals(exitCode(interruption), 143);
});

Deno.test("describeError() words what else helps as it is typed", () => {
  const lacking = new UnsupportedError("zcrx", { since: "99.1", remedy: "guest" });
  assertMatch(
    describeError(lacking, false),
    /^error: zcrx is not .*zclab's guest has it\nIn the guest: deno task vm -- COMMAND\n$/,
  );
  const refused = new UringError("READ_FIXED", 95);
  assertStringIncludes(describeError(refused, false), "\nWhat works here: deno task doctor\n");
  // Who knows better what to do does not send to the doctor.
  const better = new UringError("READ_FIXED", 95, { advice: "use a file" });
  assertMatch(describeError(better, false), /What to do: use a file\n$/);
  const trial = new TrialError({}, 1, { seed: 1, trials: [] } as never, lacking);
  assertStringIncludes(describeError(trial, false), "\nIn the guest: ");
});

Deno.test("printer() waits for slow readers and goes quiet after the last one", () => {
  const seen: number[] = [];
  const answers = [
    1,
    new Deno.errors.WouldBlock("full"),
    2,
    new Deno.errors.BrokenPipe("gone"),
  ];
  const print = printer({
    writeSync: (bytes) => {
      const answer = answers.shift();
      assert(answer !== undefined, "written after the pipe broke");
      if (answer instanceof Error) throw answer;
      seen.push(...bytes.subarray(0, answer));
      return answer;
    },
  });
  print("abcdef");
  print("more");
  assertEquals(new TextDecoder().decode(new Uint8Array(seen)), "abc");
  assertEquals(answers, []);
});

Deno.test("the command is quiet when its reader goes away", async () => {
  const script = '{ "$0" run --allow-all "$1" --list; echo "code $?" >&2; } | true';
  const { stderr } = await new Command("sh", {
    args: ["-c", script, Deno.execPath(), PROGRAM],
  }).output();
  assertEquals(new TextDecoder().decode(stderr), "code 0\n");
});

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
  Deno.test(`${signal} aborts the lab, which cleans up, and no document is written`, () =>
    inFolder(async (folder) => {
      const { process, waiting, finish } = start([
        "--wait",
        "60000",
        "--json",
        `${folder}/run.json`,
      ]);
      await waiting;
      process.kill(signal);
      const { out, errors, code: ended } = await finish();
      assertEquals(ended, code);
      assertStringIncludes(out, "aborted");
      assertStringIncludes(errors, `interrupted by ${signal}`);
      assertEquals([...Deno.readDirSync(folder)], []);
    }));
}

/** Starts the command; `waiting` resolves when its lab waits, `finish` when it has ended. */
function start(args: readonly string[]): {
  process: Deno.ChildProcess;
  waiting: Promise<void>;
  finish: () => Promise<{ out: string; errors: string; code: number }>;
} {
  const process = new Command(Deno.execPath(), {
    args: ["run", "--allow-all", PROGRAM, ...args],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(process.stderr).text();
  const { promise: waiting, resolve, reject } = Promise.withResolvers<void>();
  const out = (async (): Promise<string> => {
    let text = "";
    for await (const chunk of process.stdout.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes("waiting")) resolve();
    }
    reject(new Error(`The lab ended before it waited: ${text}`));
    return text;
  })();
  return {
    process,
    waiting,
    finish: async () => ({
      out: await out,
      errors: await errors,
      code: (await process.status).code,
    }),
  };
}
