/**
 * Zero-copy receive (zcrx): a network device puts what arrives on one of its queues into memory of
 * the program, and the kernel says where.
 *
 * The kernel's own document of this interface (Documentation/networking/iou-zcrx.rst, Linux 7.3) has
 * an example that does not work as it stands. What this module does instead:
 *
 * 1. Head and tail of the refill ring are two places, each taken from the offsets that the kernel
 *    returns. (The example assigns the head twice and the tail never.)
 * 2. The number of refill entries is what the kernel returns, which rounds up. (It is never set.)
 * 3. A request names its receiver: `zcrx_ifq_idx`. (Left out, that is the first of the ring.)
 * 4. The tail is published with release ordering, after the entry. (A plain store may come before.)
 * 5. A full refill ring is noticed, by an acquire load of its head. (Entries would be overwritten.)
 * 6. A completion is read before its place is given back. (It is used after `io_uring_cq_advance`.)
 * 7. Results that are no data, completions without `IORING_CQE_F_MORE`, the end of the request when
 *    the completion queue was full (`-ENOSPC`: start again, nothing is lost), and completions of
 *    other requests are told apart. (There is no test of any.)
 * 8. The offset goes back as it came, with the number of the area in it. (It is masked and joined to
 *    one token, which is wrong with a second area.)
 * 9. One entry goes back for each completion, also where several share a buffer. (It is not said.)
 * 10. A queue of completions of both sizes is stepped through by their sizes. (It steps by one.)
 * 11. What must be set before, and what a refusal means, is said by the error: see
 *    {@linkcode ZcrxReceiver.open}. (`hds-thresh` 0, CAP_NET_ADMIN, RLIMIT_MEMLOCK and the size of
 *    the completion queue are not mentioned.)
 *
 * @see https://docs.kernel.org/networking/iou-zcrx.html
 *
 * @module
 */
import { ClosedError, OwnershipError, UnsupportedError } from "../kernel/errors.ts";
import { CLOSED, type Fact, showFacts, strip } from "../kernel/inspection.ts";
import type { Area } from "../memory/area.ts";
import { napiIdOf } from "../net/napi.ts";
import type { QueueAddress } from "../net/queue_facts.ts";
import type { Descriptor } from "../ring/descriptor.ts";
import type { Engine } from "../ring/engine.ts";
import { engineOf } from "../ring/ring_handle.ts";
import type { Ring } from "../ring/ring.ts";
import { ArrivalQueue } from "./arrival_queue.ts";
import { addArea, armEvent, exportDescriptor } from "./controls.ts";
import { Delivery, type OnEnd, type OnPiece } from "./delivery.ts";
import type { ReceiverEvents } from "./events.ts";
import { ZcrxHandle } from "./handle.ts";
import { receiveInLoop, type ZcrxLoopOptions, type ZcrxReceiveOptions } from "./loop.ts";
import {
  openImported,
  openOnQueue,
  openWithoutDevice,
  type Origin,
  type ZcrxMemoryOptions,
  type ZcrxReceiverOptions,
} from "./opening.ts";
import { areaOf, offsetIn } from "./offset.ts";
import type { ZcrxPiece } from "./piece.ts";
import { PieceTable } from "./piece_table.ts";
import { type ZcrxEvent, zcrxFeatures } from "./query.ts";
import { Receptions } from "./receptions.ts";
import type { Attachment, SharedReceiver } from "./shared.ts";

/** What a {@linkcode ZcrxReceiver} has counted. */
export interface ZcrxStatistics {
  /** Pieces received. */
  readonly pieces: number;
  /** Their bytes. */
  readonly bytes: number;
  /** Pieces that the program holds. */
  readonly held: number;
  /** Receives that were started again because the completion queue was full. */
  readonly queueFull: number;
  /** Receives that were started again because no buffer was free to copy into. */
  readonly starved: number;
  /** How often the refill ring was flushed. */
  readonly flushes: number;
  /**
   * Chunks that the kernel copied, or undefined where it does not say (before 7.2). See
   * {@linkcode ZcrxReceiver.statistics} for what it leaves out.
   */
  readonly copiedChunks: number | undefined;
  /** Their bytes. */
  readonly copiedBytes: number | undefined;
}

