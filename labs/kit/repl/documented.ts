/**
 * The part of `deno doc --json` that is used here.
 *
 * @module
 */

/** A type. */
export interface DocumentedType {
  readonly kind: string;
  readonly repr?: string;
  // deno-lint-ignore no-explicit-any -- each kind has a shape of its own; see typeText()
  readonly value?: any;
}

/** A parameter of a function. */
export interface Parameter {
  readonly kind: string;
  readonly name?: string;
  readonly optional?: boolean;
  readonly left?: Parameter;
  readonly arg?: Parameter;
  readonly tsType?: DocumentedType;
}

/** A tag of a documentation comment. */
export interface Tag {
  readonly kind: string;
  readonly name?: string;
  readonly doc?: string;
  /** Of `@default`. */
  readonly value?: string;
  readonly tsType?: DocumentedType;
}

/** A documentation comment. */
export interface JsDoc {
  readonly doc?: string;
  readonly tags?: readonly Tag[];
}

/** What a function takes and returns. */
export interface FunctionShape {
  readonly params: readonly Parameter[];
  readonly returnType?: DocumentedType;
}

/** A member of a class or an interface. */
export interface DocumentedMember extends Partial<FunctionShape> {
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

/** What is declared. */
export interface Definition extends Partial<FunctionShape> {
  /** One name of a class, several types of an interface. */
  readonly extends?: string | readonly DocumentedType[];
  readonly constructors?: readonly DocumentedMember[];
  readonly properties?: readonly DocumentedMember[];
  readonly methods?: readonly DocumentedMember[];
  readonly tsType?: DocumentedType;
}

/** A declaration of a name. */
export interface Declaration {
  readonly kind: string;
  readonly declarationKind: string;
  readonly jsDoc?: JsDoc;
  readonly def: Definition;
}

/** An exported name with its declarations. */
export interface DocumentedSymbol {
  readonly name: string;
  readonly declarations: readonly Declaration[];
}

/** Members that a program may use. */
export function members(
  { properties = [], methods = [] }: Definition,
): readonly DocumentedMember[] {
  const known = [...properties, ...methods];
  return known.filter((member) =>
    isPublic(member) && !member.name.startsWith("[") && member.kind !== "setter"
  );
}

/** Whether a program may use a member. */
export function isPublic({ accessibility, jsDoc }: DocumentedMember): boolean {
  // A tag on the same line as the text stays in the text.
  const { doc = "", tags = [] } = jsDoc ?? {};
  return accessibility === undefined && !/@internal\s*$/.test(doc) &&
    !tags.some(({ kind }) => kind === "internal");
}

/** The names that it inherits from. */
export function parentsOf({ extends: parents }: Definition): readonly string[] {
  if (parents === undefined) return [];
  return typeof parents === "string" ? [parents] : parents.map(({ repr = "" }) => repr);
}
