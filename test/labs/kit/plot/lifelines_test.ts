import { assert } from "@std/assert";
import { plot } from "../../../../labs/kit/plot/mod.ts";
import { LIFELINES } from "./samples.ts";

Deno.test("text: life lines go from submitted over sent to let go", () => {
  const text = plot(LIFELINES, { kind: "lifelines" }).text({ width: 60, colours: false });
  const rows = text.split("\n").filter((line) => line.includes("│"));
  assert(/first {2}│●─*┿━+◆ +40\.0 µs$/.test(rows[0]!), rows[0]);
  assert(/second │ *●─*┿▒+◆ 49\.0 µs, copied$/.test(rows[1]!), rows[1]);
  assert(/third {2}│ *●─+▶ not let go$/.test(rows[2]!), rows[2]);
});
