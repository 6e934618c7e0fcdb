/**
 * The state of an object as a list of facts, in the two forms in which it is looked at: a line at a
 * prompt, a small table in a notebook. It makes texts; nothing is printed here.
 *
 * @module
 */

/** What a fact says; undefined is no fact, and left out. */
export type FactValue = string | number | bigint | boolean | undefined;

/** One thing that is known of an object's state. A bare one needs no name on a line. */
export type Fact = readonly [name: string, value: FactValue, bare?: "bare"];

/** What Jupyter shows: the same thing in two formats, of which it takes the better. */
export interface Display {
  /** For terminals. */
  readonly "text/plain": string;
  /** For pages: a plain table, which also an untrusted notebook keeps. */
  readonly "text/html": string;
}

/** The fact of an object that was closed. */
export const CLOSED: readonly Fact[] = [["state", "closed", "bare"]];

/** Cells of a {@linkcode strip}. */
const CELLS = 64;

/**
 * Makes a class show the state of its objects: on one line at a prompt, as a table in notebooks. Called
 * in a static block of the class, which alone reaches what is private.
 *
 * @param type The class.
 * @param facts What is always shown.
 * @param more What only a table has room for.
 */
export function showFacts<Shown extends object>(
  type: { readonly name: string; readonly prototype: Shown },
  facts: (shown: Shown) => readonly Fact[],
  more: (shown: Shown) => readonly Fact[] = () => [],
): void {
  const methods: Readonly<Record<string, (this: Shown) => string | Display>> = {
    "Deno.customInspect"(): string {
      return inLine(type.name, facts(this));
    },
    "Jupyter.display"(): Display {
      return inTable(type.name, facts(this), more(this));
    },
  };
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(type.prototype, Symbol.for(name), {
      value,
      configurable: true,
      writable: true,
    });
  }
}

/**
 * An object's state on one line.
 *
 * @param kind What it is, such as `Ring`.
 * @param facts Its state.
 * @returns Such as `Ring { entries: 256, in flight: 0 }`.
 */
export function inLine(kind: string, facts: readonly Fact[]): string {
  const parts = known(facts).map(([name, value, bare]) =>
    bare === undefined ? `${name}: ${oneLine(value)}` : oneLine(value)
  );
  return `${kind} { ${parts.join(", ")} }`;
}

/**
 * An object's state for a notebook. Jupyter asks for it through `Symbol.for("Jupyter.display")`. The
 * table has no colours of its own, so that it is read on dark and on light pages.
 *
 * @param kind What it is, such as `Ring`.
 * @param facts Its state, as on the line.
 * @param more What only the table has room for.
 */
export function inTable(
  kind: string,
  facts: readonly Fact[],
  more: readonly Fact[] = [],
): Display {
  const rows = known([...facts, ...more]).map(([name, value]) =>
    `<tr><th scope="row" style="text-align:left">${escapeHtml(name)}</th>` +
    `<td style="text-align:left">${escapeHtml(unquoted(oneLine(value)))}</td></tr>`
  );
  return {
    "text/plain": inLine(kind, facts),
    "text/html": `<table><caption>${escapeHtml(kind)}</caption><tbody>${
      rows.join("")
    }</tbody></table>`,
  };
}

/** A cell says where a text begins and ends: only a line needs quotation marks for that. */
function unquoted(text: string): string {
  return /^"[^"]*"$/.test(text) ? text.slice(1, -1) : text;
}

/** A part of something long. */
export interface Part {
  /** Where it starts. */
  readonly offset: number;
  /** How long it is. */
  readonly length: number;
}

/**
 * Something long in a row of at most 64 cells: `█` where the parts cover a cell, `▒` where they cover
 * some of it, `░` where they cover nothing.
 *
 * @param length How long it is.
 * @param parts What to mark; parts may overlap.
 */
export function strip(length: number, parts: readonly Part[]): string {
  const count = Math.max(1, Math.min(CELLS, length));
  const size = length / count;
  // Sorted and joined, so that what is covered twice counts once.
  const sorted = parts.toSorted((left, right) => left.offset - right.offset);
  const covered = new Float64Array(count);
  let end = 0;
  for (const part of sorted) {
    const [from, to] = [Math.max(part.offset, end), part.offset + part.length];
    for (let cell = Math.floor(from / size); cell < count && cell * size < to; cell++) {
      covered[cell]! += Math.max(
        0,
        Math.min(to, (cell + 1) * size) - Math.max(from, cell * size),
      );
    }
    end = Math.max(end, to);
  }
  return Array.from(
    covered,
    (sum) => sum === 0 ? "░" : sum > size * (1 - 1e-9) ? "█" : "▒",
  ).join("");
}

/**
 * A text as it may stand in an element or in a quoted attribute of HTML or SVG, where it means just
 * that text. What neither has a place for, not even escaped, is replaced.
 *
 * @param text Any text.
 */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;").replaceAll("'", "&#39;")
    // deno-lint-ignore no-control-regex
    .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffe\uffff]/g, "\ufffd")
    .toWellFormed();
}

function known(facts: readonly Fact[]): readonly Fact[] {
  return facts.filter(([, value]) => value !== undefined);
}

/** A value without line breaks and without what a terminal would obey. */
function oneLine(value: FactValue): string {
  const text = String(value);
  return /\p{Cc}/u.test(text) ? JSON.stringify(text) : text;
}
