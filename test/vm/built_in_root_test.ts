import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { CommandError } from "../../labs/kit/testbed/namespace_command.ts";
import { ensureGuest } from "../../vm/build.ts";
import { ensureBuiltInRoot, pathInCache } from "../../vm/built_in_root.ts";
import { type Cache, openCache } from "../../vm/cache.ts";
import { rootFileSystemIn } from "../../vm/root_file_system.ts";
import { testsNeeding } from "../needs.ts";

const test = testsNeeding("guest", "root");

test("a part is built in the root once, and anew when its sources or its recipe change", async () => {
  await ensureGuest(openCache(), { announce: () => {} });
  const root = rootFileSystemIn(openCache());
  const folder = await Deno.makeTempDir({ prefix: "zclab-test-" });
  const cache: Cache = { folder, path: (name) => `${folder}/${name}` };
  const sources = `${folder}/sources`;
  const recipe = {
    name: "example",
    title: "an example",
    sources,
    build: 'echo said; cat one.txt >part.out; echo "$1" >>part.out; ls -A >>part.out',
    product: "part.out",
  };
  const announced: string[] = [];
  const build = async (): Promise<string> =>
    await ensureBuiltInRoot(cache, root, recipe, { announce: (text) => announced.push(text) });
  try {
    await Deno.mkdir(sources);
    await Deno.writeTextFile(`${sources}/one.txt`, "first\n");
    const path = await build();
    assertEquals(path, pathInCache(cache, root, recipe));
    assertMatch(path, /\/example-[0-9a-f]{16}\.out$/);
    // What the commands say is no part of it, and only the sources lay beside it.
    assertMatch(await Deno.readTextFile(path), /^first\n7\.\d+\.\S+\none\.txt\npart\.out\n$/);
    assertEquals(await build(), path);
    assertEquals(announced, ["building an example"]);

    await Deno.writeTextFile(`${sources}/one.txt`, "second\n");
    const changed = await build();
    assertNotEquals(changed, path);
    assert((await Deno.readTextFile(changed)).startsWith("second\n"));
    assertNotEquals(pathInCache(cache, root, { ...recipe, build: "true" }), changed);
    assertNotEquals(pathInCache(cache, { key: "another" }, recipe), changed);

    const failing = { ...recipe, build: "echo why >&2; false\ntouch part.out" };
    const error = await assertRejects(
      () => ensureBuiltInRoot(cache, root, failing, { announce: () => {} }),
      CommandError,
    );
    assertMatch(error.message, /why/);
    assertEquals([...Deno.readDirSync(folder)].length, 3, "sources, and two parts");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
