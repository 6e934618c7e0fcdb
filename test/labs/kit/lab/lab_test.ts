import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { UnsupportedError } from "../../../../ffi/kernel/errors.ts";
import { checkOption, type LabOption, OptionError } from "../../../../labs/kit/options/options.ts";
import { type LabContext, labContext, runLab } from "../../../../labs/kit/lab/lab.ts";
import { selfRunning } from "../../self_running.ts";
import { probe } from "../../../../labs/kit/probe/probe.ts";
import { NEEDY, SAMPLE } from "../../sample_lab.ts";

Deno.test("a lab gives options the types of their declarations", () => {
  selfRunning({
    name: "typed",
    title: "",
    description: "",
    needs: ["io_uring"],
    options: {
      some: { kind: "numbers", description: "", default: [1] },
      mode: { kind: "strings", description: "", choices: ["a", "b"], default: ["a"] },
      given: { kind: "number", description: "", default: 1 },
      maybe: { kind: "number", description: "" },
      sink: { kind: "string", description: "" },
      flag: { kind: "flag", description: "" },
    },
    run({ options }): Promise<never> {
      const checked: {
        some: readonly number[];
        mode: readonly ("a" | "b")[];
        given: number;
        maybe: number | undefined;
        sink: string | undefined;
        flag: boolean;
      } = options;
      // @ts-expect-error A number that need not be given may be undefined.
      const wrong: number = options.maybe;
      return Promise.reject(new Error(`${checked} ${wrong}`));
    },
  });
});

Deno.test("labContext() fills in the defaults", () => {
  const { options, seed, repeats, quick, json } = labContext(SAMPLE);
  assertEquals(options.payload, [600, 1500]);
  assertEquals(options.mode, ["copy", "zc"]);
  assertEquals(options.cpu, undefined);
  assertEquals(options.verify, false);
  assertEquals({ seed, repeats, quick, json }, {
    seed: 1,
    repeats: 4,
    quick: false,
    json: undefined,
  });
});

Deno.test("labContext() shortens a quick run, but not what was asked for", () => {
  const quick = labContext(SAMPLE, { quick: true });
  assertEquals([quick.options.payload, quick.repeats], [[600], 2]);
  const asked = labContext(SAMPLE, { quick: true, repeats: 9, options: { payload: [7, 8] } });
  assertEquals([asked.options.payload, asked.repeats], [[7, 8], 9]);
});

Deno.test("labContext() refuses values that the lab does not accept", () => {
  const refuse = (given: Parameters<typeof labContext>[1], text: string): void => {
    assertThrows(() => labContext(SAMPLE as LabOf, given), OptionError, text);
  };
  refuse({ options: { payload: [0] } }, "payload: 0 is not between 1 and 65507 bytes");
  refuse({ options: { payload: [] } }, "the list is empty");
  refuse({ options: { payload: [5, 5] } }, "5 is there twice");
  refuse({ options: { payload: [1.5] } }, "not a whole number");
  refuse({ options: { mode: ["fast"] } }, '"fast" is not one of copy, zc, zc+flush');
  refuse({ options: { seconds: 0 } }, "less than 0.01");
  refuse({ options: { seconds: NaN } }, "NaN is not a number");
  refuse({ options: { unknown: 1 } }, "has no option unknown");
  refuse({ repeats: 1 }, "repeats: 1 is not between 2");
  refuse({ seed: -1 }, "seed: -1");
});

Deno.test("checkOption() asks the option's own check", () => {
  const option: LabOption = {
    kind: "string",
    description: "",
    check: (value) => value.startsWith("x") ? undefined : `${value} does not start with x`,
  };
  assertEquals(checkOption(option, "xyz"), undefined);
  assertEquals(checkOption(option, undefined), undefined);
  assertEquals(checkOption(option, "abc"), "abc does not start with x");
  assertEquals(checkOption(option, 3), "3 is not text");
});

Deno.test("runLab() returns what the lab found, shown as its text", async () => {
  const outcome = await runLab(SAMPLE, { options: { payload: [42] }, seed: 3 });
  assertEquals(Deno.inspect(outcome), "payload 42");
  const parameters = outcome.document.parameters as Record<string, unknown>;
  assertEquals([parameters.payload, parameters.seed], [[42], 3]);
  assertEquals(Object.keys(outcome).sort(), ["document", "text"]);
});

Deno.test("runLab() hands the lab's progress, text and abort on", async () => {
  const seen: string[] = [];
  await runLab(SAMPLE, {
    options: { wait: 1 },
    write: (text) => seen.push(text),
    progress: { update: (done, total, label) => seen.push(`${done}/${total} ${label}`) },
  });
  assertEquals(seen, ["waiting\n", "1/1 done"]);
  const controller = new AbortController();
  const run = runLab(SAMPLE, {
    options: { wait: 60_000 },
    signal: controller.signal,
    write: () => controller.abort(new Error("enough")),
  });
  await assertRejects(() => run, Error, "enough");
});

Deno.test("runLab() says what a lab lacks here", async () => {
  const zcrx = (await probe()).item("zcrx");
  if (zcrx.state === "real") {
    assertStringIncludes((await runLab(NEEDY)).text, "payload");
  } else {
    const error = await assertRejects(() => runLab(NEEDY), UnsupportedError);
    assertStringIncludes(error.message, zcrx.why);
  }
});

type LabOf = Parameters<typeof labContext>[0];

// The context of a particular lab has the types of its options.
((_context: LabContext<typeof SAMPLE.options>): void => {
  _context.options.payload satisfies readonly number[];
  _context.options.mode satisfies readonly ("copy" | "zc" | "zc+flush")[];
});
