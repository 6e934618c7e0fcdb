import { assertEquals, assertNotEquals } from "@std/assert";
import type { Share } from "../../../vm/shares.ts";
import { buildKey } from "../../../vm/standing/build_key.ts";

Deno.test("buildKey() is another one when what is booted is, and not for another folder to write", async () => {
  const project = await Deno.makeTempDir({ prefix: "zclab-test-" });
  try {
    const program = `${project}/deno`;
    await Deno.writeTextFile(program, "1");
    await Deno.writeTextFile(`${project}/deno.lock`, "{}");
    const files = { emulator: ["qemu"], kernel: "kernel-1", initramfs: "initramfs-1", image: "i" };
    const shares: readonly Share[] = [
      { tag: "project", path: project, kind: "fresh" },
      { tag: "deno", path: program, kind: "file" },
      { tag: "out", path: "/a", kind: "writable" },
    ];
    const machine = { files, acceleration: "kvm", shares } as const;
    const key = buildKey(project, machine);
    const elsewhere = shares.map((share) => share.tag === "out" ? { ...share, path: "/b" } : share);
    await Deno.writeTextFile(`${project}/mod.ts`, "changed");
    assertEquals(buildKey(project, { ...machine, shares: elsewhere }), key);

    const newer = { ...files, initramfs: "initramfs-2" };
    assertNotEquals(buildKey(project, { ...machine, files: newer }), key);
    assertNotEquals(buildKey(project, { ...machine, acceleration: "software emulation" }), key);
    await Deno.writeTextFile(`${project}/deno.lock`, "{ }");
    const locked = buildKey(project, machine);
    assertNotEquals(locked, key);
    await Deno.writeTextFile(program, "22");
    assertNotEquals(buildKey(project, machine), locked);
  } finally {
    await Deno.remove(project, { recursive: true });
  }
});
