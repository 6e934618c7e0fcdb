/**
 * Runs a command in the guest that stays.
 *
 * @module
 */
import { type GuestOutcome, passOn } from "../guest.ts";
import { kernelComplaints } from "../kernel_log.ts";
import { begin, close, type Standing } from "./find.ts";
import { type Ended, type Refused, say } from "./messages.ts";

/** What to run. */
export interface StandingCommand {
  /** The shell script. */
  readonly script: string;
  /** Milliseconds after which it is ended; undefined for no limit. */
  readonly timeLimit: number | undefined;
  /** Interrupts the command when a signal comes, and ends it when it comes again. */
  readonly onSignal: (handler: (name: string, again: boolean) => void) => Disposable;
}

/**
 * Runs a command.
 *
 * @param standing The guest.
 * @param command The command.
 * @returns How it ended, when its output has been written to ours; or why the guest does not take it.
 */
export async function runStanding(
  standing: Standing,
  { script, timeLimit, onSignal }: StandingCommand,
): Promise<GuestOutcome | Refused> {
  let connection: Deno.UnixConn | undefined;
  let interrupted: string | undefined;
  using _signals = onSignal((name, again) => {
    if (connection === undefined || again) {
      // The keeper kills what nobody waits for.
      interrupted = `It was interrupted by ${name}, and the command was ended.`;
      if (connection !== undefined) close(connection);
      return;
    }
    say(connection, { kind: "message", value: { signal: name } }).catch(() => {});
  });
  let answer: Ended | Refused | undefined;
  try {
    const begun = await begin(standing, { order: "run", script, timeLimit });
    connection = begun.connection;
    if (interrupted !== undefined) close(connection);
    for await (const frame of begun.frames) {
      if (frame.kind === "out") await passOn(frame.bytes, Deno.stdout);
      else if (frame.kind === "err") await passOn(frame.bytes, Deno.stderr);
      else answer = frame.value as Ended | Refused;
    }
  } catch (error) {
    // It has ended since it was found.
    if (connection === undefined) return { refused: (error as Error).message };
    throw error;
  } finally {
    if (connection !== undefined) close(connection);
  }
  if (answer !== undefined && "refused" in answer) return answer;
  const { status, failure, kernelLog } = answer ?? {
    status: undefined,
    failure: "The guest's keeper ended before the command did.",
    kernelLog: "",
  };
  return {
    status: interrupted === undefined ? status : undefined,
    failure: interrupted ?? failure,
    kernelLog,
    complaints: kernelComplaints(kernelLog),
  };
}
