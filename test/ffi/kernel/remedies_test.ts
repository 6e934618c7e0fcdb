import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { filesIn } from "../../imports.ts";

Deno.test("ffi/ knows nothing of command lines: what helps is data, and the terminal words it", () => {
  const project = fromFileUrl(new URL("../../..", import.meta.url)).replace(/\/$/, "");
  const found = filesIn(project, "ffi")
    .filter((file) => Deno.readTextFileSync(`${project}/${file}`).includes("deno task"));
  assertEquals(found, []);
});
