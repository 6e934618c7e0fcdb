/**
 * A plan that is in effect.
 *
 * @module
 */
import { type Fact, showFacts } from "../../../ffi/kernel/inspection.ts";
import { describeFlow } from "./flow.ts";
import type { NicJournal } from "./journal.ts";
import type { NicPlan } from "./plan.ts";
import type { NicRestored, OnNicCommand } from "./restore.ts";

/** Sets back what a journal has. */
export type Restore = (journal: NicJournal, onCommand?: OnNicCommand) => Promise<NicRestored[]>;

/** A plan that is in effect, until it is restored. */
export class AppliedNicPlan implements AsyncDisposable {
  /** The plan. */
  readonly plan: NicPlan;
  /** The number of the rule that steers the flow, if one was added. */
  readonly rule: number | undefined;
  #journal: NicJournal | undefined;
  readonly #restore: Restore;

  /**
   * {@linkcode Nic.apply} makes it.
   *
   * @param plan The plan.
   * @param rule The number of the rule, if one was added.
   * @param journal What was changed; undefined if nothing was.
   * @param restore Sets it back.
   */
  constructor(
    plan: NicPlan,
    rule: number | undefined,
    journal: NicJournal | undefined,
    restore: Restore,
  ) {
    this.plan = plan;
    this.rule = rule;
    this.#journal = journal;
    this.#restore = restore;
  }

  /** The name of the interface. */
  get interface(): string {
    return this.plan.interface;
  }

  /** The queue for zero copy. */
  get queue(): number {
    return this.plan.queue;
  }

  /** Whether there is nothing to restore: it was restored, or kept, or nothing had to change. */
  get closed(): boolean {
    return this.#journal === undefined;
  }

  /**
   * Sets everything back to what it was, the last step first, and goes on after a step that fails.
   * Restoring again does nothing.
   *
   * @returns What became of each step.
   * @throws {NicRestoreError} If something could not be set back; `deno task nic restore` tries again.
   */
  async restore(options: { readonly onCommand?: OnNicCommand } = {}): Promise<NicRestored[]> {
    const journal = this.#journal;
    if (journal === undefined) return [];
    this.#journal = undefined;
    return await this.#restore(journal, options.onCommand);
  }

  /** Leaves the settings as they are, until `deno task nic restore` sets them back. */
  keep(): void {
    this.#journal?.keep();
    this.#journal = undefined;
  }

  /** The same as {@linkcode restore}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.restore();
  }

  static {
    showFacts(AppliedNicPlan, (shown) => shown.#facts());
  }

  #facts(): readonly Fact[] {
    return [
      ["interface", this.interface, "bare"],
      ["queue", this.queue],
      ["flow", describeFlow(this.plan.flow), "bare"],
      ["rule", this.rule],
      ["state", this.closed ? "nothing to restore" : undefined, "bare"],
    ];
  }
}
