import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { stripVTControlCharacters } from "node:util";
import type { CrossoverFigure } from "../../../../labs/kit/plot/crossover.ts";
import type { ThroughputFigure } from "../../../../labs/kit/plot/throughput.ts";
import {
  type HasTrials,
  type Plot,
  plot,
  PlotError,
  plots,
} from "../../../../labs/kit/plot/mod.ts";
import { displayWidth } from "../../../../labs/kit/terminal/table.ts";
import { elementsOf } from "../../../elements.ts";
import { describeFactors, type Trial } from "../../../../labs/kit/experiment/trials.ts";
import { latencyTrials, noisy, sampleTrials, sendTrials } from "./samples.ts";

function texts(svg: string): string[] {
  return elementsOf(svg).all("text").map(({ text }) => text);
}

function result(trials: readonly Trial[]): HasTrials {
  return { trials };
}

const lifelines = [
  { label: "first", submitted: 5, sent: 5.000004, released: 5.00004, copied: false },
  { label: "second", submitted: 5.000001, sent: 5.000006, released: 5.00005, copied: true },
  { label: "third", submitted: 5.000002, sent: null, released: null, copied: null },
];

/** One plot of each kind, and what must stand in it. */
function everyKind(): { picture: Plot; labels: string[] }[] {
  const send = result(sendTrials());
  return [
    {
      picture: plot(send),
      labels: ["Datagrams per second by payload", "payload (bytes)", "600", "4000", "copy", "zc"],
    },
    {
      picture: plot(result(latencyTrials())),
      labels: ["Latency by percentile", "p50", "p99", "40 µs", "none", "busy", "pair", "loopback"],
    },
    {
      picture: plot(send, { kind: "series" }),
      labels: ["Datagrams per second, trial by trial", "warm-up", "copy", "zc", "0 s"],
    },
    {
      picture: plot(lifelines, { kind: "lifelines" }),
      labels: ["first", "third", "40.0 µs", "49.0 µs, copied", "not let go", "20 µs"],
    },
    {
      picture: plot(send, { kind: "crossover" }),
      labels: ["Datagrams per second against copy, by payload", "0 %", "+40 %", "copy", "zc"],
    },
    {
      picture: plot(send, { x: null, where: { payload: 600 } }),
      labels: ["Datagrams per second", "copy", "zc", "0", "200 k", "404 k/s"],
    },
  ];
}

