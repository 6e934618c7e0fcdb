import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { ClosedError, UnsupportedError } from "../../../../ffi/kernel/errors.ts";
import { NetworkNamespace } from "../../../../ffi/net/namespace.ts";
import { doctor } from "../../../../labs/kit/commands/doctor.ts";
import { OptionError } from "../../../../labs/kit/options/options.ts";
import { CutOffError, Nic, NicApplyError } from "../../../../labs/kit/nic/nic.ts";
import { nic } from "../../../../labs/kit/commands/nic.ts";
import { isRuleFor, type NicFlow, ruleNumber } from "../../../../labs/kit/nic/flow.ts";
import { indirectionArgs } from "../../../../labs/kit/nic/indirection.ts";
import {
  describePending,
  isSameNic,
  NicBusyError,
  type NicIdentity,
  NicJournal,
  pendingNics,
} from "../../../../labs/kit/nic/journal.ts";
import { nicLacks } from "../../../../labs/kit/nic/missing.ts";
import { NicPlan, type NicRequest, planSteps } from "../../../../labs/kit/nic/plan.ts";
import { NicRestoreError } from "../../../../labs/kit/nic/restore.ts";
import {
  type NicSettings,
  parseChannels,
  parseHeaderSplit,
  parseIndirection,
  parseRules,
  parseSteering,
} from "../../../../labs/kit/nic/settings.ts";
import { runInNamespace } from "../../../../labs/kit/testbed/namespace_command.ts";
import { Command } from "../../../child.ts";
import { until } from "../../../until.ts";
import { testsNeeding } from "../../../needs.ts";

// === What ethtool prints ===

Deno.test("parseChannels() reads maximums and present numbers, and n/a as none", () => {
  const text = `Channel parameters for eth1:
Pre-set maximums:
RX:		n/a
TX:		n/a
Other:		1
Combined:	63
Current hardware settings:
RX:		n/a
TX:		n/a
Other:		1
Combined:	8
`;
  assertEquals(parseChannels(text), {
    combined: { current: 8, most: 63 },
    receive: { current: 0, most: 0 },
  });
});

Deno.test("parseHeaderSplit() reads the present state, not the maximums", () => {
  const text = (threshold: string, split: string): string =>
    `Ring parameters for eth1:
Pre-set maximums:
RX:			2047
HDS thresh:		1023
Current hardware settings:
RX:			511
${threshold}TCP data split:		${split}
`;
  assertEquals(parseHeaderSplit(text("HDS thresh:\t\t256\n", "off")), {
    state: "off",
    threshold: 256,
  });
  assertEquals(parseHeaderSplit(text("HDS thresh:\t\t0\n", "on")), { state: "on", threshold: 0 });
  assertEquals(parseHeaderSplit(text("", "n/a")), { state: undefined, threshold: undefined });
});

Deno.test("parseIndirection() reads the table and not the key", () => {
  const text = `RX flow hash indirection table for eth1 with 4 RX ring(s):
    0:      0     1     2     3     0     1     2     3
    8:      3     2     1     0     3     2     1    12
RSS hash key:
01:02:03:04
RSS hash function:
    toeplitz: on
`;
  assertEquals(parseIndirection(text), [0, 1, 2, 3, 0, 1, 2, 3, 3, 2, 1, 0, 3, 2, 1, 12]);
  const none = `RX flow hash indirection table for eth0 with 1 RX ring(s):
Operation not supported
RSS hash key:
Operation not supported
`;
  assertEquals(parseIndirection(none), []);
});

Deno.test("parseSteering() reads the state, and whether it can be changed", () => {
  const of = (line: string): unknown => parseSteering(`Features for eth1:\n${line}\nhighdma: on`);
  assertEquals(of("ntuple-filters: on"), { on: true, fixed: false });
  assertEquals(of("ntuple-filters: off"), { on: false, fixed: false });
  assertEquals(of("ntuple-filters: off [fixed]"), { on: false, fixed: true });
  assertEquals(of("rx-all: off"), { on: false, fixed: true });
});

const RULES = `4 RX rings available
Total 3 rules

Filter: 3
	Rule Type: TCP over IPv4
	Src IP addr: 0.0.0.0 mask: 255.255.255.255
	Dest IP addr: 0.0.0.0 mask: 255.255.255.255
	TOS: 0x0 mask: 0xff
	Src port: 0 mask: 0xffff
	Dest port: 9999 mask: 0x0
	Action: Direct to queue 3

Filter: 10
	Rule Type: TCP over IPv6
	Src IP addr: 2001:db8::1 mask: ::
	Dest IP addr: :: mask: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
	Traffic Class: 0x0 mask: 0xff
	Src port: 80 mask: 0xff
	Dest port: 9999 mask: 0x0
	Action: Direct to queue 2

Filter: 1023
	Flow Type: Raw Ethernet
	Src MAC addr: 00:00:00:00:00:00 mask: FF:FF:FF:FF:FF:FF
	Action: Drop

`;

Deno.test("parseRules() reads what a rule is for and where it leads", () => {
  const none = {
    sourcePort: undefined,
    sourceAddress: undefined,
    destinationAddress: undefined,
  };
  assertEquals(parseRules(RULES), [
    { ...none, id: 3, protocol: "tcp4", destinationPort: 9999, queue: 3 },
    {
      ...none,
      id: 10,
      protocol: "tcp6",
      destinationPort: 9999,
      sourceAddress: "2001:db8::1",
      queue: 2,
    },
    { ...none, id: 1023, protocol: "Raw Ethernet", destinationPort: undefined, queue: undefined },
  ]);
  assertEquals(parseRules("4 RX rings available\nTotal 0 rules\n\n"), []);
});

Deno.test("isRuleFor() knows addresses in every spelling, and rules that are for more", () => {
  const [tcp4, tcp6] = parseRules(RULES);
  const flow: NicFlow = { protocol: "tcp4", destinationPort: 9999 };
  assert(isRuleFor(tcp4!, flow));
  assert(!isRuleFor(tcp4!, { ...flow, destinationPort: 9998 }));
  assert(!isRuleFor(tcp4!, { ...flow, sourcePort: 1 }));
  assert(!isRuleFor(tcp6!, flow));
  const six: NicFlow = { protocol: "tcp6", destinationPort: 9999 };
  assert(!isRuleFor(tcp6!, six));
  assert(isRuleFor(tcp6!, { ...six, sourceAddress: "2001:0DB8:0:0::1" }));
});

