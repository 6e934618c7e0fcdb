/**
 * Links for TCP streams: their ends, the NIC of the receiving one, and connections with buffers of a
 * known size.
 *
 * @module
 */
import type { Area } from "../../../ffi/memory/area.ts";
import { Socket } from "../../../ffi/net/socket.ts";
import { Ring } from "../../../ffi/ring/ring.ts";
import { ZcrxReceiver } from "../../../ffi/zcrx/receiver.ts";
import { Softnic } from "./softnic.ts";
import type { InterfaceSettings } from "./interface_settings.ts";
import { Testbed } from "./testbed.ts";

/** The port that streams go to. */
const PORT = 9000;
/** The receive queue that the port is steered to; queue 0 has everything else. */
const QUEUE = 1;

/** How to make a {@linkcode StreamLink}. */
export type StreamLinkOptions =
  | {
    /** One namespace, whose `lo` leads back to it. */
    readonly kind: "loopback";
  }
  | {
    /** A veth pair. */
    readonly kind: "veth";
    /** The MTU of both ends. */
    readonly mtu: number;
  }
  | {
    /** A pair of software NICs, in the guest. */
    readonly kind: "softnic";
    /** The MTU of both ends. */
    readonly mtu: number;
    /**
     * Receive buffers that each queue of the far end posts in advance.
     *
     * @default {the driver's, 1024}
     */
    readonly descriptors?: number;
  };

/** Sizes of a connection's buffers. */
export interface ConnectionOptions {
  /**
   * Bytes on their way at most (SO_SNDBUF of the near end).
   *
   * @default {the kernel's}
   */
  readonly sendBuffer?: number;
  /**
   * Bytes in the receiver's queue at most (SO_RCVBUF of the far end).
   *
   * @default {the kernel's}
   */
  readonly receiveBuffer?: number;
}

/** Both ends of a TCP connection; disposing of it closes them. */
export interface StreamConnection extends Disposable {
  /** The end that sends. */
  readonly near: Socket;
  /** The end that receives. */
  readonly far: Socket;
}

/**
 * A link for TCP streams from its near to its far end. On softnic they come in through a receive queue
 * of their own, so that its memory can be replaced.
 *
 * @example
 * ```ts
 * import { Area, Ring } from "zclab";
 * import { StreamLink } from "zclab/lab";
 * import { assertEquals } from "@std/assert";
 *
 * await using link = await StreamLink.open({ kind: "loopback" });
 * using wire = await link.connect({ receiveBuffer: 64 << 10 });
 * await using ring = Ring.open();
 * using area = Area.map({ bytes: 4096 });
 * await ring.send(wire.near, area.slice(0, 100));
 * assertEquals(await ring.recv(wire.far, area.slice(100, 100)), 100);
 * ```
 */
export class StreamLink implements AsyncDisposable {
  /** The ends. */
  readonly bed: Testbed;
  /** The NIC of the far end, and that of the near end; undefined but on softnic. */
  readonly nic: { readonly far: Softnic; readonly near: Softnic } | undefined;
  /** The receive queue of the far end through which streams come. */
  readonly queue: number = QUEUE;

  private constructor(bed: Testbed, nic: StreamLink["nic"]) {
    this.bed = bed;
    this.nic = nic;
  }

  /**
   * Makes a link, which is up when this resolves.
   *
   * @param options What link.
   * @throws {UnsupportedError} If this kernel or user cannot have it.
   */
  static async open(options: StreamLinkOptions): Promise<StreamLink> {
    await using stack = new AsyncDisposableStack();
    const bed = stack.use(await bedOf(options));
    const nic = options.kind === "softnic"
      ? { far: await Softnic.of(bed.far), near: await Softnic.of(bed.near) }
      : undefined;
    await nic?.far.steer({ port: PORT, queue: QUEUE });
    stack.move();
    return new StreamLink(bed, nic);
  }

