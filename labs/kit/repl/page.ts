/**
 * A page of documentation, as text for a terminal.
 *
 * @module
 */
import type { JsDoc } from "./documented.ts";
import { displayWidth, styled, type TextStyle } from "../text/table.ts";
import { wrapped } from "../text/wrapped.ts";

/** How documentation is laid out. */
export interface Layout {
  /** Columns of the terminal. */
  readonly width: number;
  /** Whether headings stand out. */
  readonly colours: boolean;
}

/** Something short and what it means. */
export type Row = readonly [left: string, right: string];

/** Columns of what stands left in a list, at most; what is wider has a line of its own. */
const WIDEST_LEFT = 24;

/** Text of a documentation page, broken into lines. */
export class Page {
  readonly #lines: string[] = [];
  readonly #layout: Layout;

  /**
   * Starts an empty page.
   *
   * @param layout How wide it is.
   */
  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** What was put on the page, ending with a newline. */
  get text(): string {
    return this.#lines.map((line) => `${line}\n`).join("");
  }

  /** A line that stands out, with room above. */
  heading(text: string): void {
    if (this.#lines.length > 0) this.#lines.push("");
    const lines = wrapped(text, this.#layout.width - 4);
    this.#lines.push(
      ...lines.map((line, index) => (index > 0 ? "    " : "") + this.#styled(line, "bold")),
    );
  }

  /** Text in paragraphs; code and lists keep their lines. */
  paragraph(text: string): void {
    const { width } = this.#layout;
    let isCode = false;
    let block: string[] = [];
    const flush = (): void => {
      if (block.length > 0) this.#lines.push(...wrapped(block.join(" "), width));
      block = [];
    };
    this.#lines.push("");
    for (const line of plain(text).trimEnd().split("\n")) {
      const isFence = line.startsWith("```");
      if (isFence) isCode = !isCode;
      if (!isFence && !isCode && line.trim() !== "" && !/^\s*(?:[-*|]|\d+\.) /.test(line)) {
        block.push(line.trim());
        continue;
      }
      flush();
      if (isCode && !isFence) this.#lines.push(`    ${line}`.trimEnd());
      else if (!isFence) this.#lines.push(line);
    }
    flush();
  }

  /** The description of something. */
  doc(jsDoc: JsDoc | undefined): void {
    if (jsDoc?.doc) this.paragraph(jsDoc.doc);
    for (const { kind, doc } of jsDoc?.tags ?? []) {
      if (kind === "see" && doc) this.paragraph(`See ${doc}`);
    }
  }

  /** The examples of something. */
  examples(jsDoc: JsDoc | undefined): void {
    for (const { kind, doc } of jsDoc?.tags ?? []) {
      if (kind !== "example" || !doc) continue;
      const title = doc.startsWith("```") ? "" : doc.slice(0, doc.indexOf("\n"));
      this.#lines.push("", this.#styled(title ? `Example: ${title}` : "Example", "bold"));
      this.paragraph(doc.slice(title.length).trimStart());
    }
  }

  /** Rows of two columns under a title; nothing where there are no rows. */
  list(title: string, rows: readonly Row[]): void {
    if (rows.length === 0) return;
    this.#lines.push("");
    if (title !== "") this.#lines.push(this.#styled(title, "bold"));
    const left = Math.min(WIDEST_LEFT, Math.max(...rows.map(([text]) => displayWidth(text))));
    const indent = " ".repeat(left === 0 ? 2 : left + 4);
    for (const [name, text] of rows) {
      const lines = wrapped(plain(text), this.#layout.width - indent.length);
      const own = displayWidth(name) > left;
      const first = own ? [] : lines.splice(0, 1);
      this.#lines.push(
        ...(own ? wrapped(name, this.#layout.width - 4) : [name]).map((line, index) =>
          `  ${index > 0 ? "  " : ""}${line.padEnd(own ? 0 : left)}${
            first.length > 0 ? `${left === 0 ? "" : "  "}${first[0]}` : ""
          }`.trimEnd()
        ),
        ...lines.map((line) => indent + line),
      );
    }
  }

  #styled(text: string, style: TextStyle): string {
    return styled(text, style, this.#layout.colours);
  }
}

/** A terminal has no links: only their text is left. */
export function plain(text: string): string {
  return text.replaceAll(
    /\{@link(?:code)?\s+([^}|]+)(?:\|([^}]*))?\}/g,
    (_, target, label) => (label ?? target).trim(),
  );
}
