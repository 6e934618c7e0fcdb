import { assertEquals } from "@std/assert";
import { needing } from "./needs.ts";
import { IS_ROOT } from "./unprivileged.ts";

Deno.test("needing() leaves a test alone that has what it needs", () => {
  assertEquals(needing("a"), { name: "a", ignore: false });
  assertEquals(needing("a", { memlock: 0 }, "liburing"), { name: "a", ignore: false });
});

Deno.test("needing() skips a test that lacks something, and its name says what", () => {
  const { name, ignore } = needing("a", "root");
  assertEquals(
    { name, ignore },
    IS_ROOT ? { name: "a", ignore: false } : {
      name: "a: needs root",
      ignore: true,
    },
  );
});
