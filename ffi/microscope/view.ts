/**
 * What the microscope saw.
 *
 * @module
 */
import { type Fact, showFacts } from "../kernel/inspection.ts";
import type { Report } from "./answers.ts";

/**
 * Where instructions were executed: in the kernel for the thread that looked (`own`), in interrupts
 * that came meanwhile, in the kernel for other threads, its own included, or in user space.
 */
export type MicroscopePlace = "own" | "interrupts" | "other threads" | "user space";

/** What a function did with the payload, called by one path. */
export interface PayloadTouch {
  /** The function. */
  readonly function: string;
  /** How it was called: the functions from the thread's first one to this one. */
  readonly path: readonly string[];
  /** For whom it ran. */
  readonly place: MicroscopePlace;
  /** Whose bytes: 0 the payload's, 1 a copy's, 2 those of a copy of a copy. */
  readonly generation: number;
  /** Bytes that it loaded. */
  readonly read: number;
  /** Bytes that it stored elsewhere, each time that it did. */
  readonly moved: number;
  /**
   * Bytes that it copied: {@linkcode moved}, but a byte that one call moves twice to the same place
   * counts once. Copying routines do that where lengths are no multiple of a word.
   */
  readonly copied: number;
  /** Bytes that it made something else of. */
  readonly overwritten: number;
}

/** A function as it was called by one path. */
export interface CallPath {
  /** The function; of a thread `own thread` or `thread`. */
  readonly name: string;
  /** For whom it ran. */
  readonly place: MicroscopePlace;
  /** Instructions that it executed itself. */
  readonly instructions: number;
  /** Those, and those of what it called. */
  readonly total: number;
  /** What it called, those with the most instructions first. */
  readonly children: readonly CallPath[];
}

/** The least and the most of a number that each byte of the payload has. */
export interface PerByte {
  /** Of all bytes, the least. */
  readonly least: number;
  /** Of all bytes, the most. */
  readonly most: number;
}

/** How many functions a table has room for. */
const FUNCTIONS_SHOWN = 15;

/** Callers that say where in the kernel a function was called. */
const CALLERS_SHOWN = 4;

interface MutablePath {
  name: string;
  place: MicroscopePlace;
  instructions: number;
  total: number;
  children: MutablePath[];
  parent: MutablePath | undefined;
}

/** What the microscope saw in one window; {@linkcode Microscope.look} makes it. */
export class MicroscopeView {
  /** What the window was called. */
  readonly name: string;
  /** Length of the payload. */
  readonly payloadBytes: number;
  /** How often a byte of the payload, or of a copy of it, was loaded. */
  readonly readsPerByte: PerByte;
  /** How often a byte of the payload was copied, copies of copies included. */
  readonly copiesPerByte: PerByte;
  /** Who did what with the payload: those that did nothing with it are not in here. */
  readonly touches: readonly PayloadTouch[];
  /** Instructions by where they were executed. */
  readonly instructions: Readonly<Record<MicroscopePlace | "all", number>>;
  /** The paths of calls, for each thread that ran; the first is the one that looked. */
  readonly threads: readonly CallPath[];

  /** Made by {@linkcode Microscope.look}. @internal */
  constructor(name: string, report: Report) {
    this.name = name;
    this.payloadBytes = report.payloadBytes;
    this.readsPerByte = { least: report.reads[0], most: report.reads[1] };
    this.copiesPerByte = { least: report.copies[0], most: report.copies[1] };
    const paths = pathsOf(report);
    this.touches = touchesOf(report, paths);
    this.instructions = sumOf(paths);
    const own = paths[report.own - 1]!;
    // A stack for interrupts is nobody's: what ran on it stands where it was interrupted.
    const others = paths.filter((path) =>
      path.parent === undefined && path !== own && path.total > 0
    );
    this.threads = [own, ...others.sort(byTotal)].map(bare);
  }

  /** Those who copied, first those who copied the payload, then those who copied its copies. */
  get copies(): readonly PayloadTouch[] {
    return this.touches.filter(({ copied }) => copied > 0)
      .sort((a, b) => a.generation - b.generation || b.copied - a.copied);
  }

  /**
   * Instructions of each function in the kernel for the thread that looked, those with the most first.
   */
  get functions(): readonly { readonly name: string; readonly instructions: number }[] {
    const sums = new Map<string, number>();
    const add = ({ name, place, instructions, children }: CallPath): void => {
      if (place === "own" && instructions > 0) {
        sums.set(name, (sums.get(name) ?? 0) + instructions);
      }
      children.forEach(add);
    };
    this.threads.forEach(add);
    return [...sums].map(([name, instructions]) => ({ name, instructions }))
      .sort((a, b) => b.instructions - a.instructions || (a.name < b.name ? -1 : 1));
  }

