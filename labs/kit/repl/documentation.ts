/**
 * The library's own documentation as data, and as text for a terminal. It comes from `deno doc`,
 * which is asked once: that takes a few tenths of a second.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { ENTRY_POINTS } from "./library.ts";
import { displayWidth, styled, type TextStyle } from "../terminal/table.ts";
import { wrapped } from "../terminal/wrapped.ts";

/** The part of `deno doc --json` that is used here. */
interface DocumentedType {
  readonly kind: string;
  readonly repr?: string;
  // deno-lint-ignore no-explicit-any -- each kind has a shape of its own; see typeText()
  readonly value?: any;
}

interface Parameter {
  readonly kind: string;
  readonly name?: string;
  readonly optional?: boolean;
  readonly left?: Parameter;
  readonly arg?: Parameter;
  readonly tsType?: DocumentedType;
}

interface Tag {
  readonly kind: string;
  readonly name?: string;
  readonly doc?: string;
  /** Of `@default`. */
  readonly value?: string;
  readonly tsType?: DocumentedType;
}

interface JsDoc {
  readonly doc?: string;
  readonly tags?: readonly Tag[];
}

interface FunctionShape {
  readonly params: readonly Parameter[];
  readonly returnType?: DocumentedType;
}

interface DocumentedMember extends Partial<FunctionShape> {
  readonly name: string;
  /** Of methods: method, getter or setter. */
  readonly kind?: string;
  readonly isStatic?: boolean;
  readonly optional?: boolean;
  readonly readonly?: boolean;
  readonly accessibility?: string;
  readonly jsDoc?: JsDoc;
  readonly tsType?: DocumentedType;
  readonly functionDef?: FunctionShape;
}

interface Definition extends Partial<FunctionShape> {
  /** One name of a class, several types of an interface. */
  readonly extends?: string | readonly DocumentedType[];
  readonly constructors?: readonly DocumentedMember[];
  readonly properties?: readonly DocumentedMember[];
  readonly methods?: readonly DocumentedMember[];
  readonly tsType?: DocumentedType;
}

interface Declaration {
  readonly kind: string;
  readonly declarationKind: string;
  readonly jsDoc?: JsDoc;
  readonly def: Definition;
}

/** An exported name with its declarations. */
interface DocumentedSymbol {
  readonly name: string;
  readonly declarations: readonly Declaration[];
}

/** An exported name, and the entry point that exports it. */
interface ExportedSymbol extends DocumentedSymbol {
  readonly entryPoint: string;
}

/** How documentation is laid out. */
export interface Layout {
  /** Columns of the terminal. */
  readonly width: number;
  /** Whether headings stand out. */
  readonly colours: boolean;
}

/** What an exported name is. */
export interface Summary {
  /** The name. */
  readonly name: string;
  /** What it is; types cannot be typed at a prompt. */
  readonly kind: "class" | "function" | "constant" | "type";
  /** The entry point that exports it, such as `zclab/lab`. */
  readonly entryPoint: string;
  /** The first sentence of its documentation. */
  readonly sentence: string;
}

/** The documentation of the library. */
export class Documentation {
  readonly #symbols: ReadonlyMap<string, ExportedSymbol>;

  private constructor(symbols: readonly ExportedSymbol[]) {
    this.#symbols = new Map(symbols.map((symbol) => [symbol.name, symbol]));
  }

