import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type Element, elementsOf } from "../../../elements.ts";
import { environment } from "../../../../labs/kit/experiment/environment.ts";
import { reportHtml } from "../../../../labs/kit/report/report.ts";
import { readSummary } from "../../../../labs/kit/report/summary_rows.ts";
import {
  formatRunDocument,
  readRunDocument,
  RUN_SCHEMA,
  type RunDocument,
  RunDocumentError,
} from "../../../../labs/kit/run/run_document.ts";
import type { Factors, Measures, Trial } from "../../../../labs/kit/trials/trials.ts";
import { runView } from "../../../../labs/kit/plot/seen_calls.ts";
import {
  COPYING,
  latencyTrials,
  LENDING,
  noisy,
  sampleTrials,
  sendTrials,
} from "../plot/samples.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";

function run(lab: string, trials: readonly Trial[], summary: readonly Measures[]): RunDocument {
  return {
    schema: RUN_SCHEMA,
    lab,
    invocation: { options: { payload: [600, 4000] }, quick: true, seed: 7, repeats: null },
    parameters: { seed: 7, quick: true, payload: [600, 4000] },
    seed: 7,
    environment: environment({ interfaces: [{ name: "zc0", mtu: 1500 }] }),
    code: { version: "0.1.0", commit: COMMIT, dirty: true },
    startedAt: "2026-01-01T00:00:00.000Z",
    complete: true,
    trials,
    summary,
  };
}

function comparison(ratio: number): { ratio: number; low: number; high: number } {
  return { ratio, low: ratio * 0.95, high: ratio * 1.05 };
}

function sendRun(): RunDocument {
  const once = sendTrials()[1]!;
  const check = {
    ...once,
    warmUp: false,
    factors: { ...once.factors, sink: "loopback" },
    measures: { ...once.measures, copied: 1000, sent: 1000 },
  };
  const summary = [600, 1500, 4000].flatMap((payload) => [
    {
      payload,
      mode: "copy",
      requestsPerSecond: 2e5,
      requestsPerSecondInterval: { low: 1.9e5, high: 2.1e5 },
      versusCopy: comparison(1),
      copied: null,
      sent: 4000,
      cpuMicrosecondsPerRequest: 2.5,
      difference: "baseline",
      verdict: "the baseline",
    },
    {
      payload,
      mode: "zc",
      requestsPerSecond: 3e5,
      requestsPerSecondInterval: { low: 2.9e5, high: 3.1e5 },
      versusCopy: comparison(payload === 4000 ? 1.6 : payload === 600 ? 0.7 : 1),
      copied: 0,
      sent: 4000,
      cpuMicrosecondsPerRequest: 2.5,
      difference: payload === 4000 ? "higher" : payload === 600 ? "lower" : "none",
      verdict: payload === 4000
        ? "zc is 60 % faster, 95 % interval 55 to 65 %"
        : payload === 600
        ? "zc is 30 % slower, 95 % interval 25 to 35 %"
        : "no difference seen; this run could have seen 4 %",
    },
  ]);
  return run("tx-copy-vs-zc", [...sendTrials(), check], summary);
}

function latencyRun(): RunDocument {
  const summary = ["loopback", "pair"].flatMap((link) =>
    ["none", "busy"].map((polling) => ({
      link,
      polling,
      p50Microseconds: 60,
      p999Microseconds: null,
      polledShare: polling === "none" ? 0 : 0.96,
      napiId: 1134,
      whyNoNapi: null,
      versusNone: {
        ...comparison(0.5),
        difference: polling === "none" ? "baseline" : "lower",
        verdict: polling === "none" ? "the baseline" : "the median round trip is 50 % shorter",
      },
    }))
  );
  return run("busy-poll", latencyTrials(), summary);
}

