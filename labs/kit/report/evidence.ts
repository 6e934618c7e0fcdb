/**
 * The evidence of a report: what the kernel, the NIC and the pages say of copying.
 *
 * @module
 */
import { formatSi } from "../text/format.ts";
import { singleTrials } from "../plot/layout_of_trials.ts";
import type { RunDocument } from "../run/run_document.ts";
import { describeFactors, type Measures } from "../trials/trials.ts";
import { type Html, markup } from "./html.ts";
import { plain, scrollTable } from "./scroll_table.ts";
import type { SummaryRows } from "./summary_rows.ts";
import { count } from "./words.ts";

/** The section with the evidence. */
export function evidence(document: RunDocument, rows: SummaryRows): Html {
  const columns = rows.evidence.filter(({ cells }) => cells.some((cell) => cell !== ""));
  const sentences = [
    ...countsOf(document.summary),
    ...controlsOf(document),
    ...witnessOf(document),
  ];
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

/** What the microscope saw, where it was asked: lines of text. */
function witnessOf({ parameters: { microscope } }: RunDocument): string[] {
  return Array.isArray(microscope) ? microscope.map((line) => String(line).trim()) : [];
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
