/**
 * A program as a notebook's cells are: one run before a guest stays, one that starts it, one that finds
 * it. It writes what came of them as JSON. The first argument is a recorded run.
 *
 * @module
 */
import { rxHeldPieces } from "zclab/labs";
import { inGuest, runOrRecorded } from "zclab/notebook";

const recording = Deno.args[0]!;
const options = { repeats: 1, seed: 7, options: { buffers: 4 } } as const;
const before = await runOrRecorded(rxHeldPieces, options, recording);
const outcome = await inGuest(rxHeldPieces, options);
const after = await runOrRecorded(rxHeldPieces, options, recording);
console.log(JSON.stringify({
  before: { recorded: before.recorded, source: before.source },
  text: outcome.text,
  shown: Deno.inspect(outcome),
  document: outcome.document,
  after: { recorded: after.recorded, guest: after.guest, source: after.source },
}));
