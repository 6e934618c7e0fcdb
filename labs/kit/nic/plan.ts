/**
 * What would have to change so that a NIC can do zero-copy receive: each command before it runs,
 * with the command that undoes it.
 *
 * The steps are those of the kernel's document on io_uring zero-copy receive
 * (Documentation/networking/iou-zcrx.rst).
 *
 * @module
 */
import { type Fact, showFacts } from "../../../ffi/kernel/inspection.ts";
import { OptionError } from "../options/options.ts";
import { checkFlow, describeFlow, isRuleFor, type NicFlow, ruleArgs } from "./flow.ts";
import { indirectionArgs, showIndirection } from "./indirection.ts";
import { describeLacks, type NicLack } from "./missing.ts";
import type { NicSettings } from "./settings.ts";

/** What a plan is for. */
export interface NicRequest {
  /** The queue for zero copy. Default: the last one. */
  readonly queue?: number;
  /** The flow that goes there. */
  readonly flow: NicFlow;
}

/** What was there before a step: enough to undo it after a crash. */
export type NicBefore =
  | { readonly kind: "channels"; readonly name: "combined" | "rx"; readonly count: number }
  | {
    readonly kind: "header split";
    readonly state: "on" | "off" | "auto";
    readonly threshold?: number;
  }
  | { readonly kind: "steering"; readonly on: boolean }
  | { readonly kind: "RSS"; readonly table: readonly number[]; readonly queues: number }
  | {
    readonly kind: "rule";
    /** The rules that were there. */
    readonly ids: readonly number[];
    readonly flow: NicFlow;
    readonly queue: number;
  };

/** One step of a plan. */
export interface NicStep {
  /** What it is for. */
  readonly title: string;
  /** The arguments of ethtool. */
  readonly args: readonly string[];
  /** The command, as one would type it. */
  readonly command: string;
  /** The command that undoes it, with the values that were there before. */
  readonly undo: string;
  /** What was there before. */
  readonly before: NicBefore;
}

/** What would change on a NIC; nothing has changed yet. Its text shows every command. */
export class NicPlan {
  /** The interface. */
  readonly interface: string;
  /** The queue for zero copy. */
  readonly queue: number;
  /** The flow that goes there. */
  readonly flow: NicFlow;
  /** What is to be done, in this order. */
  readonly steps: readonly NicStep[];
  /** What is as it should be already. */
  readonly already: readonly string[];
  /** What else one should know. */
  readonly notes: readonly string[];
  /** What the NIC lacks: a plan can only be applied if nothing of that is certainly missing. */
  readonly missing: readonly NicLack[];
  /** Why applying it could cut the machine off the network; empty if nothing hangs on the NIC. */
  readonly cutsOff: readonly string[];

  /** Puts a plan together; {@linkcode Nic.plan} makes it. */
  constructor(
    fields: Pick<
      NicPlan,
      "interface" | "queue" | "flow" | "steps" | "already" | "notes" | "missing" | "cutsOff"
    >,
  ) {
    this.interface = fields.interface;
    this.queue = fields.queue;
    this.flow = fields.flow;
    this.steps = fields.steps;
    this.already = fields.already;
    this.notes = fields.notes;
    this.missing = fields.missing;
    this.cutsOff = fields.cutsOff;
  }

  /** Every command with the one that undoes it, what is missing, and what hangs on the NIC. */
  toString(): string {
    const lines = [
      `Plan for ${this.interface}: ${describeFlow(this.flow)} to queue ${this.queue}`,
      ...this.steps.flatMap(({ title, command, undo }, index) => [
        `${index + 1}. ${title}`,
        `     run   ${command}`,
        `     undo  ${undo}`,
      ]),
    ];
    if (this.steps.length === 0) lines.push("Nothing to change");
    lines.push(...this.already.map((text) => `as it should be: ${text}`));
    lines.push(...this.notes.map((text) => `note: ${text}`));
    lines.push(...describeLacks(this.missing));
    lines.push(...this.cutsOff.map((reason) => `careful: ${reason}`));
    return lines.join("\n");
  }

