/**
 * Receiving in a loop, piece after piece.
 *
 * @module
 */
import { ClosedError } from "../kernel/errors.ts";
import type { Descriptor } from "../ring/descriptor.ts";
import type { Engine } from "../ring/engine.ts";
import { type PieceOwner, ZcrxPiece } from "./piece.ts";
import type { PieceTable } from "./piece_table.ts";
import type { Reception, Receptions } from "./receptions.ts";
import type { SharedReceiver } from "./shared.ts";

/** How to receive. */
export interface ZcrxReceiveOptions {
  /** Bytes after which it ends; no limit by default. */
  readonly bytes?: number;
}

/** How to receive in a loop. */
export interface ZcrxLoopOptions extends ZcrxReceiveOptions {
  /** Ends it; the loop then throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What a loop stands on: the receives of its owner, and what the program holds of it. */
export interface LoopParts {
  readonly engine: Engine;
  readonly shared: SharedReceiver;
  readonly receptions: Receptions;
  readonly pieces: PieceTable;
}

/** Receives until the end, or the limit, or until it is left: see {@linkcode ZcrxReceiver.receive}. */
export async function* receiveInLoop(
  owner: PieceOwner,
  parts: LoopParts,
  file: Descriptor,
  options: ZcrxLoopOptions,
): AsyncGenerator<ZcrxPiece> {
  const { engine, receptions } = parts;
  const { bytes, signal } = options;
  signal?.throwIfAborted();
  const stream: number[] = [];
  ensureOpen(owner, engine);
  const reception = receptions.begin(file, 0, bytes, stream);
  const onAbort = (): void => receptions.stop(reception);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    engine.submitSoon();
    while (true) {
      signal?.throwIfAborted();
      if (owner.closed) ensureOpen(owner, engine);
      const piece = stream.shift();
      if (piece !== undefined) {
        // Held by the program from here on, also when the loop is left with it.
        yield pieceOf(owner, parts, piece);
      } else if (reception.ended) {
        if (reception.error !== undefined) throw reception.error;
        return;
      } else if (!reception.armed) {
        if (receptions.resume(reception)) engine.submitSoon();
        else await receptions.mayResume(reception);
      } else await receptions.arrival(reception);
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    await abandon(owner, receptions, reception, stream);
  }
}

function ensureOpen({ closed }: PieceOwner, engine: Engine): void {
  if (engine.closed) throw new ClosedError("Ring");
  if (closed) throw new ClosedError("ZcrxReceiver");
}

function pieceOf(owner: PieceOwner, { pieces, shared }: LoopParts, piece: number): ZcrxPiece {
  const slot = pieces.slotOf(piece);
  return new ZcrxPiece(owner, piece, {
    area: shared.area(pieces.area(slot)),
    offset: pieces.offset(slot),
    length: pieces.length(slot),
  });
}

/** Ends a receive whose loop was left, and gives back what the loop has not had. */
async function abandon(
  owner: PieceOwner,
  receptions: Receptions,
  reception: Reception,
  stream: number[],
): Promise<void> {
  if (owner.closed) return;
  await receptions.abandon(reception);
  if (!owner.closed) { for (const piece of stream.splice(0)) owner.release(piece); }
}
