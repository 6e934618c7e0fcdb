/**
 * Sets a NIC back to what it was, from the journal of what was changed.
 *
 * @module
 */
import { ExplainedError } from "../../../ffi/kernel/errors.ts";
import { CommandError } from "../testbed/namespace_command.ts";
import type { NicCommands } from "./commands.ts";
import { isRuleFor } from "./flow.ts";
import { indirectionArgs, showIndirection } from "./indirection.ts";
import type { NicChange, NicIdentity, NicJournal } from "./journal.ts";
import { headerSplitArgs, type NicBefore, showCommand } from "./plan.ts";
import { type NicSettings, readIndirection, readNicSettings } from "./settings.ts";

/** What became of one step. */
export interface NicRestored {
  /** What the step was for. */
  readonly title: string;
  /**
   * `restored`: it was set back. `unchanged`: it was as before already. `gone`: the interface is no
   * more, and its settings went with it. `failed`: it could not be set back.
   */
  readonly outcome: "restored" | "unchanged" | "gone" | "failed";
  /** The command that set it back, if one ran. */
  readonly command?: string;
  /** Why it failed. */
  readonly error?: string;
}

/** Not everything on a NIC could be set back; the rest was. */
export class NicRestoreError extends ExplainedError {
  /** The name of the class. */
  override readonly name = "NicRestoreError";
  /** What became of every step, in the order in which they were undone. */
  readonly report: readonly NicRestored[];

  /**
   * Says what failed.
   *
   * @param name The interface.
   * @param report What became of every step.
   * @param journal The file that still has what is left to do.
   */
  constructor(name: string, report: readonly NicRestored[], journal: string) {
    const failed = report.filter(({ outcome }) => outcome === "failed");
    super(
      `${name} could not be set back entirely (${failed.length} of ${report.length} steps failed):\n` +
        failed.map(({ title, error }) => `  ${title}: ${error}`).join("\n") +
        `\nWhat to do: deno task nic restore ${name}, which tries again. If you have set it back ` +
        `yourself, remove ${journal}`,
    );
    this.report = report;
  }
}

/** Called with each command before it runs. */
export type OnNicCommand = (command: string) => void;

/**
 * Undoes what a journal has, the last step first, and goes on after a step that fails. What is as it
 * was already is left alone, so that it may run any number of times. When all is done the journal is
 * removed; otherwise it keeps what is left.
 *
 * @param commands Where the NIC is.
 * @param journal The journal.
 * @param onCommand Called with each command before it runs.
 * @returns What became of every step, in the order in which they were undone.
 * @throws {NicRestoreError} If a step could not be undone.
 */
export async function restoreNic(
  commands: NicCommands,
  journal: NicJournal,
  onCommand: OnNicCommand = () => {},
): Promise<NicRestored[]> {
  const changes = journal.changes.toReversed();
  if (journal.pid !== Deno.pid && changes.length > 0) await outliveOrphan(changes[0]!.command);
  const name = await currentName(commands, journal.identity);
  if (name === undefined) {
    journal.remove();
    return changes.map(({ title }) => ({ title, outcome: "gone" }));
  }
  const run = async (args: readonly string[]): Promise<string> => {
    const command = showCommand(args);
    onCommand(command);
    await commands.ethtool(...args);
    return command;
  };
  const undoing = { commands, name, run, onCommand, now: await orUnknown(commands, name) };
  const report: NicRestored[] = [];
  for (const change of changes) report.push(await undo(change, undoing));
  // With other channels a driver has another default table: only now can it be what it was.
  const spreading = changes.findLast(({ before }) => before.kind === "RSS");
  if (spreading !== undefined && report.every(({ outcome }) => outcome !== "failed")) {
    const again = await undo(spreading, undoing, true);
    if (again.outcome !== "unchanged") report.push(again);
  }
  const failed = new Set(
    report.filter(({ outcome }) => outcome === "failed").map(({ title }) => title),
  );
  for (const { number, title } of changes) if (!failed.has(title)) journal.noteUndone(number);
  if (failed.size > 0) {
    journal.close();
    throw new NicRestoreError(name, report, journal.path);
  }
  journal.remove();
  return report;
}

/** How often it is looked whether a command still runs, and how many milliseconds lie between. */
const ORPHAN_LOOKS = 20;
const ORPHAN_PAUSE = 100;

/**
 * Waits for a command that its killed parent has left running: what it changes after we have looked
 * would stay. One that hangs is not waited for.
 */
async function outliveOrphan(command: string): Promise<void> {
  const words = command.slice(command.indexOf(" ") + 1);
  for (let look = 0; look < ORPHAN_LOOKS && isRunning(words); look++) {
    await new Promise((resolve) => setTimeout(resolve, ORPHAN_PAUSE));
  }
}

