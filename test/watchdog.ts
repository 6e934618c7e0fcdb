/**
 * Ends a run of tests that hangs.
 *
 * @module
 */

/** How often is looked, in milliseconds. */
const INTERVAL = 1000;
/** How long a run may take to write its report when it is asked to end, in milliseconds. */
const GRACE = 5000;

/** Watches the file to which a run of tests writes at the start of each; see progress.ts. */
export class Watchdog implements Disposable {
  readonly #child: Deno.ChildProcess;
  readonly #progress: string;
  readonly #timer: ReturnType<typeof setInterval>;
  #hung: string | undefined;

  /**
   * Begins to watch.
   *
   * @param child The run.
   * @param progress The file.
   * @param seconds How long nothing may be written to it.
   */
  constructor(child: Deno.ChildProcess, progress: string, seconds: number) {
    this.#child = child;
    this.#progress = progress;
    let seen = stamp(progress);
    let looks = 0;
    // Looks are counted, not time: a machine that was suspended is no test that hangs.
    this.#timer = setInterval(() => {
      const now = stamp(progress);
      if (now !== seen) [seen, looks] = [now, 0];
      else if (++looks * INTERVAL >= seconds * 1000) this.#end();
    }, INTERVAL);
  }

  /** The file of the test that hung, or nothing if none began; undefined if none hung. */
  get hung(): string | undefined {
    return this.#hung;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** Interrupted, `deno test` reports which test was running, unless that gives it no chance to. */
  #end(): void {
    clearInterval(this.#timer);
    this.#hung = read(this.#progress);
    const family = descendants(this.#child.pid);
    kill(this.#child.pid, "SIGINT");
    const timer = setTimeout(() => kill(this.#child.pid, "SIGKILL"), GRACE);
    this.#child.status.then(() => {
      clearTimeout(timer);
      for (const pid of family) kill(pid, "SIGKILL");
    });
  }
}

function stamp(path: string): number {
  try {
    return Deno.statSync(path).mtime?.getTime() ?? 0;
  } catch {
    return 0;
  }
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

/** All processes that a process has started, and those that these have started. */
function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const { name } of Deno.readDirSync("/proc")) {
    // The second field, the program's name in parentheses, may contain anything.
    const parent = /^\d+ \(.*\) \S (\d+) /s.exec(read(`/proc/${name}/stat`))?.[1];
    if (parent === undefined || !/^\d+$/.test(name)) continue;
    children.set(Number(parent), [...children.get(Number(parent)) ?? [], Number(name)]);
  }
  const all = [pid];
  for (const one of all) all.push(...children.get(one) ?? []);
  return all.slice(1);
}

function kill(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
