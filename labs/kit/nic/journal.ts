/**
 * What was changed on a NIC and is not yet set back: a file for each NIC, written before each step,
 * so that whoever comes after a crash can set it back.
 *
 * A journal is a file of lines, each a JSON object. A line is written whole before its step begins,
 * and one that is not whole counts for nothing. It need not survive the machine, only the process: a
 * NIC's settings do not outlive the boot, so a journal of an earlier one is moot. Whoever works with a
 * journal holds a lock on it, which the kernel takes away from a process that dies.
 *
 * @module
 */
import { ExplainedError } from "../../../ffi/kernel/errors.ts";
import { join } from "@std/path";
import type { NicBefore } from "./plan.ts";

/** Which NIC a journal is about. */
export interface NicIdentity {
  /** The interface's name when the journal was begun. */
  readonly interface: string;
  /** The kernel's number for its network namespace; no other has it until the next boot. */
  readonly namespace: string;
  /** The interface's index in it. */
  readonly index: number;
  /** The name of its driver. */
  readonly driver: string;
  /** Where on its bus it is, or an empty text. */
  readonly bus: string;
  /** Its hardware address. */
  readonly address: string;
}

/** A step that began and was not undone. */
export interface NicChange {
  /** Its place in the journal. */
  readonly number: number;
  /** What it was for. */
  readonly title: string;
  /** The command that ran, if it came to that. */
  readonly command: string;
  /** What was there before. */
  readonly before: NicBefore;
  /** The number of the rule that it added, if it got as far as that. */
  readonly rule: number | undefined;
}

/** What is known of a journal without working with it. */
export interface PendingNic {
  /** The file. */
  readonly path: string;
  /** Which NIC it is about. */
  readonly identity: NicIdentity;
  /** The process that began it. */
  readonly pid: number;
  /** When it was begun, as ISO 8601. */
  readonly begun: string;
  /**
   * `held`: a process works with it now. `kept`: somebody left the settings so on purpose, with
   * `deno task nic apply`. `abandoned`: its process ended without setting them back.
   */
  readonly state: "held" | "kept" | "abandoned";
  /** What is not yet undone. */
  readonly changes: readonly NicChange[];
}

interface Header {
  readonly journal: "zclab nic";
  readonly version: 1;
  readonly boot: string;
  readonly pid: number;
  readonly begun: string;
  readonly identity: NicIdentity;
}

type Line =
  | Header
  | { readonly step: number; readonly title: string; readonly command: string; before: NicBefore }
  | { readonly step: number; readonly rule: number }
  | { readonly undone: number }
  | { readonly kept: true };

const SUFFIX = ".journal";

/** How often a lock is tried for, and how many milliseconds lie between. */
const LOCK_ATTEMPTS = 20;
const LOCK_PAUSE = 5;

/**
 * Where journals are looked for, the best first: `$XDG_STATE_HOME/zclab` if that is set; for root
 * `/var/lib/zclab`, and where that cannot be written `/run/zclab`; for others
 * `~/.local/state/zclab`.
 */
export function journalDirectories(): string[] {
  const state = Deno.env.get("XDG_STATE_HOME") ?? "";
  if (state.startsWith("/")) return [join(state, "zclab")];
  if (Deno.uid() === 0) return ["/var/lib/zclab", "/run/zclab"];
  return [join(Deno.env.get("HOME") ?? "/", ".local/state/zclab")];
}

/** What tells this boot from every other. */
function bootId(): string {
  return Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
}

/** Somebody else works with the NIC, or has left it changed on purpose. */
export class NicBusyError extends ExplainedError {
  /** The name of the class. */
  override readonly name = "NicBusyError";
  /** The journal that stands in the way. */
  readonly pending: PendingNic;

  /**
   * Says who, and what to do.
   *
   * @param pending The journal that stands in the way.
   */
  constructor(pending: PendingNic) {
    const { identity, pid, begun, state } = pending;
    super(
      `${identity.interface} is changed already, by process ${pid} since ${begun}` +
        (state === "held"
          ? ", which still runs. What to do: wait for it, or end it"
          : `. What to do: deno task nic restore ${identity.interface}`),
    );
    this.pending = pending;
  }
}

/** A journal that this process works with: it holds the lock. */
export class NicJournal implements Disposable {
  /** The file. */
  readonly path: string;
  readonly #file: Deno.FsFile;
  readonly #lines: Line[];
  #closed = false;