Deno.test("every kind draws an SVG document of its own, with its labels and units", () => {
  for (const { picture, labels } of everyKind()) {
    for (const theme of ["light", "dark", "page"] as const) {
      const svg = picture.svg({ theme });
      assert(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg" width="720"'), picture.kind);
      const root = elementsOf(svg);
      assertEquals(root.name, "svg");
      assertEquals(root.attributes["aria-label"], picture.alt);
      const found = texts(svg);
      for (const label of labels) {
        assert(found.includes(label), `${picture.kind}: ${label} is not in ${found.join(" | ")}`);
      }
      assert(!/NaN|undefined|Infinity|<style/.test(svg), picture.kind);
    }
  }
});

Deno.test("a drawing stays inside its width, from phones to desktops", () => {
  for (const { picture } of everyKind()) {
    for (const width of [280, 350, 720, 1200]) {
      const root = elementsOf(picture.svg({ width }));
      assertEquals(root.attributes["viewBox"]!.split(" ")[2], String(width));
      for (const { attributes } of root.all("line", "rect", "circle")) {
        for (const name of ["x", "x1", "x2", "cx"]) {
          const place = Number(attributes[name] ?? 0);
          assert(place >= 0 && place <= width, `${picture.kind}, ${width}: ${name} is ${place}`);
        }
      }
    }
    assertThrows(() => picture.svg({ width: 100 }), RangeError, "at least 280");
  }
});

Deno.test("both themes have a background of their own, and series differ by more than colour", () => {
  const picture = plot(result(sendTrials()));
  const backgrounds = (["light", "dark"] as const).map((theme) =>
    elementsOf(picture.svg({ theme })).all("rect")[0]!.attributes["fill"]
  );
  assertEquals(new Set(backgrounds).size, 2);
  const series = elementsOf(picture.svg()).having("class", "series");
  assertEquals(series.length, 2);
  const lines = series.map((one) => one.all("path")[0]!.attributes);
  assertEquals(new Set(lines.map((line) => line["stroke-dasharray"])).size, 2);
  assertEquals(new Set(lines.map((line) => line["stroke"])).size, 2);
});

Deno.test("throughput: the control is the baseline, the size the axis, warm-up and control uncounted", () => {
  const { figure } = plot(result(sendTrials()));
  assertEquals(figure.kind, "throughput");
  const { baseline, labels, panels, x, y } = figure as ThroughputFigure;
  assertEquals({ baseline, labels }, { baseline: "copy", labels: ["copy", "zc"] });
  assertEquals(x, { label: "payload", unit: "bytes" });
  assertEquals(y.label, "datagrams per second");
  assertEquals(panels.length, 1);
  for (const { points } of panels[0]!.series) {
    assertEquals(points.map((point) => point.x), [600, 1500, 4000]);
    assert(points.every(({ low, value, high }) => low <= value && value <= high && low < high));
  }
  const drawn = elementsOf(plot(result(sendTrials())).svg()).having("class", "series");
  // A circle for each value of copying, a square for each of zero copy.
  assertEquals(drawn.map((one) => one.all("circle", "rect").map(({ name }) => name)), [
    ["circle", "circle", "circle"],
    ["rect", "rect", "rect"],
  ]);
});

Deno.test("crossover: the figure says from which size on, and the drawing and the text say it too", () => {
  const picture = plot(result(sendTrials()), { kind: "crossover" });
  const { panels, better } = picture.figure as CrossoverFigure;
  assertEquals(better, "faster");
  assertEquals(panels[0]!.crossings, [{ label: "zc", from: 4000, above: 1500 }]);
  assertEquals(panels[0]!.floor.length, 3);
  assertStringIncludes(texts(picture.svg()).join("\n"), "zc: from 4000 bytes on, not seen at 1500");
  assertStringIncludes(
    picture.text({ colours: false }),
    "zc: from 4000 bytes on, not seen at 1500",
  );
});

Deno.test("crossover: of times less is better, unless told otherwise", () => {
  const trials = sampleTrials({
    factors: [64, 4096].flatMap((bytes) => ["a", "b"].map((way) => ({ bytes, way }))),
    control: ({ way }) => way === "a",
    measure: ({ way }, round) => ({
      p50Seconds: noisy(way === "a" ? 2e-5 : 1e-5, round + (way === "b" ? 0.4 : 0)),
    }),
  });
  const crossings = (better?: "higher" | "lower"): unknown => {
    const options = { kind: "crossover", ...(better === undefined ? {} : { better }) } as const;
    return (plot(result(trials), options).figure as CrossoverFigure).panels[0]!.crossings;
  };
  assertEquals(crossings(), [{ label: "b", from: 64 }]);
  assertEquals(crossings("higher"), [{ label: "b" }]);
});

Deno.test("latency: distributions of all rounds together, in panels by what the control leaves free", () => {
  const picture = plot(result(latencyTrials()));
  assert(picture.figure.kind === "latency");
  assertEquals(picture.figure.panels.map(({ title }) => title), ["loopback", "pair"]);
  assertStringIncludes(picture.figure.subtitle, "16,000 values of 4 rounds");
  const [none] = picture.figure.panels[0]!.series;
  const at = (percentile: number): number =>
    none!.points.find((point) => Math.abs(point.percentile - percentile) < 1e-9)!.value;
  assert(Math.abs(at(50) - 70e-6) < 0.2e-6, `${at(50)}`);
  assert(Math.abs(at(90) - 78e-6) < 0.2e-6, `${at(90)}`);
  // 4000 values: beyond the last percentile there are at least five.
  assert(none!.points.at(-1)!.percentile <= 100 * (1 - 5 / 4000));
});

Deno.test("latency: values themselves, percentiles, and measures named as percentiles", () => {
  const values = Array.from({ length: 200 }, (_, index) => (index + 1) * 1e-6);
  const own = plot([{ label: "a", values }], { kind: "latency" });
  assertStringIncludes(own.text({ colours: false, width: 80 }), "a ");
  assert(own.figure.kind === "latency");
  const { points } = own.figure.panels[0]!.series[0]!;
  assertAlmostEquals(points.find(({ percentile }) => percentile === 50)!.value, 100e-6);
  const trials = sampleTrials({
    factors: [{ way: "a" }, { way: "b" }],
    measure: () => ({ p50Seconds: 1e-5, p99Seconds: 3e-5, p999Seconds: 9e-5 }),
  });
  const { figure } = plot(result(trials), { kind: "latency" });
  assert(figure.kind === "latency");
  assertEquals(figure.panels[0]!.series[0]!.points, [
    { percentile: 50, value: 1e-5 },
    { percentile: 99, value: 3e-5 },
    { percentile: 99.9, value: 9e-5 },
  ]);
});

Deno.test("series: every trial is there, with its mark; outliers are marked and kept", () => {
  const trials = sampleTrials({
    factors: [{ mode: "copy" }, { mode: "zc" }, { mode: "other" }],
    control: ({ mode }) => mode === "copy",
    rounds: 8,
    measure: ({ mode }, round) => ({
      rate: mode === "zc" && round === 5 ? 10 : noisy(100, round + mode.length),
    }),
  });
  const { figure } = plot(result(trials), { kind: "series", measure: "rate" });
  assert(figure.kind === "series");
  const points = figure.panels.flatMap((panel) => panel.points);
  assertEquals(points.length, trials.length);
  const count = (mark: string): number => points.filter((point) => point.mark === mark).length;
  assertEquals([count("warm-up"), count("control"), count("counted")], [3, 8, 24]);
  assertEquals(points.filter(({ outlier }) => outlier).map(({ value }) => value), [10]);
  const none = plot(result(trials), { kind: "series", measure: "rate", outliers: [] }).figure;
  assert(none.kind === "series");
  assert(none.panels.every((panel) => panel.points.every(({ outlier }) => !outlier)));
  const own = plot(result(trials), {
    kind: "series",
    measure: "rate",
    outliers: [{ round: 2, order: 1 }, { trial: trials.at(-1)! }],
  });
  assertEquals(own.text({ colours: false }).match(/◉/g)!.length, 3, "two points and the key");
});

Deno.test("series: a covariate can be plotted as well", () => {
  const trials = sendTrials().map((trial, index) => ({
    ...trial,
    covariates: { stealShare: index / 100 } as never,
  }));
  const { figure } = plot(result(trials), {
    kind: "series",
    measure: "stealShare",
    where: { mode: "zc", payload: 600 },
  });
  assert(figure.kind === "series");
  assertEquals(figure.panels[0]!.points.length, 5);
});

Deno.test("what ran once beside a repeated experiment is left out, and said to be", () => {
  const trials = sendTrials();
  const once = { ...trials[0]!, warmUp: false, factors: { ...trials[0]!.factors, sink: "veth" } };
  const { figure } = plot(result([...trials, once]));
  assertEquals(figure.notes, [
    `Left out, because measured only once: ${describeFactors(once.factors)}`,
  ]);
  assertEquals((figure as ThroughputFigure).labels, ["copy", "zc"]);
});

Deno.test("plot takes a lab's outcome and a run document, in the order of its rows", () => {
  const summary = ["zc", "copy"].map((mode) => ({ mode }));
  const document = { schema: "zclab/run/2", trials: sendTrials(), summary } as never;
  const kinds = (list: readonly Plot[]): string[] => list.map(({ kind }) => kind);
  assertEquals(kinds(plots(document)), ["throughput", "crossover", "series"]);
  assertEquals(kinds(plots({ document, text: "" })), ["throughput", "crossover", "series"]);
  assertEquals(kinds(plots(result(latencyTrials()))), ["latency", "throughput", "series"]);
  const { figure } = plot(document, { baseline: { mode: "zc" } });
  assertEquals((figure as ThroughputFigure).baseline, "zc");
});

Deno.test("an interval that the axis cuts off is said to be, in the drawing and in the text", () => {
  const points = [{ x: 1, value: 1, low: 0.001, high: 1.1 }, { x: 2, value: 1.2 }];
  const picture = plot([{ label: "a", points }], { kind: "crossover" });
  assert(texts(picture.svg()).includes("Some intervals reach beyond the axis"));
  assertStringIncludes(picture.text({ colours: false }), "Some intervals reach beyond the axis.");
  const whole = plot([{ label: "a", points: points.slice(1) }], { kind: "crossover" });
  assert(!whole.svg().includes("beyond the axis") && !whole.text().includes("beyond the axis"));
});

Deno.test("the factors can be placed by hand", () => {
  const { figure } = plot(result(sendTrials()), { x: null, series: "mode", panels: "payload" });
  assert(figure.kind === "throughput");
  assertEquals(figure.x, undefined);
  assertEquals(figure.panels.map(({ title }) => title), ["600 bytes", "1500 bytes", "4000 bytes"]);
  const swapped = plot(result(sendTrials()), { series: "payload", x: null, panels: ["mode"] });
  assertEquals((swapped.figure as ThroughputFigure).labels.length, 3);
});

Deno.test("plot says what is missing", () => {
  const send = result(sendTrials());
  const cases: [() => unknown, string][] = [
    [() => plot([{ label: "a", values: [1] }]), "needs options.kind"],
    [() => plot([], { kind: "series" }), "the data is empty"],
    [() => plot([{ points: [] }] as never, { kind: "series" }), "has no label"],
    [() => plot([{ label: "a" }], { kind: "throughput" }), "a has no points"],
    [() => plot([{ label: "a", values: [0] }], { kind: "latency" }), "numbers above 0"],
    [
      () => plot([{ label: "a", points: [{ percentile: 100, value: 1 }] }], { kind: "latency" }),
      "a percentile in [0, 100)",
    ],
    [
      () => plot([{ label: "a", points: [{ x: 1, value: 2, low: 3 }] }], { kind: "throughput" }),
      "low <= value <= high",
    ],
    [
      () => plot([{ ...lifelines[0]!, released: 1 }], { kind: "lifelines" }),
      "released lies before sent",
    ],
    [() => plot(send, { kind: "pie" as never }), "one of throughput, latency"],
    [() => plot(send, { kind: "lifelines" }), "give the life lines themselves"],
    [() => plot(send, { kind: "latency" }), "no distribution"],
    [() => plot(send, { measure: "speed" }), "no trial has a number speed; the trials have"],
    [() => plot(send, { x: "size" }), "no factor is called size; the factors are sink, payload"],
    [() => plot(send, { x: "mode" }), "not all numbers above 0"],
    [() => plot(send, { series: [], panels: [] }), "several combinations stand at the same place"],
    [() => plot(send, { where: { mode: "gso" } }), "none has the values of options.where"],
    [() => plot(send, { where: { size: 1 } }), "options.where: no factor is called size"],
    [() => plot(result([])), "there are no trials"],
    [() => plot({} as never), "neither a result of experiment()"],
    [
      () => plot(result(sendTrials().filter(({ control }) => !control)), { kind: "crossover" }),
      "options.baseline is missing",
    ],
    [
      () => plot(send, { kind: "crossover", x: null, panels: "payload" }),
      "options.x is missing",
    ],
    [
      () =>
        plot(result(sampleTrials({
          factors: [{ a: 1 }, { a: 2 }],
          measure: () => ({ one: 1, two: 2 }),
        }))),
      "options.measure is missing; the trials have the numbers one, two",
    ],
    [
      () =>
        plot(result(sampleTrials({
          factors: [{ a: "x" }],
          measure: () => ({ distribution: "HISTabc" }),
        }))),
      "is no HdrHistogram",
    ],
  ];
  for (const [make, message] of cases) assertThrows(make, PlotError, message);
});

Deno.test("labels are escaped, whatever is in them", () => {
  const evil = '<script>alert(1)</script>"&\u0000';
  const trials = sampleTrials({
    factors: [{ mode: evil }, { mode: "b" }],
    control: ({ mode }) => mode === "b",
    measure: (_, round) => ({ bytesPerSecond: noisy(1e9, round) }),
  });
  const pictures = [
    ...plots(result(trials)),
    plot([{ ...lifelines[0]!, label: evil }], { kind: "lifelines", title: evil, subtitle: evil }),
    plot([{ label: evil, points: [{ x: 1, value: 1 }, { x: 2, value: 3 }] }], {
      kind: "crossover",
    }),
  ];
  for (const picture of pictures) {
    for (const text of [picture.svg(), picture.html()]) {
      assert(!text.includes("<script"), picture.kind);
      assert(!text.includes("\u0000"), picture.kind);
    }
    assertStringIncludes(picture.svg(), "&lt;script");
  }
});

Deno.test("html is an image with a text for those who cannot see it", () => {
  const picture = plot(result(sendTrials()));
  const match = picture.html().match(
    /^<img src="data:image\/svg\+xml;base64,([A-Za-z0-9+/=]+)" alt="([^"]+)" /,
  );
  assert(match !== null);
  const svg = new TextDecoder().decode(Uint8Array.fromBase64(match[1]!));
  assertEquals(svg, picture.svg());
  assertStringIncludes(match[2]!, "Datagrams per second by payload.");
  assertStringIncludes(match[2]!, "at payload 4000: copy 404 k/s; zc 6");
});

