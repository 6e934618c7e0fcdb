/**
 * What `deno task repl` adds to Deno's own prompt: everything that the library exports, `labs`, and
 * `help`. The task evaluates {@linkcode prepare} before the first prompt.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import type { Lab } from "./lab.ts";
import { ensureSystem } from "./setup.ts";
import { describeError, exitCode, printer } from "./terminal.ts";

const LIBRARY = new URL("../../mod.ts", import.meta.url);

/** The labs by name, shown as a list with their titles. */
export type LabsByName = Readonly<Record<string, Lab>>;

/**
 * Makes sure of the system, puts everything in scope, and greets. Where the system lacks something
 * that cannot be installed, it says so and ends the process with exit code 77.
 *
 * @param scope Where the names go: the REPL's global object.
 */
export async function prepare(scope: object): Promise<void> {
  try {
    await ensureSystem();
    const [library, { CATALOGUE }] = await Promise.all([
      import("zclab"),
      import("../catalogue.ts"),
    ]);
    const names = { ...library, labs: labsByName(CATALOGUE) };
    Object.assign(scope, names, { help: makeHelp(names, printer(Deno.stdout)) });
    printer(Deno.stdout)(banner());
  } catch (error) {
    // Deno's prompt would go on without what failed to load, as if nothing had happened.
    printer(Deno.stderr)(describeError(error));
    Deno.exit(exitCode(error));
  }
}

function banner(): string {
  return `zclab: Linux zero-copy networking. Linux ${Deno.osRelease()}, Deno ${Deno.version.deno}\n` +
    "help() lists what is in scope, help(probe) explains one thing, labs are the experiments, " +
    "Ctrl-D ends\n";
}

/**
 * The labs by name.
 *
 * @param catalogue The labs.
 * @returns An object with a lab under each name.
 */
export function labsByName(catalogue: readonly Lab[]): LabsByName {
  const labs: Record<string, Lab> = {};
  for (const lab of catalogue) labs[lab.name] = lab;
  const lines = catalogue.map(({ name, title }) => `  ${name}: ${title}`);
  const text = [...lines, `run one: await runLab(labs["${catalogue[0]?.name}"], { quick: true })`];
  return Object.defineProperty(labs, Symbol.for("Deno.customInspect"), {
    value: (): string => text.join("\n"),
    enumerable: false,
  });
}

/**
 * Makes the `help` of a REPL. It prints what the library's own documentation says.
 *
 * @param names What is in scope, to find the name of a value.
 * @param print Where it prints.
 * @returns `help`: without arguments it lists everything; with a value, an instance or a name it
 *   explains that.
 */
export function makeHelp(
  names: Readonly<Record<string, unknown>>,
  print: (text: string) => void,
): (what?: unknown) => void {
  return (what?: unknown): void => {
    if (what === undefined) {
      print(overview());
      return;
    }
    const name = nameOf(what, names);
    const text = name === undefined ? "" : documentation(name);
    if (text !== "") print(text);
    else {print(
        `Nothing of zclab is known about ${Deno.inspect(what)}: help() lists all there is\n`,
      );}
  };
}

/** The exported name of a value, of the class of an instance, or the name itself. */
function nameOf(what: unknown, names: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof what === "string") return what;
  const owner = typeof what === "object" && what !== null ? what.constructor : what;
  const entry = Object.entries(names).find(([, value]) => value === what || value === owner);
  return entry?.[0];
}

/** What the documentation says about one exported name. */
function documentation(name: string): string {
  if (!/^[A-Za-z_$][\w$.]*$/.test(name)) return "";
  const { success, text } = denoDoc(["--filter", name]);
  if (!success) return "";
  // The description of the whole module comes first; it was not asked for.
  const start = text.search(/^.*Defined in/m);
  return withoutLinks(text.slice(Math.max(0, start)));
}

/** One line of what `deno doc --json` prints. */
interface DocumentedSymbol {
  readonly name: string;
  readonly declarations: readonly {
    readonly kind: string;
    readonly declarationKind: string;
    readonly jsDoc?: { readonly doc?: string };
  }[];
}

/** All exported values with the first sentence of their documentation. */
function overview(): string {
  const { success, text } = denoDoc(["--json"]);
  if (!success) return text;
  const { nodes } = JSON.parse(text) as {
    nodes: Record<string, { symbols: readonly DocumentedSymbol[] }>;
  };
  const symbols = Object.values(nodes).flatMap((node) => node.symbols);
  const rows = symbols.flatMap(({ name, declarations }) => {
    const [first] = declarations;
    // Types cannot be typed at a prompt: help("Name") explains those, too.
    const isValue = first !== undefined && !["interface", "typeAlias"].includes(first.kind) &&
      first.declarationKind === "export";
    return isValue ? [{ name, sentence: firstSentence(first.jsDoc?.doc ?? "") }] : [];
  }).sort((left, right) => left.name.localeCompare(right.name));
  const width = Math.max(...rows.map(({ name }) => name.length));
  return rows.map(({ name, sentence }) => `${name.padEnd(width)}  ${sentence}\n`).join("") +
    `${"labs".padEnd(width)}  The experiments by name.\n`;
}

function firstSentence(text: string): string {
  const [sentence = ""] = withoutLinks(text).replaceAll(/\s+/g, " ").split(/(?<=\.)\s/, 1);
  return sentence;
}

/** A terminal has no links: only their text is left. */
function withoutLinks(text: string): string {
  return text.replaceAll(/\{@link(?:code)?\s+([^}]+)\}/g, "$1");
}

function denoDoc(args: readonly string[]): { readonly success: boolean; readonly text: string } {
  const { success, stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["doc", ...args, fromFileUrl(LIBRARY)],
    cwd: fromFileUrl(new URL(".", LIBRARY)),
    env: Deno.stdout.isTerminal() ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" },
    stdin: "null",
  }).outputSync();
  const decoder = new TextDecoder();
  return { success, text: success ? decoder.decode(stdout) : decoder.decode(stderr) };
}
