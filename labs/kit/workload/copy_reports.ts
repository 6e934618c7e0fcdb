/**
 * What the kernel and the NIC report of a payload, against what the microscope saw of it.
 *
 * @module
 */
import type { MicroscopeView, PayloadTouch } from "../../../ffi/microscope/view.ts";
import { payloadCopies, roleOf } from "./copy_roles.ts";

/** What the kernel and the NIC report of a payload; null where there is nobody to say it. */
export type CopyReports = {
  /** Whether a notification of a zero-copy send has the copied bit. */
  readonly copiedBit: boolean | null;
  /** Bytes that zcrx, devmem or TCP_ZEROCOPY_RECEIVE says it copied. */
  readonly receiveCopied: number | null;
  /** Bytes that TCP_ZEROCOPY_RECEIVE says it mapped. */
  readonly mapped: number | null;
  /** Payload that the NIC says it placed into memory of a user. */
  readonly placed: number | null;
  /** Of a file that was written, what the page cache has, in bytes of whole pages. */
  readonly cached: number | null;
};

/** No reports: nobody says anything. */
export const NO_REPORTS: CopyReports = {
  copiedBit: null,
  receiveCopied: null,
  mapped: null,
  placed: null,
  cached: null,
};

/** The parts of the kernel that say what they copied on receive. */
const COUNTING = /^(io_zcrx_|tcp_recvmsg|tcp_zerocopy_receive|do_tcp_getsockopt)/;

/** Where the kernel writes to a file. */
const WRITING = /^(io_write|vfs_write|vfs_iter_write)/;

/**
 * Where what was reported is not what was seen.
 *
 * @param seen Both.
 * @returns A sentence for each contradiction.
 */
export function contradictionsOf(
  { view, reports }: {
    readonly view: Pick<MicroscopeView, "copies" | "payloadBytes">;
    readonly reports: CopyReports;
  },
): string[] {
  const { copiedBit, receiveCopied, mapped, placed, cached } = reports;
  const copiedBy = (is: (touch: PayloadTouch) => boolean): number =>
    payloadCopies(view).filter(is).reduce((sum, { copied }) => sum + copied, 0);
  const found: string[] = [];
  // The NIC reads what it sends, copied or not.
  const byKernel = copiedBy((touch) => touch.generation === 0 && roleOf(touch) !== "nic");
  if (copiedBit !== null && copiedBit !== byKernel > 0) {
    found.push(`the copied bit is ${copiedBit ? "" : "not "}set, ${byKernel} bytes were copied`);
  }
  const inReceive = copiedBy(({ path }) => path.some((name) => COUNTING.test(name)));
  if (receiveCopied !== null && receiveCopied !== inReceive) {
    found.push(`receiving counts ${receiveCopied} bytes as copied, and copied ${inReceive}`);
  }
  if (mapped !== null && mapped !== view.payloadBytes - inReceive) {
    found.push(`${mapped} bytes were mapped, and ${inReceive} copied on receive`);
  }
  const byReceiver = copiedBy((touch) => roleOf(touch) === "receiver");
  // What is mapped, the NIC has placed into memory of the kernel.
  if (placed !== null && placed + (mapped ?? 0) !== view.payloadBytes - byReceiver) {
    found.push(`the NIC says that it placed ${placed} bytes, the receiver copied ${byReceiver}`);
  }
  const inWrite = copiedBy(({ path }) => path.some((name) => WRITING.test(name)));
  if (cached !== null && cached > 0 !== inWrite > 0) {
    found.push(`the page cache has ${cached} bytes of the file, ${inWrite} were copied`);
  }
  return found;
}

/**
 * What was reported of a payload, in words; `nothing` if nobody reports.
 *
 * @param receive How it was received.
 * @param reports The reports; null where there is none.
 */
export function reportsText(
  receive: string,
  { copiedBit, receiveCopied, mapped, placed, cached }: CopyReports,
): string {
  const said = [
    ...(copiedBit === null ? [] : [copiedBit ? "copied" : "not copied"]),
    ...(receiveCopied === null ? [] : [`${receiverOf(receive)} copied ${receiveCopied} B`]),
    ...(mapped === null ? [] : [`mapped ${mapped} B`]),
    ...(placed === null ? [] : [`the NIC placed ${placed} B`]),
    ...(cached === null ? [] : [`the page cache has ${cached} B`]),
  ];
  return said.length === 0 ? "nothing" : said.join(", ");
}

/** Who counts what it copies on receive. */
function receiverOf(receive: string): string {
  return receive === "tcp-zerocopy" ? "TCP_ZEROCOPY_RECEIVE" : receive.split("-")[0]!;
}