/** Whether there is a process with these words in its command line, quoted for a shell or not. */
function isRunning(words: string): boolean {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === Deno.pid) continue;
    try {
      const line = Deno.readTextFileSync(`/proc/${name}/cmdline`);
      if (line.replaceAll("\0", " ").replaceAll("'", "").includes(words)) return true;
    } catch {
      // It ended meanwhile.
    }
  }
  return false;
}

/** What the interface is called now; undefined if it is no more. */
async function currentName(
  commands: NicCommands,
  identity: NicIdentity,
): Promise<string | undefined> {
  const links = await commands.links();
  if (commands.namespaceCookie === identity.namespace) {
    return links.find(({ ifindex }) => ifindex === identity.index)?.ifname;
  }
  return links.find(({ permaddr, address }) => (permaddr ?? address) === identity.address)?.ifname;
}

/** What cannot be read is set back all the same. */
async function orUnknown(commands: NicCommands, name: string): Promise<NicSettings | undefined> {
  try {
    return await readNicSettings(commands, name);
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

interface Undoing {
  readonly commands: NicCommands;
  readonly name: string;
  readonly run: (args: readonly string[]) => Promise<string>;
  readonly onCommand: OnNicCommand;
  /** What the NIC was set to when restoring began; undefined if that cannot be read. */
  readonly now: NicSettings | undefined;
}

async function undo(change: NicChange, undoing: Undoing, exactly = false): Promise<NicRestored> {
  const { title, before, rule } = change;
  try {
    const command = await setBack(before, rule, undoing, exactly);
    return command === undefined
      ? { title, outcome: "unchanged" }
      : { title, outcome: "restored", command };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const reason = error instanceof CommandError ? error.stderr : error.message;
    return { title, outcome: "failed", error: reason === "" ? error.message : reason };
  }
}

/** Sets one thing back, and returns the command, or undefined if it was so already. */
async function setBack(
  before: NicBefore,
  rule: number | undefined,
  { commands, name, run, onCommand, now }: Undoing,
  exactly: boolean,
): Promise<string | undefined> {
  switch (before.kind) {
    case "channels": {
      const { combined, receive } = now?.channels ?? {};
      const count = before.name === "combined" ? combined?.current : receive?.current;
      if (count === before.count) return undefined;
      return await run(["-L", name, before.name, String(before.count)]);
    }
    case "header split": {
      const isSame = now?.headerSplit !== undefined &&
        (now.headerSplit.state ?? "auto") === before.state &&
        (before.threshold === undefined || now.headerSplit.threshold === before.threshold);
      return isSame ? undefined : await run(headerSplitArgs(name, before));
    }
    case "steering":
      if (now?.steering.on === before.on) return undefined;
      return await run(["-K", name, "ntuple", before.on ? "on" : "off"]);
    case "RSS":
      return await setTableBack(before.table, before.queues, exactly);
    case "rule":
      return await deleteRule(before, rule);
  }

  async function setTableBack(
    table: readonly number[],
    queues: number,
    exactly: boolean,
  ): Promise<string | undefined> {
    if (isSameTable(await readIndirection(commands, name), table)) return undefined;
    const args = indirectionArgs(name, table, queues);
    if (args !== undefined) {
      const command = await run(args);
      // The default of a driver need not be the kernel's, nor its own with other channels.
      const isEnough = isSameTable(await readIndirection(commands, name), table) ||
        args.at(-1) === "default" && !exactly;
      if (isEnough) return command;
    }
    const command = showIndirection(name, table);
    onCommand(command);
    commands.setIndirection(name, table);
    const now = await readIndirection(commands, name);
    if (isSameTable(now, table)) return command;
    throw new Error(`the table is [${now?.join(" ")}] and not [${table.join(" ")}]`);
  }

  async function deleteRule(
    { ids, flow, queue }: Extract<NicBefore, { kind: "rule" }>,
    id: number | undefined,
  ): Promise<string | undefined> {
    const rules = now?.rules;
    if (rules === undefined && id !== undefined) {
      return await run(["-N", name, "delete", String(id)]);
    }
    const candidates = (rules ?? []).filter((rule) =>
      id === undefined
        ? isRuleFor(rule, flow) && rule.queue === queue && !ids.includes(rule.id)
        // Somebody else may have got the number after ours was deleted.
        : rule.id === id &&
          (rule.destinationPort ?? flow.destinationPort) === flow.destinationPort &&
          (rule.queue ?? queue) === queue
    );
    if (candidates.length === 0) return undefined;
    if (candidates.length > 1) {
      const numbers = candidates.map(({ id }) => id).join(", ");
      throw new Error(`which of the rules ${numbers} is ours is not known: delete it by hand`);
    }
    return await run(["-N", name, "delete", String(candidates[0]!.id)]);
  }
}

function isSameTable(now: readonly number[] | undefined, table: readonly number[]): boolean {
  return now?.length === table.length && now.every((queue, index) => queue === table[index]);
}
