/**
 * Lists the tests of files without running any: loads all files in one process, which takes seconds,
 * where `deno test` loads each anew.
 *
 * `deno run -A test/listing.ts LIST FILE...` writes an array of {@linkcode Listed} to LIST.
 *
 * @module
 */
import { resolve, toFileUrl } from "@std/path";
import { DECLARED, type Declared, type Lack } from "./needs.ts";

/** A test, or a file whose tests cannot be known because loading it fails. */
export interface Listed {
  /** Its file, as it was given. */
  readonly file: string;
  /** Its name, without what is missing; not there if the file could not be loaded. */
  readonly name?: string;
  /** The name that it is registered under, with what is missing. */
  readonly registered: string;
  /** What it needs and is missing. */
  readonly lacks: readonly Lack[];
}

type Definition = Partial<Deno.TestDefinition> & { readonly [DECLARED]?: Declared };

/**
 * Loads files, and notes what they register.
 *
 * @param files The files.
 * @returns Their tests, in the order of registration.
 */
async function list(files: readonly string[]): Promise<Listed[]> {
  const listed: Listed[] = [];
  let file = "";
  const note = (...args: readonly unknown[]): void => {
    const { name, declared } = definitionOf(args);
    listed.push({
      file,
      name: declared.name ?? name,
      registered: name,
      lacks: declared.lacks ?? [],
    });
  };
  const nothing = (): void => {};
  const others = { beforeAll: nothing, beforeEach: nothing, afterEach: nothing, afterAll: nothing };
  // What modules say while they are loaded they say again when their tests run.
  Object.assign(console, { debug: nothing, error: nothing, info: nothing, log: nothing });
  Object.assign(console, { warn: nothing });
  Object.assign(Deno, { test: Object.assign(note, { ignore: note, only: note, ...others }) });
  for (file of files) {
    try {
      await import(toFileUrl(resolve(file)).href);
    } catch {
      listed.push({ file, registered: "", lacks: [] });
    }
  }
  return listed;
}

/** What `Deno.test` was told, in whichever of its forms. */
function definitionOf(args: readonly unknown[]): { name: string; declared: Partial<Declared> } {
  const named = args.find((arg) => typeof arg === "string");
  const definition = args.find((arg) => typeof arg === "object") as Definition | undefined;
  const run = args.find((arg) => typeof arg === "function") as { name: string } | undefined;
  const name = named ?? definition?.name ?? run?.name ?? "";
  return { name, declared: definition?.[DECLARED] ?? {} };
}

if (import.meta.main) {
  const [path, ...files] = Deno.args;
  await Deno.writeTextFile(path!, JSON.stringify(await list(files)));
  // What the modules have begun is of no interest.
  Deno.exit(0);
}
