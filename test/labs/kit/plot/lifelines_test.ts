import { assert, assertEquals, assertThrows } from "@std/assert";
import { PlotError } from "../../../../labs/kit/plot/figure.ts";
import { plot } from "../../../../labs/kit/plot/plot.ts";
import { COLOURS } from "../../../../labs/kit/plot/theme.ts";
import { elementsOf } from "../../../elements.ts";
import { LIFELINES, textsIn } from "./samples.ts";

Deno.test("in a terminal life lines go from submitted over sent to released", () => {
  const text = plot(LIFELINES, { kind: "lifelines" }).text({ width: 60, colours: false });
  const rows = text.split("\n").filter((line) => line.includes("│"));
  assert(/first {2}│●─*┿━+◆ +40\.0 µs$/.test(rows[0]!), rows[0]);
  assert(/second │ *●─*┿▒+◆ 49\.0 µs, copied$/.test(rows[1]!), rows[1]);
  assert(/third {2}│ *●─+▶ not released$/.test(rows[2]!), rows[2]);
});

Deno.test("times count from the first submission, and what is told is what the lines say", () => {
  const { figure, alt } = plot(LIFELINES, { kind: "lifelines" });
  assert(figure.kind === "lifelines");
  assertEquals(figure.subtitle, "1 of 2 copied, by the kernel's report");
  assertEquals(figure.lines[0]!.submitted, 0);
  assertEquals(Math.round(figure.lines[1]!.released! * 1e9), 50_000);
  assertEquals(figure.lines[2]!.released, null);
  assert(alt.endsWith("3 life lines, released after 40.0 µs to 49.0 µs, 1 not released."), alt);
});

Deno.test("a drawing has a bar for what was held and an arrow for what still is", () => {
  const svg = elementsOf(plot(LIFELINES, { kind: "lifelines" }).svg());
  const bars = svg.all("rect").filter(({ attributes }) =>
    attributes["fill-opacity"] === "0.45" && attributes["height"] !== "8"
  );
  assertEquals(bars.map(({ attributes }) => attributes["fill"]), COLOURS.light.series.slice(0, 2));
  const legend = ["held, not copied", "held, copied", "held, copied or not is not told"];
  const texts = svg.all("text").map(({ text }) => text);
  assertEquals(texts.filter((text) => text.startsWith("held")), legend);
  const known = plot(LIFELINES.slice(0, 1), { kind: "lifelines" });
  assertEquals(textsIn(known.svg()).filter((text) => text.startsWith("held")), [legend[0]!]);
});

Deno.test("a life line whose times cannot be is refused, with its name", () => {
  const [first] = LIFELINES;
  const cases: [line: object, message: string][] = [
    [{ submitted: NaN }, "first: submitted is a time"],
    [{ sent: "now" }, "first: sent is a time"],
    [{ sent: 4 }, "first: sent lies before submitted"],
    [{ released: 5.000001 }, "first: released lies before sent"],
    [{ sent: null, released: 4 }, "first: released lies before submitted"],
    [{ copied: 1 }, "first: copied is true, false or null"],
  ];
  for (const [line, message] of cases) {
    const lines = [{ ...first!, ...line }] as never;
    assertThrows(() => plot(lines, { kind: "lifelines" }), PlotError, message);
  }
});
