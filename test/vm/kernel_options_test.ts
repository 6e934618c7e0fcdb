import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Acceleration, ACCELERATION_KERNEL_OPTIONS } from "../../vm/acceleration.ts";
import { kernelCommandLine, kernelOptionProblem } from "../../vm/kernel_options.ts";

const ACCELERATIONS = Object.keys(ACCELERATION_KERNEL_OPTIONS) as Acceleration[];

Deno.test("kernelCommandLine() has what is asked for last, where the kernel takes it", () => {
  for (const acceleration of ACCELERATIONS) {
    const usual = kernelCommandLine(acceleration, []);
    assert(usual.startsWith("console=ttyS0 loglevel=5 panic=-1 "), usual);
    assertEquals(kernelCommandLine(acceleration, ["a=1", "b.c=2"]), `${usual} a=1 b.c=2`);
  }
});

for (const option of ["init_on_alloc=0", "slub_debug=FZ", "tcp-x.y=1", "consoles=1", "dyndbg=+p"]) {
  Deno.test(`kernelOptionProblem() accepts ${option}`, () => {
    assertEquals(kernelOptionProblem(option), undefined);
  });
}

for (
  const [option, said] of [
    ["", "is not NAME=VALUE"],
    ["quiet", "is not NAME=VALUE"],
    ["a=", "is not NAME=VALUE"],
    ["=1", "is not NAME=VALUE"],
    ["a=1 b=2", "is not NAME=VALUE"],
    ["a=1\nb=2", "is not NAME=VALUE"],
    ['a="1"', "is not NAME=VALUE"],
    ["a='1'", "is not NAME=VALUE"],
    ["--=1 ", "is not NAME=VALUE"],
    ["console=tty0", "the guest has console=ttyS0, because"],
    ["no-timer-check=1", "the guest has no_timer_check, because"],
    ["rdinit=/bin/sh", "a first process of its own"],
    ["zclab.clock=instructions", "zclab knows what its guest is"],
    ["clocksource=hpet", "the clock of the guest"],
  ] as const
) {
  Deno.test(`kernelOptionProblem() refuses ${JSON.stringify(option)}`, () => {
    assertStringIncludes(kernelOptionProblem(option) ?? "accepted", said);
  });
}

Deno.test("kernelOptionProblem() refuses whatever a guest has by itself", () => {
  for (const acceleration of ACCELERATIONS) {
    for (const own of kernelCommandLine(acceleration, []).split(" ")) {
      const name = own.split("=")[0]!;
      assert(kernelOptionProblem(`${name}=other`) !== undefined, name);
    }
  }
});
