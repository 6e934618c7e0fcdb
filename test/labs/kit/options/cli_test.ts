import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { OptionError } from "../../../../labs/kit/options/options.ts";
import { type CommandLine, helpOf, readCommandLine } from "../../../../labs/kit/options/cli.ts";

const OPTIONS = {
  port: {
    kind: "number",
    description: "where it listens",
    default: 9000,
    minimum: 1,
    maximum: 9 ** 5,
  },
  area: { kind: "bytes", description: "how much", minimum: 1024 },
  protocol: {
    kind: "string",
    description: "what carries it",
    choices: ["tcp", "udp"],
    default: "udp",
  },
  name: { kind: "strings", description: "which", default: ["all"] },
  force: { kind: "flag", description: "all the same" },
} as const;

const BARE = {
  command: "deno task bare",
  usage: ["[options]"],
  about: ["Takes options alone."],
  options: OPTIONS,
  exitCodes: "0 done",
} as const satisfies CommandLine;

const WORDY = { ...BARE, command: "deno task wordy", words: { go: "goes" } };
const HANDING_ON = { ...WORDY, handsOn: true };

Deno.test("readCommandLine() converts what is given, and fills in the rest", () => {
  assertEquals(readCommandLine(BARE, []), {
    help: false,
    words: [],
    options: { port: 9000, area: undefined, protocol: "udp", name: ["all"], force: false },
    given: new Set<string>(),
    handedOn: [],
  });
  const { options, words, given } = readCommandLine(WORDY, [
    ...["go", "--port=80", "--area", "64k", "--name", "a,b", "--name=c", "--force", "on"],
  ]);
  assertEquals(words, ["go", "on"]);
  assertEquals(options, {
    port: 80,
    area: 65536,
    protocol: "udp",
    name: ["a", "b", "c"],
    force: true,
  });
  assertEquals(given, new Set(["port", "area", "name", "force"]));
});

Deno.test("readCommandLine() drops the two dashes of npm, and hands on what comes after them", () => {
  assertEquals(readCommandLine(WORDY, ["--", "--force", "go"]).options.force, true);
  assertEquals(readCommandLine(WORDY, ["--force", "--", "--port"]).words, ["--port"]);
  const own = readCommandLine(HANDING_ON, ["--force", "--", "--port", "--", "x"]);
  assertEquals([own.words, own.handedOn], [[], ["--port", "--", "x"]]);
  assertEquals(readCommandLine(HANDING_ON, ["--", "ls"]).handedOn, ["ls"]);
});

Deno.test("readCommandLine() shows help whatever the values are, but not of what it does not know", () => {
  for (const args of [["-h"], ["--port", "0", "--help"], ["word", "--help"]]) {
    assertEquals(readCommandLine(BARE, args).help, true);
  }
  assertThrows(() => readCommandLine(BARE, ["--help", "--oops"]), OptionError, "--oops");
});

for (
  const [args, says] of [
    [["--prt", "1"], "bare has no option --prt (did you mean --port?). deno task bare --help"],
    [["-x"], "bare has no option -x. "],
    [["word"], 'bare takes no "word": deno task bare [options]'],
    [["--port", "x"], '--port: "x" is not a number'],
    [["--port", ""], "--port needs a value: --port N"],
    [["--port", "1", "--port", "2"], "--port is given 2 times"],
    [["--area", "12q"], "not a number of bytes, such as"],
    [["--area", "1"], "1 is less than 1k bytes"],
    [["--protocol", "tpc"], '"tpc" is not one of tcp, udp (did you mean tcp?)'],
    [["--force=no"], "--force takes no value"],
    [["--no-force"], "bare has no option --no-force"],
  ] as const
) {
  Deno.test(`readCommandLine() refuses ${args.join(" ") || '""'}`, () => {
    const { message } = assertThrows(() => readCommandLine(BARE, args), OptionError);
    assertStringIncludes(message, says);
  });
}

Deno.test("helpOf() shows all that is declared, in lines that fit", () => {
  const help = helpOf({
    ...WORDY,
    usage: ["go", "stop"],
    about: ["It goes, and it stops, which is all that it does. ".repeat(4)],
    notes: ["One more thing."],
  });
  assert(
    help.startsWith("Usage: deno task wordy go\n       deno task wordy stop\n\nIt goes"),
    help,
  );
  for (
    const line of [
      "  go  goes",
      "  --port N              where it listens (default 9000)",
      "  --area BYTES          how much (such as 4096, 64k or 16M)",
      "  --protocol tcp|udp    what carries it (default udp)",
      "  --help                show this help",
      "One more thing.",
      "Exit codes: 0 done.",
    ]
  ) assert(help.split("\n").some((one) => one.startsWith(line)), `${line}\n${help}`);
  for (const line of help.split("\n")) assert(line.length <= 100, line);
});
