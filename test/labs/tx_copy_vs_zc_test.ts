import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { Socket, Testbed } from "zclab";
import { environment, readRunDocument, type RunDocument } from "zclab/experiment";
import { OptionError, runLab, transmit, TRANSMIT_MODES } from "zclab/lab";
import { clearingLine, txCopyVsZc } from "../../labs/tx_copy_vs_zc.ts";
import { Unprivileged } from "../unprivileged.ts";
import { test } from "../needs.ts";

const SHORT = { quick: true, repeats: 2, seed: 7 } as const;
const ZERO_COPY = TRANSMIT_MODES.filter((mode) => mode !== "non-zc" && mode !== "gso");

type Row = {
  readonly payload: number;
  readonly mode: string;
  readonly requestsPerSecond: number;
  readonly datagramsPerSecond: number;
  readonly comparisons: {
    readonly datagramsPerSecond: { readonly ratio: number; readonly difference: string } | null;
  };
  readonly proof: string | null;
  readonly copied: number | null;
  readonly sent: number;
  readonly notified: number | null;
  readonly mail: number | null;
};

function rowsOf(document: RunDocument): readonly Row[] {
  return document.summary as unknown as readonly Row[];
}

for (const sink of ["ifb", "veth"] as const) {
  Deno.test(`tx-copy-vs-zc into ${sink}: no zero-copy request is copied`, async () => {
    const { document, text } = await runLab(txCopyVsZc, {
      ...SHORT,
      // GSO packets in batches of the usual 32 lock all that an ordinary user may lock.
      options: { sink, payload: [600, 8000], seconds: 0.005, batch: 8 },
    });
    const rows = rowsOf(document);
    assertEquals(rows.map((row) => row.mode), [...TRANSMIT_MODES, ...TRANSMIT_MODES]);
    for (const row of rows) {
      const expected = ZERO_COPY.some((mode) => mode === row.mode) ? [0, row.sent] : [null, null];
      assertEquals([row.copied, row.notified], expected, row.mode);
      assert(row.sent > 0 && row.requestsPerSecond > 0);
      assertEquals(row.proof, row.copied === 0 ? "not copied" : null, row.mode);
      const { ratio, difference } = row.comparisons.datagramsPerSecond!;
      assertEquals(difference === "baseline", row.mode === "non-zc");
      // A GSO packet of 64 datagrams is many times faster than as many requests, however busy it is here.
      if (row.mode === "gso+zc-fixed" && row.payload === 600) assert(ratio > 2, String(ratio));
    }
    // The controls ran, and there every request was copied.
    const controls = document.trials.filter((trial) => trial.factors.sink !== sink);
    assertEquals(controls.map((trial) => trial.factors.sink), ["loopback", "veth-receiver"]);
    for (const { measures } of controls) assertEquals(measures.copied, measures.sent);
    assertStringIncludes(text, "as it must be");
    assertStringIncludes(text, clearingLine(environment().kernel.clearsOnAllocation ?? null));
    // A document that is written can be read back.
    assertEquals(readRunDocument(JSON.stringify(document)).parameters.seed, 7);
  });
}

Deno.test("tx-copy-vs-zc says what a copy pays for its buffer, and how to see the other", () => {
  assertMatch(clearingLine(true), /^This kernel clears .* init_on_alloc=0 -- deno task lab tx-/);
  assertMatch(clearingLine(false), /^This kernel does not clear .* init_on_alloc=1 -- /);
  assertMatch(clearingLine(null), / is not known\. .* init_on_alloc=0 -- /);
});

Deno.test("tx-copy-vs-zc over loopback: every zero-copy request is copied", async () => {
  const { document } = await runLab(txCopyVsZc, {
    ...SHORT,
    options: { sink: "loopback", payload: [1500], seconds: 0.005 },
  });
  for (const row of rowsOf(document)) {
    const expected = ZERO_COPY.some((mode) => mode === row.mode) ? row.sent : null;
    assertEquals([row.copied, row.notified], [expected, expected], row.mode);
  }
});

Deno.test("tx-copy-vs-zc: copying runs beside the modes asked for, and GSO packets are told apart", async () => {
  const { document } = await runLab(txCopyVsZc, {
    ...SHORT,
    options: { mode: ["gso+zc-fixed"], payload: [1000], seconds: 0.005, batch: 4 },
  });
  const [copy, packet] = rowsOf(document);
  assertEquals([copy!.mode, packet!.mode], ["non-zc", "gso+zc-fixed"]);
  // 64 datagrams of 1000 bytes fit into one UDP packet of 65 000.
  assertEquals(Math.round(packet!.datagramsPerSecond / packet!.requestsPerSecond), 64);
});

