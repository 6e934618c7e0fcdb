import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { defineLab, type RunContext } from "zclab/lab";
import { labText } from "../../../../labs/kit/lab/text.ts";
import type { Told } from "../../../../labs/kit/lab/told.ts";
import { askMicroscope } from "../../../../labs/kit/lab/witness.ts";
import type { Witnessed } from "../../../../labs/kit/lab/witnessed.ts";
import { disagreementLines, witnessLines } from "../../../../labs/kit/lab/witness_text.ts";
import { NO_REPORTS } from "../../../../labs/kit/workload/copy_reports.ts";

const { declaration } = defineLab({
  name: "sample",
  title: "A sample",
  description: "Sends in two ways.",
  needs: [],
  options: {},
  factors: [8, 16].flatMap((bytes) => ["copy", "zc"].map((way) => ({ bytes, way }))),
  baseline: { way: "copy" },
  within: ["bytes"],
  trial: () => ({ copied: 0 }),
  witness: { options: {}, reports: ({ copied }) => ({ receiveCopied: copied }) },
  columns: { copied: { title: "copied", evidence: true } },
});

function witnessed(way: string, bytes: number, copied: number, ...wrong: string[]): Witnessed {
  return {
    factors: { bytes, way },
    payloadBytes: 64,
    copiedBy: copied === 0 ? "nobody" : "receiver: 1 _copy_to_iter",
    reports: { ...NO_REPORTS, receiveCopied: copied },
    contradictions: wrong,
  };
}

const AGREEING = [
  ...[witnessed("copy", 8, 64), witnessed("zc", 8, 0)],
  ...[witnessed("copy", 16, 64), witnessed("zc", 16, 0)],
];

Deno.test("a witness is told once for each way, and how many agree", () => {
  const [, ...lines] = witnessLines(declaration, AGREEING);
  assertEquals(lines, [
    "  copy: receiver: 1 _copy_to_iter; reported: receiving copied 64 B.",
    "  zc: nobody; reported: receiving copied 0 B.",
    "In 4 of 4 combinations that is what the kernel and the NIC say, too.",
  ]);
  assertEquals(disagreementLines(declaration, AGREEING), []);
  assertEquals(witnessLines(declaration, []), []);
});

Deno.test("where the witness contradicts what is reported, that comes before everything else", () => {
  const all = [...AGREEING, witnessed("zc", 32, 64, "64 bytes were copied")];
  assertStringIncludes(witnessLines(declaration, all).at(-1)!, "In 4 of 5 combinations");
  const told: Told = {
    rows: [{ factors: { bytes: 8, way: "zc" }, row: { bytes: 8, way: "zc", copied: 0 } }] as never,
    trials: [],
    checks: [],
    refused: [],
    recorded: {},
    witnessed: all,
    context: { options: {} } as RunContext,
  };
  const lines = labText(declaration, told).split("\n");
  assertMatch(lines[0]!, /^DISAGREEMENT: 32 bytes, zc: 64 bytes were copied; the microscope saw /);
  assertStringIncludes(lines[1]!, "A sample");
  const without = labText(declaration, { ...told, witnessed: [] });
  assertEquals(/microscope|DISAGREEMENT/i.test(without), false);
});

Deno.test("without a microscope, or where a lab does not name it, nobody is asked", async () => {
  const { signal } = new AbortController();
  const run = (has: boolean): RunContext => ({ options: {}, has: () => has }) as never;
  const { witness: _, ...silent } = declaration;
  assertEquals(await askMicroscope(declaration, [{}], undefined, run(false), signal), []);
  assertEquals(await askMicroscope(silent, [{}], undefined, run(true), signal), []);
  assertEquals(
    await askMicroscope(declaration, [{}], undefined, run(true), AbortSignal.abort()),
    [],
  );
});
