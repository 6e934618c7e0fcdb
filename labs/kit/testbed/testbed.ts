/**
 * Network namespaces and links that are made for one experiment and leave nothing behind.
 *
 * @module
 */
import { checkWhole } from "../../../ffi/kernel/arguments.ts";
import { ClosedError, UnsupportedError } from "../../../ffi/kernel/errors.ts";
import { CLOSED, type Fact, showFacts } from "../../../ffi/kernel/inspection.ts";
import { NetworkNamespace } from "../../../ffi/net/namespace.ts";
import { loadIfb } from "./ifb.ts";
import { type InterfaceSettings, readSettings } from "./interface_settings.ts";
import { CommandError, requirePrograms, runInNamespace } from "./namespace_command.ts";
import { End, FAR, hasIpv6, LOOPBACK, NEAR, type TestbedEnd } from "./testbed_end.ts";
import {
  configure,
  dropAtIngress,
  enableNapi,
  endLines,
  INTERFACE,
  link,
  setSysctl,
  waitForCarrier,
} from "./testbed_link.ts";

/** IPv6 asks for this much, and an IP packet has no more than that. */
const MTU = { least: 1280, most: 65535 } as const;

/** The MTU of `lo`, which the kernel sets and nobody here changes. */
const LOOPBACK_MTU = 65536;

/**
 * A slow machine acknowledges late. What is sent again only for that reason would be placed twice, so
 * nothing is sent again for want of an acknowledgement but after this time, in microseconds.
 */
const PATIENT_RTO = 3_000_000;

/** What the kernel lacks when it says this, and the module that has it. */
const MISSING: readonly (readonly [said: RegExp, feature: string, advice: string])[] = [
  [
    /Unknown device type|"type softnic"/,
    "This type of network device",
    "As root: modprobe veth; modprobe ifb numifbs=0; softnic is loaded in the guest: deno task vm -- COMMAND",
  ],
  [/qdisc kind is unknown/, "This queueing discipline", "As root: modprobe sch_ingress"],
  [/TC classifier not found/, "The BPF classifier", "As root: modprobe cls_bpf"],
];

/** The kinds of testbed. */
export type TestbedKind = "sink" | "pair" | "loopback" | "softnic";

/** Options of {@linkcode Testbed.sink}. */
export interface SinkOptions {
  /**
   * The MTU, from 1280 to 65535 bytes. With the default no datagram is fragmented.
   *
   * @default {65535}
   */
  readonly mtu?: number;
}

/** Options of {@linkcode Testbed.pair}. */
export interface PairOptions {
  /**
   * The MTU of both ends, from 1280 to 65535 bytes.
   *
   * @default {65535}
   */
  readonly mtu?: number;
  /**
   * Whether the far end drops what it receives before anybody reads it, and so without copying it.
   *
   * @default {false}
   */
  readonly dropAtFar?: boolean;
  /**
   * Whether sockets get a NAPI id, which busy polling needs: GRO on, TCP segmentation offload off,
   * at both ends. Needs ethtool.
   *
   * @default {false}
   */
  readonly napi?: boolean;
}

/** Options of {@linkcode Testbed.softnic}. */
export interface SoftnicOptions {
  /**
   * The MTU of both ends, from 1280 to 65535 bytes.
   *
   * @default {1500}
   */
  readonly mtu?: number;
  /**
   * Receive and transmit queues of each end, from 2 to 16.
   *
   * @default {4}
   */
  readonly queues?: number;
  /** Receive buffers that each queue of the far end posts in advance. Default: the driver's, 1024. */
  readonly descriptors?: number;
  /**
   * Whether the far end splits headers from data, which zero-copy receive needs.
   *
   * @default {true}
   */
  readonly headerSplit?: boolean;
}

/**
 * Network namespaces with a link, for one experiment. Root is not needed where user namespaces are
 * allowed. It is gone when it is closed, and with the process, however that ends: the namespaces have
 * no names, and their devices go with them. A socket that is still open keeps its namespace.
 *
 * @example What is sent into a sink goes nowhere
 * ```ts
 * import { Testbed } from "zclab";
 * import { assertEquals } from "@std/assert";
 *
 * await using bed = await Testbed.sink();
 * assertEquals(bed.far.address(9000), { host: "10.231.0.2", port: 9000 });
 * ```
 */
