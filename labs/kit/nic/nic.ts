/**
 * A real NIC's settings for zero-copy receive: what they are, what would have to change, changing it,
 * and setting it back, whatever happens in between.
 *
 * @module
 */
import { hasCapability } from "../../../ffi/kernel/capability.ts";
import { ClosedError, ExplainedError, UnsupportedError } from "../../../ffi/kernel/errors.ts";
import { CLOSED, type Fact, showFacts } from "../../../ffi/kernel/inspection.ts";
import { CommandError, requirePrograms } from "../testbed/namespace_command.ts";
import { NicCommands, type NicPlace } from "./commands.ts";
import { AppliedNicPlan, type Restore } from "./applied_plan.ts";
import { ruleNumber } from "./flow.ts";
import { isSameNic, type NicIdentity, NicJournal, pendingNics } from "./journal.ts";
import { type NicLack, nicLacks } from "./missing.ts";
import { NicPlan, type NicRequest, type NicStep, planSteps } from "./plan.ts";
import { cutOffReasons } from "./reach.ts";
import { type NicRestored, type OnNicCommand, restoreNic } from "./restore.ts";
import { type NicSettings, readNicSettings } from "./settings.ts";

/** How to open a NIC. */
export interface NicOptions {
  /** Where it is, such as an end of a testbed; without it, in the caller's namespace. */
  readonly place?: NicPlace;
  /** Called with each command that sets it back after a crash, before it runs. */
  readonly onCommand?: OnNicCommand;
}

/** How to apply a plan. */
export interface NicApplyOptions {
  /**
   * Go on although the machine may be cut off the network. It must be told twice: by this, and by the
   * name of the interface in {@linkcode NicApplyOptions.confirmInterface}. Default: false.
   */
  readonly evenIfItCutsUsOff?: boolean;
  /** The name of the interface, once more. Only needed where the machine may be cut off. */
  readonly confirmInterface?: string;
  /** Called with each command before it runs. */
  readonly onCommand?: OnNicCommand;
}

/** Applying a plan could cut this machine off the network, and nobody said twice that it may. */
export class CutOffError extends ExplainedError {
  /** The name of the class. */
  override readonly name = "CutOffError";
  /** The interface. */
  readonly interface: string;
  /** Why it could. */
  readonly reasons: readonly string[];

  /**
   * Says why, and how to go on.
   *
   * @param name The interface.
   * @param reasons Why it could.
   */
  constructor(name: string, reasons: readonly string[]) {
    super(
      `Changing ${name} could cut this machine off the network: ${
        reasons.join("; ")
      }. What to do: ` +
        "use another interface, or say twice that it may: { evenIfItCutsUsOff: true, " +
        `confirmInterface: "${name}" }, or deno task nic apply ${name} ` +
        `--even-if-it-cuts-this-machine-off --confirm-interface ${name}`,
    );
    this.interface = name;
    this.reasons = reasons;
  }
}

/** A step of a plan failed. What came before it was set back, unless the message says otherwise. */
export class NicApplyError extends ExplainedError {
  /** The name of the class. */
  override readonly name = "NicApplyError";
  /** The step. */
  readonly step: NicStep;

  /**
   * Says which step, and why.
   *
   * @param step The step.
   * @param reason Why it failed.
   * @param restored What became of the steps before it, as a sentence.
   * @param cause The error.
   */
  constructor(step: NicStep, reason: string, restored: string, cause?: unknown) {
    super(
      `${step.command} failed: ${reason}. ${restored}. What to do: see what the driver's ` +
        "documentation says about this setting, and update driver and firmware",
      { cause },
    );
    this.step = step;
  }
}

/**
 * A NIC and its settings for zero-copy receive. Opening it changes nothing, except that what a process
 * before us changed and did not live to set back is set back first.
 *
 * The four steps are those of the kernel's document on io_uring zero-copy receive (iou-zcrx.rst):
 * header/data split, flow steering, RSS kept off the queue, and enough queues. Reading needs no
 * privileges, applying needs CAP_NET_ADMIN. Linux 5.14 or later; zero-copy receive itself needs 6.15.
 *
 * @example What would have to change; nothing changes
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { NetworkNamespace } from "zclab";
 * import { Nic } from "./nic.ts";
 *
 * using namespace = NetworkNamespace.create();
 * await using nic = await Nic.open("lo", { place: { namespace } });
 * const plan = nic.plan({ flow: { protocol: "tcp4", destinationPort: 9000 } });
 * assertEquals(plan.missing.some(({ name }) => name === "driver"), true); // lo is no NIC
 * ```
 */
