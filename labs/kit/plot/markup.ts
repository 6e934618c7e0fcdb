/**
 * Text in SVG and HTML.
 *
 * @module
 */

/**
 * A text as it may stand in an element or in a quoted attribute of SVG and HTML. What neither has a
 * place for, not even escaped, is replaced.
 *
 * @param text Any text.
 */
export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;").replaceAll("'", "&#39;")
    // deno-lint-ignore no-control-regex
    .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffe\uffff]/g, "\ufffd")
    .toWellFormed();
}