  /**
   * Asks `deno doc`. Blocks until it has answered.
   *
   * @throws {Error} If it fails, with what it said.
   */
  static load(): Documentation {
    const { success, stdout, stderr } = new Deno.Command(Deno.execPath(), {
      args: ["doc", "--json", ...ENTRY_POINTS.map(({ url }) => fromFileUrl(url))],
      cwd: fromFileUrl(new URL("../../..", import.meta.url)),
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).outputSync();
    const decoder = new TextDecoder();
    if (!success) throw new Error(`deno doc failed: ${decoder.decode(stderr)}`);
    const { nodes } = JSON.parse(decoder.decode(stdout)) as {
      nodes: Record<string, { symbols: readonly DocumentedSymbol[] }>;
    };
    return new Documentation(ENTRY_POINTS.flatMap(({ name, url }) =>
      nodes[url.href]!.symbols
        .filter(({ declarations }) => declarations[0]?.declarationKind === "export")
        .map((symbol) => ({ ...symbol, entryPoint: name }))
    ));
  }

  /** Every exported name. */
  get summaries(): readonly Summary[] {
    return Array.from(this.#symbols.values(), ({ name, declarations, entryPoint }) => ({
      name,
      entryPoint,
      kind: kindOf(declarations),
      sentence: firstSentence(declarations[0]?.jsDoc?.doc),
    }));
  }

  /** Everything that can be asked for: the exported names, and the members as `Ring.sendZc`. */
  get names(): readonly string[] {
    return [...this.#symbols.values()].flatMap(({ name, declarations }) => [
      name,
      ...declarations.flatMap(({ def }) => members(def)).map((member) => `${name}.${member.name}`),
    ]);
  }

  /**
   * What is known about a name.
   *
   * @param name An exported name, or a member of one, such as `Ring.sendZc`.
   * @param layout How to lay it out.
   * @returns The text, or undefined if there is no such name.
   */
  describe(name: string, layout: Layout): string | undefined {
    const [owner = "", memberName] = name.split(".");
    const symbol = this.#symbols.get(owner);
    if (symbol === undefined) return undefined;
    const page = new Page(layout);
    if (memberName === undefined) {
      for (const declaration of symbol.declarations) this.#symbol(page, owner, declaration);
      return page.text;
    }
    const found = this.#membersOf(symbol).filter(({ name }) => name === memberName);
    if (found.length === 0) return undefined;
    for (const member of found) this.#member(page, owner, member);
    return page.text;
  }

  /** The members of a name, those that it inherits last. */
  #membersOf({ declarations }: DocumentedSymbol): readonly DocumentedMember[] {
    const own = declarations.flatMap(({ def }) => members(def));
    const parents = declarations.flatMap(({ def }) => parentsOf(def));
    const inherited = parents.flatMap((parent) => {
      const symbol = this.#symbols.get(parent);
      return symbol === undefined ? [] : this.#membersOf(symbol);
    });
    return [...own, ...inherited.filter(({ name }) => !own.some((each) => each.name === name))];
  }

  #symbol(page: Page, name: string, { kind, jsDoc, def }: Declaration): void {
    switch (kind) {
      case "class":
        this.#class(page, name, jsDoc, def);
        return;
      case "function":
        page.heading(signature(name, def));
        this.#function(page, def, jsDoc);
        return;
      case "interface":
        page.heading(`interface ${name}`);
        page.doc(jsDoc);
        page.list("", this.#membersOf(this.#symbols.get(name)!).map(memberRow));
        return;
      case "typeAlias":
        page.heading(`type ${name} = ${typeText(def.tsType)}`);
        break;
      default:
        page.heading(`const ${name}: ${brief(typeText(def.tsType))}`);
    }
    page.doc(jsDoc);
    page.examples(jsDoc);
  }

  #class(page: Page, name: string, jsDoc: JsDoc | undefined, def: Definition): void {
    page.heading(`class ${name}${parentsOf(def).map((parent) => ` extends ${parent}`).join("")}`);
    page.doc(jsDoc);
    const all = this.#membersOf(this.#symbols.get(name)!);
    const isMethod = ({ kind }: DocumentedMember): boolean => kind === "method";
    const constructors = (def.constructors ?? []).filter(isPublic)
      .map((each): Row => [`new ${name}(${parameterNames(each)})`, firstSentence(each.jsDoc?.doc)]);
    const statics = all.filter(({ isStatic }) => isStatic)
      .map((each): Row => [`${name}.${memberRow(each)[0]}`, memberRow(each)[1]]);
    page.list("Made by", [...constructors, ...statics]);
    const own = all.filter(({ isStatic }) => !isStatic);
    page.list("State", own.filter((member) => !isMethod(member)).map(memberRow));
    page.list("Methods", own.filter(isMethod).map(memberRow));
    page.examples(jsDoc);
    const example = own.find(isMethod) ?? own[0];
    if (example !== undefined) {
      page.paragraph(`help("${name}.${example.name}") tells more of one of these.`);
    }
  }

  #member(page: Page, owner: string, member: DocumentedMember): void {
    const { name, isStatic, kind, functionDef, jsDoc } = member;
    const full = `${isStatic ? "static " : ""}${owner}.${name}`;
    if (functionDef !== undefined && kind === "method") {
      page.heading(signature(full, functionDef));
      this.#function(page, functionDef, jsDoc);
      return;
    }
    const type = functionDef?.returnType ?? member.tsType;
    page.heading(`${full}${member.optional ? "?" : ""}: ${typeText(type)}`);
    this.#function(page, { params: [] }, jsDoc);
  }

  /** What belongs to a call: its text, parameters, what comes back, what it throws, its options. */
  #function(page: Page, { params = [] }: Partial<FunctionShape>, jsDoc: JsDoc | undefined): void {
    page.doc(jsDoc);
    const tags = jsDoc?.tags ?? [];
    const rows = (kind: string, left: (tag: Tag) => string): Row[] =>
      tags.filter((tag) => tag.kind === kind).map((tag) => [left(tag), plain(tag.doc ?? "")]);
    page.list("Parameters", rows("param", ({ name = "" }) => name));
    page.list("Returns", rows("return", () => ""));
    page.list("Throws", rows("throws", ({ tsType }) => typeText(tsType)));
    for (const parameter of params) {
      const type = (parameter.left ?? parameter).tsType;
      const name = type?.kind === "typeRef" ? type.repr ?? "" : "";
      const symbol = this.#symbols.get(name);
      if (symbol === undefined || !name.endsWith("Options")) continue;
      page.list(name, this.#membersOf(symbol).map(memberRow));
    }
    page.examples(jsDoc);
  }
}

function kindOf(declarations: readonly Declaration[]): Summary["kind"] {
  for (const { kind } of declarations) {
    if (kind === "class" || kind === "function") return kind;
    if (kind !== "interface" && kind !== "typeAlias") return "constant";
  }
  return "type";
}

