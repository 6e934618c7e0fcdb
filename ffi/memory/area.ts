/**
 * Memory that the kernel may read from or write into, and who owns which part of it right now.
 *
 * @module
 */
import { checkKind, checkObject } from "../kernel/arguments.ts";
import { now } from "../kernel/clock.ts";
import { Descriptor } from "../kernel/descriptor.ts";
import { createDmaBuf } from "./dma_buf.ts";
import { ClosedError, OwnershipError, unwrap, UringError } from "../kernel/errors.ts";
import { hugePageError } from "./huge_pages.ts";
import { CLOSED, type Fact, showFacts, strip } from "../kernel/inspection.ts";
import { high, low, Mapping, PAGE_SIZE } from "../kernel/memory.ts";
import { native } from "../kernel/native.ts";
import { Registrations } from "./registrations.ts";

/** How to map an {@linkcode Area}. */
export interface AreaOptions {
  /** Length in bytes; rounded up to whole pages. */
  readonly bytes: number;
  /** Use huge pages of this size; they must have been reserved (`vm.nr_hugepages`). */
  readonly hugePages?: "2MiB" | "1GiB";
}

/** Who knows when a piece of memory was handed to the kernel. @internal */
export interface Holder {
  /**
   * Milliseconds of {@linkcode now}; undefined when it is not submitted yet, and 0 when that
   * was so long ago that nobody remembers.
   */
  submittedAt(submission: number): number | undefined;
}

// The ring's side of ownership. Only ffi/ uses these; they are not part of the public surface.
/** Marks a slice as owned by the kernel. */
export let acquire: (
  slice: Slice,
  operation: string,
  writing: boolean,
  holder: Holder,
  submission: number,
) => void;
/** Gives a slice back after the kernel has released it. */
export let release: (slice: Slice) => void;
/** The lower half of a slice's address. */
export let addressLow: (slice: Slice) => number;
/** The upper half of a slice's address. */
export let addressHigh: (slice: Slice) => number;
/** Which rings have this area as a fixed buffer. */
export let areaRegistrations: (area: Area) => Registrations;
/**
 * Gives a whole area to the kernel, which may write anywhere in it at any time, until the returned
 * function is called; its memory stays mapped as long.
 */
export let entrust: (area: Area, purpose: string) => () => void;
/** Makes an area refuse to be closed, saying why, until the returned function is called. */
export let keepOpen: (area: Area, why: string) => () => void;

let enter: (area: Area) => void;
let leave: (area: Area) => void;
let remember: (area: Area, slice: Slice) => void;
let forget: (slice: Slice) => boolean;
let conflictWith: (slice: Slice) => string | undefined;
let ownerOf: (slice: Slice) => string;

/** Slices that were in flight once and that an area remembers at least before it looks again. */
const REMEMBERED = 1024;

/**
 * Page-aligned memory that the kernel may read from or write into.
 *
 * @example Write, and read back
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Area } from "zclab";
 *
 * using area = Area.map({ bytes: 8192 });
 * const slice = area.slice(100, 5);
 * slice.write(new TextEncoder().encode("hello"));
 * assertEquals(new TextDecoder().decode(slice.bytes), "hello");
 * ```
 */
export class Area implements Disposable {
  readonly #mapping: Mapping;
  readonly #hugePages: AreaOptions["hugePages"];
  /** What the memory is beside being memory. */
  readonly #kind: "dma-buf" | "file" | undefined;
  readonly #descriptor: Descriptor | undefined;
  /** How many slices the kernel owns. */
  #inFlight = 0;
  /**
   * Every slice that the kernel owns, and some that it owned: overlapping slices share bytes, so
   * all of them must be found. Taking one out each time it comes back would cost every request.
   */
  #remembered: Slice[] = [];
  readonly #registrations = new Registrations();
  #entrusted = false;
  /** Why it must not be closed. */
  readonly #keepers = new Set<{ readonly why: string }>();
  #closed = false;