Deno.test("ruleNumber() reads what adding a rule printed", () => {
  assertEquals(ruleNumber("Added rule with ID 1023\n"), 1023);
  assertEquals(ruleNumber("rmgr: Cannot insert RX class rule: Invalid argument\n"), undefined);
});

// === Tables ===

/** What ethtool makes of the arguments, by its manual. */
function tableOf(args: readonly string[], length: number, queues: number): number[] {
  const [, , ...words] = args;
  if (words[0] === "default") return Array.from({ length }, (_, index) => index % queues);
  const start = words[0] === "start" ? Number(words[1]) : 0;
  if (words[0] === "start") words.splice(0, 2);
  const numbers = words.slice(1).map(Number);
  if (words[0] === "equal") {
    return Array.from({ length }, (_, index) => start + index % numbers[0]!);
  }
  const sum = numbers.reduce((left, right) => left + right, 0);
  assertEquals(sum, length, "only such weights come out even");
  return numbers.flatMap((weight, queue) => new Array<number>(weight).fill(start + queue));
}

Deno.test("indirectionArgs() gives back exactly the table, or says that ethtool cannot", () => {
  const cases: [table: number[], queues: number, words: string | undefined][] = [
    [[0, 1, 2, 3, 0, 1, 2, 3], 4, "default"],
    [[0, 0, 0, 0], 1, "default"],
    [[0, 0, 0, 0], 4, "equal 1"],
    [[0, 1, 2, 0, 1, 2, 0, 1], 4, "equal 3"],
    [[2, 3, 2, 3, 2, 3], 4, "start 2 equal 2"],
    [[0, 0, 0, 2, 2, 3], 4, "weight 3 0 2 1"],
    [[1, 1, 3, 3], 4, "weight 0 2 0 2"],
    [[3, 0, 1, 0, 2, 2, 1, 3], 4, undefined],
  ];
  for (const [table, queues, words] of cases) {
    const args = indirectionArgs("eth1", table, queues);
    assertEquals(args?.slice(2).join(" "), words);
    if (args !== undefined) assertEquals(tableOf(args, table.length, queues), table);
  }
});

// === Plans ===

const NIC: NicSettings = {
  interface: "eth1",
  index: 3,
  address: "02:00:00:00:00:01",
  up: true,
  mtu: 9000,
  xdp: false,
  driver: "bnxt_en",
  firmware: "230.0",
  bus: "0000:03:00.0",
  channels: { combined: { current: 4, most: 8 }, receive: { current: 0, most: 0 } },
  queues: 4,
  mostQueues: 8,
  headerSplit: { state: "off", threshold: 256 },
  indirection: [0, 1, 2, 3, 0, 1, 2, 3],
  steering: { on: false, fixed: false },
  rules: [],
  ethtool: { version: "6.20", setsHeaderSplit: true, setsThreshold: true },
};
const FLOW: NicFlow = { protocol: "tcp4", destinationPort: 9999 };
const MACHINE = { release: "7.3.4", privileged: true };

function planOf(settings: NicSettings, request: NicRequest = { flow: FLOW }): NicPlan {
  return new NicPlan({
    interface: settings.interface,
    flow: request.flow,
    ...planSteps(settings, request),
    missing: nicLacks(settings, MACHINE),
    cutsOff: [],
  });
}

function commands(plan: NicPlan): [run: string, undo: string][] {
  return plan.steps.map(({ command, undo }) => [
    command.replace("ethtool ", ""),
    undo.replace("ethtool ", ""),
  ]);
}

Deno.test("a plan has the four steps, each with what undoes it", () => {
  const plan = planOf({
    ...NIC,
    queues: 1,
    channels: {
      combined: { current: 1, most: 8 },
      receive: { current: 0, most: 0 },
    },
    indirection: [0, 0, 0, 0],
  });
  assertEquals(plan.queue, 1);
  assertEquals(commands(plan), [
    ["-L eth1 combined 2", "-L eth1 combined 1"],
    [
      "-G eth1 tcp-data-split on hds-thresh 0",
      "-G eth1 tcp-data-split off hds-thresh 256",
    ],
    ["-K eth1 ntuple on", "-K eth1 ntuple off"],
    ["-X eth1 equal 1", "-X eth1 default"],
    [
      "-N eth1 flow-type tcp4 dst-port 9999 action 1",
      "-N eth1 delete ID  (ID: the one that adding it returns)",
    ],
  ]);
  for (const [command, undo] of commands(plan)) {
    assertStringIncludes(String(plan), command);
    assertStringIncludes(String(plan), undo);
  }
  assertEquals(
    Deno.inspect(plan),
    "NicPlan { eth1, queue: 1, tcp4 to any address port 9999, steps: 5, missing: 0 }",
  );
});

Deno.test("a plan takes the last queue, and the one that it is told", () => {
  assertEquals(planOf(NIC).queue, 3);
  assertEquals(commands(planOf(NIC))[2]![0], "-X eth1 equal 3");
  const second = planOf(NIC, { queue: 1, flow: FLOW });
  assertEquals(commands(second)[2]![0], "-X eth1 weight 1 0 1 1");
  const seventh = planOf(NIC, { queue: 6, flow: FLOW });
  assertEquals(commands(seventh).map(([run]) => run).filter((run) => /-[LX]/.test(run)), [
    "-L eth1 combined 7",
    "-X eth1 equal 6",
  ]);
  const separate = planOf({
    ...NIC,
    channels: { combined: { current: 0, most: 0 }, receive: { current: 4, most: 8 } },
  }, { queue: 4, flow: FLOW });
  assertEquals(commands(separate)[0], ["-L eth1 rx 5", "-L eth1 rx 4"]);
});

