/**
 * A run as one page: what was asked, the answer, what it rests on, and how to repeat it.
 *
 * @module
 */
import { whereBetter } from "../plot/crossover.ts";
import { labFileWord, shellWord } from "../lab/lab_command.ts";
import { axisText, describeMeasure, words } from "../plot/names.ts";
import { layoutOf, singleTrials, valueText } from "../plot/layout_of_trials.ts";
import { PlotError } from "../plot/figure.ts";
import { formatSi } from "../plot/format.ts";
import { type Plot, plots } from "../plot/plot.ts";
import { findMeasure } from "../plot/trials.ts";
import { leadingColumn, type RunTable } from "../run/run_table.ts";
import { Html, type HtmlPart, markup } from "./html.ts";
import { REPORT_STYLE } from "./style.ts";
import {
  comparisonText,
  readSummary,
  type RowColumn,
  type RowComparison,
  type SummaryRows,
} from "./summary_rows.ts";
import { formatRunDocument, partOf, type RunDocument } from "../run/run_document.ts";
import { explainOutlier, findOutliers, type Outlier } from "../statistics/statistics.ts";
import { describeFactors, type Measure, type Measures, type Trial } from "../experiment/trials.ts";

/** Differences that stand above the fold; the others are folded. */
const FIRST_VERDICTS = 8;

/** Outliers that are told one by one. */
const MOST_OUTLIERS = 12;

/** Widths of the plots, in pixels: for desktops and paper, and for phones. */
const WIDE = 720;
const NARROW = 350;

/** What the record says where nothing could be read. */
const UNKNOWN = "not known";

/** The file that the page offers for saving is called so, after the lab. */
const SAFE_NAME = /[^a-z0-9._-]+/gi;

/**
 * A run document as one HTML page that needs nothing else: no script, no request, light and dark
 * by the reader's setting, readable on a phone and on paper. The run file itself is in the page.
 *
 * What the page says is read off the shape of the document, so that it serves every lab. A
 * document may come from anywhere: everything of it is escaped, and the page forbids scripts.
 *
 * @param document The run.
 * @returns The text of the page.
 * @throws {RunDocumentError} If it is no run document.
 *
 * @example
 * ```ts
 * import { codeVersion, environment, reportHtml, RUN_SCHEMA } from "zclab/experiment";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const page = reportHtml({
 *   schema: RUN_SCHEMA,
 *   lab: "example",
 *   invocation: { options: {}, quick: false, seed: 1, repeats: null },
 *   parameters: { seed: 1 },
 *   seed: 1,
 *   environment: environment(),
 *   code: codeVersion(),
 *   startedAt: new Date().toISOString(),
 *   complete: true,
 *   trials: [],
 *   summary: [{ mode: "<zc>", requestsPerSecond: 450000 }],
 * });
 * assertStringIncludes(page, "&lt;zc&gt;");
 * assertStringIncludes(page, "450 k/s");
 * ```
 */
