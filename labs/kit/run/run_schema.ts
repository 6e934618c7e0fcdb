/**
 * What is wrong with a run document: checked as `run_schema.json` says, and told for people.
 *
 * @module
 */
import schema from "./run_schema.json" with { type: "json" };
import compiled from "./run_schema_check.js";

/** What is wrong with a value. */
export interface SchemaProblem {
  /** Where, such as `trials[3].factors.mode`; empty for the whole. */
  readonly path: string;
  /** What belongs there, such as `a string`. */
  readonly expected: string;
  /** What is there; undefined if nothing is. */
  readonly found: unknown;
}

/** What Ajv says of a part that is not as the schema has it. */
interface Complaint {
  /** Where: names and numbers, each after a slash. */
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: { readonly missingProperty?: string };
}

/** The compiled schema: whether a value fulfils it, and what it found wrong last. */
const fulfils = compiled as unknown as {
  (value: unknown): boolean;
  errors: readonly Complaint[] | null;
};

/** A part of a schema, as far as this schema uses the language. */
interface Part {
  readonly $ref?: string;
  readonly title?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly Part[];
  readonly minimum?: number;
  readonly properties?: Readonly<Record<string, Part>>;
  readonly additionalProperties?: Part;
  readonly items?: Part;
}

const ROOT: Part & { readonly $defs: Readonly<Record<string, Part>> } = schema;

const TYPES: Readonly<Record<string, string>> = {
  object: "an object",
  array: "an array",
  string: "a string",
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
  null: "null",
};

/**
 * Finds out what keeps a value from being a run document.
 *
 * @param value The value.
 * @returns What is wrong first; undefined if nothing is.
 */
export function runSchemaProblem(value: unknown): SchemaProblem | undefined {
  if (fulfils(value)) return undefined;
  // Where there are alternatives, each of them complains: that which got farthest was meant.
  const [steps] = fulfils.errors!.map(stepsTo).sort((one, other) => other.length - one.length);
  let [part, found]: [Part, unknown] = [ROOT, value];
  let path = "";
  for (const step of steps!) {
    path += Array.isArray(found) ? `[${step}]` : path === "" ? step : `.${step}`;
    part = partOf(part, step);
    found = (found as Record<string, unknown>)[step];
  }
  return { path, expected: expectedOf(part), found };
}

function stepsTo({ instancePath, params: { missingProperty } }: Complaint): string[] {
  const steps = instancePath.split("/").slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  return missingProperty === undefined ? steps : [...steps, missingProperty];
}

/** What the schema says of a property or an item. */
function partOf(part: Part, step: string): Part {
  const { properties = {}, additionalProperties, items } = resolved(part);
  const own = Object.hasOwn(properties, step) ? properties[step] : undefined;
  return own ?? additionalProperties ?? items ?? {};
}

/** A part itself, where it only refers to one, or says that it may be null as well. */
function resolved(part: Part): Part {
  const { $ref, oneOf } = part;
  if ($ref !== undefined) return resolved(ROOT.$defs[$ref.slice("#/$defs/".length)]!);
  const other = oneOf?.find(({ type }) => type !== "null");
  return other === undefined ? part : resolved(other);
}

/** What belongs somewhere, in words. That it may be null as well is not worth saying. */
function expectedOf(part: Part): string {
  const { title, type, const: only, enum: choices, minimum } = resolved(part);
  if (title !== undefined) return title;
  if (only !== undefined) return JSON.stringify(only);
  if (choices !== undefined) return either(choices.map((choice) => JSON.stringify(choice)));
  const types = [type ?? []].flat();
  const named = types.length === 2 ? types.filter((one) => one !== "null") : types;
  const words = either(named.map((one) => TYPES[one] ?? one));
  return minimum === 0 ? `${words} that is not negative` : words;
}

/** `a, b or c`. */
function either(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
