/**
 * What the runs of notebook 08 come to, as tables.
 *
 * @module
 */
import { type RunDocument, table } from "zclab/experiment";

type Row = RunDocument["summary"][number];

const PLAIN = { colours: false, width: 112 } as const;

/** Which rows a table shows: those that have one of the values for each of these. */
export interface PathsWanted {
  /** The links, such as `loopback`. */
  readonly link?: readonly string[];
  /** The ways of sending. */
  readonly send?: readonly string[];
  /** The ways of receiving. */
  readonly receive?: readonly string[];
}

/** A path in words, such as `send + recv, loopback`. */
function pathOf({ path, link }: Row): string {
  return `${path}, ${link}`;
}

/** How often each byte is copied on a path in all. */
function copiesOf({ sender, nic, receiver, application }: Row): number {
  return Number(sender) + Number(nic) + Number(receiver) + Number(application);
}

/** The functions by which one of them copied, such as `skb_copy_ubufs, _copy_to_iter`. */
function functionsOf({ by }: Row, whose: string): string | null {
  const part = String(by).split("; ").find((part) => part.startsWith(`${whose}: `));
  return part?.slice(whose.length + 2).replaceAll(/\b1 /g, "") ?? null;
}

function bytesText(bytes: unknown): string | null {
  return typeof bytes === "number" ? `${bytes} B` : null;
}

/** What a table can say of a path; a column in which no path has anything is left out. */
const COLUMNS: readonly { readonly title: string; readonly text: (row: Row) => string | null }[] = [
  { title: "sender's copy\nmade by", text: (row) => functionsOf(row, "sender") },
  { title: "NIC's copy\nmade by", text: (row) => functionsOf(row, "nic") },
  { title: "receiver's copies\nmade by", text: (row) => functionsOf(row, "receiver") },
  {
    title: "kernel\nsays",
    text: ({ copiedBit: bit }) => bit === null ? null : bit ? "copied" : "not copied",
  },
  { title: "zcrx\ncopied", text: ({ receiveCopied }) => bytesText(receiveCopied) },
  { title: "NIC\nplaced", text: ({ placed }) => bytesText(placed) },
  { title: "in the\npage cache", text: ({ cached }) => bytesText(cached) },
];

/**
 * How often each byte was copied, by whom, and what the kernel and the NIC say.
 *
 * @param document A run of the lab `where-copies`.
 * @param wanted Which paths; all of them unless given.
 * @returns Lines of text, one for each path; a dash where nobody copied, or nobody says anything.
 */
export function copiesOfPaths({ summary }: RunDocument, wanted: PathsWanted = {}): string {
  const rows = summary.filter((row) =>
    (["link", "send", "receive"] as const).every((name) =>
      wanted[name]?.includes(String(row[name])) ?? true
    )
  );
  const isOneLink = wanted.link?.length === 1;
  return table<Row>(
    [
      {
        title: isOneLink ? `path, over\n${wanted.link[0]}` : "path",
        value: (row) => isOneLink ? String(row.path) : pathOf(row),
      },
      { title: "copies", value: copiesOf },
      ...COLUMNS.filter(({ text }) => rows.some((row) => text(row) !== null))
        .map(({ title, text }) => ({ title, value: text })),
    ],
    rows,
    PLAIN,
  );
}

/**
 * What was predicted beside what was seen.
 *
 * @param predicted How many copies of each byte, by the path; undefined where nothing was predicted.
 * @param document A run of the lab `where-copies`.
 * @returns Lines of text, one for each prediction.
 * @throws {RangeError} If the run has no such path.
 */
export function predictedCopies(
  predicted: Readonly<Record<string, number | undefined>>,
  { summary }: RunDocument,
): string {
  const rows = Object.entries(predicted).map(([path, guess]) => {
    const row = summary.find((row) => pathOf(row) === path);
    if (row === undefined) throw new RangeError(`The run has no path "${path}"`);
    return { path, guess, seen: copiesOf(row) };
  });
  return table(
    [
      { title: "path", value: ({ path }) => path },
      { title: "predicted", value: ({ guess }) => guess ?? null },
      { title: "seen", value: ({ seen }) => seen },
      {
        title: "",
        value: ({ guess, seen }) => guess === undefined ? "" : guess === seen ? "✔" : "✘",
      },
    ],
    rows,
    PLAIN,
  );
}
