import { assert, assertEquals } from "@std/assert";
import { CATALOGUE } from "../../../../labs/catalogue.ts";
import { codeVersion } from "../../../../labs/kit/experiment/code_version.ts";
import { compareRuns } from "../../../../labs/kit/run/compare_runs.ts";
import type { RowDeclaration } from "../../../../labs/kit/run/run_rows.ts";
import { environment } from "../../../../labs/kit/experiment/environment.ts";
import { replayOptions } from "../../../../labs/kit/commands/replay.ts";
import {
  readRunDocument,
  RUN_SCHEMA,
  type RunDocument,
} from "../../../../labs/kit/run/run_document.ts";
import type { Factors, Measures, Trial } from "../../../../labs/kit/trials/trials.ts";

const ENVIRONMENT = environment();

function rowsOf(name: string): RowDeclaration {
  const rows = CATALOGUE.find((lab) => lab.name === name)?.rows;
  assert(rows !== undefined, name);
  return rows;
}

/** A run of a lab with one warm-up and three rounds of each combination. */
function run(
  lab: string,
  measured: readonly (readonly [Factors, Measures])[],
  parameters: Measures = {},
): RunDocument {
  const trials = [0, 1, 2, 3].flatMap((round) =>
    measured.map(([factors, measures], order): Trial => ({
      round,
      order,
      warmUp: round === 0,
      control: false,
      factors,
      measures,
      startedAt: "2026-01-02T03:04:05Z",
      seconds: 0.1,
    }))
  );
  return {
    schema: RUN_SCHEMA,
    lab,
    invocation: null,
    parameters,
    seed: 1,
    environment: ENVIRONMENT,
    code: codeVersion(),
    startedAt: null,
    complete: true,
    trials,
    summary: [],
  };
}

/** What the rows of a run prove, and which of them are baselines. */
function provedBy(document: RunDocument): { proofs: (string | null)[]; baselines: boolean[] } {
  const { proofs, rows } = compareRuns(document, document, rowsOf(document.lab));
  return {
    proofs: proofs.map(({ first }) => first),
    baselines: rows.map(({ isBaseline }) => isBaseline),
  };
}

Deno.test("every lab says how its runs are compared", () => {
  for (const { name, rows } of CATALOGUE) {
    assert(rows !== undefined, name);
    for (const factor of [...Object.keys(rows.baseline), ...rows.within]) {
      assert(rows.keys?.includes(factor) ?? true, `${name}: ${factor}`);
    }
  }
});

Deno.test("tx-copy-vs-zc: the kernel's copied count is the proof", () => {
  const of = (mode: string, copied: number | null): [Factors, Measures] => [
    { sink: "ifb", payload: 600, mode },
    { datagramsPerSecond: 5, copied, sent: 10 },
  ];
  const document = run("tx-copy-vs-zc", [
    of("non-zc", null),
    of("zc", 0),
    of("zc+flush", 10),
    of("zc-fixed", 3),
  ]);
  assertEquals(provedBy(document), {
    proofs: ["not copied", "copied", "partly copied"],
    baselines: [true, false, false, false],
  });
});

Deno.test("tx-copy-vs-zc: runs to two addresses have the same rows", () => {
  const to = (sink: string): RunDocument =>
    run("tx-copy-vs-zc", [[{ sink, payload: 600, mode: "non-zc" }, { datagramsPerSecond: 5 }]]);
  const rows = rowsOf("tx-copy-vs-zc");
  const other = compareRuns(to("192.0.2.1:9000"), to("192.0.2.2:9000"), rows);
  assertEquals(other.rows.map(({ key }) => key["sink"]), ["a host"]);
});

Deno.test("busy-poll: whether there was a NAPI is the proof, two measures are compared", () => {
  const of = (link: string, polling: string, napiId: number): [Factors, Measures] => [
    { link, processors: "two", wait: "ring", polling },
    { p50Seconds: 1e-5, cpuSecondsPerRoundTrip: 1e-6, napiId },
  ];
  const document = run("busy-poll", [
    of("loopback", "none", 0),
    of("pair", "none", 8),
    of("pair", "dynamic", 8),
  ]);
  assertEquals(provedBy(document), {
    proofs: ["without NAPI", "with NAPI", "with NAPI"],
    baselines: [true, true, false, true, true, false],
  });
});

