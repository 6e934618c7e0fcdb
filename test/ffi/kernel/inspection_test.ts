import { assertEquals } from "@std/assert";
import { escapeHtml } from "../../../ffi/kernel/inspection.ts";
import { elementsOf } from "../../elements.ts";

Deno.test("a text that is escaped means just that text, in an element and in an attribute", () => {
  for (
    const text of [`<b a="1" b='2'> & &amp; &#39;</b>`, "µs → ▲ 🙂", "two\nlines\tand a tab", ""]
  ) {
    const escaped = escapeHtml(text);
    const { attributes, ...element } = elementsOf(`<p title="${escaped}">${escaped}</p>`);
    assertEquals(attributes["title"], text);
    assertEquals(element.children.join(""), text);
  }
});

Deno.test("what markup has no place for is replaced", () => {
  assertEquals(
    escapeHtml("a\u0000b\u001bc\u0085d\ufffee\ud800f"),
    "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf",
  );
});