/**
 * Receives TCP data without copying it (zcrx, 6.15): a network device puts the data that arrives on
 * one queue into an {@linkcode Area}, and every completion says where a piece of it lies. The
 * program holds a piece until it gives it back. It needs a NIC that splits headers from data and
 * whose queues can be given other memory, and connections that are steered to that queue; or the
 * guest's softnic; or {@linkcode withoutDevice}, which works anywhere and copies (7.1).
 *
 * Two APIs. {@linkcode receive} is a loop, for the REPL and notebooks. {@linkcode start},
 * {@linkcode reap} and {@linkcode release} allocate nothing for a piece, for experiments.
 *
 * What does not arrive on the queue is copied by the kernel into the area, silently: see
 * {@linkcode statistics} and {@linkcode nextEvent}.
 *
 * The registration cannot be undone alone: the queue stays bound, and the area's memory the
 * kernel's, until the ring is closed. Closing the receiver ends what it does.
 *
 * @example Without a device
 * ```ts ignore
 * import { Area, Ring, Socket, ZcrxReceiver } from "zclab";
 * import { assertEquals } from "@std/assert";
 *
 * await using ring = Ring.open({ completionSize: 32 });
 * using area = Area.map({ bytes: 1 << 20 });
 * using receiver = ZcrxReceiver.withoutDevice(ring, { area });
 * using listener = Socket.tcp().bind({ host: "127.0.0.1", port: 0 }).listen();
 * using sender = Socket.tcp().connectBlocking(listener.localAddress!);
 * using socket = await ring.accept(listener);
 *
 * using data = Area.map({ bytes: 4096 });
 * sender.sendBlocking(data.slice(0, 5).write(new TextEncoder().encode("hello")));
 * sender.shutdown("write");
 * const pieces: string[] = [];
 * for await (using piece of receiver.receive(socket)) {
 *   pieces.push(new TextDecoder().decode(piece.bytes));
 * }
 * assertEquals(pieces, ["hello"]);
 * ```
 */
export class ZcrxReceiver implements Disposable {
  readonly #engine: Engine;
  readonly #shared: SharedReceiver;
  readonly #attachment: Attachment;
  readonly #queueAddress: QueueAddress | undefined;
  readonly #imported: boolean;
  readonly #pieces = new PieceTable();
  /** What the batch API has not had yet. */
  readonly #arrived = new ArrivalQueue();
  readonly #receptions: Receptions;
  readonly #delivery: Delivery;
  readonly #events: ReceiverEvents;
  #closed = false;