  static {
    showFacts(NicPlan, (shown) => shown.#facts(), (shown) => shown.#more());
  }

  #facts(): readonly Fact[] {
    return [
      ["interface", this.interface, "bare"],
      ["queue", this.queue],
      ["flow", describeFlow(this.flow), "bare"],
      ["steps", this.steps.length],
      ["missing", this.missing.filter(({ state }) => state === "missing").length],
    ];
  }

  /** What only a table has room for. */
  #more(): readonly Fact[] {
    return this.steps.map(({ command }, index) => [`step ${index + 1}`, command]);
  }
}

/**
 * Works out the steps.
 *
 * @param settings What the NIC is set to.
 * @param request What is wanted.
 * @returns The steps, what is already right, and notes.
 * @throws {OptionError} If the request makes no sense, or names a queue that the NIC cannot have.
 */
export function planSteps(
  settings: NicSettings,
  request: NicRequest,
): Pick<NicPlan, "queue" | "steps" | "already" | "notes"> {
  checkFlow(request.flow);
  const queue = chooseQueue(settings, request.queue);
  const steps: NicStep[] = [];
  const already: string[] = [];
  const notes: string[] = [];
  const count = planChannels(settings, queue, steps, already);
  planHeaderSplit(settings, steps, already);
  planSteering(settings, steps, already);
  planSpreading(settings, queue, count, steps, already);
  planRule(settings, queue, request.flow, steps, already, notes);
  if (steps.some(({ before }) => before.kind === "channels" || before.kind === "header split")) {
    notes.push("most NICs go down and up again when their channels or rings change");
  }
  if (!settings.up) {
    notes.push(`${settings.interface} is down: ip link set ${settings.interface} up`);
  }
  return { queue, steps, already, notes };
}

function chooseQueue(
  { interface: name, queues, mostQueues }: NicSettings,
  wanted?: number,
): number {
  // At least one more queue is needed for everything else.
  if (wanted === undefined) return Math.max(1, queues - 1);
  const most = Math.max(queues, mostQueues);
  if (!Number.isInteger(wanted) || wanted < 0 || wanted >= most) {
    throw new OptionError(
      `The queue must be an integer from 0 to ${most - 1}, which is what ${name} can have, ` +
        `got ${wanted}`,
    );
  }
  return wanted;
}

function step(
  name: string,
  fields: Pick<NicStep, "title" | "args" | "before"> & { readonly undo: readonly string[] },
): NicStep {
  const { title, args, before, undo } = fields;
  // A rule is deleted by the number that adding it will return.
  const note = before.kind === "rule" ? "  (ID: the one that adding it returns)" : "";
  const undoArgs = before.kind === "RSS" ? undoSpreading(name, before) : showCommand(undo);
  return { title, args, command: showCommand(args), undo: undoArgs + note, before };
}

/** A command of ethtool as one would type it. */
export function showCommand(args: readonly string[]): string {
  return ["ethtool", ...args].join(" ");
}

function planChannels(
  settings: NicSettings,
  queue: number,
  steps: NicStep[],
  already: string[],
): number {
  const { interface: name, channels, queues, mostQueues } = settings;
  const needed = Math.max(2, queue + 1);
  if (queues >= needed) {
    already.push(`${queues} receive queues`);
    return queues;
  }
  // What the NIC cannot have is said by what is missing.
  if (channels === undefined || mostQueues < needed) return needed;
  const kind = channels.combined.most > 0 ? "combined" : "rx";
  const before = kind === "combined" ? channels.combined.current : channels.receive.current;
  steps.push(step(name, {
    title: `${needed} receive queues: one for zero copy, the others for everything else`,
    args: ["-L", name, kind, String(before + needed - queues)],
    undo: ["-L", name, kind, String(before)],
    before: { kind: "channels", name: kind, count: before },
  }));
  return needed;
}

