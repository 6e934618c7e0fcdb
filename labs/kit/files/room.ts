/**
 * Folders for what belongs to one run of a program: gone afterwards, or, if it was killed, when the next
 * one starts.
 *
 * @module
 */

/** What a room is called: what for, and the process that made it. */
const NAME = /^zclab-[a-z]+-(\d+)-/;

/** A folder of one run. */
export class Room implements Disposable, AsyncDisposable {
  /** Where it is. */
  readonly folder: string;
  /** The kernel ends its lock with the process, however that ends. */
  readonly #lock: Deno.FsFile;
  #closed = false;

  private constructor(folder: string, lock: Deno.FsFile) {
    this.folder = folder;
    this.#lock = lock;
  }

  /**
   * Makes a room, after removing those that killed runs of this user have left.
   *
   * @param kind What for, in lower-case letters: it is in the name.
   */
  static open(kind: string): Room {
    sweepRooms();
    const folder = Deno.makeTempDirSync({ prefix: `zclab-${kind}-${Deno.pid}-` });
    const lock = Deno.openSync(folder, { read: true });
    takeLock(lock);
    return new Room(folder, lock);
  }

  /**
   * The path of something in it.
   *
   * @param name The name in the folder.
   */
  path(name: string): string {
    return `${this.folder}/${name}`;
  }

  /** Removes it with all that is in it. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      Deno.removeSync(this.folder, { recursive: true });
    } finally {
      this.#lock.close();
    }
  }

  /** The same. */
  [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
    return Promise.resolve();
  }
}

/**
 * Removes the rooms whose process was killed: it is not there any more, and nobody holds the lock. The
 * lock tells where the process cannot be seen from here, as in another container, and where it had the
 * number that this one has now.
 */
export function sweepRooms(): void {
  const above = Deno.env.get("TMPDIR") || "/tmp";
  for (const { name, isDirectory } of entriesOf(above)) {
    const pid = NAME.exec(name)?.[1];
    if (pid === undefined || !isDirectory) continue;
    if (Number(pid) !== Deno.pid && processExists(pid)) continue;
    try {
      removeDead(`${above}/${name}`, Number(pid));
    } catch {
      // Somebody else has just removed it, or it is another user's.
    }
  }
}

/** None of a folder that may be written and not be read. */
function entriesOf(folder: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)];
  } catch {
    return [];
  }
}

function removeDead(folder: string, pid: number): void {
  if (Deno.lstatSync(folder).uid !== Deno.uid()) return;
  using lock = Deno.openSync(folder, { read: true });
  // Where the file system has no locks, it is the process alone that tells.
  const isDead = takeLock(lock) ?? pid !== Deno.pid;
  if (isDead) Deno.removeSync(folder, { recursive: true });
}

/** Whether it could be taken; undefined where the file system has no locks. */
function takeLock(folder: Deno.FsFile): boolean | undefined {
  try {
    return folder.tryLockSync(true);
  } catch {
    return undefined;
  }
}

function processExists(pid: string): boolean {
  try {
    Deno.statSync(`/proc/${pid}`);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}
