/**
 * `deno task bench`: our speed against a C program that does the same work, interleaved in one run.
 *
 * @module
 */
import { UnsupportedError } from "zclab";
import { TrialError } from "zclab/experiment";
import { OptionError } from "zclab/lab";
import { requireWritable } from "../labs/kit/options/arguments.ts";
import { type CommandLine, didYouMean, helpOf, readCommandLine } from "../labs/kit/options/cli.ts";
import { Progress } from "../labs/kit/terminal/progress.ts";
import { ensureSystem } from "../labs/kit/terminal/setup.ts";
import { EXIT } from "../labs/kit/terminal/terminal.ts";
import { runProgram } from "../labs/kit/commands/program.ts";
import { together } from "./comparison.ts";
import type { Effort } from "./effort.ts";
import { benchInstructions } from "./instructions/command.ts";
import { type ReceiveResult, receiveTrials } from "./receive_trials.ts";
import { receiveText, transmitText } from "./text.ts";
import { measureTransmit, type TransmitResult } from "./transmit.ts";

const COMMAND_LINE = {
  command: "deno task bench",
  usage: ["[transmit | receive] [options]", "--clock instructions [--keep] [--json FILE]"],
  about: [
    "Measures us against a C program of our own, interleaved, and prints ratios with 95 % intervals " +
    "beside the noise floor: C against itself. Without a word: all that this machine can do.",
    "With --clock instructions short rows are counted in a guest, the same numbers on any host, and " +
    "compared with the figures in bench/instructions/figures.json.",
  ],
  words: {
    transmit: "the batch API, the promise API, every row of the lab tx-copy-vs-zc, the rows of " +
      "liburing's example program with its one buffer for all requests, the heap, and how fast the " +
      "REPL answers",
    receive: "a TCP stream of 256 MiB through zcrx on softnic, and the CPU time of it; needs the " +
      "guest: deno task vm -- deno task bench receive",
  },
  options: {
    json: { kind: "string", description: "write the result there", placeholder: "FILE" },
    rounds: {
      kind: "number",
      description: "how often everything is measured",
      default: 7,
      minimum: 5,
      maximum: 10_000,
    },
    quick: {
      kind: "flag",
      description: "a tenth of the work in each round: for a look, not for a figure",
    },
    clock: {
      kind: "string",
      description: "time on this machine, or the instructions of each operation in a guest that " +
        "counts them: the gate on our own speed",
      choices: ["time", "instructions"],
      default: "time",
    },
    keep: {
      kind: "flag",
      description:
        "with --clock instructions: measure in three boots, and keep that as the figures",
    },
  },
  exitCodes:
    "0 done, 1 failed, or a row has grown by more than 2 % in instructions, 2 bad arguments, 77 not possible on this machine",
} as const satisfies CommandLine;

/** What can be measured by itself. */
const PARTS: readonly string[] = ["transmit", "receive"];
const QUICK = 0.1;

interface Request {
  readonly part: string | undefined;
  readonly rounds: number;
  readonly json: string | undefined;
  readonly quick: boolean;
  readonly clock: "time" | "instructions";
  readonly keep: boolean;
}

/** What the arguments ask for; `undefined` for help. */
function parseRequest(args: readonly string[]): Request | undefined {
  const { help, words, options, given } = readCommandLine(COMMAND_LINE, args);
  const [part, ...further] = words;
  if (help) return undefined;
  if (part !== undefined && !PARTS.includes(part)) {
    throw new OptionError(
      `bench has no part ${JSON.stringify(part)}${didYouMean(part, PARTS)}: ${PARTS.join(", ")}`,
    );
  }
  if (further.length > 0) throw new OptionError("bench takes one part, or without one does all");
  const isCounted = options.clock === "instructions";
  if (options.keep && !isCounted) throw new OptionError("--keep goes with --clock instructions");
  const other = part ?? ["rounds", "quick"].filter((name) => given.has(name)).map(dashed)[0];
  if (isCounted && other !== undefined) {
    throw new OptionError(
      `--clock instructions has its own short rows and rounds: leave ${other} away`,
    );
  }
  return { part, ...options };
}

function dashed(name: string): string {
  return `--${name}`;
}

/** The trials of receiving, or why they are not possible here. */
async function measureReceive(effort: Effort): Promise<ReceiveResult | UnsupportedError> {
  try {
    return await receiveTrials(effort);
  } catch (error) {
    const cause = error instanceof TrialError ? error.cause : error;
    if (cause instanceof UnsupportedError) return cause;
    throw error;
  }
}

/** What a file has of a run. */
function resultOf(
  { rounds, quick }: Request,
  transmitted: TransmitResult | undefined,
  received: ReceiveResult | undefined,
): string {
  const geomean = transmitted === undefined ? undefined : {
    nop: together(transmitted.nops),
    send: together(transmitted.sends),
  };
  const result = { schema: "zclab/bench/2", ...transmitted, geomean, receive: received };
  return JSON.stringify({ ...result, rounds, quick }, undefined, 2) + "\n";
}

async function main(args: readonly string[]): Promise<number> {
  const request = parseRequest(args);
  if (request === undefined) {
    console.log(helpOf(COMMAND_LINE).trimEnd());
    return EXIT.done;
  }
  const { part, rounds, json, quick } = request;
  if (request.clock === "instructions") return await benchInstructions(request);
  if (json !== undefined) await requireWritable("json", json);
  await ensureSystem();
  using progress = new Progress();
  const effort = { rounds, scale: quick ? QUICK : 1, progress };
  const transmitted = part === "receive" ? undefined : await measureTransmit(effort);
  const found = part === "transmit" ? undefined : await measureReceive(effort);
  progress[Symbol.dispose]();

  const [received, refused] = found instanceof UnsupportedError
    ? [undefined, found]
    : [found, undefined];
  if (transmitted !== undefined) console.log(transmitText(transmitted));
  if (received !== undefined) console.log(receiveText(received));
  if (refused !== undefined) console.log(`receive: not possible here. ${refused.message}`);
  if (json !== undefined && (transmitted !== undefined || received !== undefined)) {
    await Deno.writeTextFile(json, resultOf(request, transmitted, received));
  }
  return refused !== undefined && part === "receive" ? EXIT.notPossible : EXIT.done;
}

if (import.meta.main) await runProgram(main);