export class Testbed implements Disposable, AsyncDisposable {
  /** What kind of testbed it is. */
  readonly kind: TestbedKind;
  /** The end that experiments send from. */
  readonly near: TestbedEnd;
  /** The end that experiments send to. */
  readonly far: TestbedEnd;
  readonly #namespaces: readonly NetworkNamespace[];

  private constructor(
    kind: TestbedKind,
    near: TestbedEnd,
    far: TestbedEnd,
    namespaces: readonly NetworkNamespace[],
  ) {
    this.kind = kind;
    this.near = near;
    this.far = far;
    this.#namespaces = namespaces;
  }

  /**
   * A wire that leads nowhere: an ifb device, which drops what it is sent without copying it. Nobody
   * answers at the far end, so TCP cannot connect there.
   *
   * Where the kernel's module ifb is not loaded yet, root loads it without the two devices that it
   * brings, and it stays loaded. For another user the kernel loads it, and makes ifb0 and ifb1 in the
   * machine's own network, which stay, unless modprobe is configured otherwise (as it is by systemd 256
   * and later). Beforehand, as root: `modprobe ifb numifbs=0`.
   *
   * @throws {UnsupportedError} If the kernel, the user or a missing program does not allow it.
   * @throws {RangeError} If the MTU is out of range.
   */
  static async sink(options: SinkOptions = {}): Promise<Testbed> {
    const mtu = checkMtu(options.mtu);
    requirePrograms("nsenter", "ip", "tc");
    await loadIfb();
    return await build(1, async ([namespace]) => {
      await configure(namespace!, "ip", [
        `link add ${INTERFACE} mtu ${mtu} address ${NEAR.link} type ifb`,
        ...endLines(NEAR, FAR),
      ]);
      // A queue would hold the buffers that the device is there to let go of at once.
      await configure(namespace!, "tc", [`qdisc replace dev ${INTERFACE} root noqueue`]);
      const near = new End(namespace!, NEAR, INTERFACE, mtu);
      const far = new End(namespace!, FAR, INTERFACE, mtu);
      return new Testbed("sink", near, far, [namespace!]);
    });
  }

  /**
   * Two namespaces joined by a veth link. What a socket at the far end receives was always copied;
   * with `dropAtFar` nothing is received, and nothing copied.
   *
   * @throws {UnsupportedError} If the kernel, the user or a missing program does not allow it.
   * @throws {RangeError} If the MTU is out of range.
   */
  static async pair(options: PairOptions = {}): Promise<Testbed> {
    const mtu = checkMtu(options.mtu);
    requirePrograms("nsenter", "ip");
    if (options.dropAtFar) requirePrograms("tc");
    if (options.napi) requirePrograms("ethtool");
    return await build(2, async ([near, far]) => {
      await link(near!, far!, mtu);
      const further = [waitForCarrier(near!)];
      if (options.dropAtFar) further.push(dropAtIngress(far!));
      if (options.napi) further.push(enableNapi(near!), enableNapi(far!));
      await settle(further);
      return new Testbed(
        "pair",
        new End(near!, NEAR, INTERFACE, mtu),
        new End(far!, FAR, INTERFACE, mtu),
        [near!, far!],
      );
    });
  }

  /**
   * One namespace with nothing but `lo`: the control of an experiment, because what goes through a
   * loopback interface is always copied.
   *
   * @throws {UnsupportedError} If neither privileges nor user namespaces are to be had.
   */
  static async loopback(): Promise<Testbed> {
    return await build(1, ([namespace]) => {
      const end = new End(namespace!, LOOPBACK, "lo", LOOPBACK_MTU);
      return Promise.resolve(new Testbed("loopback", end, end, [namespace!]));
    });
  }

