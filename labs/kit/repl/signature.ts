/**
 * Functions and types as one would write them.
 *
 * @module
 */
import type { DocumentedMember, DocumentedType, FunctionShape, Parameter } from "./documented.ts";

/** The parameters of a function by name. */
export function parameterNames({ params = [] }: Partial<FunctionShape>): string {
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

/** A function as it is declared. */
export function signature(
  name: string,
  { params = [], returnType }: Partial<FunctionShape>,
): string {
  const result = returnType === undefined ? "" : `: ${typeText(returnType)}`;
  return `${name}(${
    params.map((parameter) => parameterText(parameter, true)).join(", ")
  })${result}`;
}

/** A type as one would write it. Rare kinds are left to their name, or to an ellipsis. */
export function typeText(type: DocumentedType | undefined): string {
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
export function brief(type: string): string {
  return type.length > 60 ? `${type.slice(0, 57)}…` : type;
}
