/**
 * Random sequences of API calls, valid and invalid, in a process of their own: it must end normally,
 * each call must return or throw a typed error, and every byte that was sent must arrive.
 *
 * @module
 */
import { assert, assertEquals, assertGreater, assertGreaterOrEqual } from "@std/assert";
import { fromFileUrl } from "@std/path";

const DRIVER = fromFileUrl(new URL("driver.ts", import.meta.url));
/** In each run: 300 000 in all. */
const CALLS = 75_000;
/** Any others would do: the driver takes one from the command line. */
const SEEDS = [1, 2, 3, 4];
/** How long one run may take at most before it counts as hanging, in milliseconds. */
const LIMIT = 120_000;
/** How many of the last calls are shown when the process did not end normally. */
const SHOWN = 30;

/** What the driver prints. */
interface Report {
  readonly seed: number;
  readonly calls: number;
  readonly valid: number;
  readonly invalid: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly sent: number;
  readonly notified: number;
  readonly verified: number;
  readonly abandoned: number;
  /** What it did that is not in every run by itself. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Runs the driver; the message of what it throws says how to run it again. */
async function drive(seed: number): Promise<Report> {
  const log = Deno.makeTempFileSync({ prefix: "zclab-property-" });
  try {
    const args = ["run", "--allow-all", DRIVER, `--seed=${seed}`, `--calls=${CALLS}`];
    const child = new Deno.Command(Deno.execPath(), {
      args: [...args, `--log=${log}`],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT);
    const { code, signal, stdout, stderr } = await child.output();
    clearTimeout(timer);
    const decoder = new TextDecoder();
    const last = Deno.readTextFileSync(log).trimEnd().split("\n").slice(-SHOWN).join("\n");
    assert(
      code === 0 && signal === null,
      `seed ${seed}: exit code ${code}, signal ${signal}. Again: deno ${args.join(" ")}\n` +
        `${decoder.decode(stderr)}\nThe last calls:\n${last}`,
    );
    return JSON.parse(decoder.decode(stdout));
  } finally {
    Deno.removeSync(log);
  }
}

for (const seed of SEEDS) {
  Deno.test(`random calls end normally and every byte arrives (seed ${seed})`, async () => {
    const report = await drive(seed);
    assertEquals(report.seed, seed);
    assertGreaterOrEqual(report.calls, CALLS);
    assertEquals(report.valid + report.invalid, report.calls);
    // It did what it is there for: both kinds of calls, every kind of error, much data.
    assertGreater(report.invalid, CALLS / 20);
    for (const name of ["ClosedError", "OwnershipError", "RangeError", "TypeError", "UringError"]) {
      assertGreater(report.errors[name] ?? 0, 0, name);
    }
    for (const name of ["drains", "flushes", "multishot receives", "refused in a chain"]) {
      assertGreater(report.counts[name] ?? 0, 0, name);
    }
    assertGreater(report.notified, 100_000);
    assertEquals(report.sent, report.verified + report.abandoned);
    // What was abandoned with its channel cannot arrive; it must not be what the test is about.
    assertGreater(report.verified, 10 * report.abandoned);
  });
}
