import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { stripVTControlCharacters } from "node:util";
import {
  displayWidth,
  table,
  type TableColumn,
  truncated,
} from "../../../../labs/kit/text/table.ts";
import { Command } from "../../../child.ts";

interface Row {
  payload: number;
  mode: string;
  rate: number | null;
}

const rows: Row[] = [
  { payload: 600, mode: "copy", rate: 413_000 },
  { payload: 600, mode: "zc", rate: 320_000 },
  { payload: 4000, mode: "copy", rate: null },
];

const columns: TableColumn<Row>[] = [
  { title: "payload", value: (row) => row.payload, format: (value) => `${value} B` },
  { title: "mode", value: (row) => row.mode },
  { title: "requests\nper second", value: (row) => row.rate, dispensable: true },
];

Deno.test("table aligns texts left, numbers right and headings at the bottom", () => {
  assertEquals(
    table(columns, rows, { width: 80, colours: false }),
    [
      "                 requests",
      "payload  mode  per second",
      "───────  ────  ──────────",
      "  600 B  copy      413000",
      "  600 B  zc        320000",
      " 4000 B  copy           –",
      "",
    ].join("\n"),
  );
});

Deno.test("table separates groups", () => {
  const text = table(columns, rows, { width: 80, colours: false, groupBy: (row) => row.payload });
  const lines = text.split("\n");
  assertEquals(lines.filter((line) => line.startsWith("─")).length, 2);
  assertEquals(lines[5], lines[2]);
});

Deno.test("table without rows says so", () => {
  assertStringIncludes(table(columns, [], { width: 80, colours: false }), "(no rows)");
});

Deno.test("table that is too wide leaves out what is dispensable and names it", () => {
  const text = table(columns, rows, { width: 20, colours: false });
  assertStringIncludes(text, "(left out to fit 20 columns: requests per second)");
  assert(!text.includes("413000"));
  assertStringIncludes(text, "600 B");
});

Deno.test("table that is too wide cuts texts, never numbers", () => {
  const long = [{ note: "a sentence that goes on and on", value: 123456789 }];
  const text = table(
    [
      { title: "note", value: (row) => row.note },
      { title: "value", value: (row) => row.value },
    ],
    long,
    { width: 24, colours: false },
  );
  assertStringIncludes(text, "a sentence t…  123456789");
  for (const line of text.split("\n")) assert(displayWidth(line) <= 24, line);
  const narrow = table([{ title: "value", value: (row) => row.value }], long, {
    width: 5,
    colours: false,
  });
  assertStringIncludes(narrow, "123456789");
});

Deno.test("table with colours is the same text with escape sequences", () => {
  const styled: TableColumn<Row>[] = [
    ...columns,
    { title: "wide 表", value: (row) => row.mode, style: (row) => row.rate ? "green" : undefined },
  ];
  const plain = table(styled, rows, { width: 80, colours: false });
  const coloured = table(styled, rows, { width: 80, colours: true });
  assert(plain === stripVTControlCharacters(plain));
  assertStringIncludes(coloured, "\x1b[32mzc\x1b[39m");
  const withoutTrailing = stripVTControlCharacters(coloured).replaceAll(/ +$/gm, "");
  assertEquals(withoutTrailing, plain);
});

Deno.test("displayWidth counts columns of the terminal, not code units", () => {
  const widths: [string, number][] = [
    ["copy", 4],
    ["", 0],
    ["41.2 µs", 7],
    ["表", 2],
    ["한글", 4],
    ["e\u0301", 1],
    ["🚀", 2],
    ["\x1b[1mzc\x1b[22m", 2],
    ["a\u200bb", 2],
    ["█▌├┼┤", 5],
  ];
  for (const [text, width] of widths) assertEquals(displayWidth(text), width, text);
});

Deno.test("truncated cuts between characters and stays within the width", () => {
  assertEquals(truncated("zero copy", 9), "zero copy");
  assertEquals(truncated("zero copy", 5), "zero…");
  assertEquals(truncated("表表表", 4), "表…");
  assertEquals(truncated("e\u0301e\u0301e\u0301", 2), "e\u0301…");
  assertEquals(truncated("abc", 1), "…");
});

Deno.test("table takes no colours where NO_COLOR is set or stdout is no terminal", async () => {
  const code = `
    import { table } from ${
    JSON.stringify(import.meta.resolve("../../../../labs/kit/text/table.ts"))
  };
    console.log(table([{ title: "a", value: (x) => x, style: () => "red" }], ["b"]));
  `;
  for (const env of [{ NO_COLOR: "1" }, { NO_COLOR: "" }]) {
    const { stdout, success } = await new Command(Deno.execPath(), {
      args: ["eval", "--ext=ts", code],
      env,
    }).output();
    assert(success);
    const text = new TextDecoder().decode(stdout);
    assertEquals(text, "a\n─\nb\n\n");
  }
});