export function reportHtml(document: RunDocument): string {
  const file = formatRunDocument(document);
  const rows = readSummary(document);
  const found = plotsOf(document);
  const title = `${document.lab}${when(document) === undefined ? "" : `, ${when(document)}`}`;
  const page = markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none';style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="zclab">
<title>${title}</title>
<style>${new Html(REPORT_STYLE)}</style>
</head>
<body>
<main>
${header(document)}
${verdicts(document, rows, found.plots)}
${results(rows, document.table)}
${figures(found)}
${evidence(document, rows)}
${trialsSection(document)}
${environmentSection(document)}
${repeat(document, file)}
</main>
</body>
</html>
`;
  return page.markup;
}

// === What was asked ===

function header(document: RunDocument): Html {
  const { lab, complete, parameters, environment, table } = document;
  const badges = [
    complete ? undefined : "stopped before its last trial",
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

// === The answer ===

function verdicts(document: RunDocument, rows: SummaryRows, found: readonly Plot[]): Html {
  const told = rows.comparisons.flatMap((own, index) =>
    own.filter(({ difference }) => difference !== "baseline")
      .map((comparison) => ({ comparison, name: rows.names[index]! }))
  );
  const names = [...new Set(told.map(({ comparison }) => comparison.name))];
  const lead = names.map((name) => {
    const own = told.filter(({ comparison }) => comparison.name === name);
    const count = (difference: RowComparison["difference"]): number =>
      own.filter(({ comparison }) => comparison.difference === difference).length;
    const seen = count("higher") + count("lower");
    const title = names.length > 1 ? `${words(name)}: ` : "";
    return `${title}${seen === 0 ? "no" : seen} ${
      seen === 1 ? "difference" : "differences"
    } seen in ` +
      `${own.length} ${own.length === 1 ? "comparison" : "comparisons"}` +
      (seen === 0 ? "" : ` (${count("higher")} higher, ${count("lower")} lower)`) + ".";
  });
  const differences = told.filter(({ comparison }) =>
    comparison.difference === "higher" || comparison.difference === "lower"
  ).sort((a, b) => Math.abs(Math.log(b.comparison.ratio)) - Math.abs(Math.log(a.comparison.ratio)));
  const none = told.filter(({ comparison }) => comparison.difference === "none");
  const item = ({ comparison, name }: typeof told[number]): Html => {
    const subject = names.length > 1 ? `${name}, ${words(comparison.name)}` : name;
    return markup`<li>${mark(comparison)}<strong>${subject}</strong>: ${
      comparison.verdict ?? comparisonText(comparison)
    }</li>`;
  };
  const folded = [...differences.slice(FIRST_VERDICTS), ...none];
  const part = partOf(document);
  return markup`<section aria-labelledby="verdict">
<h2 id="verdict">Verdict</h2>
<div class="verdict">
${part === undefined ? undefined : markup`<p><strong>${part}</strong></p>`}
${
    told.length === 0
      ? markup`<p>${
        document.summary.length === 0
          ? "This run came to no result."
          : "This run compares nothing: what it measured stands in the table."
      }</p>`
      : lead.map((line) => markup`<p>${capital(line)}</p>`)
  }
${
    differences.length === 0
      ? undefined
      : markup`<ul>${differences.slice(0, FIRST_VERDICTS).map(item)}</ul>`
  }
${found.flatMap(crossings)}
</div>
${
    folded.length === 0
      ? undefined
      : markup`<details><summary>${`${folded.length} more in words`}</summary>
<ul>${folded.map(item)}</ul></details>`
  }
</section>`;
}

/** Where each way begins to be better, in a sentence each. */
function crossings({ figure }: Plot): Html[] {
  if (figure.kind !== "crossover") return [];
  const { better, baseline, x } = figure;
  return figure.panels.flatMap(({ title, crossings }) =>
    crossings.flatMap((crossing) => {
      const where = whereBetter(crossing, x);
      const panel = title === "" ? "" : `${title}: `;
      return where === undefined
        ? []
        : [markup`<p>${`${panel}${crossing.label} is ${better} than ${baseline} ${where}.`}</p>`];
    })
  );
}

function mark({ difference }: RowComparison): Html | undefined {
  return difference === "higher"
    ? markup`<span class="mark" aria-hidden="true">▲ </span>`
    : difference === "lower"
    ? markup`<span class="mark" aria-hidden="true">▼ </span>`
    : undefined;
}

// === Results ===

function results(rows: SummaryRows, table: RunTable | undefined): Html | undefined {
  if (rows.names.length === 0) return undefined;
  // A comparison is called as its column; the baseline tells them apart.
  const baseline = Object.entries(table?.baseline ?? {})
    .map(([name, value], _, all) => valueText(name, value, all.length > 1)).join(", ");
  const names = [...new Set(rows.comparisons.flatMap((own) => own.map(({ name }) => name)))];
  const compared = names.map((name) => ({
    title: words(name) + (baseline === "" ? "" : `, against ${baseline}`),
    cells: rows.comparisons.map((own) => own.find((one) => one.name === name)),
  }));
  const columns: readonly TableColumn[] = [
    ...compared.map(({ title, cells }) => ({
      title,
      cells: cells.map((cell) => cell === undefined ? undefined : comparisonCell(cell)),
      isWord: false,
    })),
    ...rows.measures.map(plain),
  ];
  return markup`<section aria-labelledby="results">
<h2 id="results">Results</h2>
${
    scrollTable(
      rows,
      columns,
      "Medians over the rounds and, in brackets, 95 % intervals. ▲ more, ▼ less, ≈ no difference seen.",
    )
  }
</section>`;
}

function comparisonCell(cell: RowComparison): Html {
  const seen = cell.difference === "higher" || cell.difference === "lower";
  return markup`<span class="${seen ? "seen" : "soft"}">${
    withInterval(comparisonText(cell))
  }</span>`;
}

/** On a phone the interval stands below its value. */
function withInterval(cell: string): HtmlPart {
  const [, value, interval] = cell.match(/^(.*) (\(.* to .*\))$/) ?? [];
  return value === undefined ? cell : markup`${value} <span class="interval">${interval}</span>`;
}

interface TableColumn {
  readonly title: string;
  readonly cells: readonly HtmlPart[];
  readonly isWord: boolean;
}

function plain({ title, cells }: RowColumn): TableColumn {
  return { title, cells: cells.map(withInterval), isWord: cells.some((cell) => cell.length > 40) };
}

function scrollTable(
  { names, groups }: Pick<SummaryRows, "names" | "groups">,
  columns: readonly TableColumn[],
  caption: string,
): Html {
  const body = names.map((name, row) => {
    const isNew = row > 0 && groups[row] !== groups[row - 1];
    return markup`<tr${new Html(isNew ? ' class="group"' : "")}><th scope="row">${name}</th>${
      columns.map(({ cells, isWord }) =>
        markup`<td${new Html(isWord ? ' class="word"' : "")}>${
          cells[row] === "" || cells[row] === undefined ? "–" : cells[row]
        }</td>`
      )
    }</tr>\n`;
  });
  return markup`<p class="soft">${caption}</p>
<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<thead><tr><th scope="col">row</th>${
    columns.map(({ title, isWord }) =>
      markup`<th scope="col"${new Html(isWord ? ' class="word"' : "")}>${title}</th>`
    )
  }</tr></thead>
<tbody>
${body}</tbody></table></div>`;
}

// === Plots ===

interface FoundPlots {
  readonly plots: readonly Plot[];
  /** Why there are none. */
  readonly problem?: string;
}

function plotsOf(document: RunDocument): FoundPlots {
  try {
    return { plots: plots(document) };
  } catch (error) {
    if (!(error instanceof PlotError)) throw error;
    return { plots: [], problem: error.message };
  }
}

function figures({ plots, problem }: FoundPlots): Html {
  return markup`<section aria-labelledby="plots">
<h2 id="plots">Plots</h2>
${problem === undefined ? undefined : markup`<p>Nothing to plot: ${problem}</p>`}
${
    plots.map((plot) =>
      markup`<figure>
<div class="wide">${new Html(plot.svg({ theme: "page", width: WIDE }))}</div>
<div class="narrow">${new Html(plot.svg({ theme: "page", width: NARROW }))}</div>
</figure>\n`
    )
  }
</section>`;
}

// === Evidence ===

function evidence(document: RunDocument, rows: SummaryRows): Html {
  const columns = rows.evidence.filter(({ cells }) => cells.some((cell) => cell !== ""));
  const sentences = [...countsOf(document.summary), ...controlsOf(document)];
  const isAboutCopies = sentences.length > 0 || columns.length === 0 ||
    document.summary.some((row) => Object.keys(row).some((name) => /copied/i.test(name)));
  return markup`<section aria-labelledby="evidence">
<h2 id="evidence">${isAboutCopies ? "Copied or not copied: the evidence" : "Evidence"}</h2>
${sentences.map((sentence) => markup`<p>${sentence}</p>`)}
${
    columns.length > 0
      ? scrollTable(
        rows,
        columns.map(plain),
        "What the kernel, the NIC and the lab itself counted.",
      )
      : sentences.length > 0
      ? undefined
      : markup`<p>This run holds no evidence about copying.</p>`
  }
</section>`;
}

/** What the kernel, the NIC and the pages say, over all rows that they say it of. */
function countsOf(rows: readonly Measures[]): string[] {
  const said: string[] = [];
  const sum = (of: readonly Measures[], name: string): number =>
    of.reduce((total, row) => total + Number(row[name]), 0);
  const having = (...names: readonly string[]): Measures[] =>
    rows.filter((row) => names.every((name) => typeof row[name] === "number"));
  const requests = having("copied", "sent");
  if (requests.length > 0) {
    said.push(
      `The kernel reported ${count(sum(requests, "copied"))} of ` +
        `${count(sum(requests, "sent"))} zero-copy requests as copied.`,
    );
  }
  const bytes = having("copiedBytes", "payloadBytes");
  const isZeroCopy = (row: Measures): boolean => row["device"] !== "none";
  for (
    const [title, own] of [
      ["", bytes.filter(isZeroCopy)],
      ["Without a device, where it must copy, ", bytes.filter((row) => !isZeroCopy(row))],
    ] as const
  ) {
    if (own.length === 0) continue;
    said.push(
      `${title}${title === "" ? "The" : "the"} kernel reported ` +
        `${formatSi(sum(own, "copiedBytes"), "B")} of ${formatSi(sum(own, "payloadBytes"), "B")} ` +
        `as copied, in the ${own.length} ${own.length === 1 ? "row" : "rows"} of which it says so.`,
    );
  }
  const placed = having("placedBytes", "payloadBytes")
    .filter((row) => Number(row["placedBytes"]) > 0);
  if (placed.length > 0) {
    said.push(
      `The NIC placed ${
        formatSi(sum(placed, "placedBytes"), "B")
      } into memory of the program, of ` +
        `${formatSi(sum(placed, "payloadBytes"), "B")} payload.`,
    );
  }
  const pages = rows.filter((row) => typeof row["samePages"] === "boolean");
  if (pages.length > 0) {
    const same = pages.filter((row) => row["samePages"] === true).length;
    said.push(
      `In ${same} of ${pages.length} rows the physical pages that were read are those that the NIC wrote.`,
    );
  }
  const verified = rows.filter((row) => typeof row["verified"] === "boolean");
  if (verified.length > 0) {
    const right = verified.filter((row) => row["verified"] === true).length;
    said.push(`In ${right} of ${verified.length} rows every byte was read back and was right.`);
  }
  return said;
}

/** What ran once beside the experiment is there to check a count against its opposite. */
function controlsOf({ trials }: RunDocument): string[] {
  return singleTrials(trials).flatMap(({ factors, measures }) => {
    const { copied, sent } = measures;
    if (typeof copied !== "number" || typeof sent !== "number") return [];
    return [
      `Control, beside the experiment, ${describeFactors(factors)}: the kernel reported ` +
      `${count(copied)} of ${count(sent)} as copied.`,
    ];
  });
}

// === Trials ===

function trialsSection(document: RunDocument): Html {
  const { trials, complete, table } = document;
  const warmUp = trials.filter((trial) => trial.warmUp).length;
  const control = trials.filter((trial) => trial.control).length;
  const counted = trials.length - warmUp - control;
  const seconds = trials.reduce((sum, trial) => sum + trial.seconds, 0);
  const measure = findMeasure(trials, table);
  const outliers = measure === undefined
    ? undefined
    : attempt(() => findOutliers(trials, { measure }));
  return markup`<section aria-labelledby="trials">
<h2 id="trials">Trials</h2>
<p>${
    `${count(trials.length)} trials, every one of them in the run file: ${count(counted)} that ` +
    `count, ${count(control)} second runs of the baseline, ${
      count(warmUp)
    } to warm up. They took ` +
    `${formatSi(seconds, "s")}.` + (complete ? "" : " The run was stopped before its last trial.")
  }</p>
${
    measure === undefined || outliers === undefined
      ? undefined
      : outliers.length === 0
      ? markup`<p>No trial stands out in ${describeMeasure(measure).label}.</p>`
      : outlierTable(outliers, trials, describeMeasure(measure).label)
  }
</section>`;
}

function outlierTable(
  outliers: readonly Outlier[],
  trials: readonly Trial[],
  label: string,
): Html {
  const sorted = outliers.toSorted((a, b) => Math.abs(b.deviations) - Math.abs(a.deviations));
  const shown = sorted.slice(0, MOST_OUTLIERS);
  const cells = (of: (outlier: Outlier) => string): string[] => shown.map(of);
  const more = outliers.length - shown.length;
  const said =
    `${outliers.length} ${outliers.length === 1 ? "trial stands" : "trials stand"} out in ` +
    `${label}. They are kept: every figure above counts them.`;
  return markup`<p>${said}</p>${
    scrollTable(
      {
        names: cells(({ trial }) => `round ${trial.round}, ${describeFactors(trial.factors)}`),
        groups: shown.map(() => ""),
      },
      [
        {
          title: "of what was expected",
          cells: cells(({ ratio }) => `${Number((ratio * 100).toPrecision(3))} %`),
          isWord: false,
        },
        {
          title: "what else was unusual",
          cells: cells(({ trial }) => explainOutlier(trial, trials) ?? "nothing that was read"),
          isWord: true,
        },
      ],
      more > 0
        ? `The ${shown.length} that stand out most; ${more} more are in the run file.`
        : "Outliers, those that stand out most first.",
    )
  }`;
}

// === Environment ===

/** What stands above the fold, by where it is in the record. */
const FACTS: readonly (readonly [title: string, path: string])[] = [
  ["Kernel", "kernel.release"],
  ["Processor", "machine.cpuModel"],
  ["Processors", "machine.cpus"],
  ["Governor", "machine.governor"],
  ["Virtual machine", "machine.virtualised"],
  ["Memory", "machine.memoryBytes"],
  ["Load before", "machine.loadAverage"],
  ["User id", "user.uid"],
  ["Deno", "versions.deno"],
  ["liburing", "versions.liburing"],
];

function environmentSection({ environment, code, parameters }: RunDocument): Html {
  const recorded = flattened(environment as unknown as Measures, "");
  const facts = FACTS.flatMap(([title, path]): [string, string][] => {
    const value = recorded.find(([name]) => name === path)?.[1];
    if (value === undefined || value === UNKNOWN) return [];
    const isSize = path.endsWith("Bytes") && Number(value) > 0;
    return [[title, isSize ? formatSi(Number(value), "B") : value]];
  });
  return markup`<section aria-labelledby="environment">
<h2 id="environment">Where it ran</h2>
${definitions([...facts, ["zclab", code.version ?? UNKNOWN], ["Commit", commitText(code)]])}
<details><summary>Everything that was recorded</summary>
${definitions(recorded)}
</details>
<details><summary>All parameters</summary>
${definitions(flattened(parameters, ""))}
</details>
</section>`;
}

function definitions(facts: readonly (readonly [string, string])[]): Html {
  return markup`<dl>${
    facts.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>\n`)
  }</dl>`;
}

function flattened(value: Measure, path: string): [string, string][] {
  const isNested = typeof value === "object" && value !== null &&
    !(Array.isArray(value) && value.every((item) => typeof item !== "object" || item === null));
  if (!isNested) {
    const text = value === null
      ? UNKNOWN
      : Array.isArray(value)
      ? value.join(", ") || "none"
      : typeof value === "boolean"
      ? (value ? "yes" : "no")
      : String(value);
    return [[path, text]];
  }
  return Object.entries(value).flatMap(([name, item]) =>
    flattened(item, path === "" ? name : `${path}.${name}`)
  );
}

function commitText({ commit, dirty }: RunDocument["code"]): string {
  if (commit === null) return "not recorded";
  return commit + (dirty === true ? ", with changes that were not committed" : "");
}

// === How to repeat it ===

function repeat(document: RunDocument, file: string): Html {
  const { code, invocation } = document;
  const name = `${document.lab.replaceAll(SAFE_NAME, "-").replace(/^[-.]+/, "") || "run"}.json`;
  const isCommit = code.commit !== null && /^[0-9a-f]{7,64}$/.test(code.commit);
  const bytes = new TextEncoder().encode(file);
  const { labFile } = code;
  const checkout = isCommit ? [`git checkout ${code.commit}`] : [];
  return markup`<section aria-labelledby="repeat">
<h2 id="repeat">How to repeat it</h2>
<ol>
<li>Save the run file, which holds every trial: <a download="${name}" href="data:application/json;base64,${bytes.toBase64()}">${name}</a> (${
    formatSi(bytes.length, "B")
  }).</li>
${
    labFile === undefined
      ? markup`<li>In a clone of zclab:<pre><code>${
        [...checkout, `deno task lab --replay ${name}`].join("\n")
      }</code></pre></li>`
      : ownFileSteps(labFile, checkout, name)
  }
</ol>
<p>A replay runs the same experiment with the same seed, shows first what differs around it, and
then says for each row whether it agrees.${
    isCommit
      ? code.dirty === true
        ? " The code had changes that were not committed, so that the commit alone is not all of it."
        : undefined
      : " Which commit ran was not recorded."
  }</p>
${
    invocation === null ? undefined : markup`
      <p>The same run without the file:</p>
      <pre><code>${
      commandOf(labFile === undefined ? shellWord(document.lab) : labFileWord(labFile), invocation)
    }</code></pre>
    `
  }
</section>`;
}

/** The lab is in no clone of zclab, which only runs it. */
function ownFileSteps(
  labFile: NonNullable<RunDocument["code"]["labFile"]>,
  checkout: readonly string[],
  name: string,
): Html {
  return markup`<li>The lab is in a file of its own, ${labFile.name}: put it beside the run file. The SHA-256
of its text was <code>${labFile.sha256}</code>.</li>
${
    checkout.length === 0
      ? undefined
      : markup`<li>Its run was with this version of zclab, in a clone of it:<pre><code>${
        checkout.join("\n")
      }</code></pre></li>\n`
  }<li>In the folder of the two files:<pre><code>${`deno task lab replay ${name} ${
    labFileWord(labFile)
  }`}</code></pre>Outside the clone: <code>deno task --config PATH/zclab/deno.json lab ...</code></li>`;
}

function commandOf(lab: string, invocation: NonNullable<RunDocument["invocation"]>): string {
  const { options, quick, seed, repeats } = invocation;
  const given = Object.entries(options).flatMap(([name, value]) => {
    if (value === null || value === false) return [];
    if (value === true) return [shellWord(`--${name}`)];
    return [
      shellWord(`--${name}`),
      shellWord(Array.isArray(value) ? value.join(",") : String(value)),
    ];
  });
  return [
    "deno task lab",
    lab,
    ...given,
    ...(quick ? ["--quick"] : []),
    `--seed ${seed}`,
    ...(repeats === null ? [] : [`--repeats ${repeats}`]),
  ].join(" ");
}

// === Words ===

function when({ startedAt, trials }: RunDocument): string | undefined {
  const started = startedAt ?? trials[0]?.startedAt;
  return started === undefined ? undefined : `${started.slice(0, 16).replace("T", " ")} UTC`;
}

function list(items: readonly string[], last: string): string {
  return items.length < 2
    ? items.join("")
    : `${items.slice(0, -1).join(", ")} ${last} ${items.at(-1)}`;
}

function count(value: number): string {
  return value.toLocaleString("en");
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** What cannot be had of a document that is valid but odd is left out. */
function attempt<T>(compute: () => T): T | undefined {
  try {
    return compute();
  } catch (error) {
    if (error instanceof PlotError || error instanceof RangeError || error instanceof TypeError) {
      return undefined;
    }
    throw error;
  }
}
