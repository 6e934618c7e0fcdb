import { assertEquals } from "@std/assert";
import { kernelComplaints } from "../../vm/kernel_log.ts";

for (
  const line of [
    "[    4.1] WARNING: CPU: 0 PID: 12 at net/core/dev.c:1234 netif_foo+0x1/0x2",
    "[    4.1] WARNING: io_uring/zcrx.c:1419 at io_pp_zc_init+0x1/0x2, CPU#1: a/12",
    "[    4.1] BUG: kernel NULL pointer dereference, address: 0000000000000010",
    "[    4.1] Oops: Oops: 0000 [#1] SMP NOPTI",
    "[    4.1] Kernel panic - not syncing: Fatal exception",
    "[    4.1] refcount_t: underflow; use-after-free.",
    "[   99.0] INFO: task deno:77 blocked for more than 120 seconds.",
    "[   99.0] unregister_netdevice: waiting for zclab0 to become free. Usage count = 2",
  ]
) {
  Deno.test(`kernelComplaints() sees: ${line.slice(10, 50)}`, () => {
    assertEquals(kernelComplaints(`[    1.0] fine\r\n${line}\r\n[    5.0] fine`), [line]);
  });
}

Deno.test("kernelComplaints() takes a boot without mistakes for what it is", () => {
  const log = [
    "[    0.9] softnic: loading out-of-tree module taints kernel.",
    "[    0.9] softnic: module verification failed: signature and/or required key missing",
    "[    1.2] process 'run' launched '/dev/fd/3' with NULL argv: empty string added",
  ].join("\n");
  assertEquals(kernelComplaints(log), []);
});
