/**
 * What two runs depended on and do not have in common.
 *
 * @module
 */
import type { Environment, MachineRecord, ResourceLimit } from "../experiment/environment.ts";
import type { RunDocument } from "./run_document.ts";

/** One thing that two runs do not have in common. */
export interface RunDifference {
  /** What it is, such as `kernel` or `net.core.optmem_max`. */
  readonly name: string;
  /** What the first run had, for people. */
  readonly first: string;
  /** What the second run had. */
  readonly second: string;
}

/** What is compared of a run. */
export type RunSurroundings = Pick<RunDocument, "environment" | "code" | "parameters">;

const NONE = "–";

/** Memory that differs by no more than this part is the same: kernels keep some for themselves. */
const MEMORY_MARGIN = 0.05;

/**
 * Whether two runs were on the same machine, or on one like it: the same processors and as much
 * memory. A document does not name its machine, so two of a kind cannot be told apart.
 *
 * @param first The environment of one run.
 * @param second The environment of the other one.
 */
export function isSameMachine(first: Environment, second: Environment): boolean {
  const names = ["architecture", "cpuModel", "cpus", "smt", "virtualised"] as const;
  return names.every((name) => first.machine[name] === second.machine[name]) &&
    isSameMemory(first.machine, second.machine);
}

function isSameMemory(
  { memoryBytes: a }: MachineRecord,
  { memoryBytes: b }: MachineRecord,
): boolean {
  if (typeof a !== "number" || typeof b !== "number") return a === b;
  return Math.abs(a - b) <= MEMORY_MARGIN * Math.max(a, b);
}

/**
 * What two runs depended on and do not have in common: code, versions, kernel, machine, limits,
 * settings, and parameters. What cannot matter, such as the build of V8 inside Deno, is left out.
 *
 * @param first One run.
 * @param second The other one.
 * @returns The differences, what matters most first; empty if there are none.
 *
 * @example
 * ```ts
 * import { codeVersion, environment, runDifferences } from "zclab/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * const code = { ...codeVersion(), dirty: null };
 * const first = { environment: environment(), code, parameters: { payload: [600] } };
 * const second = { ...first, parameters: { payload: [600, 1500] } };
 * assertEquals(runDifferences(first, second), [
 *   { name: "payload", first: "600", second: "600, 1500" },
 * ]);
 * ```
 */
export function runDifferences(first: RunSurroundings, second: RunSurroundings): RunDifference[] {
  const [a, b] = [factsOf(first), factsOf(second)];
  const differences: RunDifference[] = [];
  for (const name of new Set([...a.keys(), ...b.keys()])) {
    const [one, other] = [a.get(name) ?? NONE, b.get(name) ?? NONE];
    const isChanged = name === LAB_FILE && one !== NONE && other !== NONE;
    // Of two changed working trees nobody knows whether the changes are the same.
    if (one !== other) {
      differences.push({ name, first: one, second: isChanged ? `${other} (changed)` : other });
    } else if (one.endsWith(CHANGED)) {
      differences.push({ name, first: one, second: `${other}, maybe others` });
    }
  }
  return differences.filter(({ name }) => {
    if (name === "memory") {
      return !isSameMemory(first.environment.machine, second.environment.machine);
    }
    if (name === LAB_FILE) return first.code.labFile?.sha256 !== second.code.labFile?.sha256;
    if (name === "load average") return isOtherLoad(first.environment, second.environment);
    return true;
  });
}

const CHANGED = " with changes";

const LAB_FILE = "lab file";

/** The capabilities that decide what zclab can do. */
const CAPABILITIES: readonly string[] = [
  "CAP_IPC_LOCK",
  "CAP_NET_ADMIN",
  "CAP_NET_RAW",
  "CAP_SYS_ADMIN",
  "CAP_SYS_NICE",
  "CAP_SYS_RESOURCE",
];

/** What is known of a run by name, as text, in the order of weight. */
function factsOf({ environment, code, parameters }: RunSurroundings): Map<string, string> {
  const { clock = "time", versions, kernel, machine, user, limits, sysctls, extra } = environment;
  const facts = new Map<string, string>();
  const add = (name: string, value: unknown): void => void facts.set(name, show(value));
  add("clock", clock);
  add("machine", machine.architecture);
  add("processor", machine.cpuModel);
  add("processors", machine.cpus);
  add("two threads a core", machine.smt);
  add("memory", typeof machine.memoryBytes === "number" ? bytes(machine.memoryBytes) : null);
  add("in a virtual machine", machine.virtualised);
  add("kernel", kernel.release);
  add("kernel's build", kernel.version);
  add("clears memory on allocation", kernel.clearsOnAllocation);
  const commit = code.commit === null ? "commit unknown" : code.commit.slice(0, 10);
  add("zclab", `${show(code.version)}, ${commit}${code.dirty === true ? CHANGED : ""}`);
  const { labFile } = code;
  add(LAB_FILE, labFile && `${labFile.name} ${labFile.sha256.slice(0, 10)}`);
  add("deno", versions.deno);
  add("liburing", versions.liburing);
  flatten("", parameters, add);
  add("processors allowed", machine.cpusAllowed);
  add("processors isolated", machine.cpusIsolated || null);
  add("frequency governor", machine.governor);
  add("clock source", kernel.clocksource);
  add("load average", machine.loadAverage?.[0]);
  add("user id", user.uid);
  for (const name of CAPABILITIES) add(name, user.capabilities?.includes(name));
  add("seccomp", user.seccomp);
  add("ulimit -l", limit(limits.memlockBytes, bytes));
  add("ulimit -n", limit(limits.openFiles, String));
  for (const [name, value] of Object.entries(sysctls)) add(name, value);
  for (const [name, state] of Object.entries(machine.mitigations ?? {})) add(name, state);
  flatten("", extra, add);
  return facts;
}

function isOtherLoad({ machine: a }: Environment, { machine: b }: Environment): boolean {
  const [one, other] = [a.loadAverage?.[0], b.loadAverage?.[0]];
  return typeof one === "number" && typeof other === "number" && Math.abs(one - other) >= 1;
}

/** Each value of a nested record under its path; lists of plain values are one value. */
function flatten(path: string, value: unknown, add: (name: string, value: unknown) => void): void {
  const isNested = typeof value === "object" && value !== null &&
    Object.values(value).some((item) => typeof item === "object" && item !== null);
  const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isNested && !isRecord) return add(path, value);
  for (const [name, item] of Object.entries(value as Record<string, unknown>)) {
    flatten(path === "" ? name : `${path}.${name}`, item, add);
  }
}

function show(value: unknown): string {
  if (value === null || value === undefined || value === "") return NONE;
  if (typeof value === "boolean") return value ? "yes" : "no";
  return Array.isArray(value) ? value.map(show).join(", ") || NONE : String(value);
}

/** What is enforced; null means unlimited, and no record at all that it is not known. */
function limit(record: ResourceLimit | null, format: (value: number) => string): string | null {
  if (record === null || typeof record !== "object") return null;
  return record.soft === null ? "unlimited" : format(record.soft);
}

function bytes(value: number): string {
  return value >= 2 ** 30
    ? `${(value / 2 ** 30).toFixed(1)} GiB`
    : `${Math.round(value / 1024)} KiB`;
}
