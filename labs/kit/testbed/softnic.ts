/**
 * The software NIC as an experiment sees it: its counters, where it placed data, and its wire.
 *
 * @module
 */
import { ClosedError, UnsupportedError } from "../../../ffi/kernel/errors.ts";
import { type Fact, showFacts } from "../../../ffi/kernel/inspection.ts";
import type { NetworkNamespace } from "../../../ffi/net/namespace.ts";
import { runInNamespace } from "./namespace_command.ts";

/** Where the driver shows its ports. */
const CONTROL = "/sys/kernel/debug/softnic";

/** A buffer into which the NIC placed data, as the driver saw it. */
export interface Placement {
  /** The receive queue. */
  readonly queue: number;
  /**
   * The DMA address at which the data begins. softnic's DMA addresses are physical addresses, so that
   * divided by 4096 it is the page frame number.
   */
  readonly address: number;
  /** How many bytes. */
  readonly length: number;
}

/** A flow that goes to one receive queue. */
export interface SteeredFlow {
  /** The destination port. */
  readonly port: number;
  /** The receive queue. */
  readonly queue: number;
  /**
   * 4 or 6.
   *
   * @default {4}
   */
  readonly family?: 4 | 6;
}

/** Where a port is. */
interface PortPlace {
  readonly namespace: NetworkNamespace;
  readonly interface: string;
}

/**
 * One port of softnic, the NIC in software: what only its driver knows.
 *
 * @example How many bytes did the NIC place into user memory?
 * ```ts ignore
 * import { Softnic, Testbed } from "zclab";
 *
 * await using bed = await Testbed.softnic();
 * const nic = await Softnic.of(bed.far);
 * console.log((await nic.counters()).rx1_user_bytes);
 * ```
 */
export class Softnic {
  /** The number of the port, unique as long as the module is loaded. */
  readonly port: number;
  /** The name of its interface. */
  readonly interface: string;
  readonly #namespace: NetworkNamespace;

  private constructor(place: PortPlace, port: number) {
    this.port = port;
    this.interface = place.interface;
    this.#namespace = place.namespace;
  }

  /**
   * Finds the port behind an interface.
   *
   * @param place The namespace and the name of the interface, such as an end of a testbed.
   * @throws {UnsupportedError} If the interface is no softnic, or debugfs is not mounted.
   */
  static async of(place: PortPlace): Promise<Softnic> {
    const text = await runInNamespace(place.namespace, "ethtool", ["-i", place.interface]);
    const port = /^bus-info: softnic:(\d+)$/m.exec(text)?.[1];
    if (port === undefined) {
      throw new UnsupportedError(`${place.interface} as a softnic`, {
        advice: "Its driver is another one: use an end of Testbed.softnic()",
      });
    }
    const softnic = new Softnic(place, Number(port));
    try {
      Deno.statSync(softnic.#file("placements"));
    } catch (error) {
      throw new UnsupportedError(`${CONTROL} (${(error as Error).message})`, {
        advice: "As root: mount -t debugfs debugfs /sys/kernel/debug",
      });
    }
    return softnic;
  }

  /**
   * Reads the driver's counters, as `ethtool -S` gives them: such as `rx1_user_bytes`, the bytes that
   * queue 1 placed into user memory.
   *
   * @returns Counter by name.
   * @throws {ClosedError} If the testbed was closed.
   */
  async counters(): Promise<Record<string, number>> {
    this.#ensureOpen();
    const text = await runInNamespace(this.#namespace, "ethtool", ["-S", this.interface]);
    const counters: Record<string, number> = {};
    for (const [, name, value] of text.matchAll(/^\s*(\w+): (\d+)$/gm)) {
      counters[name!] = Number(value);
    }
    return counters;
  }

  /**
   * Where the NIC placed data, oldest first: the last 16384 buffers at most, since
   * {@linkcode clearPlacements}.
   *
   * @returns The buffers in user memory, in the order in which they were filled.
   */
  async placements(): Promise<Placement[]> {
    const text = await Deno.readTextFile(this.#file("placements"));
    return text.split("\n").filter((line) => line !== "").map((line) => {
      const [queue, address, length] = line.split(" ");
      return {
        queue: Number(queue),
        address: Number.parseInt(address!, 16),
        length: Number(length),
      };
    });
  }

  /** Forgets where data was placed so far. */
  async clearPlacements(): Promise<void> {
    await this.#write("placements", 0);
  }

  /**
   * Sets how long a frame takes to arrive at this port.
   *
   * @param microseconds The one-way delay.
   */
  async setDelay(microseconds: number): Promise<void> {
    await this.#write("delay_us", microseconds);
  }

  /**
   * Sets how many of the frames to this port get lost on the wire, by chance.
   *
   * @param perMillion Of a million frames.
   * @param seed With the same seed the same frames get lost.
   */
  async setLoss(perMillion: number, seed?: number): Promise<void> {
    if (seed !== undefined) await this.#write("seed", seed);
    await this.#write("loss_ppm", perMillion);
  }

  /**
   * Chooses the CPU that takes a receive queue's interrupts, and so does the work of NAPI for it.
   *
   * @param queue The queue.
   * @param cpu The CPU; undefined for the one that transmits.
   */
  async setInterruptCpu(queue: number, cpu: number | undefined): Promise<void> {
    await this.#write(`queue${queue}/cpu`, cpu ?? -1);
  }

  /**
   * Steers a TCP flow to a receive queue, with a rule of the NIC's flow steering (ntuple).
   *
   * @param flow The flow, and the queue.
   */
  async steer({ port, queue, family = 4 }: SteeredFlow): Promise<void> {
    this.#ensureOpen();
    await runInNamespace(this.#namespace, "ethtool", [
      "-N",
      this.interface,
      ...["flow-type", `tcp${family}`, "dst-port", String(port), "action", String(queue)],
    ]);
  }

  #file(name: string): string {
    return `${CONTROL}/${this.port}/${name}`;
  }

  async #write(name: string, value: number): Promise<void> {
    this.#ensureOpen();
    if (!Number.isInteger(value)) throw new RangeError(`${name} is an integer, got ${value}`);
    // Opened for writing alone: a file of the kernel's is neither made nor cut.
    await Deno.writeTextFile(this.#file(name), `${value}\n`, { create: false });
  }

  #ensureOpen(): void {
    if (this.#namespace.closed) throw new ClosedError("Softnic");
  }

  static {
    showFacts(Softnic, (shown) => shown.#facts());
  }

  #facts(): readonly Fact[] {
    return [
      ["port", `port ${this.port}`, "bare"],
      ["interface", this.interface, "bare"],
      ["state", this.#namespace.closed ? "closed" : undefined, "bare"],
    ];
  }
}
