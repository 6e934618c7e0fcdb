import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { busyPoll } from "../../labs/busy_poll.ts";
import type { Measures, Trial } from "../../labs/kit/experiment/experiment.ts";
import { OptionError } from "../../labs/kit/options/options.ts";
import { runLab } from "../../labs/kit/lab/lab.ts";
import { networkCounters } from "../../labs/kit/testbed/network_counters.ts";
import { readRunDocument, type RunDocument } from "../../labs/kit/run/run_document.ts";
import { Durations } from "../../labs/kit/statistics/durations.ts";
import { Testbed } from "../../labs/kit/testbed/testbed.ts";
import { type Need, test } from "../needs.ts";

/** All ways of polling, and a processor for each thread, so that the polling one is not ended. */
const WHOLE: readonly Need[] = [
  ...busyPoll.needs,
  "IO_URING_NAPI_TRACKING_STATIC",
  "privileges",
  "two CPUs",
];

/** Runs the lab for a moment, and reads its document as another program would. */
async function run(
  options: Record<string, unknown>,
  repeats = 2,
): Promise<{ document: RunDocument; text: string }> {
  const { document, text } = await runLab(busyPoll, {
    options: { "round-trips": 300, ...options },
    repeats,
    seed: 5,
  });
  return { document: readRunDocument(JSON.stringify(document)), text };
}

/** A row of the summary, its combination in one word. */
function rowsOf({ summary }: RunDocument): (Measures & { readonly of: string })[] {
  return summary.map((row) => ({
    ...row,
    of: [row.link, row.processors, row.wait, row.polling].join(),
  }));
}

/** A measure of a row that is a number. */
function numberOf(row: Measures & { readonly of: string }, name: string): number {
  const value = row[name];
  assert(typeof value === "number", `${row.of}: ${name} is ${JSON.stringify(value)}`);
  return value;
}

test(
  "the lab busy-poll measures every combination, and says who polled what",
  { needs: WHOLE },
  async () => {
    const { document, text } = await run({});
    assertEquals(document.lab, "busy-poll");
    assertEquals(document.complete, true);
    assertEquals(document.parameters["round-trips"], 300);
    assertEquals(document.parameters["seed"], 5);
    assertEquals(document.parameters["refused"], []);
    const rows = rowsOf(document);
    assertEquals(rows.map(({ of }) => of), [
      "pair,two,ring,none",
      "pair,two,ring,dynamic",
      "pair,two,ring,dynamic, prefer",
      "pair,two,ring,static",
      "pair,two,ring,socket",
      "pair,two,recv(2),none",
      "pair,two,recv(2),socket",
      "pair,two,recv(2),socket, prefer",
      "pair,one,ring,none",
      "pair,one,ring,dynamic",
      "loopback,two,ring,none",
      "loopback,two,ring,dynamic",
    ]);
    for (const row of rows) {
      assertEquals(row.roundTrips, 600);
      // What takes less than a system call, or a second, was not measured in seconds.
      for (
        const name of [
          "p50Seconds",
          "p90Seconds",
          "p99Seconds",
          "cpuSecondsPerRoundTrip",
          "echoCpuSecondsPerRoundTrip",
        ]
      ) {
        const value = numberOf(row, name);
        assert(value > 1e-6 && value < 1, `${row.of}: ${name} is ${value} s`);
      }
      // One in a hundred of 600 can be told, one in a thousand cannot.
      assertEquals(row.p999Seconds, null);
      const comparisons = row.comparisons as Record<string, { difference: string }>;
      for (const name of ["p50Seconds", "cpuSecondsPerRoundTrip"]) {
        assertEquals(comparisons[name]!.difference === "baseline", row.polling === "none");
      }
      // What has no NAPI and what does not poll must not have polled.
      const polled = numberOf(row, "polledShare");
      if (row.link === "loopback" || row.polling === "none") assertEquals(polled, 0);
      assert(polled <= 1.01);
      assertEquals(numberOf(row, "napiId") > 0, row.link === "pair");
      assertEquals(row.whyNoNapi !== null, row.link === "loopback");
      assertEquals(row.proof, row.link === "pair" ? "with NAPI" : "without NAPI");
    }
    for (const name of ["ring,dynamic", "ring,static", "recv(2),socket"]) {
      const row = rows.find((row) => row.of === `pair,two,${name}`)!;
      assert(numberOf(row, "polledShare") > 0.02, `${name} fetched hardly a packet`);
    }

    assertStringIncludes(text, "every reply was checked");
    assertMatch(text, /^Verdict on median round trip:$/m);
    assertMatch(text, /^Verdict on CPU time:$/m);
    assertMatch(text, /BusyPollRxPackets/);
    assertMatch(text, /^Where it cannot help, loopback: the NAPI id is 0: .*loopback interface/m);
    assertMatch(text, /^Round trips over the pair, waiting in recv\(2\)$/m);
  },
);