  static {
    areaRegistrations = (area) => area.#registrations;
    entrust = (area, purpose) => {
      if (area.#entrusted) {
        throw new OwnershipError(
          "The kernel writes anywhere in this area for another receiver: take an area of its own",
        );
      }
      const whole = new Slice(area, 0, area.bytes);
      const since = now();
      acquire(whole, purpose, true, { submittedAt: () => since }, 0);
      area.#entrusted = true;
      return () => {
        area.#entrusted = false;
        release(whole);
      };
    };
    keepOpen = (area, why) => {
      const keeper = { why };
      area.#keepers.add(keeper);
      return () => area.#keepers.delete(keeper);
    };
    enter = (area) => {
      if (area.#closed) throw new ClosedError("Area");
      area.#inFlight++;
    };
    leave = (area) => {
      if (--area.#inFlight === 0 && area.#closed) area.#mapping.close();
    };
    remember = (area, slice) => {
      if (area.#remembered.length >= REMEMBERED + 2 * area.#inFlight) area.#forgetIdle();
      area.#remembered.push(slice);
    };
    conflictWith = (slice) => slice.area.#conflictWith(slice);
  }

  private constructor(
    mapping: Mapping,
    hugePages: AreaOptions["hugePages"],
    other?: { readonly kind: "dma-buf" | "file"; readonly fd: number },
  ) {
    this.#mapping = mapping;
    this.#hugePages = hugePages;
    this.#kind = other?.kind;
    this.#descriptor = other && new Descriptor(other.fd, "Area");
  }

  /**
   * Maps anonymous memory, filled with zeros.
   *
   * @param options Length and kind of pages.
   * @throws {RangeError} If `bytes` is not a positive integer.
   * @throws {UringError} If there is not enough memory, or not enough huge pages are reserved.
   * @throws {UnsupportedError} If this machine has no huge pages of that size.
   */
  static map(options: AreaOptions): Area {
    return Area.#make(
      "Area.map",
      options,
      ({ length, hugeShift }) =>
        new Area(Mapping.map({ bytes: length, hugeShift }), options.hugePages),
    );
  }

  /**
   * Makes a dma-buf of zeroed pages (udmabuf): memory that a network device can be given to receive
   * into and to send from, as if it were a graphics card's. See {@linkcode DeviceMemory} and
   * {@linkcode ZcrxReceiver}. It needs `/dev/udmabuf`; huge pages need Linux 6.11.
   *
   * @param options Length and kind of pages.
   * @throws {RangeError} If `bytes` is not a positive integer.
   * @throws {UnsupportedError} If this machine has no `/dev/udmabuf`, or not for this user.
   * @throws {UringError} If there is not enough memory, or not enough huge pages are reserved.
   * @throws {UnsupportedError} If this machine has no huge pages of that size.
   */
  static dmaBuf(options: AreaOptions): Area {
    return Area.#make("Area.dmaBuf", options, ({ length, hugeShift }) => {
      const { mapping, fd } = createDmaBuf({ bytes: length, hugeShift });
      return new Area(mapping, options.hugePages, { kind: "dma-buf", fd });
    });
  }

