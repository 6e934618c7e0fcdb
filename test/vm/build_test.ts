import { assertEquals, assertStringIncludes } from "@std/assert";
import { guestObstacle } from "../../vm/build.ts";
import { IS_ROOT } from "../unprivileged.ts";
import { type Need, test } from "../needs.ts";

const X86_64: Need = { name: "x86_64", here: Deno.build.arch === "x86_64" };

/** What stands in the way of a guest that is kept in this folder. */
function obstacleWithCache(folder: string): string | undefined {
  const before = Deno.env.get("XDG_CACHE_HOME");
  Deno.env.set("XDG_CACHE_HOME", folder);
  try {
    return guestObstacle();
  } finally {
    if (before === undefined) Deno.env.delete("XDG_CACHE_HOME");
    else Deno.env.set("XDG_CACHE_HOME", before);
  }
}

test("guestObstacle() says that making a guest takes root, where there is none", {
  needs: [X86_64],
}, () => {
  const folder = Deno.makeTempDirSync({ prefix: "zclab-test-" });
  try {
    assertEquals(obstacleWithCache(folder), IS_ROOT ? undefined : "making it takes root");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

test("guestObstacle() says that the cache cannot be written", { needs: [X86_64] }, () => {
  assertStringIncludes(obstacleWithCache("/proc/nothing")!, "Writing to /proc/nothing/zclab/vm");
});