  private constructor(path: string, file: Deno.FsFile, lines: Line[]) {
    this.path = path;
    this.#file = file;
    this.#lines = lines;
  }

  /**
   * Begins a journal, before anything changes. It appears with its first line and its lock, or not at
   * all.
   *
   * @param identity The NIC.
   * @throws {NicBusyError} If there is one for this NIC.
   * @throws {Error} If it cannot be written anywhere.
   */
  static begin(identity: NicIdentity): NicJournal {
    const header: Header = {
      journal: "zclab nic",
      version: 1,
      boot: bootId(),
      pid: Deno.pid,
      begun: new Date().toISOString(),
      identity,
    };
    const obstacle = pendingNics().find((pending) => isSameNic(pending.identity, identity));
    if (obstacle !== undefined) throw new NicBusyError(obstacle);
    const name = `nic-${header.boot.slice(0, 8)}-${identity.namespace}-${identity.index}${SUFFIX}`;
    const { directory, path: hidden, file } = createHidden(name);
    const path = join(directory, name);
    try {
      file.lockSync(true);
      append(file, header);
      // Unlike a rename, a link does not replace what is there.
      Deno.linkSync(hidden, path);
      Deno.removeSync(hidden);
      return new NicJournal(path, file, [header]);
    } catch (error) {
      file.close();
      Deno.removeSync(hidden);
      const raced = pendingNics().find((pending) => pending.path === path);
      throw error instanceof Deno.errors.AlreadyExists && raced !== undefined
        ? new NicBusyError(raced)
        : error;
    }
  }

  /**
   * Takes a journal over from whoever is done with it.
   *
   * @param path The file.
   * @returns The journal, or undefined if somebody works with it, or it is gone.
   */
  static take(path: string): NicJournal | undefined {
    const file = openJournal(path);
    if (file === undefined) return undefined;
    // Whoever held it may have removed it just before the lock was ours.
    if (!lockSoon(file) || file.statSync().nlink === 0) {
      file.close();
      return undefined;
    }
    return new NicJournal(path, file, readLines(file));
  }