Deno.test("a notebook gets picture and text, a REPL the text", () => {
  const picture = plot(result(sendTrials()));
  const shown = picture[Symbol.for("Jupyter.display") as unknown as keyof Plot] as unknown as () =>
    Record<string, string>;
  const bundle = shown.call(picture);
  assertEquals(Object.keys(bundle), ["text/html", "text/plain"]);
  assertEquals(bundle["text/html"], picture.html());
  assert(!bundle["text/plain"]!.includes("\x1b"));
  assertStringIncludes(Deno.inspect(picture), "Datagrams per second by payload");
});

Deno.test("text of every kind stays within its width, and colours change nothing else", () => {
  for (const { picture } of everyKind()) {
    for (const width of [40, 60, 80, 120]) {
      const text = picture.text({ width, colours: false });
      assert(text.endsWith("\n") && !text.endsWith("\n\n"));
      for (const line of text.split("\n")) {
        assert(displayWidth(line) <= width, `${picture.kind}, ${width}: ${line}`);
        assertEquals(line, line.trimEnd());
      }
      const coloured = picture.text({ width, colours: true });
      assert(coloured.includes("\x1b["));
      assertEquals(stripVTControlCharacters(coloured).replaceAll(/ +$/gm, ""), text);
    }
  }
});

Deno.test("text: life lines go from submitted over sent to let go", () => {
  const text = plot(lifelines, { kind: "lifelines" }).text({ width: 60, colours: false });
  const rows = text.split("\n").filter((line) => line.includes("│"));
  assert(/first {2}│●─*┿━+◆ +40\.0 µs$/.test(rows[0]!), rows[0]);
  assert(/second │ *●─*┿▒+◆ 49\.0 µs, copied$/.test(rows[1]!), rows[1]);
  assert(/third {2}│ *●─+▶ not let go$/.test(rows[2]!), rows[2]);
});
