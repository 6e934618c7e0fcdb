/**
 * The thread behind {@linkcode guardExit}.
 *
 * @module
 */
import { native } from "../../../ffi/kernel/native.ts";
import { type GuardRequest, sayOnce } from "./exit_guard.ts";
import { onEndingSignal, SIGNAL_EXIT } from "./signals.ts";

/** The parts of a worker's scope that are used here. */
interface Port {
  onmessage: ((event: MessageEvent<GuardRequest>) => void) | null;
}

(self as unknown as Port).onmessage = ({ data: { said, text } }): void => {
  // Loaded now: at the second signal nothing may take time.
  const { zclab_exit } = native();
  onEndingSignal((name, again) => {
    if (again) zclab_exit(SIGNAL_EXIT[name]);
    sayOnce(said, () => {
      Deno.stderr.writeSync(new TextEncoder().encode(`\n${name}: ${text}\n`));
    });
  });
};
