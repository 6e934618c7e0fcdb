/**
 * A lab's run for a notebook: made here where that is possible, or in the guest if one stays, and
 * otherwise one that was recorded, marked as such.
 *
 * @module
 */
import { UnsupportedError } from "../../../ffi/kernel/errors.ts";
import { clockOfRun, NOT_TIME } from "../trials/clock.ts";
import { type Lab, runLab, type RunOptions } from "../lab/lab.ts";
import type { LabOptions } from "../options/options.ts";
import { probe } from "../probe/probe.ts";
import { guestArguments, guestStays, inGuest } from "./in_guest.ts";
import {
  partOf,
  readRunDocument,
  type RunDocument,
  RunDocumentError,
} from "../run/run_document.ts";

/** A run, and where it was made; {@linkcode runOrRecorded} and {@linkcode recordedRun} return it. */
export class NotebookRun {
  /** The run, as {@linkcode runLab} gives it. */
  readonly document: RunDocument;
  /** Whether it is a recorded one. */
  readonly recorded: boolean;
  /** Whether it was made in the guest. */
  readonly guest: boolean;
  /** Why it is not one of this machine: what that lacks; empty if it is. */
  readonly why: string;

  /** Made by {@linkcode runOrRecorded}. @internal */
  constructor(document: RunDocument, why: string, guest = false) {
    this.document = document;
    this.recorded = why !== "" && !guest;
    this.guest = guest;
    this.why = why;
  }

  /** Where and when the run was made, and for a recorded one why. */
  get source(): string {
    const { environment, startedAt, trials } = this.document;
    const clock = clockOfRun(this.document) === "instructions" ? ` (${NOT_TIME})` : "";
    const where = `Linux ${environment.kernel.release ?? "(unknown)"}${clock}`;
    const when = (startedAt ?? trials[0]?.startedAt)?.slice(0, 10);
    const part = partOf(this.document);
    if (!this.recorded) {
      const place = this.guest ? "in the guest" : "here";
      return `Measured ${place}, on ${where}.${part === undefined ? "" : ` ${part}`}`;
    }
    return `RECORDED RUN, not measured here. Recorded on ${where}` +
      `${when === undefined ? "" : `, ${when}`}, because here it is not possible: ${this.why}`;
  }

  /** Where the run was made, for the REPL. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.source;
  }

  /** Where the run was made, for a notebook. */
  [Symbol.for("Jupyter.display")](): Record<string, string> {
    const text = this.source.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
    const html = this.recorded
      ? `<blockquote><p><strong>⚠ ${text.replace(". ", ".</strong> ")}</p></blockquote>`
      : `<p>${text}</p>`;
    return { "text/plain": this.source, "text/html": html };
  }
}

/**
 * Runs a lab where this machine can; or in the guest, if that can and one stays (`deno task vm start`,
 * and for a lab that needs the microscope `deno task vm --microscope start`); and otherwise reads a recorded run of it. Which of them it is, {@linkcode NotebookRun.source} says,
 * and why.
 *
 * @param lab The lab.
 * @param options What differs from the lab's defaults.
 * @param recording The recorded run: a run document.
 * @returns The run.
 * @throws {OptionError} If an option is unknown or has a value that the lab does not accept.
 * @throws {RunDocumentError} If the recorded run is needed and is no run of this lab.
 *
 * @example What cannot run here
 * ```ts
 * import { codeVersion, environment, formatRunDocument, RUN_SCHEMA } from "zclab/experiment";
 * import { defineLab } from "zclab/lab";
 * import { runOrRecorded } from "zclab/notebook";
 * import { assertEquals, assertStringIncludes } from "@std/assert";
 *
 * const lab = defineLab({
 *   name: "example",
 *   title: "Needs what only a guest has",
 *   description: "Needs what only a guest has.",
 *   needs: ["softnic"],
 *   options: {},
 *   factors: () => [{ mode: "zc" }],
 *   baseline: { mode: "zc" },
 *   trial: () => ({ copied: 1 }),
 *   columns: { copied: { title: "copied", evidence: true } },
 * });
 * const recording = await Deno.makeTempFile();
 * const recorded = formatRunDocument({
 *   schema: RUN_SCHEMA,
 *   lab: "example",
 *   invocation: { options: {}, quick: true, seed: 1, repeats: null },
 *   parameters: { seed: 1 },
 *   seed: 1,
 *   environment: environment(),
 *   code: codeVersion(),
 *   startedAt: "2026-11-22T00:00:00.000Z",
 *   complete: true,
 *   trials: [],
 *   summary: [{ copied: 0 }],
 * });
 * await Deno.writeTextFile(recording, recorded);
 * const run = await runOrRecorded(lab, {}, recording);
 * assertEquals(run.document.summary, [{ copied: 0 }]);
 * assertStringIncludes(run.source, "RECORDED RUN, not measured here");
 * await Deno.remove(recording);
 * ```
 */
