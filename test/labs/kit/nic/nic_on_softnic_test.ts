/**
 * Nic on softnic: real netlink, real ethtool, a driver that really does it.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { NetworkNamespace } from "../../../../ffi/net/namespace.ts";
import { runInNamespace } from "../../../../labs/kit/testbed/namespace_command.ts";
import { Nic, NicApplyError } from "../../../../labs/kit/nic/nic.ts";
import { NicCommands } from "../../../../labs/kit/nic/commands.ts";
import { pendingNics } from "../../../../labs/kit/nic/journal.ts";
import type { NicFlow } from "../../../../labs/kit/nic/flow.ts";
import type { NicRequest } from "../../../../labs/kit/nic/plan.ts";
import { parseIndirection, parseRules } from "../../../../labs/kit/nic/settings.ts";
import { testsNeeding } from "../../../needs.ts";

const test = testsNeeding("softnic");

const FLOW: NicFlow = { protocol: "tcp4", destinationPort: 9999 };
const REQUEST: NicRequest = { flow: FLOW };
const SOURCES = new URL("../../../../labs/kit/nic/", import.meta.url);

/** A pair of soft NICs in a namespace of its own, and journals of this test alone. */
class SoftNic implements Disposable {
  readonly namespace = NetworkNamespace.create();
  readonly #directory = Deno.makeTempDirSync({ prefix: "zclab-nic-" });
  readonly #before = Deno.env.get("XDG_STATE_HOME");