  private constructor(ring: Ring, { id, shared, events, queue, imported }: Origin) {
    const engine = engineOf(ring);
    const [pieces, arrived] = [this.#pieces, this.#arrived];
    const receptions = new Receptions(ring, { id, shared, pieces, arrived });
    this.#engine = engine;
    this.#shared = shared;
    this.#attachment = { engine, id };
    this.#queueAddress = queue;
    this.#imported = imported;
    this.#events = events;
    this.#receptions = receptions;
    this.#delivery = new Delivery({ engine, shared, receptions, arrived, pieces });
    shared.attach(this.#attachment);
    shared.opened();
    engine.afterClose(() => this.#afterRing());
  }

  // === Opening ===

  /**
   * Takes a queue of a network device (`IORING_REGISTER_ZCRX_IFQ`, 6.15). The thread enters the
   * namespace of the device for the call, where it is another.
   *
   * @param ring A ring with `completionSize` 32 or `"mixed"`.
   * @throws {UringError} If the kernel refuses. The error says which of these it is, as far as it
   *   can be found out: no CAP_NET_ADMIN over the machine (EPERM); no such interface (ENODEV); no such
   *   queue, or an area that is not contiguous enough for the buffers (ERANGE); tcp-data-split not
   *   on, or hds-thresh not 0 (EINVAL); the queue taken, and by what, or XDP (EEXIST); AF_XDP or
   *   leased (EBUSY); a device without queue operations or DMA, or buffers that it cannot have
   *   (EOPNOTSUPP); a driver that does not use the memory (ENODATA); RLIMIT_MEMLOCK (ENOMEM).
   * @throws {UnsupportedError} If this kernel lacks what is asked for.
   * @throws {RangeError} If a number is out of range.
   * @throws {OwnershipError} If the area is another receiver's.
   * @throws {ClosedError} If the ring or the area is closed.
   */
  static open(ring: Ring, options: ZcrxReceiverOptions): ZcrxReceiver {
    return new ZcrxReceiver(ring, openOnQueue(ring, options));
  }

  /**
   * Makes a receiver that belongs to no device (`ZCRX_REG_NODEV`, 7.1). It is the real interface,
   * for any TCP socket on any machine; the kernel copies every byte. Needs CAP_NET_ADMIN as well.
   *
   * @param ring A ring with `completionSize` 32 or `"mixed"`.
   * @throws {UringError} If the kernel refuses; see {@linkcode open}.
   * @throws {UnsupportedError} Before Linux 7.1.
   * @throws {OwnershipError} If the area is another receiver's.
   * @throws {ClosedError} If the ring or the area is closed.
   */
  static withoutDevice(ring: Ring, options: ZcrxMemoryOptions): ZcrxReceiver {
    return new ZcrxReceiver(ring, openWithoutDevice(ring, options));
  }

  /**
   * Takes an exported receiver into another ring of this thread (`ZCRX_REG_IMPORT`, 6.19). Both
   * receive into the same areas from the same queue, and give back through the same refill ring.
   * Events go to the ring that opened it.
   *
   * @param ring A ring with `completionSize` 32 or `"mixed"`.
   * @param handle What {@linkcode export} returned.
   * @throws {UringError} If the kernel refuses.
   * @throws {UnsupportedError} Before Linux 6.19.
   * @throws {ClosedError} If the ring or the handle is closed.
   */
  static import(ring: Ring, handle: ZcrxHandle): ZcrxReceiver {
    return new ZcrxReceiver(ring, openImported(ring, handle));
  }

  // === What it is ===

  /** The number of the receiver in its ring: `zcrx_id`. */
  get id(): number {
    return this.#attachment.id;
  }

  /** The name of the network device, or undefined: without a device, and after an import. */
  get interface(): string | undefined {
    return this.#queueAddress?.name;
  }

  /** The number of the receive queue, or undefined. */
  get queue(): number | undefined {
    return this.#queueAddress?.queue;
  }

  /** Bytes of a buffer: no piece is larger. */
  get bufferBytes(): number {
    return this.#shared.bufferBytes;
  }

  /** Entries of the refill ring. */
  get refillEntries(): number {
    return this.#shared.refill.entries;
  }

  /** The areas that it receives into. */
  get areas(): readonly Area[] {
    return this.#shared.areas;
  }

  /** Pieces that the program holds, those included that it was not told of yet. */
  get held(): number {
    return this.#pieces.held + this.#arrived.pieces;
  }

  /** Whether {@linkcode close} was called, or the ring was closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * The NAPI context that the socket it receives from got its last packet from, which is what busy
   * polling polls; 0 before that, and where there is none. See {@linkcode napiIdOf}.
   */
  get napiId(): number {
    const { socket } = this.#receptions;
    return socket === undefined || socket.closed ? 0 : napiIdOf(socket).id;
  }

  /**
   * What was counted. `copiedBytes` is the kernel's: the fragments of packets that it copied. It does
   * not count data that the device left with the headers, which is copied too. So 0 does not prove
   * that nothing was copied: compare the device's counters, or {@linkcode physicalPages} with where
   * the device put the data.
   *
   * @throws {ClosedError} After close.
   */
  statistics(): ZcrxStatistics {
    this.#ensureOpen();
    const counts = this.#shared.counts;
    const { count, bytes, queueFull, starved } = this.#receptions;
    return {
      pieces: count,
      bytes,
      held: this.held,
      queueFull,
      starved,
      flushes: this.#shared.flushes,
      copiedChunks: counts === undefined ? undefined : Number(counts[0]),
      copiedBytes: counts === undefined ? undefined : Number(counts[1]),
    };
  }

  // === The promise API ===

  /**
   * Receives piece after piece with one request (RECV_ZC, 6.15), until the end of the stream, or
   * the limit, or until the loop is left; then the request is cancelled, and what it had received
   * already and the loop has not had is given back, and so lost.
   *
   * A piece that is never given back is a buffer less. When all are held the receive waits.
   *
   * The kernel takes what has come all at once, and a sender may be faster than the loop: then the
   * buffers run out, and a NIC drops frames, which TCP sends again later. What bounds it is an area
   * larger than the sender's window and the NIC's descriptors together, or a ring with few
   * `completionEntries`.
   *
   * @param file A connected TCP socket.
   * @throws {UringError} If the connection failed (ECONNRESET), the socket is no TCP socket
   *   (EPROTONOSUPPORT), or data is elsewhere (EFAULT, ENOMEM).
   * @throws {RangeError} If the limit is not a positive whole number.
   * @throws {ClosedError} If the receiver or its ring is closed, or closes meanwhile.
   */
  receive(file: Descriptor, options: ZcrxLoopOptions = {}): AsyncGenerator<ZcrxPiece> {
    const [engine, shared] = [this.#engine, this.#shared];
    const [receptions, pieces] = [this.#receptions, this.#pieces];
    return receiveInLoop(this, { engine, shared, receptions, pieces }, file, options);
  }

  // === The batch API ===

  /**
   * Prepares a receive from a socket (RECV_ZC, 6.15): its pieces and its end come from
   * {@linkcode reap}. Submitted by the ring's `batch.submit()`, or when something is waited for.
   *
   * @param file A connected TCP socket.
   * @param userData An unsigned 32-bit number that comes back with the pieces.
   * @returns The number of the receive, for {@linkcode stop}.
   * @throws {RangeError} If the limit is not a positive whole number.
   * @throws {ClosedError} If the receiver, its ring or the socket is closed.
   */
  start(file: Descriptor, userData = 0, options: ZcrxReceiveOptions = {}): number {
    this.#ensureOpen();
    return this.#receptions.begin(file, userData, options.bytes).number;
  }

  /** Cancels a receive. Pieces may still come; its end comes from {@linkcode reap}, without error. */
  stop(number: number): void {
    this.#ensureOpen();
    const reception = this.#receptions.live(number);
    if (reception === undefined) return;
    this.#receptions.stop(reception);
    if (this.#engine.prepared > 0) this.#engine.submit(0);
  }

  /**
   * Hands out pieces and ends that have come, and starts receives again that were interrupted
   * because the completion queue was full or no buffer was free. Never waits. More may have come
   * when it returns: 0 means that nothing is left. Completions of other requests of the ring's batch
   * API are kept for `batch.reap`.
   *
   * @param onPiece Told of each piece.
   * @param onEnd Told of each end.
   * @returns How many pieces were handed out.
   * @throws {ClosedError} After close.
   */
  reap(onPiece: OnPiece, onEnd?: OnEnd): number {
    this.#ensureOpen();
    if (typeof onPiece !== "function") {
      throw new TypeError("reap: the first argument must be a function");
    }
    return this.#delivery.reap(onPiece, onEnd);
  }

  /**
   * Looks at the pieces that have come, in their order, without taking them: for who reads each once.
   * They have no numbers, and cost a fraction of those that {@linkcode reap} hands out.
   * {@linkcode offsetAt} and the like say what each is, until {@linkcode consume} gives them back.
   * Never waits. Receives that were interrupted are started again, as `reap` does.
   *
   * @param onEnd Told of each end, once all pieces before it were consumed.
   * @returns How many there are, those included that were shown before; 0 means that nothing is left.
   * @throws {ClosedError} After close.
   *
   * @example Count the bytes of a stream
   * ```ts ignore
   * let bytes = 0;
   * let ended = false;
   * receiver.start(socket);
   * while (!ended && receiver.waitBlocking(1000)) {
   *   const count = receiver.peek(() => ended = true);
   *   for (let i = 0; i < count; i++) bytes += receiver.lengthAt(i);
   *   receiver.consume(count);
   * }
   * ```
   */
  peek(onEnd?: OnEnd): number {
    this.#ensureOpen();
    return this.#delivery.peek(onEnd);
  }

  /**
   * Where a piece that {@linkcode peek} has shown starts in its area, in bytes.
   *
   * @param index Which of them, from 0; those that were consumed are not counted any more.
   * @throws {OwnershipError} If it was not shown, or was consumed or reaped.
   * @throws {ClosedError} After close.
   */
  offsetAt(index: number): number {
    const at = this.#arrived.place(index);
    if (at < 0) throw this.#notShown(index);
    const { words } = this.#arrived;
    return offsetIn(words[at]!, words[at + 1]!);
  }

  /** Bytes of a piece that {@linkcode peek} has shown. Fails as {@linkcode offsetAt} does. */
  lengthAt(index: number): number {
    const at = this.#arrived.place(index);
    if (at < 0) throw this.#notShown(index);
    return this.#arrived.words[at + 2]!;
  }

  /** What the receive of such a piece was started with. Fails as {@linkcode offsetAt} does. */
  userDataAt(index: number): number {
    const at = this.#arrived.place(index);
    if (at < 0) throw this.#notShown(index);
    return this.#arrived.words[at + 3]! >>> 0;
  }

  /** The area of such a piece. Fails as {@linkcode offsetAt} does. */
  areaAt(index: number): Area {
    const at = this.#arrived.place(index);
    if (at < 0) throw this.#notShown(index);
    return this.#shared.area(areaOf(this.#arrived.words[at + 1]!));
  }

  /**
   * Gives pieces that {@linkcode peek} has shown back to the kernel.
   *
   * @param count How many, from the first on.
   * @throws {OwnershipError} If so many are not shown: they were consumed or reaped already.
   * @throws {ClosedError} After close.
   */
  consume(count: number): void {
    if (this.#closed) this.#ensureOpen();
    const arrived = this.#arrived;
    if (count >>> 0 !== count || count > arrived.shown) throw this.#notShown(count - 1);
    this.#shared.releaseRun(arrived, count);
  }

  #notShown(index: number): Error {
    this.#ensureOpen();
    const { shown } = this.#arrived;
    return new OwnershipError(
      `Of the ${shown} pieces that are shown none has the index ${index}: peek shows what has come, ` +
        "and each is consumed or reaped once",
    );
  }

  /**
   * Blocks the thread until there is something to reap that {@linkcode peek} has not shown, or the time
   * has run out. Submits what is prepared.
   *
   * @returns Whether there is something.
   * @throws {ClosedError} After close.
   */
  waitBlocking(milliseconds: number): boolean {
    this.#ensureOpen();
    if (Number.isNaN(milliseconds)) throw new RangeError("A time in milliseconds is not NaN");
    return this.#delivery.waitBlocking(milliseconds);
  }

  /**
   * Gives a piece back to the kernel. Each is given back once; nobody else needs to be told.
   *
   * @throws {OwnershipError} If the program does not hold it: it was given back already.
   * @throws {ClosedError} After close.
   */
  release(piece: number): void {
    if (this.#closed) this.#ensureOpen();
    const pieces = this.#pieces;
    const slot = pieces.slotOf(piece);
    const low = pieces.low(slot);
    const high = pieces.high(slot);
    const length = pieces.length(slot);
    pieces.free(slot);
    this.#shared.releasePiece(low, high, length);
  }

  /** Whether the program holds a piece. */
  holds(piece: number): boolean {
    return !this.#closed && this.#pieces.holds(piece);
  }

  /**
   * The bytes of a piece, as a new view.
   *
   * @throws {OwnershipError} If the program does not hold it.
   * @throws {ClosedError} After close.
   */
  bytes(piece: number): Uint8Array<ArrayBuffer> {
    this.#ensureOpen();
    const slot = this.#pieces.slotOf(piece);
    const area = this.#shared.area(this.#pieces.area(slot));
    return area.unsafeBytes(this.#pieces.offset(slot), this.#pieces.length(slot));
  }

  /**
   * The area of a piece: which of {@linkcode areas} its offset is about.
   *
   * @throws {OwnershipError} If the program does not hold it.
   * @throws {ClosedError} After close.
   */
  areaOf(piece: number): Area {
    this.#ensureOpen();
    return this.#shared.area(this.#pieces.area(this.#pieces.slotOf(piece)));
  }

  // === Controls ===

  /**
   * Makes the kernel take back everything that was given back (`ZCRX_CTRL_FLUSH_RQ`, 6.19). It is
   * done without asking where it is needed: when the refill ring is full, and before a receiver that
   * copies runs out of buffers.
   *
   * @returns How many pieces it took.
   * @throws {UnsupportedError} Before Linux 6.19.
   * @throws {ClosedError} After close.
   */
  flush(): number {
    this.#ensureOpen();
    if (!zcrxFeatures().flush) {
      throw new UnsupportedError("ZCRX_CTRL_FLUSH_RQ", { since: "6.19" });
    }
    return this.#shared.flush();
  }

  /** How often each event has happened (7.2). */
  get events(): Readonly<Record<ZcrxEvent, number>> {
    return this.#events.counts;
  }

  /**
   * Resolves to the next event (7.2): `ALLOC_FAIL`, the NIC found no free buffer and dropped a packet;
   * `COPY`, data did not arrive in the area and was copied. Each is told once, until {@linkcode arm}.
   * An event that came before somebody asked is told first.
   *
   * @throws {UnsupportedError} Before Linux 7.2, and for an imported receiver.
   * @throws {ClosedError} If the receiver or its ring is closed, or closes before that.
   */
  async nextEvent(): Promise<ZcrxEvent> {
    this.#ensureOpen();
    this.#events.assertTold();
    return await this.#events.next(this.#engine);
  }

  /**
   * Has the next event of a kind told again (`ZCRX_CTRL_ARM_EVENT`, 7.2).
   *
   * @throws {UringError} EINVAL, if it has not happened since it was armed.
   * @throws {UnsupportedError} Before Linux 7.2, and for an imported receiver.
   * @throws {ClosedError} After close.
   */
  arm(event: ZcrxEvent): void {
    this.#ensureOpen();
    this.#events.assertTold();
    armEvent(this.#attachment, event);
  }

  /**
   * Makes a handle for {@linkcode import} (`ZCRX_CTRL_EXPORT`, 6.19). The registration lives until
   * the handle and every ring that has it are closed.
   *
   * @throws {UnsupportedError} Before Linux 6.19.
   * @throws {ClosedError} After close.
   */
  export(): ZcrxHandle {
    this.#ensureOpen();
    return new ZcrxHandle(exportDescriptor(this.#attachment), this.#shared);
  }

  /**
   * Adds an area of the same kind to receive into (`ZCRX_CTRL_ADD_AREA`, 7.3).
   *
   * @throws {UringError} If it is of another kind (EINVAL), not contiguous enough (ERANGE), or there is
   *   not enough memory that may be locked (ENOMEM).
   * @throws {UnsupportedError} Before Linux 7.3.
   * @throws {OwnershipError} If it is another receiver's.
   * @throws {ClosedError} After close, or if the area is closed.
   */
  addArea(area: Area): void {
    this.#ensureOpen();
    addArea(this.#attachment, this.#shared, area);
  }

  // === Closing ===

  #ensureOpen(): void {
    if (this.#engine.closed) throw new ClosedError("Ring");
    if (this.#closed) throw new ClosedError("ZcrxReceiver");
  }

  /**
   * Cancels every receive, gives back every piece, also those that the program holds, and so takes
   * them away from it. The queue stays bound and the area's memory the kernel's until the ring is
   * closed: the kernel has no way to undo that alone. Blocks the thread until the receives have
   * ended. Idempotent.
   *
   * @param timeout How long to wait for them at most, in milliseconds; 1000 by default.
   */
  close(timeout = 1000): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#delivery.end();
    try {
      this.#receptions.close(timeout);
    } finally {
      this.#delivery.returnArrived();
      for (const slot of this.#pieces.slots()) {
        const low = this.#pieces.low(slot);
        this.#shared.releasePiece(low, this.#pieces.high(slot), this.#pieces.length(slot));
      }
      this.#end(new ClosedError("ZcrxReceiver"));
    }
  }

  /** The ring was closed: nothing comes any more, and nothing can be given back. */
  #afterRing(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#delivery.end();
    const error = new ClosedError("Ring");
    this.#receptions.afterRing(error);
    this.#end(error);
  }

  #end(error: ClosedError): void {
    this.#receptions.clear();
    this.#arrived.clear();
    this.#events.end(error);
    this.#shared.closed();
  }

  /** Closes the receiver. */
  [Symbol.dispose](): void {
    this.close();
  }

  static {
    showFacts(ZcrxReceiver, (shown) => shown.#facts(), (shown) => shown.#more());
  }

  #facts(): readonly Fact[] {
    if (this.#closed) return CLOSED;
    const where = this.#queueAddress === undefined
      ? this.#imported ? "imported" : "no device"
      : `${this.interface} queue ${this.queue}`;
    const areas = this.areas.reduce((sum, { bytes }) => sum + bytes, 0);
    return [
      ["id", this.id],
      ["source", where, "bare"],
      ["area", `${areas} bytes`],
      ["buffers", `buffers of ${this.bufferBytes}`, "bare"],
      ["held", this.held],
    ];
  }

  /** What only a table has room for. */
  #more(): readonly Fact[] {
    if (this.#closed) return [];
    const held = [...this.#pieces.slots()];
    return this.areas.map(({ bytes }, number) => [
      `map of area ${number} (░ not held, █ held)`,
      strip(
        bytes,
        held.filter((slot) => this.#pieces.area(slot) === number).map((slot) => ({
          offset: this.#pieces.offset(slot),
          length: this.#pieces.length(slot),
        })),
      ),
    ]);
  }
}
