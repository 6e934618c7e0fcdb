/**
 * The head of a report: which run it is, and what was asked.
 *
 * @module
 */
import { clockOfRun, NOT_TIME } from "../trials/clock.ts";
import { axisText, describeMeasure, words } from "../plot/names.ts";
import { layoutOf } from "../plot/layout_of_trials.ts";
import { findMeasure } from "../plot/trials.ts";
import { leadingColumn } from "../run/run_table.ts";
import type { RunDocument } from "../run/run_document.ts";
import { attempt } from "./attempt.ts";
import { type Html, markup } from "./html.ts";
import { list, when } from "./words.ts";

/** The head of the page, with the question. */
export function header(document: RunDocument): Html {
  const { lab, complete, parameters, environment, table } = document;
  const badges = [
    complete ? undefined : "stopped before its last trial",
    clockOfRun(document) === "instructions" ? NOT_TIME : undefined,
    parameters["quick"] === true ? "quick: a first look" : undefined,
    environment.machine.virtualised === true ? "virtual machine" : undefined,
  ].filter((badge) => badge !== undefined);
  return markup`<header>
<h1>${lab}</h1>
${table === undefined || table.title === "" ? undefined : markup`<p>${table.title}</p>`}
<p class="soft">${
    [
      when(document),
      word(environment.kernel.release, "Linux "),
      word(environment.machine.cpuModel),
    ].filter((part) => part !== undefined).join(" · ")
  }</p>
${
    badges.length === 0
      ? undefined
      : markup`<p>${badges.map((badge) => markup`<span class="badge">${badge}</span>`)}</p>`
  }
<h2>What was asked</h2>
<p>${question(document)}</p>
</header>`;
}

/** The record is of the form that was promised only where this program wrote it. */
function word(value: unknown, before = ""): string | undefined {
  return typeof value === "string" && value !== "" ? before + value : undefined;
}

/** The question, read off the experiment: what was compared with what, under which circumstances. */
function question({ trials, summary, lab, table }: RunDocument): string {
  const layout = attempt(() => layoutOf(trials, { order: summary }));
  const measure = findMeasure(trials, table);
  if (layout === undefined) {
    return `What the lab ${lab} measures; this run has no trials that count.`;
  }
  const what = leadingColumn(table)?.title ??
    (measure === undefined ? "what was measured" : describeMeasure(measure).label);
  const others = layout.labels.filter((label) => label !== layout.baseline);
  const sizes = [...new Set(layout.combinations.map(({ x }) => x))].filter((x) => x !== null)
    .sort((a, b) => a - b);
  const by = layout.x === undefined
    ? ""
    : `, at ${axisText({ label: words(layout.x), unit: "" })} ${list(sizes.map(String), "and")}`;
  const panels = layout.panels.filter((panel) => panel !== "");
  const under = panels.length < 2 ? "" : `, for each of: ${panels.join("; ")}`;
  const rounds = `${layout.rounds} ${layout.rounds === 1 ? "round" : "rounds"} in random order`;
  if (layout.baseline === undefined || others.length === 0) {
    return `How ${what} differ${by}${under}: ${list(layout.labels, "and")}. ${rounds}.`;
  }
  return `How ${others.length === 1 ? "does" : "do"} ${
    list(others, "and")
  } compare with ${layout.baseline} in ${what}${by}${under}? ` +
    `Each was measured in each of ${rounds}, ${layout.baseline} twice, so that noise shows.`;
}
