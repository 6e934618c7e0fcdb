/**
 * From a socket to a disk through memory that the kernel copies to.
 *
 * @module
 */
import type { Area } from "../../../ffi/memory/area.ts";
import type { DiskFile } from "../../../ffi/memory/disk_file.ts";
import { UringError } from "../../../ffi/kernel/errors.ts";
import { MSG } from "../../../ffi/kernel/uapi.ts";
import type { Socket } from "../../../ffi/net/socket.ts";
import type { Ring } from "../../../ffi/ring/ring.ts";

/** Milliseconds without progress after which a stream counts as stuck. */
const STUCK_MILLISECONDS = 60_000;

/** What completions are of. */
const RECEIVED = 1;
const WRITTEN = 2;

/**
 * Receives into one half of the memory (RECV) while the other half is written (WRITE). Blocks the
 * thread until the whole stream has been written.
 *
 * @param ring The ring; the memory may be registered with it.
 * @param socket A connected TCP socket.
 * @param area The memory.
 * @param file The file, written from its start.
 * @param bytes Length of the stream. If the file was opened with O_DIRECT, the halves and this are
 *   multiples of 4096.
 * @throws {UringError} If receiving or writing failed.
 * @throws {Error} If the stream ends early, stands still for a minute, or the disk is full.
 */
export function copyToDisk(
  ring: Ring,
  socket: Socket,
  area: Area,
  file: DiskFile,
  bytes: number,
): void {
  const { batch } = ring;
  const half = area.bytes / 2;
  const halves = [area.slice(0, half), area.slice(half, half)] as const;
  let pending = 0;
  /** Bytes that came in, and bytes on their way to the disk. */
  let filled = 0;
  let writing = 0;
  let failure: Error | undefined;
  const onCompletion = (userData: number, result: number): void => {
    pending--;
    if (result < 0) failure = new UringError(userData === RECEIVED ? "RECV" : "WRITE", -result);
    else if (userData === RECEIVED) filled = result;
    else if (result !== writing) {
      failure = new Error(`The disk took ${result} of ${writing} bytes`);
    }
  };
  let received = 0;
  for (let turn = 0; received < bytes || writing > 0; turn ^= 1) {
    filled = 0;
    const wanted = Math.min(half, bytes - received);
    if (wanted > 0) {
      batch.recv(socket, halves[turn]!.slice(0, wanted), RECEIVED, MSG.WAITALL);
      pending++;
    }
    while (pending > 0) {
      batch.submit();
      if (!batch.waitBlocking(1, STUCK_MILLISECONDS)) throw stuck(received, bytes);
      batch.reap(onCompletion);
      if (failure !== undefined) throw failure;
    }
    writing = filled;
    if (filled === 0) {
      if (received < bytes) throw stuck(received, bytes);
      return;
    }
    batch.write(file, halves[turn]!.slice(0, filled), received, WRITTEN);
    pending++;
    received += filled;
  }
}

function stuck(received: number, bytes: number): Error {
  return new Error(`The stream is stuck after ${received} of ${bytes} bytes`);
}
