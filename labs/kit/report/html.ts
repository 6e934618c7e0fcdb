/**
 * Text in HTML. Everything of a document passes through here: it comes from a file of somebody else.
 *
 * @module
 */
import { escapeHtml } from "../../../ffi/kernel/inspection.ts";

/** A piece of HTML, made by {@linkcode html}, which needs no escaping any more. */
export class Html {
  /** The markup. */
  readonly markup: string;

  /** @param markup What is known to be markup. */
  constructor(markup: string) {
    this.markup = markup;
  }
}

/** What can stand in a template: text is escaped, HTML is not, of undefined nothing is left. */
export type HtmlPart = string | number | Html | undefined | readonly HtmlPart[];

/**
 * A template of HTML whose values are escaped unless they are HTML already.
 *
 * @example
 * `` markup`<p>${"a < b"}</p>` `` is `<p>a &lt; b</p>`.
 */
export function markup(texts: TemplateStringsArray, ...values: readonly HtmlPart[]): Html {
  return new Html(
    texts.reduce((whole, text, index) => whole + markupOf(values[index - 1]) + text),
  );
}

function markupOf(part: HtmlPart): string {
  if (part === undefined) return "";
  if (part instanceof Html) return part.markup;
  if (typeof part === "object") return part.map(markupOf).join("");
  return escapeHtml(String(part));
}
