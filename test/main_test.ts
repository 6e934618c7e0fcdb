import { assertEquals, assertThrows } from "@std/assert";
import { OptionError } from "../labs/kit/options/options.ts";
import { parseTestCommand } from "./main.ts";

Deno.test("parseTestCommand() takes a filter, and where tests are to run", () => {
  const all = { filter: undefined, on: undefined, again: false };
  assertEquals(parseTestCommand([]), all);
  assertEquals(parseTestCommand(["--", "notifier"]), { ...all, filter: "notifier" });
  assertEquals(parseTestCommand(["--on", "guest", "zcrx"]), {
    ...all,
    filter: "zcrx",
    on: "guest",
  });
  assertEquals(parseTestCommand(["--again"]), { ...all, again: true });
  assertEquals(parseTestCommand(["--help"]), undefined);
});

const WRONG = [["one", "two"], [""], [" "], ["--on", "moon"], ["--on"], ["-x"], ["--one", "guest"]];

for (const args of WRONG) {
  Deno.test(`parseTestCommand() refuses ${JSON.stringify(args)}`, () => {
    assertThrows(() => parseTestCommand(args), OptionError);
  });
}
