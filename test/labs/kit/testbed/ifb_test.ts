import { assertEquals, assertNotEquals } from "@std/assert";
import { devicesOf, findIfb } from "../../../../labs/kit/testbed/ifb.ts";
import { Testbed } from "../../../../labs/kit/testbed/testbed.ts";
import { ownInterfaces } from "../../../leftovers.ts";
import { test } from "../../../needs.ts";

Deno.test("devicesOf() reads what modprobe is told of ifb", () => {
  assertEquals(devicesOf(""), 2);
  assertEquals(
    devicesOf("options ifbx numifbs=7\nalias ifb other\noptions bonding max_bonds=0"),
    2,
  );
  assertEquals(devicesOf("options dummy numdummies=0\noptions ifb numifbs=0\n"), 0);
  assertEquals(devicesOf("options ifb numifbs=0\noptions ifb other=1 numifbs=3\n"), 3);
  assertEquals(devicesOf("options ifb numifbs=5 numifbs=1"), 1);
});

test("a sink leaves the interfaces of this machine as they are", {
  needs: ["ifb"],
}, async () => {
  const before = ownInterfaces();
  {
    await using _bed = await Testbed.sink();
    // Whether it was loaded for the sink, or was there; where modprobe knows nothing of it, it is built in.
    assertNotEquals((await findIfb()).state, "loadable");
    assertEquals(ownInterfaces(), before);
  }
  assertEquals(ownInterfaces(), before);
});