test("the lab busy-poll keeps every trial, baselines twice, in the order of its seed", {
  needs: WHOLE,
}, async () => {
  const [first, second] = [await run({ "round-trips": 10 }), await run({ "round-trips": 10 })];
  const order = ({ document }: { document: RunDocument }): unknown[] =>
    document.trials.map(({ round, control, factors }) => ({ round, control, factors }));
  assertEquals(order(first), order(second));
  const counted = first.document.trials.filter((trial: Trial) => !trial.warmUp);
  // 12 combinations, and again each of the 4 that do not poll.
  assertEquals(counted.length, 2 * (12 + 4));
  for (const { measures, warmUp } of first.document.trials) {
    // Of ten round trips nobody can say what one in a hundred exceeds.
    assertEquals(measures["p99Seconds"], null);
    const all = Durations.merged([String(measures["distribution"])]);
    // A warm-up has a quarter of them.
    assertEquals([all.count, measures["roundTrips"]], warmUp ? [3, 3] : [10, 10]);
    assertAlmostEquals(all.longest / Number(measures["maxSeconds"]), 1, 1e-3);
  }
});

test(
  "the lab busy-poll runs over TCP, with a payload of several pages",
  { needs: WHOLE },
  async () => {
    const { document, text } = await run({
      protocol: "tcp",
      payload: 20_001,
      microseconds: 200,
      "round-trips": 100,
      cpu: 1,
    });
    assertStringIncludes(text, "TCP round trips of 20001 bytes");
    assertStringIncludes(text, "Requester on processor 1, echo on processor 0");
    assertEquals(document.parameters["cpu"], 1);
    assertEquals(document.parameters["echoCpu"], 0);
    for (const row of rowsOf(document)) {
      assertEquals(row.roundTrips, 200);
      assertEquals(numberOf(row, "napiId") > 0, row.link === "pair");
    }
  },
);

test("the lab busy-poll refuses what cannot be, and stops when it is asked to", {
  needs: busyPoll.needs,
}, async () => {
  for (
    const options of [
      { payload: 7 },
      { payload: 60_001 },
      { microseconds: 0 },
      { microseconds: 10_001 },
      { "round-trips": 0 },
      { protocol: "sctp" },
      { cpu: 8191 },
    ]
  ) {
    await assertRejects(() => run(options), OptionError, Object.keys(options)[0]);
  }
  const reason = new Error("enough");
  await assertRejects(
    () => runLab(busyPoll, { signal: AbortSignal.abort(reason) }),
    Error,
    "enough",
  );
  const controller = new AbortController();
  await assertRejects(
    () =>
      runLab(busyPoll, {
        options: { "round-trips": 10_000_000 },
        signal: controller.signal,
        // The first trial has begun; it would take minutes.
        progress: { update: () => void setTimeout(() => controller.abort(reason), 1) },
      }),
    Error,
    "enough",
  );
});

Deno.test("networkCounters() reads the counters of one namespace", async () => {
  await using bed = await Testbed.loopback();
  const counters = await networkCounters(bed.near);
  assertEquals(counters["TcpExt.BusyPollRxPackets"], 0);
  assertEquals(counters["IpExt.InOctets"], 0);
  for (const [name, value] of Object.entries(counters)) {
    assertMatch(name, /^[A-Za-z]+\.\w+$/);
    assert(Number.isFinite(value), name);
  }
});
