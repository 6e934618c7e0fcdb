import { assertEquals, assertThrows } from "@std/assert";
import { elementsOf } from "./elements.ts";

Deno.test("elements are found by their names and attributes, with their text", () => {
  const page = elementsOf(
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><style>a{}</style></head>' +
      '<body><p class="a">1 &lt; <b>2</b> &amp; &#39;</p><img src="&quot;"/><p>3</p></body></html>\n',
  );
  assertEquals(page.attributes, { lang: "en" });
  assertEquals(page.all("p").map(({ text }) => text), ["1 < 2 & '", "3"]);
  assertEquals(page.all("p", "b").map(({ name }) => name), ["p", "b", "p"]);
  assertEquals(page.having("class", "a").length, 1);
  assertEquals(page.having("class", "b").length, 0);
  assertEquals(page.having("src")[0]!.attributes["src"], '"');
});

Deno.test("markup that is not well-formed is refused", () => {
  for (
    const [markup, message] of [
      ["<a><b></a></b>", "No a is open"],
      ["<a><b></b>", "a is not closed"],
      ["<a></a><b/>", "Not one element"],
      ["text", "Not one element"],
      ["<a x=1/>", "No markup"],
      ['<a x="<"/>', "No markup"],
      ['<a x="1" x="2"/>', "An attribute twice"],
      ["<a>1 < 2</a>", "No markup"],
      ["<a>1 & 2</a>", "No entity"],
      ["<a>&nbsp;</a>", "No entity"],
    ] as const
  ) {
    assertThrows(() => elementsOf(markup), Error, message);
  }
});
