import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  helpText,
  type LabRequest,
  parseLabCommand,
  parseReplay,
  type ReplayRequest,
} from "../../../../labs/kit/commands/lab.ts";
import type { Lab, RunOptions } from "../../../../labs/kit/lab/lab.ts";
import { OptionError } from "../../../../labs/kit/options/options.ts";
import { NEEDY, SAMPLE } from "../../sample_lab.ts";

const LABS = [SAMPLE, NEEDY];

function parse(...args: string[]): LabRequest {
  return parseLabCommand(args, LABS);
}

function given(...args: string[]): RunOptions {
  const request = parse(...args);
  assert(request.kind === "run");
  return request.given;
}

Deno.test("parseLabCommand() runs the first lab when none is named", () => {
  const request = parse();
  assert(request.kind === "run");
  assertEquals(request.lab.name, "sample-lab");
  assertEquals(request.given, { options: {}, quick: false });
});

Deno.test("parseLabCommand() finds the lab wherever its name stands", () => {
  for (
    const args of [
      ["needy-lab", "--quick"],
      ["--quick", "needy-lab"],
      ["--payload", "1", "needy-lab", "--quick"],
      ["--", "needy-lab", "--quick"],
    ]
  ) {
    const request = parse(...args);
    assert(request.kind === "run");
    assertEquals(request.lab.name, "needy-lab");
    assertEquals(request.given.quick, true);
  }
});

Deno.test("parseLabCommand() converts each kind of option", () => {
  assertEquals(
    given(
      "--payload=1,65507",
      "--payload",
      "1500",
      "--mode=zc+flush,zc",
      "--fail",
      "uring",
      "--seconds=.25",
      "--cpu",
      "0",
      "--verify",
      "--seed=4294967295",
      "--repeats",
      "1e2",
    ),
    {
      quick: false,
      seed: 4294967295,
      repeats: 100,
      options: {
        payload: [1, 65507, 1500],
        mode: ["zc+flush", "zc"],
        fail: "uring",
        seconds: 0.25,
        cpu: 0,
        verify: true,
      },
    },
  );
});

Deno.test("parseLabCommand() tells --list and --help from runs", () => {
  assertEquals(parse("--list").kind, "list");
  const general = parse("--help");
  assert(general.kind === "help" && general.lab === undefined);
  const particular = parse("sample-lab", "-h");
  assert(particular.kind === "help" && particular.lab?.name === "sample-lab");
});

const MISTAKES: readonly (readonly [string, string])[] = [
  ["samplelab", "There is no lab"],
  ["samplelab", "did you mean sample-lab?"],
  ["nothing-like-it", "The labs are: sample-lab, needy-lab"],
  ["lst", 'There is no lab "lst" (did you mean list?)'],
  ["repaly run.json", 'There is no lab "repaly" (did you mean replay?)'],
  ["a b", "One lab at a time"],
  ["new", "lab new needs a name: deno task lab new my-first-lab"],
  ["new a b", "takes the name of the lab and nothing else"],
  ["new replay", "deno task lab replay means something already"],
  ["new sample-lab.ts", "deno task lab sample-lab means something already"],
  ["sample-lab needy-lab", "One lab at a time, not sample-lab and needy-lab"],
  ["--payloads 3", "did you mean --payload?"],
  ["--paylod=3", "did you mean --payload?"],
  ["--utterly-unknown", "has no option --utterly-unknown"],
  ["-q", "has no option -q"],
  ["--no-quick", "has no option --no-quick"],
  ["--__proto__ 3", "has no option --__proto__"],
  ["--constructor", "has no option --constructor"],
  ["--payload.size 3", "has no option --payload.size"],
  ["--payload", "--payload needs a value"],
  ["--payload=", "--payload needs a value"],
  ["--payload --quick", "--payload needs a value"],
  ["--payload 1,,2", "a value is missing"],
  ["--payload 1,2,", "a value is missing"],
  ["--payload abc", '"abc" is not a number'],
  ["--payload 0x10", '"0x10" is not a number'],
  ["--payload Infinity", "is not a number"],
  ["--payload 1e999", "is not a number"],
  ["--payload 1.5", "not a whole number"],
  ["--payload 0", "not between 1 and 65507 bytes"],
  ["--payload 7,7", "7 is there twice"],
  ["--mode zcc", "did you mean zc?"],
  ["--mode copy,fast", '"fast" is not one of copy, zc, zc+flush'],
  ["--seconds 0", "0 is less than 0.01"],
  ["--seed -1", "--name=-1"],
  ["--seed=-1", "-1 is not between 0 and 4294967295"],
  ["--seed 1 --seed 2", "--seed is given 2 times"],
  ["--repeats 1", "1 is not between 2 and 10000"],
  ["--quick=maybe", "--quick takes no value"],
  ["--json", "--json needs a value"],
  ["--json there/", "it is a folder"],
  ["--csv there/", "--csv there/: it is a folder"],
  ["--json one --csv one", "--json and --csv name the same file"],
  ["--replay", "--replay needs a value"],
  ["--replay a --replay b", "--replay is given 2 times"],
  ["--replay a b", "--replay takes one file, so not b besides"],
  ["--replay a sample-lab", "takes the lab from the document: leave sample-lab out"],
  ["--replay a --compare b c", "--replay or --compare, not both"],
  ["--compare", "--compare takes two files, not 0"],
  ["--compare a", "--compare takes two files, not 1"],
  ["--compare a b c", "--compare takes two files, not 3"],
  ["--compare a --compare b --compare c", "--compare takes two files, not 3"],
  ["--compare a b --json c", "--compare runs nothing, so --json cannot stand beside it"],
  ["--compare a b --quick", "so --quick cannot stand beside it"],
  ["--compare a/ b", "it is a folder"],
];

