/**
 * What this kernel, this user and this machine can do: one answer for every lab.
 *
 * @module
 */
import { type Fact, showFacts } from "../../../ffi/kernel/inspection.ts";
import { probeGuest } from "./guest.ts";
import { probeLimits, probeUdmabuf } from "./limits.ts";
import { probeNamespaces, probeZcrx } from "./network.ts";
import { probePrograms, probeShim } from "./programs.ts";
import {
  type Answers,
  type Machine,
  no,
  type ProbeItem,
  type Requirement,
  REQUIREMENTS,
} from "./requirements.ts";
import { probeRing } from "./ring.ts";
import { has, read } from "./system_files.ts";

/** What this kernel, this user and this machine can do. */
export class Probe {
  /** The machine. */
  readonly machine: Machine;
  /** An answer for each of {@linkcode REQUIREMENTS}, in that order. */
  readonly items: readonly ProbeItem[];

  /**
   * Puts the answers together; {@linkcode probe} finds them.
   *
   * @param machine The machine.
   * @param items The answers.
   */
  constructor(machine: Machine, items: readonly ProbeItem[]) {
    this.machine = machine;
    this.items = items;
  }

  /**
   * The answer for one thing.
   *
   * @param name The thing.
   * @returns The answer.
   */
  item(name: Requirement): ProbeItem {
    const found = this.items.find((item) => item.name === name);
    if (found === undefined) throw new RangeError(`probe() knows nothing of ${name}`);
    return found;
  }

  /**
   * Those of the things that are not real here.
   *
   * @param names The things, such as what a lab needs.
   * @returns Their answers; empty when all is there.
   */
  missing(names: readonly Requirement[]): readonly ProbeItem[] {
    return names.map((name) => this.item(name)).filter(({ state }) => state !== "real");
  }

  static {
    showFacts(Probe, (shown) => shown.#facts(), (shown) => shown.#more());
  }

  #facts(): readonly Fact[] {
    const real = this.items.filter(({ state }) => state === "real").length;
    const { kernel, cpus, virtual } = this.machine;
    return [
      ["kernel", `Linux ${kernel}`, "bare"],
      ["processors", `${cpus} CPUs${virtual ? " (virtual)" : ""}`, "bare"],
      ["possible", `${real} of ${this.items.length} real here`, "bare"],
    ];
  }

  /** What only a table has room for. */
  #more(): readonly Fact[] {
    return this.items.map(({ name, state, why }) => [name, `${state}: ${why}`]);
  }
}

/**
 * Finds out what works here. Nothing is changed and nothing is left behind: rings are closed again,
 * and devices are made in a namespace that ends with the process that made them; only modules that the
 * kernel loads for them stay loaded. It takes a few
 * tens of milliseconds, and never throws: what cannot be found out is answered with the reason.
 *
 * @returns An answer for each of {@linkcode REQUIREMENTS}.
 *
 * @example
 * ```ts
 * import { probe } from "zclab";
 * import { assert } from "@std/assert";
 *
 * const here = await probe();
 * const sendZc = here.item("IORING_OP_SEND_ZC");
 * assert(sendZc.state === "real" || sendZc.why.length > 0);
 * ```
 */
export async function probe(): Promise<Probe> {
  const machine = describeMachine();
  const answers: Answers = new Map();
  probePrograms(answers);
  probeRing(answers);
  probeShim(answers);
  await probeNamespaces(answers, machine);
  probeLimits(answers, machine);
  probeZcrx(answers);
  probeUdmabuf(answers);
  probeGuest(answers, machine);
  return new Probe(
    machine,
    REQUIREMENTS.map((name) => ({ name, ...answers.get(name) ?? no("it was not found out") })),
  );
}

function describeMachine(): Machine {
  return {
    kernel: Deno.osRelease(),
    architecture: Deno.build.arch,
    cpus: navigator.hardwareConcurrency,
    virtual: /^flags\s*:.*\bhypervisor\b/m.test(read("/proc/cpuinfo") ?? ""),
    privileged: has("NET_ADMIN") && has("SYS_ADMIN"),
  };
}
