import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { probe, type ProbeItem, Testbed } from "zclab";
import { findIfb } from "../../../../labs/kit/testbed/ifb.ts";
import { textOf } from "../../../ffi/connections.ts";
import { ownInterfaces } from "../../../leftovers.ts";
import { Unprivileged } from "../../../unprivileged.ts";
import { testsNeeding } from "../../../needs.ts";

const test = testsNeeding("softnic");

/** Where systemd says that loading ifb shall make no devices, which older versions do not say. */
const SYSTEMD = "/usr/lib/modprobe.d/systemd.conf";

async function run(program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  assert(success, textOf(stderr));
  return textOf(stdout);
}

/** The machine as it is when nobody has used ifb yet, with modprobe as older distributions have it. */
async function onOlderSystem(test: () => Promise<void>): Promise<void> {
  const unload = async (): Promise<void> => {
    if ((await findIfb()).state === "present") await run("rmmod", "ifb");
  };
  await unload();
  await run("mount", "--bind", "/dev/null", SYSTEMD);
  try {
    assertEquals(await findIfb(), { state: "loadable", devices: 2 });
    await test();
  } finally {
    await run("umount", SYSTEMD);
    await unload();
  }
}

test("a sink leaves no ifb0 and ifb1 although loading ifb makes them", () =>
  onOlderSystem(async () => {
    const before = ownInterfaces();
    {
      await using _bed = await Testbed.sink();
      assertEquals(ownInterfaces(), before);
    }
    assertEquals(ownInterfaces(), before);
    assertEquals((await findIfb()).state, "present");
  }));

test("probe() leaves no ifb0 and ifb1 either, and says to others what using ifb leaves", () =>
  onOlderSystem(async () => {
    const before = ownInterfaces();
    using nobody = new Unprivileged();
    const said = nobody.evaluate(`
      const { probe } = await import("{kit}/probe/probe.ts");
      console.log(JSON.stringify((await probe()).item("ifb")));
    `);
    assertEquals(said.code, 0, said.stderr);
    const item: ProbeItem = JSON.parse(said.stdout);
    assertEquals(item.state, "real", item.why);
    assertStringIncludes(item.leaves!, "make ifb0 and ifb1 in this machine's own network");
    assertStringIncludes(item.leaves!, "modprobe ifb numifbs=0");
    assertEquals(ownInterfaces(), before);
    assertEquals((await findIfb()).state, "loadable");

    // It is as it says: the kernel loads the module for nobody, too.
    const make = ["ip", "link", "add", "zclab0", "type", "ifb"];
    const made = nobody.run("unshare", "--user", "--map-root-user", "--net", ...make);
    assertEquals(made.code, 0, made.stderr);
    const trimmed = (names: readonly string[]): string[] => names.map((name) => name.trim()).sort();
    assertEquals(trimmed(ownInterfaces()), trimmed([...before, "ifb0", "ifb1"]));
    await run("rmmod", "ifb");

    // Who may load modules leaves nothing.
    const { leaves, state } = (await probe()).item("ifb");
    assertEquals([state, leaves], ["real", undefined]);
    assertEquals(ownInterfaces(), before);
  }));