for (const [text, expected] of MISTAKES) {
  Deno.test(`parseLabCommand() refuses ${text}: ${expected}`, () => {
    const error = assertThrows(() => parse(...text.split(" ")), OptionError);
    assertStringIncludes(error.message, expected);
  });
}

Deno.test("parseLabCommand() reads --replay and --compare, whose lab only their files know", () => {
  for (const args of [["--replay", "/a.json"], ["--payload", "1", "--replay=/a.json", "--quick"]]) {
    assertEquals(parse(...args), { kind: "replay", file: "/a.json" });
  }
  for (
    const args of [["--compare", "/a", "/b"], ["--compare=/a", "--", "/b"], [
      "--compare",
      "/a",
      "--compare",
      "/b",
    ]]
  ) {
    assertEquals(parse(...args), { kind: "compare", files: ["/a", "/b"], debug: false });
  }
  assertEquals(parse("--compare", "a", "--help").kind, "help");
  assertEquals(parse("--replay", "a", "-h").kind, "help");
});

Deno.test("parseReplay() takes what a replay may have of its own, and nothing else", () => {
  const read = (...args: string[]): ReplayRequest =>
    parseReplay(["--replay", "/a.json", ...args], SAMPLE);
  assertEquals(read(), { given: { options: {} }, files: {}, debug: false });
  assertEquals(
    read("--repeats", "9", "--cpu", "3", "--json", "/b.json", "--csv", "/b.csv", "--debug"),
    {
      given: { options: { cpu: 3 }, repeats: 9 },
      files: { json: "/b.json", csv: "/b.csv" },
      debug: true,
    },
  );
  const refused = (text: string, ...args: string[]): void => {
    assertThrows(() => read(...args), OptionError, text);
  };
  refused("--quick cannot stand beside --replay: it is as in the run", "--quick");
  refused("--seed cannot stand beside --replay", "--seed", "1");
  refused("--list cannot stand beside --replay", "--list");
  refused("--json names the file that is replayed", "--json", "/a.json");
  refused("has no option --paylod", "--paylod", "1");
  refused("1 is not between 2 and 10000", "--repeats", "1");
});

Deno.test("parseLabCommand() takes a file from where the user was", () => {
  const folder = Deno.makeTempDirSync();
  const before = Deno.env.get("INIT_CWD");
  try {
    Deno.env.set("INIT_CWD", folder);
    assertEquals(given("--json", "run.json").json, `${folder}/run.json`);
  } finally {
    if (before === undefined) Deno.env.delete("INIT_CWD");
    else Deno.env.set("INIT_CWD", before);
    Deno.removeSync(folder);
  }
});

Deno.test("helpText() shows each lab, each option and the exit codes", () => {
  const general = helpText(undefined, LABS);
  for (const text of ["sample-lab", "needy-lab", "--json FILE", "--replay FILE", "--list", "77"]) {
    assertStringIncludes(general, text);
  }
  const particular = helpText(SAMPLE, LABS);
  for (const name of Object.keys(SAMPLE.options)) assertStringIncludes(particular, `--${name}`);
  assertStringIncludes(particular, "default 600,1500; with --quick 600");
  assertStringIncludes(particular, "--repeats N");
  for (const line of particular.split("\n")) assert(line.length <= 100, line);
});

const SIZED: Lab = {
  ...NEEDY,
  name: "sized-lab",
  options: {
    area: {
      kind: "bytes",
      description: "how much",
      default: 1 << 24,
      quick: 600,
      minimum: 1 << 9,
      maximum: 1 << 30,
    },
  },
};

Deno.test("an option of bytes takes them with a prefix, and shows them so", () => {
  const area = (text: string): unknown => {
    const request = parseLabCommand(["sized-lab", "--area", text], [SIZED]);
    assert(request.kind === "run");
    return (request.given.options as Record<string, unknown>)["area"];
  };
  assertEquals(["64k", "16M", "1.5 MiB", "4096"].map(area), [65536, 1 << 24, 3 << 19, 4096]);
  for (
    const [text, said] of [
      ["64x", '"64x" is not a number of bytes, such as 4096, 64k or 16M'],
      ["-1", "--area: a negative value"],
      ["0.3k", "is not a number of bytes"],
      ["16", "16 is not between 512 and 1G bytes"],
      ["2G", "2G is not between 512 and 1G bytes"],
    ] as const
  ) assertThrows(() => area(text), OptionError, said);
  assertStringIncludes(helpText(SIZED, [SIZED]), "--area BYTES");
  assertStringIncludes(helpText(SIZED, [SIZED]), "default 16M; with --quick 600");
});

Deno.test("parseLabCommand() survives random arguments", () => {
  const words = [
    "--",
    "-",
    "--payload",
    "=",
    "1",
    ",",
    "--json",
    "--seed=",
    "sample-lab",
    "-h",
    "-__proto__",
    "\0",
    "--no-",
    "ü",
    "--list",
    "__proto__",
    "--quick",
    "--compare",
    "--replay",
    " ",
  ];
  let state = 12345;
  const next = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
  const kinds = new Set<string>();
  for (let round = 0; round < 5000; round++) {
    const args = Array.from(
      { length: next(5) },
      () => Array.from({ length: 1 + next(2) }, () => words[next(words.length)]).join(""),
    );
    try {
      kinds.add(parseLabCommand(args, LABS).kind);
    } catch (error) {
      assertInstanceOf(error, OptionError, JSON.stringify(args));
      kinds.add("refused");
    }
  }
  assertEquals([...kinds].sort(), ["compare", "help", "list", "refused", "replay", "run"]);
});