Deno.test("rx-zcrx: all three witnesses are the proof", () => {
  const of = (engine: string, device: string, measures: Measures): [Factors, Measures] => [
    { engine, device, mtu: 1500, buffer: engine === "recv" ? null : 4096, cores: "other" },
    { bytes: 100, bytesPerSecond: 5, copiedBytes: null, placedBytes: null, ...measures },
  ];
  const measured = [
    of("recv", "softnic", {}),
    of("zcrx", "none", { copiedBytes: 100, placedBytes: 0 }),
    of("zcrx", "softnic", { copiedBytes: 0, placedBytes: 100 }),
  ];
  const factors = measured[2]![0];
  const proofs = [{ ...factors, bytes: 1, pages: { same: true, read: 1, placed: 1 } }];
  assertEquals(provedBy(run("rx-zcrx", measured, { proofs })), {
    proofs: ["copied", "not copied"],
    baselines: [true, false, false],
  });
  // Without the pages the third witness is missing.
  assertEquals(provedBy(run("rx-zcrx", measured)).proofs, ["copied", "unclear"]);
  // Today they are a measure of the warm-up.
  const today = (same: boolean): RunDocument =>
    run(
      "rx-zcrx",
      measured.map(([factors, measures]) => [factors, { ...measures, samePages: same }]),
    );
  assertEquals(provedBy(today(true)).proofs, ["copied", "not copied"]);
  assertEquals(provedBy(today(false)).proofs, ["copied", "unclear"]);
});

for (
  const [name, proofs] of Object.entries({
    rx_zcrx: ["copied", "not copied"],
    rx_held_pieces: ["goes on", "goes on", "goes on", "stands still", "goes on", "stands still"],
  })
) {
  Deno.test(`the recorded run ${name} still proves what it did, and replays`, async () => {
    const path = new URL(`../../../../notebooks/recorded/${name}.json`, import.meta.url);
    const document = readRunDocument(await Deno.readTextFile(path));
    const lab = CATALOGUE.find((lab) => lab.name === document.lab)!;
    assertEquals(provedBy(document).proofs, proofs);
    const options = replayOptions(document, lab).options as Measures;
    for (const [option, value] of Object.entries(options)) {
      assertEquals(value, document.parameters[option]!, option);
    }
  });
}

Deno.test("rx-devmem: the kernel's counts and the pages of the warm-up are the proof", () => {
  const of = (receive: string, samePages: boolean | null): [Factors, Measures] => {
    const inDmaBuf = receive === "devmem" ? 100 : 0;
    return [{ mtu: 1500, send: "copy", receive }, {
      bytesPerSecond: 5,
      payloadBytes: 100,
      dmaBufBytes: inDmaBuf,
      placedBytes: inDmaBuf,
      linearBytes: 0,
      readableBytes: 0,
      receivedBytes: 100 - inDmaBuf,
      samePages,
    }];
  };
  const good = run("rx-devmem", [of("copy", null), of("devmem", true)]);
  assertEquals(provedBy(good), { proofs: ["not copied"], baselines: [true, false] });
  const bad = run("rx-devmem", [of("copy", null), of("devmem", false)]);
  assertEquals(provedBy(bad).proofs, ["copied"]);
});

Deno.test("rx-to-disk: that no CPU touched the payload is the proof", () => {
  const of = (path: string, bouncedBytes: number): [Factors, Measures] => [
    { path, device: "softnic" },
    {
      bytes: 100,
      bytesPerSecond: 5,
      directBytes: 100 - bouncedBytes,
      bouncedBytes,
      copiedBytes: 0,
      placedBytes: 100,
      cachedBytes: 0,
    },
  ];
  const good = run("rx-to-disk", [of("recv+write", 0), of("zcrx+direct", 0)]);
  assertEquals(provedBy(good), { proofs: ["untouched"], baselines: [true, false] });
  const bad = run("rx-to-disk", [of("recv+write", 0), of("zcrx+direct", 1)]);
  assertEquals(provedBy(bad).proofs, ["touched by a CPU"]);
});
