import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { readRunDocument } from "zclab/experiment";
import { OptionError, runLab } from "zclab/lab";
import { txColdMemory } from "../../labs/tx_cold_memory.ts";
import { Unprivileged } from "../unprivileged.ts";
import { test } from "../needs.ts";

const SHORT = { quick: true, repeats: 2, seed: 7 } as const;

Deno.test("tx-cold-memory sends from each memory in each way, and nothing that is lent is copied", async () => {
  const { document } = await runLab(txColdMemory, {
    ...SHORT,
    options: { memory: [2], seconds: 0.002 },
  });
  assertEquals(
    document.summary.map(({ mode, memory }) => `${mode} ${memory}`),
    ["send 1", "send 2", "send-zc 1", "send-zc 2", "send-zc-fixed 1", "send-zc-fixed 2"],
  );
  for (const { mode, copied, sent, proof, cpuSecondsPerRequest } of document.summary) {
    assert(Number(sent) > 0 && Number(cpuSecondsPerRequest) > 0, String(mode));
    assertEquals([copied, proof], mode === "send" ? [null, null] : [0, "not copied"]);
  }
});

Deno.test("tx-cold-memory compares each way of sending with itself from 1 MiB", async () => {
  const { document, text } = await runLab(txColdMemory, {
    ...SHORT,
    options: { memory: [2], mode: ["send"], seconds: 0.002, payload: 4097 },
  });
  const [warm, other] = document.summary as unknown as readonly {
    readonly comparisons: { readonly cpuSecondsPerRequest: { readonly difference: string } };
  }[];
  assertEquals(warm!.comparisons.cpuSecondsPerRequest.difference, "baseline");
  assert(other!.comparisons.cpuSecondsPerRequest.difference !== "baseline");
  assertStringIncludes(text, "from 2 MiB");
});

Deno.test("tx-cold-memory refuses a memory that is no larger than what it is compared with", async () => {
  await assertRejects(
    () => runLab(txColdMemory, { options: { memory: [1] } }),
    OptionError,
    "memory",
  );
});

test(
  "tx-cold-memory needs no root, and says where RLIMIT_MEMLOCK forbids registered memory",
  { needs: ["root"] },
  () => {
    using nobody = new Unprivileged();
    const { project, denoDirectory } = nobody.shareProject();
    const file = `${nobody.directory}/home/run.json`;
    const { code, stdout, stderr } = nobody.run(
      ...["prlimit", `--memlock=${7 << 20}`],
      ...["env", `DENO_DIR=${denoDirectory}`, nobody.deno, "run", "-A", "--cached-only"],
      ...["-c", `${project}/deno.json`, `${project}/labs/main.ts`, "tx-cold-memory"],
      ...["--repeats", "2", "--memory", "8", "--seconds", "0.002", "--json", file],
    );
    assertEquals(code, 0, stderr);
    const { parameters, summary } = readRunDocument(Deno.readTextFileSync(file));
    const refused = parameters.refused as unknown as readonly { mode: string; memory: number }[];
    assertEquals(refused.map(({ mode, memory }) => [mode, memory]), [["send-zc-fixed", 8]]);
    assertEquals(summary.length, 5);
    assertStringIncludes(stdout, "RLIMIT_MEMLOCK");
  },
);
