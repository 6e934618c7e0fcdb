/**
 * `deno task bench --clock instructions`: our instructions beside C's, and beside the figures that are
 * kept.
 *
 * @module
 */
import { OptionError } from "zclab/lab";
import { machineClock } from "../../labs/kit/trials/clock.ts";
import { requireWritable } from "../../labs/kit/options/arguments.ts";
import { Progress } from "../../labs/kit/terminal/progress.ts";
import { EXIT } from "../../labs/kit/terminal/terminal.ts";
import {
  type Figures,
  KEPT_FIGURES,
  KEPT_NUMBERS,
  keptFrom,
  type KeptRow,
  type MeasuredRow,
  readFigures,
  writeFigures,
} from "./figures.ts";
import { betterOf, failing, judge } from "./gate.ts";
import { measureInGuest } from "./guest.ts";
import { measureRows } from "./rows.ts";
import { gateText } from "./text.ts";

/** Boots that figures are kept from: how far they are apart says whether a row can be gated. */
const BOOTS = 3;

/** What is asked for. */
export interface InstructionsRequest {
  /** Where to write what was measured. */
  readonly json: string | undefined;
  /** Whether to write new figures. */
  readonly keep: boolean;
}

/**
 * Measures, in a guest unless this machine's clock counts instructions, and compares.
 *
 * @param request What is asked for.
 * @returns The exit code: 1 if a row has grown by more than it may.
 */
export async function benchInstructions({ json, keep }: InstructionsRequest): Promise<number> {
  if (json !== undefined) await requireWritable("json", json);
  const isGuest = machineClock() === "instructions";
  if (isGuest && keep) {
    throw new OptionError("--keep takes several boots: run it outside of the guest");
  }
  if (keep) await requireWritable("keep", KEPT_FIGURES);
  const before = keep ? undefined : await readKept();
  const found = isGuest ? await measureHere() : await measureInGuest();
  if (before !== undefined) {
    const hasGrown = judge(found, before).some(({ judgement }) => judgement === "grown");
    const last = hasGrown && !isGuest ? betterOf(found, await measureAgain()) : found;
    if (json !== undefined) await writeFigures(json, last);
    return report(last, before);
  }
  if (json !== undefined) await writeFigures(json, found);
  const boots = [found];
  while (boots.length < BOOTS) boots.push(await measureInGuest());
  const kept = keptFrom(boots);
  await writeFigures(KEPT_FIGURES, kept);
  return report(found, kept);
}

async function measureHere(): Promise<Figures<MeasuredRow>> {
  using progress = new Progress();
  return await measureRows(progress);
}

/** A row fails if it has grown in two boots. */
function measureAgain(): Promise<Figures<MeasuredRow>> {
  console.error("bench: a row has grown: measuring once more");
  return measureInGuest();
}

function readKept(): Promise<Figures<KeptRow>> {
  return readFigures<KeptRow>(KEPT_FIGURES, KEPT_NUMBERS);
}

function report(found: Figures<MeasuredRow>, kept: Figures<KeptRow>): number {
  const rows = judge(found, kept);
  console.log(gateText(rows, found, kept));
  return failing(rows).length === 0 ? EXIT.done : EXIT.failed;
}
