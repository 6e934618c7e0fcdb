import { assertEquals } from "@std/assert";
import type { PayloadTouch } from "zclab";
import { copierOf, roleOf } from "../../../../labs/kit/workload/copy_roles.ts";

/** A copy in the kernel, by its path of calls. */
function copy(path: string, place: PayloadTouch["place"] = "own"): PayloadTouch {
  const names = path.split(" ");
  const copied = { generation: 0, read: 8, moved: 8, copied: 8, overwritten: 0 };
  return { function: names.at(-1)!, path: names, place, ...copied };
}

const SENDING = "entry_SYSCALL_64_after_hwframe io_send tcp_sendmsg tcp_sendmsg_locked";
const DELIVERING = `${SENDING} tcp_write_xmit __tcp_transmit_skb __dev_queue_xmit do_softirq ` +
  "process_backlog __netif_receive_skb_one_core ip_local_deliver_finish";

Deno.test("copies: the innermost function that sends or receives says whose a copy is", () => {
  const role = (path: string): string => roleOf(copy(path));
  assertEquals(role(`${SENDING} _copy_from_iter rep_movs_alternative`), "sender");
  assertEquals(role(`${DELIVERING} skb_copy_ubufs memcpy_orig`), "receiver");
  // An acknowledgement that comes in lets TCP send more.
  assertEquals(role(`${DELIVERING} tcp_v4_rcv tcp_write_xmit skb_copy memcpy`), "sender");
  assertEquals(role(`${SENDING} do_softirq softnic_poll softnic_read memcpy_orig`), "nic");
  assertEquals(
    role("entry_SYSCALL_64_after_hwframe io_recv tcp_recvmsg _copy_to_iter"),
    "receiver",
  );
  assertEquals(
    role("entry_SYSCALL_64_after_hwframe io_write ext4_file_write_iter memcpy"),
    "sender",
  );
  assertEquals(role("ret_from_fork kthread khugepaged copy_page"), "elsewhere");
  assertEquals(roleOf(copy("user space", "user space")), "application");
});

Deno.test("copies: who copied is not the routine that moved the bytes", () => {
  const copier = (path: string): string => copierOf(copy(path));
  assertEquals(copier(`${SENDING} _copy_from_iter rep_movs_alternative`), "_copy_from_iter");
  assertEquals(copier(`${DELIVERING} skb_copy_ubufs memcpy_orig`), "skb_copy_ubufs");
  assertEquals(
    copier("io_write copy_folio_from_iter_atomic memcpy"),
    "copy_folio_from_iter_atomic",
  );
  assertEquals(copier("memcpy"), "memcpy");
});
