import { assertEquals } from "@std/assert";
import { differences } from "../../../vm/standing/start.ts";

const BOOTED = { out: "/results", memory: 2048, processors: 2 };

Deno.test("differences() names what is asked for and was not booted, and nothing else", () => {
  assertEquals(differences({}, BOOTED), []);
  assertEquals(differences({ memory: 2048, out: "/results" }, BOOTED), []);
  assertEquals(differences({ memory: 512, out: "/tmp", processors: 2 }, BOOTED), [
    "--memory 2048, not 512",
    "--out /results, not /tmp",
  ]);
});