/** Memory that the kernel has pinned for this process, as `VmPin` in proc(5) has it. */
function pinned(): string {
  return /^VmPin:\s*(.*)$/m.exec(Deno.readTextFileSync("/proc/thread-self/status"))![1]!;
}

Deno.test("transmit() sends one buffer again and again as it sends many", async () => {
  await using bed = await Testbed.sink();
  for (const mode of TRANSMIT_MODES) {
    using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
    const options = { mode, payload: 1500, batch: 8, seconds: 0.002, buffers: "one" } as const;
    const { sent, notified, copied } = transmit(socket, options);
    const expected = ZERO_COPY.some((other) => other === mode) ? sent : null;
    assert(sent > 0 && sent % 8 === 0, mode);
    assertEquals([notified, copied], [expected, expected === null ? null : 0], mode);
  }
});

Deno.test("transmit() gives locked memory back before it returns: the next one may need it", async () => {
  await using bed = await Testbed.sink();
  const before = pinned();
  for (const mode of ["zc-fixed", "zc-fixed+flush", "gso+zc-fixed"] as const) {
    using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
    transmit(socket, { mode, payload: 8000, batch: 8, seconds: 0.001 });
    assertEquals(pinned(), before, mode);
  }
});

Deno.test("tx-copy-vs-zc prints the ratios of the mail beside its own", async () => {
  const { document } = await runLab(txCopyVsZc, {
    ...SHORT,
    options: { mode: ["zc", "zc+flush"], payload: [600, 1500, 8000], seconds: 0.002 },
  });
  // Of the counts in the mail, not of its rounded percentages; its dummy device had no 1500.
  const found = rowsOf(document).map((row) => row.mail === null ? null : row.mail.toFixed(3));
  assertEquals(found, [null, "1.130", "1.042", null, null, null, null, "1.844", "1.711"]);
});

Deno.test("tx-copy-vs-zc refuses what is no sink before anything runs", async () => {
  for (const sink of ["", "wire", "192.0.2.1", "192.0.2.1:0", "192.0.2.1:65536", "host:9000"]) {
    await assertRejects(() => runLab(txCopyVsZc, { options: { sink } }), OptionError, "sink");
  }
});

test(
  "tx-copy-vs-zc needs no root, and says which modes RLIMIT_MEMLOCK forbids",
  { needs: ["root"] },
  () => {
    using nobody = new Unprivileged();
    const file = `${nobody.directory}/home/run.json`;
    const { code, stdout, stderr } = nobody.runProject(
      "labs/main.ts",
      ...["--quick", "--repeats", "2", "--payload", "8000", "--seconds", "0.002", "--json", file],
    );
    assertEquals(code, 0, stderr);
    const { summary, parameters } = readRunDocument(Deno.readTextFileSync(file));
    const copied = summary.map((row) => row.copied).filter((count) => count !== null);
    assertEquals(new Set(copied), new Set([0]));
    // What is too much for the limit is named with the reason, not left out.
    const refused = parameters.refused as unknown as readonly { mode: string; why: string }[];
    assertEquals(refused.length + summary.length, TRANSMIT_MODES.length);
    for (const { mode, why } of refused) {
      assertStringIncludes(why, "RLIMIT_MEMLOCK");
      assertStringIncludes(stdout, `Not possible here: ${mode}`);
    }
  },
);

test(
  "tx-copy-vs-zc needs the locked memory of one trial, and not that of the one before as well",
  { needs: ["root"] },
  () => {
    using nobody = new Unprivileged();
    const { project, denoDirectory } = nobody.shareProject();
    const home = `${nobody.directory}/home`;
    const file = `${home}/run.json`;
    // Each trial registers 1024 KiB: 4 batches of 32 pieces of two pages.
    const lab = ["tx-copy-vs-zc", "--payload", "8000", "--mode", "zc-fixed,zc-fixed+flush"];
    const { code, stderr } = nobody.run(
      ...["prlimit", `--memlock=${1536 << 10}`],
      ...["env", `DENO_DIR=${denoDirectory}`, nobody.deno, "run", "-A", "--cached-only"],
      ...["-c", `${project}/deno.json`, `${project}/labs/main.ts`, ...lab],
      ...["--repeats", "20", "--seconds", "0.002", "--json", file],
    );
    assertEquals(code, 0, stderr);
    const { complete, parameters } = readRunDocument(Deno.readTextFileSync(file));
    assertEquals([complete, parameters.refused], [true, []]);
  },
);