export class Nic implements AsyncDisposable {
  readonly #commands: NicCommands;
  readonly #interface: string;
  readonly #applied: AppliedNicPlan[] = [];
  /** What was set back when it was opened, because a process before us did not live to. */
  readonly recovered: readonly NicRestored[];
  #settings: NicSettings;
  #cutsOff: readonly string[];
  #closed = false;

  private constructor(
    commands: NicCommands,
    settings: NicSettings,
    cutsOff: readonly string[],
    recovered: readonly NicRestored[],
  ) {
    this.#commands = commands;
    this.#interface = settings.interface;
    this.#settings = settings;
    this.#cutsOff = cutsOff;
    this.recovered = recovered;
  }

  /**
   * Reads a NIC's settings, after setting back what a process that died has left changed.
   *
   * @param name The interface, such as `eth1`.
   * @param options Where it is.
   * @throws {UnsupportedError} If there is no such interface, or `ip` or `ethtool` is not installed.
   * @throws {NicRestoreError} If something was left behind and cannot be set back.
   * @throws {CommandError} If `ip` or `ethtool` fails.
   */
  static async open(name: string, options: NicOptions = {}): Promise<Nic> {
    requirePrograms("ip", "ethtool");
    const commands = new NicCommands(options.place);
    const [settings, cutsOff] = await read(commands, name);
    const recovered = await recover(commands, identityOf(commands, settings), options.onCommand);
    const now = recovered.length === 0 ? settings : await readNicSettings(commands, name);
    return new Nic(commands, now, cutsOff, recovered);
  }

  /** The name of the interface. */
  get interface(): string {
    return this.#interface;
  }

  /** What it was set to when it was last read. */
  get settings(): NicSettings {
    this.#assertOpen();
    return this.#settings;
  }

  /** What it lacks for zero-copy receive, and what would change that; empty if nothing. */
  get missing(): readonly NicLack[] {
    return nicLacks(this.settings, {
      release: Deno.osRelease(),
      privileged: !this.#commands.isHere || hasCapability("NET_ADMIN"),
    });
  }

