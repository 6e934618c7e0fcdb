import { assertEquals } from "@std/assert";
import { clearsOnAllocation } from "../../../../labs/kit/experiment/memory_clearing.ts";

const ON = "CONFIG_SLUB=y\nCONFIG_INIT_ON_ALLOC_DEFAULT_ON=y\n";
const OFF = "CONFIG_SLUB=y\n# CONFIG_INIT_ON_ALLOC_DEFAULT_ON is not set\n";

function clears(files: Record<string, string>): boolean | null {
  return clearsOnAllocation({ text: (path) => files[path] ?? null });
}

for (
  const [line, expected] of [
    ["quiet init_on_alloc=0", false],
    ["init_on_alloc=1 quiet", true],
    ["init-on-alloc=off", false],
    ["init_on_alloc=on", true],
    ["init_on_alloc=y init_on_alloc=n", false],
    ['init_on_alloc="1"', true],
    // The kernel takes no notice of what it does not understand.
    ["init_on_alloc=0 init_on_alloc=maybe", false],
    ["init_on_alloc=0 -- init_on_alloc=1", false],
  ] as const
) {
  Deno.test(`clearsOnAllocation() follows the command line: ${line}`, () => {
    for (const config of [ON, OFF]) {
      assertEquals(clears({ "/proc/cmdline": `${line}\n`, "/proc/config.gz": config }), expected);
    }
  });
}

Deno.test("clearsOnAllocation() follows what the kernel was built with where it is not told", () => {
  const quiet = {
    "/proc/cmdline": "quiet no_init_on_alloc=0 -- init_on_alloc=0\n",
    "/proc/sys/kernel/osrelease": "7.3.4\n",
  };
  for (const path of ["/proc/config.gz", "/boot/config-7.3.4", "/lib/modules/7.3.4/config"]) {
    assertEquals(clears({ ...quiet, [path]: ON }), true, path);
    assertEquals(clears({ ...quiet, [path]: OFF }), false, path);
  }
  // That of another kernel says nothing.
  assertEquals(clears({ ...quiet, "/boot/config-7.2.0": ON }), null);
  assertEquals(clears(quiet), null);
});

Deno.test("clearsOnAllocation() does not know where the command line cannot be read", () => {
  assertEquals(clears({ "/proc/config.gz": ON }), null);
});
