/**
 * The stream as it is on a disk.
 *
 * @module
 */
import { Area } from "../../../ffi/memory/area.ts";
import type { DiskFile } from "../../../ffi/memory/disk_file.ts";
import { Ring } from "../../../ffi/ring/ring.ts";
import { matchesWhole } from "./stream.ts";

/** Bytes of one read at most. */
const CHUNK = 1 << 20;

/**
 * Reads the stream from a file and compares every byte.
 *
 * @param file The file; opened with O_DIRECT it is read from the disk, and not from the page cache.
 * @param bytes How much of it.
 * @returns Whether it is the stream of {@linkcode matchesWhole}.
 * @throws {UringError} If reading failed.
 */
export async function isStreamOnDisk(file: DiskFile, bytes: number): Promise<boolean> {
  await using ring = Ring.open({ entries: 8 });
  using area = Area.map({ bytes: CHUNK });
  const memory = area.unsafeBytes();
  const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  for (let at = 0; at < bytes;) {
    const wanted = Math.min(CHUNK, bytes - at);
    const count = await ring.read(file, area.slice(0, wanted), at);
    if (count <= 0 || !matchesWhole(view, 0, count, at)) return false;
    at += count;
  }
  return true;
}
