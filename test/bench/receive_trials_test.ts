import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  RECEIVE_SIDES,
  type ReceiveMeasures,
  type ReceiveSide,
  type ReceiveTrial,
  summarizeTrials,
} from "../../bench/receive_trials.ts";

const MEASURES: ReceiveMeasures = {
  bytesPerSecond: 100,
  bytesPerPiece: 4096,
  cpuPerMiB: 8,
  receiverSoftirqPerMiB: 0,
  senderSoftirqPerMiB: 2,
  senderCpuPerMiB: 3,
  placedBytes: 1,
  droppedFrames: 0,
  copiedBytes: 0,
};

function trial(
  round: number,
  side: ReceiveSide,
  measures: Partial<ReceiveMeasures>,
  control = false,
): ReceiveTrial {
  return {
    round,
    order: 0,
    warmUp: round === 0,
    control,
    factors: { side },
    measures: { ...MEASURES, ...measures },
    startedAt: "2026-01-01T00:00:00.000Z",
    seconds: 1,
  };
}

Deno.test("Receiving is compared with C's zcrx; warm-up and second runs are not in the medians", () => {
  const speeds = { "C, zcrx": 100, "zclab, zcrx": 90, "C, recv": 50 };
  const trials = [0, 1, 2, 3].flatMap((round) => [
    ...RECEIVE_SIDES.map((side) =>
      trial(round, side, {
        // As in a round that was slow for all.
        bytesPerSecond: speeds[side] * (round === 0 ? 9 : round),
        cpuPerMiB: side === "zclab, zcrx" ? 10 : 8,
      })
    ),
    ...(round === 0 ? [] : [trial(round, "C, zcrx", { bytesPerSecond: 110 * round }, true)]),
  ]);
  const { rows, speed, cpu } = summarizeTrials(trials);
  assertEquals(
    rows.map(({ side, bytesPerSecond, bytesPerPiece }) => [side, bytesPerSecond, bytesPerPiece]),
    [["C, zcrx", 200, 4096], ["zclab, zcrx", 180, 4096], ["C, recv", 100, 4096]],
  );
  assertAlmostEquals(speed.ratio.ratio, 0.9, 1e-9);
  assertAlmostEquals(speed.noiseFloor.ratio, 1.1, 1e-9);
  assertEquals([speed.c, speed.zclab, speed.ratio.rounds], [200, 180, 3]);
  assertAlmostEquals(cpu.ratio.ratio, 1.25, 1e-9);
  assertEquals([cpu.c, cpu.zclab, cpu.noiseFloor.ratio], [8, 10, 1]);
});
