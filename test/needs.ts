/**
 * Tests that say what they need: {@linkcode test} skips one that lacks something, and its name then
 * says what. What every test may take for granted is what `deno task test` makes sure of: a kernel
 * with io_uring and namespaces, and the programs in `TEST_COMPONENTS`.
 *
 * @module
 */
import { statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { kernelIsAtLeast } from "../ffi/kernel/errors.ts";
import { GUEST_KERNEL, IN_GUEST } from "../labs/kit/probe/guest.ts";
import { Probe, probe } from "../labs/kit/probe/probe.ts";
import type { ProbeItem, Requirement } from "../labs/kit/probe/requirements.ts";
import {
  type Component,
  findProgram,
  GUEST_COMPONENTS,
  isObtainable,
  missingComponents,
} from "../labs/kit/terminal/setup.ts";
import { guestObstacle } from "../vm/build.ts";

/** A thing that a test can need. */
export type Need =
  /** What probe() knows, by its name there. */
  | Requirement
  /** To be root: to become other users, to own what belongs to them. */
  | "root"
  /** To administer this machine: CAP_NET_ADMIN and CAP_SYS_ADMIN outside of any user namespace. */
  | "privileges"
  /** A temporary directory that is on a disk, and not in memory as a tmpfs is. */
  | "disk"
  /** A version of Linux, or a later one, for what has no name of its own in probe(). */
  | { readonly kernel: string }
  /** A version of Linux from before something came. */
  | { readonly before: string }
  /** That something is missing, because how that is told is what is tested. */
  | { readonly without: Requirement | "root" }
  /** So many bytes that may be registered at a time, in all that runs as this user. */
  | { readonly memlock: number }
  /** A program that zclab does not use by itself. */
  | { readonly program: string }
  /** A program or library that zclab uses for some things only. */
  | { readonly component: Component }
  /** What only the file of the test can find out. */
  | Finding;

/** What was found out of this machine. */
export interface Finding {
  /** What is needed, as in "needs NAME". */
  readonly name: string;
  /** Whether it is here. */
  readonly here: boolean;
  /** Why it is not here, if there is more to say. */
  readonly why?: string;
  /** Whether the guest has it. */
  readonly inGuest?: boolean;
}

/** What the kernel lets each user lock, unless somebody has changed it. */
export const USUAL_MEMLOCK: Need = { memlock: 8 << 20 };

/** Something that a test needs and that is not here. */
export interface Lack {
  /** What it is. */
  readonly name: string;
  /** Why it is not here; empty if there is no more to say. */
  readonly why: string;
  /** Who has it: the guest, one with the microscope, or packages that root would install. */
  readonly obtain?: "guest" | "microscope" | readonly Component[];
}

/** How a test is run. */
export interface TestOptions {
  /** What it needs. */
  readonly needs?: readonly Need[];
}

type Run = (context: Deno.TestContext) => void | Promise<void>;

/** Registers tests; see {@linkcode test}. */
export interface Register {
  /** One that runs everywhere, as far as its register knows. */
  (name: string, run: Run): void;
  /** One that may need more. */
  (name: string, options: TestOptions, run: Run): void;
}

/** Under this, what is given to `Deno.test` says what the test is called, and what is missing. */
export const DECLARED = Symbol("zclab.test");

/** What a test says of itself. */
export interface Declared {
  /** Its name, without what is missing. */
  readonly name: string;
  /** What is missing. */
  readonly lacks: readonly Lack[];
}

/**
 * Registers a test.
 *
 * @param name Its name.
 * @param options What it needs.
 * @param run The test. It is skipped, and its name says why, where something of that is missing.
 */
export const test: Register = testsNeeding();

/**
 * What registers tests that all need something.
 *
 * @param common What they need, each of them.
 * @returns As {@linkcode test}.
 */
export function testsNeeding(...common: readonly Need[]): Register {
  return (name: string, ...[first, second]: [Run] | [TestOptions, Run]): void => {
    const [{ needs = [] }, run] = second === undefined ? [{}, first as Run] : [
      first as TestOptions,
      second,
    ];
    const lacks = missing([...common, ...needs]);
    const definition = {
      name: lacks.length === 0
        ? name
        : `${name}: needs ${lacks.map(({ name }) => name).join(", ")}`,
      ignore: lacks.length > 0,
      fn: run,
      [DECLARED]: { name, lacks } satisfies Declared,
    };
    Deno.test(definition);
  };
}

/**
 * Those of the things that are not here.
 *
 * @param needs The things.
 * @returns What is missing, each thing once.
 */
export function missing(needs: readonly Need[]): readonly Lack[] {
  const lacks = needs.map(lackOf).filter((lack) => lack !== undefined);
  return [...new Map(lacks.map((lack) => [lack.name, lack])).values()];
}

function lackOf(need: Need): Lack | undefined {
  if (typeof need === "string") return lackOfNamed(need);
  if ("kernel" in need) {
    if (kernelIsAtLeast(need.kernel)) return undefined;
    return inGuest(`Linux ${need.kernel}`, kernelIsAtLeast(need.kernel, GUEST_KERNEL));
  }
  if ("before" in need) {
    return kernelIsAtLeast(need.before)
      ? { name: `Linux before ${need.before}`, why: "" }
      : undefined;
  }
  if ("without" in need) {
    const isMissing = missing([need.without]).length > 0;
    return isMissing ? undefined : { name: `a machine or user without ${need.without}`, why: "" };
  }
  if ("memlock" in need) return lackOfMemlock(need.memlock);
  if ("program" in need) {
    return findProgram(need.program) === undefined ? { name: need.program, why: "" } : undefined;
  }
  if ("component" in need) return lackOfComponent(need.component);
  return need.here ? undefined : inGuest(need.name, need.inGuest === true, need.why);
}

function lackOfNamed(name: Requirement | "root" | "privileges" | "disk"): Lack | undefined {
  switch (name) {
    case "root":
      return Deno.uid() === 0 ? undefined : { name, why: "" };
    case "privileges":
      return HERE.machine.privileged ? undefined : { name, why: "run as root" };
    case "disk":
      return isInMemory(tmpdir())
        ? { name: "a temporary directory on a disk (TMPDIR)", why: "" }
        : undefined;
    case "guest":
      return lackOfGuest();
    default:
      return lackOfItem(HERE.item(name));
  }
}

function lackOfItem({ name, state, why }: ProbeItem): Lack | undefined {
  if (state === "real") return undefined;
  if (state === "guest") {
    return { name, why, obtain: name === "microscope" ? "microscope" : "guest" };
  }
  const has = IN_GUEST.includes(name);
  return { name, why: has ? `${why}; ${whyNoGuest()}` : why };
}

/** A thing that is not here, and that the guest may have. */
function inGuest(name: string, has: boolean, why = ""): Lack {
  if (!has) return { name, why };
  // Where the guest is possible, it has softnic, which nobody else has.
  if (HERE.item("softnic").state === "guest") return { name, why, obtain: "guest" };
  return { name, why: [why, whyNoGuest()].filter((part) => part !== "").join("; ") };
}

function whyNoGuest(): string {
  return `the guest has it, but is not possible here: ${HERE.item("guest").why}`;
}

/** A guest for those tests that start one: there, or at least possible. */
function lackOfGuest(): Lack | undefined {
  const obstacle = guestObstacle();
  if (obstacle !== undefined) return { name: "guest", why: obstacle };
  const components = missingComponents(GUEST_COMPONENTS);
  if (components.length === 0) return undefined;
  return lackOfComponents("guest", components);
}

function lackOfComponent(component: Component): Lack | undefined {
  const components = missingComponents([component]);
  return components.length === 0 ? undefined : lackOfComponents(component, components);
}

function lackOfComponents(name: string, components: readonly Component[]): Lack {
  const why = `not installed: ${components.join(", ")}`;
  return isObtainable(components) ? { name, why, obtain: components } : { name, why };
}

/** The number of a tmpfs in `statfs(2)`. */
const TMPFS_MAGIC = 0x0102_1994;

function isInMemory(path: string): boolean {
  return statfsSync(path).type === TMPFS_MAGIC;
}

const CAP_IPC_LOCK = 14;

function lackOfMemlock(bytes: number): Lack | undefined {
  const status = Deno.readTextFileSync("/proc/self/status");
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)![1]}`);
  if (((effective >> BigInt(CAP_IPC_LOCK)) & 1n) === 1n) return undefined;
  const limits = Deno.readTextFileSync("/proc/self/limits");
  const soft = Number(/^Max locked memory\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
  if (soft >= bytes) return undefined;
  const name = `${bytes / 1024} KiB of locked memory`;
  return { name, why: `ulimit -l is ${soft / 1024}` };
}

/** Keeps what this process has found out: all modules of tests share its environment, and no more. */
const FOUND = "ZCLAB_TEST_FOUND";

/** What this machine can do: asked once in a process, and not by each of a hundred modules. */
async function findOut(): Promise<Probe> {
  const found: unknown = JSON.parse(Deno.env.get(FOUND) ?? "{}");
  const { pid, machine, items } = found as Partial<Probe> & { readonly pid?: number };
  // A child inherits the environment, but may be another user or in another namespace.
  if (pid === Deno.pid && machine !== undefined && items !== undefined) {
    return new Probe(machine, items);
  }
  const here = await probe();
  Deno.env.set(FOUND, JSON.stringify({ pid: Deno.pid, machine: here.machine, items: here.items }));
  return here;
}

/** Tests are registered, or not, while modules are loaded: then it must be known. */
const HERE = await findOut();