  static async make(): Promise<SoftNic> {
    const made = new SoftNic();
    Deno.env.set("XDG_STATE_HOME", made.#directory);
    await made.ip("link add near0 type softnic");
    await made.ip("link add link near0 name far0 type softnic");
    await made.ip("link set near0 up");
    await made.ip("link set far0 up");
    return made;
  }

  ip(line: string): Promise<string> {
    return runInNamespace(this.namespace, "ip", line.split(" "));
  }

  ethtool(line: string): Promise<string> {
    return runInNamespace(this.namespace, "ethtool", line.split(" "));
  }

  open(): Promise<Nic> {
    return Nic.open("near0", { place: this });
  }

  /** Everything that a plan could change, in ethtool's own words. */
  async state(): Promise<string[]> {
    const shown = [];
    for (const option of ["-l", "-g", "-x", "-n", "-k"]) {
      shown.push(await this.ethtool(`${option} near0`));
    }
    return shown;
  }

  spawn(source: string): Deno.ChildProcess {
    const args = [`--net=/proc/${Deno.pid}/fd/${this.namespace.fd}`, Deno.execPath(), "eval"];
    return new Deno.Command("nsenter", {
      args: [...args, source],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
  }

  [Symbol.dispose](): void {
    if (this.#before === undefined) Deno.env.delete("XDG_STATE_HOME");
    else Deno.env.set("XDG_STATE_HOME", this.#before);
    this.namespace.close();
    Deno.removeSync(this.#directory, { recursive: true });
  }
}

async function assertApplied(soft: SoftNic, queue: number, rule: number): Promise<void> {
  assertMatch(await soft.ethtool("-g near0"), /^TCP data split:\s+on$/m);
  assertMatch(await soft.ethtool("-k near0"), /^ntuple-filters: on/m);
  const table = parseIndirection(await soft.ethtool("-x near0"));
  assert(table.length > 0 && !table.includes(queue), table.join(" "));
  const rules = parseRules(await soft.ethtool("-n near0"));
  assertEquals(rules.map(({ id, destinationPort, queue }) => [id, destinationPort, queue]), [
    [rule, 9999, queue],
  ]);
}

test("softnic lacks nothing for zero-copy receive", async () => {
  using soft = await SoftNic.make();
  await using nic = await soft.open();
  assertEquals(nic.missing, []);
  assertEquals(nic.settings.driver, "softnic");
  assert(nic.settings.queues >= 2);
});

test("Nic applies its plan to softnic and restores exactly what was there", async () => {
  using soft = await SoftNic.make();
  const before = await soft.state();
  await using nic = await soft.open();
  const plan = nic.plan(REQUEST);
  assertEquals(await soft.state(), before, "a plan changes nothing");
  {
    await using applied = await nic.apply(plan);
    await assertApplied(soft, applied.queue, applied.rule!);
    assertEquals(pendingNics().length, 1);
  }
  assertEquals(await soft.state(), before);
  assertEquals(pendingNics(), []);
});

test("Nic applies the first queue of softnic, and a flow of IPv6 to one in between", async () => {
  using soft = await SoftNic.make();
  const before = await soft.state();
  await using nic = await soft.open();
  assert(nic.settings.queues >= 4);
  {
    await using applied = await nic.apply(nic.plan({ queue: 0, flow: FLOW }));
    await assertApplied(soft, 0, applied.rule!);
  }
  const flow: NicFlow = { protocol: "tcp6", destinationPort: 9999 };
  {
    await using applied = await nic.apply(nic.plan({ queue: 2, flow }));
    await assertApplied(soft, 2, applied.rule!);
  }
  assertEquals(await soft.state(), before);
});

test("Nic restores every kind of table, also one that ethtool cannot set", async () => {
  using soft = await SoftNic.make();
  await using nic = await soft.open();
  const { queues, indirection } = nic.settings;
  const length = indirection!.length;
  const last = queues - 1;
  // No pattern: neither rising nor repeating.
  const odd = Array.from({ length }, (_, index) => (index * index + last) % queues);
  odd[0] = last;
  const makers: (() => Promise<unknown>)[] = [
    () => soft.ethtool(`-X near0 start 1 equal ${last}`),
    () => soft.ethtool(`-X near0 weight 2 1 ${"1 ".repeat(queues - 2).trim()}`),
    () => Promise.resolve(new NicCommands(soft).setIndirection("near0", odd)),
  ];
  const seen: string[] = [];
  for (const make of makers) {
    await make();
    await nic.refresh();
    const table = [...nic.settings.indirection!];
    {
      // The queue that is in the table, so that it has to change.
      await using applied = await nic.apply(nic.plan({ queue: 1, flow: FLOW }));
      await assertApplied(soft, 1, applied.rule!);
    }
    assertEquals(parseIndirection(await soft.ethtool("-x near0")), table);
    seen.push(table.join(" "));
  }
  assertEquals(seen.at(-1), odd.join(" "));
  assertEquals(new Set(seen).size, makers.length);
});

test("Nic adds a channel where there is one, and takes it away again", async () => {
  using soft = await SoftNic.make();
  await soft.ethtool("-L near0 combined 1");
  const before = await soft.state();
  await using nic = await soft.open();
  const plan = nic.plan(REQUEST);
  assertEquals(plan.queue, 1);
  {
    await using applied = await nic.apply(plan);
    await assertApplied(soft, 1, applied.rule!);
    assertMatch(await soft.ethtool("-l near0"), /Current hardware settings:[^]*Combined:\s+2\n/);
  }
  assertEquals(await soft.state(), before);
});

test("Nic leaves the rules of others alone", async () => {
  using soft = await SoftNic.make();
  await soft.ethtool("-K near0 ntuple on");
  await soft.ethtool("-N near0 flow-type tcp4 dst-port 22 action 0");
  const before = await soft.state();
  await using nic = await soft.open();
  {
    await using _applied = await nic.apply(nic.plan(REQUEST));
    const theirs = parseRules(await soft.ethtool("-n near0"));
    assertEquals(theirs.map(({ destinationPort }) => destinationPort).sort(), [22, 9999]);
  }
  assertEquals(await soft.state(), before);
});

test("Nic undoes what it did when the driver has no room for its rule", async () => {
  using soft = await SoftNic.make();
  await soft.ethtool("-K near0 ntuple on");
  const commands = new NicCommands(soft);
  // As many as softnic has room for, and one more.
  const rules = Array.from(
    { length: 65 },
    (_, port) => `-N near0 flow-type tcp4 dst-port ${port + 1} action 0`.split(" "),
  );
  const answers = await commands.ethtoolEach(rules);
  assertMatch(answers.at(-1)!.text, /No space left on device/);
  const before = await soft.state();
  await using nic = await soft.open();
  const error = await assertRejects(
    () => nic.apply(nic.plan(REQUEST)),
    NicApplyError,
    "No space left on device",
  );
  assertMatch(error.message, /What was changed is set back/);
  assertEquals(error.step.before.kind, "rule");
  assertEquals(await soft.state(), before);
  assertEquals(pendingNics(), []);
});

test("what a killed process changed on softnic is set back at the next start", async () => {
  using soft = await SoftNic.make();
  await soft.ethtool("-X near0 equal 2");
  const before = await soft.state();
  const child = soft.spawn(`
    const { Nic } = await import("${SOURCES}nic.ts");
    const nic = await Nic.open("near0");
    const flow = { protocol: "tcp4", destinationPort: 9999 };
    const applied = await nic.apply(nic.plan({ queue: 1, flow }));
    console.log("applied", applied.rule);
    await new Promise(() => setInterval(() => {}, 1000));
  `);
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await output.read();
  const rule = Number(/applied (\d+)/.exec(value ?? "")?.[1]);
  await assertApplied(soft, 1, rule);
  child.kill("SIGKILL");
  await child.status;
  assertEquals(pendingNics().map(({ state }) => state), ["abandoned"]);
  await using nic = await soft.open();
  assertEquals(nic.recovered.length > 0, true);
  assertEquals(nic.recovered.every(({ outcome }) => outcome === "restored"), true);
  assertEquals(await soft.state(), before);
  assertEquals(pendingNics(), []);
});

test("a softnic that was removed has nothing to restore", async () => {
  using soft = await SoftNic.make();
  await using nic = await soft.open();
  const applied = await nic.apply(nic.plan(REQUEST));
  await soft.ip("link delete near0");
  const report = await applied.restore();
  assertEquals(report.every(({ outcome }) => outcome === "gone"), true);
  assertEquals(pendingNics(), []);
});

test("the command applies to softnic, which lasts, and restores", async () => {
  using soft = await SoftNic.make();
  const before = await soft.state();
  const run = async (...args: string[]): Promise<{ code: number; text: string }> => {
    const child = soft.spawn(`
      const { nic } = await import("${SOURCES}../commands/nic.ts");
      Deno.exit(await nic(${JSON.stringify(args)}, { print: (text) => console.log(text) }));
    `);
    const { code, stdout } = await child.output();
    return { code, text: new TextDecoder().decode(stdout) };
  };
  const planned = await run("plan", "near0");
  assertEquals(planned.code, 0, planned.text);
  assertEquals(await soft.state(), before);
  const applied = await run("apply", "near0");
  assertEquals(applied.code, 0, applied.text);
  const [rule] = parseRules(await soft.ethtool("-n near0"));
  await assertApplied(soft, rule!.queue!, rule!.id);
  assertEquals(pendingNics().map(({ state }) => state), ["kept"]);
  const restored = await run("restore", "--all");
  assertEquals(restored.code, 0, restored.text);
  assertEquals(await soft.state(), before);
  assertEquals(pendingNics(), []);
});
