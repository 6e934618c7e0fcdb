/**
 * The elements of a drawing or a page. A browser mends much; here markup that is not well-formed is an
 * error.
 *
 * @module
 */

/** An element, its attributes and what is in it. */
export class Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: (Element | string)[] = [];

  constructor(name: string, attributes: Readonly<Record<string, string>>) {
    this.name = name;
    this.attributes = attributes;
  }

  /** All text in it. */
  get text(): string {
    return this.children.map((child) => typeof child === "string" ? child : child.text).join("");
  }

  /** The elements below it of some names, or of all names; from top to bottom. */
  all(...names: readonly string[]): Element[] {
    return this.children.flatMap((child) =>
      typeof child === "string" ? [] : [
        ...(names.length === 0 || names.includes(child.name) ? [child] : []),
        ...child.all(...names),
      ]
    );
  }

  /** The elements below it that have an attribute, whatever its value or with a given one. */
  having(attribute: string, value?: string): Element[] {
    return this.all().filter(({ attributes }) =>
      Object.hasOwn(attributes, attribute) &&
      (value === undefined || attributes[attribute] === value)
    );
  }
}

/** Elements of HTML that have no end. */
const VOID = new Set(["meta", "img", "br", "link", "hr", "input"]);

const TOKEN =
  /<!DOCTYPE html>|<style>([^<]*)<\/style>|<\/([\w-]+)>|<([\w-]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/y;

/**
 * Reads a document of one element.
 *
 * @param markup SVG or HTML.
 * @throws {Error} If it is not well-formed.
 */
export function elementsOf(markup: string): Element {
  const root = new Element("", {});
  const open = [root];
  const fail = (what: string, at: number): never => {
    throw new Error(`${what} at ${JSON.stringify(markup.slice(at, at + 80))}`);
  };
  for (let at = 0; at < markup.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(markup) ?? fail("No markup", at);
    const [, style, closed, name, attributes = "", empty, text] = found;
    const inside = open.at(-1)!;
    if (text !== undefined) {
      inside.children.push(unescaped(text));
    } else if (style !== undefined) {
      inside.children.push(new Element("style", {}));
    } else if (closed !== undefined) {
      if (open.pop()!.name !== closed) fail(`No ${closed} is open`, at);
    } else if (name !== undefined) {
      const pairs = [...attributes.matchAll(/([\w:-]+)="([^"]*)"/g)]
        .map(([, key, value]) => [key!, unescaped(value!)] as const);
      const element = new Element(name, Object.fromEntries(pairs));
      if (pairs.length > Object.keys(element.attributes).length) fail("An attribute twice", at);
      inside.children.push(element);
      if (empty === "" && !VOID.has(name)) open.push(element);
    }
  }
  if (open.length > 1) throw new Error(`${open.at(-1)!.name} is not closed`);
  const [document, ...more] = root.all().filter((one) => root.children.includes(one));
  if (document === undefined || more.length > 0) throw new Error("Not one element");
  return document;
}

function unescaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    amp: "&",
    lt: "<",
    gt: ">",
    quot: '"',
    "#39": "'",
  };
  return text.replaceAll(/&([^;]{0,6};?)/g, (whole, entity: string) => {
    const meant = entities[entity.replace(/;$/, "")];
    if (meant === undefined || !entity.endsWith(";")) throw new Error(`No entity: ${whole}`);
    return meant;
  });
}