Deno.test("a plan leaves alone what is as it should be", () => {
  const rules = parseRules(RULES);
  const plan = planOf({
    ...NIC,
    headerSplit: { state: "on", threshold: 0 },
    steering: { on: true, fixed: true },
    indirection: [0, 2, 1, 0],
    rules,
  });
  assertEquals(plan.steps, []);
  assertEquals(plan.already.length, 5);
  assertStringIncludes(String(plan), "Nothing to change");
});

Deno.test("a plan remembers tables, rules and header split as they were", () => {
  const table = [3, 0, 1, 0, 2, 2, 1, 3];
  const plan = planOf({
    ...NIC,
    indirection: table,
    headerSplit: { state: undefined, threshold: undefined },
    rules: parseRules(RULES),
  }, { flow: { ...FLOW, destinationPort: 1 } });
  assertEquals(commands(plan)[0]![1], "-G eth1 tcp-data-split auto");
  assertEquals(commands(plan)[2]![1], "ioctl ETHTOOL_SRXFHINDIR eth1 [3 0 1 0 2 2 1 3]");
  assertEquals(plan.steps.map(({ before }) => before), [
    { kind: "header split", state: "auto" },
    { kind: "steering", on: false },
    { kind: "RSS", table, queues: 4 },
    {
      kind: "rule",
      ids: [3, 10, 1023],
      flow: { ...FLOW, destinationPort: 1 },
      queue: 3,
    },
  ]);
  assert(plan.notes.some((note) => /rule 3 steers another flow/.test(note)), String(plan));
});

Deno.test("a plan says which rule is in the way of its own", () => {
  const plan = planOf({ ...NIC, rules: parseRules(RULES) }, { queue: 2, flow: FLOW });
  assert(plan.notes.some((note) => /ethtool -N eth1 delete 3$/.test(note)), String(plan));
});

Deno.test("a plan steers a narrow flow", () => {
  const flow: NicFlow = {
    protocol: "tcp6",
    destinationPort: 9999,
    destinationAddress: "2001:db8::1",
    sourceAddress: "2001:db8::2",
    sourcePort: 5,
  };
  assertEquals(
    commands(planOf(NIC, { flow })).at(-1)![0],
    "-N eth1 flow-type tcp6 src-ip 2001:db8::2 dst-ip 2001:db8::1 src-port 5 dst-port 9999 action 3",
  );
});

Deno.test("planSteps() refuses what makes no sense", () => {
  for (const queue of [-1, 8, 1.5, NaN]) {
    assertThrows(() => planSteps(NIC, { queue, flow: FLOW }), OptionError, "from 0 to 7");
  }
  for (const destinationPort of [0, -1, 65536, 1.5, NaN]) {
    assertThrows(() => planSteps(NIC, { flow: { ...FLOW, destinationPort } }), OptionError);
  }
  for (const destinationAddress of ["::1", "host", "--help", "1.2.3"]) {
    assertThrows(() => planSteps(NIC, { flow: { ...FLOW, destinationAddress } }), OptionError);
  }
  const protocol = "udp4" as "tcp4";
  assertThrows(() => planSteps(NIC, { flow: { ...FLOW, protocol } }), OptionError, "udp4");
});

// === What a NIC lacks ===

function lacks(changes: Partial<NicSettings>, machine = MACHINE): string[] {
  return nicLacks({ ...NIC, ...changes }, machine).map(({ name, state }) => `${state} ${name}`);
}

Deno.test("nicLacks() finds nothing missing where all is there", () => {
  assertEquals(lacks({}), []);
});

Deno.test("nicLacks() says what is missing, and what would change it", () => {
  const one = { channels: undefined, queues: 1, mostQueues: 1 };
  const old = { version: "6.1", setsHeaderSplit: false, setsThreshold: false };
  const cases: [Partial<NicSettings>, string[]][] = [
    [{ driver: "virtio_net" }, ["missing driver"]],
    [{ driver: "" }, ["missing driver"]],
    [{ driver: "ice" }, ["unknown driver"]],
    [one, ["missing queues"]],
    [{ ...one, indirection: undefined }, ["missing queues"]],
    [{ indirection: undefined }, ["missing RSS"]],
    [{ headerSplit: undefined }, ["missing header split"]],
    [{ headerSplit: { state: undefined, threshold: 0 } }, ["unknown header split"]],
    [
      { headerSplit: { state: "off", threshold: undefined }, ethtool: old },
      ["missing header split", "unknown hds-thresh"],
    ],
    [
      { driver: "gve", headerSplit: { state: "on", threshold: undefined }, ethtool: old },
      [],
    ],
    [{ steering: { on: false, fixed: true } }, ["missing steering"]],
    [{ rules: undefined }, ["unknown steering"]],
    [{ rules: undefined, steering: { on: true, fixed: false } }, ["missing steering"]],
    [{ xdp: true }, ["missing XDP"]],
  ];
  for (const [changes, expected] of cases) assertEquals(lacks(changes), expected);
  assertEquals(lacks({}, { ...MACHINE, privileged: false }), ["missing privileges"]);
  assertEquals(lacks({}, { ...MACHINE, release: "6.14.0" }), ["missing kernel"]);
  assertEquals(lacks({ driver: "mlx5_core" }, { ...MACHINE, release: "6.16.0" }), [
    "missing kernel",
  ]);
  for (const { why, change } of nicLacks({ ...NIC, ...one, rules: undefined }, MACHINE)) {
    assert(why.length > 0 && change.length > 0);
  }
});

// === The journal ===

const IDENTITY: NicIdentity = {
  interface: "eth1",
  namespace: "77",
  index: 3,
  driver: "bnxt_en",
  bus: "0000:03:00.0",
  address: "02:00:00:00:00:01",
};