/** A lab that receives: rates by way of receiving, and who copied. */
function receiveRun<F extends Factors>(
  lab: string,
  factors: readonly F[],
  isBaseline: (factors: F) => boolean,
  row: (factors: F) => Measures,
): RunDocument {
  const trials = sampleTrials({
    factors,
    control: isBaseline,
    measure: (own, round) => ({
      bytes: 1 << 20,
      bytesPerSecond: noisy(isBaseline(own) ? 1e9 : 1.4e9, round + (isBaseline(own) ? 0 : 0.4)),
      copiedBytes: null,
    }),
  });
  const summary = factors.map((own) => ({
    ...row(own),
    bytesPerSecond: 1.2e9,
    bytesPerSecondInterval: { low: 1.1e9, high: 1.3e9 },
    versusRecv: comparison(1.4),
    difference: isBaseline(own) ? "baseline" : "higher",
    verdict: isBaseline(own) ? "the baseline" : "it is 40 % faster, 95 % interval 33 to 47 %",
  }));
  return run(lab, trials, summary);
}

function everyLab(): RunDocument[] {
  const zcrx = [1500, 4148].flatMap((mtu) => [
    { engine: "recv", device: "softnic", mtu, buffer: null, cores: "other" },
    { engine: "zcrx", device: "none", mtu, buffer: 4096, cores: "other" },
    { engine: "zcrx", device: "softnic", mtu, buffer: 4096, cores: "other" },
  ]);
  const devmem = [1500, 9000].flatMap((mtu) =>
    ["copy", "devmem"].flatMap((send) =>
      ["copy", "devmem"].map((receive) => ({ mtu, send, receive }))
    )
  );
  const disk = ["recv+write", "recv+direct", "zcrx+direct"].map((path) => ({
    path,
    device: "softnic",
  }));
  return [
    sendRun(),
    latencyRun(),
    receiveRun("rx-zcrx", zcrx, ({ engine }) => engine === "recv", (own) => ({
      ...own,
      payloadBytes: 5e6,
      copiedBytes: own.engine === "recv" ? null : own.device === "none" ? 5e6 : 0,
      placedBytes: own.engine === "zcrx" && own.device === "softnic" ? 5e6 : 0,
      samePages: own.engine === "zcrx" && own.device === "softnic" ? true : null,
      zeroCopy: own.engine === "zcrx" && own.device === "softnic" ? "not copied" : "copied",
    })),
    receiveRun(
      "rx-devmem",
      devmem,
      ({ send, receive }) => send === "copy" && receive === "copy",
      ({ mtu, send, receive }) => ({
        mtu,
        engine: receive === "copy" ? "recv" : "devmem",
        transmit: send === "copy" ? "send" : "devmem",
        device: "softnic",
        payloadBytes: 5e6,
        copiedBytes: receive === "copy" ? 5e6 : 0,
        samePages: receive === "copy" ? null : true,
        copied: receive === "copy",
      }),
    ),
    receiveRun("rx-to-disk", disk, ({ path }) => path === "recv+write", (own) => ({
      ...own,
      payloadBytes: 5e6,
      copiedBytes: own.path === "zcrx+direct" ? 0 : null,
      verified: true,
      untouched: own.path === "zcrx+direct",
    })),
  ];
}

/** The texts of the elements of a name. */
function texts(page: Element, name: string): string[] {
  return page.all(name).map(({ text }) => text);
}

