import { assertEquals } from "@std/assert";
import { dependencies, loadingOrder } from "../../vm/initramfs.ts";

const DEP = `kernel/fs/netfs/netfs.ko.xz:
kernel/net/9p/9pnet.ko.xz: kernel/fs/netfs/netfs.ko.xz
kernel/fs/9p/9p.ko.xz: kernel/net/9p/9pnet.ko.xz kernel/fs/netfs/netfs.ko.xz
kernel/fs/overlayfs/overlay.ko:
`;

Deno.test("loadingOrder() puts each module after what it needs, and none twice", () => {
  assertEquals(loadingOrder(["overlay", "9p", "netfs"], dependencies(DEP)), [
    "kernel/fs/overlayfs/overlay.ko",
    "kernel/fs/netfs/netfs.ko.xz",
    "kernel/net/9p/9pnet.ko.xz",
    "kernel/fs/9p/9p.ko.xz",
  ]);
});

Deno.test("loadingOrder() leaves out what is part of the kernel itself", () => {
  assertEquals(loadingOrder(["virtio_pci"], dependencies(DEP)), []);
});
