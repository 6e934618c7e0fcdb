import { assertEquals, assertThrows } from "@std/assert";
import { OptionError } from "../labs/kit/options/options.ts";
import { parseTestCommand } from "./main.ts";

Deno.test("parseTestCommand() takes a filter, and where tests are to run", () => {
  assertEquals(parseTestCommand([]), { filter: undefined, on: undefined });
  assertEquals(parseTestCommand(["--", "notifier"]), { filter: "notifier", on: undefined });
  assertEquals(parseTestCommand(["--on", "guest", "zcrx"]), { filter: "zcrx", on: "guest" });
  assertEquals(parseTestCommand(["--help"]), undefined);
});

const WRONG = [["one", "two"], [""], [" "], ["--on", "moon"], ["--on"], ["-x"], ["--one", "guest"]];

for (const args of WRONG) {
  Deno.test(`parseTestCommand() refuses ${JSON.stringify(args)}`, () => {
    assertThrows(() => parseTestCommand(args), OptionError);
  });
}