  /** Whether {@linkcode close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Reads the settings again. Opening it and applying a plan do that, too.
   *
   * @returns This NIC.
   */
  async refresh(): Promise<this> {
    this.#assertOpen();
    [this.#settings, this.#cutsOff] = await read(this.#commands, this.#interface);
    return this;
  }

  /**
   * Works out what would have to change; nothing changes. `String(plan)` shows every command, and the
   * one that undoes it.
   *
   * @param request The flow of the experiment, and the queue it is to go to: the last one by default.
   * @throws {OptionError} If the flow makes no sense, or the NIC cannot have such a queue.
   */
  plan(request: NicRequest): NicPlan {
    return new NicPlan({
      interface: this.#interface,
      flow: { ...request.flow },
      ...planSteps(this.settings, request),
      missing: this.missing,
      cutsOff: this.#cutsOff,
    });
  }

  /**
   * Does what a plan says, step by step, each noted in a journal before it begins. If one fails, those
   * before it are undone.
   *
   * @param plan A plan of this NIC.
   * @param options What to do if the machine may be cut off.
   * @returns What undoes it, at the latest when disposed.
   * @throws {CutOffError} If the machine may be cut off, and nobody said twice that it may.
   * @throws {UnsupportedError} If the NIC lacks something.
   * @throws {NicBusyError} If the NIC is changed already.
   * @throws {NicApplyError} If a step fails.
   */
  async apply(plan: NicPlan, options: NicApplyOptions = {}): Promise<AppliedNicPlan> {
    this.#assertOpen();
    if (plan.interface !== this.#interface) {
      throw new RangeError(`The plan is for ${plan.interface}, this is ${this.#interface}`);
    }
    await this.refresh();
    const lacks = this.missing.filter(({ state }) => state === "missing");
    if (lacks.length > 0) {
      throw new UnsupportedError(`Zero-copy receive on ${plan.interface}`, {
        advice: lacks.map(({ name, why, change }) => `${name}: ${why}. What to do: ${change}`)
          .join(". "),
      });
    }
    this.#assertFresh(plan);
    const isTold = options.evenIfItCutsUsOff === true &&
      options.confirmInterface === plan.interface;
    if (plan.steps.length > 0 && this.#cutsOff.length > 0 && !isTold) {
      throw new CutOffError(plan.interface, this.#cutsOff);
    }
    const applied = await this.#run(plan, options.onCommand);
    this.#applied.push(applied);
    return applied;
  }

  /**
   * Sets back what was applied and not yet restored, and lets go of the NIC. Closing it again does
   * nothing.
   *
   * @throws {NicRestoreError} If something cannot be set back.
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const applied of this.#applied.toReversed()) {
      if (!applied.closed) await applied.restore();
    }
  }

  /** The same as {@linkcode close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  static {
    showFacts(Nic, (shown) => shown.#facts());
  }

  #facts(): readonly Fact[] {
    if (this.#closed) return CLOSED;
    const { driver, queues, headerSplit, steering } = this.#settings;
    return [
      ["interface", this.#interface, "bare"],
      ["driver", driver || "no driver", "bare"],
      ["queues", queues],
      ["header split", headerSplit?.state ?? "n/a"],
      ["steering", steering.on ? "on" : "off"],
      ["missing", this.missing.map(({ name }) => name).join(", ") || "nothing"],
    ];
  }

  /** What a plan remembers as having been there before must still be there. */
  #assertFresh(plan: NicPlan): void {
    const now = planSteps(this.#settings, plan);
    if (JSON.stringify(now.steps) !== JSON.stringify(plan.steps)) {
      throw new RangeError(
        `${plan.interface} was changed since the plan was made. What to do: make a new plan`,
      );
    }
  }

  async #run(plan: NicPlan, onCommand: OnNicCommand = () => {}): Promise<AppliedNicPlan> {
    const commands = this.#commands;
    if (plan.steps.length === 0) {
      return new AppliedNicPlan(plan, undefined, undefined, () => Promise.resolve([]));
    }
    const before = this.#settings;
    const journal = NicJournal.begin(identityOf(commands, before));
    const restore: Restore = async (journal, onCommand) => {
      try {
        const report = await restoreNic(commands, journal, onCommand);
        this.#settings = before;
        return report;
      } finally {
        // What could not be set back is in the file, for whoever tries again.
        journal.close();
      }
    };
    let current = plan.steps[0]!;
    let rule: number | undefined;
    try {
      for (current of plan.steps) {
        const number = journal.noteStep(current.title, current.command, current.before);
        onCommand(current.command);
        const [answer] = await commands.ethtoolEach([current.args]);
        const { code, text } = answer!;
        if (code !== 0) throw new CommandError(current.command, code, text.trim());
        if (current.before.kind !== "rule") continue;
        rule = ruleNumber(text);
        // ethtool can end with 0 even where the driver refused the rule.
        if (rule === undefined) throw new CommandError(current.command, code, text.trim());
        journal.noteRule(number, rule);
      }
      await this.refresh();
      const left = this.#firstNotDone(plan, rule);
      if (left !== undefined) {
        current = left;
        throw new Error("the driver accepted it, but did not do it");
      }
    } catch (error) {
      const restored = await restore(journal, onCommand).then(
        () => "What was changed is set back",
        (failure) => `What was changed is not all set back: ${failure.message}`,
      );
      throw new NicApplyError(current, reasonOf(error), restored, error);
    }
    return new AppliedNicPlan(plan, rule, journal, restore);
  }

  /** A driver may accept a command and do something else: looks what is still to be done. */
  #firstNotDone(plan: NicPlan, rule: number | undefined): NicStep | undefined {
    return planSteps(this.#settings, plan).steps.find(({ before }) =>
      before.kind !== "rule" || !this.#settings.rules?.some(({ id }) => id === rule)
    );
  }

  #assertOpen(): void {
    if (this.#closed) throw new ClosedError("Nic");
  }
}

/** Sets back what a process that died has left changed on this NIC. */
async function recover(
  commands: NicCommands,
  identity: NicIdentity,
  onCommand?: OnNicCommand,
): Promise<NicRestored[]> {
  const report: NicRestored[] = [];
  for (const pending of pendingNics()) {
    if (pending.state !== "abandoned" || !isSameNic(pending.identity, identity)) continue;
    using journal = NicJournal.take(pending.path);
    if (journal !== undefined) report.push(...await restoreNic(commands, journal, onCommand));
  }
  return report;
}

function read(commands: NicCommands, name: string): Promise<[NicSettings, string[]]> {
  return Promise.all([readNicSettings(commands, name), cutOffReasons(commands, name)]);
}

function reasonOf(error: unknown): string {
  if (error instanceof CommandError && error.stderr !== "") {
    return error.stderr.replaceAll("\n", "; ");
  }
  return error instanceof Error ? error.message : String(error);
}

/** What tells a NIC from every other, until the next boot. */
function identityOf(commands: NicCommands, settings: NicSettings): NicIdentity {
  const { interface: name, index, driver, bus, address } = settings;
  return { interface: name, namespace: commands.namespaceCookie, index, driver, bus, address };
}
