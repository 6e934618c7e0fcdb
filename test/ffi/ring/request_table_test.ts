import { assert, assertEquals, assertThrows } from "@std/assert";
import { Area, Message, OwnershipError } from "zclab";
import { RequestTable } from "../../../ffi/ring/request_table.ts";

Deno.test("RequestTable has the memory of a slot until its last request ends", () => {
  using area = Area.map({ bytes: 4096 });
  const table = new RequestTable(2);
  const slice = area.slice(0, 10);
  const slot = table.add("SEND", slice, false, null);
  table.share(slot, 5);
  table.end(slot);
  table.endMany(slot, 3);
  assertEquals(slice.state, "in flight");
  table.end(slot);
  assertEquals([slice.state, area.inFlight], ["free", 0]);
  // Its place is the next one's.
  assertEquals(table.add("SEND", slice, false, null), slot);
  table.end(slot);
});

Deno.test("RequestTable takes all slices of a message, or none", () => {
  using area = Area.map({ bytes: 4096 });
  const table = new RequestTable(2);
  const [first, second] = [area.slice(0, 10), area.slice(10, 10)];
  const receiving = table.add("RECV", second, true, null);
  const message = new Message([first, second]);
  assertThrows(() => table.add("SENDMSG", message, false, null), OwnershipError, "SENDMSG");
  assertEquals([first.state, second.state], ["free", "in flight"]);
  table.end(receiving);
  const sending = table.add("SENDMSG", message, false, null);
  assertEquals(area.inFlight, 2);
  table.end(sending);
  assertEquals(area.inFlight, 0);
});

Deno.test("RequestTable grows, and tells every target when the ring fails", () => {
  const table = new RequestTable(1);
  const told: string[] = [];
  const slots = Array.from({ length: 100 }, (_, i) =>
    table.add("NOP", null, false, {
      complete: () => {},
      fail: (error) => told.push(`${i} ${error}`),
    }));
  assertEquals(new Set(slots).size, 100);
  for (const slot of slots.slice(2)) table.end(slot);
  table.fail("broken");
  assertEquals(told.sort(), ["0 broken", "1 broken"]);
});

Deno.test("RequestTable remembers when memory was submitted, not what used none", () => {
  using area = Area.map({ bytes: 4096 });
  const table = new RequestTable(4);
  table.submitted();
  assertEquals(table.submittedAt(0), undefined);
  const slot = table.add("SEND", area.slice(), false, null);
  assertEquals(table.submittedAt(0), undefined);
  table.submitted();
  const first = table.submittedAt(0)!;
  assert(first > 0, `${first}`);
  table.submitted();
  assertEquals(table.submittedAt(1), undefined);
  table.end(slot);
  // So long ago that nobody knows.
  for (let i = 0; i < 1024; i++) {
    const next = table.add("SEND", area.slice(), false, null);
    table.submitted();
    table.end(next);
  }
  assertEquals([table.submittedAt(0), table.submittedAt(1)! >= first], [0, true]);
});