  /**
   * Two namespaces joined by softnic, a pair of NICs in software that can do zero-copy receive: the far
   * end splits headers from data, and its queue 0 takes all traffic but the flows that
   * {@linkcode Softnic.steer} leads to another queue.
   *
   * @throws {UnsupportedError} If softnic is not loaded, or ethtool is missing.
   * @throws {RangeError} If an option is out of range.
   */
  static async softnic(options: SoftnicOptions = {}): Promise<Testbed> {
    const mtu = checkMtu(options.mtu ?? 1500);
    const { queues = 4, descriptors, headerSplit = true } = options;
    checkWhole("queues", queues, 2, 16);
    requirePrograms("nsenter", "ip", "ethtool");
    return await build(2, async ([near, far]) => {
      const device = `mtu ${mtu} numrxqueues ${queues} numtxqueues ${queues}`;
      // Who counts frames counts these, too: they shall be over before the first is counted.
      for (const namespace of hasIpv6() ? [near!, far!] : []) {
        await setSysctl(namespace, { "ipv6/conf/default/mldv2_unsolicited_report_interval": 1 });
      }
      await configure(near!, "ip", [
        `link add ${INTERFACE} address ${NEAR.link} ${device} type softnic`,
        `link add link ${INTERFACE} name ${INTERFACE} address ${FAR.link} ${device} ` +
        "netns /proc/self/fd/3 type softnic",
        ...endLines(NEAR, FAR),
      ], { descriptor3: far! });
      const ethtool = async (...args: string[]): Promise<void> => {
        await runInNamespace(far!, "ethtool", [args[0]!, INTERFACE, ...args.slice(1)]);
      };
      if (headerSplit) await ethtool("-G", "tcp-data-split", "on");
      if (descriptors !== undefined) await ethtool("-G", "rx", String(descriptors));
      await ethtool("-X", "equal", "1");
      await configure(far!, "ip", endLines(FAR, NEAR));
      await setSysctl(near!, {
        "ipv4/tcp_early_retrans": 0,
        "ipv4/tcp_rto_min_us": PATIENT_RTO,
      });
      await waitForCarrier(near!);
      return new Testbed(
        "softnic",
        new End(near!, NEAR, INTERFACE, mtu),
        new End(far!, FAR, INTERFACE, mtu),
        [near!, far!],
      );
    });
  }

  /** Whether {@linkcode close} was called. */
  get closed(): boolean {
    return this.#namespaces.every((namespace) => namespace.closed);
  }

  /**
   * Reads what the interfaces are set to.
   *
   * @returns The near end's interface first, then the far end's, if that is another.
   * @throws {ClosedError} After {@linkcode close}.
   * @throws {UnsupportedError} If `ip` or `nsenter` is not installed.
   */
  async interfaceSettings(): Promise<InterfaceSettings[]> {
    if (this.closed) throw new ClosedError("Testbed");
    return await Promise.all(
      this.#namespaces.map((namespace) => readSettings(namespace, this.near.interface)),
    );
  }

  /** Lets go of the namespaces, and so of their devices. Closing it again does nothing. */
  close(): void {
    for (const namespace of this.#namespaces) namespace.close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  static {
    showFacts(Testbed, (shown) => shown.#facts(), (shown) => shown.#more());
  }

  #facts(): readonly Fact[] {
    if (this.closed) return CLOSED;
    const { interface: name, mtu } = this.near;
    return [["kind", this.kind, "bare"], ["interface", name, "bare"], ["mtu", mtu]];
  }

  /** What only a table has room for. */
  #more(): readonly Fact[] {
    if (this.closed) return [];
    return [
      ["near", this.near.address(0).host],
      ["far", this.far.address(0).host],
      ["namespaces", this.#namespaces.length],
    ];
  }
}

/** Makes namespaces and what belongs in them, or leaves neither. */
async function build(
  count: number,
  furnish: (namespaces: readonly NetworkNamespace[]) => Promise<Testbed>,
): Promise<Testbed> {
  const namespaces = NetworkNamespace.createMany(count);
  try {
    return await furnish(namespaces);
  } catch (error) {
    for (const namespace of namespaces) namespace.close();
    throw explain(error);
  }
}

function explain(error: unknown): unknown {
  if (!(error instanceof CommandError)) return error;
  const found = MISSING.find(([said]) => said.test(error.stderr));
  if (found === undefined) return error;
  const [, feature, advice] = found;
  return new UnsupportedError(`${feature} (${error.stderr})`, { advice });
}

/** Waits for all, also when one fails: nothing may still run in a namespace that we let go of. */
async function settle(work: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(work);
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

function checkMtu(mtu: number = MTU.most): number {
  checkWhole("mtu", mtu, MTU.least, MTU.most);
  return mtu;
}
