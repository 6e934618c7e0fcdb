/**
 * Compiles run_schema.json ahead of time: `deno run -A labs/kit/run/compile_run_schema.ts`, after it was
 * changed. Ajv itself takes a fifth of a second to load and compile, which each command that reads a
 * document would wait for.
 *
 * @module
 */
import { Ajv2020 as Ajv } from "ajv/2020";
import standalone from "ajv/standalone";
import schema from "./run_schema.json" with { type: "json" };

/** Where the compiled schema is kept. */
export const COMPILED = new URL("./run_schema_check.js", import.meta.url);

const HEADER = `// deno-lint-ignore-file
// deno-fmt-ignore-file
// Made from run_schema.json by compile_run_schema.ts.
`;

/** The compiled schema as a module, whose default export says whether a value fulfils it. */
export function compiledRunSchema(): string {
  const ajv = new Ajv({
    strict: true,
    allowUnionTypes: true,
    messages: false,
    code: { source: true, esm: true, lines: true },
  });
  return `${HEADER}${standalone.default(ajv, ajv.compile(schema))}`;
}

if (import.meta.main) Deno.writeTextFileSync(COMPILED, compiledRunSchema());
