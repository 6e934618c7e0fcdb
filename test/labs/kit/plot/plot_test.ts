import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { stripVTControlCharacters } from "node:util";
import { describeFactors } from "../../../../labs/kit/trials/trials.ts";
import { textWidth } from "../../../../labs/kit/plot/layout.ts";
import { PlotError } from "../../../../labs/kit/plot/figure.ts";
import { type Plot, plot, plots } from "../../../../labs/kit/plot/plot.ts";
import type { ThroughputFigure } from "../../../../labs/kit/plot/throughput.ts";
import { displayWidth } from "../../../../labs/kit/text/table.ts";
import { type Element, elementsOf } from "../../../elements.ts";
import {
  COPYING,
  latencyTrials,
  LENDING,
  LIFELINES,
  noisy,
  sampleTrials,
  sendTrials,
  textsIn,
} from "./samples.ts";

/** One plot of each kind, and what must stand in it. */
function everyKind(): { picture: Plot; labels: string[] }[] {
  const send = { trials: sendTrials() };
  return [
    {
      picture: plot(send),
      labels: ["Datagrams per second by payload", "payload (bytes)", "600", "4000", "copy", "zc"],
    },
    {
      picture: plot({ trials: latencyTrials() }),
      labels: ["Latency by percentile", "p50", "p99", "40 µs", "none", "busy", "pair", "loopback"],
    },
    {
      picture: plot(send, { kind: "series" }),
      labels: ["Datagrams per second, trial by trial", "warm-up", "copy", "zc", "0 s"],
    },
    {
      picture: plot(LIFELINES, { kind: "lifelines" }),
      labels: ["first", "third", "40.0 µs", "49.0 µs, copied", "not released", "20 µs"],
    },
    {
      picture: plot(send, { kind: "crossover" }),
      labels: ["Datagrams per second against copy, by payload", "0 %", "+40 %", "copy", "zc"],
    },
    {
      picture: plot(send, { x: null, where: { payload: 600 } }),
      labels: ["Datagrams per second", "copy", "zc", "0", "200 k", "404 k/s"],
    },
    {
      picture: plot([COPYING], { kind: "flame" }),
      labels: ["Where the instructions go: copying", "sendmsg", "memcpy", "copies payload"],
    },
    {
      picture: plot([COPYING, LENDING], { kind: "changes" }),
      labels: ["What changes from copying to lending", "memcpy", "−370", "gup_fast", "+220"],
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
      const found = textsIn(svg);
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

/** The rectangles of all texts of a drawing, as wide as layout takes them to be. */
function boxesIn(element: Element, shift = 0, size = 12): Box[] {
  const { attributes } = element;
  const moved = shift + Number(/translate\(0,(.*)\)/.exec(attributes["transform"] ?? "")?.[1] ?? 0);
  const own = Number(attributes["font-size"] ?? size);
  if (element.name !== "text") {
    return element.children.flatMap((child) =>
      typeof child === "string" ? [] : boxesIn(child, moved, own)
    );
  }
  const width = textWidth(element.text, own, Number(attributes["font-weight"] ?? 400));
  const anchor = { middle: 0.5, end: 1 }[attributes["text-anchor"] ?? ""] ?? 0;
  const left = Number(attributes["x"]) - anchor * width;
  const bottom = Number(attributes["y"]) + moved;
  return [{ text: element.text, left, right: left + width, top: bottom - own * 0.7, bottom }];
}

interface Box {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

Deno.test("no text of a drawing covers another or leaves it, from phones to desktops", () => {
  const many = sampleTrials({
    factors: [64, 512, 4096, 65536].flatMap((bytes) =>
      ["copy", "zc", "zc with a rather long name", "fixed", "gso", "bundle", "multishot"].map(
        (way) => ({ bytes, way }),
      )
    ),
    control: ({ way }) => way === "copy",
    measure: ({ way, bytes }, round) => ({
      bytesPerSecond: noisy(1e8 * Math.sqrt(bytes), round + way.length),
    }),
  });
  for (
    const picture of [...everyKind().map(({ picture }) => picture), ...plots({ trials: many })]
  ) {
    for (const width of [320, 720, 1200]) {
      const boxes = boxesIn(elementsOf(picture.svg({ width })));
      for (const [index, one] of boxes.entries()) {
        const where = `${picture.kind}, ${width}: ${one.text}`;
        assert(one.left >= 0 && one.right <= width, `${where}: ${one.left} to ${one.right}`);
        for (const other of boxes.slice(index + 1)) {
          const overlaps = one.left < other.right && other.left < one.right &&
            one.top < other.bottom && other.top < one.bottom;
          assert(!overlaps, `${where} and ${other.text}`);
        }
      }
    }
  }
});

Deno.test("both themes have a background of their own, and series differ by more than colour", () => {
  const picture = plot({ trials: sendTrials() });
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

Deno.test("what ran once beside a repeated experiment is left out, and said to be", () => {
  const trials = sendTrials();
  const once = { ...trials[0]!, warmUp: false, factors: { ...trials[0]!.factors, sink: "veth" } };
  const { figure } = plot({ trials: [...trials, once] });
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
  assertEquals(kinds(plots({ trials: latencyTrials() })), ["latency", "throughput", "series"]);
  const { figure } = plot(document, { baseline: { mode: "zc" } });
  assertEquals((figure as ThroughputFigure).baseline, "zc");
});

Deno.test("plot says what is missing", () => {
  const send = { trials: sendTrials() };
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
      () => plot([{ ...LIFELINES[0]!, released: 1 }], { kind: "lifelines" }),
      "released lies before sent",
    ],
    [() => plot(send, { kind: "pie" as never }), "one of throughput, latency"],
    [() => plot(send, { kind: "lifelines" }), "give the life lines themselves"],
    [() => plot(send, { kind: "flame" }), "plot([view]"],
    [() => plot(send, { kind: "changes" }), "plot([copying, zeroCopy]"],
    [() => plot(send, { kind: "latency" }), "no distribution"],
    [() => plot(send, { measure: "speed" }), "no trial has a number speed; the trials have"],
    [() => plot(send, { x: "size" }), "no factor is called size; the factors are sink, payload"],
    [() => plot(send, { x: "mode" }), "not all numbers above 0"],
    [() => plot(send, { series: [], panels: [] }), "several combinations stand at the same place"],
    [() => plot(send, { where: { mode: "gso" } }), "none has the values of options.where"],
    [() => plot(send, { where: { size: 1 } }), "options.where: no factor is called size"],
    [() => plot({ trials: [] }), "there are no trials"],
    [() => plot({} as never), "neither a result of experiment()"],
    [
      () => plot({ trials: sendTrials().filter(({ control }) => !control) }, { kind: "crossover" }),
      "options.baseline is missing",
    ],
    [
      () => plot(send, { kind: "crossover", x: null, panels: "payload" }),
      "options.x is missing",
    ],
    [
      () =>
        plot({
          trials: sampleTrials({
            factors: [{ a: 1 }, { a: 2 }],
            measure: () => ({ one: 1, two: 2 }),
          }),
        }),
      "options.measure is missing; the trials have the numbers one, two",
    ],
    [
      () =>
        plot({
          trials: sampleTrials({
            factors: [{ a: "x" }],
            measure: () => ({ distribution: "HISTabc" }),
          }),
        }),
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
    ...plots({ trials: trials }),
    plot([{ ...LIFELINES[0]!, label: evil }], { kind: "lifelines", title: evil, subtitle: evil }),
    plot([{ ...COPYING, label: evil }], { kind: "flame" }),
    plot([COPYING, { ...LENDING, label: evil }], { kind: "changes" }),
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
  const picture = plot({ trials: sendTrials() });
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
  const picture = plot({ trials: sendTrials() });
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
