import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { Room } from "../../../../labs/kit/files/room.ts";
import { test } from "../../../needs.ts";

const MODULE = fromFileUrl(new URL("../../../../labs/kit/files/room.ts", import.meta.url));

/** A process that holds a room, with a folder of its own for temporary files. */
class Holder {
  readonly #process: Deno.ChildProcess;
  readonly #said: ReadableStreamDefaultReader<string>;

  constructor(above: string) {
    const source = `
      const { Room } = await import("${MODULE}");
      const room = Room.open("sample");
      Deno.writeTextFileSync(room.path("file"), "kept");
      console.log(room.folder);
      await new Promise((resolve) => setTimeout(resolve, 3_600_000));
    `;
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["eval", source],
      env: { TMPDIR: above },
      stdin: "null",
      stdout: "piped",
    }).spawn();
    this.#said = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  get pid(): number {
    return this.#process.pid;
  }

  async folder(): Promise<string> {
    return (await this.#said.read()).value!.trim();
  }

  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    while (!(await this.#said.read()).done);
    await this.#process.status;
  }
}

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "zclab-test-" });
  const before = Deno.env.get("TMPDIR");
  Deno.env.set("TMPDIR", folder);
  try {
    await test(folder);
  } finally {
    if (before === undefined) Deno.env.delete("TMPDIR");
    else Deno.env.set("TMPDIR", before);
    Deno.removeSync(folder, { recursive: true });
  }
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("a room is gone when it is disposed", () =>
  inFolder((above) => {
    {
      using room = Room.open("sample");
      Deno.writeTextFileSync(room.path("file"), "");
      assertEquals(room.folder.startsWith(`${above}/zclab-sample-${Deno.pid}-`), true);
    }
    assertEquals(names(above), []);
    return Promise.resolve();
  }));

Deno.test("the next room is made where those of killed processes were, and of no other", () =>
  inFolder(async (above) => {
    const [dead, alive] = [new Holder(above), new Holder(above)];
    const folders = await Promise.all([dead.folder(), alive.folder()]);
    try {
      await dead.kill();
      // What has another name, or is no folder, is none of ours.
      Deno.mkdirSync(`${above}/zclab-test-0123456789abcdef`);
      Deno.mkdirSync(`${above}/other-sample-${dead.pid}-x`);
      Deno.writeTextFileSync(`${above}/zclab-sample-${dead.pid}-file`, "");
      const others = names(above).filter((name) => !folders.includes(`${above}/${name}`));
      using first = Room.open("sample");
      using second = Room.open("sample");
      const rooms = [folders[1]!, first.folder, second.folder].map((path) =>
        path.slice(above.length + 1)
      );
      assertEquals(names(above), [...others, ...rooms].sort());
      assertEquals(Deno.readTextFileSync(`${folders[1]}/file`), "kept");
    } finally {
      await alive.kill();
    }
    using _third = Room.open("sample");
    assert(!names(above).some((name) => folders.includes(`${above}/${name}`)));
  }));

Deno.test("a room whose process cannot be seen is kept as long as its lock is held", () =>
  inFolder(async (above) => {
    const holder = new Holder(above);
    const folder = await holder.folder();
    // As it is for the rooms of another container: the number says nothing here. That of this
    // process is one that somebody who is dead may have had before.
    for (const [round, pid] of [4_194_305, Deno.pid].entries()) {
      const hidden = `${above}/zclab-sample-${pid}-hidden${round}`;
      Deno.renameSync(round === 0 ? folder : `${above}/zclab-sample-4194305-hidden0`, hidden);
      using _room = Room.open("sample");
      assertEquals(Deno.readTextFileSync(`${hidden}/file`), "kept");
    }
    await holder.kill();
    using room = Room.open("sample");
    assertEquals(names(above), [room.folder.slice(above.length + 1)]);
  }));

test("the rooms of other users are left alone", { needs: ["root"] }, () =>
  inFolder((above) => {
    const theirs = `zclab-sample-4194305-theirs`;
    Deno.mkdirSync(`${above}/${theirs}`);
    Deno.chownSync(`${above}/${theirs}`, 65534, 65534);
    using room = Room.open("sample");
    assertEquals(names(above), [theirs, room.folder.slice(above.length + 1)].sort());
    return Promise.resolve();
  }));