  /** The whole as lines of text: who copied, and which functions had how many instructions. */
  toString(): string {
    const rows = [...this.#facts(), ...this.#more()].filter(([, value]) => value !== undefined);
    const width = Math.max(...rows.map(([name]) => name.length));
    return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
  }

  static {
    showFacts(MicroscopeView, (shown) => shown.#facts(), (shown) => shown.#more());
  }

  #facts(): readonly Fact[] {
    const { own, interrupts, "user space": user } = this.instructions;
    const hasPayload = this.payloadBytes > 0;
    return [
      ["name", this.name],
      ["payload", hasPayload ? `${this.payloadBytes} bytes` : undefined],
      ["reads of a byte", hasPayload ? textOf(this.readsPerByte) : undefined],
      ["copies of a byte", hasPayload ? textOf(this.copiesPerByte) : undefined],
      ["instructions of its kernel part", own],
      ["of interrupts", interrupts],
      ["of other threads", this.instructions["other threads"]],
      ["of user space", user],
    ];
  }

  /** What only a table has room for. */
  #more(): readonly Fact[] {
    return [
      ...this.touches.map((touch): Fact => [doing(touch), callOf(touch)]),
      ...this.functions.slice(0, FUNCTIONS_SHOWN)
        .map(({ name, instructions }): Fact => [name, `${instructions} instructions`]),
    ];
  }
}

function textOf({ least, most }: PerByte): string {
  return least === most ? String(least) : `${least} to ${most}`;
}

function doing({ generation, read, copied, overwritten }: PayloadTouch): string {
  const whose = generation === 0 ? "payload" : `copy ${generation}`;
  const parts = [
    read > 0 ? `read ${read}` : "",
    copied > 0 ? `copied ${copied}` : "",
    overwritten > 0 ? `overwrote ${overwritten}` : "",
  ];
  return `${parts.filter((part) => part !== "").join(", ")} bytes of the ${whose}`;
}

function callOf({ path, place }: PayloadTouch): string {
  const nearest = path.toReversed().slice(0, CALLERS_SHOWN + 1).join(" < ");
  return place === "own" || place === "user space" ? nearest : `${nearest} (${place})`;
}

function byTotal(a: CallPath, b: CallPath): number {
  return b.total - a.total;
}

/** The tree, whose nodes know their parents; parents come first in the report. */
function pathsOf({ functions, nodes, own }: Report): MutablePath[] {
  const paths: MutablePath[] = [];
  nodes.forEach(([parentNumber, nameNumber, instructions], index) => {
    const parent = parentNumber === 0 ? undefined : paths[parentNumber - 1]!;
    const name = nameNumber === 0
      ? index + 1 === own ? "own thread" : "thread"
      : functions[nameNumber - 1]!;
    const place = placeOf(name, parent, index + 1 === own);
    const path = { name, place, instructions, total: instructions, children: [], parent };
    parent?.children.push(path);
    paths.push(path);
  });
  for (const path of paths.toReversed()) {
    if (path.parent !== undefined) path.parent.total += path.total;
    path.children.sort(byTotal);
  }
  return paths;
}

function placeOf(name: string, parent: MutablePath | undefined, isOwn: boolean): MicroscopePlace {
  if (parent === undefined) return isOwn ? "own" : "other threads";
  if (name === "user space") return "user space";
  return name === "interrupt" ? "interrupts" : parent.place;
}

function sumOf(paths: readonly MutablePath[]): Record<MicroscopePlace | "all", number> {
  const sums = { "own": 0, "interrupts": 0, "other threads": 0, "user space": 0, "all": 0 };
  for (const { place, instructions } of paths) {
    sums[place] += instructions;
    sums.all += instructions;
  }
  return sums;
}

function touchesOf({ touches }: Report, paths: readonly MutablePath[]): PayloadTouch[] {
  return touches.map(([node, generation, read, moved, copied, overwritten]) => {
    const path = paths[node - 1]!;
    return {
      function: path.name,
      path: namesTo(path),
      place: path.place,
      generation,
      read,
      moved,
      copied,
      overwritten,
    };
  }).sort((a, b) => a.generation - b.generation || b.read - a.read);
}

/** The functions from a thread's first one to this one. */
function namesTo(path: MutablePath): string[] {
  const names: string[] = [];
  for (let at = path; at.parent !== undefined; at = at.parent) names.unshift(at.name);
  return names;
}

/** Without the way back, which would make a circle of what is shown. */
function bare({ name, place, instructions, total, children }: MutablePath): CallPath {
  return { name, place, instructions, total, children: children.map(bare) };
}
