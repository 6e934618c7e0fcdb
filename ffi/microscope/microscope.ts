/**
 * The microscope: what every load and store of the guest's processor does to a payload, and where its
 * instructions go.
 *
 * @module
 */
import { wrongKind } from "../kernel/arguments.ts";
import { ClosedError, ExplainedError, UnsupportedError } from "../kernel/errors.ts";
import { CLOSED, type Fact, showFacts } from "../kernel/inspection.ts";
import { PAGE_SIZE } from "../kernel/memory.ts";
import { Area, Slice } from "../memory/area.ts";
import { physicalPages } from "../memory/physical_pages.ts";
import {
  arm,
  type Channel,
  channelIn,
  closeWindow,
  encodePieces,
  microscopeFolder,
  openWindow,
  type Piece,
} from "./answers.ts";
import { MicroscopeView } from "./view.ts";

/** What can be watched: memory of this process, or pages by their frame numbers. */
export type MicroscopePayload = Area | Slice | Float64Array;

/**
 * Looks at the guest from below the operating system: it follows each byte of a payload through every
 * load and store of the processor, and counts every instruction by function and by path of calls. What
 * it tells does not depend on what the kernel says of itself, and counting changes nothing that is
 * counted: the guest cannot notice.
 *
 * It sees what a processor does. The DMA of a real device is none of that; softnic's is a `memcpy()`.
 * A copy is a store of a register into which the same call of the same function loaded the same value
 * from the payload, so what is encrypted, summed or taken apart counts as read. In user space calls are
 * not followed, and nearness stands for them: what JavaScript does with single bytes can be misread.
 *
 * Payload counts are the same in each window. Instructions of the thread's kernel part are, too, once
 * caches and lists of free memory are as they will stay: let some windows pass first.
 *
 * It is in a guest that was started with it, on x86_64, and wants root.
 *
 * @example What a send does with its payload
 * ```ts
 * import { Area, Microscope, Ring, Socket, Testbed, UnsupportedError } from "zclab";
 * import { assertEquals } from "@std/assert";
 *
 * try {
 *   using microscope = Microscope.open();
 *   await using bed = await Testbed.sink();
 *   using ring = Ring.open({ entries: 8 });
 *   using area = Area.map({ bytes: 4096 });
 *   const slice = area.slice(0, 1001).write(new Uint8Array(1001).fill(7));
 *   using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
 *   microscope.watch(slice);
 *   const view = await microscope.look("send", () => ring.send(socket, slice));
 *   assertEquals(view.copiesPerByte, { least: 1, most: 1 });
 *   assertEquals(view.copies[0]!.function, "rep_movs_alternative");
 * } catch (error) {
 *   if (!(error instanceof UnsupportedError)) throw error;
 *   console.log(error.message);
 * }
 * ```
 */
export class Microscope implements Disposable {
  readonly #channel: Channel;
  #modules: string;
  #payload: readonly MicroscopePayload[] = [];
  #looking: string | undefined;
  #closed = false;

  private constructor(folder: string) {
    this.#channel = channelIn(folder);
    this.#modules = loadedModules();
    arm(this.#channel);
  }

  /**
   * Opens the microscope. It reads the kernel's symbols meanwhile, which takes some seconds; from then
   * on the guest is somewhat slower while a window is open.
   *
   * @returns The microscope. There is one in a guest: whoever looks last is who is answered.
   * @throws {UnsupportedError} Where the guest was started without it, or there is no guest.
   * @throws {ExplainedError} If it does not answer, or this user may not see the kernel's symbols.
   */
  static open(): Microscope {
    const folder = microscopeFolder();
    if (folder === undefined) {
      throw new UnsupportedError("The microscope", { remedy: "microscope" });
    }
    return new Microscope(folder);
  }

  /**
   * Sets what is followed by the windows that come, in place of what was set before; with nothing,
   * they are three times as fast, and count instructions only. Its bytes are
   * numbered in the order in which they are given here. It must have been written before a window
   * opens: until then there is no memory behind it.
   *
   * @param payload Areas, slices, or page frame numbers as {@linkcode physicalPages} gives them, such
   *   as those of a file's pages that another mapping shares; at most 4 GiB.
   * @throws {TypeError} If it is something else.
   */
  watch(...payload: readonly MicroscopePayload[]): this {
    this.#checkOpen();
    for (const each of payload) {
      if (each instanceof Area || each instanceof Slice || each instanceof Float64Array) continue;
      throw wrongKind("payload", "an Area, a Slice or page frame numbers", each);
    }
    this.#payload = payload;
    return this;
  }

  /**
   * Looks while work is done that returns a promise: until that is fulfilled.
   *
   * @param name What the view is called.
   * @param work What to look at, begun on this thread.
   * @returns What was seen, from before the work to behind it, on the whole machine.
   * @throws What the work throws.
   * @throws {ExplainedError} If there is no memory behind what is watched, or a window is open.
   * @throws {ClosedError} After it was closed.
   */
  look(name: string, work: () => Promise<unknown>): Promise<MicroscopeView>;
  /**
   * Looks while work is done.
   *
   * @param name What the view is called.
   * @param work What to look at, on this thread.
   * @returns What was seen, from before the work to behind it, on the whole machine.
   * @throws What the work throws.
   * @throws {ExplainedError} If there is no memory behind what is watched, or a window is open.
   * @throws {ClosedError} After it was closed.
   */
  look(name: string, work: () => unknown): MicroscopeView;
  look(name: string, work: () => unknown): MicroscopeView | Promise<MicroscopeView> {
    this.#checkOpen();
    if (typeof work !== "function") throw wrongKind("work", "a function", work);
    if (this.#looking !== undefined) {
      throw new ExplainedError(
        `Microscope.look: it is looking at ${JSON.stringify(this.#looking)}, and has one window. ` +
          "Await that first",
      );
    }
    this.#rearm();
    const pieces = this.#payload.flatMap(piecesOf);
    requireApart(pieces);
    const encoded = encodePieces(pieces);
    this.#looking = String(name);
    openWindow(encoded);
    let result: unknown;
    try {
      result = work();
    } catch (error) {
      this.#endLook();
      throw error;
    }
    return result instanceof Promise ? this.#lookUntil(result) : this.#endLook();
  }

  async #lookUntil(work: Promise<unknown>): Promise<MicroscopeView> {
    try {
      await work;
    } catch (error) {
      this.#endLook();
      throw error;
    }
    return this.#endLook();
  }