  /**
   * Connects the two ends.
   *
   * @param options Sizes of buffers.
   * @throws {UringError} If the kernel refuses.
   */
  async connect(options: ConnectionOptions = {}): Promise<StreamConnection> {
    const { sendBuffer, receiveBuffer } = options;
    const address = this.bed.far.address(PORT);
    using stack = new DisposableStack();
    using listener = Socket.tcp(this.bed.far).setOption("SO_REUSEADDR", true);
    // What a connection inherits must be set before it listens.
    if (receiveBuffer !== undefined) listener.setOption("SO_RCVBUF", receiveBuffer);
    listener.bind(address).listen(1);
    const near = stack.use(Socket.tcp(this.bed.near));
    if (sendBuffer !== undefined) near.setOption("SO_SNDBUF", sendBuffer);
    near.connectBlocking(address);
    await using ring = Ring.open({ entries: 4 });
    const far = stack.use(await ring.accept(listener));
    const held = stack.move();
    return { near, far, [Symbol.dispose]: () => held.dispose() };
  }

  /**
   * Opens a zero-copy receiver: on the queue of the streams, or without a device where the link has no
   * NIC or `device` is `"none"`, where the kernel copies.
   *
   * @param ring The ring, with large completions.
   * @param options The memory; `bufferBytes` of more than 4096 asks for larger buffers of the NIC.
   * @throws {UnsupportedError} If this kernel has no zero-copy receive.
   */
  openReceiver(
    ring: Ring,
    options: {
      readonly area: Area;
      readonly device?: "none" | "softnic";
      readonly bufferBytes?: number;
    },
  ): ZcrxReceiver {
    const { area, device, bufferBytes = 4096 } = options;
    if (this.nic === undefined || device === "none") {
      return ZcrxReceiver.withoutDevice(ring, { area });
    }
    return ZcrxReceiver.open(ring, {
      area,
      interface: this.bed.far.interface,
      queue: this.queue,
      place: this.bed.far,
      ...(bufferBytes > 4096 ? { bufferBytes } : {}),
    });
  }

  /**
   * Chooses the processor that takes the interrupts of the streams' queue. Without a NIC the sender's
   * does it.
   *
   * @param cpu The processor.
   */
  async interruptOn(cpu: number): Promise<void> {
    await this.nic?.far.setInterruptCpu(this.queue, cpu);
  }

  /** Takes the link down. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.bed[Symbol.asyncDispose]();
  }
}

function bedOf(options: StreamLinkOptions): Promise<Testbed> {
  switch (options.kind) {
    case "loopback":
      return Testbed.loopback();
    case "veth":
      return Testbed.pair({ mtu: options.mtu });
    case "softnic": {
      const { kind: _, ...softnic } = options;
      return Testbed.softnic(softnic);
    }
  }
}

/** A link for each MTU, kept for all trials: making one takes longer than a trial. */
export class StreamLinks implements AsyncDisposable {
  /** What they are. */
  readonly kind: "softnic" | "veth";
  readonly #links: ReadonlyMap<number, StreamLink>;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    kind: "softnic" | "veth",
    links: ReadonlyMap<number, StreamLink>,
    stack: AsyncDisposableStack,
  ) {
    this.kind = kind;
    this.#links = links;
    this.#stack = stack;
  }

  /**
   * Makes them.
   *
   * @param options Which kind, and which MTUs; one that is there twice has one link.
   * @throws {UnsupportedError} If this kernel or user cannot have them.
   */
  static async open(
    { kind, mtus }: { readonly kind: "softnic" | "veth"; readonly mtus: readonly number[] },
  ): Promise<StreamLinks> {
    await using stack = new AsyncDisposableStack();
    const links = new Map<number, StreamLink>();
    for (const mtu of new Set(mtus)) {
      links.set(mtu, stack.use(await StreamLink.open({ kind, mtu })));
    }
    return new StreamLinks(kind, links, stack.move());
  }

  /**
   * The link with an MTU.
   *
   * @param mtu The MTU.
   * @throws {RangeError} If there is none.
   */
  at(mtu: number): StreamLink {
    const link = this.#links.get(mtu);
    if (link !== undefined) return link;
    throw new RangeError(
      `There is no link with MTU ${mtu}, only with ${[...this.#links.keys()].join(", ")}`,
    );
  }

  /** What the interfaces are set to. */
  async settings(): Promise<InterfaceSettings[]> {
    const all = [...this.#links.values()].map(({ bed }) => bed.interfaceSettings());
    return (await Promise.all(all)).flat();
  }

  /** Takes them down, the last one first. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