Deno.test("the report of each lab is one whole page that asks nobody for anything", () => {
  for (const document of everyLab()) {
    const page = reportHtml(document);
    assert(page.startsWith("<!DOCTYPE html>\n"), document.lab);
    const found = elementsOf(page);
    assertEquals(found.attributes["lang"], "en");
    assertStringIncludes(found.all("title")[0]!.text, document.lab);
    assertEquals(found.all("h1").length, 1);
    const ids = found.having("id").map(({ attributes }) => attributes["id"]);
    assertEquals(new Set(ids).size, ids.length);
    assertEquals(found.all("script", "link", "iframe", "object", "embed"), []);
    const references = ["src", "href"].flatMap((name) =>
      found.having(name).map(({ attributes }) => attributes[name]!)
    );
    assert(references.every((one) => one.startsWith("data:")), document.lab);
    assertEquals(page.match(/url\(|@import/), null);
    assert(found.having("http-equiv")[0]!.attributes["content"]!.includes("'none'"));
    assert(!/NaN|undefined|\[object/.test(page.replaceAll(/base64,[^"]+/g, "")), document.lab);
  }
});

Deno.test("what the microscope saw has a section of its own, in two widths and as lists", () => {
  const work = { count: 2, unit: "request" };
  const seen = [COPYING, LENDING].map((view) =>
    runView(view, { label: `${view.label} <b>`, factors: { mode: view.label }, work })
  );
  const sectionOf = (views: RunDocument["views"]): Element | undefined => {
    const page = reportHtml(readRunDocument(formatRunDocument({ ...sendRun(), views: views! })));
    return elementsOf(page).all("section")
      .find(({ attributes }) => attributes["aria-labelledby"] === "instructions");
  };
  const section = sectionOf(seen)!;
  assertEquals(texts(section, "h2"), ["Where the instructions go"]);
  for (const name of ["wide", "narrow"]) {
    const drawn = section.having("class", name).flatMap((one) => one.all("svg"));
    assertEquals(drawn.map((svg) => svg.all("title")[0]!.text), [
      "What changes from copying <b> to lending <b>",
      "Where the instructions go: lending <b>",
      "Where the instructions go: copying <b>",
    ]);
  }
  const lists = texts(section, "pre");
  assertStringIncludes(lists[0]!, "−185  memcpy");
  assertStringIncludes(lists[2]!, "190  31.7 %  memcpy < _copy_from_iter");
  assertEquals(lists.length, 3);
  assertEquals(texts(sectionOf(seen.slice(1))!, "pre").length, 1);
  assertEquals(sectionOf([]), undefined);
  // A document may come from anywhere.
  const wrong = sectionOf([{ ...seen[0]!, calls: [] }])!;
  assertStringIncludes(
    texts(wrong, "p").join(" "),
    "Nothing to draw: plot, kind flame: copying <b>",
  );
});

Deno.test("the report has plots for desktops and for phones, each with its text", () => {
  const kinds = everyLab().map((document) => {
    const found = elementsOf(reportHtml(document));
    for (const { attributes } of found.all("svg")) {
      assertEquals(attributes["role"], "img");
      assert(attributes["aria-label"]!.length > 20);
    }
    const [wide, narrow] = ["wide", "narrow"].map((name) =>
      found.having("class", name).flatMap((one) => one.all("svg")).length
    );
    assertEquals(wide, narrow);
    return wide;
  });
  // Sending, rx-zcrx and rx-devmem have sizes, and so a crossover; busy-poll has distributions.
  assertEquals(kinds, [3, 3, 3, 3, 2]);
});

Deno.test("verdict first, then the table, the plots, the evidence, the trials, where it ran, how to repeat it", () => {
  const found = elementsOf(reportHtml(sendRun()));
  assertEquals(texts(found, "h2"), [
    "What was asked",
    "Verdict",
    "Results",
    "Plots",
    "Copied or not copied: the evidence",
    "Trials",
    "Where it ran",
    "How to repeat it",
  ]);
  const asked = found.all("header")[0]!.text;
  assertStringIncludes(asked, "How does zc compare with copy in datagrams per second");
  const said = found.having("class", "verdict")[0]!.text;
  assertStringIncludes(said, "2 differences seen in 3 comparisons (1 higher, 1 lower).");
  assertStringIncludes(said, "4000 bytes, zc: zc is 60 % faster");
  assertStringIncludes(said, "zc is faster than copy from 4000 bytes on, not seen at 1500.");
  const table = found.all("table")[0]!.text;
  for (const cell of ["600 bytes, zc", "300 k/s", "(290 k/s to 310 k/s)", "▲ +60 %", "2.50 µs"]) {
    assertStringIncludes(table, cell);
  }
});

Deno.test("the evidence adds up what the kernel, the NIC and the pages say, and names the control", () => {
  const evidence = (document: RunDocument): string =>
    reportHtml(document).split('id="evidence"')[1]!.split("</section>")[0]!;
  const [send, poll, zcrx, , disk] = everyLab();
  assertStringIncludes(evidence(send!), "The kernel reported 0 of 12,000 zero-copy requests");
  assertStringIncludes(
    evidence(send!),
    "sink loopback, payload 600, mode zc: the kernel reported 1,000",
  );
  assertStringIncludes(evidence(poll!), "96 %");
  assert(!evidence(poll!).includes("Copied or not copied"));
  assertStringIncludes(evidence(zcrx!), "The kernel reported 0 B of 10.0 MB as copied");
  const microscope = ["DISAGREEMENT: zcrx: it was copied.", "  zcrx: nobody."];
  const witnessed = { ...zcrx!, parameters: { ...zcrx!.parameters, microscope } };
  assertStringIncludes(evidence(witnessed), "<p>DISAGREEMENT: zcrx: it was copied.</p>");
  assertStringIncludes(evidence(witnessed), "<p>zcrx: nobody.</p>");
  assert(!evidence(zcrx!).includes("DISAGREEMENT"));
  assertStringIncludes(
    evidence(zcrx!),
    "Without a device, where it must copy, the kernel reported 10.0 MB",
  );
  assertStringIncludes(evidence(zcrx!), "The NIC placed 10.0 MB");
  assertStringIncludes(evidence(zcrx!), "In 2 of 2 rows the physical pages");
  assertStringIncludes(evidence(disk!), "In 3 of 3 rows every byte was read back");
  const none = run("example", sendTrials(), [{ mode: "zc", requestsPerSecond: 1 }]);
  assertStringIncludes(evidence(none), "This run holds no evidence about copying.");
});

Deno.test("the page holds the run file itself, and says how to repeat it", () => {
  const document = sendRun();
  const found = elementsOf(reportHtml(document));
  const link = found.having("download")[0]!.attributes;
  assertEquals(link["download"], "tx-copy-vs-zc.json");
  const base64 = link["href"]!.replace("data:application/json;base64,", "");
  const text = new TextDecoder().decode(Uint8Array.fromBase64(base64));
  assertEquals(text, formatRunDocument(document));
  assertEquals(texts(found, "pre"), [
    `git checkout ${COMMIT}\ndeno task lab --replay tx-copy-vs-zc.json`,
    "deno task lab tx-copy-vs-zc --payload 600,4000 --quick --seed 7",
  ]);
});

Deno.test("the page of a lab in a file of its own says so, and names the file where it is repeated", () => {
  const document = sendRun();
  const sha256 = "ab".repeat(32);
  const code = { ...document.code, labFile: { name: "held-window.ts", sha256 } };
  const page = reportHtml({ ...document, lab: "held-window", code });
  const own = elementsOf(page);
  assertEquals(texts(own, "pre"), [
    `git checkout ${COMMIT}`,
    "deno task lab replay held-window.json ./held-window.ts",
    "deno task lab ./held-window.ts --payload 600,4000 --quick --seed 7",
  ]);
  assertStringIncludes(page, "in a file of its own, held-window.ts");
  assertStringIncludes(page, sha256);
});

Deno.test("outliers are told and kept", () => {
  const document = sendRun();
  const trials = document.trials.map((trial) =>
    trial.round === 2 && trial.order === 3
      ? { ...trial, measures: { ...trial.measures, datagramsPerSecond: 4e4 } }
      : trial
  );
  const page = reportHtml({ ...document, trials });
  assertStringIncludes(page, "1 trial stands out in datagrams per second. They are kept");
  assertStringIncludes(page, "round 2, sink ifb, payload 1500, mode zc");
  assertStringIncludes(reportHtml(document), "No trial stands out in datagrams per second");
});

Deno.test("nothing of a document becomes markup or a second command", () => {
  const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>'; rm -rf / #`;
  const trials = sampleTrials({
    factors: [{ [evil]: evil, payload: 1 }, { [evil]: "b", payload: 1 }],
    control: (own) => own[evil] === "b",
    measure: (_, round) => ({ bytesPerSecond: noisy(1e9, round), [evil]: evil }),
  });
  const document: RunDocument = {
    ...run(`--${evil}`, trials, [
      { [evil]: evil, bytesPerSecond: 1, verdict: evil, difference: "higher", x: comparison(2) },
    ]),
    parameters: { [evil]: evil },
    invocation: { options: { [evil]: evil, list: [evil] }, quick: false, seed: 1, repeats: 3 },
    environment: {
      ...environment({ [evil]: evil }),
      kernel: { release: evil, version: { [evil]: evil }, clocksource: null } as never,
      machine: { cpuModel: [evil], loadAverage: evil, memoryBytes: evil } as never,
    },
    code: { version: evil, commit: `$(${evil})`, dirty: null },
  };
  const page = reportHtml(document);
  const found = elementsOf(page);
  assertEquals(found.all("script", "img"), []);
  assert(!/<script|<img/i.test(page));
  assert(!page.includes("git checkout"), "a commit that is none is no command");
  const name = found.having("download")[0]!.attributes["download"]!;
  assert(/^[\w.]/.test(name) && /^[\w.-]+$/.test(name), name);
  const command = texts(found, "pre").at(-1)!;
  assertStringIncludes(command, String.raw`'\''; rm -rf / #'`);
});

Deno.test("a run without trials, one that was stopped, and one of an older schema have a page too", () => {
  const empty = reportHtml({ ...run("example", [], []), complete: false });
  elementsOf(empty);
  assertStringIncludes(empty, "This run came to no result.");
  assertStringIncludes(empty, "Nothing to plot: plot: there are no trials");
  assertStringIncludes(empty, "stopped before its last trial");
  const { invocation: _, seed: __, code: ___, startedAt: ____, ...rest } = sendRun();
  const old = readRunDocument(JSON.stringify({ ...rest, schema: "zclab/run/1" }));
  const page = reportHtml(old);
  elementsOf(page);
  assertStringIncludes(page, "Which commit ran was not recorded.");
  assertStringIncludes(page, "2 differences seen in 3 comparisons");
  assertThrows(() => reportHtml({ lab: "x" } as never), RunDocumentError);
});

Deno.test("readSummary tells what a row is about from what was measured and what proves something", () => {
  const { names, measures, evidence, comparisons } = readSummary({
    summary: sendRun().summary,
    trials: sendTrials(),
  });
  assertEquals(names[3], "1500 bytes, zc");
  assertEquals(measures.map(({ title }) => title), ["requests per second", "CPU time per request"]);
  assertEquals(evidence.map(({ title }) => title), ["copied", "sent"]);
  assertEquals(comparisons[1]!.map(({ name, difference }) => [name, difference]), [
    ["versusCopy", "lower"],
  ]);
});

Deno.test("a comparison that is called as its column names what it is against", () => {
  const row = (mode: string, ratio: number) => ({
    payload: 600,
    mode,
    datagramsPerSecond: 4e5 * ratio,
    comparisons: {
      datagramsPerSecond: {
        ...comparison(ratio),
        difference: mode === "zc" ? "lower" : "baseline",
      },
    },
  });
  const document: RunDocument = {
    ...run("declared", sendTrials(), [row("copy", 1), row("zc", 0.7)]),
    table: {
      title: "A lab",
      factors: [{ name: "payload", title: "bytes" }, { name: "mode", title: "mode" }],
      baseline: { mode: "copy" },
      within: ["payload"],
      columns: [{
        name: "datagramsPerSecond",
        measure: "datagramsPerSecond",
        title: "datagrams/s",
        unit: "/s",
        better: "higher",
        evidence: false,
        verdict: true,
        ratio: false,
      }],
    },
  };
  const [table] = elementsOf(reportHtml(document)).all("table");
  assertEquals(texts(table!.all("thead")[0]!, "th"), [
    "row",
    "datagrams/s, against copy",
    "datagrams/s",
  ]);
  assertStringIncludes(table!.text, "▼ −30 %");
});
