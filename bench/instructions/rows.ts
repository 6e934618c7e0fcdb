/**
 * The rows that are counted in instructions: short ones, as each costs the same number again.
 *
 * Runs in a guest whose clock counts instructions. One nanosecond is one instruction there, so what
 * measures time elsewhere (../nop.ts, ../send.ts) counts them here.
 *
 * @module
 */
import { Ring, Socket, Testbed, threadCpuSeconds } from "zclab";
import { transmit, TRANSMIT_MODES, type TransmitMode } from "zclab/lab";
import { INSTRUCTIONS_PER_SECOND } from "../../labs/kit/trials/clock.ts";
import type { Progress } from "../../labs/kit/terminal/progress.ts";
import { nop, nopAwaited } from "../nop.ts";
import { namespacesOf, Reference } from "../reference.ts";
import { pinBoth } from "../same_processor.ts";
import { countRow, type Row } from "./count.ts";
import { ReceiveRows } from "./receive_rows.ts";
import { type Figures, type MeasuredRow, surroundings } from "./figures.ts";

/** Operations of a trial: enough to be compiled in one, and for a timer's tick to be little of it. */
const NOPS = [
  { batch: 1, operations: 10_000 },
  { batch: 8, operations: 40_000 },
  { batch: 32, operations: 48_000 },
  { batch: 128, operations: 48_000 },
] as const;
const AWAITED = 4000;
const PAYLOADS = [600, 8000] as const;
const BATCH = 32;
/** Of the guest's time: 20 million instructions. With half of that V8 is not done after the warm-up. */
const SECONDS = 0.02;
const ENTRIES = 256;
const PORT = 9000;

/**
 * How often ours does all rows of a group before the first is measured. What V8 compiles depends on all
 * that it has seen, and what it has compiled for one row only it would throw away in the next.
 */
const PASSES = 2;

/**
 * Measures all rows.
 *
 * @param progress Told how far it has come.
 * @returns What they cost.
 */
export async function measureRows(
  progress: Pick<Progress, "update">,
): Promise<Figures<MeasuredRow>> {
  await using bed = await Testbed.sink();
  await using reference = await Reference.start(namespacesOf(bed.near));
  using _pinned = await pinBoth(reference);
  using rings = new DisposableStack();
  await using receive = await ReceiveRows.open();
  const groups = [nopRows(reference, rings), sendRows(reference, bed), receive.rows];
  const total = groups.flat().length;
  const measured: MeasuredRow[] = [];
  for (const rows of groups) {
    progress.update(measured.length, total, "warm-up");
    await warmUp(rows);
    for (const row of rows) {
      progress.update(measured.length, total, row.name);
      measured.push(await countRow(row));
    }
  }
  progress.update(total, total, "");
  return { surroundings: surroundings(), rows: measured };
}

async function warmUp(rows: readonly Row[]): Promise<void> {
  for (let pass = 0; pass < PASSES; pass++) {
    for (const row of rows) await row.ours();
  }
}

function nopRows(reference: Reference, rings: DisposableStack): Row[] {
  const theirs = async (batch: number, operations: number): Promise<number> =>
    (await reference.nop(batch, operations)).nanoseconds;
  const open = (): Ring => rings.use(Ring.open({ entries: ENTRIES }));
  const ring = open();
  return [
    ...NOPS.map(({ batch, operations }): Row => {
      const ring = open();
      return {
        name: `nop, batch ${batch}`,
        c: () => theirs(batch, operations),
        ours: () => nop(ring, batch, operations),
      };
    }),
    {
      name: "nop, awaited",
      c: () => theirs(1, AWAITED),
      ours: () => threadInstructions(() => nopAwaited(ring, AWAITED), AWAITED),
    },
  ];
}

function sendRows(reference: Reference, bed: Testbed): Row[] {
  const sink = bed.far.address(PORT);
  return PAYLOADS.flatMap((payload) =>
    TRANSMIT_MODES.map((mode): Row => {
      const what = { payload, batch: BATCH, seconds: SECONDS };
      const theirs = { ...what, address: sink.host, port: sink.port };
      return {
        name: sendName(mode, payload),
        c: async () => perRequest((await reference.send(mode, theirs)).requestsPerSecond),
        ours: () => {
          using socket = Socket.udp(bed.near).connect(sink);
          return perRequest(transmit(socket, { mode, ...what }).requestsPerSecond);
        },
      };
    })
  );
}

/**
 * What this thread executes for each operation. Where the event loop has nothing to do the clock goes on
 * to the next timer, which is no instructions; the thread's own clock stands still meanwhile.
 */
async function threadInstructions(
  work: () => Promise<unknown>,
  operations: number,
): Promise<number> {
  const before = threadCpuSeconds();
  await work();
  return (threadCpuSeconds() - before) * INSTRUCTIONS_PER_SECOND / operations;
}

function sendName(mode: TransmitMode, payload: number): string {
  return `${mode}, ${payload} B`;
}

function perRequest(requestsPerSecond: number): number {
  return INSTRUCTIONS_PER_SECOND / requestsPerSecond;
}
