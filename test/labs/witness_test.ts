/**
 * The microscope as a witness of the labs that compare copying with not copying: what it sees of each
 * combination, beside what the kernel and the NIC report, without the trials that measure.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { probe } from "zclab";
import type { DeclaredLab, RunContext } from "zclab/lab";
import { labContext } from "../../labs/kit/lab/lab.ts";
import { combinationsOf } from "../../labs/kit/lab/run.ts";
import { askMicroscope } from "../../labs/kit/lab/witness.ts";
import { disagreementLines, witnessLines } from "../../labs/kit/lab/witness_text.ts";
import { Processors } from "../../labs/kit/workload/processors.ts";
import { rxDevmem } from "../../labs/rx_devmem.ts";
import { rxToDisk } from "../../labs/rx_to_disk.ts";
import { rxZcrx } from "../../labs/rx_zcrx.ts";
import { txCopyVsZc } from "../../labs/tx_copy_vs_zc.ts";
import { testsNeeding } from "../needs.ts";

const test = testsNeeding("microscope", "softnic", "udmabuf");

/** Asks the witness of a lab, all of its combinations; returns what it prints of them. */
async function asked(lab: DeclaredLab, options: Record<string, unknown>): Promise<string[]> {
  const { declaration } = lab;
  const context = labContext(lab, { quick: true, options: options as never });
  const here = await probe();
  const run: RunContext = {
    ...context,
    processors: Processors.choose(undefined),
    has: (name) => here.item(name).state === "real",
  };
  const combinations = combinationsOf(declaration, run);
  await using stack = new AsyncDisposableStack();
  const kept = await declaration.setUp?.(
    { ...run, factors: combinations },
    async (resource) => stack.use(await resource),
  );
  const witnessed = await askMicroscope(declaration, combinations, kept, run, context.signal);
  assertEquals(disagreementLines(declaration, witnessed), []);
  assertEquals(witnessed.length, combinations.length);
  const [first, ...lines] = witnessLines(declaration, witnessed);
  assertStringIncludes(first!, "microscope");
  assertStringIncludes(lines.pop()!, `In ${combinations.length} of ${combinations.length} `);
  return lines.map((line) => line.trim());
}

test("rx-zcrx: the microscope sees who copied, and agrees with the three witnesses", async () => {
  assertEquals(await asked(rxZcrx, {}), [
    "recv, softnic; recv-multishot, softnic, buffer 16384: nic: 1 softnic_read; receiver: 1 _copy_to_iter; " +
    "reported: the NIC placed 0 B.",
    "zcrx, device: none, buffer 4096: nic: 1 softnic_read; receiver: 1 io_zcrx_copy_chunk; " +
    "reported: receiving copied 65536 B, the NIC placed 0 B.",
    "zcrx, softnic, buffer 4096: nic: 1 softnic_read; " +
    "reported: receiving copied 0 B, the NIC placed 65536 B.",
  ]);
});

test("rx-devmem: the microscope sees that only the NIC touches what is in dma-bufs", async () => {
  assertEquals(await asked(rxDevmem, { mtu: [4148] }), [
    "send to recv: sender: 1 _copy_from_iter; nic: 1 softnic_read; receiver: 1 _copy_to_iter; " +
    "reported: receiving copied 65536 B, the NIC placed 0 B.",
    "send to devmem receive: sender: 1 _copy_from_iter; nic: 1 softnic_read; " +
    "reported: receiving copied 0 B, the NIC placed 65536 B.",
    "devmem send to recv: nic: 1 softnic_read; receiver: 1 _copy_to_iter; " +
    "reported: receiving copied 65536 B, the NIC placed 0 B.",
    "devmem send to devmem receive: nic: 1 softnic_read; " +
    "reported: receiving copied 0 B, the NIC placed 65536 B.",
  ]);
});

test("rx-to-disk: the microscope sees who touches the payload between NIC and disk", async () => {
  assertEquals(await asked(rxToDisk, {}), [
    "recv+write, softnic: sender: 1 copy_folio_from_iter_atomic; nic: 1 softnic_read; receiver: 1 _copy_to_iter; " +
    "reported: the NIC placed 0 B, the page cache has 65536 B.",
    "recv+direct, softnic: nic: 1 softnic_read; receiver: 1 _copy_to_iter; " +
    "reported: the NIC placed 0 B, the page cache has 0 B.",
    "zcrx+direct, softnic: nic: 1 softnic_read; " +
    "reported: receiving copied 0 B, the NIC placed 65536 B, the page cache has 0 B.",
  ]);
});

test("tx-copy-vs-zc: the microscope sees a copy of each byte, or none", async () => {
  assertEquals(await asked(txCopyVsZc, { payload: [600, 8000] }), [
    "non-zc; gso: sender: 1 _copy_from_iter; " +
    "reported: nothing.",
    "zc; zc+flush; zc-fixed; zc-fixed+flush; msg-zerocopy; gso+zc-fixed: nobody; " +
    "reported: not copied.",
  ]);
});
