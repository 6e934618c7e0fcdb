import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { busyPoll } from "../../labs/busy_poll.ts";
import type { Trial } from "../../labs/kit/experiment/experiment.ts";
import { OptionError, runLab } from "../../labs/kit/lab/lab.ts";
import { networkCounters } from "../../labs/kit/testbed/network_counters.ts";
import { probe } from "../../labs/kit/lab/probe.ts";
import { readRunDocument, type RunDocument } from "../../labs/kit/run/run_document.ts";
import { Testbed } from "../../labs/kit/testbed/testbed.ts";

const here = await probe();
const missing = here.missing(busyPoll.needs).map((item) => item.name);
/** All ways of polling, and a processor for each thread, so that the polling one is not ended. */
const isWhole = missing.length === 0 && here.machine.cpus >= 2 && here.machine.privileged &&
  here.item("IO_URING_NAPI_TRACKING_STATIC").state === "real";
const WHOLE = "(needs root, two processors, Linux 6.13, and what the lab needs)";

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

/** What the test reads of a row of the summary. */
interface Row {
  readonly link: string;
  readonly processors: string;
  readonly wait: string;
  readonly polling: string;
  readonly roundTrips: number;
  readonly p50Microseconds: number;
  readonly p90Microseconds: number;
  readonly p99Microseconds: number;
  readonly maxMicroseconds: number;
  readonly cpuMicrosecondsPerRoundTrip: number;
  readonly echoCpuMicrosecondsPerRoundTrip: number;
  readonly polledShare: number;
  readonly napiId: number;
  readonly whyNoNapi: string | null;
  readonly versusNone: { ratio: number; low: number; high: number; difference: string };
}

function rowsOf(document: RunDocument): Row[] {
  return document.summary as unknown as Row[];
}

Deno.test({
  name: `the lab busy-poll measures every combination, and says who polled what ${WHOLE}`,
  ignore: !isWhole,
  async fn(): Promise<void> {
    const { document, text } = await run({});
    assertEquals(document.lab, "busy-poll");
    assertEquals(document.complete, true);
    assertEquals(document.parameters["round-trips"], 300);
    assertEquals(document.parameters["seed"], 5);
    assertEquals(document.parameters["refused"], []);
    const rows = rowsOf(document);
    assertEquals(
      rows.map(({ link, processors, wait, polling }) => [link, processors, wait, polling].join()),
      [
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
      ],
    );
    for (const row of rows) {
      assertEquals(row.roundTrips, 600);
      assert(row.p50Microseconds > 0);
      assert(row.p50Microseconds <= row.p90Microseconds);
      assert(row.p90Microseconds <= row.p99Microseconds);
      assert(row.p99Microseconds <= row.maxMicroseconds);
      assert(row.cpuMicrosecondsPerRoundTrip > 0);
      assert(row.echoCpuMicrosecondsPerRoundTrip > 0);
      const { ratio, low, high, difference } = row.versusNone;
      assert(low <= ratio && ratio <= high);
      assertEquals(difference === "baseline", row.polling === "none");
      // What has no NAPI and what does not poll must not have polled.
      if (row.link === "loopback" || row.polling === "none") assertEquals(row.polledShare, 0);
      assert(row.polledShare <= 1.01);
      assertEquals(row.napiId > 0, row.link === "pair");
      assertEquals(row.whyNoNapi !== null, row.link === "loopback");
    }
    for (const polling of ["dynamic", "static"]) {
      const row = rows.find((row) => row.processors === "two" && row.polling === polling)!;
      assert(row.polledShare > 0, `${polling} tracking fetched no packet at all`);
    }
    const blocking = rows.find((row) => row.wait === "recv(2)" && row.polling === "socket")!;
    assert(blocking.polledShare > 0, "SO_BUSY_POLL fetched no packet at all");

    assertStringIncludes(text, "every reply was checked");
    assertMatch(text, /^Verdict: /m);
    assertMatch(text, /BusyPollRxPackets/);
    assertMatch(text, /^Where it cannot help, loopback: the NAPI id is 0: .*loopback interface/m);
    assertMatch(text, /percentile|p99\.9/);
  },
});

Deno.test({
  name: `the lab busy-poll keeps every trial, baselines twice, in the order of its seed ${WHOLE}`,
  ignore: !isWhole,
  async fn(): Promise<void> {
    const [first, second] = [await run({ "round-trips": 10 }), await run({ "round-trips": 10 })];
    const order = ({ document }: { document: RunDocument }): unknown[] =>
      document.trials.map(({ round, control, factors }) => ({ round, control, factors }));
    assertEquals(order(first), order(second));
    const counted = first.document.trials.filter((trial: Trial) => !trial.warmUp);
    // 12 combinations, and again each of the 4 that do not poll.
    assertEquals(counted.length, 2 * (12 + 4));
    for (const { measures } of first.document.trials) {
      // Of ten round trips nobody can say what one in a thousand exceeds.
      assertEquals(measures["p999Seconds"], null);
      assertEquals(typeof measures["distribution"], "string");
    }
  },
});

Deno.test({
  name: `the lab busy-poll runs over TCP, with a payload of several pages ${WHOLE}`,
  ignore: !isWhole,
  async fn(): Promise<void> {
    const { document, text } = await run({
      protocol: "tcp",
      payload: 20_001,
      microseconds: 200,
      "round-trips": 100,
      cpu: 1,
    });
    assertStringIncludes(text, "TCP round trips of 20001 bytes");
    assertEquals(document.parameters["cpu"], 1);
    assertEquals(document.parameters["echoCpu"], 0);
    for (const row of rowsOf(document)) {
      assertEquals(row.roundTrips, 200);
      assertEquals(row.napiId > 0, row.link === "pair");
    }
  },
});

Deno.test({
  name: "the lab busy-poll refuses what cannot be, and stops when it is asked to " +
    "(needs what the lab needs)",
  ignore: missing.length > 0,
  async fn(): Promise<void> {
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
  },
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