/** Something short and what it means. */
type Row = readonly [left: string, right: string];

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

/** Members that a program may use. */
function members({ properties = [], methods = [] }: Definition): readonly DocumentedMember[] {
  const known = [...properties, ...methods];
  return known.filter((member) =>
    isPublic(member) && !member.name.startsWith("[") && member.kind !== "setter"
  );
}

/** A tag on the same line as the text stays in the text. */
function isPublic({ accessibility, jsDoc }: DocumentedMember): boolean {
  const { doc = "", tags = [] } = jsDoc ?? {};
  return accessibility === undefined && !/@internal\s*$/.test(doc) &&
    !tags.some(({ kind }) => kind === "internal");
}

function parentsOf({ extends: parents }: Definition): readonly string[] {
  if (parents === undefined) return [];
  return typeof parents === "string" ? [parents] : parents.map(({ repr = "" }) => repr);
}

/** A member in a list: how it is used, and what it is. */
function memberRow(member: DocumentedMember): Row {
  const { name, kind, functionDef, optional, params, tsType, jsDoc } = member;
  const shape = functionDef ?? (params === undefined ? undefined : member);
  const left = shape !== undefined && (kind === "method" || functionDef === undefined)
    ? `${name}(${parameterNames(shape)})`
    : `${name}${optional ? "?" : ""}: ${brief(typeText(functionDef?.returnType ?? tsType))}`;
  const usual = jsDoc?.tags?.find(({ kind }) => kind === "default")?.value;
  const sentence = firstSentence(jsDoc?.doc);
  return [left, usual === undefined ? sentence : `${sentence} Default: ${usual}.`];
}

function parameterNames({ params = [] }: Partial<FunctionShape>): string {
  return params.map((parameter) => parameterText(parameter, false)).join(", ");
}

function parameterText(parameter: Parameter, withType: boolean): string {
  // A parameter with a default value, and one that takes all the rest.
  const { left, arg } = parameter;
  const inner = left ?? arg ?? parameter;
  const name = `${arg === undefined ? "" : "..."}${inner.name ?? "options"}`;
  const optional = left !== undefined || parameter.optional ? "?" : "";
  const type = parameter.tsType ?? inner.tsType;
  return `${name}${optional}${withType && type !== undefined ? `: ${typeText(type)}` : ""}`;
}

function signature(name: string, { params = [], returnType }: Partial<FunctionShape>): string {
  const result = returnType === undefined ? "" : `: ${typeText(returnType)}`;
  return `${name}(${
    params.map((parameter) => parameterText(parameter, true)).join(", ")
  })${result}`;
}

/** A type as one would write it. Rare kinds are left to their name, or to an ellipsis. */
function typeText(type: DocumentedType | undefined): string {
  if (type === undefined) return "unknown";
  const { kind, repr, value } = type;
  const all = (types: readonly DocumentedType[], between: string): string =>
    types.map(typeText).join(between);
  switch (kind) {
    case "typeRef": {
      const { typeName, typeParams } = value;
      return typeParams === undefined ? typeName : `${typeName}<${all(typeParams, ", ")}>`;
    }
    case "literal":
      return value.kind === "string" ? JSON.stringify(value.string) : repr ?? "…";
    case "union":
      return all(value, " | ");
    case "intersection":
      return all(value, " & ");
    case "array":
      return /[ |&]/.test(typeText(value)) ? `(${typeText(value)})[]` : `${typeText(value)}[]`;
    case "tuple":
      return `[${all(value, ", ")}]`;
    case "parenthesized":
      return `(${typeText(value)})`;
    case "optional":
      return typeText(value);
    case "typeOperator":
      // That an array cannot be changed matters to the library, not to who calls it.
      return value.operator === "readonly"
        ? typeText(value.tsType)
        : `${value.operator} ${typeText(value.tsType)}`;
    case "indexedAccess":
      return `${typeText(value.objType)}[${typeText(value.indexType)}]`;
    case "fnOrConstructor":
      return `(${
        value.params.map((parameter: Parameter) => parameterText(parameter, true)).join(", ")
      }) => ${typeText(value.tsType)}`;
    case "typeLiteral":
      return `{ ${
        (value.properties as readonly DocumentedMember[]).map(({ name, optional, tsType }) =>
          `${name}${optional ? "?" : ""}: ${typeText(tsType)}`
        ).join("; ")
      } }`;
  }
  return repr ?? "…";
}

/** A long type, such as that of a table of constants, is no help. */
function brief(type: string): string {
  return type.length > 60 ? `${type.slice(0, 57)}…` : type;
}

/** A terminal has no links: only their text is left. */
function plain(text: string): string {
  return text.replaceAll(
    /\{@link(?:code)?\s+([^}|]+)(?:\|([^}]*))?\}/g,
    (_, target, label) => (label ?? target).trim(),
  );
}

function firstSentence(text = ""): string {
  const [sentence = ""] = plain(text).replaceAll(/\s+/g, " ").split(/(?<=\.)\s(?=[A-Z`])/, 1);
  return sentence.trim();
}