export async function runOrRecorded<Options extends LabOptions>(
  lab: Lab<Options>,
  options: RunOptions<Options>,
  recording: string | URL,
): Promise<NotebookRun> {
  const lacks = (await probe()).missing(lab.needs);
  const [missing] = lacks;
  if (missing === undefined) {
    try {
      return new NotebookRun((await runLab(lab, options)).document, "");
    } catch (error) {
      // What the probe could not foresee, such as a limit of this user.
      if (!(error instanceof UnsupportedError)) throw error;
      return new NotebookRun(await readRecording(lab, recording), error.message);
    }
  }
  const why = `${missing.name}: ${missing.why}`;
  if (!lacks.every(({ state }) => state === "guest")) {
    return new NotebookRun(await readRecording(lab, recording), why);
  }
  const kind = guestArguments(lab);
  if (!await guestStays(kind)) {
    const options = lab.needs.includes("microscope") ? "--microscope " : "";
    const start = `After deno task vm ${options}start it runs in the guest, for real`;
    return new NotebookRun(await readRecording(lab, recording), `${why}. ${start}`);
  }
  try {
    return new NotebookRun((await inGuest(lab, options)).document, why, true);
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    return new NotebookRun(await readRecording(lab, recording), error.message);
  }
}

/**
 * Reads a recorded run that a notebook shows beside one that is made here: one of another kernel, or by
 * another clock. {@linkcode NotebookRun.source} says that it is recorded.
 *
 * @param lab The lab.
 * @param recording The recorded run: a run document.
 * @param why What it takes that is not here, such as `it takes a guest whose clock counts instructions`.
 * @returns The run.
 * @throws {RunDocumentError} If it is not there, or is no run of this lab.
 *
 * @example
 * ```ts
 * import { codeVersion, environment, formatRunDocument, RUN_SCHEMA } from "zclab/experiment";
 * import { recordedRun } from "zclab/notebook";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const recording = await Deno.makeTempFile();
 * const recorded = formatRunDocument({
 *   schema: RUN_SCHEMA,
 *   lab: "example",
 *   invocation: { options: {}, quick: true, seed: 1, repeats: null },
 *   parameters: { seed: 1 },
 *   seed: 1,
 *   environment: environment(),
 *   code: codeVersion(),
 *   startedAt: "2026-12-01T00:00:00.000Z",
 *   complete: true,
 *   trials: [],
 *   summary: [{ copied: 0 }],
 * });
 * await Deno.writeTextFile(recording, recorded);
 * const run = await recordedRun({ name: "example" }, recording, "it takes another kernel");
 * assertStringIncludes(run.source, "because here it is not possible: it takes another kernel");
 * await Deno.remove(recording);
 * ```
 */
export async function recordedRun(
  lab: { readonly name: string },
  recording: string | URL,
  why: string,
): Promise<NotebookRun> {
  return new NotebookRun(await readRecording(lab, recording), why);
}

async function readRecording(
  lab: { readonly name: string },
  recording: string | URL,
): Promise<RunDocument> {
  let text: string;
  try {
    text = await Deno.readTextFile(recording);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new RunDocumentError(
      `${lab.name} is not possible here, and no run of it is recorded in ${recording}. What to do: ` +
        "on a machine where it is possible, deno task notebook --record",
      { cause },
    );
  }
  const document = readRunDocument(text);
  if (document.lab !== lab.name) {
    throw new RunDocumentError(`The recorded run is one of ${document.lab}, not of ${lab.name}`);
  }
  return document;
}