  /** What is not yet undone, in the order in which it was done. */
  get changes(): readonly NicChange[] {
    return changesOf(this.#lines);
  }

  /** Which NIC it is about. */
  get identity(): NicIdentity {
    return (this.#lines[0] as Header).identity;
  }

  /** The process that began it. */
  get pid(): number {
    return (this.#lines[0] as Header).pid;
  }

  /**
   * Notes a step that is about to begin.
   *
   * @returns Its number.
   */
  noteStep(title: string, command: string, before: NicBefore): number {
    const step = this.#lines.filter((line) => "before" in line).length;
    this.#append({ step, title, command, before });
    return step;
  }

  /** Notes the number of the rule that a step added. */
  noteRule(step: number, rule: number): void {
    this.#append({ step, rule });
  }

  /** Notes that a step was undone. */
  noteUndone(number: number): void {
    this.#append({ undone: number });
  }

  /** Notes that the settings stay until somebody restores them, and lets go of the journal. */
  keep(): void {
    this.#append({ kept: true });
    this.close();
  }

  /** Removes the file: everything is as it was. */
  remove(): void {
    if (this.#closed) return;
    Deno.removeSync(this.path);
    this.close();
  }

  /** Lets go of the journal. Its file stays for whoever comes next. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #append(line: Line): void {
    append(this.#file, line);
    this.#lines.push(line);
  }
}

/**
 * The journals of this boot with something to undo. Those that are moot are removed on the way: of
 * earlier boots, and with nothing in them.
 *
 * @returns The journals, the oldest first.
 */
export function pendingNics(): PendingNic[] {
  const boot = bootId();
  return journalDirectories().flatMap((directory) =>
    names(directory).flatMap((name) => look(join(directory, name), boot) ?? [])
  ).sort((left, right) => left.begun.localeCompare(right.begun));
}

/**
 * What was changed on NICs and is not set back, for people.
 *
 * @param pending The journals.
 * @returns Lines, or an empty text if there is nothing.
 */
export function describePending(pending: readonly PendingNic[]): string {
  return pending.map(({ identity, state, pid, begun, changes }) => {
    const name = identity.interface;
    const what = `${name}: ${changes.length} settings changed by process ${pid} at ${begun}`;
    switch (state) {
      case "held":
        return `${what}, which still runs\n`;
      case "kept":
        return `${what}, and left so. To set them back: deno task nic restore ${name}\n`;
      case "abandoned":
        return `${what}, which ended without setting them back. To do that: ` +
          `deno task nic restore ${name}\n`;
    }
  }).join("");
}

/** Whether a journal is about this NIC: in the same place, or the same device in another. */
export function isSameNic(journal: NicIdentity, nic: NicIdentity): boolean {
  if (journal.namespace === nic.namespace && journal.index === nic.index) return true;
  // A device returns to the first namespace when the one that it was in ends.
  return nic.bus !== "" && journal.bus === nic.bus && journal.driver === nic.driver &&
    journal.address === nic.address;
}

function look(path: string, boot: string): PendingNic | undefined {
  using file = openJournal(path);
  if (file === undefined) return undefined;
  // Shared, so that those who look do not take each other for owners.
  const isFree = file.tryLockSync(false);
  const lines = readLines(file);
  const [header] = lines;
  if (header === undefined || !("journal" in header) || header.boot !== boot) {
    if (isFree) remove(path);
    return undefined;
  }
  const changes = changesOf(lines);
  if (isFree && changes.length === 0) {
    remove(path);
    return undefined;
  }
  const isKept = lines.some((line) => "kept" in line);
  return {
    path,
    identity: header.identity,
    pid: header.pid,
    begun: header.begun,
    state: !isFree ? "held" : isKept ? "kept" : "abandoned",
    changes,
  };
}

function changesOf(lines: readonly Line[]): NicChange[] {
  const changes = new Map<number, NicChange>();
  for (const line of lines) {
    if ("before" in line) {
      const { step: number, title, command, before } = line;
      changes.set(number, { number, title, command, before, rule: undefined });
    } else if ("rule" in line) {
      const change = changes.get(line.step);
      if (change !== undefined) changes.set(line.step, { ...change, rule: line.rule });
    } else if ("undone" in line) changes.delete(line.undone);
  }
  return [...changes.values()];
}

function readLines(file: Deno.FsFile): Line[] {
  file.seekSync(0, Deno.SeekMode.Start);
  const bytes = new Uint8Array(file.statSync().size);
  let length = 0;
  for (;;) {
    const read = file.readSync(bytes.subarray(length)) ?? 0;
    if (read === 0) break;
    length += read;
  }
  const whole = new TextDecoder().decode(bytes.subarray(0, length)).split("\n").slice(0, -1);
  const lines: Line[] = [];
  for (const line of whole) {
    try {
      lines.push(JSON.parse(line));
    } catch {
      // Nobody can tell what comes after.
      break;
    }
  }
  return lines;
}

function append(file: Deno.FsFile, line: Line): void {
  let bytes = new TextEncoder().encode(JSON.stringify(line) + "\n");
  while (bytes.length > 0) bytes = bytes.subarray(file.writeSync(bytes));
}

function createHidden(name: string): { directory: string; path: string; file: Deno.FsFile } {
  let refusal: unknown;
  for (const directory of journalDirectories()) {
    const path = join(directory, `.${name}.${Deno.pid}`);
    try {
      Deno.mkdirSync(directory, { recursive: true, mode: 0o700 });
      remove(path);
      const options = { createNew: true, read: true, append: true, mode: 0o600 };
      return { directory, path, file: Deno.openSync(path, options) };
    } catch (error) {
      refusal = error;
    }
  }
  throw new Error(
    `The journal cannot be written to ${
      journalDirectories().join(" or ")
    }, and without it nothing ` +
      "is changed. What to do: set XDG_STATE_HOME to a directory that can be written",
    { cause: refusal },
  );
}

/** Tries a few times: who only looks at a journal holds it for a moment, too. */
function lockSoon(file: Deno.FsFile): boolean {
  for (let attempt = 0; attempt < LOCK_ATTEMPTS; attempt++) {
    if (file.tryLockSync(true)) return true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_PAUSE);
  }
  return false;
}

function openJournal(path: string): Deno.FsFile | undefined {
  try {
    return Deno.openSync(path, { read: true, append: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function names(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name)
      .filter((name) => name.startsWith("nic-") && name.endsWith(SUFFIX)).sort();
  } catch (error) {
    // Who may not look there has none there.
    const isAbsent = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory ||
      error instanceof Deno.errors.PermissionDenied;
    if (isAbsent) return [];
    throw error;
  }
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
