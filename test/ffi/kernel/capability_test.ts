import { assertEquals } from "@std/assert";
import { hasCapability } from "../../../ffi/kernel/capability.ts";

Deno.test("hasCapability() reads the effective set, and nothing of the others", () => {
  const status =
    "CapInh:\tffffffffffffffff\nCapEff:\t0000000000201000\nCapBnd:\tffffffffffffffff\n";
  assertEquals(hasCapability("NET_ADMIN", status), true);
  assertEquals(hasCapability("SYS_ADMIN", status), true);
  assertEquals(hasCapability("IPC_LOCK", status), false);
  assertEquals(hasCapability("NET_ADMIN", ""), false);
});
