/**
 * The process of the keeper. It reads one line, what to keep, and writes one: whether the guest is there.
 * Whoever starts it holds its input open until then; if he is killed, it ends.
 *
 * @module
 */
import { Interruption, onEndingSignal } from "../../labs/kit/terminal/signals.ts";
import { Keeper, type KeeperRequest } from "./keeper.ts";

/** What the keeper says. */
export interface KeeperAnswer {
  /** Why there is no guest; undefined if there is one. */
  readonly failure?: string;
}

async function main(): Promise<void> {
  const controller = new AbortController();
  let keeper: Keeper | undefined;
  onEndingSignal((name) => {
    controller.abort(new Interruption(name));
    keeper?.end(`Its keeper was ended by ${name}.`);
  });
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await lines.read();
    if (done) return;
    text += value;
  }
  lines.read().then(() => controller.abort(), () => controller.abort());
  try {
    keeper = await Keeper.boot(JSON.parse(text) as KeeperRequest, controller.signal);
  } catch (error) {
    answer({ failure: (error as Error).message });
    return;
  }
  answer({});
  await keeper.ended;
}

function answer(value: KeeperAnswer): void {
  try {
    Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
  } catch {
    // Who started it is gone.
  }
}

if (import.meta.main) {
  await main();
  Deno.exit(0);
}
