/**
 * Where a payload can be sent, and in which ways it is possible there.
 *
 * @module
 */
import { DatagramSink } from "../testbed/datagram_sink.ts";
import { DiskTarget } from "../testbed/disk_target.ts";
import { StreamLink } from "../testbed/stream_links.ts";
import { PAYLOAD_WRITERS, type PayloadWriter } from "./payload_path.ts";
import type { PayloadReceiver } from "./payload_receivers.ts";
import type { PayloadSender } from "./payload_senders.ts";

/** A sink of UDP datagrams, a file, and links for TCP. */
export const PAYLOAD_LINKS = ["ifb", "disk", "loopback", "veth", "softnic"] as const;

/** One of them. */
export type PayloadLink = typeof PAYLOAD_LINKS[number];

/** What is behind one. */
export type PayloadEnd = DatagramSink | DiskTarget | StreamLink;

/** A way from a program to another, or into a file. */
export type PayloadPath = {
  /** Where. */
  readonly link: PayloadLink;
  /** How it is sent, or written. */
  readonly send: PayloadSender | PayloadWriter;
  /** How it is received; `nobody` behind a sink and a file. */
  readonly receive: PayloadReceiver | "nobody";
};

/** 4096 bytes of payload with TCP's headers, so that each segment fills a page. */
const MTU = 4148;

/** Pages of a file, or lent to a pipe, go over TCP only. */
const OF_STREAMS: readonly string[] = ["sendfile", "splice", "vmsplice"];

/**
 * Opens what is behind a link.
 *
 * @param link Which.
 * @throws {UnsupportedError} If this kernel or user cannot have it.
 */
export function openPayloadLink(link: PayloadLink): Promise<PayloadEnd> {
  switch (link) {
    case "ifb":
      return DatagramSink.open(link);
    case "disk":
      return Promise.resolve(DiskTarget.open());
    case "loopback":
      return StreamLink.open({ kind: link });
    default:
      return StreamLink.open({ kind: link, mtu: MTU });
  }
}

/** Whether a payload can be sent and received so at the ends of a link. */
export function isPossiblePath({ link, send, receive }: PayloadPath): boolean {
  const isWriter = PAYLOAD_WRITERS.some((one) => one === send);
  if (isWriter !== (link === "disk")) return false;
  if (send === "devmem" && link !== "softnic") return false;
  if (link === "ifb" && OF_STREAMS.includes(send)) return false;
  if (link === "disk" || link === "ifb") return receive === "nobody";
  const onNic = receive === "zcrx" || receive === "devmem";
  return receive !== "nobody" && (!onNic || link === "softnic");
}

/**
 * What a path is called, such as `send + recv`; without a receiver only how it is sent.
 *
 * @param path The path.
 */
export function pathName({ send, receive }: Pick<PayloadPath, "send" | "receive">): string {
  return receive === "nobody" ? send : `${send} + ${receive}`;
}