function planHeaderSplit(settings: NicSettings, steps: NicStep[], already: string[]): void {
  const { interface: name, headerSplit, ethtool } = settings;
  if (headerSplit === undefined) return;
  const { threshold } = headerSplit;
  const lower = threshold !== undefined && threshold > 0 && ethtool.setsThreshold;
  if (headerSplit.state === "on" && !lower) {
    already.push("headers are split from data (tcp-data-split on)");
    return;
  }
  const state = headerSplit.state ?? "auto";
  steps.push(step(name, {
    title: "Split headers from data, so that the data can go where the application wants it",
    args: ["-G", name, "tcp-data-split", "on", ...(lower ? ["hds-thresh", "0"] : [])],
    undo: headerSplitArgs(name, { state, ...(lower ? { threshold } : {}) }),
    before: { kind: "header split", state, ...(lower ? { threshold } : {}) },
  }));
}

/** The command that sets header split to what it was. */
export function headerSplitArgs(
  name: string,
  before: { readonly state: string; readonly threshold?: number },
): string[] {
  const threshold = before.threshold === undefined ? [] : ["hds-thresh", String(before.threshold)];
  return ["-G", name, "tcp-data-split", before.state, ...threshold];
}

function planSteering(settings: NicSettings, steps: NicStep[], already: string[]): void {
  const { interface: name, steering } = settings;
  if (steering.on) already.push("flows are steered by rules (ntuple-filters on)");
  else if (!steering.fixed) {
    steps.push(step(name, {
      title: "Steer flows by rules",
      args: ["-K", name, "ntuple", "on"],
      undo: ["-K", name, "ntuple", "off"],
      before: { kind: "steering", on: false },
    }));
  }
}

function planSpreading(
  settings: NicSettings,
  queue: number,
  count: number,
  steps: NicStep[],
  already: string[],
): void {
  const { interface: name, indirection, queues } = settings;
  if (indirection === undefined) return;
  // With more channels the driver may spread over them, too.
  if (count === queues && !indirection.includes(queue)) {
    already.push(`no other flow goes to queue ${queue} (RSS)`);
    return;
  }
  const others = queue === count - 1
    ? ["equal", String(count - 1)]
    : ["weight", ...Array.from({ length: count }, (_, other) => other === queue ? "0" : "1")];
  steps.push(step(name, {
    title: `Keep other flows off queue ${queue}: RSS only over the others`,
    args: ["-X", name, ...others],
    undo: [],
    before: { kind: "RSS", table: indirection, queues },
  }));
}

function planRule(
  settings: NicSettings,
  queue: number,
  flow: NicFlow,
  steps: NicStep[],
  already: string[],
  notes: string[],
): void {
  const { interface: name, steering } = settings;
  // Some drivers have no rules to tell of until steering is switched on.
  const rules = settings.rules ?? (steering.on || steering.fixed ? undefined : []);
  if (rules === undefined) return;
  const same = rules.find((rule) => isRuleFor(rule, flow) && rule.queue === queue);
  for (const rule of rules) {
    if (rule === same) continue;
    if (isRuleFor(rule, flow)) {
      notes.push(
        `rule ${rule.id} steers the same flow elsewhere; remove it: ethtool -N ${name} delete ${rule.id}`,
      );
    } else if (rule.queue === queue) {
      notes.push(`rule ${rule.id} steers another flow (${rule.protocol}) to queue ${queue}, too`);
    }
  }
  if (same !== undefined) {
    already.push(`rule ${same.id} steers the flow to queue ${queue}`);
    return;
  }
  steps.push(step(name, {
    title: `Steer the flow to queue ${queue}`,
    args: ruleArgs(name, flow, queue),
    undo: ["-N", name, "delete", "ID"],
    before: { kind: "rule", ids: rules.map(({ id }) => id), flow, queue },
  }));
}

function undoSpreading(
  name: string,
  { table, queues }: { readonly table: readonly number[]; readonly queues: number },
): string {
  const args = indirectionArgs(name, table, queues);
  return args === undefined ? showIndirection(name, table) : showCommand(args);
}
