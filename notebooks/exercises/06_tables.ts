/**
 * What the runs of notebook 06 come to, as tables.
 *
 * @module
 */
import { type RunDocument, table } from "zclab/experiment";

type Row = RunDocument["summary"][number];

const KIB = 1024;
const MIB = 1024 * KIB;
const PLAIN = { colours: false, width: 100 } as const;

/**
 * Who says what on whether bytes were copied.
 *
 * @param document A run of the lab `rx-zcrx`.
 * @returns Lines of text; a dash where a witness was not there.
 */
export function witnessTable({ summary }: RunDocument): string {
  const mebibytes = (value: unknown): string | null =>
    typeof value === "number" ? `${(value / MIB).toFixed(1)} MiB` : null;
  return table<Row>(
    [
      { title: "received by", value: ({ engine }) => String(engine) },
      { title: "device", value: ({ engine, device }) => engine === "zcrx" ? String(device) : null },
      { title: "received", value: ({ payloadBytes }) => mebibytes(payloadBytes) },
      { title: "kernel:\ncopied", value: ({ copiedBytes }) => mebibytes(copiedBytes) },
      {
        title: "NIC:\nplaced",
        value: ({ engine, device, placedBytes }) =>
          engine === "zcrx" && device !== "none" ? mebibytes(placedBytes) : null,
      },
      {
        title: "same\npages",
        value: ({ samePages }) => samePages === null ? null : samePages ? "yes" : "no",
      },
      { title: "verdict", value: ({ zeroCopy }) => String(zeroCopy) },
    ],
    summary,
    PLAIN,
  );
}

/**
 * How far a receive came while pieces were held.
 *
 * @param document A run of the lab `rx-held-pieces`.
 * @returns Lines of text; a dash where nothing stood still, and where there is no NIC.
 */
export function heldTable({ summary }: RunDocument): string {
  const kibibytes = (value: unknown): number => Math.round(Number(value) / KIB);
  return table<Row>(
    [
      { title: "device", value: ({ device }) => String(device) },
      { title: "buffers", value: ({ buffers }) => Number(buffers) },
      { title: "pieces\nheld", value: ({ held }) => Number(held) },
      { title: "KiB of\nthe stream", value: ({ streamBytes }) => kibibytes(streamBytes) },
      {
        title: "arrived while\nholding, KiB",
        value: ({ leastWhileHolding }) => kibibytes(leastWhileHolding),
      },
      {
        title: "and after\ngiving back",
        value: ({ leastAfterwards }) => kibibytes(leastAfterwards),
      },
      {
        title: "went on\nafter, ms",
        value: (row) => {
          const time = millisecondsOf(row);
          return time === null ? null : Math.ceil(time);
        },
      },
      {
        title: "frames\ndropped",
        value: ({ droppedFrames }) => droppedFrames === null ? null : Number(droppedFrames),
      },
    ],
    summary,
    PLAIN,
  );
}

/** How long a receive stood still. The recorded run is older than the measure in seconds. */
function millisecondsOf({ resumedAfterSeconds, resumedAfterMilliseconds }: Row): number | null {
  if (typeof resumedAfterSeconds === "number") return 1000 * resumedAfterSeconds;
  return typeof resumedAfterMilliseconds === "number" ? resumedAfterMilliseconds : null;
}
