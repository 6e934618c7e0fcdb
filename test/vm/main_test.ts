import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { OptionError } from "zclab/lab";
import { parseVmCommand } from "../../vm/main.ts";

Deno.test("parseVmCommand() takes what comes after two dashes as it is", () => {
  const request = parseVmCommand(["--out", "/tmp/o", "--", "deno", "task", "lab", "--out", "x"]);
  assertEquals(request.kind, "run");
  assertEquals(request.command, ["deno", "task", "lab", "--out", "x"]);
  assertEquals(request.out, "/tmp/o");
});

Deno.test("parseVmCommand() limits the time of a command, and not that of a shell", () => {
  assertEquals(parseVmCommand(["--", "true"]).timeLimit, 3_600_000);
  assertEquals(parseVmCommand(["--time-limit", "5", "--", "true"]).timeLimit, 5000);
  assertEquals(parseVmCommand(["shell"]).timeLimit, undefined);
});

Deno.test("parseVmCommand() gives a clock that counts instructions one processor", () => {
  const request = parseVmCommand(["--clock", "instructions", "--", "true"]);
  assertEquals([request.guestKind, request.processors], ["instructions", 1]);
  const same = parseVmCommand(["--processors", "1", "--clock", "instructions", "--", "true"]);
  assertEquals(same.processors, 1);
});

Deno.test("parseVmCommand() looks through the microscope at one processor, and counts instructions", () => {
  const request = parseVmCommand(["--microscope", "--", "true"]);
  assertEquals([request.guestKind, request.processors], ["microscope", 1]);
  const both = parseVmCommand(["--microscope", "--clock", "instructions", "--", "true"]);
  assertEquals(both.guestKind, "microscope");
});

Deno.test("parseVmCommand() gives the clock that counts time two processors, or as many as asked", () => {
  const { guestKind, processors } = parseVmCommand(["--", "true"]);
  assertEquals([guestKind, processors], ["time", 2]);
  assertEquals(parseVmCommand(["--clock", "time", "--processors", "3", "shell"]).processors, 3);
});

Deno.test("parseVmCommand() tells what is asked for from what is only the default", () => {
  assertEquals(parseVmCommand(["--", "true"]).wanted, {});
  assertEquals(parseVmCommand(["--memory", "2048", "--", "true"]).wanted, { memory: 2048 });
  assertEquals(parseVmCommand(["--out", "/tmp/o", "start"]).wanted, { out: "/tmp/o" });
});

Deno.test("parseVmCommand() tells a kind of guest that is asked for from the default one", () => {
  for (const word of ["start", "stop", "status"]) {
    assertEquals(parseVmCommand([word]).asksForKind, false);
    for (
      const [args, kind] of [
        [["--clock", "time"], "time"],
        [["--clock", "instructions"], "instructions"],
        [["--microscope"], "microscope"],
      ] as const
    ) {
      const { guestKind, asksForKind } = parseVmCommand([...args, word]);
      assertEquals([guestKind, asksForKind], [kind, true]);
    }
  }
});

Deno.test("parseVmCommand() takes the words of the guest that stays", () => {
  assertEquals(["start", "stop", "status"].map((word) => parseVmCommand([word]).kind), [
    "start",
    "stop",
    "status",
  ]);
  assertEquals(parseVmCommand(["start"]).idleSeconds, undefined);
  assertEquals(parseVmCommand(["start", "--time-limit", "60"]).idleSeconds, 60);
});

Deno.test("parseVmCommand() takes options of the kernel, each once or several with commas", () => {
  const request = parseVmCommand([
    ...["--kernel-option", "init_on_alloc=0", "--kernel-option=a.b=1,c=2", "--", "true"],
  ]);
  assertEquals(request.kernelOptions, ["init_on_alloc=0", "a.b=1", "c=2"]);
  assertEquals(parseVmCommand(["--", "true"]).kernelOptions, []);
});

for (
  const [args, said] of [
    [[], "Which command?"],
    [["--"], "Which command?"],
    [["true"], "deno task vm -- true"],
    [["build", "--", "true"], "after two dashes"],
    [["start", "--", "true"], "after two dashes"],
    [["--microscope", "--clock", "time", "start"], "--clock asks for time. Leave one away"],
    [["--microscope", "--processors", "2", "start"], "--microscope has one processor"],
    [["--kernel-option", "a=1", "start"], "with --kernel-option boots its own"],
    [
      ["--kernel-option", "panic=1", "--", "true"],
      "has panic=-1, because a guest that panics must",
    ],
    [["--kernel-option", "a b=1", "--", "true"], '--kernel-option: "a b=1" is not NAME=VALUE'],
    [["--owner", "0", "start"], "--owner: 0 is less than 1"],
    [["--oops", "--", "true"], "--oops"],
    [["--oup", "x", "--", "true"], "did you mean --out?"],
    [["--memory", "lots", "--", "true"], '--memory: "lots" is not a number'],
    [["--memory", "1", "--", "true"], "--memory: 1 is not between 384 and 1048576 MiB"],
    [["--out", "--", "true"], "--out needs a value: --out FOLDER"],
    [["--clock", "cycles", "--", "true"], '"cycles" is not one of time, instructions'],
    [
      ["--clock", "instructions", "--processors", "2", "--", "true"],
      "--clock instructions has one processor, and --processors asks for 2: several would share",
    ],
    [
      ["--microscope", "--processors", "2", "--", "true"],
      "--microscope has one processor, and --processors asks for 2",
    ],
    [["--mirror", "http://a b", "build"], "no address such as http://deb.debian.org/debian"],
  ] as const
) {
  Deno.test(`parseVmCommand() refuses: vm ${args.join(" ")}`, () => {
    const error = assertThrows(() => parseVmCommand(args), OptionError);
    assertStringIncludes(error.message, said);
  });
}
