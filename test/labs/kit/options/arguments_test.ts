import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { readArguments } from "../../../../labs/kit/options/arguments.ts";
import { OptionError } from "../../../../labs/kit/options/options.ts";

const ROOT = fromFileUrl(new URL("../../../..", import.meta.url));

Deno.test("readArguments() takes an empty value for the value of its option", () => {
  const options = { string: ["file", "_"], boolean: ["quick"] };
  assertEquals(readArguments(["--file", "", "more"], options), {
    _: ["more"],
    file: "",
    quick: false,
  });
  assertEquals(readArguments(["", "--file=x"], options)._, [""]);
  // Behind two dashes nothing is an option.
  assertEquals(readArguments(["--", "--quick=no", "--file", ""], options)._, [
    "--quick=no",
    "--file",
    "",
  ]);
});

Deno.test("readArguments() refuses values of flags, and negative numbers that look like options", () => {
  const options = { string: ["port"], boolean: ["quick"] };
  const mistakes: [string[], string][] = [
    [["--quick=no"], "--quick takes no value"],
    [["--port", "-1"], "--port: a negative value"],
  ];
  for (const [args, says] of mistakes) {
    assertStringIncludes(
      assertThrows(() => readArguments(args, options), OptionError).message,
      says,
    );
  }
});

/** Values that can be wrong only on this machine, or that were found out late. */
const REFUSED: readonly (readonly [program: string, args: readonly string[], names: string])[] = [
  ["labs/main.ts", ["--sink", ""], "--sink"],
  ["labs/main.ts", ["--sink", "999.0.0.1:9000"], "--sink"],
  ["labs/main.ts", ["--sink", "[fe80::1%no-such-nic]:9000"], "--sink"],
  ["labs/main.ts", ["--cpu", "8000"], "--cpu"],
  ["labs/main.ts", ["busy-poll", "--cpu", "8000"], "--cpu"],
  ["labs/main.ts", ["--json", "/nonexistent/run.json"], "--json"],
  ["labs/main.ts", ["rx-zcrx", "--buffer", "5000"], "--buffer"],
  ["labs/main.ts", ["rx-to-disk", "--file", "/nonexistent/file"], "--file"],
  ["labs/main.ts", ["rx-to-disk", "--file", "/dev/null"], "--file"],
  ["vm/main.ts", ["--memory", "", "--", "true"], "--memory"],
  ["vm/main.ts", ["--kernel-log", "/nonexistent/log", "--", "true"], "--kernel-log"],
  ["vm/main.ts", ["--out", "/dev/null", "--", "true"], "--out"],
  ["vm/main.ts", ["--mirror", "nowhere", "build"], "--mirror"],
  ["notebooks/main.ts", ["--port", ""], "--port"],
  ["notebooks/main.ts", ["--check=no"], "--check"],
  ["labs/kit/commands/doctor.ts", ["--json=x"], "--json"],
  ["labs/kit/commands/nic.ts", ["plan", "no-such-nic"], "no-such-nic"],
  ["labs/kit/commands/nic.ts", ["plan", "lo", "--port", "0"], "--port"],
  ["labs/kit/commands/nic.ts", ["plan", "lo", "--source-address", "999.0.0.1"], "--source-address"],
  ["bench/main.ts", ["--rounds", "4"], "--rounds"],
  ["bench/main.ts", ["--json", "/nonexistent/bench.json"], "--json"],
  ["bench/main.ts", ["everything"], "everything"],
  ["bench/main.ts", ["--keep"], "--clock instructions"],
  ["bench/main.ts", ["--clock", "instructions", "transmit"], "leave transmit away"],
  ["bench/main.ts", ["--clock", "instructions", "--rounds", "9"], "leave --rounds away"],
  ["test/main.ts", [""], "FILTER"],
];

for (const [program, args, names] of REFUSED) {
  Deno.test(`${program} ${args.map((arg) => arg || '""').join(" ")} ends with 2 and names it`, async () => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", `${ROOT}${program}`, ...args],
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).output();
    const errors = new TextDecoder().decode(stderr);
    assertEquals([code, new TextDecoder().decode(stdout)], [2, ""], errors);
    assertStringIncludes(errors, names);
    assert(!errors.includes("    at "), errors);
  });
}
