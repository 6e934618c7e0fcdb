import { assert, assertEquals } from "@std/assert";
import { Area, Ring } from "zclab";
import { StreamLink } from "zclab/lab";
import {
  PAYLOAD_RECEIVERS,
  PayloadReception,
} from "../../../../labs/kit/workload/payload_receivers.ts";
import { PAYLOAD_SENDERS, sendPayload } from "../../../../labs/kit/workload/payload_senders.ts";
import { pattern } from "../../../ffi/connections.ts";
import { testsNeeding } from "../../../needs.ts";

/** What lends pages to the kernel, and is told when they are free again. */
const LENDING = ["send-zc", "send-zc-fixed", "sendmsg-zc", "msg-zerocopy"];

for (const way of PAYLOAD_RECEIVERS.filter((way) => way !== "zcrx" && way !== "devmem")) {
  const test = way === "zcrx-no-device" ? testsNeeding("zcrx") : testsNeeding();
  test(`a payload is sent in every way over loopback, and received by ${way}`, async () => {
    await using link = await StreamLink.open({ kind: "loopback" });
    for (const send of PAYLOAD_SENDERS.filter((send) => send !== "devmem")) {
      await using ring = Ring.open({ entries: 16 });
      await using reception = new PayloadReception(way, link);
      using wire = await link.connect({ sendBuffer: 1 << 20, receiveBuffer: 1 << 20 });
      const isFile = send === "sendfile" || send === "splice";
      using area = Area[isFile ? "file" : "map"]({ bytes: 70_000 });
      if (send === "send-zc-fixed") ring.register(area);
      const bytes = pattern(65_000);
      const payload = area.slice(13, bytes.length).write(bytes);
      const [copied] = await Promise.all([
        sendPayload(send, { ring, socket: wire.near, payload }),
        reception.receive(wire.far, bytes.length),
      ]);
      assertEquals(copied, LENDING.includes(send) ? true : null, send);
      assert(reception.matches(bytes), send);
      bytes[64_999]! ^= 1;
      assert(!reception.matches(bytes), send);
      const { copiedBytes, mappedBytes } = reception;
      if (way === "tcp-zerocopy") {
        assertEquals(copiedBytes! + mappedBytes!, bytes.length, send);
        assertEquals(mappedBytes! > 0, LENDING.includes(send), send);
      } else {
        const isCounted = way === "zcrx-no-device";
        assertEquals([copiedBytes, mappedBytes], [isCounted ? bytes.length : null, null], send);
      }
    }
  });
}
