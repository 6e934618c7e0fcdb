/**
 * The library's own documentation as data, and as text for a terminal. It comes from `deno doc`,
 * which is asked once: that takes a few tenths of a second.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { ENTRY_POINTS } from "./library.ts";
import {
  type Declaration,
  type Definition,
  type DocumentedMember,
  type DocumentedSymbol,
  type FunctionShape,
  isPublic,
  type JsDoc,
  members,
  parentsOf,
  type Tag,
} from "./documented.ts";
import { type Layout, Page, plain, type Row } from "./page.ts";
import { brief, parameterNames, signature, typeText } from "./signature.ts";

/** An exported name, and the entry point that exports it. */
interface ExportedSymbol extends DocumentedSymbol {
  readonly entryPoint: string;
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

function firstSentence(text = ""): string {
  const [sentence = ""] = plain(text).replaceAll(/\s+/g, " ").split(/(?<=\.)\s(?=[A-Z`])/, 1);
  return sentence.trim();
}
