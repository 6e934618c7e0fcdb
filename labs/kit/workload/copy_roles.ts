/**
 * Whose work a copy is, by the path of calls that made it: the sender's, the NIC's, the receiver's or
 * the application's.
 *
 * @module
 */
import type { MicroscopeView, PayloadTouch } from "../../../ffi/microscope/view.ts";

/** Who can copy: `elsewhere` is the kernel where none of its paths tells for whom. */
export const COPY_ROLES = ["sender", "nic", "receiver", "application", "elsewhere"] as const;

/** Who copied. */
export type CopyRole = typeof COPY_ROLES[number];

/** What one of them copied. */
export interface RoleCopies {
  /** Copies of each byte of the payload; no whole number if some bytes were copied more often. */
  readonly count: number;
  /** The functions that made them, in the order of the copies: how many each. */
  readonly by: readonly { readonly name: string; readonly count: number }[];
}

/** Routines that move bytes for others, which tell less than who called them. */
const ROUTINE =
  /^(rep_movs_alternative|_{0,2}memcpy(_.*)?|_{0,2}memmove|copy_page|copy_mc_.*|_?copy_(from|to)_user.*)$/;

/**
 * Before it copies from a program's memory the kernel makes sure that its pages are there: it loads a
 * byte of each into a local variable that nobody reads. The microscope sees a copy of those bytes.
 */
const PROBE = "fault_in_readable";

/** softnic's transfer, which stands for the DMA of a card. */
const NIC = /^softnic_read/;

/** Where the kernel handles what has arrived, up to the program that takes it. */
const RECEIVING =
  /^(__netif_receive_skb|ip6?_rcv|ip6?_local_deliver|tcp_v[46]_(do_)?rcv|tcp_rcv_established|udp6?_(unicast_|queue_)?rcv|(sock|inet6?|tcp|udp)_recvmsg|tcp_read_sock|tcp_splice_read|tcp_zerocopy_receive|do_tcp_getsockopt|io_zcrx_)/;

/** Where the kernel takes what a program gives it, up to the device or the file. */
const SENDING =
  /^((__)?sock_sendmsg|(tcp|udp)v?6?_sendmsg|(__)?ip6?_append_data|tcp_write_xmit|__tcp_transmit_skb|__tcp_retransmit_skb|(__)?dev_queue_xmit|dev_hard_start_xmit|io_write|io_splice|vfs_write|vfs_iter_write|do_splice|do_sendfile)/;

/**
 * Whose work a copy is. What user space does is the application's, and what is under the NIC's transfer
 * the NIC's. Otherwise the innermost function of the path that belongs to sending or receiving decides,
 * and not who pays: over loopback a packet is delivered in a softirq inside of the sender's system call,
 * where the kernel copies pages that were lent to it (`skb_copy_ubufs`), because a receiver could keep
 * them. That is on the way up to the receiver, for its sake, and so counts as its copy.
 *
 * @param touch What was done.
 */
export function roleOf({ path, place }: Pick<PayloadTouch, "path" | "place">): CopyRole {
  if (place === "user space") return "application";
  for (const name of path.toReversed()) {
    if (NIC.test(name)) return "nic";
    if (RECEIVING.test(name)) return "receiver";
    if (SENDING.test(name)) return "sender";
  }
  return "elsewhere";
}

/**
 * The function that made a copy: of its path the innermost that is no routine for moving bytes.
 *
 * @param touch What was done.
 */
export function copierOf(touch: Pick<PayloadTouch, "path" | "function">): string {
  return touch.path.findLast((name) => !ROUTINE.test(name)) ?? touch.function;
}

/**
 * The copies of a payload that were made for somebody: not those single bytes that the kernel loads to
 * see whether a page is there.
 *
 * @param view What the microscope saw.
 */
export function payloadCopies(view: Pick<MicroscopeView, "copies">): readonly PayloadTouch[] {
  return view.copies.filter((touch) => touch.function !== PROBE);
}

/**
 * Who copied how often, of all that was seen in a window.
 *
 * @param view What the microscope saw.
 */
export function copiesByRole(view: MicroscopeView): Readonly<Record<CopyRole, RoleCopies>> {
  const bytes = Object.fromEntries(
    COPY_ROLES.map((role) => [role, new Map<string, number>()]),
  ) as Record<CopyRole, Map<string, number>>;
  for (const touch of payloadCopies(view)) {
    const of = bytes[roleOf(touch)];
    const name = copierOf(touch);
    of.set(name, (of.get(name) ?? 0) + touch.copied);
  }
  return Object.fromEntries(COPY_ROLES.map((role) => {
    const by = [...bytes[role]].map(([name, copied]) => ({
      name,
      count: copied / view.payloadBytes,
    }));
    const count = by.reduce((sum, one) => sum + one.count, 0);
    return [role, { count, by }];
  })) as unknown as Readonly<Record<CopyRole, RoleCopies>>;
}

/**
 * The same in words, in the order in which a payload passes them, such as
 * `sender: 1 _copy_from_iter; nic: 1 softnic_read`; `nobody` if there was no copy.
 *
 * @param copies Who copied how often.
 */
export function copiesText(copies: Readonly<Record<CopyRole, RoleCopies>>): string {
  const text = COPY_ROLES.filter((role) => copies[role].by.length > 0).map((role) => {
    const by = copies[role].by.map(({ name, count }) => `${Number(count.toFixed(4))} ${name}`);
    return `${role}: ${by.join(", ")}`;
  });
  return text.length === 0 ? "nobody" : text.join("; ");
}

/**
 * Who made the copies of several rows, in a sentence for each whose they are.
 *
 * @param texts What {@linkcode copiesText} says of each; null where rounds differ.
 */
export function copiersText(texts: readonly (string | null)[]): string[] {
  const parts = texts.flatMap((by) => by?.split("; ") ?? []).map((part) => part.split(": "));
  return ["sender", "nic", "receiver", "application"].flatMap((role) => {
    const made = parts.filter(([whose]) => whose === role).flatMap(([, text]) => text!.split(", "));
    const names = [...new Set(made.map((one) => one.split(" ")[1]!))];
    const whose = role === "nic" ? "NIC" : role;
    return names.length === 0 ? [] : [`The ${whose}'s copies are made by ${names.join(", ")}.`];
  });
}
