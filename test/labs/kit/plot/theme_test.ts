import { assert, assertEquals } from "@std/assert";
import {
  COLOURS,
  type Colours,
  coloursOf,
  looks,
  terminalStyle,
  themeDeclarations,
} from "../../../../labs/kit/plot/theme.ts";

/** The relative luminance of a colour, by WCAG 2.2. */
function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

Deno.test("every text can be read on its background and on bands, light and dark", () => {
  for (const { background, band, ink, muted, series } of Object.values(COLOURS)) {
    for (const colour of [ink, muted, ...series]) {
      for (const behind of [background, band]) {
        const found = contrast(colour, behind);
        assert(found >= 4.5, `${colour} on ${behind}: ${found}`);
      }
    }
  }
});

Deno.test("a page declares every colour that drawings on it use", () => {
  const { series, ...named } = coloursOf("page");
  for (const theme of ["light", "dark"] as const) {
    const declared = new Map(
      themeDeclarations(theme).split(";").map((one) => one.split(":") as [string, string]),
    );
    const colourOf = (used: string): string | undefined => declared.get(used.slice(4, -1));
    assertEquals(series.map(colourOf), [...COLOURS[theme].series]);
    for (const [name, used] of Object.entries(named)) {
      assertEquals(colourOf(used), COLOURS[theme][name as Exclude<keyof Colours, "series">], name);
    }
  }
});

Deno.test("the baseline has the colour of the text, and no two series look the same", () => {
  const labels = ["a", "base", ...Array.from({ length: 6 }, (_, index) => `series ${index}`)];
  const look = looks(labels, "base", COLOURS.light);
  assertEquals(look("base"), { colour: COLOURS.light.ink, symbol: "circle", dash: undefined });
  for (const part of ["colour", "dash"] as const) {
    assertEquals(new Set(labels.map((label) => look(label)[part])).size, labels.length, part);
  }
  const symbols = labels.slice(0, 7).map((label) => look(label).symbol);
  assertEquals(new Set(symbols).size, 7);
  const styles = labels.slice(0, 7).map((label) => terminalStyle(label, labels, "base"));
  assertEquals(new Set(styles).size, 7);
  assertEquals(terminalStyle("base", labels, "base"), "bold");
});
