/**
 * The environment of a report: where the run ran, and with which parameters.
 *
 * @module
 */
import { formatSi } from "../text/format.ts";
import type { RunDocument } from "../run/run_document.ts";
import type { Measure, Measures } from "../trials/trials.ts";
import { type Html, markup } from "./html.ts";

/** What the record says where nothing could be read. */
const UNKNOWN = "not known";

/** What stands above the fold, by where it is in the record. */
const FACTS: readonly (readonly [title: string, path: string])[] = [
  ["Clock counts", "clock"],
  ["Kernel", "kernel.release"],
  ["Processor", "machine.cpuModel"],
  ["Processors", "machine.cpus"],
  ["Governor", "machine.governor"],
  ["Virtual machine", "machine.virtualised"],
  ["Memory", "machine.memoryBytes"],
  ["Load before", "machine.loadAverage"],
  ["User id", "user.uid"],
  ["Deno", "versions.deno"],
  ["liburing", "versions.liburing"],
];

/** The section with the environment. */
export function environmentSection({ environment, code, parameters }: RunDocument): Html {
  const recorded = flattened(environment as unknown as Measures, "");
  const facts = FACTS.flatMap(([title, path]): [string, string][] => {
    const value = recorded.find(([name]) => name === path)?.[1];
    if (value === undefined || value === UNKNOWN) return [];
    const isSize = path.endsWith("Bytes") && Number(value) > 0;
    return [[title, isSize ? formatSi(Number(value), "B") : value]];
  });
  return markup`<section aria-labelledby="environment">
<h2 id="environment">Where it ran</h2>
${definitions([...facts, ["zclab", code.version ?? UNKNOWN], ["Commit", commitText(code)]])}
<details><summary>Everything that was recorded</summary>
${definitions(recorded)}
</details>
<details><summary>All parameters</summary>
${definitions(flattened(parameters, ""))}
</details>
</section>`;
}

function definitions(facts: readonly (readonly [string, string])[]): Html {
  return markup`<dl>${
    facts.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>\n`)
  }</dl>`;
}

function flattened(value: Measure, path: string): [string, string][] {
  const isNested = typeof value === "object" && value !== null &&
    !(Array.isArray(value) && value.every((item) => typeof item !== "object" || item === null));
  if (!isNested) {
    const text = value === null
      ? UNKNOWN
      : Array.isArray(value)
      ? value.join(", ") || "none"
      : typeof value === "boolean"
      ? (value ? "yes" : "no")
      : String(value);
    return [[path, text]];
  }
  return Object.entries(value).flatMap(([name, item]) =>
    flattened(item, path === "" ? name : `${path}.${name}`)
  );
}

function commitText({ commit, dirty }: RunDocument["code"]): string {
  if (commit === null) return "not recorded";
  return commit + (dirty === true ? ", with changes that were not committed" : "");
}