  /**
   * Makes a file in memory (`memfd_create(2)`) of zeros, and maps it: what is written into the area is
   * in the file, and the pages of the area are those of the page cache. It cannot shrink. See
   * {@linkcode sendFileBlocking} and {@linkcode Pipe.splice}.
   *
   * @param options Length and kind of pages.
   * @throws {RangeError} If `bytes` is not a positive integer.
   * @throws {UringError} If there is not enough memory, or not enough huge pages are reserved.
   * @throws {UnsupportedError} If this machine has no huge pages of that size.
   */
  static file(options: AreaOptions): Area {
    return Area.#make("Area.file", options, ({ length, hugeShift }) => {
      const fd = unwrap("memfd_create", native().zclab_memfd(BigInt(length), hugeShift));
      try {
        const mapping = Mapping.map({ bytes: length, fd });
        return new Area(mapping, options.hugePages, { kind: "file", fd });
      } catch (error) {
        native().zclab_close(fd);
        throw error;
      }
    });
  }

  static #make(
    name: string,
    options: AreaOptions,
    make: (pages: { readonly length: number; readonly hugeShift: 0 | 21 | 30 }) => Area,
  ): Area {
    checkObject("options", options);
    const { bytes, hugePages } = options;
    if (hugePages !== undefined && hugePages !== "2MiB" && hugePages !== "1GiB") {
      throw new RangeError(
        `${name}: hugePages must be "2MiB" or "1GiB", got ${Deno.inspect(hugePages)}`,
      );
    }
    if (!Number.isSafeInteger(bytes) || bytes <= 0) {
      throw new RangeError(`${name}: bytes must be a positive integer, got ${bytes}`);
    }
    const hugeShift = hugePages === undefined ? 0 : hugePages === "2MiB" ? 21 : 30;
    const page = hugeShift === 0 ? PAGE_SIZE : 2 ** hugeShift;
    const length = Math.ceil(bytes / page) * page;
    try {
      return make({ length, hugeShift });
    } catch (error) {
      if (hugePages !== undefined && error instanceof UringError) {
        throw hugePageError(error, hugePages, length / page);
      }
      throw error;
    }
  }

  /** Length in bytes, a multiple of the page size. */
  get bytes(): number {
    return this.#mapping.bytes;
  }

  /** Where the area lies in this process's memory. */
  get address(): number {
    return this.#mapping.address;
  }

  /**
   * The file descriptor of the dma-buf that the area is, or undefined if it is none. It is closed
   * with the area; who was given the dma-buf keeps it.
   *
   * @throws {ClosedError} After close.
   */
  get dmaBufFd(): number | undefined {
    if (this.#closed) throw new ClosedError("Area");
    return this.#kind === "dma-buf" ? this.#descriptor!.fd : undefined;
  }

  /**
   * The file descriptor of the file that the area is, or undefined if it is none. It is closed with the
   * area.
   *
   * @throws {ClosedError} After close.
   */
  get fileFd(): number | undefined {
    if (this.#closed) throw new ClosedError("Area");
    return this.#kind === "file" ? this.#descriptor!.fd : undefined;
  }

  /** Whether {@linkcode close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** How many slices of this area the kernel owns now. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * A range of this area.
   *
   * @param offset Where it starts, in bytes.
   * @param length Its length in bytes; to the end of the area by default.
   * @throws {RangeError} If the range does not lie inside the area.
   * @throws {ClosedError} After close.
   */
  slice(offset = 0, length: number = this.bytes - Number(offset)): Slice {
    if (this.#closed) throw new ClosedError("Area");
    if (
      !Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0 ||
      offset + length > this.bytes
    ) {
      throw new RangeError(
        `Slice of ${length} bytes at ${offset} is outside the area of ${this.bytes} bytes`,
      );
    }
    if (length > 0x7fffffff) {
      throw new RangeError(`Slice of ${length} bytes: one operation takes at most 2147483647`);
    }
    return new Slice(this, offset, length);
  }

  /**
   * The area cut into equal slices; what does not fill a slice is left out.
   *
   * @param length Length of each slice in bytes.
   * @throws {RangeError} If the length is not positive, or larger than the area.
   */
  chunks(length: number): Slice[] {
    if (!Number.isSafeInteger(length) || length <= 0 || length > this.bytes) {
      throw new RangeError(`Chunks of ${length} bytes do not fit an area of ${this.bytes} bytes`);
    }
    const chunks = new Array<Slice>(Math.floor(this.bytes / length));
    for (let i = 0; i < chunks.length; i++) chunks[i] = this.slice(i * length, length);
    return chunks;
  }

  /**
   * The bytes of a range, whoever owns them. The kernel may read or write them at the same time:
   * that is what experiments about ownership want to show. Everything else uses
   * {@linkcode Slice.bytes}.
   *
   * @throws {ClosedError} After close.
   */
  unsafeBytes(offset = 0, length: number = this.bytes - offset): Uint8Array<ArrayBuffer> {
    if (this.#closed) throw new ClosedError("Area");
    return new Uint8Array(this.#mapping.buffer, offset, length);
  }

  /** The slice that the kernel owns and that shares bytes with this one, if there is one. */
  #conflictWith(slice: Slice): string | undefined {
    this.#forgetIdle();
    const end = slice.offset + slice.length;
    const found = this.#remembered.find((other) =>
      other.offset < end && slice.offset < other.offset + other.length
    );
    return found === undefined ? undefined : ownerOf(found);
  }

  #forgetIdle(): void {
    this.#remembered = this.#remembered.filter((slice) => !forget(slice));
  }

  /**
   * Takes the memory away from JavaScript at once (views of it become empty) and returns it to the
   * system as soon as the kernel has released every slice. Idempotent.
   *
   * @throws {OwnershipError} If a {@linkcode ZcrxReceiver} that is open receives into it.
   */
  close(): void {
    if (this.#closed) return;
    for (const { why } of this.#keepers) throw new OwnershipError(why);
    this.#closed = true;
    this.#descriptor?.close();
    this.#mapping.detach();
    if (this.#inFlight === 0) this.#mapping.close();
  }

  /** Closes the area. */
  [Symbol.dispose](): void {
    this.close();
  }

  static {
    showFacts(Area, (shown) => shown.#facts(), (shown) => shown.#more());
  }

  #facts(): readonly Fact[] {
    if (this.#closed) return CLOSED;
    return [
      ["bytes", this.bytes],
      ["huge pages", this.#hugePages],
      ["kind", this.#kind, "bare"],
      ["in flight", this.inFlight],
    ];
  }

  /** What only a table has room for. */
  #more(): readonly Fact[] {
    if (this.#closed) return [];
    this.#forgetIdle();
    return [["map (░ free, █ in flight)", strip(this.bytes, this.#remembered)]];
  }
}

/** A range of an {@linkcode Area} and who owns it: the program (free) or the kernel (in flight). */
export class Slice {
  /** The area that this is a range of. */
  readonly area: Area;
  /** Where it starts in the area, in bytes. */
  readonly offset: number;
  /** Its length in bytes. */
  readonly length: number;
  readonly #low: number;
  readonly #high: number;
  #users = 0;
  #remembered = false;
  #writing = false;
  #operation = "";
  #holder: Holder | undefined;
  #submission = 0;

  static {
    addressLow = (slice) => slice.#low;
    addressHigh = (slice) => slice.#high;
    forget = (slice) => {
      slice.#remembered = slice.#users > 0;
      return !slice.#remembered;
    };
    ownerOf = (slice) => slice.#owner();
    acquire = (slice, operation, writing, holder, submission) => {
      if (slice.#users === 0) {
        enter(slice.area);
        slice.#writing = writing;
        slice.#submission = submission;
        // Comparing is cheaper than storing a reference, and most slices are used the same way again.
        if (slice.#operation !== operation) slice.#operation = operation;
        if (slice.#holder !== holder) slice.#holder = holder;
        if (!slice.#remembered) {
          slice.#remembered = true;
          remember(slice.area, slice);
        }
      } else if (writing || slice.#writing) {
        throw new OwnershipError(
          `${operation}: ${slice.#owner()}. Wait for its completion first`,
        );
      } else if (slice.area.closed) throw new ClosedError("Area");
      slice.#users++;
    };
    release = (slice) => {
      if (--slice.#users === 0) leave(slice.area);
    };
  }

  /** Made by {@linkcode Area.slice} and {@linkcode Area.chunks}. @internal */
  constructor(area: Area, offset: number, length: number) {
    this.area = area;
    this.offset = offset;
    this.length = length;
    this.#low = low(area.address + offset);
    this.#high = high(area.address + offset);
  }

  /** Who owns the bytes: `free` is the program, `in flight` the kernel. */
  get state(): "free" | "in flight" {
    return this.#users === 0 ? "free" : "in flight";
  }

  /**
   * The bytes. A view that was taken earlier is not revoked when the slice is sent: take a new one
   * each time.
   *
   * @throws {OwnershipError} If the kernel owns any of them; says since when and why.
   * @throws {ClosedError} After the area was closed.
   */
  get bytes(): Uint8Array<ArrayBuffer> {
    if (this.area.closed) throw new ClosedError("Area");
    const conflict = this.area.inFlight === 0 ? undefined : conflictWith(this);
    if (conflict !== undefined) {
      throw new OwnershipError(`${conflict}. Wait for its completion or notification first`);
    }
    return this.unsafeBytes;
  }

  /** The bytes, even while the kernel owns them. See {@linkcode Area.unsafeBytes}. */
  get unsafeBytes(): Uint8Array<ArrayBuffer> {
    return this.area.unsafeBytes(this.offset, this.length);
  }

  /**
   * Copies data into the slice.
   *
   * @param data What to write.
   * @param at Where in the slice, in bytes.
   * @throws {RangeError} If the data does not fit.
   * @throws {OwnershipError} If the kernel owns any of the slice's bytes.
   */
  write(data: Uint8Array, at = 0): this {
    checkKind("data", Uint8Array, data);
    if (!Number.isSafeInteger(at) || at < 0 || at + data.length > this.length) {
      throw new RangeError(
        `${data.length} bytes at ${at} do not fit a slice of ${this.length} bytes`,
      );
    }
    this.bytes.set(data, at);
    return this;
  }

  /**
   * A range of this slice, with an ownership of its own.
   *
   * @throws {RangeError} If the range does not lie inside the slice.
   */
  slice(offset = 0, length: number = this.length - Number(offset)): Slice {
    if (
      typeof offset !== "number" || typeof length !== "number" || offset < 0 || length < 0 ||
      offset + length > this.length
    ) {
      throw new RangeError(
        `Slice of ${length} bytes at ${offset} is outside the slice of ${this.length} bytes`,
      );
    }
    return this.area.slice(this.offset + offset, length);
  }

  #owner(): string {
    const where = `${this.length} bytes at ${this.offset}`;
    const since = this.#holder?.submittedAt(this.#submission);
    const when = since === undefined
      ? "prepared, not yet submitted"
      : since === 0
      ? "since more submissions ago than the ring remembers"
      : `since ${(now() - since).toFixed(1)} ms ago`;
    return `The kernel owns ${where} for ${this.#operation} (${when})`;
  }

  static {
    showFacts(Slice, (shown) => shown.#facts());
  }

  #facts(): readonly Fact[] {
    const state = this.area.closed ? "closed" : this.#users === 0 ? "free" : this.#owner();
    return [["offset", this.offset], ["length", this.length], ["state", state, "bare"]];
  }
}
