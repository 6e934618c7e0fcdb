/**
 * One stream over one link: sent by a thread of its own, received in one of several ways, and watched
 * by the NIC that it came through.
 *
 * @module
 */
import { Area } from "../../../ffi/memory/area.ts";
import { Ring } from "../../../ffi/ring/ring.ts";
import { type NicCounts, NicWitness, type PlacedPiece } from "../testbed/nic_witness.ts";
import type { ConnectionOptions, StreamLink } from "../testbed/stream_links.ts";
import {
  receiveCopying,
  type Received,
  receiveMultishot,
  type ReceiveOptions,
  receiveZeroCopy,
} from "./receive.ts";
import type { Look } from "../trials/look.ts";
import type { StreamSender } from "./stream_sender.ts";

/** The ways of receiving a stream: RECV, RECV_MULTISHOT into provided buffers, RECV_ZC. */
export const STREAM_ENGINES = ["recv", "recv-multishot", "zcrx"] as const;

/** A way of receiving a stream. */
export type StreamEngine = typeof STREAM_ENGINES[number];

/** How to receive a stream. */
export interface ReceiveStreamOptions {
  /** The way. */
  readonly engine: StreamEngine;
  /** Length of the stream in bytes, less than 2^31. */
  readonly bytes: number;
  /** Bytes of the memory that recv receives into, or zcrx. */
  readonly area: number;
  /**
   * What zcrx stands on: the link's NIC, or nothing, where the kernel copies.
   *
   * @default {the NIC where there is one}
   */
  readonly device?: "none" | "softnic" | undefined;
  /**
   * Bytes of each buffer: of zcrx on a NIC, where more than 4096 takes huge pages, and of the 64
   * provided buffers.
   *
   * @default {4096}
   */
  readonly buffer?: number | undefined;
  /**
   * Whether the memory that recv copies into is written to before. That of zcrx is there from its
   * registration on; into fresh memory the first receive into each page has to make it.
   *
   * @default {true}
   */
  readonly touched?: boolean;
  /** The processor to send on; any unless given. */
  readonly sendOn?: number;
  /**
   * Sizes of the connection's buffers.
   *
   * @default {the kernel's}
   */
  readonly connection?: ConnectionOptions;
  /**
   * Whether to compare every byte with what was sent, and the pages in which zcrx found it with those
   * that the NIC wrote. It takes longer, so that the speed is not one to compare.
   *
   * @default {false}
   */
  readonly proof?: boolean;
  /** Looks at the stream, which then fills pages. */
  readonly look?: Look;
}

/** What came of a stream. */
export type ReceivedStream = Received & NicCounts & {
  /** Whether the pages that were read are those that the NIC wrote; null where nobody looked. */
  readonly samePages: boolean | null;
};

/** Entries of the completion queue: each piece has one. */
const COMPLETIONS = 4096;
const PROVIDED_BUFFERS = 64;

/**
 * Receives one stream over a connection of its own. Blocks the thread while it comes.
 *
 * @param link Where.
 * @param sender Who sends it.
 * @param options What, and how.
 * @throws {UringError} If receiving failed.
 * @throws {UnsupportedError} If this kernel does not have this way.
 * @throws {Error} If what is received is not the stream.
 *
 * @example
 * ```ts
 * import { receiveStream, StreamLink, StreamSender } from "zclab/lab";
 * import { assertEquals } from "@std/assert";
 *
 * await using link = await StreamLink.open({ kind: "loopback" });
 * using sender = await StreamSender.start();
 * const { bytes, copiedBytes, placedBytes } = await receiveStream(link, sender, {
 *   engine: "recv",
 *   bytes: 1 << 20,
 *   area: 64 << 10,
 * });
 * // recv always copies, and nobody counts it.
 * assertEquals([bytes, copiedBytes, placedBytes], [1 << 20, null, null]);
 * ```
 */
export async function receiveStream(
  link: StreamLink,
  sender: StreamSender,
  options: ReceiveStreamOptions,
): Promise<ReceivedStream> {
  const { engine, bytes, device, buffer = 4096, sendOn, touched = true, proof = false, look } =
    options;
  const isZeroCopy = engine === "zcrx";
  const onNic = isZeroCopy && device !== "none" && link.nic !== undefined;
  using area = Area.map({
    bytes: options.area,
    ...(onNic && buffer > 4096 ? { hugePages: "2MiB" } : {}),
  });
  if (engine === "recv" && touched) area.unsafeBytes().fill(0);
  await using ring = Ring.open({
    entries: 64,
    completionEntries: COMPLETIONS,
    completionSize: isZeroCopy ? 32 : 16,
  });
  using receiver = isZeroCopy
    ? link.openReceiver(ring, { area, bufferBytes: buffer, device: onNic ? "softnic" : "none" })
    : undefined;
  using wire = await link.connect(options.connection);
  const pieces: PlacedPiece[] = [];
  const witness = await NicWitness.begin(link.nic?.far, { queue: link.queue, pages: proof });
  const received = await sender.stream(wire.near, { bytes, cpu: sendOn, look }, (onReady) => {
    const stream: ReceiveOptions = {
      bytes,
      whole: proof,
      onReady,
      ...(proof ? { onPiece: (offset, length) => pieces.push({ offset, length }) } : {}),
    };
    return receiver !== undefined
      ? receiveZeroCopy(receiver, wire.far, stream)
      : engine === "recv"
      ? receiveCopying(ring, wire.far, area, stream)
      : receiveMultishot(
        ring,
        wire.far,
        { count: PROVIDED_BUFFERS, bytes: buffer, touched },
        stream,
      );
  });
  return {
    ...received,
    ...await witness.counts(),
    samePages: proof && onNic ? await witness.samePages(area, pieces) : null,
  };
}
