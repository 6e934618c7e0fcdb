import { assert, assertEquals, assertThrows } from "@std/assert";
import { ClosedError, UringError } from "../../../ffi/kernel/errors.ts";
import { UnnamedFile } from "../../../ffi/memory/unnamed_file.ts";

Deno.test("A file has no name until it is given one", async () => {
  const folder = await Deno.makeTempDir();
  try {
    using file = UnnamedFile.create(folder);
    assert(file !== undefined);
    await Deno.writeTextFile(file.path, "whole", { create: false });
    assertEquals([...Deno.readDirSync(folder)], []);
    file.giveName(`${folder}/named`);
    assertEquals(await Deno.readTextFile(`${folder}/named`), "whole");
    const error = assertThrows(() => file.giveName(`${folder}/named`), UringError);
    assertEquals(error.code, "EEXIST");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("A file that is closed without a name is gone", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = UnnamedFile.create(folder)!;
    await Deno.writeTextFile(file.path, "never seen", { create: false });
    file.close();
    file.close();
    assertThrows(() => file.giveName(`${folder}/named`), ClosedError);
    assertThrows(() => file.path, ClosedError);
    assertEquals([...Deno.readDirSync(folder)], []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("A folder that is not there is no place for a file without a name", () => {
  assertEquals(UnnamedFile.create("/nowhere/at/all"), undefined);
});
