/**
 * How soon the REPL answers.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { median } from "simple-statistics";

const PROJECT = fromFileUrl(new URL("..", import.meta.url));
const STARTS = 5;

/** The median of some starts, in milliseconds. */
export async function replStart(): Promise<number> {
  const starts: number[] = [];
  for (let i = 0; i < STARTS; i++) starts.push(await startOnce());
  return median(starts);
}

/** Milliseconds from starting the REPL to the answer to the first line typed into it. */
async function startOnce(): Promise<number> {
  const start = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["task", "repl"],
    cwd: PROJECT,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode('"rea" + "dy"\n'));
  let text = "";
  let milliseconds = NaN;
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes("ready")) {
      milliseconds = performance.now() - start;
      break;
    }
  }
  await writer.close();
  await child.status;
  return milliseconds;
}
