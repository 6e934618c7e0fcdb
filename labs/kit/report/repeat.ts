/**
 * The end of a report: how to repeat the run, which is in the page.
 *
 * @module
 */
import { labFileWord, shellWord } from "../lab/lab_command.ts";
import { formatSi } from "../text/format.ts";
import type { RunDocument } from "../run/run_document.ts";
import { type Html, markup } from "./html.ts";

/** The file that the page offers for saving is called so, after the lab. */
const SAFE_NAME = /[^a-z0-9._-]+/gi;

/** The section that says how to repeat the run. */
export function repeat(document: RunDocument, file: string): Html {
  const { code, invocation } = document;
  const name = `${document.lab.replaceAll(SAFE_NAME, "-").replace(/^[-.]+/, "") || "run"}.json`;
  const isCommit = code.commit !== null && /^[0-9a-f]{7,64}$/.test(code.commit);
  const bytes = new TextEncoder().encode(file);
  const { labFile } = code;
  const checkout = isCommit ? [`git checkout ${code.commit}`] : [];
  return markup`<section aria-labelledby="repeat">
<h2 id="repeat">How to repeat it</h2>
<ol>
<li>Save the run file, which holds every trial: <a download="${name}" href="data:application/json;base64,${bytes.toBase64()}">${name}</a> (${
    formatSi(bytes.length, "B")
  }).</li>
${
    labFile === undefined
      ? markup`<li>In a clone of zclab:<pre><code>${
        [...checkout, `deno task lab --replay ${name}`].join("\n")
      }</code></pre></li>`
      : ownFileSteps(labFile, checkout, name)
  }
</ol>
<p>A replay runs the same experiment with the same seed, shows first what differs around it, and
then says for each row whether it agrees.${
    isCommit
      ? code.dirty === true
        ? " The code had changes that were not committed, so that the commit alone is not all of it."
        : undefined
      : " Which commit ran was not recorded."
  }</p>
${
    invocation === null ? undefined : markup`
      <p>The same run without the file:</p>
      <pre><code>${
      commandOf(labFile === undefined ? shellWord(document.lab) : labFileWord(labFile), invocation)
    }</code></pre>
    `
  }
</section>`;
}

/** The lab is in no clone of zclab, which only runs it. */
function ownFileSteps(
  labFile: NonNullable<RunDocument["code"]["labFile"]>,
  checkout: readonly string[],
  name: string,
): Html {
  return markup`<li>The lab is in a file of its own, ${labFile.name}: put it beside the run file. The SHA-256
of its text was <code>${labFile.sha256}</code>.</li>
${
    checkout.length === 0
      ? undefined
      : markup`<li>Its run was with this version of zclab, in a clone of it:<pre><code>${
        checkout.join("\n")
      }</code></pre></li>\n`
  }<li>In the folder of the two files:<pre><code>${`deno task lab replay ${name} ${
    labFileWord(labFile)
  }`}</code></pre>Outside the clone: <code>deno task --config PATH/zclab/deno.json lab ...</code></li>`;
}

function commandOf(lab: string, invocation: NonNullable<RunDocument["invocation"]>): string {
  const { options, quick, seed, repeats } = invocation;
  const given = Object.entries(options).flatMap(([name, value]) => {
    if (value === null || value === false) return [];
    if (value === true) return [shellWord(`--${name}`)];
    return [
      shellWord(`--${name}`),
      shellWord(Array.isArray(value) ? value.join(",") : String(value)),
    ];
  });
  return [
    "deno task lab",
    lab,
    ...given,
    ...(quick ? ["--quick"] : []),
    `--seed ${seed}`,
    ...(repeats === null ? [] : [`--repeats ${repeats}`]),
  ].join(" ");
}
