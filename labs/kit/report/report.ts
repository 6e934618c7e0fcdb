/**
 * A run as one page: what was asked, the answer, what it rests on, and how to repeat it.
 *
 * @module
 */
import { asCounted } from "../trials/counted_measures.ts";
import { formatRunDocument, type RunDocument } from "../run/run_document.ts";
import { environmentSection } from "./environment.ts";
import { evidence } from "./evidence.ts";
import { figures, plotsOf } from "./figures.ts";
import { Html, markup } from "./html.ts";
import { header } from "./question.ts";
import { repeat } from "./repeat.ts";
import { results } from "./results.ts";
import { REPORT_STYLE } from "./style.ts";
import { readSummary } from "./summary_rows.ts";
import { trialsSection } from "./trials.ts";
import { verdicts } from "./verdict.ts";
import { viewsSection } from "./views.ts";
import { when } from "./words.ts";

/**
 * A run document as one HTML page that needs nothing else: no script, no request, light and dark
 * by the reader's setting, readable on a phone and on paper. The run file itself is in the page.
 *
 * What the page says is read off the shape of the document, so that it serves every lab. A
 * document may come from anywhere: everything of it is escaped, and the page forbids scripts.
 *
 * @param run The run.
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
export function reportHtml(run: RunDocument): string {
  const file = formatRunDocument(run);
  const document = { ...run, trials: run.trials.map(asCounted) };
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
${viewsSection(document)}
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
