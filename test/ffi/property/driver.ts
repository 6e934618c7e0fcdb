/**
 * The child of the property test: makes random calls of the API, valid and invalid, and checks what
 * comes out of each, and that every byte that was notified arrived.
 *
 *     deno run -A test/ffi/property/driver.ts --seed N --calls N [--log FILE]
 *
 * Prints one line of JSON at the end. The same seed makes the same choices; when requests complete
 * is up to the kernel. `--log` writes each call before it is made, for what ends the process.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { Ring } from "../../../ffi/ring/ring.ts";
import { Random } from "../../../labs/kit/trials/random.ts";
import { Testbed } from "../../../labs/kit/testbed/testbed.ts";
import { PropertyError, turn } from "./api.ts";
import { World } from "./world.ts";

/** How many calls are shown when something fails. */
const SHOWN = 40;
/** How long one call may take, in milliseconds, before the watchdog ends the process. */
const CALL_LIMIT = 20_000;
/** How long descriptors may take to close that others close for us, in milliseconds. */
const CLOSING_LIMIT = 10_000;
/** How much the resident memory may grow, in bytes: code, garbage, and what the kernel keeps. */
const GROWTH_LIMIT = 256 * 1024 * 1024;

/** Ends the process when the number of calls has not changed for a while: a call may block. */
const WATCHDOG = `
  self.onmessage = ({ data: { calls, limit, pid } }) => {
    const interval = 200;
    let seen = -1, looks = 0;
    self.postMessage("watching");
    // Looks are counted, not time: a machine that was suspended is no call that hangs.
    setInterval(() => {
      const now = Atomics.load(calls, 0);
      if (now !== seen) { seen = now; looks = 0; }
      else if (++looks * interval > limit) {
        console.error("hang: call " + now + " has taken " + limit + " ms");
        Deno.kill(pid, "SIGABRT");
      }
    }, interval);
  };
`;

async function main(args: readonly string[]): Promise<number> {
  const options = parseArgs(args.slice(), { string: ["seed", "calls", "log"] });
  const seed = Number(options.seed ?? 1);
  const wanted = Number(options.calls ?? 50_000);
  const file = options.log === undefined
    ? undefined
    : Deno.openSync(String(options.log), { write: true, create: true, truncate: true });
  const recent: string[] = [];
  const calls = new Int32Array(new SharedArrayBuffer(4));
  const encoder = new TextEncoder();
  const log = (line: string): void => {
    calls[0]!++;
    recent[calls[0]! % SHOWN] = line;
    file?.writeSync(encoder.encode(`${calls[0]} ${line}\n`));
  };

  const source = URL.createObjectURL(new Blob([WATCHDOG], { type: "text/javascript" }));
  const watchdog = new Worker(source, { type: "module" });
  const watching = new Promise((resolve) => watchdog.onmessage = resolve);
  watchdog.postMessage({ calls, limit: CALL_LIMIT, pid: Deno.pid });
  // It opens descriptors of its own, which must be there before ours are counted.
  await watching;

  // So does the first ring that somebody awaits: one waiter for all of the thread, which stays.
  const first = Ring.open({ entries: 4 });
  await first.nop();
  first.close();
  const beds = [await Testbed.pair(), await Testbed.loopback()];
  const random = new Random(seed);
  const world = new World(random, beds, log);
  const { api } = world;
  const onRejection = (event: PromiseRejectionEvent): void => {
    event.preventDefault();
    api.failure ??= new PropertyError(`unhandled rejection: ${Deno.inspect(event.reason)}`);
  };
  globalThis.addEventListener("unhandledrejection", onRejection);
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    api.failure ??= new PropertyError(`unhandled error: ${Deno.inspect(event.error)}`);
  });
  await turn();
  const before = resources();
  const started = performance.now();
  try {
    while (api.calls < wanted) {
      await world.step();
      if (random.below(8) === 0) await turn();
    }
    await world.finish();
    const after = await settled(before, world.sockets.lost);
    if (after.rings > before.rings) throw new PropertyError("memory of a ring is still mapped");
    if (after.memory - before.memory > GROWTH_LIMIT) {
      throw new PropertyError(`memory grew from ${before.memory} to ${after.memory} bytes`);
    }
    const { calls: made, valid, invalid, errors, counts } = api;
    const line = {
      seed,
      calls: made,
      valid,
      invalid,
      errors,
      ...world.channels.account,
      counts,
      left: world.rings.left,
      memory: [before.memory, after.memory],
      seconds: (performance.now() - started) / 1000,
    };
    console.log(JSON.stringify(line));
    return 0;
  } catch (error) {
    const at = calls[0]!;
    const shown = Array.from({ length: Math.min(at, SHOWN) }, (_, i) => recent[(at - i) % SHOWN]);
    console.error(`seed ${seed}, call ${at}: ${Deno.inspect(error)}`);
    console.error(`The last calls:\n  ${shown.reverse().join("\n  ")}`);
    return 1;
  } finally {
    for (const bed of beds) bed.close();
    watchdog.terminate();
  }
}

/** What the process holds of the system. */
interface Resources {
  readonly descriptors: string[];
  /** Mappings of rings. */
  readonly rings: number;
  /** Resident memory in bytes. */
  readonly memory: number;
}

function resources(): Resources {
  const descriptors: string[] = [];
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      descriptors.push(Deno.readLinkSync(`/proc/self/fd/${name}`));
    } catch (error) {
      // The descriptor that reads the directory is gone by now.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  // Deno makes itself pairs of unix sockets when it needs them; zclab makes none.
  const table = Deno.readTextFileSync("/proc/net/unix");
  const unix = new Set(table.split("\n").map((line) => `socket:[${line.split(/\s+/)[6]}]`));
  const own = descriptors.filter((link) => !unix.has(link));
  const maps = Deno.readTextFileSync("/proc/self/maps");
  return {
    descriptors: own.map((link) => link.replace(/\d+/, "N")).sort(),
    rings: maps.split("\n").filter((line) => line.includes("io_uring")).length,
    memory: Deno.memoryUsage().rss,
  };
}

/**
 * Waits until as many descriptors are open as before, and those whose completions were lost with
 * their ring; eventfds close a little later.
 */
async function settled(before: Resources, lost: number): Promise<Resources> {
  let now = resources();
  const deadline = performance.now() + CLOSING_LIMIT;
  while (
    now.descriptors.length > before.descriptors.length + lost && performance.now() < deadline
  ) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    now = resources();
  }
  if (now.descriptors.length > before.descriptors.length + lost) {
    const left = [...now.descriptors];
    for (const name of before.descriptors) {
      if (left.includes(name)) left.splice(left.indexOf(name), 1);
    }
    throw new PropertyError(`descriptors leaked: ${left.join(" ")}`);
  }
  return now;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