  #endLook(): MicroscopeView {
    const report = closeWindow(this.#channel);
    const name = this.#looking!;
    this.#looking = undefined;
    return new MicroscopeView(name, report);
  }

  /** The functions of a module that was loaded meanwhile are not known yet. */
  #rearm(): void {
    const modules = loadedModules();
    if (modules === this.#modules) return;
    arm(this.#channel);
    this.#modules = modules;
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError("Microscope");
  }

  /** Ends it; a window that is open is closed by its own work. */
  close(): void {
    this.#closed = true;
  }

  /** The same. */
  [Symbol.dispose](): void {
    this.close();
  }

  static {
    showFacts(Microscope, (shown) => shown.#facts());
  }

  #facts(): readonly Fact[] {
    if (this.#closed) return CLOSED;
    const bytes = this.#payload.reduce((sum, each) => sum + lengthOf(each), 0);
    return [["watched", `${bytes} bytes`], ["looking at", this.#looking]];
  }
}

/** Which modules are loaded, and where. */
function loadedModules(): string {
  const lines = Deno.readTextFileSync("/proc/modules").split("\n");
  // Their numbers of users change all the time.
  return lines.map((line) => line.split(" ")).map((words) => `${words[0]} ${words[5]}`).join("\n");
}

function lengthOf(payload: MicroscopePayload): number {
  if (payload instanceof Area) return payload.bytes;
  return payload instanceof Slice ? payload.length : payload.length * PAGE_SIZE;
}

/** Where it is in physical memory. */
function piecesOf(payload: MicroscopePayload): Piece[] {
  if (payload instanceof Float64Array) return inFrames(payload, 0, payload.length * PAGE_SIZE);
  const { area, offset, length } = payload instanceof Slice
    ? payload
    : { area: payload, offset: 0, length: payload.bytes };
  const first = (area.address + offset) % PAGE_SIZE;
  return inFrames(physicalPages(area, offset, length), first, length);
}

/** A byte has one place in the payload. */
function requireApart(pieces: readonly Piece[]): void {
  const sorted = pieces.toSorted((a, b) => a.address - b.address);
  const twice = sorted.some(({ address }, index) => {
    const before = sorted[index - 1];
    return before !== undefined && before.address + before.length > address;
  });
  if (!twice) return;
  throw new ExplainedError(
    "Microscope.look: some memory is watched twice, or was read and never written, so that the " +
      "kernel has one page of zeros behind all of it. Watch each byte once, and write it first",
  );
}

function inFrames(frames: Float64Array, first: number, length: number): Piece[] {
  const pieces: Piece[] = [];
  let skipped = first;
  let rest = length;
  for (const frame of frames) {
    if (frame === 0) {
      throw new ExplainedError(
        "Microscope.look: there is no memory behind some of what is watched. Write it first",
      );
    }
    const here = Math.min(rest, PAGE_SIZE - skipped);
    pieces.push({ address: frame * PAGE_SIZE + skipped, length: here });
    skipped = 0;
    rest -= here;
  }
  return pieces;
}
