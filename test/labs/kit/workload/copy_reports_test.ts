import { assertEquals, assertMatch } from "@std/assert";
import type { PayloadTouch } from "zclab";
import { contradictionsOf, type CopyReports } from "../../../../labs/kit/workload/copy_reports.ts";

const NOTHING: CopyReports = {
  copiedBit: null,
  receiveCopied: null,
  mapped: null,
  placed: null,
  cached: null,
};

/** A copy of 100 bytes. */
function copy(generation: number, ...path: string[]): PayloadTouch {
  const bytes = { read: 100, moved: 100, copied: 100, overwritten: 0 };
  return { function: path.at(-1)!, path, place: "own", generation, ...bytes };
}

const SENT = copy(0, "tcp_sendmsg", "_copy_from_iter");
const DELIVERED = copy(0, "__netif_receive_skb", "skb_copy_ubufs");
const BY_NIC = copy(0, "softnic_poll", "softnic_read");
const RECEIVED = copy(1, "tcp_recvmsg", "_copy_to_iter");
const BY_ZCRX = copy(1, "io_zcrx_recv", "io_zcrx_copy_chunk");
const BY_OPTION = copy(1, "do_tcp_getsockopt", "skb_copy_datagram_iter", "_copy_to_iter");
const PROBED = copy(0, "io_write", "fault_in_readable");
const WRITTEN = copy(0, "io_write", "copy_folio_from_iter_atomic");

/** What is contradictory in reports, if that is what was seen. */
function found(reports: Partial<CopyReports>, ...copies: PayloadTouch[]): string[] {
  return contradictionsOf({
    view: { copies, payloadBytes: 100 },
    reports: { ...NOTHING, ...reports },
  });
}

Deno.test("reports that say what was seen contradict nothing", () => {
  assertEquals(found({}, SENT, RECEIVED), []);
  assertEquals(found({ copiedBit: false }), []);
  assertEquals(found({ copiedBit: true }, DELIVERED, RECEIVED), []);
  assertEquals(found({ copiedBit: false, placed: 0 }, BY_NIC, RECEIVED), []);
  assertEquals(found({ receiveCopied: 0, placed: 100 }, SENT, BY_NIC), []);
  assertEquals(found({ receiveCopied: 100 }, SENT, BY_ZCRX), []);
  assertEquals(found({ receiveCopied: 0, mapped: 100, placed: 0 }, BY_NIC), []);
  assertEquals(found({ copiedBit: true, receiveCopied: 0, mapped: 100 }, DELIVERED), []);
  assertEquals(found({ receiveCopied: 100, mapped: 0, placed: 0 }, SENT, BY_NIC, RECEIVED), []);
  assertEquals(found({ receiveCopied: 100, mapped: 0 }, SENT, BY_OPTION), []);
  assertEquals(found({ cached: 4096 }, PROBED, WRITTEN), []);
  assertEquals(found({ cached: 0 }, PROBED), []);
});

Deno.test("a report that says something else than was seen is a contradiction, each", () => {
  const only = (expected: RegExp, reports: Partial<CopyReports>, ...seen: PayloadTouch[]): void => {
    const [first, ...more] = found(reports, ...seen);
    assertMatch(first ?? "nothing", expected);
    assertEquals(more, []);
  };
  only(/copied bit is not set, 100 bytes/, { copiedBit: false }, DELIVERED);
  only(/copied bit is set, 0 bytes/, { copiedBit: true }, BY_NIC);
  only(/counts 0 bytes as copied, and copied 100/, { receiveCopied: 0 }, BY_ZCRX);
  only(/counts 100 bytes as copied, and copied 0/, { receiveCopied: 100 }, SENT);
  only(/placed 100 bytes, the receiver copied 100/, { placed: 100 }, BY_NIC, RECEIVED);
  only(/placed 0 bytes, the receiver copied 0/, { placed: 0 }, BY_NIC);
  only(/^0 bytes were mapped, and 0 copied/, { mapped: 0 }, SENT);
  only(/^100 bytes were mapped, and 100 copied/, { mapped: 100 }, SENT, RECEIVED);
  only(/page cache has 0 bytes of the file, 100/, { cached: 0 }, WRITTEN);
  only(/page cache has 4096 bytes of the file, 0/, { cached: 4096 }, PROBED);
});
