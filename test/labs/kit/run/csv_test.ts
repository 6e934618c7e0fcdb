import { assertEquals } from "@std/assert";
import { codeVersion } from "../../../../labs/kit/experiment/code_version.ts";
import { toCsv } from "../../../../labs/kit/run/csv.ts";
import { environment } from "../../../../labs/kit/experiment/environment.ts";
import { RUN_SCHEMA, type RunDocument } from "../../../../labs/kit/run/run_document.ts";
import type { Trial } from "../../../../labs/kit/trials/trials.ts";

function documentOf(trials: readonly object[]): RunDocument {
  const base = { round: 0, order: 0, warmUp: false, control: false, factors: {}, measures: {} };
  return {
    schema: RUN_SCHEMA,
    lab: "example",
    invocation: null,
    parameters: {},
    seed: null,
    environment: environment(),
    code: codeVersion(),
    startedAt: null,
    complete: true,
    trials: trials.map((trial) => ({ ...base, startedAt: "T", seconds: 1, ...trial }) as Trial),
    summary: [],
  };
}

/** The rows and cells of a CSV text, by the letter of RFC 4180. */
function parse(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (let at = 0; at < text.length;) {
    let cell = "";
    if (text[at] === '"') {
      for (at++; text[at] !== '"' || text[at + 1] === '"'; at++) {
        cell += text[at];
        if (text[at] === '"') at++;
      }
      at++;
    } else {
      for (; at < text.length && !',"\r\n'.includes(text[at]!); at++) cell += text[at];
    }
    row.push(cell);
    if (text[at] === ",") at++;
    else {
      assertEquals(text.slice(at, at + 2), "\r\n");
      at += 2;
      rows.push(row);
      row = [];
    }
  }
  return rows;
}

const FIXED = ["round", "order", "warmUp", "control", "startedAt", "seconds"];

Deno.test("toCsv() gives a line for each trial, with every factor, measure and covariate", () => {
  const rows = parse(toCsv(documentOf([
    {
      warmUp: true,
      factors: { mode: "zc", payload: 600 },
      measures: { rate: 1.5, latency: { p50: 1, tail: { p99: null } }, list: [1, "a"], ok: true },
      covariates: { stealSeconds: 0, megahertz: null },
    },
    { round: 1, control: true, factors: { mode: "copy" }, measures: { rate: 2, further: 1e-7 } },
  ])));
  assertEquals(rows, [
    [
      ...FIXED,
      ...["mode", "payload", "rate", "latency.p50", "latency.tail.p99", "list", "ok", "further"],
      ...["covariates.stealSeconds", "covariates.megahertz"],
    ],
    [
      "0",
      "0",
      "true",
      "false",
      "T",
      "1",
      "zc",
      "600",
      "1.5",
      "1",
      "",
      '[1,"a"]',
      "true",
      "",
      "0",
      "",
    ],
    ["1", "0", "false", "true", "T", "1", "copy", "", "2", "", "", "", "", "1e-7", "", ""],
  ]);
});

Deno.test("toCsv() quotes what would break a line or a cell", () => {
  const nasty = ["a,b", 'say "no"', "two\nlines", "\r\n", "one\rreturn", "", " spaces ", '"', "ü€"];
  const [, ...rows] = parse(toCsv(documentOf(nasty.map((text) => ({ measures: { text } })))));
  assertEquals(rows.map((row) => row.at(-1)), nasty.map((text) => text.replace("\rr", "\r\nr")));
});

Deno.test("toCsv() keeps columns of the same name apart", () => {
  const [names, values] = parse(toCsv(documentOf([
    { factors: { bytes: 1, seconds: 2 }, measures: { bytes: 3, seconds: 4 } },
  ])));
  const expected = ["bytes", "factors.seconds", "measures.bytes", "measures.seconds"];
  assertEquals(names, [...FIXED, ...expected]);
  assertEquals(values?.slice(-4), ["1", "2", "3", "4"]);
});

Deno.test("toCsv() of a run without trials has only names", () => {
  assertEquals(toCsv(documentOf([])), `${FIXED.join(",")}\r\n`);
});

Deno.test("toCsv() of a run that was stopped says so in each line", () => {
  const rows = parse(toCsv({ ...documentOf([{}, { covariates: { load: 1 } }]), complete: false }));
  assertEquals(rows.map((row) => row.at(-1)), ["run.complete", "false", "false"]);
  assertEquals(parse(toCsv({ ...documentOf([]), complete: false })), [[...FIXED, "run.complete"]]);
});
