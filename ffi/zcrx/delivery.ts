/**
 * How what has come gets to who takes it in batches: handed out, shown, or waited for by the thread.
 *
 * @module
 */
import { now } from "../kernel/clock.ts";
import type { Engine } from "../ring/engine.ts";
import type { ArrivalQueue } from "./arrival_queue.ts";
import { offsetIn } from "./offset.ts";
import type { PieceTable } from "./piece_table.ts";
import type { Receptions } from "./receptions.ts";
import type { SharedReceiver } from "./shared.ts";

/**
 * Told of a piece. The program holds it until {@linkcode ZcrxReceiver.release}.
 *
 * @param userData What the receive was started with.
 * @param piece The piece.
 * @param offset Where it starts in its area, in bytes.
 * @param length Its bytes.
 */
export type OnPiece = (userData: number, piece: number, offset: number, length: number) => void;

/**
 * Told of the end of a receive, after its last piece.
 *
 * @param userData What the receive was started with.
 * @param bytes How many were received: the limit if that was reached, less at the end of a stream.
 * @param error Why it failed, or undefined.
 */
export type OnEnd = (userData: number, bytes: number, error: unknown) => void;

/** What is delivered: what has come, the receives that it is from, and what the program holds. */
export interface DeliveryOptions {
  readonly engine: Engine;
  readonly shared: SharedReceiver;
  readonly receptions: Receptions;
  readonly arrived: ArrivalQueue;
  readonly pieces: PieceTable;
}

/** Delivers what has come. */
export class Delivery {
  readonly #engine: Engine;
  readonly #shared: SharedReceiver;
  readonly #receptions: Receptions;
  readonly #arrived: ArrivalQueue;
  readonly #pieces: PieceTable;
  #ended = false;

  constructor({ engine, shared, receptions, arrived, pieces }: DeliveryOptions) {
    this.#engine = engine;
    this.#shared = shared;
    this.#receptions = receptions;
    this.#arrived = arrived;
    this.#pieces = pieces;
  }

  /** Hands out pieces and ends: see {@linkcode ZcrxReceiver.reap}. */
  reap(onPiece: OnPiece, onEnd: OnEnd | undefined): number {
    const arrived = this.#arrived;
    const pieces = this.#pieces;
    const shared = this.#shared;
    let count = 0;
    this.#settleUntilArrived();
    shared.gather();
    try {
      while (arrived.count > 0) {
        const { words, at } = arrived;
        const low = words[at]!;
        const high = words[at + 1]!;
        const length = words[at + 2]!;
        const userData = words[at + 3]! >>> 0;
        if (length < 0) this.#handEnd(arrived.dropEnd(), onEnd);
        else {
          const piece = pieces.take(low, high, length);
          arrived.drop(1);
          count++;
          onPiece(userData, piece, offsetIn(low, high), length);
        }
        if (this.#ended) return count;
      }
    } finally {
      shared.publish();
    }
    if (this.#receptions.waiting > 0) this.#receptions.resumeAll();
    return count;
  }

  /** Shows pieces, and hands out the ends before them: see {@linkcode ZcrxReceiver.peek}. */
  peek(onEnd: OnEnd | undefined): number {
    const arrived = this.#arrived;
    const receptions = this.#receptions;
    this.#settleUntilArrived();
    while (arrived.atEnd) {
      this.#handEnd(arrived.dropEnd(), onEnd);
      if (this.#ended) return 0;
    }
    if (arrived.count === 0 && receptions.waiting > 0) receptions.resumeAll();
    return arrived.show();
  }

  /** Blocks the thread: see {@linkcode ZcrxReceiver.waitBlocking}. */
  waitBlocking(milliseconds: number): boolean {
    const engine = this.#engine;
    const arrived = this.#arrived;
    const receptions = this.#receptions;
    if (engine.prepared > 0) engine.submit(0);
    // A wait has the kernel do what it has put off, too.
    if (milliseconds > 0) engine.settleQueued();
    else this.#settleUntilArrived();
    if (arrived.fresh) return true;
    const deadline = now() + milliseconds;
    for (let left = milliseconds;; left = deadline - now()) {
      if (receptions.waiting > 0) receptions.resumeAll();
      if (arrived.fresh) return true;
      if (left <= 0) return false;
      // What finds no buffer is tried again now and then; but while the program holds pieces only those
      // can help, and it gives none back while it waits here.
      const waits = receptions.waiting === 0 || this.#shared.held > 0;
      if (waits) engine.waitUntil(1, left, deadline);
      else engine.waitBlocking(1, Math.min(1, left));
      this.#settleUntilArrived();
    }
  }

  /**
   * Takes completions until there is something to reap, and no more: the kernel shall not fill more
   * buffers while pieces wait that could be given back. A sender that is faster than this thread
   * would use the area up, and the NIC would drop.
   */
  #settleUntilArrived(): void {
    while (!this.#arrived.fresh && this.#engine.settleStep() > 0);
  }

  #handEnd(number: number, onEnd: OnEnd | undefined): void {
    const reception = this.#receptions.takeEnd(number);
    onEnd?.(reception.userData, reception.received, reception.error);
  }

  /** Delivers nothing from here on, although who is told of something at this moment is not back. */
  end(): void {
    this.#ended = true;
  }

  /** Gives back what has come and the program was not told of. */
  returnArrived(): void {
    const arrived = this.#arrived;
    while (arrived.count > 0) {
      if (arrived.atEnd) arrived.dropEnd();
      else this.#shared.releaseRun(arrived, arrived.show());
    }
  }
}
