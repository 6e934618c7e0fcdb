import { assertEquals, assertStringIncludes } from "@std/assert";
import { guestObstacle } from "../../vm/build.ts";
import { IS_ROOT } from "../unprivileged.ts";

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

Deno.test({
  name: "guestObstacle() says that making a guest takes root, where there is none (on x86_64)",
  ignore: Deno.build.arch !== "x86_64",
  fn(): void {
    const folder = Deno.makeTempDirSync({ prefix: "zclab-test-" });
    try {
      assertEquals(obstacleWithCache(folder), IS_ROOT ? undefined : "making it takes root");
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "guestObstacle() says that the cache cannot be written (on x86_64)",
  ignore: Deno.build.arch !== "x86_64",
  fn(): void {
    assertStringIncludes(obstacleWithCache("/proc/nothing")!, "Writing to /proc/nothing/zclab/vm");
  },
});