/** Journals of this test alone. */
class Journals implements Disposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "zclab-nic-" });
  readonly #before = Deno.env.get("XDG_STATE_HOME");

  constructor() {
    Deno.env.set("XDG_STATE_HOME", this.directory);
  }

  get files(): string[] {
    try {
      return [...Deno.readDirSync(`${this.directory}/zclab`)].map(({ name }) => name);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }

  [Symbol.dispose](): void {
    if (this.#before === undefined) Deno.env.delete("XDG_STATE_HOME");
    else Deno.env.set("XDG_STATE_HOME", this.#before);
    Deno.removeSync(this.directory, { recursive: true });
  }
}

Deno.test("a journal knows what is not undone, also for whoever takes it over", () => {
  using journals = new Journals();
  const journal = NicJournal.begin(IDENTITY);
  assertEquals(pendingNics().map(({ state }) => state), ["held"]);
  const first = journal.noteStep("one", "ethtool 1", { kind: "steering", on: false });
  const second = journal.noteStep("two", "ethtool 2", {
    kind: "rule",
    ids: [4],
    flow: FLOW,
    queue: 3,
  });
  journal.noteRule(second, 9);
  assertEquals([first, second], [0, 1]);
  assertEquals(journal.changes.map(({ title, rule }) => [title, rule]), [
    ["one", undefined],
    ["two", 9],
  ]);
  assertEquals(NicJournal.take(journal.path), undefined, "somebody has it");
  const { changes } = journal;
  journal.close();
  journal.close();
  const [pending] = pendingNics();
  assertEquals(pending!.state, "abandoned");
  assertEquals(pending!.identity, IDENTITY);
  assertEquals(pending!.changes, changes);
  using taken = NicJournal.take(pending!.path)!;
  taken.noteUndone(second);
  assertEquals(taken.changes.map(({ title }) => title), ["one"]);
  taken.remove();
  taken.remove();
  assertEquals(pendingNics(), []);
  assertEquals(journals.files, []);
});

Deno.test("a journal that is kept says so", () => {
  using _journals = new Journals();
  const journal = NicJournal.begin(IDENTITY);
  journal.noteStep("one", "ethtool 1", { kind: "steering", on: false });
  journal.keep();
  const pending = pendingNics();
  assertEquals(pending.map(({ state }) => state), ["kept"]);
  assertStringIncludes(describePending(pending), "deno task nic restore eth1");
});

Deno.test("doctor mentions a NIC that is not set back", async () => {
  using _journals = new Journals();
  const journal = NicJournal.begin(IDENTITY);
  journal.noteStep("one", "ethtool 1", { kind: "steering", on: false });
  journal.close();
  let text = "";
  await doctor([], [], (piece) => text += piece);
  assertMatch(text, /eth1: 1 settings changed by process \d+ .*deno task nic restore eth1/);
  let json = "";
  await doctor(["--json"], [], (piece) => json += piece);
  assertEquals(JSON.parse(json).pendingNics[0].identity, IDENTITY);
});

Deno.test("a NIC has one journal", () => {
  using journals = new Journals();
  using _first = NicJournal.begin(IDENTITY);
  const error = assertThrows(() => NicJournal.begin(IDENTITY), NicBusyError, String(Deno.pid));
  assertEquals(error.pending.state, "held");
  // The same device, moved to another namespace.
  assertThrows(() => NicJournal.begin({ ...IDENTITY, namespace: "1", index: 9 }), NicBusyError);
  using _other = NicJournal.begin({ ...IDENTITY, index: 4, address: "02:00:00:00:00:02" });
  assertEquals(journals.files.length, 2);
});

Deno.test("a journal of an earlier boot is moot, and so is one without changes", () => {
  using journals = new Journals();
  const journal = NicJournal.begin(IDENTITY);
  journal.noteStep("one", "ethtool 1", { kind: "steering", on: false });
  journal.close();
  const boot = Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
  const text = Deno.readTextFileSync(journal.path);
  Deno.writeTextFileSync(journal.path, text.replace(boot, "00000000-earlier"));
  assertEquals(pendingNics(), []);
  assertEquals(journals.files, []);

  NicJournal.begin(IDENTITY).close();
  assertEquals(journals.files.length, 1);
  assertEquals(pendingNics(), []);
  assertEquals(journals.files, []);
});

Deno.test("a line of a journal that is not whole counts for nothing", () => {
  using _journals = new Journals();
  const journal = NicJournal.begin(IDENTITY);
  journal.noteStep("one", "ethtool 1", { kind: "steering", on: false });
  journal.close();
  Deno.writeTextFileSync(journal.path, '{"undone":0', { append: true });
  assertEquals(pendingNics()[0]!.changes.length, 1);
});

Deno.test("a journal that cannot be written says what to do", () => {
  using journals = new Journals();
  Deno.writeTextFileSync(`${journals.directory}/zclab`, "a file is in the way");
  assertThrows(() => NicJournal.begin(IDENTITY), Error, "set XDG_STATE_HOME");
});

Deno.test("isSameNic() knows a device that moved, and does not take a new one for an old one", () => {
  const moved = { ...IDENTITY, namespace: "1", index: 9, interface: "eth5" };
  assert(isSameNic(IDENTITY, moved));
  assert(isSameNic(IDENTITY, { ...IDENTITY, interface: "renamed" }));
  assert(!isSameNic(IDENTITY, { ...moved, address: "02:00:00:00:00:02" }));
  const virtual = { ...IDENTITY, bus: "" };
  assert(!isSameNic(virtual, { ...virtual, namespace: "78" }));
});

// === A NIC that is not there: ethtool is played, everything else is real ===

/**
 * Plays the ethtool of a NIC with four queues, for an interface that is a veth. Its settings are
 * files; `fail` there is a pattern of the arguments that it refuses. It runs hundreds of times, so
 * what is asked often takes no other program.
 */
const PLAYED_ETHTOOL = `#!/bin/sh
cd "\${0%/*}/state" || exit 9
echo "$*" >> log
if [ -s fail ] && echo "$*" | grep -Eq -- "$(cat fail)"; then
  echo "netlink error: Device or resource busy" >&2
  exit 75
fi
setting() { IFS= read -r value < "$1"; }
case "$1" in
--json) echo "ethtool: bad command line argument(s)" >&2; exit 1 ;;
--version) echo "ethtool version 6.14" ;;
--help) echo "[ tcp-data-split auto|on|off ]" ;;
-i) printf 'driver: softnic\\nfirmware-version: \\nbus-info: \\n' ;;
-l) setting channels
    printf 'Pre-set maximums:\\nCombined: 4\\nCurrent hardware settings:\\nCombined: %s\\n' "$value" ;;
-L) echo "$4" > channels ;;
-g) setting split; printf 'Current hardware settings:\\nTCP data split: %s\\n' "$value" ;;
-G) echo "$4" > split ;;
-k) setting ntuple; echo "ntuple-filters: $value" ;;
-K) echo "$4" > ntuple ;;
-x) setting table; printf 'table with rings:\\n    0: %s\\nRSS hash key:\\n' "$value" ;;
-X) if [ "$3" = default ]; then
      setting channels
      [ "$value" = 1 ] && echo "   0   0   0   0" > table || echo "   0   1   2   3" > table
    else
      echo "$*" >> odd
      case "$*" in *"equal 3") echo "   0   1   2   0" ;; *) echo "   0   0   0   0" ;; esac > table
    fi ;;
-n) while IFS= read -r line; do echo "$line"; done < rules ;;
-N) if [ "$3" = delete ]; then
      grep -q "Filter: $4$" rules || { echo "rmgr: Cannot delete RX class rule" >&2; exit 1; }
      sed -i "/Filter: $4$/,/Action/d" rules
    else
      printf 'Filter: 7\\n Rule Type: TCP over IPv4\\n Dest port: %s mask: 0x0\\n' "$6" >> rules
      echo " Action: Direct to queue $8" >> rules
      [ -s linger ] && sleep 1000
      echo "Added rule with ID 7"
    fi ;;
esac
`;

const FIRST_STATE = {
  channels: "4",
  split: "n/a",
  ntuple: "off",
  table: "   0   1   2   3",
  rules: "4 RX rings available\nTotal 0 rules\n",
  fail: "",
  linger: "",
  log: "",
};

/** A veth in a namespace of its own, and the ethtool that plays its NIC. */
class PlayedNic implements AsyncDisposable {
  readonly namespace = NetworkNamespace.create();
  readonly journals = new Journals();
  readonly #path = Deno.env.get("PATH")!;

  static async make(): Promise<PlayedNic> {
    const made = new PlayedNic();
    const { directory } = made.journals;
    Deno.mkdirSync(`${directory}/state`);
    for (const [name, text] of Object.entries(FIRST_STATE)) made.set(name, text);
    Deno.writeTextFileSync(`${directory}/ethtool`, PLAYED_ETHTOOL, { mode: 0o755 });
    Deno.env.set("PATH", `${directory}:${made.#path}`);
    await runInNamespace(made.namespace, "ip", [
      ...["link", "add", "played0", "type", "veth", "peer", "name", "played1"],
    ]);
    return made;
  }

  set(name: string, text: string): void {
    Deno.writeTextFileSync(`${this.journals.directory}/state/${name}`, text);
  }

  get(name: string): string {
    return Deno.readTextFileSync(`${this.journals.directory}/state/${name}`).trim();
  }

  /** What can be set, without what the player notes. */
  get state(): string[] {
    return ["channels", "split", "ntuple", "table", "rules"].map((name) => this.get(name));
  }

  /** The commands that change something. */
  get changes(): string[] {
    return this.get("log").split("\n").filter((line) => /^-[A-Z]/.test(line));
  }

  open(): Promise<Nic> {
    return Nic.open("played0", { place: this });
  }

  /** Runs a program of ours in the namespace of the NIC. */
  spawn(source: string): Deno.ChildProcess {
    const args = [`--net=/proc/${Deno.pid}/fd/${this.namespace.fd}`, Deno.execPath(), "eval"];
    return new Command("nsenter", {
      args: [...args, source],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
  }

  [Symbol.asyncDispose](): Promise<void> {
    Deno.env.set("PATH", this.#path);
    this.namespace.close();
    this.journals[Symbol.dispose]();
    return Promise.resolve();
  }
}

// The player says that it is a driver that needs no more than this kernel.
const test = testsNeeding("privileges", { kernel: "6.15" });

const REQUEST: NicRequest = { flow: FLOW };
const APPLIED = [
  "-G played0 tcp-data-split on",
  "-K played0 ntuple on",
  "-X played0 equal 3",
  "-N played0 flow-type tcp4 dst-port 9999 action 3",
];
const UNDONE = [
  "-N played0 delete 7",
  "-X played0 default",
  "-K played0 ntuple off",
  // The player has a state where a driver would have none to show.
  "-G played0 tcp-data-split auto",
];

test("Nic applies a plan and restores it in reverse order, with the rule's own number", async () => {
  await using played = await PlayedNic.make();
  const before = played.state;
  await using nic = await played.open();
  assertEquals(nic.missing, []);
  const plan = nic.plan(REQUEST);
  assertEquals(played.changes, [], "a plan changes nothing");
  const seen: string[] = [];
  {
    await using applied = await nic.apply(plan, { onCommand: (command) => seen.push(command) });
    assertEquals(applied.queue, 3);
    assertEquals(applied.rule, 7);
    assertEquals(played.changes, APPLIED);
    assertEquals(seen, APPLIED.map((line) => `ethtool ${line}`));
    assertEquals(nic.plan(REQUEST).steps, [], "nothing is left to be done");
    assertMatch(Deno.inspect(applied), /^AppliedNicPlan \{ played0, queue: 3, .* rule: 7 \}$/);
    const report = await applied.restore();
    assertEquals(report.map(({ outcome }) => outcome), new Array(4).fill("restored"));
    assertEquals(await applied.restore(), []);
    assert(applied.closed);
  }
  assertEquals(played.changes, [...APPLIED, ...UNDONE]);
  assertEquals(played.state.with(1, "n/a"), before);
  assertEquals(played.journals.files, []);
});

test("Nic restores when it is closed, and says that it is", async () => {
  await using played = await PlayedNic.make();
  const nic = await played.open();
  const applied = await nic.apply(nic.plan(REQUEST));
  await nic.close();
  await nic.close();
  assert(applied.closed);
  assertEquals(played.changes, [...APPLIED, ...UNDONE]);
  assertEquals(Deno.inspect(nic), "Nic { closed }");
  assertThrows(() => nic.plan(REQUEST), ClosedError);
  assertThrows(() => nic.missing, ClosedError);
  assertThrows(() => nic.settings, ClosedError);
  await assertRejects(() => nic.refresh(), ClosedError);
  await assertRejects(() => nic.apply(applied.plan), ClosedError);
});

test("Nic adds channels where there is one, and takes them away last", async () => {
  await using played = await PlayedNic.make();
  played.set("channels", "1");
  played.set("table", "   0   0   0   0");
  const before = played.state;
  await using nic = await played.open();
  await using applied = await nic.apply(nic.plan({ queue: 3, flow: FLOW }));
  assertEquals(played.changes[0], "-L played0 combined 4");
  await applied.restore();
  assertEquals(played.changes.slice(5), [
    "-N played0 delete 7",
    "-X played0 default",
    "-K played0 ntuple off",
    "-G played0 tcp-data-split auto",
    "-L played0 combined 1",
    // With one queue the default is what it was.
    "-X played0 default",
  ]);
  assertEquals(played.state.with(1, "n/a"), before);
});

test("Nic undoes what came before a step that fails", async () => {
  for (const failing of ["-G", "-K", "-X .* equal", "-N .* flow-type"]) {
    await using played = await PlayedNic.make();
    played.set("fail", failing);
    const before = played.state;
    await using nic = await played.open();
    const error = await assertRejects(
      () => nic.apply(nic.plan(REQUEST)),
      NicApplyError,
      "Device or resource busy",
    );
    assertMatch(`ethtool ${error.step.args.join(" ")}`, new RegExp(failing));
    assertStringIncludes(error.message, "is set back");
    // What was not reached is not undone.
    assertEquals(played.state.map((text) => text === "auto" ? "n/a" : text), before);
    assertEquals(played.journals.files, []);
  }
});

test("Nic finds out that a driver accepted a command and did nothing", async () => {
  await using played = await PlayedNic.make();
  await using nic = await played.open();
  const plan = nic.plan(REQUEST);
  const ethtool = `${played.journals.directory}/ethtool`;
  Deno.writeTextFileSync(ethtool, PLAYED_ETHTOOL.replace('-K) echo "$4" > ntuple', "-K) true"));
  const error = await assertRejects(() => nic.apply(plan), NicApplyError, "did not do it");
  assertEquals(error.step.args[0], "-K");
  assertEquals(played.journals.files, []);
});

test("restoring goes on after a step that fails, says so, and can be tried again", async () => {
  await using played = await PlayedNic.make();
  await using nic = await played.open();
  const applied = await nic.apply(nic.plan(REQUEST));
  played.set("fail", "-X");
  const error = await assertRejects(() => applied.restore(), NicRestoreError, "busy");
  assertEquals(error.report.map(({ outcome }) => outcome), [
    "restored",
    "failed",
    "restored",
    "restored",
  ]);
  assertEquals(pendingNics().map(({ state, changes }) => [state, changes.length]), [
    ["abandoned", 1],
  ]);
  // Whoever comes next meets the same error, and then none.
  await assertRejects(() => played.open(), NicRestoreError, "busy");
  played.set("fail", "");
  await using again = await played.open();
  assertEquals(again.recovered.map(({ outcome }) => outcome), ["restored"]);
  assertEquals(played.get("table"), "0   1   2   3");
  assertEquals(pendingNics(), []);
});

test("restoring leaves alone what is as it was, and a rule that is somebody else's", async () => {
  await using played = await PlayedNic.make();
  await using nic = await played.open();
  const applied = await nic.apply(nic.plan(REQUEST));
  played.set("split", "n/a");
  played.set("ntuple", "off");
  played.set(
    "rules",
    "Filter: 7\n Rule Type: TCP over IPv4\n Dest port: 22 mask: 0x0\n Action: Direct to queue 0\n",
  );
  const report = await applied.restore();
  assertEquals(report.map(({ outcome }) => outcome), [
    "unchanged",
    "restored",
    "unchanged",
    "unchanged",
  ]);
  assertStringIncludes(played.get("rules"), "Filter: 7");
});

test("restoring a NIC that is gone is nothing to do", async () => {
  await using played = await PlayedNic.make();
  const nic = await played.open();
  const applied = await nic.apply(nic.plan(REQUEST));
  await runInNamespace(played.namespace, "ip", ["link", "delete", "played0"]);
  assertEquals((await applied.restore()).map(({ outcome }) => outcome), new Array(4).fill("gone"));
  assertEquals(played.changes, APPLIED);
  assertEquals(played.journals.files, []);
  await nic.close();
});

test("restoring finds a NIC under another name", async () => {
  await using played = await PlayedNic.make();
  const nic = await played.open();
  const applied = await nic.apply(nic.plan(REQUEST));
  applied.keep();
  await runInNamespace(played.namespace, "ip", ["link", "set", "played0", "name", "other0"]);
  const args = `["restore", "other0"]`;
  const { code, text } = await command(played, args);
  assertEquals(code, 0, text);
  assertStringIncludes(text, "ethtool -N other0 delete 7");
  await nic.close();
});

test("Nic refuses a plan that is out of date, or another's", async () => {
  await using played = await PlayedNic.make();
  await using nic = await played.open();
  const plan = nic.plan(REQUEST);
  played.set("ntuple", "on");
  await assertRejects(() => nic.apply(plan), RangeError, "make a new plan");
  const other = new NicPlan({ ...plan, interface: "other0" });
  await assertRejects(() => nic.apply(other), RangeError, "other0");
  assertEquals(played.changes, []);
});

test("Nic is changed by one at a time", async () => {
  await using played = await PlayedNic.make();
  await using nic = await played.open();
  await using _applied = await nic.apply(nic.plan(REQUEST));
  await using second = await played.open();
  assertEquals(second.recovered, [], "its owner lives");
  await assertRejects(
    () => second.apply(second.plan({ flow: { ...FLOW, destinationPort: 1 } })),
    NicBusyError,
    "still runs",
  );
  // What needs no change needs no owner.
  await using same = await second.apply(second.plan(REQUEST));
  assert(same.closed);
  assertEquals(played.changes, APPLIED);
});

const SOURCES = new URL("../../../../labs/kit/nic/", import.meta.url);
const OPEN_AND_APPLY = `
  const { Nic } = await import("${SOURCES}nic.ts");
  const nic = await Nic.open("played0");
  console.log("opened", nic.recovered.length);
  const applied = await nic.apply(nic.plan({ flow: { protocol: "tcp4", destinationPort: 9999 } }));
  console.log("applied", applied.rule);
  await new Promise(() => setInterval(() => {}, 1000));
`;

/** Waits for a line of a program's output. */
async function waitFor(output: AsyncIterator<string>, expected: string): Promise<void> {
  for (;;) {
    const { value, done } = await output.next();
    if (done) throw new Error(`The program ended without ${expected}`);
    if (value.includes(expected)) return;
  }
}

function lines(child: Deno.ChildProcess): AsyncIterator<string> {
  return child.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
}

test("what a killed process has changed is set back at the next start", async () => {
  await using played = await PlayedNic.make();
  const before = played.state;
  const child = played.spawn(OPEN_AND_APPLY);
  await waitFor(lines(child), "applied 7");
  assertEquals(pendingNics().map(({ state }) => state), ["held"]);
  child.kill("SIGKILL");
  await child.status;
  assertEquals(pendingNics().map(({ state, changes }) => [state, changes.length]), [
    ["abandoned", 4],
  ]);
  await using nic = await played.open();
  assertEquals(nic.recovered.map(({ outcome }) => outcome), new Array(4).fill("restored"));
  assertEquals(played.changes, [...APPLIED, ...UNDONE]);
  assertEquals(played.state.with(1, "n/a"), before);
  assertEquals(played.journals.files, []);
});

test("what a killed process has left running is waited for", async () => {
  await using played = await PlayedNic.make();
  const before = played.state;
  const ethtool = `${played.journals.directory}/ethtool`;
  // Slow to begin, so that its parent is killed before it has changed anything.
  const slow = PLAYED_ETHTOOL.replace("-G)", "-G) touch began; sleep 1;");
  Deno.writeTextFileSync(ethtool, slow);
  const child = played.spawn(OPEN_AND_APPLY);
  await waitFor(lines(child), "opened 0");
  const { directory } = played.journals;
  await until("ethtool began", () => {
    return [...Deno.readDirSync(`${directory}/state`)].some(({ name }) => name === "began");
  });
  child.kill("SIGKILL");
  await child.status;
  assertEquals(played.get("split"), "n/a");
  await using nic = await played.open();
  assertEquals(nic.recovered.map(({ outcome }) => outcome), ["restored"]);
  assertEquals(played.state.with(1, "n/a"), before);
  assertEquals(played.get("split"), "auto");
});

test("a rule whose number nobody got to know is found and deleted", async () => {
  await using played = await PlayedNic.make();
  const before = played.state;
  played.set("linger", "yes");
  const child = played.spawn(OPEN_AND_APPLY);
  await waitFor(lines(child), "opened 0");
  await until("the rule is there", () => played.get("rules").includes("Filter: 7"));
  child.kill("SIGKILL");
  await child.status;
  assertEquals(pendingNics()[0]!.changes.at(-1)!.rule, undefined);
  played.set("linger", "");
  await using nic = await played.open();
  assertEquals(nic.recovered[0], {
    title: "Steer the flow to queue 3",
    outcome: "restored",
    command: "ethtool -N played0 delete 7",
  });
  assertEquals(played.state.with(1, "n/a"), before);
  endLingering(played.journals.directory);
});

/** The player's own sleep outlives its killed parent. */
function endLingering(directory: string): void {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const cwd = Deno.readLinkSync(`/proc/${name}/cwd`);
      if (cwd === `${directory}/state`) Deno.kill(Number(name), "SIGKILL");
    } catch {
      // It ended meanwhile, or belongs to somebody else.
    }
  }
}

// === The command ===

async function command(
  played: PlayedNic,
  args: string,
  ask = "undefined",
): Promise<{ code: number; text: string }> {
  const child = played.spawn(`
    const { nic } = await import("${SOURCES}../commands/nic.ts");
    const { exitCode } = await import("${SOURCES}../commands/program.ts");
    let text = "";
    try {
      const code = await nic(${args}, { print: (piece) => console.log(piece), ask: ${ask} });
      Deno.exit(code);
    } catch (error) {
      console.log(error.name, error.message);
      Deno.exit(exitCode(error));
    }
  `);
  const { code, stdout } = await child.output();
  return { code, text: new TextDecoder().decode(stdout) };
}

test("the command applies, which lasts, and restores", async () => {
  await using played = await PlayedNic.make();
  const before = played.state;
  const applied = await command(played, `["apply", "played0", "--port", "9999"]`);
  assertEquals(applied.code, 0, applied.text);
  for (const line of APPLIED) assertStringIncludes(applied.text, `running ethtool ${line}`);
  assertEquals(pendingNics().map(({ state }) => state), ["kept"]);
  // It was left so on purpose: opening it changes nothing.
  await using nic = await played.open();
  assertEquals(nic.recovered, []);
  const again = await command(played, `["apply", "played0", "--port", "1"]`);
  assertEquals(again.code, 1, again.text);
  assertStringIncludes(again.text, "deno task nic restore played0");

  const restored = await command(played, `["restore", "--all"]`);
  assertEquals(restored.code, 0, restored.text);
  for (const line of UNDONE) assertStringIncludes(restored.text, `running ethtool ${line}`);
  assertEquals(played.state.with(1, "n/a"), before);
  const nothing = await command(played, `["restore", "played0"]`);
  assertEquals(nothing.code, 0);
  assertStringIncludes(nothing.text, "nothing to restore");
});

test("the command says what could not be restored, and what is elsewhere", async () => {
  await using played = await PlayedNic.make();
  assertEquals((await command(played, `["apply", "played0"]`)).code, 0);
  played.set("fail", "-K");
  const failed = await command(played, `["restore", "played0"]`);
  assertEquals(failed.code, 1, failed.text);
  assertStringIncludes(failed.text, "FAILED: Steer flows by rules");
  const text: string[] = [];
  // From here the namespace cannot be seen.
  const code = await nic(["restore", "--all"], { print: (piece) => text.push(piece) });
  assertEquals(code, 1);
  assertStringIncludes(text.join(""), "in another network namespace");
});

test("the command refuses what would cut the machine off, until it is told twice", async () => {
  await using played = await PlayedNic.make();
  const { namespace } = played;
  for (
    const line of [
      "link set played0 up",
      "link set played1 up",
      "link set lo up",
      "address add 192.0.2.1/24 dev played0",
      "route add default via 192.0.2.2 dev played0",
    ]
  ) await runInNamespace(namespace, "ip", line.split(" "));
  const refused = await command(played, `["apply", "played0"]`);
  assertEquals(refused.code, 1, refused.text);
  assertMatch(refused.text, /CutOffError.*played0 carries a default route/);
  const flag = "--even-if-it-cuts-this-machine-off";
  assertEquals((await command(played, `["apply", "played0", "${flag}"]`)).code, 1);
  const wrong = `["apply", "played0", "${flag}", "--confirm-interface", "played1"]`;
  assertEquals((await command(played, wrong)).code, 1);
  const confirmed = `["apply", "played0", "--confirm-interface", "played0"]`;
  assertEquals((await command(played, confirmed)).code, 1);
  assertEquals((await command(played, `["apply", "played0", "${flag}"]`, `() => "no"`)).code, 1);
  assertEquals(played.changes, []);
  const asked = await command(played, `["apply", "played0", "${flag}"]`, `() => "played0"`);
  assertEquals(asked.code, 0, asked.text);
  assertEquals(played.changes, APPLIED);
  // Setting it back is never refused.
  assertEquals((await command(played, `["restore", "played0"]`)).code, 0);
});

test("Nic knows by which interface an SSH session came, and which is the only one", async () => {
  await using played = await PlayedNic.make();
  const { namespace } = played;
  await runInNamespace(namespace, "ip", ["link", "set", "played0", "up"]);
  const alone = await command(played, `["plan", "played0"]`);
  assertStringIncludes(alone.text, "played0 is the only interface that is up");
  for (
    const line of [
      "link set played1 up",
      "link add bridge0 type bridge",
      "link set played0 master bridge0",
      "link set bridge0 up",
      "address add 192.0.2.1/24 dev bridge0",
    ]
  ) await runInNamespace(namespace, "ip", line.split(" "));
  const free = await command(played, `["plan", "played0"]`);
  assert(!free.text.includes("careful"), free.text);
  Deno.env.set("SSH_CONNECTION", "192.0.2.9 50000 192.0.2.1 22");
  try {
    const { text } = await command(played, `["plan", "played0"]`);
    assertStringIncludes(
      text,
      "careful: bridge0, which lies on played0, carries an SSH session from 192.0.2.9",
    );
  } finally {
    Deno.env.delete("SSH_CONNECTION");
  }
  // In another namespace than ours nothing of this machine hangs on it.
  await using nic = await played.open();
  assertEquals(nic.plan(REQUEST).cutsOff, []);
});

async function run(args: string[]): Promise<{ code: number; text: string }> {
  let text = "";
  const code = await nic(args, { print: (piece) => text += piece });
  return { code, text };
}

Deno.test("the command shows help, and refuses arguments that it does not know", async () => {
  const { code, text } = await run(["--help"]);
  assertEquals(code, 0);
  for (const word of ["show", "plan", "apply", "restore", "77"]) assertStringIncludes(text, word);
  for (
    const args of [
      [],
      ["remove", "eth1"],
      ["plan"],
      ["apply"],
      ["restore"],
      ["plan", "lo", "eth1"],
      ["plan", "lo", "--prot", "9"],
      ["plan", "lo", "--port", "many"],
      ["plan", "lo", "--port", "0"],
      ["plan", "lo", "--protocol", "udp4"],
      ["plan", "lo", "--queue", "100000"],
    ]
  ) {
    await assertRejects(() => run(args), OptionError, undefined, args.join(" "));
  }
  await assertRejects(() => run(["plan", "absent0"]), UnsupportedError, "absent0");
  await assertRejects(() => run(["restore", "absent0"]), UnsupportedError, "absent0");
});

// === Whatever this machine has: nothing is changed ===

Deno.test("Nic plans for every interface of this machine, and says what is missing", async () => {
  const { text } = await run(["show", "--json"]);
  const { nics } = JSON.parse(text) as { nics: { settings: NicSettings }[] };
  for (const { settings } of nics) {
    await using nic = await Nic.open(settings.interface);
    assertEquals(nic.settings.index, settings.index);
    const plan = nic.plan({ flow: FLOW });
    assertEquals(plan.interface, settings.interface);
    for (const { why, change } of plan.missing) assert(why !== "" && change !== "");
    const { code } = await run(["plan", settings.interface]);
    assertEquals(code, plan.missing.some(({ state }) => state === "missing") ? 77 : 0);
    assertMatch(Deno.inspect(nic), /^Nic \{ .*queues: \d+.*\}$/);
  }
  await run(["show"]);
});

Deno.test("Nic does not apply a plan to what is no NIC", async () => {
  using namespace = NetworkNamespace.create();
  await runInNamespace(namespace, "ip", [
    ...["link", "add", "v0", "numrxqueues", "4", "numtxqueues", "4", "type", "veth"],
    ...["peer", "name", "v1"],
  ]);
  for (const name of ["lo", "v0"]) {
    await using nic = await Nic.open(name, { place: { namespace } });
    const plan = nic.plan({ flow: FLOW });
    assert(plan.missing.some(({ name }) => name === "driver"));
    await assertRejects(() => nic.apply(plan), UnsupportedError, "driver");
  }
  await using veth = await Nic.open("v0", { place: { namespace } });
  assertEquals(veth.settings.queues, 4);
  assertEquals(veth.settings.driver, "veth");
  for (const name of ["absent0", "--help", ""]) {
    await assertRejects(() => Nic.open(name, { place: { namespace } }), UnsupportedError, "has lo");
  }
});

Deno.test("CutOffError says why, and how to go on all the same", () => {
  const error = new CutOffError("eth0", ["eth0 carries a default route"]);
  assertInstanceOf(error, Error);
  assertMatch(
    error.message,
    /carries a default route.*evenIfItCutsUsOff.*--confirm-interface eth0/,
  );
});
