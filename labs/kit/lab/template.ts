/**
 * Does it pay to send without copying?
 *
 * This is a lab of your own: change it. It runs as it is:
 *
 *     deno task lab ./template.ts              all of it
 *     deno task lab ./template.ts --quick      for a first impression
 *     deno task lab ./template.ts --help       its options
 *     deno task lab ./template.ts --json run.json --html run.html
 *     deno task lab replay run.json ./template.ts
 *     deno check ./template.ts                 whether its types are right
 *
 * A lab says what varies (factors), what it is compared with (baseline), how one trial is run and what
 * it returns (trial), and what its numbers are (columns). Each round runs every combination once, in
 * random order, and the baseline twice; the table, the verdicts and the files follow from that.
 */
import { Area, Notifier, Ring, Socket, Testbed } from "zclab";
import { cross } from "zclab/experiment";
import { defineLab } from "zclab/lab";

const PORT = 9000;

export const lab = defineLab({
  name: "template",
  title: "Sending without copying, by payload",
  description: "Sends UDP datagrams into a sink that drops them, with SEND and with SEND_ZC.",

  // What must be there for it to run: the names that `deno task doctor` prints.
  needs: ["liburing", "shim", "io_uring", "IORING_OP_SEND_ZC", "namespaces", "ifb", "ip", "tc"],

  // Options of the command line, beside those that every lab has (--seed, --repeats, --cpu, ...): of
  // the kinds number, numbers, bytes, string, strings and flag.
  options: {
    payload: {
      kind: "numbers",
      description: "bytes in each datagram",
      default: [600, 4000],
      minimum: 1,
      maximum: 8000,
    },
    requests: {
      kind: "number",
      description: "requests in each trial",
      default: 20_000,
      quick: 5000,
      minimum: 64,
      maximum: 1_000_000,
    },
  },
  repeats: { default: 7, quick: 3, minimum: 2 },

  // Every combination of these is a row of the table. Without options a plain list does as well.
  factors: ({ payload }) => cross({ payload, mode: ["SEND", "SEND_ZC"] }),
  // The row that the others are compared with, ...
  baseline: { mode: "SEND" },
  // ... each with the one of the same payload; left out where there is one baseline for all. Percent
  // is the mean (geometric) of the ratios within each round.
  within: ["payload"],
  factorTitles: { payload: "bytes" },

  // What all trials share is opened once. `use` closes it when they have run.
  setUp: async (_context, use) => ({ bed: await use(Testbed.sink()) }),

  // One trial: its factors, what setUp returned, and the options. It returns plain numbers (and texts,
  // and true or false); what has no value is null. `threadCpuSeconds()` of zclab is for CPU time.
  trial({ payload, mode }, { bed }, { options: { requests } }): Measured {
    using ring = Ring.open({ entries: 64 });
    // `ring.register(area)` would make sendZc use it as registered memory.
    using area = Area.map({ bytes: 64 * 8192 });
    using socket = Socket.udp(bed.near).connect(bed.far.address(PORT));
    // It counts requests, and learns from the kernel whether it copied them after all.
    const notifier = new Notifier(ring);
    const slices = area.chunks(8192).map((chunk) => chunk.slice(0, payload));
    const started = performance.now();
    let sent = 0;
    let copied: number | null = mode === "SEND" ? null : 0;
    // A queue that is full (of `entries`) submits by itself; flushBlocking() submits what is left.
    while (sent < requests) {
      for (const slice of slices) {
        if (mode === "SEND") ring.batch.send(socket, slice, notifier);
        else ring.batch.sendZc(socket, slice, notifier);
      }
      ring.batch.submit();
      // Until the kernel has released every slice: the same memory is sent again.
      const notification = notifier.flushBlocking();
      if (notification.error !== undefined) throw notification.error;
      sent += notification.requests;
      // What an older kernel does not say is undefined.
      if (copied !== null) {
        copied = notification.copied === undefined ? null : copied + notification.copied;
      }
    }
    const seconds = (performance.now() - started) / 1000;
    return { requestsPerSecond: sent / seconds, sent, copied };
  },

  // The columns of the table. `verdict`: rows are compared by it; several columns may have one. `over`:
  // how the rounds become one value: median (of numbers, unless it says otherwise), sum, minimum,
  // maximum, every (true in all), same, or { percentile: 99 } of Durations. `unit`: "s" or "B" is shown
  // with the prefix that it needs (0.00002 as 20 µs). `evidence`: a count that proves something.
  columns: {
    requestsPerSecond: { title: "requests/s", unit: "/s", better: "higher", verdict: true },
    sent: { title: "sent", over: "sum", evidence: true },
    copied: { title: "kernel:\ncopied", over: "sum", evidence: true },
  },
  // What a row proves, in a word or two; null for nothing.
  proof: ({ sent, copied }) =>
    copied === null ? null : copied === 0 ? "not copied" : copied === sent ? "copied" : "partly",
});

/** What a trial measures. */
type Measured = {
  requestsPerSecond: number;
  sent: number;
  /** Requests that the kernel copied all the same; null where it does not say. */
  copied: number | null;
};
